//! The samples for the state machine, and the ways that their executions take.

use super::{files, key_of, put_once, read, text};
use crate::{LABELED, REJECTED_AT_ONCE};
use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ErrorName, Owner, Status};
use tests::{pictures, run};

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
