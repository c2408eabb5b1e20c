//! TIFF and BigTIFF: dimensions and orientation of the first page, wherever in the file its directory stands.

use crate::exif::Exif;
use crate::pieces::Pieces;
use crate::{Stop, Stored};
use domain::{Format, Metadata, Orientation};

/// Most entries of a directory that are looked at. Real ones have some dozens.
const MOST_ENTRIES: u64 = 1_000;

const IMAGE_WIDTH: u16 = 256;
const IMAGE_LENGTH: u16 = 257;
const ORIENTATION: u16 = 274;
/// Stands in files of cameras' raw data only, whose first page is but a preview.
const DNG_VERSION: u16 = 50_706;

/// Numbers of either byte order, and the two widths of offsets.
struct Reader<'a> {
    file: &'a Pieces<'a>,
    little_endian: bool,
}

impl Reader<'_> {
    fn u16(&self, at: u64) -> Result<u16, Stop> {
        let bytes = self.file.array(at)?;
        Ok(if self.little_endian {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        })
    }

    fn u32(&self, at: u64) -> Result<u32, Stop> {
        let bytes = self.file.array(at)?;
        Ok(if self.little_endian {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        })
    }

    fn u64(&self, at: u64) -> Result<u64, Stop> {
        let bytes = self.file.array(at)?;
        Ok(if self.little_endian {
            u64::from_le_bytes(bytes)
        } else {
            u64::from_be_bytes(bytes)
        })
    }
}

/// The first page's dimensions. Its other metadata is left alone: scanners and editors write TIFF, cameras do not.
pub(crate) fn read(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let reader = Reader {
        file,
        little_endian: file.array(0)? == *b"II",
    };
    let big = reader.u16(2)? == 43;
    if file.size() > 10 && file.array(8)? == *b"CR" {
        return Err(Stop::OtherKind("the raw data of a camera"));
    }
    let (directory, entry_length) = if big {
        (reader.u64(8)?, 20)
    } else {
        (reader.u32(4)?.into(), 12)
    };
    let (entries, first) = if big {
        (reader.u64(directory)?, directory.checked_add(8))
    } else {
        (reader.u16(directory)?.into(), directory.checked_add(2))
    };
    let first = first.ok_or(Stop::Broken)?;
    let (mut width, mut height, mut orientation) = (None, None, Orientation::UPRIGHT);
    for entry in 0..entries.min(MOST_ENTRIES) {
        let at = first.checked_add(entry * entry_length).ok_or(Stop::Broken)?;
        let (tag, kind) = (reader.u16(at)?, reader.u16(at.saturating_add(2))?);
        if tag == DNG_VERSION {
            return Err(Stop::OtherKind("the raw data of a camera"));
        }
        if ![IMAGE_WIDTH, IMAGE_LENGTH, ORIENTATION].contains(&tag) {
            continue;
        }
        let value_at = at.saturating_add(if big { 12 } else { 8 });
        let value = match kind {
            3 => reader.u16(value_at)?.into(),
            4 => reader.u32(value_at)?,
            16 => u32::try_from(reader.u64(value_at)?).map_err(|_| Stop::Broken)?,
            _ => return Err(Stop::Broken),
        };
        match tag {
            IMAGE_WIDTH => width = Some(value),
            IMAGE_LENGTH => height = Some(value),
            _ => orientation = value.into(),
        }
    }
    let (Some(width), Some(height)) = (width, height) else {
        return Err(Stop::Broken);
    };
    Ok(Stored {
        format: Format::Tiff,
        width,
        height,
        exif: Exif {
            orientation,
            metadata: Metadata::default(),
        },
    })
}
