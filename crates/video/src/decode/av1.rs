//! AV1, with the decoder of AVIF pictures. Source: AV1 Codec ISO Media File Format Binding, 2.3 (`av1C`).

use super::picture;
use crate::MAX_PIXELS;
use crate::Track;
use crate::error::{FrameError, check_dimensions};
use image::RgbImage;
use picture::coded::{Data, Sequence};

/// Bytes of `av1C` before its OBUs.
const FIXED_CONFIGURATION: usize = 4;

/// Checks the sequence header in `av1C`, if it has one.
pub(super) fn check(track: &Track) -> Result<(), FrameError> {
    match picture::coded::av1_sequence(stored(track)) {
        Some(sequence) => check_dimensions(track.codec, (sequence.width, sequence.height)),
        None => Ok(()),
    }
}

pub(super) fn decode(track: &Track, frame: &[u8], sides: (u32, u32)) -> Result<RgbImage, FrameError> {
    let damaged = FrameError::Damaged(track.codec);
    let bytes = [stored(track), frame].concat();
    let sequence: Sequence = picture::coded::av1_sequence(&bytes).ok_or(damaged)?;
    check_dimensions(track.codec, (sequence.width, sequence.height))?;
    let data = Data {
        bytes,
        configuration: Vec::new(),
        max_pixels: MAX_PIXELS,
    };
    let decoded = picture::coded::av1(data).map_err(|_| damaged)?;
    picture(track, &decoded, &sequence, sides)
}

fn stored(track: &Track) -> &[u8] {
    track.configuration.get(FIXED_CONFIGURATION..).unwrap_or_default()
}
