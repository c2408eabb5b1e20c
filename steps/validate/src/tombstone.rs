//! Handles events for deleted images.

use crate::{Validate, ValidateError};
use aws::ServiceError;
use deletion::DeletedImageEvent;
use domain::Claim;
use objects::UnreadableObject;

/// Rejects the event, unless it is about a later object that exists.
///
/// A presigned PUT stays valid for minutes after the deletion. An object that is uploaded with it is deleted here. If
/// the object of a later event does not exist, the owner deleted the image while the event was being delivered.
pub(crate) async fn reject_unless_new(
    validate: &Validate,
    claim: &Claim,
    kind: DeletedImageEvent,
) -> Result<(), ValidateError> {
    match kind {
        DeletedImageEvent::OfDeletedUpload => {
            objects::delete(&validate.s3, &claim.bucket, &claim.key).await?;
        }
        DeletedImageEvent::NewObject if exists(validate, claim).await? => return Ok(()),
        DeletedImageEvent::NewObject | DeletedImageEvent::NotNewer => {}
    }
    Err(ValidateError::ImageDeleted)
}

/// Whether the object exists, even if it is not readable.
async fn exists(validate: &Validate, claim: &Claim) -> Result<bool, ServiceError> {
    let version = claim.version_id.as_deref();
    let readable = objects::check_readable(&validate.s3, &claim.bucket, &claim.key, version).await?;
    Ok(readable != Err(UnreadableObject::Gone))
}
