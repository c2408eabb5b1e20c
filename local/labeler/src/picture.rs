//! From a file's bytes to pixels: JPEG and PNG, within Rekognition's limits, and as they are seen.

use std::io::Cursor;

use exif::{In, Tag};
use png::{ColorType, Transformations};
use zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions};
use zune_jpeg::JpegDecoder;

/// Rekognition's smallest side in pixels.
pub const MIN_SIDE: u32 = 80;
/// Rekognition's largest side in pixels.
pub const MAX_SIDE: u32 = 10_000;

/// Why a file gives no picture.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum PictureError {
    /// The file is neither JPEG nor PNG.
    #[error("it is neither a JPEG nor a PNG file")]
    UnknownFormat,
    /// The file breaks its format's rules, or ends early.
    #[error("the {format} file is damaged: {reason}")]
    Damaged {
        /// "JPEG" or "PNG".
        format: &'static str,
        /// What the decoder found.
        reason: String,
    },
    /// A side is below [`MIN_SIDE`].
    #[error("the image is {width} x {height} pixels, each side must have at least {MIN_SIDE}")]
    TooSmall {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
    /// A side is above [`MAX_SIDE`]; worded as Rekognition words it.
    #[error("Input image dimensions {width} x {height} exceed maximum dimension size of {MAX_SIDE} pixels")]
    TooLarge {
        /// Pixels.
        width: u32,
        /// Pixels.
        height: u32,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Jpeg,
    Png,
}

impl Format {
    fn of(bytes: &[u8]) -> Result<Self, PictureError> {
        if bytes.starts_with(&[0xFF, 0xD8, 0xFF]) {
            Ok(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Ok(Self::Png)
        } else {
            Err(PictureError::UnknownFormat)
        }
    }

    fn damaged(self, reason: impl Into<String>) -> PictureError {
        let format = match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
        };
        PictureError::Damaged {
            format,
            reason: reason.into(),
        }
    }
}

/// The number of pixels that the file's header announces, after checking both sides against the limits. Reads no
/// pixels, so that a file of a few bytes cannot make the server allocate gigabytes.
///
/// # Errors
/// Every [`PictureError`] but the damage that only the pixels show.
pub fn announced_pixels(bytes: &[u8]) -> Result<u64, PictureError> {
    let (width, height) = match Format::of(bytes)? {
        Format::Jpeg => {
            let mut decoder = jpeg_decoder(bytes);
            decoder
                .decode_headers()
                .map_err(|error| Format::Jpeg.damaged(error.to_string()))?;
            let info = decoder
                .info()
                .ok_or_else(|| Format::Jpeg.damaged("it has no frame header"))?;
            (u32::from(info.width), u32::from(info.height))
        }
        Format::Png => {
            let mut decoder = png_decoder(bytes);
            let info = decoder
                .read_header_info()
                .map_err(|error| Format::Png.damaged(error.to_string()))?;
            (info.width, info.height)
        }
    };
    if width > MAX_SIDE || height > MAX_SIDE {
        return Err(PictureError::TooLarge { width, height });
    }
    if width < MIN_SIDE || height < MIN_SIDE {
        return Err(PictureError::TooSmall { width, height });
    }
    Ok(u64::from(width) * u64::from(height))
}

/// A decoded picture. Its pixels lie as the file stores them; `orientation` tells how they are to be seen.
#[derive(Debug, Clone)]
pub struct Picture {
    stored_width: usize,
    stored_height: usize,
    /// RGB, 3 bytes a pixel, row by row.
    pixels: Vec<u8>,
    orientation: Orientation,
}

impl Picture {
    /// Decodes the file, up to 4 bytes of memory a pixel (progressive JPEG: up to 9).
    ///
    /// # Errors
    /// Every [`PictureError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, PictureError> {
        announced_pixels(bytes)?;
        match Format::of(bytes)? {
            Format::Jpeg => decode_jpeg(bytes),
            Format::Png => decode_png(bytes),
        }
    }

    /// A picture of these pixels (RGB, 3 bytes each, row by row), to be seen as they lie.
    ///
    /// # Panics
    /// If the number of bytes does not fit the sides.
    pub fn from_rgb(width: usize, height: usize, pixels: Vec<u8>) -> Self {
        assert_eq!(pixels.len(), width * height * 3);
        Self {
            stored_width: width,
            stored_height: height,
            pixels,
            orientation: Orientation::UPRIGHT,
        }
    }

    /// Width as the pixels lie.
    pub fn stored_width(&self) -> usize {
        self.stored_width
    }

    /// Height as the pixels lie.
    pub fn stored_height(&self) -> usize {
        self.stored_height
    }

    /// Width as the picture is seen.
    pub fn width(&self) -> usize {
        if self.orientation.swaps_sides() {
            self.stored_height
        } else {
            self.stored_width
        }
    }

    /// Height as the picture is seen.
    pub fn height(&self) -> usize {
        if self.orientation.swaps_sides() {
            self.stored_width
        } else {
            self.stored_height
        }
    }

    /// RGB, 3 bytes a pixel, row by row as the file stores them.
    pub fn stored_pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// How the stored pixels are to be seen.
    pub fn orientation(&self) -> Orientation {
        self.orientation
    }
}

/// EXIF's orientation, 1 to 8: how the stored pixels are to be turned and mirrored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orientation(u8);

impl Orientation {
    /// Stored as seen.
    pub const UPRIGHT: Self = Self(1);

    /// The orientation with EXIF's number; what is not 1 to 8 counts as upright.
    pub fn from_exif(number: u32) -> Self {
        match u8::try_from(number) {
            Ok(number @ 1..=8) => Self(number),
            _ => Self::UPRIGHT,
        }
    }

    /// Whether the width as seen is the stored height.
    pub fn swaps_sides(self) -> bool {
        self.0 >= 5
    }

    /// Where the pixel seen at (x, y) is stored, in a buffer of `width` x `height` stored pixels: at
    /// `origin + x * step_x + y * step_y`.
    pub fn addressing(self, width: usize, height: usize) -> Addressing {
        let (w, h) = (width as isize, height as isize);
        let (right, down) = (1, w);
        let (origin, step_x, step_y) = match self.0 {
            2 => (w - 1, -right, down),
            3 => (w * h - 1, -right, -down),
            4 => (w * (h - 1), right, -down),
            5 => (0, down, right),
            6 => (w * (h - 1), -down, right),
            7 => (w * h - 1, -down, -right),
            8 => (w - 1, down, -right),
            _ => (0, right, down),
        };
        Addressing {
            origin,
            step_x,
            step_y,
        }
    }

    /// A point as seen, in fractions of the sides, in fractions of the stored sides.
    pub fn stored_point(self, x: f64, y: f64) -> (f64, f64) {
        match self.0 {
            2 => (1.0 - x, y),
            3 => (1.0 - x, 1.0 - y),
            4 => (x, 1.0 - y),
            5 => (y, x),
            6 => (y, 1.0 - x),
            7 => (1.0 - y, 1.0 - x),
            8 => (1.0 - y, x),
            _ => (x, y),
        }
    }
}

/// Finds stored pixels by their place as seen; see [`Orientation::addressing`].
#[derive(Debug, Clone, Copy)]
pub struct Addressing {
    origin: isize,
    step_x: isize,
    step_y: isize,
}

impl Addressing {
    /// Index of the stored pixel that is seen at (x, y), both within the sides as seen.
    pub fn index(self, x: usize, y: usize) -> usize {
        (self.origin + x as isize * self.step_x + y as isize * self.step_y) as usize
    }
}

fn jpeg_decoder(bytes: &[u8]) -> JpegDecoder<ZCursor<&[u8]>> {
    // The limits on the sides are this module's own: the decoder's would not tell the size that was found.
    let options = DecoderOptions::new_fast()
        .jpeg_set_out_colorspace(ColorSpace::RGB)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    JpegDecoder::new_with_options(ZCursor::new(bytes), options)
}

fn decode_jpeg(bytes: &[u8]) -> Result<Picture, PictureError> {
    // The decoder pads a file that ends early with gray, as browsers do; Rekognition refuses it.
    if !reaches_end_of_image(bytes) {
        return Err(Format::Jpeg.damaged("it ends before the end of the image"));
    }
    let mut decoder = jpeg_decoder(bytes);
    let pixels = decoder
        .decode()
        .map_err(|error| Format::Jpeg.damaged(error.to_string()))?;
    let info = decoder
        .info()
        .ok_or_else(|| Format::Jpeg.damaged("it has no frame header"))?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    if pixels.len() != width * height * 3 {
        return Err(Format::Jpeg.damaged("its color space is not supported"));
    }
    let orientation = decoder
        .exif()
        .map_or(Orientation::UPRIGHT, |exif| exif_orientation(exif));
    Ok(Picture {
        stored_width: width,
        stored_height: height,
        pixels,
        orientation,
    })
}

/// Whether the markers lead from the start of a JPEG file through all its scans to the end-of-image marker.
fn reaches_end_of_image(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| rest.iter().position(|&byte| byte == 0xFF))
    {
        at += found + 1;
        match bytes.get(at) {
            Some(0xD9) => return true,
            // A fill byte, an escaped 0xFF inside a scan, a restart marker, or one without content.
            Some(0xFF) => {}
            Some(0x00 | 0x01 | 0xD0..=0xD8) => at += 1,
            Some(_) => {
                let Some(&[high, low]) = bytes.get(at + 1..at + 3) else {
                    return false;
                };
                at += 1 + usize::from(u16::from_be_bytes([high, low]));
            }
            None => return false,
        }
    }
    false
}

fn exif_orientation(exif: &[u8]) -> Orientation {
    exif::Reader::new()
        .read_raw(exif.to_vec())
        .ok()
        .and_then(|exif| exif.get_field(Tag::Orientation, In::PRIMARY)?.value.get_uint(0))
        .map_or(Orientation::UPRIGHT, Orientation::from_exif)
}

fn png_decoder(bytes: &[u8]) -> png::Decoder<Cursor<&[u8]>> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    decoder
}

fn decode_png(bytes: &[u8]) -> Result<Picture, PictureError> {
    let damaged = |error: png::DecodingError| Format::Png.damaged(error.to_string());
    let mut reader = png_decoder(bytes).read_info().map_err(damaged)?;
    let size = reader
        .output_buffer_size()
        .ok_or_else(|| Format::Png.damaged("it is too large for memory"))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(damaged)?;
    // Reads to the end of the file: a checksum that is wrong or an end that is missing is found here.
    reader.finish().map_err(damaged)?;
    let (width, height) = (info.width as usize, info.height as usize);
    let pixels = rgb(pixels, info.color_type, width * height);
    Ok(Picture {
        stored_width: width,
        stored_height: height,
        pixels,
        orientation: Orientation::UPRIGHT,
    })
}

/// Turns 8-bit samples of any color type into RGB, in place where that is possible. What is transparent shows
/// white, as on a page.
fn rgb(mut samples: Vec<u8>, color: ColorType, pixels: usize) -> Vec<u8> {
    let over_white = |value: u8, alpha: u8| {
        let (value, alpha) = (u16::from(value), u16::from(alpha));
        ((value * alpha + 255 * (255 - alpha) + 127) / 255) as u8
    };
    match color {
        ColorType::Rgba => {
            for pixel in 0..pixels {
                let [r, g, b, alpha] = samples[pixel * 4..pixel * 4 + 4] else {
                    unreachable!("four samples")
                };
                samples[pixel * 3..pixel * 3 + 3]
                    .copy_from_slice(&[r, g, b].map(|value| over_white(value, alpha)));
            }
            samples.truncate(pixels * 3);
            samples
        }
        ColorType::Grayscale => samples
            .iter()
            .take(pixels)
            .flat_map(|&value| [value; 3])
            .collect(),
        ColorType::GrayscaleAlpha => samples
            .chunks_exact(2)
            .take(pixels)
            .flat_map(|pair| [over_white(pair[0], pair[1]); 3])
            .collect(),
        ColorType::Rgb | ColorType::Indexed => {
            samples.truncate(pixels * 3);
            samples
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{jpeg, jpeg_with_orientation, photograph, png, stored_for};

    const SAMPLE: &[u8] = include_bytes!("../../../samples/cat.jpg");

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
            let _ = exif_orientation(&bytes);
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
}
