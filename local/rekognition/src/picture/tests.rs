//! Valid, invalid and hostile files of both formats.

use super::*;
use crate::testing::{jpeg, jpeg_with_orientation, photograph, png, stored_for, tiff_with_orientation};
use image::{DynamicImage, GrayAlphaImage, ImageBuffer, LumaA, Rgb};
use label_model::geometry::BoundingBox;
use label_model::sampling::{classifier_input, detector_input};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;

const SAMPLE: &[u8] = include_bytes!("../../../../samples/cat.jpg");

fn decoded(file: &[u8]) -> Result<RgbImage, PictureError> {
    decode_here(file, &header(file)?)
}

#[test]
fn checks_sides_before_decoding_any_pixel() {
    // The files have only a header: decoding them would fail.
    for (width, height, expected) in [
        (79, 100, Err(PictureError::TooSmall(79, 100))),
        (100, 79, Err(PictureError::TooSmall(100, 79))),
        (80, 80, Ok((80, 80))),
        (10_000, 80, Ok((10_000, 80))),
        (10_001, 80, Err(PictureError::TooLarge(10_001, 80))),
        (80, 10_001, Err(PictureError::TooLarge(80, 10_001))),
    ] {
        let mut file = png(RgbImage::new(1, 1));
        file.truncate(33);
        file[16..20].copy_from_slice(&u32::to_be_bytes(width));
        file[20..24].copy_from_slice(&u32::to_be_bytes(height));
        assert_eq!(
            header(&file).map(|header| (header.width, header.height)),
            expected
        );
    }
}

#[test]
fn rejects_a_jpeg_outside_the_size_limits() {
    let size = |width, height| decoded(&jpeg(&RgbImage::new(width, height))).map(|_| ());
    assert_eq!(size(79, 80), Err(PictureError::TooSmall(79, 80)));
    assert_eq!(size(10_001, 80), Err(PictureError::TooLarge(10_001, 80)));
    assert_eq!(size(80, 80), Ok(()));
}

#[test]
fn rejects_other_formats() {
    for file in [
        &b""[..],
        b"GIF89a\x50\x00\x50\x00",
        b"BM",
        b"hello, I am a text",
        b"RIFF\0\0\0\0WEBP",
    ] {
        assert_eq!(decoded(file), Err(PictureError::UnsupportedFormat));
    }
}

#[test]
fn rejects_a_truncated_file_and_accepts_trailing_bytes() {
    let png = png(photograph(100, 90));
    for (format, file) in [("JPEG", SAMPLE), ("PNG", &png)] {
        for tenths in 1..10 {
            let truncated = &file[..file.len() * tenths / 10];
            assert_eq!(
                decoded(truncated),
                Err(PictureError::Damaged),
                "{format} at {tenths}/10"
            );
        }
        assert_eq!(
            decoded(&file[..file.len() - 3]),
            Err(PictureError::Damaged),
            "{format} without its last bytes"
        );
        assert!(
            decoded(&[file, b"trailing bytes"].concat()).is_ok(),
            "{format} with bytes after its end"
        );
    }
}

#[test]
fn decodes_every_png_color_type() {
    let expected = photograph(90, 80);
    let decoded = |image: DynamicImage| decoded(&png(image)).expect("it decodes");
    assert_eq!(
        decoded(DynamicImage::from(expected.clone()).to_rgba8().into()),
        expected
    );
    let deep = ImageBuffer::from_fn(90, 80, |x, y| {
        Rgb(expected
            .get_pixel(x, y)
            .0
            .map(|value| u16::from_be_bytes([value; 2])))
    });
    assert_eq!(decoded(DynamicImage::ImageRgb16(deep)), expected);
    let gray = DynamicImage::from(expected).to_luma8();
    let spread = RgbImage::from_fn(90, 80, |x, y| Rgb([gray.get_pixel(x, y).0[0]; 3]));
    assert_eq!(decoded(gray.clone().into()), spread);
    let clear = GrayAlphaImage::from_fn(90, 80, |x, y| LumaA([gray.get_pixel(x, y).0[0], 0]));
    assert_eq!(decoded(clear.into()), RgbImage::from_pixel(90, 80, Rgb([255; 3])));
}

#[test]
fn applies_all_eight_orientations_of_a_jpeg() {
    let upright = photograph(120, 96);
    let expected = decoded(&jpeg(&upright)).expect("it decodes");
    for number in 1..=8 {
        let file = jpeg_with_orientation(&stored_for(&upright, number), number);
        let picture = decoded(&file).expect("it decodes");
        assert_eq!(picture.dimensions(), (120, 96), "orientation {number}");
        for (x, y) in [(3, 5), (110, 5), (3, 90), (110, 90), (60, 48)] {
            let (found, wanted) = (picture.get_pixel(x, y).0, expected.get_pixel(x, y).0);
            let difference = found.iter().zip(wanted).map(|(a, b)| a.abs_diff(b)).max();
            assert!(
                difference < Some(16),
                "orientation {number} at ({x}, {y}): {found:?}, not {wanted:?}"
            );
        }
    }
}

#[test]
fn ignores_the_orientation_of_a_png() {
    let mut file = png(photograph(120, 96));
    let exif = tiff_with_orientation(6);
    let mut chunk = u32::to_be_bytes(exif.len() as u32).to_vec();
    chunk.extend(b"eXIf");
    chunk.extend(&exif);
    chunk.extend(crc32(&chunk[4..]).to_be_bytes());
    // After the signature and the first chunk.
    file.splice(33..33, chunk);
    let found = look(&Pieces::all(&file));
    assert!(matches!(found, Ok(Look::Found(header)) if header.orientation.number() == 6));
    assert_eq!(decoded(&file), Ok(photograph(120, 96)));
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut checksum = u32::MAX;
    for &byte in bytes {
        checksum ^= u32::from(byte);
        for _ in 0..8 {
            checksum = (checksum >> 1) ^ if checksum & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    !checksum
}

#[test]
fn an_invalid_orientation_counts_as_upright() {
    let upright = photograph(120, 96);
    for number in [0, 9, 255] {
        let header = header(&jpeg_with_orientation(&upright, number)).expect("it is valid");
        assert_eq!((header.orientation.number(), header.width), (1, 120));
    }
}

#[test]
fn the_models_inputs_are_the_same_for_every_orientation() {
    let upright = photograph(320, 200);
    let part = BoundingBox {
        left: 0.1,
        top: 0.3,
        width: 0.4,
        height: 0.5,
    };
    let inputs = |number| {
        let file = jpeg_with_orientation(&stored_for(&upright, number), number);
        let picture = decoded(&file).expect("it decodes");
        (detector_input(&picture), classifier_input(&picture, &part))
    };
    let expected = inputs(1);
    for number in 2..=8 {
        let found = inputs(number);
        for (name, a, b) in [
            ("detector", &expected.0, &found.0),
            ("classifier", &expected.1, &found.1),
        ] {
            let difference: f32 = a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32;
            // JPEG stores a rotated picture with small differences. A wrong rotation differs by 0.3 and more.
            assert!(difference < 0.02, "{name}, orientation {number}: {difference}");
        }
    }
}

proptest! {
    // The same inputs in each run: a panic of a decoder that others maintain must not fail the tests of another change.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = decoded(&bytes);
        let _ = decoded(&[b"\xFF\xD8\xFF", bytes.as_slice(), b"\xFF\xD9"].concat());
        let _ = decoded(&[b"\x89PNG\r\n\x1a\n", bytes.as_slice()].concat());
        let _ = has_end_of_png(&bytes);
    }

    #[test]
    fn a_damaged_file_does_not_panic(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let small = photograph(96, 80);
        for mut file in [jpeg_with_orientation(&small, 6), png(small)] {
            for (place, byte) in &damage {
                let at = place.index(file.len());
                file[at] = *byte;
            }
            // A damaged header can claim 100 megapixels, which are allowed but take too long for a test.
            if let Ok(header) = header(&file)
                && header.width * header.height < 1_000_000
            {
                let _ = decode_here(&file, &header);
            }
        }
    }
}
