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

    /// The states that call a step.
    pub fn tasks(&self) -> Vec<&str> {
        self.states()
            .into_iter()
            .filter(|(_, state)| state["Type"] == "Task")
            .map(|(name, _)| name)
            .collect()
    }

    /// The Tasks through which an execution comes to this one, which is the last of them: those of the common path, and
    /// a way around where a Catch leads to another Task than those of the common path.
    ///
    /// # Panics
    /// Where no way leads there.
    pub fn way_to(&self, task: &str) -> Vec<&str> {
        let next = |name: &&str| self.state(name)["Next"].as_str();
        let common: Vec<_> = std::iter::successors(Some(self.start()), next).collect();
        let until = |way: &[&'_ str], end: &str| {
            let index = way.iter().position(|name| *name == end)?;
            Some(way[..=index].iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let around = common.iter().enumerate().flat_map(|(index, from)| {
            let catches = self.groups(from, "Catch").into_iter();
            let aside = catches
                .filter_map(|group| group.0["Next"].as_str())
                .filter(|name| !common.contains(name));
            aside.map(move |first| (index, first))
        });
        let ways = std::iter::once(common.clone()).chain(around.map(|(index, first)| {
            let before = common[..=index].iter().copied();
            before.chain(std::iter::successors(Some(first), next)).collect()
        }));
        let way = ways.into_iter().find_map(|way| until(&way, task));
        let way = way.unwrap_or_else(|| panic!("no way leads to \"{task}\""));
        let states = self.states();
        way.iter()
            .map(|name| *states.get_key_value(name.as_str()).expect("a state").0)
            .collect()
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
