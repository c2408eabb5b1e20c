//! Makes thumbnails of a picture once it is labeled: no step of the workflow, but a listener on the stack's bus, as
//! others can be added.
//!
//! Input: an event of the bus whose detail is a [`domain::Outcome`]. No output.

mod record;

use domain::image::thumbnail_key;
use domain::{ErrorName, Outcome, Rendition, Status};
use lambda::{ServiceError, StepError};
use picture::{Jpeg, THUMBNAIL_SIDES, thumbnails};
use picture_store::holder;
use serde::Deserialize;
use strum::EnumIter;

/// What the function works with.
#[derive(Debug, Clone)]
pub struct Thumbnails {
    /// Holds the pictures.
    pub s3: aws_sdk_s3::Client,
    /// Holds the records.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The only bucket whose pictures are taken.
    pub bucket: String,
    /// The table of image records.
    pub table: String,
}

/// An event as EventBridge hands it over.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Labeled {
    /// What `notify` has sent.
    pub detail: Outcome,
}

/// Why there are no thumbnails.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum ThumbnailsError {
    /// Not this stack's bucket.
    #[error("the event is about another bucket than {0}")]
    ForeignBucket(String),
    /// A record that another program wrote.
    #[error("the image's record cannot be read: {0}")]
    UnreadableRecord(String),
    /// AWS is at fault, or a permission is missing.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for ThumbnailsError {
    fn name(&self) -> ErrorName {
        match self {
            Self::ForeignBucket(_) => ErrorName::InvalidInput,
            Self::UnreadableRecord(_) => ErrorName::UnexpectedAnswer,
            Self::Service(error) => error.name(),
        }
    }
}

/// Writes the thumbnails, and then their keys into the record, unless the image has been deleted or labeled anew in the
/// meantime: what has been written is removed again then. The same event again writes the same again.
///
/// A picture that is gone, or cannot be decoded here, has no thumbnails: that is no error.
///
/// # Errors
/// See [`ThumbnailsError`]. Lambda tries again, then hands the event to the dead-letter queue.
pub async fn handle(function: &Thumbnails, event: Labeled) -> Result<(), ThumbnailsError> {
    let outcome = event.detail;
    if outcome.bucket != function.bucket {
        return Err(ThumbnailsError::ForeignBucket(function.bucket.clone()));
    }
    if outcome.status != Status::Labeled {
        return Ok(());
    }
    let keys = THUMBNAIL_SIDES
        .map(|side| thumbnail_key(&outcome.owner, outcome.image_id, &outcome.execution_arn, side));
    let superfluous = match make(function, &outcome).await? {
        Some(made) => {
            let mut written = Vec::new();
            for (key, jpeg) in keys.into_iter().zip(made) {
                picture_store::write_jpeg(&function.s3, &outcome.bucket, &key, jpeg.bytes).await?;
                written.push(Rendition {
                    key,
                    width: jpeg.width,
                    height: jpeg.height,
                });
            }
            record::store(function, &outcome, &written).await?
        }
        None if is_current(function, &outcome).await? => vec![],
        // A run before this one can have died right after it had written them.
        None => keys.into(),
    };
    for key in superfluous {
        picture_store::delete(&function.s3, &outcome.bucket, &key).await?;
    }
    Ok(())
}

/// Whether the record is still that of this result.
async fn is_current(function: &Thumbnails, outcome: &Outcome) -> Result<bool, ServiceError> {
    let holder = holder(
        &function.dynamodb,
        &function.table,
        &outcome.owner,
        outcome.image_id,
    )
    .await?;
    Ok(holder.is_some_and(|holder| holder.has_labeled(&outcome.execution_arn)))
}

/// `None` where the picture is gone, or cannot be decoded here.
async fn make(
    function: &Thumbnails,
    outcome: &Outcome,
) -> Result<Option<[Jpeg; THUMBNAIL_SIDES.len()]>, ServiceError> {
    let Some(file) = picture_store::read(&function.s3, &outcome.bucket, &outcome.key, None).await? else {
        return Ok(None);
    };
    let made = thumbnails(&file);
    if let Err(error) = made {
        tracing::warn!(imageId = %outcome.image_id, error = error.name().as_str(), "no thumbnails");
    }
    Ok(made.ok())
}
