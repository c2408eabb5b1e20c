//! Pictures for tests, and files of them.

use image::codecs::png::PngEncoder;
use image::{DynamicImage, Rgb, RgbImage};
use jpeg_encoder::{ColorType, Encoder};

/// A smooth picture in which every region has a different color, so that no rotation or mirror image equals another.
pub(crate) fn photograph(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (x, y) = (x * 255 / width, y * 255 / height);
        Rgb([x as u8, y as u8, (x * y / 255) as u8])
    })
}

/// Stores a picture so that it is upright when a viewer applies this EXIF orientation. Follows the definition in the
/// standard, which says on which sides the viewer shows the first stored row and the first stored column.
pub(crate) fn stored_for(upright: &RgbImage, orientation: u8) -> RgbImage {
    let (width, height) = upright.dimensions();
    let (stored_width, stored_height) = if orientation >= 5 {
        (height, width)
    } else {
        (width, height)
    };
    let mut stored = RgbImage::new(stored_width, stored_height);
    for (x, y, pixel) in upright.enumerate_pixels() {
        let (from_right, from_bottom) = (width - 1 - x, height - 1 - y);
        let (row, column) = match orientation {
            2 => (y, from_right),
            3 => (from_bottom, from_right),
            4 => (from_bottom, x),
            5 => (x, y),
            6 => (from_right, y),
            7 => (from_right, from_bottom),
            8 => (x, from_bottom),
            _ => (y, x),
        };
        stored.put_pixel(column, row, *pixel);
    }
    stored
}

/// Encodes a picture as JPEG.
pub(crate) fn jpeg(picture: &RgbImage) -> Vec<u8> {
    encode(picture, None)
}

/// Encodes a picture as JPEG with this EXIF orientation.
pub(crate) fn jpeg_with_orientation(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let exif = [b"Exif\0\0", tiff_with_orientation(orientation).as_slice()].concat();
    encode(picture, Some(exif))
}

/// EXIF with one entry, the orientation: tag 0x0112, one 16-bit number.
pub(crate) fn tiff_with_orientation(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    tiff.extend([orientation, 0, 0, 0, 0, 0, 0]);
    tiff
}

fn encode(picture: &RgbImage, exif: Option<Vec<u8>>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 95);
    if let Some(exif) = exif {
        encoder.add_app_segment(1, exif).expect("the segment is short");
    }
    let (width, height) = (picture.width() as u16, picture.height() as u16);
    encoder
        .encode(picture.as_raw(), width, height, ColorType::Rgb)
        .expect("the picture encodes");
    file
}

/// Encodes a picture as PNG.
pub(crate) fn png(picture: impl Into<DynamicImage>) -> Vec<u8> {
    let mut file = Vec::new();
    picture
        .into()
        .write_with_encoder(PngEncoder::new(&mut file))
        .expect("the picture encodes");
    file
}
