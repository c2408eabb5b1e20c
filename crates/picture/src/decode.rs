//! From files to pixels.
//!
//! JPEG has a decoder that can leave out what a smaller picture does not need: for a thumbnail of a photograph it takes
//! less than half the time of `zune-jpeg`, which is faster otherwise, and a quarter of the memory. AVIF is decoded by
//! `re_rav1d`, the Rust translation of dav1d, without its assembly, for which a build would need another tool. TIFF comes
//! in strips or tiles that know nothing of each other, so several are decoded at a time. All others are the `image`
//! crate's.

mod avif;
mod tiff;

use crate::Pixels;
use crate::color::{over_white, rgb_of_inks};
use domain::Format;
use domain::image::MAX_PIXELS;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use jpeg_decoder::PixelFormat;
use std::io::Cursor;

/// A profile of real colors has some hundred bytes; of inks, up to two megabytes.
const MOST_PROFILE_BYTES: usize = 4 * 1024 * 1024;

/// A decoded picture, as it is stored.
pub(crate) struct Decoded {
    pub(crate) pixels: Pixels,
    /// ICC.
    pub(crate) profile: Option<Vec<u8>>,
}

/// The decoder's own words, for tests: people are told [`crate::PictureError::Undecodable`].
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct DecodeError(Box<dyn std::error::Error + Send + Sync>);

impl DecodeError {
    fn of(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

/// The pixels of a file whose sides have been checked, at least as many as `wanted` where the file has them.
pub(crate) fn decode(file: &[u8], format: Format, wanted: (u32, u32)) -> Result<Decoded, DecodeError> {
    match format {
        Format::Jpeg => jpeg(file, wanted),
        Format::Avif => avif::decode(file, wanted),
        Format::Png => other(file, ImageFormat::Png),
        Format::WebP => other(file, ImageFormat::WebP),
        Format::Gif => other(file, ImageFormat::Gif),
        Format::Bmp => other(file, ImageFormat::Bmp),
        Format::Tiff => tiff::decode(file)?.map_or_else(|| other(file, ImageFormat::Tiff), Ok),
    }
}

fn jpeg(file: &[u8], wanted: (u32, u32)) -> Result<Decoded, DecodeError> {
    let mut decoder = jpeg_decoder::Decoder::new(Cursor::new(file));
    // Four inks for each pixel.
    decoder.set_max_decoding_buffer_size(usize::try_from(4 * MAX_PIXELS).unwrap_or(usize::MAX));
    decoder.read_info().map_err(DecodeError::of)?;
    let side = |side| u16::try_from(side).unwrap_or(u16::MAX);
    decoder
        .scale(side(wanted.0), side(wanted.1))
        .map_err(DecodeError::of)?;
    let samples = decoder.decode().map_err(DecodeError::of)?;
    let info = decoder.info().ok_or_else(|| DecodeError::of("no frame"))?;
    let rgb = match info.pixel_format {
        PixelFormat::RGB24 => samples,
        PixelFormat::L8 => samples.into_iter().flat_map(|gray| [gray; 3]).collect(),
        PixelFormat::L16 => samples
            .chunks_exact(2)
            .flat_map(|gray| [(u16::from_ne_bytes([gray[0], gray[1]]) >> 8) as u8; 3])
            .collect(),
        PixelFormat::CMYK32 => samples
            .chunks_exact(4)
            .flat_map(|inks| rgb_of_inks([inks[0], inks[1], inks[2], inks[3]]))
            .collect(),
    };
    Ok(Decoded {
        pixels: Pixels {
            width: info.width.into(),
            height: info.height.into(),
            rgb,
        },
        profile: bounded(decoder.icc_profile()),
    })
}

fn other(file: &[u8], format: ImageFormat) -> Result<Decoded, DecodeError> {
    let mut reader = ImageReader::with_format(Cursor::new(file), format);
    let mut limits = Limits::no_limits();
    // Four samples of two bytes for each pixel, and something for the decoder.
    limits.max_alloc = Some(8 * MAX_PIXELS + 64 * 1024 * 1024);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(DecodeError::of)?;
    let profile = bounded(decoder.icc_profile().ok().flatten());
    let image = DynamicImage::from_decoder(decoder).map_err(DecodeError::of)?;
    let (width, height) = (image.width(), image.height());
    let rgb = if image.color().has_alpha() {
        let rgba = match image {
            DynamicImage::ImageRgba8(rgba) => rgba,
            image => image.to_rgba8(),
        };
        rgb_over_white(rgba.into_raw())
    } else {
        match image {
            DynamicImage::ImageRgb8(rgb) => rgb.into_raw(),
            image => image.to_rgb8().into_raw(),
        }
    };
    Ok(Decoded {
        pixels: Pixels { width, height, rgb },
        profile,
    })
}

/// In the memory that the samples are in: a large picture's take hundreds of megabytes.
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

fn bounded(profile: Option<Vec<u8>>) -> Option<Vec<u8>> {
    profile.filter(|profile| profile.len() <= MOST_PROFILE_BYTES)
}
