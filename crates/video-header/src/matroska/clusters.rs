//! Clusters: the frames of a few seconds. They are found by the index (Cues), or one after another without one.

use crate::error::VideoError;
use crate::key_frames::KeyFrame;
use crate::limits::{LAST_READ, MAX_AT_ONCE, MAX_VISITS};
use crate::matroska::ebml::{Element, elements, number, unsigned};
use crate::matroska::ids;
use crate::matroska::segment::{Segment, can_be_cut};
use crate::select::{Chosen, Select, Shown};
use crate::source::{Source, Stop, broken};
use std::ops::ControlFlow;

/// The length in bytes of the reads that find blocks one after another. Blocks of a usual video have 5 to 50 KB.
const SEARCH_AHEAD: u64 = 256 * 1024;
/// Maximum number of places that can be the last cluster.
const MAX_CANDIDATES: usize = 64;
/// Maximum length of a block's header in bytes: track number, time and flags.
const MAX_BLOCK_HEADER: u64 = 8 + 2 + 1;

/// A block of the video track: one frame.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// In the segment's units.
    time: u64,
    position: u64,
    size: u32,
    is_key: bool,
}

/// What to do after a block.
enum After {
    Continue,
    /// Continue with the next cluster, if its position is known.
    SkipCluster,
}

/// Whether the element cannot be in a cluster, so that a cluster of unknown size ends before it.
fn ends_cluster(id: u32) -> bool {
    matches!(
        id,
        ids::CLUSTER
            | ids::CUES
            | ids::TAGS
            | ids::CHAPTERS
            | ids::ATTACHMENTS
            | ids::SEEK_HEAD
            | ids::INFO
            | ids::TRACKS
            | ids::SEGMENT
            | ids::EBML
    )
}

/// The position of a key frame in an index.
#[derive(Debug, Clone, Copy)]
struct Cue {
    /// In the segment's units.
    time: u64,
    /// Where the cluster begins.
    cluster: u64,
    /// Where the block begins in the cluster's content.
    relative: Option<u64>,
}

/// Finds key frames by the index.
pub(super) fn key_frames_by_index(
    source: &Source<'_>,
    segment: &Segment,
    cues: Element,
    select: Select,
) -> Result<Vec<KeyFrame>, Stop> {
    let mut chosen = Chosen::at_most(MAX_VISITS, select);
    let mut has_cue = false;
    for element in elements(source, cues.content(source, MAX_AT_ONCE)?) {
        let (id, content) = element?;
        if id != ids::CUE_POINT {
            continue;
        }
        if let Some(cue) = read_cue(source, segment, content)? {
            has_cue = true;
            if !chosen.offer(Shown::At(segment.milliseconds(cue.time)), cue) {
                break;
            }
        }
    }
    // Some indexes contain only the track with sound.
    if !has_cue {
        return key_frames_by_search(source, segment, select);
    }
    let mut key_frames = Vec::new();
    let mut needed = Vec::new();
    for (_, cue) in chosen.finish() {
        match read_cued_block(source, segment, cue) {
            Ok(block) => key_frames.push(block.key_frame(segment)),
            // All blocks are read at once.
            Err(Stop::Read(ranges)) => needed.extend(ranges),
            Err(stop) => return Err(stop),
        }
    }
    if !needed.is_empty() {
        return Err(Stop::Read(needed));
    }
    // Some indexes have an entry twice.
    key_frames.dedup_by_key(|frame| frame.position);
    Ok(key_frames)
}

/// An entry of the index, if it is one of the video track.
fn read_cue(source: &Source<'_>, segment: &Segment, point: &[u8]) -> Result<Option<Cue>, Stop> {
    let mut time = None;
    let mut found = None;
    for element in elements(source, point) {
        let (id, content) = element?;
        match id {
            ids::CUE_TIME => time = unsigned(content),
            ids::CUE_TRACK_POSITIONS => {
                let (mut track, mut cluster, mut relative) = (None, None, None);
                for element in elements(source, content) {
                    let (id, content) = element?;
                    match id {
                        ids::CUE_TRACK => track = unsigned(content),
                        ids::CUE_CLUSTER_POSITION => cluster = unsigned(content),
                        ids::CUE_RELATIVE_POSITION => relative = unsigned(content),
                        _ => {}
                    }
                }
                if track == Some(segment.track.number) {
                    found = cluster.map(|cluster| (cluster, relative));
                }
            }
            _ => {}
        }
    }
    Ok(time.zip(found).map(|(time, (cluster, relative))| Cue {
        time,
        cluster: segment.from.saturating_add(cluster),
        relative,
    }))
}

const WRONG_CUE: &str = "its index (Cues) names a frame that does not exist";

fn read_cued_block(source: &Source<'_>, segment: &Segment, cue: Cue) -> Result<Block, Stop> {
    if cue.cluster >= segment.end {
        return Err(broken(WRONG_CUE));
    }
    let cluster = Element::read(source, cue.cluster, segment.end, can_be_cut)?;
    if cluster.id != ids::CLUSTER {
        return Err(broken(WRONG_CUE));
    }
    let mut found = None;
    let at = cue.relative.map(|relative| cluster.from.saturating_add(relative));
    visit_cluster(source, segment, cluster, at, &mut |block| {
        // Cues name key frames, also where blocks do not say what they are.
        let is_found = at.is_some() || (block.is_key && block.time >= cue.time);
        if is_found {
            found = Some(block);
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(After::Continue))
    })?;
    found.ok_or(broken(WRONG_CUE))
}

/// Finds key frames without an index. In a large file, only the first frame of each cluster counts, because writers begin
/// a cluster with a key frame.
pub(super) fn key_frames_by_search(
    source: &Source<'_>,
    segment: &Segment,
    select: Select,
) -> Result<Vec<KeyFrame>, Stop> {
    source.begin_search();
    let is_small = source.size() <= MAX_AT_ONCE;
    source.set_read_ahead(SEARCH_AHEAD);
    let mut chosen = Chosen::new(select);
    visit_blocks(source, segment, |block| {
        let shown = Shown::At(segment.milliseconds(block.time));
        if block.is_key && !chosen.offer(shown, block) {
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(if is_small {
            After::Continue
        } else {
            After::SkipCluster
        }))
    })?;
    let chosen = chosen.finish().into_iter();
    Ok(chosen.map(|(_, block)| block.key_frame(segment)).collect())
}

/// Finds out the duration by the last frame, for a file that does not state it, in milliseconds.
pub(super) fn duration_ms(source: &Source<'_>, segment: &Segment) -> Result<u64, Stop> {
    source.begin_search();
    let mut last = None;
    if source.size() > MAX_AT_ONCE {
        last = last_time_near_end(source, segment)?;
    }
    if last.is_none() {
        last = last_time(source, segment, segment.first_cluster)?;
    }
    let last = last.ok_or(broken("its video track has no frames"))?;
    let frame = segment.track.frame_duration / 1_000_000;
    Ok(segment.milliseconds(last).saturating_add(frame))
}

/// The time of the last frame after a cluster near the end of the file. Its position is unknown, so its id is searched.
fn last_time_near_end(source: &Source<'_>, segment: &Segment) -> Result<Option<u64>, Stop> {
    let from = segment.end.saturating_sub(LAST_READ);
    let end = source.get(from, segment.end - from)?;
    source.budget().bytes(segment.end - from)?;
    let id = ids::CLUSTER.to_be_bytes();
    let mut rest = end;
    // Coded frames can contain the same bytes.
    for _ in 0..MAX_CANDIDATES {
        let Some(at) = rest.windows(id.len()).rposition(|window| window == id) else {
            break;
        };
        rest = &end[..at];
        match last_time(source, segment, Some(from + at as u64)) {
            Ok(None) | Err(Stop::Failed(VideoError::Broken(_) | VideoError::Incomplete)) => {}
            found => return found,
        }
    }
    Ok(None)
}

/// The time of the last frame in the clusters from this position on.
fn last_time(
    source: &Source<'_>,
    segment: &Segment,
    first_cluster: Option<u64>,
) -> Result<Option<u64>, Stop> {
    let mut last = None;
    // Clusters of a known size are skipped, because only the last one with a frame counts.
    let mut skipped = Vec::new();
    let visit = |cluster| {
        source.set_read_ahead(SEARCH_AHEAD);
        let mut last = None;
        let end = visit_cluster(source, segment, cluster, None, &mut |block| {
            last = last.max(Some(block.time));
            Ok(ControlFlow::Continue(After::Continue))
        })?;
        Ok::<_, Stop>((last, end))
    };
    for_each_cluster(source, segment, first_cluster, |cluster| {
        if cluster.to.is_some() {
            source.budget().items(2)?;
            skipped.push(cluster);
            return Ok(ControlFlow::Continue(cluster.to));
        }
        let (found, end) = visit(cluster)?;
        if found.is_some() {
            last = found;
            skipped.clear();
        }
        Ok(ControlFlow::Continue(end))
    })?;
    for cluster in skipped.into_iter().rev() {
        let (found, _) = visit(cluster)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(last)
}

impl Block {
    fn key_frame(self, segment: &Segment) -> KeyFrame {
        KeyFrame {
            time_ms: segment.milliseconds(self.time),
            position: self.position,
            size: self.size,
        }
    }
}

/// Visits clusters from the one at this position on. `visit` returns where to continue, or that of the file's end.
fn for_each_cluster(
    source: &Source<'_>,
    segment: &Segment,
    first_cluster: Option<u64>,
    mut visit: impl FnMut(Element) -> Result<ControlFlow<(), Option<u64>>, Stop>,
) -> Result<(), Stop> {
    let mut at = first_cluster;
    while let Some(start) = at.filter(|at| *at < segment.end) {
        let element = Element::read(source, start, segment.end, can_be_cut)?;
        at = match element.id {
            ids::CLUSTER => match visit(element)? {
                ControlFlow::Continue(next) => next,
                ControlFlow::Break(()) => return Ok(()),
            },
            // Another segment follows.
            ids::SEGMENT | ids::EBML => None,
            _ => element.to,
        };
    }
    Ok(())
}

/// Visits the blocks of all clusters, until `visit` breaks.
fn visit_blocks(
    source: &Source<'_>,
    segment: &Segment,
    mut visit: impl FnMut(Block) -> Result<ControlFlow<(), After>, Stop>,
) -> Result<(), Stop> {
    for_each_cluster(source, segment, segment.first_cluster, |cluster| {
        let mut is_done = false;
        let end = visit_cluster(source, segment, cluster, None, &mut |block| {
            let flow = visit(block)?;
            is_done = flow.is_break();
            Ok(flow)
        })?;
        Ok(if is_done {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(end)
        })
    })
}

/// Visits the blocks of a cluster, or only the one at position `only`. Returns where the cluster ends. `None` if that is
/// the file's end.
fn visit_cluster(
    source: &Source<'_>,
    segment: &Segment,
    cluster: Element,
    only: Option<u64>,
    visit: &mut dyn FnMut(Block) -> Result<ControlFlow<(), After>, Stop>,
) -> Result<Option<u64>, Stop> {
    let end = cluster.to.unwrap_or(segment.end);
    let mut time = None;
    let mut at = cluster.from;
    while at < end {
        let element = Element::read(source, at, end, |_| true)?;
        if cluster.to.is_none() && ends_cluster(element.id) {
            return Ok(Some(element.start));
        }
        let to = element.to.ok_or(broken("an element has no size"))?;
        at = to;
        match element.id {
            ids::TIMESTAMP => {
                time = unsigned(element.content(source, 8)?);
                if let Some(only) = only.filter(|only| *only >= to && *only < end) {
                    at = only;
                }
            }
            ids::SIMPLE_BLOCK | ids::BLOCK_GROUP => {
                let time = time.ok_or(broken("a cluster has no time (Timestamp)"))?;
                let block = match element.id {
                    ids::SIMPLE_BLOCK => read_block(source, segment, time, (element.from, to), None)?,
                    _ => read_group(source, segment, time, (element.from, to), only.is_some())?,
                };
                match block.map(&mut *visit).transpose()? {
                    Some(ControlFlow::Break(())) => break,
                    Some(ControlFlow::Continue(After::SkipCluster)) if cluster.to.is_some() => break,
                    _ if only.is_some_and(|only| element.start >= only) => break,
                    _ => {}
                }
            }
            _ => {}
        }
    }
    Ok(cluster.to)
}

/// Reads a block with further elements. Only if there is none about a frame that this one refers to, it is a key frame.
fn read_group(
    source: &Source<'_>,
    segment: &Segment,
    time: u64,
    (mut at, end): (u64, u64),
    is_key: bool,
) -> Result<Option<Block>, Stop> {
    let mut block = None;
    while at < end {
        let element = Element::read(source, at, end, |_| true)?;
        let to = element.to.ok_or(broken("an element has no size"))?;
        match element.id {
            ids::BLOCK => {
                block = read_block(source, segment, time, (element.from, to), Some(true))?;
                // What follows the frame is not needed.
                if block.is_none() || is_key {
                    break;
                }
            }
            ids::REFERENCE_BLOCK => {
                if let Some(block) = &mut block {
                    block.is_key = false;
                }
            }
            _ => {}
        }
        at = to;
    }
    Ok(block)
}

/// Reads the header of a block: track number, time relative to the cluster's, and flags. `None` if it is one of another
/// track.
fn read_block(
    source: &Source<'_>,
    segment: &Segment,
    cluster_time: u64,
    (from, to): (u64, u64),
    is_key: Option<bool>,
) -> Result<Option<Block>, Stop> {
    const TOO_SHORT: &str = "a block is too short";
    let header = source.get(from, (to - from).min(MAX_BLOCK_HEADER))?;
    let (track, length) = number(header).ok_or(broken(TOO_SHORT))?;
    if track != Some(segment.track.number) {
        return Ok(None);
    }
    let Some([t1, t0, flags]) = header.get(length..).and_then(|rest| rest.first_chunk()) else {
        return Err(broken(TOO_SHORT));
    };
    if flags & 0x06 != 0 {
        return Err(VideoError::Unsupported("several frames in a block").into());
    }
    let position = from + length as u64 + 3;
    let time = cluster_time.checked_add_signed(i16::from_be_bytes([*t1, *t0]).into());
    Ok(Some(Block {
        // A frame before the start is displayed at the start.
        time: time.unwrap_or(0),
        position,
        size: u32::try_from(to - position).map_err(|_| broken("a block is too long"))?,
        is_key: is_key.unwrap_or(flags & 0x80 != 0),
    }))
}
