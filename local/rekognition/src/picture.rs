//! Checks that a file is a picture that Rekognition accepts, and decodes it.

use domain::Format;
use domain::image::{MIN_SIDE, rekognition};
use image::{ImageFormat, RgbImage};
use picture::Converted;
use picture_header::{Header, HeaderError, Look, Pieces, look};
use picture_process::{PictureProcess, ProcessError};

/// Why Rekognition rejects a file.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PictureError {
    /// The file is not a JPEG or PNG file.
    #[error("it is not a JPEG or PNG file")]
    UnsupportedFormat,
    /// The file violates its format, or is incomplete.
    #[error("the file is damaged or incomplete")]
    Damaged,
    /// A side is below [`MIN_SIDE`].
    #[error("the image is {0} x {1} pixels, each side must have at least {MIN_SIDE}")]
    TooSmall(u32, u32),
    /// A side is above [`rekognition::MAX_SIDE`]. The message is Rekognition's.
    #[error(
        "Input image dimensions {0} x {1} exceed maximum dimension size of {max} pixels",
        max = rekognition::MAX_SIDE
    )]
    TooLarge(u32, u32),
    /// This machine cannot start a process that decodes the file.
    #[error("the file cannot be decoded now")]
    Unavailable,
}

/// Reads a file's header and checks it against Rekognition's limits. Decodes no pixels, so that a small file cannot make
/// the server allocate gigabytes.
///
/// # Errors
/// See [`PictureError`].
pub fn header(file: &[u8]) -> Result<Header, PictureError> {
    if !matches!(
        image::guess_format(file),
        Ok(ImageFormat::Jpeg | ImageFormat::Png)
    ) {
        return Err(PictureError::UnsupportedFormat);
    }
    let header = match look(&Pieces::all(file)) {
        Ok(Look::Found(header)) => header,
        Err(HeaderError::TooManyPixels(width, height)) => return Err(PictureError::TooLarge(width, height)),
        Err(HeaderError::TooFewPixels(width, height)) => return Err(PictureError::TooSmall(width, height)),
        Ok(Look::ReadOn(_)) | Err(_) => return Err(PictureError::Damaged),
    };
    if header.width.max(header.height) > rekognition::MAX_SIDE {
        return Err(PictureError::TooLarge(header.width, header.height));
    }
    // Rekognition applies the EXIF orientation of JPEGs only.
    Ok(match header.format {
        Format::Jpeg => header,
        _ => header.without_orientation(),
    })
}

/// Decodes a file in a child process. `header` is the result of [`header`].
///
/// # Errors
/// [`PictureError::Damaged`], or [`PictureError::Unavailable`] if there is no child process.
pub async fn decode(
    process: &PictureProcess,
    file: Vec<u8>,
    header: &Header,
) -> Result<RgbImage, PictureError> {
    check_end(&file, header)?;
    // Rekognition applies the EXIF orientation of JPEGs only.
    let as_stored = header.format != Format::Jpeg;
    complete(
        process
            .pixels(file, as_stored)
            .await
            .map_err(|error| match error {
                ProcessError::Unavailable(_) => PictureError::Unavailable,
                _ => PictureError::Damaged,
            })?,
    )
}

/// Decodes a file in this process: for tests and benchmarks, which know their files.
///
/// # Errors
/// [`PictureError::Damaged`].
pub fn decode_here(file: &[u8], header: &Header) -> Result<RgbImage, PictureError> {
    check_end(file, header)?;
    complete(picture::pixels(file, header).map_err(|_| PictureError::Damaged)?)
}

fn check_end(file: &[u8], header: &Header) -> Result<(), PictureError> {
    let ends_early = header.format == Format::Png && !has_end_of_png(file);
    if ends_early {
        Err(PictureError::Damaged)
    } else {
        Ok(())
    }
}

fn complete(decoded: Converted<RgbImage>) -> Result<RgbImage, PictureError> {
    if decoded.incomplete {
        Err(PictureError::Damaged)
    } else {
        Ok(decoded.result)
    }
}

/// Whether a PNG file has its last chunk. The decoder stops after the pixels, and accepts a file without it.
fn has_end_of_png(file: &[u8]) -> bool {
    const SIGNATURE: usize = 8;
    const CHECKSUM: usize = 4;
    let mut rest = file.get(SIGNATURE..).unwrap_or_default();
    while let Some(&[l3, l2, l1, l0, ref name @ ..]) = rest.first_chunk::<8>() {
        let length = u32::from_be_bytes([l3, l2, l1, l0]) as usize;
        let Some(next) = rest.get(8 + length + CHECKSUM..) else {
            return false;
        };
        if name == b"IEND" {
            return true;
        }
        rest = next;
    }
    false
}

#[cfg(test)]
mod tests;
