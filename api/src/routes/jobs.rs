//! `/jobs`: bulk jobs.

mod export;
mod preview;
mod request;

use crate::app::App;
use crate::http::body::JsonBody;
use crate::http::cursor;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::{NoParameters, RawParameters};
use crate::http::responses::{
    BadRequest, BodyTooLarge, CannotResume, InvalidBodyType, JobRunning, NoSuchJob, TooManyJobs,
};
use crate::routes::record::log_unreadable;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::bulk::{MAX_RUNNING_CORRECTIONS, MAX_RUNNING_DELETIONS, MAX_RUNNING_RELABELS};
use domain::export::MAX_RUNNING_EXPORTS;
use domain::job::execution_name;
use domain::{
    Correction, ExportFormat, ImportRequest, JobId, JobKind, JobProgress, JobStatus, Owner, Selection, Undo,
};
use executions::State as Execution;
use export::File;
use jiff::{SignedDuration, Timestamp};
use preview::{Position, Preview, PreviewQuery};
use request::{JOB_ID, NewJob, RequestedJob, Work};
use serde::Serialize;
use std::cmp::Reverse;
use std::sync::Arc;
use utoipa::ToSchema;

/// The number of jobs in the list.
const MAX_JOBS: u8 = 20;

/// The maximum number of jobs that are running or have failed, which are counted and listed. Step Functions is asked about each.
const MAX_RUNNING: usize = 100;

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
    /// Images that have been processed, also those that are not in the job's search.
    processed: u64,
    /// Images that the job has changed or deleted, or that it has started to label. 0 for exports.
    changed: u64,
    /// Why a `FAILED` job has failed: the name of its execution's error, such as `Throttled`. Absent for other jobs, and if Step
    /// Functions no longer knows the execution.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<String>,
    /// Whether `POST /jobs/{jobId}/resume` can continue the job.
    resumable: bool,
    /// When the job continues: the daily limit of images is reached. Absent while it does not wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, format = DateTime)]
    waits_until: Option<String>,
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
        let has_stopped = matches!(job.status, JobStatus::Canceled | JobStatus::Failed);
        Self {
            error: None,
            resumable: has_stopped && !job.is_undone && max_resumed(job.kind).is_some(),
            job_id: job.job_id,
            kind: job.kind,
            status: job.status,
            total: job.total,
            processed: job.processed,
            changed: job.changed,
            waits_until: job.waits_until.filter(|_| job.status == JobStatus::Running),
            format: job.export.map(|export| export.format),
            files: None,
            files_expire_at: None,
            created_at: job.created_at,
            updated_at: job.updated_at,
        }
    }
}

impl Job {
    async fn current(app: &App, job: domain::Job) -> Result<Self, Problem> {
        let (job, error) = current_with_error(app, job).await?;
        Ok(Self { error, ..job.into() })
    }
}

/// An owner's jobs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JobList {
    /// Running ones first, then newest first. At most 20.
    jobs: Vec<Job>,
}

/// Starts a job that applies new settings. It replaces older running ones: they would do the same. Both may run for a moment,
/// which does no harm.
pub(crate) async fn start_refilter(app: &App, owner: &Owner) -> Result<JobId, Problem> {
    let job = new_job(owner, JobKind::Refilter);
    let job_id = job.job_id;
    app.records.create_job(&job).await?;
    start(app, job).await?;
    for job in app
        .records
        .running_jobs(owner, MAX_RUNNING, log_unreadable)
        .await?
    {
        if job.job_id < job_id && job.kind == JobKind::Refilter {
            app.records.cancel_job(owner, job.job_id).await?;
        }
    }
    Ok(job_id)
}

fn new_job(owner: &Owner, kind: JobKind) -> domain::Job {
    domain::Job::new(JobId::new(), owner, kind, Timestamp::now())
}

/// Starts a job, unless too many of its kind are running.
async fn start_work(app: &App, owner: &Owner, work: Work) -> Result<domain::Job, Problem> {
    let mut undoes = None;
    let (job, max) = match work {
        Work::Export(export) => {
            let mut job = new_job(owner, JobKind::Export);
            job.total = number_of(&export.selection);
            job.export = Some(export);
            (job, MAX_RUNNING_EXPORTS)
        }
        Work::Relabel {
            selection,
            older_model,
        } => {
            let relabel = preview::relabel(app, owner, &selection, older_model, None).await?;
            let mut job = new_job(owner, JobKind::Relabel);
            job.total = number_of(&relabel.selection);
            job.relabel = Some(relabel);
            (job, MAX_RUNNING_RELABELS)
        }
        Work::Correct(correction) => {
            let mut job = new_job(owner, JobKind::Correct);
            job.total = number_of(&correction.selection);
            job.correction = Some(correction);
            (job, MAX_RUNNING_CORRECTIONS)
        }
        Work::Delete {
            selection,
            created_before,
        } => {
            let mut job = new_job(owner, JobKind::Delete);
            job.total = number_of(&selection);
            job.deletion = Some(preview::deletion(&selection, created_before, Timestamp::now()));
            (job, MAX_RUNNING_DELETIONS)
        }
        Work::Undo(job_id) => {
            let (undone, undo) = undone(app, owner, job_id).await?;
            let mut job = new_job(owner, JobKind::Undo);
            // A job that has failed has not counted its last images.
            job.total = Some(undone.changed + undone.pending.len() as u64);
            job.undo = Some(undo);
            undoes = Some(undone);
            (job, MAX_RUNNING_CORRECTIONS)
        }
    };
    // Stored before it counts: of requests at the same moment, the last one that counts sees all of them.
    app.records.create_job(&job).await?;
    if let Err(problem) = check_running(app, owner, job.kind, max).await {
        // Otherwise, it would count as running until its execution is asked for.
        app.records.delete_job(owner, job.job_id).await?;
        return Err(problem);
    }
    // From now on, it cannot be resumed. Another request may have resumed it just now.
    if let Some(undone) = undoes
        && !app.records.mark_undone(&undone).await?
    {
        app.records.delete_job(owner, job.job_id).await?;
        return Err(Problem::job_running());
    }
    start(app, job).await
}

/// Checks that the owner has at most `max` running jobs of a kind. The new one is stored before.
async fn check_running(app: &App, owner: &Owner, kind: JobKind, max: usize) -> Result<(), Problem> {
    if running(app, owner, kind).await? <= max {
        return Ok(());
    }
    Err(match kind {
        JobKind::Export => Problem::too_many_exports(max),
        JobKind::Refilter
        | JobKind::Relabel
        | JobKind::Correct
        | JobKind::Undo
        | JobKind::Delete
        | JobKind::Import => Problem::too_many_jobs(max),
    })
}

/// A job that has corrected labels and has ended, and the job that undoes it.
async fn undone(app: &App, owner: &Owner, job_id: JobId) -> Result<(domain::Job, Undo), Problem> {
    let job = app.records.job(owner, job_id).await?;
    let mut job = current(app, job.ok_or_else(Problem::no_such_job)?).await?;
    let correction = job.correction.take();
    let Correction { change, .. } = correction.ok_or_else(|| Problem::invalid_fields(&[JOB_ID]))?;
    let is_running = match job.status {
        JobStatus::Running => true,
        JobStatus::Succeeded => false,
        // Its last part can still be correcting images.
        JobStatus::Canceled | JobStatus::Failed => {
            executions::state(&app.sfn, &execution_of(app, &job)).await? == Execution::Running
        }
    };
    if is_running {
        return Err(Problem::job_running());
    }
    Ok((job, Undo { job_id, change }))
}

/// The number of images that the selection names.
fn number_of(selection: &Selection) -> Option<u64> {
    match selection {
        Selection::Images(ids) => Some(ids.len() as u64),
        Selection::Search(_) => None,
    }
}

/// The number of the owner's running jobs of a kind. A job that waits for the next day is running.
async fn running(app: &App, owner: &Owner, kind: JobKind) -> Result<usize, Problem> {
    let mut running = 0;
    for job in app
        .records
        .running_jobs(owner, MAX_RUNNING, log_unreadable)
        .await?
    {
        if job.kind == kind && current(app, job).await?.status == JobStatus::Running {
            running += 1;
        }
    }
    Ok(running)
}

/// Starts the execution of a job whose record is stored.
async fn start(app: &App, job: domain::Job) -> Result<domain::Job, Problem> {
    let input = JobProgress::start(job.job_id, &job.owner);
    let input = serde_json::to_string(&input).map_err(|_| Problem::internal())?;
    let name = execution_name(job.job_id, 1);
    let started = executions::start(&app.sfn, &app.jobs_state_machine_arn, &name, input).await;
    if let Err(error) = started {
        // The next request starts another job.
        app.records.cancel_job(&job.owner, job.job_id).await?;
        return Err(error.into());
    }
    Ok(job)
}

/// Returns the owner's running and newest jobs.
#[utoipa::path(
    get,
    path = "/jobs",
    tag = "jobs",
    operation_id = "listJobs",
    summary = "List your running and newest jobs",
    description = "Returns running jobs first, then the newest others.",
    responses((status = 200, description = "The jobs", body = JobList), BadRequest),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
) -> Result<Json<JobList>, Problem> {
    // A job that waits for the next day can be older than many that have ended.
    let mut jobs = app
        .records
        .running_jobs(&owner, MAX_RUNNING, log_unreadable)
        .await?;
    let newest = app.records.jobs(&owner, MAX_JOBS.into(), log_unreadable).await?;
    jobs.extend(newest.into_iter().filter(|job| job.status != JobStatus::Running));
    let mut current = vec![];
    for job in jobs {
        current.push(Job::current(&app, job).await?);
    }
    current.sort_by_key(|job| (job.status != JobStatus::Running, Reverse(job.job_id)));
    current.truncate(MAX_JOBS.into());
    Ok(Json(JobList { jobs: current }))
}

/// Starts an export, a relabeling, a correction or a deletion of many images, or undoes a correction.
#[utoipa::path(
    post,
    path = "/jobs",
    tag = "jobs",
    operation_id = "startJob",
    summary = "Export, label again, correct or delete many images, or undo a correction",
    description = "Starts a job for all your images, for those that match a search, or for up to 100 images. Images that are \
        uploaded while it runs may not be included. `EXPORT` writes files with labels: `GET /jobs/{jobId}` returns links to \
        them when the job has succeeded. `RELABEL` labels images again, which counts toward your daily limit. Jobs use at \
        most 80% of it, and then wait until the next day. `CORRECT` corrects labels, and `UNDO` undoes that. `DELETE` deletes \
        images permanently. At most three exports, three corrections, three jobs that undo corrections, one relabeling and one \
        deletion can run at the same time.",
    request_body = inline(RequestedJob),
    responses(
        (status = 202, description = "The job", body = Job),
        BadRequest,
        NoSuchJob,
        TooManyJobs,
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
    let job = start_work(&app, &owner, body.check()?).await?;
    Ok((StatusCode::ACCEPTED, Json(job.into())))
}

/// Counts the images of a job that is not started.
#[utoipa::path(
    post,
    path = "/jobs/preview",
    tag = "jobs",
    operation_id = "previewJob",
    summary = "Count the images of a job, and what it costs",
    description = "Starts nothing. Takes the body of `POST /jobs`. One response covers a part of the library: repeat the \
        request with `nextCursor` until that is null, and add `images` and `dollars` of all responses.",
    params(PreviewQuery),
    request_body = inline(RequestedJob),
    responses(
        (status = 200, description = "The images of a part of the library", body = Preview),
        BadRequest,
        NoSuchJob,
        JobRunning,
        BodyTooLarge,
        InvalidBodyType,
    ),
)]
pub(crate) async fn preview(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    parameters: RawParameters,
    JsonBody(body): JsonBody<NewJob>,
) -> Result<Json<Preview>, Problem> {
    let work = body.check()?;
    let query = preview::query(&work)?;
    let parameters = parameters.known(&[preview::CURSOR.0])?;
    let position = parameters.one(preview::CURSOR, |cursor| {
        cursor::decode(&owner, &query, cursor, Position::parse)
    })?;
    let preview = preview::preview(&app, &owner, &work, position).await?;
    Ok(Json(preview))
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
    let (job, error) = current_with_error(&app, job.ok_or_else(Problem::no_such_job)?).await?;
    let files = export::files(&app, &job).await?;
    let (files, files_expire_at) = files.map(|files| (files.files, files.expire_at)).unzip();
    Ok(Json(Job {
        error,
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
    description = "The job stops after the images that it is processing. Images that were processed keep the result, and \
        those that have started to be labeled again are labeled. Deleted images stay deleted. The files of a canceled export are deleted. What an import has \
        copied stays.",
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
    let job = job.ok_or_else(Problem::no_such_job)?;
    if job.kind == JobKind::Import && job.status == JobStatus::Canceled {
        stop_import(&app, &owner, id).await?;
    }
    Ok(Json(job.into()))
}

/// Continues a job.
#[utoipa::path(
    post,
    path = "/jobs/{jobId}/resume",
    tag = "jobs",
    operation_id = "resumeJob",
    summary = "Continue a job that was canceled or has failed",
    description = "Continues a `RELABEL`, `CORRECT` or `DELETE` job with the images that it has not processed, unless it was \
        undone. Does nothing if the job is running. At most three corrections, one relabeling and one deletion can run at the \
        same time.",
    params(("jobId" = JobId, Path, description = "As returned by the request that started the job")),
    responses((status = 202, description = "The job", body = Job), BadRequest, NoSuchJob, CannotResume),
)]
pub(crate) async fn resume(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    let id = job_id(&id)?;
    let stored = app
        .records
        .job(&owner, id)
        .await?
        .ok_or_else(Problem::no_such_job)?;
    let max = max_resumed(stored.kind).ok_or_else(Problem::cannot_resume)?;
    if stored.is_undone {
        return Err(Problem::cannot_resume());
    }
    let status = current(&app, stored.clone()).await?.status;
    match status {
        JobStatus::Running => {}
        JobStatus::Succeeded => return Err(Problem::cannot_resume()),
        JobStatus::Canceled | JobStatus::Failed => resume_stopped(&app, &stored, max).await?,
    }
    let job = app.records.job(&owner, id).await?;
    let job = job.ok_or_else(Problem::no_such_job)?;
    // Another request has begun to undo it just now.
    if job.is_undone {
        return Err(Problem::cannot_resume());
    }
    Ok((StatusCode::ACCEPTED, Json(job.into())))
}

/// How many jobs of a kind can run at the same time. `None` if they can't be resumed.
fn max_resumed(kind: JobKind) -> Option<usize> {
    match kind {
        JobKind::Relabel => Some(MAX_RUNNING_RELABELS),
        JobKind::Correct => Some(MAX_RUNNING_CORRECTIONS),
        JobKind::Delete => Some(MAX_RUNNING_DELETIONS),
        // New settings and exports start from the beginning, with another job. An operator continues an import.
        JobKind::Refilter | JobKind::Export | JobKind::Undo | JobKind::Import => None,
    }
}

/// Starts the next execution of a job. The record names it before, so that of two requests at the same moment one starts it.
async fn resume_stopped(app: &App, stored: &domain::Job, max: usize) -> Result<(), Problem> {
    let (owner, id) = (&stored.owner, stored.job_id);
    // Before the record changes: a job that has failed stays as it is.
    if running(app, owner, stored.kind).await? >= max {
        return Err(Problem::too_many_jobs(max));
    }
    let arn = |number| executions::arn(&app.jobs_state_machine_arn, &execution_name(id, number));
    // A part that was handing over when the job was canceled has started the next execution, which has ended at once.
    let next = stored.execution + 1;
    let is_taken = executions::state(&app.sfn, &arn(next)).await? != Execution::Unknown;
    let number = next + u32::from(is_taken);
    let (name, arn) = (execution_name(id, number), arn(number));
    if !app.records.resume_job(stored, number, &arn).await? {
        // Another request has resumed it, or undoes it.
        return Ok(());
    }
    // Another job may have started since.
    if let Err(problem) = check_running(app, owner, stored.kind, max).await {
        app.records.cancel_job(owner, id).await?;
        return Err(problem);
    }
    let input = JobProgress {
        execution: number,
        ..JobProgress::start(id, owner)
    };
    let input = serde_json::to_string(&input).map_err(|_| Problem::internal())?;
    // If this fails, the job counts as failed, and can be resumed again.
    executions::start(&app.sfn, &app.jobs_state_machine_arn, &name, input).await?;
    Ok(())
}

/// Starts the execution that stops that of a canceled import and writes its report. If this fails or is not reached, the batches
/// that are left are still started, and end at once: a repeated request saves their costs. Returns `false` if all executions that
/// should stop it have failed.
pub(super) async fn stop_import(app: &App, owner: &Owner, id: JobId) -> Result<bool, Problem> {
    let request = ImportRequest::cancel(id, owner);
    let input = serde_json::to_string(&request).map_err(|_| Problem::internal())?;
    for attempt in 1..=ImportRequest::MAX_CANCELLATIONS {
        let machine = &app.imports_state_machine_arn;
        let name = ImportRequest::cancel_name(id, attempt);
        let started = executions::start(&app.sfn, machine, &name, input.clone()).await?;
        // A name can be used once: after an execution that has failed, the next one is tried.
        if started.is_some() || !has_failed(app, &executions::arn(machine, &name)).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether an execution has ended without success.
async fn has_failed(app: &App, execution_arn: &str) -> Result<bool, Problem> {
    let execution = executions::describe(&app.sfn, execution_arn).await?;
    Ok(execution.is_some_and(|execution| {
        use aws_sdk_sfn::types::ExecutionStatus::{Aborted, Failed, TimedOut};
        matches!(execution.status(), Failed | TimedOut | Aborted)
    }))
}

fn job_id(text: &str) -> Result<JobId, Problem> {
    JobId::parse(text).ok_or_else(|| {
        Problem::invalid_field(
            "jobId",
            "a job ID as returned by the request that started the job",
        )
    })
}

/// The execution that works on a job, or has done so last.
fn execution_of(app: &App, job: &domain::Job) -> String {
    let stored = match &job.import {
        // An operator has started it.
        Some(import) => Some(&import.execution_arn),
        None => job.execution_arn.as_ref(),
    };
    // Until its first part has started.
    let first = || executions::arn(&app.jobs_state_machine_arn, &execution_name(job.job_id, 1));
    stored.cloned().unwrap_or_else(first)
}

/// The job with its current status. A job that has stored no progress for a while is `FAILED` if its execution has ended.
async fn current(app: &App, job: domain::Job) -> Result<domain::Job, Problem> {
    Ok(current_with_error(app, job).await?.0)
}

/// The same, with the error of the execution of a job that has failed.
async fn current_with_error(app: &App, job: domain::Job) -> Result<(domain::Job, Option<String>), Problem> {
    let mut job = job;
    let mut error = None;
    let silent_since: Option<Timestamp> = job.updated_at.parse().ok();
    let is_silent = silent_since.is_none_or(|time| Timestamp::now().duration_since(time) > SILENCE);
    if job.status == JobStatus::Running && is_silent {
        let arn = execution_of(app, &job);
        let execution = executions::describe(&app.sfn, &arn).await?;
        let is_running =
            |execution: &DescribeExecutionOutput| Execution::of(execution.status()) == Execution::Running;
        if !execution.as_ref().is_some_and(is_running) {
            // The job may have ended since it was read, or its execution may have handed over to the next one.
            let newest = app.records.job(&job.owner, job.job_id).await?;
            job = newest.unwrap_or(job);
            if job.status == JobStatus::Running && execution_of(app, &job) == arn {
                job.status = JobStatus::Failed;
                error = execution.and_then(|execution| execution.error);
            }
        }
    }
    Ok((job, error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake_app;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::query::QueryOutput;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_sdk_sfn::operation::describe_execution::DescribeExecutionError;
    use aws_sdk_sfn::operation::start_execution::StartExecutionOutput;
    use aws_sdk_sfn::primitives::DateTime;
    use aws_sdk_sfn::types::ExecutionStatus;
    use aws_sdk_sfn::types::error::ExecutionDoesNotExist;
    use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
    use serde_json::json;
    use std::collections::HashMap;
    use std::sync::Mutex;

    /// A running job that has been silent for a long time.
    fn silent(execution_arn: &str) -> domain::Job {
        serde_json::from_value(json!({
            "jobId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "kind": "CORRECT", "status": "RUNNING",
            "processed": 0, "changed": 0, "executionArn": execution_arn, "startedAt": "2026-11-22T12:00:00.000Z",
            "updatedAt": "2026-11-22T12:00:00.000Z", "expiresAt": 0,
        }))
        .unwrap()
    }

    /// The status that the API reports of a job whose execution `first` has ended, and whose record then names `newest`.
    async fn status(newest: &str) -> JobStatus {
        let record: HashMap<String, AttributeValue> = serde_dynamo::to_item(silent(newest)).unwrap();
        let get = mock!(aws_sdk_dynamodb::Client::get_item)
            .then_output(move || GetItemOutput::builder().set_item(Some(record.clone())).build());
        let describe = mock!(aws_sdk_sfn::Client::describe_execution).then_output(|| {
            DescribeExecutionOutput::builder()
                .execution_arn("first")
                .state_machine_arn("run-job")
                .start_date(DateTime::from_secs(0))
                .status(ExecutionStatus::Succeeded)
                .build()
                .unwrap()
        });
        let app = fake_app(
            mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&get]),
            mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&describe]),
        );
        let Ok(job) = current(&app, silent("first")).await else {
            panic!("no job")
        };
        job.status
    }

    /// An execution hands a long job over to the next one and ends.
    #[tokio::test]
    async fn a_job_that_was_handed_over_since_it_was_read_has_not_failed() {
        assert_eq!(status("next").await, JobStatus::Running);
        assert_eq!(status("first").await, JobStatus::Failed);
    }

    /// The name of the execution that continues a canceled job, if Step Functions knows these executions, which have ended.
    async fn resumed(known: &'static [&'static str]) -> String {
        let describe = mock!(aws_sdk_sfn::Client::describe_execution).then_compute_response(|request| {
            let arn = request.execution_arn().unwrap();
            if !known.iter().any(|name| arn.ends_with(name)) {
                let unknown = ExecutionDoesNotExist::builder().build();
                return MockResponse::Error(DescribeExecutionError::ExecutionDoesNotExist(unknown));
            }
            let execution = DescribeExecutionOutput::builder()
                .execution_arn(arn)
                .state_machine_arn("run-job");
            let execution = execution
                .start_date(DateTime::from_secs(0))
                .status(ExecutionStatus::Succeeded);
            MockResponse::Output(execution.build().unwrap())
        });
        let query = mock!(aws_sdk_dynamodb::Client::query).then_output(|| QueryOutput::builder().build());
        let update =
            mock!(aws_sdk_dynamodb::Client::update_item).then_output(|| UpdateItemOutput::builder().build());
        let started = Arc::new(Mutex::new(String::new()));
        let start = mock!(aws_sdk_sfn::Client::start_execution).then_compute_output({
            let started = Arc::clone(&started);
            move |request| {
                request.name().unwrap().clone_into(&mut started.lock().unwrap());
                let execution = StartExecutionOutput::builder().execution_arn("arn");
                execution.start_date(DateTime::from_secs(0)).build().unwrap()
            }
        });
        let app = fake_app(
            mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query, &update]),
            mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&describe, &start]),
        );
        let canceled = domain::Job {
            status: JobStatus::Canceled,
            ..silent("first")
        };
        assert!(resume_stopped(&app, &canceled, 3).await.is_ok());
        started.lock().unwrap().clone()
    }

    /// Its name cannot be used again: nothing would run.
    #[tokio::test]
    async fn a_job_that_was_canceled_while_it_was_handed_over_is_resumed_by_the_execution_after_that() {
        let id = silent("first").job_id;
        let next = execution_name(id, 2);
        assert_eq!(resumed(&[]).await, next);
        assert_eq!(resumed(&["-2"]).await, execution_name(id, 3));
    }
}
