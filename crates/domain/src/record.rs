//! The record of an image and its result, as stored in the table.

use crate::corrections::Corrections;
use crate::image::{Format, ImageId, Owner, Rendition, Status};
use crate::label::{Confidence, Label};
use crate::metadata::Metadata;
use serde::{Deserialize, Serialize};

/// An image's record. Its attributes have the names that the HTTP API uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageRecord {
    /// The image.
    pub image_id: ImageId,
    /// The image's owner.
    pub owner: Owner,
    /// Processing status.
    pub status: Status,
    /// When the API created the upload, or when the first event for the object was handled: ISO 8601, UTC,
    /// milliseconds. Empty once a deletion is complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_at: String,
    /// When the record last changed, in the same format.
    pub updated_at: String,
    /// The object's key. Empty once a deletion is complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The object's bucket.
    pub bucket: String,
    /// The file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The file's size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The file's SHA-256 in base64. Before the file arrives, the one that the API was told. Absent if S3 has none for the
    /// object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The format found in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Width in pixels, as displayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels, as displayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How the picture was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// The thumbnails that belong to the result. Empty until the result is stored and the thumbnails are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thumbnails: Vec<Rendition>,
    /// Why the labeled picture has no thumbnails. Absent if it has some, or if they have not been made yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnails_error: Option<RecordedError>,
    /// Whether a part of the picture is missing from the file. Set when the thumbnails are stored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// The padded sequencer of the last event that was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
    /// The execution that holds the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_arn: Option<String>,
    /// The labels of the result, most specific first. The rest of the result is in the [`ImageResult`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<RecordedLabel>>,
    /// The names of the labels that may have rows in the table. While a result is being written, a superset of the
    /// names in `labels`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_rows: Vec<String>,
    /// Whether a change of the label rows is incomplete, so that the rows may not match `labels`. The next writer
    /// completes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rows_changing: bool,
    /// The owner's corrections of the labels. See [`ImageRecord::corrections`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrections: Option<RecordedCorrections>,
    /// The version of the model that found the labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// Why the image was rejected or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordedError>,
    /// When the record expires (DynamoDB TTL): seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl ImageRecord {
    /// The owner's corrections of this picture.
    pub fn corrections(&self) -> Corrections {
        let recorded = self.corrections.as_ref();
        recorded
            .filter(|recorded| Some(&recorded.sequencer) == self.sequencer.as_ref())
            .map(|recorded| recorded.corrections.clone())
            .unwrap_or_default()
    }
}

/// A label in an [`ImageRecord`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedLabel {
    /// The label's name: Rekognition's, or the one that the owner has chosen.
    pub name: String,
    /// The model's confidence. 100 if the owner has added the label.
    pub confidence: Confidence,
    /// Whether the owner has added the label.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub added: bool,
    /// Rekognition's names of the labels that were renamed to this one. Empty if the only one is `name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detected_as: Vec<String>,
}

impl RecordedLabel {
    /// The names that this label can have in the model's answer.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        let own = self.detected_as.is_empty().then_some(&self.name);
        own.into_iter().chain(&self.detected_as).map(String::as_str)
    }
}

impl From<&Label> for RecordedLabel {
    fn from(label: &Label) -> Self {
        Self {
            name: label.name.clone(),
            confidence: label.confidence,
            added: false,
            detected_as: vec![],
        }
    }
}

/// The owner's corrections, as stored in an [`ImageRecord`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedCorrections {
    /// The padded sequencer of the object that they are about. Another object under the same key is another picture.
    pub sequencer: String,
    /// The corrections.
    #[serde(flatten)]
    pub corrections: Corrections,
}

/// The model's answer about a labeled image. It can have 150 KB and is a separate item, because the cost of a write of
/// the record depends on the record's size.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageResult {
    /// The execution that stored the result. The record names the same execution, unless a newer one has claimed the
    /// image.
    pub execution_arn: String,
    /// All labels that the model found, with all their details, highest confidence first. The record names those that
    /// count.
    pub answer: Vec<Label>,
}

/// Why an image was rejected or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedError {
    /// The error's name, such as `UnsupportedFormat`.
    pub name: String,
    /// A message for people.
    pub message: String,
}
