//! Events come at least once and in any order. The same one twice changes nothing, an older one never
//! overwrites a newer result, and a newer object replaces what the one before it has left.

use crate::{LABELED, REJECTED_AT_ONCE};
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

/// A cat under a key of its own, labeled.
async fn labeled_cat(stack: &Stack, what: &str) -> ImageRecord {
    let key = format!("uploads/{}/cat.jpg", stack.new_owner(what));
    stack.put_object(&key, pictures::cat()).await;
    stack.settled_as(&key, Status::Labeled).await.record
}

/// The ids under which results of an image were announced.
async fn notification_ids(stack: &Stack, record: &ImageRecord) -> Vec<Uuid> {
    let notifications = stack.notifications(record.image_id).await;
    notifications
        .iter()
        .map(|notification| notification.outcome.notification_id)
        .collect()
}

/// Records, rows and counts agree; each label of the owner's only image counts once.
async fn check_counted_once(stack: &Stack, record: &ImageRecord) {
    let story = stack.story(&record.owner).await;
    assert_eq!((story.records.len(), story.contradictions), (1, vec![]));
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
fn the_same_event_after_the_end_changes_nothing() {
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
fn of_the_same_event_at_the_same_moment_one_is_worked_on() {
    run(async |stack| {
        let before = labeled_cat(stack, "duplicates").await;
        let event = stack.object_created(&before.key, LAST_SEQUENCER);
        let ended = join_all((0..6).map(|_| stack.execute(&event))).await;
        let (worked, unchanged): (Vec<_>, Vec<_>) = ended.iter().partition(|ended| ended.states == LABELED);
        assert_eq!(worked.len(), 1, "{ended:?}");
        unchanged.into_iter().for_each(check_unchanged);

        let settled = stack.settled(&before.key).await;
        assert_eq!(settled.execution.arn, worked[0].arn);
        let arns: Vec<_> = settled
            .notifications
            .iter()
            .map(|told| &told.outcome.execution_arn)
            .collect();
        assert_eq!(arns, [before.execution_arn.as_ref().unwrap(), &worked[0].arn]);
        check_counted_once(stack, &settled.record).await;
    });
}

#[test]
fn an_older_event_after_a_newer_one_changes_nothing() {
    run(async |stack| {
        let before = labeled_cat(stack, "older-event").await;
        // Asked for by its owner or not, what an older event speaks of is no longer there.
        for relabel in [false, true] {
            let mut event = stack.object_created(&before.key, "01");
            if relabel {
                event["relabel"] = json!({"requestedAt": "2026-11-12T00:00:00.000Z"});
            }
            check_unchanged(&stack.execute(&event).await);
        }
        assert_eq!(stack.record(&stack.image(&before.key)).await, Some(before));
    });
}

/// Sequencers are numbers: as text, "9" would come after "10", and upper case before lower case.
#[test]
fn events_are_ordered_by_the_number_that_their_sequencers_spell() {
    run(async |stack| {
        let key = format!("uploads/{}/missing.jpg", stack.new_owner("sequencers"));
        let way = async |sequencer| stack.execute(&stack.object_created(&key, sequencer)).await.states;
        assert_eq!(way("9f").await, REJECTED_AT_ONCE);
        assert_eq!(way("0009F").await, UNCHANGED, "the same number");
        assert_eq!(way("A").await, UNCHANGED, "a smaller one");
        assert_eq!(way("100").await, REJECTED_AT_ONCE, "a larger one");
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
        let coffee = stack.settled_anew(&cat).await.record;
        assert_eq!(coffee.status, Status::Labeled);
        assert!(
            names(&coffee).contains("Coffee") && !names(&coffee).contains("Cat"),
            "{:?}",
            names(&coffee)
        );
        assert_eq!(coffee.created_at, cat.created_at, "still the same image");
        check_counted_once(stack, &coffee).await;

        stack.put_object(&cat.key, pictures::TEXT).await;
        let text = stack.settled_anew(&coffee).await.record;
        assert_eq!((text.status, &text.labels), (Status::Rejected, &None));
        check_counted_once(stack, &text).await;

        stack.put_object(&cat.key, pictures::cat()).await;
        let again = stack.settled_anew(&text).await.record;
        assert_eq!((again.status, &again.error), (Status::Labeled, &None));
        assert_eq!(names(&again), names(&cat));
        check_counted_once(stack, &again).await;

        let ids = notification_ids(stack, &again).await;
        assert_eq!(
            (ids.len(), ids.iter().collect::<BTreeSet<_>>().len()),
            (4, 4),
            "each result has its own"
        );
    });
}

/// The executions of two objects under one key run at the same time: whichever comes first, the later
/// object's labels stay, and none of the earlier one's.
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

/// Its owner may ask for an image to be labeled again: the same result under a new id, counted once.
#[test]
fn an_image_labeled_again_on_request_is_still_counted_once() {
    run(async |stack| {
        let before = labeled_cat(stack, "relabel").await;
        let mut event: Value = stack.object_created(&before.key, before.sequencer.as_deref().unwrap());
        event["relabel"] = json!({"requestedAt": "2026-11-12T00:00:00.000Z"});
        let ended = stack.execute(&event).await;
        assert_eq!(ended.states, LABELED);
        let after = stack.settled_anew(&before).await;
        assert_eq!(after.record.labels, before.labels);
        assert_eq!(after.execution.arn, ended.arn);
        assert_eq!(notification_ids(stack, &before).await.len(), 2);
        check_counted_once(stack, &after.record).await;
    });
}
