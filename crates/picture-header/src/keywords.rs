//! Keywords that people and programs have stored in a picture's file: in XMP, in IPTC-IIM, and in a tag of Windows.
//!
//! Keywords are optional. They are read after the rest of the header, with what that has left of the budget, so whatever is
//! wrong with them, the header is found.
//!
//! Sources: XMP Specification Part 3 (where files store XMP and IPTC), and the tag tables of ExifTool.

mod iptc;
mod xmp;

pub(crate) use iptc::of_photoshop;

use crate::budget::{Budget, OverBudget};
use crate::directory::{Directory, Entry, lenient};
use crate::pieces::Pieces;
use crate::raw::Extent;
use crate::stored::Stop;
use domain::metadata::MAX_KEYWORDS;
use domain::policy::is_searchable_name;
use std::collections::HashSet;

/// Maximum size of XMP in bytes. Larger XMP is not read. It contains a picture's edits or thumbnails rather than more
/// keywords.
const MAX_XMP: u64 = 256 * 1024;

/// Maximum size in bytes of IPTC-IIM, and of the tag of Windows. Larger ones are not read. 50 keywords of 100 characters
/// have at most 20,000 bytes.
const MAX_OTHER: u64 = 64 * 1024;

/// Where a file stores keywords, apart from EXIF: positions and lengths in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) xmp: Option<Extent>,
    pub(crate) iptc: Option<Extent>,
}

impl Sources {
    /// The sources that a directory of TIFF names.
    pub(crate) fn of_directory(directory: &Directory<'_>) -> Result<Self, Stop> {
        const XMP: u16 = 700;
        const IPTC: u16 = 33_723;
        let extent = |tag| -> Result<Option<Extent>, Stop> {
            Ok(directory.entry(tag)?.and_then(|entry| entry.values()))
        };
        Ok(Self {
            xmp: extent(XMP)?,
            iptc: extent(IPTC)?,
        })
    }

    /// These sources, or `others` if there are none.
    pub(crate) fn or(self, others: Self) -> Self {
        if self == Self::default() { others } else { self }
    }
}

/// Gets all bytes of XMP where a reader finds it: returning to it after the rest of the header could take another read. `None`
/// if it is too large, or after the end of the file.
pub(crate) fn get_xmp(file: &Pieces<'_>, xmp: Extent) -> Result<Option<Extent>, Stop> {
    let found = bytes(file, Some(xmp), MAX_XMP)?;
    Ok((!found.is_empty()).then_some(xmp))
}

/// Reads the keywords of all sources. `of_exif` are those of [`of_windows`].
///
/// # Errors
/// A source has not been read yet, or the budget is used up before all are available.
pub(crate) fn read(file: &Pieces<'_>, sources: Sources, of_exif: &[String]) -> Result<Vec<String>, Stop> {
    // All sources are complete before one is parsed, so that none is parsed twice.
    let xmp = bytes(file, sources.xmp, MAX_XMP)?;
    let iptc = bytes(file, sources.iptc, MAX_OTHER)?;
    Ok(Keywords::collect(file.budget(), |keywords| {
        xmp::read(xmp, keywords)?;
        iptc::read(iptc, keywords)?;
        of_exif.iter().try_for_each(|keyword| keywords.add(keyword))
    }))
}

/// The bytes of a source. None if it is missing, too large, or after the end of the file.
fn bytes<'a>(file: &'a Pieces<'_>, source: Option<Extent>, max: u64) -> Result<&'a [u8], Stop> {
    let Some((from, length)) = source.filter(|(_, length)| *length <= max) else {
        return Ok(&[]);
    };
    let length = usize::try_from(length).map_err(|_| Stop::Broken)?;
    let found = lenient(file.get(from, length).map(Some).map_err(Stop::Gap))?;
    Ok(found.unwrap_or_default())
}

/// Reads the tag of EXIF that Windows writes: UTF-16 with its lower bytes first, and semicolons between keywords.
pub(crate) fn of_windows(directory: &Directory<'_>) -> Result<Vec<String>, Stop> {
    const XP_KEYWORDS: u16 = 0x9C9E;
    let Some(entry) = directory.entry(XP_KEYWORDS)?.filter(Entry::is_bytes) else {
        return Ok(Vec::new());
    };
    let file = directory.tiff.file;
    let bytes = bytes(file, entry.values(), MAX_OTHER)?;
    Ok(Keywords::collect(file.budget(), |keywords| {
        keywords.budget.bytes(bytes.len() as u64)?;
        let units = bytes.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit));
        let text = char::decode_utf16(units.take_while(|unit| *unit != 0))
            .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect::<String>();
        text.split(';').try_for_each(|keyword| keywords.add(keyword))
    }))
}

/// No more keywords are collected: there are enough, or the budget is used up.
struct Enough;

impl From<OverBudget> for Enough {
    fn from(OverBudget: OverBudget) -> Self {
        Self
    }
}

/// Collects keywords: valid ones, each once whatever its case, in their order.
struct Keywords<'a> {
    budget: &'a Budget,
    found: Vec<String>,
    in_lower_case: HashSet<String>,
}

impl<'a> Keywords<'a> {
    fn new(budget: &'a Budget) -> Self {
        Self {
            budget,
            found: Vec::new(),
            in_lower_case: HashSet::new(),
        }
    }

    /// The keywords that `read` has added until its end, or until there were enough.
    fn collect(budget: &'a Budget, read: impl FnOnce(&mut Self) -> Result<(), Enough>) -> Vec<String> {
        let mut keywords = Self::new(budget);
        let (Ok(()) | Err(Enough)) = read(&mut keywords);
        keywords.found
    }

    /// Adds a keyword, unless it is invalid or already there. Some programs end texts with a zero byte.
    fn add(&mut self, text: &str) -> Result<(), Enough> {
        if self.found.len() == MAX_KEYWORDS {
            return Err(Enough);
        }
        self.budget.step()?;
        let text = text.trim_matches(|character: char| character.is_whitespace() || character == '\0');
        // A replacement character stands for bytes that are no text.
        if !is_searchable_name(text) || text.contains(char::REPLACEMENT_CHARACTER) {
            return Ok(());
        }
        let key = text.to_lowercase();
        if !self.in_lower_case.contains(&key) {
            self.budget.items((text.len() + key.len()).div_ceil(32) as u64)?;
            self.in_lower_case.insert(key);
            self.found.push(text.to_owned());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
