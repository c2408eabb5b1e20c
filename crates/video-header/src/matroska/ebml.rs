//! EBML, the structure of Matroska: elements with an id, a size and content.
//!
//! Source: RFC 8794.

use crate::error::VideoError;
use crate::source::{Source, Stop, broken};

/// Where an element is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element {
    /// With the bits that state its length, as specifications write it.
    pub(crate) id: u32,
    /// The first byte of the element, before its id.
    pub(crate) start: u64,
    /// The first byte of its content.
    pub(crate) from: u64,
    /// The byte after its last one. `None` if its size is unknown: it ends where an element begins that cannot be in it.
    pub(crate) to: Option<u64>,
}

impl Element {
    /// Reads the id and size of the element at a position before `end`. One that ends after `end` is cut off there if
    /// `can_be_cut`.
    pub(crate) fn read(
        source: &Source<'_>,
        start: u64,
        end: u64,
        can_be_cut: fn(u32) -> bool,
    ) -> Result<Self, Stop> {
        source.budget().step()?;
        // The longest id has 4 bytes, and the longest size 8.
        let bytes = source.get(start, end.saturating_sub(start).min(12))?;
        let ((id, size), length) = parse_header(bytes).ok_or(broken("an element has an invalid header"))?;
        let from = start + length as u64;
        let to = match size {
            None => None,
            Some(size) => match from.checked_add(size).filter(|to| *to <= end) {
                Some(to) => Some(to),
                None if can_be_cut(id) => Some(end),
                None if end == source.size() => return Err(VideoError::Incomplete.into()),
                None => return Err(broken("an element is longer than the one that contains it")),
            },
        };
        Ok(Self { id, start, from, to })
    }

    /// The content, which has at most `max` bytes.
    pub(crate) fn content<'s>(&self, source: &'s Source<'_>, max: u64) -> Result<&'s [u8], Stop> {
        let to = self.to.ok_or(broken("an element has no size"))?;
        let length = to - self.from;
        if length > max {
            return Err(VideoError::TooComplex.into());
        }
        source.budget().bytes(length)?;
        source.get(self.from, length)
    }
}

/// Iterates over the elements in content that has been read. Ends at the first invalid one.
pub(crate) fn elements<'s>(
    source: &'s Source<'_>,
    content: &'s [u8],
) -> impl Iterator<Item = Result<(u32, &'s [u8]), Stop>> {
    let mut rest = content;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Err(over) = source.budget().step() {
            rest = &[];
            return Some(Err(over.into()));
        }
        let ((id, size), length) = parse_header(rest)?;
        let size = usize::try_from(size?).ok()?;
        let (content, after) = rest.get(length..)?.split_at_checked(size)?;
        rest = after;
        Some(Ok((id, content)))
    })
}

/// The id, the size, and the number of bytes of both.
fn parse_header(bytes: &[u8]) -> Option<((u32, Option<u64>), usize)> {
    let id_length = bytes.first()?.leading_zeros() as usize + 1;
    let id = bytes.get(..id_length).filter(|id| id.len() <= 4)?;
    let id = id.iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
    let (size, size_length) = number(bytes.get(id_length..)?)?;
    Some(((id, size), id_length + size_length))
}

/// A number of variable length, and its number of bytes. `None` instead of the number if all its bits are set, which stands
/// for an unknown size.
pub(crate) fn number(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let first = *bytes.first()?;
    let length = first.leading_zeros() as usize + 1;
    let bytes = bytes.get(..length).filter(|bytes| bytes.len() <= 8)?;
    let bits = 7 * length as u32;
    let all = bytes
        .iter()
        .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let number = all & ((1 << bits) - 1);
    Some(((number != (1 << bits) - 1).then_some(number), length))
}

/// The value of an unsigned element. `None` if it is longer than 8 bytes.
pub(crate) fn unsigned(content: &[u8]) -> Option<u64> {
    let is_number = content.len() <= 8;
    is_number.then(|| {
        content
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte))
    })
}

/// The value of a floating-point element.
pub(crate) fn float(content: &[u8]) -> Option<f64> {
    match content {
        [] => Some(0.0),
        [a, b, c, d] => Some(f32::from_be_bytes([*a, *b, *c, *d]).into()),
        _ => content.try_into().ok().map(f64::from_be_bytes),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_of_all_lengths() {
        assert_eq!(number(&[0x81]), Some((Some(1), 1)));
        assert_eq!(number(&[0xFF, 0]), Some((None, 1)));
        assert_eq!(number(&[0x40, 0x7F]), Some((Some(127), 2)));
        assert_eq!(
            number(&[0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
            Some((None, 8))
        );
        assert_eq!(number(&[0x01, 0, 0, 0, 0, 0, 0, 7]), Some((Some(7), 8)));
        assert_eq!(number(&[0x01, 0, 0]), None);
        assert_eq!(number(&[0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(number(&[]), None);
        assert_eq!(
            parse_header(&[0x1A, 0x45, 0xDF, 0xA3, 0x84]),
            Some(((0x1A45_DFA3, Some(4)), 5))
        );
        assert_eq!(parse_header(&[0x08, 0, 0, 0, 0, 0x81]), None);
    }
}
