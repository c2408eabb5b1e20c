//! The state machine's definition, held against the code and the template that it belongs to. Needs no
//! running stack.

use convert::ConvertError;
use detect_labels::DetectLabelsError;
use domain::{ErrorClass, ErrorName};
use filter_labels::FilterLabelsError;
use lambda::{ServiceError, StepError};
use notify::NotifyError;
use persist::PersistError;
use picture::PictureError;
use picture_header::HeaderError;
use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use strum::IntoEnumIterator;
use validate::ValidateError;

const DEFINITION: &str = include_str!("../../statemachine/label-image.asl.json");
const TEMPLATE: &str = include_str!("../../template.yaml");

/// Every error that a Task's step can end in, by its name.
fn errors_by_task() -> BTreeMap<&'static str, HashSet<ErrorName>> {
    fn own<E: StepError + IntoEnumIterator>() -> impl Iterator<Item = ErrorName> {
        E::iter().map(|error| error.name())
    }
    fn services() -> impl Iterator<Item = ErrorName> {
        ServiceError::iter().map(|error| error.name())
    }
    let unusable_policy = FilterLabelsError::from(domain::policy::PolicyError::MaxLabels).name();
    let mut errors = BTreeMap::from([
        (
            "Validate image",
            own::<ValidateError>()
                .chain(HeaderError::iter().map(HeaderError::name))
                .chain(services())
                .collect::<HashSet<_>>(),
        ),
        (
            "Convert picture",
            own::<ConvertError>()
                .chain(PictureError::iter().map(PictureError::name))
                .chain(HeaderError::iter().map(HeaderError::name))
                .chain(services())
                .collect(),
        ),
        (
            "Detect labels",
            own::<DetectLabelsError>().chain(services()).collect(),
        ),
        (
            "Detect labels of rendition",
            own::<DetectLabelsError>()
                // There is one.
                .filter(|name| name.class() != ErrorClass::Conversion)
                .chain(services())
                .collect(),
        ),
        ("Filter labels", HashSet::from([unusable_policy])),
        (
            "Persist result",
            own::<PersistError>().chain(services()).collect(),
        ),
        (
            "Send notification",
            own::<NotifyError>().chain(services()).collect(),
        ),
    ]);
    for names in errors.values_mut() {
        // Of a payload that the step cannot read.
        names.insert(ErrorName::InvalidInput);
    }
    errors
}

fn definition() -> Value {
    serde_json::from_str(DEFINITION).expect("JSON without any substitution made")
}

fn tasks(definition: &Value) -> BTreeMap<&str, &Value> {
    let states = definition["States"].as_object().expect("states");
    states
        .iter()
        .filter(|(_, state)| state["Type"] == "Task")
        .map(|(name, state)| (name.as_str(), state))
        .collect()
}

/// The names in each group of a `Retry` or `Catch` block, with the group.
fn groups<'a>(task: &'a Value, block: &str) -> Vec<(Vec<&'a str>, &'a Value)> {
    let names = |group: &'a Value| {
        group["ErrorEquals"]
            .as_array()
            .expect("names")
            .iter()
            .map(|name| name.as_str().expect("a name"))
            .collect()
    };
    task[block]
        .as_array()
        .into_iter()
        .flatten()
        .map(|group| (names(group), group))
        .collect()
}

/// Names of the steps' own errors have no dot; those of Lambda and Step Functions do.
fn own_names(task: &Value) -> BTreeSet<&str> {
    let all = [groups(task, "Retry"), groups(task, "Catch")].concat();
    all.into_iter()
        .flat_map(|(names, _)| names)
        .filter(|name| !name.contains('.'))
        .collect()
}

/// A name that is spelled differently on one side would be neither retried nor caught: a bad file
/// would fail its execution, or an image be lost to a moment of throttling.
#[test]
fn the_state_machine_and_the_code_know_the_same_error_names() {
    let definition = definition();
    let in_definition: BTreeSet<_> = tasks(&definition).into_values().flat_map(own_names).collect();
    let in_code: BTreeSet<_> = ErrorName::iter()
        .filter(|name| name.class() != ErrorClass::Fatal)
        .map(ErrorName::as_str)
        .collect();
    assert_eq!(in_definition, in_code);
}

#[test]
fn each_error_of_a_step_is_handled_once_and_by_its_class() {
    let definition = definition();
    let (tasks, errors) = (tasks(&definition), errors_by_task());
    assert_eq!(
        tasks.keys().collect::<Vec<_>>(),
        errors.keys().collect::<Vec<_>>(),
        "a Task is not tested"
    );
    for (task_name, task) in tasks {
        for name in &errors[task_name] {
            let with = |block| {
                let mut groups = groups(task, block);
                groups.retain(|(names, _)| names.contains(&name.as_str()));
                groups.into_iter().map(|(_, group)| group).collect::<Vec<_>>()
            };
            let (retries, catches) = (with("Retry"), with("Catch"));
            let at = format!("{} in \"{task_name}\"", name.as_str());
            let (retried, caught) = match name.class() {
                ErrorClass::File => (Some(false), Some("Persist result")),
                ErrorClass::NothingToDo => (Some(false), Some("Leave unchanged")),
                ErrorClass::Conversion => (Some(false), Some("Convert picture")),
                ErrorClass::Passing => (Some(true), None),
                ErrorClass::Fatal => (None, None),
            };
            let attempts = |group: &Value| group["MaxAttempts"].as_u64().expect("MaxAttempts") > 0;
            assert_eq!(
                retries.iter().map(|group| attempts(group)).collect::<Vec<_>>(),
                Vec::from_iter(retried),
                "{at}"
            );
            assert_eq!(
                catches.iter().map(|group| &group["Next"]).collect::<Vec<_>>(),
                Vec::from_iter(caught),
                "{at}"
            );
        }
        let possible = errors[task_name].iter().map(|name| name.as_str()).collect();
        let impossible: Vec<_> = own_names(task).difference(&possible).copied().collect();
        assert!(
            impossible.is_empty(),
            "\"{task_name}\" handles {impossible:?}, which its step never reports"
        );
    }
}

/// A wildcard would retry a bad file for hours, or end as success what an operator should redrive.
#[test]
fn no_task_handles_errors_without_naming_them() {
    let definition = definition();
    for (task_name, task) in tasks(&definition) {
        for (names, _) in [groups(task, "Retry"), groups(task, "Catch")].concat() {
            for name in names {
                assert!(
                    !["States.ALL", "States.TaskFailed"].contains(&name),
                    "{name} in \"{task_name}\""
                );
            }
        }
    }
}

/// One that is missing in the template is deployed as the text `${…}`, and its Task calls nothing.
#[test]
fn the_template_substitutes_what_the_definition_leaves_open_and_nothing_else() {
    let open: BTreeSet<_> = DEFINITION
        .split("${")
        .skip(1)
        .map(|rest| {
            rest.split_once('}')
                .expect("a substitution that ends")
                .0
                .to_owned()
        })
        .collect();
    let documents = Yaml::load_from_str(TEMPLATE).expect("YAML");
    let substitutions = ["Resources", "LabelImage", "Properties", "DefinitionSubstitutions"]
        .iter()
        .try_fold(&documents[0], |yaml, name| yaml.as_mapping_get(name))
        .and_then(Yaml::as_mapping)
        .expect("substitutions in the template");
    let made: BTreeSet<_> = substitutions
        .keys()
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect();
    assert_eq!(open, made);
}
