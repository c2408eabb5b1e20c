//! `template.yaml`, held against what relies on its names. Needs no running stack.

use saphyr::{LoadableYamlNode, Yaml};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const TEMPLATE: &str = include_str!("../../template.yaml");
const SAMPLES_ENVIRONMENT: &str = include_str!("../../events/env.json");

fn at<'a>(yaml: &'a Yaml<'a>, path: &[&str]) -> Option<&'a Yaml<'a>> {
    path.iter().try_fold(yaml, |yaml, name| yaml.as_mapping_get(name))
}

fn entries<'a>(yaml: Option<&'a Yaml<'a>>) -> impl Iterator<Item = (&'a str, &'a Yaml<'a>)> {
    let mapping = yaml.and_then(Yaml::as_mapping).into_iter().flatten();
    mapping.map(|(name, value)| (name.as_str().expect("a name"), value))
}

fn names(object: &Value) -> impl Iterator<Item = &str> {
    object.as_object().expect("an object").keys().map(String::as_str)
}

/// `sam local invoke` hands a function no variable that the template does not name for it, and leaves
/// those empty that refer to resources: a sample would speak to a real account, or to nobody.
#[test]
fn the_environment_for_sample_events_has_what_sam_cannot_know_and_nothing_that_it_would_drop() {
    let documents = Yaml::load_from_str(TEMPLATE).expect("YAML");
    let template = &documents[0];
    let parameters: BTreeSet<_> = entries(at(template, &["Parameters"]))
        .map(|(name, _)| name)
        .collect();
    let known_to_sam = |value: &Yaml| match value {
        Yaml::Tagged(tag, name) => {
            tag.suffix == "Ref" && name.as_str().is_some_and(|name| parameters.contains(name))
        }
        _ => true,
    };
    let everywhere = at(template, &["Globals", "Function", "Environment", "Variables"]);
    let needed: BTreeMap<_, BTreeSet<_>> = entries(at(template, &["Resources"]))
        .filter(|(_, resource)| {
            at(resource, &["Type"]).and_then(Yaml::as_str) == Some("AWS::Serverless::Function")
        })
        .map(|(name, function)| {
            let own = at(function, &["Properties", "Environment", "Variables"]);
            let variables = entries(everywhere).chain(entries(own));
            (
                name,
                variables
                    .filter(|(_, value)| !known_to_sam(value))
                    .map(|(name, _)| name)
                    .collect(),
            )
        })
        .collect();

    let environment: Value = serde_json::from_str(SAMPLES_ENVIRONMENT).expect("JSON");
    let given: BTreeMap<_, BTreeSet<_>> = names(&environment)
        .map(|function| (function, names(&environment[function]).collect()))
        .collect();
    assert_eq!(given, needed);
}
