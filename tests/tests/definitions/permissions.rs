//! The permissions of the functions in `template.yaml`.

use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeMap;
use tests::template::{at, entries, texts};

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// The record of a video names an execution of `label-image` or of `label-video`. A function that may describe only the former
/// works with pictures, and fails with the first video that is being labeled.
#[test]
fn functions_that_describe_executions_of_images_also_describe_those_of_videos() {
    let documents = Yaml::load_from_str(TEMPLATE).expect("YAML");
    let mut described: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, resource) in entries(at(&documents[0], &["Resources"])) {
        if at(resource, &["Type"]).and_then(Yaml::as_str) != Some("AWS::Serverless::Function") {
            continue;
        }
        let policies = at(resource, &["Properties", "Policies"]).and_then(Yaml::as_sequence);
        let statements = policies
            .into_iter()
            .flatten()
            .filter_map(|policy| at(policy, &["Statement"]).and_then(Yaml::as_sequence))
            .flatten();
        for statement in statements {
            if texts(at(statement, &["Action"])).contains(&"states:DescribeExecution") {
                let resources = texts(at(statement, &["Resource"]));
                described.entry(name).or_default().extend(resources);
            }
        }
    }
    let describes = |resources: &[&str], machine: &str| resources.iter().any(|arn| arn.ends_with(machine));
    let of_images: Vec<_> = described
        .iter()
        .filter(|(_, resources)| describes(resources, "-label-image:*"))
        .collect();
    assert!(of_images.len() >= 5, "{described:?}");
    for (name, resources) in of_images {
        assert!(describes(resources, "-label-video:*"), "{name}: {resources:?}");
    }
}
