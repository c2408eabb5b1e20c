//! The steps of an execution, read from its history.

use aws_sdk_sfn::primitives::DateTime;
use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use domain::lambda_error;
use executions::History;
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// Characters of an error message.
const MAX_MESSAGE: usize = 1000;

/// The status of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum StepStatus {
    /// In progress, or waiting for its next attempt.
    Running,
    Succeeded,
    /// It failed with an error that the state machine handles: the file can't be labeled, or there was nothing to do.
    CaughtError,
    /// It failed, which ended the execution.
    Failed,
    /// The execution timed out.
    TimedOut,
    /// An operator stopped the execution.
    Aborted,
}

/// A step of an execution.
#[derive(Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Step {
    /// The state's name.
    name: String,
    status: StepStatus,
    /// When it started.
    #[schema(format = DateTime)]
    started_at: String,
    /// Milliseconds, including all attempts and the waits between them. Null while in progress.
    #[schema(required)]
    duration_ms: Option<i64>,
    /// Calls of its function, of which some can be for other frames of a video. 0 for a step without a function. Of very long
    /// executions, not all calls are counted.
    attempts: u32,
    /// The error of the last attempt. Absent if the step succeeded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<StepError>,
    #[serde(skip)]
    #[schema(ignore)]
    entered: DateTime,
}

/// The error of a step.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
struct StepError {
    /// Such as `UnsupportedFormat`.
    name: String,
    /// A message for people. Can be empty.
    message: String,
}

/// Reads the steps from an execution's history. A state that a Choice repeats, such as the one that labels the next frames of a
/// video, is one step. Steps that are only in the gap of a long history are missing.
pub(super) fn of(history: &History) -> Vec<Step> {
    let mut steps = vec![];
    apply(&mut steps, &history.first);
    let unknown = steps
        .last()
        .map_or(0, |step| events_of_another(step, &history.last));
    apply(&mut steps, &history.last[unknown..]);
    steps
}

/// How many of the events after a gap are about a state that was entered in the gap. They must not change the last step before it.
fn events_of_another(step: &Step, events: &[HistoryEvent]) -> usize {
    let entered = events
        .iter()
        .position(|event| event.state_entered_event_details.is_some());
    let before = &events[..entered.unwrap_or(events.len())];
    let exited = before
        .iter()
        .filter_map(|event| event.state_exited_event_details.as_ref())
        .next_back();
    if exited.is_some_and(|exited| exited.name != step.name) {
        before.len()
    } else {
        0
    }
}

/// Applies consecutive events to the steps of those before them.
fn apply(steps: &mut Vec<Step>, events: &[HistoryEvent]) {
    for event in events {
        if event.r#type == HistoryEventType::ChoiceStateEntered {
            continue;
        }
        if event.r#type == HistoryEventType::WaitStateEntered {
            // Before the step is repeated.
            if let Some(step) = steps.last_mut() {
                step.status = StepStatus::Running;
                step.duration_ms = None;
            }
            continue;
        }
        if let Some(entered) = &event.state_entered_event_details {
            if let Some(step) = steps.last_mut().filter(|step| step.name == entered.name) {
                step.status = StepStatus::Running;
                step.duration_ms = None;
                continue;
            }
            if let Some(step) = steps.last_mut() {
                step.end_in_gap(event);
            }
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
}

impl Step {
    /// Applies an event to the state that was entered last.
    fn read(&mut self, event: &HistoryEvent) {
        if let Some(error) = error(event) {
            self.error = Some(error);
        }
        match event.r#type {
            HistoryEventType::TaskScheduled => {
                // A redriven execution resumes in the state that failed, without entering it again.
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

    /// Ends a step whose end was not read when the next state is entered. How its last attempt ended is not known.
    fn end_in_gap(&mut self, next: &HistoryEvent) {
        if self.status == StepStatus::Running {
            self.error = None;
            self.end(StepStatus::Succeeded, next);
        }
    }

    fn end(&mut self, status: StepStatus, event: &HistoryEvent) {
        // The last state may have ended before its execution.
        if self.status == StepStatus::Running {
            self.status = status;
            let milliseconds = |time: &DateTime| time.to_millis().unwrap_or_default();
            self.duration_ms = Some(milliseconds(&event.timestamp) - milliseconds(&self.entered));
        }
    }
}

/// The error in an event. Of Lambda's error body, only the message is returned.
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
    let message = lambda_error::message(cause.as_deref().unwrap_or_default());
    Some(StepError {
        name,
        message: message.chars().take(MAX_MESSAGE).collect(),
    })
}

/// ISO 8601, UTC, milliseconds.
pub(super) fn iso(time: &DateTime) -> String {
    let time = time.to_millis().ok();
    let time = time.and_then(|time| Timestamp::from_millisecond(time).ok());
    format!("{:.3}", time.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sfn::types::{
        ExecutionFailedEventDetails, StateEnteredEventDetails, StateExitedEventDetails,
        TaskFailedEventDetails,
    };
    use serde_json::{Value, json};

    /// A history with these events, such as `TaskStateEntered: Validate image` and
    /// `TaskFailed: Throttled: {"errorMessage": …}`.
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

    fn steps(lines: &[&str]) -> Value {
        let (first, last) = (history(lines), vec![]);
        serde_json::to_value(of(&History { first, last })).unwrap()
    }

    /// The steps if only the first and the last of the events are read.
    fn steps_with_gap(lines: &[&str], first: usize, last: usize) -> Value {
        let mut events = history(lines);
        let last = events.split_off(events.len() - last);
        events.truncate(first);
        let first = events;
        serde_json::to_value(of(&History { first, last })).unwrap()
    }

    #[test]
    fn a_step_has_its_duration_and_attempts() {
        let steps = steps(&[
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
            steps,
            json!([
                {"name": "Validate image", "status": "SUCCEEDED", "startedAt": "2026-11-18T11:06:41.000Z", "durationMs": 7000, "attempts": 2},
                {"name": "Detect labels", "status": "RUNNING", "startedAt": "2026-11-18T11:06:49.000Z", "durationMs": null, "attempts": 1},
            ])
        );
    }

    #[test]
    fn a_failed_attempt_is_shown_while_the_step_waits_for_the_next_one() {
        let steps = steps(&[
            "TaskStateEntered: Detect labels",
            "TaskScheduled",
            r#"TaskFailed: Throttled: {"errorMessage":"rekognition:DetectLabels was throttled"}"#,
        ]);
        assert_eq!(steps[0]["status"], "RUNNING");
        assert_eq!(
            steps[0]["error"],
            json!({"name": "Throttled", "message": "rekognition:DetectLabels was throttled"})
        );
    }

    #[test]
    fn a_rejected_file_differs_from_a_failed_execution() {
        let caught = steps(&[
            "TaskStateEntered: Validate image",
            "TaskScheduled",
            r#"TaskFailed: UnsupportedFormat: {"errorMessage":"This file is empty."}"#,
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

        let failed = steps(&[
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
    fn a_redriven_execution_resumes_in_the_state_that_failed() {
        let mut lines = vec![
            "TaskStateEntered: Detect labels",
            "TaskScheduled",
            "TaskFailed: AccessDenied: no",
            "ExecutionFailed: AccessDenied: no",
            "ExecutionRedriven",
            "TaskScheduled",
        ];
        assert_eq!(steps(&lines)[0]["status"], "RUNNING");
        lines.extend([
            "TaskSucceeded",
            "TaskStateExited: Detect labels",
            "ExecutionSucceeded",
        ]);
        let steps = steps(&lines);
        assert_eq!(steps.as_array().unwrap().len(), 1);
        assert_eq!(
            (&steps[0]["status"], &steps[0]["attempts"], &steps[0]["error"]),
            (&json!("SUCCEEDED"), &json!(2), &Value::Null)
        );
    }

    #[test]
    fn the_last_step_of_a_stopped_execution_is_not_running() {
        for (event, status) in [
            ("ExecutionAborted", "ABORTED"),
            ("ExecutionTimedOut", "TIMED_OUT"),
        ] {
            let steps = steps(&["TaskStateEntered: Detect labels", "TaskScheduled", event]);
            assert_eq!(steps[0]["status"], status);
        }
    }

    #[test]
    fn a_step_that_is_repeated_for_each_part_of_a_video_is_one_step() {
        let steps = steps(&[
            "TaskStateEntered: Label frames",
            "TaskScheduled",
            "TaskSucceeded",
            "TaskStateExited: Label frames",
            "ChoiceStateEntered: Are all frames labeled?",
            "ChoiceStateExited: Are all frames labeled?",
            "WaitStateEntered: Wait for slots",
            "WaitStateExited: Wait for slots",
            "TaskStateEntered: Label frames",
            "TaskScheduled",
            "TaskSucceeded",
            "TaskStateExited: Label frames",
            "ChoiceStateEntered: Are all frames labeled?",
            "ChoiceStateExited: Are all frames labeled?",
            "TaskStateEntered: Collect labels",
            "TaskScheduled",
        ]);
        let list = steps.as_array().unwrap();
        let names: Vec<_> = list.iter().map(|step| &step["name"]).collect();
        assert_eq!(names, ["Label frames", "Collect labels"]);
        assert_eq!(
            (&list[0]["status"], &list[0]["durationMs"], &list[0]["attempts"]),
            (&json!("SUCCEEDED"), &json!(11_000), &json!(2))
        );
        assert_eq!(list[1]["status"], "RUNNING");
    }

    /// An execution of `label-video` can have 14,700 events.
    #[test]
    fn the_last_steps_of_a_long_execution_are_shown() {
        let part = [
            "TaskStateEntered: Label frames",
            "TaskScheduled",
            "TaskSucceeded",
            "TaskStateExited: Label frames",
            "ChoiceStateEntered: Are all frames labeled?",
            "ChoiceStateExited: Are all frames labeled?",
        ];
        let mut lines = vec![
            "TaskStateEntered: Inspect video",
            "TaskScheduled",
            "TaskSucceeded",
            "TaskStateExited: Inspect video",
        ];
        for _ in 0..100 {
            lines.extend(part);
        }
        let shown = |lines: &[&str], first, last| {
            let steps = steps_with_gap(lines, first, last);
            let steps = steps.as_array().unwrap().iter();
            let shown = steps.map(|step| format!("{} {}", step["name"], step["status"]).replace('"', ""));
            shown.collect::<Vec<_>>()
        };
        let inspected = "Inspect video SUCCEEDED";
        // Wherever the first events end, and the last ones begin.
        for first in 10..16 {
            for last in 8..14 {
                let mut lines = lines.clone();
                let labeled = [inspected, "Label frames SUCCEEDED"];
                assert_eq!(shown(&lines, first, last), labeled, "{first} {last}");
                lines.extend(&part[..2]);
                let labeling = [inspected, "Label frames RUNNING"];
                assert_eq!(shown(&lines, first, last), labeling, "{first} {last}");
            }
        }
        lines.extend([
            "TaskStateEntered: Collect labels",
            "TaskScheduled",
            "TaskSucceeded",
            "TaskStateExited: Collect labels",
            "TaskStateEntered: Filter labels",
            "TaskScheduled",
            "TaskFailed: AccessDenied: no",
            "ExecutionFailed: AccessDenied: no",
        ]);
        let failed = [inspected, "Label frames SUCCEEDED", "Filter labels FAILED"];
        let collected = [
            inspected,
            "Label frames SUCCEEDED",
            "Collect labels SUCCEEDED",
            "Filter labels FAILED",
        ];
        for first in 10..16 {
            for last in 4..8 {
                assert_eq!(shown(&lines, first, last), failed, "{first} {last}");
            }
            for last in 8..12 {
                assert_eq!(shown(&lines, first, last), collected, "{first} {last}");
            }
        }
    }

    #[test]
    fn a_long_cause_is_truncated() {
        let cause = format!("TaskFailed: X: {}", "é".repeat(30_000));
        let steps = steps(&["TaskStateEntered: Validate image", "TaskScheduled", &cause]);
        assert_eq!(
            steps[0]["error"]["message"].as_str().unwrap().chars().count(),
            MAX_MESSAGE
        );
    }
}
