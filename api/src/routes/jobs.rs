//! `/jobs`: bulk jobs.

use crate::app::App;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::NoParameters;
use crate::http::responses::{BadRequest, NoSuchJob};
use axum::Json;
use axum::extract::{Path, State};
use domain::{JobId, JobKind, JobProgress, JobStatus, Owner};
use executions::State as Execution;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How long a job's record is kept.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The number of jobs in the list.
const MAX_JOBS: i32 = 20;

/// How long a running job may store no progress before Step Functions is asked whether its execution is running.
const SILENCE: SignedDuration = SignedDuration::from_secs(30);

/// A bulk job.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Job {
    job_id: JobId,
    kind: JobKind,
    status: JobStatus,
    /// The number of images when the job started. Null until they are counted, and if there are more than about 100,000.
    #[schema(required)]
    total: Option<u64>,
    /// Images that have been processed.
    processed: u64,
    /// Images that the job has changed.
    changed: u64,
    #[schema(format = DateTime)]
    created_at: String,
    /// When the job last made progress.
    #[schema(format = DateTime)]
    updated_at: String,
}

impl From<domain::Job> for Job {
    fn from(job: domain::Job) -> Self {
        Self {
            job_id: job.job_id,
            kind: job.kind,
            status: job.status,
            total: job.total,
            processed: job.processed,
            changed: job.changed,
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}

/// An owner's jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobList {
    /// Newest first, at most 20.
    jobs: Vec<Job>,
}

/// Starts a job. It replaces older running jobs of the same kind: they would do the same. Both may run for a moment, which
/// does no harm.
pub(crate) async fn start(app: &App, owner: &Owner, kind: JobKind) -> Result<JobId, Problem> {
    let now = Timestamp::now();
    let job_id = JobId::new();
    let job = domain::Job {
        job_id,
        owner: owner.clone(),
        kind,
        status: JobStatus::Running,
        total: None,
        processed: 0,
        changed: 0,
        created_at: format!("{now:.3}"),
        updated_at: format!("{now:.3}"),
        expires_at: (now + KEPT_FOR).as_second(),
    };
    app.records.create_job(&job).await?;
    let input = JobProgress {
        job_id,
        owner: owner.clone(),
        after: None,
        processed: 0,
        changed: 0,
        done: false,
    };
    let input = serde_json::to_string(&input).map_err(|_| Problem::internal())?;
    let name = job_id.to_string();
    let started = executions::start(&app.sfn, &app.jobs_state_machine_arn, &name, input).await;
    if let Err(error) = started {
        // The next request starts another job.
        app.records.end_job(owner, job_id, JobStatus::Canceled).await?;
        return Err(error.into());
    }
    for job in app.records.jobs(owner, MAX_JOBS).await? {
        if job.job_id < job_id && job.kind == kind && job.status == JobStatus::Running {
            app.records
                .end_job(owner, job.job_id, JobStatus::Canceled)
                .await?;
        }
    }
    Ok(job_id)
}

/// Returns the owner's newest jobs.
#[utoipa::path(
    get,
    path = "/jobs",
    tag = "jobs",
    operation_id = "listJobs",
    summary = "List your newest jobs",
    responses((status = 200, description = "The jobs", body = JobList), BadRequest),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
) -> Result<Json<JobList>, Problem> {
    let mut jobs = vec![];
    for job in app.records.jobs(&owner, MAX_JOBS).await? {
        jobs.push(with_status(&app, job).await?);
    }
    Ok(Json(JobList { jobs }))
}

/// Returns a job.
#[utoipa::path(
    get,
    path = "/jobs/{jobId}",
    tag = "jobs",
    operation_id = "getJob",
    summary = "Get the progress of a job",
    params(("jobId" = JobId, Path, description = "As returned by the request that started the job")),
    responses((status = 200, description = "The job", body = Job), BadRequest, NoSuchJob),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    Path(id): Path<String>,
) -> Result<Json<Job>, Problem> {
    let job = app.records.job(&owner, job_id(&id)?).await?;
    let job = job.ok_or_else(Problem::no_such_job)?;
    Ok(Json(with_status(&app, job).await?))
}

/// Cancels a job. Does nothing if it has ended.
#[utoipa::path(
    delete,
    path = "/jobs/{jobId}",
    tag = "jobs",
    operation_id = "cancelJob",
    summary = "Cancel a job",
    description = "The job stops after the images that it is processing. Images that were processed keep the result.",
    params(("jobId" = JobId, Path, description = "As returned by the request that started the job")),
    responses((status = 200, description = "The job", body = Job), BadRequest, NoSuchJob),
)]
pub(crate) async fn cancel(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    Path(id): Path<String>,
) -> Result<Json<Job>, Problem> {
    let id = job_id(&id)?;
    app.records.end_job(&owner, id, JobStatus::Canceled).await?;
    let job = app.records.job(&owner, id).await?;
    Ok(Json(job.ok_or_else(Problem::no_such_job)?.into()))
}

fn job_id(text: &str) -> Result<JobId, Problem> {
    JobId::parse(text).ok_or_else(|| {
        Problem::invalid_field(
            "jobId",
            "a job ID as returned by the request that started the job",
        )
    })
}

/// The job as it is shown. A job that has stored no progress for a while is `FAILED` if its execution has ended.
async fn with_status(app: &App, job: domain::Job) -> Result<Job, Problem> {
    let mut job = job;
    let silent_since: Option<Timestamp> = job.updated_at.parse().ok();
    let is_silent = silent_since.is_none_or(|time| Timestamp::now().duration_since(time) > SILENCE);
    if job.status == JobStatus::Running && is_silent {
        let execution = executions::arn(&app.jobs_state_machine_arn, &job.job_id.to_string());
        if executions::state(&app.sfn, &execution).await? != Execution::Running {
            // The job may have ended since it was read.
            let newest = app.records.job(&job.owner, job.job_id).await?;
            job = newest.unwrap_or(job);
            if job.status == JobStatus::Running {
                job.status = JobStatus::Failed;
            }
        }
    }
    Ok(job.into())
}
