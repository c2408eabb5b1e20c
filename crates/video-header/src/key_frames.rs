//! Key frames, and what holds for those of any container.

use crate::error::VideoError;
use crate::source::{Source, Stop, broken};
use serde::{Deserialize, Serialize};

/// A frame that can be decoded without others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u32)", into = "(u64, u64, u32)")]
pub struct KeyFrame {
    /// When it is displayed, in milliseconds from the start of the video, rounded down.
    pub time_ms: u64,
    /// Where its coded data begins in the file, in bytes.
    pub position: u64,
    /// The length of its coded data in bytes. At least 1.
    pub size: u32,
}

impl From<(u64, u64, u32)> for KeyFrame {
    fn from((time_ms, position, size): (u64, u64, u32)) -> Self {
        Self {
            time_ms,
            position,
            size,
        }
    }
}

impl From<KeyFrame> for (u64, u64, u32) {
    fn from(frame: KeyFrame) -> Self {
        (frame.time_ms, frame.position, frame.size)
    }
}

/// Checks that key frames are in the file and do not overlap, and removes empty ones.
pub(crate) fn check(source: &Source<'_>, mut key_frames: Vec<KeyFrame>) -> Result<Vec<KeyFrame>, Stop> {
    // An empty frame repeats the one before.
    key_frames.retain(|frame| frame.size > 0);
    if key_frames.is_empty() {
        return Err(broken("it has no key frame"));
    }
    source.budget().items(key_frames.len() as u64)?;
    let mut ranges: Vec<(u64, u64)> = Vec::with_capacity(key_frames.len());
    for frame in &key_frames {
        let end = frame.position.checked_add(frame.size.into());
        let end = end.filter(|end| *end <= source.size());
        ranges.push((
            frame.position,
            end.ok_or(VideoError::Broken("a key frame lies after the end of the file"))?,
        ));
    }
    ranges.sort_unstable();
    // A small file could otherwise claim any amount of data.
    if ranges.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        return Err(broken("its key frames overlap"));
    }
    Ok(key_frames)
}
