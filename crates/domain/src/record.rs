//! The record of an image, as it stands in the table.

use crate::contract::Rendition;
use crate::image::{Format, ImageId, Owner, Status};
use crate::label::Label;
use crate::metadata::Metadata;
use crate::policy::FilterPolicy;
use serde::{Deserialize, Serialize};

/// An image's record. Attributes carry the HTTP API's names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageRecord {
    /// The image.
    pub image_id: ImageId,
    /// Whose it is.
    pub owner: Owner,
    /// Where it is on its way.
    pub status: Status,
    /// When the upload was handed out, or the object was first seen: ISO 8601, UTC, milliseconds. Empty once a deletion
    /// is complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_at: String,
    /// When the record last changed, in the same form.
    pub updated_at: String,
    /// The object's key. Empty once a deletion is complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The object's bucket.
    pub bucket: String,
    /// The file's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The format found in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Pixels, as seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels, as seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How the picture was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// Made of the result's picture, once the result is there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thumbnails: Vec<Rendition>,
    /// The sequencer of the event that was claimed last, padded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
    /// The execution that holds the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_arn: Option<String>,
    /// The result, surest first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<Label>>,
    /// Names of the labels that may have rows in the table: a superset of those in `labels` while a
    /// result is being written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_rows: Vec<String>,
    /// The model that found the labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// The policy that filtered them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<FilterPolicy>,
    /// Why it was rejected or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordedError>,
    /// When DynamoDB may remove the record by itself: seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// Why an image was rejected or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedError {
    /// Such as `UnsupportedFormat`.
    pub name: String,
    /// A sentence for people.
    pub message: String,
}
