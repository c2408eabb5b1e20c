//! A case of `statemachine/cases/`: what goes in, what the Tasks answer, and what must come of it.

use crate::state_machine::Execution;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// Stands for the execution's ARN in what a case expects.
const EXECUTION_ARN: &str = "${executionArn}";

/// Stands for the execution's input in what a case expects.
const INPUT: &str = "${input}";

/// A case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The file's name without `.json`. Names the execution's test case, so no `#`.
    #[serde(skip)]
    pub name: String,
    /// What it is about.
    pub comment: String,
    /// The execution's input.
    pub input: Value,
    /// What the Tasks answer. A Task that is not named here gives back what its step is given.
    pub mocks: BTreeMap<String, Mock>,
    /// What must come of it.
    pub expected: Expected,
}

/// What a Task answers in place of its step.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Mock {
    /// The step's output.
    Returns(Value),
    /// An error, at every try.
    Throws {
        /// What `ErrorEquals` matches.
        error: String,
        /// The body of Lambda's answer, or a sentence of Step Functions.
        cause: String,
    },
}

/// What must come of an execution.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The states that are entered, in their order.
    pub states: Vec<String>,
    /// `SUCCEEDED` or `FAILED`.
    pub status: String,
    /// The whole output. `${executionArn}` stands for the execution's ARN, `${input}` for its input.
    #[serde(default)]
    pub output: Option<Value>,
    /// The error that it fails with.
    #[serde(default)]
    pub error: Option<String>,
}

impl Case {
    /// All cases of `statemachine/cases/`.
    ///
    /// # Panics
    /// Where one of them cannot be read.
    pub fn all() -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../statemachine/cases");
        let files = std::fs::read_dir(&folder)
            .expect("statemachine/cases")
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

    /// `{"returnsAsIn": "labeled"}` stands for what the same Task answers in that case.
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

    /// Holds an execution against what is expected. `with_output` is false where the output cannot be known.
    ///
    /// # Errors
    /// The first difference, as a sentence.
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

    /// Puts the execution's own ARN and input into what is expected.
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

/// What the integration `lambda:invoke` makes of a step's output.
pub(crate) fn invocation(output: &Value) -> Value {
    json!({"ExecutedVersion": "$LATEST", "StatusCode": 200, "Payload": output})
}
