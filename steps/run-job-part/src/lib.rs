//! The step of bulk jobs: processes the next images of a job.
//!
//! Input and output: [`domain::JobProgress`]. The state machine repeats the step until the output is `done`. A part that
//! is repeated after a failure processes its images again, which changes nothing: each image ends in the same state, and
//! each exported file is replaced.

mod export_part;

use ::export::ExportError;
use aws::ServiceError;
use domain::export::{MAX_FILES, files_prefix};
use domain::{ErrorName, FilterPolicy, JobKind, JobProgress, JobStatus, StepError};
use records::{Records, RecordsError};
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
    /// Writes and deletes exported files.
    pub s3: aws_sdk_s3::Client,
    /// The bucket of exported files.
    pub bucket: String,
    /// Reads and changes images and the job's record.
    pub records: Records,
    /// The filter policy for owners without settings.
    pub default_policy: FilterPolicy,
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
    let until = Instant::now() + BUDGET;
    run(step, progress, || Instant::now() < until).await
}

async fn run(
    step: &RunJobPart,
    progress: JobProgress,
    has_time: impl Fn() -> bool,
) -> Result<JobProgress, RunJobPartError> {
    let records = &step.records;
    let (owner, job_id) = (&progress.owner, progress.job_id);
    let job = records.job(owner, job_id).await?;
    let Some(job) = job.filter(|job| job.status == JobStatus::Running) else {
        return stop(step, progress).await;
    };
    if job.total.is_none()
        && progress.after.is_none()
        && let Some(total) = records.count_images(owner, MAX_COUNTED_PAGES).await?
    {
        records.set_job_total(owner, job_id, total).await?;
    }
    match (job.kind, &job.export) {
        (JobKind::Refilter, _) => refilter(step, progress, has_time).await,
        (JobKind::Export, Some(export)) => export_part::run(step, export, progress, has_time).await,
        (JobKind::Export, None) => Err(RecordsError::Unreadable("the export has no format".into()).into()),
    }
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

/// Ends the execution of a job that is not running: its owner has canceled it or has deleted all data. Then, no file of an
/// export may remain. Whoever cancels or deletes does so before this reads the record, and a part writes its file before it
/// checks whether the job is running. Therefore, one of the two deletes each file.
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
