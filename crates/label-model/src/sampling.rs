//! From a picture to the models' inputs: squares of a fixed size, with one plane each for red, green and blue.

use crate::geometry::BoundingBox;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::RgbImage;

/// Side of the detector's input, in pixels.
pub const DETECTOR_SIDE: usize = 300;
/// Side of the classifier's input, in pixels.
pub const CLASSIFIER_SIDE: usize = 224;

/// The detector's input, `[3, 300, 300]`, `x / 127.5 - 1`: the whole picture, scaled to a square.
///
/// Interpolates between the four pixels around `i * n / 300`, without a half-pixel offset and without an antialiasing
/// filter. TensorFlow scaled the detector's training pictures this way, and a smoother filter loses detections.
pub fn detector_input(picture: &RgbImage) -> Vec<f32> {
    let (columns, rows) = (taps(picture.width()), taps(picture.height()));
    let row_bytes = picture.width() as usize * 3;
    let pixels = picture.as_raw();
    let plane = DETECTOR_SIDE * DETECTOR_SIDE;
    let mut input = vec![0.0; 3 * plane];
    for (y, row) in rows.iter().enumerate() {
        for (x, column) in columns.iter().enumerate() {
            let corner = |column: usize, row: usize| row * row_bytes + column * 3;
            let (top_left, top_right) = (corner(column.near, row.near), corner(column.far, row.near));
            let (bottom_left, bottom_right) = (corner(column.near, row.far), corner(column.far, row.far));
            for channel in 0..3 {
                let value = |corner: usize| f32::from(pixels[corner + channel]);
                let mix = |from: f32, to: f32, weight: f32| from + (to - from) * weight;
                let left = mix(value(top_left), value(bottom_left), row.weight);
                let right = mix(value(top_right), value(bottom_right), row.weight);
                input[channel * plane + y * DETECTOR_SIDE + x] =
                    mix(left, right, column.weight) / 127.5 - 1.0;
            }
        }
    }
    input
}

/// Two neighboring columns or rows, and the weight of the second one.
struct Tap {
    near: usize,
    far: usize,
    weight: f32,
}

fn taps(side: u32) -> Vec<Tap> {
    let side = side as usize;
    (0..DETECTOR_SIDE)
        .map(|index| {
            let position = index as f32 * (side as f32 / DETECTOR_SIDE as f32);
            let near = (position as usize).min(side - 1);
            Tap {
                near,
                far: (near + 1).min(side - 1),
                weight: position - near as f32,
            }
        })
        .collect()
}

/// The classifier's input, `[3, 224, 224]`, `(x - 127) / 128`: a part of the picture, scaled to a square with an
/// antialiasing bicubic filter.
pub fn classifier_input(picture: &RgbImage, part: &BoundingBox) -> Vec<f32> {
    let square = scaled_to_square(picture, part);
    let plane = CLASSIFIER_SIDE * CLASSIFIER_SIDE;
    let mut input = vec![0.0; 3 * plane];
    for (index, pixel) in square.as_chunks::<3>().0.iter().enumerate() {
        for (channel, value) in pixel.iter().enumerate() {
            input[channel * plane + index] = (f32::from(*value) - 127.0) / 128.0;
        }
    }
    input
}

/// The largest centered square of the picture.
pub fn center_square(picture: &RgbImage) -> BoundingBox {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let side = width.min(height);
    BoundingBox {
        left: (1.0 - side / width) / 2.0,
        top: (1.0 - side / height) / 2.0,
        width: side / width,
        height: side / height,
    }
}

/// RGB, 3 bytes a pixel, [`CLASSIFIER_SIDE`] pixels a side.
fn scaled_to_square(picture: &RgbImage, part: &BoundingBox) -> Vec<u8> {
    // In steps of 1/256 pixel, which add up without rounding errors. At least one pixel wide: a part can be thinner.
    let span = |from: f32, to: f32, side: u32| {
        let side = f64::from(side);
        let snap = |fraction: f32| (f64::from(fraction) * side * 256.0).round() / 256.0;
        let start = snap(from).clamp(0.0, side - 1.0);
        (start, snap(to).clamp(start + 1.0, side) - start)
    };
    let (left, crop_width) = span(part.left, part.right(), picture.width());
    let (top, crop_height) = span(part.top, part.bottom(), picture.height());
    // The type of the pixels is known at compile time: `Resizer::resize` would add code for 13 types to this crate, which
    // takes a minute to optimize.
    let source = TypedImageRef::<U8x3>::from_buffer(picture.width(), picture.height(), picture.as_raw())
        .expect("an RgbImage has three bytes a pixel");
    let side = CLASSIFIER_SIDE as u32;
    let mut pixels = vec![0; CLASSIFIER_SIDE * CLASSIFIER_SIDE * 3];
    let mut target =
        TypedImage::<U8x3>::from_buffer(side, side, &mut pixels).expect("the buffer has three bytes a pixel");
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(FilterType::CatmullRom))
        .crop(left, top, crop_width, crop_height)
        .use_alpha(false);
    Resizer::new()
        .resize_typed(&source, &mut target, &options)
        .expect("the part lies inside the picture");
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;
    use proptest::prelude::*;

    #[test]
    fn detector_samples_without_half_pixel_offset() {
        // Gray grows by one from column to column, so a sample's value shows its position.
        let picture = RgbImage::from_fn(201, 100, |x, _| Rgb([x as u8; 3]));
        let input = detector_input(&picture);
        for column in [0, 1, 150, 298] {
            let expected = column as f32 * 201.0 / 300.0;
            let value = (input[150 * DETECTOR_SIDE + column] + 1.0) * 127.5;
            assert!(
                (value - expected).abs() < 1e-3,
                "column {column}: {value}, not {expected}"
            );
        }
    }

    #[test]
    fn scales_values_to_the_ranges_that_the_models_were_trained_with() {
        let gray = |value| RgbImage::from_pixel(100, 100, Rgb([value; 3]));
        assert_eq!(detector_input(&gray(255))[0], 1.0);
        assert_eq!(detector_input(&gray(0))[0], -1.0);
        assert_eq!(classifier_input(&gray(127), &BoundingBox::WHOLE)[0], 0.0);
        assert_eq!(classifier_input(&gray(255), &BoundingBox::WHOLE)[0], 1.0);
    }

    #[test]
    fn planes_are_red_green_blue() {
        let picture = RgbImage::from_pixel(100, 100, Rgb([200, 100, 50]));
        let input = classifier_input(&picture, &BoundingBox::WHOLE);
        let plane = CLASSIFIER_SIDE * CLASSIFIER_SIDE;
        assert_eq!(
            [input[0], input[plane], input[2 * plane]].map(|x| x * 128.0 + 127.0),
            [200.0, 100.0, 50.0]
        );
    }

    proptest! {
        #[test]
        fn classifier_input_accepts_any_part_of_a_picture(
            corners in [0.0_f32..=1.0, 0.0_f32..=1.0, 0.0_f32..=1.0, 0.0_f32..=1.0],
            width in 80_u32..300,
            height in 80_u32..300,
        ) {
            let [x0, y0, x1, y1] = corners;
            if let Some(part) = BoundingBox::from_corners(x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1)) {
                let picture = RgbImage::from_fn(width, height, |x, y| Rgb([x as u8, y as u8, (x * y / 255) as u8]));
                let input = classifier_input(&picture, &part.grown(0.1));
                prop_assert!(input.iter().all(|value| (-1.0..=1.0).contains(value)));
            }
        }
    }
}
