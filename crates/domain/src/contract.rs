//! What the Tasks of the state machine are given and give back.

use crate::event::ObjectCreated;
use crate::image::{Format, ImageId, ImageKey, Orientation, Owner, Status, rekognition};
use crate::label::{Confidence, Label};
use crate::policy::FilterPolicy;
use crate::record::RecordedError;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// Notification ids are derived within this namespace.
const NOTIFICATION_NAMESPACE: Uuid = Uuid::from_u128(0x2f6d_0d4b_7f1b_4a39_8a52_f9d6_0f4e_6c17);

/// Given to `validate`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidateInput {
    /// The state machine's input.
    pub event: ObjectCreated,
    /// The execution that claims the image.
    pub execution_arn: String,
}

/// An image that an execution has claimed: from `validate` to `detect-labels`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimedImage {
    /// The image.
    pub image_id: ImageId,
    /// Whose it is.
    pub owner: Owner,
    /// Where the object lies.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// Where the bucket is versioned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// Bytes.
    pub size: u64,
    /// The format found in the file.
    pub format: Format,
    /// Pixels, as seen.
    pub width: u32,
    /// Pixels, as seen.
    pub height: u32,
    /// How the stored pixels come to be seen so.
    #[serde(default)]
    pub orientation: Orientation,
    /// What Rekognition gets in place of the original, once `convert` has made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition: Option<Rendition>,
    /// Which of the labels will count.
    pub policy: FilterPolicy,
    /// The execution that holds the claim.
    pub execution_arn: String,
}

impl ClaimedImage {
    /// Whether Rekognition takes the original: a JPEG or PNG within its limits. It turns a JPEG as its EXIF says, and
    /// nothing else, so that the boxes of a turned PNG would not fit the picture that people see.
    pub fn is_for_rekognition(&self) -> bool {
        let taken = match self.format {
            Format::Jpeg => true,
            Format::Png => self.orientation == Orientation::UPRIGHT,
            _ => false,
        };
        taken && self.size <= rekognition::MAX_BYTES && self.width.max(self.height) <= rekognition::MAX_SIDE
    }
}

/// A JPEG that was made of an image, beside the original.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// The object's key, in the original's bucket.
    pub key: String,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// An image with all its labels: from `detect-labels` to `filter-labels`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetectedImage {
    /// The image.
    pub image: ClaimedImage,
    /// Surest first.
    pub labels: Vec<Label>,
    /// The model that found them.
    #[serde(default)]
    pub model_version: Option<String>,
}

/// Given to `persist`: by `filter-labels`, or by a Catch of the state machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PersistInput {
    /// The image has labels that count.
    Labeled(DetectedImage),
    /// The file is at fault.
    #[serde(skip_serializing)]
    Rejected(RejectedImage),
}

/// An image whose file is at fault.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedImage {
    /// The state machine's input: a step that fails gives nothing back.
    pub event: ObjectCreated,
    /// The execution that holds the claim.
    pub execution_arn: String,
    /// What was caught.
    pub error: CaughtError,
}

/// An error as a Catch gives it: Lambda's error body stands in `Cause` as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaughtError(pub RecordedError);

impl<'de> Deserialize<'de> for CaughtError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct ErrorOutput {
            error: String,
            #[serde(default)]
            cause: String,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Body {
            error_message: String,
        }
        let ErrorOutput { error, cause } = ErrorOutput::deserialize(deserializer)?;
        let message = serde_json::from_str::<Body>(&cause).map_or(cause, |body| body.error_message);
        Ok(Self(RecordedError { name: error, message }))
    }
}

/// How an image ended: from `persist` to `notify`, and the detail of the event that is sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The same whenever the same result is sent again: receivers count distinct ids.
    pub notification_id: Uuid,
    /// The image.
    pub image_id: ImageId,
    /// Whose it is.
    pub owner: Owner,
    /// Where the object lies.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// `LABELED`, `REJECTED` or `FAILED`.
    pub status: Status,
    /// Surest first; empty unless `LABELED`.
    pub labels: Vec<OutcomeLabel>,
    /// Unless `LABELED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordedError>,
    /// The execution that brought it about.
    pub execution_arn: String,
}

/// A label in an [`Outcome`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LabelSummary))]
pub struct OutcomeLabel {
    /// Rekognition's name.
    pub name: String,
    /// How sure the model is.
    pub confidence: Confidence,
}

impl Outcome {
    /// A result belongs to the execution that brought it about: an execution has at most one of
    /// each status for an image, however often its steps run.
    pub fn notification_id(owner: &Owner, image_id: ImageId, execution_arn: &str, status: Status) -> Uuid {
        let result = format!(
            "{}/{image_id}/{execution_arn}/{}",
            owner.as_str(),
            status.as_str()
        );
        Uuid::new_v5(&NOTIFICATION_NAMESPACE, result.as_bytes())
    }
}

impl RejectedImage {
    /// The image that the event speaks of; `None` where its key is no upload's.
    pub fn image_key(&self) -> Option<ImageKey> {
        ImageKey::parse(&self.event.detail.bucket.name, &self.event.detail.object.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_rekognition_takes_and_shows_right_goes_there_unchanged() {
        let image = |changes: serde_json::Value| {
            let mut image = json!({
                "imageId": ImageId::new(), "owner": "demo", "bucket": "pictures", "key": "uploads/demo/a",
                "size": 15_728_640, "format": "JPEG", "width": 10_000, "height": 80, "executionArn": "arn",
                "policy": {"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []},
            });
            image
                .as_object_mut()
                .unwrap()
                .extend(changes.as_object().unwrap().clone());
            serde_json::from_value::<ClaimedImage>(image)
                .unwrap()
                .is_for_rekognition()
        };
        for taken in [json!({}), json!({"orientation": 6}), json!({"format": "PNG"})] {
            assert!(image(taken.clone()), "{taken}");
        }
        for converted in [
            json!({"format": "WEBP"}),
            json!({"format": "PNG", "orientation": 6}),
            json!({"size": 15_728_641}),
            json!({"height": 10_001}),
        ] {
            assert!(!image(converted.clone()), "{converted}");
        }
    }

    #[test]
    fn a_person_reads_the_steps_own_sentence_not_lambdas_error_body() {
        let caught: CaughtError = serde_json::from_value(json!({
            "Error": "UnsupportedFormat",
            "Cause": r#"{"errorType":"UnsupportedFormat","errorMessage":"This is a GIF.","stackTrace":[]}"#,
        }))
        .unwrap();
        assert_eq!(caught.0.message, "This is a GIF.");
        assert_eq!(caught.0.name, "UnsupportedFormat");
    }

    #[test]
    fn a_cause_that_is_no_error_body_is_kept_as_it_is() {
        let caught: CaughtError =
            serde_json::from_value(json!({"Error": "InvalidImage", "Cause": "broken"})).unwrap();
        assert_eq!(caught.0.message, "broken");
        let bare: CaughtError = serde_json::from_value(json!({"Error": "InvalidImage"})).unwrap();
        assert_eq!(bare.0.message, "");
    }

    #[test]
    fn the_same_result_has_the_same_notification_id_and_another_result_another() {
        let owner = Owner::new("demo").unwrap();
        let image = ImageId::new();
        let id = |arn, status| Outcome::notification_id(&owner, image, arn, status);
        assert_eq!(id("a", Status::Labeled), id("a", Status::Labeled));
        assert_ne!(id("a", Status::Labeled), id("b", Status::Labeled));
        assert_ne!(id("a", Status::Labeled), id("a", Status::Failed));
    }
}
