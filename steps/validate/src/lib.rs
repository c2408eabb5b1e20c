//! The first step: takes an image for this execution and finds out what is in its file.
//!
//! Input: [`domain::ValidateInput`]. Output: [`domain::ClaimedImage`].

mod claim;
mod header;
mod metadata;
mod settings;
mod tombstone;

use claim::Claim;
use domain::image::MAX_BYTES;
use domain::{ClaimedImage, ErrorName, FilterPolicy, ImageKey, ValidateInput};
use lambda::{ServiceError, StepError};
use picture_header::{Header, HeaderError};
use strum::EnumIter;

/// What the step works with.
#[derive(Debug, Clone)]
pub struct Validate {
    /// Reads the start of objects; deletes what comes after its image was deleted.
    pub s3: aws_sdk_s3::Client,
    /// Stores the claim, and knows the owner's settings.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Tells whether another claim's execution still runs.
    pub sfn: aws_sdk_sfn::Client,
    /// The only bucket whose events are taken.
    pub bucket: String,
    /// The table of image records.
    pub table: String,
    /// Which labels will count for owners without settings of their own.
    pub default_policy: FilterPolicy,
}

/// Why an image goes no further.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum ValidateError {
    /// No picture that is taken, by what its header says.
    #[error(transparent)]
    #[strum(disabled)]
    Header(#[from] HeaderError),
    /// More than [`MAX_BYTES`].
    #[error("This file has {:.1} MB. A picture may have at most {} MB.", (*.0 * 10).div_ceil(1_048_576) as f64 / 10.0, MAX_BYTES / 1_048_576)]
    TooManyBytes(u64),
    /// Nothing in it.
    #[error("This file is empty. Upload the picture again.")]
    Empty,
    /// Deleted in the meantime.
    #[error("The file was deleted before it could be labeled. Upload the picture again.")]
    ObjectGone,

    /// The same event again.
    #[error("this event has been handled, or is being handled by another execution")]
    DuplicateEvent,
    /// An older event after a newer one.
    #[error("a later event for this key has been seen")]
    StaleEvent,
    /// Deleted by its owner.
    #[error("the image has been deleted")]
    ImageDeleted,
    /// No image.
    #[error("the key is a folder marker, or names no owner or no file")]
    NotAnUpload,

    /// Not this stack's bucket.
    #[error("the event is about another bucket than {0}")]
    ForeignBucket(String),
    /// A record or settings that another program wrote.
    #[error("the image's record or the owner's settings cannot be read: {0}")]
    UnreadableRecord(String),
    /// AWS is at fault, or a permission is missing.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for ValidateError {
    fn name(&self) -> ErrorName {
        match self {
            Self::TooManyBytes(_) => ErrorName::ImageTooLarge,
            Self::Header(error) => error.name(),
            Self::Empty => ErrorName::InvalidImage,
            Self::ObjectGone => ErrorName::ObjectGone,
            Self::DuplicateEvent => ErrorName::DuplicateEvent,
            Self::StaleEvent => ErrorName::StaleEvent,
            Self::ImageDeleted => ErrorName::ImageDeleted,
            Self::NotAnUpload => ErrorName::NotAnUpload,
            Self::ForeignBucket(_) => ErrorName::InvalidInput,
            Self::UnreadableRecord(_) => ErrorName::UnexpectedAnswer,
            Self::Service(error) => error.name(),
        }
    }
}

/// Claims the image and checks its file.
///
/// # Errors
/// See [`ValidateError`].
pub async fn handle(validate: &Validate, input: ValidateInput) -> Result<ClaimedImage, ValidateError> {
    let ValidateInput { event, execution_arn } = input;
    let (bucket, object) = (&event.detail.bucket.name, &event.detail.object);
    if *bucket != validate.bucket {
        return Err(ValidateError::ForeignBucket(validate.bucket.clone()));
    }
    let key = ImageKey::parse(bucket, &object.key).ok_or(ValidateError::NotAnUpload)?;
    // Claimed before the file is looked at: whatever is wrong with it then has a record to be told in.
    Claim {
        image: &key,
        event: &event,
        execution_arn: &execution_arn,
    }
    .take(validate)
    .await?;

    if let Some(size) = object.size {
        check_bytes(size)?;
    }
    let (header, size) = header::read(&validate.s3, bucket, object).await?;
    let Header {
        format,
        width,
        height,
        orientation,
        metadata,
    } = header;
    check_bytes(size)?;
    if !metadata.is_empty() {
        metadata::store(validate, &key, &execution_arn, &metadata).await?;
    }
    let policy = settings::policy(validate, &key.owner).await?;
    Ok(ClaimedImage {
        image_id: key.image_id,
        owner: key.owner,
        bucket: bucket.clone(),
        key: object.key.clone(),
        version_id: object.version_id.clone(),
        size,
        format,
        width,
        height,
        orientation,
        rendition: None,
        policy,
        execution_arn,
    })
}

fn check_bytes(size: u64) -> Result<(), ValidateError> {
    match size {
        0 => Err(ValidateError::Empty),
        size if size > MAX_BYTES => Err(ValidateError::TooManyBytes(size)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_themselves_are_allowed() {
        assert_eq!(check_bytes(MAX_BYTES), Ok(()));
        assert_eq!(
            check_bytes(MAX_BYTES + 1),
            Err(ValidateError::TooManyBytes(MAX_BYTES + 1))
        );
        assert_eq!(check_bytes(0), Err(ValidateError::Empty));
    }

    #[test]
    fn a_person_reads_what_was_wrong_and_what_would_be_right() {
        let sentence = ValidateError::TooManyBytes(116 * 1024 * 1024).to_string();
        assert_eq!(
            sentence,
            "This file has 116.0 MB. A picture may have at most 100 MB."
        );
        let sentence = ValidateError::TooManyBytes(MAX_BYTES + 1).to_string();
        assert_eq!(
            sentence,
            "This file has 100.1 MB. A picture may have at most 100 MB."
        );
    }
}
