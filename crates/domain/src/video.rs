//! Videos: limits, what is known of a video's file, and the objects that are derived from it.

use crate::claim::Claim;
use crate::image::{ImageId, Owner, Rendition, VIDEOS_PREFIX, execution_name};
use serde::{Deserialize, Serialize};
use strum::EnumString;
use uuid::Uuid;

/// Maximum size of a video in bytes: 10 GB. Rekognition Video has the same limit.
pub const MAX_BYTES: u64 = 10 * 1024 * 1024 * 1024;
/// Maximum duration in milliseconds: 6 hours. Rekognition Video has the same limit.
pub const MAX_DURATION_MS: u64 = 6 * 60 * 60 * 1000;
/// Maximum number of frames that are labeled: one every two seconds of 6 hours. A longer interval is used if there would be
/// more.
pub const MAX_FRAMES: usize = 10_800;
/// Maximum number of frames in a preview strip. Also the limit of `picture_process::PictureProcess::strip`.
pub const MAX_PREVIEW_FRAMES: usize = 100;

/// Whether an image is a picture or a video.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum MediaType {
    /// A picture, or a file that is not known yet.
    #[default]
    Picture,
    /// A video.
    Video,
}

impl MediaType {
    /// Reads a name, such as `VIDEO`.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Picture, Self::Video]
            .into_iter()
            .find(|media_type| media_type.as_str() == text)
    }

    /// The type as stored in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Picture => "PICTURE",
            Self::Video => "VIDEO",
        }
    }

    /// Whether this is a picture. Records and events omit the type of pictures.
    pub fn is_picture(&self) -> bool {
        *self == Self::Picture
    }
}

/// The file format around the coded frames of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Container {
    /// `video/mp4`, also 3GP and M4V.
    #[serde(rename = "MP4")]
    Mp4,
    /// `video/quicktime`
    #[serde(rename = "MOV")]
    Mov,
    /// `video/x-matroska`
    #[serde(rename = "MKV")]
    Mkv,
    /// `video/webm`
    #[serde(rename = "WebM")]
    WebM,
}

impl Container {
    /// The MIME type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Mp4 => "video/mp4",
            Self::Mov => "video/quicktime",
            Self::Mkv => "video/x-matroska",
            Self::WebM => "video/webm",
        }
    }

    /// The usual file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Mp4 => "mp4",
            Self::Mov => "mov",
            Self::Mkv => "mkv",
            Self::WebM => "webm",
        }
    }
}

/// How the labels of a video are found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, EnumString)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum VideoLabels {
    /// Some of its frames are labeled as pictures.
    #[default]
    Frames,
    /// Rekognition Video labels the whole file.
    Rekognition,
}

impl VideoLabels {
    /// Whether frames are labeled. Contracts omit this value, so that it is what an earlier release has written.
    pub fn is_frames(&self) -> bool {
        *self == Self::Frames
    }
}

/// Namespace of the ids of [`LabelJob`]s.
const LABEL_JOBS: Uuid = Uuid::from_u128(0x5d1f_6b0e_9a57_4c86_b1a4_0c3e_77d2_41f8);

/// A Rekognition Video job, by the name that this project gives it. The name is the job's `ClientRequestToken`, so that a
/// repeated start returns the same job, and its `JobTag`, so that the message about its end names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelJob {
    /// The id that is derived from the execution's ARN.
    pub execution: Uuid,
    /// 0, and one more for each job that has failed.
    pub round: u32,
}

impl LabelJob {
    /// The job of an execution in a round.
    pub fn new(execution_arn: &str, round: u32) -> Self {
        Self {
            execution: Uuid::new_v5(&LABEL_JOBS, execution_arn.as_bytes()),
            round,
        }
    }

    /// Reads a name. `None` if it is not the name of a job.
    pub fn parse(name: &str) -> Option<Self> {
        let (execution, round) = name.split_once('_')?;
        Some(Self {
            execution: execution.parse().ok()?,
            round: round.parse().ok()?,
        })
    }
}

impl std::fmt::Display for LabelJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.execution, self.round)
    }
}

/// What the header of a video's file says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct VideoFacts {
    /// Milliseconds.
    pub duration_ms: u64,
    /// The codec of the frames, such as `H.264 High`.
    pub codec: String,
    /// The file format around the frames.
    pub container: Container,
    /// Average number of frames per second. Null if the file does not state it.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub frame_rate: Option<f64>,
    /// Pixels, as displayed.
    pub width: u32,
    /// Pixels, as displayed.
    pub height: u32,
}

/// A strip of small frames side by side, each with the same width.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// The key of the JPEG, in the original's bucket.
    pub key: String,
    /// The number of frames.
    pub frames: u32,
    /// The average time between two frames in milliseconds. The first one is at the start of the video.
    pub interval_ms: u64,
}

/// A video in records and in the contracts of steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Video {
    /// What its header says.
    #[serde(flatten)]
    pub facts: VideoFacts,
    /// An upright frame as a JPEG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poster: Option<Rendition>,
    /// Small frames of the whole video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preview: Option<Preview>,
    /// The key of the [`Timeline`](crate::timeline::Timeline). Absent until the video is labeled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeline: Option<String>,
}

impl Video {
    /// The keys of the objects that belong to the video.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        let poster = self.poster.as_ref().map(|poster| &poster.key);
        let preview = self.preview.as_ref().map(|preview| &preview.key);
        let keys = [poster, preview, self.timeline.as_ref()];
        keys.into_iter().flatten().map(String::as_str)
    }
}

/// A video's file: its size and what is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VideoFile {
    /// The file's size in bytes.
    pub size: u64,
    /// The video.
    pub video: Video,
}

/// When a label is seen in a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// When it is seen for the first time, in milliseconds from the start.
    pub first_ms: u64,
    /// How long it is seen in total, in milliseconds.
    pub total_ms: u64,
}

impl Seen {
    /// When one of two labels is seen. They can be seen at the same time, so the total is at least this long.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            first_ms: self.first_ms.min(other.first_ms),
            total_ms: self.total_ms.max(other.total_ms),
        }
    }
}

/// The prefix of the keys of all objects that an execution derives from a video.
pub fn video_prefix(owner: &Owner, image_id: ImageId, execution_arn: &str) -> String {
    format!(
        "{VIDEOS_PREFIX}{}/{image_id}/{}/",
        owner.as_str(),
        execution_name(execution_arn)
    )
}

/// The key of an object that the execution of a claim derives from a video. Its name is such as `poster.jpg`.
pub fn video_key(claim: &Claim, name: &str) -> String {
    let prefix = video_prefix(&claim.owner, claim.image_id, &claim.execution_arn);
    format!("{prefix}{name}")
}

/// The name of the poster.
pub const POSTER: &str = "poster.jpg";
/// The name of the preview strip.
pub const PREVIEW: &str = "preview.jpg";
/// The name of the list of frames to label.
pub const PLAN: &str = "plan.json";
/// The name of the timeline.
pub const TIMELINE: &str = "timeline.json";

/// The name of the object with the labels of the frames, or of the result pages, from `first` to the one before `end`. Two runs of
/// the same part can end at different frames. Because the name contains `end`, a late run does not overwrite labels that the
/// state machine uses.
pub fn frames_name(first: u32, end: u32) -> String {
    format!("frames-{first}-{end}.json")
}

/// The minutes of a duration, of which a part counts as a whole one. At least 1.
pub fn minutes(duration_ms: u64) -> u32 {
    u32::try_from(duration_ms.div_ceil(60_000).max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_has_one_name_that_rekognition_accepts() {
        let job = LabelJob::new(
            "arn:aws:states:us-east-1:123456789012:execution:label-video:one",
            12,
        );
        let name = job.to_string();
        assert_eq!(LabelJob::parse(&name), Some(job));
        // The limits of ClientRequestToken.
        let accepted = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        assert!(name.len() <= 64 && name.chars().all(accepted), "{name}");
        for other in [
            "",
            "_",
            "one_1",
            "6a8c2b5e-55f0-5d0c-9d4e-3a1f0a0b0c0d",
            "6a8c2b5e-55f0-5d0c-9d4e-3a1f0a0b0c0d_x",
        ] {
            assert_eq!(LabelJob::parse(other), None, "{other}");
        }
    }

    #[test]
    fn a_part_of_a_minute_counts_as_a_minute() {
        for (milliseconds, expected) in [(0, 1), (1, 1), (60_000, 1), (60_001, 2), (MAX_DURATION_MS, 360)] {
            assert_eq!(minutes(milliseconds), expected, "{milliseconds}");
        }
    }
}
