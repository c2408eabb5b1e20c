//! JPEG: segments up to the frame header.
//!
//! Source: ITU-T T.81.

use crate::exif::{self, Exif};
use crate::pieces::Pieces;
use crate::stored::{Stop, Stored};
use domain::Format;

/// JPEGs whose frame header leaves the height to a segment after the first scan (DNL). libjpeg does not read them, either.
pub(crate) const WITHOUT_HEIGHT: &str = "JPEG pictures that state their height only after their pixels";

/// The frame header.
#[derive(Debug)]
pub(crate) struct Frame {
    /// The second byte of the marker, which says how the picture is coded.
    marker: u8,
    /// Bits of a sample.
    precision: u8,
    pub(crate) width: u16,
    pub(crate) height: u16,
    /// From the first EXIF segment before the frame header.
    pub(crate) exif: Option<Exif>,
}

impl Frame {
    /// Reads the segments of a JPEG that begins at `start`.
    pub(crate) fn read(file: &Pieces<'_>, start: u64) -> Result<Self, Stop> {
        if file.array(start)? != [0xFF, 0xD8] {
            return Err(Stop::Broken);
        }
        let mut exif = None;
        let mut at = start + 2;
        loop {
            let marker;
            (marker, at) = next_marker(file, at)?;
            match marker {
                // No segments.
                0x01 | 0xD0..=0xD8 => {}
                // Frame headers: all of this range except Huffman tables, extensions and arithmetic conditioning.
                0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                    let [_, _, precision, h1, h0, w1, w0] = file.array(at)?;
                    return Ok(Self {
                        marker,
                        precision,
                        width: u16::from_be_bytes([w1, w0]),
                        height: u16::from_be_bytes([h1, h0]),
                        exif,
                    });
                }
                // A scan or the end of the picture, before any frame header.
                0xD9 | 0xDA => return Err(Stop::Broken),
                _ => {
                    let length = u16::from_be_bytes(file.array(at)?);
                    if length < 2 {
                        return Err(Stop::Broken);
                    }
                    if marker == 0xE1 && exif.is_none() {
                        exif = segment(file, at + 2, usize::from(length) - 2)?;
                    }
                    at += u64::from(length);
                }
            }
        }
    }

    /// Whether every JPEG decoder reads it: baseline or progressive, Huffman codes, 8 bits.
    pub(crate) fn is_usual(&self) -> bool {
        matches!(self.marker, 0xC0..=0xC2) && self.precision == 8
    }

    /// What few decoders read, in the plural.
    fn rare_kind(&self) -> Option<&'static str> {
        match self.marker {
            0xC3 | 0xC7 | 0xCB | 0xCF => Some("Lossless JPEG pictures"),
            0xC5 | 0xC6 | 0xCD | 0xCE => Some("Hierarchical JPEG pictures"),
            0xC9 | 0xCA => Some("JPEG pictures with arithmetic coding"),
            _ if self.precision == 12 => Some("JPEG pictures with 12 bits for each color"),
            _ => None,
        }
    }
}

/// Reads dimensions and metadata. How the pixels are coded does not matter: Rekognition may read what this project's decoder
/// does not.
pub(crate) fn read(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let frame = Frame::read(file, 0)?;
    if frame.height == 0 {
        return Err(Stop::OtherKind(WITHOUT_HEIGHT));
    }
    Ok(Stored {
        format: Format::Jpeg,
        width: frame.width.into(),
        height: frame.height.into(),
        exif: frame.exif.unwrap_or_default(),
    })
}

/// See [`crate::rare_jpeg`].
pub(crate) fn rare_kind(file: &Pieces<'_>) -> Option<&'static str> {
    Frame::read(file, 0).ok()?.rare_kind()
}

/// Finds the next marker, and the position after it. Skips the bytes before it, as libjpeg does: fill bytes, and bytes that
/// do not belong to any segment.
fn next_marker(file: &Pieces<'_>, mut at: u64) -> Result<(u8, u64), Stop> {
    loop {
        let rest = file.rest(at)?;
        let skipped = rest.iter().take_while(|byte| **byte != 0xFF).count();
        file.budget().bytes(skipped as u64)?;
        at += skipped as u64;
        if skipped == rest.len() {
            continue;
        }
        let [_, marker] = file.array(at)?;
        match marker {
            // A fill byte: the marker can begin with the second byte.
            0xFF => at += 1,
            // A data byte of 0xFF.
            0 => at += 2,
            _ => return Ok((marker, at + 2)),
        }
    }
}

/// `None` if the segment is not EXIF.
fn segment(file: &Pieces<'_>, from: u64, length: usize) -> Result<Option<Exif>, Stop> {
    if length < exif::PREFIX.len() || file.get(from, exif::PREFIX.len())? != exif::PREFIX {
        return Ok(None);
    }
    let tiff = &file.get(from, length)?[exif::PREFIX.len()..];
    Ok(Some(Exif::read(tiff)))
}
