//! `DetectLabels`' request, checked against the limits of Rekognition's API model.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;

use crate::error::{ApiError, ErrorKind};
use crate::object::ObjectReference;

/// The most bytes an image may have inside a request.
pub const MAX_INLINE_BYTES: usize = 5 * 1024 * 1024;
/// The most labels an answer has, and the number if the request names none.
const MAX_LABELS: usize = 1000;
/// The least confidence if the request names none, in percent.
const DEFAULT_MIN_CONFIDENCE: f32 = 55.0;
/// The number of dominant colors if the request names none, and the most it may ask for.
const DEFAULT_DOMINANT_COLORS: usize = 10;
const MAX_DOMINANT_COLORS: i64 = 20;
const MAX_FILTERS: usize = 100;
const MAX_FILTER_CHARACTERS: usize = 50;
const BUCKET_CHARACTERS: std::ops::RangeInclusive<usize> = 3..=255;
const KEY_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=1024;

/// A request whose parameters are all within their limits.
#[derive(Debug, Clone, PartialEq)]
pub struct DetectLabels {
    /// The image to label.
    pub image: ImageSource,
    /// At most so many labels.
    pub max_labels: usize,
    /// No label below this confidence, in percent.
    pub min_confidence: f32,
    /// Whether labels are wanted.
    pub general_labels: bool,
    /// If properties of the image are wanted: at most so many dominant colors each.
    pub dominant_colors: Option<usize>,
    /// Which labels are wanted.
    pub filters: Filters,
}

/// Where the image is.
#[derive(Debug, Clone, PartialEq)]
pub enum ImageSource {
    /// In the request itself.
    Bytes(Vec<u8>),
    /// In S3.
    Object(ObjectReference),
}

/// Exact names of labels and categories.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filters {
    include_labels: Vec<String>,
    exclude_labels: Vec<String>,
    include_categories: Vec<String>,
    exclude_categories: Vec<String>,
}

impl Filters {
    /// Whether a label passes: it or one of its categories is included, or nothing is; and none is excluded.
    pub fn pass(&self, name: &str, categories: &[String]) -> bool {
        let labeled = |filter: &[String]| filter.iter().any(|entry| entry == name);
        let categorized = |filter: &[String]| filter.iter().any(|entry| categories.contains(entry));
        let all = self.include_labels.is_empty() && self.include_categories.is_empty();
        let included = all || labeled(&self.include_labels) || categorized(&self.include_categories);
        included && !labeled(&self.exclude_labels) && !categorized(&self.exclude_categories)
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
struct WireObject {
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
struct WireGeneralLabels {
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
    /// Reads and checks a request's body.
    ///
    /// # Errors
    /// `SerializationException` if it is not the expected JSON, `InvalidParameterException` or
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

fn unreadable(reason: String) -> ApiError {
    ApiError::new(ErrorKind::SerializationException, reason)
}

fn image_source(image: WireImage) -> Result<ImageSource, ApiError> {
    match (image.bytes, image.s3_object) {
        (Some(bytes), None) => inline(&bytes).map(ImageSource::Bytes),
        (None, Some(object)) => object_reference(object).map(ImageSource::Object),
        (Some(_), Some(_)) => Err(ApiError::invalid_parameter(
            "Image has both Bytes and S3Object, give one of them",
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
                "Image.Bytes has {size} bytes, at most {MAX_INLINE_BYTES} are allowed; larger images go through S3"
            ),
        )),
    }
}

fn object_reference(object: WireObject) -> Result<ObjectReference, ApiError> {
    let missing = |name| ApiError::invalid_parameter(format!("Image.S3Object.{name} is missing"));
    let bucket = object.bucket.ok_or_else(|| missing("Bucket"))?;
    let key = object.name.ok_or_else(|| missing("Name"))?;
    check_length("Image.S3Object.Bucket", &bucket, BUCKET_CHARACTERS)?;
    check_length("Image.S3Object.Name", &key, KEY_CHARACTERS)?;
    if let Some(version) = &object.version {
        check_length("Image.S3Object.Version", version, KEY_CHARACTERS)?;
    }
    if !bucket
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || ".-_".contains(character))
    {
        return Err(ApiError::invalid_parameter(
            "Image.S3Object.Bucket may have letters, digits, dots, hyphens and underscores only",
        ));
    }
    Ok(ObjectReference {
        bucket,
        key,
        version: object.version,
    })
}

fn check_length(name: &str, value: &str, allowed: std::ops::RangeInclusive<usize>) -> Result<(), ApiError> {
    let length = value.chars().count();
    if allowed.contains(&length) {
        return Ok(());
    }
    let (least, most) = allowed.into_inner();
    Err(ApiError::invalid_parameter(format!(
        "{name} has {length} characters, allowed are {least} to {most}"
    )))
}

fn max_labels(value: i64) -> Result<usize, ApiError> {
    usize::try_from(value)
        .map(|value| value.min(MAX_LABELS))
        .map_err(|_| ApiError::invalid_parameter(format!("MaxLabels is {value}, it must be 0 or more")))
}

fn min_confidence(value: f32) -> Result<f32, ApiError> {
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

/// Whether labels and whether image properties are wanted.
fn features(names: Vec<String>) -> Result<(bool, bool), ApiError> {
    if names.is_empty() {
        return Ok((true, false));
    }
    if names.len() > 2 {
        return Err(ApiError::invalid_parameter(format!(
            "Features has {} entries, at most 2",
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
                    "Features may have the entries GENERAL_LABELS and IMAGE_PROPERTIES only",
                ));
            }
        }
    }
    Ok((labels, properties))
}

fn filters(wire: WireGeneralLabels) -> Result<Filters, ApiError> {
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

/// A name that no label has is no error, in Rekognition too: it matches nothing.
fn filter(name: &str, entries: Option<Vec<String>>) -> Result<Vec<String>, ApiError> {
    let entries = entries.unwrap_or_default();
    if entries.len() > MAX_FILTERS {
        let count = entries.len();
        return Err(ApiError::invalid_parameter(format!(
            "{name} has {count} entries, at most {MAX_FILTERS}"
        )));
    }
    for entry in &entries {
        check_length(name, entry, 0..=MAX_FILTER_CHARACTERS)?;
        // The API model's pattern, [A-Za-z0-9àâèçñó'-_(). ]*, in which '-_ is a range.
        let allowed = |c: char| matches!(c, 'a'..='z' | '\''..='_' | ' ') || "àâèçñó".contains(c);
        if !entry.chars().all(allowed) {
            return Err(ApiError::invalid_parameter(format!(
                "{name} has an entry that can be no label's name"
            )));
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests;
