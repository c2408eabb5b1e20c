//! The workflow in a bucket with versioning, where every overwrite and every plain DELETE leaves a version behind: images
//! are deleted with all their versions.
//!
//! Versioning applies to the whole bucket and can only be suspended, not turned off: everything that runs later uses a
//! versioned bucket.

use crate::rekognition_video::prefer_rekognition;
use crate::{DAILY_TOTAL, VIDEO_LABELS};
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use domain::{ImageKey, ImageRecord, Status};
use serde_json::json;
use tests::api::File;
use tests::images::LAST_SEQUENCER;
use tests::users::User;
use tests::{Stack, pictures, run, wait};

/// Runs a test in a versioned bucket.
fn run_versioned(test: impl AsyncFnOnce(&Stack)) {
    run(async |stack| {
        let _uploads = DAILY_TOTAL.read().await;
        let enabled = VersioningConfiguration::builder()
            .status(BucketVersioningStatus::Enabled)
            .build();
        let put = stack.s3.put_bucket_versioning().bucket(&stack.bucket);
        let put = put.versioning_configuration(enabled).send();
        put.await.expect("a versioned bucket");
        test(stack).await;
    });
}

/// Puts a picture, which can replace another one, and waits for its result. Returns the id of its version, and its record.
async fn put(
    stack: &Stack,
    key: &str,
    picture: Vec<u8>,
    before: Option<&ImageRecord>,
) -> (String, ImageRecord) {
    let put = stack.s3.put_object().bucket(&stack.bucket).key(key);
    let put = put.body(picture.into()).send().await.expect("an object");
    let settled = match before {
        Some(before) => stack.settled_again(before).await,
        None => stack.settled_as(key, Status::Labeled).await,
    };
    stack
        .with_thumbnails(key, |record| record.execution_arn == settled.record.execution_arn)
        .await;
    (put.version_id.expect("a version"), settled.record)
}

async fn delete(stack: &Stack, user: &User, key: &str) {
    let answer = user.delete_image(stack.image(key).image_id).await;
    assert_eq!(answer.status, 204, "{answer:?}");
    stack.check_nothing_left_of(key).await;
}

#[test]
fn a_deleted_image_leaves_no_version_and_no_delete_marker() {
    run_versioned(async |stack| {
        let user = stack.new_user("versions").await;
        for file in [File::cat(), File::new("cat.webp", pictures::webp())] {
            let key = stack.upload_of(&user, &file).await;
            stack.settled_as(&key, Status::Labeled).await;
            stack.with_thumbnails(&key, |_| true).await;
            delete(stack, &user, &key).await;
        }

        // Another tool overwrites its object, deletes it, and puts it again.
        let key = format!("uploads/{}/my cat.jpg", user.owner.as_str());
        let neighbor = format!("{key}.jpg");
        put(stack, &neighbor, pictures::cat(), None).await;
        let (_, first) = put(stack, &key, pictures::cat(), None).await;
        let (_, second) = put(stack, &key, pictures::sample("coffee.jpg"), Some(&first)).await;
        stack.delete_object(&key).await;
        put(stack, &key, pictures::cat(), Some(&second)).await;
        assert_eq!(
            stack
                .versions_under(&key)
                .await
                .iter()
                .filter(|found| **found == key)
                .count(),
            4,
            "three pictures and a delete marker"
        );
        delete(stack, &user, &key).await;
        assert!(
            stack.has_object(&neighbor).await,
            "a key that begins with the deleted key belongs to another image"
        );
    });
}

/// The newest version may be another picture when an event is processed.
#[test]
fn the_version_that_an_event_names_is_labeled() {
    run_versioned(async |stack| {
        let user = stack.new_user("versions").await;
        let key = format!("uploads/{}/replaced.jpg", user.owner.as_str());
        let (cat, first) = put(stack, &key, pictures::cat(), None).await;
        let (_, second) = put(stack, &key, pictures::sample("coffee.jpg"), Some(&first)).await;
        assert_ne!(first.labels, second.labels);

        let mut event = stack.object_created(&key, LAST_SEQUENCER);
        event["detail"]["object"]["version-id"] = json!(cat);
        let ended = stack.execute(&event).await;
        let record = stack.record(&stack.image(&key)).await.expect("a record");
        assert_eq!(
            (record.status, record.execution_arn.as_deref()),
            (Status::Labeled, Some(ended.arn.as_str())),
            "{ended:?}"
        );
        assert_eq!(record.labels, first.labels);

        let mut gone = stack.object_created(&key, &format!("{LAST_SEQUENCER}F"));
        gone["detail"]["object"]["version-id"] = json!(cat);
        let erase = stack.s3.delete_object().bucket(&stack.bucket).key(&key);
        erase.version_id(cat).send().await.expect("an answer of S3");
        stack.execute(&gone).await;
        let rejected = stack.settled_as(&key, Status::Rejected).await.record;
        assert_eq!(rejected.error.expect("an error").name, "ObjectGone");
    });
}

/// A video is read in ranges, each of the version that the event names.
#[test]
fn the_version_of_a_video_that_an_event_names_is_labeled() {
    run_versioned(async |stack| {
        let frames = VIDEO_LABELS.lock().await;
        check_version_of_video(stack).await;
        drop(frames);
        prefer_rekognition(stack, async || check_version_of_video(stack).await).await;
    });
}

async fn check_version_of_video(stack: &Stack) {
    let user = stack.new_user("versions").await;
    let key = format!("uploads/{}/trip.mp4", user.owner.as_str());
    let (version, first) = put(stack, &key, pictures::sample("video.mp4"), None).await;
    let (_, second) = put(stack, &key, pictures::cat(), Some(&first)).await;
    assert!(second.video.is_none());

    let mut event = stack.object_created(&key, LAST_SEQUENCER);
    event["detail"]["object"]["version-id"] = json!(version);
    stack.execute(&event).await;
    let record = stack.settled_again(&second).await.record;
    assert_eq!(record.status, Status::Labeled, "{:?}", record.error);
    let video = record.video.expect("facts of the video");
    assert!(video.poster.is_some() && video.preview.is_some(), "{video:?}");
    assert_eq!(record.labels, first.labels);
}

/// The presigned PUT stays valid for minutes after the deletion.
#[test]
fn an_upload_after_the_deletion_leaves_no_version() {
    run_versioned(async |stack| {
        let (user, file) = (stack.new_user("versions").await, File::cat());
        let created = user.create_upload(&file).await;
        let key = ImageKey::for_upload(&user.owner, created.image_id);
        assert_eq!(user.delete_image(created.image_id).await.status, 204);
        assert_eq!(stack.put(&created.upload, file.bytes.clone(), &[]).await, 200);
        wait::until("the late object is deleted with its version", async || {
            stack.versions_under(&key).await.is_empty().then_some(())
        })
        .await;
        stack.check_nothing_left_of(&key).await;
    });
}

#[test]
fn deleting_all_data_deletes_versions_of_objects_that_are_no_longer_listed() {
    run_versioned(async |stack| {
        let (user, other) = (stack.new_user("versions").await, stack.new_user("other").await);
        let folder = format!("uploads/{}", user.owner.as_str());
        let (overwritten, removed) = (format!("{folder}/a.jpg"), format!("{folder}/b.jpg"));
        let (_, first) = put(stack, &overwritten, pictures::cat(), None).await;
        put(stack, &overwritten, pictures::sample("coffee.jpg"), Some(&first)).await;
        put(stack, &removed, pictures::cat(), None).await;
        stack.delete_object(&removed).await;
        let theirs = format!("uploads/{}/a.jpg", other.owner.as_str());
        put(stack, &theirs, pictures::cat(), None).await;

        assert_eq!(user.delete_data().await, 2);
        for prefix in ["uploads", "renditions", "thumbnails", "exports"] {
            let left = stack
                .versions_under(&format!("{prefix}/{}/", user.owner.as_str()))
                .await;
            assert_eq!(left, Vec::<String>::new());
        }
        assert!(stack.has_object(&theirs).await);
    });
}
