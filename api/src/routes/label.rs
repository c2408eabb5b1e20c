//! Labels in lists of images.

use domain::record::RecordedLabel;
use domain::{Confidence, Instance};
use serde::Serialize;
use utoipa::ToSchema;

/// A label in a list of images.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LabelSummary {
    /// Rekognition's name, such as `Coffee Cup`, or the name that you have chosen.
    name: String,
    /// How confident the model is. 100 if you've added the label, or if it is a keyword of the file.
    confidence: Confidence,
    /// Whether you've added the label.
    added: bool,
    /// Whether the label is a keyword of the file.
    keyword: bool,
    /// Where the model found it. Only with `boxes`, and only for the searched labels. At most 30 per image.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    instances: Option<Vec<Instance>>,
    /// When the label is seen for the first time, in milliseconds from the start of the video. Absent for pictures, and for
    /// labels that the model hasn't found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    first_ms: Option<u64>,
    /// How long the label is seen in the video, in milliseconds. Absent in the same cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    total_ms: Option<u64>,
}

impl From<RecordedLabel> for LabelSummary {
    fn from(label: RecordedLabel) -> Self {
        Self {
            name: label.name,
            confidence: label.confidence,
            added: label.added,
            keyword: label.keyword,
            instances: None,
            first_ms: label.seen.map(|seen| seen.first_ms),
            total_ms: label.seen.map(|seen| seen.total_ms),
        }
    }
}

impl LabelSummary {
    pub(crate) fn add_boxes(&mut self, instances: Vec<Instance>) {
        self.instances = Some(instances);
    }
}
