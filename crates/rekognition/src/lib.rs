//! The answers of Rekognition as labels of this project.

use aws_sdk_rekognition::operation::detect_labels::DetectLabelsOutput;
use aws_sdk_rekognition::types::{Instance as FoundInstance, Label as FoundLabel};
use domain::{BoundingBox, Confidence, Instance, Label};

/// What Rekognition has found in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Detected {
    /// In the order of the answer.
    pub labels: Vec<Label>,
    /// The version of the model.
    pub model_version: Option<String>,
}

impl From<DetectLabelsOutput> for Detected {
    fn from(found: DetectLabelsOutput) -> Self {
        let labels = found.labels.unwrap_or_default().into_iter();
        Self {
            labels: labels.filter_map(label).collect(),
            model_version: found.label_model_version,
        }
    }
}

/// A label. `None` if it has no name.
pub fn label(found: FoundLabel) -> Option<Label> {
    Some(Label {
        name: found.name?,
        confidence: Confidence::new(found.confidence.unwrap_or_default().into()),
        instances: found
            .instances
            .unwrap_or_default()
            .into_iter()
            .filter_map(instance)
            .collect(),
        parents: found
            .parents
            .unwrap_or_default()
            .into_iter()
            .filter_map(|parent| parent.name)
            .collect(),
        aliases: found
            .aliases
            .unwrap_or_default()
            .into_iter()
            .filter_map(|alias| alias.name)
            .collect(),
        categories: found
            .categories
            .unwrap_or_default()
            .into_iter()
            .filter_map(|c| c.name)
            .collect(),
        seen: None,
    })
}

fn instance(found: FoundInstance) -> Option<Instance> {
    let edges = found.bounding_box?;
    let [left, top, width, height] =
        [edges.left, edges.top, edges.width, edges.height].map(|edge| edge.unwrap_or_default().into());
    Some(Instance {
        confidence: Confidence::new(found.confidence.unwrap_or_default().into()),
        bounding_box: BoundingBox::new(left, top, width, height),
    })
}
