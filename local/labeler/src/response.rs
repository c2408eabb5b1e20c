//! `DetectLabels`' answer, as Rekognition shapes it.

use serde::Serialize;

use crate::geometry::BoundingBox;
use crate::labels::Label;
use crate::properties::{DominantColor, ImageProperties, PropertiesOf};
use crate::request::DetectLabels;
use crate::taxonomy::Taxonomy;

/// Names the models and the table of labels; changes when the same picture may get other labels.
pub const LABEL_MODEL_VERSION: &str = "local-1.0";

/// The answer to `DetectLabels`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DetectLabelsResponse {
    labels: Vec<ResponseLabel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_properties: Option<ImageProperties>,
    label_model_version: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseLabel {
    name: String,
    confidence: f32,
    instances: Vec<ResponseInstance>,
    parents: Vec<Name>,
    aliases: Vec<Name>,
    categories: Vec<Name>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseInstance {
    bounding_box: BoundingBox,
    confidence: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    dominant_colors: Option<Vec<DominantColor>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Name {
    name: String,
}

fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<Name> {
    names
        .into_iter()
        .map(|name| Name { name: name.clone() })
        .collect()
}

impl DetectLabelsResponse {
    /// The answer to `request`: of `labels`, most certain first, those that it asked for; and what `properties`
    /// measures, if it asked for that.
    pub fn new(
        request: &DetectLabels,
        taxonomy: &Taxonomy,
        labels: &[Label],
        properties: Option<&PropertiesOf>,
    ) -> Self {
        let colors = request.dominant_colors.unwrap_or_default();
        let foreground: Vec<BoundingBox> = labels
            .iter()
            .flat_map(|label| &label.instances)
            .map(|instance| instance.bounding_box)
            .collect();
        Self {
            labels: if request.general_labels {
                selected(request, taxonomy, labels, properties)
            } else {
                Vec::new()
            },
            image_properties: properties.map(|properties| properties.measure(&foreground, colors)),
            label_model_version: LABEL_MODEL_VERSION,
        }
    }
}

fn selected(
    request: &DetectLabels,
    taxonomy: &Taxonomy,
    labels: &[Label],
    properties: Option<&PropertiesOf>,
) -> Vec<ResponseLabel> {
    let colors = request.dominant_colors.unwrap_or_default();
    labels
        .iter()
        // A label without any evidence is none, even where no confidence is too low.
        .filter(|label| label.confidence > 0.0 && label.confidence * 100.0 >= request.min_confidence)
        .map(|label| (label, taxonomy.entry(label.id)))
        .filter(|(_, entry)| request.filters.pass(&entry.name, &entry.categories))
        .take(request.max_labels)
        .map(|(label, entry)| ResponseLabel {
            name: entry.name.clone(),
            confidence: label.confidence * 100.0,
            instances: label
                .instances
                .iter()
                .map(|instance| ResponseInstance {
                    bounding_box: instance.bounding_box,
                    confidence: instance.confidence * 100.0,
                    dominant_colors: properties
                        .map(|properties| properties.dominant_colors(&[instance.bounding_box], colors)),
                })
                .collect(),
            parents: names(
                entry
                    .ancestors
                    .iter()
                    .map(|&ancestor| &taxonomy.entry(ancestor).name),
            ),
            aliases: names(&entry.aliases),
            categories: names(&entry.categories),
        })
        .collect()
}
