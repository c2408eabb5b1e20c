//! The first step of `label-video`: takes over the claim of a video, reads its header, chooses the frames that are labeled, and
//! writes poster and preview.
//!
//! Input: [`domain::InspectVideoInput`]. Output: [`domain::VideoProgress`].

mod file;
mod pictures;

use aws::ServiceError;
use domain::image::MIN_SIDE;
use domain::metric::Quota as Limit;
use domain::video::{
    Container, MAX_BYTES, MAX_DURATION_MS, MAX_FRAMES, PLAN, VideoLabels, minutes, video_key,
};
use domain::{
    Claim, ClaimedImage, ErrorName, FilterPolicy, InspectVideoInput, Metadata, ObjectCreated, Owner,
    StepError, Video, VideoFacts, VideoFile, VideoProgress,
};
use file::File;
use jiff::Timestamp;
use objects::UnreadableObject;
use picture_process::{PictureProcess, ProcessError};
use records::{ClaimedEvent, LostClaim, MinutesExhausted, NotCounted, Records, RecordsError, VideoQuotas};
use std::time::{Duration, Instant};
use strum::EnumIter;
use video::{FrameError, MAX_LONGEST_SIDE, Track};
use video_header::{Codec, KeyFrame, Plan, VideoError};

/// Nothing is decoded after this time, except that the preview is put together. The function may run for two minutes.
const BUDGET: Duration = Duration::from_secs(90);

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct InspectVideo {
    /// Reads the video, and writes what is derived from it.
    pub s3: aws_sdk_s3::Client,
    /// Takes over the claim, counts minutes, and reads the owner's settings.
    pub records: Records,
    /// Decodes frames.
    pub process: PictureProcess,
    /// The only bucket from which events are accepted.
    pub bucket: String,
    /// The filter policy for owners without settings.
    pub default_policy: FilterPolicy,
    /// Whether videos with the codec HEVC are accepted. It is patented, so an operator may not want to decode it.
    pub decode_hevc: bool,
    /// The time between two labeled frames in milliseconds, at least.
    pub interval_ms: u64,
    /// How many minutes of video may be labeled per day.
    pub quotas: VideoQuotas,
    /// How the labels of videos that Rekognition Video accepts are found.
    pub labels: VideoLabels,
}

/// Why the execution ends at this step.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum InspectVideoError {
    /// The file's header is not that of a supported video.
    #[error(transparent)]
    #[strum(disabled)]
    Header(#[from] VideoError),
    /// The frames cannot be decoded, according to the header.
    #[error(transparent)]
    #[strum(disabled)]
    Frame(#[from] FrameError),
    /// The frames cannot be decoded, or the process that decodes them could not be started.
    #[error(transparent)]
    #[strum(disabled)]
    Process(#[from] ProcessError),
    /// The codec is HEVC, and this stack does not decode it.
    #[error("This service doesn't decode HEVC videos. Export the video with the codec H.264.")]
    HevcDisabled,
    /// The file has more than [`MAX_BYTES`].
    #[error("This video is larger than {} GB. Export it with a lower resolution or bit rate.", MAX_BYTES >> 30)]
    TooManyBytes,
    /// The video is longer than [`MAX_DURATION_MS`]. Contains its minutes.
    #[error("This video is {0} minutes long. The limit is {max} minutes.", max = MAX_DURATION_MS / 60_000)]
    TooLong(u32),
    /// A side has fewer than [`MIN_SIDE`] pixels.
    #[error("This video is {0} × {1} pixels. Each side must have at least {MIN_SIDE}.")]
    TooFewPixels(u32, u32),
    /// Scaled down to what is sent to Rekognition, the shorter side has fewer than [`MIN_SIDE`] pixels.
    #[error(
        "This video of {0} × {1} pixels is too narrow. Its longer side may be at most {max} times as long as the shorter one.",
        max = MAX_LONGEST_SIDE / MIN_SIDE
    )]
    TooNarrow(u32, u32),
    /// Reading the header takes too long.
    #[error("This video's structure is too complex. Export it as MP4.")]
    TooComplex,
    /// The owner has no minutes left today. Contains the video's minutes and the limit.
    #[error(
        "This video is {} long. You can label up to {} of video per day. Label it again tomorrow, or split it if it is longer \
         than that.",
        in_minutes(*.minutes),
        in_minutes(*.limit)
    )]
    QuotaReached {
        /// The video's minutes.
        minutes: u32,
        /// The limit.
        limit: u32,
    },
    /// All owners together have no minutes left today. Contains the video's minutes.
    #[error(
        "This video is {} long, and this service can't label that much more video today. Label it again tomorrow.",
        in_minutes(*.0)
    )]
    TotalQuotaReached(u32),
    /// S3 does not return the object.
    #[error(transparent)]
    #[strum(disabled)]
    Object(#[from] UnreadableObject),

    /// The execution no longer holds the claim.
    #[error(transparent)]
    #[strum(disabled)]
    Lost(#[from] LostClaim),
    /// The key is not an upload's key.
    #[error("the event's key is not an upload's key")]
    NotAnUpload,

    /// The event is about another bucket. Contains the name of this stack's bucket.
    #[error("the event is about a bucket other than {0}")]
    ForeignBucket(String),
    /// The image's record or the owner's settings are invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(#[from] RecordsError),
    /// A call to an AWS service failed.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for InspectVideoError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Header(error) => error.name(),
            Self::Frame(error) => error.name(),
            Self::Process(error) => error.name(),
            Self::HevcDisabled => ErrorName::UnsupportedFormat,
            Self::TooManyBytes | Self::TooLong(_) | Self::TooNarrow(..) => ErrorName::ImageTooLarge,
            Self::TooFewPixels(..) => ErrorName::ImageTooSmall,
            Self::TooComplex => ErrorName::TooComplex,
            Self::QuotaReached { .. } | Self::TotalQuotaReached(_) => ErrorName::QuotaReached,
            Self::Object(error) => error.name(),
            Self::Lost(lost) => lost.name(),
            Self::NotAnUpload => ErrorName::NotAnUpload,
            Self::ForeignBucket(_) => ErrorName::InvalidInput,
            Self::Records(error) => error.name(),
            Self::Service(error) => error.name(),
        }
    }
}

/// Takes over the claim, and prepares the video.
///
/// # Errors
/// See [`InspectVideoError`].
pub async fn handle(
    step: &InspectVideo,
    input: InspectVideoInput,
) -> Result<VideoProgress, InspectVideoError> {
    let InspectVideoInput {
        event,
        handed_over_by,
        execution_arn,
    } = input;
    let until = Instant::now() + BUDGET;
    if event.detail.bucket.name != step.bucket {
        return Err(InspectVideoError::ForeignBucket(step.bucket.clone()));
    }
    let claim = Claim::new(&event, execution_arn).ok_or(InspectVideoError::NotAnUpload)?;
    // Before anything else, so that a rejection can be stored in the record.
    let claimed = ClaimedEvent {
        claim: &claim,
        event: &event,
    };
    step.records.take_over_claim(claimed, &handed_over_by).await??;
    // Metrics about waiting images are about pictures: a video takes minutes to hours.
    let claim = Claim {
        requested_at: None,
        ..claim
    };
    let mut file = File::open(&step.s3, &claim).await?;
    if file.size() > MAX_BYTES {
        return Err(InspectVideoError::TooManyBytes);
    }
    let header = file.header().await?;
    let track = Track::from(&header);
    check(step, &header, &track)?;
    let (interval_ms, key_frames) = key_frames(step.interval_ms, &header, &mut file).await?;
    let video = Video {
        facts: facts(&header),
        poster: None,
        preview: None,
        timeline: None,
    };
    let metadata = Metadata {
        taken_at: header.created_at.clone(),
        ..Metadata::default()
    };
    let labels_by = if is_counted_as_a_whole(&header) {
        video_labels_for(step.labels, header.codec, header.container)
    } else {
        VideoLabels::Frames
    };
    let size = file.size();
    let mut video = VideoFile { size, video };
    let to_count = minutes_to_count(&event, &claim, header.duration_ms);
    let derived = derive(step, &claim, &track, header, key_frames, &mut video, until).await;
    if let Err(InspectVideoError::Service(error)) = derived {
        return Err(error.into());
    }
    // Also if this run wrote nothing, because an earlier run may have died after it wrote an object.
    deletion::check_video(&step.s3, &step.records, &claim).await??;
    let frames = derived?;
    // Before minutes are counted, so that labeling a rejected video again counts them. The next step detects whether the claim
    // has been lost.
    step.records.store_video(&claim, &video, &metadata).await?;
    let policy = policy(step, &claim.owner).await?;
    count(step, &claim, &event, to_count).await?;
    Ok(VideoProgress {
        image: ClaimedImage {
            claim,
            file: video,
            rendition: None,
            policy,
        },
        labels_by,
        frames,
        interval_ms,
        parts: vec![],
        next: 0,
        pages: None,
        done: false,
        waits_until: None,
        pauses: 0,
        paid: false,
    })
}

/// How the labels are found. Rekognition Video accepts H.264 in MP4 and MOV
/// (<https://docs.aws.amazon.com/rekognition/latest/dg/video.html>). Its limits of size and duration are those of this step.
fn video_labels_for(preferred: VideoLabels, codec: Codec, container: video_header::Container) -> VideoLabels {
    let is_accepted = matches!(codec, Codec::H264(_))
        && matches!(
            container,
            video_header::Container::Mp4 | video_header::Container::QuickTime
        );
    if is_accepted {
        preferred
    } else {
        VideoLabels::Frames
    }
}

/// A number of minutes with its unit.
fn in_minutes(minutes: u32) -> String {
    let unit = if minutes == 1 { "minute" } else { "minutes" };
    format!("{minutes} {unit}")
}

/// Whether all frames are within the duration, whose minutes count. Rekognition Video labels the whole file. An edit list, or the
/// header of a fragmented file, can state a shorter duration.
fn is_counted_as_a_whole(header: &video_header::Video) -> bool {
    // The last frame may be cut.
    const TOLERANCE_MS: f64 = 1000.0;
    let frames = header.frames.zip(header.frame_rate);
    frames.is_some_and(|(frames, rate)| {
        frames as f64 * 1000.0 / rate.average <= header.duration_ms as f64 + TOLERANCE_MS
    })
}

/// Checks what the header says.
fn check(step: &InspectVideo, header: &video_header::Video, track: &Track) -> Result<(), InspectVideoError> {
    let &video_header::Video {
        width,
        height,
        duration_ms,
        codec,
        ..
    } = header;
    if duration_ms > MAX_DURATION_MS {
        return Err(InspectVideoError::TooLong(minutes(duration_ms)));
    }
    if matches!(codec, Codec::Hevc(_)) && !step.decode_hevc {
        return Err(InspectVideoError::HevcDisabled);
    }
    if width.min(height) < MIN_SIDE {
        return Err(InspectVideoError::TooFewPixels(width, height));
    }
    if video::longest_side((width, height), 1, MIN_SIDE).is_none() {
        return Err(InspectVideoError::TooNarrow(width, height));
    }
    Ok(video::check(track)?)
}

/// The key frames to label, and the time between them in milliseconds, at least.
async fn key_frames(
    interval_ms: u64,
    header: &video_header::Video,
    file: &mut File<'_>,
) -> Result<(u64, Vec<KeyFrame>), InspectVideoError> {
    let shortest = header.duration_ms.div_ceil(MAX_FRAMES as u64);
    let interval_ms = interval_ms.max(shortest);
    let mut frames = file.key_frames(interval_ms).await?;
    frames.retain(|frame| u64::from(frame.size) <= video::MAX_FRAME_BYTES);
    within_duration(&mut frames, header.duration_ms, interval_ms);
    if frames.is_empty() {
        return Err(VideoError::Broken("its key frames are too large").into());
    }
    Ok((interval_ms, frames))
}

/// Removes frames after the video's end, and those that are too many for its duration, but not the first one. A broken file can
/// have them, and frames in another order. The duration is what is counted against the quotas.
fn within_duration(frames: &mut Vec<KeyFrame>, duration_ms: u64, interval_ms: u64) {
    frames.sort_by_key(|frame| frame.time_ms);
    let in_time = frames.partition_point(|frame| frame.time_ms <= duration_ms);
    frames.truncate(in_time.max(1));
    // One frame each interval, and the first and the last one.
    let most = usize::try_from(duration_ms / interval_ms.max(1) + 2).unwrap_or(MAX_FRAMES);
    frames.truncate(most.min(MAX_FRAMES));
}

/// The minutes that nobody has counted yet. As for pictures, objects that other tools put into the bucket do not count.
fn minutes_to_count(event: &ObjectCreated, claim: &Claim, duration_ms: u64) -> u32 {
    let minutes = minutes(duration_ms);
    match &event.relabel {
        Some(relabel) => minutes.saturating_sub(relabel.counted_minutes.unwrap_or(minutes)),
        None if claim.image_key().is_created_by_api() => minutes,
        None => 0,
    }
}

/// Counts minutes of the video against the daily quotas. Counts nothing if an earlier run has counted them.
async fn count(
    step: &InspectVideo,
    claim: &Claim,
    event: &ObjectCreated,
    minutes: u32,
) -> Result<(), InspectVideoError> {
    if minutes == 0 {
        return Ok(());
    }
    let requested = event.counted_minutes();
    let counted = step
        .records
        .count_minutes_of_video(claim, minutes, requested, step.quotas, Timestamp::now())
        .await?;
    counted.map_err(|error| match error {
        NotCounted::Lost(lost) => lost.into(),
        NotCounted::Exhausted(MinutesExhausted {
            limit, minutes: most, ..
        }) => {
            domain::metric::quota_rejected(limit);
            match limit {
                Limit::User => InspectVideoError::QuotaReached { minutes, limit: most },
                Limit::AllUsers => InspectVideoError::TotalQuotaReached(minutes),
            }
        }
    })
}

/// Writes poster, preview and plan. Decodes frames until `until`. Returns the number of frames to label.
async fn derive(
    step: &InspectVideo,
    claim: &Claim,
    track: &Track,
    header: video_header::Video,
    key_frames: Vec<KeyFrame>,
    file: &mut VideoFile,
    until: Instant,
) -> Result<u32, InspectVideoError> {
    let duration_ms = header.duration_ms;
    file.video.poster = Some(pictures::poster(step, claim, track, &key_frames, until).await?);
    file.video.preview = pictures::preview(step, claim, track, &key_frames, duration_ms, until).await?;
    let frames = u32::try_from(key_frames.len()).unwrap_or(u32::MAX);
    let plan = Plan {
        video: header,
        key_frames,
    };
    let unwritable = |error: serde_json::Error| ServiceError::UnexpectedAnswer(error.to_string());
    let plan = serde_json::to_vec(&plan).map_err(unwritable)?;
    let key = video_key(claim, PLAN);
    objects::write(&step.s3, &claim.bucket, &key, "application/json", plan).await?;
    Ok(frames)
}

/// What is recorded of the header.
fn facts(header: &video_header::Video) -> VideoFacts {
    VideoFacts {
        duration_ms: header.duration_ms,
        codec: header.codec.to_string(),
        container: match header.container {
            video_header::Container::Mp4 => Container::Mp4,
            video_header::Container::QuickTime => Container::Mov,
            video_header::Container::Matroska => Container::Mkv,
            video_header::Container::WebM => Container::WebM,
        },
        frame_rate: header
            .frame_rate
            .map(|rate| (rate.average * 1000.0).round() / 1000.0),
        width: header.width,
        height: header.height,
    }
}

/// The filter policy for the video, as `validate` reads it for pictures.
async fn policy(step: &InspectVideo, owner: &Owner) -> Result<FilterPolicy, InspectVideoError> {
    let settings = step.records.settings(owner, &step.default_policy).await?;
    settings
        .policy
        .check()
        .map_err(|error| RecordsError::Unreadable(error.to_string()).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// The times of the frames that are left, for one key frame every two seconds.
    fn left(times: &[u64], duration_ms: u64) -> Vec<u64> {
        let frame = |time_ms: &u64| KeyFrame {
            time_ms: *time_ms,
            position: 0,
            size: 1,
        };
        let mut frames: Vec<KeyFrame> = times.iter().map(frame).collect();
        within_duration(&mut frames, duration_ms, 2000);
        frames.iter().map(|frame| frame.time_ms).collect()
    }

    /// Each frame is paid for, and the quotas count the stated duration.
    #[test]
    fn a_video_with_a_wrong_duration_has_no_more_frames_than_it_states() {
        let hours: Vec<u64> = (0..10_000).map(|number| number * 2000).collect();
        assert_eq!(left(&hours, 1000), [0]);
        assert_eq!(left(&[0; 10_000], 1000), [0, 0]);
        assert_eq!(left(&[4000, 0, 2000], 4000), [0, 2000, 4000]);
        assert_eq!(left(&[5000, 7000], 1000), [5000]);
        assert!(left(&[], 1000).is_empty());
    }

    #[test]
    fn rekognition_video_gets_only_what_it_accepts_and_only_if_it_is_preferred() {
        use video_header::Container::{Matroska, Mp4, QuickTime};
        let rekognition = |codec, container| {
            assert_eq!(
                video_labels_for(VideoLabels::Frames, codec, container),
                VideoLabels::Frames
            );
            video_labels_for(VideoLabels::Rekognition, codec, container) == VideoLabels::Rekognition
        };
        assert!(rekognition(Codec::H264(None), Mp4));
        assert!(rekognition(Codec::H264(None), QuickTime));
        assert!(!rekognition(Codec::H264(None), Matroska));
        assert!(!rekognition(Codec::Hevc(None), QuickTime));
        assert!(!rekognition(Codec::Vp9(None), Mp4));
    }

    /// If it did, a file of six hours of which an edit list shows a second would cost $36, and count as one minute.
    #[test]
    fn rekognition_labels_no_video_of_which_a_part_is_not_counted() {
        let file = include_bytes!("../../../samples/video.mp4");
        let mut pieces = video_header::Pieces::none(file.len() as u64);
        pieces.add(0, file);
        let Ok(video_header::Look::Found(header)) = video_header::look(&pieces) else {
            panic!("no header");
        };
        assert!(is_counted_as_a_whole(&header));
        let edited = video_header::Video {
            duration_ms: 1000,
            ..header.clone()
        };
        assert!(!is_counted_as_a_whole(&edited));
        let fragmented = video_header::Video {
            frames: None,
            ..header
        };
        assert!(!is_counted_as_a_whole(&fragmented));
    }

    #[test]
    fn minutes_are_counted_once_whoever_counts_them() {
        let to_count = |key: &str, relabel: Value| {
            let mut event = json!({
                "source": "aws.s3", "detail-type": "Object Created",
                "detail": {"bucket": {"name": "pictures"}, "object": {"key": key, "sequencer": "0A"}},
            });
            if !relabel.is_null() {
                event["relabel"] = relabel;
            }
            let event: ObjectCreated = serde_json::from_value(event).unwrap();
            let claim = Claim::new(&event, "execution:label-video:one".to_owned()).unwrap();
            minutes_to_count(&event, &claim, 180_000)
        };
        let of_api = "uploads/demo/0193a5a0-0000-7000-8000-000000000001";
        let relabel =
            |minutes: u32| json!({"requestedAt": "2026-11-22T12:00:00Z", "countedMinutes": minutes});
        assert_eq!(to_count(of_api, Value::Null), 3);
        assert_eq!(to_count(of_api, relabel(3)), 0);
        assert_eq!(
            to_count(of_api, relabel(0)),
            3,
            "the API did not know the duration"
        );
        assert_eq!(
            to_count(of_api, json!({"requestedAt": "2026-11-22T12:00:00Z"})),
            0,
            "an event of an earlier release"
        );
    }
}
