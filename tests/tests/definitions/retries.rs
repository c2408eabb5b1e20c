//! What the emulator ignores, asserted on the definitions: delays, jitter, caps and timeouts, and the order of the Retry
//! groups.

use crate::steps::steps;
use crate::{assert_no_faults, machines};
use domain::{ErrorClass, ErrorName};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use tests::state_machine::Machine;
use tests::state_machine::definition::Group;

/// Errors of the Lambda service that retries can overcome.
/// Source: "Handle transient Lambda service exceptions" in the best practices of Step Functions.
const LAMBDA_SERVICE: [&str; 4] = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
];

/// A process that ran out of memory, died or hung. The next one may succeed, but a picture that kills each of them must
/// not be retried for hours.
/// Sources: "Lambda.Unknown" in the best practices of Step Functions; `Runtime.…` and `Sandbox.…` in AWS's runtime
/// interface emulator (error_types.go), since `ErrorEquals` matches the `errorType` that Lambda writes for the function.
const CRASHES: [&str; 7] = [
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "Runtime.Unknown",
    "Sandbox.Failure",
    "Sandbox.Timedout",
    "States.Timeout",
];

/// Of a Task that waits for a callback, also a missing heartbeat, after which the next attempt asks whether there is something to
/// wait for. Documented is `States.HeartbeatTimeout`; recorded executions show this one.
const TIMEOUT: &str = "States.Timeout";

/// Too many concurrent executions of the function.
const TOO_MANY_REQUESTS: &str = "Lambda.TooManyRequestsException";

/// How often a Task is retried after the timeout of a call that may be paid for each time.
const PAID_RETRIES: u64 = 12;

/// An execution retries for at least this long before it gives up because of too much load.
const PATIENCE_SECONDS: f64 = 6.0 * 60.0 * 60.0;

/// The longest delay between two attempts, in seconds.
const MAX_DELAY_SECONDS: f64 = 1800.0;

/// Events in an execution's history. Source: quotas of Step Functions.
const HISTORY_LIMIT: u64 = 25_000;

fn number(group: Group<'_>, field: &str) -> f64 {
    group.0[field].as_f64().unwrap_or(f64::NAN)
}

/// The group of a Task's `Retry` block that names an error.
fn retry<'a>(machine: &'a Machine, task: &str, error: &str) -> Option<Group<'a>> {
    let mut groups = machine.definition.groups(task, "Retry").into_iter();
    groups.find(|group| group.names().contains(&error))
}

/// The longest delay before each retry, in seconds; full jitter draws from zero up to it.
fn longest_delays(group: Group<'_>) -> impl Iterator<Item = f64> {
    let (first, rate) = (number(group, "IntervalSeconds"), number(group, "BackoffRate"));
    let cap = group.0["MaxDelaySeconds"].as_f64().unwrap_or(f64::INFINITY);
    let retries = i32::try_from(group.max_attempts()).expect("a number of retries");
    (0..retries).map(move |retry| (first * rate.powi(retry)).min(cap))
}

/// Whether a Task waits for a callback, and is retried if it gets no heartbeat.
fn has_heartbeat(machine: &Machine, task: &str) -> bool {
    let mut states = machine.definition.states().into_iter();
    states.any(|(name, state)| name == task && state["HeartbeatSeconds"].is_number())
}

/// Each Lambda Task of each machine, with the words that name it in a fault.
fn lambda_tasks(machines: &[Machine]) -> impl Iterator<Item = (&Machine, &str, String)> {
    machines.iter().flat_map(|machine| {
        let tasks = machine.definition.lambda_tasks().into_iter();
        tasks.map(move |task| (machine, task, format!("{}, \"{task}\"", machine.name())))
    })
}

/// A bad file that is retried first keeps its owner waiting, and a group behind another with the same name is never
/// reached.
fn order(machines: &[Machine]) -> Vec<String> {
    let mut faults = vec![];
    for (machine, task, at) in lambda_tasks(machines) {
        let groups = machine.definition.groups(task, "Retry");
        let catches = machine.definition.groups(task, "Catch").into_iter();
        let caught: BTreeSet<_> = catches.flat_map(Group::names).collect();
        let (first, rest) = groups.split_at(usize::from(!caught.is_empty()).min(groups.len()));
        let not_retried: BTreeSet<_> = first.iter().flat_map(|group| group.names()).collect();
        if not_retried != caught {
            faults.push(format!(
                "{at}: the first Retry group does not name exactly the caught errors"
            ));
        }
        if first.iter().any(|group| group.max_attempts() > 0) {
            faults.push(format!("{at}: retries caught errors"));
        }
        let own: Vec<_> = rest
            .iter()
            .map(|group| group.names().iter().all(|name| !name.contains('.')))
            .collect();
        if !own.is_sorted() {
            faults.push(format!("{at}: retries its step's own errors before Lambda's"));
        }
        let names: Vec<_> = groups.iter().flat_map(|group| group.names()).collect();
        if names.iter().collect::<BTreeSet<_>>().len() != names.len() {
            faults.push(format!("{at}: names an error in two Retry groups"));
        }
    }
    faults
}

/// Lambda's errors that a Task does not retry, or retries too often.
fn completeness(machines: &[Machine]) -> Vec<String> {
    let steps = steps();
    let mut faults = vec![];
    for (machine, task, at) in lambda_tasks(machines) {
        let mut check =
            |error: &str, is_right: &dyn Fn(Group<'_>) -> bool, what: &str| match retry(machine, task, error)
            {
                None => faults.push(format!("{at}: does not retry {error}")),
                Some(group) if !is_right(group) => {
                    faults.push(format!("{at}: {error} must be retried {what}"));
                }
                Some(_) => {}
            };
        for error in LAMBDA_SERVICE {
            let advised = |group: Group<'_>| {
                (
                    number(group, "IntervalSeconds"),
                    number(group, "BackoffRate"),
                    group.max_attempts(),
                ) == (2.0, 2.0, 6)
            };
            check(error, &advised, "as AWS advises");
        }
        let has_heartbeat = has_heartbeat(machine, task);
        for error in ["States.HeartbeatTimeout", TIMEOUT]
            .iter()
            .filter(|_| has_heartbeat)
        {
            check(error, &|group| group.max_attempts() > 3, "for hours");
        }
        for error in CRASHES
            .into_iter()
            .filter(|error| !has_heartbeat || *error != TIMEOUT)
        {
            check(
                error,
                &|group| (1..=3).contains(&group.max_attempts()),
                "one to three times",
            );
        }
        check(TOO_MANY_REQUESTS, &|_| true, "");
        let step = machine
            .function(task)
            .and_then(|function| steps.get(function.name()));
        let passing = step.into_iter().flat_map(|step| &step.errors);
        for name in passing.filter(|name| name.class() == ErrorClass::Transient) {
            if *name == ErrorName::CallTimedOut {
                let is_right = |group: Group<'_>| (1..=PAID_RETRIES).contains(&group.max_attempts());
                check(name.as_str(), &is_right, "at most twelve times");
            } else {
                check(name.as_str(), &|group| group.max_attempts() > 0, "");
            }
        }
    }
    faults
}

/// Differences between the Retry groups of the Tasks. The language cannot share groups, so every Task repeats them. With
/// a group that is changed in one place only, the number of retries would depend on the step.
fn differences(machines: &[Machine]) -> Vec<String> {
    let mut first: BTreeMap<&str, (String, Value)> = BTreeMap::new();
    let mut faults = vec![];
    for (machine, task, at) in lambda_tasks(machines) {
        for group in machine.definition.groups(task, "Retry") {
            // Which errors are caught differs from step to step.
            if group.max_attempts() == 0 {
                continue;
            }
            // The policy, and the names that it is for.
            let mut policy = group.0.clone();
            if let Some(names) = policy["ErrorEquals"].as_array_mut() {
                names.retain(|name| name != TIMEOUT);
            }
            let has_heartbeat = has_heartbeat(machine, task);
            let names = group.names().into_iter();
            for name in names.filter(|name| !has_heartbeat || *name != TIMEOUT) {
                let (other, expected) = first.entry(name).or_insert_with(|| (at.clone(), policy.clone()));
                if policy != *expected {
                    faults.push(format!(
                        "{at}: the Retry group of {name} differs from that of {other}"
                    ));
                }
            }
        }
    }
    faults
}

/// Groups for errors of load that give up too early, all at once, or too late.
fn patience(machines: &[Machine]) -> Vec<String> {
    let mut faults = vec![];
    for (machine, task, at) in lambda_tasks(machines) {
        let lifetime = machine.definition.json()["TimeoutSeconds"].as_f64();
        for error in [TOO_MANY_REQUESTS, "Throttled"] {
            // `completeness` finds one that is missing.
            let Some(group) = retry(machine, task, error) else {
                continue;
            };
            if group.0["JitterStrategy"] != "FULL" {
                faults.push(format!(
                    "{at}: without full jitter, all retries of {error} come at the same moment"
                ));
            }
            // Full jitter draws each delay d evenly from zero to the longest: mean d/2, variance d²/12. One execution in
            // 30,000 gives up more than four standard deviations below the mean.
            let (sum, squares) = longest_delays(group).fold((0.0, 0.0), |(sum, squares), delay| {
                (sum + delay, squares + delay * delay)
            });
            let shortest = sum / 2.0 - 4.0 * (squares / 12.0_f64).sqrt();
            let hours = |seconds: f64| seconds / 3600.0;
            if shortest.is_nan() || shortest < PATIENCE_SECONDS {
                faults.push(format!(
                    "{at}: gives up {error} after {:.1} hours",
                    hours(shortest)
                ));
            }
            if lifetime.is_none_or(|lifetime| sum >= lifetime) {
                faults.push(format!(
                    "{at}: can retry {error} for {:.1} hours, longer than an execution may run",
                    hours(sum)
                ));
            }
            if longest_delays(group).any(|delay| delay > MAX_DELAY_SECONDS) {
                faults.push(format!(
                    "{at}: waits longer than {MAX_DELAY_SECONDS} seconds between attempts of {error}"
                ));
            }
        }
    }
    faults
}

/// Machines whose executions can fill their history with retries.
fn histories(machines: &[Machine]) -> Vec<String> {
    let too_long = machines.iter().filter_map(|machine| {
        let attempts = |task: &str| {
            let groups = machine.definition.groups(task, "Retry").into_iter();
            groups.map(Group::max_attempts).sum::<u64>() + 1
        };
        // An attempt is scheduled, started and failed; the state is entered and left.
        let tasks = machine.definition.tasks().into_iter();
        let events: u64 = tasks.map(|task| attempts(task) * 3 + 2).sum();
        (events >= HISTORY_LIMIT).then(|| format!("{}: {events} events", machine.name()))
    });
    too_long.collect()
}

/// Fail states, which fail again when they are redriven, and Tasks that can hang or that give up before their function.
fn timeouts(machines: &[Machine]) -> Vec<String> {
    let mut faults = vec![];
    for machine in machines {
        for (name, state) in machine.definition.states() {
            let at = format!("{}, \"{name}\"", machine.name());
            if state["Type"] == "Fail" {
                faults.push(format!("{at}: a Fail state cannot be redriven to success"));
            }
            if !state["Comment"].is_string() {
                faults.push(format!("{at}: has no Comment"));
            }
            if state["Type"] != "Task" {
                continue;
            }
            let Some(timeout) = state["TimeoutSeconds"].as_i64() else {
                faults.push(format!("{at}: can hang, since it has no TimeoutSeconds"));
                continue;
            };
            let function = machine.function(name).map(|function| function.timeout_seconds);
            if function.is_some_and(|function| timeout <= function) {
                faults.push(format!("{at}: times out while its function may still work"));
            }
        }
    }
    faults
}

/// Everything that this module checks.
pub(crate) fn all(machines: &[Machine]) -> Vec<String> {
    [order, completeness, differences, patience, histories, timeouts]
        .map(|check| check(machines))
        .concat()
}

#[test]
fn retry_groups_are_in_order_caught_errors_then_lambdas_then_the_steps_own() {
    assert_no_faults(&order(&machines()));
}

#[test]
fn every_task_retries_lambdas_errors_and_those_of_its_step_that_can_pass() {
    assert_no_faults(&completeness(&machines()));
}

#[test]
fn an_error_is_retried_the_same_way_in_every_task_of_every_machine() {
    let machines = machines();
    assert!(lambda_tasks(&machines).count() > 1, "there is nothing to compare");
    assert_no_faults(&differences(&machines));
}

/// Users upload whole folders: images wait, and none fails because of the others.
#[test]
fn an_image_is_retried_under_load_for_at_least_six_hours() {
    assert_no_faults(&patience(&machines()));
}

#[test]
fn an_execution_that_uses_all_retries_of_all_tasks_does_not_overflow_its_history() {
    assert_no_faults(&histories(&machines()));
}

#[test]
fn failures_end_at_a_task_and_no_task_can_hang() {
    assert_no_faults(&timeouts(&machines()));
}
