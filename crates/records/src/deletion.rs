//! Deletes an image's record, result and label rows. `crates/deletion` explains why nothing of an
//! image remains.

use crate::attribute::{
    BUCKET, CHECKSUM, CORRECTIONS, COUNTED_MINUTES, CREATED_AT, ERROR, EXPIRES_AT, FILE_NAME, FORMAT, HEIGHT,
    HISTORY, IMAGE_ID, INCOMPLETE, KEY, LABEL_ROWS, LABELS, METADATA, MODEL_VERSION, MODIFIED_AT, MULTIPART,
    OWNER, ROWS_CHANGING, SIZE, STATUS, THUMBNAILS, THUMBNAILS_ERROR, TYPE, UPDATED_AT, UTC_OFFSET, VIDEO,
    WIDTH,
};
use crate::conditional::Written;
use crate::contention::Contention;
use crate::expression::{Condition, Expressions, Name, Update, differs, equals, less, number, text, texts};
use crate::key::Key;
use crate::label_rows::{self, Change, LabelRows};
use crate::transaction::{MAX_ACTIONS, TransactionError};
use crate::{Records, RecordsError, from_item, now};
use aws::ServiceError;
use aws_sdk_dynamodb::types::{ReturnValue, TransactWriteItem};
use domain::{ImageId, ImageRecord, Owner, Status, table};
use jiff::Timestamp;
use std::collections::{BTreeSet, HashMap};

/// Attributes that are removed when an image becomes a tombstone: the ones that describe the picture, and the expiry
/// time of the upload's record.
const REMOVED: [Name; 20] = [
    CORRECTIONS,
    COUNTED_MINUTES,
    FILE_NAME,
    SIZE,
    CHECKSUM,
    FORMAT,
    WIDTH,
    HEIGHT,
    METADATA,
    THUMBNAILS,
    THUMBNAILS_ERROR,
    INCOMPLETE,
    LABELS,
    MODEL_VERSION,
    MODIFIED_AT,
    ERROR,
    EXPIRES_AT,
    UTC_OFFSET,
    TYPE,
    VIDEO,
];

/// Attributes that are removed when the tombstone is closed.
const REMOVED_WHEN_CLOSED: [Name; 6] = [KEY, HISTORY, CREATED_AT, LABEL_ROWS, MULTIPART, ROWS_CHANGING];

/// An object that may have no record yet, because S3's event has not been handled.
#[derive(Debug, Clone, Copy)]
pub struct Unrecorded<'a> {
    /// The object's bucket.
    pub bucket: &'a str,
    /// The object's key.
    pub key: &'a str,
}

/// Which image may be marked as deleted.
#[derive(Debug, Clone, Copy)]
pub enum Deletable<'a> {
    /// An image, whatever its state is.
    Image,
    /// Also an object that has no record.
    Object(Unrecorded<'a>),
    /// Only an image that has not changed since this time. ISO 8601, UTC, milliseconds.
    UnchangedSince(&'a str),
}

/// The state of a deletion.
#[derive(Debug, Clone, PartialEq)]
pub enum Tombstone {
    /// The image has been marked as deleted. Its object, result, label rows or counts may still exist.
    Open(Box<ImageRecord>),
    /// The deletion was already complete.
    Closed,
    /// No image has this id.
    None,
    /// The image has changed, so it was not marked.
    Changed,
}

impl Records {
    /// Turns the image's record into a tombstone, unless it already is one. For [`Deletable::Object`], also creates a tombstone.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn mark_deleted(
        &self,
        owner: &Owner,
        image_id: ImageId,
        deletable: Deletable<'_>,
    ) -> Result<Tombstone, RecordsError> {
        let now = now();
        let mut update = Update::new()
            .set(STATUS, text(Status::Deleted.as_str()))
            .set(UPDATED_AT, text(&now))
            .remove(REMOVED);
        let not_deleted = differs(STATUS, text(Status::Deleted.as_str()));
        let condition = match deletable {
            Deletable::Image => Condition::Exists(STATUS).and(not_deleted),
            Deletable::Object(Unrecorded { bucket, key }) => {
                update = update
                    .set_if_absent(HISTORY, text(table::history_sort(&now, image_id)))
                    .set_if_absent(CREATED_AT, text(now))
                    .set(IMAGE_ID, text(image_id.to_string()))
                    .set(OWNER, text(owner.as_str()))
                    .set(BUCKET, text(bucket))
                    .set(KEY, text(key));
                Condition::Absent(STATUS).or(not_deleted)
            }
            Deletable::UnchangedSince(time) => Condition::Exists(STATUS)
                .and(not_deleted)
                .and(less(UPDATED_AT, text(time))),
        };
        let expressions = Expressions::new().condition(condition).update(update);
        let key = Key::image(owner, image_id);
        let item = match self.update(&key, expressions, ReturnValue::AllNew, true).await? {
            Written::Done(item) | Written::Refused(item) => item,
        };
        let Some(item) = item.filter(|item| !item.is_empty()) else {
            return Ok(Tombstone::None);
        };
        let tombstone: ImageRecord = from_item(item)?;
        if tombstone.status != Status::Deleted {
            return Ok(Tombstone::Changed);
        }
        Ok(if tombstone.expires_at.is_some() {
            Tombstone::Closed
        } else {
            Tombstone::Open(Box::new(tombstone))
        })
    }

    /// Deletes the result and the label rows of a deleted image, decrements the label counts, and closes the tombstone,
    /// which then expires at `expires_at`. For up to 49 rows, this is one transaction. Does nothing if the record now
    /// belongs to another deletion or to a new image.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn close(&self, tombstone: &ImageRecord, expires_at: Timestamp) -> Result<(), RecordsError> {
        let mut contention = Contention::default();
        for _ in 0..label_rows::MAX_TRIES {
            match self.try_close(tombstone, expires_at, &mut contention).await {
                Ok(()) | Err(TransactionError::FirstConditionFailed(_)) => return Ok(()),
                Err(TransactionError::OtherConditionFailed) => {}
                Err(TransactionError::Service(error)) => return Err(error.into()),
            }
        }
        let busy = "another request is deleting the image's label rows".to_owned();
        Err(ServiceError::Throttled(busy).into())
    }

    async fn try_close(
        &self,
        tombstone: &ImageRecord,
        expires_at: Timestamp,
        contention: &mut Contention,
    ) -> Result<(), TransactionError> {
        let (owner, image_id) = (&tombstone.owner, tombstone.image_id);
        let rows = LabelRows::read(self, tombstone).await?;
        // In addition to the rows, a transaction contains at most the tombstone and the result.
        let mut parts = LabelRows::parts(rows.changes(&[]), MAX_ACTIONS - 2);
        let last = parts.pop().unwrap_or_default();
        // Nothing is added, so no details are needed.
        let actions = |part: &[Change]| rows.actions(self, part, &HashMap::new());
        for part in parts {
            let gone: BTreeSet<&str> = part.iter().map(Change::label).collect();
            let mut all = vec![self.tombstone(tombstone, Update::new().delete(LABEL_ROWS, texts(gone)))];
            all.extend(actions(&part));
            self.transact(all, contention).await?;
        }
        let closed = Update::new()
            .set(EXPIRES_AT, number(expires_at.as_second()))
            .remove(REMOVED_WHEN_CLOSED);
        let mut all = vec![
            self.tombstone(tombstone, closed),
            self.delete(&Key::result(owner, image_id), Expressions::new()),
        ];
        all.extend(actions(&last));
        self.transact(all, contention).await
    }

    /// Updates the tombstone if it still belongs to this deletion.
    fn tombstone(&self, tombstone: &ImageRecord, update: Update) -> TransactWriteItem {
        let is_the_same = equals(STATUS, text(Status::Deleted.as_str()))
            .and(equals(UPDATED_AT, text(&tombstone.updated_at)));
        let expressions = Expressions::new().condition(is_the_same).update(update);
        self.checked_update(&Key::image(&tombstone.owner, tombstone.image_id), expressions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::record::{CountedMinutes, RecordedError};
    use domain::{Format, Metadata, Rendition};

    /// A tombstone remains for weeks after the owner has requested the deletion.
    #[test]
    fn a_closed_tombstone_does_not_describe_the_picture() {
        // Lists all fields, so that a new one does not compile until somebody decides whether a tombstone keeps it.
        let record = ImageRecord {
            image_id: ImageId::new(),
            owner: Owner::new("demo").unwrap(),
            status: Status::Labeled,
            created_at: "2026-11-22T12:00:00.000Z".into(),
            history: "2026-11-22T14:00:00.000#0193a5a0-0000-7000-8000-000000000001".into(),
            utc_offset: Some("+02:00".into()),
            modified_at: Some("2019-05-01T10:00:00.000Z".into()),
            updated_at: "2026-11-22T12:00:00.000Z".into(),
            key: "uploads/demo/my cat.jpg".into(),
            bucket: "pictures".into(),
            file_name: Some("my cat.jpg".into()),
            size: Some(1),
            checksum: Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".into()),
            multipart: Some(domain::MultipartUpload {
                upload_id: "upload".into(),
                part_size: 8,
            }),
            format: Some(Format::Jpeg),
            width: Some(100),
            height: Some(100),
            media_type: domain::MediaType::Video,
            video: Some(
                serde_json::from_value(serde_json::json!({
                    "durationMs": 1, "codec": "H.264", "container": "MP4", "width": 100, "height": 100,
                }))
                .unwrap(),
            ),
            counted_minutes: Some(CountedMinutes {
                date: "2026-11-22".into(),
                minutes: 1,
            }),
            metadata: Some(Metadata::default()),
            thumbnails: vec![Rendition {
                key: "thumbnails/demo/a/b/320".into(),
                width: 320,
                height: 320,
            }],
            thumbnails_error: Some(RecordedError {
                name: "TooComplex".into(),
                message: "too much memory".into(),
            }),
            incomplete: true,
            sequencer: Some("0a".into()),
            execution_arn: Some("arn".into()),
            labels: Some(vec![]),
            label_rows: vec!["Cat".into()],
            rows_changing: true,
            corrections: Some(domain::record::RecordedCorrections {
                sequencer: "0a".into(),
                corrections: domain::Corrections::default(),
            }),
            model_version: Some("3.0".into()),
            error: Some(RecordedError {
                name: "InvalidImage".into(),
                message: "broken".into(),
            }),
            expires_at: Some(0),
        };
        let attributes = serde_json::to_value(record).unwrap();
        let attributes: BTreeSet<&str> = attributes
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let removed: BTreeSet<&str> = REMOVED.into_iter().chain(REMOVED_WHEN_CLOSED).collect();
        let unknown: Vec<_> = removed.difference(&attributes).copied().collect();
        assert_eq!(unknown, [""; 0], "serialized field names");
        let kept: Vec<_> = attributes.difference(&removed).copied().collect();
        assert_eq!(
            kept,
            [
                "bucket",
                "executionArn",
                "imageId",
                "owner",
                "sequencer",
                "status",
                "updatedAt"
            ]
        );
    }
}
