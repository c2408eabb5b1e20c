//! Starts a Rekognition Video job for a video. The task then waits until `resume-video` gets the message about the job's end.
//!
//! Each attempt of the task replaces the token that ends the wait, and then polls the job if an earlier attempt has started
//! it: Rekognition sends one message for each job, which may have used the earlier token, or may be lost.
//!
//! A job needs one of its owner's leases (`records::Records::take_video_lease`), so that nobody has to wait for all videos of
//! somebody else. `read-video-labels` returns it when the job has succeeded.
//!
//! Input: [`domain::StartVideoLabelsInput`]. The result of the task is empty.

use aws::ServiceError;
use aws_sdk_rekognition::error::SdkError;
use aws_sdk_rekognition::types::{LabelDetectionFeatureName, NotificationChannel, S3Object, VideoJobStatus};
use domain::video::LabelJob;
use domain::{Claim, ClaimedImage, ErrorName, StartVideoLabelsInput, StepError, VideoFile};
use executions::callback;
use jiff::Timestamp;
use objects::UnreadableObject;
use records::{LostClaim, Records, RecordsError, VideoJob, Waiting};
use serde::Serialize;
use std::num::NonZeroU32;
use strum::EnumIter;

/// How many jobs are started until the execution fails. A redrive starts one more.
const MAX_JOBS: u32 = 3;
/// Maximum length of Rekognition's reason in an error, in characters.
const MAX_REASON_CHARS: usize = 300;
/// Beginnings of words in Rekognition's reasons that are about the file. Rekognition documents neither its reasons nor codes
/// for them.
const FILE_WORDS: [&str; 5] = ["codec", "format", "unsupported", "corrupt", "decode"];

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct StartVideoLabels {
    /// Starts jobs.
    pub rekognition: aws_sdk_rekognition::Client,
    /// Checks why Rekognition cannot read an object.
    pub s3: aws_sdk_s3::Client,
    /// Ends the task if the job has ended.
    pub sfn: aws_sdk_sfn::Client,
    /// Stores the token and the job.
    pub records: Records,
    /// The topic of the messages about jobs that have ended.
    pub topic_arn: String,
    /// The role with which Rekognition sends them.
    pub topic_role_arn: String,
    /// The minimum confidence of labels that are stored, in percent: 0 to 100.
    pub min_stored_confidence: f64,
    /// How many jobs one owner can have in progress.
    pub jobs_per_owner: NonZeroU32,
}

/// Why there is no job.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum StartVideoLabelsError {
    /// The job has failed because of the file: the state machine labels its frames. Contains Rekognition's reason.
    #[error("Rekognition Video can't read this video: {0}")]
    Unsupported(String),
    /// The file has more bytes than Rekognition accepts.
    #[error("This video is too large to label. Export it with a lower resolution or bit rate.")]
    TooLarge,
    /// As many jobs are in progress as Rekognition allows.
    #[error("Rekognition allows no more jobs at the same time")]
    TooManyJobs,
    /// The owner has as many jobs in progress as one owner can have.
    #[error("the owner has as many jobs in progress as one owner can have")]
    TooManyJobsOfOwner,
    /// A job with this name was started by an earlier release, or with other parameters.
    #[error("a job with this name has other parameters")]
    OtherParameters,
    /// Three jobs have failed. Contains Rekognition's reason for the last one.
    #[error("Rekognition Video could not label the video: {0}")]
    Failed(String),
    /// S3 does not return the object.
    #[error(transparent)]
    #[strum(disabled)]
    Object(#[from] UnreadableObject),
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

impl StepError for StartVideoLabelsError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Unsupported(_) => ErrorName::UnsupportedFormat,
            Self::TooLarge => ErrorName::ImageTooLarge,
            Self::TooManyJobs | Self::TooManyJobsOfOwner => ErrorName::Throttled,
            Self::OtherParameters => ErrorName::ServiceUnavailable,
            Self::Failed(_) => ErrorName::UnexpectedAnswer,
            Self::Object(error) => error.name(),
            Self::Lost(lost) => lost.name(),
            Self::Records(error) => error.name(),
            Self::Service(error) => error.name(),
        }
    }
}

impl StartVideoLabelsError {
    /// Whether no job of this execution is in progress. The lease of a job that may be in progress is kept: the next attempt
    /// returns it, or it ends.
    fn returns_lease(&self) -> bool {
        match self {
            Self::TooManyJobs => true,
            // The first one has no lease, and the job of the second one cannot be stopped.
            Self::TooManyJobsOfOwner | Self::Lost(_) => false,
            _ => !matches!(self.name(), ErrorName::Throttled | ErrorName::ServiceUnavailable),
        }
    }
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Started {
    /// The job is in progress. A message ends the task.
    Waits,
    /// The job has succeeded before, and the task is ended.
    Succeeded,
    /// The task is ended with an error.
    Failed,
    /// A later attempt of the task waits.
    Superseded,
}

/// Starts the job, or ends the task if there is nothing to wait for.
///
/// # Errors
/// See [`StartVideoLabelsError`]. Only if the task does not wait, or could not be ended with the error.
pub async fn handle(
    step: &StartVideoLabels,
    input: StartVideoLabelsInput,
) -> Result<Started, StartVideoLabelsError> {
    let claim = &input.progress.image.claim;
    let error = match start(step, &input).await {
        Ok(Started::Succeeded) => {
            return_lease(step, claim).await;
            callback::succeed(&step.sfn, &input.task_token).await?;
            return Ok(Started::Succeeded);
        }
        Ok(started) => return Ok(started),
        Err(error) => error,
    };
    let name = error.name();
    if error.returns_lease() {
        // Before the task ends: the next attempt may take it again.
        return_lease(step, claim).await;
    }
    // On AWS, an error of the function ends the task, too. The emulator ignores it. The function returns an error only if this
    // call fails, or if the task no longer waits.
    match callback::fail(&step.sfn, &input.task_token, name, &error.to_string()).await {
        Ok(true) => {
            tracing::info!(error = name.as_str(), "the task has ended with an error");
            Ok(Started::Failed)
        }
        Ok(false) | Err(_) => Err(error),
    }
}

/// Returns the execution's lease. If that fails, the lease ends by itself.
async fn return_lease(step: &StartVideoLabels, claim: &Claim) {
    let job = LabelJob::new(&claim.execution_arn, 0);
    let returned = step
        .records
        .return_video_lease(&claim.owner, job, Timestamp::now());
    if let Err(error) = returned.await {
        tracing::warn!(error = error.name().as_str(), "the lease was not returned");
    }
}

async fn start(
    step: &StartVideoLabels,
    input: &StartVideoLabelsInput,
) -> Result<Started, StartVideoLabelsError> {
    let image = &input.progress.image;
    let claim = &image.claim;
    // Before the job is paid for.
    deletion::check_video(&step.s3, &step.records, claim).await??;
    let waiting = Waiting {
        token: &input.task_token,
        attempt: &input.attempt(),
    };
    let job = step
        .records
        .wait_for_video_job(&claim.execution_arn, waiting)
        .await?;
    let Some(VideoJob {
        mut name,
        mut id,
        mut is_new,
    }) = job
    else {
        return Ok(Started::Superseded);
    };
    let mut has_lease = false;
    loop {
        let known = match id.take() {
            Some(id) => {
                is_new = false;
                id
            }
            None => {
                let lease = step.records.take_video_lease(
                    &claim.owner,
                    name,
                    step.jobs_per_owner.get(),
                    Timestamp::now(),
                );
                if !lease.await? {
                    return Err(StartVideoLabelsError::TooManyJobsOfOwner);
                }
                has_lease = true;
                start_job(step, image, name).await?
            }
        };
        if step.records.identify_video_job(name, &known).await?.is_none() {
            return Ok(Started::Superseded);
        }
        if is_new {
            return Ok(Started::Waits);
        }
        let reason = match look(step, &known).await? {
            Job::InProgress => {
                if !has_lease {
                    step.records
                        .extend_video_lease(&claim.owner, name, Timestamp::now())
                        .await?;
                }
                return Ok(Started::Waits);
            }
            Job::Succeeded => return Ok(Started::Succeeded),
            Job::Failed(reason) => reason,
        };
        let version = claim.version_id.as_deref();
        objects::check_readable(&step.s3, &claim.bucket, &claim.key, version).await??;
        if is_about_the_file(&reason) {
            return Err(StartVideoLabelsError::Unsupported(reason));
        }
        step.records.forget_video_job(name).await?;
        name.round = name.round.saturating_add(1);
        if name.round >= MAX_JOBS {
            return Err(StartVideoLabelsError::Failed(reason));
        }
        is_new = true;
    }
}

/// Starts a job, or finds the one with this name. Returns the id that Rekognition has given it.
async fn start_job(
    step: &StartVideoLabels,
    image: &ClaimedImage<VideoFile>,
    name: LabelJob,
) -> Result<String, StartVideoLabelsError> {
    let claim = &image.claim;
    let object = S3Object::builder()
        .bucket(&claim.bucket)
        .name(&claim.key)
        .set_version(claim.version_id.clone())
        .build();
    let unusable = |error: aws_sdk_rekognition::error::BuildError| {
        ServiceError::UnexpectedAnswer(format!("the channel of a job is incomplete: {error}"))
    };
    let channel = NotificationChannel::builder()
        .sns_topic_arn(&step.topic_arn)
        .role_arn(&step.topic_role_arn)
        .build()
        .map_err(unusable)?;
    let min_confidence = image.policy.min_confidence.min(step.min_stored_confidence) as f32;
    let started = step
        .rekognition
        .start_label_detection()
        .video(
            aws_sdk_rekognition::types::Video::builder()
                .s3_object(object)
                .build(),
        )
        .client_request_token(name.to_string())
        .job_tag(name.to_string())
        .notification_channel(channel)
        .features(LabelDetectionFeatureName::GeneralLabels)
        .min_confidence(min_confidence)
        .send()
        .await;
    let error = match started {
        Ok(started) => {
            let missing =
                || ServiceError::UnexpectedAnswer("rekognition:StartLabelDetection named no job".into());
            return Ok(started.job_id.ok_or_else(missing)?);
        }
        Err(error) => error,
    };
    if let SdkError::ServiceError(context) = &error {
        let error = context.err();
        // Not a quota of calls: no alarm goes off while videos wait for each other.
        if error.is_limit_exceeded_exception() {
            return Err(StartVideoLabelsError::TooManyJobs);
        }
        if error.is_video_too_large_exception() {
            return Err(StartVideoLabelsError::TooLarge);
        }
        if error.is_idempotent_parameter_mismatch_exception() {
            step.records.forget_video_job(name).await?;
            return Err(StartVideoLabelsError::OtherParameters);
        }
        if error.is_invalid_s3_object_exception() {
            let version = claim.version_id.as_deref();
            objects::check_readable(&step.s3, &claim.bucket, &claim.key, version).await??;
            let denied = "rekognition:StartLabelDetection has no permission to read the object";
            return Err(ServiceError::AccessDenied(denied.into()).into());
        }
    }
    Err(ServiceError::of("rekognition:StartLabelDetection", &error).into())
}

/// The state of a job.
enum Job {
    InProgress,
    Succeeded,
    /// Contains Rekognition's reason.
    Failed(String),
}

async fn look(step: &StartVideoLabels, id: &str) -> Result<Job, ServiceError> {
    let found = step
        .rekognition
        .get_label_detection()
        .job_id(id)
        .max_results(1)
        .send()
        .await;
    let found = match found {
        Ok(found) => found,
        Err(SdkError::ServiceError(context)) if context.err().is_resource_not_found_exception() => {
            return Ok(Job::Failed("its result has expired".into()));
        }
        Err(error) => return Err(ServiceError::of("rekognition:GetLabelDetection", &error)),
    };
    Ok(match found.job_status {
        Some(VideoJobStatus::InProgress) => Job::InProgress,
        Some(VideoJobStatus::Succeeded) => Job::Succeeded,
        _ => {
            let reason = found.status_message.unwrap_or_else(|| "no reason given".into());
            Job::Failed(reason.chars().take(MAX_REASON_CHARS).collect())
        }
    })
}

/// Whether a job has failed because of the file: another job would fail, too.
fn is_about_the_file(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    let mut words = reason.split(|character: char| !character.is_alphanumeric());
    words.any(|word| FILE_WORDS.iter().any(|beginning| word.starts_with(beginning)))
}

#[cfg(test)]
mod tests;
