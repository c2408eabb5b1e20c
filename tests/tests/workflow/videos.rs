//! Videos: from the object to labels, timeline and thumbnails, and what wins over them.

use aws_sdk_sfn::types::ExecutionStatus;
use domain::image::VIDEOS_PREFIX;
use domain::{MediaType, Status};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use tests::images::Settled;
use tests::{Stack, pictures, run, wait};

/// The states of an execution that labels a short video.
const LABELED: [&str; 8] = [
    "Inspect video",
    "Who finds the labels?",
    "Label frames",
    "Are all frames labeled?",
    "Collect labels",
    "Filter labels",
    "Persist result",
    "Send notification",
];

/// A video of `video-header`'s tests: 2 seconds with 4 key frames, too small to be labeled.
fn small_video() -> Vec<u8> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/video-header/fixtures");
    std::fs::read(fixtures.join("h264-faststart.mp4")).expect("a fixture")
}

/// A few seconds in which a cat is seen.
fn cat_video() -> Vec<u8> {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    std::fs::read(samples.join("video.mp4")).expect("a sample")
}

/// The names of the objects that were derived from a video, apart from thumbnails.
async fn derived(stack: &Stack, key: &str) -> BTreeSet<String> {
    let keys = stack.derived_of(&stack.image(key)).await;
    let derived = keys.iter().filter(|key| key.starts_with(VIDEOS_PREFIX));
    derived
        .map(|key| key.rsplit('/').next().unwrap_or_default().to_owned())
        .collect()
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().expect("a list").iter();
    list.map(|entry| entry["name"].as_str().expect("a name"))
        .collect()
}

/// The execution of `label-image` that has handed a video over has the same name.
fn handed_over_by(settled: &Settled) -> String {
    settled.execution.arn.replace("-label-video:", "-label-image:")
}

#[test]
fn a_video_is_labeled_and_its_timeline_follows_settings_and_corrections() {
    run(async |stack| {
        let user = stack.new_user("videos").await;
        let key = format!("uploads/{}/cat.mp4", user.owner.as_str());
        stack.put_object(&key, cat_video()).await;
        let settled = stack.settled(&key).await;
        let record = &settled.record;
        assert_eq!(
            (record.status, record.media_type),
            (Status::Labeled, MediaType::Video)
        );
        assert_eq!(settled.execution.states, LABELED);
        let first = stack.ended(&handed_over_by(&settled)).await;
        assert_eq!(first.status, ExecutionStatus::Succeeded);
        assert_eq!(first.states, ["Validate image", "Leave unchanged"]);
        let [notification] = &settled.notifications[..] else {
            panic!("there must be one notification: {:?}", settled.notifications)
        };
        assert_eq!(
            (notification.detail_type.as_str(), &notification.detail["type"]),
            ("Video Labeled", &json!("VIDEO"))
        );

        let id = record.image_id;
        let image = user.get_image(id).await.body;
        let duration = image["video"]["durationMs"].as_u64().expect("a duration");
        assert_eq!(
            (&image["type"], &image["format"]),
            (&json!("VIDEO"), &Value::Null)
        );
        assert!(image["video"]["posterUrl"].is_string(), "{image}");
        let cat = image["labels"].as_array().expect("labels").iter();
        let cat = cat.clone().find(|label| label["name"] == "Cat").expect("a cat");
        let total = cat["totalMs"].as_u64().expect("a time");
        assert!(total > 0 && total <= duration, "{cat}");
        assert!(cat["firstMs"].as_u64().expect("a time") < duration, "{cat}");

        let timeline = async |query: &str| {
            let path = format!("/images/{id}/timeline{query}");
            user.api(Method::GET, &path, None, "").await.body
        };
        let all = timeline("").await;
        assert_eq!(
            names(&all["lanes"]).into_iter().collect::<BTreeSet<_>>(),
            names(&image["labels"]).into_iter().collect()
        );
        let segments = all["lanes"][0]["segments"].as_array().expect("segments");
        assert!(segments[0]["toMs"].as_u64() > segments[0]["fromMs"].as_u64());
        let only = timeline("?label=cat").await;
        assert_eq!(names(&only["lanes"]), ["Cat"]);
        assert!(
            only["lanes"][0]["segments"][0]["boxes"][0]["width"].is_number(),
            "{only}"
        );

        let removed = json!({"remove": ["Cat"]});
        let path = format!("/images/{id}/labels");
        user.api(
            Method::PATCH,
            &path,
            Some("application/json"),
            removed.to_string(),
        )
        .await;
        assert!(!names(&timeline("").await["lanes"]).contains(&"Cat"));

        for (query, found) in [
            ("type=VIDEO", 1),
            ("type=PICTURE", 0),
            ("type=VIDEO&label=animal", 1),
        ] {
            let list = user
                .api(Method::GET, &format!("/images?{query}"), None, "")
                .await
                .body;
            assert_eq!(list["images"].as_array().expect("images").len(), found, "{query}");
        }

        stack.with_thumbnails(&key, |_| true).await;
        wait::until("what the video does not need is gone", async || {
            let left = derived(stack, &key).await;
            (left == BTreeSet::from(["poster.jpg", "preview.jpg", "timeline.json"].map(str::to_owned)))
                .then_some(())
        })
        .await;
    });
}

#[test]
fn a_video_that_is_deleted_leaves_nothing_and_one_that_is_labeled_again_only_its_last_objects() {
    run(async |stack| {
        let user = stack.new_user("videos").await;
        let key = format!("uploads/{}/again.mp4", user.owner.as_str());
        stack.put_object(&key, cat_video()).await;
        let before = stack.with_thumbnails(&key, |_| true).await;
        let id = before.image_id;
        let path = format!("/images/{id}/relabel");
        assert_eq!(user.api(Method::POST, &path, None, "").await.status, 202);
        let after = stack
            .with_thumbnails(&key, |record| record.thumbnails != before.thumbnails)
            .await;
        assert_eq!(after.status, Status::Labeled);
        assert_ne!(before.video, after.video);
        wait::until("the objects of the first execution are gone", async || {
            (derived(stack, &key).await.len() == 3).then_some(())
        })
        .await;

        // While it is labeled a third time.
        assert_eq!(user.api(Method::POST, &path, None, "").await.status, 202);
        wait::until("label-video has taken over", async || {
            let record = stack.record(&stack.image(&key)).await?;
            let arn = record.execution_arn?;
            (arn.contains("-label-video:") && record.status == Status::Processing).then_some(())
        })
        .await;
        user.delete_image(id).await;
        for execution in stack.executions_about(&key, 3).await {
            let video = stack
                .ended_for_video(&execution.arn)
                .await
                .expect("it was handed over");
            assert_eq!(video.status, ExecutionStatus::Succeeded, "{video:?}");
        }
        wait::until("nothing is left", async || {
            stack
                .derived_of(&stack.image(&key))
                .await
                .is_empty()
                .then_some(())
        })
        .await;
        assert!(!stack.has_object(&key).await);
    });
}

#[test]
fn a_video_that_cannot_be_labeled_is_rejected_with_the_reason() {
    run(async |stack| {
        let owner = stack.new_owner("videos");
        let key = format!("uploads/{owner}/small.mp4");
        stack.put_object(&key, small_video()).await;
        let settled = stack.settled(&key).await;
        let record = &settled.record;
        assert_eq!(
            (record.status, record.media_type),
            (Status::Rejected, MediaType::Video)
        );
        let error = record.error.as_ref().expect("a reason");
        assert_eq!(error.name, "ImageTooSmall");
        assert!(
            error.message.ends_with("Each side must have at least 80."),
            "{}",
            error.message
        );
        assert_eq!(
            settled.execution.states,
            ["Inspect video", "Persist result", "Send notification"]
        );
        // A picture under the same key is a picture.
        stack.put_object(&key, pictures::cat()).await;
        let picture = stack.settled_again(record).await.record;
        assert_eq!(
            (picture.status, picture.media_type),
            (Status::Labeled, MediaType::Picture)
        );
        assert_eq!(picture.video, None);
    });
}
