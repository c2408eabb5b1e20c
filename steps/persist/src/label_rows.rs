//! One row for each label of an image, and a count of them for each label of the owner.
//!
//! A row and its count change together or not at all, so that counts stay exact when a step runs
//! twice, or an image is labeled again. The same transaction checks the claim: a slow execution that
//! has lost the image to a later event cannot bring back what that event took away.

use crate::record::{CLAIM_IS_OURS, lost};
use crate::{Image, Persist, PersistError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{ImageRecord, Label, Status};
use lambda::ServiceError;
use std::collections::HashSet;
use std::time::Duration;

/// Images of one owner that are labeled at the same time meet at the same counts; the SDK does not
/// retry that. Beyond these tries, the step as a whole is retried.
const TRIES: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// How a transaction of this module ended.
#[derive(Debug, PartialEq, Eq)]
enum Written {
    Done,
    /// The row is there already, or already gone: an earlier run has done it.
    Before,
}

/// Puts the rows of all labels that the image has now, and deletes those that it has no more.
pub(crate) async fn replace(
    persist: &Persist,
    image: &Image,
    record: &ImageRecord,
) -> Result<(), PersistError> {
    let rows = Rows {
        persist,
        image,
        created_at: &record.created_at,
    };
    let labels = image.ending.labels();
    let now: HashSet<_> = labels.iter().map(|label| label.name.to_lowercase()).collect();
    for gone in record
        .label_rows
        .iter()
        .filter(|name| !now.contains(&name.to_lowercase()))
    {
        rows.delete(gone).await?;
    }
    for label in labels {
        rows.put(label).await?;
    }
    Ok(())
}

struct Rows<'a> {
    persist: &'a Persist,
    image: &'a Image,
    created_at: &'a str,
}

impl Rows<'_> {
    async fn put(&self, label: &Label) -> Result<(), PersistError> {
        let row = Put::builder()
            .table_name(&self.persist.table)
            .item(PARTITION_KEY, self.partition(&label.name))
            .item(SORT_KEY, self.sort())
            .item("imageId", text(self.image.image_id.to_string()))
            .item("label", text(label.name.clone()))
            .item("confidence", confidence(label))
            .condition_expression(format!("attribute_not_exists({PARTITION_KEY})"))
            .build();
        let row = TransactWriteItem::builder().put(built(row)?).build();
        if self.write(row, &label.name, 1).await? == Written::Before {
            self.update_confidence(label).await?;
        }
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), PersistError> {
        let row = Delete::builder()
            .table_name(&self.persist.table)
            .key(PARTITION_KEY, self.partition(name))
            .key(SORT_KEY, self.sort())
            .condition_expression(format!("attribute_exists({PARTITION_KEY})"))
            .build();
        let row = TransactWriteItem::builder().delete(built(row)?).build();
        self.write(row, name, -1).await.map(drop)
    }

    /// The same label may have another confidence than before.
    async fn update_confidence(&self, label: &Label) -> Result<(), PersistError> {
        self.persist
            .dynamodb
            .update_item()
            .table_name(&self.persist.table)
            .key(PARTITION_KEY, self.partition(&label.name))
            .key(SORT_KEY, self.sort())
            .update_expression("SET confidence = :confidence")
            .condition_expression(format!("attribute_exists({PARTITION_KEY})"))
            .expression_attribute_values(":confidence", confidence(label))
            .send()
            .await
            .map(drop)
            .map_err(|error| ServiceError::of("dynamodb:UpdateItem", &error).into())
    }

    /// Writes a row and changes the label's count with it.
    async fn write(&self, row: TransactWriteItem, name: &str, change: i32) -> Result<Written, PersistError> {
        let count = Update::builder()
            .table_name(&self.persist.table)
            .key(PARTITION_KEY, text(table::owner_partition(&self.image.owner)))
            .key(SORT_KEY, text(table::label_count_sort(name)))
            .update_expression("SET #name = :name ADD #count :change")
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":name", text(name.to_owned()))
            .expression_attribute_values(":change", AttributeValue::N(change.to_string()))
            .build();
        let claim = ConditionCheck::builder()
            .table_name(&self.persist.table)
            .key(PARTITION_KEY, text(table::owner_partition(&self.image.owner)))
            .key(SORT_KEY, text(table::image_sort(self.image.image_id)))
            .condition_expression(CLAIM_IS_OURS)
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":executionArn", text(self.image.execution_arn.clone()))
            .expression_attribute_values(":deleted", text(Status::Deleted.as_str().to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build();
        let items = vec![
            TransactWriteItem::builder()
                .condition_check(built(claim)?)
                .build(),
            row,
            TransactWriteItem::builder().update(built(count)?).build(),
        ];
        for attempt in 0..TRIES {
            let sent = self
                .persist
                .dynamodb
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .send()
                .await;
            let Err(error) = sent else {
                return Ok(Written::Done);
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) =
                error.as_service_error()
            else {
                return Err(ServiceError::of("dynamodb:TransactWriteItems", &error).into());
            };
            match judge(canceled.cancellation_reasons()) {
                Canceled::ClaimLost(error) => return Err(error),
                Canceled::RowBefore => return Ok(Written::Before),
                Canceled::Conflict => {
                    let most = FIRST_WAIT * 2_u32.pow(attempt);
                    tokio::time::sleep(most.mul_f64(fastrand::f64())).await;
                }
                Canceled::Other(error) => return Err(error),
            }
        }
        Err(ServiceError::Throttled("the label's count is changed by too many images at once".into()).into())
    }

    fn partition(&self, name: &str) -> AttributeValue {
        text(table::label_partition(&self.image.owner, name))
    }

    fn sort(&self) -> AttributeValue {
        text(table::history_sort(self.created_at, self.image.image_id))
    }
}

fn confidence(label: &Label) -> AttributeValue {
    AttributeValue::N(label.confidence.percent().to_string())
}

#[derive(Debug, PartialEq, Eq)]
enum Canceled {
    ClaimLost(PersistError),
    RowBefore,
    Conflict,
    Other(PersistError),
}

/// Reasons stand in the order of the transaction's items: claim, row, count.
fn judge(reasons: &[CancellationReason]) -> Canceled {
    let code = |index: usize| {
        reasons
            .get(index)
            .and_then(CancellationReason::code)
            .unwrap_or("None")
    };
    if code(0) == "ConditionalCheckFailed" {
        return Canceled::ClaimLost(lost(reasons[0].item()));
    }
    if code(1) == "ConditionalCheckFailed" {
        return Canceled::RowBefore;
    }
    let other = (0..reasons.len()).map(code).find(|code| !matches!(*code, "None"));
    match other {
        Some("TransactionConflict" | "ThrottlingError" | "ProvisionedThroughputExceeded") => {
            Canceled::Conflict
        }
        code => Canceled::Other(ServiceError::of_code("dynamodb:TransactWriteItems", code, 400).into()),
    }
}

fn text(text: String) -> AttributeValue {
    AttributeValue::S(text)
}

fn built<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, PersistError> {
    result.map_err(|error| PersistError::UnreadableRecord(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsOutput;
    use aws_sdk_dynamodb::types::error::TransactionCanceledException;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::{ErrorName, PersistInput};
    use lambda::StepError;
    use serde_json::json;

    fn reasons(codes: [&str; 3]) -> Vec<CancellationReason> {
        codes
            .map(|code| CancellationReason::builder().code(code).build())
            .to_vec()
    }

    #[test]
    fn a_transaction_is_repeated_only_where_that_can_help() {
        assert_eq!(
            judge(&reasons(["None", "None", "TransactionConflict"])),
            Canceled::Conflict
        );
        assert_eq!(
            judge(&reasons(["None", "ConditionalCheckFailed", "None"])),
            Canceled::RowBefore
        );
        let lost = judge(&reasons([
            "ConditionalCheckFailed",
            "ConditionalCheckFailed",
            "None",
        ]));
        assert!(
            matches!(lost, Canceled::ClaimLost(_)),
            "a lost claim outweighs all else"
        );
        let other = judge(&reasons(["None", "ValidationError", "None"]));
        assert!(matches!(other, Canceled::Other(PersistError::Service(_))));
    }

    fn conflict() -> TransactWriteItemsError {
        let canceled = TransactionCanceledException::builder();
        let canceled =
            canceled.set_cancellation_reasons(Some(reasons(["None", "None", "TransactionConflict"])));
        TransactWriteItemsError::TransactionCanceledException(canceled.build())
    }

    /// Writes the row of one label, and counts it, with a client that mocks DynamoDB by `rule`.
    async fn write(rule: &Rule) -> Result<(), PersistError> {
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [rule]);
        let persist = Persist {
            dynamodb,
            table: "images".into(),
        };
        let input: PersistInput = serde_json::from_value(json!({
            "status": "LABELED",
            "image": {
                "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "pictures",
                "key": "uploads/demo/a.jpg", "size": 1, "format": "JPEG", "width": 100, "height": 100,
                "policy": {"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []},
                "executionArn": "arn",
            },
            "labels": [{
                "name": "Cat", "confidence": 90, "instances": [], "parents": [], "aliases": [], "categories": [],
            }],
        }))
        .unwrap();
        let record: ImageRecord = serde_json::from_value(json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "pictures",
            "key": "uploads/demo/a.jpg", "status": "PROCESSING", "labelRows": ["Cat"],
            "createdAt": "2026-11-12T00:00:00.000Z", "updatedAt": "2026-11-12T00:00:00.000Z",
        }))
        .unwrap();
        replace(&persist, &Image::try_from(input).unwrap(), &record).await
    }

    /// The emulator never shows it: on AWS, images of one owner that are labeled at the same time meet at the count.
    #[tokio::test(start_paused = true)]
    async fn images_that_meet_at_the_same_count_wait_for_each_other() {
        let rule = mock!(aws_sdk_dynamodb::Client::transact_write_items)
            .sequence()
            .error(conflict)
            .times(3)
            .output(|| TransactWriteItemsOutput::builder().build())
            .build();
        assert_eq!(write(&rule).await, Ok(()));
        assert_eq!(
            rule.num_calls(),
            4,
            "written once, and no more once it is written"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_count_that_too_many_images_change_at_once_is_left_to_the_steps_own_retry() {
        let rule = mock!(aws_sdk_dynamodb::Client::transact_write_items).then_error(conflict);
        let error = write(&rule).await.unwrap_err();
        assert_eq!(error.name(), ErrorName::Throttled);
        assert_eq!(rule.num_calls(), TRIES as usize);
    }
}
