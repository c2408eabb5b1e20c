//! `/jobs`: bulk jobs.

mod export;

use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::NoParameters;
use crate::http::responses::{BadRequest, BodyTooLarge, InvalidBodyType, NoSuchJob, TooManyExports};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::export::{ExportSelection, MAX_RUNNING_EXPORTS};
use domain::{Export, ExportFormat, JobId, JobKind, JobProgress, JobStatus, Owner};
use executions::State as Execution;
use export::{File, NewJob, RequestedJob};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// How long a job's record is kept.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The number of jobs in the list.
const MAX_JOBS: i32 = 20;

/// The number of jobs among which running exports are counted.
const MAX_COUNTED_JOBS: i32 = 100;

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
    /// Images that the job has changed. 0 for exports.
    changed: u64,
    /// The format of the files. Absent unless the job is an export.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    format: Option<ExportFormat>,
    /// The files of an export that has succeeded. Empty if no image matches, and after `filesExpireAt`. Absent for other
    /// jobs, and in the list of jobs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    files: Option<Vec<File>>,
    /// Until when the files can be downloaded: seven days after the start of the export. Present together with `files`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    files_expire_at: Option<String>,
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
            format: job.export.map(|export| export.format),
            files: None,
            files_expire_at: None,
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

/// Starts a job that applies new settings. It replaces older running ones: they would do the same. Both may run for a moment,
/// which does no harm.
pub(crate) async fn start_refilter(app: &App, owner: &Owner) -> Result<JobId, Problem> {
    let job = new_job(owner, JobKind::Refilter);
    let job_id = job.job_id;
    app.records.create_job(&job).await?;
    start(app, job).await?;
    for job in app.records.jobs(owner, MAX_JOBS).await? {
        if job.job_id < job_id && job.kind == JobKind::Refilter && job.status == JobStatus::Running {
            app.records.cancel_job(owner, job.job_id).await?;
        }
    }
    Ok(job_id)
}

/// Starts an export, unless too many are running.
async fn start_export(app: &App, owner: &Owner, export: Export) -> Result<domain::Job, Problem> {
    let mut job = new_job(owner, JobKind::Export);
    if let ExportSelection::Images(ids) = &export.selection {
        job.total = Some(ids.len() as u64);
    }
    job.export = Some(export);
    // Stored before it counts: of requests at the same moment, the last one that counts sees all of them.
    app.records.create_job(&job).await?;
    if running_exports(app, owner).await? > MAX_RUNNING_EXPORTS {
        app.records.delete_job(owner, job.job_id).await?;
        return Err(Problem::too_many_exports(MAX_RUNNING_EXPORTS));
    }
    start(app, job).await
}

async fn running_exports(app: &App, owner: &Owner) -> Result<usize, Problem> {
    let mut running = 0;
    for job in app.records.jobs(owner, MAX_COUNTED_JOBS).await? {
        if job.kind == JobKind::Export && current(app, job).await?.status == JobStatus::Running {
            running += 1;
        }
    }
    Ok(running)
}

fn new_job(owner: &Owner, kind: JobKind) -> domain::Job {
    let now = Timestamp::now();
    domain::Job {
        job_id: JobId::new(),
        owner: owner.clone(),
        kind,
        status: JobStatus::Running,
        total: None,
        processed: 0,
        changed: 0,
        export: None,
        files: vec![],
        created_at: format!("{now:.3}"),
        updated_at: format!("{now:.3}"),
        expires_at: (now + KEPT_FOR).as_second(),
    }
}

/// Starts the execution of a job whose record is stored.
async fn start(app: &App, job: domain::Job) -> Result<domain::Job, Problem> {
    let input = JobProgress {
        job_id: job.job_id,
        owner: job.owner.clone(),
        after: None,
        processed: 0,
        changed: 0,
        files: vec![],
        done: false,
    };
    let input = serde_json::to_string(&input).map_err(|_| Problem::internal())?;
    let name = job.job_id.to_string();
    let started = executions::start(&app.sfn, &app.jobs_state_machine_arn, &name, input).await;
    if let Err(error) = started {
        // The next request starts another job.
        app.records.cancel_job(&job.owner, job.job_id).await?;
        return Err(error.into());
    }
    Ok(job)
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
        jobs.push(current(&app, job).await?.into());
    }
    Ok(Json(JobList { jobs }))
}

/// Starts an export.
#[utoipa::path(
    post,
    path = "/jobs",
    tag = "jobs",
    operation_id = "startJob",
    summary = "Export the labels of your images",
    description = "Starts a job that writes files with the labels of all your images, of those that match a search, or of up \
        to 100 images. `GET /jobs/{jobId}` returns links to the files when the job has succeeded. At most three exports can \
        run at the same time.",
    request_body = inline(RequestedJob),
    responses(
        (status = 202, description = "The job", body = Job),
        BadRequest,
        TooManyExports,
        BodyTooLarge,
        InvalidBodyType,
    ),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    JsonBody(body): JsonBody<NewJob>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    let job = start_export(&app, &owner, body.check()?).await?;
    Ok((StatusCode::ACCEPTED, Json(job.into())))
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
    let job = current(&app, job.ok_or_else(Problem::no_such_job)?).await?;
    let files = export::files(&app, &job).await?;
    let (files, files_expire_at) = files.map(|files| (files.files, files.expire_at)).unzip();
    Ok(Json(Job {
        files,
        files_expire_at,
        ..job.into()
    }))
}

/// Cancels a job. Does nothing if it has ended.
#[utoipa::path(
    delete,
    path = "/jobs/{jobId}",
    tag = "jobs",
    operation_id = "cancelJob",
    summary = "Cancel a job",
    description = "The job stops after the images that it is processing. Images that were processed keep the result. The \
        files of a canceled export are deleted.",
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
    app.records.cancel_job(&owner, id).await?;
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

/// The job with its current status. A job that has stored no progress for a while is `FAILED` if its execution has ended.
async fn current(app: &App, job: domain::Job) -> Result<domain::Job, Problem> {
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
    Ok(job)
}
