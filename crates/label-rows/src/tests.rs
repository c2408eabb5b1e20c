use super::*;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
use aws_sdk_dynamodb::types::error::TransactionCanceledException;
use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
use domain::ErrorName;
use serde_json::json;

fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
    codes
        .iter()
        .map(|code| CancellationReason::builder().code(*code).build())
        .collect()
}

#[test]
fn a_transaction_is_repeated_only_where_that_can_help() {
    assert_eq!(
        judge(&reasons(&["None", "None", "TransactionConflict"])),
        Canceled::Conflict
    );
    assert_eq!(
        judge(&reasons(&["None", "ConditionalCheckFailed", "None"])),
        Canceled::RowBefore
    );
    assert_eq!(
        judge(&reasons(&[
            "ConditionalCheckFailed",
            "ConditionalCheckFailed",
            "None"
        ])),
        Canceled::Other(LabelRowsError::RecordChanged(None)),
        "a lost image outweighs all else"
    );
    let other = judge(&reasons(&["None", "ValidationError", "None"]));
    assert!(matches!(other, Canceled::Other(LabelRowsError::Service(_))));
}

fn canceled(codes: &[&str]) -> TransactWriteItemsError {
    let canceled = TransactionCanceledException::builder();
    let canceled = canceled.set_cancellation_reasons(Some(reasons(codes)));
    TransactWriteItemsError::TransactionCanceledException(canceled.build())
}

fn conflict() -> TransactWriteItemsError {
    canceled(&["None", "None", "TransactionConflict"])
}

/// Writes the row of one label, and counts it, with a client that mocks DynamoDB by `rules`.
async fn write(rules: &[&Rule]) -> Result<(), LabelRowsError> {
    let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, rules);
    let label = serde_json::from_value(json!({
        "name": "Cat", "confidence": 90, "instances": [], "parents": [], "aliases": [], "categories": [],
    }))
    .unwrap();
    LabelRows {
        dynamodb: &dynamodb,
        table: "images",
        owner: &Owner::new("demo").unwrap(),
        image_id: ImageId::parse("0193a5a0-0000-7000-8000-000000000001").unwrap(),
        created_at: "2026-11-12T00:00:00.000Z",
        condition: Condition::ClaimedBy("arn"),
    }
    .replace(&["Cat".to_owned()], &[label])
    .await
}

/// The emulator never shows it: on AWS, images of one owner that are labeled at the same time meet at the count.
#[tokio::test(start_paused = true)]
async fn images_that_meet_at_the_same_count_wait_for_each_other() {
    let rule = mock!(Client::transact_write_items)
        .sequence()
        .error(conflict)
        .times(3)
        .output(|| TransactWriteItemsOutput::builder().build())
        .build();
    assert_eq!(write(&[&rule]).await, Ok(()));
    assert_eq!(
        rule.num_calls(),
        4,
        "written once, and no more once it is written"
    );
}

#[tokio::test(start_paused = true)]
async fn a_count_that_too_many_images_change_at_once_is_left_to_the_steps_own_retry() {
    let rule = mock!(Client::transact_write_items).then_error(conflict);
    let error = write(&[&rule]).await.unwrap_err();
    let LabelRowsError::Service(error) = error else {
        panic!("{error}")
    };
    assert_eq!(error.name(), ErrorName::Throttled);
    assert_eq!(rule.num_calls(), TRIES as usize);
}

/// Between the two transactions, another execution may have taken the image over: the confidence is then that
/// execution's to tell.
#[tokio::test(start_paused = true)]
async fn a_confidence_is_not_changed_once_the_image_is_lost() {
    let puts = mock!(Client::transact_write_items)
        .match_requests(|request| request.transact_items().iter().any(|item| item.put().is_some()))
        .then_error(|| canceled(&["None", "ConditionalCheckFailed", "None"]));
    let updates = mock!(Client::transact_write_items)
        .match_requests(|request| match request.transact_items() {
            [record, row] => record.condition_check().is_some() && row.update().is_some(),
            _ => false,
        })
        .then_error(|| canceled(&["ConditionalCheckFailed", "None"]));
    assert_eq!(
        write(&[&puts, &updates]).await,
        Err(LabelRowsError::RecordChanged(None))
    );
    assert_eq!((puts.num_calls(), updates.num_calls()), (1, 1));
}
