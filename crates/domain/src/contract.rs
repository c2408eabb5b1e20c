//! Input and output of the Tasks of the state machines.

use crate::claim::Claim;
use crate::event::ObjectCreated;
use crate::image::{Format, Orientation, Rendition, Status, rekognition};
use crate::label::{self, Confidence, Label};
use crate::lambda_error;
use crate::policy::FilterPolicy;
use crate::record::{RecordedError, RecordedLabel};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// Notification ids are derived within this namespace.
const NOTIFICATION_NAMESPACE: Uuid = Uuid::from_u128(0x2f6d_0d4b_7f1b_4a39_8a52_f9d6_0f4e_6c17);

/// The input of `validate`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidateInput {
    /// The state machine's input.
    pub event: ObjectCreated,
    /// The execution that claims the image.
    pub execution_arn: String,
}

/// A claimed picture: the output of `validate` and `convert`, and the input of `convert` and `detect-labels`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimedImage {
    /// The image and the execution that processes it.
    #[serde(flatten)]
    pub claim: Claim,
    /// The properties that the picture's header declares.
    #[serde(flatten)]
    pub picture: Picture,
    /// The JPEG that Rekognition reads instead of the original, once `convert` has written it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition: Option<Rendition>,
    /// The owner's policy at the start. `detect-labels` reads its minimum confidence.
    pub policy: FilterPolicy,
}

/// A picture file, as its header describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// The file's size in bytes.
    pub size: u64,
    /// The format found in the file.
    pub format: Format,
    /// Width in pixels, after `orientation` is applied.
    pub width: u32,
    /// Height in pixels, after `orientation` is applied.
    pub height: u32,
    /// How the stored pixels must be turned to be displayed.
    #[serde(default)]
    pub orientation: Orientation,
}

impl Picture {
    /// Whether Rekognition can read the original: a JPEG or PNG within its limits. Rekognition applies the EXIF
    /// orientation of a JPEG only, so the boxes of a turned PNG would not fit the displayed picture.
    pub fn is_readable_by_rekognition(&self) -> bool {
        let is_readable = match self.format {
            Format::Jpeg => true,
            Format::Png => self.orientation == Orientation::UPRIGHT,
            _ => false,
        };
        is_readable
            && self.size <= rekognition::MAX_BYTES
            && self.width.max(self.height) <= rekognition::MAX_SIDE
    }
}

/// An image with all detected labels: the output of `detect-labels` and the input of `filter-labels`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetectedImage {
    /// The image.
    pub image: ClaimedImage,
    /// Highest confidence first.
    pub labels: Vec<Label>,
    /// The version of the model that found them.
    #[serde(default)]
    pub model_version: Option<String>,
}

/// An image with the model's answer and the labels that count: the output of `filter-labels` and the input of `persist`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilteredImage {
    /// The image.
    pub image: ClaimedImage,
    /// The detected labels that count, highest confidence first.
    pub labels: Vec<Label>,
    /// The other detected labels, highest confidence first. Missing in the output of version 0.2.0.
    #[serde(default)]
    pub others: Vec<Label>,
    /// The labels as they are recorded: renamed, and with those that the owner has added, most specific first. Missing
    /// in the output of version 0.2.0, where they equal `labels`.
    #[serde(default)]
    pub counted: Option<Vec<RecordedLabel>>,
    /// The version of the model that found them.
    #[serde(default)]
    pub model_version: Option<String>,
}

impl FilteredImage {
    /// Everything that the model found, highest confidence first.
    pub fn answer(&self) -> Vec<Label> {
        let mut answer: Vec<_> = self.labels.iter().chain(&self.others).cloned().collect();
        label::sort(&mut answer);
        answer
    }

    /// The labels that count, most specific first.
    pub fn counted(&self) -> Vec<RecordedLabel> {
        self.counted.clone().unwrap_or_else(|| {
            let labels = label::most_specific_first(&self.labels).into_iter();
            labels.map(RecordedLabel::from).collect()
        })
    }
}

/// The input of `persist`. It comes from `filter-labels` or from a Catch of the state machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PersistInput {
    /// The image, with the labels that count.
    Labeled(FilteredImage),
    /// The file cannot be labeled.
    #[serde(skip_serializing)]
    Rejected(RejectedImage),
}

/// An image whose file cannot be labeled.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedImage {
    /// The state machine's input, because a failed step has no output.
    pub event: ObjectCreated,
    /// The execution that holds the claim.
    pub execution_arn: String,
    /// The error that was caught.
    pub error: CaughtError,
}

impl RejectedImage {
    /// The claim of the execution. `None` if the event's key is not an upload's key.
    pub fn claim(&self) -> Option<Claim> {
        Claim::new(&self.event, &self.execution_arn)
    }
}

/// An error that a Catch has caught. `Cause` contains Lambda's error body as JSON.
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
        let ErrorOutput { error, cause } = ErrorOutput::deserialize(deserializer)?;
        Ok(Self(RecordedError {
            name: error,
            message: lambda_error::message(&cause),
        }))
    }
}

/// The final result of an execution: the output of `persist`, the input of `notify`, and the detail of the event that
/// `notify` sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Identical whenever the same result is sent again, so that receivers can deduplicate.
    pub notification_id: Uuid,
    /// The image and the execution that processed it.
    #[serde(flatten)]
    pub claim: Claim,
    /// `LABELED`, `REJECTED` or `FAILED`.
    pub status: Status,
    /// Highest confidence first. Empty unless `LABELED`.
    pub labels: Vec<OutcomeLabel>,
    /// Present unless `LABELED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordedError>,
}

/// A label in an [`Outcome`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeLabel {
    /// The label's name: Rekognition's, or the one that the owner has chosen.
    pub name: String,
    /// The model's confidence. 100 if the owner has added the label, or if it is a keyword of the file.
    pub confidence: Confidence,
    /// Whether the owner has added the label.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub added: bool,
    /// Whether the label is a keyword of the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keyword: bool,
}

impl From<RecordedLabel> for OutcomeLabel {
    fn from(label: RecordedLabel) -> Self {
        Self {
            name: label.name,
            confidence: label.confidence,
            added: label.added,
            keyword: label.keyword,
        }
    }
}

impl Outcome {
    /// A `LABELED` image.
    pub fn labeled(claim: Claim, labels: Vec<RecordedLabel>) -> Self {
        let mut labels: Vec<_> = labels.into_iter().map(OutcomeLabel::from).collect();
        let percent = |label: &OutcomeLabel| label.confidence.percent();
        labels.sort_by(|a, b| {
            percent(b)
                .total_cmp(&percent(a))
                .then_with(|| a.name.cmp(&b.name))
        });
        Self {
            labels,
            ..Self::new(claim, Status::Labeled)
        }
    }

    /// A `REJECTED` image.
    pub fn rejected(claim: Claim, error: RecordedError) -> Self {
        Self {
            error: Some(error),
            ..Self::new(claim, Status::Rejected)
        }
    }

    /// A `FAILED` image.
    pub fn failed(claim: Claim, error: RecordedError) -> Self {
        Self {
            error: Some(error),
            ..Self::new(claim, Status::Failed)
        }
    }

    fn new(claim: Claim, status: Status) -> Self {
        Self {
            notification_id: notification_id(&claim, status),
            claim,
            status,
            labels: vec![],
            error: None,
        }
    }
}

/// An execution has at most one result of each status for an image, no matter how often its steps run.
fn notification_id(claim: &Claim, status: Status) -> Uuid {
    let result = format!(
        "{}/{}/{}/{}",
        claim.owner.as_str(),
        claim.image_id,
        claim.execution_arn,
        status.as_str()
    );
    Uuid::new_v5(&NOTIFICATION_NAMESPACE, result.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{ImageId, Owner};
    use serde_json::json;

    #[test]
    fn only_originals_that_rekognition_can_read_are_not_converted() {
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
                .picture
                .is_readable_by_rekognition()
        };
        for readable in [json!({}), json!({"orientation": 6}), json!({"format": "PNG"})] {
            assert!(image(readable.clone()), "{readable}");
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
    fn the_message_is_the_steps_error_text_not_lambdas_error_body() {
        let caught: CaughtError = serde_json::from_value(json!({
            "Error": "UnsupportedFormat",
            "Cause": r#"{"errorType":"UnsupportedFormat","errorMessage":"This file is empty.","stackTrace":[]}"#,
        }))
        .unwrap();
        assert_eq!(caught.0.message, "This file is empty.");
        assert_eq!(caught.0.name, "UnsupportedFormat");
    }

    #[test]
    fn a_cause_that_is_not_an_error_body_is_kept_unchanged() {
        let caught: CaughtError =
            serde_json::from_value(json!({"Error": "InvalidImage", "Cause": "broken"})).unwrap();
        assert_eq!(caught.0.message, "broken");
        let bare: CaughtError = serde_json::from_value(json!({"Error": "InvalidImage"})).unwrap();
        assert_eq!(bare.0.message, "");
    }

    fn claim(execution_arn: &str) -> Claim {
        Claim {
            image_id: ImageId::parse("0193a5a0-0000-7000-8000-000000000001").unwrap(),
            owner: Owner::new("demo").unwrap(),
            bucket: "pictures".into(),
            key: "uploads/demo/cat.jpg".into(),
            version_id: None,
            execution_arn: execution_arn.into(),
            requested_at: None,
        }
    }

    #[test]
    fn only_the_same_result_has_the_same_notification_id() {
        let id = |arn, status| notification_id(&claim(arn), status);
        assert_eq!(id("a", Status::Labeled), id("a", Status::Labeled));
        assert_ne!(id("a", Status::Labeled), id("b", Status::Labeled));
        assert_ne!(id("a", Status::Labeled), id("a", Status::Failed));
    }

    /// Receivers of the event depend on this format, and so do executions that run during a deployment.
    #[test]
    fn the_claim_is_flattened_in_json() {
        let outcome = serde_json::to_value(Outcome::labeled(claim("arn"), vec![])).unwrap();
        assert_eq!(
            outcome,
            json!({
                "notificationId": notification_id(&claim("arn"), Status::Labeled),
                "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "pictures",
                "key": "uploads/demo/cat.jpg", "executionArn": "arn", "status": "LABELED", "labels": [],
            })
        );
    }
}
