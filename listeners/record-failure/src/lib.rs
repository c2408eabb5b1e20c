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
use domain::{Claim, ErrorName, HasSubject, ObjectCreated, Outcome, StepError, Subject};
use executions::failure::Failure;
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
    status: Failure,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    cause: Option<String>,
    /// When the execution ended: milliseconds since 1970.
    #[serde(default)]
    stop_date: Option<i64>,
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
    let Some(input) = execution.input().and_then(|input| read(step, input)) else {
        return Ok(Handled::NoImage);
    };
    let Some(claim) = Claim::new(&input.event, arn.as_str()) else {
        return Ok(Handled::NoImage);
    };
    tracing::Span::current().record("imageId", tracing::field::display(claim.image_id));
    // An execution of `label-video` that fails before it has taken over the claim leaves it to the one that has handed the video
    // over, which has ended.
    let holders = [Some(claim.execution_arn.clone()), input.handed_over_by];
    for execution_arn in holders.into_iter().flatten() {
        let held = Claim {
            execution_arn,
            ..claim.clone()
        };
        let claimed = ClaimedEvent {
            claim: &held,
            event: &input.event,
        };
        if step.records.store_failure(claimed, &error).await? {
            let sent = notify::handle(&step.notify, Outcome::failed(claim, error)).await?;
            return Ok(Handled::Failed(Box::new(sent)));
        }
    }
    Ok(Handled::LeftUnchanged)
}

/// The input of an execution.
struct Input {
    event: ObjectCreated,
    /// The execution of `label-image` that has handed a video over.
    handed_over_by: Option<String>,
}

/// Reads the input of an execution. `None` if it is not about an image of this stack.
fn read(step: &RecordFailure, input: &str) -> Option<Input> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Video {
        #[serde(default)]
        handed_over_by: Option<String>,
    }
    let event: ObjectCreated = serde_json::from_str(input).ok()?;
    let Video { handed_over_by } = serde_json::from_str(input).ok()?;
    (event.detail.bucket.name == step.bucket).then_some(Input {
        event,
        handed_over_by,
    })
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
    let of_event = || {
        detail
            .status
            .recorded(detail.error.as_deref(), detail.cause.as_deref())
    };
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
        status => Failure::of(status),
    };
    let Some(described) = described else {
        // Running, or a redrive is pending.
        return if detail.stop_date.is_none() {
            Err(RecordFailureError::StillRunning)
        } else if is_before(execution.redrive_date()) {
            // Not redriven since the failure, so the answer is stale.
            Ok(Some(of_event()))
        } else {
            // Redriven after the failure. The end of the redriven execution has its own event.
            Ok(None)
        };
    };
    // The answer can still contain the previous failure, from before a redrive.
    Ok(Some(if is_before(execution.stop_date()) {
        of_event()
    } else {
        described.recorded(execution.error(), execution.cause())
    }))
}

#[cfg(test)]
mod tests;
