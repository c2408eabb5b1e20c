//! Converts a picture that Rekognition cannot read to JPEG. The JPEG, called rendition, is stored in the original's
//! bucket.
//!
//! Input: [`domain::ClaimedImage`]. Output: the same, with the rendition.

use aws::ServiceError;
use domain::image::rendition_key;
use domain::metric;
use domain::{Claim, ClaimedImage, ErrorName, Format, Rendition, StepError};
use objects::UnreadableObject;
use picture::Jpeg;
use picture_process::{PictureProcess, ProcessError};
use records::{LostClaim, Records};
use strum::EnumIter;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct Convert {
    /// Reads the picture and writes its rendition.
    pub s3: aws_sdk_s3::Client,
    /// Reads which execution holds the image.
    pub records: Records,
    /// Decodes the picture.
    pub process: PictureProcess,
}

/// Why the picture was not converted.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum ConvertError {
    /// The picture cannot be converted, or the process that decodes it could not be started.
    #[error(transparent)]
    #[strum(disabled)]
    Process(#[from] ProcessError),
    /// S3 does not return the object.
    #[error(transparent)]
    #[strum(disabled)]
    Object(#[from] UnreadableObject),
    /// The execution no longer holds the claim.
    #[error(transparent)]
    #[strum(disabled)]
    Lost(#[from] LostClaim),
    /// A call to an AWS service failed.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for ConvertError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Process(error) => error.name(),
            Self::Object(error) => error.name(),
            Self::Lost(lost) => lost.name(),
            Self::Service(error) => error.name(),
        }
    }
}

/// Writes the rendition, then checks that the execution still holds the claim. If not, it deletes the rendition: a
/// concurrent deletion may have listed the objects before the rendition was written. A repeated run overwrites the same
/// object.
///
/// # Errors
/// See [`ConvertError`].
pub async fn handle(convert: &Convert, image: ClaimedImage) -> Result<ClaimedImage, ConvertError> {
    let claim = &image.claim;
    let key = rendition_key(&claim.owner, claim.image_id, &claim.execution_arn);
    let written = match write(convert, claim, &key).await {
        Err(ConvertError::Service(error)) => return Err(error.into()),
        written => written,
    };
    if let Err(lost) = convert.records.check_claim(claim).await? {
        // Also if this run wrote nothing, because an earlier run may have died after it wrote the object.
        objects::delete(&convert.s3, &claim.bucket, &key).await?;
        return Err(lost.into());
    }
    let rendition = written?;
    metric::converted(image.file.format);
    Ok(ClaimedImage {
        rendition: Some(rendition),
        ..image
    })
}

async fn write(convert: &Convert, claim: &Claim, key: &str) -> Result<Rendition, ConvertError> {
    let version = claim.version_id.as_deref();
    let file = objects::read(&convert.s3, &claim.bucket, &claim.key, version).await??;
    let Jpeg { bytes, width, height } = convert.process.rendition(file).await?.result;
    let content_type = Format::Jpeg.content_type();
    objects::write(&convert.s3, &claim.bucket, key, content_type, bytes).await?;
    Ok(Rendition {
        key: key.to_owned(),
        width,
        height,
    })
}
