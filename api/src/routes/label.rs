//! Labels as the API returns them.

use domain::record::RecordedLabel;
use domain::{Confidence, Instance};
use serde::Serialize;
use utoipa::ToSchema;

/// A label in a list of images.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LabelSummary {
    /// Rekognition's name, such as `Coffee Cup`.
    name: String,
    /// How confident the model is.
    confidence: Confidence,
}

impl From<RecordedLabel> for LabelSummary {
    fn from(RecordedLabel { name, confidence }: RecordedLabel) -> Self {
        Self { name, confidence }
    }
}

/// A label of an image.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Label {
    /// Rekognition's name, such as `Coffee Cup`.
    name: String,
    /// How confident the model is.
    confidence: Confidence,
    /// Where the model found it. Empty for labels without a location, such as `Outdoors`.
    instances: Vec<Instance>,
    /// All ancestors, such as `Animal` and `Mammal` for `Cat`.
    parents: Vec<String>,
    /// Other names for the same label.
    aliases: Vec<String>,
    /// Rekognition's categories, such as `Animals and Pets`.
    categories: Vec<String>,
}

impl From<domain::Label> for Label {
    fn from(label: domain::Label) -> Self {
        let domain::Label {
            name,
            confidence,
            instances,
            parents,
            aliases,
            categories,
        } = label;
        Self {
            name,
            confidence,
            instances,
            parents,
            aliases,
            categories,
        }
    }
}
