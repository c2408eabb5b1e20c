//! Any legal key: other tools put objects where and as they like. Keys are taken as they stand.

use aws_sdk_sfn::types::ExecutionStatus;
use domain::{Owner, Status};
use std::collections::BTreeSet;
use tests::{pictures, run};

#[test]
fn objects_with_odd_names_are_labeled_under_ids_of_their_own() {
    run(async |stack| {
        let folder = format!("uploads/{}", stack.new_owner("keys"));
        let longest = "x".repeat(1024 - folder.len() - 1);
        let names = [
            "a b.png",
            "a+b.png",
            "a%2Bb.png",
            "a%20b.png",
            "a%b.png",
            "a#b.png",
            "a?b=c&d.png",
            "a;b=c,d.png",
            "a'b\"c.png",
            "a<b>c.png",
            "a\\b.png",
            "a{b}c|d^e`f.png",
            "${a}.png",
            "{% 1 %}.png",
            "a\u{301}.png",
            "\u{e1}.png",
            "🐈.png",
            "2026/11/cat.png",
            "a//b.png",
            " ",
            "CON",
            "-",
            "a.png ",
            &longest,
        ];
        for name in names {
            stack
                .put_object(&format!("{folder}/{name}"), pictures::png(80, 80))
                .await;
        }
        let mut ids = BTreeSet::new();
        for name in names {
            let key = format!("{folder}/{name}");
            let settled = stack.settled(&key).await;
            assert_eq!(
                (settled.record.status, &settled.record.key),
                (Status::Labeled, &key)
            );
            assert_eq!(settled.record.file_name.as_deref(), name.rsplit('/').next());
            assert_eq!(settled.notifications.len(), 1, "{key}");
            assert_eq!(settled.notifications[0].outcome.key, key);
            ids.insert(settled.record.image_id.to_string());
        }
        assert_eq!(ids.len(), names.len());
        let owner = stack.image(&format!("{folder}/x")).owner;
        assert_eq!(stack.story(&owner).await.contradictions, Vec::<String>::new());
    });
}

/// Each of these could spell the partition of another, were owners not escaped in the table's keys.
#[test]
fn owners_with_odd_names_stay_apart() {
    run(async |stack| {
        let base = stack.new_owner("owners");
        let longest = base.clone() + &"#".repeat(1024 - base.len() - "uploads//x".len());
        let owners = [
            base.clone(),
            format!("{base}#LABEL#Cat"),
            format!("{base}%23LABEL%23Cat"),
            format!("{base}#"),
            format!("{base}%23"),
            format!("{base}%2F"),
            format!("{base} "),
            format!("{base}🐈"),
            longest,
        ];
        for owner in &owners {
            stack
                .put_object(&format!("uploads/{owner}/x"), pictures::cat())
                .await;
        }
        for owner in &owners {
            let settled = stack.settled(&format!("uploads/{owner}/x")).await;
            assert_eq!(
                (settled.record.status, settled.record.owner.as_str()),
                (Status::Labeled, owner.as_str())
            );
        }
        for owner in &owners {
            let owner = Owner::new(owner).unwrap();
            let story = stack.story(&owner).await;
            assert_eq!(
                (story.records.len(), story.contradictions),
                (1, vec![]),
                "{owner:?}"
            );
            assert_eq!(stack.label_counts(&owner).await["Cat"], 1, "{owner:?}");
        }
    });
}

/// What S3's own console makes of a folder, and objects without an owner or a name, are no images.
#[test]
fn what_is_no_upload_ends_without_a_record() {
    run(async |stack| {
        let owner = stack.new_owner("no-upload");
        let no_name = format!("uploads/{owner}");
        let folders = [
            format!("uploads/{owner}/"),
            format!("uploads/{owner}/2026/"),
            format!("uploads//{owner}"),
        ];
        for key in folders.iter().chain([&no_name]) {
            stack.put_object(key, pictures::cat()).await;
        }
        stack.put_object("uploads/", vec![]).await;
        for key in folders.iter().chain([&no_name]) {
            for ended in stack.executions_about(key, 1).await {
                assert_eq!(ended.status, ExecutionStatus::Succeeded, "{key}: {ended:?}");
                assert_eq!(
                    ended.states,
                    ["Validate image", "Leave unchanged"],
                    "{key}: {ended:?}"
                );
            }
        }
        let executions = stack.executions_about("uploads/", 1).await;
        assert!(
            executions
                .iter()
                .all(|ended| ended.status == ExecutionStatus::Succeeded),
            "{executions:?}"
        );
        assert!(stack.records(&Owner::new(&owner).unwrap()).await.is_empty());
    });
}

/// The bucket may hold other things, which are nobody's pictures.
#[test]
fn objects_elsewhere_in_the_bucket_start_nothing() {
    run(async |stack| {
        let owner = stack.new_owner("elsewhere");
        let elsewhere = [
            format!("{owner}/cat.jpg"),
            format!("Uploads/{owner}/cat.jpg"),
            format!("/uploads/{owner}/cat.jpg"),
        ];
        for key in &elsewhere {
            stack.put_object(key, pictures::cat()).await;
        }
        // Later than those, and its execution has ended: theirs would be there.
        let key = format!("uploads/{owner}/cat.jpg");
        stack.put_object(&key, pictures::cat()).await;
        stack.settled(&key).await;
        for key in &elsewhere {
            assert!(stack.executions_about(key, 0).await.is_empty(), "{key}");
        }
    });
}
