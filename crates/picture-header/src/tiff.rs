//! TIFF and BigTIFF: dimensions, orientation and metadata of the page that people see. Its directory can be anywhere in
//! the file.

use crate::directory::{Directory, Tiff, lenient};
use crate::exif::Exif;
use crate::keywords::Sources;
use crate::pieces::Pieces;
use crate::stored::{Stop, Stored};
use domain::Format;

/// Maximum number of pages that are searched for one in full resolution. Each can take another read. Files that begin with
/// smaller pages have one or two of them.
const MAX_PAGES: usize = 8;

const NEW_SUBFILE_TYPE: u16 = 254;
const SUBFILE_TYPE: u16 = 255;
const IMAGE_WIDTH: u16 = 256;
const IMAGE_LENGTH: u16 = 257;

/// A page of a TIFF file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TiffPage {
    /// The number of pages before it.
    pub index: usize,
    /// Position of its directory in bytes.
    pub offset: u64,
}

/// Reads the page that people see.
pub(crate) fn read(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let tiff = Tiff::open(file, 0)?;
    let page = tiff.directory(page(file)?.offset)?;
    let (width, height) = sides(&page)?.ok_or(Stop::Broken)?;
    Ok(Stored {
        format: Format::Tiff,
        width,
        height,
        exif: Exif::of_directory(&page)?,
        keywords: Sources::of_directory(&page)?,
    })
}

/// Finds the first page in full resolution, or else the first page. Some programs write a smaller version of the picture
/// before it.
pub(crate) fn page(file: &Pieces<'_>) -> Result<TiffPage, Stop> {
    let tiff = Tiff::open(file, 0)?;
    let first = TiffPage {
        index: 0,
        offset: tiff.first()?,
    };
    let mut page = first;
    let mut directory = tiff.directory(page.offset)?;
    for index in 1..MAX_PAGES {
        if !is_reduced(&directory)? && sides(&directory)?.is_some() {
            return Ok(page);
        }
        // An invalid page ends the chain.
        let Some(offset) = lenient(directory.next())? else {
            return Ok(first);
        };
        let Some(next) = lenient(tiff.directory(offset).map(Some))? else {
            return Ok(first);
        };
        page = TiffPage { index, offset };
        directory = next;
    }
    Ok(first)
}

/// Whether the page is a smaller version of another page.
pub(crate) fn is_reduced(directory: &Directory<'_>) -> Result<bool, Stop> {
    let new = lenient(directory.number(NEW_SUBFILE_TYPE))?;
    Ok(match new {
        Some(flags) => flags & 1 == 1,
        None => lenient(directory.number(SUBFILE_TYPE))? == Some(2),
    })
}

/// Width and height as stored. `None` if one is missing.
pub(crate) fn sides(directory: &Directory<'_>) -> Result<Option<(u32, u32)>, Stop> {
    let side = |tag| -> Result<Option<u32>, Stop> {
        let side = lenient(directory.number(tag))?;
        Ok(side.map(|side| u32::try_from(side).unwrap_or(u32::MAX)))
    };
    Ok(side(IMAGE_WIDTH)?.zip(side(IMAGE_LENGTH)?))
}
