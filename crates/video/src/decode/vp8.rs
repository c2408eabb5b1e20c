//! VP8. Sources: RFC 6386, 9.1 (frame header); WebP Container Specification (RIFF).

use super::crop;
use crate::Track;
use crate::error::{FrameError, check_dimensions};
use image::{DynamicImage, ImageFormat, ImageReader, Limits, RgbImage};
use std::io::Cursor;

pub(super) fn decode(track: &Track, frame: &[u8], sides: (u32, u32)) -> Result<RgbImage, FrameError> {
    let damaged = FrameError::Damaged(track.codec);
    let own = dimensions(frame).ok_or(damaged)?;
    check_dimensions(track.codec, own)?;
    let mut reader = ImageReader::with_format(Cursor::new(webp(frame).ok_or(damaged)?), ImageFormat::WebP);
    // Three samples of a byte for each pixel, and some memory for the decoder.
    let mut limits = Limits::default();
    limits.max_alloc = Some(3 * u64::from(own.0) * u64::from(own.1) + 64 * 1024 * 1024);
    reader.limits(limits);
    let decoded = reader
        .into_decoder()
        .and_then(DynamicImage::from_decoder)
        .map_err(|_| damaged)?
        .into_rgb8();
    let crop = crop(track, decoded.dimensions());
    let cropped = if (crop.width, crop.height) == decoded.dimensions() {
        decoded
    } else {
        image::imageops::crop_imm(&decoded, crop.left, crop.top, crop.width, crop.height).to_image()
    };
    Ok(picture::scaled(cropped, sides))
}

/// Width and height. `None` if this is not a key frame.
fn dimensions(frame: &[u8]) -> Option<(u32, u32)> {
    let &[tag, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1] = frame.first_chunk()? else {
        return None;
    };
    let is_key_frame = tag & 1 == 0;
    // The upper two bits tell players to enlarge the frame.
    let side = |low, high| u32::from(u16::from_le_bytes([low, high]) & 0x3FFF);
    is_key_frame.then(|| (side(w0, w1), side(h0, h1)))
}

/// A WebP file of this frame.
fn webp(frame: &[u8]) -> Option<Vec<u8>> {
    let padding = &[0][..frame.len() % 2];
    let length = u32::try_from(frame.len()).ok()?;
    let rest = length.checked_add(12 + u32::try_from(padding.len()).ok()?)?;
    let parts = [
        b"RIFF",
        &rest.to_le_bytes()[..],
        b"WEBPVP8 ",
        &length.to_le_bytes(),
        frame,
        padding,
    ];
    Some(parts.concat())
}
