//! From a picture to the models' inputs: squares of a fixed size, one plane for each of red, green and blue.

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};

use crate::geometry::BoundingBox;
use crate::picture::Picture;

/// Side of the detector's input in pixels.
pub const DETECTOR_SIDE: usize = 300;
/// Side of the classifier's input in pixels.
pub const CLASSIFIER_SIDE: usize = 224;

/// The detector's input, [3, 300, 300], `x / 127.5 - 1`: the whole picture, squashed.
///
/// Bilinear between four neighbors, from the pixel at `i * n / 300` on, without half-pixel offset and without
/// averaging over what lies between: how TensorFlow resized the pictures that the detector learned from. Anything
/// smoother costs it detections.
pub fn detector_input(picture: &Picture) -> Vec<f32> {
    struct Tap {
        near: usize,
        far: usize,
        weight: f32,
    }
    let taps = |size: usize| -> Vec<Tap> {
        (0..DETECTOR_SIDE)
            .map(|index| {
                let position = index as f32 * (size as f32 / DETECTOR_SIDE as f32);
                let near = (position as usize).min(size - 1);
                Tap {
                    near,
                    far: (near + 1).min(size - 1),
                    weight: position - near as f32,
                }
            })
            .collect()
    };
    let (columns, rows) = (taps(picture.width()), taps(picture.height()));
    let addressing = picture
        .orientation()
        .addressing(picture.stored_width(), picture.stored_height());
    let pixels = picture.stored_pixels();
    let plane = DETECTOR_SIDE * DETECTOR_SIDE;
    let mut input = vec![0.0; 3 * plane];
    for (y, row) in rows.iter().enumerate() {
        for (x, column) in columns.iter().enumerate() {
            let corner = |x, y| addressing.index(x, y) * 3;
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

/// The classifier's input, [3, 224, 224], `(x - 127) / 128`: a part of the picture, squashed to a square with an
/// antialiased bicubic filter.
pub fn classifier_input(picture: &Picture, part: &BoundingBox) -> Vec<f32> {
    let square = resized(
        picture,
        part,
        CLASSIFIER_SIDE,
        CLASSIFIER_SIDE,
        FilterType::CatmullRom,
    );
    let addressing = picture.orientation().addressing(CLASSIFIER_SIDE, CLASSIFIER_SIDE);
    let plane = CLASSIFIER_SIDE * CLASSIFIER_SIDE;
    let mut input = vec![0.0; 3 * plane];
    for y in 0..CLASSIFIER_SIDE {
        for x in 0..CLASSIFIER_SIDE {
            let pixel = addressing.index(x, y) * 3;
            for channel in 0..3 {
                let value = f32::from(square[pixel + channel]);
                input[channel * plane + y * CLASSIFIER_SIDE + x] = (value - 127.0) / 128.0;
            }
        }
    }
    input
}

/// The largest centered square of the picture.
pub fn center_square(picture: &Picture) -> BoundingBox {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    let side = width.min(height);
    BoundingBox {
        left: (1.0 - side / width) / 2.0,
        top: (1.0 - side / height) / 2.0,
        width: side / width,
        height: side / height,
    }
}

/// A part of the picture, given as seen, resized to `width` x `height` RGB pixels that lie as stored.
pub fn resized(
    picture: &Picture,
    part: &BoundingBox,
    width: usize,
    height: usize,
    filter: FilterType,
) -> Vec<u8> {
    let (stored_width, stored_height) = (picture.stored_width() as f64, picture.stored_height() as f64);
    let orientation = picture.orientation();
    let (x0, y0) = orientation.stored_point(f64::from(part.left), f64::from(part.top));
    let (x1, y1) = orientation.stored_point(f64::from(part.right()), f64::from(part.bottom()));
    // In steps of 1/256 pixel, which add up without rounding errors, and at least one pixel wide: a part can be
    // thinner than that.
    let span = |from: f64, to: f64, size: f64| {
        let snap = |fraction: f64| (fraction * size * 256.0).round() / 256.0;
        let start = snap(from.min(to)).clamp(0.0, size - 1.0);
        (start, snap(from.max(to)).clamp(start + 1.0, size) - start)
    };
    let (left, crop_width) = span(x0, x1, stored_width);
    let (top, crop_height) = span(y0, y1, stored_height);
    let source = ImageRef::new(
        picture.stored_width() as u32,
        picture.stored_height() as u32,
        picture.stored_pixels(),
        PixelType::U8x3,
    )
    .expect("a picture has three bytes a pixel");
    let mut target = Image::new(width as u32, height as u32, PixelType::U8x3);
    let options = ResizeOptions::new()
        .resize_alg(ResizeAlg::Convolution(filter))
        .crop(left, top, crop_width, crop_height)
        .use_alpha(false);
    Resizer::new()
        .resize(&source, &mut target, &options)
        .expect("the part lies inside the picture");
    target.into_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{jpeg_with_orientation, photograph, stored_for};

    #[test]
    fn the_detector_samples_without_half_pixel_offset() {
        // Gray grows by one from column to column, so that a sample's value tells where it was taken.
        let (width, height) = (201, 100);
        let pixels = (0..height)
            .flat_map(|_| (0..width).flat_map(|x| [x as u8; 3]))
            .collect();
        let input = detector_input(&Picture::from_rgb(width, height, pixels));
        for column in [0, 1, 150, 298] {
            let taken_at = column as f32 * 201.0 / 300.0;
            let value = (input[150 * DETECTOR_SIDE + column] + 1.0) * 127.5;
            assert!(
                (value - taken_at).abs() < 1e-3,
                "column {column}: {value}, not {taken_at}"
            );
        }
    }

    #[test]
    fn inputs_are_scaled_as_the_models_learned_them() {
        let gray = |value| Picture::from_rgb(100, 100, vec![value; 100 * 100 * 3]);
        assert_eq!(detector_input(&gray(255))[0], 1.0);
        assert_eq!(detector_input(&gray(0))[0], -1.0);
        assert_eq!(classifier_input(&gray(127), &BoundingBox::WHOLE)[0], 0.0);
        assert_eq!(classifier_input(&gray(255), &BoundingBox::WHOLE)[0], 1.0);
    }

    #[test]
    fn planes_are_red_green_blue() {
        let pixels = [200, 100, 50].repeat(100 * 100);
        let input = classifier_input(&Picture::from_rgb(100, 100, pixels), &BoundingBox::WHOLE);
        let plane = CLASSIFIER_SIDE * CLASSIFIER_SIDE;
        assert_eq!(
            [input[0], input[plane], input[2 * plane]].map(|x| x * 128.0 + 127.0),
            [200.0, 100.0, 50.0]
        );
    }

    #[test]
    fn both_inputs_show_the_same_whatever_the_orientation() {
        let upright = photograph(320, 200);
        let part = BoundingBox {
            left: 0.1,
            top: 0.3,
            width: 0.4,
            height: 0.5,
        };
        let inputs = |number| {
            let file = jpeg_with_orientation(&stored_for(&upright, number), number);
            let picture = Picture::decode(&file).expect("it decodes");
            (detector_input(&picture), classifier_input(&picture, &part))
        };
        let expected = inputs(1);
        for number in 2..=8 {
            let seen = inputs(number);
            for (name, a, b) in [
                ("detector", &expected.0, &seen.0),
                ("classifier", &expected.1, &seen.1),
            ] {
                let difference: f32 =
                    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32;
                // JPEG itself stores a turned picture a little differently; another turn differs by 0.3 and more.
                assert!(difference < 0.02, "{name}, orientation {number}: {difference}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_part_is_out_of_reach(
            corners in [0.0_f32..=1.0, 0.0_f32..=1.0, 0.0_f32..=1.0, 0.0_f32..=1.0],
            width in 80_usize..300,
            height in 80_usize..300,
            number in 1_u8..=8,
        ) {
            let [x0, y0, x1, y1] = corners;
            if let Some(part) = BoundingBox::from_corners(x0.min(x1), y0.min(y1), x0.max(x1), y0.max(y1)) {
                let file = jpeg_with_orientation(&stored_for(&photograph(width, height), number), number);
                let picture = Picture::decode(&file).expect("it decodes");
                let input = classifier_input(&picture, &part.grown(0.1));
                prop_assert!(input.iter().all(|value| (-1.0..=1.0).contains(value)));
            }
        }
    }
}
