//! The jobs: what is in progress, and the results of those that have ended.

use crate::error::{ApiError, ErrorKind};
use crate::video::request::{AggregateBy, GetLabelDetection, SortBy, StartLabelDetection};
use crate::video::results::Results;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Default maximum number of jobs at a time. Source: Rekognition's guidelines and quotas.
pub const MAX_JOBS: usize = 20;
/// How long results are kept.
const RESULTS_LIFE: Duration = Duration::from_secs(7 * 86_400);
/// How long the token of a page is valid.
const PAGE_LIFE: Duration = Duration::from_secs(86_400);

/// All jobs.
#[derive(Debug)]
pub(crate) struct Jobs {
    max_jobs: usize,
    /// One video at a time: the models and decoders use all processors.
    turn: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    jobs: HashMap<String, Job>,
    /// The jobs by the tokens of clients.
    tokens: HashMap<String, String>,
    pages: HashMap<String, Page>,
}

#[derive(Debug)]
struct Job {
    request: StartLabelDetection,
    status: Status,
    /// When it has started or ended.
    since: Instant,
}

#[derive(Debug)]
enum Status {
    InProgress,
    Succeeded(Arc<Results>),
    Failed(String),
}

/// Where the next page begins.
#[derive(Debug)]
struct Page {
    job: String,
    from: usize,
    sort_by: SortBy,
    aggregate_by: AggregateBy,
    since: Instant,
}

impl Jobs {
    /// At most `max_jobs` are in progress at a time.
    pub(crate) fn new(max_jobs: usize) -> Self {
        Self {
            max_jobs,
            turn: Semaphore::new(1),
            state: Mutex::default(),
        }
    }

    fn state(&self, now: Instant) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_alive = |since: Instant, life| now.saturating_duration_since(since) < life;
        state
            .jobs
            .retain(|_, job| matches!(job.status, Status::InProgress) || is_alive(job.since, RESULTS_LIFE));
        state.pages.retain(|_, page| is_alive(page.since, PAGE_LIFE));
        let State { jobs, tokens, .. } = &mut *state;
        tokens.retain(|_, job| jobs.contains_key(job.as_str()));
        state
    }

    /// The job that was started with the same token and parameters, if there is one.
    ///
    /// # Errors
    /// `IdempotentParameterMismatchException` if the parameters were different.
    pub(crate) fn repeated(
        &self,
        request: &StartLabelDetection,
        now: Instant,
    ) -> Result<Option<String>, ApiError> {
        self.state(now).repeated(request)
    }

    /// Starts a job. Returns its ID, and whether it is new: another request with the same token can be faster.
    ///
    /// # Errors
    /// As [`repeated`](Self::repeated), and `LimitExceededException`.
    pub(crate) fn start(
        &self,
        request: &StartLabelDetection,
        now: Instant,
    ) -> Result<(String, bool), ApiError> {
        let mut state = self.state(now);
        if let Some(id) = state.repeated(request)? {
            return Ok((id, false));
        }
        let in_progress = state
            .jobs
            .values()
            .filter(|job| matches!(job.status, Status::InProgress))
            .count();
        if in_progress >= self.max_jobs {
            return Err(ApiError::new(
                ErrorKind::LimitExceededException,
                format!(
                    "{in_progress} jobs are in progress, the maximum is {}",
                    self.max_jobs
                ),
            ));
        }
        // 64 hexadecimal digits, as in AWS.
        let id = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
        if let Some(token) = &request.client_token {
            state.tokens.insert(token.clone(), id.clone());
        }
        let job = Job {
            request: request.clone(),
            status: Status::InProgress,
            since: now,
        };
        state.jobs.insert(id.clone(), job);
        Ok((id, true))
    }

    /// Waits until no other video is being labeled.
    pub(crate) async fn alone<T>(&self, work: impl Future<Output = T>) -> T {
        let turn = self.turn.acquire().await;
        let result = work.await;
        drop(turn);
        result
    }

    /// Stores what a job has found, or why it has failed.
    pub(crate) fn finish(&self, id: &str, outcome: Result<Results, String>, now: Instant) {
        if let Some(job) = self.state(now).jobs.get_mut(id) {
            job.since = now;
            job.status = match outcome {
                Ok(results) => Status::Succeeded(Arc::new(results)),
                Err(message) => Status::Failed(message),
            };
        }
    }

    /// A page of results: the response to `GetLabelDetection`.
    ///
    /// # Errors
    /// `ResourceNotFoundException`, `InvalidPaginationTokenException`.
    pub(crate) fn page(&self, request: &GetLabelDetection, now: Instant) -> Result<Value, ApiError> {
        let GetLabelDetection {
            sort_by,
            aggregate_by,
            ..
        } = *request;
        let mut state = self.state(now);
        let job = state
            .jobs
            .get(&request.job)
            .ok_or_else(|| ApiError::new(ErrorKind::ResourceNotFoundException, "Could not find JobId"))?;
        let start = &job.request;
        let mut page = json!({
            "JobId": request.job,
            "LabelModelVersion": label_model::VERSION,
            "Labels": [],
            "Video": { "S3Object": { "Bucket": start.video.bucket, "Name": start.video.key } },
            "GetRequestMetadata": { "SortBy": sort_by, "AggregateBy": aggregate_by },
        });
        if let Some(version) = &start.video.version {
            page["Video"]["S3Object"]["Version"] = json!(version);
        }
        if let Some(tag) = &start.job_tag {
            page["JobTag"] = json!(tag);
        }
        let results = match &job.status {
            Status::InProgress => {
                page["JobStatus"] = json!("IN_PROGRESS");
                return Ok(page);
            }
            Status::Failed(message) => {
                page["JobStatus"] = json!("FAILED");
                page["StatusMessage"] = json!(message);
                return Ok(page);
            }
            Status::Succeeded(results) => Arc::clone(results),
        };
        let from = match &request.next_token {
            None => 0,
            Some(token) => state
                .pages
                .get(token)
                .filter(|page| {
                    (page.job.as_str(), page.sort_by, page.aggregate_by)
                        == (request.job.as_str(), sort_by, aggregate_by)
                })
                .map(|page| page.from)
                .ok_or_else(|| {
                    ApiError::new(
                        ErrorKind::InvalidPaginationTokenException,
                        "Invalid pagination token",
                    )
                })?,
        };
        let detections = results.detections(aggregate_by, sort_by);
        let to = detections.len().min(from + request.max_results);
        if to < detections.len() {
            let token = Uuid::new_v4().simple().to_string();
            page["NextToken"] = json!(token);
            let next = Page {
                job: request.job.clone(),
                from: to,
                sort_by,
                aggregate_by,
                since: now,
            };
            state.pages.insert(token, next);
        }
        page["JobStatus"] = json!("SUCCEEDED");
        page["VideoMetadata"] = json!(results.metadata);
        page["Labels"] = json!(detections[from..to]);
        Ok(page)
    }
}

impl State {
    fn repeated(&self, request: &StartLabelDetection) -> Result<Option<String>, ApiError> {
        let id = request
            .client_token
            .as_ref()
            .and_then(|token| self.tokens.get(token));
        let Some((id, job)) = id.and_then(|id| Some((id, self.jobs.get(id)?))) else {
            return Ok(None);
        };
        if job.request == *request {
            return Ok(Some(id.clone()));
        }
        Err(ApiError::new(
            ErrorKind::IdempotentParameterMismatchException,
            "ClientRequestToken was used with other parameters",
        ))
    }
}

#[cfg(test)]
mod tests;
