//! Labels the key frames of a video.

use crate::error::ApiError;
use crate::object::ObjectStore;
use crate::response::ResponseLabel;
use crate::video::request::StartLabelDetection;
use crate::video::results::{Frame, Results, VideoMetadata};
use image::RgbImage;
use picture_process::{PictureProcess, ProcessError};
use std::ops::Range;
use video::{MAX_FRAME_BYTES, Size, Track};
use video_header::{Codec, Container, KeyFrame, Look, Pieces, Select, VideoError, key_frames, look};

/// Milliseconds between two frames that are labeled. Key frames can be farther apart.
const INTERVAL_MS: u64 = 500;
/// Maximum duration: 6 hours. Source: Rekognition's guidelines and quotas.
const MAX_DURATION_MS: u64 = 6 * 3_600 * 1_000;
/// Frames that a process decodes, one after the other.
const FRAMES_AT_ONCE: usize = 10;
/// As large as the models can use.
const SIZE: Size = Size {
    longest_side: 1_280,
    quality: 90,
};

const UNREADABLE: &str = "The video cannot be read from S3";

/// Reads and decodes frames.
pub(crate) struct Worker<'a> {
    /// The objects in S3.
    pub(crate) objects: &'a ObjectStore,
    /// The process that decodes frames.
    pub(crate) process: &'a PictureProcess,
}

impl Worker<'_> {
    /// Labels a video of this length in bytes. `label` finds the labels of a frame.
    ///
    /// # Errors
    /// The status message of the failed job.
    pub(crate) async fn run<F>(
        &self,
        request: &StartLabelDetection,
        length: u64,
        label: impl Fn(RgbImage) -> F,
    ) -> Result<Results, String>
    where
        F: Future<Output = Result<Vec<ResponseLabel>, ApiError>>,
    {
        let header = self.find(request, length, look).await?;
        let is_supported = matches!(header.codec, Codec::H264(_))
            && matches!(header.container, Container::Mp4 | Container::QuickTime);
        if !is_supported {
            let container = header.container.as_str();
            return Err(format!(
                "Unsupported codec or format: {} in {container}. Rekognition Video supports H.264 in MP4 and MOV",
                header.codec
            ));
        }
        if header.duration_ms > MAX_DURATION_MS {
            return Err("The video is longer than 6 hours".into());
        }
        let track = Track::from(&header);
        let frames = self
            .find(request, length, |file| {
                key_frames(file, Select::Every(INTERVAL_MS))
            })
            .await?;
        let mut found = Vec::with_capacity(frames.len());
        for part in frames.chunks(FRAMES_AT_ONCE) {
            let mut coded = Vec::with_capacity(part.len());
            for KeyFrame { position, size, .. } in part {
                if u64::from(*size) > MAX_FRAME_BYTES {
                    return Err("A frame of the video is too large".into());
                }
                coded.push(self.read(request, *position..position + u64::from(*size)).await?);
            }
            let jpegs = self
                .process
                .frames(&track, SIZE, coded)
                .await
                .map_err(|error| failure(&error))?;
            for (frame, jpeg) in part.iter().zip(jpegs) {
                let jpeg = jpeg.map_err(|error| failure(&error))?;
                let pixels = self
                    .process
                    .pixels(jpeg.bytes, false)
                    .await
                    .map_err(|error| failure(&error))?;
                let labels = label(pixels.result).await.map_err(|error| error.message)?;
                found.push(Frame {
                    time: frame.time_ms,
                    labels,
                });
            }
        }
        Ok(Results {
            metadata: VideoMetadata {
                codec: "h264",
                duration_millis: header.duration_ms,
                format: "QuickTime / MOV",
                frame_rate: header.frame_rate.map_or(0.0, |rate| rate.average),
                frame_height: header.height,
                frame_width: header.width,
                color_range: "LIMITED",
            },
            frames: found,
        })
    }

    /// Looks at more and more of the file.
    async fn find<T>(
        &self,
        request: &StartLabelDetection,
        length: u64,
        look: impl Fn(&Pieces<'_>) -> Result<Look<T>, VideoError>,
    ) -> Result<T, String> {
        let mut parts: Vec<(u64, Vec<u8>)> = Vec::new();
        loop {
            let needed = {
                let mut pieces = Pieces::none(length);
                for (from, bytes) in &parts {
                    pieces.add(*from, bytes);
                }
                match look(&pieces).map_err(|error| error.to_string())? {
                    Look::Found(found) => return Ok(found),
                    Look::Read(needed) => needed,
                }
            };
            for range in needed {
                parts.push((range.start, self.read(request, range).await?));
            }
        }
    }

    async fn read(&self, request: &StartLabelDetection, range: Range<u64>) -> Result<Vec<u8>, String> {
        let bytes = self.objects.range(&request.video, range).await;
        bytes.map_err(|error| format!("{UNREADABLE}: {}", error.message))
    }
}

fn failure(error: &ProcessError) -> String {
    error.to_string()
}
