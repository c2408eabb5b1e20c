//! One row for each label of an image, and a count of them for each label of the owner.
//!
//! A row and its count change together or not at all, so that counts stay exact when a step runs
//! twice, or an image is labeled again or deleted. The same transaction checks the image's record: a
//! slow execution that has lost the image, to a later event or to its owner's deletion, cannot bring
//! back what that took away.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{ImageId, Label, Owner, Status};
use lambda::ServiceError;
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// Holds while an execution's claim on an image is its own; uses `:executionArn`, `:deleted` and `#status`.
pub const CLAIM_IS_OURS: &str = "executionArn = :executionArn AND #status <> :deleted";

/// Images of one owner that are labeled at the same time meet at the same counts; the SDK does not
/// retry that. Beyond these tries, the step as a whole is retried.
const TRIES: u32 = 8;
const FIRST_WAIT: Duration = Duration::from_millis(20);

/// What must hold for the image's record whenever one of its rows changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'a> {
    /// The execution with this ARN has claimed the image.
    ClaimedBy(&'a str),
    /// The owner has deleted the image.
    Deleted,
}

/// Why a row was not changed.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum LabelRowsError {
    /// The [`Condition`] does not hold; with the record as it is, where there is one.
    #[error("the image's record has changed")]
    RecordChanged(Option<HashMap<String, AttributeValue>>),
    /// AWS is at fault, or a permission is missing.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// The rows of one image.
#[derive(Debug, Clone, Copy)]
pub struct LabelRows<'a> {
    /// Stores rows and counts.
    pub dynamodb: &'a Client,
    /// The table of image records.
    pub table: &'a str,
    /// Whose image it is.
    pub owner: &'a Owner,
    /// The image.
    pub image_id: ImageId,
    /// The record's, by which rows are sorted: ISO 8601, UTC, milliseconds.
    pub created_at: &'a str,
    /// Checked with each change.
    pub condition: Condition<'a>,
}

/// How a transaction ended.
#[derive(Debug, PartialEq, Eq)]
enum Written {
    Done,
    /// The row is there already, or already gone: an earlier run has done it.
    Before,
}

impl LabelRows<'_> {
    /// Puts the rows of all `labels`, and deletes those of the `announced` names that have none.
    ///
    /// # Errors
    /// See [`LabelRowsError`]. What is done until then stays, and need not be undone.
    pub async fn replace(&self, announced: &[String], labels: &[Label]) -> Result<(), LabelRowsError> {
        let now: HashSet<_> = labels.iter().map(|label| label.name.to_lowercase()).collect();
        for gone in announced
            .iter()
            .filter(|name| !now.contains(&name.to_lowercase()))
        {
            self.delete(gone).await?;
        }
        for label in labels {
            self.put(label).await?;
        }
        Ok(())
    }

    async fn put(&self, label: &Label) -> Result<(), LabelRowsError> {
        let row = Put::builder()
            .table_name(self.table)
            .item(PARTITION_KEY, self.partition(&label.name))
            .item(SORT_KEY, self.sort())
            .item("imageId", text(self.image_id.to_string()))
            .item("label", text(label.name.clone()))
            .item("confidence", confidence(label))
            .condition_expression(format!("attribute_not_exists({PARTITION_KEY})"))
            .build();
        let row = TransactWriteItem::builder().put(built(row)?).build();
        let count = self.count(&label.name, 1)?;
        if self.write(vec![row, count]).await? == Written::Before {
            self.update_confidence(label).await?;
        }
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), LabelRowsError> {
        let row = Delete::builder()
            .table_name(self.table)
            .key(PARTITION_KEY, self.partition(name))
            .key(SORT_KEY, self.sort())
            .condition_expression(format!("attribute_exists({PARTITION_KEY})"))
            .build();
        let row = TransactWriteItem::builder().delete(built(row)?).build();
        let count = self.count(name, -1)?;
        self.write(vec![row, count]).await.map(drop)
    }

    /// The same label may have another confidence than before.
    async fn update_confidence(&self, label: &Label) -> Result<(), LabelRowsError> {
        let row = Update::builder()
            .table_name(self.table)
            .key(PARTITION_KEY, self.partition(&label.name))
            .key(SORT_KEY, self.sort())
            .update_expression("SET confidence = :confidence")
            .condition_expression(format!("attribute_exists({PARTITION_KEY})"))
            .expression_attribute_values(":confidence", confidence(label))
            .build();
        let row = TransactWriteItem::builder().update(built(row)?).build();
        match self.write(vec![row]).await? {
            Written::Done => Ok(()),
            // Only who loses the image sees its rows go, and would have been told of that first.
            Written::Before => {
                Err(ServiceError::UnexpectedAnswer("a label's row has vanished".into()).into())
            }
        }
    }

    /// Changes how many images of the owner have a label.
    fn count(&self, name: &str, change: i32) -> Result<TransactWriteItem, LabelRowsError> {
        let count = Update::builder()
            .table_name(self.table)
            .key(PARTITION_KEY, text(table::owner_partition(self.owner)))
            .key(SORT_KEY, text(table::label_count_sort(name)))
            .update_expression("SET #name = :name ADD #count :change")
            .expression_attribute_names("#name", "name")
            .expression_attribute_names("#count", "count")
            .expression_attribute_values(":name", text(name.to_owned()))
            .expression_attribute_values(":change", AttributeValue::N(change.to_string()))
            .build();
        Ok(TransactWriteItem::builder().update(built(count)?).build())
    }

    /// The first item of each transaction: that the image's record is as it must be.
    fn record(&self) -> Result<TransactWriteItem, LabelRowsError> {
        let check = ConditionCheck::builder()
            .table_name(self.table)
            .key(PARTITION_KEY, text(table::owner_partition(self.owner)))
            .key(SORT_KEY, text(table::image_sort(self.image_id)))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":deleted", text(Status::Deleted.as_str().to_owned()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let check = match self.condition {
            Condition::ClaimedBy(execution_arn) => check
                .condition_expression(CLAIM_IS_OURS)
                .expression_attribute_values(":executionArn", text(execution_arn.to_owned())),
            Condition::Deleted => check.condition_expression("#status = :deleted"),
        };
        Ok(TransactWriteItem::builder()
            .condition_check(built(check.build())?)
            .build())
    }

    /// Writes a row, and its count with it where that changes, while the record is as it must be.
    async fn write(&self, row_and_count: Vec<TransactWriteItem>) -> Result<Written, LabelRowsError> {
        let mut items = vec![self.record()?];
        items.extend(row_and_count);
        for attempt in 0..TRIES {
            let sent = self
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
        text(table::label_partition(self.owner, name))
    }

    fn sort(&self) -> AttributeValue {
        text(table::history_sort(self.created_at, self.image_id))
    }
}

fn confidence(label: &Label) -> AttributeValue {
    AttributeValue::N(label.confidence.percent().to_string())
}

#[derive(Debug, PartialEq)]
enum Canceled {
    RowBefore,
    Conflict,
    Other(LabelRowsError),
}

/// Reasons stand in the order of the transaction's items: record, row, count.
fn judge(reasons: &[CancellationReason]) -> Canceled {
    let code = |index: usize| {
        reasons
            .get(index)
            .and_then(CancellationReason::code)
            .unwrap_or("None")
    };
    if code(0) == "ConditionalCheckFailed" {
        return Canceled::Other(LabelRowsError::RecordChanged(reasons[0].item.clone()));
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

/// The builders ask for nothing that is not given above.
fn built<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<T, LabelRowsError> {
    result.map_err(|error| ServiceError::UnexpectedAnswer(format!("no transaction: {error}")).into())
}

#[cfg(test)]
mod tests;
