//! JPEG: segments up to the frame header.

use crate::exif::{self, Exif};
use crate::pieces::Pieces;
use crate::{MOST_SEARCHED, Stop, Stored};
use domain::Format;

/// Dimensions from the first frame header, metadata from the first EXIF segment before it.
pub(crate) fn read(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let mut exif = None;
    let mut at = 2;
    while at < MOST_SEARCHED {
        let [prefix, marker] = file.array(at)?;
        if prefix != 0xFF {
            return Err(Stop::Broken);
        }
        match marker {
            // Fill bytes may stand before any marker.
            0xFF => at += 1,
            0x01 | 0xD0..=0xD8 => at += 2,
            // Frame headers: all of this row but Huffman tables, extensions and arithmetic conditioning.
            0xC0..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF => {
                let [_, _, _, h1, h0, w1, w0] = file.array(at + 2)?;
                return Ok(Stored {
                    format: Format::Jpeg,
                    width: u16::from_be_bytes([w1, w0]).into(),
                    height: u16::from_be_bytes([h1, h0]).into(),
                    exif: exif.unwrap_or_default(),
                });
            }
            // The picture's data, or its end, before any frame.
            0xD9 | 0xDA => return Err(Stop::Broken),
            _ => {
                let length = u16::from_be_bytes(file.array(at + 2)?);
                if length < 2 {
                    return Err(Stop::Broken);
                }
                if marker == 0xE1 && exif.is_none() {
                    exif = segment(file, at + 4, usize::from(length) - 2)?;
                }
                at += 2 + u64::from(length);
            }
        }
    }
    Err(Stop::Broken)
}

/// `None` where the segment is of another kind.
fn segment(file: &Pieces<'_>, from: u64, length: usize) -> Result<Option<Exif>, Stop> {
    if length < exif::PREFIX.len() || file.get(from, exif::PREFIX.len())? != exif::PREFIX {
        return Ok(None);
    }
    let tiff = &file.get(from, length)?[exif::PREFIX.len()..];
    Ok(Some(Exif::read(tiff)))
}
