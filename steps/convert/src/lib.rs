//! Makes of a picture that Rekognition does not take one that it does: a JPEG beside the original.
//!
//! Input and output: [`domain::ClaimedImage`], which has a rendition when it comes out.

use domain::image::rendition_key;
use domain::{ClaimedImage, ErrorName, Rendition};
use lambda::{ServiceError, StepError};
use picture::{Jpeg, PictureError, rendition};
use strum::EnumIter;

/// What the step works with.
#[derive(Debug, Clone)]
pub struct Convert {
    /// Holds the picture, and takes its rendition.
    pub s3: aws_sdk_s3::Client,
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
            Self::Service(error) => error.name(),
        }
    }
}

/// Writes the rendition. The same execution writes the same one again.
///
/// # Errors
/// See [`ConvertError`].
pub async fn handle(convert: &Convert, image: ClaimedImage) -> Result<ClaimedImage, ConvertError> {
    let version = image.version_id.as_deref();
    let file = picture_store::read(&convert.s3, &image.bucket, &image.key, version)
        .await?
        .ok_or(ConvertError::ObjectGone)?;
    let Jpeg { bytes, width, height } = rendition(&file)?;
    drop(file);
    let key = rendition_key(&image.owner, image.image_id, &image.execution_arn);
    picture_store::write_jpeg(&convert.s3, &image.bucket, &key, bytes).await?;
    Ok(ClaimedImage {
        rendition: Some(Rendition { key, width, height }),
        ..image
    })
}
