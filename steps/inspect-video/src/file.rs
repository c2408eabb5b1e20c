//! Reads the ranges of a video's file that its header and its table of key frames need.

use crate::InspectVideoError;
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
/// Reading a hostile file without an index can take a minute, because each of up to 1,000 looks begins at its start.
const MAX_TIME: Duration = Duration::from_secs(45);

/// A video's file in S3, of which some ranges have been read.
pub(crate) struct File<'a> {
    s3: &'a Client,
    claim: &'a Claim,
    pieces: Pieces<'static>,
    until: Instant,
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
            until: Instant::now() + MAX_TIME,
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
            if Instant::now() >= self.until {
                return Err(InspectVideoError::TooComplex);
            }
            let (s3, claim) = (self.s3, self.claim);
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
            for (start, bytes) in read {
                self.pieces.add(start, &bytes);
            }
        }
    }
}

async fn read(s3: &Client, claim: &Claim, range: std::ops::Range<u64>) -> Result<Range, InspectVideoError> {
    let version = claim.version_id.as_deref();
    let read = read_range(s3, &claim.bucket, &claim.key, version, (range.start, range.end)).await?;
    read.map_err(|error: UnreadableObject| error.into())
}
