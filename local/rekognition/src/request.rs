//! The request of `DetectLabels`, checked against the limits of Rekognition's API model.

use crate::error::{ApiError, ErrorKind};
use crate::object::ObjectReference;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

/// Maximum size in bytes of an image in a request, 5 MB. Source: Rekognition's guidelines and quotas.
pub const MAX_INLINE_BYTES: usize = 5 * 1024 * 1024;
/// Maximum and default number of labels in a response.
const MAX_LABELS: usize = 1000;
/// Default minimum confidence in percent.
const DEFAULT_MIN_CONFIDENCE: f32 = 55.0;
/// Default and maximum number of dominant colors.
const DEFAULT_DOMINANT_COLORS: usize = 10;
const MAX_DOMINANT_COLORS: i64 = 20;
const MAX_FILTERS: usize = 100;
const MAX_FILTER_CHARACTERS: usize = 50;
const BUCKET_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=255;
const KEY_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=1024;

/// A request with valid parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectLabels {
    /// The image to label.
    pub image: ImageSource,
    /// Maximum number of labels.
    pub max_labels: usize,
    /// Minimum confidence in percent.
    pub min_confidence: f32,
    /// Whether the response has labels.
    pub general_labels: bool,
    /// Maximum number of dominant colors. `None` if the response has no image properties.
    pub dominant_colors: Option<usize>,
    /// Selects labels by name and category.
    pub filters: Filters,
}

/// The image or its location.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageSource {
    /// In the request.
    Bytes(Vec<u8>),
    /// In S3.
    Object(ObjectReference),
}

/// Exact names of labels and categories to include and exclude.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    include_labels: Vec<String>,
    exclude_labels: Vec<String>,
    include_categories: Vec<String>,
    exclude_categories: Vec<String>,
}

impl Filters {
    /// Whether a label is selected. An inclusion filter must match its name or one of its categories, unless there is none.
    /// No exclusion filter may match.
    pub fn select(&self, name: &str, categories: &[String]) -> bool {
        let has_name = |filter: &[String]| filter.iter().any(|entry| entry == name);
        let has_category = |filter: &[String]| filter.iter().any(|entry| categories.contains(entry));
        let includes_all = self.include_labels.is_empty() && self.include_categories.is_empty();
        let included =
            includes_all || has_name(&self.include_labels) || has_category(&self.include_categories);
        included && !has_name(&self.exclude_labels) && !has_category(&self.exclude_categories)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wire {
    image: Option<WireImage>,
    max_labels: Option<i64>,
    min_confidence: Option<f32>,
    features: Option<Vec<String>>,
    settings: Option<WireSettings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireImage {
    bytes: Option<String>,
    s3_object: Option<WireObject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireObject {
    bucket: Option<String>,
    name: Option<String>,
    version: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireSettings {
    general_labels: Option<WireGeneralLabels>,
    image_properties: Option<WireImageProperties>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireGeneralLabels {
    label_inclusion_filters: Option<Vec<String>>,
    label_exclusion_filters: Option<Vec<String>>,
    label_category_inclusion_filters: Option<Vec<String>>,
    label_category_exclusion_filters: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireImageProperties {
    max_dominant_colors: Option<i64>,
}

impl DetectLabels {
    /// Reads and checks the body of a request.
    ///
    /// # Errors
    /// `SerializationException` if it is not JSON of the expected form, `InvalidParameterException` or
    /// `ImageTooLargeException` if a parameter is outside its limits.
    pub fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let wire: Wire = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
        let image = wire
            .image
            .ok_or_else(|| ApiError::invalid_parameter("Image is missing"))?;
        let settings = wire.settings.unwrap_or_default();
        let properties = settings.image_properties.unwrap_or_default();
        let (general_labels, image_properties) = features(wire.features.unwrap_or_default())?;
        let colors = properties.max_dominant_colors.map(dominant_colors).transpose()?;
        Ok(Self {
            max_labels: wire.max_labels.map_or(Ok(MAX_LABELS), max_labels)?,
            min_confidence: wire
                .min_confidence
                .map_or(Ok(DEFAULT_MIN_CONFIDENCE), min_confidence)?,
            general_labels,
            dominant_colors: image_properties.then_some(colors.unwrap_or(DEFAULT_DOMINANT_COLORS)),
            filters: filters(settings.general_labels.unwrap_or_default())?,
            image: image_source(image)?,
        })
    }
}

pub(crate) fn unreadable(reason: String) -> ApiError {
    ApiError::new(ErrorKind::SerializationException, reason)
}

fn image_source(image: WireImage) -> Result<ImageSource, ApiError> {
    match (image.bytes, image.s3_object) {
        (Some(bytes), None) => inline(&bytes).map(ImageSource::Bytes),
        (None, Some(object)) => object_reference("Image", object).map(ImageSource::Object),
        (Some(_), Some(_)) => Err(ApiError::invalid_parameter(
            "Image has both Bytes and S3Object, specify one of them",
        )),
        (None, None) => Err(ApiError::invalid_parameter(
            "Image has neither Bytes nor S3Object",
        )),
    }
}

fn inline(base64: &str) -> Result<Vec<u8>, ApiError> {
    let bytes = STANDARD
        .decode(base64)
        .map_err(|error| unreadable(format!("Image.Bytes is not base64: {error}")))?;
    match bytes.len() {
        0 => Err(ApiError::invalid_parameter("Image.Bytes is empty")),
        1..=MAX_INLINE_BYTES => Ok(bytes),
        size => Err(ApiError::new(
            ErrorKind::ImageTooLargeException,
            format!(
                "Image.Bytes has {size} bytes, the maximum is {MAX_INLINE_BYTES}; use S3 for larger images"
            ),
        )),
    }
}

/// `parent` is the name of the member that has the object, such as `Image`.
pub(crate) fn object_reference(parent: &str, object: WireObject) -> Result<ObjectReference, ApiError> {
    let missing = |name| ApiError::invalid_parameter(format!("{parent}.S3Object.{name} is missing"));
    let bucket = object.bucket.ok_or_else(|| missing("Bucket"))?;
    let key = object.name.ok_or_else(|| missing("Name"))?;
    check_length(&format!("{parent}.S3Object.Bucket"), &bucket, BUCKET_CHARACTERS)?;
    check_length(&format!("{parent}.S3Object.Name"), &key, KEY_CHARACTERS)?;
    if let Some(version) = &object.version {
        check_length(&format!("{parent}.S3Object.Version"), version, KEY_CHARACTERS)?;
    }
    if !bucket
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || ".-_".contains(character))
    {
        return Err(ApiError::invalid_parameter(format!(
            "{parent}.S3Object.Bucket can have only letters, digits, dots, hyphens and underscores"
        )));
    }
    Ok(ObjectReference {
        bucket,
        key,
        version: object.version,
    })
}

pub(crate) fn check_length(
    name: &str,
    value: &str,
    allowed: std::ops::RangeInclusive<usize>,
) -> Result<(), ApiError> {
    let length = value.chars().count();
    if allowed.contains(&length) {
        return Ok(());
    }
    let (min, max) = allowed.into_inner();
    Err(ApiError::invalid_parameter(format!(
        "{name} has {length} characters, it must have {min} to {max}"
    )))
}

fn max_labels(value: i64) -> Result<usize, ApiError> {
    usize::try_from(value)
        .map(|value| value.min(MAX_LABELS))
        .map_err(|_| ApiError::invalid_parameter(format!("MaxLabels is {value}, it must be 0 or more")))
}

pub(crate) fn min_confidence(value: f32) -> Result<f32, ApiError> {
    if (0.0..=100.0).contains(&value) {
        return Ok(value);
    }
    Err(ApiError::invalid_parameter(format!(
        "MinConfidence is {value}, it must be 0 to 100"
    )))
}

fn dominant_colors(value: i64) -> Result<usize, ApiError> {
    match usize::try_from(value) {
        Ok(count) if value <= MAX_DOMINANT_COLORS => Ok(count),
        _ => Err(ApiError::invalid_parameter(format!(
            "MaxDominantColors is {value}, it must be 0 to {MAX_DOMINANT_COLORS}"
        ))),
    }
}

/// Whether the response has labels, and whether it has image properties.
fn features(names: Vec<String>) -> Result<(bool, bool), ApiError> {
    if names.is_empty() {
        return Ok((true, false));
    }
    if names.len() > 2 {
        return Err(ApiError::invalid_parameter(format!(
            "Features has {} entries, the maximum is 2",
            names.len()
        )));
    }
    let (mut labels, mut properties) = (false, false);
    for name in names {
        match name.as_str() {
            "GENERAL_LABELS" => labels = true,
            "IMAGE_PROPERTIES" => properties = true,
            _ => {
                return Err(ApiError::invalid_parameter(
                    "Features can have only the entries GENERAL_LABELS and IMAGE_PROPERTIES",
                ));
            }
        }
    }
    Ok((labels, properties))
}

pub(crate) fn filters(wire: WireGeneralLabels) -> Result<Filters, ApiError> {
    Ok(Filters {
        include_labels: filter("LabelInclusionFilters", wire.label_inclusion_filters)?,
        exclude_labels: filter("LabelExclusionFilters", wire.label_exclusion_filters)?,
        include_categories: filter(
            "LabelCategoryInclusionFilters",
            wire.label_category_inclusion_filters,
        )?,
        exclude_categories: filter(
            "LabelCategoryExclusionFilters",
            wire.label_category_exclusion_filters,
        )?,
    })
}

/// A filter that matches no label's name is valid, as in Rekognition.
fn filter(name: &str, entries: Option<Vec<String>>) -> Result<Vec<String>, ApiError> {
    let entries = entries.unwrap_or_default();
    if entries.len() > MAX_FILTERS {
        let count = entries.len();
        return Err(ApiError::invalid_parameter(format!(
            "{name} has {count} entries, the maximum is {MAX_FILTERS}"
        )));
    }
    for entry in &entries {
        check_length(name, entry, 0..=MAX_FILTER_CHARACTERS)?;
        // The API model's pattern is [A-Za-z0-9àâèçñó'-_(). ]*, in which '-_ is a range.
        let allowed = |c: char| matches!(c, 'a'..='z' | '\''..='_' | ' ') || "àâèçñó".contains(c);
        if !entry.chars().all(allowed) {
            return Err(ApiError::invalid_parameter(format!(
                "{name} has an entry with invalid characters"
            )));
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
