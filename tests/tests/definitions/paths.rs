//! Every state and every transition of the state machines, without the steps: the cases of `statemachine/cases/` and one
//! case for each error of each Task, as mocked executions in an emulator that these tests start.

use crate::planted::second_machine;
use crate::steps::steps;
use crate::{assert_no_faults, machines};
use domain::{ErrorName, PersistInput};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use strum::IntoEnumIterator;
use tests::state_machine::definition::UNKNOWN_ERROR;
use tests::state_machine::emulator::Emulator;
use tests::state_machine::{Case, Ending, Execution, Expected, Machine, Mock, Transition, test_state};
use tokio::runtime::Runtime;

/// Errors that no Task may handle: mistakes in a definition, missing permissions, and a step that panics.
const UNHANDLED: [&str; 6] = [
    UNKNOWN_ERROR,
    "&alloc::boxed::Box<dyn core::any::Any + core::marker::Send>",
    "Lambda.ResourceNotFoundException",
    "States.DataLimitExceeded",
    "States.Permissions",
    "States.QueryEvaluationError",
];

/// All executions, which run once for all tests. The emulator is stopped before any test reads them.
static SEEN: LazyLock<Vec<Seen>> = LazyLock::new(|| {
    let own = ErrorName::iter().map(ErrorName::as_str);
    let unhandled: Vec<_> = own.chain(UNHANDLED).collect();
    let mut all: Vec<_> = machines()
        .into_iter()
        .map(|machine| Cases::of(machine, &unhandled))
        .collect();
    all.extend(
        second_machine()
            .into_iter()
            .map(|machine| Cases::of(machine, &[UNKNOWN_ERROR])),
    );
    let started: Vec<_> = all.iter().map(Cases::together).collect();
    runtime().block_on(async {
        let emulator = Emulator::start(&started).await;
        let executions = emulator.run(&started).await;
        let sfn = emulator.sfn_for_test_state();
        let mut seen = vec![];
        for (cases, executions) in all.into_iter().zip(executions) {
            let mut executions = executions.into_iter();
            let written: Vec<_> = cases
                .machine
                .cases
                .iter()
                .cloned()
                .zip(executions.by_ref())
                .collect();
            let mut walked = vec![];
            for (case, execution) in &written {
                walked.push(test_state::walk(&sfn, &cases.machine.definition, case, Some(execution)).await);
            }
            seen.push(Seen {
                derived: cases.derived.into_iter().zip(executions).collect(),
                machine: cases.machine,
                written,
                walked,
            });
        }
        seen
    })
});

/// A machine and the cases that are run.
struct Cases {
    machine: Machine,
    derived: Vec<Case>,
}

/// What the emulator showed of a machine.
struct Seen {
    machine: Machine,
    /// The files in `statemachine/cases/<machine>/`.
    written: Vec<(Case, Execution)>,
    /// Each error of each Task.
    derived: Vec<(Case, Execution)>,
    /// The files again, with the emulator's TestState.
    walked: Vec<Execution>,
}

impl Cases {
    /// `others` are errors to throw besides those that the definition names.
    fn of(machine: Machine, others: &[&str]) -> Self {
        let derived = derived(&machine, others);
        Self { machine, derived }
    }

    /// The machine with all cases, for the emulator.
    fn together(&self) -> Machine {
        self.machine
            .with_cases([self.machine.cases.as_slice(), &self.derived].concat())
    }
}

impl Seen {
    fn all(&self) -> impl Iterator<Item = &(Case, Execution)> {
        self.written.iter().chain(&self.derived)
    }
}

/// The machines of the repository, without the planted one.
fn seen() -> impl Iterator<Item = &'static Seen> {
    let names: Vec<_> = machines()
        .iter()
        .map(|machine| machine.name().to_owned())
        .collect();
    SEEN.iter()
        .filter(move |seen| names.iter().any(|name| name == seen.machine.name()))
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// One case for each error of each Task, unless the execution continues after it in its own way, which `uncovered` looks for
/// among the written cases. The states before the Task are those of a written case, with its mocks; every Task after it returns
/// what it is given.
fn derived(machine: &Machine, others: &[&str]) -> Vec<Case> {
    let definition = &machine.definition;
    let tasks: Vec<_> = definition
        .tasks()
        .into_iter()
        .filter(|task| definition.is_top_level(task))
        .collect();
    let named = tasks.iter().flat_map(|task| definition.errors(task));
    let errors: BTreeSet<_> = named.chain(others.iter().copied()).collect();
    let mut cases = vec![];
    for task in tasks {
        let Some((before, like)) = way_to(machine, task) else {
            continue;
        };
        for error in &errors {
            if machine.errors.continued(task, error).is_some() {
                continue;
            }
            let cause = json!({"errorType": error, "errorMessage": "a sentence"}).to_string();
            let thrown = Mock::Throws {
                error: (*error).to_owned(),
                cause: cause.clone(),
            };
            let mocks = like.mocks.iter().filter(|(name, _)| {
                // Tasks inside of a Map before the Task return what they return there.
                before.contains(name) || !definition.is_top_level(name)
            });
            let mocks = mocks.map(|(name, mock)| (name.clone(), mock.clone()));
            cases.push(Case {
                name: format!("derived-{}", cases.len()),
                comment: format!("\"{task}\" ends in {error}"),
                input: like.input.clone(),
                mocks: mocks.chain([(task.to_owned(), thrown)]).collect(),
                objects: like.objects.clone(),
                expected: expected(machine, (before, task), error, &cause, like),
            });
        }
    }
    cases
}

/// The states before a Task in a written case that enters it. Prefers the case in which most Tasks before it return a
/// result, and then the shortest path.
fn way_to<'a>(machine: &'a Machine, task: &str) -> Option<(&'a [String], &'a Case)> {
    let ways = machine.cases.iter().filter_map(|case| {
        let end = case.expected.states.iter().position(|state| state == task)?;
        let before = &case.expected.states[..end];
        let is_task = |state: &&String| machine.definition.state(state)["Type"] == "Task";
        let without_result = before
            .iter()
            .filter(is_task)
            .filter(|state| case.mocks.get(*state).and_then(|mock| mock.result(0)).is_none());
        Some((without_result.count(), before.len(), before, case))
    });
    ways.min_by_key(|(without_result, length, ..)| (*without_result, *length))
        .map(|(.., before, case)| (before, case))
}

/// The expected end after an error of a Task, by the class that the code gives the error. An error of no class, or one
/// that the step never reports to this Task, must fail the execution at the Task.
fn expected(
    machine: &Machine,
    (before, task): (&[String], &str),
    error: &str,
    cause: &str,
    like: &Case,
) -> Expected {
    let is_reported = machine.definition.errors(task).contains(error);
    let name = ErrorName::iter().find(|name| is_reported && name.as_str() == error);
    let caught = name.and_then(|name| machine.errors.caught(name.class()));
    let mut states = before.to_vec();
    states.push(task.to_owned());
    states.extend(caught.into_iter().flat_map(|caught| caught.states.clone()));
    // What the last Task with a result returned is the input of the next one.
    let results = before
        .iter()
        .rev()
        .filter_map(|state| like.mocks.get(state)?.result(0).cloned());
    let task_input = results.into_iter().next().unwrap_or_else(|| like.input.clone());
    let output = caught.map(|caught| {
        let error = json!({"Error": error, "Cause": cause});
        replaced(
            &caught.output_after(task),
            &[("${error}", &error), ("${taskInput}", &task_input)],
        )
    });
    Expected {
        states,
        status: if output.is_some() { "SUCCEEDED" } else { "FAILED" }.into(),
        error: output.is_none().then(|| error.to_owned()),
        output,
    }
}

/// A value with placeholders replaced.
fn replaced(value: &Value, placeholders: &[(&str, &Value)]) -> Value {
    match value {
        Value::String(text) => {
            let found = placeholders.iter().find(|(name, _)| name == text);
            found.map_or_else(|| value.clone(), |(_, value)| (*value).clone())
        }
        Value::Array(values) => values.iter().map(|value| replaced(value, placeholders)).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| (name.clone(), replaced(value, placeholders)))
            .collect(),
        other => other.clone(),
    }
}

/// Executions that do not end as their case expects.
fn unexpected<'a>(machine: &Machine, all: impl IntoIterator<Item = &'a (Case, Execution)>) -> Vec<String> {
    all.into_iter()
        .filter_map(|(case, execution)| {
            let difference = case.check(execution, true).err()?;
            Some(format!("{}, {difference} ({})", machine.name(), case.comment))
        })
        .collect()
}

/// Tasks that no case enters, transitions that no execution takes, and transitions that the definition does not have.
fn uncovered<'a>(machine: &Machine, all: impl IntoIterator<Item = &'a (Case, Execution)>) -> Vec<String> {
    let taken: BTreeSet<Transition> = all
        .into_iter()
        .flat_map(|(_, execution)| execution.transitions.clone())
        .collect();
    let defined = machine.definition.transitions();
    let forgotten = defined
        .difference(&taken)
        .map(|transition| format!("{}: no case takes {transition:?}", machine.name()));
    // Errors that the definition does not name are not among its transitions, but must all fail at the first attempt.
    let others = taken
        .difference(&defined)
        .filter(|transition| transition.to != Ending::Failed || transition.attempts > 1)
        .map(|transition| format!("{}: the definition does not say {transition:?}", machine.name()));
    forgotten.chain(others).collect()
}

/// Inputs that the steps cannot read, and Tasks whose input no case shows. The mocked results must be what the steps
/// really exchange, or the cases prove nothing.
fn unreadable<'a>(machine: &Machine, all: impl IntoIterator<Item = &'a (Case, Execution)>) -> Vec<String> {
    let definition = &machine.definition;
    let steps = steps();
    let mut faults = vec![];
    let mut shown = BTreeSet::new();
    for (case, execution) in all {
        // What the Tasks until here returned is what the steps would return.
        let mut is_real = true;
        for (index, state) in execution.states.iter().enumerate() {
            if definition.state(&state.name)["Type"] != "Task" {
                continue;
            }
            let function = machine.function(&state.name).map(|function| function.name());
            if let Some(step) = function
                .and_then(|function| steps.get(function))
                .filter(|_| is_real)
            {
                let next = execution.states.get(index + 1).map(|next| &next.input);
                // An unmocked Task returns the payload of its function.
                let returned = next.or(execution.output.as_ref());
                let is_echo =
                    !case.mocks.contains_key(&state.name) && definition.returns_payload(&state.name);
                let payload = definition.payload(&state.name, &state.input);
                let payload = payload.or_else(|| returned.filter(|_| is_echo).cloned());
                if let Some(payload) = payload {
                    shown.insert(state.name.as_str());
                    if let Err(error) = (step.read)(&payload) {
                        faults.push(format!(
                            "{}, {}, \"{}\": {error}",
                            machine.name(),
                            case.name,
                            state.name
                        ));
                    }
                }
            }
            is_real &= case.mocks.contains_key(&state.name);
        }
    }
    let hidden = definition
        .lambda_tasks()
        .into_iter()
        .filter(|task| definition.is_top_level(task) && !shown.contains(task));
    faults.extend(hidden.map(|task| format!("{}: no case shows the input of \"{task}\"", machine.name())));
    faults
}

/// Rejections that do not reach `persist` with the event of the execution and the message of the step.
fn rejections<'a>(
    machine: &Machine,
    all: impl IntoIterator<Item = &'a (Case, Execution)>,
) -> (usize, Vec<String>) {
    let is_persist = |state: &str| {
        machine
            .function(state)
            .is_some_and(|function| function.name() == "persist")
    };
    let (mut count, mut faults) = (0, vec![]);
    for (case, execution) in all {
        let mut states = execution.states.iter();
        let Some(persist) =
            states.find(|state| is_persist(&state.name) && state.input["status"] == "REJECTED")
        else {
            continue;
        };
        count += 1;
        let at = format!("{}, {}", machine.name(), case.name);
        let Ok(PersistInput::Rejected(rejected)) = serde_json::from_value(persist.input.clone()) else {
            faults.push(format!("{at}: persist cannot read {}", persist.input));
            continue;
        };
        let message = &rejected.error.0.message;
        if persist.input["event"] != case.input
            || rejected.execution_arn != execution.arn
            || rejected.claim().is_none()
        {
            faults.push(format!(
                "{at}: persist cannot find the image by {}",
                persist.input
            ));
        }
        if message.is_empty() || message.contains("errorMessage") {
            faults.push(format!("{at}: {message:?} is not the message of the step"));
        }
    }
    (count, faults)
}

fn check(faults: impl Fn(&Seen) -> Vec<String>) {
    let faults: Vec<_> = seen().flat_map(faults).collect();
    assert_no_faults(&faults);
}

#[test]
fn each_case_takes_its_path_and_ends_as_expected() {
    check(|seen| unexpected(&seen.machine, &seen.written));
}

/// A bad file that fails its execution stays `FAILED` forever; throttling that ends as `REJECTED` loses a good picture;
/// a failure that continues at another Task cannot be redriven.
#[test]
fn each_error_of_each_task_ends_by_its_class_and_all_others_fail_the_execution_at_the_task() {
    check(|seen| unexpected(&seen.machine, &seen.derived));
}

/// A Retry group that is too late in its block, or a Catch that nothing reaches, is a transition that is never taken.
#[test]
fn every_transition_is_taken_and_no_other() {
    check(|seen| uncovered(&seen.machine, seen.all()));
}

#[test]
fn every_step_can_read_its_input() {
    check(|seen| unreadable(&seen.machine, seen.all()));
}

/// The owner of a rejected image reads the step's own message, and the record is found by the event.
#[test]
fn a_rejection_reaches_persist_with_its_event_and_the_steps_own_message() {
    check(|seen| rejections(&seen.machine, seen.all()).1);
    assert!(seen().any(|seen| rejections(&seen.machine, seen.all()).0 > 0));
}

/// The emulator's TestState shows where a state leads, but not its output.
#[test]
fn test_state_takes_the_same_paths() {
    check(|seen| {
        let walked = seen.written.iter().zip(&seen.walked);
        walked
            .filter_map(|((case, _), execution)| case.check(execution, false).err())
            .collect()
    });
}

/// AWS itself checks definitions, expressions, outputs and retries. Opt-in, since it needs credentials.
#[test]
fn aws_takes_the_same_paths() {
    if std::env::var("ILG_TEST_STATE").as_deref() != Ok("aws") {
        println!("Not run: set ILG_TEST_STATE=aws, with credentials that allow states:TestState.");
        return;
    }
    runtime().block_on(async {
        let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
        let sfn = aws_sdk_sfn::Client::new(&config);
        for machine in machines() {
            for case in &machine.cases {
                let execution = test_state::walk(&sfn, &machine.definition, case, None).await;
                case.check(&execution, true).unwrap();
            }
        }
    });
}

/// The planted machine is correct, and all that is found in its wrong copy was planted there.
#[test]
fn faults_in_the_executions_of_a_second_machine_are_found() {
    let named = |name: &str| {
        SEEN.iter()
            .find(|seen| seen.machine.name() == name)
            .expect("a planted machine")
    };
    let right = named("second");
    let of = |seen: &Seen| {
        let mut faults = unexpected(&seen.machine, seen.all());
        faults.extend(uncovered(&seen.machine, seen.all()));
        faults.extend(unreadable(&seen.machine, seen.all()));
        faults.extend(rejections(&seen.machine, seen.all()).1);
        faults
    };
    assert_no_faults(&of(right));
    for ((case, _), walked) in right.written.iter().zip(&right.walked) {
        case.check(walked, false).unwrap();
    }

    let wrong = named("second-wrong");
    let faults = of(wrong);
    for planted in [
        // A bad file ends without being stored.
        "second-wrong, derived-",
        "(\"Check file\" ends in InvalidImage)",
        // A case expects another output.
        "second-wrong, labeled: the output is",
        // persist gets no event.
        "persist cannot read",
        // detect-labels gets something else than an image.
        "second-wrong, labeled, \"Find labels\": missing field",
    ] {
        assert!(
            faults.iter().any(|fault| fault.contains(planted)),
            "{planted} is not among {faults:#?}"
        );
    }

    // Without the case that waits, that path is not covered.
    let others = right
        .all()
        .filter(|(_, execution)| !execution.states.iter().any(|state| state.name == "Wait"));
    let faults = uncovered(&right.machine, others);
    assert!(
        faults
            .iter()
            .any(|fault| fault.contains("second: no case takes") && fault.contains("Wait")),
        "{faults:?}"
    );
}
