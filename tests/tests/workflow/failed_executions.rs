//! An execution that cannot finish fails at its Task, is recorded as failed, and its image can be labeled again.

use crate::LABELED;
use aws_sdk_sfn::operation::stop_execution::StopExecutionError;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ErrorName, Status};
use serde_json::{Value, json};
use std::cell::Cell;
use tests::executions::Ended;
use tests::images::LAST_SEQUENCER;
use tests::logs::now;
use tests::{Stack, pictures, run, wait};
use uuid::Uuid;

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
            ("/detail/bucket/name", json!("another-bucket"), "other than"),
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
pub(crate) async fn stopped(stack: &Stack, test: &str) -> (String, Ended) {
    wait::until("an execution is stopped before its first step", async || {
        let key = format!("uploads/{}/cat.jpg", stack.new_owner(test));
        stack.put_object(&key, pictures::cat()).await;
        stack.settled(&key).await;
        let ended = stop_before_first_step(stack, &key).await?;
        Some((key, ended))
    })
    .await
}

/// Removes the record of a labeled image, starts an execution about it and stops that before its first step. `None` if a step
/// had begun: it still stores what it does, so the test needs another image.
pub(crate) async fn stop_before_first_step(stack: &Stack, key: &str) -> Option<Ended> {
    stack.delete_items_of(&stack.image(key).owner).await;
    // The first step begins soon after the execution starts, and the answer of StartExecution can take longer than that. With
    // a known name, the execution can be stopped before the answer arrives.
    let name = Uuid::new_v4().to_string();
    let executions = stack.state_machine_arn.replace(":stateMachine:", ":execution:");
    let arn = format!("{executions}:{name}");
    let is_started = Cell::new(false);
    let start = async {
        stack
            .sfn
            .start_execution()
            .state_machine_arn(&stack.state_machine_arn)
            .name(&name)
            .input(stack.object_created(key, LAST_SEQUENCER).to_string())
            .send()
            .await
            .expect("an execution");
        is_started.set(true);
    };
    let stop = wait::until("the execution can be stopped", async || {
        // An execution that was started is known, so this attempt is the last one.
        let is_last = is_started.get();
        let answer = stack.sfn.stop_execution().execution_arn(&arn).send().await;
        let is_unknown = answer.is_err_and(|error| {
            error
                .as_service_error()
                .is_some_and(StopExecutionError::is_execution_does_not_exist)
        });
        (is_last || !is_unknown).then_some(())
    });
    futures_util::join!(start, stop);
    let ended = stack.ended(&arn).await;
    let is_stopped = ended.status == ExecutionStatus::Aborted && ended.states.is_empty();
    is_stopped.then_some(ended)
}

/// An execution that is stopped or times out runs no Catch.
#[test]
fn an_image_whose_execution_was_stopped_is_recorded_as_failed_and_labeled_by_a_new_execution() {
    run(async |stack| {
        let start = now();
        let (key, stopped) = stopped(stack, "stopped").await;
        let (owner, event) = (
            stack.image(&key).owner,
            stack.object_created(&key, LAST_SEQUENCER),
        );
        let failed = stack.settled_as(&key, Status::Failed).await;
        assert_eq!(failed.execution.arn, stopped.arn);
        // The event about the failure names only the execution, and the log also the image.
        let image_id = failed.record.image_id;
        let image = image_id.to_string();
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
        // The notification is sent after the record is stored.
        let sent = wait::until("the failure is announced", async || {
            let mut sent = stack.notifications(image_id).await;
            sent.retain(|sent| sent.outcome.claim.execution_arn == stopped.arn);
            (!sent.is_empty()).then_some(sent)
        })
        .await;
        assert!(
            sent.iter()
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
