//! Converts files of every format. Most files are encoded here, and `fixtures/` has those that the available encoders
//! cannot produce; `tests/pictures/make_heic.py` makes those of HEIC. All show the same flag of 120 x 90 pixels: the top left quarter is red, the bottom right quarter is
//! green, and the others are blue.
//!
//! These are integration tests, so that the optimized library is compiled once and not again for its unit tests.

use domain::image::rekognition;
use domain::{Format, Metadata, Orientation};
use image::codecs::gif::GifEncoder;
use image::{DynamicImage, ImageFormat, RgbImage};
use picture::{Jpeg, PictureError, THUMBNAIL_SIDES, rendition_sides};
use picture_header::Header;
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::io::Cursor;
use tiff::encoder::colortype::RGB8;
use tiff::encoder::{Compression, TiffEncoder};

const RED: [u8; 3] = [220, 30, 30];
const GREEN: [u8; 3] = [30, 200, 60];
const BLUE: [u8; 3] = [20, 60, 120];

/// 2 x 2 tiles of 64 x 64 pixels, each of one color.
const GRID_AVIF: &[u8] = include_bytes!("fixtures/grid.avif");
const GRAY_AVIF: &[u8] = include_bytes!("fixtures/gray.avif");
const HALF_TRANSPARENT_AVIF: &[u8] = include_bytes!("fixtures/half-transparent.avif");
const CMYK_JPEG: &[u8] = include_bytes!("fixtures/cmyk.jpg");
const CMYK_TIFF: &[u8] = include_bytes!("fixtures/cmyk.tif");
const HALF_CHROMA_HEIC: &[u8] = include_bytes!("fixtures/half-chroma.heic");
const FULL_CHROMA_HEIC: &[u8] = include_bytes!("fixtures/full-chroma.heic");
const GRAY_HEIC: &[u8] = include_bytes!("fixtures/gray.heic");
/// 2 x 2 tiles of 64 x 64 pixels, of which the picture shows 120 x 90.
const GRID_HEIC: &[u8] = include_bytes!("fixtures/grid.heic");
const HALF_TRANSPARENT_HEIC: &[u8] = include_bytes!("fixtures/half-transparent.heic");
const TEN_BITS_HEIC: &[u8] = include_bytes!("fixtures/ten-bits.heic");
const TRANSPOSED_HEIC: &[u8] = include_bytes!("fixtures/transposed.heic");
const UPRIGHT_HEIC: &[u8] = include_bytes!("fixtures/upright.heic");
const INTERLACED_PNG: &[u8] = include_bytes!("fixtures/interlaced.png");
const LOSSY_WEBP: &[u8] = include_bytes!("fixtures/lossy.webp");
/// An animation of 21 frames. Only the first one shows the flag.
const SEQUENCE_AVIF: &[u8] = include_bytes!("fixtures/sequence.avif");
const TEN_BITS_AVIF: &[u8] = include_bytes!("fixtures/ten-bits.avif");
/// Tiles of 64 x 32 pixels. The last ones extend beyond the picture.
const TILES_TIFF: &[u8] = include_bytes!("fixtures/tiles.tif");
const TRANSPOSED_AVIF: &[u8] = include_bytes!("../../picture-header/src/fixtures/transposed.avif");
const UPRIGHT_AVIF: &[u8] = include_bytes!("../../picture-header/src/fixtures/upright.avif");

fn rendition(file: &[u8]) -> Result<Jpeg, PictureError> {
    picture::rendition(file).map(|converted| converted.result)
}

fn thumbnails(file: &[u8]) -> Result<[Jpeg; THUMBNAIL_SIDES.len()], PictureError> {
    picture::thumbnails(file).map(|converted| converted.result)
}

fn flag(width: u32, height: u32) -> DynamicImage {
    DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| {
        image::Rgb(match (x < width / 2, y < height / 2) {
            (true, true) => RED,
            (false, false) => GREEN,
            _ => BLUE,
        })
    }))
}

fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn jpeg(image: &DynamicImage, change: impl FnOnce(&mut jpeg_encoder::Encoder<&mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 92);
    change(&mut encoder);
    let (width, height) = (image.width() as u16, image.height() as u16);
    match image {
        DynamicImage::ImageLuma8(gray) => {
            encoder
                .encode(gray.as_raw(), width, height, jpeg_encoder::ColorType::Luma)
                .unwrap();
        }
        _ => {
            let rgb = image.to_rgb8();
            encoder
                .encode(rgb.as_raw(), width, height, jpeg_encoder::ColorType::Rgb)
                .unwrap();
        }
    }
    bytes
}

/// A TIFF with one page for each picture, in LZW and strips of seven rows. The last strip is shorter.
fn pages(pictures: &[DynamicImage]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes)
        .unwrap()
        .with_compression(Compression::Lzw);
    for picture in pictures {
        let mut page = encoder
            .new_image::<RGB8>(picture.width(), picture.height())
            .unwrap();
        page.rows_per_strip(7).unwrap();
        page.write_data(picture.to_rgb8().as_raw()).unwrap();
    }
    bytes.into_inner()
}

/// EXIF with one entry: the orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif
}

fn pixels(jpeg: &Jpeg) -> RgbImage {
    // Thumbnails can be smaller than what `look` accepts.
    let header = Header {
        format: Format::Jpeg,
        width: jpeg.width,
        height: jpeg.height,
        orientation: Orientation::UPRIGHT,
        metadata: Metadata::default(),
        preview: None,
    };
    picture::pixels(&jpeg.bytes, &header).unwrap().result
}

/// The colors in the middle of the quarters: top left, top right, bottom left, bottom right.
fn quarters(jpeg: &Jpeg) -> [[u8; 3]; 4] {
    let image = pixels(jpeg);
    let (width, height) = image.dimensions();
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| image.get_pixel(width * x / 4, height * y / 4).0)
}

#[track_caller]
fn assert_shows(what: &str, jpeg: &Jpeg, expected: [[u8; 3]; 4], tolerance: u8) {
    let seen = quarters(jpeg);
    let near = seen
        .as_flattened()
        .iter()
        .zip(expected.as_flattened())
        .all(|(a, b)| a.abs_diff(*b) <= tolerance);
    assert!(near, "{what}: {seen:?}, not {expected:?}");
}

const FLAG: [[u8; 3]; 4] = [RED, BLUE, BLUE, GREEN];

fn one_of_each() -> Vec<(&'static str, Vec<u8>)> {
    let flag = flag(120, 90);
    vec![
        ("baseline JPEG", jpeg(&flag, |_| {})),
        (
            "progressive JPEG",
            jpeg(&flag, |encoder| encoder.set_progressive(true)),
        ),
        ("CMYK JPEG", CMYK_JPEG.to_vec()),
        ("PNG", file(&flag, ImageFormat::Png)),
        ("interlaced PNG", INTERLACED_PNG.to_vec()),
        ("PNG of 16 bits", file(&flag.to_rgb16().into(), ImageFormat::Png)),
        ("lossless WebP", file(&flag, ImageFormat::WebP)),
        ("lossy WebP", LOSSY_WEBP.to_vec()),
        ("GIF", file(&flag, ImageFormat::Gif)),
        ("BMP", file(&flag, ImageFormat::Bmp)),
        ("TIFF", file(&flag, ImageFormat::Tiff)),
        (
            "TIFF of 16 bits",
            file(&flag.to_rgb16().into(), ImageFormat::Tiff),
        ),
        ("CMYK TIFF", CMYK_TIFF.to_vec()),
        ("TIFF of strips", pages(&[flag])),
        ("TIFF of tiles", TILES_TIFF.to_vec()),
        ("AVIF", UPRIGHT_AVIF.to_vec()),
        ("AVIF of 10 bits", TEN_BITS_AVIF.to_vec()),
        ("AVIF of many frames", SEQUENCE_AVIF.to_vec()),
        ("HEIC", UPRIGHT_HEIC.to_vec()),
        ("HEIC of 4:2:2", HALF_CHROMA_HEIC.to_vec()),
        ("HEIC of 4:4:4", FULL_CHROMA_HEIC.to_vec()),
        ("HEIC of 10 bits", TEN_BITS_HEIC.to_vec()),
        ("HEIC of tiles", GRID_HEIC.to_vec()),
    ]
}

#[test]
fn converts_every_format_to_a_jpeg_that_shows_the_same() {
    for (what, file) in one_of_each() {
        let jpeg = rendition(&file).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((jpeg.width, jpeg.height), (120, 90), "{what}");
        assert_shows(what, &jpeg, FLAG, 12);
    }
}

#[test]
fn converts_gray_to_rgb_and_transparency_to_white() {
    let flag = flag(120, 90);
    let gray = |color: [u8; 3]| {
        let [red, green, blue] = color.map(f64::from);
        [(0.2126 * red + 0.7152 * green + 0.0722 * blue) as u8; 3]
    };
    let luma: DynamicImage = flag.to_luma8().into();
    let luma_16: DynamicImage = flag.to_luma16().into();
    for (what, file) in [
        ("gray JPEG", jpeg(&luma, |_| {})),
        ("gray PNG", file(&luma, ImageFormat::Png)),
        ("gray PNG of 16 bits", file(&luma_16, ImageFormat::Png)),
        ("gray TIFF of 16 bits", file(&luma_16, ImageFormat::Tiff)),
        ("gray AVIF", GRAY_AVIF.to_vec()),
        ("gray HEIC", GRAY_HEIC.to_vec()),
    ] {
        assert_shows(what, &rendition(&file).unwrap(), FLAG.map(gray), 8);
    }

    let half = |color: [u8; 3]| color.map(|value| u8::midpoint(value, 255));
    let mut rgba = flag.to_rgba8();
    rgba.pixels_mut().for_each(|pixel| pixel.0[3] = 128);
    let rgba: DynamicImage = rgba.into();
    for (what, file) in [
        ("PNG", file(&rgba, ImageFormat::Png)),
        ("WebP", file(&rgba, ImageFormat::WebP)),
        ("TIFF", file(&rgba, ImageFormat::Tiff)),
        ("AVIF", HALF_TRANSPARENT_AVIF.to_vec()),
        ("HEIC", HALF_TRANSPARENT_HEIC.to_vec()),
    ] {
        assert_shows(what, &rendition(&file).unwrap(), FLAG.map(half), 12);
    }
    let gray_16 = file(&rgba.to_luma_alpha16().into(), ImageFormat::Png);
    assert_shows(
        "gray PNG with alpha of 16 bits",
        &rendition(&gray_16).unwrap(),
        FLAG.map(gray).map(half),
        8,
    );
}

/// Turns the flag so that it is upright when a viewer applies this EXIF orientation.
fn stored_for(flag: &DynamicImage, orientation: u8) -> DynamicImage {
    match orientation {
        2 => flag.fliph(),
        3 => flag.rotate180(),
        4 => flag.flipv(),
        5 => flag.rotate90().fliph(),
        6 => flag.rotate270(),
        7 => flag.rotate90().flipv(),
        8 => flag.rotate90(),
        _ => flag.clone(),
    }
}

#[test]
fn decodes_the_preview_of_a_raw_file_upright() {
    let preview = jpeg(&stored_for(&flag(120, 90), 6), |encoder| {
        encoder.add_app_segment(1, exif(6)).unwrap();
    });
    let mut raf = b"FUJIFILMCCD-RAW ".to_vec();
    raf.resize(84, 0);
    raf.extend([0, 0, 0, 200]);
    raf.extend((preview.len() as u32).to_be_bytes());
    raf.resize(200, 0);
    raf.extend(&preview);
    // The sensor data.
    raf.resize(raf.len() + 10_000, 1);
    let rendition = rendition(&raf).unwrap();
    assert_eq!((rendition.width, rendition.height), (120, 90));
    assert_shows("rendition", &rendition, FLAG, 12);
    let [small, _] = thumbnails(&raf).unwrap();
    assert_shows("thumbnail", &small, FLAG, 16);
}

#[test]
fn applies_all_eight_orientations() {
    for orientation in 1..=8 {
        let stored = stored_for(&flag(120, 90), orientation);
        let file = jpeg(&stored, |encoder| {
            encoder.add_app_segment(1, exif(orientation)).unwrap();
        });
        let rendition = rendition(&file).unwrap();
        assert_eq!((rendition.width, rendition.height), (120, 90), "{orientation}");
        assert_shows(&format!("orientation {orientation}"), &rendition, FLAG, 12);
        let [small, _] = thumbnails(&file).unwrap();
        assert_shows(&format!("thumbnail of {orientation}"), &small, FLAG, 16);
    }
    for (what, file) in [("AVIF", TRANSPOSED_AVIF), ("HEIC", TRANSPOSED_HEIC)] {
        let transposed = rendition(file).unwrap();
        assert_eq!((transposed.width, transposed.height), (120, 90));
        assert_shows(what, &transposed, FLAG, 12);
    }
}

#[test]
fn assembles_the_tiles_of_an_avif_grid() {
    let grid = rendition(GRID_AVIF).unwrap();
    assert_eq!((grid.width, grid.height), (128, 128));
    assert_shows("grid", &grid, FLAG, 12);
}

fn position(file: &[u8], part: &[u8]) -> usize {
    file.windows(part.len()).position(|bytes| bytes == part).unwrap()
}

/// Replaces the `pixi` property of a HEIF file with one picture, which nobody needs.
fn with_property(file: &[u8], name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let boxes = picture_header::heif_boxes(file).unwrap();
    let (from, _) = boxes.extents(&boxes.color.tiles[0])[0];
    let add = |bytes: &mut [u8], number: usize| {
        let old = u32::from_be_bytes(bytes[..4].try_into().unwrap());
        bytes[..4].copy_from_slice(&(old + number as u32).to_be_bytes());
    };
    let size = content.len() + 8;
    let grown = size - 16;
    let mut file = file.to_vec();
    for parent in [b"meta", b"iprp", b"ipco"] {
        let at = position(&file, parent);
        add(&mut file[at - 4..], grown);
    }
    let locations = position(&file, b"iloc");
    let offset = locations + position(&file[locations..], &(from as u32).to_be_bytes());
    add(&mut file[offset..], grown);
    let pixi = position(&file, b"pixi") - 4;
    let property = [&(size as u32).to_be_bytes()[..], name, content].concat();
    file.splice(pixi..pixi + 16, property);
    file
}

#[test]
fn shows_the_clean_aperture_of_a_heic_picture() {
    // 80 x 80 pixels, 20 to the right of the center and 5 below it.
    let numbers = [80_u32, 1, 80, 1, 20, 1, 5, 1];
    let clap = numbers.map(u32::to_be_bytes).concat();
    let cropped = rendition(&with_property(UPRIGHT_HEIC, b"clap", &clap)).unwrap();
    assert_eq!((cropped.width, cropped.height), (80, 80));
    let image = pixels(&cropped);
    // Columns 40 to 119 and rows 10 to 89: the quarters meet at (20, 35).
    for ((x, y), expected) in [
        ((10, 15), RED),
        ((50, 15), BLUE),
        ((10, 60), BLUE),
        ((50, 60), GREEN),
    ] {
        let seen = image.get_pixel(x, y).0;
        assert!(
            seen.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 12),
            "{x}, {y}: {seen:?}, not {expected:?}"
        );
    }
}

/// The parts of the first frame of [`SEQUENCE_AVIF`]: what precedes it, and the content of its OBU.
fn first_frame() -> (Vec<u8>, Vec<u8>) {
    let start = position(SEQUENCE_AVIF, b"\x12\0\x0A\x0D");
    // A temporal delimiter and a sequence header, then a frame of 106 bytes.
    let (head, frame) = SEQUENCE_AVIF[start..].split_at(17);
    assert_eq!(frame[..2], [0x32, 106]);
    (head.to_vec(), frame[2..108].to_vec())
}

/// The same frame, hidden and stored in this slot. Source: AV1 Bitstream Specification, 5.9.2.
fn hidden(frame: &[u8], slot: u8, can_be_shown: bool) -> Vec<u8> {
    let bits = |bytes: &[u8]| -> Vec<u8> {
        bytes
            .iter()
            .flat_map(|byte| (0..8).rev().map(move |bit| byte >> bit & 1))
            .collect()
    };
    let frame = bits(frame);
    let mut changed = Vec::new();
    // A new key frame that is not shown: showable_frame, no error_resilient_mode.
    changed.extend([0, 0, 0, 0, u8::from(can_be_shown), 0]);
    changed.extend(&frame[4..7]);
    // frame_size_override_flag, and the rest up to the order hint.
    changed.push(1);
    changed.extend(&frame[8..15]);
    // refresh_frame_flags, then the sides minus one in seven bits each.
    changed.extend(bits(&[1 << slot]));
    changed.extend(&bits(&[119 << 1])[..7]);
    changed.extend(&bits(&[89 << 1])[..7]);
    changed.extend(&frame[15..]);
    changed
        .chunks(8)
        .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit))
        .collect()
}

fn unit(header: u8, content: &[u8]) -> Vec<u8> {
    [&[header, content.len() as u8][..], content].concat()
}

/// An AVIF picture with this data.
fn avif_of(data: &[u8]) -> Vec<u8> {
    let boxes = picture_header::heif_boxes(SEQUENCE_AVIF).unwrap();
    let (from, length) = boxes.extents(&boxes.color.tiles[0])[0];
    let mut file = SEQUENCE_AVIF.to_vec();
    let location = position(
        &file,
        &[from, length]
            .map(|number| (number as u32).to_be_bytes())
            .concat(),
    );
    let new = [file.len(), data.len()]
        .map(|number| (number as u32).to_be_bytes())
        .concat();
    file[location..location + 8].copy_from_slice(&new);
    file.extend(data);
    file
}

/// The sequence header can state any number of a matrix. Source: AV1 Bitstream Specification, 5.5.2.
#[test]
fn reads_the_matrix_of_an_avif_and_shows_a_reserved_one() {
    let with_matrix = |matrix: u8| {
        let mut file = UPRIGHT_AVIF.to_vec();
        // The container would take precedence.
        let color = position(&file, b"colr");
        file[color..color + 4].copy_from_slice(b"free");
        // The number has seven bits of one byte and one of the next.
        let at = position(&file, &[0x86, 0x83, 0x42]) + 1;
        file[at] = 0x80 | matrix >> 1;
        file[at + 1] = matrix << 7 | file[at + 1] & 0x7F;
        rendition(&file).unwrap()
    };
    assert_shows("BT.601", &with_matrix(6), FLAG, 12);
    for reserved in [3, 15, 255] {
        assert_shows("reserved", &with_matrix(reserved), FLAG, 12);
    }
    // With another matrix, the same data have other colors.
    let [red, ..] = quarters(&with_matrix(1));
    assert!(
        red.iter().zip(RED).any(|(seen, other)| seen.abs_diff(other) > 12),
        "{red:?}"
    );
}

#[test]
fn decodes_one_frame_of_an_avif_picture_and_never_hidden_ones_before_it() {
    let (head, frame) = first_frame();
    let shown = unit(0x32, &frame);
    assert_shows(
        "as it was",
        &rendition(&avif_of(&[&head[..], &shown].concat())).unwrap(),
        FLAG,
        12,
    );
    // The decoder keeps eight frames, each with up to 150 megapixels.
    for count in [1, 8, 150] {
        let mut data = head.clone();
        for slot in 0..count {
            data.extend(unit(0x32, &hidden(&frame, slot % 8, false)));
        }
        data.extend(&shown);
        assert_eq!(
            rendition(&avif_of(&data)),
            Err(PictureError::Undecodable("AVIF")),
            "{count}"
        );
    }
    // One hidden frame, and the command to show it.
    let show = unit(0x1A, &[0b1000_1000]);
    let data = [head, unit(0x32, &hidden(&frame, 0, true)), show].concat();
    assert_shows("shown later", &rendition(&avif_of(&data)).unwrap(), FLAG, 12);
}

/// The header's sides are checked against the limits, so data with other sides escapes them.
#[test]
fn rejects_data_with_more_pixels_than_the_header_states() {
    for (format, file) in [
        (
            "AVIF",
            include_bytes!("../../../tests/pictures/cat.avif").to_vec(),
        ),
        ("HEIC", include_bytes!("fixtures/large-data.heic").to_vec()),
    ] {
        assert!(rendition(&file).is_ok(), "{format}");
        let mut file = file;
        let sides = position(&file, b"ispe") + 8;
        file[sides..sides + 8].copy_from_slice(&[100_u32, 100].map(u32::to_be_bytes).concat());
        assert_eq!(rendition(&file), Err(PictureError::Undecodable(format)));
    }
}

#[test]
fn thumbnails_keep_the_aspect_ratio_and_are_never_enlarged() {
    for ((width, height), expected) in [
        ((2_000, 1_500), [(320, 240), (1_280, 960)]),
        ((1_500, 2_000), [(240, 320), (960, 1_280)]),
        ((800, 90), [(320, 36), (800, 90)]),
        ((120, 90), [(120, 90), (120, 90)]),
        ((15_000, 80), [(320, 2), (1_280, 7)]),
    ] {
        let file = file(&flag(width, height), ImageFormat::Png);
        let made = thumbnails(&file).unwrap().map(|jpeg| {
            assert!(pixels(&jpeg).dimensions() == (jpeg.width, jpeg.height));
            (jpeg.width, jpeg.height)
        });
        assert_eq!(made, expected);
    }
}

#[test]
fn a_rendition_is_within_rekognitions_limits() {
    assert_eq!(rendition_sides((12_000, 9_000)), Some((1_920, 1_440)));
    assert_eq!(rendition_sides((640, 480)), Some((640, 480)));
    assert_eq!(rendition_sides((20_000, 600)), Some((2_667, 80)));
    assert_eq!(rendition_sides((20_000, 200)), Some((8_000, 80)));
    assert_eq!(rendition_sides((12_499, 100)), Some((10_000, 80)));
    assert_eq!(rendition_sides((13_000, 100)), None);
    let panorama = file(&flag(12_000, 100), ImageFormat::Png);
    let jpeg = rendition(&panorama).unwrap();
    assert_eq!((jpeg.width, jpeg.height), (9_600, 80));
    let narrow = rendition(&file(&flag(80, 13_000), ImageFormat::Png)).unwrap_err();
    assert_eq!(
        narrow.to_string(),
        "This picture is 80 × 13000 pixels. Crop it: the longer side can be at most 125 times the shorter one."
    );
}

#[test]
fn a_rendition_of_noise_has_fewer_bytes_than_rekognitions_limit() {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let noise = RgbImage::from_fn(4_096, 4_096, |_, _| image::Rgb([noise(), noise(), noise()]));
    let jpeg = rendition(&file(&noise.into(), ImageFormat::Bmp)).unwrap();
    assert!(
        jpeg.bytes.len() as u64 <= rekognition::MAX_BYTES,
        "{} bytes",
        jpeg.bytes.len()
    );
}

#[test]
fn removes_all_metadata() {
    let secret = b"51.5074 N, 0.1278 W";
    let file = jpeg(&flag(120, 90), |encoder| {
        encoder
            .add_app_segment(1, [&exif(6)[..], secret].concat())
            .unwrap();
        encoder.add_app_segment(13, secret.to_vec()).unwrap();
    });
    assert!(file.windows(secret.len()).any(|bytes| bytes == secret));
    let [small, large] = thumbnails(&file).unwrap();
    for made in [rendition(&file).unwrap(), small, large] {
        assert!(
            !made
                .bytes
                .windows(4)
                .any(|bytes| bytes == b"Exif" || bytes == b"51.5")
        );
    }
}

#[test]
fn applies_a_color_profile_and_ignores_an_invalid_one() {
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let with_profile = |profile: &[u8]| {
        rendition(&jpeg(&flag(120, 90), |encoder| {
            encoder.add_icc_profile(profile).unwrap();
        }))
        .unwrap()
    };
    let [red, ..] = quarters(&with_profile(&profile));
    // Display P3's red is more saturated than any red of sRGB.
    assert!(red[0] > 228 && red[1] < 20, "{red:?}");
    let with_profile_in_box = [&b"prof"[..], &profile].concat();
    for file in [UPRIGHT_AVIF, UPRIGHT_HEIC] {
        let [red, ..] = quarters(&rendition(&with_property(file, b"colr", &with_profile_in_box)).unwrap());
        assert!(red[0] > 228 && red[1] < 20, "{red:?}");
    }
    let gray = moxcms::ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
    let mut for_cmyk = profile.clone();
    for_cmyk[16..20].copy_from_slice(b"CMYK");
    let mut wrong_length = profile.clone();
    wrong_length[..4].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut endless_tags = profile[..200].to_vec();
    endless_tags[128..132].copy_from_slice(&u32::MAX.to_be_bytes());
    for invalid in [
        &b"no profile"[..],
        &profile[..200],
        &[0xFF; 3_000],
        &gray,
        &for_cmyk,
        &endless_tags,
    ] {
        assert_shows("an invalid profile", &with_profile(invalid), FLAG, 12);
    }
    // Decoders can accept or ignore this profile. Either way, the picture is converted.
    let [red, ..] = quarters(&with_profile(&wrong_length));
    assert!(red[0] > 200 && red[1] < 50, "{red:?}");
    let mut png = file(&flag(120, 90), ImageFormat::Png);
    let garbage = png_chunk(b"iCCP", b"a name\0\0and no zlib behind it");
    png.splice(33..33, garbage);
    assert_shows("an invalid profile in a PNG", &rendition(&png).unwrap(), FLAG, 12);
}

fn png_chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    chunk.extend(name);
    chunk.extend(content);
    // The CRC of the name and the content.
    let mut sum = u32::MAX;
    for byte in &chunk[4..] {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ if sum & 1 == 1 { 0xEDB8_8320 } else { 0 };
        }
    }
    chunk.extend((!sum).to_be_bytes());
    chunk
}

#[test]
fn converts_a_picture_with_invalid_exif() {
    let circle = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08".to_vec();
    let absurd = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\xFF\xFF\xFF\xFF\0\0\0\x08\0\0\0\0".to_vec();
    let garbage = [&b"Exif\0\0"[..], &[0xA5; 65_000]].concat();
    for (what, exif) in [("circle", circle), ("absurd", absurd), ("garbage", garbage)] {
        let jpeg = jpeg(&flag(120, 90), |encoder| {
            encoder.add_app_segment(1, exif).unwrap();
        });
        assert_shows(what, &rendition(&jpeg).unwrap(), FLAG, 12);
        let exif = png_chunk(b"eXIf", &jpeg[12..200]);
        let mut png = file(&flag(120, 90), ImageFormat::Png);
        png.splice(33..33, exif);
        assert_shows(what, &rendition(&png).unwrap(), FLAG, 12);
    }
}

/// An animation: the flag, then this many white frames.
fn animated_webp(more_frames: usize) -> Vec<u8> {
    let frame = |picture: &DynamicImage| {
        // After RIFF's header comes one chunk, VP8L: the picture.
        let picture = &file(picture, ImageFormat::WebP)[12..];
        let mut frame = vec![0; 6];
        frame.extend([119, 0, 0, 89, 0, 0, 100, 0, 0, 0]);
        frame.extend(picture);
        frame
    };
    let white = frame(&RgbImage::from_pixel(120, 90, image::Rgb([255; 3])).into());
    let mut chunks = vec![
        (b"VP8X", vec![2, 0, 0, 0, 119, 0, 0, 89, 0, 0]),
        (b"ANIM", vec![0; 6]),
        (b"ANMF", frame(&flag(120, 90))),
    ];
    chunks.extend(std::iter::repeat_n((b"ANMF", white), more_frames));
    let mut body = b"WEBP".to_vec();
    for (name, content) in chunks {
        body.extend(name);
        body.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        body.extend(&content);
        body.extend(vec![0; content.len() & 1]);
    }
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes
}

fn animated_gif(more_frames: usize) -> Vec<u8> {
    let gif = |frames: &[&DynamicImage]| {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        for frame in frames {
            encoder.encode_frame(image::Frame::new(frame.to_rgba8())).unwrap();
        }
        drop(encoder);
        // Without the trailer byte.
        bytes.truncate(bytes.len() - 1);
        bytes
    };
    let (flag, white) = (
        flag(120, 90),
        RgbImage::from_pixel(120, 90, image::Rgb([255; 3])).into(),
    );
    let first = gif(&[&flag]);
    // Encoding is slow, so the second frame is encoded once and repeated.
    let second = &gif(&[&flag, &white])[first.len()..];
    [&first[..], &second.repeat(more_frames), b";"].concat()
}

#[test]
fn reads_only_the_first_of_many_frames() {
    let white: DynamicImage = RgbImage::from_pixel(120, 90, image::Rgb([255; 3])).into();
    let mut all_pages = vec![white; 200];
    all_pages[0] = flag(120, 90);
    let boxes = picture_header::heif_boxes(SEQUENCE_AVIF).unwrap();
    let (from, length) = boxes.extents(&boxes.color.tiles[0])[0];
    for (what, file, first_ends) in [
        ("GIF", animated_gif(3_000), animated_gif(0).len()),
        ("WebP", animated_webp(3_000), animated_webp(0).len()),
        ("TIFF", pages(&all_pages), pages(&all_pages[..1]).len()),
        ("AVIF", SEQUENCE_AVIF.to_vec(), (from + length) as usize),
    ] {
        assert_shows(what, &rendition(&file).unwrap(), FLAG, 12);
        // Everything after the first frame is garbage.
        let mut broken = file;
        broken[first_ends..].fill(0xA5);
        assert_shows(what, &rendition(&broken).unwrap(), FLAG, 12);
    }
}

#[test]
fn a_truncated_file_is_rejected_or_converted() {
    for (what, file) in one_of_each() {
        for tenth in 0..10 {
            match rendition(&file[..file.len() * tenth / 10]) {
                Ok(jpeg) => assert_eq!((jpeg.width, jpeg.height), (120, 90), "{what}, {tenth}"),
                Err(
                    PictureError::Header(_) | PictureError::Undecodable(_) | PictureError::UnsupportedKind(_),
                ) => {}
                Err(error) => panic!("{what}, {tenth}: {error}"),
            }
        }
    }
}

#[test]
fn a_header_followed_by_the_body_of_another_format_does_not_panic() {
    let files = one_of_each();
    for (_, head) in &files {
        for (_, body) in &files {
            let cut = 40.min(head.len()).min(body.len());
            let _ = rendition(&[&head[..cut], &body[cut..]].concat());
        }
    }
}

/// The start of the flag in a damaged file. Its end can have any color.
#[track_caller]
fn assert_shows_the_start(what: &str, file: &[u8]) {
    let converted = picture::rendition(file).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(
        (converted.result.width, converted.result.height),
        (120, 90),
        "{what}"
    );
    let [red, blue, ..] = quarters(&converted.result);
    for (seen, expected) in red.iter().chain(&blue).zip(RED.iter().chain(&BLUE)) {
        assert!(seen.abs_diff(*expected) <= 40, "{what}: {red:?}, {blue:?}");
    }
}

#[test]
fn shows_the_start_of_truncated_pictures_and_says_that_they_are_incomplete() {
    let flag = flag(120, 90);
    let baseline = jpeg(&flag, |_| {});
    let progressive = jpeg(&flag, |encoder| encoder.set_progressive(true));
    let without_end = &baseline[..baseline.len() - 2];
    let gif = file(&flag, ImageFormat::Gif);
    for (what, file) in [
        ("baseline JPEG", &baseline[..baseline.len() - 200]),
        ("JPEG without its end", without_end),
        ("progressive JPEG", &progressive[..progressive.len() - 200]),
        ("GIF", &gif[..gif.len() - 60]),
    ] {
        assert_shows_the_start(what, file);
        assert!(picture::rendition(file).unwrap().incomplete, "{what}");
    }
    // Nothing of the pixels is left.
    let scan = position(&baseline, &[0xFF, 0xDA]);
    assert_eq!(
        rendition(&baseline[..scan + 20]),
        Err(PictureError::Undecodable("JPEG"))
    );
}

#[test]
fn shows_the_rows_that_a_truncated_bmp_has() {
    let bmp = file(&flag(120, 90), ImageFormat::Bmp);
    let start = bmp.len() - 90 * 360;
    let rows = |file: &[u8]| picture::rendition(file).unwrap();
    // Rows begin at the bottom. Two thirds of them are there, and a part of the next.
    let cut = rows(&bmp[..start + 60 * 360 + 100]);
    assert!(cut.incomplete);
    assert_shows_in(
        &cut.result,
        [
            (20, 12, [255; 3]),
            (20, 75, BLUE),
            (100, 75, GREEN),
            (20, 38, RED),
        ],
    );
    // The same, from the top.
    let mut from_the_top = bmp.clone();
    from_the_top[22..26].copy_from_slice(&(-90_i32).to_le_bytes());
    let cut = rows(&from_the_top[..start + 60 * 360]);
    assert!(cut.incomplete);
    assert_shows_in(
        &cut.result,
        [
            (20, 78, [255; 3]),
            (20, 12, BLUE),
            (100, 12, GREEN),
            (20, 52, RED),
        ],
    );
    assert_eq!(
        rendition(&bmp[..start + 100]),
        Err(PictureError::Undecodable("BMP"))
    );
    assert!(!rows(&bmp).incomplete);
    // The position of the pixels is gigabytes after the end.
    let mut far = bmp;
    far[10..14].fill(0xFF);
    assert_eq!(rendition(&far), Err(PictureError::Undecodable("BMP")));
}

/// Run lengths of 8 bits: each row has two runs of 60 pixels and the end of the row.
#[test]
fn shows_the_start_of_a_truncated_bmp_with_run_lengths() {
    let mut bmp = b"BM\0\0\0\0\0\0\0\0\x42\0\0\0".to_vec();
    bmp.extend([40, 0, 0, 0, 120, 0, 0, 0, 90, 0, 0, 0, 1, 0, 8, 0, 1]);
    bmp.resize(46, 0);
    bmp.extend([3, 0, 0, 0, 0, 0, 0, 0]);
    for [red, green, blue] in [RED, BLUE, GREEN] {
        bmp.extend([blue, green, red, 0]);
    }
    for y in 0..90 {
        let [left, right] = if y < 45 { [1, 2] } else { [0, 1] };
        bmp.extend([60, left, 60, right, 0, 0]);
    }
    let whole = [&bmp[..], &[0, 1]].concat();
    assert_shows("whole", &rendition(&whole).unwrap(), FLAG, 12);
    for missing in 180..190 {
        let cut = picture::rendition(&bmp[..bmp.len() - missing]).unwrap();
        assert!(cut.incomplete);
        assert_shows_in(&cut.result, [(20, 75, BLUE), (100, 75, GREEN), (20, 38, RED)]);
    }
}

/// Checks the colors of these pixels.
#[track_caller]
fn assert_shows_in<const N: usize>(jpeg: &Jpeg, expected: [(u32, u32, [u8; 3]); N]) {
    let image = pixels(jpeg);
    for (x, y, expected) in expected {
        let seen = image.get_pixel(x, y).0;
        assert!(
            seen.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 12),
            "{x}, {y}: {seen:?}, not {expected:?}"
        );
    }
}

#[test]
fn shows_the_rest_of_a_damaged_jpeg() {
    let mut file = jpeg(&flag(120, 90), |encoder| encoder.set_restart_interval(4));
    let scan = position(&file, &[0xFF, 0xDA]) + 14;
    // The last eighth is garbage.
    let from = scan + (file.len() - scan) * 7 / 8;
    let to = file.len() - 2;
    file[from..to].fill(0xFE);
    assert_shows_the_start("damaged", &file);
}

/// Cameras write restart markers so that only a part of a damaged picture is lost.
#[test]
fn shows_all_but_the_damaged_rows_of_a_jpeg_with_restart_markers() {
    for (what, picture) in [
        ("color", flag(120, 90)),
        ("gray", DynamicImage::ImageLuma8(flag(120, 90).to_luma8())),
    ] {
        let of = |jpeg: &[u8]| picture::rendition(jpeg).unwrap();
        let is_gray = what == "gray";
        let units = if is_gray { 15 } else { 8 };
        let file = jpeg(&picture, |encoder| {
            encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
            encoder.set_restart_interval(units);
        });
        let whole = of(&file);
        assert!(!whole.incomplete, "{what}");
        let markers: Vec<usize> = (1..file.len())
            .filter(|at| file[at - 1] == 0xFF && (0xD0..=0xD7).contains(&file[*at]))
            .collect();
        let damaged = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut file = file.clone();
            change(&mut file);
            file
        };
        for (damage, file) in [
            (
                "bytes",
                damaged(&|file| file[markers[1] + 1..markers[2] - 1].fill(0xFE)),
            ),
            (
                "invalid marker",
                damaged(&|file| file[markers[1] + 1..][..2].copy_from_slice(&[0xFF, 0xFE])),
            ),
            (
                "missing interval",
                damaged(&|file| drop(file.drain(markers[1]..markers[2]))),
            ),
            (
                "surplus",
                damaged(&|file| {
                    let part = file[markers[1] + 1..markers[2] - 1].to_vec();
                    file.splice(markers[1] + 1..markers[1] + 1, part.repeat(2));
                }),
            ),
        ] {
            let converted = of(&file);
            // The decoder takes these bytes for pixels, and zeros for what follows.
            assert_eq!(converted.incomplete, damage != "bytes", "{what}, {damage}");
            for y in [8, 84] {
                for x in [20, 100] {
                    let [seen, expected] =
                        [&converted.result, &whole.result].map(|jpeg| pixels(jpeg).get_pixel(x, y).0);
                    assert!(
                        seen.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 12),
                        "{what}, {damage}, {x}, {y}: {seen:?}, not {expected:?}"
                    );
                }
            }
        }
        // Nothing is missing if only the number of a marker is wrong.
        let renumbered = of(&damaged(&|file| {
            file[markers[1]] = 0xD0 + (file[markers[1]] + 4) % 8;
        }));
        assert!(!renumbered.incomplete, "{what}");
        assert_eq!(renumbered.result, whole.result, "{what}");
    }
}

/// `zune-jpeg` accepts this file even if it is strict.
#[test]
fn a_progressive_jpeg_with_an_invalid_scan_is_incomplete() {
    let mut file = jpeg(&flag(120, 90), |encoder| encoder.set_progressive(true));
    let scan = file
        .windows(2)
        .rposition(|marker| marker == [0xFF, 0xDA])
        .unwrap();
    // The last scan improves coefficients by no bit.
    file[scan + 9] = 0x11;
    assert_shows_the_start("damaged", &file);
    assert!(picture::rendition(&file).unwrap().incomplete);
}

#[test]
fn shows_jpegs_without_huffman_tables_and_with_bytes_between_segments() {
    let whole = jpeg(&flag(120, 90), |_| {});
    let mut without_tables = whole.clone();
    while let Some(at) = without_tables
        .windows(2)
        .position(|marker| marker == [0xFF, 0xC4])
    {
        let length = usize::from(u16::from_be_bytes([
            without_tables[at + 2],
            without_tables[at + 3],
        ]));
        without_tables.drain(at..at + 2 + length);
    }
    let mut with_junk = whole.clone();
    let at = position(&whole, &[0xFF, 0xDB]);
    with_junk.splice(at..at, [0, 1, 2, 3, 0xFF, 0, 4]);
    for (what, file) in [("no tables", without_tables), ("junk", with_junk)] {
        let converted = picture::rendition(&file).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(!converted.incomplete, "{what}");
        assert_shows(what, &converted.result, FLAG, 12);
    }
}

#[test]
fn rejects_rare_jpegs_by_name() {
    let baseline = jpeg(&flag(120, 90), |_| {});
    let frame = position(&baseline, &[0xFF, 0xC0]);
    let changed = |at: usize, bytes: &[u8]| {
        let mut file = baseline.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let mut of_12_bits = changed(frame + 1, &[0xC1]);
    of_12_bits[frame + 4] = 12;
    for (file, kind) in [
        (changed(frame + 1, &[0xC9]), "JPEG with arithmetic coding"),
        (of_12_bits, "JPEG with 12 bits per sample"),
    ] {
        assert_eq!(rendition(&file), Err(PictureError::UnsupportedKind(kind)));
    }
}

#[test]
fn rejects_a_jpeg_whose_scans_take_minutes() {
    let mut file = jpeg(&flag(120, 90), |encoder| encoder.set_progressive(true));
    let frame = position(&file, &[0xFF, 0xC2]);
    file[frame + 5..frame + 9].copy_from_slice(&[0x23, 0x28, 0x23, 0x28]);
    // Each scan says that no block of 9,000 x 9,000 pixels has anything.
    let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 1, 0, 0x55, 0x55];
    let first = position(&file, &[0xFF, 0xDA]);
    file.splice(first..first, scan.repeat(6_000));
    assert_eq!(
        rendition(&file),
        Err(PictureError::UnsupportedKind("JPEG with too many scans"))
    );
}

#[test]
fn shows_the_first_frame_of_a_gif_that_is_not_blank_and_frames_larger_than_the_canvas() {
    let white: DynamicImage = RgbImage::from_pixel(120, 90, image::Rgb([255; 3])).into();
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for frame in [&white, &white, &flag(120, 90), &white] {
        encoder.encode_frame(image::Frame::new(frame.to_rgba8())).unwrap();
    }
    drop(encoder);
    assert_shows("blank first", &rendition(&bytes).unwrap(), FLAG, 12);

    let mut blank = Vec::new();
    GifEncoder::new(&mut blank)
        .encode_frame(image::Frame::new(white.to_rgba8()))
        .unwrap();
    assert_shows("only blank", &rendition(&blank).unwrap(), [[255; 3]; 4], 2);

    let mut large_frame = file(&flag(120, 90), ImageFormat::Gif);
    large_frame[6..10].copy_from_slice(&[90, 0, 80, 0]);
    let rendition = rendition(&large_frame).unwrap();
    assert_eq!((rendition.width, rendition.height), (120, 90));
    assert_shows("large frame", &rendition, FLAG, 12);
}

#[test]
fn reads_bmp_files_of_os_2_and_without_a_file_header() {
    // An 8-bit BMP: a header of 14 bytes, one of 40 bytes, a palette, and rows from the bottom.
    let palette: Vec<u8> = [RED, BLUE, GREEN]
        .into_iter()
        .flat_map(|[r, g, b]| [b, g, r, 0])
        .collect();
    let pixels: Vec<u8> = (0..90_u32)
        .rev()
        .flat_map(|y| {
            (0..120_u32).map(move |x| match (x < 60, y < 45) {
                (true, true) => 0,
                (false, false) => 2,
                _ => 1,
            })
        })
        .collect();
    let bmp = |header: usize, has_file_header: bool| {
        let mut dib = (header as u32).to_le_bytes().to_vec();
        dib.extend([120, 0, 0, 0, 90, 0, 0, 0, 1, 0, 8, 0]);
        dib.resize(header, 0);
        // A header of 16 bytes cannot say how many colors there are.
        let mut palette = palette.clone();
        if header > 36 {
            dib[32] = 3;
        } else {
            palette.resize(256 * 4, 0);
        }
        let from = (14 + header + palette.len()) as u32;
        let mut file = vec![];
        if has_file_header {
            file.extend(b"BM\0\0\0\0\0\0\0\0");
            file.extend(from.to_le_bytes());
        }
        [file, dib, palette, pixels.clone()].concat()
    };
    for (what, file) in [
        ("Windows", bmp(40, true)),
        ("OS/2, 64 bytes", bmp(64, true)),
        ("OS/2, 16 bytes", bmp(16, true)),
        ("DIB", bmp(40, false)),
    ] {
        let rendition = rendition(&file).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_shows(what, &rendition, FLAG, 12);
    }
    let mut run_lengths = bmp(64, true);
    run_lengths[30] = 4;
    assert_eq!(
        rendition(&run_lengths),
        Err(PictureError::UnsupportedKind("BMP with 24-bit run lengths"))
    );
}

proptest! {
    // The same inputs in each run: a panic of a decoder that others maintain must not fail the tests of another change.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::with_cases(400) })]

    #[test]
    fn a_modified_file_does_not_panic(
        kind: prop::sample::Index,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        near_start: bool,
    ) {
        let mut files = one_of_each();
        let (_, mut file) = files.swap_remove(kind.index(files.len()));
        let length = if near_start { file.len().min(200) } else { file.len() };
        for (at, value) in changes {
            file[at.index(length)] = value;
        }
        if let Ok(jpeg) = rendition(&file) {
            prop_assert!(jpeg.width <= rekognition::MAX_SIDE && jpeg.height <= rekognition::MAX_SIDE);
        }
    }
}
