//! Metadata from a picture's file.

#[cfg(feature = "openapi")]
use crate::policy::LabelName;
use serde::{Deserialize, Serialize};

/// The maximum number of keywords of a picture. With names of [`crate::policy::MAX_NAME_LENGTH`] characters of four bytes,
/// they make the image's record 20 KB larger.
pub const MAX_KEYWORDS: usize = 50;

/// How a picture was taken, and its keywords, as stated in its file. Unverified: the file's author can choose all values.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Metadata {
    /// The camera's maker, such as `Canon`. At most 64 characters, as the model and the lens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera_make: Option<String>,
    /// The camera's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera_model: Option<String>,
    /// The lens's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<String>,
    /// Exposure time in seconds, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_time: Option<f64>,
    /// The focal length divided by the aperture, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f_number: Option<f64>,
    /// ISO sensitivity, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iso: Option<u32>,
    /// Focal length in millimeters, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focal_length: Option<f64>,
    /// Capture time by the camera's clock, such as `2026-11-23T09:30:00`, with a UTC offset such as `+01:00` if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<String>,
    /// Where the picture was taken. Shown only to the owner: no event, log or derived picture contains it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// Keywords that people or programs have stored in the file. No two differ only by their case. At most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "openapi", schema(max_items = 50, value_type = Vec<LabelName>))]
    pub keywords: Vec<String>,
}

impl Metadata {
    /// Whether the file contains no metadata.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a picture was taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Location {
    /// Degrees, -90 to 90, positive in the north.
    pub latitude: f64,
    /// Degrees, -180 to 180, positive in the east.
    pub longitude: f64,
    /// Meters above sea level.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::json_len;
    use crate::policy::MAX_NAME_LENGTH;
    use serde_json::json;

    #[test]
    fn reads_records_of_versions_without_keywords_and_does_not_store_empty_lists() {
        let stored = json!({"iso": 100});
        let metadata: Metadata = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(metadata.keywords, Vec::<String>::new());
        assert_eq!(serde_json::to_value(&metadata).unwrap(), stored);
    }

    #[test]
    fn keywords_make_a_record_at_most_21_kb_larger() {
        let keywords = vec!["🐈".repeat(MAX_NAME_LENGTH); MAX_KEYWORDS];
        let metadata = Metadata {
            keywords,
            ..Metadata::default()
        };
        assert!(!metadata.is_empty());
        assert!(json_len(&metadata) < 21_000);
    }
}
