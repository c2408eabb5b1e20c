//! Fragmented files: boxes `moof`, each with the samples of a few seconds, and the indexes of them.
//!
//! Source: ISO/IEC 14496-12, 8.8 and 8.16.3.

use crate::limits::MAX_AT_ONCE;
use crate::mp4::boxes::{Boxes, Part};
use crate::mp4::movie::{FragmentDefaults, Movie};
use crate::source::{Source, Stop, broken};

/// Maximum number of boxes between `moov` and the first fragment.
const MAX_BOXES: usize = 1_000;
/// Maximum length in bytes of a box with a fixed layout.
const MAX_FIXED: u64 = 64;
/// The length of the parts in bytes in which the samples of a fragment are read.
const BLOCK: u64 = 4 * 1024;

/// A sample of the video track.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Composition time in the track's units.
    pub(crate) time: i64,
    /// In the track's units.
    pub(crate) duration: u64,
    pub(crate) position: u64,
    pub(crate) size: u32,
    pub(crate) is_key: bool,
}

/// The fragments of a file that has some.
#[derive(Debug)]
pub(crate) struct Fragments {
    /// Where the first one begins.
    first: u64,
    /// By time. `None` without an index.
    pub(crate) index: Option<Vec<Entry>>,
    /// The time in the track's units at which the last fragment ends, if the index states it.
    pub(crate) end: Option<u64>,
}

/// An entry of an index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// In the track's units.
    pub(crate) time: u64,
    /// Where the fragment begins.
    pub(crate) position: u64,
}

impl Fragments {
    /// Finds the first fragment and the index. `None` if there is no fragment.
    pub(crate) fn find(source: &Source<'_>, movie: &Movie) -> Result<Option<Self>, Stop> {
        if movie.fragments.is_none() {
            return Ok(None);
        }
        let mut sidx = None;
        for part in Boxes::of_file(source, movie.end).take(MAX_BOXES) {
            let part = part?;
            match &part.name {
                b"sidx" if sidx.is_none() => sidx = read_sidx(source, part, movie)?,
                b"moof" => {
                    let (index, end) = match sidx {
                        Some((index, end)) => (Some(index), Some(end)),
                        None => (read_mfra(source, movie.track.id)?, None),
                    };
                    return Ok(Some(Self {
                        first: part.start,
                        index,
                        end,
                    }));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Visits the samples of all fragments from this position on. `visit` returns whether to continue.
    pub(crate) fn visit_from(
        source: &Source<'_>,
        movie: &Movie,
        (position, mut time): (u64, Option<u64>),
        mut visit: impl FnMut(Sample) -> Result<bool, Stop>,
    ) -> Result<(), Stop> {
        let mut continues = true;
        for part in Boxes::of_file(source, position) {
            let part = part?;
            if part.name == *b"moof" {
                time = visit_moof(source, movie, part, time, &mut |sample| {
                    continues = continues && visit(sample)?;
                    Ok(())
                })?;
                if !continues {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Visits the samples of all fragments. See [`Self::visit_from`].
    pub(crate) fn visit_all(
        &self,
        source: &Source<'_>,
        movie: &Movie,
        visit: impl FnMut(Sample) -> Result<bool, Stop>,
    ) -> Result<(), Stop> {
        source.begin_search();
        Self::visit_from(source, movie, (self.first, None), visit)
    }

    /// Visits the samples of the fragment that an index names.
    pub(crate) fn visit_one(
        source: &Source<'_>,
        movie: &Movie,
        entry: Entry,
        visit: &mut dyn FnMut(Sample) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        // Other boxes can come before it, such as the index of a segment.
        for part in Boxes::of_file(source, entry.position).take(8) {
            let part = part?;
            if part.name == *b"moof" {
                return visit_moof(source, movie, part, Some(entry.time), visit).map(drop);
            }
        }
        Err(broken("its index names a fragment that does not exist"))
    }

    /// Visits the samples of the first fragment.
    pub(crate) fn visit_first(
        &self,
        source: &Source<'_>,
        movie: &Movie,
        visit: &mut dyn FnMut(Sample) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let first = Entry {
            time: 0,
            position: self.first,
        };
        Self::visit_one(source, movie, first, visit)
    }
}

/// The index `sidx`, and the time in the track's units at which it ends. `None` if it is for another track, refers to other
/// indexes, or covers only a part of the file.
fn read_sidx(source: &Source<'_>, part: Part, movie: &Movie) -> Result<Option<(Vec<Entry>, u64)>, Stop> {
    const TOO_SHORT: &str = "its index (sidx) has fewer entries than it states";
    let mut reader = part.reader(source, MAX_AT_ONCE, TOO_SHORT)?;
    let is_wide = reader.u32()? >> 24 >= 1;
    let track = reader.u32()?;
    let timescale = reader.u32()?;
    let mut time = reader.sized(is_wide)?;
    let mut position = part.to.saturating_add(reader.sized(is_wide)?);
    let count = reader.u32()? & 0xFFFF;
    if track != movie.track.id || timescale == 0 {
        return Ok(None);
    }
    let in_track = |time: u64| {
        let time = u128::from(time) * u128::from(movie.track.timescale) / u128::from(timescale);
        u64::try_from(time).unwrap_or(u64::MAX)
    };
    let mut entries = Vec::new();
    let mut has_start = false;
    for _ in 0..count {
        source.budget().items(1)?;
        let size = reader.u32()?;
        let duration = reader.u32()?;
        // Whether the fragment starts with a key frame.
        let starts_with_key = reader.u32()? >> 31 == 1;
        if size >> 31 == 1 {
            return Ok(None);
        }
        if starts_with_key && !has_start {
            has_start = true;
            entries.clear();
        }
        if starts_with_key || !has_start {
            entries.push(Entry {
                time: in_track(time),
                position,
            });
        }
        position = position.saturating_add(size.into());
        time = time.saturating_add(duration.into());
    }
    let is_complete = match source.size().checked_sub(position) {
        None => {
            return Err(broken(
                "its index (sidx) names a fragment after the end of the file",
            ));
        }
        Some(..8) => true,
        Some(_) => {
            let [.., n3, n2, n1, n0] = source.array::<8>(position)?;
            matches!(
                &[n3, n2, n1, n0],
                b"mfra" | b"free" | b"skip" | b"udta" | b"meta" | b"uuid"
            )
        }
    };
    Ok((is_complete && !entries.is_empty()).then(|| (entries, in_track(time))))
}

/// The index at the end of the file.
fn read_mfra(source: &Source<'_>, track: u32) -> Result<Option<Vec<Entry>>, Stop> {
    const TOO_SHORT: &str = "its index (tfra) has fewer entries than it states";
    // Its last box states its length.
    let Some(last) = source.size().checked_sub(16) else {
        return Ok(None);
    };
    let end = source.array::<16>(last)?;
    let [_, _, _, 16, b'm', b'f', b'r', b'o', _, _, _, _, length @ ..] = end else {
        return Ok(None);
    };
    let Some(from) = source.size().checked_sub(u32::from_be_bytes(length).into()) else {
        return Ok(None);
    };
    let mut boxes = Boxes::of_file(source, from);
    let Some(mfra) = boxes.next().transpose()?.filter(|part| part.name == *b"mfra") else {
        return Ok(None);
    };
    for part in mfra.children(source) {
        let part = part?;
        if part.name != *b"tfra" {
            continue;
        }
        let mut reader = part.reader(source, MAX_AT_ONCE, TOO_SHORT)?;
        let is_wide = reader.u32()? >> 24 == 1;
        if reader.u32()? != track {
            continue;
        }
        let sizes = reader.u32()?;
        // The lengths of three numbers that are not needed: of the track, the run and the sample.
        let rest = [sizes >> 4, sizes >> 2, sizes]
            .map(|size| (size & 3) as usize + 1)
            .iter()
            .sum();
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..reader.u32()? {
            source.budget().step()?;
            let (time, position) = (reader.sized(is_wide)?, reader.sized(is_wide)?);
            reader.skip(rest)?;
            // Several key frames of one fragment are one visit.
            if entries.last().is_none_or(|last| last.position != position) {
                source.budget().items(1)?;
                entries.push(Entry { time, position });
            }
        }
        if entries.is_sorted_by_key(|entry| entry.position) && !entries.is_empty() {
            return Ok(Some(entries));
        }
    }
    Ok(None)
}

/// Visits the video track's samples of a fragment. `time` is that of the first one if the fragment does not state it.
/// Returns the time after the last one.
fn visit_moof(
    source: &Source<'_>,
    movie: &Movie,
    moof: Part,
    time: Option<u64>,
    visit: &mut dyn FnMut(Sample) -> Result<(), Stop>,
) -> Result<Option<u64>, Stop> {
    if moof.length() <= MAX_AT_ONCE {
        source.need(&[moof.range()])?;
    }
    let mut time = time;
    // Without a position of its own, the data of a track follows that of the track before.
    let mut data = moof.start;
    for traf in moof.children(source) {
        let traf = traf?;
        if traf.name != *b"traf" {
            continue;
        }
        let mut track = TrackFragment::read(source, movie, traf, moof.start, data)?;
        if track.is_video {
            track.time = track.time.or(time);
        }
        for trun in traf.children(source) {
            let trun = trun?;
            if trun.name == *b"trun" {
                track.visit_run(source, trun, visit)?;
            }
        }
        data = track.at;
        if track.is_video {
            time = track.time;
        }
    }
    Ok(time)
}

/// A track's part of a fragment.
#[derive(Debug)]
struct TrackFragment {
    is_video: bool,
    defaults: FragmentDefaults,
    /// To what the positions of runs are relative.
    base: u64,
    /// The position of the next sample.
    at: u64,
    /// The decoding time of the next sample in the track's units.
    time: Option<u64>,
}

impl TrackFragment {
    /// Reads `tfhd` and `tfdt`.
    fn read(source: &Source<'_>, movie: &Movie, traf: Part, moof: u64, data: u64) -> Result<Self, Stop> {
        const TOO_SHORT: &str = "the header of a fragment (tfhd) is too short";
        let mut track = Self {
            is_video: false,
            defaults: FragmentDefaults::default(),
            base: data,
            at: data,
            time: None,
        };
        for part in traf.children(source) {
            let part = part?;
            let mut reader = part.reader(source, MAX_FIXED, TOO_SHORT)?;
            match &part.name {
                b"tfhd" => {
                    let flags = reader.u32()?;
                    track.is_video = reader.u32()? == movie.track.id;
                    if track.is_video {
                        track.defaults = movie.fragments.unwrap_or_default();
                    }
                    if flags & 1 != 0 {
                        track.base = reader.u64()?;
                    } else if flags & 0x02_0000 != 0 {
                        track.base = moof;
                    }
                    track.at = track.base;
                    let mut optional = |flag, default| {
                        if flags & flag == 0 {
                            return Ok(default);
                        }
                        reader.u32()
                    };
                    let _entry = optional(2, 0)?;
                    track.defaults.duration = optional(8, track.defaults.duration)?;
                    track.defaults.size = optional(0x10, track.defaults.size)?;
                    track.defaults.flags = optional(0x20, track.defaults.flags)?;
                }
                b"tfdt" => {
                    let is_wide = reader.u32()? >> 24 == 1;
                    track.time = Some(reader.sized(is_wide)?);
                }
                _ => {}
            }
        }
        Ok(track)
    }

    /// Visits the samples of `trun`.
    fn visit_run(
        &mut self,
        source: &Source<'_>,
        trun: Part,
        visit: &mut dyn FnMut(Sample) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        const LIES: &str = "a fragment (trun) has fewer entries than it states";
        const TOO_LARGE: &str = "a fragment (trun) lies after the end of the file";
        let mut reader = trun.reader(source, MAX_FIXED, LIES)?;
        let flags = reader.u32()?;
        let count = u64::from(reader.u32()?);
        let mut header = 8;
        let mut optional = |flag| {
            if flags & flag == 0 {
                return Ok::<_, Stop>(None);
            }
            header += 4;
            Ok(Some(reader.u32()?))
        };
        if let Some(offset) = optional(1)? {
            let at = self.base.checked_add_signed(offset.cast_signed().into());
            self.at = at.ok_or(broken(TOO_LARGE))?;
        }
        let first_flags = optional(4)?;
        // Duration, size, flags and offset of the composition time, as far as they are stated.
        let fields = [0x100, 0x200, 0x400, 0x800].map(|flag| flags & flag != 0);
        let entry = 4 * fields.iter().filter(|is_stated| **is_stated).count() as u64;
        if count * entry > trun.length().saturating_sub(header) {
            return Err(broken(LIES));
        }
        let mut from = trun.from + header;
        let end = from + count * entry;
        let mut block: &[u8] = &[];
        for index in 0..count {
            source.budget().step()?;
            if block.is_empty() && entry > 0 {
                let to = (from + BLOCK / entry * entry).min(end);
                block = source.entries(from..to, end, 0)?;
                from = to;
            }
            let mut next = |is_stated: bool| {
                let (number, rest) = block.split_first_chunk().filter(|_| is_stated)?;
                block = rest;
                Some(u32::from_be_bytes(*number))
            };
            let duration = next(fields[0]).unwrap_or(self.defaults.duration);
            let size = next(fields[1]).unwrap_or(self.defaults.size);
            let own_flags = next(fields[2]);
            // Version 0 has unsigned numbers, but writers store signed ones in it, too.
            let offset = next(fields[3]).unwrap_or(0).cast_signed();
            let flags = first_flags
                .filter(|_| index == 0)
                .or(own_flags)
                .unwrap_or(self.defaults.flags);
            let time = self.time.unwrap_or(0);
            let composition = i64::try_from(time)
                .ok()
                .and_then(|time| time.checked_add(offset.into()));
            const TOO_LATE: &str = "the time of a fragment (tfdt) is too large";
            if self.is_video {
                visit(Sample {
                    time: composition.ok_or(broken(TOO_LATE))?,
                    duration: duration.into(),
                    position: self.at,
                    size,
                    // The flag of samples that are no key frames.
                    is_key: flags & 0x1_0000 == 0,
                })?;
            }
            self.time = Some(time.checked_add(duration.into()).ok_or(broken(TOO_LATE))?);
            self.at = self.at.checked_add(size.into()).ok_or(broken(TOO_LARGE))?;
        }
        Ok(())
    }
}
