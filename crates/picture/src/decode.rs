//! From files to pixels.
//!
//! - JPEG: `jpeg-decoder`, and `zune-jpeg` for damaged and unusual files.
//! - AVIF: `re_rav1d`, a Rust translation of dav1d.
//! - HEIC: `heifer-hevc-dec`. Small tiles are decoded in parallel.
//! - TIFF: this crate, with a crate for each compression.
//! - Raw files of cameras: their JPEG preview.
//! - GIF: the `gif` crate.
//! - BMP: the `image` crate, after headers that it cannot read were rewritten.
//! - PNG and WebP: the `image` crate.

mod bmp;
mod gif;
mod heif;
mod jpeg;
mod tiff;

use crate::color::over_white;
use crate::decoded::{DecodeError, Decoded, bounded, picture};
use domain::Format;
use domain::image::MAX_PIXELS;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use picture_header::Header;
use picture_header::heif::Extent;
use std::io::Cursor;

/// Decodes a file whose sides have been checked. A JPEG, AVIF or HEIC is decoded at a smaller size if that still has at least
/// the `wanted` sides.
pub(crate) fn decode(file: &[u8], header: &Header, wanted: (u32, u32)) -> Result<Decoded, DecodeError> {
    match header.format {
        Format::Jpeg => jpeg::decode(file, wanted),
        Format::Avif | Format::Heic => heif::decode(file, wanted),
        Format::Png => other(file, ImageFormat::Png),
        Format::WebP => other(file, ImageFormat::WebP),
        Format::Gif => gif::decode(file),
        Format::Bmp => bmp::decode(file),
        Format::Tiff => tiff::decode(file),
        // Raw files.
        _ => {
            let preview = header.preview.and_then(|extent| part(file, extent));
            jpeg::decode(preview.ok_or_else(|| DecodeError::of("no preview"))?, wanted)
        }
    }
}

/// Decodes a JPEG whose sides have been checked.
pub(crate) fn decode_jpeg(file: &[u8], wanted: (u32, u32)) -> Result<Decoded, DecodeError> {
    jpeg::decode(file, wanted)
}

/// A part of the file. `None` if the file ends before it.
fn part(file: &[u8], (from, length): Extent) -> Option<&[u8]> {
    let (from, length) = (usize::try_from(from).ok()?, usize::try_from(length).ok()?);
    file.get(from..from.checked_add(length)?)
}

fn other(file: &[u8], format: ImageFormat) -> Result<Decoded, DecodeError> {
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::no_limits();
    // Four samples of two bytes for each pixel, and some memory for the decoder.
    limits.max_alloc = Some(8 * MAX_PIXELS + 64 * 1024 * 1024);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(DecodeError::of)?;
    let profile = bounded(decoder.icc_profile().ok().flatten());
    let image = DynamicImage::from_decoder(decoder).map_err(DecodeError::of)?;
    let sides = (image.width(), image.height());
    let picture = if image.color().has_alpha() {
        picture(sides, rgb_over_white(image.into_rgba8().into_raw()))?
    } else {
        image.into_rgb8()
    };
    Ok(Decoded {
        picture,
        profile,
        incomplete: false,
    })
}

/// Blends RGBA samples with white, in place: the samples of a large picture take hundreds of megabytes.
fn rgb_over_white(mut samples: Vec<u8>) -> Vec<u8> {
    let pixels = samples.len() / 4;
    for pixel in 0..pixels {
        let alpha = samples[pixel * 4 + 3];
        for channel in 0..3 {
            samples[pixel * 3 + channel] = over_white(samples[pixel * 4 + channel], alpha);
        }
    }
    samples.truncate(pixels * 3);
    samples
}
