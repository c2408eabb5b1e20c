//! The samples for state machines, and how their executions end.

use super::{files, is_machine, key_of, put_once, read, text};
use crate::{LABELED, REJECTED_BY_VALIDATION};
use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ErrorName, Owner, Status};
use tests::{pictures, run};

/// The source of the samples for imports.
const SOURCE: &str = "image-label-generator-import-samples";

/// How the execution of a sample ends.
#[derive(Debug)]
struct Expected {
    /// The states that it enters.
    states: &'static [&'static str],
    /// The error that it fails with, if it fails.
    fails: Option<ErrorName>,
    /// The status of the image afterwards and the reason of a rejection; `None` if it has no record.
    leaves: Option<(Status, Option<ErrorName>)>,
}

/// In the order in which they run: the cat is labeled, relabeled, and then unchanged.
fn executions() -> Vec<(&'static str, Expected)> {
    const UNCHANGED: [&str; 2] = ["Validate image", "Leave unchanged"];
    let labeled = Some((Status::Labeled, None));
    let rejected = |name| Some((Status::Rejected, Some(name)));
    let ends = |states: &'static [&str], leaves| Expected {
        states,
        fails: None,
        leaves,
    };
    let fails = || Expected {
        states: &["Validate image"],
        fails: Some(ErrorName::InvalidInput),
        leaves: None,
    };
    let no_source = || Expected {
        states: &["Check import"],
        fails: Some(ErrorName::InvalidSource),
        leaves: None,
    };
    vec![
        ("label-image/cat.json", ends(&LABELED, labeled)),
        ("label-image/relabel-cat.json", ends(&LABELED, labeled)),
        ("label-image/older-event.json", ends(&UNCHANGED, labeled)),
        (
            "label-image/text-named-jpg.json",
            ends(&REJECTED_BY_VALIDATION, rejected(ErrorName::UnsupportedFormat)),
        ),
        (
            "label-image/missing-object.json",
            ends(&REJECTED_BY_VALIDATION, rejected(ErrorName::ObjectGone)),
        ),
        ("label-image/folder-marker.json", ends(&UNCHANGED, None)),
        ("label-image/other-bucket.json", fails()),
        ("label-image/not-an-s3-event.json", fails()),
        (
            "import-objects/pictures.json",
            ends(
                &[
                    "Check import",
                    "Which objects?",
                    "Import listed objects",
                    "Summarize import",
                    "Is import summarized?",
                    "Import is done",
                ],
                None,
            ),
        ),
        ("import-objects/missing-bucket.json", no_source()),
        ("import-objects/own-bucket.json", no_source()),
    ]
}

#[test]
fn every_sample_for_a_state_machine_ends_as_its_name_says() {
    run(async |stack| {
        let executions = executions();
        let listed = executions.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(files(is_machine), listed);

        // The sequencers of the samples are later than those of S3 for these objects.
        stack
            .delete_items_of(&Owner::new("state-machine-samples").unwrap())
            .await;
        put_once(stack, "uploads/state-machine-samples/cat.jpg", pictures::cat()).await;
        put_once(stack, "uploads/state-machine-samples/notes.jpg", text()).await;
        // It exists if the test has run before.
        let _ = stack.s3.create_bucket().bucket(SOURCE).send().await;
        stack.put_source(SOURCE, "2019/cat.jpg", pictures::cat()).await;

        for (path, expected) in executions {
            let sample = read(path);
            let (machine, _) = path.split_once('/').expect("a folder");
            let ended = stack.execute_on(machine, &sample).await;
            assert_eq!(ended.states, expected.states, "{path}: {ended:?}");
            assert_eq!(
                ended.error.as_deref(),
                expected.fails.map(ErrorName::as_str),
                "{path}: {ended:?}"
            );
            let status = if expected.fails.is_some() {
                ExecutionStatus::Failed
            } else {
                ExecutionStatus::Succeeded
            };
            assert_eq!(ended.status, status, "{path}: {ended:?}");
            let Some((status, error)) = expected.leaves else {
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
