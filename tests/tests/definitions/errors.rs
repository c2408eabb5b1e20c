//! The error names of the definitions and of the steps' code: the same names, each handled by its class.

use crate::steps::steps;
use crate::{assert_no_faults, machines};
use domain::{ErrorClass, ErrorName};
use std::collections::BTreeSet;
use strum::IntoEnumIterator;
use tests::state_machine::Machine;

/// Names of the steps' own errors contain no dot; names of Lambda and Step Functions do.
fn own_names<'a>(machine: &'a Machine, task: &str) -> BTreeSet<&'a str> {
    let mut names = machine.definition.errors(task);
    names.retain(|name| !name.contains('.'));
    names
}

/// Errors that no machine handles, though their class says that a Retry or Catch does.
pub(crate) fn unhandled(machines: &[Machine]) -> Vec<String> {
    let handled: BTreeSet<_> = machines
        .iter()
        .flat_map(|machine| {
            let tasks = machine.definition.tasks().into_iter();
            tasks.flat_map(move |task| own_names(machine, task))
        })
        .collect();
    ErrorName::iter()
        .filter(|name| name.class() != ErrorClass::Fatal && !handled.contains(name.as_str()))
        .map(|name| format!("no machine handles {}", name.as_str()))
        .collect()
}

/// What is wrong with how the Tasks handle the errors of their steps.
pub(crate) fn handling(machines: &[Machine]) -> Vec<String> {
    let steps = steps();
    let mut faults = vec![];
    for machine in machines {
        let definition = &machine.definition;
        for task in definition.lambda_tasks() {
            let at = format!("{}, \"{task}\"", machine.name());
            let Some(function) = machine.function(task) else {
                faults.push(format!(
                    "{at}: template.yaml does not say which function it invokes"
                ));
                continue;
            };
            let Some(step) = steps.get(function.name()) else {
                faults.push(format!("{at}: {} is not a step", function.code));
                continue;
            };
            let reported: Vec<_> = step
                .errors
                .iter()
                .filter(|name| machine.errors.is_reported(task, name.as_str()))
                .collect();
            for name in &reported {
                faults.extend(
                    handling_of(machine, task, **name)
                        .into_iter()
                        .map(|fault| format!("{at}: {} {fault}", name.as_str())),
                );
            }
            let reported = reported.iter().map(|name| name.as_str()).collect();
            faults.extend(
                own_names(machine, task)
                    .difference(&reported)
                    .map(|name| format!("{at}: handles {name}, which {} does not report", function.name())),
            );
        }
    }
    faults
}

/// What is wrong with how a Task handles an error.
fn handling_of(machine: &Machine, task: &str, name: ErrorName) -> Vec<String> {
    let with = |block| {
        let mut groups = machine.definition.groups(task, block);
        groups.retain(|group| group.names().contains(&name.as_str()));
        groups
    };
    let (retries, catches) = (with("Retry"), with("Catch"));
    let retried: Vec<_> = retries.iter().map(|group| group.max_attempts() > 0).collect();
    let caught: Vec<_> = catches
        .iter()
        .map(|group| group.0["Next"].as_str().unwrap_or_default())
        .collect();
    let class = name.class();
    let (expected_retried, expected_caught) = match class {
        ErrorClass::Transient => (vec![true], vec![]),
        ErrorClass::Fatal => (vec![], vec![]),
        ErrorClass::File | ErrorClass::NothingToDo | ErrorClass::Conversion => {
            let errors = &machine.errors;
            let of_class = || errors.caught(class)?.states.first().map(String::as_str);
            let Some(next) = errors.continued(task, name.as_str()).or_else(of_class) else {
                return vec![format!(
                    "has class {class:?}, which the machine's errors.json does not list"
                )];
            };
            (vec![false], vec![next])
        }
    };
    let mut faults = vec![];
    if retried != expected_retried {
        faults.push(format!("is retried {retried:?}, not {expected_retried:?}"));
    }
    if caught != expected_caught {
        faults.push(format!("leads to {caught:?}, not {expected_caught:?}"));
    }
    faults
}

/// Groups that handle errors without naming them.
pub(crate) fn wildcards(machines: &[Machine]) -> Vec<String> {
    let mut faults = vec![];
    for machine in machines {
        for (state, _) in machine.definition.states() {
            for name in ["States.ALL", "States.TaskFailed"] {
                if machine.definition.errors(state).contains(name) {
                    faults.push(format!("{}, \"{state}\": handles {name}", machine.name()));
                }
            }
        }
    }
    faults
}

/// A misspelled name would be neither retried nor caught: a bad file would fail its execution, or an image would be lost
/// to a moment of throttling.
#[test]
fn every_error_that_is_not_fatal_is_handled_by_a_machine() {
    assert_no_faults(&unhandled(&machines()));
}

#[test]
fn each_error_of_a_step_is_handled_once_and_by_its_class() {
    assert_no_faults(&handling(&machines()));
}

/// A wildcard would retry a bad file for hours, or end a failure that an operator should redrive as a success.
#[test]
fn no_state_handles_errors_without_naming_them() {
    assert_no_faults(&wildcards(&machines()));
}
