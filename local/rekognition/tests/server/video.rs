//! Videos in S3, and the messages of SNS.

use crate::running::{Server, sample};
use aws_sdk_rekognition::error::ProvideErrorMetadata;
use aws_sdk_rekognition::operation::get_label_detection::GetLabelDetectionOutput;
use aws_sdk_rekognition::operation::start_label_detection::builders::StartLabelDetectionFluentBuilder;
use aws_sdk_rekognition::types::{
    LabelDetectionAggregateBy, NotificationChannel, S3Object, Video, VideoJobStatus,
};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{
    Router,
    routing::{get, post},
};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// Only for messages that never come.
const PATIENCE: Duration = Duration::from_secs(300);
const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:videos";

type Objects = Arc<HashMap<&'static str, Vec<u8>>>;

async fn listen(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// The part of S3 that the stand-in uses for videos: GetObject with a range.
async fn start_s3(objects: HashMap<&'static str, Vec<u8>>) -> String {
    async fn object(
        State(objects): State<Objects>,
        Path((_, key)): Path<(String, String)>,
        headers: HeaderMap,
    ) -> Response {
        let Some(bytes) = objects.get(key.as_str()) else {
            let body = "<Error><Code>NoSuchKey</Code><Message>No.</Message></Error>";
            return (StatusCode::NOT_FOUND, body).into_response();
        };
        let range = headers[header::RANGE].to_str().expect("text");
        let range = range
            .strip_prefix("bytes=")
            .and_then(|range| range.split_once('-'));
        let (from, to) = range.expect("a range");
        let (from, to): (usize, usize) = (from.parse().expect("a number"), to.parse().expect("a number"));
        let total = format!("bytes {from}-{to}/{}", bytes.len());
        let part = bytes[from..=to].to_vec();
        (
            StatusCode::PARTIAL_CONTENT,
            [(header::CONTENT_RANGE, total)],
            part,
        )
            .into_response()
    }
    let router = Router::new().route("/{bucket}/{*key}", get(object));
    listen(router.with_state(Arc::new(objects))).await
}

/// The part of SNS that the stand-in uses: Publish. Returns the parameters of each call.
async fn start_sns() -> (String, UnboundedReceiver<HashMap<String, String>>) {
    async fn publish(
        State(sender): State<UnboundedSender<HashMap<String, String>>>,
        body: String,
    ) -> &'static str {
        let parameters = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        sender.send(parameters).expect("the test is running");
        "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
    }
    let (sender, receiver) = unbounded_channel();
    let router = Router::new().route("/", post(publish)).with_state(sender);
    (listen(router).await, receiver)
}

async fn message(messages: &mut UnboundedReceiver<HashMap<String, String>>) -> Value {
    let parameters = tokio::time::timeout(PATIENCE, messages.recv())
        .await
        .expect("a message comes")
        .expect("SNS is running");
    assert_eq!(parameters["Action"], "Publish");
    assert_eq!(parameters["TopicArn"], TOPIC);
    serde_json::from_str(&parameters["Message"]).expect("JSON")
}

fn start(server: &Server, key: &str) -> StartLabelDetectionFluentBuilder {
    let object = S3Object::builder().bucket("videos").name(key).build();
    let channel = NotificationChannel::builder()
        .sns_topic_arn(TOPIC)
        .role_arn("arn:aws:iam::000000000000:role/videos")
        .build()
        .expect("both are set");
    server
        .client()
        .start_label_detection()
        .video(Video::builder().s3_object(object).build())
        .notification_channel(channel)
}

/// The seconds in which a label is found with a confidence of at least 80.
fn seconds(answer: &GetLabelDetectionOutput, name: &str) -> Vec<i64> {
    let found = answer.labels().iter().filter(|found| {
        found
            .label()
            .is_some_and(|label| label.name() == Some(name) && label.confidence() >= Some(80.0))
    });
    let mut seconds: Vec<i64> = found.map(|found| found.timestamp() / 1_000).collect();
    seconds.dedup();
    seconds
}

#[tokio::test]
async fn labels_the_sample_video_and_publishes_one_message() {
    let s3 = start_s3(HashMap::from([("a b/video.mp4", sample("video.mp4"))])).await;
    let (sns, mut messages) = start_sns().await;
    let server = Server::start(&["--s3-endpoint", &s3, "--sns-endpoint", &sns, "--max-jobs", "1"]);
    let request = start(&server, "a b/video.mp4")
        .client_request_token("once")
        .job_tag("tag");
    let id = request.clone().send().await.expect("it starts");
    let id = id.job_id().expect("an ID").to_owned();
    let other = start(&server, "a b/video.mp4")
        .send()
        .await
        .expect_err("one job at a time");
    assert_eq!(other.code(), Some("LimitExceededException"));

    let published = message(&mut messages).await;
    assert!(published["Timestamp"].as_u64() > Some(1_700_000_000_000));
    for (member, expected) in [
        ("JobId", json!(id)),
        ("Status", json!("SUCCEEDED")),
        ("API", json!("StartLabelDetection")),
        ("JobTag", json!("tag")),
        (
            "Video",
            json!({ "S3ObjectName": "a b/video.mp4", "S3Bucket": "videos" }),
        ),
    ] {
        assert_eq!(published[member], expected, "{member}");
    }

    let result = server
        .client()
        .get_label_detection()
        .job_id(&id)
        .send()
        .await
        .expect("it is done");
    assert_eq!(result.job_status(), Some(&VideoJobStatus::Succeeded));
    let metadata = result.video_metadata().expect("there is some");
    assert_eq!(
        (
            metadata.codec(),
            metadata.duration_millis(),
            metadata.frame_width()
        ),
        (Some("h264"), Some(24_000), Some(640))
    );
    // samples/video.json: the cat is shown from 0 to 6 and from 21 to 24 seconds, and the coffee from 6 to 11.
    let cat = seconds(&result, "Cat");
    assert!(
        cat.iter()
            .all(|second| (0..6).contains(second) || (21..24).contains(second)),
        "{cat:?}"
    );
    assert!(cat.len() >= 7, "{cat:?}");
    let cup = seconds(&result, "Cup");
    assert!(
        !cup.is_empty() && cup.iter().all(|second| (6..11).contains(second)),
        "{cup:?}"
    );

    let segments = server
        .client()
        .get_label_detection()
        .job_id(&id)
        .aggregate_by(LabelDetectionAggregateBy::Segments)
        .send()
        .await
        .expect("it is done");
    let cat: Vec<_> = segments
        .labels()
        .iter()
        .filter(|found| found.label().and_then(|label| label.name()) == Some("Cat"))
        .collect();
    assert!(
        cat.iter()
            .all(|found| found.label().is_some_and(|label| label.instances().is_empty()))
    );
    assert!(cat.iter().any(|found| found.start_timestamp_millis() == Some(0)));

    // A repeated request gets the same job, and no second message: the next one is that of the next job.
    let repeated = request.send().await.expect("it is accepted");
    assert_eq!(repeated.job_id(), Some(id.as_str()));
    let next = start(&server, "a b/video.mp4").send().await.expect("it starts");
    assert_eq!(message(&mut messages).await["JobId"].as_str(), next.job_id());
}

#[tokio::test]
async fn a_video_that_rekognition_does_not_accept_fails_with_the_reason() {
    let file = |name: &str| {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/videos");
        std::fs::read(folder.join(name)).expect("it is there")
    };
    let objects = [
        ("hevc.mov", file("hevc.mov")),
        ("vp9.webm", file("vp9.webm")),
        ("cat.mp4", sample("cat.jpg")),
        ("cut.mp4", sample("video.mp4")[..100_000].to_vec()),
    ];
    let expected = ["HEVC", "VP9", "aren't supported", ""];
    let names = objects.each_ref().map(|(name, _)| *name);
    let s3 = start_s3(HashMap::from(objects)).await;
    let (sns, mut messages) = start_sns().await;
    let server = Server::start(&["--s3-endpoint", &s3, "--sns-endpoint", &sns]);
    for (name, expected) in names.into_iter().zip(expected) {
        let id = start(&server, name).send().await.expect("it starts");
        let published = message(&mut messages).await;
        assert_eq!(
            (published["Status"].as_str(), published["JobId"].as_str()),
            (Some("FAILED"), id.job_id())
        );
        let result = server
            .client()
            .get_label_detection()
            .set_job_id(id.job_id().map(str::to_owned))
            .send()
            .await
            .expect("it has ended");
        assert_eq!(result.job_status(), Some(&VideoJobStatus::Failed), "{name}");
        let reason = result.status_message().expect("a reason");
        assert!(reason.contains(expected), "{name}: {reason}");
    }
    let missing = start(&server, "missing.mp4")
        .send()
        .await
        .expect_err("it does not exist");
    assert_eq!(missing.code(), Some("InvalidS3ObjectException"));
}

#[tokio::test]
async fn an_unknown_job_is_not_found() {
    let server = Server::start(&[]);
    let error = server
        .client()
        .get_label_detection()
        .job_id("unknown")
        .send()
        .await;
    assert_eq!(
        error.expect_err("it does not exist").code(),
        Some("ResourceNotFoundException")
    );
}
