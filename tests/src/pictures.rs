//! Pictures, and files that only claim to be. Those of which no encoder is at hand here are in `tests/pictures/`, made by
//! `make.py`.

use image::codecs::gif::GifEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, Frame, ImageEncoder, ImageFormat, RgbImage};
use std::io::Cursor;
use std::path::Path;
use tiff::encoder::colortype::RGB8;
use tiff::encoder::{Compression, Predictor, TiffEncoder};
use tiff::tags::Tag;

/// A photograph of the folder `samples/`.
///
/// # Panics
/// Where there is none of that name.
pub fn sample(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../samples")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A cat's portrait, JPEG.
pub fn cat() -> Vec<u8> {
    sample("cat.jpg")
}

/// A photograph of which the second half got lost: its header is fine, so only decoding it shows.
pub fn truncated() -> Vec<u8> {
    let mut bytes = cat();
    bytes.truncate(bytes.len() / 2);
    bytes
}

/// A gray picture of any size: in pixels, at least 1 each.
///
/// # Panics
/// Where a side is 0.
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

/// The cat as a JPEG of four inks, for printing.
pub fn inks() -> Vec<u8> {
    include_bytes!("../pictures/cat-inks.jpg").to_vec()
}

/// The cat as a PNG that comes in passes, each finer than the one before.
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

/// The cat as an AVIF picture that is to be turned to be seen.
pub fn turned_avif() -> Vec<u8> {
    include_bytes!("../pictures/turned.avif").to_vec()
}

/// The cat as an AVIF picture that is to be turned and mirrored to be seen.
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
/// Where it is none.
pub fn decoded(jpeg: &[u8]) -> DynamicImage {
    let mut decoder = jpeg_decoder::Decoder::new(jpeg);
    let samples = decoder.decode().expect("a JPEG");
    let info = decoder.info().expect("its frame");
    RgbImage::from_raw(info.width.into(), info.height.into(), samples)
        .expect("red, green and blue")
        .into()
}

/// A picture as a file of another kind.
///
/// # Panics
/// Where the kind cannot be written.
pub fn file(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("written to memory");
    bytes.into_inner()
}

/// EXIF data with this orientation, 1 to 8, and a place in Sydney.
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

/// A picture as a JPEG with [`exif`].
///
/// # Panics
/// Where a side has more than 65,535 pixels.
pub fn jpeg(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    jpeg_with(image, |encoder| {
        let segment = [b"Exif\0\0", &exif(orientation)[..]].concat();
        encoder.add_app_segment(1, segment).expect("a short segment");
    })
}

/// A picture as a JPEG, gray where it is gray, of the kind that `set` makes it.
///
/// # Panics
/// Where a side has more than 65,535 pixels.
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
/// Where there is no memory for it.
pub fn png_with_exif(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_with_exif(PngEncoder::new(&mut bytes), image, orientation);
    bytes
}

/// A picture as a lossless WebP with [`exif`].
///
/// # Panics
/// Where there is no memory for it.
pub fn webp_with_exif(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_with_exif(WebPEncoder::new_lossless(&mut bytes), image, orientation);
    bytes
}

/// A picture as a lossless WebP with this ICC profile, whatever it says.
///
/// # Panics
/// Where there is no memory for it.
pub fn webp_with_profile(image: &DynamicImage, profile: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut bytes);
    encoder
        .set_icc_profile(profile.to_vec())
        .expect("a format that knows profiles");
    image.write_with_encoder(encoder).expect("written to memory");
    bytes
}

fn write_with_exif(mut encoder: impl ImageEncoder, image: &DynamicImage, orientation: u8) {
    encoder
        .set_exif_metadata(exif(orientation))
        .expect("a format that knows EXIF");
    image.write_with_encoder(encoder).expect("written to memory");
}

/// Pictures one after another in a GIF.
///
/// # Panics
/// Where there is no memory for it.
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

/// A picture as a PNG of at least as many bytes as its samples have.
///
/// # Panics
/// Where there is no memory for it.
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
/// Where there is no memory for it.
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

/// How a picture must be stored to be seen as it is under an EXIF orientation.
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

/// The start of a picture as iPhones take them.
pub const HEIC: &[u8] = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08mdat";

/// No picture at all.
pub const TEXT: &[u8] = b"Milk, bread, eggs";
