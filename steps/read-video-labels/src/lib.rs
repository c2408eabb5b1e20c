//! Reads some pages of the result of a Rekognition Video job, and writes their labels in the format of `label-frames`. The
//! state machine repeats the step until all pages are read.
//!
//! Input and output: [`domain::VideoProgress`]. A part that is repeated after a failure begins with the same page. If it
//! reads as many pages, it overwrites the same object.

use aws::ServiceError;
use aws_sdk_rekognition::error::SdkError;
use aws_sdk_rekognition::operation::get_label_detection::GetLabelDetectionOutput;
use aws_sdk_rekognition::types::{LabelDetectionAggregateBy, LabelDetectionSortBy, VideoJobStatus};
use domain::contract::ResultPages;
use domain::timeline::LabeledFrames;
use domain::video::{LabelJob, MAX_FRAMES, frames_name, video_key};
use domain::{ErrorName, Label, StepError, VideoProgress};
use jiff::Timestamp;
use records::{LostClaim, Records, RecordsError};
use std::time::{Duration, Instant};
use strum::EnumIter;

/// Maximum number of pages in a part. A page with boxes can have a megabyte.
const MAX_PAGES: u32 = 10;
/// No page but the first one is read after this time. The function may run for a minute.
const BUDGET: Duration = Duration::from_secs(20);
/// Labels of a page: Rekognition's limit.
const PAGE: i32 = 1000;
/// How often reading begins again because the token of a page has expired.
const MAX_RESTARTS: u32 = 3;

/// The step's clients.
#[derive(Debug, Clone)]
pub struct ReadVideoLabels {
    /// Returns the result.
    pub rekognition: aws_sdk_rekognition::Client,
    /// Stores labels.
    pub s3: aws_sdk_s3::Client,
    /// Reads which execution holds the video, and the job, whose lease it returns.
    pub records: Records,
}

/// Why no page was read.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum ReadVideoLabelsError {
    /// No job is stored, its result has expired, or it has failed.
    #[error("there is no result of Rekognition Video: {0}. Label the video again.")]
    NoResult(String),
    /// The job is in progress. The message about its end was wrong, or the answer is old.
    #[error("the job is in progress")]
    InProgress,
    /// The execution no longer holds the claim.
    #[error(transparent)]
    #[strum(disabled)]
    Lost(#[from] LostClaim),
    /// A record is invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(#[from] RecordsError),
    /// A call to an AWS service failed.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for ReadVideoLabelsError {
    fn name(&self) -> ErrorName {
        match self {
            Self::NoResult(_) => ErrorName::UnexpectedAnswer,
            Self::InProgress => ErrorName::ServiceUnavailable,
            Self::Lost(lost) => lost.name(),
            Self::Records(error) => error.name(),
            Self::Service(error) => error.name(),
        }
    }
}

/// Reads up to ten pages.
///
/// # Errors
/// See [`ReadVideoLabelsError`].
pub async fn handle(
    step: &ReadVideoLabels,
    progress: VideoProgress,
) -> Result<VideoProgress, ReadVideoLabelsError> {
    let claim = &progress.image.claim;
    if progress.parts.is_empty() {
        // The job has ended. Also for a video that was deleted meanwhile.
        let job = LabelJob::new(&claim.execution_arn, 0);
        step.records
            .return_video_lease(&claim.owner, job, Timestamp::now())
            .await?;
    }
    deletion::check_video(&step.s3, &step.records, claim).await??;
    let job = step.records.video_job(&claim.execution_arn).await?;
    let no_job = || ReadVideoLabelsError::NoResult("no job was started".into());
    let job = job.id.ok_or_else(no_job)?;
    let mut pages = progress.pages.clone().unwrap_or_default();
    // Of videos for which Rekognition returns more frames than are labeled otherwise, some are left out.
    let duration_ms = progress.image.file.video.facts.duration_ms;
    let mut frames = Frames::new(duration_ms, pages.last_ms);
    let until = Instant::now() + BUDGET;
    let mut read = 0;
    let mut done = false;
    while !done && read < MAX_PAGES && (read == 0 || Instant::now() < until) {
        let page = match page(step, &job, pages.next_token.clone()).await {
            Ok(page) => page,
            Err(Refused::Token) => return restarted(progress, &pages),
            Err(Refused::Other(error)) if read == 0 => return Err(error),
            Err(Refused::Other(error)) => {
                // If the error persists, the next part has it.
                tracing::warn!(error = error.name().as_str(), "the part ends early");
                break;
            }
        };
        read += 1;
        pages.next_token.clone_from(&page.next_token);
        done = page.next_token.is_none();
        frames.add(page);
    }
    let (mut labeled, last_ms) = frames.finish();
    labeled.longest_ms = Some(progress.interval_ms);
    pages.last_ms = last_ms;
    if done && last_ms.is_none() {
        // Rekognition has found nothing, which is a result.
        labeled.add(0, vec![]);
    }
    let unwritable = |error: serde_json::Error| ServiceError::UnexpectedAnswer(error.to_string());
    let bytes = serde_json::to_vec(&labeled).map_err(unwritable)?;
    let end = progress.next.saturating_add(read);
    let key = video_key(claim, &frames_name(progress.next, end));
    objects::write(&step.s3, &claim.bucket, &key, "application/json", bytes).await?;
    deletion::check_video(&step.s3, &step.records, claim).await??;
    let mut progress = progress;
    progress.parts.push(end);
    progress.next = end;
    progress.pages = Some(pages);
    progress.done = done;
    Ok(progress)
}

/// Begins with the first page again, because the token of the next one has expired. Parts are overwritten.
fn restarted(
    mut progress: VideoProgress,
    pages: &ResultPages,
) -> Result<VideoProgress, ReadVideoLabelsError> {
    if pages.next_token.is_none() || pages.restarts >= MAX_RESTARTS {
        return Err(ReadVideoLabelsError::NoResult(
            "Rekognition does not accept its own page tokens".into(),
        ));
    }
    progress.parts.clear();
    progress.next = 0;
    progress.pages = Some(ResultPages {
        restarts: pages.restarts + 1,
        ..ResultPages::default()
    });
    Ok(progress)
}

/// Why there is no page.
enum Refused {
    /// The token has expired.
    Token,
    Other(ReadVideoLabelsError),
}

async fn page(
    step: &ReadVideoLabels,
    job: &str,
    token: Option<String>,
) -> Result<GetLabelDetectionOutput, Refused> {
    let found = step
        .rekognition
        .get_label_detection()
        .job_id(job)
        .max_results(PAGE)
        .set_next_token(token)
        // In the order of time, and with boxes, which segments do not have.
        .sort_by(LabelDetectionSortBy::Timestamp)
        .aggregate_by(LabelDetectionAggregateBy::Timestamps)
        .send()
        .await;
    let no_result = |why: &str| Err(Refused::Other(ReadVideoLabelsError::NoResult(why.to_owned())));
    let page = match found {
        Ok(page) => page,
        Err(SdkError::ServiceError(context)) if context.err().is_invalid_pagination_token_exception() => {
            return Err(Refused::Token);
        }
        Err(SdkError::ServiceError(context)) if context.err().is_resource_not_found_exception() => {
            return no_result("it has expired");
        }
        Err(error) => {
            let error = ServiceError::of("rekognition:GetLabelDetection", &error);
            return Err(Refused::Other(error.into()));
        }
    };
    match page.job_status {
        Some(VideoJobStatus::Succeeded) => Ok(page),
        Some(VideoJobStatus::InProgress) => Err(Refused::Other(ReadVideoLabelsError::InProgress)),
        _ => no_result("the job has failed"),
    }
}

/// Puts the labels of each time together. Times are in order, and those of a frame can be on two pages.
struct Frames {
    duration_ms: u64,
    spacing_ms: u64,
    /// The last frame that is kept.
    last_ms: Option<u64>,
    /// The frame that the last label belongs to, with its labels so far.
    current: Option<(u64, Vec<Label>)>,
    labeled: LabeledFrames,
}

impl Frames {
    fn new(duration_ms: u64, last_ms: Option<u64>) -> Self {
        Self {
            duration_ms,
            spacing_ms: duration_ms / MAX_FRAMES as u64,
            last_ms,
            current: None,
            labeled: LabeledFrames::default(),
        }
    }

    fn add(&mut self, page: GetLabelDetectionOutput) {
        if page.label_model_version.is_some() {
            self.labeled.model_version = page.label_model_version;
        }
        for detection in page.labels.unwrap_or_default() {
            let at_ms = u64::try_from(detection.timestamp).unwrap_or_default();
            // Their minutes are not counted.
            if at_ms > self.duration_ms {
                continue;
            }
            let Some(label) = detection.label.and_then(rekognition::label) else {
                continue;
            };
            if let Some((time, labels)) = &mut self.current
                && *time == at_ms
            {
                labels.push(label);
                continue;
            }
            // The rest of a frame that an earlier part has begun is kept, too.
            let is_kept = self
                .last_ms
                .is_none_or(|last| at_ms == last || at_ms >= last.saturating_add(self.spacing_ms));
            self.flush();
            if is_kept {
                self.last_ms = Some(at_ms);
                self.current = Some((at_ms, vec![label]));
            }
        }
    }

    fn flush(&mut self) {
        if let Some((at_ms, labels)) = self.current.take() {
            self.labeled.add(at_ms, labels);
        }
    }

    fn finish(mut self) -> (LabeledFrames, Option<u64>) {
        self.flush();
        (self.labeled, self.last_ms)
    }
}

#[cfg(test)]
mod tests;
