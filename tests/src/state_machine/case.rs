//! A case of `statemachine/cases/<machine>/`: the input, the results of the Tasks, and the expected end.

use crate::state_machine::Execution;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Stands for the execution's ARN in what a case expects.
const EXECUTION_ARN: &str = "${executionArn}";

/// Stands for the execution's input in what a case expects.
const INPUT: &str = "${input}";

/// A test case of a state machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The file's name without `.json`. Names the execution's test case, so no `#`.
    #[serde(skip)]
    pub name: String,
    /// What it shows.
    pub comment: String,
    /// The execution's input.
    pub input: Value,
    /// The results of the Tasks. A Task that is not named here returns its payload.
    pub mocks: BTreeMap<String, Mock>,
    /// What a distributed Map reads from S3: texts of objects by their buckets and keys.
    #[serde(default)]
    pub objects: BTreeMap<String, BTreeMap<String, String>>,
    /// The expected end.
    pub expected: Expected,
}

/// The result of a Task, in place of its step.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mock {
    /// The step's output.
    Returns(Value),
    /// The step's outputs, one for each time that the state is entered.
    ReturnsInTurn(Vec<Value>),
    /// An error, at every attempt.
    Throws {
        /// What `ErrorEquals` matches.
        error: String,
        /// The body of Lambda's response, or a message of Step Functions.
        cause: String,
    },
}

/// The expected end of an execution.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The states that are entered, in order; without those inside of a Map or Parallel state.
    pub states: Vec<String>,
    /// `SUCCEEDED` or `FAILED`.
    pub status: String,
    /// The whole output. `${executionArn}` stands for the execution's ARN, `${input}` for its input.
    #[serde(default)]
    pub output: Option<Value>,
    /// The name of the error that it fails with.
    #[serde(default)]
    pub error: Option<String>,
}

impl Case {
    /// All cases of a folder; none if it does not exist.
    ///
    /// # Panics
    /// If one of them cannot be read.
    pub fn all(folder: &Path) -> Vec<Self> {
        let files = std::fs::read_dir(folder)
            .into_iter()
            .flatten()
            .map(|entry| entry.expect("a case").path());
        let written: BTreeMap<String, Value> = files
            .map(|path| {
                let text = std::fs::read(&path).expect("a case's text");
                let case = serde_json::from_slice(&text)
                    .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                (
                    path.file_stem().expect("a name").to_string_lossy().into_owned(),
                    case,
                )
            })
            .collect();
        written
            .iter()
            .map(|(name, case)| Self::of(name, case.clone(), &written))
            .collect()
    }

    /// `{"returnsAsIn": "labeled"}` stands for the mock of the same Task in that case.
    fn of(name: &str, mut case: Value, written: &BTreeMap<String, Value>) -> Self {
        for (task, mock) in case["mocks"].as_object_mut().into_iter().flatten() {
            if let Some(other) = mock["returnsAsIn"].as_str() {
                let same = written.get(other).and_then(|case| case["mocks"].get(task));
                *mock = same
                    .unwrap_or_else(|| panic!("{name}: \"{other}\" does not mock \"{task}\""))
                    .clone();
            }
        }
        let case: Self = serde_json::from_value(case).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self {
            name: name.to_owned(),
            ..case
        }
    }

    /// Compares an execution with what is expected. `with_output` is false if the output is unknown.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, execution: &Execution, with_output: bool) -> Result<(), String> {
        let expected = &self.expected;
        let differ = |what: &str, actual: &dyn std::fmt::Debug, expected: &dyn std::fmt::Debug| {
            Err(format!("{}: {what} is {actual:?}, not {expected:?}", self.name))
        };
        let states: Vec<_> = execution.states.iter().map(|state| &state.name).collect();
        if states != expected.states.iter().collect::<Vec<_>>() {
            return differ("the path", &states, &expected.states);
        }
        if execution.status != expected.status {
            return differ("the status", &execution.status, &expected.status);
        }
        if execution.error != expected.error {
            return differ("the error", &execution.error, &expected.error);
        }
        match &expected.output {
            Some(output) if with_output => {
                let output = self.filled(output, &execution.arn);
                if execution.output.as_ref() == Some(&output) {
                    Ok(())
                } else {
                    differ("the output", &execution.output, &output)
                }
            }
            _ => Ok(()),
        }
    }

    /// Replaces the placeholders in an expected value.
    fn filled(&self, expected: &Value, arn: &str) -> Value {
        match expected {
            Value::String(text) if text == EXECUTION_ARN => Value::String(arn.to_owned()),
            Value::String(text) if text == INPUT => self.input.clone(),
            Value::Array(values) => values.iter().map(|value| self.filled(value, arn)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (name.clone(), self.filled(value, arn)))
                .collect(),
            other => other.clone(),
        }
    }
}

impl Mock {
    /// The step's output when the state is entered for the nth time, counted from 0. `None` for an error.
    pub fn result(&self, entered: usize) -> Option<&Value> {
        match self {
            Self::Returns(result) => Some(result),
            Self::ReturnsInTurn(results) => results.get(entered),
            Self::Throws { .. } => None,
        }
    }
}

/// A step's output as the integration `lambda:invoke` returns it.
pub(crate) fn invocation(output: &Value) -> Value {
    json!({"ExecutedVersion": "$LATEST", "StatusCode": 200, "Payload": output})
}
