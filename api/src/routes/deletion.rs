//! `DELETE /images/{id}`: deletes an image and everything derived from it.
//!
//! In this order:
//! 1. One conditional update makes the record a **tombstone**: `DELETED`, without any information about the picture.
//!    From here on, no route returns the image.
//! 2. The objects are deleted, with all their versions and delete markers if the bucket is versioned: first the renditions
//!    and thumbnails, which are listed by prefix, then the upload. If there are more versions than a request has time for,
//!    it answers 503, and a repeated `DELETE` continues with the rest.
//! 3. The result and the label rows are deleted, the counts are decremented, and the tombstone is **closed**: the
//!    attributes that steps 2 and 3 needed are removed, and an expiry is set. This is one transaction for up to 49 rows.
//!    More rows take more transactions, the last of which closes the tombstone. Each is conditional on the tombstone as
//!    step 1 left it.
//!
//! A repeated `DELETE` and `DELETE /account/data` resume at step 2 while the tombstone is not closed. If a deletion is
//! interrupted and not repeated, its tombstone stays in the owner's history index and does not expire.
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
//!   15 days, and a thumbnail until its event is redriven from the dead-letter queue (`cargo xtask redrive`).
//! - `detect-labels` no longer finds the object. `persist` cannot store that rejection.
//! - `notify` may still send a result that was stored before step 1.
//! - A presigned PUT that is used after step 2, and every late event, finds the tombstone in `validate`, which deletes the
//!   object if the API created its key. The tombstone outlives them all: see [`TOMBSTONE_KEPT_FOR`].
//! - Under a key that another tool chose, a later object is a new picture: `validate` claims the tombstone for it, which
//!   makes it a record again. Step 3 then ends, because its transactions require `DELETED` and the `updatedAt` of step 1.
//!   `labelRows`, `createdAt` and `history` still exist, so that `persist` can replace or delete the old result. A closed
//!   tombstone has none of them, and the new picture starts from scratch. An object that is uploaded between steps 1 and 2
//!   is deleted with the others, and everything derived from it as well: the upload is deleted last.
//! - Two concurrent deletions of the same tombstone do the same: the transaction of the second one finds no rows and closes
//!   the tombstone again. If the image was uploaded and deleted again in between, `updatedAt` differs, and the older
//!   deletion leaves the rest to the newer one.

use crate::app::App;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::responses::{BadRequest, NoSuchImage};
use crate::routes::record::image_id;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::image::derived_prefixes;
use domain::{ImageId, Owner};
use jiff::{SignedDuration, Timestamp};
use records::{Tombstone, Unrecorded};
use std::sync::Arc;

/// How long a closed tombstone is kept: 30 days. An event can take a day to reach the workflow and wait 14 days in the
/// dead-letter queue. Its execution takes up to a day and can be redriven for 14 more days.
const TOMBSTONE_KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The result of a deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// The image, or the rest that an interrupted deletion left, was deleted.
    Deleted,
    /// A closed tombstone: the image was deleted before.
    AlreadyDeleted,
    /// The owner has no such image.
    NoImage,
}

/// Answers 204 once the image is deleted. Also answers 204 for an image that was deleted before, while its tombstone is
/// kept. Answers 404 for an unknown ID and for an image of another owner.
#[utoipa::path(
    delete,
    path = "/images/{imageId}",
    tag = "images",
    operation_id = "deleteImage",
    summary = "Delete an image with its file and labels",
    description = "Deletes the image permanently, even while it is being labeled or uploaded. You can repeat the request: \
        it returns 204 for 30 days after the deletion.",
    params(("imageId" = ImageId, Path, description = "As returned by `POST /uploads`")),
    responses((status = 204, description = "The image is deleted"), BadRequest, NoSuchImage),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    match delete_image(&app, &owner, image_id(&id)?, None).await? {
        Deletion::Deleted | Deletion::AlreadyDeleted => Ok(StatusCode::NO_CONTENT),
        Deletion::NoImage => Err(Problem::no_such_image()),
    }
}

/// Deletes an image. With `unrecorded`, an image without a record also gets a tombstone, so that a late event of the
/// object does not bring it back.
pub(crate) async fn delete_image(
    app: &App,
    owner: &Owner,
    id: ImageId,
    unrecorded: Option<Unrecorded<'_>>,
) -> Result<Deletion, Problem> {
    let tombstone = match app.records.mark_deleted(owner, id, unrecorded).await? {
        Tombstone::Open(tombstone) => tombstone,
        Tombstone::Closed => return Ok(Deletion::AlreadyDeleted),
        Tombstone::None => return Ok(Deletion::NoImage),
    };
    for prefix in derived_prefixes(owner, id) {
        objects::delete_all(&app.s3, &app.bucket, &prefix).await?;
    }
    objects::delete(&app.s3, &app.bucket, &tombstone.key).await?;
    let expires_at = Timestamp::now() + TOMBSTONE_KEPT_FOR;
    app.records.close(&tombstone, expires_at).await?;
    Ok(Deletion::Deleted)
}
