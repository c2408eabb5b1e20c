//! H.264. Sources: ITU-T H.264, 7.3 (NAL units); ISO/IEC 14496-15, 5.3 (`avcC`).

use super::picture;
use crate::Track;
use crate::error::{Feature, FrameError, check_dimensions};
use image::RgbImage;
use picture::coded::{Layout, Sequence, Signal, Tile, narrowed};
use rust_h264::decoder::{ChromaFormat, Decoder, Frame};
use rust_h264::error::DecodeError;
use rust_h264::nal::{NalUnit, NalUnitType, SpsInfo, parse_avcc, parse_avcc_config, parse_sps_info};

/// Maximum number of slices and parameter sets of a frame. Cameras write up to some tens. The decoder copies the picture for
/// each slice.
const MAX_UNITS: usize = 1_024;

/// Checks the parameter sets in `avcC`.
pub(super) fn check(track: &Track) -> Result<(), FrameError> {
    let Ok(configuration) = parse_avcc_config(&track.configuration) else {
        return Err(FrameError::Damaged(track.codec));
    };
    for unit in &configuration.sps_nals {
        sequence(track, unit)?;
    }
    Ok(())
}

pub(super) fn decode(track: &Track, frame: &[u8], sides: (u32, u32)) -> Result<RgbImage, FrameError> {
    let damaged = FrameError::Damaged(track.codec);
    let configuration = parse_avcc_config(&track.configuration).map_err(|_| damaged)?;
    let length_size = configuration.length_size;
    let frame = frame_units(frame, length_size).ok_or(damaged)?;
    let stored = configuration.sps_nals.iter().chain(&configuration.pps_nals);
    let mut decoder = Decoder::new();
    let mut active = None;
    let mut decoded = None;
    for unit in stored.chain(&frame) {
        if unit.nal_unit_type == NalUnitType::Sps {
            active = Some(sequence(track, unit)?);
        }
        // The next picture ends the one before. The two fields of an interlaced frame are one picture.
        decoded = decoder.decode_nal(unit).map_err(|error| match error {
            DecodeError::Unsupported(_) => FrameError::Unsupported(track.codec, Feature::Other),
            _ => damaged,
        })?;
        if decoded.is_some() {
            break;
        }
    }
    let decoded = decoded.or_else(|| decoder.flush()).ok_or(damaged)?;
    let decoded = Picture::of(decoded).ok_or(damaged)?;
    picture(track, &decoded, &active.ok_or(damaged)?, sides)
}

/// Slices and parameter sets. `None` if there are too many, or the last one is cut off: the decoder would return a picture
/// whose rest is gray.
fn frame_units(frame: &[u8], length_size: usize) -> Option<Vec<NalUnit<'_>>> {
    const SLICE: u8 = 1;
    const SLICE_OF_KEY_FRAME: u8 = 5;
    const PARAMETER_SETS: std::ops::RangeInclusive<u8> = 7..=8;
    let mut found = Vec::new();
    let mut rest = frame;
    while !rest.is_empty() {
        let length = rest.get(..length_size)?;
        let length = length
            .iter()
            .fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
        let (unit, after) = rest.split_at_checked(length_size + length)?;
        rest = after;
        let kind = unit.get(length_size).map_or(0, |first| first & 31);
        if !matches!(kind, SLICE | SLICE_OF_KEY_FRAME) && !PARAMETER_SETS.contains(&kind) {
            continue;
        }
        if found.len() == MAX_UNITS {
            return None;
        }
        // The library's only public way to make a unit is from a frame.
        found.extend(parse_avcc(unit, length_size));
    }
    Some(found)
}

/// Checks a sequence parameter set before the decoder uses it.
fn sequence(track: &Track, unit: &NalUnit<'_>) -> Result<Sequence, FrameError> {
    let info: SpsInfo = parse_sps_info(unit).map_err(|_| FrameError::Damaged(track.codec))?;
    check_dimensions(track.codec, (info.coded_width, info.coded_height))?;
    let is_gray = info.chroma_format == 0;
    let feature = if info.chroma_format > 2 {
        Some(Feature::FullChroma)
    } else if !matches!(info.bit_depth_luma, 8 | 10)
        || (!is_gray && info.bit_depth_chroma != info.bit_depth_luma)
    {
        Some(Feature::BitDepth)
    } else {
        None
    };
    if let Some(feature) = feature {
        return Err(FrameError::Unsupported(track.codec, feature));
    }
    Ok(Sequence {
        width: info.coded_width,
        height: info.coded_height,
        primaries: info.primaries,
        transfer: info.transfer,
        matrix: info.matrix,
        full_range: info.full_range,
    })
}

/// A decoded frame.
struct Picture(Frame);

impl Picture {
    /// `None` if planes have not the expected sides.
    fn of(frame: Frame) -> Option<Self> {
        let picture = Self(frame);
        let frame = &picture.0;
        let (across, down) = picture.layout().subsampling();
        let samples = |width: u32, height: u32| {
            usize::try_from(u64::from(width) * u64::from(height) * frame.bytes_per_sample() as u64).ok()
        };
        let luma = samples(frame.width, frame.height)?;
        let chroma = samples(
            frame.width.div_ceil(across as u32),
            frame.height.div_ceil(down as u32),
        )?;
        let complete = luma > 0 && [&frame.y, &frame.u, &frame.v].map(Vec::len) == [luma, chroma, chroma];
        complete.then_some(picture)
    }
}

impl Tile for Picture {
    fn sides(&self) -> (usize, usize) {
        (self.0.width as usize, self.0.height as usize)
    }

    fn layout(&self) -> Layout {
        match self.0.chroma_format {
            ChromaFormat::Yuv420 => Layout::Quarter,
            ChromaFormat::Yuv422 => Layout::Half,
        }
    }

    fn signal(&self) -> Signal {
        Signal {
            matrix: picture::coded::UNSPECIFIED.into(),
            full_range: false,
        }
    }

    fn copy(&self, plane: usize, row: usize, column: usize, to: &mut [u8]) {
        let frame = &self.0;
        let (samples, width) = match plane {
            0 => (&frame.y, frame.width),
            1 => (&frame.u, frame.chroma_width()),
            _ => (&frame.v, frame.chroma_width()),
        };
        let start = row * width as usize + column;
        if frame.bit_depth == 8 {
            to.copy_from_slice(&samples[start..start + to.len()]);
        } else {
            for (to, from) in to.iter_mut().zip(&samples.as_chunks().0[start..]) {
                *to = narrowed(u16::from_le_bytes(*from), frame.bit_depth.into());
            }
        }
    }
}
