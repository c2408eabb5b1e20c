//! The step of bulk jobs: processes the next images of a job.
//!
//! Input and output: [`domain::JobProgress`]. The state machine repeats the step until the output is `done`. A part that
//! is repeated after a failure processes its images again, which changes nothing: each image ends in the same state.

use domain::{ErrorName, FilterPolicy, JobKind, JobProgress, JobStatus, StepError};
use records::{Records, RecordsError};
use std::time::{Duration, Instant};
use strum::EnumIter;

/// No page starts after this time. A page takes seconds, and the function may run for 60 seconds.
const BUDGET: Duration = Duration::from_secs(20);

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
    Records(#[from] RecordsError),
}

impl StepError for RunJobPartError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Records(error) => error.name(),
        }
    }
}

/// Processes pages of images for 20 seconds, or until all are processed or the job is canceled.
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
    if progress.after.is_none() {
        let total = records.count_images(&owner).await.map_err(RecordsError::from)?;
        records
            .set_job_total(&owner, job_id, total)
            .await
            .map_err(RecordsError::from)?;
    }
    while has_time() {
        let unreadable = |error| tracing::error!(%error, "a record cannot be read");
        let page = records
            .images_page(&owner, progress.after, IMAGES_PER_PAGE, unreadable)
            .await
            .map_err(RecordsError::from)?;
        let refiltered = match job.kind {
            JobKind::Refilter => {
                records
                    .refilter(&owner, &page.images, &step.default_policy)
                    .await?
            }
        };
        let is_running = records
            .advance_job(&owner, job_id, page.images.len(), refiltered)
            .await
            .map_err(RecordsError::from)?;
        progress.done = !is_running;
        match page.last {
            _ if progress.done => break,
            Some(last) => progress.after = Some(last),
            None => {
                records
                    .end_job(&owner, job_id, JobStatus::Succeeded)
                    .await
                    .map_err(RecordsError::from)?;
                progress.done = true;
                break;
            }
        }
    }
    Ok(progress)
}
