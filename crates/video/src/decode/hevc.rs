//! HEVC, with the decoder of HEIC pictures.

use super::picture;
use crate::MAX_PIXELS;
use crate::Track;
use crate::error::{FrameError, check_dimensions};
use image::RgbImage;
use picture::coded::{Data, Sequence};

/// Checks the parameter sets in `hvcC`.
pub(super) fn check(track: &Track) -> Result<(), FrameError> {
    sequence(track, &data(track, &[])).map(drop)
}

pub(super) fn decode(track: &Track, frame: &[u8], sides: (u32, u32)) -> Result<RgbImage, FrameError> {
    let damaged = FrameError::Damaged(track.codec);
    let data = data(track, frame);
    let sequence = sequence(track, &data)?.ok_or(damaged)?;
    let decoded = picture::coded::hevc(data).map_err(|_| damaged)?;
    picture(track, &decoded, &sequence, sides)
}

fn data(track: &Track, frame: &[u8]) -> Data {
    Data {
        bytes: frame.to_vec(),
        configuration: track.configuration.clone(),
        max_pixels: MAX_PIXELS,
    }
}

/// The last sequence, after checking all. `None` if there is none, because the frames have their own.
fn sequence(track: &Track, data: &Data) -> Result<Option<Sequence>, FrameError> {
    let sequences = picture::coded::hevc_sequences(data).ok_or(FrameError::Damaged(track.codec))?;
    for sequence in &sequences {
        check_dimensions(track.codec, (sequence.width, sequence.height))?;
    }
    Ok(sequences.last().copied())
}
