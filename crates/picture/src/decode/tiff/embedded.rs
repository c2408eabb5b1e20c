//! Strips and tiles that are JPEG or WebP pictures of their own.

use super::layout::Layout;
use crate::decode::jpeg;
use crate::decoded::DecodeError;
use image::ImageDecoder;
use image::codecs::webp::WebPDecoder;
use std::borrow::Cow;
use std::io::Cursor;

/// Encoders of JPEG can round sides up to whole blocks.
const BLOCK: u32 = 32;

/// Puts the tables that all strips or tiles share in front of a JPEG.
pub(super) fn with_tables<'a>(tables: Option<&[u8]>, jpeg: &'a [u8]) -> Cow<'a, [u8]> {
    let Some(tables) = tables.filter(|tables| tables.starts_with(&[0xFF, 0xD8])) else {
        return Cow::Borrowed(jpeg);
    };
    let tables = tables.strip_suffix(&[0xFF, 0xD9]).unwrap_or(tables);
    let jpeg = jpeg.strip_prefix(&[0xFF, 0xD8]).unwrap_or(jpeg);
    Cow::Owned([tables, jpeg].concat())
}

/// Decodes a JPEG with at most these sides, into rows of `row_bytes` bytes.
pub(super) fn jpeg(
    layout: &Layout,
    stream: &[u8],
    (width, height): (u32, u32),
    row_bytes: usize,
) -> Result<Vec<u8>, DecodeError> {
    let samples = layout.chunk_samples();
    // A tile has at most the picture's sides, rounded up, apart from its padding. It has been checked that the padding of
    // all tiles is not too large.
    let largest = (width.next_multiple_of(BLOCK), height.next_multiple_of(BLOCK));
    let decoded = jpeg::samples(stream, layout.is_ycbcr_jpeg, largest)?;
    if decoded.channels != samples || decoded.width < width.min(layout.width) {
        return Err(DecodeError::of("a JPEG that does not fit its strip or tile"));
    }
    Ok(rows(decoded.samples, decoded.width as usize * samples, row_bytes))
}

pub(super) fn webp(layout: &Layout, bytes: &[u8], rows: u32) -> Result<Vec<u8>, DecodeError> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(DecodeError::of)?;
    let (width, height) = decoder.dimensions();
    let channels = usize::from(decoder.color_type().channel_count());
    let fits = width == layout.chunk_width && (rows..=layout.chunk_height).contains(&height);
    if !fits || layout.chunk_samples() != channels {
        return Err(DecodeError::of("a WebP that does not fit its strip or tile"));
    }
    let mut samples = vec![0; width as usize * height as usize * channels];
    decoder.read_image(&mut samples).map_err(DecodeError::of)?;
    Ok(samples)
}

/// Changes the length of rows.
fn rows(samples: Vec<u8>, from: usize, to: usize) -> Vec<u8> {
    if from == to {
        return samples;
    }
    let mut changed = Vec::with_capacity(samples.len() / from * to);
    for row in samples.chunks_exact(from) {
        changed.extend(&row[..from.min(to)]);
        changed.resize(changed.len() + to.saturating_sub(from), 0);
    }
    changed
}
