//! Scales and turns pictures.

use domain::Orientation;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8, U8x3};
use fast_image_resize::{FilterType, PixelTrait, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage};

/// Scales sides so that the longer one is at most `longest`. Never enlarges, and never returns 0.
pub fn fit((width, height): (u32, u32), longest: u32) -> (u32, u32) {
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

/// Scales a picture. Takes the picture by value, to free its memory early.
pub fn scaled(picture: RgbImage, (width, height): (u32, u32)) -> RgbImage {
    let from = picture.dimensions();
    if from == (width, height) {
        return picture;
    }
    let mut scaled = RgbImage::new(width, height);
    resize::<U8x3>(&picture, from, &mut scaled, (width, height));
    scaled
}

/// Scales a plane of one sample a pixel.
pub(crate) fn scaled_plane(samples: Vec<u8>, from: (u32, u32), to: (u32, u32)) -> Vec<u8> {
    if from == to {
        return samples;
    }
    let mut scaled = vec![0; to.0 as usize * to.1 as usize];
    resize::<U8>(&samples, from, &mut scaled, to);
    scaled
}

/// Scales with an antialiasing bicubic filter. The type of the pixels is known at compile time: [`Resizer::resize`] would
/// add code for 13 types to this crate, which takes a minute to optimize.
fn resize<P: PixelTrait>(source: &[u8], from: (u32, u32), target: &mut [u8], to: (u32, u32)) {
    let source = TypedImageRef::<P>::from_buffer(from.0, from.1, source).expect("the samples fit the sides");
    let mut target = TypedImage::<P>::from_buffer(to.0, to.1, target).expect("the samples fit the sides");
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom));
    Resizer::new()
        .resize_typed(&source, &mut target, &options)
        .expect("without cropping, every size is valid");
}

/// Turns and mirrors a stored picture as its orientation says.
pub fn upright(picture: RgbImage, orientation: Orientation) -> RgbImage {
    let Some(orientation) = image::metadata::Orientation::from_exif(orientation.number()) else {
        return picture;
    };
    let mut picture = DynamicImage::from(picture);
    picture.apply_orientation(orientation);
    picture.into_rgb8()
}
