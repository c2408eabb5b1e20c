use super::*;
use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
use aws_sdk_eventbridge::operation::put_events::PutEventsOutput;
use aws_sdk_eventbridge::types::PutEventsResultEntry;
use aws_smithy_mocks::{RuleMode, mock, mock_client};
use domain::Status;
use serde_json::{Value, json};

const ARN: &str = "arn:aws:states:us-east-1:000000000000:execution:label-image:one";
const CAUSE: &str =
    r#"{"errorType":"AccessDenied","errorMessage":"s3:GetObject was denied (AccessDenied, HTTP 403)"}"#;

/// An answer of DescribeExecution, with the times of the last redrive and of the end in seconds.
fn execution(
    status: ExecutionStatus,
    redriven: Option<i64>,
    stopped: Option<i64>,
) -> DescribeExecutionOutput {
    let input = json!({
        "source": "aws.s3", "detail-type": "Object Created",
        "detail": {"bucket": {"name": "pictures"}, "object": {"key": "uploads/demo/a.jpg", "sequencer": "0A"}},
    });
    DescribeExecutionOutput::builder()
        .execution_arn(ARN)
        .state_machine_arn("arn")
        .start_date(DateTime::from_secs(0))
        .set_redrive_date(redriven.map(DateTime::from_secs))
        .set_stop_date(stopped.map(DateTime::from_secs))
        .status(status)
        .input(input.to_string())
        .error("Described")
        .cause(CAUSE)
        .build()
        .unwrap()
}

/// The event of a failure, with its time in seconds.
fn event(status: &str, stopped: Option<i64>) -> Value {
    json!({"detail": {
        "executionArn": ARN, "status": status, "error": "AccessDenied", "cause": CAUSE,
        "stopDate": stopped.map(|seconds| seconds * 1000),
    }})
}

fn failure_of(
    event: Value,
    execution: &DescribeExecutionOutput,
) -> Result<Option<RecordedError>, RecordFailureError> {
    let change: StatusChange = serde_json::from_value(event).unwrap();
    failure(&change.detail, execution)
}

#[test]
fn the_error_states_what_was_denied_and_what_to_do() {
    for stopped in [Some(10), None] {
        let execution = execution(ExecutionStatus::Failed, None, Some(10));
        let error = failure_of(event("FAILED", stopped), &execution).unwrap().unwrap();
        assert_eq!(error.name, "Described");
        assert!(
            error.message.contains("s3:GetObject was denied"),
            "{}",
            error.message
        );
        assert!(error.message.contains("Redrive"));
    }
}

#[test]
fn a_running_execution_counts_as_redriven_only_with_a_redrive_after_the_failure() {
    for running in [ExecutionStatus::Running, ExecutionStatus::PendingRedrive] {
        for (redriven, is_redriven) in [(None, false), (Some(5), false), (Some(15), true)] {
            let execution = execution(running.clone(), redriven, None);
            let failure = failure_of(event("FAILED", Some(10)), &execution).unwrap();
            assert_eq!(failure.is_none(), is_redriven, "{redriven:?}");
        }
    }
    let succeeded = execution(ExecutionStatus::Succeeded, Some(15), Some(20));
    assert_eq!(failure_of(event("FAILED", Some(10)), &succeeded), Ok(None));
}

/// A stale answer still contains the previous failure.
#[test]
fn a_failure_after_a_redrive_is_taken_from_its_event() {
    let execution = execution(ExecutionStatus::Failed, None, Some(5));
    let error = failure_of(event("TIMED_OUT", Some(10)), &execution)
        .unwrap()
        .unwrap();
    assert_eq!(error.name, "TimedOut");
}

#[test]
fn an_event_without_a_time_is_retried_while_the_execution_seems_to_run() {
    let execution = execution(ExecutionStatus::Running, None, None);
    let error = failure_of(event("FAILED", None), &execution).unwrap_err();
    assert_eq!(error.name(), ErrorName::ServiceUnavailable);
}

/// Handles the event with this answer of DescribeExecution. Returns the result and the number of stored failures.
async fn run(
    event: Value,
    execution: DescribeExecutionOutput,
) -> (Result<Handled, RecordFailureError>, usize) {
    let describe = mock!(aws_sdk_sfn::Client::describe_execution).then_output(move || execution.clone());
    let update = mock!(aws_sdk_dynamodb::Client::update_item)
        .match_requests(|request| {
            let values = request.expression_attribute_values().unwrap();
            values
                .values()
                .any(|value| value.as_s().is_ok_and(|status| status == "FAILED"))
        })
        .then_output(|| UpdateItemOutput::builder().build());
    let put = mock!(aws_sdk_eventbridge::Client::put_events).then_output(|| {
        let entry = PutEventsResultEntry::builder().event_id("1").build();
        PutEventsOutput::builder().entries(entry).build()
    });
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&update]);
    let step = RecordFailure {
        sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&describe]),
        records: Records::new(dynamodb, "images".into()),
        bucket: "pictures".into(),
        notify: Notify {
            bus: events::EventBus {
                eventbridge: mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&put]),
                name: "bus".into(),
            },
        },
    };
    let handled = handle(&step, serde_json::from_value(event).unwrap()).await;
    assert_eq!(
        update.num_calls(),
        put.num_calls(),
        "the event bus is notified once per stored failure"
    );
    (handled, update.num_calls())
}

/// DescribeExecution is eventually consistent: after a failure, it can still return the state before the failure.
#[tokio::test]
async fn records_the_failure_despite_a_stale_answer() {
    let (handled, stored) = run(
        event("FAILED", Some(10)),
        execution(ExecutionStatus::Running, None, None),
    )
    .await;
    let Ok(Handled::Failed(outcome)) = handled else {
        panic!("{handled:?}")
    };
    assert_eq!((outcome.status, stored), (Status::Failed, 1));
    assert_eq!(
        outcome.error.unwrap().name,
        "AccessDenied",
        "the error in the event"
    );
}

#[tokio::test]
async fn does_not_record_a_failure_of_a_redriven_execution() {
    let (handled, stored) = run(
        event("FAILED", Some(10)),
        execution(ExecutionStatus::Running, Some(15), None),
    )
    .await;
    assert_eq!((handled, stored), (Ok(Handled::NoLongerFailed), 0));
}

/// If it did not, the video would stay `PROCESSING`: the execution that still holds it has ended, and has no event of its own.
#[tokio::test]
async fn an_execution_that_fails_before_it_takes_over_a_video_fails_it_for_the_one_that_holds_it() {
    const HOLDER: &str = "arn:aws:states:us-east-1:000000000000:execution:label-image:video";
    let mut execution = execution(ExecutionStatus::Failed, None, Some(10));
    let mut input: Value = serde_json::from_str(execution.input().unwrap()).unwrap();
    input["handedOverBy"] = json!(HOLDER);
    execution.input = Some(input.to_string());
    let describe = mock!(aws_sdk_sfn::Client::describe_execution).then_output(move || execution.clone());
    let names_the_holder = |request: &aws_sdk_dynamodb::operation::update_item::UpdateItemInput| {
        let values = request.expression_attribute_values().unwrap();
        values
            .values()
            .any(|value| value.as_s().is_ok_and(|text| text == HOLDER))
    };
    let of_holder = mock!(aws_sdk_dynamodb::Client::update_item)
        .match_requests(names_the_holder)
        .then_output(|| UpdateItemOutput::builder().build());
    let own = mock!(aws_sdk_dynamodb::Client::update_item)
        .match_requests(move |request| !names_the_holder(request))
        .then_error(|| {
            let failed = aws_sdk_dynamodb::types::error::ConditionalCheckFailedException::builder().build();
            aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(failed)
        });
    let put = mock!(aws_sdk_eventbridge::Client::put_events).then_output(|| {
        let entry = PutEventsResultEntry::builder().event_id("1").build();
        PutEventsOutput::builder().entries(entry).build()
    });
    let step = RecordFailure {
        sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&describe]),
        records: Records::new(
            mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&own, &of_holder]),
            "images".into(),
        ),
        bucket: "pictures".into(),
        notify: Notify {
            bus: events::EventBus {
                eventbridge: mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&put]),
                name: "bus".into(),
            },
        },
    };
    let change = serde_json::from_value(event("FAILED", Some(10))).unwrap();
    let handled = handle(&step, change).await;
    assert!(matches!(handled, Ok(Handled::Failed(_))), "{handled:?}");
    assert_eq!(
        (own.num_calls(), of_holder.num_calls(), put.num_calls()),
        (1, 1, 1)
    );
}
