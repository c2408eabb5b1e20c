//! Directories of TIFF and BigTIFF files. Reads leniently, as libtiff does: values of any integer type, and arrays that are
//! shorter than announced.

use crate::decoded::DecodeError;

/// Maximum number of entries of a directory that are read. Real directories have some dozens.
const MAX_ENTRIES: u64 = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// The number in the first bytes, of which there are at most eight.
    pub(super) fn number(self, bytes: &[u8]) -> u64 {
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        match self {
            Self::Little => bytes.iter().rev().fold(0, join),
            Self::Big => bytes.iter().fold(0, join),
        }
    }
}

struct Entry {
    tag: u16,
    kind: u64,
    count: u64,
    /// Position of the values in the file.
    values_at: u64,
}

/// The entries of one page.
pub(super) struct Directory<'a> {
    file: &'a [u8],
    pub(super) order: Order,
    entries: Vec<Entry>,
}

impl<'a> Directory<'a> {
    /// Reads the directory at a position.
    pub(super) fn read(file: &'a [u8], at: u64) -> Result<Self, DecodeError> {
        let order = if file.starts_with(b"II") {
            Order::Little
        } else {
            Order::Big
        };
        let number = |at: u64, length: usize| {
            bytes_at(file, at, length)
                .map(|bytes| order.number(bytes))
                .ok_or_else(|| DecodeError::of("a directory after the end of the file"))
        };
        let big = number(2, 2)? == 43;
        let (word, entry_length, count_length) = if big { (8, 20, 8) } else { (4, 12, 2) };
        let count = number(at, count_length)?;
        let first = at.saturating_add(count_length as u64);
        let mut entries = Vec::new();
        for index in 0..count.min(MAX_ENTRIES) {
            let at = first.saturating_add(index * entry_length);
            let Some(entry) = bytes_at(file, at, entry_length as usize) else {
                break;
            };
            let kind = order.number(&entry[2..4]);
            let count = order.number(&entry[4..4 + word]);
            let is_inline = count.saturating_mul(length_of(kind) as u64) <= word as u64;
            entries.push(Entry {
                tag: order.number(&entry[..2]) as u16,
                kind,
                count,
                values_at: if is_inline {
                    at + 4 + word as u64
                } else {
                    order.number(&entry[4 + word..])
                },
            });
        }
        Ok(Self { file, order, entries })
    }

    /// The entry's type, and the bytes of its values, as far as the file has them.
    fn raw(&self, tag: u16) -> Option<(u64, &'a [u8])> {
        let entry = self.entries.iter().find(|entry| entry.tag == tag)?;
        let from = usize::try_from(entry.values_at).ok()?;
        let rest = self.file.get(from..)?;
        let length = entry.count.saturating_mul(length_of(entry.kind) as u64);
        let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
        Some((entry.kind, &rest[..length]))
    }

    pub(super) fn bytes(&self, tag: u16) -> Option<&'a [u8]> {
        self.raw(tag).map(|(_, bytes)| bytes)
    }

    /// The first value of an entry of integers.
    pub(super) fn number(&self, tag: u16) -> Option<u64> {
        self.numbers(tag, 1).first().copied()
    }

    /// The values of an entry of integers, at most `max`. Empty if there are none.
    pub(super) fn numbers(&self, tag: u16, max: usize) -> Vec<u64> {
        let Some((kind @ (1 | 3 | 4 | 7 | 13 | 16 | 18), bytes)) = self.raw(tag) else {
            return Vec::new();
        };
        let values = bytes.chunks_exact(length_of(kind)).take(max);
        values.map(|value| self.order.number(value)).collect()
    }

    /// The values of an entry of fractions or integers, at most `max`.
    pub(super) fn fractions(&self, tag: u16, max: usize) -> Vec<f64> {
        match self.raw(tag) {
            Some((5, bytes)) => {
                let fraction = |bytes: &[u8]| {
                    self.order.number(&bytes[..4]) as f64 / self.order.number(&bytes[4..]) as f64
                };
                bytes.chunks_exact(8).take(max).map(fraction).collect()
            }
            Some((11, bytes)) => {
                let float = |bytes: &[u8]| f32::from_bits(self.order.number(bytes) as u32).into();
                bytes.chunks_exact(4).take(max).map(float).collect()
            }
            _ => {
                let numbers = self.numbers(tag, max);
                numbers.into_iter().map(|number| number as f64).collect()
            }
        }
    }
}

fn bytes_at(file: &[u8], at: u64, length: usize) -> Option<&[u8]> {
    let from = usize::try_from(at).ok()?;
    file.get(from..from.checked_add(length)?)
}

/// Length of a value in bytes, by its type. Unknown types count as bytes.
fn length_of(kind: u64) -> usize {
    match kind {
        3 | 8 => 2,
        4 | 9 | 11 | 13 => 4,
        5 | 10 | 12 | 16..=18 => 8,
        _ => 1,
    }
}
