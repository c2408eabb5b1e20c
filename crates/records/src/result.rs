//! Stores the final result of an image: its record, its result item, the label rows and the owner's label counts.
//!
//! For up to 49 changed labels, this is a single transaction, which also checks the claim. More labels need several
//! transactions. Each of them checks the claim. All except the last one also store the names of all rows in `labelRows`
//! of the record, so that it stays a superset of the rows and the next writer can find every row to remove. The last
//! transaction stores the result.
//!
//! Step Functions can run the step again after any transaction, even while the first run is still in progress. Each run
//! reads the existing rows and writes only the differences.

use crate::attribute::{
    ERROR, EXECUTION_ARN, FORMAT, HEIGHT, LABEL_ROWS, LABELS, MODEL_VERSION, SIZE, STATUS, UPDATED_AT, WIDTH,
};
use crate::contention::Contention;
use crate::expression::{Condition, Expressions, Update, differs, equals, number, text, texts};
use crate::key::Key;
use crate::label_rows::{self, LabelRows};
use crate::transaction::{MAX_ACTIONS, TransactionError};
use crate::{Item, Records, RecordsError, attribute_value, now};
use aws::ServiceError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::record::{ImageResult, RecordedError, RecordedLabel};
use domain::{Claim, DetectedImage, Label, Picture, Status, label};
use std::collections::BTreeSet;

/// The condition that the execution holds the claim. After the claim, every write of the record has this condition or a
/// stricter one. The only exception is the owner's deletion.
pub(crate) fn is_held(claim: &Claim) -> Condition {
    equals(EXECUTION_ARN, text(&claim.execution_arn)).and(differs(STATUS, text(Status::Deleted.as_str())))
}

/// The final result of an image.
#[derive(Debug, Clone, Copy)]
pub enum FinalResult<'a> {
    /// The image is `LABELED`.
    Labeled(&'a DetectedImage),
    /// The image is `REJECTED`.
    Rejected(&'a RecordedError),
}

/// Why an execution no longer holds its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LostClaim {
    /// Another execution has claimed the image.
    Superseded,
    /// The owner has deleted the image.
    Deleted,
}

/// Why a result was not stored.
#[derive(Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The execution no longer holds the claim.
    Lost(LostClaim),
    /// A read or a write failed.
    Records(RecordsError),
}

impl<E: Into<RecordsError>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Records(error.into())
    }
}

impl FinalResult<'_> {
    fn labels(&self) -> Vec<RecordedLabel> {
        let Self::Labeled(detected) = self else {
            return vec![];
        };
        detected.labels.iter().map(recorded).collect()
    }
}

fn recorded(label: &Label) -> RecordedLabel {
    RecordedLabel {
        name: label.name.clone(),
        confidence: label.confidence,
    }
}

impl Records {
    /// Stores the final result of an image if the execution still holds the claim.
    ///
    /// # Errors
    /// See [`StoreError`]. Completed transactions are not undone. Another run continues from there.
    pub async fn store_result(&self, claim: &Claim, result: FinalResult<'_>) -> Result<(), StoreError> {
        let mut contention = Contention::default();
        for _ in 0..label_rows::MAX_TRIES {
            match self.try_store(claim, result, &mut contention).await {
                Err(AttemptError::RowsChanged) => {}
                Err(AttemptError::Store(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        let busy = "another run of the step is changing the image's label rows".to_owned();
        Err(ServiceError::Throttled(busy).into())
    }

    async fn try_store(
        &self,
        claim: &Claim,
        result: FinalResult<'_>,
        contention: &mut Contention,
    ) -> Result<(), AttemptError> {
        let (owner, image_id) = (&claim.owner, claim.image_id);
        let record = self.image(owner, image_id).await.map_err(StoreError::from)?;
        let record = match record {
            // The tombstone has expired.
            None => return Err(StoreError::Lost(LostClaim::Deleted).into()),
            Some(record) if record.status == Status::Deleted => {
                return Err(StoreError::Lost(LostClaim::Deleted).into());
            }
            Some(record) if record.execution_arn.as_deref() != Some(claim.execution_arn.as_str()) => {
                return Err(StoreError::Lost(LostClaim::Superseded).into());
            }
            Some(record) => record,
        };
        let rows = LabelRows::read(self, owner, image_id, &record.created_at, &record.label_rows)
            .await
            .map_err(StoreError::from)?;
        let labels = result.labels();
        let names: BTreeSet<&str> = labels.iter().map(|label| label.name.as_str()).collect();
        // In addition to the rows, a transaction contains at most the record and the result.
        let mut parts = LabelRows::parts(rows.changes(&labels), MAX_ACTIONS - 2);
        let last = parts.pop().unwrap_or_default();
        let all_names = record
            .label_rows
            .iter()
            .map(String::as_str)
            .chain(names.iter().copied());
        let all_names: BTreeSet<&str> = all_names.collect();
        for part in parts {
            let update = Update::new()
                .set(UPDATED_AT, text(now()))
                .set(LABEL_ROWS, texts(all_names.iter().copied()));
            let mut actions = vec![self.record(claim, update)];
            actions.extend(part.iter().flat_map(|change| rows.actions(self, change)));
            self.transact(actions, contention).await?;
        }
        let mut actions = self
            .final_result(claim, result, &names)
            .map_err(StoreError::from)?;
        actions.extend(last.iter().flat_map(|change| rows.actions(self, change)));
        self.transact(actions, contention).await?;
        Ok(())
    }

    /// Updates the record if the execution still holds the claim.
    fn record(&self, claim: &Claim, update: Update) -> TransactWriteItem {
        let expressions = Expressions::new().condition(is_held(claim)).update(update);
        self.checked_update(&Key::of_claim(claim), expressions)
    }

    /// The actions for the record and the result item. A rejected picture has no result item, so the one of an earlier
    /// picture under the same key is deleted.
    fn final_result(
        &self,
        claim: &Claim,
        result: FinalResult<'_>,
        names: &BTreeSet<&str>,
    ) -> Result<Vec<TransactWriteItem>, RecordsError> {
        let key = Key::result(&claim.owner, claim.image_id);
        let names = (!names.is_empty()).then(|| texts(names.iter().copied()));
        let update = Update::new()
            .set(UPDATED_AT, text(now()))
            .set_or_remove(LABEL_ROWS, names);
        match result {
            FinalResult::Labeled(detected) => {
                let Picture {
                    size,
                    format,
                    width,
                    height,
                    ..
                } = &detected.image.picture;
                // Lists of images show the record's labels, which have no parents to order them by.
                let labels = label::most_specific_first(&detected.labels);
                let labels: Vec<_> = labels.into_iter().map(recorded).collect();
                let update = update
                    .set(STATUS, text(Status::Labeled.as_str()))
                    .set(LABELS, attribute_value(&labels)?)
                    .set(SIZE, number(size))
                    .set(FORMAT, attribute_value(format)?)
                    .set(WIDTH, number(width))
                    .set(HEIGHT, number(height))
                    .set_or_remove(MODEL_VERSION, detected.model_version.as_ref().map(text))
                    .remove([ERROR]);
                let result = ImageResult {
                    execution_arn: claim.execution_arn.clone(),
                    labels: detected.labels.clone(),
                    policy: detected.image.policy.clone(),
                };
                let result: Item = serde_dynamo::to_item(result)
                    .map_err(|error| RecordsError::Unreadable(error.to_string()))?;
                Ok(vec![
                    self.record(claim, update),
                    self.put(&key, result, Expressions::new()),
                ])
            }
            FinalResult::Rejected(error) => {
                let update = update
                    .set(STATUS, text(Status::Rejected.as_str()))
                    .set(ERROR, attribute_value(error)?)
                    .remove([LABELS, MODEL_VERSION]);
                Ok(vec![
                    self.record(claim, update),
                    self.delete(&key, Expressions::new()),
                ])
            }
        }
    }
}

/// Why one attempt to store a result failed.
enum AttemptError {
    /// The label rows have changed since they were read.
    RowsChanged,
    Store(StoreError),
}

impl From<StoreError> for AttemptError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TransactionError> for AttemptError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::OtherConditionFailed => Self::RowsChanged,
            TransactionError::FirstConditionFailed(record) => {
                Self::Store(StoreError::Lost(lost_claim(record.as_ref())))
            }
            TransactionError::Service(error) => Self::Store(error.into()),
        }
    }
}

/// Why the claim is lost. If there is no record, the tombstone has expired.
fn lost_claim(record: Option<&Item>) -> LostClaim {
    match record.and_then(|record| record.get(STATUS)?.as_s().ok()) {
        Some(status) if status != Status::Deleted.as_str() => LostClaim::Superseded,
        _ => LostClaim::Deleted,
    }
}
