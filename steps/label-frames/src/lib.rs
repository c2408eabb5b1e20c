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
/// After this time, no group begins, unless no frame of the part is labeled yet. The function may run for five minutes: a group can take 70 seconds
/// for decoding, 30 for its slots, [`PAID_RETRIES`], and 30 for the slots of its last attempt.
const BUDGET: Duration = Duration::from_secs(45);
/// Once a frame of a group is answered, the others are sent again for at least this time: a part ends before its first frame
/// without an answer, so the answers after that would be paid for twice.
const PAID_RETRIES: Duration = Duration::from_secs(30);
/// The maximum time after [`BUDGET`] until which frames are sent again.
const LAST_RETRY: Duration = Duration::from_secs(135);
/// The longest wait before a group is retried after an error that can pass. As long as the budget lasts, errors are retried here
/// and not by Step Functions, whose history has space for 25,000 events: with six frames a part, a video of six hours has 1,800
/// parts, which take 12,600 events. Each retry takes three more, so with three retries of each part, there would be 28,800.
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
    // Before frames are paid for: a video that was deleted meanwhile costs nothing more.
    deletion::check_video(&step.s3, &step.records, claim).await??;
    let plan: Plan = deletion::read_derived(&step.s3, &step.records, claim, PLAN).await??;
    let track = Track::from(&plan.video);
    let first = progress.next as usize;
    let frames = plan.key_frames.get(first..).unwrap_or_default();
    let frames = &frames[..frames.len().min(MAX_FRAMES)];
    let until = Instant::now() + BUDGET;
    let min_confidence = progress
        .image
        .policy
        .min_confidence
        .min(step.min_stored_confidence);
    let mut labeled = LabeledFrames::default();
    let mut done = 0;
    while done < frames.len() && (done == 0 || Instant::now() < until) {
        let key_frames = &frames[done..frames.len().min(done + GROUP)];
        let mut group = vec![];
        let result = async {
            group = decode_group(step, claim, &track, key_frames, until).await?;
            label_group(step, min_confidence, &mut group, until).await
        }
        .await;
        done += add(&mut labeled, key_frames, group);
        if let Err(error) = result {
            if done == 0 {
                return Err(error);
            }
            // If the error persists, the next part fails with it.
            tracing::warn!(error = error.name().as_str(), "the part ends early");
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

/// A frame of a group that is decoded and labeled together.
#[derive(Debug, PartialEq)]
enum Frame {
    /// A JPEG that Rekognition has not answered yet.
    Decoded(Vec<u8>),
    /// The answer, which is paid for. `None` if Rekognition cannot read the frame.
    Answered(Option<Detected>),
    /// The frame cannot be decoded.
    Undecodable(RecordedError),
}

/// Adds the frames of a group up to the first one without an answer, and returns how many these are. A part has all frames from
/// its first one to its last one.
fn add(labeled: &mut LabeledFrames, key_frames: &[KeyFrame], group: Vec<Frame>) -> usize {
    let mut added = 0;
    for (key_frame, frame) in key_frames.iter().zip(group) {
        match frame {
            Frame::Decoded(_) => break,
            Frame::Answered(Some(Detected {
                labels,
                model_version,
            })) => {
                labeled.add(key_frame.time_ms, labels);
                labeled.model_version = model_version;
            }
            Frame::Answered(None) => {}
            Frame::Undecodable(error) => labeled.undecodable = Some(error),
        }
        added += 1;
    }
    added
}

/// Reads and decodes some frames. Tries again until `until` after errors that can pass.
async fn decode_group(
    step: &LabelFrames,
    claim: &Claim,
    track: &Track,
    key_frames: &[KeyFrame],
    until: Instant,
) -> Result<Vec<Frame>, LabelFramesError> {
    loop {
        match decode(step, claim, track, key_frames).await {
            Ok(group) => return Ok(group),
            Err(error) => wait_after(error, until).await?,
        }
    }
}

async fn decode(
    step: &LabelFrames,
    claim: &Claim,
    track: &Track,
    key_frames: &[KeyFrame],
) -> Result<Vec<Frame>, LabelFramesError> {
    let coded: Vec<Vec<u8>> = stream::iter(key_frames)
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
    let frame = |decoded: Result<Jpeg, ProcessError>| match decoded {
        Ok(Jpeg { bytes, .. }) => Frame::Decoded(bytes),
        Err(error) => Frame::Undecodable(RecordedError {
            name: error.name().as_str().to_owned(),
            message: error.to_string(),
        }),
    };
    Ok(decoded.into_iter().take(key_frames.len()).map(frame).collect())
}

/// Labels decoded frames. Tries again after errors that can pass, with the same JPEGs, and only with frames without an answer: the
/// others are paid for.
async fn label_group(
    step: &LabelFrames,
    min_confidence: f64,
    group: &mut [Frame],
    mut until: Instant,
) -> Result<(), LabelFramesError> {
    let mut is_paid = false;
    loop {
        let Err(error) = send_all(step, min_confidence, group).await else {
            return Ok(());
        };
        if !is_paid && group.iter().any(|frame| matches!(frame, Frame::Answered(_))) {
            is_paid = true;
            until = until.max((Instant::now() + PAID_RETRIES).min(until + LAST_RETRY));
        }
        wait_after(error, until).await?;
    }
}

/// Waits until an attempt can be repeated.
///
/// # Errors
/// The error of the attempt, if it cannot pass, or if it is too late to repeat the attempt.
async fn wait_after(error: LabelFramesError, until: Instant) -> Result<(), LabelFramesError> {
    let name = error.name();
    if name.class() != ErrorClass::Transient || Instant::now() >= until {
        return Err(error);
    }
    tracing::info!(error = name.as_str(), "retrying");
    tokio::time::sleep(MAX_RETRY_WAIT.mul_f64(fastrand::f64())).await;
    Ok(())
}

/// Sends the frames without an answer to Rekognition. Each answer is kept, whatever becomes of the other frames. The error is that
/// of the first frame that has one.
async fn send_all(
    step: &LabelFrames,
    min_confidence: f64,
    group: &mut [Frame],
) -> Result<(), LabelFramesError> {
    let unanswered: Vec<&mut Frame> = group
        .iter_mut()
        .filter(|frame| matches!(frame, Frame::Decoded(_)))
        .collect();
    let count = u32::try_from(unanswered.len()).unwrap_or(u32::MAX);
    if count == 0 {
        return Ok(());
    }
    let wait = step.records.take_slots(count, step.per_second, MAX_WAIT).await?;
    let wait = wait.ok_or(LabelFramesError::NoSlot)?;
    let between = Duration::from_secs(1) / step.per_second.get();
    // Each slot is for one call. All at once would exceed a small quota of Rekognition.
    let starts = (0_u32..).map(|number| wait + between * number);
    let sent: Vec<Result<(), ServiceError>> = stream::iter(unanswered.into_iter().zip(starts))
        .map(|(frame, start)| send(step, min_confidence, frame, start))
        .buffered(GROUP)
        .collect()
        .await;
    for result in sent {
        result?;
    }
    Ok(())
}

/// Sends a frame after a pause, and replaces it by the answer.
async fn send(
    step: &LabelFrames,
    min_confidence: f64,
    frame: &mut Frame,
    start: Duration,
) -> Result<(), ServiceError> {
    tokio::time::sleep(start).await;
    if let Frame::Decoded(jpeg) = &*frame {
        let detected = detect(step, jpeg, min_confidence).await?;
        *frame = Frame::Answered(detected);
    }
    Ok(())
}

async fn read(step: &LabelFrames, claim: &Claim, frame: KeyFrame) -> Result<Vec<u8>, LabelFramesError> {
    let version = claim.version_id.as_deref();
    let range = (frame.position, frame.position + u64::from(frame.size));
    let read = objects::read_range(&step.s3, &claim.bucket, &claim.key, version, range).await?;
    Ok(read?.bytes)
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
    use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_sdk_rekognition::config::http::HttpResponse;
    use aws_sdk_rekognition::config::retry::RetryConfig;
    use aws_sdk_rekognition::operation::detect_labels::DetectLabelsOutput;
    use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
    use serde_json::Value;
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    /// Events in an execution's history. Source: quotas of Step Functions.
    const HISTORY_LIMIT: u64 = 25_000;
    /// A Task is entered, scheduled, started, completed and left, and the Choice after it is entered and left.
    const EVENTS_PER_RUN: u64 = 7;
    /// Each retry of a Task by Step Functions adds three events: scheduled, started and failed.
    const EVENTS_PER_RETRY: u64 = 3;
    /// What the other Tasks take with all their retries, and more than a thousand invocations of this function that Lambda
    /// refuses: 3 events each.
    const OTHER_EVENTS: u64 = 7000;

    /// A run that does not complete its part works for the whole budget, whatever fails. So an execution has at most as many of
    /// those as fit into its timeout, and one run for each part that is completed.
    #[test]
    fn the_longest_execution_fits_into_the_event_history() {
        let definition = include_str!("../../../statemachine/label-video.asl.json");
        let definition: Value = serde_json::from_str(definition).unwrap();
        let seconds = definition["TimeoutSeconds"].as_u64().unwrap();
        let parts = u64::try_from(domain::video::MAX_FRAMES.div_ceil(MAX_FRAMES)).unwrap();
        let events = (seconds / BUDGET.as_secs() + parts) * EVENTS_PER_RUN;
        assert!(events + OTHER_EVENTS < HISTORY_LIMIT, "{events}");
        // The argument for retrying within a part, and for parts of more than one group.
        let groups = u64::try_from(domain::video::MAX_FRAMES.div_ceil(GROUP)).unwrap();
        assert!(groups * (EVENTS_PER_RUN + 3 * EVENTS_PER_RETRY) > HISTORY_LIMIT);
    }

    /// Labels frames that are decoded already. Their bytes are their numbers, and so are the names of their labels. `refuses`
    /// returns the code with which Rekognition refuses a frame, from its number and from how often it was sent before. Returns the
    /// result, the labels that are kept, how many frames are done, and the frames in the order in which they were sent.
    async fn label(
        frames: usize,
        slots: &Rule,
        refuses: impl Fn(&str, usize) -> Option<&'static str> + Send + Sync + 'static,
        until: Instant,
    ) -> (Result<(), LabelFramesError>, LabeledFrames, usize, Vec<String>) {
        let sent = Arc::new(Mutex::new(Vec::<String>::new()));
        let noted = Arc::clone(&sent);
        let detect =
            mock!(aws_sdk_rekognition::Client::detect_labels).then_compute_response(move |request| {
                let bytes = request.image().and_then(Image::bytes).unwrap();
                let number = String::from_utf8(bytes.as_ref().to_vec()).unwrap();
                let mut sent = noted.lock().unwrap();
                let before = sent.iter().filter(|other| **other == number).count();
                sent.push(number.clone());
                match refuses(&number, before) {
                    Some(code) => {
                        let body = format!(r#"{{"__type": "{code}"}}"#);
                        MockResponse::Http(HttpResponse::new(400.try_into().unwrap(), body.into()))
                    }
                    None => {
                        let label = aws_sdk_rekognition::types::Label::builder().name(number);
                        let output = DetectLabelsOutput::builder().labels(label.confidence(90.0).build());
                        MockResponse::Output(output.build())
                    }
                }
            });
        let step = LabelFrames {
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, []),
            records: Records::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [slots]),
                "table".into(),
            ),
            // One attempt for each call, as in the function.
            rekognition: mock_client!(aws_sdk_rekognition, RuleMode::MatchAny, [&detect], |config| {
                config.retry_config(RetryConfig::disabled())
            }),
            process: PictureProcess::of(Path::new("/nothing is decoded")),
            min_stored_confidence: 40.0,
            per_second: NonZeroU32::new(1000).unwrap(),
        };
        let numbers = 0..u32::try_from(frames).unwrap();
        let key_frame = |number: u32| KeyFrame {
            time_ms: u64::from(number) * 2000,
            position: 0,
            size: 1,
        };
        let key_frames: Vec<KeyFrame> = numbers.clone().map(key_frame).collect();
        let frame = |number: u32| Frame::Decoded(number.to_string().into_bytes());
        let mut group: Vec<Frame> = numbers.map(frame).collect();
        let result = label_group(&step, 40.0, &mut group, until).await;
        let mut labeled = LabeledFrames::default();
        let done = add(&mut labeled, &key_frames, group);
        let sent = sent.lock().unwrap().clone();
        (result, labeled, done, sent)
    }

    fn free_slots() -> Rule {
        mock!(aws_sdk_dynamodb::Client::update_item).then_output(|| UpdateItemOutput::builder().build())
    }

    fn names(labeled: &LabeledFrames) -> Vec<&str> {
        labeled.labels.iter().map(|label| label.name.as_str()).collect()
    }

    /// A function that reaches its timeout has stored nothing, and all frames of the part are paid for again.
    #[test]
    fn the_last_attempt_ends_before_the_timeout_of_the_function() {
        let template = include_str!("../../../template.yaml");
        let (_, function) = template.split_once("\n  LabelFramesFunction:\n").unwrap();
        let (_, timeout) = function.split_once("\n      Timeout: ").unwrap();
        let timeout: u64 = timeout.lines().next().unwrap().parse().unwrap();
        // Two slow calls for slots, one of Rekognition with its retry, and two to store the answers, of 8 seconds each.
        let calls = Duration::from_secs(8 * 6);
        let last_attempt = MAX_RETRY_WAIT + MAX_WAIT + Duration::from_secs(GROUP as u64) + calls;
        assert!(BUDGET + LAST_RETRY + last_attempt <= Duration::from_secs(timeout));
    }

    /// Also if the budget ends meanwhile: the frames after it would be paid for twice.
    #[tokio::test(start_paused = true)]
    async fn a_frame_that_is_throttled_is_sent_again_alone() {
        let throttled =
            |number: &str, before: usize| (number == "1" && before == 0).then_some("ThrottlingException");
        let slots = free_slots();
        let (result, labeled, done, sent) = label(4, &slots, throttled, Instant::now()).await;
        assert_eq!((result, done), (Ok(()), 4));
        assert_eq!(sent, ["0", "1", "2", "3", "1"]);
        assert_eq!(names(&labeled), ["0", "1", "2", "3"]);
        let times: Vec<u64> = labeled.frames.iter().map(|frame| frame.at_ms).collect();
        assert_eq!(times, [0, 2000, 4000, 6000]);
        assert_eq!(slots.num_calls(), 2, "each call has a slot");
    }

    #[tokio::test(start_paused = true)]
    async fn a_part_ends_before_the_first_frame_without_an_answer() {
        let denied = |number: &str, _: usize| (number == "2").then_some("AccessDeniedException");
        let (result, labeled, done, sent) = label(4, &free_slots(), denied, Instant::now()).await;
        assert_eq!(result.unwrap_err().name(), ErrorName::AccessDenied);
        assert_eq!((done, names(&labeled)), (2, vec!["0", "1"]));
        assert_eq!(sent.len(), 4, "an error that does not pass is not retried");
        // Nothing is paid for, and the budget has ended.
        let throttled = |_: &str, _: usize| Some("ThrottlingException");
        let (result, _, done, sent) = label(2, &free_slots(), throttled, Instant::now()).await;
        assert_eq!(result.unwrap_err().name(), ErrorName::Throttled);
        assert_eq!((done, sent.len()), (0, 2));
    }

    /// A group can wait for slots many times, and decoding it can take a minute of CPU time.
    #[tokio::test(start_paused = true)]
    async fn frames_that_wait_for_slots_are_decoded_once() {
        let slots = mock!(aws_sdk_dynamodb::Client::update_item)
            .sequence()
            .error(|| {
                let later = AttributeValue::N("99999999999999".into());
                let refused = ConditionalCheckFailedException::builder().item("next", later);
                UpdateItemError::ConditionalCheckFailedException(refused.build())
            })
            .output(|| UpdateItemOutput::builder().build())
            .build();
        let until = Instant::now() + BUDGET;
        let (result, _, done, sent) = label(2, &slots, |_, _| None, until).await;
        assert_eq!((result, done, sent.len()), (Ok(()), 2, 2));
        assert_eq!(slots.num_calls(), 2);
    }
}
