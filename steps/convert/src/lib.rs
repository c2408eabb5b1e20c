//! Makes of a picture that Rekognition does not take one that it does: a JPEG beside the original.
//!
//! Input and output: [`domain::ClaimedImage`], which has a rendition when it comes out.

use domain::image::rendition_key;
use domain::{ClaimedImage, ErrorName, Rendition};
use lambda::{ServiceError, StepError};
use picture::{Jpeg, PictureError, rendition};
use picture_store::holder;
use strum::EnumIter;

/// What the step works with.
#[derive(Debug, Clone)]
pub struct Convert {
    /// Holds the picture, and takes its rendition.
    pub s3: aws_sdk_s3::Client,
    /// Knows whose the image is.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The table of image records.
    pub table: String,
}

/// Why there is no rendition.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum ConvertError {
    /// The file is at fault.
    #[error(transparent)]
    #[strum(disabled)]
    Picture(#[from] PictureError),
    /// Deleted in the meantime.
    #[error("The file was deleted before it could be labeled. Upload the picture again.")]
    ObjectGone,
    /// Another execution has taken the image over, for a later event.
    #[error("another execution has claimed the image")]
    StaleEvent,
    /// Deleted by its owner.
    #[error("the image has been deleted")]
    ImageDeleted,
    /// AWS is at fault, or a permission is missing.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for ConvertError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Picture(error) => error.name(),
            Self::ObjectGone => ErrorName::ObjectGone,
            Self::StaleEvent => ErrorName::StaleEvent,
            Self::ImageDeleted => ErrorName::ImageDeleted,
            Self::Service(error) => error.name(),
        }
    }
}

/// Writes the rendition, and looks whose the image is afterwards: nobody else removes what is written under a deleted
/// image once its deletion has listed the objects. The same execution writes the same one again.
///
/// # Errors
/// See [`ConvertError`].
pub async fn handle(convert: &Convert, image: ClaimedImage) -> Result<ClaimedImage, ConvertError> {
    let key = rendition_key(&image.owner, image.image_id, &image.execution_arn);
    let made = match write(convert, &image, &key).await {
        Err(ConvertError::Service(error)) => return Err(error.into()),
        made => made,
    };
    let holder = holder(&convert.dynamodb, &convert.table, &image.owner, image.image_id).await?;
    if holder
        .as_ref()
        .is_some_and(|holder| holder.is(&image.execution_arn))
    {
        return Ok(ClaimedImage {
            rendition: Some(made?),
            ..image
        });
    }
    // Though this run may have written nothing: one before it can have died right after it had.
    picture_store::delete(&convert.s3, &image.bucket, &key).await?;
    Err(match holder {
        Some(holder) if !holder.is_deleted() => ConvertError::StaleEvent,
        // Or no record at all: the tombstone has expired.
        _ => ConvertError::ImageDeleted,
    })
}

async fn write(convert: &Convert, image: &ClaimedImage, key: &str) -> Result<Rendition, ConvertError> {
    let version = image.version_id.as_deref();
    let file = picture_store::read(&convert.s3, &image.bucket, &image.key, version)
        .await?
        .ok_or(ConvertError::ObjectGone)?;
    let Jpeg { bytes, width, height } = rendition(&file)?;
    drop(file);
    picture_store::write_jpeg(&convert.s3, &image.bucket, key, bytes).await?;
    Ok(Rendition {
        key: key.to_owned(),
        width,
        height,
    })
}
