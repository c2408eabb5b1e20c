//! Reads many items by their keys.

use crate::attribute::COUNT;
use crate::expression::{Expressions, Name};
use crate::key::Key;
use crate::label_rows::confidence;
use crate::{Item, Records, WithExpressions, answer, from_item};
use aws::ServiceError;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use domain::record::ImageResult;
use domain::{ImageId, ImageRecord, Owner};
use std::collections::{HashMap, HashSet};
use std::time::Duration;

/// The maximum number of keys of a BatchGetItem call.
const MAX_KEYS_PER_CALL: usize = 100;
/// How often a key is requested if DynamoDB returns it as unprocessed.
const MAX_TRIES: u32 = 3;
/// Doubled before each retry.
const WAIT: Duration = Duration::from_millis(50);

/// The result of reading an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Read<T> {
    /// The item exists.
    Found(T),
    /// The item does not exist.
    Absent,
    /// DynamoDB returned the key as unprocessed at every try, so it is unknown whether the item exists.
    Unread,
}

impl<T> Read<T> {
    /// The item, or `None` if it does not exist.
    ///
    /// # Errors
    /// It is unknown whether the item exists.
    pub fn known(self) -> Result<Option<T>, ServiceError> {
        match self {
            Self::Found(item) => Ok(Some(item)),
            Self::Absent => Ok(None),
            Self::Unread => Err(ServiceError::Throttled(
                "dynamodb:BatchGetItem left keys unprocessed".into(),
            )),
        }
    }
}

impl Records {
    /// The records of images in the order of `ids`, each converted with `read`. A record that is invalid, or for which
    /// `read` returns `None`, counts as absent, so that it does not hide the others. `unreadable` is called with the
    /// error of an invalid record.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn images<T: Clone>(
        &self,
        owner: &Owner,
        ids: &[ImageId],
        unreadable: impl Fn(String),
        read: impl Fn(ImageRecord) -> Option<T>,
    ) -> Result<Vec<Read<T>>, ServiceError> {
        let keys: Vec<_> = ids.iter().map(|id| Key::image(owner, *id)).collect();
        let read = |item| match from_item(item) {
            Ok(record) => read(record),
            Err(error) => {
                unreadable(error.to_string());
                None
            }
        };
        self.batch_get(&keys, read).await
    }

    /// The results of images in the order of `ids`. A result that is invalid counts as absent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn results(
        &self,
        owner: &Owner,
        ids: &[ImageId],
    ) -> Result<Vec<Read<ImageResult>>, ServiceError> {
        let keys: Vec<_> = ids.iter().map(|id| Key::result(owner, *id)).collect();
        self.batch_get(&keys, |item| answer::result(item).ok()).await
    }

    /// The number of the owner's images that have each label, in the order of `labels`.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn label_counts(
        &self,
        owner: &Owner,
        labels: impl IntoIterator<Item = &String>,
    ) -> Result<Vec<Read<i64>>, ServiceError> {
        let keys = labels.into_iter().map(|label| Key::label_count(owner, label));
        let keys: Vec<_> = keys.collect();
        let count = |item: Item| item.get(COUNT)?.as_n().ok()?.parse().ok();
        self.batch_get(&keys, count).await
    }

    /// The confidence of a label in images, in the order of `places`, which are the images' places in the history. In
    /// percent. `None` if the row has no valid confidence.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn label_confidences(
        &self,
        owner: &Owner,
        label: &str,
        places: &[&str],
    ) -> Result<Vec<Read<Option<f64>>>, ServiceError> {
        let keys: Vec<_> = places
            .iter()
            .map(|place| Key::label_row(owner, label, place))
            .collect();
        self.batch_get(&keys, |item| Some(confidence(&item))).await
    }

    /// Reads items with consistent reads, in the order of their keys. Converts each item with `read` at once, because
    /// the result can be much smaller than the item.
    pub(crate) async fn batch_get<T: Clone>(
        &self,
        keys: &[Key],
        read: impl Fn(Item) -> Option<T>,
    ) -> Result<Vec<Read<T>>, ServiceError> {
        self.batch_get_all(keys, None, read).await
    }

    /// The same with eventually consistent reads, which cost half as much, of only some attributes. `attributes` must contain
    /// those of the key.
    pub(crate) async fn batch_get_some<T: Clone>(
        &self,
        keys: &[Key],
        attributes: &[Name],
        read: impl Fn(Item) -> Option<T>,
    ) -> Result<Vec<Read<T>>, ServiceError> {
        self.batch_get_all(keys, Some(attributes), read).await
    }

    async fn batch_get_all<T: Clone>(
        &self,
        keys: &[Key],
        attributes: Option<&[Name]>,
        read: impl Fn(Item) -> Option<T>,
    ) -> Result<Vec<Read<T>>, ServiceError> {
        let mut found = HashMap::with_capacity(keys.len());
        let mut unread = vec![];
        // DynamoDB rejects duplicate keys in a request. The order of the keys must not change: a page of images ends
        // before the first item that was not read.
        let mut seen = HashSet::with_capacity(keys.len());
        let distinct: Vec<Key> = keys.iter().filter(|key| seen.insert(*key)).cloned().collect();
        for keys in distinct.chunks(MAX_KEYS_PER_CALL) {
            let mut left = keys.to_vec();
            for attempt in 0..MAX_TRIES {
                if attempt > 0 {
                    tokio::time::sleep(WAIT * 2_u32.pow(attempt)).await;
                }
                let (items, unprocessed) = self.batch_get_once(&left, attributes).await?;
                for item in items {
                    let Some(key) = Key::of(&item) else { continue };
                    if let Some(value) = read(item) {
                        found.insert(key, value);
                    }
                }
                left.retain(|key| unprocessed.contains(key));
                if left.is_empty() {
                    break;
                }
            }
            unread.append(&mut left);
        }
        let read = |key| match found.get(key) {
            Some(value) => Read::Found(T::clone(value)),
            None if unread.contains(key) => Read::Unread,
            None => Read::Absent,
        };
        Ok(keys.iter().map(read).collect())
    }

    /// The returned items and the unprocessed keys.
    async fn batch_get_once(
        &self,
        keys: &[Key],
        attributes: Option<&[Name]>,
    ) -> Result<(Vec<Item>, Vec<Key>), ServiceError> {
        let expressions = Expressions::new();
        let expressions = match attributes {
            Some(names) => expressions.projection(names),
            None => expressions,
        };
        let request = KeysAndAttributes::builder()
            .set_keys(Some(keys.iter().map(Key::item).collect()))
            .consistent_read(attributes.is_none())
            .with_expressions(expressions)
            .build()
            .map_err(|error| ServiceError::UnexpectedAnswer(format!("invalid request: {error}")))?;
        let mut answer = self
            .dynamodb
            .batch_get_item()
            .request_items(&self.table, request)
            .send()
            .await
            .map_err(|error| ServiceError::of("dynamodb:BatchGetItem", &error))?;
        let items = answer
            .responses
            .take()
            .and_then(|mut tables| tables.remove(&self.table))
            .unwrap_or_default();
        let unprocessed = answer.unprocessed_keys.unwrap_or_default().remove(&self.table);
        let unprocessed = unprocessed.map(|keys| keys.keys).unwrap_or_default();
        Ok((items, unprocessed.iter().filter_map(Key::of).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::number;
    use crate::fake_table::FakeTable;

    #[tokio::test]
    async fn a_label_that_is_requested_twice_is_returned_twice() {
        let owner = Owner::new("demo").unwrap();
        let fake = FakeTable::default();
        let key = Key::label_count(&owner, "Cat");
        let mut item = key.item();
        item.insert(COUNT.to_owned(), number(3));
        fake.state().items.insert(key, item);
        let labels = ["Cat", "Dog", "Cat"].map(str::to_owned);
        let counts = fake.records().label_counts(&owner, &labels).await.unwrap();
        assert_eq!(counts, [Read::Found(3), Read::Absent, Read::Found(3)]);
    }

    /// A page of images ends before the first item that was not read. If the order changed, the page could be empty.
    #[tokio::test]
    async fn reads_keys_in_the_requested_order() {
        let owner = Owner::new("demo").unwrap();
        let fake = FakeTable::default();
        fake.state().answered_keys = Some(2);
        let labels: Vec<_> = (0..20).map(|number| format!("Label {number}")).collect();
        for label in &labels {
            let key = Key::label_count(&owner, label);
            let mut item = key.item();
            item.insert(COUNT.to_owned(), number(1));
            fake.state().items.insert(key, item);
        }
        let counts = fake.records().label_counts(&owner, &labels).await.unwrap();
        let read = 2 * MAX_TRIES as usize;
        assert!(
            counts[..read].iter().all(|count| *count == Read::Found(1)),
            "{counts:?}"
        );
        assert!(
            counts[read..].iter().all(|count| *count == Read::Unread),
            "{counts:?}"
        );
    }
}
