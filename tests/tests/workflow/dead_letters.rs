//! What could not be delivered lies in the dead-letter queue; `cargo xtask redrive` sends it through again. The emulator
//! delivers no dead letters, so these are put there as EventBridge and Lambda would.

use crate::run_again::stopped;
use aws_sdk_sqs::types::{Message, MessageAttributeValue};
use domain::Status;
use serde_json::{Value, json};
use tests::images::LAST_SEQUENCER;
use tests::xtask::xtask;
use tests::{Stack, pictures, run};

/// Puts a message into the dead-letter queue; gives its id back. Attributes have a name, a type and a value.
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

/// What is in the queue, hidden from nobody.
async fn look(stack: &Stack) -> Vec<Message> {
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

#[test]
fn what_lies_in_the_queue_is_sent_through_again_and_what_nobody_takes_stays_there() {
    run(async |stack| {
        let owner = stack.new_owner("dead-letters");
        // The event of a real object that never reached the workflow, so that its image has no record.
        let labeled = format!("uploads/{owner}/never-delivered");
        stack.put_object(&labeled, pictures::cat()).await;
        stack.settled(&labeled).await;
        stack.forget(&stack.image(&labeled).owner).await;
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

        // An execution that was stopped, and whose failure record-failure could not record: its image has no record.
        let failed = format!("uploads/{}/stopped", stack.new_owner("dead-letters"));
        stack.put_object(&failed, pictures::cat()).await;
        stack.settled(&failed).await;
        let owner_of_failed = stack.image(&failed).owner;
        let stopped = stopped(
            stack,
            &stack.object_created(&failed, LAST_SEQUENCER),
            &owner_of_failed,
        )
        .await;
        stack.settled_as(&failed, Status::Failed).await;
        stack.forget(&owner_of_failed).await;
        let error = [
            ("RequestID", "String", "a7e2f8e0-9d4b-4c3e-8f5f-3d1f0c2b7a66"),
            ("ErrorCode", "Number", "200"),
            ("ErrorMessage", "String", "dynamodb:UpdateItem is unavailable"),
        ];
        put(stack, &execution_failed(stack, &stopped.arn).to_string(), &error).await;

        let garbage = format!("{owner} is no event");
        let why = [("ERROR_CODE", "String", "NO_PERMISSIONS")];
        let id = put(stack, &garbage, &why).await;

        let output = xtask(&["redrive"], &stack.folder);
        let (said, complained) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(said.contains("Object Created sent through again"), "{said}");
        assert!(
            said.contains("Step Functions Execution Status Change sent through again"),
            "{said}"
        );
        let told = complained.lines().find(|line| line.contains(&id));
        assert!(
            told.is_some_and(|line| line.contains("no event") && line.contains("NO_PERMISSIONS")),
            "{complained}"
        );
        assert!(!output.status.success(), "something stays in the queue");

        let settled = stack.settled(&labeled).await;
        assert_eq!(settled.record.status, Status::Labeled);
        let settled = stack.settled_as(&failed, Status::Failed).await;
        assert_eq!(settled.execution.arn, stopped.arn);

        let left = look(stack).await;
        let mine: Vec<_> = left
            .iter()
            .filter(|message| message.body().is_some_and(|body| body.contains(&owner)))
            .collect();
        let [message] = &mine[..] else {
            panic!("not only the garbage stays in the queue: {left:?}")
        };
        assert_eq!(message.body(), Some(garbage.as_str()));
        let receipt = message.receipt_handle().expect("a receipt");
        let delete = stack.sqs.delete_message().queue_url(&stack.dead_letter_queue_url);
        delete
            .receipt_handle(receipt)
            .send()
            .await
            .expect("the garbage is taken out");
    });
}
