//! The files of the state machines: each definition is deployed with all its substitutions, and each case belongs to a
//! definition.

use crate::assert_no_faults;
use std::collections::BTreeSet;
use std::path::Path;
use tests::state_machine::Machine;
use tests::state_machine::machine::{definitions, repository};
use tests::template::Template;

/// Differences between the definitions and `template.yaml`. A substitution that is missing in the template is deployed as
/// the text `${…}`, and its Task invokes nothing.
pub(crate) fn deployment(project: &Path) -> Vec<String> {
    let template = Template::read(&project.join("template.yaml"));
    let mut faults = vec![];
    for machine in Machine::all(project) {
        let file = format!("statemachine/{}.asl.json", machine.name());
        let deployed = template
            .state_machines
            .values()
            .filter(|machine| machine.definition == file);
        if deployed.count() != 1 {
            faults.push(format!("template.yaml does not deploy {file} exactly once"));
            continue;
        }
        let open = machine.definition.substitutions();
        let made: BTreeSet<_> = machine.substitutions.keys().map(String::as_str).collect();
        faults.extend(
            open.difference(&made)
                .map(|name| format!("{file}: template.yaml does not substitute ${{{name}}}")),
        );
        faults.extend(
            made.difference(&open)
                .map(|name| format!("{file} does not contain ${{{name}}}")),
        );
        for (name, value) in &machine.substitutions {
            if name.ends_with("FunctionArn") && template.function(value).is_none() {
                faults.push(format!("{file}: ${{{name}}} is {value}, which is not a function"));
            }
        }
    }
    let files: BTreeSet<_> = definitions(project)
        .into_keys()
        .map(|name| format!("statemachine/{name}.asl.json"))
        .collect();
    faults.extend(
        template
            .state_machines
            .values()
            .filter(|machine| !files.contains(&machine.definition))
            .map(|machine| {
                format!(
                    "template.yaml deploys {}, which does not exist",
                    machine.definition
                )
            }),
    );
    faults
}

/// Files and folders beside the definitions that belong to none of them.
pub(crate) fn strays(project: &Path) -> Vec<String> {
    let machines = definitions(project);
    let folder = project.join("statemachine");
    let names = |folder: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    };
    let cases = names(&folder.join("cases"))
        .into_iter()
        .filter(|name| !machines.contains_key(name))
        .map(|name| format!("statemachine/cases/{name} belongs to no definition"));
    let errors = names(&folder).into_iter().filter_map(|file| {
        let name = file.strip_suffix(".errors.json")?;
        (!machines.contains_key(name)).then(|| format!("statemachine/{file} belongs to no definition"))
    });
    cases.chain(errors).collect()
}

/// Cases that name states or Tasks that their definition does not have, and machines without cases.
pub(crate) fn cases(machines: &[Machine]) -> Vec<String> {
    let mut faults = vec![];
    for machine in machines {
        let states = machine.definition.states();
        if machine.cases.is_empty() {
            faults.push(format!("statemachine/cases/{} has no case", machine.name()));
        }
        for case in &machine.cases {
            let named = case.mocks.keys().chain(&case.expected.states);
            faults.extend(
                named
                    .filter(|name| !states.contains_key(name.as_str()))
                    .map(|name| format!("{}, {}: there is no state \"{name}\"", machine.name(), case.name)),
            );
        }
    }
    faults
}

#[test]
fn every_definition_is_deployed_with_its_substitutions() {
    assert_no_faults(&deployment(&repository()));
}

#[test]
fn every_case_belongs_to_a_definition_and_names_its_states() {
    assert_no_faults(&strays(&repository()));
    assert_no_faults(&cases(&crate::machines()));
}
