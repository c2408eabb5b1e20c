//! Poster and preview strip of a video.

use crate::{InspectVideo, InspectVideoError};
use domain::video::{MAX_PREVIEW_FRAMES, POSTER, PREVIEW, Preview, video_key};
use domain::{Claim, ErrorName, Format, Rendition};
use objects::read_range;
use picture::Jpeg;
use picture_process::ProcessError;
use std::time::{Duration, Instant};
use video::{Size, Track};
use video_header::KeyFrame;

/// The poster replaces the picture in lists and dialogs.
const POSTER_SIZE: Size = Size {
    longest_side: 1280,
    quality: 85,
};
/// A frame of the strip is shown above the position under the pointer.
const PREVIEW_SIZE: Size = Size {
    longest_side: 160,
    quality: 70,
};
/// Many videos begin with a black frame, so the poster is one after this time in milliseconds.
const POSTER_AFTER_MS: u64 = 1000;
/// Frames that are tried for the poster. Others may be damaged.
const POSTER_TRIES: usize = 3;
/// Maximum number of bytes of coded frames for the strip: 96 MB. Fewer frames are used if their frames are large.
const MAX_PREVIEW_BYTES: u64 = 96 * 1024 * 1024;
/// A video has no preview if less time is left for it.
const MIN_PREVIEW_TIME: Duration = Duration::from_secs(10);
/// The time in which decoded frames are put side by side.
const STRIP_TIME: Duration = Duration::from_secs(10);

/// Writes the poster. Frames are decoded until `until`.
pub(crate) async fn poster(
    step: &InspectVideo,
    claim: &Claim,
    track: &Track,
    key_frames: &[KeyFrame],
    until: Instant,
) -> Result<Rendition, InspectVideoError> {
    let mut failed: Option<ProcessError> = None;
    for frame in poster_candidates(key_frames) {
        let left = until.saturating_duration_since(Instant::now());
        // The frames before have taken all the time.
        if failed.is_some() && left.is_zero() {
            break;
        }
        let coded = vec![read(step, claim, frame).await?];
        let process = step.process.within(left);
        let decoded = process.frames(track, POSTER_SIZE, coded).await?.pop();
        match decoded {
            Some(Ok(Jpeg { bytes, width, height })) => {
                let key = video_key(claim, POSTER);
                let content_type = Format::Jpeg.content_type();
                objects::write(&step.s3, &claim.bucket, &key, content_type, bytes).await?;
                return Ok(Rendition { key, width, height });
            }
            // Other frames of the video take as much time or memory.
            Some(Err(error)) if error.name() == ErrorName::TooComplex => return Err(error.into()),
            Some(Err(error)) => failed = Some(error),
            None => {}
        }
    }
    Err(failed.unwrap_or(ProcessError::Crashed).into())
}

/// The frames that are tried: the first one after a second, then one in the middle, then the very first one.
fn poster_candidates(key_frames: &[KeyFrame]) -> Vec<KeyFrame> {
    let after = key_frames.iter().find(|frame| frame.time_ms >= POSTER_AFTER_MS);
    let middle = key_frames.get(key_frames.len() / 2);
    let mut candidates: Vec<KeyFrame> = vec![];
    for frame in after.into_iter().chain(middle).chain(key_frames.first()) {
        if !candidates.contains(frame) {
            candidates.push(*frame);
        }
    }
    candidates.truncate(POSTER_TRIES);
    candidates
}

/// Writes the strip. `None` if there are fewer than two frames, or they cannot be decoded within the limits and until `until`.
pub(crate) async fn preview(
    step: &InspectVideo,
    claim: &Claim,
    track: &Track,
    key_frames: &[KeyFrame],
    duration_ms: u64,
    until: Instant,
) -> Result<Option<Preview>, InspectVideoError> {
    let chosen = spread(key_frames);
    if chosen.len() < 2 {
        return Ok(None);
    }
    let mut coded = Vec::with_capacity(chosen.len());
    for frame in chosen {
        if until.saturating_duration_since(Instant::now()) < MIN_PREVIEW_TIME {
            return Ok(None);
        }
        coded.push(read(step, claim, frame).await?);
    }
    let process = step
        .process
        .within(until.saturating_duration_since(Instant::now()));
    let decoded = process.frames(track, PREVIEW_SIZE, coded).await?;
    // A frame that cannot be decoded is left out: the others take its place.
    let tiles: Vec<Jpeg> = decoded.into_iter().filter_map(Result::ok).collect();
    let frames = u32::try_from(tiles.len()).unwrap_or_default();
    if frames < 2 {
        return Ok(None);
    }
    let strip = match step.process.within(STRIP_TIME).strip(tiles).await {
        Ok(strip) => strip,
        Err(error @ ProcessError::Unavailable(_)) => return Err(error.into()),
        Err(_) => return Ok(None),
    };
    let key = video_key(claim, PREVIEW);
    let content_type = Format::Jpeg.content_type();
    objects::write(&step.s3, &claim.bucket, &key, content_type, strip.bytes).await?;
    Ok(Some(Preview {
        key,
        frames,
        interval_ms: duration_ms / u64::from(frames),
    }))
}

/// Frames that are spread over the video, as many as the limits allow.
fn spread(key_frames: &[KeyFrame]) -> Vec<KeyFrame> {
    let mut count = key_frames.len().min(MAX_PREVIEW_FRAMES);
    loop {
        let chosen: Vec<KeyFrame> = (0..count)
            .map(|place| key_frames[place * key_frames.len() / count])
            .collect();
        let bytes: u64 = chosen.iter().map(|frame| u64::from(frame.size)).sum();
        if bytes <= MAX_PREVIEW_BYTES || count == 0 {
            return chosen;
        }
        count /= 2;
    }
}

async fn read(step: &InspectVideo, claim: &Claim, frame: KeyFrame) -> Result<Vec<u8>, InspectVideoError> {
    let version = claim.version_id.as_deref();
    let range = (frame.position, frame.position + u64::from(frame.size));
    Ok(read_range(&step.s3, &claim.bucket, &claim.key, version, range)
        .await??
        .bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(count: u64, size: u32) -> Vec<KeyFrame> {
        let frame = |number: u64| KeyFrame {
            time_ms: number * 500,
            position: number * 1000,
            size,
        };
        (0..count).map(frame).collect()
    }

    fn times(frames: &[KeyFrame]) -> Vec<u64> {
        frames.iter().map(|frame| frame.time_ms).collect()
    }

    #[test]
    fn the_poster_is_not_the_first_frame_unless_no_other_can_be_decoded() {
        assert_eq!(times(&poster_candidates(&frames(10, 1))), [1000, 2500, 0]);
        assert_eq!(times(&poster_candidates(&frames(2, 1))), [500, 0]);
        assert_eq!(times(&poster_candidates(&frames(1, 1))), [0]);
    }

    #[test]
    fn the_strip_has_frames_of_the_whole_video_within_the_limits() {
        assert_eq!(times(&spread(&frames(3, 1))), [0, 500, 1000]);
        let many = spread(&frames(1000, 1000));
        assert_eq!((many.len(), many[0].time_ms, many[99].time_ms), (100, 0, 495_000));
        let large = spread(&frames(1000, 2_000_000));
        assert_eq!(large.len(), 50);
    }
}
