//! Pictures, and files that only look like pictures. Formats without an encoder here are in `tests/pictures/`, made by
//! `make.py` and `make_heic.py`.

pub mod raw_files;
pub mod tiff_files;

use image::codecs::gif::GifEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, Frame, ImageEncoder, ImageFormat, RgbImage};
use std::io::Cursor;
use std::path::Path;
use tiff::encoder::colortype::{ColorType, RGB8};
use tiff::encoder::{Compression, Predictor, TiffEncoder, TiffKind, TiffValue};
use tiff::tags::Tag;

/// A photograph of the folder `samples/`.
///
/// # Panics
/// If there is none of that name.
pub fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../samples")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The photograph of a cat, JPEG.
pub fn cat() -> Vec<u8> {
    sample("cat.jpg")
}

/// The first half of a photograph. Its header is valid, so only decoding shows that it is truncated.
pub fn truncated() -> Vec<u8> {
    let mut bytes = cat();
    bytes.truncate(bytes.len() / 2);
    bytes
}

/// A PNG that ends before its pixels. Its header is valid, and nothing of it can be shown.
pub fn without_pixels() -> Vec<u8> {
    let mut bytes = png(451, 300);
    bytes.truncate(40);
    bytes
}

/// A gray PNG with these sides in pixels.
///
/// # Panics
/// If a side is 0.
pub fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let gradient: Vec<u8> = (0..height)
        .flat_map(|y| (0..width).map(move |x| u8::try_from((x + y) % 256).expect("below 256")))
        .collect();
    let mut writer = encoder.write_header().expect("sides of at least 1");
    writer.write_image_data(&gradient).expect("written to memory");
    writer.finish().expect("written to memory");
    file
}

/// The cat as WebP, lossy.
pub fn webp() -> Vec<u8> {
    include_bytes!("../pictures/cat.webp").to_vec()
}

/// The cat as AVIF.
pub fn avif() -> Vec<u8> {
    include_bytes!("../pictures/cat.avif").to_vec()
}

/// The cat as a HEIC picture of four tiles, with a rotation (`irot`) and a camera's metadata.
pub fn heic() -> Vec<u8> {
    include_bytes!("../pictures/cat.heic").to_vec()
}

/// A HEIC or AVIF picture in three colors, from the tests of the crate `picture`: its top left quarter, its bottom right quarter,
/// and the other two. 120 x 90 pixels.
///
/// # Panics
/// If there is none of that name.
pub fn flag(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/picture/tests/fixtures")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The cat as a CMYK JPEG, for printing.
pub fn cmyk() -> Vec<u8> {
    include_bytes!("../pictures/cat-cmyk.jpg").to_vec()
}

/// The cat as an interlaced PNG.
pub fn interlaced_png() -> Vec<u8> {
    include_bytes!("../pictures/interlaced.png").to_vec()
}

/// An animation of two pictures, the cat and a cup of coffee.
pub fn animated_webp() -> Vec<u8> {
    include_bytes!("../pictures/animated.webp").to_vec()
}

/// The cat as an AVIF picture of four tiles.
pub fn avif_grid() -> Vec<u8> {
    include_bytes!("../pictures/grid.avif").to_vec()
}

/// The cat as an AVIF picture with a rotation (`irot`).
pub fn rotated_avif() -> Vec<u8> {
    include_bytes!("../pictures/rotated.avif").to_vec()
}

/// The cat as an AVIF picture with a rotation and a mirror (`irot`, `imir`).
pub fn mirrored_avif() -> Vec<u8> {
    include_bytes!("../pictures/mirrored.avif").to_vec()
}

/// The cat's pixels.
pub fn pixels() -> DynamicImage {
    decoded(&cat())
}

/// The pixels of a JPEG in color.
///
/// # Panics
/// If it is not one.
pub fn decoded(jpeg: &[u8]) -> DynamicImage {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    let samples = decoder.decode().expect("a JPEG");
    let info = decoder.info().expect("its frame");
    RgbImage::from_raw(info.width.into(), info.height.into(), samples)
        .expect("red, green and blue")
        .into()
}

/// A picture as a file of another format.
///
/// # Panics
/// If the format cannot be written.
pub fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("written to memory");
    bytes.into_inner()
}

/// EXIF data with this orientation, 1 to 8, and a location in Sydney.
pub fn exif(orientation: u8) -> Vec<u8> {
    // TIFF's header; orientation and the GPS directory; latitude and longitude with their references; numbers.
    let mut exif = b"MM\0*\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0]);
    exif.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0");
    exif.extend(b"\0\x04\0\x01\0\x02\0\0\0\x02S\0\0\0\0\x02\0\x05\0\0\0\x03\0\0\0\x5c");
    exif.extend(b"\0\x03\0\x02\0\0\0\x02E\0\0\0\0\x04\0\x05\0\0\0\x03\0\0\0\x74\0\0\0\0");
    for number in [33_u32, 51, 30, 151, 12, 0] {
        exif.extend(number.to_be_bytes());
        exif.extend(1_u32.to_be_bytes());
    }
    exif
}

/// A picture as a JPEG with a capture time, such as `2015:07:13 18:20:00`.
///
/// # Panics
/// If a side has more than 65,535 pixels.
pub fn jpeg_taken_at(image: &DynamicImage, time: &str) -> Vec<u8> {
    // TIFF's header; the Exif directory; DateTimeOriginal, which is text that ends with a zero byte.
    let mut exif = b"MM\0*\0\0\0\x08\0\x01\x87\x69\0\x04\0\0\0\x01\0\0\0\x1a\0\0\0\0".to_vec();
    exif.extend(b"\0\x01\x90\x03\0\x02\0\0\0\x14\0\0\0\x2c\0\0\0\0");
    exif.extend(time.bytes().chain([0]));
    jpeg_with(image, |encoder| {
        let segment = [b"Exif\0\0", &exif[..]].concat();
        encoder.add_app_segment(1, segment).expect("a short segment");
    })
}

/// A picture as a JPEG with [`exif`].
///
/// # Panics
/// If a side has more than 65,535 pixels.
pub fn jpeg(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    jpeg_with(image, |encoder| {
        let segment = [b"Exif\0\0", &exif(orientation)[..]].concat();
        encoder.add_app_segment(1, segment).expect("a short segment");
    })
}

/// A picture as a JPEG, gray if it is gray, with the settings of `set`.
///
/// # Panics
/// If a side has more than 65,535 pixels.
pub fn jpeg_with(
    image: &DynamicImage,
    set: impl FnOnce(&mut jpeg_encoder::Encoder<&mut Vec<u8>>),
) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 92);
    set(&mut encoder);
    let side = |side| u16::try_from(side).expect("at most 65,535");
    let (samples, color) = if image.color().has_color() {
        (image.to_rgb8().into_raw(), jpeg_encoder::ColorType::Rgb)
    } else {
        (image.to_luma8().into_raw(), jpeg_encoder::ColorType::Luma)
    };
    encoder
        .encode(&samples, side(image.width()), side(image.height()), color)
        .expect("written to memory");
    bytes
}

/// A picture as a PNG with [`exif`].
///
/// # Panics
/// If there is no memory for it.
pub fn png_with_exif(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_with_exif(PngEncoder::new(&mut bytes), image, orientation);
    bytes
}

/// A picture as a lossless WebP with [`exif`].
///
/// # Panics
/// If there is no memory for it.
pub fn webp_with_exif(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_with_exif(WebPEncoder::new_lossless(&mut bytes), image, orientation);
    bytes
}

/// A picture as a lossless WebP with this ICC profile, which need not be valid.
///
/// # Panics
/// If there is no memory for it.
pub fn webp_with_profile(image: &DynamicImage, profile: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut bytes);
    encoder
        .set_icc_profile(profile.to_vec())
        .expect("a format with profiles");
    image.write_with_encoder(encoder).expect("written to memory");
    bytes
}

fn write_with_exif(mut encoder: impl ImageEncoder, image: &DynamicImage, orientation: u8) {
    encoder
        .set_exif_metadata(exif(orientation))
        .expect("a format with EXIF");
    image.write_with_encoder(encoder).expect("written to memory");
}

/// Pictures one after another in a GIF.
///
/// # Panics
/// If there is no memory for it.
pub fn animated_gif(pictures: &[&DynamicImage]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for picture in pictures {
        encoder
            .encode_frame(Frame::new(picture.to_rgba8()))
            .expect("written to memory");
    }
    drop(encoder);
    bytes
}

/// A picture as an uncompressed PNG.
///
/// # Panics
/// If there is no memory for it.
pub fn uncompressed_png(image: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder =
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Uncompressed, FilterType::NoFilter);
    image.write_with_encoder(encoder).expect("written to memory");
    bytes
}

/// Pictures as the pages of a TIFF file, compressed with LZW, all with this orientation.
///
/// # Panics
/// If there is no memory for it.
pub fn tiff(pages: &[&DynamicImage], orientation: u16) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut file = TiffEncoder::new(&mut bytes)
        .expect("written to memory")
        .with_compression(Compression::Lzw)
        .with_predictor(Predictor::Horizontal);
    for page in pages {
        let mut image = file
            .new_image::<RGB8>(page.width(), page.height())
            .expect("written to memory");
        let orientation = image.encoder().write_tag(Tag::Orientation, orientation);
        orientation.expect("written to memory");
        image
            .write_data(page.to_rgb8().as_raw())
            .expect("written to memory");
    }
    bytes.into_inner()
}

/// Width and height of [`pattern`] in pixels.
pub const PATTERN_SIDES: (u32, u32) = (120, 90);
/// The color of its left half: red, green, blue.
pub const PATTERN_LEFT: [u8; 3] = [200, 80, 40];
/// The color of its right half.
pub const PATTERN_RIGHT: [u8; 3] = [40, 90, 200];

/// A small picture for files of any kind: two halves, each of one color.
pub fn pattern() -> DynamicImage {
    let (width, height) = PATTERN_SIDES;
    let color = |x| {
        if x < width / 2 {
            PATTERN_LEFT
        } else {
            PATTERN_RIGHT
        }
    };
    RgbImage::from_fn(width, height, |x, _| image::Rgb(color(x))).into()
}

/// The gray value of a color, as in gray pictures that are made from [`pattern`].
pub fn luma(color: [u8; 3]) -> u8 {
    DynamicImage::from(RgbImage::from_pixel(1, 1, image::Rgb(color)))
        .to_luma8()
        .get_pixel(0, 0)
        .0[0]
}

/// [`pattern`] as a TIFF file, a standard one or a BigTIFF, with this type of samples.
///
/// # Panics
/// If there is no memory for it.
pub fn pattern_tiff<C, K>(
    compression: Compression,
    samples: impl FnOnce(&DynamicImage) -> Vec<C::Inner>,
) -> Vec<u8>
where
    C: ColorType,
    K: TiffKind,
    [C::Inner]: TiffValue,
{
    let mut bytes = Cursor::new(Vec::new());
    let (width, height) = PATTERN_SIDES;
    TiffEncoder::<_, K>::new_generic(&mut bytes)
        .expect("written to memory")
        .with_compression(compression)
        .write_image::<C>(width, height, &samples(&pattern()))
        .expect("written to memory");
    bytes.into_inner()
}

/// [`pattern`] as a PNG with a palette of two colors, one bit per pixel.
///
/// # Panics
/// If there is no memory for it.
pub fn palette_png() -> Vec<u8> {
    let mut file = Vec::new();
    let (width, height) = PATTERN_SIDES;
    let mut encoder = png::Encoder::new(&mut file, width, height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::One);
    encoder.set_palette([PATTERN_LEFT, PATTERN_RIGHT].concat());
    // 60 pixels of each color: the eighth byte has four of both.
    let row = [[0; 7].as_slice(), &[0x0F], &[0xFF; 7]].concat();
    let mut writer = encoder.write_header().expect("sides of at least 1");
    writer
        .write_image_data(&row.repeat(height as usize))
        .expect("written to memory");
    writer.finish().expect("written to memory");
    file
}

/// [`pattern`] as a BMP file of 24 bits with a header of this length, or as a DIB: the same without a file header. A header
/// of 12 bytes is the short one of OS/2, and one of 64 bytes the long one.
///
/// # Panics
/// Never: the file is small.
pub fn bmp(header: u8, has_file_header: bool) -> Vec<u8> {
    const FILE_HEADER: u32 = 14;
    let (width, height) = PATTERN_SIDES;
    let mut file = vec![];
    if has_file_header {
        let start = FILE_HEADER + u32::from(header);
        file.extend(b"BM");
        file.extend((start + width * height * 3).to_le_bytes());
        file.extend([0; 4]);
        file.extend(start.to_le_bytes());
    }
    let end = file.len() + usize::from(header);
    file.extend(u32::from(header).to_le_bytes());
    for side in [width, height] {
        let length = if header == 12 { 2 } else { 4 };
        file.extend(&side.to_le_bytes()[..length]);
    }
    file.extend([1, 0, 24, 0]);
    file.resize(end, 0);
    // Blue, green, red. Rows of 360 bytes need no padding.
    file.extend(
        pattern()
            .to_rgb8()
            .pixels()
            .flat_map(|pixel| pixel.0.into_iter().rev().collect::<Vec<_>>()),
    );
    file
}

/// [`pattern`] as a BMP file whose last row, the one at the top, is missing.
///
/// # Panics
/// If there is no memory for it.
pub fn bmp_without_end() -> Vec<u8> {
    let mut bytes = bmp(40, true);
    bytes.truncate(bytes.len() - 3 * PATTERN_SIDES.0 as usize);
    bytes
}

/// [`pattern`] as a GIF whose frame is larger than its canvas.
///
/// # Panics
/// If there is no memory for it.
pub fn gif_larger_than_its_canvas() -> Vec<u8> {
    let mut bytes = file(&pattern(), ImageFormat::Gif);
    bytes[6..10].copy_from_slice(&[90, 0, 80, 0]);
    bytes
}

fn position(bytes: &[u8], part: &[u8]) -> usize {
    let found = bytes.windows(part.len()).position(|window| window == part);
    found.expect("a file with this part")
}

/// [`pattern`] as a JPEG whose last rows are missing.
///
/// # Panics
/// Never: the file has rows.
pub fn jpeg_without_end() -> Vec<u8> {
    let mut bytes = jpeg_with(&pattern(), |_| {});
    let scan = position(&bytes, &[0xFF, 0xDA]) + 14;
    bytes.truncate(scan + (bytes.len() - scan) * 85 / 100);
    bytes
}

/// [`pattern`] as a JPEG with bytes between its segments, which libjpeg skips.
///
/// # Panics
/// Never: the file has segments.
pub fn jpeg_with_junk() -> Vec<u8> {
    let mut bytes = jpeg_with(&pattern(), |_| {});
    let tables = position(&bytes, &[0xFF, 0xDB]);
    bytes.splice(tables..tables, [0, 1, 2, 3, 0xFF, 0, 4]);
    bytes
}

/// [`pattern`] as the first of two pictures in an MPO file, as cameras with two lenses store them. The second one is black.
///
/// # Panics
/// Never: the file is small.
pub fn mpo() -> Vec<u8> {
    // A directory with the version, the number of pictures, and the position of an entry of 16 bytes for each.
    let mut index = b"MPF\0MM\0*\0\0\0\x08\0\x03\xB0\0\0\x07\0\0\0\x040100".to_vec();
    index.extend(b"\xB0\x01\0\x04\0\0\0\x01\0\0\0\x02\xB0\x02\0\x07\0\0\0\x20\0\0\0\x32\0\0\0\0");
    let entries = index.len();
    index.extend([0; 32]);
    let mut bytes = jpeg_with(&pattern(), |encoder| {
        encoder.add_app_segment(2, index).expect("a short segment");
    });
    let second = jpeg_with(&DynamicImage::new_rgb8(PATTERN_SIDES.0, PATTERN_SIDES.1), |_| {});
    // Positions count from the byte after the name.
    let name = position(&bytes, b"MPF\0");
    let number = |number: usize| u32::try_from(number).expect("a small file").to_be_bytes();
    let first = [*b"\x20\x03\0\0", number(bytes.len()), [0; 4], [0; 4]].concat();
    let other = [
        [0; 4],
        number(second.len()),
        number(bytes.len() - name - 4),
        [0; 4],
    ]
    .concat();
    let at = name + entries;
    bytes[at..at + 32].copy_from_slice(&[first, other].concat());
    bytes.extend(second);
    bytes
}

/// A picture transformed so that this EXIF orientation shows it upright.
pub fn stored_for(image: &DynamicImage, orientation: u8) -> DynamicImage {
    match orientation {
        2 => image.fliph(),
        3 => image.rotate180(),
        4 => image.flipv(),
        5 => image.rotate90().fliph(),
        6 => image.rotate270(),
        7 => image.rotate90().flipv(),
        8 => image.rotate90(),
        _ => image.clone(),
    }
}

/// The smallest GIF: one pixel.
pub const GIF: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x01D\0;";

/// The start of a HEIC picture, as iPhones take them.
pub const TRUNCATED_HEIC: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08mdat";

/// Text, not a picture.
pub const TEXT: &[u8] = b"Milk, bread, eggs";
