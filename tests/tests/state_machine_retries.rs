//! What the emulator ignores, asserted on the definition: delays, jitter, caps and timeouts, and the order of
//! the Retry groups.

use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeSet;
use tests::state_machine::Definition;
use tests::state_machine::definition::Group;

const TEMPLATE: &str = include_str!("../../template.yaml");

/// Lambda's own errors that pass by themselves.
/// Source: "Transient AWS Lambda service exceptions" among the best practices of Step Functions.
const LAMBDA_PASSING: [&str; 4] = [
    "Lambda.ClientExecutionTimeoutException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
];

/// A process that died or hung. The next one may do better, but a picture that kills each must not go on for hours.
const CRASHES: [&str; 4] = [
    "Lambda.Unknown",
    "Runtime.ExitError",
    "Sandbox.Timedout",
    "States.Timeout",
];

/// Others came first: too many executions of the function, or too many calls of a service.
const CROWDED: [&str; 2] = ["Lambda.TooManyRequestsException", "Throttled"];

/// For this long, an image whose turn has not come is not given up.
const PATIENCE_SECONDS: f64 = 6.0 * 60.0 * 60.0;

/// Events in an execution's history. Source: quotas of Step Functions.
const HISTORY_LIMIT: u64 = 25_000;

fn number(group: Group<'_>, field: &str) -> f64 {
    group.0[field]
        .as_f64()
        .unwrap_or_else(|| panic!("{field} in {}", group.0))
}

/// The group of a Task's `Retry` block that names an error, and its place.
fn retry<'a>(definition: &'a Definition, task: &str, error: &str) -> Option<(usize, Group<'a>)> {
    definition
        .groups(task, "Retry")
        .into_iter()
        .enumerate()
        .find(|(_, group)| group.names().contains(&error))
}

/// The longest delay before each retry, in seconds; full jitter draws from zero up to it.
fn longest_delays(group: Group<'_>) -> impl Iterator<Item = f64> {
    let (first, rate) = (number(group, "IntervalSeconds"), number(group, "BackoffRate"));
    let cap = group.0["MaxDelaySeconds"].as_f64().unwrap_or(f64::INFINITY);
    let retries = i32::try_from(group.max_attempts()).expect("a number of retries");
    (0..retries).map(move |retry| (first * rate.powi(retry)).min(cap))
}

/// A bad file that is retried first keeps its owner waiting; a group that is not reached retries nothing.
#[test]
fn groups_stand_in_the_order_not_retried_then_lambdas_errors_then_the_steps_own() {
    let definition = Definition::read();
    for task in definition.tasks() {
        let groups = definition.groups(task, "Retry");
        let caught: BTreeSet<_> = definition
            .groups(task, "Catch")
            .into_iter()
            .flat_map(Group::names)
            .collect();
        let (first, rest) = groups.split_at(usize::from(!caught.is_empty()));
        let not_retried: BTreeSet<_> = first.iter().flat_map(|group| group.names()).collect();
        assert_eq!(
            not_retried, caught,
            "\"{task}\" does not retry exactly what it catches"
        );
        assert!(
            first.iter().all(|group| group.max_attempts() == 0),
            "\"{task}\" retries what it catches"
        );

        let own: Vec<_> = rest
            .iter()
            .map(|group| group.names().iter().all(|name| !name.contains('.')))
            .collect();
        assert!(
            own.is_sorted(),
            "\"{task}\" retries its step's own errors before Lambda's: {own:?}"
        );
        let names: Vec<_> = groups.iter().flat_map(|group| group.names()).collect();
        assert_eq!(
            names.iter().collect::<BTreeSet<_>>().len(),
            names.len(),
            "\"{task}\" names an error twice"
        );
    }
}

#[test]
fn lambdas_own_passing_errors_are_retried_as_aws_advises() {
    let definition = Definition::read();
    for task in definition.tasks() {
        for error in LAMBDA_PASSING {
            let (_, group) =
                retry(&definition, task, error).unwrap_or_else(|| panic!("{error} in \"{task}\""));
            let settings = (
                number(group, "IntervalSeconds"),
                number(group, "BackoffRate"),
                group.max_attempts(),
            );
            assert_eq!(settings, (2.0, 2.0, 6), "{error} in \"{task}\"");
        }
    }
}

#[test]
fn a_step_that_dies_is_tried_again_but_not_for_long() {
    let definition = Definition::read();
    for task in definition.tasks() {
        for error in CRASHES {
            let (_, group) =
                retry(&definition, task, error).unwrap_or_else(|| panic!("{error} in \"{task}\""));
            assert!((1..=3).contains(&group.max_attempts()), "{error} in \"{task}\"");
        }
    }
}

/// People drop whole folders and importers whole archives: images wait, and none fails because others came first.
#[test]
fn an_image_waits_for_its_turn_for_at_least_six_hours() {
    let definition = Definition::read();
    let lifetime = definition.json()["TimeoutSeconds"]
        .as_f64()
        .expect("the machine's TimeoutSeconds");
    let mut found = BTreeSet::new();
    for task in definition.tasks() {
        for error in CROWDED {
            let Some((_, group)) = retry(&definition, task, error) else {
                continue;
            };
            found.insert((error, task));
            let at = format!("{error} in \"{task}\"");
            assert_eq!(
                group.0["JitterStrategy"], "FULL",
                "{at}: all would come back at the same moment"
            );
            // Jitter draws each delay evenly from zero to the longest: mean d/2, variance d²/12. Four standard
            // deviations below the mean, one execution in 30,000 gives up earlier.
            let (sum, squares) = longest_delays(group).fold((0.0, 0.0), |(sum, squares), delay| {
                (sum + delay, squares + delay * delay)
            });
            let shortest = sum / 2.0 - 4.0 * (squares / 12.0_f64).sqrt();
            assert!(
                shortest >= PATIENCE_SECONDS,
                "{at}: gives up after {:.1} hours",
                shortest / 3600.0
            );
            assert!(
                sum < lifetime,
                "{at}: can wait {:.1} hours, longer than an execution lives",
                sum / 3600.0
            );
            let longest = longest_delays(group).fold(0.0, f64::max);
            assert!(
                longest <= 1800.0,
                "{at}: somebody waits for {longest} seconds after all others are done"
            );
        }
    }
    for task in definition.tasks() {
        assert!(
            found.contains(&("Lambda.TooManyRequestsException", task)),
            "\"{task}\""
        );
    }
    assert!(found.contains(&("Throttled", "Detect labels")));
}

#[test]
fn an_execution_that_uses_up_all_retries_of_all_tasks_does_not_overflow_its_history() {
    let definition = Definition::read();
    // Scheduled, started, failed.
    let events = |task: &str| {
        let tries: u64 = definition
            .groups(task, "Retry")
            .into_iter()
            .map(Group::max_attempts)
            .sum::<u64>()
            + 1;
        tries * 3 + 2
    };
    let events: u64 = definition.tasks().into_iter().map(events).sum();
    assert!(events < HISTORY_LIMIT, "{events}");
}

/// A Fail state fails again when it is redriven, and what has no timeout of its own can hang for a year.
#[test]
fn failures_end_at_a_task_and_no_task_can_hang() {
    let definition = Definition::read();
    let documents = Yaml::load_from_str(TEMPLATE).expect("YAML");
    let function_timeout = ["Globals", "Function", "Timeout"]
        .iter()
        .try_fold(&documents[0], |yaml, name| yaml.as_mapping_get(name))
        .and_then(Yaml::as_integer)
        .expect("the functions' timeout");
    for (name, state) in definition.states() {
        assert!(
            ["Task", "Succeed"].contains(&state["Type"].as_str().expect("a type")),
            "\"{name}\": {state}"
        );
        assert!(state["Comment"].is_string(), "nobody says what \"{name}\" is for");
        if state["Type"] == "Task" {
            let timeout = state["TimeoutSeconds"]
                .as_i64()
                .unwrap_or_else(|| panic!("\"{name}\" can hang"));
            assert!(
                timeout > function_timeout,
                "\"{name}\" gives up while its function still works"
            );
        }
    }
}
