//! From a file's bytes to pixels: JPEG and PNG, within Rekognition's limits, and as they are seen.

use std::io::Cursor;

use png::{ColorType, Transformations};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

use crate::orientation::Orientation;

/// Rekognition's smallest side in pixels.
pub const MIN_SIDE: u32 = 80;
/// Rekognition's largest side in pixels.
pub const MAX_SIDE: u32 = 10_000;

/// Why a file gives no picture.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PictureError {
    /// The file is neither JPEG nor PNG.
    #[error("it is neither a JPEG nor a PNG file")]
    UnknownFormat,
    /// The file breaks its format's rules, or ends early.
    #[error("the {format} file is damaged: {reason}")]
    Damaged {
        /// "JPEG" or "PNG".
        format: &'static str,
        /// What the decoder found.
        reason: String,
    },
    /// A side is below [`MIN_SIDE`].
    #[error("the image is {width} x {height} pixels, each side must have at least {MIN_SIDE}")]
    TooSmall {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// A side is above [`MAX_SIDE`]; worded as Rekognition words it.
    #[error("Input image dimensions {width} x {height} exceed maximum dimension size of {MAX_SIDE} pixels")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Jpeg,
    Png,
}

impl Format {
    fn of(bytes: &[u8]) -> Result<Self, PictureError> {
        if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Ok(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Ok(Self::Png)
        } else {
            Err(PictureError::UnknownFormat)
        }
    }

    fn damaged(self, reason: impl Into<String>) -> PictureError {
        let format = match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
        };
        PictureError::Damaged {
            format,
            reason: reason.into(),
        }
    }
}

/// The number of pixels that the file's header announces, after checking both sides against the limits. Reads no
/// pixels, so that a file of a few bytes cannot make the server allocate gigabytes.
///
/// # Errors
/// Every [`PictureError`] but the damage that only the pixels show.
pub fn announced_pixels(bytes: &[u8]) -> Result<u64, PictureError> {
    let (width, height) = match Format::of(bytes)? {
        Format::Jpeg => {
            let mut decoder = jpeg_decoder(bytes);
            decoder
                .decode_headers()
                .map_err(|error| Format::Jpeg.damaged(error.to_string()))?;
            let info = decoder
                .info()
                .ok_or_else(|| Format::Jpeg.damaged("it has no frame header"))?;
            (u32::from(info.width), u32::from(info.height))
        }
        Format::Png => {
            let mut decoder = png_decoder(bytes);
            let info = decoder
                .read_header_info()
                .map_err(|error| Format::Png.damaged(error.to_string()))?;
            (info.width, info.height)
        }
    };
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(PictureError::TooLarge { width, height });
    }
    if width < MIN_SIDE || height < MIN_SIDE {
        return Err(PictureError::TooSmall { width, height });
    }
    Ok(u64::from(width) * u64::from(height))
}

/// A decoded picture. Its pixels lie as the file stores them; `orientation` tells how they are to be seen.
#[derive(Debug, Clone)]
pub struct Picture {
    stored_width: usize,
    stored_height: usize,
    /// RGB, 3 bytes a pixel, row by row.
    pixels: Vec<u8>,
    orientation: Orientation,
}

impl Picture {
    /// Decodes the file, up to 4 bytes of memory a pixel (progressive JPEG: up to 9).
    ///
    /// # Errors
    /// Every [`PictureError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PictureError> {
        announced_pixels(bytes)?;
        match Format::of(bytes)? {
            Format::Jpeg => decode_jpeg(bytes),
            Format::Png => decode_png(bytes),
        }
    }

    /// A picture of these pixels (RGB, 3 bytes each, row by row), to be seen as they lie.
    ///
    /// # Panics
    /// If the number of bytes does not fit the sides.
    pub fn from_rgb(width: usize, height: usize, pixels: Vec<u8>) -> Self {
        assert_eq!(pixels.len(), width * height * 3);
        Self {
            stored_width: width,
            stored_height: height,
            pixels,
            orientation: Orientation::UPRIGHT,
        }
    }

    /// Width as the pixels lie.
    pub fn stored_width(&self) -> usize {
        self.stored_width
    }

    /// Height as the pixels lie.
    pub fn stored_height(&self) -> usize {
        self.stored_height
    }

    /// Width as the picture is seen.
    pub fn width(&self) -> usize {
        if self.orientation.swaps_sides() {
            self.stored_height
        } else {
            self.stored_width
        }
    }

    /// Height as the picture is seen.
    pub fn height(&self) -> usize {
        if self.orientation.swaps_sides() {
            self.stored_width
        } else {
            self.stored_height
        }
    }

    /// RGB, 3 bytes a pixel, row by row as the file stores them.
    pub fn stored_pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// How the stored pixels are to be seen.
    pub fn orientation(&self) -> Orientation {
        self.orientation
    }
}

fn jpeg_decoder(bytes: &[u8]) -> JpegDecoder<ZCursor<&[u8]>> {
    // The limits on the sides are this module's own: the decoder's would not tell the size that was found.
    let options = DecoderOptions::new_fast()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    JpegDecoder::new_with_options(ZCursor::new(bytes), options)
}

fn decode_jpeg(bytes: &[u8]) -> Result<Picture, PictureError> {
    // The decoder pads a file that ends early with gray, as browsers do; Rekognition refuses it.
    if !reaches_end_of_image(bytes) {
        return Err(Format::Jpeg.damaged("it ends before the end of the image"));
    }
    let mut decoder = jpeg_decoder(bytes);
    let pixels = decoder
        .decode()
        .map_err(|error| Format::Jpeg.damaged(error.to_string()))?;
    let info = decoder
        .info()
        .ok_or_else(|| Format::Jpeg.damaged("it has no frame header"))?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    if pixels.len() != width * height * 3 {
        return Err(Format::Jpeg.damaged("its color space is not supported"));
    }
    let orientation = decoder
        .exif()
        .map_or(Orientation::UPRIGHT, |exif| Orientation::from_exif_segment(exif));
    Ok(Picture {
        stored_width: width,
        stored_height: height,
        pixels,
        orientation,
    })
}

/// Whether the markers lead from the start of a JPEG file through all its scans to the end-of-image marker.
fn reaches_end_of_image(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|&byte| byte == 0xFF))
    {
        at += found + 1;
        match bytes.get(at) {
            Some(0xD9) => return true,
            // A fill byte, an escaped 0xFF inside a scan, a restart marker, or one without content.
            Some(0xFF) => {}
            Some(0x00 | 0x01 | 0xD0..=0xD8) => at += 1,
            Some(_) => {
                let Some(&[high, low]) = bytes.get(at + 1..at + 3) else {
                    return false;
                };
                at += 1 + usize::from(u16::from_be_bytes([high, low]));
            }
            None => return false,
        }
    }
    false
}

fn png_decoder(bytes: &[u8]) -> png::Decoder<Cursor<&[u8]>> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder
}

fn decode_png(bytes: &[u8]) -> Result<Picture, PictureError> {
    let damaged = |error: png::DecodingError| Format::Png.damaged(error.to_string());
    let mut reader = png_decoder(bytes).read_info().map_err(damaged)?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| Format::Png.damaged("it is too large for memory"))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(damaged)?;
    // Reads to the end of the file: a checksum that is wrong or an end that is missing is found here.
    reader.finish().map_err(damaged)?;
    let (width, height) = (info.width as usize, info.height as usize);
    let pixels = rgb(pixels, info.color_type, width * height);
    Ok(Picture {
        stored_width: width,
        stored_height: height,
        pixels,
        orientation: Orientation::UPRIGHT,
    })
}

/// Turns 8-bit samples of any color type into RGB, in place where that is possible. What is transparent shows
/// white, as on a page.
fn rgb(mut samples: Vec<u8>, color: ColorType, pixels: usize) -> Vec<u8> {
    let over_white = |value: u8, alpha: u8| {
        let (value, alpha) = (u16::from(value), u16::from(alpha));
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    match color {
        ColorType::Rgba => {
            for pixel in 0..pixels {
                let [r, g, b, alpha] = samples[pixel * 4..pixel * 4 + 4] else {
                    unreachable!("four samples")
                };
                samples[pixel * 3..pixel * 3 + 3]
                    .copy_from_slice(&[r, g, b].map(|value| over_white(value, alpha)));
            }
            samples.truncate(pixels * 3);
            samples
        }
        ColorType::Grayscale => samples
            .iter()
            .take(pixels)
            .flat_map(|&value| [value; 3])
            .collect(),
        ColorType::GrayscaleAlpha => samples
            .chunks_exact(2)
            .take(pixels)
            .flat_map(|pair| [over_white(pair[0], pair[1]); 3])
            .collect(),
        ColorType::Rgb | ColorType::Indexed => {
            samples.truncate(pixels * 3);
            samples
        }
    }
}

#[cfg(test)]
mod tests;
