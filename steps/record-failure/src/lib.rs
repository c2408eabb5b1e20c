//! Behind the workflow: marks the image of an execution that failed, timed out or was aborted as
//! `FAILED`, and says so on the event bus.
//!
//! An execution that times out or is aborted runs no Catch, so this is invoked by a rule on
//! `Step Functions Execution Status Change`. Such events, too, come late, twice and in any order.

mod record;

use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::record::RecordedError;
use domain::{ErrorName, ImageKey, ObjectCreated, Outcome, Status};
use lambda::{ServiceError, StepError};
use notify::{Notify, NotifyError};
use record::Recorded;
use serde::{Deserialize, Serialize};

/// What the step works with.
#[derive(Debug, Clone)]
pub struct RecordFailure {
    /// Tells how the execution stands now, and its input.
    pub sfn: aws_sdk_sfn::Client,
    /// Stores the failure.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The only bucket whose images are recorded.
    pub bucket: String,
    /// The table of image records.
    pub table: String,
    /// Sends the failure to the event bus.
    pub notify: Notify,
}

/// The event, reduced to what is used: the rest is asked for, since the event may be out of date and
/// leaves out inputs that are large.
#[derive(Debug, Deserialize)]
pub struct StatusChange {
    detail: Detail,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    execution_arn: String,
}

/// What became of the event.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Handled {
    /// The image is `FAILED`, and the event bus was told.
    Failed(Box<Outcome>),
    /// The execution runs again or has succeeded since: it was redriven.
    NoLongerFailed,
    /// The record has a result, or belongs to another execution by now.
    LeftUnchanged,
    /// The execution's input speaks of no image of this stack.
    NoImage,
}

/// Why the failure could not be recorded. Lambda tries again, then hands the event to the dead-letter
/// queue.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFailureError {
    /// The outcome could not be sent.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// A value that the table does not take.
    #[error("the failure cannot be stored: {0}")]
    NotStorable(String),
    /// AWS is at fault, or a permission is missing.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl StepError for RecordFailureError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Notify(error) => error.name(),
            Self::NotStorable(_) => ErrorName::UnexpectedAnswer,
            Self::Service(error) => error.name(),
        }
    }
}

/// Records the failure and sends `Image Labeling Failed`.
///
/// # Errors
/// See [`RecordFailureError`].
pub async fn handle(step: &RecordFailure, change: StatusChange) -> Result<Handled, RecordFailureError> {
    let arn = change.detail.execution_arn;
    let described = step.sfn.describe_execution().execution_arn(&arn).send().await;
    let execution = described.map_err(|error| ServiceError::of("states:DescribeExecution", &error))?;
    let Some(error) = failure(&execution) else {
        return Ok(Handled::NoLongerFailed);
    };
    let Some((event, image)) = execution.input().and_then(|input| image_of(&step.bucket, input)) else {
        return Ok(Handled::NoImage);
    };
    match record::store(step, &event, &image, &arn, &error).await? {
        Recorded::LeftUnchanged => Ok(Handled::LeftUnchanged),
        Recorded::Failed => {
            let outcome = Outcome {
                notification_id: Outcome::notification_id(&image.owner, image.image_id, &arn, Status::Failed),
                image_id: image.image_id,
                owner: image.owner,
                bucket: event.detail.bucket.name,
                key: event.detail.object.key,
                status: Status::Failed,
                labels: vec![],
                error: Some(error),
                execution_arn: arn,
            };
            Ok(Handled::Failed(Box::new(
                notify::handle(&step.notify, outcome).await?,
            )))
        }
    }
}

fn image_of(bucket: &str, input: &str) -> Option<(ObjectCreated, ImageKey)> {
    let event: ObjectCreated = serde_json::from_str(input).ok()?;
    if event.detail.bucket.name != bucket {
        return None;
    }
    let image = ImageKey::parse(&event.detail.bucket.name, &event.detail.object.key)?;
    Some((event, image))
}

/// The error's name and a sentence that helps an operator; `None` for an execution that has not failed.
fn failure(execution: &DescribeExecutionOutput) -> Option<RecordedError> {
    let (name, what) = match execution.status() {
        ExecutionStatus::Failed => {
            let name = execution.error().unwrap_or("Unknown").to_owned();
            (
                name,
                execution
                    .cause()
                    .map_or_else(|| "No cause was given.".to_owned(), sentence),
            )
        }
        ExecutionStatus::TimedOut => (
            "TimedOut".to_owned(),
            "The execution ran longer than the workflow allows.".to_owned(),
        ),
        ExecutionStatus::Aborted => (
            "Aborted".to_owned(),
            "The execution was stopped by an operator.".to_owned(),
        ),
        _ => return None,
    };
    let message = format!("Labeling failed and can be run again: redrive the execution. {what}");
    Some(RecordedError { name, message })
}

/// Step Functions gives Lambda's error body as the cause. Records stay small whatever a cause holds.
fn sentence(cause: &str) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        error_message: String,
    }
    let text =
        serde_json::from_str::<Body>(cause).map_or_else(|_| cause.to_owned(), |body| body.error_message);
    text.chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn execution(status: ExecutionStatus) -> DescribeExecutionOutput {
        DescribeExecutionOutput::builder()
            .execution_arn("arn")
            .state_machine_arn("arn")
            .start_date(aws_sdk_sfn::primitives::DateTime::from_secs(0))
            .status(status)
            .error("AccessDenied")
            .cause(r#"{"errorType":"AccessDenied","errorMessage":"s3:GetObject was denied (AccessDenied, HTTP 403)"}"#)
            .build()
            .unwrap()
    }

    #[test]
    fn an_operator_reads_the_errors_name_what_was_denied_and_what_to_do() {
        let error = failure(&execution(ExecutionStatus::Failed)).unwrap();
        assert_eq!(error.name, "AccessDenied");
        assert!(
            error.message.contains("s3:GetObject was denied"),
            "{}",
            error.message
        );
        assert!(error.message.contains("redrive"));
    }

    #[test]
    fn an_execution_that_was_redriven_since_is_not_failed() {
        for status in [
            ExecutionStatus::Running,
            ExecutionStatus::Succeeded,
            ExecutionStatus::PendingRedrive,
        ] {
            assert_eq!(failure(&execution(status)), None);
        }
    }

    #[test]
    fn a_huge_cause_does_not_make_a_huge_record() {
        assert_eq!(sentence(&"é".repeat(100_000)).chars().count(), 500);
    }
}
