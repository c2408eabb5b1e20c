//! MP4 and QuickTime.

mod boxes;
mod edits;
mod fragments;
mod movie;
mod tables;

use crate::key_frames::KeyFrame;
use crate::limits::MAX_VISITS;
use crate::select::{Chosen, Select, Shown};
use crate::source::{Source, Stop, broken};
use crate::video::{Container, Video};
use edits::{Edits, milliseconds_rounded};
use fragments::{Entry, Fragments, Sample};
use movie::Movie;
use tables::{Durations, KeySamples, Positions, Summary, Times, need_all, summary};

const NO_FRAMES: &str = "its video track has no frames";

/// Reads what the header says.
pub(crate) fn read(source: &Source<'_>, container: Container) -> Result<Video, Stop> {
    let movie = movie::read(source)?;
    let timescale = movie.track.timescale;
    let Summary {
        samples,
        total,
        first,
        frame_rate,
    } = summary(source, &movie.track.tables, timescale)?;
    let edits = &movie.track.edits;
    let (duration_ms, frames, frame_rate) = match Fragments::find(source, &movie)? {
        None if samples == 0 => return Err(broken(NO_FRAMES)),
        None => (edits.duration_ms(first, total), Some(samples), frame_rate),
        Some(fragments) => {
            let found = read_fragments(source, &movie, &fragments)?;
            let first = found.first.filter(|_| samples == 0).unwrap_or(first);
            let in_fragments = i64::try_from(found.end).unwrap_or(i64::MAX).saturating_sub(first);
            let total = total.max(u64::try_from(in_fragments).unwrap_or(0));
            let duration_ms = match movie.fragments.and_then(|defaults| defaults.movie_duration) {
                Some(duration) => milliseconds_rounded(duration.into(), movie.timescale.into()),
                None => edits.duration_ms(first, total),
            };
            if samples == 0 && found.first.is_none() && duration_ms == 0 {
                return Err(broken(NO_FRAMES));
            }
            (
                duration_ms,
                None,
                frame_rate.or(found.durations.frame_rate(timescale)),
            )
        }
    };
    let entry = movie.track.entry;
    let orientation = movie.track.orientation;
    let (width, height) = entry.frame().displayed(orientation);
    let crop = entry.crop();
    Ok(Video {
        container,
        codec: entry.codec,
        configuration: entry.configuration,
        width,
        height,
        coded: entry.coded,
        crop,
        orientation,
        duration_ms,
        frames,
        frame_rate,
        hdr: entry.hdr,
        created_at: movie.created_at,
        has_audio: movie.has_audio,
    })
}

/// What fragments say about their samples.
struct FragmentSummary {
    /// Composition time of the first sample in the track's units. `None` if none was visited.
    first: Option<i64>,
    /// The composition time at which the last sample ends in the track's units. 0 if the header states the duration.
    end: u64,
    /// Of the first fragment, or of all.
    durations: Durations,
}

fn read_fragments(
    source: &Source<'_>,
    movie: &Movie,
    fragments: &Fragments,
) -> Result<FragmentSummary, Stop> {
    let mut first = None;
    let mut durations = Durations::default();
    let has_duration = movie
        .fragments
        .is_some_and(|defaults| defaults.movie_duration.is_some());
    let mut add = |sample: Sample| {
        first.get_or_insert(sample.time);
        durations.add(1, sample.duration)
    };
    let mut end = 0;
    let mut extend = |sample: &Sample| {
        let time = u64::try_from(sample.time).unwrap_or(0);
        end = end.max(time.saturating_add(sample.duration));
    };
    match (&fragments.index, fragments.end) {
        (Some(_), Some(stated)) => {
            fragments.visit_first(source, movie, &mut add)?;
            end = stated;
        }
        _ if has_duration => fragments.visit_first(source, movie, &mut add)?,
        (Some(index), None) => {
            fragments.visit_first(source, movie, &mut add)?;
            if let Some(last) = index.last() {
                let start = (last.position, Some(last.time));
                Fragments::visit_from(source, movie, start, |sample| {
                    extend(&sample);
                    Ok(true)
                })?;
            }
        }
        (None, _) => fragments.visit_all(source, movie, |sample| {
            extend(&sample);
            add(sample)?;
            Ok(true)
        })?,
    }
    Ok(FragmentSummary {
        first,
        end,
        durations,
    })
}

/// Finds key frames.
pub(crate) fn key_frames(source: &Source<'_>, select: Select) -> Result<Vec<KeyFrame>, Stop> {
    let movie = movie::read(source)?;
    let tables = &movie.track.tables;
    if matches!(select, Select::Every(_)) {
        need_all(source, tables)?;
    }
    let fragments = Fragments::find(source, &movie)?;

    let mut chosen = Chosen::new(select);
    let mut keys = KeySamples::open(source, tables)?;
    let mut times = Times::open(source, tables)?;
    let mut continues = true;
    let mut visited = 0_u64;
    while continues && let Some(sample) = keys.next()? {
        // As much work as reading a box.
        visited += 1;
        if visited.is_multiple_of(64) {
            source.budget().step()?;
        }
        let Some(time) = times.of(sample)? else { break };
        continues = chosen.offer(movie.track.edits.shown(time), Place::Table(sample));
    }
    if let (true, Some(fragments)) = (continues, &fragments) {
        offer_fragments(source, &movie, fragments, select, &mut chosen)?;
    }

    let mut positions = None;
    let mut key_frames = Vec::new();
    for (time_ms, place) in chosen.finish() {
        let (position, size) = match place {
            Place::Table(sample) => {
                if positions.is_none() {
                    positions = Some(Positions::open(source, tables)?);
                }
                positions.as_mut().ok_or(broken(NO_FRAMES))?.of(sample)?
            }
            Place::File(position, size) => (position, size),
        };
        key_frames.push(KeyFrame {
            time_ms,
            position,
            size,
        });
    }
    Ok(key_frames)
}

/// Where a sample is.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// In the tables, by its number.
    Table(u64),
    /// Position and size in bytes.
    File(u64, u32),
}

fn offer_fragments(
    source: &Source<'_>,
    movie: &Movie,
    fragments: &Fragments,
    select: Select,
    chosen: &mut Chosen<Place>,
) -> Result<(), Stop> {
    let edits = &movie.track.edits;
    let mut offer = |sample: Sample| {
        Ok(!sample.is_key
            || chosen.offer(
                edits.shown(sample.time),
                Place::File(sample.position, sample.size),
            ))
    };
    let Some(index) = &fragments.index else {
        return fragments.visit_all(source, movie, offer);
    };
    let mut samples = Vec::new();
    let mut needed = Vec::new();
    for entry in choose_fragments(index, edits, select) {
        let visited = Fragments::visit_one(source, movie, entry, &mut |sample| {
            if sample.is_key {
                source.budget().items(2)?;
                samples.push(sample);
            }
            Ok(())
        });
        match visited {
            // All fragments are read at once.
            Err(Stop::Read(ranges)) => needed.extend(ranges),
            other => other?,
        }
    }
    if !needed.is_empty() {
        return Err(Stop::Read(needed));
    }
    for sample in samples {
        if !offer(sample)? {
            break;
        }
    }
    Ok(())
}

/// The fragments that can have the wanted key frames.
fn choose_fragments(index: &[Entry], edits: &Edits, select: Select) -> Vec<Entry> {
    let shown = |entry: &Entry| edits.shown(i64::try_from(entry.time).unwrap_or(i64::MAX));
    match select {
        Select::AtOrBefore(time) | Select::AtOrAfter(time) => {
            let is_after = |entry: &Entry| match shown(entry) {
                Shown::At(start) => start > time,
                Shown::Before => false,
                Shown::After => true,
            };
            // Some indexes have decoding times, which are earlier. So the fragments before and after count, too.
            let after = index.iter().position(is_after).unwrap_or(index.len());
            index[after.saturating_sub(2)..(after + 1).min(index.len())].to_vec()
        }
        Select::Every(_) => {
            let mut chosen = Chosen::at_most(MAX_VISITS, select);
            for (number, entry) in index.iter().enumerate() {
                let time = match (shown(entry), index.get(number + 1).map(shown)) {
                    // What is displayed begins in this fragment.
                    (Shown::Before, None | Some(Shown::At(_) | Shown::After)) => Shown::At(0),
                    (time, _) => time,
                };
                chosen.offer(time, *entry);
            }
            chosen.finish().into_iter().map(|(_, entry)| entry).collect()
        }
    }
}
