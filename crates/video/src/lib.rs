//! Decodes key frames of videos, and makes pictures of them. Pure: coded bytes in, pixels or JPEGs out.
//!
//! A key frame is decoded on its own: no other frame is read, and no decoder keeps anything for the next one. Pictures are
//! upright, have square pixels and 8 bits each for red, green and blue in sRGB. HDR is tone-mapped.
//!
//! The coded bytes are untrusted. The dimensions in them are checked before a decoder allocates memory for a frame. Decoders
//! can still panic or take too long: decode files of strangers with the crate `picture-process`, which does it in a limited
//! process.
//!
//! `docs/video.md` lists what is supported.

mod decode;
mod error;
mod strip;
mod tone;

pub use error::{Feature, FrameError, Resource};
pub use strip::{MAX_STRIP_FRAMES, STRIP_SIDE, strip};

use domain::Orientation;
use image::RgbImage;
use picture::{Crop, Jpeg};
use video_header::{Codec, Hdr, Video};

/// Maximum number of pixels of a coded frame: 35,651,584, or 8,192 × 4,352. The limit of the highest levels of H.264 (6.2:
/// 139,264 macroblocks) and AV1 (6.3), and of HEVC's level 6.2. 8K has 7,680 × 4,320.
pub const MAX_PIXELS: u64 = 35_651_584;

/// Maximum width and height of a coded frame in pixels: 16,888. A frame of [`MAX_PIXELS`] can be eight times as wide as
/// high, as in level 6.2 of H.264.
pub const MAX_SIDE: u32 = 16_888;

/// Maximum length of the coded bytes of a frame: 32 MiB. A key frame of an 8K video with 400 Mbit/s, one per second, has 10
/// MB or less.
pub const MAX_FRAME_BYTES: u64 = 32 * 1024 * 1024;

/// Maximum value of [`Size::longest_side`] in pixels: that of renditions of pictures.
pub const MAX_LONGEST_SIDE: u32 = picture::RENDITION_SIDE;

/// What decoding needs to know of a video track. The values are unverified.
#[derive(Debug, Clone, PartialEq)]
pub struct Track {
    /// The codec.
    pub codec: Codec,
    /// The decoder's configuration as the file stores it: the content of `avcC`, `hvcC` or `av1C`. Empty for other codecs.
    pub configuration: Vec<u8>,
    /// Width and height of the coded frames that the container states. At least 1.
    pub coded: (u32, u32),
    /// The part of the coded frames that is displayed, in pixels of `coded`.
    pub crop: Crop,
    /// Width and height as displayed: with square pixels, and upright. At least 1.
    pub displayed: (u32, u32),
    /// How to rotate and mirror frames for display.
    pub orientation: Orientation,
    /// How bright pixels are stored, if the container states it.
    pub hdr: Option<Hdr>,
}

impl From<&Video> for Track {
    fn from(video: &Video) -> Self {
        Self {
            codec: video.codec,
            configuration: video.configuration.clone(),
            coded: video.coded,
            crop: video.crop,
            displayed: (video.width, video.height),
            orientation: video.orientation,
            hdr: video.hdr,
        }
    }
}

/// What to make of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Maximum width and height in pixels, from 1 to [`MAX_LONGEST_SIDE`]. Frames are never enlarged.
    pub longest_side: u32,
    /// JPEG quality, from 1 to 100.
    pub quality: u8,
}

/// Whether frames of this track can be decoded, as far as its header says: the codec, and the dimensions in the container
/// and in the decoder's configuration. Decodes nothing.
///
/// # Errors
/// [`FrameError::UnsupportedCodec`], [`FrameError::Unsupported`] or [`FrameError::TooLarge`].
pub fn check(track: &Track) -> Result<(), FrameError> {
    error::check_dimensions(track.codec, track.coded)?;
    decode::check(track)
}

/// The longest side to choose so that the shorter one has at least `min_side` pixels: `preferred`, or more for elongated frames.
/// `None` if that is more than [`MAX_LONGEST_SIDE`].
pub fn longest_side((width, height): (u32, u32), preferred: u32, min_side: u32) -> Option<u32> {
    let (shorter, longer) = (width.min(height), width.max(height));
    let needed = (u64::from(min_side) * u64::from(longer)).div_ceil(shorter.max(1).into());
    let needed = u32::try_from(needed).ok()?.max(preferred);
    (needed <= MAX_LONGEST_SIDE).then_some(needed)
}

/// Decodes a key frame. Its longer side has at most `longest_side` pixels.
///
/// # Errors
/// See [`FrameError`].
pub fn decode(track: &Track, frame: &[u8], longest_side: u32) -> Result<RgbImage, FrameError> {
    if frame.len() as u64 > MAX_FRAME_BYTES {
        return Err(FrameError::TooManyBytes(track.codec));
    }
    let sides = picture::fit(track.displayed, longest_side.clamp(1, MAX_LONGEST_SIDE));
    let stored = decode::decode(track, frame, track.orientation.displayed(sides))?;
    Ok(picture::upright(stored, track.orientation))
}

/// Decodes a key frame, and encodes it as JPEG.
///
/// # Errors
/// See [`FrameError`].
pub fn jpeg(track: &Track, frame: &[u8], size: Size) -> Result<Jpeg, FrameError> {
    let pixels = decode(track, frame, size.longest_side)?;
    Ok(picture::encoded(&pixels, size.quality.clamp(1, 100)))
}
