//! Videos with the parameter `VideoLabels=REKOGNITION`: the job, the message about its end, and its result.

use crate::VIDEO_LABELS;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::table::{PARTITION_KEY, SORT_KEY, VIDEO_JOB, video_job_partition};
use domain::video::LabelJob;
use domain::{MediaType, Status};
use futures_util::FutureExt;
use reqwest::Method;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, resume_unwind};
use tests::state_machine::machine::repository;
use tests::{Stack, pictures, run, wait};

/// The states of an execution that labels a short video.
const LABELED: [&str; 8] = [
    "Inspect video",
    "Who finds the labels?",
    "Label video",
    "Read labels",
    "Are all pages read?",
    "Collect labels",
    "Filter labels",
    "Persist result",
];

/// Runs a test while Rekognition Video is preferred.
fn run_with_rekognition(test: impl AsyncFnOnce(&Stack)) {
    run(async |stack| prefer_rekognition(stack, async || test(stack).await).await);
}

/// Prefers Rekognition Video meanwhile.
pub(crate) async fn prefer_rekognition(stack: &Stack, test: impl AsyncFnOnce()) {
    let preferred = VIDEO_LABELS.lock().await;
    stack
        .set_variable("inspect-video", "VIDEO_LABELS", "REKOGNITION")
        .await;
    let result = AssertUnwindSafe(test()).catch_unwind().await;
    stack
        .set_variable("inspect-video", "VIDEO_LABELS", "FRAMES")
        .await;
    drop(preferred);
    if let Err(panic) = result {
        resume_unwind(panic);
    }
}

/// The id that Rekognition has given the job of an execution. `None` while it has none.
async fn job_id(stack: &Stack, name: LabelJob) -> Option<String> {
    let item = stack
        .dynamodb
        .get_item()
        .table_name(&stack.table)
        .key(
            PARTITION_KEY,
            AttributeValue::S(video_job_partition(name.execution)),
        )
        .key(SORT_KEY, AttributeValue::S(VIDEO_JOB.to_owned()))
        .consistent_read(true)
        .send()
        .await
        .expect("an answer");
    item.item?.get("jobId")?.as_s().ok().cloned()
}

/// Rekognition's message, as SNS delivers it.
fn message(name: LabelJob, job_id: &str) -> Value {
    let message = json!({
        "JobId": job_id, "Status": "SUCCEEDED", "API": "StartLabelDetection", "JobTag": name.to_string(),
        "Timestamp": 1_700_000_000_000_u64, "Video": {"S3ObjectName": "x", "S3Bucket": "y"},
    });
    json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]})
}

#[test]
fn a_video_is_labeled_by_rekognition_video_and_other_codecs_by_their_frames() {
    run_with_rekognition(async |stack| {
        let user = stack.new_user("rekognition-video").await;
        let key = format!("uploads/{}/cat.mp4", user.owner.as_str());
        stack.put_object(&key, pictures::sample("video.mp4")).await;
        let other = format!("uploads/{}/cat.webm", user.owner.as_str());
        let webm = std::fs::read(repository().join("tests/videos/vp9.webm")).expect("a video");
        stack.put_object(&other, webm).await;

        let settled = stack.settled(&key).await;
        let record = &settled.record;
        assert_eq!(
            (record.status, record.media_type),
            (Status::Labeled, MediaType::Video)
        );
        assert_eq!(settled.execution.states[..LABELED.len()], LABELED);
        assert_eq!(settled.notifications.len(), 1);

        let id = record.image_id;
        let image = user.get_image(id).await.body;
        let duration = image["video"]["durationMs"].as_u64().expect("a duration");
        let labels = image["labels"].as_array().expect("labels");
        let cat = labels.iter().find(|label| label["name"] == "Cat").expect("a cat");
        let total = cat["totalMs"].as_u64().expect("a time");
        assert!(total > 0 && total <= duration, "{cat}");
        let path = format!("/images/{id}/timeline?label=cat");
        let timeline = user.api(Method::GET, &path, None, "").await.body;
        let segment = &timeline["lanes"][0]["segments"][0];
        assert!(segment["boxes"][0]["width"].is_number(), "{timeline}");

        // The message again, and one about a job that nobody waits for.
        let name = LabelJob::new(&settled.execution.arn, 0);
        let job = job_id(stack, name).await.expect("a job");
        let handled = stack.invoke("resume-video", &message(name, &job)).await;
        assert_eq!(handled.expect("an answer"), json!(["alreadyEnded"]));
        let handled = stack.invoke("resume-video", &message(name, "another")).await;
        assert_eq!(handled.expect("an answer"), json!(["unknownJob"]));

        let settled = stack.settled(&other).await;
        assert_eq!(settled.record.status, Status::Labeled);
        assert!(settled.execution.states.contains(&"Label frames".to_owned()));
    });
}

#[test]
fn a_deletion_wins_over_a_job_in_progress() {
    run_with_rekognition(async |stack| {
        let user = stack.new_user("rekognition-video").await;
        let key = format!("uploads/{}/deleted.mp4", user.owner.as_str());
        stack.put_object(&key, pictures::sample("video.mp4")).await;
        let image = stack.image(&key);
        let arn = wait::until("the job has been started", async || {
            let arn = stack.record(&image).await?.execution_arn?;
            job_id(stack, LabelJob::new(&arn, 0)).await.map(|_| arn)
        })
        .await;
        user.delete_image(image.image_id).await;
        let ended = stack.ended(&arn).await;
        assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
        assert_eq!(ended.states.last().map(String::as_str), Some("Leave unchanged"));
        wait::until("nothing is left", async || {
            stack.derived_of(&image).await.is_empty().then_some(())
        })
        .await;
    });
}
