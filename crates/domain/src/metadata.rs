//! What a camera wrote into a picture's file about how the picture was taken.

use serde::{Deserialize, Serialize};

/// How a picture was taken, as far as its file tells. Everything in it was written by whoever made the file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Metadata {
    /// The camera's maker, such as `Canon`; at most 64 characters, as are all texts here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera_make: Option<String>,
    /// The camera's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera_model: Option<String>,
    /// The lens's model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lens: Option<String>,
    /// Seconds, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure_time: Option<f64>,
    /// The focal length divided by the aperture, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub f_number: Option<f64>,
    /// ISO sensitivity, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iso: Option<u32>,
    /// Millimeters, above 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub focal_length: Option<f64>,
    /// As the camera's clock said: `2026-11-23T09:30:00`, with `+01:00` or the like behind it where the file tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<String>,
    /// Where. For the owner's eyes only: it goes into no event, no log and no picture that is made from this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
}

impl Metadata {
    /// Whether the file tells nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a picture was taken.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Location {
    /// Degrees, -90 to 90, north above 0.
    pub latitude: f64,
    /// Degrees, -180 to 180, east above 0.
    pub longitude: f64,
    /// Meters above the sea.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude: Option<f64>,
}
