//! VP9. Source: VP9 Bitstream and Decoding Process Specification, 6.2 (header) and annex B (superframes).

use super::picture;
use crate::Track;
use crate::error::{FrameError, check_dimensions};
use image::RgbImage;
use picture::coded::{Layout, Sequence, Signal, Tile, UNSPECIFIED, narrowed};
use rusty_vp9::{DecodedFrame, Vp9Decoder};

pub(super) fn decode(track: &Track, frame: &[u8], sides: (u32, u32)) -> Result<RgbImage, FrameError> {
    let damaged = FrameError::Damaged(track.codec);
    let first = first_frame(frame).ok_or(damaged)?;
    let sequence = sequence(first).ok_or(damaged)?;
    check_dimensions(track.codec, (sequence.width, sequence.height))?;
    let mut decoder = Vp9Decoder::new();
    decoder.push(first, None).map_err(|_| damaged)?;
    let decoded = decoder.next_frame().map_err(|_| damaged)?;
    let decoded = Picture::of(decoded).ok_or(damaged)?;
    picture(track, &decoded, &sequence, sides)
}

/// The first frame of a superframe: another one could be of any size. The whole data if it is no superframe.
fn first_frame(data: &[u8]) -> Option<&[u8]> {
    let &marker = data.last()?;
    if marker & 0xE0 != 0xC0 {
        return Some(data);
    }
    let (count, size_bytes) = (usize::from(marker & 7) + 1, usize::from(marker >> 3 & 3) + 1);
    let index_bytes = 2 + count * size_bytes;
    let Some(index) = data.len().checked_sub(index_bytes).map(|from| &data[from..]) else {
        return Some(data);
    };
    if index[0] != marker {
        return Some(data);
    }
    let size = index[1..=size_bytes]
        .iter()
        .rev()
        .fold(0_usize, |size, byte| size << 8 | usize::from(*byte));
    data.get(..size).filter(|frame| !frame.is_empty())
}

/// The start of the header of a key frame. `None` if it is invalid, or this is another frame.
fn sequence(frame: &[u8]) -> Option<Sequence> {
    const RGB: u32 = 7;
    let mut bits = Bits { data: frame, at: 0 };
    if bits.read(2)? != 2 {
        return None;
    }
    let profile = bits.read(1)? | bits.read(1)? << 1;
    if profile == 3 {
        bits.read(1)?;
    }
    let (shows_existing, is_predicted) = (bits.read(1)?, bits.read(1)?);
    let _shown_and_resilient = bits.read(2)?;
    if shows_existing == 1 || is_predicted == 1 || bits.read(24)? != 0x49_83_42 {
        return None;
    }
    if profile >= 2 {
        let _has_12_bits = bits.read(1)?;
    }
    let space = bits.read(3)?;
    let has_subsampling = profile & 1 == 1;
    let full_range = if space == RGB {
        if has_subsampling {
            bits.read(1)?;
        }
        true
    } else {
        let full_range = bits.read(1)? == 1;
        if has_subsampling {
            bits.read(3)?;
        }
        full_range
    };
    let (width, height) = (bits.read(16)? + 1, bits.read(16)? + 1);
    let (primaries, matrix) = match space {
        1 | 3 => (6, 6),
        2 => (1, 1),
        4 => (7, 7),
        5 => (9, 9),
        RGB => (1, 0),
        _ => (UNSPECIFIED, UNSPECIFIED),
    };
    Some(Sequence {
        width,
        height,
        primaries,
        transfer: UNSPECIFIED,
        matrix,
        full_range,
    })
}

struct Bits<'a> {
    data: &'a [u8],
    /// The position in bits.
    at: usize,
}

impl Bits<'_> {
    /// At most 32 bits.
    fn read(&mut self, count: u32) -> Option<u32> {
        let mut value = 0;
        for _ in 0..count {
            let byte = self.data.get(self.at / 8)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Some(value)
    }
}

/// A decoded frame.
struct Picture {
    frame: DecodedFrame,
    layout: Layout,
}

impl Picture {
    /// `None` if planes have not the expected sides.
    fn of(frame: DecodedFrame) -> Option<Self> {
        let layout = match (frame.subsampling_x, frame.subsampling_y) {
            (0, 0) => Layout::Full,
            (1, 0) => Layout::Half,
            (1, 1) => Layout::Quarter,
            // 4:4:0, which no browser plays.
            _ => return None,
        };
        let (across, down) = layout.subsampling();
        let sample_bytes = if frame.bit_depth > 8 { 2 } else { 1 };
        let [width, height] = [frame.width as usize, frame.height as usize];
        let sides = [
            (width, height),
            (width.div_ceil(across), height.div_ceil(down)),
            (width.div_ceil(across), height.div_ceil(down)),
        ];
        let complete = frame.planes.len() == 3
            && frame.strides.len() == 3
            && sides.iter().enumerate().all(|(plane, (width, height))| {
                let stride = frame.strides[plane];
                stride >= width * sample_bytes && frame.planes[plane].len() >= stride * height
            });
        (complete && width > 0 && height > 0).then_some(Self { frame, layout })
    }
}

impl Tile for Picture {
    fn sides(&self) -> (usize, usize) {
        (self.frame.width as usize, self.frame.height as usize)
    }

    fn layout(&self) -> Layout {
        self.layout
    }

    fn signal(&self) -> Signal {
        Signal {
            matrix: UNSPECIFIED.into(),
            full_range: false,
        }
    }

    fn copy(&self, plane: usize, row: usize, column: usize, to: &mut [u8]) {
        let row = &self.frame.planes[plane][row * self.frame.strides[plane]..];
        if self.frame.bit_depth == 8 {
            to.copy_from_slice(&row[column..column + to.len()]);
        } else {
            for (to, from) in to.iter_mut().zip(&row.as_chunks().0[column..]) {
                *to = narrowed(u16::from_le_bytes(*from), self.frame.bit_depth);
            }
        }
    }
}
