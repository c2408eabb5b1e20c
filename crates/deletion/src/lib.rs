//! Deletes an image and everything that belongs to it: its objects, its result, its label rows and its counts.
//!
//! In this order:
//! 1. One conditional update makes the record a **tombstone**: `DELETED`, without any information about the picture.
//!    From here on, no route returns the image.
//! 2. The objects are deleted, with all their versions and delete markers if the bucket is versioned: first the renditions
//!    and thumbnails, which are listed by prefix, then the upload. One in parts is aborted first. If a request has no time
//!    for all versions, the API answers 503, and a repeated `DELETE` continues.
//! 3. The result and the label rows are deleted, the counts are decremented, and the tombstone is **closed**: the
//!    attributes that steps 2 and 3 needed are removed, and an expiry is set. This is one transaction for up to 49 rows.
//!    More rows take more transactions, the last of which closes the tombstone. Each is conditional on the tombstone as
//!    step 1 left it.
//!
//! A repeated `DELETE` and `DELETE /account/data` resume at step 2 while the tombstone is not closed. If a deletion is
//! interrupted and not repeated, its tombstone stays in the owner's history index and does not expire, until the reconciler
//! resumes the deletion ([`resume`]).
//!
//! Why nothing of the image remains or comes back while its workflow runs:
//! - If `validate` claims the record before step 1, the record is deleted like any other. After step 1, the claim fails.
//! - `persist` stores record, result and label rows in transactions that change the record on the condition that the
//!   execution holds it and it is not `DELETED`. Each of them sets `labelRows` to a superset of the rows that exist after
//!   it, and the tombstone keeps `labelRows`. If a transaction succeeds before step 1, step 3 finds its rows by
//!   `labelRows` and the result by its key. After step 1, it fails. Both write the same item, so one of them is first.
//! - `persist` reads the record and the rows before its transaction. They can be outdated by then, but the transaction's
//!   conditions on the record and on each row are checked against the current items.
//! - Step 3 reads which rows exist. No row can be added after that, because a row's transaction fails on a tombstone. If another
//!   `DELETE` removes a row in between, the transaction fails and the rows are read again: no row is counted down twice.
//! - The same condition on the record rejects the writes of `record-failure`, of the metadata in `validate`, of a
//!   relabeling, of corrections, and of jobs.
//! - `convert` and `thumbnails` write under keys of their own execution and check the record afterwards. What they wrote
//!   before step 2 is listed there. If they write later, they find a tombstone, a record that another execution holds, or
//!   no record, and delete what they wrote. If they fail in between, they are retried, and check the record even if the
//!   upload is gone. Only if all retries fail, a rendition remains until the bucket's lifecycle rule deletes it within
//!   15 days, and a thumbnail until its event is redriven from the dead-letter queue (`cargo xtask redrive`) or the
//!   reconciler deletes it.
//! - A multipart upload that is completed at the moment of step 2 is either aborted, or its object is deleted, or the object
//!   comes later and is handled like that of a late PUT. Parts that arrive while S3 aborts the upload can remain until the
//!   bucket's lifecycle rule removes them (S3 API reference, `AbortMultipartUpload`).
//! - `detect-labels` no longer finds the object. `persist` cannot store that rejection.
//! - `notify` may still send a result that was stored before step 1.
//! - A presigned PUT that is used after step 2, and every late event, finds the tombstone in `validate`, which deletes the
//!   object if the API created its key. The tombstone outlives them all: see `TOMBSTONE_KEPT_FOR`.
//! - Under a key that another tool chose, a later object is a new picture: `validate` claims the tombstone for it, which
//!   makes it a record again. Step 3 then ends, because its transactions require `DELETED` and the `updatedAt` of step 1.
//!   `labelRows`, `createdAt` and `history` still exist, so that `persist` can replace or delete the old result. A closed
//!   tombstone has none of them, and the new picture starts from scratch. An object that is uploaded between steps 1 and 2
//!   is deleted with the others, and everything derived from it as well: the upload is deleted last.
//! - Two concurrent deletions of the same tombstone do the same: the transaction of the second one finds no rows and closes
//!   the tombstone again. If the image was uploaded and deleted again in between, `updatedAt` differs, and the older
//!   deletion leaves the rest to the newer one.

mod late;

pub use late::DeletedImageEvent;

use aws::ServiceError;
use aws_sdk_s3::Client;
use domain::image::derived_prefixes;
use domain::video::{video_key, video_prefix};
use domain::{Claim, ImageId, ImageKey, ImageRecord, Owner};
use jiff::{SignedDuration, Timestamp};
use records::{Deletable, LostClaim, Records, RecordsError, Tombstone};
use serde::de::DeserializeOwned;

/// How long a closed tombstone is kept: 30 days. An event can take a day to reach the workflow and wait 14 days in the
/// dead-letter queue. Its execution takes up to a day and can be redriven for 14 more days.
const TOMBSTONE_KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The result of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deletion {
    /// The image, or the rest that an interrupted deletion left, was deleted.
    Deleted,
    /// A closed tombstone: the image was deleted before.
    AlreadyDeleted,
    /// The owner has no such image.
    NoImage,
    /// The image has changed since the time that was given, so it was not deleted.
    Changed,
}

/// Deletes an image. An object without a record ([`Deletable::Object`]) gets a tombstone, so that a late event of the object does
/// not bring it back.
///
/// # Errors
/// A record is invalid, or a call fails. Then the rest can be deleted with another call.
pub async fn delete(
    s3: &Client,
    bucket: &str,
    records: &Records,
    (owner, id): (&Owner, ImageId),
    deletable: Deletable<'_>,
) -> Result<Deletion, RecordsError> {
    let tombstone = match records.mark_deleted(owner, id, deletable).await? {
        Tombstone::Open(tombstone) => tombstone,
        Tombstone::Closed => return Ok(Deletion::AlreadyDeleted),
        Tombstone::None => return Ok(Deletion::NoImage),
        Tombstone::Changed => return Ok(Deletion::Changed),
    };
    delete_derived(s3, bucket, owner, id).await?;
    abort_upload(s3, bucket, &tombstone).await?;
    objects::delete(s3, bucket, &tombstone.key).await?;
    close(records, &tombstone).await?;
    Ok(Deletion::Deleted)
}

/// Completes a deletion that was interrupted, at step 2. Does not delete an object that is newer than the tombstone under a
/// key that another tool chose: it is a new picture.
///
/// Such a picture can also be uploaded while this runs. Its own version is not in the listing from which the others are
/// deleted. In a bucket without versioning, an upload between the listing and the deletion of the previous object, which
/// takes some milliseconds, would be lost, as in step 2 of each deletion.
///
/// # Errors
/// See [`delete`].
pub async fn resume(
    s3: &Client,
    bucket: &str,
    records: &Records,
    tombstone: &ImageRecord,
) -> Result<(), RecordsError> {
    delete_derived(s3, bucket, &tombstone.owner, tombstone.image_id).await?;
    abort_upload(s3, bucket, tombstone).await?;
    let key = &tombstone.key;
    if ImageKey::parse(bucket, key).is_some_and(|image| image.is_created_by_api()) {
        objects::delete(s3, bucket, key).await?;
    } else {
        let deleted_at = tombstone.updated_at.parse::<Timestamp>();
        let deleted_at = deleted_at.map_err(|error| RecordsError::Unreadable(error.to_string()))?;
        objects::delete_until(s3, bucket, key, deleted_at).await?;
    }
    close(records, tombstone).await
}

async fn delete_derived(s3: &Client, bucket: &str, owner: &Owner, id: ImageId) -> Result<(), RecordsError> {
    for prefix in derived_prefixes(owner, id) {
        objects::delete_all(s3, bucket, &prefix).await?;
    }
    Ok(())
}

/// Aborts the upload, if the file is being uploaded in parts. Before the object is deleted: an upload that is completed at
/// this moment creates it.
async fn abort_upload(s3: &Client, bucket: &str, tombstone: &ImageRecord) -> Result<(), RecordsError> {
    if let Some(upload) = &tombstone.multipart {
        objects::abort_multipart_upload(s3, bucket, &tombstone.key, &upload.upload_id).await?;
    }
    Ok(())
}

/// Checks that an execution still holds the claim of a video. If not, deletes what it has derived from the video. For steps,
/// after they have written an object: a concurrent deletion may have listed the objects before.
///
/// # Errors
/// A call fails.
pub async fn check_video(
    s3: &Client,
    records: &Records,
    claim: &Claim,
) -> Result<Result<(), LostClaim>, ServiceError> {
    let checked = records.check_claim(claim).await?;
    if checked.is_err() {
        let prefix = video_prefix(&claim.owner, claim.image_id, &claim.execution_arn);
        objects::delete_all(s3, &claim.bucket, &prefix).await?;
    }
    Ok(checked)
}

/// Why an object that an earlier step has derived from a video cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotRead {
    /// The execution no longer holds the claim: a deletion has removed the object.
    Lost(LostClaim),
    /// It is missing, or it is not what was written.
    Unreadable(String),
}

/// Reads an object that an earlier step of an execution has derived from a video, and written as JSON.
///
/// # Errors
/// A call fails.
pub async fn read_derived<T: DeserializeOwned>(
    s3: &Client,
    records: &Records,
    claim: &Claim,
    name: &str,
) -> Result<Result<T, NotRead>, ServiceError> {
    let key = video_key(claim, name);
    let error = match objects::read(s3, &claim.bucket, &key, None).await? {
        Ok(bytes) => match serde_json::from_slice(&bytes) {
            Ok(read) => return Ok(Ok(read)),
            Err(error) => error.to_string(),
        },
        Err(error) => error.to_string(),
    };
    let checked = check_video(s3, records, claim).await?;
    Ok(Err(
        checked.map_or_else(NotRead::Lost, |()| NotRead::Unreadable(error))
    ))
}

/// Step 3.
async fn close(records: &Records, tombstone: &ImageRecord) -> Result<(), RecordsError> {
    records
        .close(tombstone, Timestamp::now() + TOMBSTONE_KEPT_FOR)
        .await
}
