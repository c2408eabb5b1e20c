//! Most files are made here; `fixtures/` holds what the encoders at hand cannot make. All show the same: a red quarter
//! at the top left, a green one at the bottom right, and blue, on 120 x 90 pixels.

use super::*;
use domain::Format;
use image::{DynamicImage, ImageFormat, RgbImage, codecs::gif::GifEncoder};
use proptest::prelude::*;
use std::io::Cursor;
use tiff::encoder::colortype::RGB8;
use tiff::encoder::{Compression, TiffEncoder};

const RED: [u8; 3] = [220, 30, 30];
const GREEN: [u8; 3] = [30, 200, 60];
const BLUE: [u8; 3] = [20, 60, 120];

/// Of 2 x 2 tiles, each of 64 x 64 pixels and one color.
const GRID_AVIF: &[u8] = include_bytes!("fixtures/grid.avif");
const GRAY_AVIF: &[u8] = include_bytes!("fixtures/gray.avif");
const HALF_TRANSPARENT_AVIF: &[u8] = include_bytes!("fixtures/half-transparent.avif");
const INKS_JPEG: &[u8] = include_bytes!("fixtures/inks.jpg");
const INKS_TIFF: &[u8] = include_bytes!("fixtures/inks.tif");
const INTERLACED_PNG: &[u8] = include_bytes!("fixtures/interlaced.png");
const LOSSY_WEBP: &[u8] = include_bytes!("fixtures/lossy.webp");
/// An animation of 21 frames, of which only the first shows the flag.
const SEQUENCE_AVIF: &[u8] = include_bytes!("fixtures/sequence.avif");
const TEN_BITS_AVIF: &[u8] = include_bytes!("fixtures/ten-bits.avif");
/// Of 64 x 32 pixels each, so that the last ones reach beyond the picture.
const TILES_TIFF: &[u8] = include_bytes!("fixtures/tiles.tif");
const TRANSPOSED_AVIF: &[u8] = include_bytes!("../../picture-header/src/fixtures/transposed.avif");
const UPRIGHT_AVIF: &[u8] = include_bytes!("../../picture-header/src/fixtures/upright.avif");

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

/// LZW in strips of seven rows, so that the last one is shorter; each picture on a page of its own.
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

/// TIFF's header and one entry: the orientation.
fn exif(orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    exif
}

fn pixels(jpeg: &Jpeg) -> RgbImage {
    let image = decode::decode(&jpeg.bytes, Format::Jpeg, (jpeg.width, jpeg.height)).unwrap();
    assert_eq!(
        (image.pixels.width, image.pixels.height),
        (jpeg.width, jpeg.height)
    );
    RgbImage::from_raw(jpeg.width, jpeg.height, image.pixels.rgb).unwrap()
}

/// What is seen in the middle of the quarters: top left, top right, bottom left, bottom right.
fn quarters(jpeg: &Jpeg) -> [[u8; 3]; 4] {
    let image = pixels(jpeg);
    let (width, height) = image.dimensions();
    [(1, 1), (3, 1), (1, 3), (3, 3)].map(|(x, y)| image.get_pixel(width * x / 4, height * y / 4).0)
}

#[track_caller]
fn assert_seen(what: &str, jpeg: &Jpeg, expected: [[u8; 3]; 4], tolerance: u8) {
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
        ("JPEG of inks", INKS_JPEG.to_vec()),
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
        ("TIFF of inks", INKS_TIFF.to_vec()),
        ("TIFF of strips", pages(&[flag])),
        ("TIFF of tiles", TILES_TIFF.to_vec()),
        ("AVIF", UPRIGHT_AVIF.to_vec()),
        ("AVIF of 10 bits", TEN_BITS_AVIF.to_vec()),
        ("AVIF of many frames", SEQUENCE_AVIF.to_vec()),
    ]
}

#[test]
fn every_kind_of_file_becomes_a_jpeg_that_shows_the_same() {
    for (what, file) in one_of_each() {
        let jpeg = rendition(&file).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!((jpeg.width, jpeg.height), (120, 90), "{what}");
        assert_seen(what, &jpeg, FLAG, 12);
    }
}

#[test]
fn grays_become_colors_and_transparency_white() {
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
    ] {
        assert_seen(what, &rendition(&file).unwrap(), FLAG.map(gray), 8);
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
    ] {
        assert_seen(what, &rendition(&file).unwrap(), FLAG.map(half), 12);
    }
    let gray_16 = file(&rgba.to_luma_alpha16().into(), ImageFormat::Png);
    assert_seen(
        "gray PNG with alpha of 16 bits",
        &rendition(&gray_16).unwrap(),
        FLAG.map(gray).map(half),
        8,
    );
}

/// How `flag` must be stored to be seen under this EXIF orientation.
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
fn pictures_are_upright_whatever_their_orientation() {
    for orientation in 1..=8 {
        let stored = stored_for(&flag(120, 90), orientation);
        let file = jpeg(&stored, |encoder| {
            encoder.add_app_segment(1, exif(orientation)).unwrap();
        });
        let rendition = rendition(&file).unwrap();
        assert_eq!((rendition.width, rendition.height), (120, 90), "{orientation}");
        assert_seen(&format!("orientation {orientation}"), &rendition, FLAG, 12);
        let [small, _] = thumbnails(&file).unwrap();
        assert_seen(&format!("thumbnail of {orientation}"), &small, FLAG, 16);
    }
    let transposed = rendition(TRANSPOSED_AVIF).unwrap();
    assert_eq!((transposed.width, transposed.height), (120, 90));
    assert_seen("AVIF", &transposed, FLAG, 12);
}

#[test]
fn the_tiles_of_a_grid_stand_side_by_side() {
    let grid = rendition(GRID_AVIF).unwrap();
    assert_eq!((grid.width, grid.height), (128, 128));
    assert_seen("grid", &grid, FLAG, 12);
}

#[test]
fn thumbnails_keep_the_shape_and_are_never_enlarged() {
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
fn a_rendition_is_what_rekognition_takes() {
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
        "This picture has 80 × 13000 pixels. The longer side may have at most 125 times the shorter one's."
    );
}

#[test]
fn noise_takes_fewer_bytes_than_rekognition_allows() {
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
fn nothing_of_the_files_metadata_is_left() {
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
fn a_picture_of_another_color_space_keeps_its_colors_and_a_profile_that_lies_changes_nothing() {
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let with_profile = |profile: &[u8]| {
        rendition(&jpeg(&flag(120, 90), |encoder| {
            encoder.add_icc_profile(profile).unwrap();
        }))
        .unwrap()
    };
    let [red, ..] = quarters(&with_profile(&profile));
    // Display P3's red is redder than any of sRGB.
    assert!(red[0] > 228 && red[1] < 20, "{red:?}");
    let gray = moxcms::ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
    let mut of_inks = profile.clone();
    of_inks[16..20].copy_from_slice(b"CMYK");
    let mut longer_than_it_is = profile.clone();
    longer_than_it_is[..4].copy_from_slice(&u32::MAX.to_be_bytes());
    let mut of_endless_tags = profile[..200].to_vec();
    of_endless_tags[128..132].copy_from_slice(&u32::MAX.to_be_bytes());
    for lie in [
        &b"no profile"[..],
        &profile[..200],
        &[0xFF; 3_000],
        &gray,
        &of_inks,
        &of_endless_tags,
    ] {
        assert_seen("a lie", &with_profile(lie), FLAG, 12);
    }
    // Whether it is believed or not, there is a picture.
    let [red, ..] = quarters(&with_profile(&longer_than_it_is));
    assert!(red[0] > 200 && red[1] < 50, "{red:?}");
    let mut png = file(&flag(120, 90), ImageFormat::Png);
    let garbage = png_chunk(b"iCCP", b"a name\0\0and no zlib behind it");
    png.splice(33..33, garbage);
    assert_seen("a lie in PNG", &rendition(&png).unwrap(), FLAG, 12);
}

fn png_chunk(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let mut chunk = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    chunk.extend(name);
    chunk.extend(content);
    // The check sum of the name and the content.
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
fn a_picture_is_shown_whatever_its_exif_is() {
    let circle = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08".to_vec();
    let absurd = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x05\xFF\xFF\xFF\xFF\0\0\0\x08\0\0\0\0".to_vec();
    let garbage = [&b"Exif\0\0"[..], &[0xA5; 65_000]].concat();
    for (what, exif) in [("circle", circle), ("absurd", absurd), ("garbage", garbage)] {
        let jpeg = jpeg(&flag(120, 90), |encoder| {
            encoder.add_app_segment(1, exif).unwrap();
        });
        assert_seen(what, &rendition(&jpeg).unwrap(), FLAG, 12);
        let exif = png_chunk(b"eXIf", &jpeg[12..200]);
        let mut png = file(&flag(120, 90), ImageFormat::Png);
        png.splice(33..33, exif);
        assert_seen(what, &rendition(&png).unwrap(), FLAG, 12);
    }
}

/// An animation: the flag, and behind it as many white frames.
fn animated_webp(more_frames: usize) -> Vec<u8> {
    let frame = |picture: &DynamicImage| {
        // Behind RIFF's header stands one chunk, VP8L: the picture.
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
        // Without the byte that ends a file.
        bytes.truncate(bytes.len() - 1);
        bytes
    };
    let (flag, white) = (
        flag(120, 90),
        RgbImage::from_pixel(120, 90, image::Rgb([255; 3])).into(),
    );
    let first = gif(&[&flag]);
    // Looking for its colors takes a while: once for all frames.
    let second = &gif(&[&flag, &white])[first.len()..];
    [&first[..], &second.repeat(more_frames), b";"].concat()
}

#[test]
fn of_many_frames_only_the_first_is_read() {
    let white: DynamicImage = RgbImage::from_pixel(120, 90, image::Rgb([255; 3])).into();
    let mut all_pages = vec![white; 200];
    all_pages[0] = flag(120, 90);
    let (from, length) = picture_header::avif_boxes(SEQUENCE_AVIF).unwrap().color.tiles[0][0];
    for (what, file, first_ends) in [
        ("GIF", animated_gif(3_000), animated_gif(0).len()),
        ("WebP", animated_webp(3_000), animated_webp(0).len()),
        ("TIFF", pages(&all_pages), pages(&all_pages[..1]).len()),
        ("AVIF", SEQUENCE_AVIF.to_vec(), (from + length) as usize),
    ] {
        assert_seen(what, &rendition(&file).unwrap(), FLAG, 12);
        // Whatever stands behind the first one.
        let mut broken = file;
        broken[first_ends..].fill(0xA5);
        assert_seen(what, &rendition(&broken).unwrap(), FLAG, 12);
    }
}

#[test]
fn a_file_cut_at_any_tenth_is_refused_or_shows_a_picture() {
    for (what, file) in one_of_each() {
        for tenth in 0..10 {
            match rendition(&file[..file.len() * tenth / 10]) {
                Ok(jpeg) => assert_eq!((jpeg.width, jpeg.height), (120, 90), "{what}, {tenth}"),
                Err(error) => assert!(error.to_string().starts_with("This "), "{what}, {tenth}: {error}"),
            }
        }
    }
}

#[test]
fn a_header_before_the_body_of_another_kind_crashes_nothing() {
    let files = one_of_each();
    for (_, head) in &files {
        for (_, body) in &files {
            let cut = 40.min(head.len()).min(body.len());
            let _ = rendition(&[&head[..cut], &body[cut..]].concat());
        }
    }
}

#[test]
fn a_jpeg_that_ends_early_is_refused_as_rekognition_refuses_it() {
    let whole = jpeg(&flag(120, 90), |_| {});
    for tenth in 5..10 {
        let cut = &whole[..whole.len() * tenth / 10];
        assert_eq!(rendition(cut), Err(PictureError::Undecodable("JPEG")), "{tenth}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_change_of_a_real_file_crashes_it(
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
