//! The results of all decoders.

use image::RgbImage;

/// Maximum size of an ICC profile. RGB profiles have a few hundred bytes, and CMYK profiles up to two megabytes.
const MAX_PROFILE_BYTES: usize = 4 * 1024 * 1024;

/// A decoded picture, as stored: not turned, and in its own color space.
pub(crate) struct Decoded {
    pub(crate) picture: RgbImage,
    /// ICC profile.
    pub(crate) profile: Option<Vec<u8>>,
    /// Whether a part of the picture is missing from the file. The missing part has any color.
    pub(crate) incomplete: bool,
}

/// Why a file was not decoded.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The decoder's message. Users see [`crate::PictureError::Undecodable`].
    #[error("{0}")]
    Invalid(Box<dyn std::error::Error + Send + Sync>),
    /// The kind that is not supported. Users see [`crate::PictureError::UnsupportedKind`].
    #[error("{0}")]
    Unsupported(&'static str),
}

impl DecodeError {
    pub(crate) fn of(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Invalid(error.into())
    }

    /// `kind` completes the sentence "This picture is a …".
    pub(crate) fn unsupported(kind: &'static str) -> Self {
        Self::Unsupported(kind)
    }

    pub(crate) fn is_unsupported(&self) -> bool {
        matches!(self, Self::Unsupported(_))
    }
}

/// Wraps RGB samples.
pub(crate) fn picture((width, height): (u32, u32), rgb: Vec<u8>) -> Result<RgbImage, DecodeError> {
    RgbImage::from_raw(width, height, rgb).ok_or_else(|| DecodeError::of("fewer samples than pixels"))
}

/// Drops an ICC profile that is too large.
pub(crate) fn bounded(profile: Option<Vec<u8>>) -> Option<Vec<u8>> {
    profile.filter(|profile| profile.len() <= MAX_PROFILE_BYTES)
}
