//! A file of which only some parts have been read.

use crate::budget::{Budget, OverBudget};
use std::borrow::Cow;
use std::ops::Range;

/// The parts of a file that have been read so far.
#[derive(Debug, Clone)]
pub struct Pieces<'a> {
    size: u64,
    /// By position. Pieces neither overlap nor touch: [`Pieces::add`] merges them.
    pieces: Vec<(u64, Cow<'a, [u8]>)>,
    reads: u32,
    budget: Budget,
}

/// Why some bytes of a file are not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// They have not been read. Read the file from this byte on.
    Unread(u64),
    /// The file ends before them.
    AfterEnd,
    /// The file has used up its budget.
    OverBudget,
}

impl From<OverBudget> for Gap {
    fn from(OverBudget: OverBudget) -> Self {
        Self::OverBudget
    }
}

impl<'a> Pieces<'a> {
    /// A file of `size` bytes of which nothing has been read.
    pub fn none(size: u64) -> Self {
        Self {
            size,
            pieces: Vec::new(),
            reads: 0,
            budget: Budget::default(),
        }
    }

    /// A complete file.
    pub fn all(bytes: &'a [u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            pieces: vec![(0, Cow::Borrowed(bytes))],
            reads: 1,
            budget: Budget::default(),
        }
    }

    /// The same parts with a new budget, for another look.
    pub fn with_budget(&self, budget: Budget) -> Pieces<'_> {
        Pieces {
            size: self.size,
            pieces: self
                .pieces
                .iter()
                .map(|(from, piece)| (*from, Cow::Borrowed(&**piece)))
                .collect(),
            reads: self.reads,
            budget,
        }
    }

    /// What reading this file may still cost. [`Self::get`] takes a step; loops and allocations draw on it themselves.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Size of the whole file in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// How many times bytes have been added.
    pub fn reads(&self) -> u32 {
        self.reads
    }

    /// How many different bytes of the file have been added.
    pub fn bytes_read(&self) -> u64 {
        self.pieces.iter().map(|(_, piece)| piece.len() as u64).sum()
    }

    /// Adds bytes that have been read from byte `from` on. Bytes that had been added before do not change.
    pub fn add(&mut self, from: u64, bytes: &[u8]) {
        self.reads = self.reads.saturating_add(1);
        let to = from.saturating_add(bytes.len() as u64);
        // The pieces that the new one overlaps or touches.
        let first = self.pieces.partition_point(|piece| end(piece) < from);
        let last = self.pieces.partition_point(|(start, _)| *start <= to);
        let mut touched = self.pieces.drain(first..last).peekable();
        let (start, mut merged) = match touched.next_if(|(start, _)| *start <= from) {
            Some((start, piece)) => (start, piece.into_owned()),
            None => (from, Vec::new()),
        };
        append(start, &mut merged, from, bytes);
        for (at, piece) in touched {
            append(start, &mut merged, at, &piece);
        }
        self.pieces.insert(first, (start, Cow::Owned(merged)));
    }

    /// Returns `length` bytes from byte `from` on.
    ///
    /// # Errors
    /// [`Gap`] if not all of them have been read, the file ends before them, or the budget is used up.
    pub fn get(&self, from: u64, length: usize) -> Result<&[u8], Gap> {
        self.budget.step()?;
        let end = from.checked_add(length as u64).ok_or(Gap::AfterEnd)?;
        if end > self.size {
            return Err(Gap::AfterEnd);
        }
        let rest = self.after(from).unwrap_or_default();
        rest.get(..length).ok_or(Gap::Unread(from + rest.len() as u64))
    }

    /// Returns the bytes from byte `from` on that have been read without a gap: at least one.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub(crate) fn rest(&self, from: u64) -> Result<&[u8], Gap> {
        self.get(from, 1)?;
        Ok(self.after(from).unwrap_or_default())
    }

    /// The bytes from byte `from` on that have been read without a gap.
    fn after(&self, from: u64) -> Option<&[u8]> {
        let next = self.pieces.partition_point(|(start, _)| *start <= from);
        let (start, piece) = self.pieces.get(next.checked_sub(1)?)?;
        piece.get(usize::try_from(from - start).ok()?..)
    }

    /// The parts of a range that have not been read, in their order.
    pub fn unread(&self, range: Range<u64>) -> Vec<Range<u64>> {
        let range = range.start..range.end.min(self.size);
        let mut unread = Vec::new();
        let mut at = range.start;
        let first = self.pieces.partition_point(|piece| end(piece) <= range.start);
        for piece in self.pieces[first..]
            .iter()
            .take_while(|(start, _)| *start < range.end)
        {
            if at < piece.0 {
                unread.push(at..piece.0);
            }
            at = end(piece);
        }
        if at < range.end {
            unread.push(at..range.end);
        }
        unread
    }

    /// Like [`Self::get`], as an array.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub fn array<const LENGTH: usize>(&self, from: u64) -> Result<[u8; LENGTH], Gap> {
        Ok(self
            .get(from, LENGTH)?
            .try_into()
            .expect("get returns the requested length"))
    }
}

/// The byte after a piece.
fn end((start, piece): &(u64, Cow<'_, [u8]>)) -> u64 {
    start.saturating_add(piece.len() as u64)
}

/// Appends the bytes at position `at` to those from `start` on, except for those that are there already.
fn append(start: u64, merged: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let known = (start + merged.len() as u64).saturating_sub(at);
    let new = usize::try_from(known).ok().and_then(|known| bytes.get(known..));
    merged.extend_from_slice(new.unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: [u8; 64] = {
        let mut bytes = [0; 64];
        let mut at = 0;
        while at < 64 {
            bytes[at] = at as u8;
            at += 1;
        }
        bytes
    };

    proptest! {
        #[test]
        fn reads_in_any_order_give_the_bytes_that_were_read_and_name_the_others(
            reads in prop::collection::vec((0_usize..64, 0_usize..20), 0..12),
            from in 0_usize..64,
            length in 0_usize..64,
        ) {
            let mut file = Pieces::none(64);
            let mut known = [false; 64];
            for (from, length) in reads {
                let to = (from + length).min(64);
                file.add(from as u64, &FILE[from..to]);
                known[from..to].fill(true);
            }
            prop_assert_eq!(file.bytes_read(), known.iter().filter(|known| **known).count() as u64);
            let to = from + length;
            let expected = if to > 64 {
                Err(Gap::AfterEnd)
            } else {
                match (from..to).find(|at| !known[*at]) {
                    Some(at) => Err(Gap::Unread(at as u64)),
                    None => Ok(&FILE[from..to]),
                }
            };
            prop_assert_eq!(file.get(from as u64, length), expected);
            let unread: Vec<u64> = file.unread(from as u64..to as u64).into_iter().flatten().collect();
            let missing: Vec<u64> = (from..to.min(64)).filter(|at| !known[*at]).map(|at| at as u64).collect();
            prop_assert_eq!(unread, missing);
        }
    }
}
