//! From any picture file to a JPEG that Rekognition takes, and to thumbnails. Pure: bytes in, bytes out.
//!
//! What comes out is upright, has 8 bits for each of red, green and blue, in sRGB, over white where the picture is
//! transparent, and carries no metadata. Of animations and of files with many pages it is the first picture.
//!
//! Each file's sides are checked against the limits before any of its pixels is decoded, so that the memory it takes is
//! bounded: by 12 bytes a pixel in the worst case, which is a PNG of 16 bits with transparency, or a progressive JPEG whose
//! chroma is not subsampled.

mod color;
mod decode;
mod scale;

use domain::ErrorName;
use domain::image::{MIN_SIDE, rekognition};
use picture_header::{Header, HeaderError, Look, Pieces, look};
use scale::{fit, scaled, upright};
use strum::EnumIter;

/// Longest side of a rendition in pixels. What Rekognition finds depends on the share of the picture that it takes up, not
/// on its pixels: AWS gives the smallest face as 40 pixels of 1,920 x 1,080, and a proportionally larger one for larger
/// pictures. So nothing is lost, and a camera's 12 megapixels are decoded at half their size, in a fourth of the time.
pub const RENDITION_SIDE: u32 = 1_920;

/// Longest sides of thumbnails in pixels: for a grid of many, and for one that fills a window.
pub const THUMBNAIL_SIDES: [u32; 2] = [320, 1_280];

/// Of JPEG, out of 100: no difference is seen, and found labels are the same.
const RENDITION_QUALITY: u8 = 90;
/// Of JPEG, out of 100: good to look at.
const THUMBNAIL_QUALITY: u8 = 80;

/// Why a file cannot be converted. It is the file's fault, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum PictureError {
    /// Its header says enough.
    #[error(transparent)]
    #[strum(disabled)]
    Header(#[from] HeaderError),
    /// It breaks its format's rules, ends early, or uses a part of its format that hardly any program reads.
    #[error(
        "This {0} file is broken or incomplete, or of an unusual kind. Upload the picture again, or save it anew as JPEG."
    )]
    Undecodable(&'static str),
    /// Scaled down to Rekognition's longest side, its shorter one would be below Rekognition's shortest.
    #[error(
        "This picture has {0} × {1} pixels. The longer side may have at most {most} times the shorter one's.",
        most = rekognition::MAX_SIDE / MIN_SIDE
    )]
    TooNarrow(u32, u32),
}

impl PictureError {
    /// The name that the state machine matches.
    pub fn name(self) -> ErrorName {
        match self {
            Self::Header(error) => error.name(),
            Self::Undecodable(_) => ErrorName::InvalidImage,
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

/// Pixels in memory: RGB, 3 bytes each, row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pixels {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgb: Vec<u8>,
}

/// The picture as a JPEG within Rekognition's limits: at most [`RENDITION_SIDE`] pixels a side, or more where the shorter
/// side would get too short; never enlarged.
///
/// # Errors
/// See [`PictureError`].
pub fn rendition(file: &[u8]) -> Result<Jpeg, PictureError> {
    let header = header(file)?;
    let sides = (header.width, header.height);
    let target = rendition_sides(sides).ok_or(PictureError::TooNarrow(sides.0, sides.1))?;
    let pixels = decoded(file, &header, target)?;
    Ok(encoded(&pixels, RENDITION_QUALITY))
}

/// The picture as small JPEGs, one for each of [`THUMBNAIL_SIDES`], in that order; never enlarged.
///
/// # Errors
/// See [`PictureError`].
pub fn thumbnails(file: &[u8]) -> Result<[Jpeg; THUMBNAIL_SIDES.len()], PictureError> {
    let header = header(file)?;
    let [small, large] = THUMBNAIL_SIDES;
    let sides = (header.width, header.height);
    let large = decoded(file, &header, fit(sides, large))?;
    // From the larger one: nobody sees a difference, and it takes a hundredth of the time.
    let large_file = encoded(&large, THUMBNAIL_QUALITY);
    let small = scaled(large, fit(sides, small));
    Ok([encoded(&small, THUMBNAIL_QUALITY), large_file])
}

fn header(file: &[u8]) -> Result<Header, PictureError> {
    match look(&Pieces::all(file))? {
        Look::Found(header) => Ok(header),
        Look::ReadOn(_) => Err(HeaderError::Broken.into()),
    }
}

/// `None` where no size is within both of Rekognition's limits.
fn rendition_sides((width, height): (u32, u32)) -> Option<(u32, u32)> {
    let (shorter, longer) = (width.min(height), width.max(height));
    // As long as the shorter side needs it.
    let longest = (u64::from(MIN_SIDE) * u64::from(longer)).div_ceil(shorter.max(1).into());
    let longest = u32::try_from(longest).ok()?.max(RENDITION_SIDE);
    let fitted = fit((width, height), longest);
    (fitted.0.max(fitted.1) <= rekognition::MAX_SIDE && fitted.0.min(fitted.1) >= MIN_SIDE).then_some(fitted)
}

/// The picture as seen, of these sides.
fn decoded(file: &[u8], header: &Header, seen: (u32, u32)) -> Result<Pixels, PictureError> {
    let stored = header.orientation.seen(seen);
    // The decoders are made for hostile files, and none is known that makes them panic. Should one be found, it is still
    // that file which is at fault.
    let result = std::panic::catch_unwind(|| {
        let decoded = decode::decode(file, header.format, stored)?;
        let mut pixels = scaled(decoded.pixels, stored);
        if let Some(profile) = &decoded.profile {
            color::to_srgb(&mut pixels.rgb, profile);
        }
        Ok::<_, decode::DecodeError>(upright(pixels, header.orientation))
    });
    result
        .ok()
        .and_then(Result::ok)
        .ok_or(PictureError::Undecodable(header.format.as_str()))
}

fn encoded(pixels: &Pixels, quality: u8) -> Jpeg {
    let side = |side| u16::try_from(side).expect("at most Rekognition's longest side");
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    encoder
        .encode(
            &pixels.rgb,
            side(pixels.width),
            side(pixels.height),
            jpeg_encoder::ColorType::Rgb,
        )
        .expect("three bytes for every pixel, written to memory");
    Jpeg {
        bytes,
        width: pixels.width,
        height: pixels.height,
    }
}

#[cfg(test)]
mod tests;
