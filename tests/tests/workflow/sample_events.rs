//! The sample events of `events/`: each is sent to its function or state machine, and has the effect that its name says.
//! The tests fail for a file that is not listed here, and for a listed file that is missing.

mod executions;
mod functions;

use serde_json::Value;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use tests::state_machine::machine::{definitions, repository};
use tests::{Stack, pictures, run};

/// The bucket of the stack that `cargo xtask up` starts.
const BUCKET: &str = "image-label-generator-000000000000-us-east-1";

fn text() -> Vec<u8> {
    pictures::TEXT.to_vec()
}

fn folder() -> PathBuf {
    repository().join("events")
}

/// Whether a folder of `events/` has samples for a state machine, and not for a function.
fn is_machine(folder: &str) -> bool {
    definitions(&repository()).contains_key(folder)
}

/// Every sample in the folders that `of` selects.
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
        // Editors and file managers leave other files.
        .filter(|file| {
            Path::new(file)
                .extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect()
}

fn read(path: &str) -> Value {
    let text = std::fs::read(folder().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The key of the object that a sample names.
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

/// The samples must name the bucket of the stack that `cargo xtask up` starts.
#[test]
fn the_samples_name_the_bucket_of_the_local_stack() {
    run(async |stack| assert_eq!(stack.bucket, BUCKET));
}
