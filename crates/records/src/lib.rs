//! All DynamoDB expressions of the product, with one module per item and transition.
//!
//! Steps, listeners and routes call [`Records::claim`], [`Records::store_result`], [`Records::mark_deleted`] and so on,
//! and contain no attribute names or conditions. `docs/data-model.md` lists the items.

mod account;
pub mod answer;
mod attribute;
mod batch;
mod checksum;
mod claim;
mod conditional;
mod contention;
mod corrections;
mod deletion;
pub mod expression;
mod failure;
mod holder;
mod image;
mod job;
mod key;
mod label_rows;
mod labels;
mod metadata;
mod pace;
mod quota;
mod reconciliation;
mod refilter;
mod request;
mod result;
mod search;
mod settings;
mod thumbnails;
mod transaction;
mod undo;
mod unreadable;
mod upload;
mod video_job;
mod video_leases;

pub use account::Page;
pub use batch::Read;
pub use checksum::File;
pub use claim::{ClaimCondition, ClaimedEvent, ClaimedFile};
pub use corrections::{CorrectError, Corrected, Edit};
pub use deletion::{Deletable, Tombstone, Unrecorded};
pub use job::ImagesPage;
pub use quota::{CountedImage, Exhausted, MinutesExhausted, NotCounted, Quotas, VideoQuotas};
pub use reconciliation::{ImageState, IndexedImage, IndexedImages, StoredImage};
pub use refilter::Refiltered;
pub use request::WithExpressions;
pub use result::{FinalResult, LostClaim, StoreError};
pub use search::{Added, Confident, Found, Range};
pub use settings::VersionedSettings;
pub use thumbnails::{StoredThumbnails, ThumbnailsResult};
pub use undo::UndoPage;
pub use video_job::{VideoJob, Waiting};

use aws::ServiceError;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use conditional::Written;
use domain::{ErrorName, StepError};
use expression::Expressions;
use key::Key;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashMap;

/// An item's attributes.
type Item = HashMap<String, AttributeValue>;

/// The table of all records.
#[derive(Debug, Clone)]
pub struct Records {
    dynamodb: Client,
    table: String,
}

/// Why a read or a write failed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordsError {
    /// An item does not have the expected format, or DynamoDB cannot store a value.
    #[error("an item of the table is invalid: {0}")]
    Unreadable(String),
    /// The call failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl StepError for RecordsError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Unreadable(_) => ErrorName::UnexpectedAnswer,
            Self::Service(error) => error.name(),
        }
    }
}

impl Records {
    /// Accesses the table with the name `table`.
    pub fn new(dynamodb: Client, table: String) -> Self {
        Self { dynamodb, table }
    }

    /// Sends an update. `returned` selects the attributes in `Done`. `Refused` contains the current item if
    /// `return_item` is set.
    async fn update(
        &self,
        key: &Key,
        expressions: Expressions,
        returned: ReturnValue,
        return_item: bool,
    ) -> Result<Written<Option<Item>>, ServiceError> {
        let update = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .return_values(returned)
            .set_return_values_on_condition_check_failure(
                return_item.then_some(ReturnValuesOnConditionCheckFailure::AllOld),
            )
            .with_expressions(expressions);
        let written = conditional::write("dynamodb:UpdateItem", || update.clone().send()).await?;
        Ok(match written {
            Written::Done(answer) => Written::Done(answer.attributes),
            Written::Refused(item) => Written::Refused(item),
        })
    }

    /// Sends an update. Returns whether its condition held.
    async fn update_if(&self, key: &Key, expressions: Expressions) -> Result<bool, ServiceError> {
        let updated = self.update(key, expressions, ReturnValue::None, false).await?;
        Ok(matches!(updated, Written::Done(_)))
    }

    /// Puts an item with these attributes, also if there is one.
    async fn put_item<T: Serialize>(&self, key: &Key, attributes: &T) -> Result<(), RecordsError> {
        let mut item: Item =
            serde_dynamo::to_item(attributes).map_err(|error| RecordsError::Unreadable(error.to_string()))?;
        item.extend(key.item());
        self.dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map(drop)
            .map_err(|error| ServiceError::of("dynamodb:PutItem", &error).into())
    }

    /// Deletes an item, if it exists.
    async fn delete_item(&self, key: &Key) -> Result<(), ServiceError> {
        self.dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .send()
            .await
            .map(drop)
            .map_err(|error| ServiceError::of("dynamodb:DeleteItem", &error))
    }

    /// Reads an item with a consistent read. With a projection, reads only some of its attributes.
    async fn get(&self, key: &Key, expressions: Expressions) -> Result<Option<Item>, ServiceError> {
        self.dynamodb
            .get_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .consistent_read(true)
            .with_expressions(expressions)
            .send()
            .await
            .map(|answer| answer.item)
            .map_err(|error| ServiceError::of("dynamodb:GetItem", &error))
    }
}

fn from_item<T: DeserializeOwned>(item: Item) -> Result<T, RecordsError> {
    serde_dynamo::from_item(item).map_err(|error| unreadable::unreadable(&error))
}

fn attribute_value<T: Serialize + ?Sized>(value: &T) -> Result<AttributeValue, RecordsError> {
    serde_dynamo::to_attribute_value(value).map_err(|error| RecordsError::Unreadable(error.to_string()))
}

/// The current time: ISO 8601, UTC, milliseconds.
fn now() -> String {
    format!("{:.3}", jiff::Timestamp::now())
}

/// The current time in the same format, but later than `earlier`. Writers that read a record and then change it on the
/// condition that `updatedAt` is the same therefore never overwrite each other's changes.
fn now_after(earlier: &str) -> String {
    let now = jiff::Timestamp::now();
    let earlier: Option<jiff::Timestamp> = earlier.parse().ok();
    let next = earlier.map(|earlier| earlier + jiff::SignedDuration::from_millis(1));
    format!("{:.3}", next.map_or(now, |next| now.max(next)))
}

#[cfg(test)]
mod fake_table;
#[cfg(test)]
mod tests;
