//! Every step is idempotent: Lambda and Step Functions repeat invocations without an answer. The second invocation returns
//! the same and leaves the same state.

use domain::{ErrorName, Status};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::images::LAST_SEQUENCER;
use tests::{Stack, pictures, run};
use uuid::Uuid;

/// Invokes a step twice in a row, and then twice at the same time; returns the result, which is always the same.
async fn four_times(stack: &Stack, step: &str, input: &Value) -> Value {
    let first = stack
        .invoke(step, input)
        .await
        .unwrap_or_else(|error| panic!("{step}: {error:?}"));
    assert_eq!(stack.invoke(step, input).await.as_ref(), Ok(&first), "{step}");
    let (third, fourth) = tokio::join!(stack.invoke(step, input), stack.invoke(step, input));
    assert_eq!(
        (third.as_ref(), fourth.as_ref()),
        (Ok(&first), Ok(&first)),
        "{step}"
    );
    first
}

/// The ARN of an execution that does not exist.
fn new_execution(stack: &Stack) -> String {
    stack.state_machine_arn.replace(":stateMachine:", ":execution:") + ":" + &Uuid::now_v7().to_string()
}

#[test]
fn the_steps_of_a_labeled_picture_are_idempotent() {
    run(async |stack| {
        let key = format!("uploads/{}/cat.jpg", stack.new_owner("twice"));
        let image = stack.image(&key);
        stack.put_object(&key, pictures::cat()).await;
        stack.settled(&key).await;

        let execution = new_execution(stack);
        let event = stack.object_created(&key, LAST_SEQUENCER);
        let claimed = four_times(
            stack,
            "validate",
            &json!({"event": event, "executionArn": execution}),
        )
        .await;
        let record = stack.record(&image).await.unwrap();
        assert_eq!(
            (record.status, record.execution_arn.as_deref()),
            (Status::Processing, Some(execution.as_str()))
        );

        let detected = four_times(stack, "detect-labels", &claimed).await;
        let filtered = four_times(stack, "filter-labels", &detected).await;
        let outcome = four_times(stack, "persist", &filtered).await;
        let consistency = stack.consistency(&image.owner).await;
        assert_eq!(
            (consistency.records.len(), consistency.contradictions),
            (1, vec![])
        );
        assert!(
            stack
                .label_counts(&image.owner)
                .await
                .values()
                .all(|count| *count == 1)
        );
        let [record] = &consistency.records[..] else {
            unreachable!("one record")
        };
        let result = stack.result(&image).await.expect("a result");
        assert_eq!(
            (record.status, &json!(result.answer)),
            (Status::Labeled, &detected["labels"])
        );
        assert_eq!(json!(record.labels), filtered["counted"]);

        assert_eq!(four_times(stack, "notify", &outcome).await, outcome);
        let sent = stack.notifications(image.image_id).await;
        let ids: BTreeSet<_> = sent.iter().map(|sent| sent.outcome.notification_id).collect();
        assert!(
            sent.len() >= 5 && ids.len() == 2,
            "once by the first execution, at least four times by this one: {sent:?}"
        );

        // A late second invocation of the first step does not reset the result.
        let late = stack
            .invoke("validate", &json!({"event": event, "executionArn": execution}))
            .await;
        assert_eq!(late.unwrap_err().error_type, ErrorName::DuplicateEvent.as_str());
        assert_eq!(stack.record(&image).await.unwrap().status, Status::Labeled);
    });
}

#[test]
fn the_steps_of_a_converted_picture_are_idempotent() {
    run(async |stack| {
        let key = format!("uploads/{}/cat.webp", stack.new_owner("twice-converted"));
        stack.put_object(&key, pictures::webp()).await;
        stack.settled(&key).await;
        stack.with_thumbnails(&key, |_| true).await;
        let before = stack.derived_of(&stack.image(&key)).await;

        let event = stack.object_created(&key, LAST_SEQUENCER);
        let input = json!({"event": event, "executionArn": new_execution(stack)});
        let claimed = stack.invoke("validate", &input).await.expect("a claim");
        let converted = four_times(stack, "convert", &claimed).await;
        let rendition = converted["rendition"]["key"].as_str().expect("a key");
        let mut after = stack.derived_of(&stack.image(&key)).await;
        assert!(after.remove(rendition));
        assert_eq!(after, before);
        four_times(stack, "detect-labels", &converted).await;
    });
}

#[test]
fn the_steps_of_a_rejected_file_are_idempotent() {
    run(async |stack| {
        let key = format!("uploads/{}/missing.jpg", stack.new_owner("twice-rejected"));
        let image = stack.image(&key);
        let execution = new_execution(stack);
        let event = stack.object_created(&key, LAST_SEQUENCER);
        let input = json!({"event": event, "executionArn": execution});
        for _ in 0..2 {
            let error = stack.invoke("validate", &input).await.unwrap_err();
            assert_eq!(error.error_type, ErrorName::ObjectGone.as_str());
        }
        let rejected = json!({
            "status": "REJECTED", "event": event, "executionArn": execution,
            "error": {"Error": "ObjectGone", "Cause": json!({"errorMessage": "Gone."}).to_string()},
        });
        let outcome = four_times(stack, "persist", &rejected).await;
        let consistency = stack.consistency(&image.owner).await;
        assert_eq!(
            (consistency.records.len(), consistency.contradictions),
            (1, vec![])
        );
        assert_eq!(consistency.records[0].status, Status::Rejected);
        four_times(stack, "notify", &outcome).await;
        let sent = stack.notifications(image.image_id).await;
        // A call of EventBridge without an answer is repeated.
        assert!(sent.len() >= 4, "{sent:?}");
        assert!(sent.iter().all(|sent| sent.detail == outcome), "{sent:?}");
    });
}
