//! Pictures, and files that only claim to be.

use image::{DynamicImage, ImageFormat, RgbImage};
use std::io::Cursor;
use std::path::Path;

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

/// The cat's pixels.
///
/// # Panics
/// Where the photograph is none.
pub fn pixels() -> DynamicImage {
    let mut decoder = jpeg_decoder::Decoder::new(Cursor::new(cat()));
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

/// A picture as a JPEG with this EXIF orientation, 1 to 8, and a place in Sydney.
///
/// # Panics
/// Where a side has more than 65,535 pixels.
pub fn jpeg(image: &DynamicImage, orientation: u8) -> Vec<u8> {
    // TIFF's header; orientation and the GPS directory; latitude and longitude with their references; numbers.
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0]);
    exif.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0");
    exif.extend(b"\0\x04\0\x01\0\x02\0\0\0\x02S\0\0\0\0\x02\0\x05\0\0\0\x03\0\0\0\x5c");
    exif.extend(b"\0\x03\0\x02\0\0\0\x02E\0\0\0\0\x04\0\x05\0\0\0\x03\0\0\0\x74\0\0\0\0");
    for number in [33_u32, 51, 30, 151, 12, 0] {
        exif.extend(number.to_be_bytes());
        exif.extend(1_u32.to_be_bytes());
    }
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 92);
    encoder.add_app_segment(1, exif).expect("a short segment");
    let side = |side| u16::try_from(side).expect("at most 65,535");
    encoder
        .encode(
            image.to_rgb8().as_raw(),
            side(image.width()),
            side(image.height()),
            jpeg_encoder::ColorType::Rgb,
        )
        .expect("written to memory");
    bytes
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
