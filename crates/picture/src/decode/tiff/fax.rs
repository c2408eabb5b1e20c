//! CCITT T.4 and T.6, the compressions of fax machines: rows of black and white runs. The code tables are those of the `fax`
//! crate, whose decoders do not read two-dimensional group 3, rows without end-of-line codes, or damaged rows.

use super::layout::Fax;
use crate::decoded::DecodeError;
use fax::maps::{Mode, black, mode, white};
use fax::{BitReader, ByteReader};
use std::convert::Infallible;
use std::io::{self, Cursor, Read};

/// Maximum number of damaged rows. More mean that the data is not a fax.
const MAX_DAMAGED_ROWS: u32 = 100;

/// Reads rows of one bit for each pixel, in which black is 1.
pub(super) struct FaxReader<B> {
    bits: ByteReader<Bytes<B>>,
    kind: Fax,
    width: u32,
    /// Where the color changes in the row above, beginning with the change to black. Ascending.
    above: Vec<u32>,
    current: Vec<u32>,
    row: Vec<u8>,
    /// How much of `row` has been read.
    read: usize,
    damaged_rows: u32,
}

/// The compressed bytes, and zeros after them: the last code may be shorter than what the tables look at.
struct Bytes<B>(Cursor<B>);

const ZEROS: u64 = 4;

impl<B: AsRef<[u8]>> Iterator for Bytes<B> {
    type Item = Result<u8, Infallible>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.0.position();
        self.0.set_position(at + 1);
        let bytes = self.0.get_ref().as_ref();
        match bytes.get(at as usize) {
            Some(byte) => Some(Ok(*byte)),
            None => (at < bytes.len() as u64 + ZEROS).then_some(Ok(0)),
        }
    }
}

enum Row {
    Complete,
    Damaged,
    End,
}

impl<B: AsRef<[u8]>> FaxReader<B> {
    pub(super) fn new(bytes: Cursor<B>, kind: Fax, width: u32) -> Result<Self, DecodeError> {
        let row = vec![0; width.div_ceil(8) as usize];
        Ok(Self {
            bits: ByteReader::new(Bytes(bytes)).map_err(DecodeError::of)?,
            kind,
            width,
            above: Vec::new(),
            current: Vec::new(),
            read: row.len(),
            row,
            damaged_rows: 0,
        })
    }

    fn consume(&mut self, bits: u8) {
        let Ok(()) = self.bits.consume(bits);
    }

    /// Decodes the next row into `row`. False at the end.
    fn next_row(&mut self) -> bool {
        self.current.clear();
        let decoded = match self.kind {
            Fax::Rows => self.aligned_row(),
            Fax::Group3 { two_dimensional } => self.group_3_row(two_dimensional),
            Fax::Group4 => self.row_of_two_dimensions(),
        };
        match decoded {
            Row::Complete => {}
            Row::End => return false,
            Row::Damaged => {
                self.damaged_rows += 1;
                // The rest of the row is white.
                if let (1, Some(last)) = (self.current.len() % 2, self.current.last()) {
                    self.current.push(*last);
                }
                let can_resume = matches!(self.kind, Fax::Group3 { .. });
                if !can_resume || self.damaged_rows > MAX_DAMAGED_ROWS {
                    return false;
                }
            }
        }
        self.paint();
        std::mem::swap(&mut self.above, &mut self.current);
        true
    }

    fn aligned_row(&mut self) -> Row {
        let row = self.row_of_one_dimension();
        self.consume(self.bits.bits_to_byte_boundary());
        row
    }

    fn group_3_row(&mut self, two_dimensional: bool) -> Row {
        if two_dimensional {
            // A bit after the end-of-line code says how the row is compressed.
            self.resynchronize();
        }
        let mut is_two_dimensional = false;
        let mut ends = 0;
        while self.skip_end_of_line() {
            ends += 1;
            if two_dimensional {
                is_two_dimensional = self.bits.peek(1) == Some(0);
                self.consume(1);
            }
        }
        // Six in succession end the page. Damaged files have less.
        if ends > 2 {
            return Row::End;
        }
        let row = if is_two_dimensional {
            self.row_of_two_dimensions()
        } else {
            self.row_of_one_dimension()
        };
        if matches!(row, Row::Damaged) {
            self.resynchronize();
        }
        row
    }

    /// No code of a run begins with nine zeros, so an end-of-line code follows, with any number of zeros before it.
    fn is_end_of_line_ahead(&self) -> bool {
        self.bits.peek(9) == Some(0)
    }

    fn skip_end_of_line(&mut self) -> bool {
        if !self.is_end_of_line_ahead() {
            return false;
        }
        loop {
            match self.bits.peek(1) {
                Some(0) => self.consume(1),
                Some(_) => {
                    self.consume(1);
                    return true;
                }
                None => return false,
            }
        }
    }

    /// Skips to the next end-of-line code.
    fn resynchronize(&mut self) {
        while !self.is_end_of_line_ahead() && self.bits.peek(1).is_some() {
            self.consume(1);
        }
    }

    fn run(&mut self, is_black: bool) -> Option<u32> {
        let mut run = 0_u32;
        loop {
            let code = if is_black {
                black::decode(&mut self.bits)?
            } else {
                white::decode(&mut self.bits)?
            };
            run = run.saturating_add(code.into()).min(self.width);
            if code < 64 {
                return Some(run);
            }
        }
    }

    fn row_of_one_dimension(&mut self) -> Row {
        let mut at = 0;
        let mut is_black = false;
        if self.bits.peek(1).is_none() {
            return Row::End;
        }
        while at < self.width {
            let Some(run) = self.run(is_black) else {
                return Row::Damaged;
            };
            at = (at + run).min(self.width);
            self.current.push(at);
            is_black = !is_black;
            if self.has_too_many_runs() {
                return Row::Damaged;
            }
        }
        Row::Complete
    }

    fn row_of_two_dimensions(&mut self) -> Row {
        // A change above the first pixel counts as right of the start.
        let mut at = -1;
        let mut is_black = false;
        // The first change in the row above that is right of `at`.
        let mut first = 0;
        let width = i64::from(self.width);
        while at < width {
            let Some(mode) = mode::decode(&mut self.bits) else {
                return if at < 0 { Row::End } else { Row::Damaged };
            };
            while self.above.get(first).is_some_and(|above| i64::from(*above) <= at) {
                first += 1;
            }
            // Changes to black have even indices.
            let opposite = first + usize::from((first % 2 == 1) != is_black);
            let above = |index: usize| self.above.get(index).map_or(width, |above| i64::from(*above));
            match mode {
                Mode::Pass => at = above(opposite + 1),
                Mode::Vertical(delta) => {
                    at = (above(opposite) + i64::from(delta)).clamp(at.max(0), width);
                    self.current.push(at as u32);
                    is_black = !is_black;
                }
                Mode::Horizontal => {
                    at = at.max(0);
                    for is_black in [is_black, !is_black] {
                        let Some(run) = self.run(is_black) else {
                            return Row::Damaged;
                        };
                        at = (at + i64::from(run)).min(width);
                        self.current.push(at as u32);
                    }
                }
                Mode::EOF => return Row::End,
                Mode::Extension => return Row::Damaged,
            }
            if self.has_too_many_runs() {
                return Row::Damaged;
            }
        }
        Row::Complete
    }

    /// Damaged rows can have any number of empty runs.
    fn has_too_many_runs(&self) -> bool {
        self.current.len() > 2 * self.width as usize + 2
    }

    /// Sets the black bits of `row`.
    fn paint(&mut self) {
        self.row.fill(0);
        self.read = 0;
        let mut changes = self.current.iter().copied();
        while let Some(from) = changes.next() {
            let to = changes.next().unwrap_or(self.width);
            for x in from..to {
                self.row[x as usize / 8] |= 0x80 >> (x % 8);
            }
        }
    }
}

impl<B: AsRef<[u8]>> Read for FaxReader<B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.row.len() && !self.next_row() {
            return Ok(0);
        }
        let rest = &self.row[self.read..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.read += count;
        Ok(count)
    }
}
