//! This release reads what the steps of the previous release have written, and what it writes for the same image keeps every
//! field of it. Both matter during every deployment: CloudFormation replaces one function after the other while executions run.
//! Values that only this release writes, such as new error names, are not checked.
//!
//! `tests/contracts/<version>/` has payloads of a release: the samples of its `events/`. CONTRIBUTING.md says when they are
//! replaced.

use domain::ObjectCreated;
use domain::contract::{ClaimedImage, DetectedImage, Outcome, PersistInput, ValidateInput};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use tests::json::contains;
use tests::state_machine::machine::repository;

const PREVIOUS: &str = "0.2.0";

fn folder() -> PathBuf {
    repository().join("tests/contracts").join(PREVIOUS)
}

fn payload(name: &str) -> Value {
    let text = fs::read(folder().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    serde_json::from_slice(&text).expect("JSON")
}

/// This release reads the payload, or the part of it at `place`.
fn reads<T: DeserializeOwned>(name: &str, place: &str) -> T {
    let payload = payload(name);
    let part = payload.pointer(place).expect("a part");
    serde_json::from_value(part.clone()).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// This release reads the payload, and what it writes for the same image has everything that the previous release reads.
fn reads_and_writes<T: DeserializeOwned + Serialize>(name: &str, place: &str) {
    let written = serde_json::to_value(reads::<T>(name, place)).expect("JSON");
    let difference = contains(&written, payload(name).pointer(place).expect("a part"));
    assert_eq!(difference, Ok(()), "{name}: the previous release misses this");
}

/// If they could not, pictures that are being labeled during a deployment would fail.
#[test]
fn steps_of_this_release_and_of_the_previous_one_can_run_in_one_execution() {
    let mut checked = BTreeSet::new();
    let mut name = |name: &'static str| {
        checked.insert(name.to_owned());
        name
    };
    reads::<ObjectCreated>(name("label-image-cat.json"), "");
    reads::<ValidateInput>(name("validate-cat.json"), "");
    reads_and_writes::<ClaimedImage>(name("convert-cat.json"), "");
    reads_and_writes::<ClaimedImage>(name("detect-labels-cat.json"), "");
    reads_and_writes::<DetectedImage>(name("filter-labels-cat.json"), "");
    reads_and_writes::<PersistInput>(name("persist-cat.json"), "");
    reads::<PersistInput>(name("persist-text-named-jpg.json"), "");
    reads_and_writes::<Outcome>(name("notify-labeled.json"), "");
    reads_and_writes::<Outcome>(name("notify-rejected.json"), "");
    // An event on the bus, for `thumbnails` and for other programs.
    reads_and_writes::<Outcome>(name("thumbnails-cat.json"), "/detail");
    let stored = fs::read_dir(folder()).expect("a folder");
    let stored = stored.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned());
    assert_eq!(checked, stored.collect(), "every stored payload is checked");
}
