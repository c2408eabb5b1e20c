//! Finds format, dimensions, orientation and metadata of a picture in a few pieces of its file. Pure, and made for any
//! bytes: whoever may upload may send anything. `fuzz/` holds fuzz targets for it.

pub mod avif;
mod chunks;
mod exif;
mod jpeg;
pub mod pieces;
mod tiff;

pub use pieces::Pieces;

use avif::Avif;
use domain::image::{MAX_PIXELS, MIN_SIDE};
use domain::{ErrorName, Format, Metadata, Orientation};
use exif::Exif;
use pieces::Gap;
use strum::EnumIter;

/// How far into a file segments are followed: a JPEG's dimensions can stand behind any number of segments of 64 KiB
/// (color profiles, previews).
const MOST_SEARCHED: u64 = 8 * 1024 * 1024;

const HEIC: &str = "a HEIC picture";

/// What the start of a picture tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// By its content, whatever its name says.
    pub format: Format,
    /// Pixels, as seen.
    pub width: u32,
    /// Pixels, as seen.
    pub height: u32,
    /// How the stored pixels come to be seen so.
    pub orientation: Orientation,
    /// How the picture was taken.
    pub metadata: Metadata,
}

/// What the pieces seen so far tell.
#[derive(Debug, Clone, PartialEq)]
pub enum Look {
    /// More pieces change nothing about it.
    Found(Header),
    /// So far it is a picture of a kind that is taken: read on from this byte.
    ReadOn(u64),
}

/// Why there is no picture to be found, however many bytes follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum HeaderError {
    /// Not of a [`Format`]; with what it is, to end the sentence "This file is".
    #[error("This file is {0}. {how}", how = advice(.0))]
    OtherKind(&'static str),
    /// Of a [`Format`] by its first bytes, with a header that makes no sense.
    #[error(
        "This file is broken or incomplete: its size in pixels cannot be read. Upload the picture again."
    )]
    Broken,
    /// More than [`MAX_PIXELS`].
    #[error(
        "This picture has {0} × {1} pixels. A picture may have at most {most} million in all.",
        most = MAX_PIXELS / 1_000_000
    )]
    TooManyPixels(u32, u32),
    /// A side of fewer than [`MIN_SIDE`] pixels.
    #[error("This picture has {0} × {1} pixels. A side needs at least {MIN_SIDE}.")]
    TooFewPixels(u32, u32),
}

impl HeaderError {
    /// The name that the state machine matches.
    pub fn name(self) -> ErrorName {
        match self {
            Self::OtherKind(_) => ErrorName::UnsupportedFormat,
            Self::Broken => ErrorName::InvalidImage,
            Self::TooManyPixels(..) => ErrorName::ImageTooLarge,
            Self::TooFewPixels(..) => ErrorName::ImageTooSmall,
        }
    }
}

fn advice(kind: &str) -> &'static str {
    if kind == HEIC {
        "Convert it to JPEG first: iPhones do so with Settings, Camera, Formats, Most Compatible."
    } else {
        "JPEG, PNG, WebP, AVIF, GIF, BMP and TIFF pictures can be labeled."
    }
}

/// Why reading a header ends without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Gap(Gap),
    OtherKind(&'static str),
    Broken,
}

impl From<Gap> for Stop {
    fn from(gap: Gap) -> Self {
        Self::Gap(gap)
    }
}

/// A header as the file stores it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) format: Format,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) exif: Exif,
}

/// Looks at what has been read of a file, and checks the picture's sides against the limits.
///
/// # Errors
/// See [`HeaderError`].
pub fn look(file: &Pieces<'_>) -> Result<Look, HeaderError> {
    let stored = match read(file) {
        Ok(stored) => stored,
        Err(Stop::Gap(Gap::Unread(from))) => return Ok(Look::ReadOn(from)),
        Err(Stop::Gap(Gap::BehindEnd) | Stop::Broken) => return Err(HeaderError::Broken),
        Err(Stop::OtherKind(kind)) => return Err(HeaderError::OtherKind(kind)),
    };
    let Exif {
        orientation,
        metadata,
    } = stored.exif;
    let (width, height) = orientation.seen((stored.width, stored.height));
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(HeaderError::TooManyPixels(width, height));
    }
    if width.min(height) < MIN_SIDE {
        return Err(HeaderError::TooFewPixels(width, height));
    }
    Ok(Look::Found(Header {
        format: stored.format,
        width,
        height,
        orientation,
        metadata,
    }))
}

/// The boxes of an AVIF file that has been read whole.
///
/// # Errors
/// [`HeaderError::Broken`] where it is none.
pub fn avif_boxes(bytes: &[u8]) -> Result<Avif, HeaderError> {
    Avif::read(&Pieces::all(bytes)).map_err(|_| HeaderError::Broken)
}

fn read(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let length = usize::try_from(file.size()).unwrap_or(usize::MAX);
    match file.get(0, length.min(12))? {
        [0xFF, 0xD8, 0xFF, ..] => jpeg::read(file),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => chunks::png(file),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => chunks::webp(file),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => chunks::gif(file),
        [b'B', b'M', ..] => chunks::bmp(file),
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => tiff::read(file),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => heif(file),
        [b'8', b'B', b'P', b'S', ..] => Err(Stop::OtherKind("a Photoshop document")),
        [0xFF, 0x0A, ..] | [0, 0, 0, 12, b'J', b'X', b'L', ..] => Err(Stop::OtherKind("a JPEG XL picture")),
        [0, 0, 0, 12, b'j', b'P', ..] => Err(Stop::OtherKind("a JPEG 2000 picture")),
        [b'%', b'P', b'D', b'F', ..] => Err(Stop::OtherKind("a PDF document")),
        [b'<', b's', b'v', b'g', ..] => Err(Stop::OtherKind("an SVG drawing")),
        _ => Err(Stop::OtherKind("no picture of a known kind")),
    }
}

/// AVIF, HEIC, or a video: the brands in the first box tell.
fn heif(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let size = u32::from_be_bytes(file.array(0)?).clamp(16, 256) as usize;
    let mut brands = file.get(8, size - 8)?.chunks_exact(4);
    // Between the first brand and the others stands a version, which equals none.
    let has = |names: &[&[u8; 4]]| {
        brands
            .clone()
            .any(|brand| names.iter().any(|name| *name == brand))
    };
    if has(&[b"avif", b"avis"]) {
        let avif = Avif::read(file)?;
        return Ok(Stored {
            format: Format::Avif,
            width: avif.width,
            height: avif.height,
            exif: Exif {
                orientation: avif.orientation,
                metadata: chunks::optional(avif.metadata(file).map(|metadata| Exif {
                    metadata,
                    ..Exif::default()
                }))?
                .metadata,
            },
        });
    }
    let heic = [
        b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1",
    ];
    Err(Stop::OtherKind(
        if brands.any(|brand| heic.iter().any(|name| *name == brand)) {
            HEIC
        } else {
            "a video"
        },
    ))
}

#[cfg(test)]
mod tests;
