//! Handles events for deleted images.

use crate::{Validate, ValidateError};
use aws::ServiceError;
use domain::{Claim, ImageKey};
use objects::UnreadableObject;

/// An event for a deleted image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeletedImageEvent {
    /// The API created the key for the deleted image. Any object that is uploaded under it belongs to that image.
    OfDeletedUpload,
    /// The event is not later than the deleted object's.
    NotNewer,
    /// The event is about a later object under a key that the owner chose and can use again.
    NewObject,
}

impl DeletedImageEvent {
    /// `newer`: whether the event is later than the last claimed one.
    pub(crate) fn of(image: &ImageKey, newer: bool) -> Self {
        if image.is_created_by_api() {
            Self::OfDeletedUpload
        } else if newer {
            Self::NewObject
        } else {
            Self::NotNewer
        }
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ImageId;

    #[test]
    fn a_key_created_by_the_api_is_never_used_for_another_image() {
        let event = |name: &str, newer| {
            let key = ImageKey::parse("pictures", &format!("uploads/demo/{name}")).unwrap();
            DeletedImageEvent::of(&key, newer)
        };
        let of_api = ImageId::new().to_string();
        assert_eq!(event(&of_api, true), DeletedImageEvent::OfDeletedUpload);
        assert_eq!(event(&of_api, false), DeletedImageEvent::OfDeletedUpload);
        assert_eq!(event("cat.jpg", true), DeletedImageEvent::NewObject);
        assert_eq!(event("cat.jpg", false), DeletedImageEvent::NotNewer);
    }
}
