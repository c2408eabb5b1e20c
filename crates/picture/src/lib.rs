//! Decodes picture files of every supported format, and converts them to JPEGs that Rekognition accepts and to thumbnails.
//! Pure: bytes in, bytes or pixels out.
//!
//! All output is upright, has 8 bits each for red, green and blue in sRGB, and shows white where the picture is
//! transparent. JPEGs carry no metadata. Of animations and files with several pages, only the first picture is used.
//!
//! A file's sides are checked against the limits before any pixel is decoded, which bounds the memory: at most 13 bytes a
//! pixel. The worst cases are a PNG of 16 bits with transparency, a progressive JPEG without chroma subsampling, and a HEIC
//! picture of one tile without chroma subsampling, whose sides are not multiples of 8.
//!
//! Decoders can panic, never end, or take more memory than intended, for files that nobody has thought of. Decode files of
//! strangers with the crate `picture-process`, which does it in a limited process.

pub mod coded;
mod color;
mod decode;
mod decoded;
mod scale;

pub use color::space_to_srgb;
pub use decoded::DecodeError;
pub use picture_header::heif::{ColorSpace, Crop};
pub use scale::{fit, scaled, upright};

use domain::ErrorName;
use domain::image::{MIN_SIDE, rekognition};
use image::RgbImage;
use picture_header::{Header, HeaderError, Look, Pieces, look};
use std::cell::Cell;
use std::time::{Duration, Instant};
use strum::EnumIter;

/// Longest side of a rendition in pixels. What Rekognition finds depends on an object's share of the picture, not on its
/// pixels: AWS specifies the smallest detectable face as 40 pixels in 1,920 x 1,080, and as proportionally larger in
/// larger pictures. So nothing is lost, and a camera's 12 megapixels are decoded at half their size, in a fourth of the
/// time.
pub const RENDITION_SIDE: u32 = 1_920;

/// Longest sides of the thumbnails in pixels: one for a grid, and one that fills a window.
pub const THUMBNAIL_SIDES: [u32; 2] = [320, 1_280];

/// JPEG quality of 100. The difference is invisible, and Rekognition finds the same labels.
const RENDITION_QUALITY: u8 = 90;
/// JPEG quality of 100.
const THUMBNAIL_QUALITY: u8 = 80;

/// Why a file is rejected. The messages are shown to the person who uploaded the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum PictureError {
    /// The header is invalid, or the picture is outside the limits.
    #[error(transparent)]
    #[strum(disabled)]
    Header(#[from] HeaderError),
    /// The file violates its format, is incomplete, or uses a rare feature that the decoder does not support.
    #[error(
        "This {0} file is damaged, incomplete or of an unsupported kind. Upload it again, or save it as a new JPEG."
    )]
    Undecodable(&'static str),
    /// The file is valid, but of a kind that is too rare to have a decoder here. The text is the kind, such as "TIFF with
    /// JBIG compression".
    #[error("This picture is a {0}, which can't be decoded. Save it as JPEG or PNG.")]
    UnsupportedKind(&'static str),
    /// When the longer side is scaled down to Rekognition's maximum, the shorter side is below its minimum.
    #[error(
        "This picture is {0} × {1} pixels. Crop it: the longer side can be at most {max} times the shorter one.",
        max = rekognition::MAX_SIDE / MIN_SIDE
    )]
    TooNarrow(u32, u32),
}

impl PictureError {
    /// The error's name in the state machine.
    pub fn name(self) -> ErrorName {
        match self {
            Self::Header(error) => error.name(),
            Self::Undecodable(_) | Self::UnsupportedKind(_) => ErrorName::InvalidImage,
            Self::TooNarrow(..) => ErrorName::ImageTooLarge,
        }
    }
}

/// A JPEG file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jpeg {
    /// The file.
    pub bytes: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// What was made from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Converted<T> {
    /// One or several JPEGs, or pixels.
    pub result: T,
    /// Whether a part of the picture is missing from the file, for example because its end is cut off.
    pub incomplete: bool,
}

impl<T> Converted<T> {
    /// Converts the result further.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Converted<U> {
        Converted {
            result: convert(self.result),
            incomplete: self.incomplete,
        }
    }
}

/// Decodes a picture at full size. `header` is the header of the same file.
///
/// # Errors
/// [`PictureError::Undecodable`] or [`PictureError::UnsupportedKind`].
pub fn pixels(file: &[u8], header: &Header) -> Result<Converted<RgbImage>, PictureError> {
    decoded(file, header, (header.width, header.height))
}

/// Converts a picture to a JPEG within Rekognition's limits. Its longer side has at most [`RENDITION_SIDE`] pixels, or more
/// if the shorter side would otherwise be below Rekognition's minimum. Pictures are never enlarged.
///
/// # Errors
/// See [`PictureError`].
pub fn rendition(file: &[u8]) -> Result<Converted<Jpeg>, PictureError> {
    let header = header(file)?;
    let sides = (header.width, header.height);
    let target = rendition_sides(sides).ok_or(PictureError::TooNarrow(sides.0, sides.1))?;
    let pixels = decoded(file, &header, target)?;
    Ok(pixels.map(|pixels| encoded(&pixels, RENDITION_QUALITY)))
}

/// Scales a picture down to JPEGs, one for each of [`THUMBNAIL_SIDES`], in that order. Pictures are never enlarged.
///
/// # Errors
/// See [`PictureError`].
pub fn thumbnails(file: &[u8]) -> Result<Converted<[Jpeg; THUMBNAIL_SIDES.len()]>, PictureError> {
    let header = header(file)?;
    let [small, large] = THUMBNAIL_SIDES;
    let sides = (header.width, header.height);
    let large = decoded(file, &header, fit(sides, large))?;
    // The small one is scaled from the large one: no visible difference, in a hundredth of the time.
    Ok(large.map(|large| {
        let large_file = encoded(&large, THUMBNAIL_QUALITY);
        let small = scaled(large, fit(sides, small));
        [encoded(&small, THUMBNAIL_QUALITY), large_file]
    }))
}

/// Decodes a JPEG at full size, also one that is too small for Rekognition. Ignores its orientation.
///
/// # Errors
/// [`PictureError::Header`] or [`PictureError::Undecodable`].
pub fn jpeg_pixels(file: &[u8]) -> Result<RgbImage, PictureError> {
    let sides = match header(file) {
        Ok(header) => (header.width, header.height),
        Err(PictureError::Header(HeaderError::TooFewPixels(width, height))) => (width, height),
        Err(error) => return Err(error),
    };
    match decode::decode_jpeg(file, sides) {
        Ok(decoded) => Ok(decoded.picture),
        Err(_) => Err(PictureError::Undecodable("JPEG")),
    }
}

/// The header of a whole file.
///
/// # Errors
/// [`PictureError::Header`].
pub fn header(file: &[u8]) -> Result<Header, PictureError> {
    match look(&Pieces::all(file))? {
        Look::Found(header) => Ok(header),
        Look::ReadOn(_) => Err(HeaderError::Broken.into()),
    }
}

/// Width and height of the rendition of a picture with these sides. `None` if no size meets both of Rekognition's limits.
pub fn rendition_sides((width, height): (u32, u32)) -> Option<(u32, u32)> {
    let (shorter, longer) = (width.min(height), width.max(height));
    // The longer side at which the shorter side has the minimum.
    let needed = (u64::from(MIN_SIDE) * u64::from(longer)).div_ceil(shorter.max(1).into());
    let longest = u32::try_from(needed).ok()?.max(RENDITION_SIDE);
    let fitted = fit((width, height), longest);
    (fitted.0.max(fitted.1) <= rekognition::MAX_SIDE && fitted.0.min(fitted.1) >= MIN_SIDE).then_some(fitted)
}

/// The upright picture, scaled to these sides.
fn decoded(file: &[u8], header: &Header, sides: (u32, u32)) -> Result<Converted<RgbImage>, PictureError> {
    let stored = header.orientation.displayed(sides);
    let decoded = decode::decode(file, header, stored).map_err(|error| match error {
        DecodeError::Unsupported(kind) => PictureError::UnsupportedKind(kind),
        DecodeError::Invalid(_) => PictureError::Undecodable(header.format.as_str()),
    })?;
    let mut picture = scaled(decoded.picture, stored);
    if let Some(profile) = &decoded.profile {
        color::to_srgb(&mut picture, profile);
    }
    Ok(Converted {
        result: upright(picture, header.orientation),
        incomplete: decoded.incomplete,
    })
}

thread_local! {
    static ENCODING_TIME: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// The wall time that this thread has spent in [`encoded`], also by other functions of this crate, since the last call of this
/// function.
pub fn take_encoding_time() -> Duration {
    ENCODING_TIME.take()
}

/// Encodes a picture as JPEG. `quality` is from 1 to 100.
///
/// # Panics
/// If a side has more than 65,535 pixels.
pub fn encoded(picture: &RgbImage, quality: u8) -> Jpeg {
    let started = Instant::now();
    let side = |side| u16::try_from(side).expect("the sides of a JPEG");
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    encoder
        .encode(
            picture.as_raw(),
            side(width),
            side(height),
            jpeg_encoder::ColorType::Rgb,
        )
        .expect("an RgbImage has three bytes a pixel, and memory accepts every write");
    ENCODING_TIME.set(ENCODING_TIME.get() + started.elapsed());
    Jpeg { bytes, width, height }
}
