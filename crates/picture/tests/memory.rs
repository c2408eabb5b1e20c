//! The peak memory of conversions. The only test of its binary, because the allocator counts for the whole process.

use image::codecs::gif::GifEncoder;
use image::{DynamicImage, ImageFormat, RgbaImage};
use peak_alloc::PeakAlloc;
use picture::{PictureError, rendition, thumbnails};
use picture_header::HeaderError;
use std::io::Cursor;
use tiff::encoder::colortype::{CMYK8, RGB64Float, RGBA16};
use tiff::encoder::{Compression, TiffEncoder};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const WIDTH: u32 = 2_400;
const HEIGHT: u32 = 1_600;

/// 2,396 x 1,596 pixels.
const LARGE_HEIC: &[u8] = include_bytes!("fixtures/large.heic");

/// The peak number of allocated bytes.
fn peak(work: impl FnOnce()) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    work();
    ALLOCATOR.peak_usage() - before
}

/// Half-transparent noise.
fn noise() -> DynamicImage {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let pixels = RgbaImage::from_fn(WIDTH, HEIGHT, |_, _| {
        image::Rgba([noise(), noise(), noise(), 128])
    });
    pixels.into()
}

fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn jpeg(image: &DynamicImage, is_progressive: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 90);
    encoder.set_progressive(is_progressive);
    let rgb = image.to_rgb8();
    let (width, height) = (image.width() as u16, image.height() as u16);
    encoder
        .encode(rgb.as_raw(), width, height, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    bytes
}

/// A TIFF of one strip, whose samples are all in memory at the same time.
fn tiff_of_one_strip(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    let mut page = encoder.new_image::<RGBA16>(WIDTH, HEIGHT).unwrap();
    page.rows_per_strip(HEIGHT).unwrap();
    page.write_data(image.to_rgba16().as_raw()).unwrap();
    bytes.into_inner()
}

fn truncated(mut file: Vec<u8>) -> Vec<u8> {
    file.truncate(file.len() / 2);
    file
}

/// A compressed TIFF of one strip, with 24 bytes a pixel.
fn tiff_of_64_bits(image: &DynamicImage) -> Vec<u8> {
    let samples: Vec<f64> = image.to_rgb8().iter().map(|value| f64::from(*value)).collect();
    let mut bytes = Cursor::new(Vec::new());
    let encoder = TiffEncoder::new(&mut bytes).unwrap();
    let mut encoder = encoder.with_compression(Compression::Lzw);
    let mut page = encoder.new_image::<RGB64Float>(WIDTH, HEIGHT).unwrap();
    page.rows_per_strip(HEIGHT).unwrap();
    page.write_data(&samples).unwrap();
    bytes.into_inner()
}

fn cmyk_tiff(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = TiffEncoder::new(&mut bytes).unwrap();
    encoder
        .write_image::<CMYK8>(WIDTH, HEIGHT, image.to_rgba8().as_raw())
        .unwrap();
    bytes.into_inner()
}

fn gif(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let frame = image::Frame::new(image.to_rgba8());
    GifEncoder::new_with_speed(&mut bytes, 30)
        .encode_frame(frame)
        .unwrap();
    bytes
}

/// Files of one megabyte, one for each format, with headers that claim this many pixels a side.
fn bombs(side: u32) -> Vec<(&'static str, Vec<u8>)> {
    let small = DynamicImage::new_rgb8(120, 90);
    let position =
        |file: &[u8], mark: &[u8]| file.windows(mark.len()).position(|bytes| bytes == mark).unwrap();
    let be = side.to_be_bytes();
    let le = side.to_le_bytes();
    let mut png = file(&small, ImageFormat::Png);
    png[16..24].copy_from_slice(&[be, be].concat());
    let mut bmp = file(&small, ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[le, le].concat());
    let mut gif = file(&small, ImageFormat::Gif);
    gif[6..10].copy_from_slice(&[&le[..2], &le[..2]].concat());
    let mut jpeg = jpeg(&small, false);
    let frame = position(&jpeg, &[0xFF, 0xC0]);
    jpeg[frame + 5..frame + 9].copy_from_slice(&[&be[2..], &be[2..]].concat());
    let mut webp = b"RIFF\0\0\0\0WEBPVP8X\x0A\0\0\0\0\0\0\0".to_vec();
    let less_one = (side - 1).to_le_bytes();
    webp.extend([&less_one[..3], &less_one[..3]].concat());
    webp.extend(&file(&small, ImageFormat::WebP)[12..]);
    let mut tiff = file(&small, ImageFormat::Tiff);
    for (tag, was) in [(256_u16, 120_u32), (257, 90)] {
        let entry = [
            &tag.to_le_bytes()[..],
            &4_u16.to_le_bytes(),
            &[1, 0, 0, 0],
            &was.to_le_bytes(),
        ]
        .concat();
        let value = position(&tiff, &entry) + 8;
        tiff[value..value + 4].copy_from_slice(&le);
    }
    let mut avif = include_bytes!("../../picture-header/src/fixtures/upright.avif").to_vec();
    let sides = position(&avif, b"ispe") + 8;
    avif[sides..sides + 8].copy_from_slice(&[be, be].concat());
    let mut heic = LARGE_HEIC.to_vec();
    let sides = position(&heic, b"ispe") + 8;
    heic[sides..sides + 8].copy_from_slice(&[be, be].concat());
    let mut bombs = vec![
        ("PNG", png),
        ("BMP", bmp),
        ("GIF", gif),
        ("JPEG", jpeg),
        ("WebP", webp),
        ("TIFF", tiff),
        ("AVIF", avif),
        ("HEIC", heic),
    ];
    for (_, bomb) in &mut bombs {
        bomb.resize(1_000_000, 0);
    }
    bombs
}

#[test]
fn memory_is_bounded_by_pixels_and_rejecting_a_decompression_bomb_takes_none() {
    let too_many = PictureError::Header(HeaderError::TooManyPixels(60_000, 60_000));
    for (what, bomb) in bombs(60_000) {
        let peak = peak(|| assert_eq!(rendition(&bomb), Err(too_many), "{what}"));
        assert!(peak < 100_000, "{what}: {peak} bytes");
    }

    let noise = noise();
    let rgb: DynamicImage = noise.to_rgb8().into();
    let rgba_16: DynamicImage = noise.to_rgba16().into();
    for (what, file) in [
        ("PNG of 16 bits", file(&rgba_16, ImageFormat::Png)),
        ("TIFF of 16 bits", tiff_of_one_strip(&noise)),
        ("TIFF", file(&noise, ImageFormat::Tiff)),
        ("TIFF of 64 bits", tiff_of_64_bits(&noise)),
        ("CMYK TIFF", cmyk_tiff(&noise)),
        ("GIF", gif(&rgb)),
        ("truncated JPEG", truncated(jpeg(&rgb, false))),
        ("truncated progressive JPEG", truncated(jpeg(&rgb, true))),
        ("WebP", file(&noise, ImageFormat::WebP)),
        ("BMP", file(&noise, ImageFormat::Bmp)),
        ("JPEG", jpeg(&rgb, false)),
        ("progressive JPEG", jpeg(&rgb, true)),
        (
            "HEIC of one tile, with full chroma and transparency",
            LARGE_HEIC.to_vec(),
        ),
    ] {
        for (work, peak) in [
            ("rendition", peak(|| drop(rendition(&file).unwrap()))),
            ("thumbnails", peak(|| drop(thumbnails(&file).unwrap()))),
        ] {
            let bytes_per_pixel = peak as f64 / f64::from(WIDTH * HEIGHT);
            // At 150 megapixels: 1.95 GB. The process that decodes may take 2.7 GB.
            assert!(
                bytes_per_pixel <= 13.0,
                "{what}, {work}: {bytes_per_pixel:.1} bytes a pixel"
            );
            println!("{what}, {work}: {bytes_per_pixel:.1}");
        }
    }
}
