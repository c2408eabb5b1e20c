//! The stack's table accepts and rejects what DynamoDB does. Otherwise, the other tests would prove nothing about it.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{AttributeValue, TimeToLiveStatus};
use domain::table::{PARTITION_KEY, SORT_KEY};
use tests::{Stack, run};

/// DynamoDB rejects reserved words in expressions. An emulator that accepts them would hide that every claim fails in AWS.
#[test]
fn an_expression_with_a_reserved_word_is_rejected() {
    run(async |stack| {
        for (word, expression) in [("size", "SET size = :value"), ("status", "REMOVE status")] {
            let message = rejection(stack, expression).await;
            assert!(
                message.contains("reserved keyword") && message.contains(word),
                "{expression}: {message}"
            );
        }
    });
}

async fn rejection(stack: &Stack, expression: &str) -> String {
    let owner = stack.new_owner("reserved-word");
    let mut update = stack
        .dynamodb
        .update_item()
        .table_name(&stack.table)
        .key(PARTITION_KEY, AttributeValue::S(format!("OWNER#{owner}")))
        .key(SORT_KEY, AttributeValue::S("IMAGE#none".to_owned()))
        .update_expression(expression);
    if expression.contains(":value") {
        update = update.expression_attribute_values(":value", AttributeValue::N("1".to_owned()));
    }
    let error = update.send().await.expect_err("DynamoDB rejects a reserved word");
    assert_eq!(error.code(), Some("ValidationException"), "{error:?}");
    error.message().unwrap_or_default().to_owned()
}

/// If they were not, tombstones, awaited uploads and quotas would accumulate.
#[test]
fn expired_items_are_deleted() {
    run(async |stack| {
        let described = stack.dynamodb.describe_time_to_live().table_name(&stack.table);
        let described = described.send().await.expect("an answer of the table");
        let time_to_live = described.time_to_live_description.expect("a description");
        assert_eq!(
            (time_to_live.attribute_name(), time_to_live.time_to_live_status()),
            (Some("expiresAt"), Some(&TimeToLiveStatus::Enabled))
        );
    });
}
