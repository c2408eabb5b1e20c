//! GIF: the first frame that shows something, on its canvas.

use crate::decoded::{DecodeError, Decoded, bounded};
use domain::image::MAX_PIXELS;
use gif::{DecodeOptions, DisposalMethod, Frame, MemoryLimit};
use image::{Rgb, RgbImage};
use std::num::NonZero;

/// Maximum number of frames that are searched for one that shows something. Some animations begin with blank ones.
const MAX_FRAMES: usize = 16;
/// Maximum number of pixels of these frames.
const MAX_FRAME_PIXELS: u64 = 2 * MAX_PIXELS;

const WHITE: Rgb<u8> = Rgb([255; 3]);

/// Decodes a file. The canvas grows to contain the first frame, as in Pillow and browsers. Transparent pixels are white.
pub(super) fn decode(file: &[u8]) -> Result<Decoded, DecodeError> {
    let mut options = DecodeOptions::new();
    options.allow_unknown_blocks(true);
    options.set_memory_limit(NonZero::new(MAX_PIXELS).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    let mut decoder = options.read_info(file).map_err(DecodeError::of)?;
    let mut canvas = RgbImage::new(0, 0);
    let mut pixels = 0;
    let mut incomplete = false;
    for index in 0..MAX_FRAMES {
        let frame = match decoder.next_frame_info() {
            Ok(Some(frame)) => frame.clone(),
            Err(error) if index == 0 => return Err(DecodeError::of(error)),
            Ok(None) if index == 0 => return Err(DecodeError::of("no frames")),
            Ok(None) | Err(_) => break,
        };
        if index == 0 {
            let side = |screen: u16, from: u16, length: u16| {
                u32::from(screen).max(u32::from(from) + u32::from(length))
            };
            let width = side(decoder.width(), frame.left, frame.width);
            let height = side(decoder.height(), frame.top, frame.height);
            if u64::from(width) * u64::from(height) > MAX_PIXELS {
                return Err(DecodeError::of("too many pixels"));
            }
            canvas = RgbImage::from_pixel(width, height, WHITE);
        }
        pixels += u64::from(frame.width) * u64::from(frame.height);
        if pixels > MAX_FRAME_PIXELS {
            break;
        }
        // All pixels of the canvas are equal.
        let before = canvas.pixels().next().copied().unwrap_or(WHITE);
        let mut indices = vec![0; decoder.buffer_size()];
        let damage = decoder.read_into_buffer(&mut indices).err();
        let palette = frame
            .palette
            .as_deref()
            .or(decoder.global_palette())
            .unwrap_or_default();
        draw(&mut canvas, &frame, |at| {
            let index = indices.get(at).copied()?;
            let color = palette.as_chunks().0.get(usize::from(index))?;
            (frame.transparent != Some(index)).then_some(Rgb(*color))
        });
        let is_blank = is_blank(&canvas);
        if let Some(damage) = damage {
            if is_blank && index == 0 {
                return Err(DecodeError::of(damage));
            }
            incomplete = !is_blank;
            break;
        }
        if !is_blank {
            break;
        }
        match frame.dispose {
            DisposalMethod::Background => draw(&mut canvas, &frame, |_| Some(WHITE)),
            DisposalMethod::Previous => canvas.pixels_mut().for_each(|pixel| *pixel = before),
            DisposalMethod::Any | DisposalMethod::Keep => {}
        }
    }
    Ok(Decoded {
        picture: canvas,
        profile: bounded(decoder.icc_profile().map(<[u8]>::to_vec)),
        incomplete,
    })
}

fn is_blank(canvas: &RgbImage) -> bool {
    let mut pixels = canvas.pixels();
    let first = pixels.next();
    pixels.all(|pixel| Some(pixel) == first)
}

/// Draws a frame, as far as it is on the canvas.
fn draw(canvas: &mut RgbImage, frame: &Frame<'_>, color: impl Fn(usize) -> Option<Rgb<u8>>) {
    let width = usize::from(frame.width);
    let rows = canvas.rows_mut().skip(frame.top.into()).take(frame.height.into());
    for (y, row) in rows.enumerate() {
        for (x, pixel) in row.skip(frame.left.into()).take(width).enumerate() {
            if let Some(color) = color(y * width + x) {
                *pixel = color;
            }
        }
    }
}
