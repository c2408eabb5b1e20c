//! What `template.yaml` says about the functions and state machines that it deploys.

use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeMap;
use std::path::Path;

/// The parts of `template.yaml` that the checks of the state machines need.
#[derive(Debug, Clone, Default)]
pub struct Template {
    /// Functions by their logical IDs.
    pub functions: BTreeMap<String, Function>,
    /// State machines by their logical IDs.
    pub state_machines: BTreeMap<String, StateMachine>,
}

/// A Lambda function of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The folder of its crate, such as `steps/validate`.
    pub code: String,
    /// `Timeout` of the function or of `Globals`, in seconds.
    pub timeout_seconds: i64,
}

/// A state machine of the template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateMachine {
    /// The path of its definition, such as `statemachine/label-image.asl.json`.
    pub definition: String,
    /// `DefinitionSubstitutions`: what each name stands for, such as `ValidateFunction.Version`.
    pub substitutions: BTreeMap<String, String>,
}

impl Function {
    /// The name of its crate's folder, such as `validate`.
    pub fn name(&self) -> &str {
        self.code.rsplit('/').next().unwrap_or_default()
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Panics
    /// If the file does not exist or is not YAML.
    pub fn read(path: &Path) -> Self {
        let content =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let documents =
            Yaml::load_from_str(&content).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let default_timeout = at(&documents[0], &["Globals", "Function", "Timeout"]);
        let mut template = Self::default();
        for (id, resource) in entries(at(&documents[0], &["Resources"])) {
            let text = |name| {
                at(resource, &["Properties", name])
                    .and_then(text)
                    .unwrap_or_default()
            };
            match at(resource, &["Type"]).and_then(Yaml::as_str) {
                Some("AWS::Serverless::Function") => {
                    let timeout = at(resource, &["Properties", "Timeout"]).or(default_timeout);
                    let function = Function {
                        code: text("CodeUri").to_owned(),
                        // Lambda's own default.
                        timeout_seconds: timeout.and_then(Yaml::as_integer).unwrap_or(3),
                    };
                    template.functions.insert(id.to_owned(), function);
                }
                Some("AWS::Serverless::StateMachine") => {
                    let substitutions = entries(at(resource, &["Properties", "DefinitionSubstitutions"]))
                        .map(|(name, value)| {
                            (name.to_owned(), self::text(value).unwrap_or_default().to_owned())
                        })
                        .collect();
                    let machine = StateMachine {
                        definition: text("DefinitionUri").to_owned(),
                        substitutions,
                    };
                    template.state_machines.insert(id.to_owned(), machine);
                }
                _ => {}
            }
        }
        template
    }

    /// The function that a substitution such as `ValidateFunction.Arn` or `ValidateFunction.Version` stands for.
    pub fn function(&self, substitution: &str) -> Option<&Function> {
        let (function, "Arn" | "Version") = substitution.rsplit_once('.')? else {
            return None;
        };
        self.functions.get(function)
    }
}

/// The value under a path of names.
pub fn at<'a>(yaml: &'a Yaml<'a>, path: &[&str]) -> Option<&'a Yaml<'a>> {
    path.iter().try_fold(yaml, |yaml, name| yaml.as_mapping_get(name))
}

/// The entries of a mapping; none if it is missing.
///
/// # Panics
/// If a key is not text.
pub fn entries<'a>(yaml: Option<&'a Yaml<'a>>) -> impl Iterator<Item = (&'a str, &'a Yaml<'a>)> {
    let mapping = yaml.and_then(Yaml::as_mapping).into_iter().flatten();
    mapping.map(|(name, value)| (name.as_str().expect("a name"), value))
}

/// A text, also behind a tag such as `!GetAtt`. Of an `!If`, the text of the first value.
pub fn text<'a>(yaml: &'a Yaml<'a>) -> Option<&'a str> {
    let untagged = yaml.get_tagged_node().unwrap_or(yaml);
    match untagged.as_sequence() {
        Some(values) => text(values.get(1)?),
        None => untagged.as_str(),
    }
}

/// The texts of a list, or the only text. None if it is missing.
///
/// # Panics
/// If something in it is not a text.
pub fn texts<'a>(yaml: Option<&'a Yaml<'a>>) -> Vec<&'a str> {
    let Some(yaml) = yaml else { return vec![] };
    let expected = |yaml| text(yaml).expect("a text");
    match yaml.as_sequence() {
        Some(list) => list.iter().map(expected).collect(),
        None => vec![expected(yaml)],
    }
}
