//! `cargo xtask redrive` redrives every kind of message in the stack's dead-letter queue. The emulator delivers no dead
//! letters, so the tests put them into the queue, in the formats that EventBridge and Lambda document.

use crate::failed_executions::stopped;
use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use domain::Status;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tests::api::File;
use tests::bus::Notification;
use tests::images::LAST_SEQUENCER;
use tests::xtask::xtask;
use tests::{Stack, pictures, run, wait};

/// A redrive takes every message in the queue, and `status` hides them for a moment, so tests that use these commands must
/// not run at the same time.
static QUEUE: Mutex<()> = Mutex::new(());

pub(crate) fn alone() -> MutexGuard<'static, ()> {
    QUEUE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts a message into the dead-letter queue; returns its id. An attribute has a name, a type and a value.
async fn put(stack: &Stack, body: &str, attributes: &[(&str, &str, &str)]) -> String {
    let mut send = stack
        .sqs
        .send_message()
        .queue_url(&stack.dead_letter_queue_url)
        .message_body(body);
    for (name, kind, value) in attributes {
        let value = MessageAttributeValue::builder()
            .data_type(*kind)
            .string_value(*value)
            .build()
            .expect("an attribute");
        send = send.message_attributes(*name, value);
    }
    send.send().await.expect("a message").message_id.expect("its id")
}

/// The messages in the queue, which stay visible.
async fn messages(stack: &Stack) -> Vec<Message> {
    let received = stack
        .sqs
        .receive_message()
        .queue_url(&stack.dead_letter_queue_url)
        .max_number_of_messages(10)
        .visibility_timeout(0)
        .send();
    received.await.expect("messages").messages.unwrap_or_default()
}

/// An event of Step Functions about an execution that has failed.
fn execution_failed(stack: &Stack, arn: &str) -> Value {
    json!({
        "version": "0", "id": "315c1398-40ff-a850-213b-158f73e60175",
        "detail-type": "Step Functions Execution Status Change", "source": "aws.states",
        "account": "000000000000", "time": "2026-11-12T00:00:01Z", "region": "us-east-1", "resources": [arn],
        "detail": {"executionArn": arn, "stateMachineArn": stack.state_machine_arn, "status": "FAILED"},
    })
}

/// The event that `notify` sent about a picture that was labeled.
async fn image_labeled(stack: &Stack, key: &str) -> Value {
    let notifications = stack.notifications(stack.image(key).image_id).await;
    let Some(Notification {
        detail_type, detail, ..
    }) = notifications.last()
    else {
        panic!("there is no notification about {key}")
    };
    json!({
        "version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": detail_type, "source": "image-label-generator",
        "account": "000000000000", "time": "2026-11-12T00:00:02Z", "region": "us-east-1", "resources": [],
        "detail": detail,
    })
}

/// The attributes that Lambda adds to a message after the last attempt.
/// Source: "Dead-letter queues" in Lambda's developer guide.
const FAILED_IN_LAMBDA: [(&str, &str, &str); 3] = [
    ("RequestID", "String", "a7e2f8e0-9d4b-4c3e-8f5f-3d1f0c2b7a66"),
    ("ErrorCode", "Number", "200"),
    (
        "ErrorMessage",
        "String",
        "s3:PutObject is unavailable (SlowDown, HTTP 503)",
    ),
];

/// If these events were lost, a picture would never get thumbnails, and a deleted one would keep those of a function that was
/// killed.
#[test]
fn events_that_the_thumbnails_function_failed_to_process_are_redriven() {
    let _alone = alone();
    run(async |stack| {
        let user = stack.new_user("dead-thumbnails").await;
        let labeled = stack.upload_of(&user, &File::cat()).await;
        let deleted = stack.upload_of(&user, &File::cat()).await;
        for key in [&labeled, &deleted] {
            stack.settled_as(key, Status::Labeled).await;
            stack.with_thumbnails(key, |_| true).await;
        }
        // The function failed before it had written anything.
        let (missing, left) = (stack.image(&labeled), stack.image(&deleted));
        let thumbnails = stack.derived_of(&missing).await;
        assert!(!thumbnails.is_empty());
        for key in &thumbnails {
            stack.delete_object(key).await;
        }
        put(
            stack,
            &image_labeled(stack, &labeled).await.to_string(),
            &FAILED_IN_LAMBDA,
        )
        .await;
        // The function wrote thumbnails while their image was deleted, and was killed before it could remove them.
        let event = image_labeled(stack, &deleted).await;
        let written = stack.derived_of(&left).await;
        assert_eq!(user.delete_image(left.image_id).await.status, 204);
        for key in &written {
            stack.put_object(key, pictures::cat()).await;
        }
        put(stack, &event.to_string(), &FAILED_IN_LAMBDA).await;

        let output = xtask(&["redrive"], &stack.folder);
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(printed.contains("Image Labeled redriven"), "{printed}");
        wait::until("the thumbnails exist again", async || {
            (stack.derived_of(&missing).await == thumbnails).then_some(())
        })
        .await;
        wait::until("nothing is left of the deleted image", async || {
            stack.derived_of(&left).await.is_empty().then_some(())
        })
        .await;
    });
}

#[test]
fn messages_are_redriven_and_those_that_no_function_receives_stay_in_the_queue() {
    let _alone = alone();
    run(async |stack| {
        let owner = stack.new_owner("dead-letters");
        // The event of a real object that never reached the workflow, so that its image has no record.
        let labeled = format!("uploads/{owner}/never-delivered");
        stack.put_object(&labeled, pictures::cat()).await;
        stack.settled(&labeled).await;
        stack.delete_items_of(&stack.image(&labeled).owner).await;
        let event = stack.object_created(&labeled, LAST_SEQUENCER);
        let target = [
            (
                "RULE_ARN",
                "String",
                "arn:aws:events:us-east-1:000000000000:rule/object-created",
            ),
            ("TARGET_ARN", "String", stack.state_machine_arn.as_str()),
            ("ERROR_CODE", "String", "THROTTLING"),
            ("ERROR_MESSAGE", "String", "Rate exceeded"),
            ("EXHAUSTED_RETRY_CONDITION", "String", "MaximumRetryAttempts"),
            ("RETRY_ATTEMPTS", "String", "185"),
        ];
        put(stack, &event.to_string(), &target).await;

        // A stopped execution whose failure record-failure could not record: its image has no record.
        let (failed, stopped) = stopped(stack, "dead-letters").await;
        let owner_of_failed = stack.image(&failed).owner;
        stack.settled_as(&failed, Status::Failed).await;
        stack.delete_items_of(&owner_of_failed).await;
        put(
            stack,
            &execution_failed(stack, &stopped.arn).to_string(),
            &FAILED_IN_LAMBDA,
        )
        .await;

        let garbage = format!("{owner} is not an event");
        let why = [("ERROR_CODE", "String", "NO_PERMISSIONS")];
        let id = put(stack, &garbage, &why).await;

        let output = xtask(&["redrive"], &stack.folder);
        let (printed, errors) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(printed.contains("Object Created redriven"), "{printed}");
        assert!(
            printed.contains("Step Functions Execution Status Change redriven"),
            "{printed}"
        );
        let reported = errors.lines().find(|line| line.contains(&id));
        assert!(
            reported.is_some_and(|line| line.contains("not an event") && line.contains("NO_PERMISSIONS")),
            "{errors}"
        );
        assert!(!output.status.success(), "a message stays in the queue");

        let settled = stack.settled(&labeled).await;
        assert_eq!(settled.record.status, Status::Labeled);
        let settled = stack.settled_as(&failed, Status::Failed).await;
        assert_eq!(settled.execution.arn, stopped.arn);

        let left = messages(stack).await;
        let mine: Vec<_> = left
            .iter()
            .filter(|message| message.body().is_some_and(|body| body.contains(&owner)))
            .collect();
        let [message] = &mine[..] else {
            panic!("the queue must contain only the message without a receiver: {left:?}")
        };
        assert_eq!(message.body(), Some(garbage.as_str()));
        let receipt = message.receipt_handle().expect("a receipt");
        let delete = stack.sqs.delete_message().queue_url(&stack.dead_letter_queue_url);
        delete
            .receipt_handle(receipt)
            .send()
            .await
            .expect("the message is deleted");
    });
}
