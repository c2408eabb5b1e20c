//! The step with mocks of AWS's services, which note each call.

use super::*;
use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_rekognition::error::ErrorMetadata;
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
use std::collections::HashMap;
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
    /// How many other executions of the owner have a lease. Three are allowed.
    others: usize,
    /// Whether this execution has one.
    has_lease: bool,
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
            others: 0,
            has_lease: false,
        }
    }
}

impl World {
    /// The owner's leases, as the table has them.
    fn leases(&self) -> Option<AttributeValue> {
        let others = (0..self.others).map(|other| LabelJob::new(&other.to_string(), 0));
        let own = self.has_lease.then(|| LabelJob::new(EXECUTION, 0));
        let later = AttributeValue::N((Timestamp::now().as_second() + 1000).to_string());
        let lease = |job: LabelJob| (job.execution.to_string(), later.clone());
        let leases: HashMap<_, _> = others.chain(own).map(lease).collect();
        (!leases.is_empty()).then_some(AttributeValue::M(leases))
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
    let leases = Arc::new(Mutex::new(world.leases()));
    let stored = Arc::clone(&leases);
    let record = mock!(aws_sdk_dynamodb::Client::get_item).then_compute_response(move |request| {
        let is_of_leases = request.key().and_then(|key| key.get("sk")) == Some(&text("VIDEO_LEASES"));
        let output = GetItemOutput::builder();
        let output = if is_of_leases {
            match stored.lock().unwrap().clone() {
                Some(leases) => output.item("leases", leases),
                None => output,
            }
        } else {
            output
                .item("status", text(status))
                .item("executionArn", text(EXECUTION))
        };
        MockResponse::Output(output.build())
    });
    let (noted, known) = (note(&calls), world.clone());
    let update = mock!(aws_sdk_dynamodb::Client::update_item).then_compute_response(move |request| {
        let update = request.update_expression().unwrap_or_default();
        let output = UpdateItemOutput::builder();
        let output = if update.contains("leases") {
            let own = LabelJob::new(EXECUTION, 0).execution.to_string();
            let is_removed = update.contains("REMOVE");
            let values = request.expression_attribute_values().into_iter().flatten();
            // The condition has those before.
            let maps = values.filter(|(_, value)| value.is_m() && !is_removed);
            let before = leases.lock().unwrap().clone();
            let stored = maps
                .map(|(_, value)| value.clone())
                .find(|value| Some(value) != before.as_ref());
            let has_lease = stored
                .as_ref()
                .is_some_and(|stored| stored.as_m().unwrap().contains_key(&own));
            noted(
                if has_lease {
                    "take a lease"
                } else {
                    "return the lease"
                }
                .into(),
            );
            *leases.lock().unwrap() = stored;
            output
        } else if update.contains("taskToken") {
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
        jobs_per_owner: NonZeroU32::new(3).unwrap(),
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

/// If the job were started first, a message could arrive before its token is stored.
#[tokio::test]
async fn the_token_is_stored_before_the_job_is_started() {
    let (started, calls) = start(World::default()).await;
    assert_eq!(started, Ok(Started::Waits));
    assert_eq!(
        calls,
        ["store the token", "take a lease", "start job 0", "store the id"]
    );
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
    assert_eq!(
        calls,
        ["store the token", "store the id", "look at job-0", "take a lease"]
    );
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
        "take a lease",
        "start job 0",
        "store the id",
        "look at job-0",
        "return the lease",
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
    assert_eq!(
        calls[3..],
        ["forget the job", "take a lease", "start job 1", "store the id"]
    );
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
    assert_eq!(calls[3..], ["return the lease", "fail with Throttled"]);
    assert!(metric::take().is_empty());
}

/// So that others can start jobs.
#[tokio::test]
async fn an_owner_with_as_many_jobs_as_allowed_waits_like_for_too_many_jobs() {
    metric::take();
    let (started, calls) = start(World {
        others: 3,
        ..World::default()
    })
    .await;
    assert_eq!(started, Ok(Started::Failed));
    assert_eq!(calls, ["store the token", "fail with Throttled"]);
    assert!(metric::take().is_empty());
    let (started, calls) = start(World {
        others: 2,
        ..World::default()
    })
    .await;
    assert_eq!(started, Ok(Started::Waits));
    assert_eq!(calls[1..3], ["take a lease", "start job 0"]);
}

/// A job that was started is in progress, also if the answer was lost, or if its lease has ended.
#[tokio::test]
async fn a_job_that_was_started_keeps_its_lease_while_others_have_all() {
    for (stored, has_lease) in [((0, Some("job-0")), false), ((0, None), true)] {
        let (started, calls) = start(World {
            stored: Some(stored),
            others: 3,
            has_lease,
            ..World::default()
        })
        .await;
        assert_eq!(started, Ok(Started::Waits));
        let leases: Vec<_> = calls.iter().filter(|call| call.contains("lease")).collect();
        assert_eq!(leases, ["take a lease"], "{calls:?}");
    }
    let (started, calls) = start(World {
        stored: Some((1, Some("job-1"))),
        job: (VideoJobStatus::Failed, Some("Internal error")),
        others: 3,
        has_lease: true,
        ..World::default()
    })
    .await;
    assert_eq!(started, Ok(Started::Waits));
    assert_eq!(calls[4..6], ["take a lease", "start job 2"]);
}

#[tokio::test]
async fn the_lease_of_a_job_that_has_ended_is_returned_before_the_task_ends() {
    let ended = |round, id, job| World {
        stored: Some((round, Some(id))),
        job,
        has_lease: true,
        ..World::default()
    };
    for (world, end) in [
        (ended(0, "job-0", (VideoJobStatus::Succeeded, None)), "end token"),
        (
            ended(0, "job-0", (VideoJobStatus::Failed, Some("Unsupported codec"))),
            "fail with UnsupportedFormat",
        ),
        (
            ended(2, "job-2", (VideoJobStatus::Failed, Some("Internal error"))),
            "fail with UnexpectedAnswer",
        ),
    ] {
        let (_, calls) = start(world).await;
        assert_eq!(calls[calls.len() - 2..], ["return the lease", end]);
    }
}

/// Its job cannot be stopped. If a message about its end comes, `read-video-labels` returns the lease.
#[tokio::test]
async fn a_deleted_video_keeps_its_lease() {
    let (_, calls) = start(World {
        status: "DELETED",
        has_lease: true,
        ..World::default()
    })
    .await;
    assert_eq!(calls, ["fail with ImageDeleted"]);
}

/// The job may have been started.
#[tokio::test]
async fn a_start_that_is_retried_keeps_the_lease() {
    let (_, calls) = start(World {
        start: Some(|| {
            let code = ErrorMetadata::builder().code("InternalServerError").build();
            StartLabelDetectionError::generic(code)
        }),
        ..World::default()
    })
    .await;
    assert_eq!(
        calls.last().map(String::as_str),
        Some("fail with ServiceUnavailable")
    );
    assert!(!calls.contains(&"return the lease".to_owned()), "{calls:?}");
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
