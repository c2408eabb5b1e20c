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

/// A video's file in S3, of which some ranges have been read.
pub(crate) struct File<'a> {
    s3: &'a Client,
    claim: &'a Claim,
    pieces: Pieces<'static>,
    started: Instant,
    /// How much of the time since then S3 has taken.
    reading: Duration,
    max_time: Duration,
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
            reading: Duration::ZERO,
            max_time: MAX_TIME,
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
            self.check_time()?;
            let (s3, claim, begun) = (self.s3, self.claim, Instant::now());
            let read: Vec<(u64, Vec<u8>)> = stream::iter(ranges)
                .map(|range| async move {
                    let start = range.start;
                    let length = range.end - start;
                    let Range { bytes, .. } = read(s3, claim, range).await?;
                    // The object has been replaced by a shorter one since the first read.
                    if bytes.len() as u64 != length {
                        return Err(VideoError::Incomplete.into());
                    }
                    Ok::<_, InspectVideoError>((start, bytes))
                })
                .buffered(CONCURRENCY)
                .try_collect()
                .await?;
            self.reading += begun.elapsed();
            for (start, bytes) in read {
                self.pieces.add(start, &bytes);
            }
        }
    }

    /// Fails if there is no time left. If S3 has taken most of it, the file may be fine: the error is one that the state machine
    /// retries, and the video is not rejected.
    fn check_time(&self) -> Result<(), InspectVideoError> {
        let passed = self.started.elapsed();
        if passed < self.max_time {
            Ok(())
        } else if self.reading > passed / 2 {
            Err(ServiceError::ServiceUnavailable("s3:GetObject takes too long".into()).into())
        } else {
            Err(InspectVideoError::TooComplex)
        }
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
    use aws_sdk_s3::operation::get_object::GetObjectOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use domain::{ErrorClass, ErrorName, ObjectCreated, StepError};
    use serde_json::json;
    use std::thread::sleep;

    const SLOW: Duration = Duration::from_millis(20);

    /// The error for a file of which more is needed after each read, if each read and each look takes so long.
    async fn endless(read: Duration, look: Duration) -> ErrorName {
        let get = mock!(Client::get_object).then_output(move || {
            sleep(read);
            GetObjectOutput::builder()
                .content_range("bytes 0-0/10")
                .body(vec![0_u8].into())
                .build()
        });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&get]);
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
            started: Instant::now(),
            reading: Duration::ZERO,
            max_time: 5 * SLOW,
        };
        let read = file.read(|_: &Pieces<'_>| {
            sleep(look);
            Ok(Look::<()>::Read(std::iter::once(0..1).collect()))
        });
        read.await.unwrap_err().name()
    }

    /// It would be rejected for good, although nothing is wrong with it.
    #[tokio::test]
    async fn a_video_is_not_too_complex_because_s3_is_slow() {
        let slow_s3 = endless(SLOW, Duration::ZERO).await;
        assert_eq!(slow_s3, ErrorName::ServiceUnavailable);
        assert_eq!(slow_s3.class(), ErrorClass::Transient);
        assert_eq!(endless(Duration::ZERO, SLOW).await, ErrorName::TooComplex);
    }
}
