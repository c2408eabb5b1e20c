//! The steps of an execution, read from its history.

use super::iso;
use aws_sdk_sfn::primitives::DateTime;
use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use domain::contract::CaughtError;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

/// The longest sentence that is told about an error, in characters.
const LONGEST_MESSAGE: usize = 1000;

/// How a state went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum StepStatus {
    /// Under way, or waiting for its next attempt.
    Running,
    Succeeded,
    /// It failed, and the state machine knew what to do: the file is at fault, or there was nothing to do.
    CaughtError,
    /// It failed, and the execution with it.
    Failed,
    /// The execution ran out of time.
    TimedOut,
    /// Somebody stopped the execution.
    Aborted,
}

/// A state that the execution entered.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Step {
    /// The state's name.
    name: String,
    status: StepStatus,
    /// When it was entered.
    #[schema(format = DateTime)]
    started_at: String,
    /// Milliseconds, with all attempts and the waits between them; null while it is under way.
    #[schema(required)]
    duration_ms: Option<i64>,
    /// How often its function was called; 0 for a state without one.
    attempts: u32,
    /// What the last attempt met, unless the state succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<StepError>,
    #[serde(skip)]
    #[schema(ignore)]
    entered: DateTime,
}

/// What a state met.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
struct StepError {
    /// Such as `UnsupportedFormat`.
    name: String,
    /// A sentence for people; empty where none was given.
    message: String,
}

/// Reads the steps from all events, or from the first of them.
pub(super) fn of(events: &[HistoryEvent]) -> Vec<Step> {
    let mut steps: Vec<Step> = vec![];
    for event in events {
        if let Some(entered) = &event.state_entered_event_details {
            steps.push(Step {
                name: entered.name.clone(),
                status: StepStatus::Running,
                started_at: iso(&event.timestamp),
                duration_ms: None,
                attempts: 0,
                error: None,
                entered: event.timestamp,
            });
        } else if let Some(step) = steps.last_mut() {
            step.read(event);
        }
    }
    steps
}

impl Step {
    /// What an event says about the state that was entered last.
    fn read(&mut self, event: &HistoryEvent) {
        if let Some(error) = error(event) {
            self.error = Some(error);
        }
        match event.r#type {
            HistoryEventType::TaskScheduled => {
                // A redriven execution goes on in the state that failed, without entering it again.
                self.status = StepStatus::Running;
                self.duration_ms = None;
                self.attempts += 1;
            }
            HistoryEventType::TaskSucceeded => self.error = None,
            HistoryEventType::ExecutionFailed => self.end(StepStatus::Failed, event),
            HistoryEventType::ExecutionTimedOut => self.end(StepStatus::TimedOut, event),
            HistoryEventType::ExecutionAborted => self.end(StepStatus::Aborted, event),
            _ if event.state_exited_event_details.is_some() => {
                let status = if self.error.is_some() {
                    StepStatus::CaughtError
                } else {
                    StepStatus::Succeeded
                };
                self.end(status, event);
            }
            _ => {}
        }
    }

    fn end(&mut self, status: StepStatus, event: &HistoryEvent) {
        // The last state may have ended before its execution did.
        if self.status == StepStatus::Running {
            self.status = status;
            let milliseconds = |time: &DateTime| time.to_millis().unwrap_or_default();
            self.duration_ms = Some(milliseconds(&event.timestamp) - milliseconds(&self.entered));
        }
    }
}

/// The error that an event tells of. Of Lambda's error body, only the function's own sentence is told.
fn error(event: &HistoryEvent) -> Option<StepError> {
    let (error, cause) = if let Some(failed) = &event.task_failed_event_details {
        (&failed.error, &failed.cause)
    } else if let Some(timed_out) = &event.task_timed_out_event_details {
        (&timed_out.error, &timed_out.cause)
    } else if let Some(failed) = &event.task_start_failed_event_details {
        (&failed.error, &failed.cause)
    } else if let Some(failed) = &event.task_submit_failed_event_details {
        (&failed.error, &failed.cause)
    } else if let Some(failed) = &event.execution_failed_event_details {
        (&failed.error, &failed.cause)
    } else {
        return None;
    };
    let name = error.clone().unwrap_or_else(|| "States.TaskFailed".to_owned());
    let caught = json!({"Error": name, "Cause": cause.clone().unwrap_or_default()});
    let message =
        serde_json::from_value(caught).map_or_else(|_| String::new(), |CaughtError(told)| told.message);
    Some(StepError {
        name,
        message: message.chars().take(LONGEST_MESSAGE).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sfn::types::{
        ExecutionFailedEventDetails, StateEnteredEventDetails, StateExitedEventDetails,
        TaskFailedEventDetails,
    };
    use serde_json::Value;

    /// A history as it was recorded: `TaskStateEntered: Validate image`, `TaskFailed: Throttled: {"errorMessage": …}`.
    fn history(lines: &[&str]) -> Vec<HistoryEvent> {
        let event = |(index, line): (usize, &&str)| {
            let mut parts = line.splitn(3, ": ");
            let kind = parts.next().unwrap();
            let (name, cause) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let mut event = HistoryEvent::builder()
                .id(i64::try_from(index).unwrap() + 1)
                .r#type(kind.into())
                .timestamp(DateTime::from_millis(
                    1_795_000_000_000 + 1000 * i64::try_from(index).unwrap(),
                ));
            if kind.ends_with("StateEntered") {
                event = event.state_entered_event_details(
                    StateEnteredEventDetails::builder().name(name).build().unwrap(),
                );
            } else if kind.ends_with("StateExited") {
                event = event.state_exited_event_details(
                    StateExitedEventDetails::builder().name(name).build().unwrap(),
                );
            } else if kind == "TaskFailed" {
                let failed = TaskFailedEventDetails::builder()
                    .resource_type("lambda")
                    .resource("invoke");
                event = event.task_failed_event_details(failed.error(name).cause(cause).build().unwrap());
            } else if kind == "ExecutionFailed" {
                event = event.execution_failed_event_details(
                    ExecutionFailedEventDetails::builder()
                        .error(name)
                        .cause(cause)
                        .build(),
                );
            }
            event.build().unwrap()
        };
        lines.iter().enumerate().map(event).collect()
    }

    fn told(lines: &[&str]) -> Value {
        serde_json::to_value(of(&history(lines))).unwrap()
    }

    #[test]
    fn a_state_is_told_with_its_time_and_attempts() {
        let told = told(&[
            "ExecutionStarted",
            "TaskStateEntered: Validate image",
            "TaskScheduled",
            "TaskStarted",
            r#"TaskFailed: Throttled: {"errorType":"Throttled","errorMessage":"s3:GetObject was throttled","stackTrace":["x"]}"#,
            "TaskScheduled",
            "TaskStarted",
            "TaskSucceeded",
            "TaskStateExited: Validate image",
            "TaskStateEntered: Detect labels",
            "TaskScheduled",
        ]);
        assert_eq!(
            told,
            json!([
                {"name": "Validate image", "status": "SUCCEEDED", "startedAt": "2026-11-18T11:06:41.000Z", "durationMs": 7000, "attempts": 2},
                {"name": "Detect labels", "status": "RUNNING", "startedAt": "2026-11-18T11:06:49.000Z", "durationMs": null, "attempts": 1},
            ])
        );
    }

    #[test]
    fn an_attempt_that_failed_is_told_while_the_next_is_waited_for() {
        let told = told(&[
            "TaskStateEntered: Detect labels",
            "TaskScheduled",
            r#"TaskFailed: Throttled: {"errorMessage":"rekognition:DetectLabels was throttled"}"#,
        ]);
        assert_eq!(told[0]["status"], "RUNNING");
        assert_eq!(
            told[0]["error"],
            json!({"name": "Throttled", "message": "rekognition:DetectLabels was throttled"})
        );
    }

    #[test]
    fn a_file_at_fault_is_told_apart_from_an_execution_that_failed() {
        let caught = told(&[
            "TaskStateEntered: Validate image",
            "TaskScheduled",
            r#"TaskFailed: UnsupportedFormat: {"errorMessage":"This file is a GIF."}"#,
            "TaskStateExited: Validate image",
            "TaskStateEntered: Persist result",
            "TaskScheduled",
            "TaskSucceeded",
            "TaskStateExited: Persist result",
            "ExecutionSucceeded",
        ]);
        assert_eq!(caught[0]["status"], "CAUGHT_ERROR");
        assert_eq!(
            (&caught[1]["status"], &caught[1]["error"]),
            (&json!("SUCCEEDED"), &Value::Null)
        );

        let failed = told(&[
            "TaskStateEntered: Validate image",
            "TaskScheduled",
            "TaskFailed: AccessDenied: ",
            "ExecutionFailed: AccessDenied: ",
        ]);
        assert_eq!(
            (&failed[0]["status"], &failed[0]["durationMs"]),
            (&json!("FAILED"), &json!(3000))
        );
        assert_eq!(failed[0]["error"], json!({"name": "AccessDenied", "message": ""}));
    }

    #[test]
    fn a_redriven_execution_goes_on_in_the_state_that_failed() {
        let mut lines = vec![
            "TaskStateEntered: Detect labels",
            "TaskScheduled",
            "TaskFailed: AccessDenied: no",
            "ExecutionFailed: AccessDenied: no",
            "ExecutionRedriven",
            "TaskScheduled",
        ];
        assert_eq!(told(&lines)[0]["status"], "RUNNING");
        lines.extend([
            "TaskSucceeded",
            "TaskStateExited: Detect labels",
            "ExecutionSucceeded",
        ]);
        let told = told(&lines);
        assert_eq!(told.as_array().unwrap().len(), 1);
        assert_eq!(
            (&told[0]["status"], &told[0]["attempts"], &told[0]["error"]),
            (&json!("SUCCEEDED"), &json!(2), &Value::Null)
        );
    }

    #[test]
    fn the_state_in_which_an_execution_was_stopped_is_no_longer_under_way() {
        for (event, status) in [
            ("ExecutionAborted", "ABORTED"),
            ("ExecutionTimedOut", "TIMED_OUT"),
        ] {
            let told = told(&["TaskStateEntered: Detect labels", "TaskScheduled", event]);
            assert_eq!(told[0]["status"], status);
        }
    }

    #[test]
    fn a_huge_cause_does_not_make_a_huge_answer() {
        let cause = format!("TaskFailed: X: {}", "é".repeat(30_000));
        let told = told(&["TaskStateEntered: Validate image", "TaskScheduled", &cause]);
        assert_eq!(
            told[0]["error"]["message"].as_str().unwrap().chars().count(),
            LONGEST_MESSAGE
        );
    }
}
