//! Events are delivered at least once and in any order. A duplicate changes nothing, an older event never overwrites a
//! newer result, and a newer object replaces the result of the one before it.

use crate::{LABELED, REJECTED_BY_VALIDATION};
use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ImageRecord, Status};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use tests::executions::Ended;
use tests::images::LAST_SEQUENCER;
use tests::{Stack, pictures, run};
use uuid::Uuid;

const UNCHANGED: [&str; 2] = ["Validate image", "Leave unchanged"];

/// A labeled cat with its own key.
async fn labeled_cat(stack: &Stack, what: &str) -> ImageRecord {
    let key = format!("uploads/{}/cat.jpg", stack.new_owner(what));
    stack.put_object(&key, pictures::cat()).await;
    stack.settled_as(&key, Status::Labeled).await.record
}

/// The ids of the notifications about an image, each once.
async fn notification_ids(stack: &Stack, record: &ImageRecord) -> Vec<Uuid> {
    let notifications = stack.distinct_notifications(record.image_id).await;
    notifications
        .iter()
        .map(|notification| notification.outcome.notification_id)
        .collect()
}

/// Checks that records, rows and counts are consistent, and that each label of the owner's only image counts once.
async fn check_counted_once(stack: &Stack, record: &ImageRecord) {
    let consistency = stack.consistency(&record.owner).await;
    assert_eq!(
        (consistency.records.len(), consistency.contradictions),
        (1, vec![])
    );
    let labels = record
        .labels
        .iter()
        .flatten()
        .map(|label| (label.name.clone(), 1));
    assert_eq!(
        stack.label_counts(&record.owner).await,
        labels.collect::<BTreeMap<_, _>>()
    );
}

fn check_unchanged(ended: &Ended) {
    assert_eq!(
        (&ended.status, &ended.states[..]),
        (&ExecutionStatus::Succeeded, &UNCHANGED.map(String::from)[..])
    );
}

#[test]
fn a_duplicate_event_after_the_end_changes_nothing() {
    run(async |stack| {
        let before = labeled_cat(stack, "late-duplicate").await;
        let event = stack.object_created(&before.key, before.sequencer.as_deref().unwrap());
        for ended in join_all((0..3).map(|_| stack.execute(&event))).await {
            check_unchanged(&ended);
        }
        assert_eq!(
            stack.record(&stack.image(&before.key)).await.as_ref(),
            Some(&before)
        );
        assert_eq!(notification_ids(stack, &before).await.len(), 1);
        check_counted_once(stack, &before).await;
    });
}

#[test]
fn only_one_of_several_concurrent_duplicates_is_processed() {
    run(async |stack| {
        let before = labeled_cat(stack, "duplicates").await;
        let event = stack.object_created(&before.key, LAST_SEQUENCER);
        let ended = join_all((0..6).map(|_| stack.execute(&event))).await;
        let (processed, unchanged): (Vec<_>, Vec<_>) =
            ended.iter().partition(|ended| ended.states == LABELED);
        assert_eq!(processed.len(), 1, "{ended:?}");
        unchanged.into_iter().for_each(check_unchanged);

        let settled = stack.settled(&before.key).await;
        assert_eq!(settled.execution.arn, processed[0].arn);
        let arns: Vec<_> = settled
            .notifications
            .iter()
            .map(|notification| &notification.outcome.claim.execution_arn)
            .collect();
        assert_eq!(arns, [before.execution_arn.as_ref().unwrap(), &processed[0].arn]);
        check_counted_once(stack, &settled.record).await;
    });
}

#[test]
fn an_older_event_after_a_newer_one_changes_nothing() {
    run(async |stack| {
        let before = labeled_cat(stack, "older-event").await;
        // The object of an older event no longer exists, also if its owner relabels it.
        for relabel in [false, true] {
            let mut event = stack.object_created(&before.key, "00");
            if relabel {
                event["relabel"] = json!({"requestedAt": "2026-11-12T00:00:00.000Z"});
            }
            check_unchanged(&stack.execute(&event).await);
        }
        assert_eq!(stack.record(&stack.image(&before.key)).await, Some(before));
    });
}

/// S3 compares sequencers after padding the shorter one with zeros on the right.
#[test]
fn events_are_ordered_by_their_sequencers_padded_on_the_right() {
    run(async |stack| {
        let key = format!("uploads/{}/missing.jpg", stack.new_owner("sequencers"));
        let states = async |sequencer| stack.execute(&stack.object_created(&key, sequencer)).await.states;
        assert_eq!(states("9f").await, REJECTED_BY_VALIDATION);
        assert_eq!(states("9F00").await, UNCHANGED, "a duplicate");
        assert_eq!(
            states("100").await,
            UNCHANGED,
            "an earlier one, although it is longer"
        );
        assert_eq!(
            states("A").await,
            REJECTED_BY_VALIDATION,
            "a later one, although it is shorter"
        );
    });
}

#[test]
fn a_newer_object_under_the_same_key_replaces_labels_rows_and_counts() {
    run(async |stack| {
        let cat = labeled_cat(stack, "replaced").await;
        let names = |record: &ImageRecord| {
            record
                .labels
                .iter()
                .flatten()
                .map(|label| label.name.clone())
                .collect::<BTreeSet<_>>()
        };
        assert!(names(&cat).contains("Cat"));

        stack.put_object(&cat.key, pictures::sample("coffee.jpg")).await;
        let coffee = stack.settled_again(&cat).await.record;
        assert_eq!(coffee.status, Status::Labeled);
        assert!(
            names(&coffee).contains("Coffee") && !names(&coffee).contains("Cat"),
            "{:?}",
            names(&coffee)
        );
        assert_eq!(coffee.created_at, cat.created_at, "still the same image");
        check_counted_once(stack, &coffee).await;

        stack.put_object(&cat.key, pictures::TEXT).await;
        let text = stack.settled_again(&coffee).await.record;
        assert_eq!((text.status, &text.labels), (Status::Rejected, &None));
        check_counted_once(stack, &text).await;

        stack.put_object(&cat.key, pictures::cat()).await;
        let again = stack.settled_again(&text).await.record;
        assert_eq!((again.status, &again.error), (Status::Labeled, &None));
        assert_eq!(names(&again), names(&cat));
        check_counted_once(stack, &again).await;

        let ids = notification_ids(stack, &again).await;
        assert_eq!(ids.len(), 4, "each result has its own id");
    });
}

/// The executions of two objects under one key run at the same time: the labels of the later object stay, and none of the
/// earlier one, in whichever order they run.
#[test]
fn two_objects_in_quick_succession_leave_the_labels_of_the_second() {
    run(async |stack| {
        let key = format!("uploads/{}/picture.jpg", stack.new_owner("quick"));
        stack.put_object(&key, pictures::cat()).await;
        stack.put_object(&key, pictures::sample("coffee.jpg")).await;
        let executions = stack.executions_about(&key, 2).await;
        assert!(
            executions
                .iter()
                .all(|ended| ended.status == ExecutionStatus::Succeeded),
            "{executions:?}"
        );
        let record = stack.settled(&key).await.record;
        let labels: Vec<_> = record
            .labels
            .iter()
            .flatten()
            .map(|label| label.name.as_str())
            .collect();
        assert!(
            labels.contains(&"Coffee") && !labels.contains(&"Cat"),
            "{labels:?}"
        );
        check_counted_once(stack, &record).await;
    });
}

/// Relabeling announces the same result under a new id.
#[test]
fn a_relabeled_image_is_counted_once() {
    run(async |stack| {
        let before = labeled_cat(stack, "relabel").await;
        let mut event: Value = stack.object_created(&before.key, before.sequencer.as_deref().unwrap());
        event["relabel"] = json!({"requestedAt": "2026-11-12T00:00:00.000Z"});
        let ended = stack.execute(&event).await;
        assert_eq!(ended.states, LABELED);
        let after = stack.settled_again(&before).await;
        assert_eq!(after.record.labels, before.labels);
        assert_eq!(after.execution.arn, ended.arn);
        assert_eq!(notification_ids(stack, &before).await.len(), 2);
        check_counted_once(stack, &after.record).await;
    });
}
