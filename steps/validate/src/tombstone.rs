//! What an event means whose image its owner has deleted.

use crate::{Validate, ValidateError};
use aws_sdk_s3::error::ProvideErrorMetadata;
use domain::{ImageKey, ObjectCreated};
use lambda::ServiceError;

/// An event, as the owner's deletion sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// The API handed the key out for the image that is deleted: whatever comes under it is that image.
    OfDeletedUpload,
    /// Not later than what was deleted.
    Late,
    /// About a later object, under a key that its owner chose and may use again.
    Later,
}

impl Event {
    /// `newer`: the event is later than the last one that was claimed.
    pub(crate) fn of(image: &ImageKey, newer: bool) -> Self {
        if image.is_of_api() {
            Self::OfDeletedUpload
        } else if newer {
            Self::Later
        } else {
            Self::Late
        }
    }
}

/// Holds the deletion up against an event: refuses the event, but for a later object that is there.
///
/// A presigned PUT is valid for minutes after the deletion: what it brings back is deleted here. A later event whose
/// object is gone was on its way while the owner deleted.
pub(crate) async fn hold(
    validate: &Validate,
    event: &ObjectCreated,
    kind: Event,
) -> Result<(), ValidateError> {
    match kind {
        Event::OfDeletedUpload => delete(validate, event).await?,
        Event::Later if exists(validate, event).await? => return Ok(()),
        Event::Later | Event::Late => {}
    }
    Err(ValidateError::ImageDeleted)
}

async fn delete(validate: &Validate, event: &ObjectCreated) -> Result<(), ServiceError> {
    validate
        .s3
        .delete_object()
        .bucket(&event.detail.bucket.name)
        .key(&event.detail.object.key)
        .send()
        .await
        .map(drop)
        .map_err(|error| ServiceError::of("s3:DeleteObject", &error))
}

async fn exists(validate: &Validate, event: &ObjectCreated) -> Result<bool, ServiceError> {
    let head = validate
        .s3
        .head_object()
        .bucket(&event.detail.bucket.name)
        .key(&event.detail.object.key)
        .set_version_id(event.detail.object.version_id.clone());
    match head.send().await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.code(), Some("NoSuchKey" | "NoSuchVersion" | "NotFound")) => Ok(false),
        Err(error) => Err(ServiceError::of("s3:HeadObject", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ImageId;

    #[test]
    fn a_key_that_the_api_handed_out_is_never_used_again() {
        let event = |name: &str, newer| {
            let key = ImageKey::parse("pictures", &format!("uploads/demo/{name}")).unwrap();
            Event::of(&key, newer)
        };
        let of_api = ImageId::new().to_string();
        assert_eq!(event(&of_api, true), Event::OfDeletedUpload);
        assert_eq!(event(&of_api, false), Event::OfDeletedUpload);
        assert_eq!(event("cat.jpg", true), Event::Later);
        assert_eq!(event("cat.jpg", false), Event::Late);
    }
}
