//! Files of both formats, good, bad and hostile.

use proptest::prelude::*;

use super::*;
use crate::testing::{jpeg, jpeg_with_orientation, photograph, png, stored_for};

const SAMPLE: &[u8] = include_bytes!("../../../../samples/cat.jpg");

#[test]
fn sides_are_checked_before_any_pixel_is_decoded() {
    // Only the header is there: whoever tried to decode would find the file damaged.
    for (width, height, fits) in [
        (79, 100, false),
        (100, 79, false),
        (80, 80, true),
        (10_000, 80, true),
        (10_001, 80, false),
        (80, 10_001, false),
    ] {
        let mut header = png(&Picture::from_rgb(1, 1, vec![0; 3]));
        header.truncate(33);
        header[16..20].copy_from_slice(&u32::to_be_bytes(width));
        header[20..24].copy_from_slice(&u32::to_be_bytes(height));
        fix_checksum(&mut header);
        let announced = announced_pixels(&header);
        if fits {
            assert_eq!(announced, Ok(u64::from(width) * u64::from(height)));
        } else {
            let large = matches!(announced, Err(PictureError::TooLarge { .. }));
            let small = matches!(announced, Err(PictureError::TooSmall { .. }));
            assert!(
                if width > 79 && height > 79 { large } else { small },
                "{width} x {height}: {announced:?}"
            );
        }
    }
}

/// Sets the checksum of a PNG file's first chunk.
fn fix_checksum(header: &mut [u8]) {
    let mut checksum = u32::MAX;
    for &byte in &header[12..29] {
        checksum ^= u32::from(byte);
        for _ in 0..8 {
            checksum = (checksum >> 1) ^ if checksum & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    header[29..33].copy_from_slice(&(!checksum).to_be_bytes());
}

#[test]
fn a_jpeg_of_the_wrong_size_is_refused_by_name() {
    let size = |width, height| {
        Picture::decode(&jpeg(&Picture::from_rgb(
            width,
            height,
            vec![9; width * height * 3],
        )))
        .map(|_| ())
    };
    assert_eq!(
        size(79, 80),
        Err(PictureError::TooSmall {
            width: 79,
            height: 80
        })
    );
    assert_eq!(
        size(10_001, 80),
        Err(PictureError::TooLarge {
            width: 10_001,
            height: 80
        })
    );
    assert_eq!(size(80, 80), Ok(()));
}

#[test]
fn other_formats_are_refused() {
    for file in [
        &b""[..],
        b"GIF89a\x50\x00\x50\x00",
        b"BM",
        b"hello, I am a text",
        b"RIFF\0\0\0\0WEBP",
    ] {
        assert_eq!(
            Picture::decode(file).map(|_| ()),
            Err(PictureError::UnknownFormat)
        );
    }
}

#[test]
fn a_file_that_ends_early_is_refused_wherever_it_ends() {
    let png = png(&photograph(100, 90));
    for (format, file) in [("JPEG", SAMPLE), ("PNG", &png)] {
        for tenths in 1..10 {
            let error = Picture::decode(&file[..file.len() * tenths / 10]).expect_err("it is cut");
            assert!(
                matches!(error, PictureError::Damaged { .. }),
                "{format} at {tenths}/10: {error}"
            );
        }
        assert!(
            Picture::decode(&file[..file.len() - 3]).is_err(),
            "{format} without its last bytes"
        );
        assert!(
            Picture::decode(&[file, b"trailing bytes"].concat()).is_ok(),
            "{format} with bytes behind it"
        );
    }
}

#[test]
fn every_png_color_type_gives_the_same_picture() {
    let expected = photograph(90, 80);
    let color = |color, depth, samples: Vec<u8>| {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, 90, 80);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder
            .write_header()
            .and_then(|mut writer| writer.write_image_data(&samples))
            .expect("it encodes");
        Picture::decode(&file).expect("it decodes").pixels
    };
    let pixels = || expected.pixels.chunks_exact(3);
    let opaque = pixels().flat_map(|p| [p[0], p[1], p[2], 255]).collect();
    assert_eq!(
        color(ColorType::Rgba, png::BitDepth::Eight, opaque),
        expected.pixels
    );
    let deep = pixels().flatten().flat_map(|&value| [value, value]).collect();
    assert_eq!(
        color(ColorType::Rgb, png::BitDepth::Sixteen, deep),
        expected.pixels
    );
    let gray: Vec<u8> = pixels().map(|p| p[0]).collect();
    let spread: Vec<u8> = gray.iter().flat_map(|&value| [value; 3]).collect();
    assert_eq!(
        color(ColorType::Grayscale, png::BitDepth::Eight, gray.clone()),
        spread
    );
    let clear = gray.iter().flat_map(|&value| [value, 0]).collect();
    assert_eq!(
        color(ColorType::GrayscaleAlpha, png::BitDepth::Eight, clear),
        vec![255; spread.len()]
    );
}

#[test]
fn all_eight_orientations_are_seen_upright() {
    let upright = photograph(120, 96);
    let expected = Picture::decode(&jpeg(&upright)).expect("it decodes");
    for number in 1..=8 {
        let file = jpeg_with_orientation(&stored_for(&upright, number), number);
        let picture = Picture::decode(&file).expect("it decodes");
        assert_eq!(
            (picture.width(), picture.height()),
            (120, 96),
            "orientation {number}"
        );
        let addressing = picture
            .orientation()
            .addressing(picture.stored_width(), picture.stored_height());
        for (x, y) in [(3, 5), (110, 5), (3, 90), (110, 90), (60, 48)] {
            let seen = &picture.pixels[addressing.index(x, y) * 3..][..3];
            let wanted = &expected.pixels[(y * 120 + x) * 3..][..3];
            let difference = seen.iter().zip(wanted).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(
                difference < Some(16),
                "orientation {number} at ({x}, {y}): {seen:?}, not {wanted:?}"
            );
        }
    }
}

#[test]
fn a_nonsensical_orientation_counts_as_upright() {
    let upright = photograph(120, 96);
    for number in [0, 9, 255] {
        let picture = Picture::decode(&jpeg_with_orientation(&upright, number)).expect("it decodes");
        assert_eq!(picture.orientation(), Orientation::UPRIGHT);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Picture::decode(&bytes);
        let _ = Orientation::from_exif_segment(&bytes);
        let _ = Picture::decode(&[b"\xFF\xD8\xFF", bytes.as_slice(), b"\xFF\xD9"].concat());
        let _ = Picture::decode(&[b"\x89PNG\r\n\x1a\n", bytes.as_slice()].concat());
    }

    #[test]
    fn no_damage_makes_it_panic(damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let small = photograph(96, 80);
        for mut file in [jpeg_with_orientation(&small, 6), png(&small)] {
            for (place, byte) in &damage {
                let at = place.index(file.len());
                file[at] = *byte;
            }
            // A damaged header may announce a picture of 100 megapixels: legal, but not for a test.
            if announced_pixels(&file).is_ok_and(|pixels| pixels < 1_000_000) {
                let _ = Picture::decode(&file);
            }
        }
    }
}
