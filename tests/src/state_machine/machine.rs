//! A state machine: definition, cases, caught errors and functions.

use crate::state_machine::{Case, Definition};
use crate::template::{Function, Template};
use domain::ErrorClass;
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const DEFINITION: &str = ".asl.json";

/// A state machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// `statemachine/<name>.asl.json`.
    pub definition: Definition,
    /// `statemachine/cases/<name>/`.
    pub cases: Vec<Case>,
    /// `statemachine/<name>.errors.json`.
    pub errors: Errors,
    /// `DefinitionSubstitutions` of `template.yaml`; empty if the template does not deploy this machine.
    pub substitutions: BTreeMap<String, String>,
    /// The functions that the substitutions stand for, by the names of the substitutions.
    functions: BTreeMap<String, Function>,
}

/// What a machine does with errors of its steps. A file of its own, so that the tests compare the definition with
/// something that was written independently of it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Errors {
    /// For readers of the file.
    pub comment: String,
    /// What follows an error of each class that the machine catches, by the names of [`ErrorClass`].
    caught: BTreeMap<String, Caught>,
    /// The state that follows an error of a Task in place of that for its class. Written cases show how the execution ends.
    #[serde(default)]
    continued: BTreeMap<String, BTreeMap<String, String>>,
    /// Errors that the step of a Task reports elsewhere, but not to this Task.
    #[serde(default)]
    not_reported: BTreeMap<String, BTreeSet<String>>,
}

/// What follows an error that is caught.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caught {
    /// The states after the Task that failed. Every Task among them returns what it is given.
    pub states: Vec<String>,
    /// The output of the execution. `${error}` stands for the error, `${taskInput}` for the input of the Task that
    /// failed, and [`Case`]'s own placeholders for what they always stand for.
    output: Value,
    /// Further fields of the output after an error of single Tasks.
    #[serde(default)]
    added: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Caught {
    /// The output of the execution after an error of a Task.
    ///
    /// # Panics
    /// If fields are added to an output that is no object.
    pub fn output_after(&self, task: &str) -> Value {
        let mut output = self.output.clone();
        for (name, value) in self.added.get(task).into_iter().flatten() {
            let fields = output.as_object_mut().expect("an output with fields");
            fields.insert(name.clone(), value.clone());
        }
        output
    }
}

impl Errors {
    /// What follows an error of a class, if the machine catches it.
    pub fn caught(&self, class: ErrorClass) -> Option<&Caught> {
        self.caught.get(&format!("{class:?}"))
    }

    /// The state with which the execution continues after an error of a Task, in place of that for the error's class.
    pub fn continued(&self, task: &str, error: &str) -> Option<&str> {
        self.continued.get(task)?.get(error).map(String::as_str)
    }

    /// Whether a Task can receive an error that its step reports.
    pub fn is_reported(&self, task: &str, error: &str) -> bool {
        !self
            .not_reported
            .get(task)
            .is_some_and(|errors| errors.contains(error))
    }
}

impl Machine {
    /// Every machine of a project, by name.
    ///
    /// # Panics
    /// If there is none, or a file cannot be read.
    pub fn all(project: &Path) -> Vec<Self> {
        let template = Template::read(&project.join("template.yaml"));
        let machines: Vec<_> = definitions(project)
            .into_iter()
            .map(|(name, path)| Self::read(project, &name, &path, &template))
            .collect();
        assert!(!machines.is_empty(), "{} has no state machine", project.display());
        machines
    }

    fn read(project: &Path, name: &str, path: &Path, template: &Template) -> Self {
        let file = format!("statemachine/{name}{DEFINITION}");
        let deployed = template
            .state_machines
            .values()
            .find(|machine| machine.definition == file);
        let substitutions = deployed
            .map(|machine| machine.substitutions.clone())
            .unwrap_or_default();
        let functions = substitutions
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), template.function(value)?.clone())))
            .collect();
        let errors = project.join(format!("statemachine/{name}.errors.json"));
        let errors = std::fs::read(&errors).map(|text| {
            serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", errors.display()))
        });
        Self {
            definition: Definition::read(name, path),
            cases: Case::all(&project.join("statemachine/cases").join(name)),
            // A machine that catches nothing needs none.
            errors: errors.unwrap_or_default(),
            substitutions,
            functions,
        }
    }

    /// Its name, such as `label-image`.
    pub fn name(&self) -> &str {
        self.definition.name()
    }

    /// The function that a Task calls. `None` if it calls another service, or what it calls is not substituted.
    pub fn function(&self, task: &str) -> Option<&Function> {
        self.functions.get(self.definition.called(task)?)
    }

    /// The machine with other cases.
    #[must_use]
    pub fn with_cases(&self, cases: Vec<Case>) -> Self {
        Self {
            cases,
            ..self.clone()
        }
    }
}

/// The names and paths of a project's definitions.
///
/// # Panics
/// If the folder cannot be read.
pub fn definitions(project: &Path) -> BTreeMap<String, PathBuf> {
    let folder = project.join("statemachine");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths
        .filter_map(|path| {
            let name = path.file_name()?.to_str()?.strip_suffix(DEFINITION)?.to_owned();
            Some((name, path))
        })
        .collect()
}

/// The root of the repository.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
