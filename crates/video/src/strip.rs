//! The preview of a video: small frames side by side.

use image::{RgbImage, imageops};
use picture::{Jpeg, PictureError};

/// Maximum number of frames of a strip: 100. With [`STRIP_SIDE`], it has 16,000 pixels, and browsers show up to 16,384.
pub const MAX_STRIP_FRAMES: usize = 100;

/// Maximum width and height of each frame in a strip, in pixels.
pub const STRIP_SIDE: u32 = 160;

/// JPEG quality of 100.
const QUALITY: u8 = 70;

/// Puts JPEGs side by side in one row, from left to right. Each gets the dimensions of the first one. Of more than
/// [`MAX_STRIP_FRAMES`], the rest is ignored; with none, the strip is one black pixel.
///
/// # Errors
/// If one is not a picture.
pub fn strip(frames: &[&[u8]]) -> Result<Jpeg, PictureError> {
    let mut strip: Option<RgbImage> = None;
    let count = frames.len().min(MAX_STRIP_FRAMES);
    for (index, frame) in (0_u32..).zip(&frames[..count]) {
        let pixels = picture::jpeg_pixels(frame)?;
        let sides = match &strip {
            Some(strip) => (strip.width() / count as u32, strip.height()),
            None => picture::fit(pixels.dimensions(), STRIP_SIDE),
        };
        let strip = strip.get_or_insert_with(|| RgbImage::new(sides.0 * count as u32, sides.1));
        let pixels = picture::scaled(pixels, sides);
        imageops::replace(strip, &pixels, i64::from(index * sides.0), 0);
    }
    let strip = strip.unwrap_or_else(|| RgbImage::new(1, 1));
    Ok(picture::encoded(&strip, QUALITY))
}
