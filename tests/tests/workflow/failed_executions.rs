//! An execution that cannot finish fails at its Task, is recorded as failed, and its image can be labeled again.

use crate::LABELED;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ErrorName, Status};
use serde_json::{Value, json};
use tests::executions::Ended;
use tests::images::LAST_SEQUENCER;
use tests::logs::now;
use tests::{Stack, pictures, run, wait};

/// An event with one value changed; null removes it.
fn changed(mut event: Value, place: &str, value: &Value) -> Value {
    if value.is_null() {
        let (parent, name) = place.rsplit_once('/').unwrap();
        event
            .pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .remove(name);
    } else {
        *event.pointer_mut(place).unwrap() = value.clone();
    }
    event
}

/// A malformed event is the sender's mistake: there is nothing to retry and nothing to catch.
#[test]
fn a_malformed_event_fails_at_validate_with_the_reason() {
    run(async |stack| {
        let owner = stack.new_owner("malformed");
        let event = stack.object_created(&format!("uploads/{owner}/cat.jpg"), "0A");
        let long = "k".repeat(1025);
        for (place, value, word) in [
            ("/source", json!("aws.ec2"), "aws.s3"),
            ("/source", Value::Null, "source"),
            ("/detail-type", json!("Object Deleted"), "Object Created"),
            ("/detail", Value::Null, "detail"),
            ("/detail/bucket", Value::Null, "bucket"),
            ("/detail/bucket/name", json!(""), "empty"),
            ("/detail/bucket/name", json!("another-bucket"), "another bucket"),
            ("/detail/object/key", Value::Null, "key"),
            ("/detail/object/key", json!(""), "empty"),
            ("/detail/object/key", json!(long), "1,024"),
            ("/detail/object/key", json!(["uploads/a/b"]), "string"),
            ("/detail/object/size", json!(-1), "-1"),
            ("/detail/object/sequencer", Value::Null, "sequencer"),
            ("/detail/object/sequencer", json!("cat"), "hexadecimal"),
            ("/detail/object/sequencer", json!(""), "hexadecimal"),
        ] {
            let ended = stack.execute(&changed(event.clone(), place, &value)).await;
            let at = format!("{place} {value}: {ended:?}");
            assert_eq!(
                (&ended.status, ended.last_state()),
                (&ExecutionStatus::Failed, "Validate image"),
                "{at}"
            );
            assert_eq!(
                ended.error.as_deref(),
                Some(ErrorName::InvalidInput.as_str()),
                "{at}"
            );
            assert!(ended.cause.as_deref().unwrap_or_default().contains(word), "{at}");
        }
        // S3 may add fields at any time.
        let mut more = event.clone();
        more["detail"]["object"]["storage-class"] = json!("STANDARD");
        assert_eq!(stack.execute(&more).await.status, ExecutionStatus::Succeeded);
    });
}

/// The key of an image without a record, and its execution, which was stopped before its first step.
///
/// A step that is running when its execution is stopped still stores what it does. If one has begun, another image is taken.
pub(crate) async fn stopped(stack: &Stack, test: &str) -> (String, Ended) {
    wait::until("an execution is stopped before its first step", async || {
        let key = format!("uploads/{}/cat.jpg", stack.new_owner(test));
        stack.put_object(&key, pictures::cat()).await;
        stack.settled(&key).await;
        stack.delete_items_of(&stack.image(&key).owner).await;
        let arn = stack.start(&stack.object_created(&key, LAST_SEQUENCER)).await;
        // This fails if the execution has ended already.
        let _ = stack.sfn.stop_execution().execution_arn(&arn).send().await;
        let ended = stack.ended(&arn).await;
        let is_stopped = ended.status == ExecutionStatus::Aborted && ended.states.is_empty();
        is_stopped.then_some((key, ended))
    })
    .await
}

/// An execution that is stopped or times out runs no Catch.
#[test]
fn an_image_whose_execution_was_stopped_is_recorded_as_failed_and_labeled_by_a_new_execution() {
    run(async |stack| {
        let start = now();
        let (key, stopped) = stopped(stack, "stopped").await;
        let (owner, event) = (stack.image(&key).owner, stack.object_created(&key, LAST_SEQUENCER));
        let failed = stack.settled_as(&key, Status::Failed).await;
        assert_eq!(failed.execution.arn, stopped.arn);
        // The event about the failure names only the execution, and the log also the image.
        let image = failed.record.image_id.to_string();
        wait::until("record-failure has logged", async || {
            let found = stack.functions_in_log(start, &image, &stopped.arn).await;
            if found.contains("record-failure") {
                return Some(());
            }
            let event = json!({"detail": {"executionArn": stopped.arn, "status": "ABORTED"}});
            stack.invoke("record-failure", &event).await.expect("handled");
            None
        })
        .await;
        let error = failed.record.error.expect("an error");
        assert_eq!(error.name, "Aborted");
        assert!(
            error.message.contains("Redrive the execution"),
            "{}",
            error.message
        );
        let sent: Vec<_> = failed
            .notifications
            .iter()
            .filter(|sent| sent.outcome.claim.execution_arn == stopped.arn)
            .collect();
        assert!(
            !sent.is_empty()
                && sent
                    .iter()
                    .all(|sent| sent.detail_type == "Image Labeling Failed"),
            "{sent:?}"
        );

        let again = stack.execute(&event).await;
        assert_eq!(again.states, LABELED);
        let labeled = stack.settled_as(&key, Status::Labeled).await;
        assert_eq!((labeled.record.error, &labeled.execution.arn), (None, &again.arn));
        let consistency = stack.consistency(&owner).await;
        assert_eq!(
            (consistency.records.len(), consistency.contradictions),
            (1, vec![])
        );
    });
}

/// An execution can fail before its failure is recorded.
#[test]
fn a_claim_of_a_failed_execution_is_taken_over() {
    run(async |stack| {
        let key = format!("uploads/{}/cat.jpg", stack.new_owner("taken-over"));
        stack.put_object(&key, pictures::cat()).await;
        stack.settled(&key).await;

        let failed = stack.execute(&json!({"hello": "world"})).await;
        assert_eq!(failed.status, ExecutionStatus::Failed);
        let event = stack.object_created(&key, LAST_SEQUENCER);
        let claim = stack
            .invoke("validate", &json!({"event": event, "executionArn": failed.arn}))
            .await;
        assert!(claim.is_ok(), "{claim:?}");

        let ended = stack.execute(&event).await;
        assert_eq!(ended.states, LABELED);
        assert_eq!(stack.settled(&key).await.execution.arn, ended.arn);
    });
}
