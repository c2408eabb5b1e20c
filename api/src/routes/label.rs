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
}

impl From<RecordedLabel> for LabelSummary {
    fn from(label: RecordedLabel) -> Self {
        Self {
            name: label.name,
            confidence: label.confidence,
            added: label.added,
            keyword: label.keyword,
            instances: None,
        }
    }
}

impl LabelSummary {
    pub(crate) fn add_boxes(&mut self, instances: Vec<Instance>) {
        self.instances = Some(instances);
    }
}
