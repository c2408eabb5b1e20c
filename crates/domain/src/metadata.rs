//! Camera metadata from a picture's file.

use serde::{Deserialize, Serialize};

/// How a picture was taken, as stated in its file. The values are unverified: the file's author can choose them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Metadata {
    /// The camera's maker, such as `Canon`. Like all texts here, at most 64 characters.
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
