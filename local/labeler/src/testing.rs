//! Pictures for tests, and files of them.

use jpeg_encoder::{ColorType, Encoder};

use crate::picture::Picture;

/// A smooth picture in which every region has its own color, so that no turn or mirror image equals another.
pub(crate) fn photograph(width: usize, height: usize) -> Picture {
    let pixels = (0..height)
        .flat_map(|y| (0..width).map(move |x| (x * 255 / width, y * 255 / height)))
        .flat_map(|(x, y)| [x as u8, y as u8, (x * y / 255) as u8])
        .collect();
    Picture::from_rgb(width, height, pixels)
}

/// How a picture must be stored to be seen like `upright` under this EXIF orientation: by the standard's own words,
/// which name the sides that the first stored row and the first stored column are seen at.
pub(crate) fn stored_for(upright: &Picture, orientation: u8) -> Picture {
    let (width, height) = (upright.width(), upright.height());
    let (stored_width, stored_height) = if orientation >= 5 {
        (height, width)
    } else {
        (width, height)
    };
    let mut pixels = vec![0; upright.stored_pixels().len()];
    for y in 0..height {
        for x in 0..width {
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
            let to = (row * stored_width + column) * 3;
            pixels[to..to + 3].copy_from_slice(&upright.stored_pixels()[(y * width + x) * 3..][..3]);
        }
    }
    Picture::from_rgb(stored_width, stored_height, pixels)
}

/// The picture as a JPEG file.
pub(crate) fn jpeg(picture: &Picture) -> Vec<u8> {
    encode(picture, None)
}

/// The picture as a JPEG file with this EXIF orientation.
pub(crate) fn jpeg_with_orientation(picture: &Picture, orientation: u8) -> Vec<u8> {
    // A TIFF header and one directory with one entry: tag 0x0112, one 16-bit number.
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    encode(picture, Some(&exif))
}

fn encode(picture: &Picture, exif: Option<&[u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 95);
    if let Some(exif) = exif {
        encoder.add_app_segment(1, exif.to_vec()).expect("it is short");
    }
    let (width, height) = (picture.stored_width() as u16, picture.stored_height() as u16);
    encoder
        .encode(picture.stored_pixels(), width, height, ColorType::Rgb)
        .expect("the picture encodes");
    file
}

/// The picture as a PNG file.
pub(crate) fn png(picture: &Picture) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(
        &mut file,
        picture.stored_width() as u32,
        picture.stored_height() as u32,
    );
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(picture.stored_pixels()))
        .expect("the picture encodes");
    file
}
