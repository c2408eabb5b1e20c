//! The claim: which execution processes which image.

use crate::event::ObjectCreated;
use crate::image::{ImageId, ImageKey, Owner};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An image, its object in S3, and the execution that processes it. `validate` creates the claim from the event and
/// stores it in the image's record. The claim then passes through the steps unchanged, and every write checks it.
///
/// In JSON, its fields are flattened into the type that contains it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// The image.
    pub image_id: ImageId,
    /// The image's owner.
    pub owner: Owner,
    /// The object's bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The object's version, if the bucket is versioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The execution that holds the claim.
    pub execution_arn: String,
    /// When the object was created or restored, or when the owner requested to label the image again. `None` if the
    /// event has no valid time. Only for metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requested_at: Option<Timestamp>,
}

impl Claim {
    /// The claim of the execution that handles an event. `None` if the object's key is not an upload's key.
    pub fn new(event: &ObjectCreated, execution_arn: impl Into<String>) -> Option<Self> {
        let (bucket, object) = (&event.detail.bucket.name, &event.detail.object);
        let ImageKey { owner, image_id, .. } = ImageKey::parse(bucket, &object.key)?;
        Some(Self {
            image_id,
            owner,
            bucket: bucket.clone(),
            key: object.key.clone(),
            version_id: object.version_id.clone(),
            execution_arn: execution_arn.into(),
            requested_at: event.requested_at(),
        })
    }

    /// The owner, image id and file name in the object's key.
    pub fn image_key(&self) -> ImageKey {
        ImageKey::parse(&self.bucket, &self.key).unwrap_or_else(|| ImageKey {
            owner: self.owner.clone(),
            image_id: self.image_id,
            file_name: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(key: &str) -> ObjectCreated {
        serde_json::from_value(json!({
            "source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": {"name": "pictures"}, "object": {"key": key, "version-id": "v1", "sequencer": "0A"}},
        }))
        .unwrap()
    }

    #[test]
    fn contains_the_image_and_the_object_version() {
        let claim = Claim::new(&event("uploads/demo/cat.jpg"), "arn").unwrap();
        let key = ImageKey::parse("pictures", "uploads/demo/cat.jpg").unwrap();
        assert_eq!((claim.image_id, &claim.owner), (key.image_id, &key.owner));
        assert_eq!(claim.version_id.as_deref(), Some("v1"));
        assert_eq!(claim.image_key().file_name.as_deref(), Some("cat.jpg"));
    }

    #[test]
    fn is_none_for_a_key_that_is_not_an_upload() {
        assert_eq!(Claim::new(&event("thumbnails/demo/cat.jpg"), "arn"), None);
        assert_eq!(Claim::new(&event("uploads/demo/folder/"), "arn"), None);
    }
}
