//! Why a frame is not decoded.

use crate::{MAX_FRAME_BYTES, MAX_PIXELS, MAX_SIDE};
use domain::ErrorName;
use strum::EnumIter;
use video_header::Codec;

/// Why a frame is not decoded. The messages name the codec, and are shown to the person who uploaded the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// There is no decoder for the codec.
    #[error("{0} videos can't be decoded. Export the video as MP4 with H.264, HEVC or AV1.")]
    UnsupportedCodec(Codec),
    /// The decoder does not support what the frame uses.
    #[error("This {0} video uses {1}, which can't be decoded. Export it as MP4 with 8-bit H.264 (4:2:0).")]
    Unsupported(Codec, Feature),
    /// The coded frames are larger than [`MAX_PIXELS`] or [`MAX_SIDE`]. Width and height follow.
    #[error(
        "This {0} video is {1} × {2} pixels. The limit is {max} pixels (8192 × 4352), and {MAX_SIDE} a side. Export it with smaller dimensions.",
        max = MAX_PIXELS
    )]
    TooLarge(Codec, u32, u32),
    /// The coded bytes of a frame are more than [`MAX_FRAME_BYTES`].
    #[error(
        "A frame of this {0} video has more than {max} MB. Export it with a lower bit rate.",
        max = MAX_FRAME_BYTES / (1024 * 1024)
    )]
    TooManyBytes(Codec),
    /// The frame violates its codec's standard, is incomplete, or is predicted from other frames.
    #[error(
        "A frame of this {0} video is damaged or incomplete. Upload the video again, or export it as MP4 with H.264."
    )]
    Damaged(Codec),
    /// The child process that decodes reached its limits, or crashed.
    #[error(
        "Decoding this {0} video takes more {1} than allowed. Export it as MP4 with H.264 and 1920 × 1080 pixels."
    )]
    TooMuch(Codec, Resource),
}

/// What decoders do not support.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, strum::Display)]
pub enum Feature {
    /// A bit depth that the decoder does not support, or different ones for luma and chroma.
    #[strum(to_string = "an unsupported bit depth")]
    BitDepth,
    /// As many samples of chroma as of luma.
    #[strum(to_string = "4:4:4 chroma")]
    FullChroma,
    /// Anything else.
    #[strum(to_string = "an unsupported feature")]
    Other,
}

/// What a child process may use only a limited amount of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::Display)]
pub enum Resource {
    /// Bytes.
    #[strum(to_string = "memory")]
    Memory,
    /// Seconds.
    #[strum(to_string = "time")]
    Time,
}

impl FrameError {
    /// The error's name in the state machine. Its class is [`domain::ErrorClass::File`].
    pub fn name(self) -> ErrorName {
        match self {
            Self::UnsupportedCodec(_) | Self::Unsupported(..) => ErrorName::UnsupportedFormat,
            Self::TooLarge(..) => ErrorName::ImageTooLarge,
            Self::TooManyBytes(_) | Self::TooMuch(..) => ErrorName::TooComplex,
            Self::Damaged(_) => ErrorName::InvalidImage,
        }
    }
}

/// Compares with [`MAX_PIXELS`] and [`MAX_SIDE`].
pub(crate) fn check_dimensions(codec: Codec, (width, height): (u32, u32)) -> Result<(), FrameError> {
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width.max(height) > MAX_SIDE {
        return Err(FrameError::TooLarge(codec, width, height));
    }
    if width == 0 || height == 0 {
        return Err(FrameError::Damaged(codec));
    }
    Ok(())
}
