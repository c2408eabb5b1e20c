//! IPTC-IIM, which Photoshop and older programs write: a sequence of datasets.
//!
//! Sources: IPTC-IIM 4.2, Adobe Photoshop File Formats Specification (image resources).

use super::{Enough, Keywords};
use crate::pieces::Pieces;
use crate::raw::Extent;
use crate::stored::Stop;
use std::borrow::Cow;

/// Maximum number of image resources that are searched. Photoshop writes about 30, and IPTC-IIM among the first.
const MAX_RESOURCES: usize = 100;

/// Finds IPTC-IIM in the image resources of Photoshop, which are a part of the file. `None` if there is none.
pub(crate) fn of_photoshop(file: &Pieces<'_>, (mut at, length): Extent) -> Result<Option<Extent>, Stop> {
    const IPTC: u16 = 0x0404;
    let end = at.saturating_add(length);
    for _ in 0..MAX_RESOURCES {
        // Signature, number, name, length of the data. The name begins with its length. Name and data have an even length.
        if end.saturating_sub(at) < 12 {
            break;
        }
        let [_, _, _, _, n1, n0, name] = file.array(at)?;
        let length_at = at + 6 + (1 + u64::from(name)).next_multiple_of(2);
        let from = length_at + 4;
        if from > end {
            break;
        }
        let length = u64::from(u32::from_be_bytes(file.array(length_at)?));
        if length > end - from {
            break;
        }
        if u16::from_be_bytes([n1, n0]) == IPTC {
            return Ok(Some((from, length)));
        }
        at = from + length.next_multiple_of(2);
    }
    Ok(None)
}

/// Adds the keywords of all datasets up to the first invalid one.
pub(super) fn read(bytes: &[u8], keywords: &mut Keywords<'_>) -> Result<(), Enough> {
    /// Record 1, dataset 90: the character set of record 2, as an escape sequence of ISO 2022.
    const CHARACTER_SET: [u8; 2] = [1, 90];
    const UTF_8: &[u8] = b"\x1B%G";
    /// Record 2, dataset 25: one keyword.
    const KEYWORD: [u8; 2] = [2, 25];

    keywords.budget.bytes(bytes.len() as u64)?;
    let mut is_utf_8 = false;
    let mut rest = bytes;
    while let Some((name, value, after)) = dataset(rest) {
        keywords.budget.step()?;
        rest = after;
        match name {
            CHARACTER_SET => is_utf_8 = value == UTF_8,
            KEYWORD => keywords.add(&text(value, is_utf_8))?,
            _ => {}
        }
    }
    Ok(())
}

/// Record and number of the first dataset, its value, and the bytes after it.
fn dataset(bytes: &[u8]) -> Option<([u8; 2], &[u8], &[u8])> {
    let [0x1C, record, number, l1, l0, rest @ ..] = bytes else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*l1, *l0]));
    let (length, rest) = if length < 0x8000 {
        (length, rest)
    } else {
        // The length of the length.
        let (length, rest) = rest.split_at_checked(length & 0x7FFF)?;
        let length = length.iter().try_fold(0_usize, |length, byte| {
            length.checked_mul(256)?.checked_add(usize::from(*byte))
        });
        (length?, rest)
    };
    let (value, after) = rest.split_at_checked(length)?;
    Some(([*record, *number], value, after))
}

/// Many programs write UTF-8 without declaring it. Others write the character set of their system, of which Latin-1 is the
/// most frequent.
fn text(value: &[u8], is_utf_8: bool) -> Cow<'_, str> {
    match std::str::from_utf8(value) {
        Ok(text) => text.into(),
        Err(_) if is_utf_8 => String::from_utf8_lossy(value),
        Err(_) => value.iter().copied().map(char::from).collect::<String>().into(),
    }
}
