//! The response to `DetectLabels`.

use crate::properties::{DominantColor, ImageProperties, SmallCopy};
use crate::request::{DetectLabels, Filters};
use label_model::geometry::BoundingBox;
use label_model::labels::Label;
use label_model::taxonomy::Taxonomy;
use serde::Serialize;

/// The response to `DetectLabels`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct DetectLabelsResponse {
    labels: Vec<ResponseLabel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    image_properties: Option<ImageProperties>,
    label_model_version: &'static str,
}

/// A label of a picture or frame.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResponseLabel {
    pub(crate) name: String,
    pub(crate) confidence: f32,
    pub(crate) instances: Vec<ResponseInstance>,
    parents: Vec<Name>,
    aliases: Vec<Name>,
    categories: Vec<Name>,
}

/// An object with the label.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ResponseInstance {
    bounding_box: ResponseBoundingBox,
    confidence: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    dominant_colors: Option<Vec<DominantColor>>,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ResponseBoundingBox {
    left: f32,
    top: f32,
    width: f32,
    height: f32,
}

impl From<BoundingBox> for ResponseBoundingBox {
    fn from(found: BoundingBox) -> Self {
        Self {
            left: found.left,
            top: found.top,
            width: found.width,
            height: found.height,
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Name {
    name: String,
}

#[cfg(test)]
impl ResponseLabel {
    pub(crate) fn for_tests(name: &str, confidence: f32) -> Self {
        Self {
            name: name.to_owned(),
            confidence,
            instances: Vec::new(),
            parents: Vec::new(),
            aliases: Vec::new(),
            categories: Vec::new(),
        }
    }
}

fn names<'a>(names: impl IntoIterator<Item = &'a String>) -> Vec<Name> {
    names
        .into_iter()
        .map(|name| Name { name: name.clone() })
        .collect()
}

impl DetectLabelsResponse {
    /// Selects the labels that `request` asks for from `labels`, which are sorted by confidence, highest first. `copy` is
    /// present if the request asks for image properties.
    pub fn new(
        request: &DetectLabels,
        taxonomy: &Taxonomy,
        labels: &[Label],
        copy: Option<&SmallCopy>,
    ) -> Self {
        let colors = request.dominant_colors.unwrap_or_default();
        let foreground: Vec<BoundingBox> = labels
            .iter()
            .flat_map(|label| &label.instances)
            .map(|instance| instance.bounding_box)
            .collect();
        Self {
            labels: if request.general_labels {
                selected(
                    &request.selection(),
                    taxonomy,
                    labels,
                    copy.map(|copy| (copy, colors)),
                )
            } else {
                Vec::new()
            },
            image_properties: copy.map(|copy| copy.measure(&foreground, colors)),
            label_model_version: label_model::VERSION,
        }
    }
}

/// Which labels a response has.
#[derive(Debug)]
pub(crate) struct Selection<'a> {
    /// Maximum number.
    pub(crate) max_labels: usize,
    /// In percent.
    pub(crate) min_confidence: f32,
    pub(crate) filters: &'a Filters,
}

impl DetectLabels {
    fn selection(&self) -> Selection<'_> {
        Selection {
            max_labels: self.max_labels,
            min_confidence: self.min_confidence,
            filters: &self.filters,
        }
    }
}

/// The labels that are selected. `copy` is present if instances have colors, with the maximum number of these.
pub(crate) fn selected(
    request: &Selection<'_>,
    taxonomy: &Taxonomy,
    labels: &[Label],
    copy: Option<(&SmallCopy, usize)>,
) -> Vec<ResponseLabel> {
    labels
        .iter()
        // A label with a confidence of 0 was not found, even if the request accepts every confidence.
        .filter(|label| label.confidence > 0.0 && label.confidence * 100.0 >= request.min_confidence)
        .map(|label| (label, taxonomy.entry(label.id)))
        .filter(|(_, entry)| request.filters.select(&entry.name, &entry.categories))
        .take(request.max_labels)
        .map(|(label, entry)| ResponseLabel {
            name: entry.name.clone(),
            confidence: label.confidence * 100.0,
            instances: label
                .instances
                .iter()
                .map(|instance| ResponseInstance {
                    bounding_box: instance.bounding_box.into(),
                    confidence: instance.confidence * 100.0,
                    dominant_colors: copy
                        .map(|(copy, colors)| copy.dominant_colors(&[instance.bounding_box], colors)),
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
