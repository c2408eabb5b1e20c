//! The boxes of ISO/IEC 14496-12 (MP4) and the atoms of QuickTime, which are the same: a size, a name, and content.

use crate::error::VideoError;
use crate::source::{Reader, Source, Stop, broken};
use std::ops::Range;

/// A box: its name, and where its content is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: [u8; 4],
    /// The first byte of the box, before its size.
    pub(crate) start: u64,
    /// The first byte of its content.
    pub(crate) from: u64,
    /// The byte after its last one.
    pub(crate) to: u64,
}

impl Part {
    /// Length of the content in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.to - self.from
    }

    pub(crate) fn range(&self) -> Range<u64> {
        self.from..self.to
    }

    /// The boxes in this one.
    pub(crate) fn children<'s>(&self, source: &'s Source<'_>) -> Boxes<'s> {
        self.children_after(source, 0)
    }

    /// The boxes in this one after this number of other bytes.
    pub(crate) fn children_after<'s>(&self, source: &'s Source<'_>, bytes: u64) -> Boxes<'s> {
        Boxes {
            source,
            from: self.from.saturating_add(bytes),
            to: self.to,
            is_top: false,
        }
    }

    /// The first box with this name in this one.
    pub(crate) fn child(&self, source: &Source<'_>, name: [u8; 4]) -> Result<Option<Part>, Stop> {
        for part in self.children(source) {
            let part = part?;
            if part.name == name {
                return Ok(Some(part));
            }
        }
        Ok(None)
    }

    /// The start of the content, at most `max` bytes. `too_short` is what is wrong if a number is not in it.
    pub(crate) fn reader<'s>(
        &self,
        source: &'s Source<'_>,
        max: u64,
        too_short: &'static str,
    ) -> Result<Reader<'s>, Stop> {
        let length = self.length().min(max);
        source.budget().bytes(length)?;
        Ok(Reader::new(source.get(self.from, length)?, too_short))
    }
}

/// Iterates over consecutive boxes. Ends after an error.
pub(crate) struct Boxes<'s> {
    source: &'s Source<'s>,
    from: u64,
    to: u64,
    is_top: bool,
}

impl<'s> Boxes<'s> {
    /// The boxes of the file from this byte on.
    pub(crate) fn of_file(source: &'s Source<'_>, from: u64) -> Self {
        Self {
            source,
            from,
            to: source.size(),
            is_top: true,
        }
    }

    fn read(&self) -> Result<Option<Part>, Stop> {
        let [s3, s2, s1, s0, name @ ..] = self.source.array::<8>(self.from)?;
        let rest = self.to - self.from;
        let (header, size) = match u32::from_be_bytes([s3, s2, s1, s0]) {
            // QuickTime ends some lists with zeros.
            0 if name == [0; 4] => return Ok(None),
            // To the end.
            0 => (8, rest),
            1 => (16, u64::from_be_bytes(self.source.array(self.from + 8)?)),
            size => (8, size.into()),
        };
        if size < header {
            return Err(broken("a box is shorter than its header"));
        }
        let mut to = self.from.saturating_add(size);
        if to > self.to {
            to = match (self.is_top, &name) {
                // The file is incomplete. Its header can still say what is missing.
                (true, b"mdat") if self.from + header <= self.to => self.to,
                (true, _) => return Err(VideoError::Incomplete.into()),
                (false, _) => return Err(broken("a box is longer than the one that contains it")),
            };
        }
        Ok(Some(Part {
            name,
            start: self.from,
            from: self.from + header,
            to,
        }))
    }
}

impl Iterator for Boxes<'_> {
    type Item = Result<Part, Stop>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.to.saturating_sub(self.from) < 8 {
            return None;
        }
        if let Err(over) = self.source.budget().step() {
            self.from = self.to;
            return Some(Err(over.into()));
        }
        let part = self.read().transpose();
        self.from = match &part {
            Some(Ok(part)) => part.to,
            _ => self.to,
        };
        part
    }
}
