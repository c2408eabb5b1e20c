//! Reads a state machine's definition and lists its transitions.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const LAMBDA: &str = "arn:aws:states:::lambda:invoke";

/// An error that no step, Lambda or Step Functions itself ever reports.
pub const UNKNOWN_ERROR: &str = "Example.Unknown";

/// The error of a distributed Map if a batch fails.
pub const BATCH_FAILED: &str = "States.ExceedToleratedFailureThreshold";

/// How often an execution was redriven. The emulator's context object does not say it.
const REDRIVE_COUNT: &str =
    "{% $exists($states.context.Execution.RedriveCount) ? $states.context.Execution.RedriveCount : 0 %}";

/// The definition of a state machine, before any substitution.
#[derive(Debug, Clone)]
pub struct Definition {
    name: String,
    text: String,
    json: Value,
}

/// A transition out of a state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transition {
    /// The state.
    pub from: String,
    /// The error that the state ended with; `None` for a result.
    pub error: Option<String>,
    /// How often the state was attempted; 1 for a result.
    pub attempts: u64,
    /// Where it leads.
    pub to: Ending,
}

/// Where a transition leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// To another state.
    State(String),
    /// The execution has succeeded.
    Succeeded,
    /// The execution has failed.
    Failed,
}

/// A group of a `Retry` or `Catch` block.
#[derive(Debug, Clone, Copy)]
pub struct Group<'a>(pub &'a Value);

impl<'a> Group<'a> {
    /// The error names that it handles.
    ///
    /// # Panics
    /// If `ErrorEquals` is not a list of texts.
    pub fn names(self) -> Vec<&'a str> {
        let names = self.0["ErrorEquals"].as_array().expect("ErrorEquals");
        names
            .iter()
            .map(|name| name.as_str().expect("an error's name"))
            .collect()
    }

    /// How often the state is retried; Step Functions' default is 3.
    ///
    /// # Panics
    /// If `MaxAttempts` is not a number.
    pub fn max_attempts(self) -> u64 {
        self.0
            .get("MaxAttempts")
            .map_or(3, |attempts| attempts.as_u64().expect("MaxAttempts"))
    }
}

impl Definition {
    /// Reads a definition.
    ///
    /// # Panics
    /// If the file cannot be read, or is not JSON before its substitutions.
    pub fn read(name: &str, path: &Path) -> Self {
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let json = serde_json::from_str(&text)
            .unwrap_or_else(|error| panic!("{}, without any substitution: {error}", path.display()));
        Self {
            name: name.to_owned(),
            text,
            json,
        }
    }

    /// The machine's name: that of the file without `.asl.json`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The definition itself.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// The names of all `${substitutions}`.
    pub fn substitutions(&self) -> BTreeSet<&str> {
        let rests = self.text.split("${").skip(1);
        rests.filter_map(|rest| Some(rest.split_once('}')?.0)).collect()
    }

    /// Its text as it is deployed, with the same function's ARN for every substitution.
    pub fn deployed(&self, function_arn: &str) -> String {
        let mut text = self.text.clone();
        for name in self.substitutions() {
            text = text.replace(&format!("${{{name}}}"), function_arn);
        }
        text
    }

    /// The state in which an execution starts.
    ///
    /// # Panics
    /// If `StartAt` is missing.
    pub fn start(&self) -> &str {
        self.json["StartAt"].as_str().expect("StartAt")
    }

    /// A state, also one inside of a Map or Parallel state.
    ///
    /// # Panics
    /// If there is none of this name.
    pub fn state(&self, name: &str) -> &Value {
        self.states()
            .get(name)
            .copied()
            .unwrap_or_else(|| panic!("{} has no state \"{name}\"", self.name))
    }

    /// All states by their names, those inside of Map and Parallel states included: names are unique in a definition.
    pub fn states(&self) -> BTreeMap<&str, &Value> {
        let mut states = BTreeMap::new();
        collect_states(&self.json, &mut states);
        states
    }

    /// Whether a state is not inside of a Map or Parallel state.
    pub fn is_top_level(&self, name: &str) -> bool {
        self.json["States"].get(name).is_some()
    }

    /// The names of all Tasks.
    pub fn tasks(&self) -> Vec<&str> {
        let states = self.states().into_iter();
        let tasks = states.filter(|(_, state)| state["Type"] == "Task");
        tasks.map(|(name, _)| name).collect()
    }

    /// The names of all Tasks that invoke a Lambda function.
    pub fn lambda_tasks(&self) -> Vec<&str> {
        let mut tasks = self.tasks();
        tasks.retain(|task| self.invokes_lambda(task));
        tasks
    }

    fn invokes_lambda(&self, task: &str) -> bool {
        let resource = self.state(task)["Resource"].as_str();
        resource.is_some_and(|resource| resource.starts_with(LAMBDA))
    }

    /// The substitution that names the function of a Task, such as `ValidateFunctionArn`.
    pub fn called(&self, task: &str) -> Option<&str> {
        let function = self.state(task)["Arguments"]["FunctionName"].as_str()?;
        function.strip_prefix("${")?.strip_suffix('}')
    }

    /// The payload that the function of a Task receives, if that is its input, alone or with the token that it waits for.
    pub fn payload(&self, task: &str, input: &Value) -> Option<Value> {
        let payload = &self.state(task)["Arguments"]["Payload"];
        let filled = |expression: &Value| match expression.as_str()? {
            "{% $states.input %}" => Some(input.clone()),
            "{% $states.context.Task.Token %}" => Some("a token".into()),
            "{% $states.context.State.RetryCount %}" => Some(0.into()),
            REDRIVE_COUNT => Some(0.into()),
            _ => None,
        };
        match payload {
            Value::Object(fields) if self.waits_for_token(task) => fields
                .iter()
                .map(|(name, expression)| Some((name.clone(), filled(expression)?)))
                .collect(),
            payload => filled(payload),
        }
    }

    /// Whether a Task waits until something calls Step Functions with its token.
    pub fn waits_for_token(&self, task: &str) -> bool {
        let resource = self.state(task)["Resource"].as_str();
        resource.is_some_and(|resource| resource.ends_with(".waitForTaskToken"))
    }

    /// Whether the output of a Task is what its function returns.
    pub fn returns_payload(&self, task: &str) -> bool {
        self.state(task)["Output"] == "{% $states.result.Payload %}"
    }

    /// The groups of a state's `Retry` or `Catch` block.
    pub fn groups(&self, state: &str, block: &str) -> Vec<Group<'_>> {
        self.state(state)[block]
            .as_array()
            .into_iter()
            .flatten()
            .map(Group)
            .collect()
    }

    /// Every error that a state names in a `Retry` or `Catch` group.
    pub fn errors(&self, state: &str) -> BTreeSet<&str> {
        let groups = [self.groups(state, "Retry"), self.groups(state, "Catch")].concat();
        groups.into_iter().flat_map(Group::names).collect()
    }

    /// What the definition does with an error of a state: the first group that names it counts.
    ///
    /// # Panics
    /// If a Catch group has no `Next`.
    pub fn on_error(&self, state: &str, error: &str) -> Transition {
        let first = |block| {
            self.groups(state, block)
                .into_iter()
                .find(|group| group.names().contains(&error))
        };
        let next = |group: Group<'_>| Ending::State(group.0["Next"].as_str().expect("Next").to_owned());
        Transition {
            from: state.to_owned(),
            error: Some(error.to_owned()),
            attempts: 1 + first("Retry").map_or(0, Group::max_attempts),
            to: first("Catch").map_or(Ending::Failed, next),
        }
    }

    /// Every transition between the top-level states, with one unknown error for each state that can fail.
    ///
    /// # Panics
    /// If a state's type is unknown.
    pub fn transitions(&self) -> BTreeSet<Transition> {
        let mut transitions = BTreeSet::new();
        let states = self
            .states()
            .into_iter()
            .filter(|(name, _)| self.is_top_level(name));
        for (name, state) in states {
            let next = |of: &Value| match of["Next"].as_str() {
                Some(next) => Ending::State(next.to_owned()),
                None => Ending::Succeeded,
            };
            let results = match state["Type"].as_str() {
                Some("Task" | "Map" | "Parallel" | "Pass" | "Wait" | "Succeed") => vec![next(state)],
                Some("Choice") => {
                    let choices = state["Choices"].as_array().into_iter().flatten().map(next);
                    let default = state["Default"]
                        .as_str()
                        .map(|next| Ending::State(next.to_owned()));
                    choices.chain(default).collect()
                }
                Some("Fail") => vec![Ending::Failed],
                kind => panic!("{}: \"{name}\" has the unknown type {kind:?}", self.name),
            };
            transitions.extend(results.into_iter().map(|to| Transition {
                from: name.to_owned(),
                error: None,
                attempts: 1,
                to,
            }));
            if ["Task", "Map", "Parallel"]
                .iter()
                .any(|kind| state["Type"] == *kind)
            {
                let other = if is_distributed(state) {
                    BATCH_FAILED
                } else {
                    UNKNOWN_ERROR
                };
                let errors = self.errors(name).into_iter().chain([other]);
                transitions.extend(errors.map(|error| self.on_error(name, error)));
            }
        }
        transitions
    }
}

/// Whether a state is a distributed Map. Its errors are not those of its Tasks.
pub fn is_distributed(state: &Value) -> bool {
    state["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
}

fn collect_states<'a>(machine: &'a Value, states: &mut BTreeMap<&'a str, &'a Value>) {
    for (name, state) in machine["States"].as_object().into_iter().flatten() {
        states.insert(name, state);
        let branches = state["Branches"].as_array().into_iter().flatten();
        for nested in branches.chain(state.get("ItemProcessor")) {
            collect_states(nested, states);
        }
    }
}
