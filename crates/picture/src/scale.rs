//! Scaling and turning.

use crate::Pixels;
use domain::Orientation;
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

/// The sides of a picture whose longer one is at most `longest`; never enlarged, and never without a pixel.
pub(crate) fn fit((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let longer = width.max(height).max(1);
    if longer <= longest {
        return (width, height);
    }
    let side = |side: u32| {
        let rounded = (u64::from(side) * u64::from(longest) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(rounded).map_or(longest, |side| side.max(1))
    };
    (side(width), side(height))
}

/// Scaled to these sides. Takes the pixels, so that none are held longer than needed.
pub(crate) fn scaled(pixels: Pixels, (width, height): (u32, u32)) -> Pixels {
    Pixels {
        width,
        height,
        rgb: resized(
            pixels.rgb,
            PixelType::U8x3,
            (pixels.width, pixels.height),
            (width, height),
        ),
    }
}

/// Samples of some kind, scaled from these sides to those with an antialiased bicubic filter.
pub(crate) fn resized(samples: Vec<u8>, kind: PixelType, from: (u32, u32), to: (u32, u32)) -> Vec<u8> {
    if from == to {
        return samples;
    }
    let source =
        ImageRef::new(from.0, from.1, &samples, kind).expect("as many samples as pixels of this kind");
    let mut target = Image::new(to.0, to.1, kind);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("both are of the same kind");
    target.into_vec()
}

/// Turned and mirrored as it is to be seen.
pub(crate) fn upright(pixels: Pixels, orientation: Orientation) -> Pixels {
    if orientation == Orientation::UPRIGHT {
        return pixels;
    }
    let (stored_width, stored_height) = (pixels.width as usize, pixels.height as usize);
    let (width, height) = orientation.seen((pixels.width, pixels.height));
    let mut rgb = Vec::with_capacity(pixels.rgb.len());
    for y in 0..height as usize {
        for x in 0..width as usize {
            let (column, row) = match orientation.number() {
                2 => (stored_width - 1 - x, y),
                3 => (stored_width - 1 - x, stored_height - 1 - y),
                4 => (x, stored_height - 1 - y),
                5 => (y, x),
                6 => (y, stored_height - 1 - x),
                7 => (stored_width - 1 - y, stored_height - 1 - x),
                8 => (stored_width - 1 - y, x),
                _ => (x, y),
            };
            rgb.extend_from_slice(&pixels.rgb[(row * stored_width + column) * 3..][..3]);
        }
    }
    Pixels { width, height, rgb }
}
