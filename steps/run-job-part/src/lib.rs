//! The step of bulk jobs: processes the next images of a job.
//!
//! Input and output: [`domain::JobProgress`]. The state machine repeats the step until the output is `done`. A part that
//! is repeated after a failure processes its images again, which changes nothing: each image ends in the same state.

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
    /// Reads and changes images and the job's record.
    pub records: Records,
    /// The filter policy for owners without settings.
    pub default_policy: FilterPolicy,
}

/// Why the images were not processed.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum RunJobPartError {
    /// An item is invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(RecordsError),
}

impl<E: Into<RecordsError>> From<E> for RunJobPartError {
    fn from(error: E) -> Self {
        Self::Records(error.into())
    }
}

impl StepError for RunJobPartError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Records(error) => error.name(),
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
    mut progress: JobProgress,
    has_time: impl Fn() -> bool,
) -> Result<JobProgress, RunJobPartError> {
    let records = &step.records;
    let JobProgress { owner, job_id, .. } = progress.clone();
    let job = records.job(&owner, job_id).await?;
    // The owner has deleted all data, or has canceled the job.
    let Some(job) = job.filter(|job| job.status == JobStatus::Running) else {
        return Ok(JobProgress {
            done: true,
            ..progress
        });
    };
    if job.total.is_none()
        && progress.after.is_none()
        && let Some(total) = records.count_images(&owner, MAX_COUNTED_PAGES).await?
    {
        records.set_job_total(&owner, job_id, total).await?;
    }
    loop {
        let unreadable = |error| tracing::error!(%error, "a record cannot be read");
        let page = records
            .images_page(&owner, progress.after, IMAGES_PER_PAGE, unreadable)
            .await?;
        let refiltered = match job.kind {
            JobKind::Refilter => {
                records
                    .refilter(&owner, &page.images, &step.default_policy)
                    .await?
            }
        };
        if refiltered.unreadable > 0 {
            tracing::error!(results = refiltered.unreadable, "results cannot be read");
        }
        // A closed tombstone is not an image, and has no time.
        let images = page.images.iter().filter(|image| !image.created_at.is_empty());
        progress.processed += images.count() as u64;
        progress.changed += refiltered.changed as u64;
        progress.after = page.last;
        let is_running = records.advance_job(&progress).await?;
        if is_running && page.last.is_none() {
            records.end_job(&owner, job_id, JobStatus::Succeeded).await?;
        }
        progress.done = !is_running || page.last.is_none();
        if progress.done || !has_time() {
            return Ok(progress);
        }
    }
}
