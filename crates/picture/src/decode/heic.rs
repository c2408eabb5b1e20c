//! HEVC, the coded data of HEIC. `heifer-hevc-dec` decodes one picture on one processor.

use super::heif::Data;
use super::planes::{Layout, Signal, Tile, narrowed};
use crate::decoded::DecodeError;
use heifer_hevc_dec::decoder::{DecodeOptions, decode_picture};
use heifer_hevc_dec::recon;
use picture_header::heif::Coded;
use std::num::NonZero;
use std::thread;

/// Maximum size of the decoder's configuration. Real ones have some hundred bytes.
pub(super) const MAX_CONFIGURATION_BYTES: usize = 16 * 1024;

/// Maximum number of NAL units of a tile. The standard allows 600 slices a picture.
const MAX_UNITS: usize = 2_048;

/// Maximum number of pixels of tiles that are decoded at once. Larger tiles are decoded one by one.
const MAX_PIXELS_AT_ONCE: u64 = 4 * 1024 * 1024;
/// Maximum number of threads.
const MAX_THREADS: usize = 8;

/// How many tiles to decode at the same time: as many as there are processors, if they are small.
pub(super) fn tiles_at_once(coded: &Coded) -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let small = coded.tiles.iter().all(|tile| {
        tile.sides.is_some_and(|(width, height)| {
            u64::from(width) * u64::from(height) <= MAX_PIXELS_AT_ONCE / MAX_THREADS as u64
        })
    });
    if small { processors.min(MAX_THREADS) } else { 1 }
}

/// Decodes the first picture.
pub(super) fn tile(data: Data) -> Result<Frame, DecodeError> {
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
pub(super) struct Frame {
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
