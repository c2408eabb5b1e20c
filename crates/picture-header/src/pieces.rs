//! A file of which only some parts have been read.

use crate::budget::{Budget, OverBudget};
use std::borrow::Cow;

/// The parts of a file that have been read so far.
#[derive(Debug, Clone)]
pub struct Pieces<'a> {
    size: u64,
    pieces: Vec<(u64, Cow<'a, [u8]>)>,
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
            budget: Budget::default(),
        }
    }

    /// A complete file.
    pub fn all(bytes: &'a [u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            pieces: vec![(0, Cow::Borrowed(bytes))],
            budget: Budget::default(),
        }
    }

    /// The same parts with a new budget, for another look.
    pub(crate) fn again(&self) -> Pieces<'_> {
        Pieces {
            size: self.size,
            pieces: self
                .pieces
                .iter()
                .map(|(from, piece)| (*from, Cow::Borrowed(&**piece)))
                .collect(),
            budget: Budget::default(),
        }
    }

    /// What reading this file may still cost. [`Self::get`] takes a step; loops and allocations draw on it themselves.
    pub(crate) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Size of the whole file in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds bytes that have been read from byte `from` on.
    pub fn add(&mut self, from: u64, bytes: &[u8]) {
        let before = self
            .pieces
            .iter_mut()
            .find(|(start, piece)| start + piece.len() as u64 == from);
        match before {
            Some((_, piece)) => piece.to_mut().extend_from_slice(bytes),
            None => self.pieces.push((from, Cow::Owned(bytes.to_vec()))),
        }
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
        let mut unread = from;
        for (start, piece) in &self.pieces {
            let piece_end = start + piece.len() as u64;
            if *start > from || piece_end < from {
                continue;
            }
            if end <= piece_end {
                let at = usize::try_from(from - start).map_err(|_| Gap::AfterEnd)?;
                return Ok(&piece[at..at + length]);
            }
            unread = unread.max(piece_end);
        }
        Err(Gap::Unread(unread))
    }

    /// Returns the bytes from byte `from` on that have been read without a gap: at least one.
    ///
    /// # Errors
    /// See [`Self::get`].
    pub(crate) fn rest(&self, from: u64) -> Result<&[u8], Gap> {
        self.get(from, 1)?;
        let rest = self.pieces.iter().filter_map(|(start, piece)| {
            let at = usize::try_from(from.checked_sub(*start)?).ok()?;
            piece.get(at..)
        });
        Ok(rest.max_by_key(|rest| rest.len()).unwrap_or_default())
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
