//! A file of which some ranges have been read: what a reader takes from it, and why it stops.

use crate::error::VideoError;
use crate::limits::{MAX_READ_BYTES, MAX_READS, READ_AHEAD, budget};
use picture_header::Pieces;
use picture_header::budget::{Budget, OverBudget};
use picture_header::pieces::Gap;
use std::cell::Cell;
use std::ops::Range;

/// Ranges with at most this many bytes between them are read at once, because a request costs more.
const MAX_BETWEEN: u64 = 4 * 1024;

/// Why reading stops without a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// These ranges are needed. They can overlap, have been read in part, or exceed the file.
    Read(Vec<Range<u64>>),
    Failed(VideoError),
}

impl From<VideoError> for Stop {
    fn from(error: VideoError) -> Self {
        Self::Failed(error)
    }
}

impl From<OverBudget> for Stop {
    fn from(OverBudget: OverBudget) -> Self {
        Self::Failed(VideoError::TooComplex)
    }
}

/// The file contradicts itself. See [`VideoError::Broken`].
pub(crate) fn broken(what: &'static str) -> Stop {
    Stop::Failed(VideoError::Broken(what))
}

/// One look at a file.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    file: Pieces<'a>,
    read_ahead: Cell<u64>,
    is_searching: Cell<bool>,
}

impl<'a> Source<'a> {
    /// Another look, with a budget of its own, so that the result does not depend on the number of reads.
    pub(crate) fn of(file: &'a Pieces<'_>) -> Self {
        Self {
            file: file.with_budget(budget()),
            read_ahead: Cell::new(READ_AHEAD),
            is_searching: Cell::new(false),
        }
    }

    pub(crate) fn budget(&self) -> &Budget {
        self.file.budget()
    }

    /// Size of the file in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.file.size()
    }

    /// Makes the next reads at least this long, as far as the bytes have not been read.
    pub(crate) fn set_read_ahead(&self, bytes: u64) {
        self.read_ahead.set(bytes);
    }

    /// What follows is a search through a file without an index.
    pub(crate) fn begin_search(&self) {
        self.is_searching.set(true);
    }

    /// Decides which ranges are read: those that are needed, as far as they have not been read, unless they are too many.
    pub(crate) fn to_read(&self, mut needed: Vec<Range<u64>>) -> Result<Vec<Range<u64>>, VideoError> {
        needed.sort_unstable_by_key(|range| range.start);
        let mut ranges: Vec<Range<u64>> = Vec::new();
        for range in needed.into_iter().flat_map(|range| self.file.unread(range)) {
            match ranges.last_mut() {
                Some(last) if range.start <= last.end.saturating_add(MAX_BETWEEN) => {
                    last.end = last.end.max(range.end);
                }
                _ => ranges.push(range),
            }
        }
        let bytes = ranges.iter().map(|range| range.end - range.start).sum::<u64>();
        let is_within = self.file.bytes_read() + bytes <= MAX_READ_BYTES
            && self.file.reads() as usize + ranges.len() <= MAX_READS as usize;
        match (is_within, self.is_searching.get()) {
            (true, _) => Ok(ranges),
            (false, true) => Err(VideoError::NoIndex),
            (false, false) => Err(VideoError::TooComplex),
        }
    }

    /// Returns `length` bytes from byte `from` on.
    pub(crate) fn get(&self, from: u64, length: u64) -> Result<&[u8], Stop> {
        self.get_ahead(from, length, self.read_ahead.get())
    }

    /// Like [`Self::get`]. What is missing is read together with the bytes after it, up to `ahead` bytes.
    fn get_ahead(&self, from: u64, length: u64, ahead: u64) -> Result<&[u8], Stop> {
        if length > MAX_READ_BYTES {
            return Err(VideoError::TooComplex.into());
        }
        let bytes = usize::try_from(length).map_err(|_| VideoError::TooComplex)?;
        self.file.get(from, bytes).map_err(|gap| match gap {
            Gap::Unread(at) => {
                let to = (from + length).max(at.saturating_add(ahead));
                Stop::Read(std::iter::once(at..to).collect())
            }
            Gap::AfterEnd => VideoError::Incomplete.into(),
            Gap::OverBudget => VideoError::TooComplex.into(),
        })
    }

    pub(crate) fn array<const LENGTH: usize>(&self, from: u64) -> Result<[u8; LENGTH], Stop> {
        let bytes = self.get(from, LENGTH as u64)?;
        Ok(bytes.try_into().expect("get returns the requested length"))
    }

    /// Returns a part of a table that ends at byte `end`. The more of the table has been used, the more is read ahead, so
    /// that a table of any size takes few reads.
    pub(crate) fn entries(&self, range: Range<u64>, end: u64, used: u64) -> Result<&[u8], Stop> {
        let length = range.end - range.start;
        self.budget().bytes(length)?;
        let ahead = used.max(256 * 1024).min(end - range.start);
        self.get_ahead(range.start, length, ahead)
    }

    /// Stops if a part of these ranges has not been read: all of them are needed.
    pub(crate) fn need(&self, ranges: &[Range<u64>]) -> Result<(), Stop> {
        for range in ranges {
            self.budget().step()?;
            if !self.file.unread(range.clone()).is_empty() {
                return Err(Stop::Read(ranges.to_vec()));
            }
        }
        Ok(())
    }
}

/// Reads consecutive big-endian numbers of a part that has been read.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    /// What is wrong if it ends too early.
    too_short: &'static str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8], too_short: &'static str) -> Self {
        Self {
            rest: bytes,
            too_short,
        }
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Result<&'a [u8], Stop> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or(broken(self.too_short))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(crate) fn array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], Stop> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(broken(self.too_short))?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(crate) fn skip(&mut self, length: usize) -> Result<(), Stop> {
        self.bytes(length).map(drop)
    }

    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Stop> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Stop> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn i32(&mut self) -> Result<i32, Stop> {
        self.array().map(i32::from_be_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, Stop> {
        self.array().map(u64::from_be_bytes)
    }

    /// A number of 64 bits in later versions of a box, and 32 in the first one.
    pub(crate) fn sized(&mut self, wide: bool) -> Result<u64, Stop> {
        if wide {
            self.u64()
        } else {
            self.u32().map(u64::from)
        }
    }
}
