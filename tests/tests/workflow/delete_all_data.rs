//! `DELETE /account/data`: everything of an owner is deleted, and nothing of anyone else.

use domain::table::{history_sort, image_sort, owner_partition};
use domain::{ImageId, ImageKey, Status};
use reqwest::Method;
use tests::api::File;
use tests::{pictures, run, wait};

#[test]
fn all_data_of_an_account_and_only_that_is_deleted() {
    run(async |stack| {
        let (one, other) = (stack.new_user("one").await, stack.new_user("other").await);
        let file = File::cat();
        let labeled = stack.upload_of(&one, &file).await;
        let rejected = stack.upload_of(&one, &File::new("cat.jpg", pictures::GIF)).await;
        let folder = format!("uploads/{}", one.owner.as_str());
        let put = format!("{folder}/2026/my cat.jpg");
        stack.put_object(&put, pictures::cat()).await;
        stack.put_object(&format!("{folder}/"), []).await;
        stack.put_object(&format!("{folder}/2026/"), []).await;
        let awaiting = one.create_upload(&file).await;
        let theirs = stack.upload_of(&other, &file).await;
        for key in [&labeled, &rejected, &put, &theirs] {
            stack.settled(key).await;
        }
        let deleted = stack.image(&rejected).image_id;
        assert_eq!(one.delete_image(deleted).await.status, 204);
        // Leaves what undoes it.
        let job = serde_json::json!({"kind": "CORRECT", "search": "", "add": ["Pet"]}).to_string();
        let job = one
            .api(Method::POST, "/jobs", Some("application/json"), job)
            .await
            .body;
        let path = format!("/jobs/{}", job["jobId"].as_str().expect("a job"));
        wait::until("the job has ended", async || {
            let job = one.api(Method::GET, &path, None, "").await.body;
            (job["status"] == "SUCCEEDED").then_some(())
        })
        .await;

        assert_eq!(
            one.delete_data().await,
            3,
            "the two labeled images and the one whose upload is awaited"
        );
        let keys = [
            labeled,
            rejected,
            put,
            ImageKey::for_upload(&one.owner, awaiting.image_id),
        ];
        for key in &keys {
            stack.check_nothing_left_of(key).await;
            assert_eq!(one.get_image(stack.image(key).image_id).await.status, 404);
        }
        assert_eq!(stack.objects_of(&one.owner).await, Vec::<String>::new());
        assert_eq!(stack.left_of_owner(&one.owner).await, Vec::<String>::new());
        assert_eq!(one.delete_data().await, 0, "a second time");

        // An upload that arrives later is deleted as well.
        assert_eq!(stack.put(&awaiting.upload, file.bytes, &[]).await, 200);
        wait::until("the late object is deleted", async || {
            stack.objects_of(&one.owner).await.is_empty().then_some(())
        })
        .await;

        assert_eq!(
            other.get_image(stack.image(&theirs).image_id).await.body["status"],
            "LABELED"
        );
        let consistency = stack.consistency(&other.owner).await;
        assert_eq!(
            (consistency.records.len(), consistency.contradictions),
            (1, vec![])
        );
        assert!(stack.has_object(&theirs).await);
    });
}

/// Objects without a record yet, events that arrive later, and executions that have just started.
#[test]
fn images_in_progress_are_deleted_as_well() {
    run(async |stack| {
        let user = stack.new_user("in-progress").await;
        let folder = format!("uploads/{}", user.owner.as_str());
        let mut keys: Vec<String> = (0..4).map(|number| format!("{folder}/{number}.jpg")).collect();
        for key in &keys {
            stack.put_object(key, pictures::cat()).await;
        }
        keys.push(stack.upload_of(&user, &File::cat()).await);
        user.delete_data().await;
        for key in &keys {
            stack.executions_about(key, 1).await;
            stack.check_nothing_left_of(key).await;
        }
        let consistency = stack.consistency(&user.owner).await;
        assert_eq!(consistency.contradictions, Vec::<String>::new());
        assert!(
            consistency
                .records
                .iter()
                .all(|record| record.status == Status::Deleted)
        );
        assert!(stack.label_counts(&user.owner).await.is_empty());
    });
}

/// More images than one page of the table, and without files.
#[test]
fn a_library_of_several_pages_is_deleted_completely() {
    run(async |stack| {
        const IMAGES: u64 = 230;
        let user = stack.new_user("many").await;
        let images = (0..IMAGES).map(|number| {
            let id = ImageId::new();
            let created_at = format!("2025-01-01T00:00:00.{number:03}Z");
            let record = serde_json::json!({
                "pk": owner_partition(&user.owner), "sk": image_sort(id), "history": history_sort(&created_at, id),
                "imageId": id, "owner": user.owner, "bucket": stack.bucket, "status": "LABELED", "labels": [],
                "key": ImageKey::for_upload(&user.owner, id), "createdAt": created_at, "updatedAt": created_at,
                "sequencer": "0",
            });
            serde_dynamo::to_item(record).expect("an item")
        });
        stack.write_items(images).await;
        assert_eq!(user.delete_data().await, IMAGES);
        let records = stack.records(&user.owner).await;
        assert_eq!(records.len() as u64, IMAGES, "tombstones");
        assert!(
            records
                .iter()
                .all(|record| record.status == Status::Deleted && record.expires_at.is_some())
        );
        assert_eq!(user.delete_data().await, 0);
    });
}
