//! Every state and every path of the state machine, without the steps: the cases of `statemachine/cases/` and
//! one case for each error of each Task, as mocked executions in an emulator of this test's own.

use domain::{ClaimedImage, DetectedImage, ErrorClass, ErrorName, Outcome, PersistInput, ValidateInput};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use strum::IntoEnumIterator;
use tests::state_machine::definition::UNKNOWN_ERROR;
use tests::state_machine::emulator::Emulator;
use tests::state_machine::{Case, Definition, Ending, Execution, Expected, Mock, Transition, test_state};
use tokio::runtime::Runtime;

/// Errors that no Task may handle: a definition or a permission at fault, and a step that panics.
const UNHANDLED: [&str; 6] = [
    UNKNOWN_ERROR,
    "&alloc::boxed::Box<dyn core::any::Any + core::marker::Send>",
    "Lambda.ResourceNotFoundException",
    "States.DataLimitExceeded",
    "States.Permissions",
    "States.QueryEvaluationError",
];

/// All executions, which run once for all tests. The emulator is stopped before any test looks at them.
static SEEN: LazyLock<Seen> = LazyLock::new(|| {
    let definition = Definition::read();
    let written = Case::all();
    let derived = derived(&definition, &written);
    let cases = [written.as_slice(), &derived].concat();
    let (executions, paths) = runtime().block_on(async {
        let emulator = Emulator::start(&cases).await;
        let executions = emulator.run(&definition, &cases).await;
        let sfn = emulator.sfn_for_test_state();
        let mut paths = vec![];
        for case in &written {
            paths.push(test_state::walk(&sfn, &definition, case).await);
        }
        (executions, paths)
    });
    let mut seen: Vec<_> = cases.into_iter().zip(executions).collect();
    let derived = seen.split_off(written.len());
    Seen {
        definition,
        written: seen,
        derived,
        paths,
    }
});

struct Seen {
    definition: Definition,
    /// Of the files in `statemachine/cases/`.
    written: Vec<(Case, Execution)>,
    /// Of each error of each Task.
    derived: Vec<(Case, Execution)>,
    /// Of the files again, with the emulator's TestState.
    paths: Vec<Execution>,
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
}

/// One case for each error of each Task. Steps before it answer as they do in `labeled.json`, or in `converted.json` on
/// the way around by a conversion; steps after it give back what they are given.
fn derived(definition: &Definition, written: &[Case]) -> Vec<Case> {
    let named = |name| written.iter().find(|case| case.name == name).expect("the case");
    let (labeled, converted) = (named("labeled"), named("converted"));
    let named: BTreeSet<_> = definition
        .tasks()
        .into_iter()
        .flat_map(|task| definition.errors(task))
        .collect();
    let own = ErrorName::iter().map(|name| -> &str { name.as_str() });
    let errors: BTreeSet<_> = named.into_iter().chain(own).chain(UNHANDLED).collect();
    let pairs = definition
        .tasks()
        .into_iter()
        .flat_map(|task| errors.iter().map(move |error| (task, *error)));
    let case = |(number, (task, error)): (usize, (&str, &str))| {
        let way = definition.way_to(task);
        let like = if way.contains(&"Convert picture") {
            converted
        } else {
            labeled
        };
        let before = way[..way.len() - 1]
            .iter()
            .map(|task| (task.to_string(), like.mocks[*task].clone()));
        let cause = json!({"errorType": error, "errorMessage": "a sentence"}).to_string();
        let thrown = Mock::Throws {
            error: error.to_owned(),
            cause: cause.clone(),
        };
        let expected = expected(definition, &way, error, &cause, like);
        Case {
            name: format!("derived-{number}"),
            comment: format!("\"{task}\" ends in {error}"),
            input: labeled.input.clone(),
            mocks: before.chain([(task.to_owned(), thrown)]).collect(),
            expected,
        }
    };
    pairs.enumerate().map(case).collect()
}

/// Reads what a Task is given as the step itself does.
type Reader = fn(&Value) -> Result<(), serde_json::Error>;

/// What must come of an error of the last of `tasks`, by the class that the code gives it. An error of no
/// class, or one that this step never reports, must fail the execution right there.
fn expected(definition: &Definition, tasks: &[&str], error: &str, cause: &str, like: &Case) -> Expected {
    let task = tasks[tasks.len() - 1];
    let reported = definition.errors(task).contains(error);
    let class = ErrorName::iter()
        .find(|name| reported && name.as_str() == error)
        .map(ErrorName::class);
    let caught = json!({"Error": error, "Cause": cause});
    let (then, output): (&[&str], _) = match class {
        Some(ErrorClass::File) => (
            &["Persist result", "Send notification"],
            Some(json!({
                "status": "REJECTED", "event": "${input}", "executionArn": "${executionArn}", "error": caught,
            })),
        ),
        Some(ErrorClass::NothingToDo) => (&["Leave unchanged"], Some(caught)),
        Some(ErrorClass::Conversion) => {
            // Each step after it gives back the image that it is given.
            let Mock::Returns(image) = &like.mocks["Validate image"] else {
                panic!("labeled.json validates an image")
            };
            let then = &[
                "Convert picture",
                "Detect labels of rendition",
                "Filter labels",
                "Persist result",
                "Send notification",
            ];
            (then, Some(image.clone()))
        }
        Some(ErrorClass::Passing | ErrorClass::Fatal) | None => (&[], None),
    };
    Expected {
        states: tasks.iter().chain(then).map(ToString::to_string).collect(),
        status: if output.is_some() { "SUCCEEDED" } else { "FAILED" }.into(),
        error: output.is_none().then(|| error.to_owned()),
        output,
    }
}

fn assert_all(seen: &[(Case, Execution)]) {
    let differences: Vec<_> = seen
        .iter()
        .filter_map(|(case, execution)| {
            Some(format!(
                "{} ({})",
                case.check(execution, true).err()?,
                case.comment
            ))
        })
        .collect();
    assert!(
        differences.is_empty(),
        "{} of {}:\n{}",
        differences.len(),
        seen.len(),
        differences.join("\n")
    );
}

#[test]
fn each_case_goes_its_way_and_ends_as_it_says() {
    assert!(!SEEN.written.is_empty());
    assert_all(&SEEN.written);
}

/// A bad file that fails its execution stays `FAILED` for ever; a moment of throttling that ends as
/// `REJECTED` loses a good picture; a failure that goes on to another Task cannot be redriven.
#[test]
fn each_error_of_each_task_ends_by_its_class_and_all_others_fail_the_execution_right_there() {
    assert_all(&SEEN.derived);
}

/// A Retry group that comes too late in its block, or a Catch that nothing reaches, would never be seen.
#[test]
fn every_way_out_of_every_state_is_taken_and_no_other() {
    let all = SEEN.written.iter().chain(&SEEN.derived);
    let taken: BTreeSet<Transition> = all
        .flat_map(|(_, execution)| execution.transitions.clone())
        .collect();
    let defined = SEEN.definition.transitions();
    let forgotten: Vec<_> = defined.difference(&taken).collect();
    assert!(forgotten.is_empty(), "no case takes {forgotten:#?}");
    // Errors that the definition does not name are not among its ways out, but must all fail.
    let others: Vec<_> = taken
        .difference(&defined)
        .filter(|way| way.to != Ending::Failed || way.tries > 1)
        .collect();
    assert!(others.is_empty(), "the definition does not say {others:#?}");
}

/// The mocked results must be what the steps really exchange, or the cases prove nothing.
#[test]
fn what_reaches_a_step_is_what_it_can_read() {
    fn read<T: DeserializeOwned>(input: &Value) -> Result<(), serde_json::Error> {
        T::deserialize(input).map(drop)
    }
    let readers: BTreeMap<&str, Reader> = BTreeMap::from([
        ("Convert picture", read::<ClaimedImage> as _),
        ("Detect labels", read::<ClaimedImage> as _),
        ("Detect labels of rendition", read::<ClaimedImage> as _),
        ("Filter labels", read::<DetectedImage> as _),
        ("Persist result", read::<PersistInput> as _),
        ("Send notification", read::<Outcome> as _),
    ]);
    let mut reached = BTreeSet::new();
    for (case, execution) in SEEN.written.iter().chain(&SEEN.derived) {
        for pair in execution.states.windows(2) {
            // What an unmocked Task gives back is not what its step would.
            let Some(read) = readers
                .get(pair[1].name.as_str())
                .filter(|_| case.mocks.contains_key(&pair[0].name))
            else {
                continue;
            };
            read(&pair[1].input)
                .unwrap_or_else(|error| panic!("{}, \"{}\": {error}", case.name, pair[1].name));
            reached.insert(pair[1].name.as_str());
        }
    }
    assert_eq!(reached, readers.into_keys().collect());
    let (_, given) = SEEN
        .written
        .iter()
        .find(|(case, _)| case.name == "what-steps-are-given")
        .expect("the case");
    let output = given.output.clone().expect("an output");
    let input: ValidateInput = serde_json::from_value(output).expect("validate's input");
    assert_eq!(input.execution_arn, given.arn);
}

/// A rejected image's owner reads the step's own sentence, and the record is found again by the event.
#[test]
fn a_rejection_reaches_persist_with_its_event_and_the_steps_own_sentence() {
    let mut rejections = 0;
    for (case, execution) in SEEN.written.iter().chain(&SEEN.derived) {
        let Some(persist) = execution
            .states
            .iter()
            .find(|state| state.input["status"] == "REJECTED")
        else {
            continue;
        };
        let Ok(PersistInput::Rejected(rejected)) = serde_json::from_value(persist.input.clone()) else {
            panic!("{}: {}", case.name, persist.input)
        };
        assert_eq!(persist.input["event"], case.input, "{}", case.name);
        assert_eq!(rejected.execution_arn, execution.arn, "{}", case.name);
        assert!(rejected.image_key().is_some(), "{}", case.name);
        let sentence = &rejected.error.0.message;
        assert!(
            !sentence.is_empty() && !sentence.contains("errorMessage"),
            "{}: {sentence}",
            case.name
        );
        rejections += 1;
    }
    assert!(rejections > 0);
}

/// The emulator's TestState shows where a state leads, but not its output.
#[test]
fn test_state_goes_the_same_ways() {
    for ((case, _), path) in SEEN.written.iter().zip(&SEEN.paths) {
        case.check(path, false).unwrap();
    }
}

/// AWS itself judges definition, expressions, outputs and retries. Needs credentials, hence an opt-in.
#[test]
fn aws_goes_the_same_ways() {
    if std::env::var("ILG_TEST_STATE").as_deref() != Ok("aws") {
        println!("Not run: set ILG_TEST_STATE=aws, with credentials that may call states:TestState.");
        return;
    }
    runtime().block_on(async {
        let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
        let (sfn, definition) = (aws_sdk_sfn::Client::new(&config), Definition::read());
        for case in Case::all() {
            let execution = test_state::walk(&sfn, &definition, &case).await;
            case.check(&execution, true).unwrap();
        }
    });
}
