//! Other tools can put objects with any valid key. Keys are used unchanged.

use aws_sdk_sfn::types::ExecutionStatus;
use domain::{Owner, Status};
use std::collections::BTreeSet;
use tests::{pictures, run};

#[test]
fn objects_with_unusual_names_are_labeled_under_different_ids() {
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
            assert_eq!(settled.notifications[0].outcome.claim.key, key);
            ids.insert(settled.record.image_id.to_string());
        }
        assert_eq!(ids.len(), names.len());
        let owner = stack.image(&format!("{folder}/x")).owner;
        assert_eq!(
            stack.consistency(&owner).await.contradictions,
            Vec::<String>::new()
        );
    });
}

/// Browsers and other HTTP clients remove such segments from a URL's path.
#[test]
fn pictures_whose_keys_have_dot_segments_can_be_viewed() {
    run(async |stack| {
        let user = stack.new_user("dots").await;
        let folder = format!("uploads/{}", user.owner.as_str());
        let names = [
            "./a.png",
            "a/../b.png",
            "a/b/../../c.png",
            "a/./d.png",
            "a/..",
            "%2e%2e/e.png",
        ];
        // Each has other sides, so that a wrong object is noticed.
        let picture = |index: usize| pictures::png(80 + u32::try_from(index).expect("a few"), 80);
        for (index, name) in names.iter().enumerate() {
            stack
                .put_object(&format!("{folder}/{name}"), picture(index))
                .await;
        }
        for (index, name) in names.iter().enumerate() {
            let key = format!("{folder}/{name}");
            let settled = stack.settled(&key).await;
            assert_eq!(
                (settled.record.status, &settled.record.key),
                (Status::Labeled, &key)
            );
            let image = user.get_image(settled.record.image_id).await.body;
            let url = image["view"]["url"].as_str().expect("a URL");
            let answer = stack.http.get(url).send().await.expect("an answer of S3");
            assert_eq!(answer.status(), 200, "{key}");
            assert_eq!(answer.bytes().await.expect("a picture"), picture(index), "{key}");
        }
    });
}

/// Without escaping in the table's keys, some of these owners would share a partition.
#[test]
fn owners_with_unusual_names_stay_separate() {
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
            let consistency = stack.consistency(&owner).await;
            assert_eq!(
                (consistency.records.len(), consistency.contradictions),
                (1, vec![]),
                "{owner:?}"
            );
            assert_eq!(stack.label_counts(&owner).await["Cat"], 1, "{owner:?}");
        }
    });
}

/// Folder markers of the S3 console, and objects without an owner or a name, are not images.
#[test]
fn objects_that_are_not_uploads_get_no_record() {
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

/// The bucket may hold other objects.
#[test]
fn objects_elsewhere_in_the_bucket_start_no_execution() {
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
        // This object is later than the others: when its execution has ended, theirs would have started.
        let key = format!("uploads/{owner}/cat.jpg");
        stack.put_object(&key, pictures::cat()).await;
        stack.settled(&key).await;
        for key in &elsewhere {
            assert!(stack.executions_about(key, 0).await.is_empty(), "{key}");
        }
    });
}
