//! Reads the states and the end of an execution from its history.

use crate::state_machine::definition::is_distributed;
use crate::state_machine::{Definition, Ending, Transition};
use aws_sdk_sfn::types::{HistoryEvent, HistoryEventType};
use serde_json::Value;

/// An execution that has ended.
#[derive(Debug, Clone, Default)]
pub struct Execution {
    /// Its ARN.
    pub arn: String,
    /// `SUCCEEDED` or `FAILED`.
    pub status: String,
    /// Its output, if it succeeded.
    pub output: Option<Value>,
    /// The name of the error that it failed with.
    pub error: Option<String>,
    /// Its top-level states, in the order in which they were entered.
    pub states: Vec<Visited>,
    /// Its transitions out of them.
    pub transitions: Vec<Transition>,
}

/// A state that was entered.
#[derive(Debug, Clone)]
pub struct Visited {
    /// Its name.
    pub name: String,
    /// Its input.
    pub input: Value,
}

impl Execution {
    /// Reads the history of an execution that has ended.
    ///
    /// # Panics
    /// If the execution has not ended.
    pub fn of_history(definition: &Definition, arn: &str, history: &[HistoryEvent]) -> Self {
        let mut execution = Self {
            arn: arn.to_owned(),
            ..Self::default()
        };
        let mut failures: Vec<String> = vec![];
        for event in history {
            if let Some(entered) = event.state_entered_event_details() {
                if !definition.is_top_level(&entered.name) {
                    continue;
                }
                execution.leave(&mut failures, Ending::State(entered.name.clone()));
                let input = json(entered.input());
                execution.states.push(Visited {
                    name: entered.name.clone(),
                    input,
                });
            } else if let Some(failed) = event.task_failed_event_details() {
                failures.push(failed.error().unwrap_or_default().to_owned());
            } else if *event.r#type() == HistoryEventType::TaskSucceeded {
                failures.clear();
            } else if let Some(succeeded) = event.execution_succeeded_event_details() {
                execution.leave(&mut failures, Ending::Succeeded);
                execution.status = "SUCCEEDED".into();
                execution.output = Some(json(succeeded.output()));
            } else if let Some(failed) = event.execution_failed_event_details() {
                let last = execution.states.last();
                if last.is_some_and(|last| is_distributed(definition.state(&last.name))) {
                    // Its Tasks have histories of their own.
                    failures.extend(failed.error().map(str::to_owned));
                }
                execution.leave(&mut failures, Ending::Failed);
                execution.status = "FAILED".into();
                execution.error = failed.error().map(str::to_owned);
            }
        }
        assert!(!execution.status.is_empty(), "{arn} has not ended: {history:?}");
        execution
    }

    fn leave(&mut self, failures: &mut Vec<String>, to: Ending) {
        let Some(state) = self.states.last() else { return };
        self.transitions.push(Transition {
            from: state.name.clone(),
            attempts: failures.len().max(1) as u64,
            error: failures.pop(),
            to,
        });
        failures.clear();
    }
}

fn json(text: Option<&str>) -> Value {
    serde_json::from_str(text.expect("an input or output")).expect("JSON")
}
