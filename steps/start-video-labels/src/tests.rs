//! The step with mocks of AWS's services, which note each call.

use super::*;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_rekognition::operation::get_label_detection::GetLabelDetectionOutput;
use aws_sdk_rekognition::operation::start_label_detection::{
    StartLabelDetectionError, StartLabelDetectionOutput,
};
use aws_sdk_rekognition::types::error::{
    IdempotentParameterMismatchException, InvalidS3ObjectException, LimitExceededException,
    VideoTooLargeException,
};
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_sfn::operation::send_task_failure::SendTaskFailureOutput;
use aws_sdk_sfn::operation::send_task_success::SendTaskSuccessOutput;
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use domain::metric;
use serde_json::json;
use std::sync::{Arc, Mutex};

const EXECUTION: &str = "arn:aws:states:us-east-1:123456789012:execution:label-video:one";

/// What the services know and answer.
#[derive(Clone)]
struct World {
    /// The status of the image's record.
    status: &'static str,
    /// The stored round and id of the job. `None` if no attempt has waited yet.
    stored: Option<(u32, Option<&'static str>)>,
    /// Whether a later attempt waits.
    is_superseded: bool,
    /// The error of `StartLabelDetection`.
    start: Option<fn() -> StartLabelDetectionError>,
    /// The state of each job, and the reason.
    job: (VideoJobStatus, Option<&'static str>),
    /// Whether the object exists.
    has_object: bool,
}

impl Default for World {
    fn default() -> Self {
        Self {
            status: "PROCESSING",
            stored: None,
            is_superseded: false,
            start: None,
            job: (VideoJobStatus::InProgress, None),
            has_object: true,
        }
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// Runs the step. Returns its result, and the calls in their order.
async fn start(world: World) -> (Result<Started, StartVideoLabelsError>, Vec<String>) {
    let calls = Arc::new(Mutex::new(vec![]));
    let note = |calls: &Arc<Mutex<Vec<String>>>| {
        let calls = Arc::clone(calls);
        move |call: String| calls.lock().unwrap().push(call)
    };
    let status = world.status;
    let record = mock!(aws_sdk_dynamodb::Client::get_item).then_output(move || {
        GetItemOutput::builder()
            .item("status", text(status))
            .item("executionArn", text(EXECUTION))
            .build()
    });
    let (noted, known) = (note(&calls), world.clone());
    let update = mock!(aws_sdk_dynamodb::Client::update_item).then_compute_response(move |request| {
        let update = request.update_expression().unwrap_or_default();
        let output = UpdateItemOutput::builder();
        let output = if update.contains("taskToken") {
            noted("store the token".into());
            if known.is_superseded {
                let refused = ConditionalCheckFailedException::builder().build();
                return MockResponse::Error(UpdateItemError::ConditionalCheckFailedException(refused));
            }
            let attributes = known.stored.map(|(round, id)| {
                let round = ("round".to_owned(), AttributeValue::N(round.to_string()));
                let id = id.map(|id| ("jobId".to_owned(), text(id)));
                [round].into_iter().chain(id).collect()
            });
            output.set_attributes(attributes)
        } else if update.contains("REMOVE") {
            noted("forget the job".into());
            output
        } else {
            noted("store the id".into());
            output.attributes("taskToken", text("token"))
        };
        MockResponse::Output(output.build())
    });
    let (noted, known) = (note(&calls), world.clone());
    let started =
        mock!(aws_sdk_rekognition::Client::start_label_detection).then_compute_response(move |request| {
            let name = request.client_request_token().expect("a token");
            assert_eq!(request.job_tag(), Some(name));
            let round = LabelJob::parse(name).expect("a name").round;
            noted(format!("start job {round}"));
            match known.start {
                Some(error) => MockResponse::Error(error()),
                None => MockResponse::Output(
                    StartLabelDetectionOutput::builder()
                        .job_id(format!("job-{round}"))
                        .build(),
                ),
            }
        });
    let (noted, known) = (note(&calls), world.clone());
    let looked =
        mock!(aws_sdk_rekognition::Client::get_label_detection).then_compute_response(move |request| {
            noted(format!("look at {}", request.job_id().unwrap_or_default()));
            let (status, reason) = known.job.clone();
            MockResponse::Output(
                GetLabelDetectionOutput::builder()
                    .job_status(status)
                    .set_status_message(reason.map(str::to_owned))
                    .build(),
            )
        });
    let has_object = world.has_object;
    let object = mock!(aws_sdk_s3::Client::get_object).then_compute_response(move |_| {
        if has_object {
            let output = GetObjectOutput::builder()
                .content_length(1)
                .content_range("bytes 0-0/1000");
            MockResponse::Output(output.body(ByteStream::from_static(b"0")).build())
        } else {
            let body = "<Error><Code>NoSuchKey</Code></Error>";
            MockResponse::Http(HttpResponse::new(404.try_into().unwrap(), body.into()))
        }
    });
    let list = mock!(aws_sdk_s3::Client::list_object_versions).then_output(|| {
        aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput::builder().build()
    });
    let noted = note(&calls);
    let succeeded = mock!(aws_sdk_sfn::Client::send_task_success).then_compute_response(move |request| {
        noted(format!("end {}", request.task_token().unwrap_or_default()));
        MockResponse::Output(SendTaskSuccessOutput::builder().build())
    });
    let noted = note(&calls);
    let failed = mock!(aws_sdk_sfn::Client::send_task_failure).then_compute_response(move |request| {
        noted(format!("fail with {}", request.error().unwrap_or_default()));
        MockResponse::Output(SendTaskFailureOutput::builder().build())
    });
    let step = StartVideoLabels {
        rekognition: mock_client!(aws_sdk_rekognition, RuleMode::MatchAny, [&started, &looked]),
        s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&object, &list]),
        sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&succeeded, &failed]),
        records: Records::new(
            mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&record, &update]),
            "images".into(),
        ),
        topic_arn: "arn:aws:sns:us-east-1:123456789012:topic".into(),
        topic_role_arn: "arn:aws:iam::123456789012:role/topic".into(),
        min_stored_confidence: 20.0,
    };
    let input: StartVideoLabelsInput = serde_json::from_value(json!({
        "progress": {
            "image": {
                "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "pictures",
                "key": "uploads/demo/cat.mp4", "executionArn": EXECUTION, "size": 1000,
                "video": {"durationMs": 6000, "codec": "H.264", "container": "MP4", "width": 640, "height": 480},
                "policy": {"minConfidence": 55, "maxLabels": 50},
            },
            "labelsBy": "REKOGNITION",
            "frames": 3, "intervalMs": 2000, "parts": [], "next": 0, "done": false,
        },
        "taskToken": "token", "redriveCount": 0, "retryCount": 0,
    }))
    .unwrap();
    let result = handle(&step, input).await;
    let calls = calls.lock().unwrap().clone();
    (result, calls)
}

/// Otherwise, a message could come before there is a token.
#[tokio::test]
async fn the_token_is_stored_before_the_job_is_started() {
    let (started, calls) = start(World::default()).await;
    assert_eq!(started, Ok(Started::Waits));
    assert_eq!(calls, ["store the token", "start job 0", "store the id"]);
}

/// A second start sends no second message, and the first one may have used the token of the attempt before.
#[tokio::test]
async fn a_later_attempt_starts_no_second_job_and_asks_for_the_first_one() {
    let stored = Some((0, Some("job-0")));
    let (started, calls) = start(World {
        stored,
        ..World::default()
    })
    .await;
    assert_eq!(started, Ok(Started::Waits));
    assert_eq!(calls, ["store the token", "store the id", "look at job-0"]);
    let (started, calls) = start(World {
        stored,
        job: (VideoJobStatus::Succeeded, None),
        ..World::default()
    })
    .await;
    assert_eq!(started, Ok(Started::Succeeded));
    assert_eq!(calls.last().map(String::as_str), Some("end token"));
}

/// Rekognition returns the job that it has started for the first request with the same name.
#[tokio::test]
async fn a_start_whose_answer_was_lost_is_repeated_and_the_job_is_looked_at() {
    let (started, calls) = start(World {
        stored: Some((0, None)),
        job: (VideoJobStatus::Succeeded, None),
        ..World::default()
    })
    .await;
    assert_eq!(started, Ok(Started::Succeeded));
    let expected = [
        "store the token",
        "start job 0",
        "store the id",
        "look at job-0",
        "end token",
    ];
    assert_eq!(calls, expected);
}

#[tokio::test]
async fn an_attempt_that_comes_too_late_does_nothing() {
    let (started, calls) = start(World {
        is_superseded: true,
        ..World::default()
    })
    .await;
    assert_eq!(started, Ok(Started::Superseded));
    assert_eq!(calls, ["store the token"]);
}

#[tokio::test]
async fn a_job_that_fails_is_replaced_until_three_have_failed() {
    let failed = |round, id| World {
        stored: Some((round, Some(id))),
        job: (VideoJobStatus::Failed, Some("Internal error")),
        ..World::default()
    };
    let (started, calls) = start(failed(0, "job-0")).await;
    assert_eq!(started, Ok(Started::Waits));
    assert_eq!(calls[3..], ["forget the job", "start job 1", "store the id"]);
    let (started, calls) = start(failed(2, "job-2")).await;
    assert_eq!(started, Ok(Started::Failed));
    assert_eq!(calls[3..], ["forget the job", "fail with UnexpectedAnswer"]);
}

#[tokio::test]
async fn a_job_that_fails_because_of_the_file_is_not_replaced() {
    for (reason, has_object, error) in [
        ("Unsupported codec or format: HEVC", true, "UnsupportedFormat"),
        ("The video cannot be read from S3", false, "ObjectGone"),
    ] {
        let (started, calls) = start(World {
            stored: Some((0, Some("job-0"))),
            job: (VideoJobStatus::Failed, Some(reason)),
            has_object,
            ..World::default()
        })
        .await;
        assert_eq!(started, Ok(Started::Failed));
        assert_eq!(calls[3..], [format!("fail with {error}")]);
    }
}

/// Videos queue for hours, which is no reason to wake an operator.
#[tokio::test]
async fn too_many_jobs_are_retried_like_throttled_calls_without_an_alarm() {
    metric::take();
    let (started, calls) = start(World {
        start: Some(|| {
            StartLabelDetectionError::LimitExceededException(LimitExceededException::builder().build())
        }),
        ..World::default()
    })
    .await;
    assert_eq!(started, Ok(Started::Failed));
    assert_eq!(calls[2..], ["fail with Throttled"]);
    assert!(metric::take().is_empty());
}

#[tokio::test]
async fn errors_of_the_start_have_their_classes() {
    type Error = StartLabelDetectionError;
    type Case = (fn() -> Error, bool, &'static str);
    let cases: [Case; 4] = [
        (
            || Error::VideoTooLargeException(VideoTooLargeException::builder().build()),
            true,
            "fail with ImageTooLarge",
        ),
        (
            || Error::InvalidS3ObjectException(InvalidS3ObjectException::builder().build()),
            false,
            "fail with ObjectGone",
        ),
        (
            || Error::InvalidS3ObjectException(InvalidS3ObjectException::builder().build()),
            true,
            "fail with AccessDenied",
        ),
        (
            || {
                let mismatch = IdempotentParameterMismatchException::builder().build();
                Error::IdempotentParameterMismatchException(mismatch)
            },
            true,
            "fail with ServiceUnavailable",
        ),
    ];
    for (error, has_object, expected) in cases {
        let (_, calls) = start(World {
            start: Some(error),
            has_object,
            ..World::default()
        })
        .await;
        assert_eq!(calls.last().map(String::as_str), Some(expected));
    }
}

#[tokio::test]
async fn a_deleted_video_is_not_paid_for() {
    let (started, calls) = start(World {
        status: "DELETED",
        ..World::default()
    })
    .await;
    assert_eq!(started, Ok(Started::Failed));
    assert_eq!(calls, ["fail with ImageDeleted"]);
}

#[test]
fn only_some_reasons_are_about_the_file() {
    for reason in [
        "Unsupported codec/format.",
        "The file is corrupted",
        "Decoder error: codec",
    ] {
        assert!(is_about_the_file(reason), "{reason}");
    }
    for reason in [
        "Internal error. Contact support for more information",
        "DNS resolution failed",
        "",
    ] {
        assert!(!is_about_the_file(reason), "{reason}");
    }
}
