//! TIFF of plain colors: its strips or tiles on as many threads as there are processors, each made red, green and blue
//! before the next is read.

use super::{DecodeError, Decoded, bounded};
use crate::Pixels;
use crate::color::over_white;
use domain::image::MAX_PIXELS;
use std::io::Cursor;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;
use tiff::{ColorType, TiffResult};

/// The first picture; `None` where its colors are of a rarer kind: inks, floating point, one plane for each color.
pub(super) fn decode(file: &[u8]) -> Result<Option<Decoded>, DecodeError> {
    let mut decoder = open(file).map_err(DecodeError::of)?;
    let color = decoder.colortype().map_err(DecodeError::of)?;
    let is_plain = matches!(
        color,
        ColorType::Gray(8 | 16) | ColorType::RGB(8 | 16) | ColorType::RGBA(8 | 16)
    );
    if !is_plain || decoder.image_buffer_layout().map_err(DecodeError::of)?.planes != 1 {
        return Ok(None);
    }
    let (width, height) = decoder.dimensions().map_err(DecodeError::of)?;
    let (chunk_width, chunk_height) = decoder.chunk_dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS || chunk_width == 0 || chunk_height == 0 {
        return Err(DecodeError::of("sides that make no sense"));
    }

    let chunks_across = width.div_ceil(chunk_width);
    let row_bytes = width as usize * 3;
    let mut rgb = vec![0; row_bytes * height as usize];
    // One row of tiles, or one strip.
    let bands = rgb.chunks_mut(row_bytes * chunk_height.min(height) as usize);
    let threads = thread::available_parallelism()
        .map_or(1, NonZero::get)
        .min(bands.len());
    let bands = Mutex::new((0_u32..).zip(bands));
    let work = || -> Result<(), DecodeError> {
        let mut decoder = open(file).map_err(DecodeError::of)?;
        loop {
            let next = bands.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((row, band)) = next else {
                return Ok(());
            };
            for column in 0..chunks_across {
                let index = row * chunks_across + column;
                let samples = decoder.read_chunk(index).map_err(DecodeError::of)?;
                let left = (column * chunk_width) as usize * 3;
                let columns = decoder.chunk_data_dimensions(index).0 as usize;
                let rows = band
                    .chunks_mut(row_bytes)
                    .map(|row| &mut row[left..left + columns * 3]);
                convert(color, samples, rows)?;
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(DecodeError::of("a panic"))))
    })?;
    Ok(Some(Decoded {
        pixels: Pixels { width, height, rgb },
        profile: bounded(decoder.get_tag_u8_vec(Tag::IccProfile).ok()),
    }))
}

fn open(file: &[u8]) -> TiffResult<Decoder<Cursor<&[u8]>>> {
    let mut limits = Limits::default();
    // A file may be one single strip, with four samples of two bytes for each pixel.
    limits.decoding_buffer_size = usize::try_from(8 * MAX_PIXELS).unwrap_or(usize::MAX);
    limits.intermediate_buffer_size = limits.decoding_buffer_size;
    Ok(Decoder::new(Cursor::new(file))?.with_limits(limits))
}

fn convert<'a>(
    color: ColorType,
    samples: DecodingResult,
    rows: impl Iterator<Item = &'a mut [u8]>,
) -> Result<(), DecodeError> {
    match (color, samples) {
        (ColorType::Gray(8), DecodingResult::U8(samples)) => fill(rows, &samples, |[gray]| [gray; 3]),
        (ColorType::RGB(8), DecodingResult::U8(samples)) => fill(rows, &samples, |rgb| rgb),
        (ColorType::RGBA(8), DecodingResult::U8(samples)) => fill(rows, &samples, mixed),
        (ColorType::Gray(16), DecodingResult::U16(samples)) => {
            fill(rows, &samples, |[gray]| [upper(gray); 3]);
        }
        (ColorType::RGB(16), DecodingResult::U16(samples)) => {
            fill(rows, &samples, |rgb: [u16; 3]| rgb.map(upper));
        }
        (ColorType::RGBA(16), DecodingResult::U16(samples)) => {
            fill(rows, &samples, |rgba: [u16; 4]| mixed(rgba.map(upper)));
        }
        _ => return Err(DecodeError::of("samples of another kind")),
    }
    Ok(())
}

fn fill<'a, S: Copy, const CHANNELS: usize>(
    rows: impl Iterator<Item = &'a mut [u8]>,
    samples: &[S],
    rgb: impl Fn([S; CHANNELS]) -> [u8; 3],
) {
    let mut pixels = samples.as_chunks().0.iter();
    for row in rows {
        for (pixel, samples) in row.as_chunks_mut().0.iter_mut().zip(&mut pixels) {
            *pixel = rgb(*samples);
        }
    }
}

fn mixed([red, green, blue, alpha]: [u8; 4]) -> [u8; 3] {
    [red, green, blue].map(|value| over_white(value, alpha))
}

fn upper(sample: u16) -> u8 {
    (sample >> 8) as u8
}
