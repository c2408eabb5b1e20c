//! The parts of a state machine's definition that a simulation needs.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// A state machine in the Amazon States Language.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Definition {
    start_at: String,
    states: BTreeMap<String, State>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    r#type: String,
    #[serde(default)]
    retry: Vec<Retrier>,
    #[serde(default)]
    catch: Vec<Catcher>,
    #[serde(default)]
    arguments: serde_json::Value,
    next: Option<String>,
    /// The next state of a Choice if no rule matches.
    default: Option<String>,
}

/// An entry of a state's `Catch`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Catcher {
    error_equals: Vec<String>,
    next: String,
}

/// A state on the path of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visit<'a> {
    /// The state's name.
    pub state: &'a str,
    /// `Arguments.FunctionName` of a Task that invokes a function, such as `${ValidateFunctionArn}`.
    pub function: Option<&'a str>,
}

/// An entry of a state's `Retry`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Retrier {
    error_equals: Vec<String>,
    /// The longest wait before the first retry, in seconds.
    #[serde(default)]
    pub interval_seconds: f64,
    /// The factor from the longest wait before one retry to that before the next.
    #[serde(default)]
    pub backoff_rate: f64,
    /// The upper limit of all waits, in seconds.
    #[serde(default = "unlimited")]
    pub max_delay_seconds: f64,
    /// The number of retries.
    pub max_attempts: u32,
}

fn unlimited() -> f64 {
    f64::INFINITY
}

impl Definition {
    /// Reads a definition from a file.
    ///
    /// # Errors
    /// The file cannot be read, or is not a definition.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not a state machine's definition", path.display()))
    }

    /// Parses a definition.
    ///
    /// # Errors
    /// The text is not a definition.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(serde_json::from_str(text)?)
    }

    /// The retrier of a state for an error.
    ///
    /// # Errors
    /// There is no such state, or it does not retry this error.
    pub fn retrier_of(&self, state: &str, error: &str) -> Result<Retrier> {
        let found = self
            .states
            .get(state)
            .with_context(|| format!("the definition has no state \"{state}\""))?;
        let retrier = found.retrier(error);
        retrier
            .cloned()
            .with_context(|| format!("\"{state}\" has no Retry for {error}"))
    }

    /// The retrier for an error that all states with a Retry for it have in common.
    ///
    /// # Errors
    /// No state retries this error, or two states retry it differently.
    pub fn retrier(&self, error: &str) -> Result<Retrier> {
        let mut found: Option<(&str, &Retrier)> = None;
        for (name, state) in &self.states {
            let Some(retrier) = state.retrier(error) else {
                continue;
            };
            match found {
                Some((other, different)) if !different.has_same_waits(retrier) => {
                    bail!("\"{other}\" and \"{name}\" retry {error} differently: choose one with --state")
                }
                Some(_) => {}
                None => found = Some((name, retrier)),
            }
        }
        let (_, retrier) = found.with_context(|| format!("no state has a Retry for {error}"))?;
        Ok(retrier.clone())
    }

    /// The state transitions of an execution that takes the common path: no error, and the default of every Choice.
    pub fn transitions(&self) -> usize {
        self.path(None).len()
    }

    /// The states of an execution in the order in which it visits them. No state fails, except for the first one that
    /// catches `caught`. A Choice takes its default.
    pub fn path(&self, caught: Option<&str>) -> Vec<Visit<'_>> {
        let mut caught = caught;
        let mut visited = HashSet::new();
        let mut path = vec![];
        let mut next = Some(&self.start_at);
        while let Some((name, state)) = next.and_then(|name| self.states.get_key_value(name)) {
            if !visited.insert(name) {
                break;
            }
            path.push(Visit {
                state: name,
                function: state.arguments["FunctionName"].as_str(),
            });
            let catcher = caught.and_then(|error| state.catcher(error));
            next = match catcher {
                Some(catcher) => {
                    caught = None;
                    Some(&catcher.next)
                }
                None => state.next.as_ref().or(state.default.as_ref()),
            };
        }
        path
    }
}

impl State {
    fn catcher(&self, error: &str) -> Option<&Catcher> {
        let matches = |catcher: &&Catcher| catcher.error_equals.iter().any(|name| name == error);
        self.catch.iter().find(matches)
    }

    fn retrier(&self, error: &str) -> Option<&Retrier> {
        let matches = |retrier: &&Retrier| retrier.error_equals.iter().any(|name| name == error);
        self.retry
            .iter()
            .find(matches)
            .filter(|_| matches!(self.r#type.as_str(), "Task" | "Map" | "Parallel"))
    }
}

impl Retrier {
    /// A random wait before a retry, in seconds, with full jitter: from zero to the current limit.
    pub fn delay(&self, earlier_retries: u32, random: &mut fastrand::Rng) -> f64 {
        let backoff = self.interval_seconds * self.backoff_rate.powi(earlier_retries.min(64).cast_signed());
        random.f64() * backoff.min(self.max_delay_seconds)
    }

    fn has_same_waits(&self, other: &Self) -> bool {
        let waits = |retrier: &Self| Self {
            error_equals: vec![],
            ..retrier.clone()
        };
        waits(self) == waits(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(second_limit: u32) -> Definition {
        let retry = |limit: u32| {
            format!(
                r#"[{{"ErrorEquals": ["A"], "MaxAttempts": 0}},
                    {{"ErrorEquals": ["Throttled", "B"], "IntervalSeconds": 2, "BackoffRate": 2,
                      "MaxDelaySeconds": {limit}, "MaxAttempts": 80}}]"#
            )
        };
        let text = format!(
            r#"{{"StartAt": "One", "States": {{
                "One": {{"Type": "Task", "Next": "Choose", "Retry": {}, "Arguments": {{"FunctionName": "${{One}}"}},
                         "Catch": [{{"ErrorEquals": ["C"], "Next": "Repair"}}]}},
                "Repair": {{"Type": "Task", "Next": "Choose"}},
                "Choose": {{"Type": "Choice", "Choices": [], "Default": "Two"}},
                "Two": {{"Type": "Task", "End": true, "Retry": {}}},
                "Other": {{"Type": "Succeed"}}}}}}"#,
            retry(900),
            retry(second_limit)
        );
        Definition::parse(&text).unwrap()
    }

    #[test]
    fn finds_the_retrier_that_all_states_share() {
        let shared = definition(900).retrier("Throttled").unwrap();
        assert_eq!((shared.max_delay_seconds, shared.max_attempts), (900.0, 80));
        assert_eq!(definition(900).retrier_of("Two", "Throttled").unwrap(), shared);
    }

    #[test]
    fn names_states_that_retry_differently() {
        let error = definition(60).retrier("Throttled").unwrap_err().to_string();
        assert!(
            error.contains("\"One\" and \"Two\"") && error.contains("--state"),
            "{error}"
        );
        let two = definition(60).retrier_of("Two", "Throttled").unwrap();
        assert_eq!(two.max_delay_seconds, 60.0);
    }

    #[test]
    fn names_what_is_missing() {
        let missing = definition(900).retrier("Unknown").unwrap_err().to_string();
        assert!(missing.contains("Unknown"), "{missing}");
        let missing = definition(900).retrier_of("Three", "A").unwrap_err().to_string();
        assert!(missing.contains("Three"), "{missing}");
    }

    #[test]
    fn counts_the_transitions_of_the_common_path() {
        assert_eq!(definition(900).transitions(), 3);
    }

    #[test]
    fn follows_the_catch_of_the_first_state_that_has_one() {
        let definition = definition(900);
        let states = |caught| -> Vec<_> { definition.path(caught).iter().map(|visit| visit.state).collect() };
        assert_eq!(states(None), ["One", "Choose", "Two"]);
        assert_eq!(states(Some("C")), ["One", "Repair", "Choose", "Two"]);
        assert_eq!(states(Some("Unknown")), states(None));
        let functions: Vec<_> = definition.path(None).iter().map(|visit| visit.function).collect();
        assert_eq!(functions, [Some("${One}"), None, None]);
    }

    #[test]
    fn waits_grow_up_to_their_limit() {
        let retrier = definition(900).retrier("Throttled").unwrap();
        let mut random = fastrand::Rng::with_seed(1);
        for retries in [0, 3, 20, 1000] {
            let limit = (2.0 * 2_f64.powi(retries.min(20))).min(900.0);
            let longest = (0..1000)
                .map(|_| retrier.delay(retries.cast_unsigned(), &mut random))
                .fold(0.0, f64::max);
            assert!((limit * 0.9..=limit).contains(&longest), "{retries}: {longest}");
        }
    }
}
