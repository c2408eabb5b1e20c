//! The sample events of `events/`: every one is run by what it is a sample for, and does what its name
//! says. A file that is not listed here fails the test, and so does one that is listed and missing.

use crate::{LABELED, REJECTED_AT_ONCE};
use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ErrorName, Owner, Status};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tests::images::LAST_SEQUENCER;
use tests::json::contains;
use tests::{Stack, pictures, run};

const BUCKET: &str = "image-label-generator-000000000000-us-east-1";
const EXECUTION: &str =
    "arn:aws:states:us-east-1:000000000000:execution:image-label-generator-label-image:sample";

/// What must be there before a sample is run.
#[derive(Debug, Clone, Copy)]
enum Given {
    Nothing,
    /// An object under the key that the sample names.
    Object(fn() -> Vec<u8>),
    /// The claim of an execution on the image of the sample.
    ClaimedBy(&'static str),
    /// A labeled cat under the id that the sample names.
    LabeledUpload,
    /// An execution with the name and the input that the sample says, which has failed.
    FailedExecution,
}

/// What a function makes of a sample.
#[derive(Debug)]
enum Expected {
    /// It gives back this, or an object with all of this.
    Gives(Value),
    /// It gives back labels, and this one is among them.
    Finds(&'static str),
    /// It gives back what it was given, and the bus hears it under this detail type.
    Tells(&'static str),
    /// It fails with this error.
    Fails(ErrorName),
    /// The HTTP API answers with this status and a body with all of this.
    Answers(u16, Value),
}

fn text() -> Vec<u8> {
    pictures::TEXT.to_vec()
}

fn functions() -> BTreeMap<&'static str, (Given, Expected)> {
    use ErrorName::{
        ImageDeleted, InvalidImage, InvalidInput, NotAnUpload, ObjectGone, StaleEvent, UnexpectedAnswer,
        UnsupportedFormat,
    };
    use Expected::{Answers, Fails, Finds, Gives, Tells};
    use Given::{ClaimedBy, FailedExecution, LabeledUpload, Nothing, Object};

    let cat = pictures::cat();
    let size = imagesize::blob_size(&cat).expect("a picture");
    let claimed = json!({
        "owner": "samples", "bucket": BUCKET, "key": "uploads/samples/validate/cat.jpg",
        "size": cat.len(), "format": "JPEG", "width": size.width, "height": size.height,
        "policy": {"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []},
        "executionArn": EXECUTION,
    });
    let kept = json!({"status": "LABELED", "labels": [
        {"name": "Cat", "confidence": 98.12, "parents": ["Animal", "Mammal", "Pet"]},
        {"name": "Animal", "confidence": 97.9},
    ]});
    let labeled = json!({
        "owner": "samples", "key": "uploads/samples/persist/cat.jpg", "status": "LABELED",
        "labels": [{"name": "Cat", "confidence": 98.12}, {"name": "Animal", "confidence": 97.9}],
        "executionArn": EXECUTION,
    });
    let rejected = json!({"status": "REJECTED", "labels": [], "error": {
        "name": "UnsupportedFormat",
        "message": "This file is no picture of a known kind. Only JPEG and PNG pictures can be labeled.",
    }});
    let problem = |kind: &str| json!({"type": format!("urn:image-label-generator:problem:{kind}")});

    BTreeMap::from([
        ("validate/cat.json", (Object(pictures::cat), Gives(claimed))),
        (
            "validate/text-named-jpg.json",
            (Object(text), Fails(UnsupportedFormat)),
        ),
        ("validate/missing-object.json", (Nothing, Fails(ObjectGone))),
        ("validate/folder-marker.json", (Nothing, Fails(NotAnUpload))),
        ("validate/no-creation.json", (Nothing, Fails(InvalidInput))),
        ("detect-labels/cat.json", (Object(pictures::cat), Finds("Cat"))),
        (
            "detect-labels/truncated.json",
            (Object(pictures::truncated), Fails(InvalidImage)),
        ),
        ("detect-labels/missing-object.json", (Nothing, Fails(ObjectGone))),
        ("detect-labels/no-policy.json", (Nothing, Fails(InvalidInput))),
        ("filter-labels/cat.json", (Nothing, Gives(kept))),
        (
            "filter-labels/policy-out-of-range.json",
            (Nothing, Fails(InvalidInput)),
        ),
        ("filter-labels/no-labels.json", (Nothing, Fails(InvalidInput))),
        ("persist/cat.json", (ClaimedBy(EXECUTION), Gives(labeled))),
        (
            "persist/text-named-jpg.json",
            (ClaimedBy(EXECUTION), Gives(rejected)),
        ),
        (
            "persist/claimed-by-another.json",
            (ClaimedBy("another execution"), Fails(StaleEvent)),
        ),
        ("persist/never-claimed.json", (Nothing, Fails(ImageDeleted))),
        ("persist/no-status.json", (Nothing, Fails(InvalidInput))),
        ("notify/labeled.json", (Nothing, Tells("Image Labeled"))),
        ("notify/rejected.json", (Nothing, Tells("Image Rejected"))),
        ("notify/processing.json", (Nothing, Fails(InvalidInput))),
        ("notify/no-notification-id.json", (Nothing, Fails(InvalidInput))),
        (
            "record-failure/no-image.json",
            (FailedExecution, Gives(json!("noImage"))),
        ),
        (
            "record-failure/other-bucket.json",
            (FailedExecution, Gives(json!("noImage"))),
        ),
        (
            "record-failure/unknown-execution.json",
            (Nothing, Fails(UnexpectedAnswer)),
        ),
        ("record-failure/no-execution.json", (Nothing, Fails(InvalidInput))),
        (
            "api/create-upload.json",
            (Nothing, Answers(201, json!({"upload": {"method": "PUT"}}))),
        ),
        (
            "api/create-upload-too-large.json",
            (Nothing, Answers(413, json!({"field": "size"}))),
        ),
        (
            "api/create-upload-without-body.json",
            (Nothing, Answers(400, problem("invalid-body"))),
        ),
        (
            "api/get-image.json",
            (
                LabeledUpload,
                Answers(200, json!({"status": "LABELED", "format": "JPEG"})),
            ),
        ),
        (
            "api/get-unknown-image.json",
            (Nothing, Answers(404, problem("no-such-image"))),
        ),
        (
            "api/get-image-malformed-id.json",
            (Nothing, Answers(400, json!({"field": "imageId"}))),
        ),
    ])
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

async fn provide(stack: &Stack, given: Given, sample: &Value) {
    match given {
        Given::Nothing => {}
        Given::Object(bytes) => put_once(stack, key_of(sample), bytes()).await,
        Given::ClaimedBy(execution) => {
            let event = stack.object_created(key_of(sample), LAST_SEQUENCER);
            let claim = stack
                .invoke("validate", &json!({"event": event, "executionArn": execution}))
                .await;
            // The claim stands though there is no such object; in an earlier run, it came to its end.
            let error = claim.expect_err("there is no such object").error_type;
            assert!(
                ["ObjectGone", "DuplicateEvent"].contains(&error.as_str()),
                "{error}"
            );
        }
        Given::FailedExecution => {
            let detail = &sample["detail"];
            let start = stack
                .sfn
                .start_execution()
                .state_machine_arn(&stack.state_machine_arn)
                .name(detail["name"].as_str().expect("a name"))
                .input(detail["input"].as_str().expect("an input"));
            // Refused where an earlier run has left it.
            let _ = start.send().await;
            let ended = stack
                .ended(detail["executionArn"].as_str().expect("an ARN"))
                .await;
            assert_eq!(ended.status, ExecutionStatus::Failed);
        }
        Given::LabeledUpload => {
            let id = sample["pathParameters"]["proxy"]
                .as_str()
                .and_then(|path| path.strip_prefix("images/"));
            let key = format!("uploads/demo/{}", id.expect("an id"));
            put_once(stack, &key, pictures::cat()).await;
            stack.settled_as(&key, Status::Labeled).await;
        }
    }
}

async fn run_function(stack: &Stack, path: &str, given: Given, expected: Expected) -> Result<(), String> {
    let sample = read(path);
    provide(stack, given, &sample).await;
    let function = path.split_once('/').expect("a folder").0;
    let result = stack.invoke(function, &sample).await;
    match (result, expected) {
        (Ok(actual), Expected::Gives(expected)) => contains(&actual, &expected),
        (Ok(actual), Expected::Finds(name)) => {
            let labels = actual["labels"].as_array().ok_or("no labels")?;
            let found = labels.iter().any(|label| label["name"] == name);
            found
                .then_some(())
                .ok_or_else(|| format!("{name} is not among {labels:?}"))
        }
        (Ok(actual), Expected::Tells(detail_type)) => {
            let outcome: domain::Outcome =
                serde_json::from_value(sample.clone()).map_err(|e| e.to_string())?;
            let told = stack.notifications(outcome.image_id).await;
            let told: Vec<_> = told
                .iter()
                .map(|told| (told.detail_type.as_str(), &told.detail))
                .collect();
            let right = actual == sample && told == [(detail_type, &sample)];
            right
                .then_some(())
                .ok_or_else(|| format!("gives {actual}, tells {told:?}"))
        }
        (Err(error), Expected::Fails(name)) if error.error_type == name.as_str() => Ok(()),
        (Ok(actual), Expected::Answers(status, expected)) => {
            let body = actual["body"]
                .as_str()
                .and_then(|body| serde_json::from_str(body).ok())
                .unwrap_or_default();
            contains(&actual["statusCode"], &json!(status))?;
            contains(&body, &expected)
        }
        (actual, expected) => Err(format!("gives {actual:?}, not {expected:?}")),
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

#[test]
fn every_sample_for_a_function_does_what_its_name_says() {
    run(async |stack| {
        let functions = functions();
        let listed = functions.keys().map(ToString::to_string).collect();
        assert_eq!(files(|folder| folder != "state-machine"), listed);
        let mut failures = vec![];
        for (path, (given, expected)) in functions {
            if let Err(difference) = run_function(stack, path, given, expected).await {
                failures.push(format!("{path}: {difference}"));
            }
        }
        assert!(failures.is_empty(), "\n{}", failures.join("\n"));
    });
}

/// What the state machine makes of a sample.
#[derive(Debug)]
struct Way {
    /// The states that the execution enters.
    states: &'static [&'static str],
    /// The error that it fails with, if it fails.
    fails: Option<ErrorName>,
    /// How the image stands afterwards, with the error of its file; nothing where there is no record.
    leaves: Option<(Status, Option<ErrorName>)>,
}

/// In the order in which they are run: the cat is labeled, labeled again, and left alone.
fn executions() -> Vec<(&'static str, Way)> {
    const UNCHANGED: [&str; 2] = ["Validate image", "Leave unchanged"];
    let labeled = Some((Status::Labeled, None));
    let rejected = |name| Some((Status::Rejected, Some(name)));
    let ends = |states: &'static [&str], leaves| Way {
        states,
        fails: None,
        leaves,
    };
    let fails = || Way {
        states: &["Validate image"],
        fails: Some(ErrorName::InvalidInput),
        leaves: None,
    };
    vec![
        ("state-machine/cat.json", ends(&LABELED, labeled)),
        ("state-machine/cat-again.json", ends(&LABELED, labeled)),
        ("state-machine/older-event.json", ends(&UNCHANGED, labeled)),
        (
            "state-machine/text-named-jpg.json",
            ends(&REJECTED_AT_ONCE, rejected(ErrorName::UnsupportedFormat)),
        ),
        (
            "state-machine/missing-object.json",
            ends(&REJECTED_AT_ONCE, rejected(ErrorName::ObjectGone)),
        ),
        ("state-machine/folder-marker.json", ends(&UNCHANGED, None)),
        ("state-machine/other-bucket.json", fails()),
        ("state-machine/no-s3-event.json", fails()),
    ]
}

#[test]
fn every_sample_for_the_state_machine_goes_the_way_that_its_name_says() {
    run(async |stack| {
        let executions = executions();
        let listed = executions.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(files(|folder| folder == "state-machine"), listed);

        // The samples' events are later than any that S3 sends about these objects.
        stack.forget(&Owner::new("state-machine-samples").unwrap()).await;
        put_once(stack, "uploads/state-machine-samples/cat.jpg", pictures::cat()).await;
        put_once(stack, "uploads/state-machine-samples/notes.jpg", text()).await;

        for (path, way) in executions {
            let sample = read(path);
            let ended = stack.execute(&sample).await;
            assert_eq!(ended.states, way.states, "{path}: {ended:?}");
            assert_eq!(
                ended.error.as_deref(),
                way.fails.map(ErrorName::as_str),
                "{path}: {ended:?}"
            );
            let status = if way.fails.is_some() {
                ExecutionStatus::Failed
            } else {
                ExecutionStatus::Succeeded
            };
            assert_eq!(ended.status, status, "{path}: {ended:?}");
            let Some((status, error)) = way.leaves else {
                continue;
            };
            let record = stack
                .record(&stack.image(key_of(&sample)))
                .await
                .unwrap_or_else(|| panic!("{path}: no record"));
            assert_eq!(record.status, status, "{path}");
            assert_eq!(
                record.error.map(|error| error.name).as_deref(),
                error.map(ErrorName::as_str),
                "{path}"
            );
        }
        let cat = stack.image("uploads/state-machine-samples/cat.jpg");
        let cats = stack.label_rows(&cat.owner, "Cat").await;
        assert_eq!(cats.len(), 1, "labeled three times, counted once");
        assert_eq!(stack.label_counts(&cat.owner).await["Cat"], 1);
    });
}
