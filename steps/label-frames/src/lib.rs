//! Detects the labels of some frames of a video: reads and decodes key frames, and sends them to Rekognition as pictures. The
//! state machine repeats the step until all frames are labeled.
//!
//! Input and output: [`domain::VideoProgress`]. A part that is repeated after a failure begins with the same frame. It overwrites
//! the object of an earlier run only if it ends with the same frame.
//!
//! If other bulk work has taken the next slots, the step ends at once, and the output has `waitsUntil`: the state machine waits until
//! then. A function of 3 GB that waits would cost more than the labels, and keep other functions from running.

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
use jiff::Timestamp;
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
/// After this time, no group begins, unless no frame of the part is labeled yet. The function may run for five minutes: a group can
/// take 70 seconds for decoding while it waits for its slots, [`PAID_RETRIES`], and 30 seconds for the slots of its last attempt.
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
/// The shortest pause of the state machine if there are no slots. A pause takes two events of the history, so shorter ones could fill
/// it in a day.
const MIN_PAUSE: Duration = Duration::from_secs(60);
/// The longest pause, as between retries by Step Functions.
const MAX_PAUSE: Duration = Duration::from_secs(900);
/// Pauses in a row without a labeled frame. These take two and a half hours on average. After that, the step fails as throttled, and
/// Step Functions retries it for at least six hours.
const MAX_PAUSES: u32 = 20;
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
    /// Rekognition did not answer in time.
    #[error("rekognition:DetectLabels timed out")]
    TimedOut,
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
            Self::TimedOut => ErrorName::CallTimedOut,
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

/// Labels the next frames for 45 seconds, until the part is complete, or until there are no slots.
///
/// # Errors
/// See [`LabelFramesError`].
pub async fn handle(step: &LabelFrames, progress: VideoProgress) -> Result<VideoProgress, LabelFramesError> {
    let claim = &progress.image.claim;
    // Before frames are paid for: a video that was deleted meanwhile costs nothing more.
    deletion::check_video(&step.s3, &step.records, claim).await??;
    let until = Instant::now() + BUDGET;
    // Before anything of the video is read.
    let unlabeled = progress.frames.saturating_sub(progress.next) as usize;
    let mut first_slot = match take_group_slots(step, unlabeled.min(GROUP), until).await {
        Ok(first_slot) => Some(first_slot),
        Err(LabelFramesError::NoSlot) => return pause(progress),
        Err(error) => return Err(error),
    };
    let plan: Plan = deletion::read_derived(&step.s3, &step.records, claim, PLAN).await??;
    let track = Track::from(&plan.video);
    let first = progress.next as usize;
    let frames = plan.key_frames.get(first..).unwrap_or_default();
    let frames = &frames[..frames.len().min(MAX_FRAMES)];
    let min_confidence = progress
        .image
        .policy
        .min_confidence
        .min(step.min_stored_confidence);
    let mut labeled = LabeledFrames::default();
    let mut done = 0;
    let mut has_slots = true;
    while done < frames.len() && (done == 0 || Instant::now() < until) {
        let key_frames = &frames[done..frames.len().min(done + GROUP)];
        let mut group = vec![];
        let result = async {
            let slot = match first_slot.take() {
                Some(slot) => slot,
                None => take_group_slots(step, key_frames.len(), until).await?,
            };
            group = decode_group(step, claim, &track, key_frames, until).await?;
            label_group(step, min_confidence, &mut group, slot, until).await
        }
        .await;
        done += add(&mut labeled, key_frames, group);
        if let Err(error) = result {
            has_slots = error != LabelFramesError::NoSlot;
            if done == 0 {
                return if has_slots { Err(error) } else { pause(progress) };
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
    progress.waits_until = None;
    progress.pauses = 0;
    if has_slots { Ok(progress) } else { pause(progress) }
}

/// Makes the state machine wait before it repeats the step. The pauses are random, so that videos that wait do not all come back at
/// the same moment, and grow, so that many videos that wait leave slots to other bulk work.
///
/// # Errors
/// [`LabelFramesError::NoSlot`] after [`MAX_PAUSES`] in a row.
fn pause(mut progress: VideoProgress) -> Result<VideoProgress, LabelFramesError> {
    if progress.pauses >= MAX_PAUSES {
        return Err(LabelFramesError::NoSlot);
    }
    progress.pauses += 1;
    let longest = (MIN_PAUSE * 2_u32.pow(progress.pauses)).min(MAX_PAUSE);
    let wait = MIN_PAUSE + (longest - MIN_PAUSE).mul_f64(fastrand::f64());
    progress.waits_until = Some(format!("{:.0}", Timestamp::now() + wait));
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

/// Takes the slots of a group, and returns when the first one begins. Tries again until `until` after errors that can pass.
///
/// # Errors
/// The last error, and [`LabelFramesError::NoSlot`] at once: the state machine can wait for less.
async fn take_group_slots(
    step: &LabelFrames,
    frames: usize,
    until: Instant,
) -> Result<tokio::time::Instant, LabelFramesError> {
    loop {
        match take_slots(step, frames).await {
            Err(error) if error != LabelFramesError::NoSlot => wait_after(error, until).await?,
            result => return result,
        }
    }
}

async fn take_slots(step: &LabelFrames, frames: usize) -> Result<tokio::time::Instant, LabelFramesError> {
    let count = u32::try_from(frames).unwrap_or(u32::MAX);
    let wait = step.records.take_slots(count, step.per_second, MAX_WAIT).await?;
    let wait = wait.ok_or(LabelFramesError::NoSlot)?;
    Ok(tokio::time::Instant::now() + wait)
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

/// Labels decoded frames from `first_slot` on. Tries again after errors that can pass, in slots of its own, with the same JPEGs, and
/// only with frames without an answer: the others are paid for.
async fn label_group(
    step: &LabelFrames,
    min_confidence: f64,
    group: &mut [Frame],
    first_slot: tokio::time::Instant,
    mut until: Instant,
) -> Result<(), LabelFramesError> {
    let mut is_paid = false;
    let mut first_slot = Some(first_slot);
    loop {
        let Err(error) = send_all(step, min_confidence, group, first_slot.take()).await else {
            return Ok(());
        };
        if !is_paid && group.iter().any(|frame| matches!(frame, Frame::Answered(_))) {
            is_paid = true;
            until = until.max((Instant::now() + PAID_RETRIES).min(until + LAST_RETRY));
        }
        if !is_repeated_here(&error, is_paid) {
            return Err(error);
        }
        wait_after(error, until).await?;
    }
}

/// Whether this function repeats an attempt, or leaves it to Step Functions, which limits how often. Each call that has timed out may
/// be paid for. `is_paid`: answers of the group would be lost.
fn is_repeated_here(error: &LabelFramesError, is_paid: bool) -> bool {
    is_paid || *error != LabelFramesError::TimedOut
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

/// Sends the frames without an answer to Rekognition, from `first_slot` on, or in slots that it takes. Each answer is kept, whatever
/// becomes of the other frames. The error is that of the first frame that has one.
async fn send_all(
    step: &LabelFrames,
    min_confidence: f64,
    group: &mut [Frame],
    first_slot: Option<tokio::time::Instant>,
) -> Result<(), LabelFramesError> {
    let unanswered: Vec<&mut Frame> = group
        .iter_mut()
        .filter(|frame| matches!(frame, Frame::Decoded(_)))
        .collect();
    if unanswered.is_empty() {
        return Ok(());
    }
    let first_slot = match first_slot {
        Some(first_slot) => first_slot,
        None => take_slots(step, unanswered.len()).await?,
    };
    let between = Duration::from_secs(1) / step.per_second.get();
    // Each slot is for one call. All at once would exceed a small quota of Rekognition, also if decoding took longer than the wait.
    let first_slot = first_slot.max(tokio::time::Instant::now());
    let starts = (0_u32..).map(|number| first_slot + between * number);
    let sent: Vec<Result<(), LabelFramesError>> = stream::iter(unanswered.into_iter().zip(starts))
        .map(|(frame, start)| send(step, min_confidence, frame, start))
        .buffered(GROUP)
        .collect()
        .await;
    for result in sent {
        result?;
    }
    Ok(())
}

/// Sends a frame in its slot, and replaces it by the answer.
async fn send(
    step: &LabelFrames,
    min_confidence: f64,
    frame: &mut Frame,
    start: tokio::time::Instant,
) -> Result<(), LabelFramesError> {
    tokio::time::sleep_until(start).await;
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
) -> Result<Option<Detected>, LabelFramesError> {
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
        Err(error) if aws::has_timed_out(&error) => Err(LabelFramesError::TimedOut),
        Err(error) => Err(ServiceError::of("rekognition:DetectLabels", &error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_sdk_rekognition::config::http::HttpResponse;
    use aws_sdk_rekognition::config::retry::RetryConfig;
    use aws_sdk_rekognition::operation::detect_labels::DetectLabelsOutput;
    use aws_smithy_mocks::{MockResponse, Rule, RuleMode, mock, mock_client};
    use serde_json::{Value, json};
    use std::path::Path;
    use std::sync::{Arc, Mutex};

    /// Events in an execution's history. Source: quotas of Step Functions.
    const HISTORY_LIMIT: u64 = 25_000;
    /// A Task is entered, scheduled, started, completed and left, and the Choice after it is entered and left.
    const EVENTS_PER_RUN: u64 = 7;
    /// A Wait is entered and left.
    const EVENTS_PER_PAUSE: u64 = 2;
    /// Each retry of a Task by Step Functions adds three events: scheduled, started and failed.
    const EVENTS_PER_RETRY: u64 = 3;
    /// What the other Tasks take with all their retries, and more than a thousand invocations of this function that Lambda
    /// refuses: 3 events each.
    const OTHER_EVENTS: u64 = 7000;

    /// A run that does not complete its part works for the whole budget, whatever fails, or is followed by a pause. So an execution has
    /// at most as many of those as fit into its timeout, and one run for each part that is completed.
    #[test]
    fn the_longest_execution_fits_into_the_event_history() {
        let definition = include_str!("../../../statemachine/label-video.asl.json");
        let definition: Value = serde_json::from_str(definition).unwrap();
        let seconds = definition["TimeoutSeconds"].as_u64().unwrap();
        let parts = u64::try_from(domain::video::MAX_FRAMES.div_ceil(MAX_FRAMES)).unwrap();
        let without_pauses = seconds / BUDGET.as_secs() * EVENTS_PER_RUN;
        let with_pauses = seconds / MIN_PAUSE.as_secs() * (EVENTS_PER_RUN + EVENTS_PER_PAUSE);
        let events = without_pauses.max(with_pauses) + parts * EVENTS_PER_RUN;
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
        let now = tokio::time::Instant::now();
        let result = label_group(&step, 40.0, &mut group, now, until).await;
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

    /// Otherwise a frame that Rekognition does not answer would be sent up to three times as often as the definition allows.
    #[test]
    fn calls_that_have_timed_out_are_repeated_here_only_to_keep_answers() {
        let repeated = [LabelFramesError::TimedOut, LabelFramesError::NoSlot]
            .map(|error| [false, true].map(|is_paid| is_repeated_here(&error, is_paid)));
        assert_eq!(repeated, [[false, true], [true, true]]);
    }

    /// A function that reaches its timeout has stored nothing, and all frames of the part are paid for again.
    #[test]
    fn the_last_attempt_ends_before_the_timeout_of_the_function() {
        let template = include_str!("../../../template.yaml");
        let (_, function) = template.split_once("\n  LabelFramesFunction:\n").unwrap();
        let (_, timeout) = function.split_once("\n      Timeout: ").unwrap();
        let timeout: u64 = timeout.lines().next().unwrap().parse().unwrap();
        // Two slow calls for slots, one of Rekognition, and two to store the answers.
        let calls = aws::CALL_TIMEOUT * 4 + aws::PAID_CALL_TIMEOUT;
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
        assert_eq!(slots.num_calls(), 1, "the second attempt has a slot of its own");
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

    /// A slot that others have taken for years.
    fn no_slots() -> UpdateItemError {
        let later = AttributeValue::N("99999999999999".into());
        let refused = ConditionalCheckFailedException::builder().item("next", later);
        UpdateItemError::ConditionalCheckFailedException(refused.build())
    }

    /// The frames after it are paid for, and decoding it can take a minute of CPU time.
    #[tokio::test(start_paused = true)]
    async fn a_frame_that_is_sent_again_waits_for_its_slot_in_the_function() {
        let slots = mock!(aws_sdk_dynamodb::Client::update_item)
            .sequence()
            .error(no_slots)
            .output(|| UpdateItemOutput::builder().build())
            .build();
        let throttled =
            |number: &str, before: usize| (number == "0" && before == 0).then_some("ThrottlingException");
        let until = Instant::now() + BUDGET;
        let (result, _, done, sent) = label(2, &slots, throttled, until).await;
        assert_eq!((result, done), (Ok(()), 2));
        assert_eq!(sent, ["0", "1", "0"]);
        assert_eq!(slots.num_calls(), 2);
    }

    fn progress(pauses: u32) -> VideoProgress {
        serde_json::from_value(json!({
            "image": {
                "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "pictures",
                "key": "uploads/demo/cat.mp4", "executionArn": "execution:label-video:one", "size": 1000,
                "video": {"durationMs": 6000, "codec": "H.264", "container": "MP4", "width": 640, "height": 480},
                "policy": {"minConfidence": 55, "maxLabels": 50},
            },
            "frames": 75, "intervalMs": 2000, "parts": [60], "next": 60, "done": false, "pauses": pauses,
        }))
        .unwrap()
    }

    /// The seconds from now until the state machine continues.
    fn seconds_left(progress: &VideoProgress) -> i64 {
        let until: Timestamp = progress.waits_until.as_ref().unwrap().parse().unwrap();
        until.as_second() - Timestamp::now().as_second()
    }

    /// Otherwise, each waiting video costs as much as a function of 3 GB that never ends.
    #[tokio::test]
    async fn a_video_without_slots_waits_in_the_state_machine_and_nothing_of_it_is_read() {
        let slots = mock!(aws_sdk_dynamodb::Client::update_item).then_error(no_slots);
        let holder = mock!(aws_sdk_dynamodb::Client::get_item).then_output(|| {
            let text = |text: &str| AttributeValue::S(text.to_owned());
            GetItemOutput::builder()
                .item("status", text("PROCESSING"))
                .item("executionArn", text("execution:label-video:one"))
                .build()
        });
        let step = LabelFrames {
            // Every call would fail.
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, []),
            records: Records::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&slots, &holder]),
                "table".into(),
            ),
            rekognition: mock_client!(aws_sdk_rekognition, RuleMode::MatchAny, []),
            process: PictureProcess::of(Path::new("/nothing is decoded")),
            min_stored_confidence: 40.0,
            per_second: NonZeroU32::new(2).unwrap(),
        };
        let waiting = handle(&step, progress(0)).await.unwrap();
        assert_eq!(slots.num_calls(), 1, "the function does not wait for slots");
        assert!((50..=121).contains(&seconds_left(&waiting)), "{waiting:?}");
        assert_eq!((waiting.pauses, waiting.next, waiting.done), (1, 60, false));
        assert_eq!(waiting.parts, [60]);
        // As before, Step Functions retries for hours, and an operator can redrive the execution.
        let failed = handle(&step, progress(MAX_PAUSES)).await.unwrap_err();
        assert_eq!(failed.name(), ErrorName::Throttled);
    }

    #[test]
    fn pauses_grow_and_are_never_so_short_that_they_fill_the_history() {
        for (pauses, longest) in [(0, 120), (1, 240), (2, 480), (3, 900), (MAX_PAUSES - 1, 900)] {
            let seconds: Vec<i64> = (0..200)
                .map(|_| seconds_left(&pause(progress(pauses)).unwrap()))
                .collect();
            let (least, most) = (*seconds.iter().min().unwrap(), *seconds.iter().max().unwrap());
            let middle = i64::midpoint(60, longest);
            // Some of the time has passed on a busy machine.
            assert!((50..=middle).contains(&least), "{least}");
            assert!((middle..=longest + 1).contains(&most), "{most}");
        }
    }
}
