//! A file of which only parts have been read.

use std::borrow::Cow;

/// The parts of a file that have been read so far.
#[derive(Debug, Clone)]
pub struct Pieces<'a> {
    size: u64,
    pieces: Vec<(u64, Cow<'a, [u8]>)>,
}

/// Why some bytes of a file cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gap {
    /// They have not been read: the file has to be read from this byte on.
    Unread(u64),
    /// The file ends before them.
    BehindEnd,
}

impl<'a> Pieces<'a> {
    /// Nothing yet of a file of `size` bytes.
    pub fn none(size: u64) -> Self {
        Self {
            size,
            pieces: Vec::new(),
        }
    }

    /// All of a file.
    pub fn all(bytes: &'a [u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            pieces: vec![(0, Cow::Borrowed(bytes))],
        }
    }

    /// Bytes of the whole file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds what has been read from byte `from` on.
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

    /// `length` bytes from byte `from` on.
    ///
    /// # Errors
    /// Where they have not been read, or the file has fewer.
    pub fn get(&self, from: u64, length: usize) -> Result<&[u8], Gap> {
        let end = from.checked_add(length as u64).ok_or(Gap::BehindEnd)?;
        if end > self.size {
            return Err(Gap::BehindEnd);
        }
        let mut unread = from;
        for (start, piece) in &self.pieces {
            let piece_end = start + piece.len() as u64;
            if *start > from || piece_end < from {
                continue;
            }
            if end <= piece_end {
                let at = usize::try_from(from - start).map_err(|_| Gap::BehindEnd)?;
                return Ok(&piece[at..at + length]);
            }
            unread = unread.max(piece_end);
        }
        Err(Gap::Unread(unread))
    }

    /// The same as an array.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub fn array<const LENGTH: usize>(&self, from: u64) -> Result<[u8; LENGTH], Gap> {
        Ok(self
            .get(from, LENGTH)?
            .try_into()
            .expect("as many as were asked for"))
    }
}
