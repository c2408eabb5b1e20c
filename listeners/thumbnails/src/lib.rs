//! Creates thumbnails of a labeled picture, or of the poster of a labeled video. Not a step of the workflow, but a listener on the stack's event bus. More
//! listeners can be added in the same way.
//!
//! Input: an event of the bus with a [`domain::Outcome`] as its detail. No output.

mod videos;

use aws::ServiceError;
use domain::image::thumbnail_key;
use domain::metric;
use domain::record::RecordedError;
use domain::video::{POSTER, video_key};
use domain::{
    Claim, ErrorName, Format, HasSubject, MediaType, Outcome, Rendition, Status, StepError, Subject,
};
use objects::UnreadableObject;
use picture::{Converted, Jpeg, THUMBNAIL_SIDES};
use picture_process::{PictureProcess, ProcessError};
use records::{Records, RecordsError, StoredThumbnails, ThumbnailsResult};
use serde::Deserialize;
use strum::EnumIter;

/// The listener's clients and configuration.
#[derive(Debug, Clone)]
pub struct Thumbnails {
    /// Reads pictures, and writes and deletes thumbnails.
    pub s3: aws_sdk_s3::Client,
    /// Stores the keys of thumbnails in the images' records.
    pub records: Records,
    /// Decodes pictures.
    pub process: PictureProcess,
    /// The only bucket from which pictures are accepted.
    pub bucket: String,
}

/// An event as EventBridge delivers it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct OutcomeEvent {
    /// The outcome that `notify` has sent.
    pub detail: Outcome,
}

impl HasSubject for OutcomeEvent {
    fn subject(&self) -> Subject {
        self.detail.subject()
    }
}

/// Why no thumbnails were stored.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum ThumbnailsError {
    /// The event is about another bucket. Contains the name of this stack's bucket.
    #[error("the event is about a bucket other than {0}")]
    ForeignBucket(String),
    /// The image's record is invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(#[from] RecordsError),
    /// A call to an AWS service failed.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
    /// The picture could not be decoded for a reason that has nothing to do with it.
    #[error(transparent)]
    #[strum(disabled)]
    Process(ProcessError),
}

impl StepError for ThumbnailsError {
    fn name(&self) -> ErrorName {
        match self {
            Self::ForeignBucket(_) => ErrorName::InvalidInput,
            Self::Records(error) => error.name(),
            Self::Service(error) => error.name(),
            Self::Process(error) => error.name(),
        }
    }
}

/// Writes the thumbnails, then stores their keys in the record. If the image has been deleted or labeled again in the
/// meantime, it deletes the thumbnails again. A repeated event overwrites the same objects.
///
/// A picture has no thumbnails if S3 does not return it (deleted, archived) or if it cannot be decoded. The record says
/// why, and so does the result of this function.
///
/// # Errors
/// See [`ThumbnailsError`]. Lambda retries, then sends the event to the dead-letter queue.
pub async fn handle(
    function: &Thumbnails,
    event: OutcomeEvent,
) -> Result<Option<ErrorName>, ThumbnailsError> {
    let Outcome {
        claim,
        status,
        media_type,
        ..
    } = event.detail;
    if claim.bucket != function.bucket {
        return Err(ThumbnailsError::ForeignBucket(function.bucket.clone()));
    }
    if status != Status::Labeled {
        return Ok(None);
    }
    let keys =
        THUMBNAIL_SIDES.map(|side| thumbnail_key(&claim.owner, claim.image_id, &claim.execution_arn, side));
    let (stored, failure) = match create(function, &claim, media_type).await? {
        Ok(created) => {
            let mut written = Vec::new();
            for (key, jpeg) in keys.iter().zip(created.result) {
                let content_type = Format::Jpeg.content_type();
                objects::write(&function.s3, &claim.bucket, key, content_type, jpeg.bytes).await?;
                written.push(Rendition {
                    key: key.clone(),
                    width: jpeg.width,
                    height: jpeg.height,
                });
            }
            let result = ThumbnailsResult::Written {
                thumbnails: &written,
                incomplete: created.incomplete,
            };
            (function.records.store_thumbnails(&claim, result).await?, None)
        }
        Err(failure) => {
            let error = RecordedError {
                name: failure.name().as_str().to_owned(),
                message: failure.to_string(),
            };
            let result = ThumbnailsResult::Failed(&error);
            let stored = function.records.store_thumbnails(&claim, result).await?;
            let counts = matches!(stored, StoredThumbnails::Done(_));
            (stored, counts.then(|| failure.name()))
        }
    };
    let is_current = matches!(stored, StoredThumbnails::Done(_));
    let unused: Vec<_> = match stored {
        StoredThumbnails::Done(replaced) => replaced.into_iter().map(|thumbnail| thumbnail.key).collect(),
        // Also if this run wrote nothing, because an earlier run may have died after it wrote the thumbnails.
        StoredThumbnails::Refused(current) => {
            let is_named = |key: &String| current.iter().any(|thumbnail| thumbnail.key == *key);
            keys.into_iter().filter(|key| !is_named(key)).collect()
        }
    };
    for key in unused {
        objects::delete(&function.s3, &claim.bucket, &key).await?;
    }
    if media_type == MediaType::Video && is_current {
        videos::delete_unused(&function.s3, &claim).await?;
    }
    if let Some(error) = failure {
        metric::without_thumbnails(error);
        tracing::warn!(error = error.as_str(), "no thumbnails");
    }
    Ok(failure)
}

/// Why a labeled picture has no thumbnails. The messages are shown to the picture's owner.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("The file can't be read from S3 anymore.")]
    Object(UnreadableObject),
    #[error(transparent)]
    Process(ProcessError),
}

impl Failure {
    fn name(&self) -> ErrorName {
        match self {
            Self::Object(error) => error.name(),
            Self::Process(error) => error.name(),
        }
    }
}

async fn create(
    function: &Thumbnails,
    claim: &Claim,
    media_type: MediaType,
) -> Result<Result<Converted<[Jpeg; THUMBNAIL_SIDES.len()]>, Failure>, ThumbnailsError> {
    let key = match media_type {
        MediaType::Picture => claim.key.clone(),
        MediaType::Video => video_key(claim, POSTER),
    };
    let file = match objects::read(&function.s3, &claim.bucket, &key, None).await? {
        Ok(file) => file,
        Err(error) => return Ok(Err(Failure::Object(error))),
    };
    match function.process.thumbnails(file).await {
        Ok(created) => Ok(Ok(created)),
        Err(error @ ProcessError::Unavailable(_)) => Err(ThumbnailsError::Process(error)),
        Err(error) => Ok(Err(Failure::Process(error))),
    }
}
