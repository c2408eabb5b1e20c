//! Reads format, dimensions, orientation and metadata of a picture from a few parts of its file. Pure. The bytes are
//! untrusted: any input gives a header or an error. `fuzz/` has fuzz targets for this crate.

mod boxes;
pub mod budget;
mod chunks;
mod directory;
mod exif;
pub mod heif;
mod jpeg;
mod keywords;
mod kinds;
pub mod pieces;
mod raw;
pub mod reads;
mod stored;
mod tiff;

pub use pieces::Pieces;
pub use tiff::TiffPage;

use budget::Budget;
use domain::image::{MAX_PIXELS, MIN_SIDE};
use domain::{ErrorName, Format, Metadata, Orientation};
use exif::Exif;
use heif::Heif;
use pieces::Gap;
use raw::Raw;
use stored::{Stop, Stored};
use strum::EnumIter;

/// What a picture's header says.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    /// The format, by the file's content and not by its name.
    pub format: Format,
    /// Pixels, after applying the orientation.
    pub width: u32,
    /// Pixels, after applying the orientation.
    pub height: u32,
    /// How to turn and mirror the stored pixels.
    pub orientation: Orientation,
    /// How the picture was taken, and its keywords.
    pub metadata: Metadata,
    /// Position and length in bytes of the JPEG that the other fields describe. `Some` for raw
    /// files only.
    pub preview: Option<(u64, u64)>,
}

impl Header {
    /// The header of the same picture for viewers that ignore its orientation.
    pub fn without_orientation(self) -> Self {
        // Swapping the sides again gives the stored sides.
        let (width, height) = self.orientation.displayed((self.width, self.height));
        Self {
            width,
            height,
            orientation: Orientation::UPRIGHT,
            ..self
        }
    }
}

/// The result of looking at the parts of a file that have been read so far.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "one value exists at a time")]
pub enum Look {
    /// The header is complete. More parts do not change it.
    Found(Header),
    /// The file may be a picture of a supported format: read on from this byte.
    ReadOn(u64),
}

/// Why a file is rejected. More bytes do not change it. The messages are shown to the person who uploaded the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum HeaderError {
    /// The file is not a [`Format`]. The text is the plural of its type, such as "PDF documents".
    #[error("{}", unsupported(.0))]
    OtherKind(&'static str),
    /// The first bytes are those of a [`Format`], but the header is invalid.
    #[error("This file is damaged or incomplete. Upload it again.")]
    Broken,
    /// Reading the header exceeds the limits in `budget.rs`, which that of no real file does.
    #[error(
        "This file's structure is too complex. Open the picture in another program and save it as a new JPEG."
    )]
    TooComplex,
    /// A camera's raw file without a JPEG preview of at least [`MIN_SIDE`] pixels a side. The text is the format's name.
    #[error("This {0} file has no preview. Export it as JPEG.")]
    NoPreview(&'static str),
    /// More than [`MAX_PIXELS`].
    #[error(
        "This picture is {0} × {1} pixels. Scale it down to at most {max} million pixels in total.",
        max = MAX_PIXELS / 1_000_000
    )]
    TooManyPixels(u32, u32),
    /// A side has fewer than [`MIN_SIDE`] pixels.
    #[error("This picture is {0} × {1} pixels. Each side must have at least {MIN_SIDE}.")]
    TooFewPixels(u32, u32),
}

impl HeaderError {
    /// The error's name in the state machine.
    pub fn name(self) -> ErrorName {
        match self {
            Self::OtherKind(_) | Self::NoPreview(_) => ErrorName::UnsupportedFormat,
            Self::Broken | Self::TooComplex => ErrorName::InvalidImage,
            Self::TooManyPixels(..) => ErrorName::ImageTooLarge,
            Self::TooFewPixels(..) => ErrorName::ImageTooSmall,
        }
    }
}

fn unsupported(kind: &str) -> String {
    const SUPPORTED: &str =
        "Upload a JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF picture, or a camera's raw file.";
    match kind {
        kinds::UNKNOWN => format!("Unsupported file type. {SUPPORTED}"),
        jpeg::WITHOUT_HEIGHT => {
            format!("{kind} aren't supported. Open the picture and save it as a new JPEG.")
        }
        other => format!("{other} aren't supported. {SUPPORTED}"),
    }
}

impl HeaderError {
    /// Why reading a complete file stopped.
    fn of_complete(stop: Stop) -> Self {
        match stop {
            Stop::Gap(Gap::OverBudget) => Self::TooComplex,
            Stop::OtherKind(kind) => Self::OtherKind(kind),
            Stop::NoPreview(format) => Self::NoPreview(format.as_str()),
            Stop::Gap(Gap::Unread(_) | Gap::AfterEnd) | Stop::Broken => Self::Broken,
        }
    }
}

/// Reads the header from the parts of a file that have been read so far, and checks the picture's sides against the limits.
///
/// # Errors
/// See [`HeaderError`].
pub fn look(file: &Pieces<'_>) -> Result<Look, HeaderError> {
    // A budget for each look, so that the result does not depend on the number of reads.
    let file = file.with_budget(Budget::default());
    let found = raw::read(&file).and_then(|raw| match raw {
        Some(Raw { stored, preview }) => Ok((stored, Some(preview))),
        None => Ok((read(&file)?, None)),
    });
    let (stored, preview) = match found {
        Ok(found) => found,
        Err(Stop::Gap(Gap::Unread(from))) => return Ok(Look::ReadOn(from)),
        Err(stop) => return Err(HeaderError::of_complete(stop)),
    };
    let Exif {
        orientation,
        mut metadata,
    } = stored.exif;
    let (width, height) = orientation.displayed((stored.width, stored.height));
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(HeaderError::TooManyPixels(width, height));
    }
    if width.min(height) < MIN_SIDE {
        return Err(HeaderError::TooFewPixels(width, height));
    }
    match keywords::read(&file, stored.keywords, &metadata.keywords) {
        Ok(keywords) => metadata.keywords = keywords,
        Err(Stop::Gap(Gap::Unread(from))) => return Ok(Look::ReadOn(from)),
        // The budget is used up. The header is complete without more keywords.
        Err(_) => {}
    }
    Ok(Look::Found(Header {
        format: stored.format,
        width,
        height,
        orientation,
        metadata,
        preview,
    }))
}

/// Reads the boxes of a complete AVIF or HEIC file.
///
/// # Errors
/// [`HeaderError::Broken`] if the boxes are invalid, or [`HeaderError::TooComplex`].
pub fn heif_boxes(bytes: &[u8]) -> Result<Heif, HeaderError> {
    Heif::read(&Pieces::all(bytes)).map_err(HeaderError::of_complete)
}

/// The JPEG preview of a complete raw file, as [`Header::preview`]. `None` if it is not a raw file.
///
/// # Errors
/// [`HeaderError::NoPreview`], [`HeaderError::TooComplex`] or [`HeaderError::Broken`].
pub fn preview(bytes: &[u8]) -> Result<Option<&[u8]>, HeaderError> {
    let Some(Raw { preview, .. }) = raw::read(&Pieces::all(bytes)).map_err(HeaderError::of_complete)? else {
        return Ok(None);
    };
    let (from, length) = preview;
    let part = usize::try_from(from).ok().zip(usize::try_from(length).ok());
    part.and_then(|(from, length)| bytes.get(from..)?.get(..length))
        .map(Some)
        .ok_or(HeaderError::Broken)
}

/// What is rare about a complete JPEG file that could not be decoded, in the plural, such as "Lossless JPEG pictures". `None`
/// if its header has nothing rare, or is invalid.
pub fn rare_jpeg(bytes: &[u8]) -> Option<&'static str> {
    jpeg::rare_kind(&Pieces::all(bytes))
}

/// Finds the page of a complete TIFF or BigTIFF file that [`look`] describes: the first one in full resolution, or else the
/// first one.
///
/// # Errors
/// [`HeaderError::Broken`] if there is no page, or [`HeaderError::TooComplex`].
pub fn tiff_page(bytes: &[u8]) -> Result<TiffPage, HeaderError> {
    tiff::page(&Pieces::all(bytes)).map_err(HeaderError::of_complete)
}

fn read(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let length = usize::try_from(file.size()).unwrap_or(usize::MAX);
    match file.get(0, length.min(12))? {
        [0xFF, 0xD8, 0xFF, ..] => jpeg::read(file),
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1A, b'\n', ..] => chunks::png(file),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => chunks::webp(file),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => chunks::gif(file),
        [b'B', b'M', ..] => chunks::bmp(file),
        [12 | 40 | 52 | 56 | 64 | 108 | 124, 0, 0, 0, ..] if chunks::is_dib(file.get(0, length.min(20))?) => {
            chunks::bmp(file)
        }
        [b'I', b'I', 42 | 43, 0, ..] | [b'M', b'M', 0, 42 | 43, ..] => tiff::read(file),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => heif::read(file),
        _ => Err(Stop::OtherKind(kinds::name(file)?)),
    }
}

#[cfg(test)]
mod tests;
