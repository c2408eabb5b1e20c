//! HEVC, the coded data of HEIC and of many videos. `heifer-hevc-dec` decodes one picture on one processor. It has no
//! prediction between frames, which key frames do not use.

use super::planes::{Layout, Signal, Tile, narrowed};
use super::{Data, Sequence, UNSPECIFIED};
use crate::decoded::DecodeError;
use heifer_hevc_dec::decoder::{DecodeOptions, decode_picture};
use heifer_hevc_dec::nal::NalUnit;
use heifer_hevc_dec::params::Sps;
use heifer_hevc_dec::recon;

const SEQUENCE_PARAMETER_SET: u8 = 33;

/// Maximum number of NAL units of a tile. The standard allows 600 slices a picture.
const MAX_UNITS: usize = 2_048;

/// Decodes the first picture.
///
/// # Errors
/// If the data is invalid or incomplete, is predicted from other frames, or has too many pixels.
pub fn frame(data: Data) -> Result<Frame, DecodeError> {
    let stream = stream(&data).ok_or_else(|| DecodeError::of("invalid NAL units"))?;
    let max_pixels = data.max_pixels;
    drop(data);
    let options = DecodeOptions {
        max_pixels,
        ..DecodeOptions::default()
    };
    let frame = decode_picture(&stream, options).map_err(DecodeError::of)?;
    Frame::of(frame).ok_or_else(|| DecodeError::of("fewer samples than pixels"))
}

/// The sequences in the configuration and in the data: the frame uses one of them. `None` if one is invalid.
pub fn sequences(data: &Data) -> Option<Vec<Sequence>> {
    let stream = stream(data)?;
    heifer_hevc_dec::nal::split_annex_b(&stream)
        .filter(|unit| {
            unit.first()
                .is_some_and(|first| first >> 1 & 63 == SEQUENCE_PARAMETER_SET)
        })
        .map(|unit| sequence(&Sps::parse(&NalUnit::parse(unit).ok()?.rbsp).ok()?))
        .collect()
}

fn sequence(set: &Sps) -> Option<Sequence> {
    let signal = set.vui.as_ref();
    Some(Sequence {
        width: set.pic_width_in_luma_samples,
        height: set.pic_height_in_luma_samples,
        primaries: signal.map_or(UNSPECIFIED, |signal| signal.colour_primaries),
        transfer: signal.map_or(UNSPECIFIED, |signal| signal.transfer_characteristics),
        matrix: signal.map_or(UNSPECIFIED, |signal| signal.matrix_coeffs),
        full_range: signal.is_some_and(|signal| signal.video_full_range_flag),
    })
}

/// Converts parameter sets and slices of the first picture to a stream with start codes. `None` if they are invalid or too
/// many. Sources: ISO/IEC 14496-15, 8.3.3.1 (configuration); ITU-T H.265, 7.3.1 (NAL units) and B.2 (streams).
fn stream(data: &Data) -> Option<Vec<u8>> {
    const PARAMETER_SETS: std::ops::RangeInclusive<u8> = 32..=34;
    let mut stream = Vec::with_capacity(data.bytes.len() + data.configuration.len());
    let (&[.., sizes, arrays], mut rest) = data.configuration.split_first_chunk::<23>()?;
    for _ in 0..arrays {
        let (&[_kind, c1, c0], after) = rest.split_first_chunk()?;
        rest = after;
        for _ in 0..u16::from_be_bytes([c1, c0]) {
            let (unit, after) = unit(rest, 2)?;
            rest = after;
            if unit.kind.is_some_and(|kind| PARAMETER_SETS.contains(&kind)) {
                push(&mut stream, unit.bytes);
            }
        }
    }
    let mut rest = &data.bytes[..];
    let mut has_slice = false;
    while !rest.is_empty() {
        // What follows a damaged unit is missing.
        let Some((unit, after)) = unit(rest, usize::from(sizes & 3) + 1) else {
            break;
        };
        rest = after;
        match unit.kind {
            Some(0..=31) => {
                // The first bit after the header begins a picture.
                if has_slice && unit.bytes.get(2).is_some_and(|byte| byte & 0x80 != 0) {
                    break;
                }
                has_slice = true;
                push(&mut stream, unit.bytes);
            }
            Some(kind) if PARAMETER_SETS.contains(&kind) => push(&mut stream, unit.bytes),
            _ => {}
        }
    }
    // Start codes inside units make further units.
    let units = stream.windows(3).filter(|bytes| *bytes == [0, 0, 1]).count();
    (units <= MAX_UNITS).then_some(stream)
}

fn push(stream: &mut Vec<u8>, unit: &[u8]) {
    stream.extend([0, 0, 1]);
    stream.extend_from_slice(unit);
}

struct Unit<'a> {
    /// `None` for a unit of another layer than the first one.
    kind: Option<u8>,
    bytes: &'a [u8],
}

/// Reads a unit that follows its length.
fn unit(bytes: &[u8], length_size: usize) -> Option<(Unit<'_>, &[u8])> {
    let (length, rest) = bytes.split_at_checked(length_size)?;
    let length = length
        .iter()
        .fold(0_usize, |length, byte| length << 8 | usize::from(*byte));
    let (bytes, rest) = rest.split_at_checked(length)?;
    let kind = match bytes {
        [first, second, ..] if first & 1 == 0 && second >> 3 == 0 => Some(first >> 1 & 63),
        _ => None,
    };
    Some((Unit { kind, bytes }, rest))
}

/// A decoded picture.
pub struct Frame {
    frame: recon::Frame,
    layout: Layout,
}

impl Frame {
    /// `None` if planes have not the expected sides.
    fn of(frame: recon::Frame) -> Option<Self> {
        let layout = match frame.chroma_format {
            0 => Layout::Gray,
            1 => Layout::Quarter,
            2 => Layout::Half,
            _ => Layout::Full,
        };
        let (across, down) = layout.subsampling();
        let [width, height] = [frame.widths[0] as usize, frame.heights[0] as usize];
        let planes = if layout == Layout::Gray { 1 } else { 3 };
        let complete = (0..planes).all(|plane| {
            let (own_width, own_height) = (frame.widths[plane] as usize, frame.heights[plane] as usize);
            let expected = if plane == 0 {
                (width, height)
            } else {
                (width.div_ceil(across), height.div_ceil(down))
            };
            (own_width, own_height) == expected && frame.planes[plane].len() == own_width * own_height
        });
        let bits = frame.bit_depth.iter().all(|bits| (8..=16).contains(bits));
        (complete && bits && width > 0 && height > 0).then_some(Self { frame, layout })
    }
}

impl Tile for Frame {
    fn sides(&self) -> (usize, usize) {
        (self.frame.widths[0] as usize, self.frame.heights[0] as usize)
    }

    fn layout(&self) -> Layout {
        self.layout
    }

    fn signal(&self) -> Signal {
        Signal {
            matrix: self.frame.matrix_coeffs.into(),
            full_range: self.frame.full_range,
        }
    }

    fn copy(&self, plane: usize, row: usize, column: usize, to: &mut [u8]) {
        let start = row * self.frame.widths[plane] as usize + column;
        let bits = u32::from(self.frame.bit_depth[plane.min(1)]);
        let from = &self.frame.planes[plane][start..start + to.len()];
        for (to, from) in to.iter_mut().zip(from) {
            *to = narrowed(*from, bits);
        }
    }
}
