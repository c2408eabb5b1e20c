//! AV1, the coded data of AVIF and of many WebM files. `re_rav1d` is used without its assembly, which needs another build tool.

mod sequence;

use super::planes::{Layout, Signal, Tile, narrowed};
use super::{Data, Sequence, UNSPECIFIED};
use crate::decoded::DecodeError;
use re_rav1d::dav1d::pixel::YUVRange;
use re_rav1d::dav1d::{Decoder, Error, Picture, PixelLayout, PlanarImageComponent, Settings};
use std::num::NonZero;
use std::thread;

/// Maximum number of threads. Each takes memory, and one picture does not keep more of them busy.
const MAX_THREADS: usize = 8;

/// Maximum number of OBUs. Each tile of a frame can have one.
const MAX_UNITS: usize = 8_192;

/// Decodes the first frame. A panic in one of the decoder's threads makes it wait forever: only a limit on the time of the
/// whole process ends that.
///
/// # Errors
/// If the data is invalid, has no frame that is shown, or the frame has too many pixels.
pub fn frame(mut data: Data) -> Result<Frame, DecodeError> {
    let first = first_picture(&data.bytes).ok_or_else(|| DecodeError::of("invalid OBUs"))?;
    data.bytes.truncate(first.length);
    Ok(Frame {
        picture: first_frame(data).map_err(DecodeError::of)?,
        matrix: first.sequence.map_or(UNSPECIFIED, |sequence| sequence.matrix),
    })
}

#[derive(Default)]
struct FirstPicture {
    /// Bytes.
    length: usize,
    sequence: Option<Sequence>,
}

/// The sequence header that the first frame uses. `None` if there is none.
pub fn sequence(data: &[u8]) -> Option<Sequence> {
    first_picture(data)?.sequence
}

/// The data up to its second frame: a picture has one, or one for each of at most four layers in ascending order. More
/// would be decoded before the first one that is shown, and each can be as large as the picture. `None` if units are
/// invalid or too many. Source: AV1 Bitstream Specification, 5.3.
fn first_picture(data: &[u8]) -> Option<FirstPicture> {
    const SEQUENCE_HEADER: u8 = 1;
    const FRAME_HEADER: u8 = 3;
    const TILE_GROUP: u8 = 4;
    const FRAME: u8 = 6;
    let mut first = FirstPicture::default();
    let mut last_layer = None;
    let mut frame_header = None;
    let mut rest = data;
    for _ in 0..MAX_UNITS {
        let at = data.len() - rest.len();
        let Some((header, after)) = rest.split_first() else {
            first.length = data.len();
            return Some(first);
        };
        let (kind, has_extension, has_size) = (header >> 3 & 15, header & 4 != 0, header & 2 != 0);
        let layer = if has_extension { after.first()? >> 3 & 3 } else { 0 };
        let frame = match kind {
            FRAME => Some(at),
            FRAME_HEADER => {
                frame_header = Some(at);
                None
            }
            // A header without tiles shows a frame again.
            TILE_GROUP => frame_header.take(),
            _ => None,
        };
        if let Some(length) = frame {
            if last_layer.is_some_and(|last| layer <= last) {
                first.length = length;
                return Some(first);
            }
            last_layer = Some(layer);
        }
        rest = after.get(usize::from(has_extension)..)?;
        if !has_size {
            // To the end of the data.
            first.length = data.len();
            return Some(first);
        }
        let mut size = 0_u64;
        for shift in 0..8 {
            let (byte, after) = rest.split_first()?;
            rest = after;
            size |= u64::from(byte & 0x7F) << (7 * shift);
            if byte & 0x80 == 0 {
                break;
            }
        }
        if kind == SEQUENCE_HEADER && last_layer.is_none() {
            first.sequence = sequence::read(rest);
        }
        // What is missing of the last unit is the decoder's problem.
        rest = usize::try_from(size)
            .ok()
            .and_then(|size| rest.get(size..))
            .unwrap_or_default();
    }
    None
}

fn first_frame(data: Data) -> Result<Picture, Error> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let mut settings = Settings::new();
    settings.set_n_threads(u32::try_from(processors.min(MAX_THREADS)).unwrap_or(1));
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_frame_size_limit(u32::try_from(data.max_pixels).unwrap_or(u32::MAX));
    let mut decoder = Decoder::with_settings(&settings)?;
    let mut sent = decoder.send_data(data.bytes, None, None, None);
    loop {
        match decoder.get_picture() {
            // The decoder has not accepted all of the data yet.
            Err(Error::Again) if sent == Err(Error::Again) => sent = decoder.send_pending_data(),
            result => return result,
        }
    }
}

/// A decoded frame.
pub struct Frame {
    picture: Picture,
    /// The number in ITU-T H.273. The decoder's own accessor panics if it is the reserved 3.
    matrix: u8,
}

const COMPONENTS: [PlanarImageComponent; 3] = [
    PlanarImageComponent::Y,
    PlanarImageComponent::U,
    PlanarImageComponent::V,
];

impl Tile for Frame {
    fn sides(&self) -> (usize, usize) {
        (self.picture.width() as usize, self.picture.height() as usize)
    }

    fn layout(&self) -> Layout {
        match self.picture.pixel_layout() {
            PixelLayout::I400 => Layout::Gray,
            PixelLayout::I420 => Layout::Quarter,
            PixelLayout::I422 => Layout::Half,
            PixelLayout::I444 => Layout::Full,
        }
    }

    fn signal(&self) -> Signal {
        Signal {
            matrix: match self.matrix {
                known @ (0 | 1 | 9) => known.into(),
                _ => 6,
            },
            full_range: self.picture.color_range() == YUVRange::Full,
        }
    }

    fn copy(&self, plane: usize, row: usize, column: usize, to: &mut [u8]) {
        let component = COMPONENTS[plane];
        let (stride, _) = self.picture.plane_data_geometry(component);
        let bits = self.picture.bit_depth();
        let samples = self.picture.plane(component);
        let row = &samples[row * stride as usize..];
        if bits == 8 {
            to.copy_from_slice(&row[column..column + to.len()]);
        } else {
            for (to, from) in to.iter_mut().zip(&row.as_chunks().0[column..]) {
                *to = narrowed(u16::from_ne_bytes(*from), bits as u32);
            }
        }
    }
}
