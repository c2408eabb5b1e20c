//! Why an execution ended without success, as it is recorded for people.

use aws_sdk_sfn::types::ExecutionStatus;
use domain::lambda_error;
use domain::record::RecordedError;
use serde::Deserialize;

/// How an execution ended without success.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Failure {
    /// A state has failed.
    Failed,
    /// The execution exceeded its time limit.
    TimedOut,
    /// An operator has stopped it.
    Aborted,
}

impl Failure {
    /// The failure that a status stands for. `None` if the execution is running or has succeeded.
    pub fn of(status: &ExecutionStatus) -> Option<Self> {
        match status {
            ExecutionStatus::Failed => Some(Self::Failed),
            ExecutionStatus::TimedOut => Some(Self::TimedOut),
            ExecutionStatus::Aborted => Some(Self::Aborted),
            _ => None,
        }
    }

    /// The error to record, with a message that helps an operator. `error` and `cause` are those of the execution.
    pub fn recorded(self, error: Option<&str>, cause: Option<&str>) -> RecordedError {
        let (name, reason) = match self {
            Self::Failed => (
                error.unwrap_or("Unknown"),
                cause.map_or_else(|| "No cause was given.".to_owned(), sentence),
            ),
            Self::TimedOut => ("TimedOut", "The execution exceeded its time limit.".to_owned()),
            Self::Aborted => ("Aborted", "An operator stopped the execution.".to_owned()),
        };
        RecordedError {
            name: name.to_owned(),
            message: format!("Labeling failed. Redrive the execution to retry. {reason}"),
        }
    }
}

/// The message of the failure. Records stay small, however long a cause is.
fn sentence(cause: &str) -> String {
    lambda_error::message(cause).chars().take(500).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_of_a_large_cause_is_short() {
        assert_eq!(sentence(&"é".repeat(100_000)).chars().count(), 500);
    }

    #[test]
    fn an_execution_that_runs_or_has_succeeded_has_no_failure() {
        for status in [
            ExecutionStatus::Running,
            ExecutionStatus::PendingRedrive,
            ExecutionStatus::Succeeded,
        ] {
            assert_eq!(Failure::of(&status), None, "{status}");
        }
        assert_eq!(Failure::of(&ExecutionStatus::Aborted), Some(Failure::Aborted));
    }
}
