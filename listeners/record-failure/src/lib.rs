//! Marks the image of an execution that failed, timed out or was aborted as `FAILED`, and notifies the event bus.
//!
//! An execution that times out or is aborted runs no Catch. Therefore a rule for `Step Functions Execution Status
//! Change` events invokes this function. The events can arrive late, twice and in any order, and the execution may have
//! been redriven since. DescribeExecution shows that, but it is eventually consistent: immediately after a failure it
//! can still report `RUNNING`. The failure in the event is therefore recorded, unless the answer shows a later redrive
//! or a success.

use aws::ServiceError;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::primitives::DateTime;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::record::RecordedError;
use domain::{Claim, ErrorName, HasSubject, ObjectCreated, Outcome, StepError, Subject, lambda_error};
use notify::{Notify, NotifyError};
use records::{ClaimedEvent, Records, RecordsError};
use serde::{Deserialize, Serialize};

/// The listener's clients and configuration.
#[derive(Debug, Clone)]
pub struct RecordFailure {
    /// Reads the execution's input, and whether it was redriven.
    pub sfn: aws_sdk_sfn::Client,
    /// Stores the failure.
    pub records: Records,
    /// The only bucket from which images are accepted.
    pub bucket: String,
    /// Sends the failure to the event bus.
    pub notify: Notify,
}

/// The event, reduced to the fields that are used. It does not contain a large input, so the input is read with
/// DescribeExecution.
#[derive(Debug, Deserialize)]
pub struct StatusChange {
    detail: Detail,
}

impl HasSubject for StatusChange {
    fn subject(&self) -> Subject {
        Subject::execution(&self.detail.execution_arn)
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    execution_arn: String,
    status: FailureKind,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    cause: Option<String>,
    /// When the execution ended: milliseconds since 1970.
    #[serde(default)]
    stop_date: Option<i64>,
}

/// How an execution ended without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum FailureKind {
    Failed,
    TimedOut,
    Aborted,
}

/// How the event was handled.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Handled {
    /// The image is `FAILED`, and the event bus was notified.
    Failed(Box<Outcome>),
    /// The execution was redriven after this failure: it is running again or has succeeded.
    NoLongerFailed,
    /// The record has a result, belongs to another execution, or is a tombstone.
    LeftUnchanged,
    /// The execution's input is not about an image of this stack.
    NoImage,
}

/// Why the failure was not recorded. Lambda retries, then sends the event to the dead-letter queue.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordFailureError {
    /// The outcome could not be sent.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// DescribeExecution reports the execution as running, and the event does not contain the time of the failure. The
    /// answer may be stale. Lambda retries after a minute.
    #[error("DescribeExecution reports the failed execution as running")]
    StillRunning,
    /// The image's record is invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A call to an AWS service failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl StepError for RecordFailureError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Notify(error) => error.name(),
            Self::StillRunning => ErrorName::ServiceUnavailable,
            Self::Records(error) => error.name(),
            Self::Service(error) => error.name(),
        }
    }
}

/// Records the failure and sends `Image Labeling Failed`.
///
/// # Errors
/// See [`RecordFailureError`].
pub async fn handle(step: &RecordFailure, change: StatusChange) -> Result<Handled, RecordFailureError> {
    let detail = change.detail;
    let arn = &detail.execution_arn;
    // Its event exists, so the execution does: if Step Functions does not know it, Lambda retries.
    let unknown =
        || ServiceError::UnexpectedAnswer("states:DescribeExecution does not know the execution".into());
    let execution = executions::describe(&step.sfn, arn).await?.ok_or_else(unknown)?;
    let Some(error) = failure(&detail, &execution)? else {
        return Ok(Handled::NoLongerFailed);
    };
    let Some((claim, event)) = execution.input().and_then(|input| claim(step, input, arn)) else {
        return Ok(Handled::NoImage);
    };
    tracing::Span::current().record("imageId", tracing::field::display(claim.image_id));
    let claimed = ClaimedEvent {
        claim: &claim,
        event: &event,
    };
    if !step.records.store_failure(claimed, &error).await? {
        return Ok(Handled::LeftUnchanged);
    }
    let sent = notify::handle(&step.notify, Outcome::failed(claim, error)).await?;
    Ok(Handled::Failed(Box::new(sent)))
}

/// The execution's claim and the event that started it. `None` if its input is not about an image of this stack.
fn claim(step: &RecordFailure, input: &str, execution_arn: &str) -> Option<(Claim, ObjectCreated)> {
    let event: ObjectCreated = serde_json::from_str(input).ok()?;
    let claim = Claim::new(&event, execution_arn)?;
    (claim.bucket == step.bucket).then_some((claim, event))
}

/// The failure to record. `None` if the execution was redriven after it.
///
/// DescribeExecution can return any earlier state of the execution. If it returns a failure, the image is marked as
/// `FAILED` even if the execution has been redriven since. That is safe, because the redriven execution still holds the
/// claim, and its result overwrites the failure.
fn failure(
    detail: &Detail,
    execution: &DescribeExecutionOutput,
) -> Result<Option<RecordedError>, RecordFailureError> {
    let of_event = || recorded(detail.status, detail.error.as_deref(), detail.cause.as_deref());
    // Whether the date is before the end of the execution according to the event.
    let is_before = |date: Option<&DateTime>| {
        let date = date.and_then(|date| date.to_millis().ok());
        detail
            .stop_date
            .is_some_and(|stopped| date.is_none_or(|date| date < stopped))
    };
    let described = match execution.status() {
        // A successful execution cannot be redriven, so this status is final.
        ExecutionStatus::Succeeded => return Ok(None),
        ExecutionStatus::Failed => FailureKind::Failed,
        ExecutionStatus::TimedOut => FailureKind::TimedOut,
        ExecutionStatus::Aborted => FailureKind::Aborted,
        // Running, or a redrive is pending.
        _ if detail.stop_date.is_none() => return Err(RecordFailureError::StillRunning),
        // Not redriven since the failure, so the answer is stale.
        _ if is_before(execution.redrive_date()) => return Ok(Some(of_event())),
        // Redriven after the failure. The end of the redriven execution has its own event.
        _ => return Ok(None),
    };
    // The answer can still contain the previous failure, from before a redrive.
    Ok(Some(if is_before(execution.stop_date()) {
        of_event()
    } else {
        recorded(described, execution.error(), execution.cause())
    }))
}

/// The error to record, with a message that helps an operator.
fn recorded(status: FailureKind, error: Option<&str>, cause: Option<&str>) -> RecordedError {
    let (name, reason) = match status {
        FailureKind::Failed => (
            error.unwrap_or("Unknown"),
            cause.map_or_else(|| "No cause was given.".to_owned(), sentence),
        ),
        FailureKind::TimedOut => ("TimedOut", "The execution exceeded its time limit.".to_owned()),
        FailureKind::Aborted => ("Aborted", "An operator stopped the execution.".to_owned()),
    };
    RecordedError {
        name: name.to_owned(),
        message: format!("Labeling failed. Redrive the execution to retry. {reason}"),
    }
}

/// The message of the failure. Records stay small, however long a cause is.
fn sentence(cause: &str) -> String {
    lambda_error::message(cause).chars().take(500).collect()
}

#[cfg(test)]
mod tests;
