//! Labels as the API returns them.

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

/// A label of an image.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Label {
    /// Rekognition's name, such as `Coffee Cup`, or the name that you have chosen.
    name: String,
    /// How confident the model is. 100 if you've added the label, or if it is a keyword of the file.
    confidence: Confidence,
    /// Whether you've added the label.
    added: bool,
    /// Whether the label is a keyword of the file.
    keyword: bool,
    /// Rekognition's names of the labels that your settings rename to this one. Empty if there are no others.
    detected_as: Vec<String>,
    /// Where the model found it. Empty for labels without a location, such as `Outdoors`.
    instances: Vec<Instance>,
    /// All ancestors, such as `Animal` and `Mammal` for `Cat`.
    parents: Vec<String>,
    /// Other names for the same label.
    aliases: Vec<String>,
    /// Rekognition's categories, such as `Animals and Pets`.
    categories: Vec<String>,
}

impl Label {
    /// A label with its details from the model's answer.
    pub(crate) fn new(recorded: RecordedLabel, details: domain::Label) -> Self {
        let domain::Label {
            name,
            confidence,
            instances,
            parents,
            aliases,
            categories,
        } = details;
        Self {
            name,
            confidence,
            added: recorded.added,
            keyword: recorded.keyword,
            detected_as: recorded.detected_as,
            instances,
            parents,
            aliases,
            categories,
        }
    }
}
