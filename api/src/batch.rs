//! Reads many items by their keys.

use crate::Api;
use crate::problem::Problem;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::table::{PARTITION_KEY, SORT_KEY};
use lambda::ServiceError;
use std::collections::HashMap;
use std::time::Duration;

/// An item's partition and sort key.
pub(crate) type Key = (String, String);
/// An item's attributes.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Records of images a call: one can have 300 KB, and while its labels are taken apart, a few times that.
pub(crate) const RECORDS: usize = 25;
/// Label rows and counts a call: as many as DynamoDB takes.
pub(crate) const SMALL_ITEMS: usize = 100;
/// How often keys that DynamoDB has left out are asked for again.
const TRIES: u32 = 3;
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// What was asked for, by key; keys of items that do not exist have none.
#[derive(Debug)]
pub(crate) struct Found<T> {
    items: HashMap<Key, T>,
    /// What DynamoDB has left out to the end: nothing is known about these.
    unread: Vec<Key>,
}

impl<T> Found<T> {
    /// The item of a key: `None` where it was not read, `Some(None)` where there is none.
    pub(crate) fn take(&mut self, key: &Key) -> Option<Option<T>> {
        if self.unread.contains(key) {
            return None;
        }
        Some(self.items.remove(key))
    }

    /// All items that there are.
    ///
    /// # Errors
    /// Some were not read.
    pub(crate) fn complete(self) -> Result<HashMap<Key, T>, Problem> {
        if self.unread.is_empty() {
            Ok(self.items)
        } else {
            Err(Problem::unavailable())
        }
    }
}

/// Reads items, `keys_a_call` at a time, each only as long as `read` looks at it: what it makes of an item can be far
/// smaller. Items of which it makes nothing count as absent.
pub(crate) async fn get<T>(
    api: &Api,
    keys: &[Key],
    keys_a_call: usize,
    read: impl Fn(Item) -> Option<T>,
) -> Result<Found<T>, Problem> {
    let mut found = Found {
        items: HashMap::with_capacity(keys.len()),
        unread: vec![],
    };
    for keys in keys.chunks(keys_a_call) {
        let mut left = keys.to_vec();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(FIRST_WAIT * 2_u32.pow(attempt)).await;
            }
            let (items, unread) = call(api, &left).await?;
            for item in items {
                let Some(key) = key_of(&item) else { continue };
                if let Some(value) = read(item) {
                    found.items.insert(key, value);
                }
            }
            left = unread;
            if left.is_empty() {
                break;
            }
        }
        found.unread.append(&mut left);
    }
    Ok(found)
}

/// The items that came, and the keys that were left out.
async fn call(api: &Api, keys: &[Key]) -> Result<(Vec<Item>, Vec<Key>), Problem> {
    let keys = keys.iter().map(|(partition, sort)| {
        Item::from([
            (PARTITION_KEY.to_owned(), AttributeValue::S(partition.clone())),
            (SORT_KEY.to_owned(), AttributeValue::S(sort.clone())),
        ])
    });
    let request = KeysAndAttributes::builder()
        .set_keys(Some(keys.collect()))
        .consistent_read(true)
        .build()
        .map_err(|_| Problem::internal())?;
    let mut answer = api
        .dynamodb
        .batch_get_item()
        .request_items(&api.table, request)
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:BatchGetItem", &error))?;
    let items = answer
        .responses
        .take()
        .and_then(|mut tables| tables.remove(&api.table))
        .unwrap_or_default();
    let unread = answer.unprocessed_keys.unwrap_or_default().remove(&api.table);
    let unread = unread.map(|unread| unread.keys).unwrap_or_default();
    Ok((items, unread.iter().filter_map(key_of).collect()))
}

fn key_of(item: &Item) -> Option<Key> {
    let text = |name| item.get(name)?.as_s().ok().cloned();
    Some((text(PARTITION_KEY)?, text(SORT_KEY)?))
}
