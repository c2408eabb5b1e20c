//! JPEG. `jpeg-decoder` can decode at a fraction of the size: for a thumbnail of a photograph, it takes less than half the
//! time of `zune-jpeg`, and a quarter of the memory. Files that it refuses are repaired, or decoded by `zune-jpeg`, which is
//! more lenient.

mod repair;

use crate::color::rgb_of_cmyk;
use crate::decoded::{DecodeError, Decoded, bounded, picture};
use domain::image::MAX_PIXELS;
use jpeg_decoder::{ColorTransform, Error, PixelFormat, UnsupportedFeature};
use std::borrow::Cow;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Maximum number of scans. Encoders write about ten.
const MAX_SCANS: u64 = 500;
/// Maximum number of pixels times scans: a few seconds, as each scan of a progressive picture visits each block of pixels.
const MAX_WORK: u64 = 100 * MAX_PIXELS;
/// The same for a scan that is not progressive, which decodes the pixels.
const SEQUENTIAL_SCAN: u64 = 8;
/// Minimum number of bytes of coded pixels. Fewer show nothing.
const MIN_SCAN_BYTES: usize = 32;

const END: [u8; 2] = [0xFF, 0xD9];

/// Decodes a file, at a smaller size if that still has at least the `wanted` sides. What is missing at the end is gray.
pub(super) fn decode(file: &[u8], wanted: (u32, u32)) -> Result<Decoded, DecodeError> {
    let outline = Outline::read(file)?;
    let file = &*outline.with_tables(file);
    let (error, is_readable) = match scaled(file, wanted) {
        Ok(decoded) => return Ok(decoded),
        Err(error @ Error::Unsupported(_)) => (unsupported(error), false),
        Err(error) => (DecodeError::of(error), has_readable_header(file)),
    };
    if outline.scan_bytes < MIN_SCAN_BYTES {
        return Err(error);
    }
    // A decoder takes the bits after the end as zeros.
    if !outline.has_end
        && let Ok(decoded) = scaled(&[file, &END.repeat(2)].concat(), wanted)
    {
        return Ok(Decoded {
            incomplete: true,
            ..decoded
        });
    }
    // If the header is readable, the scans are the cause. Otherwise, the file is unusual.
    let mut incomplete = is_readable || !outline.has_end;
    if let Some(repaired) = repair::repaired(file) {
        incomplete = repaired.was_damaged || !outline.has_end;
        if let Ok(decoded) = scaled(&repaired.file, wanted) {
            return Ok(Decoded {
                incomplete,
                ..decoded
            });
        }
    }
    if let Ok(decoded) = lenient(file, true) {
        return Ok(Decoded {
            incomplete,
            ..decoded
        });
    }
    let decoded = lenient(file, false).map_err(|_| error)?;
    Ok(Decoded {
        incomplete: true,
        ..decoded
    })
}

fn has_readable_header(file: &[u8]) -> bool {
    jpeg_decoder::Decoder::new(file).read_info().is_ok()
}

fn scaled(file: &[u8], wanted: (u32, u32)) -> Result<Decoded, Error> {
    let mut decoder = jpeg_decoder::Decoder::new(file);
    // Four bytes a pixel: CMYK.
    decoder.set_max_decoding_buffer_size(usize::try_from(4 * MAX_PIXELS).unwrap_or(usize::MAX));
    let side = |side| u16::try_from(side).unwrap_or(u16::MAX);
    decoder.scale(side(wanted.0), side(wanted.1))?;
    let samples = decoder.decode()?;
    let invalid = || Error::Format("fewer samples than pixels".to_owned());
    let info = decoder.info().ok_or_else(invalid)?;
    let rgb = match info.pixel_format {
        PixelFormat::RGB24 => samples,
        PixelFormat::L8 => samples.into_iter().flat_map(|gray| [gray; 3]).collect(),
        PixelFormat::L16 => samples
            .chunks_exact(2)
            .flat_map(|gray| [(u16::from_ne_bytes([gray[0], gray[1]]) >> 8) as u8; 3])
            .collect(),
        PixelFormat::CMYK32 => samples
            .chunks_exact(4)
            .flat_map(|cmyk| rgb_of_cmyk([cmyk[0], cmyk[1], cmyk[2], cmyk[3]]))
            .collect(),
    };
    Ok(Decoded {
        picture: picture((info.width.into(), info.height.into()), rgb).map_err(|_| invalid())?,
        profile: bounded(decoder.icc_profile()),
        incomplete: false,
    })
}

/// Decodes a file at full size. If not `strict`, what is damaged has any color.
fn lenient(file: &[u8], strict: bool) -> Result<Decoded, DecodeError> {
    let options = DecoderOptions::new_fast()
        .set_strict_mode(strict)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_max_scans(MAX_SCANS as usize)
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    let rgb = decoder.decode().map_err(DecodeError::of)?;
    let info = decoder.info().ok_or_else(|| DecodeError::of("no frame"))?;
    Ok(Decoded {
        picture: picture((info.width.into(), info.height.into()), rgb)?,
        profile: bounded(decoder.icc_profile()),
        incomplete: false,
    })
}

fn unsupported(error: Error) -> DecodeError {
    use UnsupportedFeature as Feature;
    let Error::Unsupported(feature) = error else {
        return DecodeError::of(error);
    };
    DecodeError::unsupported(match feature {
        Feature::ArithmeticEntropyCoding => "JPEG with arithmetic coding",
        Feature::Hierarchical => "JPEG with several resolutions",
        Feature::SamplePrecision(_) => "JPEG with 12 bits per sample",
        Feature::ComponentCount(_) => "JPEG with an unusual number of colors",
        Feature::DNL => "JPEG without its height",
        Feature::SubsamplingRatio | Feature::NonIntegerSubsamplingRatio => {
            "JPEG with unusual chroma subsampling"
        }
        Feature::ColorTransform(_) => "JPEG with an unusual color space",
    })
}

/// What a file has, without decoding it.
struct Outline {
    /// Whether the picture has its end.
    has_end: bool,
    /// Bytes after the header of the first scan.
    scan_bytes: usize,
    has_huffman_tables: bool,
}

impl Outline {
    /// Checks that the scans do not take too long. A megabyte can hold thousands of empty scans of a large picture.
    fn read(file: &[u8]) -> Result<Self, DecodeError> {
        let mut outline = Self {
            has_end: false,
            scan_bytes: 0,
            has_huffman_tables: false,
        };
        let mut work_of_scan = 0;
        let mut scans = 0;
        // Metadata before this position can have anything in it, such as a thumbnail.
        let mut next = 2;
        for at in memchr::memchr_iter(0xFF, file) {
            let Some(marker) = file.get(at + 1) else { break };
            if at < next || matches!(marker, 0 | 0xFF | 0x01 | 0xD0..=0xD8) {
                continue;
            }
            if *marker == 0xD9 {
                outline.has_end = true;
                break;
            }
            let Some(segment) = file.get(at + 4..) else { break };
            let length = usize::from(u16::from_be_bytes([file[at + 2], file[at + 3]]));
            match marker {
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                    if let [_, h1, h0, w1, w0, ..] = *segment {
                        let side = |bytes| u64::from(u16::from_be_bytes(bytes));
                        let pixels = side([w1, w0]) * side([h1, h0]);
                        if pixels > MAX_PIXELS {
                            return Err(DecodeError::of("too many pixels"));
                        }
                        let is_progressive = matches!(marker, 0xC2 | 0xCA);
                        work_of_scan = pixels * if is_progressive { 1 } else { SEQUENTIAL_SCAN };
                    }
                }
                0xC4 => outline.has_huffman_tables = true,
                0xDA => {
                    scans += 1;
                    if scans == 1 {
                        outline.scan_bytes = file.len().saturating_sub(at + 2 + length);
                    }
                    if scans > MAX_SCANS || scans * work_of_scan > MAX_WORK {
                        return Err(DecodeError::unsupported("JPEG with too many scans"));
                    }
                }
                _ => {}
            }
            next = at + 2 + length;
        }
        Ok(outline)
    }

    /// If a file has no Huffman tables, like a frame of a Motion JPEG, adds what makes the decoder use the standard ones.
    fn with_tables<'a>(&self, file: &'a [u8]) -> Cow<'a, [u8]> {
        const MOTION_JPEG: &[u8] = b"\xFF\xD8\xFF\xE0\0\x10AVI1\0\0\0\0\0\0\0\0\0\0";
        match file {
            [0xFF, 0xD8, rest @ ..] if !self.has_huffman_tables => Cow::Owned([MOTION_JPEG, rest].concat()),
            _ => Cow::Borrowed(file),
        }
    }
}

/// The samples of a picture that is a part of another file.
pub(super) struct Samples {
    pub(super) width: u32,
    pub(super) channels: usize,
    pub(super) samples: Vec<u8>,
}

/// Decodes a JPEG with at most these sides. Converts YCbCr to RGB if `is_ycbcr`, and nothing otherwise.
pub(super) fn samples(
    file: &[u8],
    is_ycbcr: bool,
    (width, height): (u32, u32),
) -> Result<Samples, DecodeError> {
    let outline = Outline::read(file)?;
    let mut file = outline.with_tables(file);
    if !outline.has_end {
        file.to_mut().extend(END.repeat(2));
    }
    let mut decoder = jpeg_decoder::Decoder::new(&*file);
    decoder.read_info().map_err(unsupported)?;
    let info = decoder.info().ok_or_else(|| DecodeError::of("no frame"))?;
    if u32::from(info.width) > width || u32::from(info.height) > height {
        return Err(DecodeError::of("an embedded JPEG larger than its place"));
    }
    let channels = info.pixel_format.pixel_bytes();
    if info.pixel_format == PixelFormat::L16 {
        return Err(DecodeError::unsupported("TIFF with lossless JPEG"));
    }
    decoder.set_color_transform(match (channels, is_ycbcr) {
        (3, true) => ColorTransform::YCbCr,
        (3, false) => ColorTransform::RGB,
        _ => ColorTransform::CMYK,
    });
    let mut samples = decoder.decode().map_err(unsupported)?;
    if channels == 4 {
        // The decoder inverts CMYK, because Photoshop's JPEGs are inverted.
        samples.iter_mut().for_each(|sample| *sample = 255 - *sample);
    }
    Ok(Samples {
        width: info.width.into(),
        channels,
        samples,
    })
}
