//! JPEG: segments up to the frame header.
//!
//! Sources: ITU-T T.81, XMP Specification Part 3.

use crate::directory::lenient;
use crate::exif::{self, Exif};
use crate::keywords::{self, Sources};
use crate::pieces::Pieces;
use crate::raw::Extent;
use crate::stored::{Stop, Stored};
use domain::Format;

/// JPEGs whose frame header leaves the height to a segment after the first scan (DNL). libjpeg does not read them, either.
pub(crate) const WITHOUT_HEIGHT: &str = "JPEG pictures that state their height only after their pixels";

/// Precedes XMP in a segment. Extended XMP, which begins differently, has what does not fit into one segment. It is not read.
const XMP_PREFIX: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";

/// Precedes the image resources of Photoshop in a segment.
const PHOTOSHOP_PREFIX: &[u8] = b"Photoshop 3.0\0";

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
    /// From the first segments of XMP and Photoshop before the frame header.
    pub(crate) keywords: Sources,
}

impl Frame {
    /// Reads the segments of a JPEG that begins at `start`.
    pub(crate) fn read(file: &Pieces<'_>, start: u64) -> Result<Self, Stop> {
        if file.array(start)? != [0xFF, 0xD8] {
            return Err(Stop::Broken);
        }
        let mut exif = None;
        let (mut xmp, mut photoshop) = (None, None);
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
                    let iptc = match photoshop {
                        Some(resources) => lenient(keywords::of_photoshop(file, resources))?,
                        None => None,
                    };
                    return Ok(Self {
                        marker,
                        precision,
                        width: u16::from_be_bytes([w1, w0]),
                        height: u16::from_be_bytes([h1, h0]),
                        exif,
                        keywords: Sources { xmp, iptc },
                    });
                }
                // A scan or the end of the picture, before any frame header.
                0xD9 | 0xDA => return Err(Stop::Broken),
                _ => {
                    let length = u16::from_be_bytes(file.array(at)?);
                    if length < 2 {
                        return Err(Stop::Broken);
                    }
                    let content = (at + 2, u64::from(length) - 2);
                    if marker == 0xE1 && exif.is_none() {
                        exif = exif_of(file, content)?;
                    }
                    if marker == 0xE1 && xmp.is_none() {
                        xmp = after(file, content, XMP_PREFIX)?;
                    }
                    if marker == 0xED && photoshop.is_none() {
                        photoshop = after(file, content, PHOTOSHOP_PREFIX)?;
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
        keywords: frame.keywords,
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

/// The part of a segment after this prefix. `None` if the segment begins with something else. Gets all of it at once:
/// returning to it after the frame header could take another read.
fn after(file: &Pieces<'_>, (from, length): Extent, prefix: &[u8]) -> Result<Option<Extent>, Stop> {
    let skip = prefix.len() as u64;
    if length < skip || file.get(from, prefix.len())? != prefix {
        return Ok(None);
    }
    let rest = (from + skip, length - skip);
    // At most 64 KiB.
    file.get(rest.0, usize::try_from(rest.1).map_err(|_| Stop::Broken)?)?;
    Ok(Some(rest))
}

/// `None` if the segment is not EXIF.
fn exif_of(file: &Pieces<'_>, segment: Extent) -> Result<Option<Exif>, Stop> {
    let Some((from, length)) = after(file, segment, exif::PREFIX)? else {
        return Ok(None);
    };
    let tiff = file.get(from, usize::try_from(length).map_err(|_| Stop::Broken)?)?;
    Ok(Some(Exif::read(tiff)))
}
