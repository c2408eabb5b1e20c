//! The sample events of `events/`: every one is run by what it is a sample for, and does what its name
//! says. A file that is not listed here fails the test, and so does one that is listed and missing.

mod executions;
mod functions;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tests::{Stack, pictures, run};

/// The bucket of the stack that `cargo xtask up` starts.
const BUCKET: &str = "image-label-generator-000000000000-us-east-1";

fn text() -> Vec<u8> {
    pictures::TEXT.to_vec()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../events")
}

/// Every sample in the folders that are functions' or, the other way round, the state machine's.
fn files(of: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let entries = |path: &Path| {
        std::fs::read_dir(path)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").path())
    };
    let name = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    entries(&folder())
        .filter(|path| path.is_dir() && of(&name(path)))
        .flat_map(|folder| entries(&folder).map(move |file| format!("{}/{}", name(&folder), name(&file))))
        .collect()
}

fn read(path: &str) -> Value {
    let text = std::fs::read(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The object's key, wherever a sample names it.
fn key_of(sample: &Value) -> &str {
    [
        "/key",
        "/image/key",
        "/event/detail/object/key",
        "/detail/object/key",
        "/detail/key",
    ]
    .iter()
    .find_map(|place| sample.pointer(place)?.as_str())
    .expect("a key")
}

async fn put_once(stack: &Stack, key: &str, bytes: Vec<u8>) {
    if stack
        .s3
        .head_object()
        .bucket(&stack.bucket)
        .key(key)
        .send()
        .await
        .is_err()
    {
        stack.put_object(key, bytes).await;
    }
}

/// `sam local invoke` with `env.json` must meet the stack that `cargo xtask up` starts.
#[test]
fn the_samples_and_their_environment_name_what_the_local_stack_has() {
    run(async |stack| {
        assert_eq!(stack.bucket, BUCKET);
        let mut names: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        let environment = read("env.json");
        for (variable, value) in environment
            .as_object()
            .unwrap()
            .values()
            .flat_map(|of| of.as_object().unwrap())
        {
            names
                .entry(variable)
                .or_default()
                .insert(value.as_str().unwrap().to_owned());
        }
        for (variable, name) in [
            ("BUCKET_NAME", &stack.bucket),
            ("TABLE_NAME", &stack.table),
            ("EVENT_BUS_NAME", &stack.event_bus),
        ] {
            assert_eq!(names[variable], BTreeSet::from([name.clone()]), "{variable}");
        }
    });
}
