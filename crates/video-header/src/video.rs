//! What a video's header says.

use crate::codec::Codec;
use domain::Orientation;
use picture_header::heif::Crop;
use serde::{Deserialize, Serialize};

/// The file format around the coded frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Container {
    /// MP4 and its relatives, such as 3GP and M4V.
    Mp4,
    /// QuickTime: MOV.
    QuickTime,
    /// Matroska: MKV.
    Matroska,
    /// WebM, a subset of Matroska.
    WebM,
}

impl Container {
    /// The name that people know, such as "MOV".
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mp4 => "MP4",
            Self::QuickTime => "MOV",
            Self::Matroska => "MKV",
            Self::WebM => "WebM",
        }
    }
}

/// How bright pixels are stored, if not as in usual videos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Hdr {
    /// Perceptual quantizer: HDR10 and Dolby Vision.
    Pq,
    /// Hybrid log-gamma.
    Hlg,
}

impl Hdr {
    /// By the number of the transfer characteristics in ITU-T H.273.
    pub(crate) fn of_transfer(number: u64) -> Option<Self> {
        match number {
            16 => Some(Self::Pq),
            18 => Some(Self::Hlg),
            _ => None,
        }
    }
}

/// How fast frames follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FrameRate {
    /// Average number of frames per second, above 0 and finite.
    pub average: f64,
    /// Whether the time between frames differs by more than a tenth of its average.
    pub is_variable: bool,
}

/// What a video's header says. The values are unverified, except that they don't contradict each other: the coded frames
/// can have other dimensions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Video {
    /// The container, by the file's content and not by its name.
    pub container: Container,
    /// The codec of the video track.
    pub codec: Codec,
    /// The decoder's configuration as the file stores it: the content of `avcC`, `hvcC`, `av1C`, `vpcC` or `esds`, or
    /// Matroska's CodecPrivate. Empty if there is none. At most 64 KiB.
    pub configuration: Vec<u8>,
    /// Pixels as displayed: after applying clean aperture, pixel aspect ratio and orientation. At least 1.
    pub width: u32,
    /// Pixels as displayed: after applying clean aperture, pixel aspect ratio and orientation. At least 1.
    pub height: u32,
    /// Width and height in pixels that the container states for the coded frames. At least 1.
    pub coded: (u32, u32),
    /// The part of the coded frames that is displayed, in pixels of `coded`, before applying the orientation. Not empty.
    pub crop: Crop,
    /// How to rotate and mirror frames for display.
    pub orientation: Orientation,
    /// Milliseconds, after applying the edit list. 0 if there are no frames, or the last one has no duration.
    pub duration_ms: u64,
    /// Number of frames. `None` in fragmented and Matroska files, which don't state it.
    pub frames: Option<u64>,
    /// `None` if the file does not state it.
    pub frame_rate: Option<FrameRate>,
    /// `None` for usual videos, and if only the coded frames state it.
    pub hdr: Option<Hdr>,
    /// When the video was recorded, in the form of [`domain::Metadata::taken_at`], such as `2026-11-23T09:30:00+01:00`.
    /// In UTC, unless the camera states its offset.
    pub created_at: Option<String>,
    /// Whether there is a track with sound.
    pub has_audio: bool,
}

impl Video {
    /// Degrees by which frames are rotated clockwise for display: 0, 90, 180 or 270. A mirrored frame is mirrored
    /// horizontally before that.
    pub fn rotation(&self) -> u16 {
        match self.orientation.number() {
            6 | 7 => 90,
            3 | 4 => 180,
            5 | 8 => 270,
            _ => 0,
        }
    }
}

/// Width and height as displayed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Frame {
    /// Makes pixels square by changing the width, as players do.
    pub(crate) fn with_pixel_aspect(mut self, (width, height): (u32, u32)) -> Self {
        if width != 0 && height != 0 {
            self.width *= f64::from(width) / f64::from(height);
        }
        self
    }

    /// Whole pixels after applying the orientation.
    pub(crate) fn displayed(self, orientation: Orientation) -> (u32, u32) {
        // The casts saturate.
        let pixels = |side: f64| side.round().max(1.0) as u32;
        orientation.displayed((pixels(self.width), pixels(self.height)))
    }
}

/// Seconds since 1970 as a time in UTC. `None` for 1970 and before, which is what cameras without a clock write.
pub(crate) fn created_at(seconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds)
        .ok()
        .filter(|_| seconds > 366 * 86_400)?;
    let time = jiff::tz::Offset::UTC.to_datetime(time);
    Some(format!("{time}+00:00"))
}
