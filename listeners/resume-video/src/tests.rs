use super::*;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
use aws_sdk_sfn::operation::send_task_failure::SendTaskFailureOutput;
use aws_sdk_sfn::operation::send_task_success::{SendTaskSuccessError, SendTaskSuccessOutput};
use aws_sdk_sfn::types::error::TaskTimedOut;
use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
use serde_json::{Value, json};

/// What Step Functions has got: success, or failure.
type Calls = (usize, usize);

/// Handles a message. With `waits`, an execution waits for the job. With `has_ended`, its task no longer does.
async fn resume(
    message: &Value,
    waits: bool,
    has_ended: bool,
) -> (Result<Vec<Handled>, ResumeVideoError>, Calls) {
    let update = mock!(aws_sdk_dynamodb::Client::update_item).then_compute_response(move |_| {
        if waits {
            let token = AttributeValue::S("token".into());
            MockResponse::Output(UpdateItemOutput::builder().attributes("taskToken", token).build())
        } else {
            let refused = ConditionalCheckFailedException::builder().build();
            MockResponse::Error(UpdateItemError::ConditionalCheckFailedException(refused))
        }
    });
    let succeeded = mock!(aws_sdk_sfn::Client::send_task_success)
        .match_requests(|request| request.task_token() == Some("token"))
        .then_compute_response(move |_| {
            if has_ended {
                MockResponse::Error(SendTaskSuccessError::TaskTimedOut(
                    TaskTimedOut::builder().build(),
                ))
            } else {
                MockResponse::Output(SendTaskSuccessOutput::builder().build())
            }
        });
    let failed = mock!(aws_sdk_sfn::Client::send_task_failure)
        .match_requests(|request| request.error() == Some("ServiceUnavailable"))
        .then_output(|| SendTaskFailureOutput::builder().build());
    let listener = ResumeVideo {
        sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&succeeded, &failed]),
        records: Records::new(
            mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&update]),
            "images".into(),
        ),
    };
    let event = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": message.to_string()}}]});
    let event = serde_json::from_value(event).unwrap();
    let handled = handle(&listener, event).await;
    (handled, (succeeded.num_calls(), failed.num_calls()))
}

fn message(status: &str) -> Value {
    json!({
        "JobId": "job", "Status": status, "API": "StartLabelDetection",
        "JobTag": LabelJob::new("execution", 0).to_string(), "Timestamp": 1_700_000_000_000_u64,
        "Video": {"S3ObjectName": "uploads/demo/cat.mp4", "S3Bucket": "pictures"},
    })
}

#[tokio::test]
async fn a_message_ends_the_wait() {
    let (handled, calls) = resume(&message("SUCCEEDED"), true, false).await;
    assert_eq!((handled, calls), (Ok(vec![Handled::Resumed]), (1, 0)));
}

/// The next attempt of the task learns why.
#[tokio::test]
async fn a_failed_job_makes_the_task_try_again() {
    for status in ["FAILED", "ERROR"] {
        let (handled, calls) = resume(&message(status), true, false).await;
        assert_eq!((handled, calls), (Ok(vec![Handled::Resumed]), (0, 1)), "{status}");
    }
}

#[tokio::test]
async fn a_second_message_is_no_error() {
    let (handled, _) = resume(&message("SUCCEEDED"), true, true).await;
    assert_eq!(handled, Ok(vec![Handled::AlreadyEnded]));
}

#[tokio::test]
async fn a_message_about_another_job_ends_nothing() {
    let (handled, calls) = resume(&message("SUCCEEDED"), false, false).await;
    assert_eq!((handled, calls), (Ok(vec![Handled::UnknownJob]), (0, 0)));
    for tag in [json!("somebody else's"), Value::Null] {
        let mut message = message("SUCCEEDED");
        message["JobTag"] = tag;
        let (handled, calls) = resume(&message, true, false).await;
        assert_eq!((handled, calls), (Ok(vec![Handled::UnknownJob]), (0, 0)));
    }
}

#[tokio::test]
async fn a_message_that_is_not_rekognitions_is_an_error() {
    let (handled, calls) = resume(&json!("hello"), true, false).await;
    assert_eq!(handled.unwrap_err().name(), ErrorName::InvalidInput);
    assert_eq!(calls, (0, 0));
}
