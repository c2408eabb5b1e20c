//! Lists an owner's images and labels.

use crate::attribute::{CONFIDENCE, CREATED_AT, HISTORY, PARTITION_KEY, SORT_KEY};
use crate::expression::{Condition, Expressions, at_least, equals, number, text};
use crate::key::{Key, image_id};
use crate::label_rows::confidence;
use crate::request::WithExpressions;
use crate::unreadable::unreadable;
use crate::{Item, Records, RecordsError};
use aws::ServiceError;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::{ImageId, Owner, table};
use serde::de::DeserializeOwned;

/// A range of places in the history. A place has the form `<time>#<imageId>`.
#[derive(Debug, Clone, Copy)]
pub struct Range<'a> {
    /// The lowest place, inclusive.
    pub low: &'a str,
    /// The highest place, inclusive.
    pub high: &'a str,
    /// The maximum number of images. The newest ones are returned.
    pub limit: usize,
}

/// An image in the order of uploads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// When it was uploaded: ISO 8601, UTC, milliseconds.
    pub created_at: String,
    /// The image.
    pub image_id: ImageId,
}

/// An image in the order of the confidences of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confident {
    /// The confidence in percent, as DynamoDB writes it.
    pub percent: String,
    /// The image's place in the history.
    pub place: String,
}

/// The result of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// In the order of the query.
    pub items: Vec<T>,
    /// Whether there may be more items.
    pub more: bool,
}

impl Records {
    /// The places of an owner's images in the history. Reads the history index, which is eventually consistent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn history(&self, owner: &Owner, range: Range<'_>) -> Result<Found<String>, ServiceError> {
        let query = self
            .query(&table::owner_partition(owner), between(HISTORY, range))
            .index_name(table::HISTORY_INDEX);
        let place = |item: Item| item.get(HISTORY)?.as_s().ok().cloned();
        send(newest_first(query, range), place).await
    }

    /// The places of an owner's images that have a label, with the label's confidence in percent. The confidence is
    /// `None` if the row has no valid one. Uses consistent reads.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn images_with_label(
        &self,
        owner: &Owner,
        label: &str,
        range: Range<'_>,
    ) -> Result<Found<(String, Option<f64>)>, ServiceError> {
        let query = self
            .query(&table::label_partition(owner, label), between(SORT_KEY, range))
            .consistent_read(true);
        let row = |item: Item| Some((item.get(SORT_KEY)?.as_s().ok()?.clone(), confidence(&item)));
        send(newest_first(query, range), row).await
    }

    /// The owner's images in the order of their uploads, latest first, after `after`. At most `limit`. Eventually consistent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn recently_added(
        &self,
        owner: &Owner,
        after: Option<&Added>,
        limit: usize,
    ) -> Result<Found<Added>, ServiceError> {
        let start = after.map(|after| {
            let mut key = Key::image(owner, after.image_id).item();
            key.insert(CREATED_AT.to_owned(), text(&after.created_at));
            key
        });
        let added = |item: Item| {
            Some(Added {
                created_at: item.get(CREATED_AT)?.as_s().ok()?.clone(),
                image_id: image_id(item.get(SORT_KEY)?.as_s().ok()?)?,
            })
        };
        let condition = equals(PARTITION_KEY, text(table::owner_partition(owner)));
        let query = self.descending(condition, table::ADDED_INDEX, start, limit);
        send(query, added).await
    }

    /// The owner's images that have a label, in the order of its confidences, highest first, down to `min` percent, after
    /// `after`. At most `limit`. Eventually consistent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn most_confident(
        &self,
        owner: &Owner,
        label: &str,
        min: Option<f64>,
        after: Option<&Confident>,
        limit: usize,
    ) -> Result<Found<Confident>, ServiceError> {
        let start = after.map(|after| {
            let mut key = Key::label_row(owner, label, &after.place).item();
            key.insert(CONFIDENCE.to_owned(), number(&after.percent));
            key
        });
        let confident = |item: Item| {
            Some(Confident {
                percent: item.get(CONFIDENCE)?.as_n().ok()?.clone(),
                place: item.get(SORT_KEY)?.as_s().ok()?.clone(),
            })
        };
        let mut condition = equals(PARTITION_KEY, text(table::label_partition(owner, label)));
        if let Some(min) = min {
            condition = condition.and(at_least(CONFIDENCE, number(min)));
        }
        let query = self.descending(condition, table::CONFIDENCE_INDEX, start, limit);
        send(query, confident).await
    }

    /// A query of an index in descending order, after `start`.
    fn descending(
        &self,
        condition: Condition,
        index: &str,
        start: Option<Item>,
        limit: usize,
    ) -> QueryFluentBuilder {
        self.dynamodb
            .query()
            .table_name(&self.table)
            .index_name(index)
            .scan_index_forward(false)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .with_expressions(Expressions::new().key_condition(condition))
    }

    /// The counts of an owner's labels whose names start with `prefix`, in alphabetical order. Case-insensitive. At
    /// most `limit` counts.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn labels<T: DeserializeOwned>(
        &self,
        owner: &Owner,
        prefix: &str,
        limit: i32,
    ) -> Result<Vec<T>, RecordsError> {
        // The sort key of a prefix of a name is a prefix of the name's sort key.
        let begins = Condition::BeginsWith(SORT_KEY, text(table::label_count_sort(prefix)));
        let answer = self
            .query(&table::owner_partition(owner), begins)
            .consistent_read(true)
            .limit(limit)
            .send()
            .await
            .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
        serde_dynamo::from_items(answer.items.unwrap_or_default()).map_err(|error| unreadable(&error))
    }

    /// A query for items of a partition.
    pub(crate) fn query(&self, partition: &str, sort: Condition) -> QueryFluentBuilder {
        let condition = equals(PARTITION_KEY, text(partition)).and(sort);
        self.dynamodb
            .query()
            .table_name(&self.table)
            .with_expressions(Expressions::new().key_condition(condition))
    }
}

fn between(name: &'static str, range: Range<'_>) -> Condition {
    Condition::Between(name, text(range.low), text(range.high))
}

fn newest_first(query: QueryFluentBuilder, range: Range<'_>) -> QueryFluentBuilder {
    query
        .scan_index_forward(false)
        .limit(i32::try_from(range.limit).unwrap_or(i32::MAX))
}

pub(crate) async fn send<T>(
    query: QueryFluentBuilder,
    read: impl Fn(Item) -> Option<T>,
) -> Result<Found<T>, ServiceError> {
    let answer: QueryOutput = query
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
    Ok(Found {
        more: answer.last_evaluated_key().is_some_and(|key| !key.is_empty()),
        items: answer
            .items
            .unwrap_or_default()
            .into_iter()
            .filter_map(read)
            .collect(),
    })
}
