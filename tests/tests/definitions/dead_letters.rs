//! The dead-letter queue of `template.yaml`, compared with the command that empties it.

use saphyr::{LoadableYamlNode, Yaml};
use std::collections::BTreeSet;
use tests::template::{at, entries, texts};

const TEMPLATE: &str = include_str!("../../../template.yaml");
const REDRIVE: &str = include_str!("../../../xtask/python/redrive.py");

/// An event that cannot be redriven would stay in the queue until it expires.
#[test]
fn every_event_that_can_reach_the_dead_letter_queue_can_be_redriven() {
    let documents = Yaml::load_from_str(TEMPLATE).expect("YAML");
    let mut types = BTreeSet::new();
    let mut check = |rule: &str, target: &Yaml<'_>, pattern: Option<&Yaml<'_>>| {
        assert!(
            at(target, &["DeadLetterConfig", "Arn"]).is_some(),
            "{rule} has no dead-letter queue, so undeliverable events are lost"
        );
        let of_pattern = |name| texts(pattern.and_then(|pattern| at(pattern, &[name])));
        for source in of_pattern("source") {
            for detail_type in of_pattern("detail-type") {
                types.insert(format!("(\"{source}\", \"{detail_type}\")"));
            }
        }
    };
    for (name, resource) in entries(at(&documents[0], &["Resources"])) {
        for (event, rule) in entries(at(resource, &["Properties", "Events"])) {
            let properties = at(rule, &["Properties"]).expect("properties");
            // The next run of a schedule does what a lost one has not done. An execution whose message is lost polls its job.
            if at(properties, &["Schedule"]).is_none() && at(properties, &["Topic"]).is_none() {
                check(
                    &format!("{name}: {event}"),
                    properties,
                    at(properties, &["Pattern"]),
                );
            }
        }
        if at(resource, &["Type"]).and_then(Yaml::as_str) == Some("AWS::Events::Rule") {
            let targets = at(resource, &["Properties", "Targets"]).and_then(Yaml::as_sequence);
            for target in targets.into_iter().flatten() {
                check(name, target, at(resource, &["Properties", "EventPattern"]));
            }
        }
    }
    let received: BTreeSet<_> = REDRIVE
        .lines()
        .filter_map(|line| line.trim().split_once("): "))
        .filter(|(kind, _)| kind.starts_with("(\""))
        .map(|(kind, _)| format!("{kind})"))
        .collect();
    assert_eq!(received, types);
}
