//! Detects the labels of some frames of a video: reads and decodes key frames, and sends them to Rekognition as pictures. The
//! state machine repeats the step until all frames are labeled.
//!
//! Input and output: [`domain::VideoProgress`]. A part that is repeated after a failure begins with the same frame. It overwrites
//! the object of an earlier run only if it ends with the same frame.

use aws::ServiceError;
use aws_sdk_rekognition::error::SdkError;
use aws_sdk_rekognition::primitives::Blob;
use aws_sdk_rekognition::types::Image;
use deletion::NotRead;
use domain::image::MIN_SIDE;
use domain::record::RecordedError;
use domain::timeline::LabeledFrames;
use domain::video::{PLAN, frames_name, video_key};
use domain::{Claim, ErrorClass, ErrorName, StepError, VideoProgress, metric};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use objects::UnreadableObject;
use picture::Jpeg;
use picture_process::{PictureProcess, ProcessError};
use records::{LostClaim, Records, RecordsError};
use rekognition::Detected;
use std::num::NonZeroU32;
use std::time::{Duration, Instant};
use strum::EnumIter;
use video::{MAX_LONGEST_SIDE, Size, Track};
use video_header::{KeyFrame, Plan};

/// Maximum number of frames in a part. More would not be finished within [`BUDGET`].
const MAX_FRAMES: usize = 60;
/// No frames but the first ones are labeled after this time. The function may run for five minutes: a group can take 70 seconds
/// for decoding, 30 for its slots, and the time of retried calls.
const BUDGET: Duration = Duration::from_secs(45);
/// The longest wait before a group is retried after an error that can pass. As long as the budget lasts, errors are retried here
/// and not by Step Functions, whose history has space for 25,000 events: with six frames a part, a video of six hours would take
/// 14,400, and with one retry of each part more than there is space for.
const MAX_RETRY_WAIT: Duration = Duration::from_secs(5);
/// Frames that are decoded together and labeled at the same time.
const GROUP: usize = 6;
/// The longest wait for the slots of a group.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// Rekognition scales pictures down, so larger ones have no better labels. A JPEG of this size has some 300 KB; Rekognition
/// accepts 5 MB. Elongated frames are larger, so that their shorter side has what Rekognition needs.
const LONGEST_SIDE: u32 = 1280;
const QUALITY: u8 = 85;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct LabelFrames {
    /// Reads frames and writes their labels.
    pub s3: aws_sdk_s3::Client,
    /// Reads which execution holds the video, and takes slots.
    pub records: Records,
    /// Detects labels.
    pub rekognition: aws_sdk_rekognition::Client,
    /// Decodes frames.
    pub process: PictureProcess,
    /// The minimum confidence of labels that are stored, in percent: 0 to 100.
    pub min_stored_confidence: f64,
    /// How many frames and images all bulk work together starts per second.
    pub per_second: NonZeroU32,
}

/// Why no frames were labeled.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum LabelFramesError {
    /// The process that decodes frames could not be started.
    #[error("the process that decodes frames could not be started: {0}")]
    Process(String),
    /// Other bulk work has taken the slots of the next seconds.
    #[error("other bulk work has taken the slots of the next {} seconds", MAX_WAIT.as_secs())]
    NoSlot,
    /// The list of frames is missing or cannot be read.
    #[error("the list of frames cannot be read: {0}")]
    Plan(String),
    /// S3 does not return the video.
    #[error(transparent)]
    #[strum(disabled)]
    Object(#[from] UnreadableObject),
    /// The execution no longer holds the claim.
    #[error(transparent)]
    #[strum(disabled)]
    Lost(#[from] LostClaim),
    /// The record is invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(#[from] RecordsError),
    /// A call to an AWS service failed.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for LabelFramesError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Process(_) => ErrorName::ServiceUnavailable,
            Self::NoSlot => ErrorName::Throttled,
            Self::Plan(_) => ErrorName::UnexpectedAnswer,
            Self::Object(error) => error.name(),
            Self::Lost(lost) => lost.name(),
            Self::Records(error) => error.name(),
            Self::Service(error) => error.name(),
        }
    }
}

impl From<NotRead> for LabelFramesError {
    fn from(error: NotRead) -> Self {
        match error {
            NotRead::Lost(lost) => lost.into(),
            NotRead::Unreadable(error) => Self::Plan(error),
        }
    }
}

/// Labels the next frames for 45 seconds, or until the part is complete.
///
/// # Errors
/// See [`LabelFramesError`].
pub async fn handle(step: &LabelFrames, progress: VideoProgress) -> Result<VideoProgress, LabelFramesError> {
    let claim = &progress.image.claim;
    // Before frames are paid for. Whoever deletes the video need not wait for its end.
    deletion::check_video(&step.s3, &step.records, claim).await??;
    let plan: Plan = deletion::read_derived(&step.s3, &step.records, claim, PLAN).await??;
    let track = Track::from(&plan.video);
    let first = progress.next as usize;
    let frames = plan.key_frames.get(first..).unwrap_or_default();
    let frames = &frames[..frames.len().min(MAX_FRAMES)];
    let until = Instant::now() + BUDGET;
    let mut labeled = LabeledFrames::default();
    let mut done = 0;
    while done < frames.len() && (done == 0 || Instant::now() < until) {
        let group = &frames[done..frames.len().min(done + GROUP)];
        let group = Group { frames: group, until };
        let Err(error) = label_group(step, &progress, &track, group, &mut labeled, &mut done).await else {
            continue;
        };
        let name = error.name();
        if name.class() == ErrorClass::Transient && Instant::now() < until {
            tracing::info!(error = name.as_str(), "retrying");
            tokio::time::sleep(MAX_RETRY_WAIT.mul_f64(fastrand::f64())).await;
        } else if done == 0 {
            return Err(error);
        } else {
            // Frames that have been paid for are kept. If the error persists, the next part has it.
            tracing::warn!(error = name.as_str(), "the part ends early");
            break;
        }
    }
    let unwritable = |error: serde_json::Error| ServiceError::UnexpectedAnswer(error.to_string());
    let bytes = serde_json::to_vec(&labeled).map_err(unwritable)?;
    let end = progress
        .next
        .saturating_add(u32::try_from(done).unwrap_or(u32::MAX));
    let key = video_key(claim, &frames_name(progress.next, end));
    objects::write(&step.s3, &claim.bucket, &key, "application/json", bytes).await?;
    deletion::check_video(&step.s3, &step.records, claim).await??;
    let mut progress = progress;
    progress.parts.push(end);
    progress.next = end;
    progress.done = progress.next >= progress.frames || done == 0;
    Ok(progress)
}

/// Frames that are read, decoded and labeled together. Failed calls are repeated until `until`.
#[derive(Clone, Copy)]
struct Group<'a> {
    frames: &'a [KeyFrame],
    until: Instant,
}

/// Labels some frames, and adds those that can be decoded. If a frame cannot be labeled, those before it count as done.
async fn label_group(
    step: &LabelFrames,
    progress: &VideoProgress,
    track: &Track,
    Group { frames: group, until }: Group<'_>,
    labeled: &mut LabeledFrames,
    done: &mut usize,
) -> Result<(), LabelFramesError> {
    let claim = &progress.image.claim;
    let coded: Vec<Vec<u8>> = stream::iter(group)
        .map(|frame| read(step, claim, *frame))
        .buffered(GROUP)
        .try_collect()
        .await?;
    let longest_side = video::longest_side(track.displayed, LONGEST_SIDE, MIN_SIDE);
    let size = Size {
        longest_side: longest_side.unwrap_or(MAX_LONGEST_SIDE),
        quality: QUALITY,
    };
    let decoded = step.process.frames(track, size, coded).await;
    let decoded = decoded.map_err(|error: ProcessError| LabelFramesError::Process(error.to_string()))?;
    let mut pictures = vec![];
    for (place, decoded) in decoded.into_iter().enumerate().take(group.len()) {
        match decoded {
            Ok(Jpeg { bytes, .. }) => pictures.push((place, bytes)),
            Err(error) => {
                labeled.undecodable = Some(RecordedError {
                    name: error.name().as_str().to_owned(),
                    message: error.to_string(),
                });
            }
        }
    }
    let count = u32::try_from(pictures.len()).unwrap_or(u32::MAX);
    if count == 0 {
        *done += group.len();
        return Ok(());
    }
    let wait = step.records.take_slots(count, step.per_second, MAX_WAIT).await?;
    let wait = wait.ok_or(LabelFramesError::NoSlot)?;
    let between = Duration::from_secs(1) / step.per_second.get();
    let min_confidence = progress
        .image
        .policy
        .min_confidence
        .min(step.min_stored_confidence);
    // Each slot is for one call. All at once would exceed a small quota of Rekognition.
    let starts = (0_u32..).map(|number| wait + between * number);
    let found: Vec<(usize, Result<Option<Detected>, ServiceError>)> =
        stream::iter(pictures.into_iter().zip(starts))
            .map(|((place, jpeg), start)| async move {
                tokio::time::sleep(start).await;
                (place, detect_until(step, &jpeg, min_confidence, until).await)
            })
            .buffered(GROUP)
            .collect()
            .await;
    for (place, detected) in found {
        match detected {
            Ok(Some(Detected {
                labels,
                model_version,
            })) => {
                labeled.add(group[place].time_ms, labels);
                labeled.model_version = model_version;
            }
            Ok(None) => {}
            Err(error) => {
                *done += place;
                return Err(error.into());
            }
        }
    }
    *done += group.len();
    Ok(())
}

async fn read(step: &LabelFrames, claim: &Claim, frame: KeyFrame) -> Result<Vec<u8>, LabelFramesError> {
    let version = claim.version_id.as_deref();
    let range = (frame.position, frame.position + u64::from(frame.size));
    let read = objects::read_range(&step.s3, &claim.bucket, &claim.key, version, range).await?;
    Ok(read?.bytes)
}

/// Detects the labels of a JPEG. Repeats only this call after a failure: the other frames of the group are paid for.
async fn detect_until(
    step: &LabelFrames,
    jpeg: &[u8],
    min_confidence: f64,
    until: Instant,
) -> Result<Option<Detected>, ServiceError> {
    loop {
        match detect(step, jpeg, min_confidence).await {
            Err(error) if error.name().class() == ErrorClass::Transient && Instant::now() < until => {
                tracing::info!(error = error.name().as_str(), "retrying");
                tokio::time::sleep(MAX_RETRY_WAIT.mul_f64(fastrand::f64())).await;
            }
            detected => return detected,
        }
    }
}

/// Detects the labels of a JPEG. `None` if Rekognition cannot read it: one frame does not decide about a video.
async fn detect(
    step: &LabelFrames,
    jpeg: &[u8],
    min_confidence: f64,
) -> Result<Option<Detected>, ServiceError> {
    let detected = step
        .rekognition
        .detect_labels()
        .image(Image::builder().bytes(Blob::new(jpeg.to_vec())).build())
        .min_confidence(min_confidence as f32)
        .send()
        .await;
    metric::rekognition_called();
    match detected {
        Ok(found) => Ok(Some(found.into())),
        Err(SdkError::ServiceError(context))
            if context.err().is_invalid_image_format_exception()
                || context.err().is_image_too_large_exception() =>
        {
            Ok(None)
        }
        Err(error) => Err(ServiceError::of("rekognition:DetectLabels", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    /// Events in an execution's history. Source: quotas of Step Functions.
    const HISTORY_LIMIT: u64 = 25_000;
    /// A Task is entered, scheduled, started, completed and left, and the Choice after it is entered and left.
    const EVENTS_PER_RUN: u64 = 7;
    /// What the other Tasks take with all their retries, and more than a thousand invocations of this function that Lambda
    /// refuses: 3 events each.
    const OTHER_EVENTS: u64 = 7000;

    /// A run that does not complete its part works for the whole budget, whatever fails.
    #[test]
    fn the_history_of_an_execution_has_space_for_the_longest_video_that_takes_as_long_as_it_may() {
        let definition = include_str!("../../../statemachine/label-video.asl.json");
        let definition: Value = serde_json::from_str(definition).unwrap();
        let seconds = definition["TimeoutSeconds"].as_u64().unwrap();
        let parts = u64::try_from(domain::video::MAX_FRAMES.div_ceil(MAX_FRAMES)).unwrap();
        let events = (seconds / BUDGET.as_secs() + parts) * EVENTS_PER_RUN;
        assert!(events + OTHER_EVENTS < HISTORY_LIMIT, "{events}");
    }
}
