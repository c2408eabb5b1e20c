//! Pictures, and files that only claim to be.

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

/// The smallest GIF: one pixel.
pub const GIF: &[u8] =
    b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff!\xf9\x04\x01\0\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x01D\0;";

/// No picture at all.
pub const TEXT: &[u8] = b"Milk, bread, eggs";
