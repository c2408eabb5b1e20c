//! The definition as it stands in the repository, and every way through it.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const TEXT: &str = include_str!("../../../statemachine/label-image.asl.json");

/// An error that no step, Lambda or Step Functions itself ever reports.
pub const UNKNOWN_ERROR: &str = "Example.Unknown";

/// `label-image.asl.json`.
#[derive(Debug, Clone)]
pub struct Definition {
    json: Value,
}

/// One way out of a state.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transition {
    /// The state.
    pub from: String,
    /// The error that the Task ended in; `None` for a result.
    pub error: Option<String>,
    /// How often the Task was tried; 1 for a result.
    pub tries: u64,
    /// Where it leads.
    pub to: Ending,
}

/// Where a way out of a state leads.
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
    pub fn names(self) -> Vec<&'a str> {
        let names = self.0["ErrorEquals"].as_array().expect("ErrorEquals");
        names
            .iter()
            .map(|name| name.as_str().expect("an error's name"))
            .collect()
    }

    /// How often the Task is tried again; Step Functions' default is 3.
    pub fn max_attempts(self) -> u64 {
        self.0
            .get("MaxAttempts")
            .map_or(3, |attempts| attempts.as_u64().expect("MaxAttempts"))
    }
}

impl Definition {
    /// Reads it, substitutions still open.
    ///
    /// # Panics
    /// Where it is no JSON.
    pub fn read() -> Self {
        Self {
            json: serde_json::from_str(TEXT).expect("the definition is JSON as it stands"),
        }
    }

    /// The definition itself.
    pub fn json(&self) -> &Value {
        &self.json
    }

    /// Its text as it is deployed: every substitution is filled with the same function's ARN.
    pub fn deployed(&self, function_arn: &str) -> String {
        let mut text = TEXT.to_owned();
        while let Some((start, end)) = text
            .find("${")
            .and_then(|start| Some((start, start + text[start..].find('}')?)))
        {
            text.replace_range(start..=end, function_arn);
        }
        text
    }

    /// The state in which an execution starts.
    pub fn start(&self) -> &str {
        self.json["StartAt"].as_str().expect("StartAt")
    }

    /// A state.
    ///
    /// # Panics
    /// Where there is none of this name.
    pub fn state(&self, name: &str) -> &Value {
        self.states()
            .get(name)
            .copied()
            .unwrap_or_else(|| panic!("there is no state \"{name}\""))
    }

    /// All states by their names.
    pub fn states(&self) -> BTreeMap<&str, &Value> {
        self.json["States"]
            .as_object()
            .expect("States")
            .iter()
            .map(|(name, state)| (name.as_str(), state))
            .collect()
    }

    /// The states that call a step, in the order of an execution in which nothing goes wrong.
    pub fn tasks(&self) -> Vec<&str> {
        let all = self
            .states()
            .into_values()
            .filter(|state| state["Type"] == "Task")
            .count();
        let next = |name: &&str| self.state(name)["Next"].as_str();
        let tasks: Vec<_> = std::iter::successors(Some(self.start()), next)
            .take(all + 1)
            .collect();
        assert_eq!(
            tasks.len(),
            all,
            "not all Tasks lie on the common path: {tasks:?}"
        );
        tasks
    }

    /// The groups of a Task's `Retry` or `Catch` block.
    pub fn groups(&self, task: &str, block: &str) -> Vec<Group<'_>> {
        self.state(task)[block]
            .as_array()
            .into_iter()
            .flatten()
            .map(Group)
            .collect()
    }

    /// Every error that a Task names in a `Retry` or `Catch` group.
    pub fn errors(&self, task: &str) -> BTreeSet<&str> {
        let groups = [self.groups(task, "Retry"), self.groups(task, "Catch")].concat();
        groups.into_iter().flat_map(Group::names).collect()
    }

    /// What the definition says about an error of a Task: the first group that names it counts.
    pub fn on_error(&self, task: &str, error: &str) -> Transition {
        let first = |block| {
            self.groups(task, block)
                .into_iter()
                .find(|group| group.names().contains(&error))
        };
        let next = |group: Group<'_>| Ending::State(group.0["Next"].as_str().expect("Next").to_owned());
        Transition {
            from: task.to_owned(),
            error: Some(error.to_owned()),
            tries: 1 + first("Retry").map_or(0, Group::max_attempts),
            to: first("Catch").map_or(Ending::Failed, next),
        }
    }

    /// Every way out of every state, with one error that nobody names for each Task.
    ///
    /// # Panics
    /// Where a state is of a type that this does not know yet.
    pub fn transitions(&self) -> BTreeSet<Transition> {
        let mut transitions = BTreeSet::new();
        for (name, state) in self.states() {
            let result = match (state["Type"].as_str(), state["Next"].as_str()) {
                (Some("Task"), Some(next)) => Ending::State(next.to_owned()),
                (Some("Task"), None) if state["End"] == true => Ending::Succeeded,
                (Some("Succeed"), None) => Ending::Succeeded,
                (kind, _) => panic!("\"{name}\" is a {kind:?}: say here what its ways out are"),
            };
            transitions.insert(Transition {
                from: name.to_owned(),
                error: None,
                tries: 1,
                to: result,
            });
            if state["Type"] == "Task" {
                let errors = self.errors(name).into_iter().chain([UNKNOWN_ERROR]);
                transitions.extend(errors.map(|error| self.on_error(name, error)));
            }
        }
        transitions
    }
}
