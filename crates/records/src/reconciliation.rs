//! What the reconciler reads: the state of many images, and the item in which it stores its cursor.

use crate::attribute::{
    CREATED_AT, EXECUTION_ARN, EXPIRES_AT, HISTORY, HOLDER, IMAGE_ID, KEY, OWNER, PARTITION_KEY, PASS,
    SEQUENCER, SIZE, SORT_KEY, STATUS, THUMBNAILS, THUMBNAILS_ERROR, UNTIL, UPDATED_AT, VIDEO,
};
use crate::batch::Read;
use crate::conditional::Written;
use crate::expression::{Condition, Expressions, Name, Update, equals, less, number, text};
use crate::key::Key;
use crate::{Item, Records, RecordsError, attribute_value, from_item};
use aws::ServiceError;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::reconciliation::{IndexKey, Pass, Scope};
use domain::record::RecordedError;
use domain::{ImageId, ImageRecord, Owner, Rendition, Status, Video, table};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// How long the cursor of a pass over one owner or without repairs is kept. It belongs to a person who waits for the result.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// The attributes of an [`ImageState`]. A record can have 300 KB, of which these are a small part.
const STATE: [Name; 14] = [
    PARTITION_KEY,
    SORT_KEY,
    IMAGE_ID,
    OWNER,
    STATUS,
    CREATED_AT,
    UPDATED_AT,
    KEY,
    EXECUTION_ARN,
    SEQUENCER,
    SIZE,
    THUMBNAILS,
    THUMBNAILS_ERROR,
    VIDEO,
];

/// The part of an image's record that shows whether it is a leftover.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageState {
    /// The image.
    pub image_id: ImageId,
    /// The image's owner.
    pub owner: Owner,
    /// Processing status.
    pub status: Status,
    /// See [`ImageRecord::created_at`].
    #[serde(default)]
    pub created_at: String,
    /// When the record last changed.
    pub updated_at: String,
    /// The object's key. Empty once a deletion is complete.
    #[serde(default)]
    pub key: String,
    /// The execution that holds the claim.
    #[serde(default)]
    pub execution_arn: Option<String>,
    /// See [`ImageRecord::sequencer`].
    #[serde(default)]
    pub sequencer: Option<String>,
    /// The file's size in bytes.
    #[serde(default)]
    pub size: Option<u64>,
    /// The thumbnails that belong to the result.
    #[serde(default)]
    pub thumbnails: Vec<Rendition>,
    /// Why there are none.
    #[serde(default)]
    pub thumbnails_error: Option<RecordedError>,
    /// See [`ImageRecord::video`].
    #[serde(default)]
    pub video: Option<Video>,
}

impl ImageState {
    /// Whether the image is deleted, and its deletion complete.
    pub fn is_closed_tombstone(&self) -> bool {
        // The key is removed together with the rest.
        self.status == Status::Deleted && self.key.is_empty()
    }
}

impl From<&ImageRecord> for ImageState {
    fn from(record: &ImageRecord) -> Self {
        Self {
            image_id: record.image_id,
            owner: record.owner.clone(),
            status: record.status,
            created_at: record.created_at.clone(),
            updated_at: record.updated_at.clone(),
            key: record.key.clone(),
            execution_arn: record.execution_arn.clone(),
            sequencer: record.sequencer.clone(),
            size: record.size,
            thumbnails: record.thumbnails.clone(),
            thumbnails_error: record.thumbnails_error.clone(),
            video: record.video.clone(),
        }
    }
}

/// An image's record, as the reconciler reads it.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredImage {
    /// Its state.
    Valid(Box<ImageState>),
    /// The record is invalid. Contains the error.
    Invalid(String),
}

/// An image that a page of the index names.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexedImage {
    /// Its key in the index.
    pub key: IndexKey,
    /// Its record. [`Read::Absent`] if it was deleted since.
    pub stored: Read<StoredImage>,
}

/// A page of the index.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexedImages {
    /// The images of the page.
    pub images: Vec<IndexedImage>,
    /// The last one, if there may be more.
    pub next: Option<IndexKey>,
}

impl Records {
    /// The states of images in the order of `images`. Eventually consistent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn image_states(
        &self,
        images: &[(Owner, ImageId)],
    ) -> Result<Vec<Read<StoredImage>>, ServiceError> {
        let keys: Vec<_> = images.iter().map(|(owner, id)| Key::image(owner, *id)).collect();
        self.states(&keys).await
    }

    async fn states(&self, keys: &[Key]) -> Result<Vec<Read<StoredImage>>, ServiceError> {
        let read = |item| {
            Some(match from_item(item) {
                Ok(state) => StoredImage::Valid(Box::new(state)),
                Err(error) => StoredImage::Invalid(error.to_string()),
            })
        };
        self.batch_get_some(keys, &STATE, read).await
    }

    /// The states of at most `limit` images after `after`, in the order of the index `history`: all images but closed
    /// tombstones. Eventually consistent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn indexed_images(
        &self,
        scope: &Scope,
        after: Option<&IndexKey>,
        limit: i32,
    ) -> Result<IndexedImages, ServiceError> {
        let start = after.map(|after| {
            Item::from([
                (PARTITION_KEY.to_owned(), text(&after.partition)),
                (SORT_KEY.to_owned(), text(&after.sort)),
                (HISTORY.to_owned(), text(&after.history)),
            ])
        });
        let (items, last) = match scope {
            Scope::All | Scope::Trial => {
                let answer = self
                    .dynamodb
                    .scan()
                    .table_name(&self.table)
                    .index_name(table::HISTORY_INDEX)
                    .limit(limit)
                    .set_exclusive_start_key(start)
                    .send()
                    .await
                    .map_err(|error| ServiceError::of("dynamodb:Scan", &error))?;
                (answer.items, answer.last_evaluated_key)
            }
            Scope::Owner(owner) => {
                // All times start with a digit.
                let all = Condition::Between(HISTORY, text("0"), text("~"));
                let answer = self
                    .query(&table::owner_partition(owner), all)
                    .index_name(table::HISTORY_INDEX)
                    .limit(limit)
                    .set_exclusive_start_key(start)
                    .send()
                    .await
                    .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
                (answer.items, answer.last_evaluated_key)
            }
        };
        let indexed: Vec<_> = items.unwrap_or_default().iter().filter_map(index_key).collect();
        let key = |indexed: &IndexKey| Key {
            partition: indexed.partition.clone(),
            sort: indexed.sort.clone(),
        };
        let keys: Vec<_> = indexed.iter().map(key).collect();
        let states = self.states(&keys).await?;
        let images = indexed.into_iter().zip(states);
        Ok(IndexedImages {
            images: images.map(|(key, stored)| IndexedImage { key, stored }).collect(),
            next: last.as_ref().and_then(index_key),
        })
    }

    /// The stored pass. A pass that an earlier version has stored in another format counts as absent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn pass(&self, scope: &Scope) -> Result<Option<Pass>, ServiceError> {
        let expressions = Expressions::new().projection(&[PASS]);
        let item = self.get(&Key::reconciliation(scope), expressions).await?;
        Ok(item.and_then(pass))
    }

    /// Takes the lease of the reconciler for a run, until the time `until`, so that no two runs work at the same time.
    /// Returns the stored pass, or `None` while another run has the lease.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn begin_run(
        &self,
        scope: &Scope,
        run: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<Option<Pass>>, ServiceError> {
        let is_free = Condition::Absent(HOLDER).or(less(UNTIL, number(now.as_millisecond())));
        let mut update = Update::new()
            .set(HOLDER, text(run))
            .set(UNTIL, number(until.as_millisecond()));
        if let Scope::Owner(_) | Scope::Trial = scope {
            update = update.set(EXPIRES_AT, number((now + KEPT).as_second()));
        }
        let expressions = Expressions::new().condition(is_free).update(update);
        let key = Key::reconciliation(scope);
        let item = match self.update(&key, expressions, ReturnValue::AllNew, true).await? {
            Written::Done(item) => item,
            // The answer to an earlier attempt was lost, and the SDK retried the call.
            Written::Refused(Some(item)) if item.get(HOLDER) == Some(&text(run)) => Some(item),
            Written::Refused(_) => return Ok(None),
        };
        Ok(Some(item.and_then(pass)))
    }

    /// Stores the pass, and extends the lease of the run. Returns whether the run still has the lease.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn store_pass(
        &self,
        scope: &Scope,
        run: &str,
        pass: &Pass,
        until: Timestamp,
    ) -> Result<bool, RecordsError> {
        let update = Update::new()
            .set(PASS, attribute_value(pass)?)
            .set(UNTIL, number(until.as_millisecond()));
        let expressions = Expressions::new()
            .condition(equals(HOLDER, text(run)))
            .update(update);
        Ok(self.update_if(&Key::reconciliation(scope), expressions).await?)
    }

    /// Returns the lease of the run, if it still has it.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn end_run(&self, scope: &Scope, run: &str) -> Result<(), ServiceError> {
        let expressions = Expressions::new()
            .condition(equals(HOLDER, text(run)))
            .update(Update::new().remove([HOLDER, UNTIL]));
        self.update_if(&Key::reconciliation(scope), expressions)
            .await
            .map(drop)
    }
}

fn index_key(item: &Item) -> Option<IndexKey> {
    let attribute = |name| item.get(name)?.as_s().ok().cloned();
    Some(IndexKey {
        partition: attribute(PARTITION_KEY)?,
        sort: attribute(SORT_KEY)?,
        history: attribute(HISTORY)?,
    })
}

fn pass(mut item: Item) -> Option<Pass> {
    serde_dynamo::from_attribute_value(item.remove(PASS)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_table::FakeTable;
    use domain::reconciliation::{Cursor, Leftover, Repair};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn scopes() -> [Scope; 3] {
        [
            Scope::All,
            Scope::Trial,
            Scope::Owner(Owner::new("demo").unwrap()),
        ]
    }

    /// A Lambda function can be ended at any time.
    #[tokio::test]
    async fn a_run_continues_where_one_that_was_killed_has_stored_its_cursor() {
        for scope in scopes() {
            let records = FakeTable::default().records();
            let started = records.begin_run(&scope, "first", at(0), at(100)).await;
            assert_eq!(started, Ok(Some(None)));
            let mut pass = Pass::new(at(0));
            let key = |name: &str| name.to_owned();
            for cursor in [
                Cursor::Uploads {
                    after: Some("uploads/demo/a".into()),
                },
                Cursor::Images {
                    after: Some(IndexKey {
                        partition: key("OWNER#demo"),
                        sort: key("IMAGE#1"),
                        history: key("2026"),
                    }),
                },
                Cursor::Thumbnails { after: None },
                Cursor::Videos { after: None },
            ] {
                pass.cursor = cursor;
                pass.add(Leftover::StuckImage, Repair::Repaired);
                assert_eq!(
                    records.store_pass(&scope, "first", &pass, at(200)).await,
                    Ok(true)
                );
                assert_eq!(records.pass(&scope).await, Ok(Some(pass.clone())));
            }
            // It has the lease until then.
            assert_eq!(
                records.begin_run(&scope, "second", at(200), at(300)).await,
                Ok(None)
            );
            let continued = records.begin_run(&scope, "second", at(201), at(300)).await;
            assert_eq!(continued, Ok(Some(Some(pass.clone()))));
            // The first one was only slow.
            assert_eq!(
                records.store_pass(&scope, "first", &pass, at(400)).await,
                Ok(false)
            );
            records.end_run(&scope, "first").await.unwrap();
            assert_eq!(
                records.begin_run(&scope, "third", at(202), at(300)).await,
                Ok(None)
            );
            records.end_run(&scope, "second").await.unwrap();
            assert_eq!(
                records.begin_run(&scope, "third", at(203), at(300)).await,
                Ok(Some(Some(pass)))
            );
        }
    }

    /// The SDK sends a call again if it gets no answer.
    #[tokio::test]
    async fn a_run_has_the_lease_that_it_took_with_a_lost_answer() {
        let records = FakeTable::default().records();
        for _ in 0..2 {
            let started = records.begin_run(&Scope::All, "run", at(0), at(100)).await;
            assert_eq!(started, Ok(Some(None)));
        }
    }

    #[tokio::test]
    async fn a_pass_in_another_format_is_started_again() {
        let fake = FakeTable::default();
        let records = fake.records();
        let key = Key::reconciliation(&Scope::All);
        let mut item = key.item();
        item.insert(PASS.to_owned(), text("version 0"));
        fake.state().items.insert(key, item);
        assert_eq!(records.pass(&Scope::All).await, Ok(None));
        assert_eq!(
            records.begin_run(&Scope::All, "run", at(0), at(1)).await,
            Ok(Some(None))
        );
    }

    #[test]
    fn only_a_tombstone_without_a_key_is_closed() {
        let state = |json| serde_json::from_value::<ImageState>(json).unwrap();
        let tombstone = serde_json::json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "DELETED",
            "updatedAt": "2026-11-22T12:00:00.000Z",
        });
        assert!(state(tombstone.clone()).is_closed_tombstone());
        let mut open = tombstone;
        open["key"] = "uploads/demo/a".into();
        assert!(!state(open).is_closed_tombstone());
    }
}
