//! Videos with the parameter `VideoLabels=REKOGNITION`: the job, the message about its end, and its result.

use crate::VIDEO_LABELS;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::table::{VIDEO_JOB, VIDEO_LEASES, owner_partition, video_job_partition};
use domain::video::LabelJob;
use domain::{MediaType, Status};
use futures_util::FutureExt;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, resume_unwind};
use tests::seed::key;
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

/// An attribute of an item. `None` if the item does not exist or does not have it.
async fn attribute(stack: &Stack, partition: String, sort: &str, name: &str) -> Option<AttributeValue> {
    let item = stack
        .dynamodb
        .get_item()
        .table_name(&stack.table)
        .set_key(Some(key(partition, sort.to_owned())))
        .consistent_read(true)
        .send()
        .await
        .expect("an answer");
    item.item?.remove(name)
}

/// An attribute of the job of an execution.
async fn of_job(stack: &Stack, job: LabelJob, name: &str) -> Option<String> {
    let value = attribute(stack, video_job_partition(job.execution), VIDEO_JOB, name).await;
    value?.as_s().ok().cloned()
}

/// The id that Rekognition has given the job of an execution. `None` while it has none.
async fn job_id(stack: &Stack, name: LabelJob) -> Option<String> {
    of_job(stack, name, "jobId").await
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

/// The busy owner's jobs are leases that the test writes: more than `VideoJobsPerOwner` allows by default.
#[test]
fn an_owner_with_as_many_jobs_as_allowed_waits_while_the_video_of_another_one_is_labeled() {
    run_with_rekognition(async |stack| {
        let busy = stack.new_user("busy").await;
        let other = stack.new_user("not-busy").await;
        let until = AttributeValue::N((Timestamp::now().as_second() + 3600).to_string());
        let lease = |job: usize| {
            let execution = LabelJob::new(&job.to_string(), 0).execution;
            (execution.to_string(), until.clone())
        };
        let leases = AttributeValue::M((0..20).map(lease).collect());
        let sort = VIDEO_LEASES.to_owned();
        stack
            .put_item(&busy.owner, sort.clone(), &[("leases", leases)])
            .await;
        let waiting = format!("uploads/{}/waiting.mp4", busy.owner.as_str());
        stack.put_object(&waiting, pictures::sample("video.mp4")).await;
        let image = stack.image(&waiting);
        let arn = wait::until("the video waits, and was tried again", async || {
            let arn = stack.record(&image).await?.execution_arn?;
            let attempt = of_job(stack, LabelJob::new(&arn, 0), "attempt").await?;
            (!attempt.ends_with("#00000")).then_some(arn)
        })
        .await;

        let first = format!("uploads/{}/first.mp4", other.owner.as_str());
        stack.put_object(&first, pictures::sample("video.mp4")).await;
        assert_eq!(stack.settled(&first).await.record.status, Status::Labeled);
        assert_eq!(job_id(stack, LabelJob::new(&arn, 0)).await, None);
        let record = stack.record(&image).await.expect("a record");
        assert_eq!(record.status, Status::Processing);

        stack.put_item(&busy.owner, sort, &[]).await;
        let settled = stack.settled(&waiting).await;
        assert_eq!(settled.record.status, Status::Labeled);
        assert_eq!(settled.execution.arn, arn);
        for owner in [&busy.owner, &other.owner] {
            let left = attribute(stack, owner_partition(owner), VIDEO_LEASES, "leases").await;
            assert_eq!(left, None, "the lease was not returned");
        }
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
