//! Repairs damaged scans. The coded pixels of a JPEG are divided into intervals if it has restart markers. A decoder can
//! continue at the next interval, so that only a stripe is lost, but the decoders that are used here give up.
//!
//! Each interval is read without computing its pixels. Its valid blocks are copied, and the others are replaced with blocks
//! that have the color of the last one. Source: ITU-T T.81, annexes B and F.

use std::ops::Range;

/// Blocks in a unit of an interleaved scan. Source: ITU-T T.81, B.2.3.
const MAX_BLOCKS: usize = 10;
/// Bits of the largest difference between average colors.
const MAX_DC_BITS: u8 = 11;
/// The decoder computes with 16 bits. Valid pictures need 12.
const MAX_DC: i32 = 1 << 14;
/// Bits after the last block that are not counted as damage: encoders fill the last byte.
const MAX_SURPLUS_BITS: usize = 15;

/// A file whose scan is valid.
pub(super) struct Repaired {
    pub(super) file: Vec<u8>,
    /// Whether a part of the scan was missing, invalid or too long.
    pub(super) was_damaged: bool,
}

/// Repairs a file with one sequential scan. `None` for other kinds, and if there is nothing to show.
pub(super) fn repaired(file: &[u8]) -> Option<Repaired> {
    let scan = Scan::read(file)?;
    let intervals = scan.intervals(file);
    let mut writer = Writer {
        file: file[..scan.header].to_vec(),
        bits: 0,
        count: 0,
    };
    // All coefficients at once, with all of their bits.
    writer.file.extend(&file[scan.header..scan.data - 3]);
    writer.file.extend([0, 63, 0]);
    let mut was_damaged = false;
    let mut shows_something = false;
    let mut units = scan.units;
    for (index, interval) in intervals.iter().enumerate() {
        if index > 0 {
            writer.file.extend([0xFF, 0xD0 + (index - 1) as u8 % 8]);
        }
        let wanted = units.min(scan.interval);
        units -= wanted;
        let read = scan.copy(&unstuffed(&file[interval.clone()]), wanted, &mut writer);
        was_damaged |= read.is_damaged;
        shows_something |= read.units > 0;
        writer.fill_byte();
    }
    writer.file.extend([0xFF, 0xD9]);
    shows_something.then_some(Repaired {
        file: writer.file,
        was_damaged,
    })
}

/// Removes the zeros after 0xFF.
fn unstuffed(interval: &[u8]) -> Vec<u8> {
    let mut data = Vec::with_capacity(interval.len());
    let mut last = 0;
    for byte in interval {
        if !(last == 0xFF && *byte == 0) {
            data.push(*byte);
        }
        last = *byte;
    }
    data
}

/// The tables of a component, and its number of blocks in a unit.
struct Component {
    dc: Table,
    ac: Table,
    blocks: usize,
}

struct Scan {
    /// The position of its header.
    header: usize,
    /// The position of its coded pixels.
    data: usize,
    components: Vec<Component>,
    /// Units of the whole picture. Each has all blocks of a part of the picture.
    units: usize,
    /// Units of an interval.
    interval: usize,
}

/// What was copied of an interval.
struct Copied {
    units: usize,
    is_damaged: bool,
}

impl Scan {
    /// The first scan, if it has all components.
    fn read(file: &[u8]) -> Option<Self> {
        let mut frame = None;
        let mut tables: [Option<Table>; 8] = Default::default();
        let mut interval = 0;
        let mut next = 2;
        for at in memchr::memchr_iter(0xFF, file) {
            let marker = *file.get(at + 1)?;
            if at < next || matches!(marker, 0 | 0xFF | 0x01 | 0xD0..=0xD8) {
                continue;
            }
            let length = usize::from(u16::from_be_bytes([*file.get(at + 2)?, *file.get(at + 3)?]));
            next = at + 2 + length;
            let segment = file.get(at + 4..next)?;
            match marker {
                0xC0 | 0xC1 => frame = Some(segment),
                // Other kinds.
                0xC2..=0xC3 | 0xC5..=0xC7 | 0xC9..=0xCB | 0xCD..=0xCF | 0xD9 => return None,
                0xC4 => read_tables(segment, &mut tables)?,
                0xDD => interval = usize::from(u16::from_be_bytes([*segment.first()?, *segment.get(1)?])),
                0xDA => {
                    let (components, units) = components(frame?, segment, &tables)?;
                    return Some(Self {
                        header: at,
                        data: next,
                        components,
                        units,
                        interval: if interval == 0 { units } else { interval },
                    });
                }
                _ => {}
            }
        }
        None
    }

    /// Where the intervals of the scan are. Those that are missing are empty.
    fn intervals(&self, file: &[u8]) -> Vec<Range<usize>> {
        let mut intervals = vec![0..0; self.units.div_ceil(self.interval)];
        let mut index = 0;
        let mut start = Some(self.data);
        let markers = memchr::memchr_iter(0xFF, &file[self.data..])
            .map(|at| at + self.data)
            .filter_map(|at| Some((at, *file.get(at + 1)?)))
            .filter(|(_, marker)| !matches!(marker, 0 | 0xFF));
        for (at, marker) in markers.chain([(file.len(), 0xD9)]) {
            if let Some(start) = start.take()
                && let Some(interval) = intervals.get_mut(index)
            {
                *interval = start..at;
            }
            match marker {
                0xD0..=0xD7 if self.interval < self.units => {
                    // Some intervals can be missing, or be there twice. Other numbers are wrong.
                    let ahead = (usize::from(marker - 0xD0) + 8 - index % 8) % 8;
                    match ahead {
                        0..=2 => index += 1 + ahead,
                        6 | 7 => continue,
                        _ => index += 1,
                    }
                    start = Some(at + 2);
                }
                0xD9 => break,
                // What follows any other marker is invalid up to the next interval.
                _ => {}
            }
        }
        intervals
    }

    /// Copies as many units as `wanted`. Those that are missing get no content.
    fn copy(&self, data: &[u8], wanted: usize, writer: &mut Writer) -> Copied {
        let mut reader = Reader { data, at: 0 };
        let mut averages = vec![0; self.components.len()];
        let mut copied = Copied {
            units: 0,
            is_damaged: false,
        };
        let mut is_valid = true;
        for _ in 0..wanted {
            for (component, average) in self.components.iter().zip(&mut averages) {
                for _ in 0..component.blocks {
                    let start = reader.at;
                    let end = if is_valid {
                        reader.block(component, average)
                    } else {
                        None
                    };
                    match end {
                        Some(Block::Whole) => writer.copy(&reader, start..reader.at),
                        Some(Block::TooLong(end)) => {
                            copied.is_damaged = true;
                            writer.copy(&reader, start..end);
                            writer.code(component.ac.code(0));
                        }
                        None => {
                            is_valid = false;
                            writer.code(component.dc.code(0));
                            writer.code(component.ac.code(0));
                        }
                    }
                }
            }
            copied.units += usize::from(is_valid);
        }
        let surplus = (8 * data.len()).saturating_sub(reader.at);
        copied.is_damaged |= !is_valid || surplus > MAX_SURPLUS_BITS;
        copied
    }
}

/// The components of a scan, and its number of units.
fn components(frame: &[u8], scan: &[u8], tables: &[Option<Table>; 8]) -> Option<(Vec<Component>, usize)> {
    let [8, h1, h0, w1, w0, count, rest @ ..] = frame else {
        return None;
    };
    let (height, width) = (u16::from_be_bytes([*h1, *h0]), u16::from_be_bytes([*w1, *w0]));
    let (scan_count, scan) = scan.split_first()?;
    if scan_count != count || scan.len() != 2 * usize::from(*count) + 3 {
        return None;
    }
    let factors = |component: &[u8; 3]| (usize::from(component[1] >> 4), usize::from(component[1] & 15));
    let framed = rest.as_chunks::<3>().0;
    let is_single = *count == 1;
    let (mut across, mut down) = (1, 1);
    let mut components = Vec::new();
    for [id, used] in &scan.as_chunks::<2>().0[..usize::from(*count)] {
        let (horizontal, vertical) = factors(framed.iter().find(|component| component[0] == *id)?);
        if !is_single {
            (across, down) = (horizontal.max(across), vertical.max(down));
        }
        let table = |class: usize, id: u8| tables.get(4 * class + usize::from(id & 3))?.clone();
        components.push(Component {
            dc: table(0, used >> 4)?,
            ac: table(1, *used)?,
            blocks: if is_single { 1 } else { horizontal * vertical },
        });
    }
    let blocks: usize = components.iter().map(|component| component.blocks).sum();
    let units = usize::from(width).div_ceil(8 * across) * usize::from(height).div_ceil(8 * down);
    let is_valid = (1..=MAX_BLOCKS).contains(&blocks)
        && units > 0
        && components
            .iter()
            .all(|component| component.dc.codes[0].1 > 0 && component.ac.codes[0].1 > 0);
    is_valid.then_some((components, units))
}

/// Huffman codes.
#[derive(Clone)]
struct Table {
    /// For each length: the first code, the number of codes, and the position of its first value.
    lengths: [(u32, u32, usize); 16],
    values: Vec<u8>,
    /// The code of each value, and its length. 0 if there is none.
    codes: [(u32, usize); 256],
}

impl Table {
    fn code(&self, value: u8) -> (u32, usize) {
        self.codes[usize::from(value)]
    }
}

fn read_tables(mut segment: &[u8], tables: &mut [Option<Table>; 8]) -> Option<()> {
    while let Some((kind, rest)) = segment.split_first() {
        let (counts, rest) = rest.split_first_chunk::<16>()?;
        let total = counts.iter().map(|count| usize::from(*count)).sum();
        let (values, rest) = rest.split_at_checked(total)?;
        segment = rest;
        let mut table = Table {
            lengths: [(0, 0, 0); 16],
            values: values.to_vec(),
            codes: [(0, 0); 256],
        };
        let (mut code, mut position) = (0, 0);
        for (index, count) in counts.iter().enumerate() {
            table.lengths[index] = (code, (*count).into(), position);
            for value in &values[position..][..usize::from(*count)] {
                table.codes[usize::from(*value)] = (code, index + 1);
                code += 1;
            }
            position += usize::from(*count);
            if code > 2 << index {
                return None;
            }
            code <<= 1;
        }
        let (class, id) = (usize::from(kind >> 4), usize::from(kind & 15));
        if class > 1 || id > 3 {
            return None;
        }
        tables[4 * class + id] = Some(table);
    }
    Some(())
}

/// A block of 8 × 8 pixels.
enum Block {
    Whole,
    /// Its last coefficient, which starts at this bit, is outside of it.
    TooLong(usize),
}

struct Reader<'a> {
    data: &'a [u8],
    /// The position in bits.
    at: usize,
}

impl Reader<'_> {
    /// Reads a block. `None` if it is invalid or its end is missing.
    fn block(&mut self, component: &Component, average: &mut i32) -> Option<Block> {
        let bits = self.value(&component.dc)?;
        if bits > MAX_DC_BITS {
            return None;
        }
        let difference = self.bits(bits.into())? as i32;
        // The first bit is the sign.
        let is_negative = bits > 0 && difference >> (bits - 1) == 0;
        *average += difference - if is_negative { (1 << bits) - 1 } else { 0 };
        if average.abs() > MAX_DC {
            return None;
        }
        let mut coefficient = 1;
        while coefficient < 64 {
            let start = self.at;
            let value = self.value(&component.ac)?;
            let (zeros, bits) = (usize::from(value >> 4), usize::from(value & 15));
            self.bits(bits)?;
            match (zeros, bits) {
                (15, 0) => {}
                (_, 0) => break,
                _ => {}
            }
            coefficient += zeros + 1;
            if coefficient > 64 {
                return Some(Block::TooLong(start));
            }
        }
        Some(Block::Whole)
    }

    /// The next 16 bits, with ones after the end.
    fn next(&self) -> u32 {
        let byte = |index| u32::from(self.data.get(index).copied().unwrap_or(0xFF));
        let at = self.at / 8;
        let bytes = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
        bytes >> (8 - self.at % 8) & 0xFFFF
    }

    /// At most 16 bits. `None` if they are not there.
    fn bits(&mut self, count: usize) -> Option<u32> {
        let bits = self.next() >> (16 - count);
        self.at += count;
        (self.at <= 8 * self.data.len()).then_some(bits)
    }

    /// A value of a table.
    fn value(&mut self, table: &Table) -> Option<u8> {
        let next = self.next();
        for (index, (first, count, position)) in table.lengths.iter().enumerate() {
            let code = next >> (15 - index);
            if code >= *first && code - first < *count {
                self.bits(index + 1)?;
                return table.values.get(position + (code - first) as usize).copied();
            }
        }
        None
    }
}

struct Writer {
    file: Vec<u8>,
    /// The last bits, which are less than a byte.
    bits: u32,
    count: usize,
}

impl Writer {
    /// At most 16 bits.
    fn code(&mut self, (code, length): (u32, usize)) {
        self.bits = self.bits << length | code;
        self.count += length;
        while self.count >= 8 {
            self.count -= 8;
            let byte = (self.bits >> self.count) as u8;
            self.file.push(byte);
            if byte == 0xFF {
                self.file.push(0);
            }
        }
        self.bits &= (1 << self.count) - 1;
    }

    fn copy(&mut self, from: &Reader<'_>, bits: Range<usize>) {
        let mut reader = Reader {
            data: from.data,
            at: bits.start,
        };
        while reader.at < bits.end {
            let count = (bits.end - reader.at).min(16);
            if let Some(bits) = reader.bits(count) {
                self.code((bits, count));
            }
        }
    }

    /// Fills the last byte with ones.
    fn fill_byte(&mut self) {
        if self.count > 0 {
            let missing = 8 - self.count;
            self.code(((1 << missing) - 1, missing));
        }
    }
}
