//! The sample tables of a track: times, key frames, sizes and offsets of its samples. They are read entry by entry, where
//! they are in the file, and never as a whole. No number of entries is trusted: each is compared with the box's length.
//!
//! Source: ISO/IEC 14496-12, 8.6 and 8.7.

use crate::error::VideoError;
use crate::limits::MAX_SAMPLES;
use crate::mp4::boxes::Part;
use crate::mp4::movie::TableParts;
use crate::source::{Source, Stop, broken};
use crate::video::FrameRate;
use std::ops::Range;

/// The length of the parts in bytes in which tables are read. A multiple of all entries' lengths.
const BLOCK: u64 = 12 * 1024;

/// A table's entries of `N` bytes each.
#[derive(Debug)]
struct Entries<'s, const N: usize> {
    source: &'s Source<'s>,
    range: Range<u64>,
    next: u64,
    block: &'s [[u8; N]],
}

impl<'s, const N: usize> Entries<'s, N> {
    /// The entries of a box whose number of entries comes before them, at byte `count_at` of the content. `lies` is what is
    /// wrong if the box has fewer.
    fn open(source: &'s Source<'_>, part: Part, count_at: u64, lies: &'static str) -> Result<Self, Stop> {
        if part.length() < count_at + 4 {
            return Err(broken(lies));
        }
        let count = u32::from_be_bytes(source.array(part.from + count_at)?);
        let from = part.from + count_at + 4;
        let length = u64::from(count) * N as u64;
        if length > part.to - from {
            return Err(broken(lies));
        }
        Ok(Self {
            source,
            range: from..from + length,
            next: from,
            block: &[],
        })
    }

    fn count(&self) -> u64 {
        (self.range.end - self.range.start) / N as u64
    }

    fn next(&mut self) -> Result<Option<[u8; N]>, Stop> {
        if self.block.is_empty() {
            let to = (self.next + BLOCK).min(self.range.end);
            if self.next == to {
                return Ok(None);
            }
            self.block = self
                .source
                .entries(self.next..to, self.range.end, self.next - self.range.start)?
                .as_chunks()
                .0;
            self.next = to;
        }
        let next = self.block.split_first();
        Ok(next.map(|(entry, rest)| {
            self.block = rest;
            *entry
        }))
    }

    fn get(&self, index: u64) -> Result<Option<[u8; N]>, Stop> {
        if index >= self.count() {
            return Ok(None);
        }
        let at = self.range.start + index * N as u64;
        let bytes = self.source.entries(at..at + N as u64, self.range.end, 0)?;
        Ok(bytes.first_chunk().copied())
    }
}

/// Splits an entry into two numbers of 32 bits.
fn pair([a3, a2, a1, a0, b3, b2, b1, b0]: [u8; 8]) -> (u32, u32) {
    (
        u32::from_be_bytes([a3, a2, a1, a0]),
        u32::from_be_bytes([b3, b2, b1, b0]),
    )
}

/// A duration of a sample. Broken writers store negative ones, which players replace.
fn duration(number: u32) -> u64 {
    if number.cast_signed() < 0 {
        1
    } else {
        number.into()
    }
}

/// What the tables say about all samples.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    /// Number of samples.
    pub(crate) samples: u64,
    /// The duration of all samples in the track's units.
    pub(crate) total: u64,
    /// Composition time of the first sample in the track's units.
    pub(crate) first: i64,
    pub(crate) frame_rate: Option<FrameRate>,
}

/// Collects durations of samples, for their sum and the frame rate.
#[derive(Debug, Default)]
pub(crate) struct Durations {
    samples: u64,
    total: u64,
    /// The last ones, which don't count as a change: the duration of the last frame is often different.
    last: Option<(u64, u64)>,
    range: Option<(u64, u64)>,
}

impl Durations {
    /// Adds samples that each have this duration in the track's units.
    pub(crate) fn add(&mut self, count: u64, duration: u64) -> Result<(), Stop> {
        if count == 0 {
            return Ok(());
        }
        let total = count
            .checked_mul(duration)
            .and_then(|sum| sum.checked_add(self.total));
        self.total = total
            .filter(|total| i64::try_from(*total).is_ok())
            .ok_or(broken("its frames (stts) are too long"))?;
        self.samples = self.samples.saturating_add(count);
        if let Some((_, last)) = self.last.replace((count, duration)) {
            self.extend(last);
        }
        Ok(())
    }

    fn extend(&mut self, duration: u64) {
        let (min, max) = self.range.unwrap_or((duration, duration));
        self.range = Some((min.min(duration), max.max(duration)));
    }

    pub(crate) fn total(&self) -> u64 {
        self.total
    }

    /// The frame rate, for a track with this number of units per second.
    pub(crate) fn frame_rate(mut self, timescale: u32) -> Option<FrameRate> {
        if let Some((count, duration)) = self.last
            && (count > 1 || self.range.is_none())
        {
            self.extend(duration);
        }
        let (min, max) = self.range?;
        if self.total == 0 {
            return None;
        }
        let unit = self.total as f64 / self.samples as f64;
        let spread = (max - min) as f64;
        Some(FrameRate {
            average: f64::from(timescale) / unit,
            // A difference of one unit is the rounding of a constant duration.
            is_variable: spread > 1.0 && spread > unit / 10.0,
        })
    }
}

/// Reads the number and times of all samples.
pub(crate) fn summary(source: &Source<'_>, tables: &TableParts, timescale: u32) -> Result<Summary, Stop> {
    let sizes = Sizes::open(source, tables)?;
    let mut durations = Durations::default();
    let mut left = sizes.count;
    let mut stts = stts(source, tables)?;
    while let Some(entry) = stts.next()? {
        let (count, each) = pair(entry);
        // Entries for samples that don't exist are ignored.
        let count = u64::from(count).min(left);
        left -= count;
        durations.add(count, duration(each))?;
    }
    Ok(Summary {
        samples: sizes.count,
        total: durations.total(),
        first: match tables.ctts {
            Some(ctts) => match open_ctts(source, ctts)?.next()? {
                Some(entry) => pair(entry).1.cast_signed().into(),
                None => 0,
            },
            None => 0,
        },
        frame_rate: durations.frame_rate(timescale),
    })
}

fn stts<'s>(source: &'s Source<'_>, tables: &TableParts) -> Result<Entries<'s, 8>, Stop> {
    let part = tables
        .stts
        .ok_or(broken("its table of times (stts) is missing"))?;
    Entries::open(
        source,
        part,
        4,
        "its table of times (stts) has fewer entries than it states",
    )
}

fn open_ctts<'s>(source: &'s Source<'_>, part: Part) -> Result<Entries<'s, 8>, Stop> {
    const LIES: &str = "its table of reordered times (ctts) has fewer entries than it states";
    Entries::open(source, part, 4, LIES)
}

/// Stops unless all tables have been read.
pub(crate) fn need_all(source: &Source<'_>, tables: &TableParts) -> Result<(), Stop> {
    let TableParts {
        stts,
        ctts,
        stss,
        stsc,
        stsz,
        stz2,
        stco,
        co64,
    } = tables;
    let ranges = [stts, ctts, stss, stsc, stsz, stz2, stco, co64]
        .into_iter()
        .flatten()
        .map(Part::range)
        .collect::<Vec<_>>();
    source.need(&ranges)
}

/// Composition times in the track's units, of samples in ascending order.
#[derive(Debug)]
pub(crate) struct Times<'s> {
    stts: Entries<'s, 8>,
    /// The current entry: the first sample after it, the time of its first sample and of each.
    run: Run,
    ctts: Option<Entries<'s, 8>>,
    /// The first sample after the current entry of `ctts`, and its offset.
    offset: (u64, i64),
}

#[derive(Debug, Default)]
struct Run {
    first: u64,
    count: u64,
    time: u64,
    each: u64,
}

impl<'s> Times<'s> {
    pub(crate) fn open(source: &'s Source<'_>, tables: &TableParts) -> Result<Self, Stop> {
        Ok(Self {
            stts: stts(source, tables)?,
            run: Run::default(),
            ctts: tables.ctts.map(|part| open_ctts(source, part)).transpose()?,
            offset: (0, 0),
        })
    }

    /// The time of a sample, which is not before the one of the last call. `None` if the table ends before it.
    pub(crate) fn of(&mut self, sample: u64) -> Result<Option<i64>, Stop> {
        const TOO_LONG: &str = "its frames (stts) are too long";
        while sample >= self.run.first + self.run.count {
            let Some(entry) = self.stts.next()? else {
                return Ok(None);
            };
            let (count, each) = pair(entry);
            let time = self.run.count.checked_mul(self.run.each);
            let time = time.and_then(|passed| passed.checked_add(self.run.time));
            self.run = Run {
                first: self.run.first + self.run.count,
                count: count.into(),
                time: time.ok_or(broken(TOO_LONG))?,
                each: duration(each),
            };
        }
        let time = (sample - self.run.first)
            .checked_mul(self.run.each)
            .and_then(|since| since.checked_add(self.run.time))
            .and_then(|time| i64::try_from(time).ok());
        while let Some(ctts) = &mut self.ctts
            && sample >= self.offset.0
        {
            match ctts.next()? {
                // Version 0 has unsigned numbers, but writers store signed ones in it, too.
                Some(entry) => {
                    let (count, offset) = pair(entry);
                    self.offset = (self.offset.0 + u64::from(count), offset.cast_signed().into());
                }
                None => {
                    self.ctts = None;
                    self.offset.1 = 0;
                }
            }
        }
        let time = time.and_then(|time| time.checked_add(self.offset.1));
        Ok(Some(time.ok_or(broken(TOO_LONG))?))
    }
}

/// The samples that are key frames, in ascending order, counted from 0.
#[derive(Debug)]
pub(crate) struct KeySamples<'s> {
    /// `None` if all samples are key frames.
    stss: Option<Entries<'s, 4>>,
    /// The number of samples.
    count: u64,
    /// The first sample that can be the next key frame.
    next: u64,
}

impl<'s> KeySamples<'s> {
    pub(crate) fn open(source: &'s Source<'_>, tables: &TableParts) -> Result<Self, Stop> {
        const LIES: &str = "its table of key frames (stss) has fewer entries than it states";
        let stss = match tables.stss {
            Some(part) => Some(Entries::open(source, part, 4, LIES)?),
            None => None,
        };
        let mut keys = Self {
            stss,
            count: Sizes::open(source, tables)?.count,
            next: 0,
        };
        // Without a key frame, decoding starts at the first frame.
        if keys.stss.as_ref().is_some_and(|stss| stss.count() == 0) {
            keys.stss = None;
            keys.count = keys.count.min(1);
        }
        Ok(keys)
    }

    pub(crate) fn next(&mut self) -> Result<Option<u64>, Stop> {
        let sample = match &mut self.stss {
            None if self.next >= self.count => return Ok(None),
            None => self.next,
            Some(stss) => {
                let Some(entry) = stss.next()? else {
                    return Ok(None);
                };
                let sample = u64::from(u32::from_be_bytes(entry)).checked_sub(1);
                let sample = sample.filter(|sample| *sample < self.count);
                sample.ok_or(broken(
                    "its table of key frames (stss) names a frame that does not exist",
                ))?
            }
        };
        if sample < self.next {
            return Err(broken("its table of key frames (stss) is not in order"));
        }
        self.next = sample + 1;
        Ok(Some(sample))
    }
}

/// The sizes of samples.
#[derive(Debug)]
struct Sizes<'s> {
    source: &'s Source<'s>,
    count: u64,
    kind: SizeKind,
    range: Range<u64>,
    /// A part of the table, and its position in the file.
    block: (u64, &'s [u8]),
    /// Number of bytes of the table that have been used.
    used: u64,
}

#[derive(Debug, Clone, Copy)]
enum SizeKind {
    Same(u32),
    Bits(u64),
}

impl<'s> Sizes<'s> {
    fn open(source: &'s Source<'_>, tables: &TableParts) -> Result<Self, Stop> {
        const MISSING: &str = "its table of sizes (stsz) is missing";
        const LIES: &str = "its table of sizes (stsz) has fewer entries than it states";
        let is_compact = tables.stsz.is_none();
        let part = tables.stsz.or(tables.stz2).ok_or(broken(MISSING))?;
        if part.length() < 12 {
            return Err(broken(LIES));
        }
        let size = u32::from_be_bytes(source.array(part.from + 4)?);
        let count = u64::from(u32::from_be_bytes(source.array(part.from + 8)?));
        let kind = match (is_compact, size) {
            (false, 0) => SizeKind::Bits(32),
            (false, size) => SizeKind::Same(size),
            (true, bits) if matches!(bits & 0xFF, 4 | 8 | 16) => SizeKind::Bits(u64::from(bits & 0xFF)),
            (true, _) => {
                return Err(broken(
                    "its table of sizes (stz2) has numbers of an unknown length",
                ));
            }
        };
        let from = part.from + 12;
        let length = match kind {
            SizeKind::Same(_) => 0,
            SizeKind::Bits(bits) => (count * bits).div_ceil(8),
        };
        if length > part.to - from {
            return Err(broken(LIES));
        }
        if count > MAX_SAMPLES {
            return Err(VideoError::TooComplex.into());
        }
        Ok(Self {
            source,
            count,
            kind,
            range: from..from + length,
            block: (0, &[]),
            used: 0,
        })
    }

    /// The size of a sample in bytes. The sample exists.
    fn of(&mut self, sample: u64) -> Result<u32, Stop> {
        let bits = match self.kind {
            SizeKind::Same(size) => return Ok(size),
            SizeKind::Bits(bits) => bits,
        };
        let length = bits.div_ceil(8);
        let at = self.range.start + sample * bits / 8;
        let inside = |(from, block): (u64, &'s [u8])| {
            let from = usize::try_from(at.checked_sub(from)?).ok()?;
            block.get(from..from + length as usize)
        };
        let bytes = match inside(self.block) {
            Some(bytes) => bytes,
            None => {
                let to = (at + BLOCK).min(self.range.end).max(at + length);
                self.block = (at, self.source.entries(at..to, self.range.end, self.used)?);
                self.used += to - at;
                inside(self.block).ok_or(VideoError::Incomplete)?
            }
        };
        Ok(match bytes {
            [byte] if bits == 4 && sample.is_multiple_of(2) => (byte >> 4).into(),
            [byte] if bits == 4 => (byte & 15).into(),
            _ => bytes.iter().fold(0, |size, byte| size << 8 | u32::from(*byte)),
        })
    }
}

/// Finds positions of samples in ascending order.
#[derive(Debug)]
pub(crate) struct Positions<'s> {
    source: &'s Source<'s>,
    sizes: Sizes<'s>,
    stsc: Entries<'s, 12>,
    /// The current entry of `stsc`, and the next one.
    run: ChunkRun,
    next_run: Option<ChunkRun>,
    offsets: Offsets<'s>,
    /// The chunk that was last visited, the next sample in it, and that sample's position.
    visited: Option<(u64, u64, u64)>,
}

/// Chunks with the same number of samples. Chunks and samples count from 0.
#[derive(Debug, Clone, Copy)]
struct ChunkRun {
    first_chunk: u64,
    samples_per_chunk: u64,
    first_sample: u64,
}

#[derive(Debug)]
enum Offsets<'s> {
    Short(Entries<'s, 4>),
    Long(Entries<'s, 8>),
}

impl<'s> Positions<'s> {
    pub(crate) fn open(source: &'s Source<'_>, tables: &TableParts) -> Result<Self, Stop> {
        const LIES: &str = "its table of chunks (stsc) has fewer entries than it states";
        const OFFSETS_LIE: &str = "its table of offsets (stco) has fewer entries than it states";
        let stsc = tables
            .stsc
            .ok_or(broken("its table of chunks (stsc) is missing"))?;
        let mut stsc = Entries::open(source, stsc, 4, LIES)?;
        let offsets = match (tables.stco, tables.co64) {
            (Some(stco), _) => Offsets::Short(Entries::open(source, stco, 4, OFFSETS_LIE)?),
            (None, Some(co64)) => Offsets::Long(Entries::open(source, co64, 4, OFFSETS_LIE)?),
            (None, None) => return Err(broken("its table of offsets (stco) is missing")),
        };
        let run = match stsc.next()? {
            Some(entry) => ChunkRun::parse(entry)?,
            None => return Err(broken("its table of chunks (stsc) is empty")),
        };
        if run.first_chunk != 0 {
            return Err(broken(
                "its table of chunks (stsc) does not start with the first chunk",
            ));
        }
        Ok(Self {
            source,
            sizes: Sizes::open(source, tables)?,
            next_run: stsc.next()?.map(ChunkRun::parse).transpose()?,
            stsc,
            run,
            offsets,
            visited: None,
        })
    }

    /// The position and size in bytes of a sample, which exists and is not before the one of the last call.
    pub(crate) fn of(&mut self, sample: u64) -> Result<(u64, u32), Stop> {
        while let Some(mut next) = self.next_run {
            let chunks = next
                .first_chunk
                .checked_sub(self.run.first_chunk)
                .filter(|count| *count > 0);
            let chunks = chunks.ok_or(broken("its table of chunks (stsc) is not in order"))?;
            // Both numbers have 32 bits.
            let samples = chunks * self.run.samples_per_chunk;
            next.first_sample = self.run.first_sample.saturating_add(samples);
            if sample < next.first_sample {
                break;
            }
            self.run = next;
            self.next_run = self.stsc.next()?.map(ChunkRun::parse).transpose()?;
        }
        let run = self.run;
        let chunk_of_run = (sample - run.first_sample) / run.samples_per_chunk;
        let chunk = run.first_chunk + chunk_of_run;
        let (mut next, mut at) = match self.visited {
            Some((visited, next, at)) if visited == chunk => (next, at),
            _ => {
                let first = run.first_sample + chunk_of_run * run.samples_per_chunk;
                (first, self.offset(chunk)?)
            }
        };
        const AFTER_END: &str = "a key frame lies after the end of the file";
        while next < sample {
            at = at
                .checked_add(self.sizes.of(next)?.into())
                .ok_or(broken(AFTER_END))?;
            next += 1;
        }
        self.visited = Some((chunk, next, at));
        let size = self.sizes.of(sample)?;
        match at.checked_add(size.into()) {
            Some(end) if end <= self.source.size() => Ok((at, size)),
            _ => Err(broken(AFTER_END)),
        }
    }

    fn offset(&self, chunk: u64) -> Result<u64, Stop> {
        let offset = match &self.offsets {
            Offsets::Short(entries) => entries.get(chunk)?.map(|entry| u32::from_be_bytes(entry).into()),
            Offsets::Long(entries) => entries.get(chunk)?.map(u64::from_be_bytes),
        };
        offset.ok_or(broken("its table of offsets (stco) has no entry for a key frame"))
    }
}

impl ChunkRun {
    fn parse(entry: [u8; 12]) -> Result<Self, Stop> {
        let [a, b, c, d, rest @ ..] = entry;
        let (samples_per_chunk, _description) = pair(rest);
        let first_chunk = u64::from(u32::from_be_bytes([a, b, c, d])).checked_sub(1);
        if samples_per_chunk == 0 {
            return Err(broken("its table of chunks (stsc) has an empty chunk"));
        }
        Ok(Self {
            first_chunk: first_chunk.ok_or(broken("its table of chunks (stsc) counts from 0"))?,
            samples_per_chunk: samples_per_chunk.into(),
            first_sample: 0,
        })
    }
}
