//! The step of bulk jobs: processes the next images of a job.
//!
//! Input and output: [`domain::JobProgress`]. The state machine repeats the step until the output is `done`. If the output has
//! `waitsUntil`, it waits until then before it repeats the step.
//!
//! An execution can have 25,000 events, and a job can take more parts than that allows. After [`MAX_PARTS`], a part only starts
//! the next execution, stores it in the job's record, and is `done`. The last execution runs until then, so that the record
//! names one that is running at any time. The next one has a name that follows from the job, so that a repeated part starts
//! no second one.
//!
//! A part that is repeated after a failure changes nothing twice. New settings and exports process its images again: each
//! image ends in the same state, and each exported file is replaced. The other jobs continue at the progress in the job's
//! record.

mod correct_part;
mod delete_part;
mod export_part;
mod page;
mod relabel_part;
mod undo_part;

use ::export::ExportError;
use aws::ServiceError;
use domain::export::{MAX_FILES, files_prefix};
use domain::job::{MAX_PARTS, execution_name};
use domain::{ErrorName, FilterPolicy, ImageId, Job, JobKind, JobProgress, JobStatus, StepError};
use events::EventBus;
use records::{Quotas, Records, RecordsError, VideoQuotas};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};
use strum::EnumIter;

/// No page but the first starts after this time. A page takes seconds, and the function may run for two minutes.
const BUDGET: Duration = Duration::from_secs(45);

/// The number of images is counted in at most this many pages: about 100,000 images. The progress of larger libraries has
/// no total.
const MAX_COUNTED_PAGES: usize = 20;

/// Images per page.
const IMAGES_PER_PAGE: i32 = 100;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct RunJobPart {
    /// Writes and deletes exported files, and deletes images.
    pub s3: aws_sdk_s3::Client,
    /// The bucket of pictures and exported files.
    pub bucket: String,
    /// Reads and changes images and the job's record.
    pub records: Records,
    /// The filter policy for owners without settings.
    pub default_policy: FilterPolicy,
    /// Starts and describes the executions that label images again.
    pub sfn: aws_sdk_sfn::Client,
    /// The state machine that labels images.
    pub state_machine_arn: String,
    /// The state machine to which that one hands videos over.
    pub video_state_machine_arn: String,
    /// The state machine that runs this step, for the next execution of a long job.
    pub jobs_state_machine_arn: String,
    /// How many images can be labeled in a day.
    pub quotas: Quotas,
    /// How many minutes of video can be labeled in a day.
    pub video_quotas: VideoQuotas,
    /// How many images all jobs and imports together start to label per second.
    pub images_per_second: NonZeroU32,
    /// Reports corrected labels.
    pub bus: EventBus,
}

/// Why the images were not processed.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum RunJobPartError {
    /// An item is invalid, or a call to an AWS service failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(RecordsError),
    /// A file cannot be built.
    #[error("{0}")]
    File(String),
    /// The export needs more than [`MAX_FILES`] files.
    #[error("the export has more than {MAX_FILES} files")]
    TooManyFiles,
}

impl From<RecordsError> for RunJobPartError {
    fn from(error: RecordsError) -> Self {
        Self::Records(error)
    }
}

impl From<ServiceError> for RunJobPartError {
    fn from(error: ServiceError) -> Self {
        Self::Records(error.into())
    }
}

impl From<ExportError> for RunJobPartError {
    fn from(error: ExportError) -> Self {
        Self::File(error.to_string())
    }
}

impl StepError for RunJobPartError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Records(error) => error.name(),
            Self::File(_) | Self::TooManyFiles => ErrorName::UnexpectedAnswer,
        }
    }
}

/// Processes pages of images for 45 seconds, or until all are processed or the job is canceled.
///
/// # Errors
/// See [`RunJobPartError`].
pub async fn handle(step: &RunJobPart, progress: JobProgress) -> Result<JobProgress, RunJobPartError> {
    run(step, progress, Instant::now() + BUDGET).await
}

async fn run(
    step: &RunJobPart,
    mut progress: JobProgress,
    until: Instant,
) -> Result<JobProgress, RunJobPartError> {
    progress.waits_until = None;
    let has_time = || Instant::now() < until;
    let records = &step.records;
    let job = records.job(&progress.owner, progress.job_id).await?;
    let Some(job) = job.filter(|job| job.status == JobStatus::Running) else {
        return stop(step, progress).await;
    };
    // The owner has resumed the job after it was canceled or has failed, and this execution has not noticed that.
    if job.execution > progress.execution {
        return Ok(JobProgress {
            done: true,
            ..progress
        });
    }
    if progress.parts >= MAX_PARTS {
        return hand_over(step, progress).await;
    }
    progress.parts += 1;
    let (owner, job_id) = (&progress.owner, progress.job_id);
    // The record names none in the first part, and another one if an operator has restarted this one.
    if let Some(own) = &progress.execution_arn
        && job.execution_arn.as_ref() != Some(own)
    {
        records
            .set_job_execution(owner, job_id, progress.execution, own)
            .await?;
    }
    if job.total.is_none()
        && progress.after.is_none()
        && let Some(total) = records.count_images(owner, MAX_COUNTED_PAGES).await?
    {
        records.set_job_total(owner, job_id, total).await?;
    }
    let incomplete = || RecordsError::Unreadable("the job does not say what to do".into());
    match job.kind {
        JobKind::Refilter => refilter(step, progress, has_time).await,
        JobKind::Export => {
            let export = job.export.as_ref().ok_or_else(incomplete)?;
            export_part::run(step, export, progress, has_time).await
        }
        JobKind::Relabel => {
            let relabel = job.relabel.as_ref().ok_or_else(incomplete)?;
            let (progress, pending) = resumed(&job, progress);
            relabel_part::run(step, relabel, progress, pending, until).await
        }
        JobKind::Correct => {
            let correction = job.correction.as_ref().ok_or_else(incomplete)?;
            let (progress, pending) = resumed(&job, progress);
            correct_part::run(step, &job, correction, progress, pending, until).await
        }
        JobKind::Undo => {
            let undo = job.undo.as_ref().ok_or_else(incomplete)?;
            let (progress, pending) = resumed(&job, progress);
            undo_part::run(step, undo, progress, pending, until).await
        }
        JobKind::Delete => {
            let deletion = job.deletion.as_ref().ok_or_else(incomplete)?;
            let (progress, pending) = resumed(&job, progress);
            delete_part::run(step, deletion, progress, pending, until).await
        }
        JobKind::Import => Err(RecordsError::Unreadable("another state machine runs imports".into()).into()),
    }
}

/// Where the job continues, and the images that the last attempt was changing. If that attempt did not return its output, its
/// progress is only in the record. Images are processed in descending order of their IDs.
fn resumed(job: &Job, progress: JobProgress) -> (JobProgress, &[ImageId]) {
    let is_ahead = match (job.after, progress.after) {
        (Some(stored), Some(input)) => stored <= input,
        (None, Some(_)) => false,
        (_, None) => true,
    };
    if !is_ahead {
        return (progress, &[]);
    }
    let stored = JobProgress {
        after: job.after,
        processed: job.processed,
        changed: job.changed,
        ..progress
    };
    (stored, &job.pending)
}

/// Starts the execution that continues the job, and ends this one.
async fn hand_over(step: &RunJobPart, progress: JobProgress) -> Result<JobProgress, RunJobPartError> {
    let next = progress.next_execution();
    let (owner, job_id, number) = (&next.owner, next.job_id, next.execution);
    let name = execution_name(job_id, number);
    let input = serde_json::to_string(&next).map_err(|error| RecordsError::Unreadable(error.to_string()))?;
    // If it exists, an earlier attempt of this part has started it.
    executions::start(&step.sfn, &step.jobs_state_machine_arn, &name, input).await?;
    let arn = executions::arn(&step.jobs_state_machine_arn, &name);
    step.records
        .set_job_execution(owner, job_id, number, &arn)
        .await?;
    tracing::info!(execution = number, "another execution continues the job");
    Ok(JobProgress {
        done: true,
        ..progress
    })
}

async fn refilter(
    step: &RunJobPart,
    mut progress: JobProgress,
    has_time: impl Fn() -> bool,
) -> Result<JobProgress, RunJobPartError> {
    let records = &step.records;
    loop {
        let page = records
            .images_page(&progress.owner, progress.after, IMAGES_PER_PAGE, unreadable)
            .await?;
        let refiltered = records
            .refilter(&progress.owner, &page.images, &step.default_policy)
            .await?;
        if refiltered.unreadable > 0 {
            tracing::error!(results = refiltered.unreadable, "results cannot be read");
        }
        // A closed tombstone is not an image, and has no time.
        let images = page.images.iter().filter(|image| !image.created_at.is_empty());
        progress.processed += images.count() as u64;
        progress.changed += refiltered.changed as u64;
        progress.after = page.last;
        progress.done = page.last.is_none();
        if !store(step, &progress).await? {
            return stop(step, progress).await;
        }
        if progress.done || !has_time() {
            return Ok(progress);
        }
    }
}

/// Stores the progress. Returns whether the job was running.
async fn store(step: &RunJobPart, progress: &JobProgress) -> Result<bool, RecordsError> {
    if progress.done {
        step.records.complete_job(progress).await
    } else {
        step.records.advance_job(progress).await
    }
}

/// Like [`stop`], for a part that has changed images after the job was canceled: they count.
async fn stop_counted(step: &RunJobPart, progress: JobProgress) -> Result<JobProgress, RunJobPartError> {
    step.records.count_canceled_job(&progress).await?;
    stop(step, progress).await
}

/// Ends the execution of a job that is not running: its owner has canceled it or has deleted all data. Then, no file of an
/// export may remain. A part writes its file before it reads the job's record. A part that writes a file after the job was
/// canceled or deleted therefore finds that in the record, and deletes the file.
async fn stop(step: &RunJobPart, progress: JobProgress) -> Result<JobProgress, RunJobPartError> {
    let (owner, job_id) = (&progress.owner, progress.job_id);
    let job = step.records.job(owner, job_id).await?;
    // A slow attempt of an earlier part can find that the export has succeeded. Then its files are needed.
    let is_discarded = job.is_none_or(|job| job.kind == JobKind::Export && job.status == JobStatus::Canceled);
    if is_discarded {
        objects::delete_all(&step.s3, &step.bucket, &files_prefix(owner, job_id)).await?;
    }
    Ok(JobProgress {
        done: true,
        ..progress
    })
}

#[expect(clippy::needless_pass_by_value, reason = "the type of callbacks in records")]
fn unreadable(error: String) {
    tracing::error!(%error, "an item cannot be read");
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
    use aws_sdk_sfn::operation::start_execution::{StartExecutionError, StartExecutionOutput};
    use aws_sdk_sfn::primitives::DateTime;
    use aws_sdk_sfn::types::error::ExecutionAlreadyExists;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use serde_json::{Value, json};
    use std::collections::HashMap;

    const FIRST: &str = "0193a5a0-0000-7000-8000-000000000009";
    const SECOND: &str = "0193a5a0-0000-7000-8000-000000000005";

    fn job(after: Option<&str>) -> Job {
        let mut job = json!({
            "jobId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "kind": "RELABEL", "status": "RUNNING",
            "processed": 7, "changed": 3, "pending": [SECOND], "startedAt": "2026-11-22T12:00:00.000Z",
            "updatedAt": "2026-11-22T12:00:00.000Z", "expiresAt": 0,
        });
        if let Some(after) = after {
            job["after"] = json!(after);
        }
        serde_json::from_value(job).unwrap()
    }

    fn input(after: Option<&str>) -> JobProgress {
        let mut input = json!({
            "jobId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "processed": 5, "changed": 2,
        });
        if let Some(after) = after {
            input["after"] = json!(after);
        }
        serde_json::from_value(input).unwrap()
    }

    /// If it continued at the other one, a repeated part would process images again, and count them twice.
    #[test]
    fn a_part_continues_at_the_progress_that_is_further() {
        for (stored, given, is_stored) in [
            (None, None, true),
            (Some(FIRST), None, true),
            (Some(SECOND), Some(FIRST), true),
            (Some(FIRST), Some(FIRST), true),
            // A slow attempt of an earlier part has overwritten the record.
            (Some(FIRST), Some(SECOND), false),
            (None, Some(FIRST), false),
        ] {
            let job = job(stored);
            let (progress, pending) = resumed(&job, input(given));
            let expected = if is_stored { (stored, 7, 3) } else { (given, 5, 2) };
            let after = progress.after.map(|after| after.to_string());
            assert_eq!(
                (after.as_deref(), progress.processed, progress.changed),
                expected,
                "{stored:?} {given:?}"
            );
            assert_eq!(pending.is_empty(), !is_stored);
        }
    }

    const MACHINE: &str = "arn:aws:states:us-east-1:123456789012:stateMachine:labels-run-job";
    const EXECUTIONS: &str = "arn:aws:states:us-east-1:123456789012:execution:labels-run-job";

    /// A step whose table has a running job. Each update answers; anything else fails.
    fn step(job: &Job, sfn: &[&Rule], update: &Rule) -> RunJobPart {
        let item: HashMap<_, _> = serde_dynamo::to_item(job).unwrap();
        let get = mock!(aws_sdk_dynamodb::Client::get_item)
            .then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build());
        RunJobPart {
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, []),
            bucket: "pictures".into(),
            records: Records::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&get, update]),
                "table".into(),
            ),
            default_policy: serde_json::from_value(json!({"minConfidence": 55, "maxLabels": 50})).unwrap(),
            sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, sfn),
            state_machine_arn: "machine".into(),
            video_state_machine_arn: "video machine".into(),
            jobs_state_machine_arn: MACHINE.into(),
            quotas: Quotas {
                images_per_day: 10,
                total_images_per_day: 10,
            },
            video_quotas: VideoQuotas {
                minutes_per_day: 10,
                total_minutes_per_day: 10,
            },
            images_per_second: NonZeroU32::MIN,
            bus: EventBus {
                eventbridge: mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, []),
                name: "bus".into(),
            },
        }
    }

    fn started() -> StartExecutionOutput {
        let started = StartExecutionOutput::builder().execution_arn("arn");
        started.start_date(DateTime::from_secs(0)).build().unwrap()
    }

    /// The value that an update sets.
    fn is_set(values: Option<&HashMap<String, aws_sdk_dynamodb::types::AttributeValue>>, text: &str) -> bool {
        values.is_some_and(|values| {
            values
                .values()
                .any(|value| value.as_s().is_ok_and(|value| value == text))
        })
    }

    /// An execution can have 25,000 events: a job of weeks would fail.
    #[tokio::test]
    async fn after_many_parts_another_execution_continues_and_is_stored_before_this_one_ends() {
        let begins = mock!(aws_sdk_sfn::Client::start_execution)
            .match_requests(|request| {
                let input: JobProgress = serde_json::from_str(request.input().unwrap()).unwrap();
                let next = (input.execution, input.parts, input.processed, input.done);
                next == (2, 0, 5, false)
                    && request.state_machine_arn() == Some(MACHINE)
                    && request.name() == Some("0193a5a0-0000-7000-8000-000000000001-2")
            })
            .then_output(started);
        // An earlier attempt of the part may have started it, and have ended before it was stored.
        let exists = mock!(aws_sdk_sfn::Client::start_execution).then_error(|| {
            let exists = ExecutionAlreadyExists::builder().build();
            StartExecutionError::ExecutionAlreadyExists(exists)
        });
        for start in [begins, exists] {
            let next = format!("{EXECUTIONS}:0193a5a0-0000-7000-8000-000000000001-2");
            let stored = mock!(aws_sdk_dynamodb::Client::update_item)
                .match_requests(move |request| is_set(request.expression_attribute_values(), &next))
                .then_output(|| UpdateItemOutput::builder().build());
            let step = step(&job(Some(FIRST)), &[&start], &stored);
            let last = JobProgress {
                parts: MAX_PARTS,
                execution_arn: Some(format!("{EXECUTIONS}:first")),
                ..input(Some(FIRST))
            };
            let ended = handle(&step, last.clone()).await.unwrap();
            assert_eq!((ended.done, ended.processed), (true, last.processed));
            assert_eq!((start.num_calls(), stored.num_calls()), (1, 1));
        }
    }

    /// If it did not, the API would read the status of the execution that has failed, and the page would show the job as failed.
    #[tokio::test]
    async fn an_execution_that_an_operator_has_restarted_stores_itself() {
        let own = format!("{EXECUTIONS}:redrive-0a");
        let stored = mock!(aws_sdk_dynamodb::Client::update_item)
            .match_requests({
                let own = own.clone();
                move |request| is_set(request.expression_attribute_values(), &own)
            })
            .then_output(|| UpdateItemOutput::builder().build());
        let step = step(&job(Some(FIRST)), &[], &stored);
        let part = JobProgress {
            execution_arn: Some(own),
            ..input(Some(FIRST))
        };
        // The job in the table does not say what to do.
        assert!(handle(&step, part).await.is_err());
        assert_eq!(stored.num_calls(), 1);
    }

    /// The owner has canceled and resumed the job before this execution has noticed the cancellation.
    #[tokio::test]
    async fn an_execution_that_another_one_has_replaced_changes_nothing() {
        let resumed = Job {
            execution: 2,
            ..job(Some(FIRST))
        };
        let stored =
            mock!(aws_sdk_dynamodb::Client::update_item).then_output(|| UpdateItemOutput::builder().build());
        let step = step(&resumed, &[], &stored);
        let ended = handle(&step, input(Some(FIRST))).await.unwrap();
        assert_eq!((ended.done, stored.num_calls()), (true, 0));
    }

    /// Jobs of the previous version are running while a new one is deployed.
    #[test]
    fn the_input_of_the_previous_version_can_be_read() {
        let old: Value =
            json!({"jobId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "done": false});
        let progress: JobProgress = serde_json::from_value(old).unwrap();
        assert_eq!((progress.after, progress.waits_until), (None, None));
    }
}
