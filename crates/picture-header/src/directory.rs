//! The directories of TIFF: the structure of TIFF and BigTIFF files, of EXIF, and of most camera raw files.
//!
//! Sources: TIFF 6.0, the BigTIFF proposal, Exif 3.0.

use crate::pieces::{Gap, Pieces};
use crate::stored::Stop;

/// Maximum number of entries of a directory that are read. Real directories have some dozens. The budget does not replace
/// it: all entries of a directory are fetched at once.
const MAX_ENTRIES: u64 = 1_000;

/// Maximum number of bytes of a text that are read.
const MAX_TEXT: u64 = 1_024;

/// How a file, or a part of it, stores numbers and directories.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tiff<'a> {
    pub(crate) file: &'a Pieces<'a>,
    /// Position of the header, from which positions are counted.
    pub(crate) base: u64,
    pub(crate) is_little_endian: bool,
    /// BigTIFF, with 64-bit positions.
    pub(crate) is_big: bool,
}

impl<'a> Tiff<'a> {
    /// Reads the header at `base`. The caller checks the number after the byte order: 42, BigTIFF's 43, or that of a raw
    /// format.
    pub(crate) fn open(file: &'a Pieces<'a>, base: u64) -> Result<Self, Stop> {
        let is_little_endian = match &file.array(base)? {
            b"II" => true,
            b"MM" => false,
            _ => return Err(Stop::Broken),
        };
        let mut tiff = Self {
            file,
            base,
            is_little_endian,
            is_big: false,
        };
        tiff.is_big = tiff.u16(2)? == 43;
        Ok(tiff)
    }

    /// Position of the first directory.
    pub(crate) fn first(&self) -> Result<u64, Stop> {
        if self.is_big {
            self.u64(8)
        } else {
            self.u32(4).map(u64::from)
        }
    }

    /// Reads the directory at this position.
    pub(crate) fn directory(self, at: u64) -> Result<Directory<'a>, Stop> {
        let (entries, first, entry_length) = if self.is_big {
            (self.u64(at)?, at.saturating_add(8), 20)
        } else {
            (self.u16(at)?.into(), at.saturating_add(2), 12)
        };
        // If the file is truncated, the complete entries are read.
        let available = self.file.size().saturating_sub(self.base.saturating_add(first)) / entry_length;
        let read = entries.min(MAX_ENTRIES).min(available);
        // At most 20,000 bytes.
        let length = usize::try_from(read * entry_length).map_err(|_| Stop::Broken)?;
        Ok(Directory {
            tiff: self,
            entries: self.file.get(self.position(first)?, length)?,
            first,
            next_at: entries
                .checked_mul(entry_length)
                .and_then(|length| first.checked_add(length)),
        })
    }

    fn position(&self, at: u64) -> Result<u64, Stop> {
        self.base.checked_add(at).ok_or(Stop::Broken)
    }

    fn u16(&self, at: u64) -> Result<u16, Stop> {
        self.file
            .array(self.position(at)?)
            .map(|bytes| self.u16_of(bytes))
            .map_err(Stop::Gap)
    }

    pub(crate) fn u32(&self, at: u64) -> Result<u32, Stop> {
        self.file
            .array(self.position(at)?)
            .map(|bytes| self.u32_of(bytes))
            .map_err(Stop::Gap)
    }

    fn u64(&self, at: u64) -> Result<u64, Stop> {
        self.file
            .array(self.position(at)?)
            .map(|bytes| self.u64_of(bytes))
            .map_err(Stop::Gap)
    }

    fn u16_of(&self, bytes: [u8; 2]) -> u16 {
        if self.is_little_endian {
            u16::from_le_bytes(bytes)
        } else {
            u16::from_be_bytes(bytes)
        }
    }

    fn u32_of(&self, bytes: [u8; 4]) -> u32 {
        if self.is_little_endian {
            u32::from_le_bytes(bytes)
        } else {
            u32::from_be_bytes(bytes)
        }
    }

    fn u64_of(&self, bytes: [u8; 8]) -> u64 {
        if self.is_little_endian {
            u64::from_le_bytes(bytes)
        } else {
            u64::from_be_bytes(bytes)
        }
    }
}

/// The entries of a directory, as the file stores them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Directory<'a> {
    pub(crate) tiff: Tiff<'a>,
    entries: &'a [u8],
    /// Position of the first entry.
    first: u64,
    /// Position of the position of the next directory.
    next_at: Option<u64>,
}

impl<'a> Directory<'a> {
    /// Position of the next directory. `None` if this is the last one.
    pub(crate) fn next(&self) -> Result<Option<u64>, Stop> {
        let at = self.next_at.ok_or(Stop::Broken)?;
        let next = if self.tiff.is_big {
            self.tiff.u64(at)?
        } else {
            self.tiff.u32(at)?.into()
        };
        Ok((next != 0).then_some(next))
    }

    /// The first entry with this tag.
    pub(crate) fn entry(&self, tag: u16) -> Result<Option<Entry<'a>>, Stop> {
        if self.tiff.is_big {
            for (index, entry) in (0_u64..).zip(self.entries.as_chunks::<20>().0) {
                self.tiff.file.budget().step()?;
                let [t0, t1, k0, k1, rest @ ..] = *entry;
                if self.tiff.u16_of([t0, t1]) == tag {
                    let [c0, c1, c2, c3, c4, c5, c6, c7, value @ ..] = rest;
                    return Ok(self.found(
                        [k0, k1],
                        self.tiff.u64_of([c0, c1, c2, c3, c4, c5, c6, c7]),
                        self.first + 20 * index + 12,
                        (8, self.tiff.u64_of(value)),
                    ));
                }
            }
        } else {
            for (index, entry) in (0_u64..).zip(self.entries.as_chunks::<12>().0) {
                self.tiff.file.budget().step()?;
                let [t0, t1, k0, k1, c0, c1, c2, c3, value @ ..] = *entry;
                if self.tiff.u16_of([t0, t1]) == tag {
                    return Ok(self.found(
                        [k0, k1],
                        self.tiff.u32_of([c0, c1, c2, c3]).into(),
                        self.first + 12 * index + 8,
                        (4, self.tiff.u32_of(value).into()),
                    ));
                }
            }
        }
        Ok(None)
    }

    /// A value is in its entry if it fits, and otherwise at the position that is there. `None` for an unknown type.
    fn found(
        &self,
        kind: [u8; 2],
        count: u64,
        value_at: u64,
        (space, position): (u64, u64),
    ) -> Option<Entry<'a>> {
        let kind = self.tiff.u16_of(kind);
        let length = count.checked_mul(value_length(kind)?)?;
        Some(Entry {
            tiff: self.tiff,
            kind,
            count,
            at: if length <= space { value_at } else { position },
        })
    }

    /// The first number of an entry. `None` if there is no such entry, or it has no whole number that is at least 0.
    pub(crate) fn number(&self, tag: u16) -> Result<Option<u64>, Stop> {
        self.entry(tag)?.map_or(Ok(None), |entry| entry.number(0))
    }

    /// The text of an entry, up to its first zero byte.
    pub(crate) fn text(&self, tag: u16) -> Result<Option<&'a [u8]>, Stop> {
        self.entry(tag)?.map_or(Ok(None), |entry| entry.text())
    }
}

/// The type and position of a directory's value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry<'a> {
    tiff: Tiff<'a>,
    kind: u16,
    /// The number of values.
    pub(crate) count: u64,
    /// Position of the first value, counted from the header.
    pub(crate) at: u64,
}

/// The length of one value in bytes.
fn value_length(kind: u16) -> Option<u64> {
    match kind {
        // Bytes, texts, and bytes of an unknown meaning. 129 is UTF-8.
        1 | 2 | 6 | 7 | 129 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16..=18 => Some(8),
        _ => None,
    }
}

impl<'a> Entry<'a> {
    fn value_at(&self, index: u64) -> Option<u64> {
        if index >= self.count {
            return None;
        }
        index
            .checked_mul(value_length(self.kind)?)
            .and_then(|offset| self.at.checked_add(offset))
    }

    /// A whole number. `None` if there is no such value, or it is negative or of another type.
    pub(crate) fn number(&self, index: u64) -> Result<Option<u64>, Stop> {
        let Some(at) = self.value_at(index) else {
            return Ok(None);
        };
        Ok(match self.kind {
            1 => {
                let [byte] = self.tiff.file.array(self.tiff.position(at)?)?;
                Some(byte.into())
            }
            3 => Some(self.tiff.u16(at)?.into()),
            8 => u64::try_from(self.tiff.u16(at)?.cast_signed()).ok(),
            4 | 13 => Some(self.tiff.u32(at)?.into()),
            9 => u64::try_from(self.tiff.u32(at)?.cast_signed()).ok(),
            16 | 18 => Some(self.tiff.u64(at)?),
            17 => u64::try_from(self.tiff.u64(at)?.cast_signed()).ok(),
            _ => None,
        })
    }

    /// A fraction of two whole numbers that are at least 0. `None` if its denominator is 0.
    pub(crate) fn rational(&self, index: u64) -> Result<Option<f64>, Stop> {
        let (5, Some(at)) = (self.kind, self.value_at(index)) else {
            return Ok(None);
        };
        let [numerator, denominator] = [self.tiff.u32(at)?, self.tiff.u32(at.saturating_add(4))?];
        Ok((denominator != 0).then(|| f64::from(numerator) / f64::from(denominator)))
    }

    fn text(&self) -> Result<Option<&'a [u8]>, Stop> {
        if !matches!(self.kind, 2 | 129) {
            return Ok(None);
        }
        // At most 1,024.
        let length = usize::try_from(self.count.min(MAX_TEXT)).map_err(|_| Stop::Broken)?;
        let bytes = self.tiff.file.get(self.tiff.position(self.at)?, length)?;
        Ok(bytes.split(|byte| *byte == 0).next())
    }

    /// Whether the values are bytes and neither texts nor numbers.
    pub(crate) fn is_bytes(&self) -> bool {
        matches!(self.kind, 1 | 7)
    }

    /// The position in the file and the length in bytes of all values. `None` if the file ends before them.
    pub(crate) fn values(&self) -> Option<(u64, u64)> {
        self.extent(self.count.checked_mul(value_length(self.kind)?)?)
    }

    /// The position in the file of `length` bytes from the first value on. `None` if the file ends before them.
    pub(crate) fn extent(&self, length: u64) -> Option<(u64, u64)> {
        let from = self.tiff.base.checked_add(self.at)?;
        (from.checked_add(length)? <= self.tiff.file.size()).then_some((from, length))
    }
}

/// Treats an invalid value as missing. Only a value that has not been read yet, or too much work, is an error.
pub(crate) fn lenient<T>(found: Result<Option<T>, Stop>) -> Result<Option<T>, Stop> {
    match found {
        Err(stop @ Stop::Gap(Gap::Unread(_) | Gap::OverBudget)) => Err(stop),
        other => Ok(other.ok().flatten()),
    }
}
