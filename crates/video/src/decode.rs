//! From coded frames to RGB, as stored.
//!
//! - H.264: `rust_h264`.
//! - HEVC and AV1: the decoders of pictures.
//! - VP9: `rusty_vp9`.
//! - VP8: the decoder of WebP pictures. A lossy WebP is a key frame of VP8.

mod av1;
mod h264;
mod hevc;
mod vp8;
mod vp9;

use crate::error::{FrameError, check_dimensions};
use crate::{Track, tone};
use image::RgbImage;
use picture::coded::{Sequence, Signal, Tile, UNSPECIFIED};
use picture::{ColorSpace, Crop};
use video_header::{Codec, Hdr};

/// The pixels from which a video without a matrix counts as high definition, which uses that of BT.709: 1280 × 720.
/// Players decide the same way.
const HIGH_DEFINITION: u64 = 1_280 * 720;

/// What the configuration says about the track's frames.
pub(crate) fn check(track: &Track) -> Result<(), FrameError> {
    match track.codec {
        Codec::H264(_) => h264::check(track),
        Codec::Hevc(_) => hevc::check(track),
        Codec::Av1(_) => av1::check(track),
        Codec::Vp8 | Codec::Vp9(_) => Ok(()),
        _ => Err(FrameError::UnsupportedCodec(track.codec)),
    }
}

/// Decodes the frame and scales it to these sides. Not turned.
pub(crate) fn decode(track: &Track, frame: &[u8], sides: (u32, u32)) -> Result<RgbImage, FrameError> {
    match track.codec {
        Codec::H264(_) => h264::decode(track, frame, sides),
        Codec::Hevc(_) => hevc::decode(track, frame, sides),
        Codec::Av1(_) => av1::decode(track, frame, sides),
        Codec::Vp8 => vp8::decode(track, frame, sides),
        Codec::Vp9(_) => vp9::decode(track, frame, sides),
        _ => Err(FrameError::UnsupportedCodec(track.codec)),
    }
}

/// Crops, scales and converts a decoded frame.
fn picture(
    track: &Track,
    frame: &impl Tile,
    sequence: &Sequence,
    sides: (u32, u32),
) -> Result<RgbImage, FrameError> {
    let own = frame.sides();
    let own = (u32::try_from(own.0), u32::try_from(own.1));
    let (Ok(width), Ok(height)) = own else {
        return Err(FrameError::Damaged(track.codec));
    };
    check_dimensions(track.codec, (width, height))?;
    let hdr = match sequence.transfer {
        16 => Some(Hdr::Pq),
        18 => Some(Hdr::Hlg),
        _ => track.hdr,
    };
    let matrix = match sequence.matrix {
        UNSPECIFIED if hdr.is_some() => 9,
        UNSPECIFIED if u64::from(width) * u64::from(height) >= HIGH_DEFINITION => 1,
        UNSPECIFIED => 6,
        other => other.into(),
    };
    let signal = Signal {
        matrix,
        full_range: sequence.full_range,
    };
    let mut rgb = picture::coded::rgb(frame, crop(track, (width, height)), signal, sides);
    match hdr {
        Some(hdr) => tone::map(&mut rgb, hdr),
        None => picture::space_to_srgb(
            &mut rgb,
            ColorSpace {
                primaries: sequence.primaries.into(),
                transfer: sequence.transfer.into(),
                matrix,
                full_range: true,
            },
        ),
    }
    Ok(rgb)
}

/// The displayed part of a frame with these sides. Scaled, if they are not those that the container states.
fn crop(track: &Track, (width, height): (u32, u32)) -> Crop {
    let part = |start: u32, length: u32, stated: u32, side: u32| {
        let scale = |value: u32| {
            let scaled = u64::from(value) * u64::from(side) / u64::from(stated.max(1));
            u32::try_from(scaled).unwrap_or(side)
        };
        let start = scale(start).min(side - 1);
        (start, scale(length).clamp(1, side - start))
    };
    let stated = track.crop;
    let (left, width) = part(stated.left, stated.width, track.coded.0, width);
    let (top, height) = part(stated.top, stated.height, track.coded.1, height);
    Crop {
        left,
        top,
        width,
        height,
    }
}
