//! Reads the ranges of a video's file that its header and its table of key frames need.

use crate::InspectVideoError;
use aws::ServiceError;
use aws_sdk_s3::Client;
use domain::Claim;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use objects::{Range, UnreadableObject, read_range};
use std::time::{Duration, Instant};
use video_header::{KeyFrame, Look, Pieces, Select, Video, VideoError};

/// Ranges that are read at the same time.
const CONCURRENCY: usize = 16;
/// The length of the first read in bytes. It contains the header of most short videos.
const FIRST_READ: u64 = 64 * 1024;
/// How long the header and the table of key frames may take. A hostile file without an index can take a minute, because each of up
/// to 1,000 looks begins at its start.
const MAX_TIME: Duration = Duration::from_secs(45);
/// If a read takes longer than this on average, S3 is slow. It usually takes about 45 ms. A hostile file that needs 1,000 reads one
/// after the other takes [`MAX_TIME`] although S3 is fast.
const SLOW_READ: Duration = Duration::from_millis(200);

/// A video's file in S3, of which some ranges have been read.
pub(crate) struct File<'a> {
    s3: &'a Client,
    claim: &'a Claim,
    pieces: Pieces<'static>,
    started: Instant,
    /// How many ranges have been read since then.
    reads: u32,
    /// How long these reads have taken together. Some of them ran at the same time.
    reading: Duration,
}

impl<'a> File<'a> {
    /// Reads the start of the file.
    pub(crate) async fn open(s3: &'a Client, claim: &'a Claim) -> Result<Self, InspectVideoError> {
        let Range { bytes, object_size } = read(s3, claim, 0..FIRST_READ).await?;
        let mut pieces = Pieces::none(object_size);
        pieces.add(0, &bytes);
        Ok(Self {
            s3,
            claim,
            pieces,
            started: Instant::now(),
            reads: 0,
            reading: Duration::ZERO,
        })
    }

    /// The file's size in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.pieces.size()
    }

    /// Reads the header.
    pub(crate) async fn header(&mut self) -> Result<Video, InspectVideoError> {
        self.read(video_header::look).await
    }

    /// Reads the table of key frames.
    pub(crate) async fn key_frames(&mut self, interval_ms: u64) -> Result<Vec<KeyFrame>, InspectVideoError> {
        self.read(|pieces| video_header::key_frames(pieces, Select::Every(interval_ms)))
            .await
    }

    async fn read<T>(
        &mut self,
        look: impl Fn(&Pieces<'_>) -> Result<Look<T>, VideoError>,
    ) -> Result<T, InspectVideoError> {
        loop {
            let ranges = match look(&self.pieces)? {
                Look::Found(found) => return Ok(found),
                Look::Read(ranges) => ranges,
            };
            check_time(self.started.elapsed(), self.reads, self.reading)?;
            let (s3, claim) = (self.s3, self.claim);
            let read: Vec<(u64, Vec<u8>, Duration)> = stream::iter(ranges)
                .map(|range| async move {
                    let start = range.start;
                    let length = range.end - start;
                    let begun = Instant::now();
                    let Range { bytes, .. } = read(s3, claim, range).await?;
                    // The object has been replaced by a shorter one since the first read.
                    if bytes.len() as u64 != length {
                        return Err(VideoError::Incomplete.into());
                    }
                    Ok::<_, InspectVideoError>((start, bytes, begun.elapsed()))
                })
                .buffered(CONCURRENCY)
                .try_collect()
                .await?;
            for (start, bytes, duration) in read {
                self.reads += 1;
                self.reading += duration;
                self.pieces.add(start, &bytes);
            }
        }
    }
}

/// Fails if there is no time left. If S3 is slow, the file may be fine: the error is one that the state machine retries, and the
/// video is not rejected. The share of the time that S3 has taken would not show that: with many reads, it is most of the time, and
/// a hostile file would be retried for hours.
fn check_time(passed: Duration, reads: u32, reading: Duration) -> Result<(), InspectVideoError> {
    if passed < MAX_TIME {
        Ok(())
    } else if reading > SLOW_READ * reads {
        Err(ServiceError::ServiceUnavailable("s3:GetObject takes too long".into()).into())
    } else {
        Err(InspectVideoError::TooComplex)
    }
}

async fn read(s3: &Client, claim: &Claim, range: std::ops::Range<u64>) -> Result<Range, InspectVideoError> {
    let version = claim.version_id.as_deref();
    let read = read_range(s3, &claim.bucket, &claim.key, version, (range.start, range.end)).await?;
    read.map_err(|error: UnreadableObject| error.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_mocks::{RuleMode, mock_client};
    use domain::{ErrorClass, ErrorName, ObjectCreated, StepError};
    use serde_json::json;

    /// It would be rejected for good, although nothing is wrong with it.
    #[test]
    fn a_video_is_not_too_complex_because_s3_is_slow() {
        let error = |reads, read_ms| {
            let reading = Duration::from_millis(read_ms) * reads;
            check_time(MAX_TIME, reads, reading).unwrap_err().name()
        };
        for (reads, read_ms) in [(1, 45_000), (10, 4_500), (200, 225), (1_000, 201)] {
            let slow = error(reads, read_ms);
            assert_eq!(slow, ErrorName::ServiceUnavailable, "{reads} {read_ms}");
            assert_eq!(slow.class(), ErrorClass::Transient);
        }
        for (reads, read_ms) in [(0, 0), (1, 50), (1_000, 45), (1_000, 200)] {
            assert_eq!(error(reads, read_ms), ErrorName::TooComplex, "{reads} {read_ms}");
        }
    }

    #[test]
    fn a_video_whose_header_needs_many_reads_is_read_while_there_is_time() {
        let passed = MAX_TIME.saturating_sub(Duration::from_millis(1));
        assert!(check_time(passed, 1_000, passed).is_ok());
    }

    #[tokio::test]
    async fn nothing_is_read_when_no_time_is_left() {
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, []);
        let event: ObjectCreated = serde_json::from_value(json!({
            "source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": {"name": "pictures"}, "object": {"key": "uploads/demo/a.mp4", "sequencer": "0A"}},
        }))
        .unwrap();
        let claim = Claim::new(&event, "mine").unwrap();
        let mut file = File {
            s3: &s3,
            claim: &claim,
            pieces: Pieces::none(10),
            started: Instant::now().checked_sub(MAX_TIME).unwrap(),
            reads: 0,
            reading: Duration::ZERO,
        };
        let read = file.read(|_: &Pieces<'_>| Ok(Look::<()>::Read(std::iter::once(0..1).collect())));
        assert_eq!(read.await.unwrap_err().name(), ErrorName::TooComplex);
    }
}
