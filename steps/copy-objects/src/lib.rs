//! The step of imports that copies: handles a batch of objects of another bucket.
//!
//! Input and output: [`domain::ImportBatch`]. The state machine repeats the step until the output is `done`. A part that is
//! repeated after a failure finds what it has copied before, and counts it in the same way.

mod object;

use aws::ServiceError;
use domain::image::MAX_BYTES;
use domain::import::{FailureReason, ImportFailure, ImportResult, SourceObject, copy_key};
use domain::metric;
use domain::{ErrorName, Import, ImportBatch, ImportCounts, JobStatus, StepError};
use futures_util::future::ready;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use object::Handled;
use records::{Records, RecordsError};
use std::cell::Cell;
use std::num::NonZeroU32;
use std::pin::pin;
use std::time::{Duration, Instant};
use strum::EnumIter;

/// After this time, no object is started, except the first one of a part.
const BUDGET: Duration = Duration::from_secs(45);

/// The function's timeout. The state machine waits as long for the last functions of a canceled import.
const FUNCTION_TIMEOUT: Duration = Duration::from_secs(120);

/// What is reserved of the function's time after the last copy, to read the job and to write the results.
const RESERVE: Duration = Duration::from_secs(15);

/// The timeout for copying an object within the size limit of pictures. S3 answers when it has copied everything, and computes a
/// checksum meanwhile.
const COPY_TIMEOUT: Duration = Duration::from_secs(30);

/// The time that is kept for copying a larger object, a video, after the wait for its slot. The copy may take all the time that is
/// left.
const LARGE_COPY_TIMEOUT: Duration = Duration::from_secs(60);

/// Objects that are handled at the same time. The state machine has few batches in progress, so that few functions wait for
/// slots.
const CONCURRENCY: usize = 8;

/// After so many attempts of a part, about 16 minutes, an object for which S3 reports internal errors counts as failed. Otherwise,
/// one such object would fail the whole import.
const MAX_RETRIES: u32 = 10;

/// How often such an object is tried again then, with a pause: attempts of a part also end because there was no slot, so this can
/// be the first one that finds an error.
const LAST_RETRIES: u32 = 3;
const LAST_PAUSE: Duration = Duration::from_secs(2);

/// The longest wait for a slot.
const MAX_WAIT: Duration = Duration::from_secs(30);

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct CopyObjects {
    /// Reads the source, copies objects, and writes results.
    pub s3: aws_sdk_s3::Client,
    /// The bucket of the pictures.
    pub bucket: String,
    /// Reads the job and deleted images, and takes slots for images.
    pub records: Records,
    /// How many images all bulk work together starts per second.
    pub per_second: NonZeroU32,
}

/// Why the batch was not handled. Objects that cannot be copied aren't errors.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum CopyObjectsError {
    /// An item is invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(RecordsError),
    /// A call about an object of the source failed.
    #[error(transparent)]
    #[strum(disabled)]
    Object(ServiceError),
    /// Other bulk work has taken the slots of the next seconds.
    #[error("other bulk work has taken the slots of the next {} seconds", MAX_WAIT.as_secs())]
    NoSlot,
}

impl From<RecordsError> for CopyObjectsError {
    fn from(error: RecordsError) -> Self {
        Self::Records(error)
    }
}

impl From<ServiceError> for CopyObjectsError {
    fn from(error: ServiceError) -> Self {
        Self::Records(error.into())
    }
}

impl StepError for CopyObjectsError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Records(error) => error.name(),
            Self::Object(error) => error.name(),
            Self::NoSlot => ErrorName::Throttled,
        }
    }
}

/// Handles objects for 45 seconds, or until all are handled or the import is canceled.
///
/// # Errors
/// See [`CopyObjectsError`].
pub async fn handle(step: &CopyObjects, batch: ImportBatch) -> Result<ImportBatch, CopyObjectsError> {
    run(step, batch, PartTime::start()).await
}

/// The time limits of a part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PartTime {
    started: Instant,
}

impl PartTime {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
        }
    }

    /// Whether another object may be handled.
    fn has_time(self) -> bool {
        self.started.elapsed() < BUDGET
    }

    /// How long an object of this size may wait for its slot. `None` if its copy would not end in time: another part begins with
    /// it.
    pub(crate) fn max_wait(self, size: u64) -> Option<Duration> {
        if size > MAX_BYTES {
            let spare = self.left().checked_sub(LARGE_COPY_TIMEOUT)?;
            Some(MAX_WAIT.min(spare))
        } else {
            Some(MAX_WAIT)
        }
    }

    /// The timeout for copying an object of this size now.
    pub(crate) fn copy_timeout(self, size: u64) -> Duration {
        if size > MAX_BYTES {
            self.left()
        } else {
            COPY_TIMEOUT.min(self.left())
        }
    }

    /// The time until the reserve.
    fn left(self) -> Duration {
        (FUNCTION_TIMEOUT - RESERVE).saturating_sub(self.started.elapsed())
    }
}

async fn run(
    step: &CopyObjects,
    mut batch: ImportBatch,
    time: PartTime,
) -> Result<ImportBatch, CopyObjectsError> {
    if state(step, &batch.import).await? != JobState::Running {
        return stop(step, batch).await;
    }
    let (mut counts, mut failures) = (ImportCounts::default(), vec![]);
    let gives_up = batch.retries >= MAX_RETRIES;
    // An object in progress finds this out before its turn to be counted comes.
    let job = Cell::new(JobState::Running);
    {
        let (import, job) = (&batch.import, &job);
        let objects = stream::iter(&batch.objects).enumerate();
        // Objects that are being copied when this ends are counted by the next part.
        let mut handled = pin!(
            objects
                .take_while(|(index, _)| ready(
                    *index == 0 || (time.has_time() && job.get() == JobState::Running)
                ))
                .map(|(_, object)| async move {
                    let mut result = import_object(step, import, object, time).await;
                    for _ in 0..LAST_RETRIES {
                        if !gives_up || !is_unavailable(&result) || !time.has_time() {
                            break;
                        }
                        tokio::time::sleep(LAST_PAUSE).await;
                        result = import_object(step, import, object, time).await;
                    }
                    if let Ok(Some((_, now))) = result
                        && now != JobState::Running
                    {
                        job.set(now);
                    }
                    (object, result)
                })
                .buffered(CONCURRENCY)
        );
        while let Some((object, result)) = handled.next().await {
            // Those in progress must end: each deletes its copy. If the import was canceled, each is counted.
            if job.get() == JobState::Deleted {
                continue;
            }
            let result = match result {
                // There was no time to try it again. The next part begins with it.
                result if gives_up && is_unavailable(&result) && !time.has_time() && counts.objects() > 0 => {
                    None
                }
                result if gives_up && is_unavailable(&result) => {
                    let reason = FailureReason::ServiceUnavailable;
                    Some((Handled::Failed(reason), JobState::Running))
                }
                result => result?,
            };
            let result = match result {
                Some((Handled::As(result), _)) => result,
                Some((Handled::Failed(reason), _)) => {
                    failures.push(ImportFailure {
                        key: object.key.clone(),
                        reason,
                    });
                    ImportResult::Failed
                }
                // The retry of the state machine waits.
                None if counts.objects() == 0 => return Err(CopyObjectsError::NoSlot),
                None => break,
            };
            counts.count(result);
        }
    }
    let job = job.get();
    if job == JobState::Deleted {
        return stop(step, batch).await;
    }
    let handled = usize::try_from(counts.objects()).unwrap_or(usize::MAX);
    batch.objects.drain(..handled.min(batch.objects.len()));
    batch.counts += counts;
    batch.failures.append(&mut failures);
    if job != JobState::Running {
        return stop(step, batch).await;
    }
    // After each part: if the import is canceled, the execution is stopped, and with it what a batch has in its state.
    write_results(step, &batch).await?;
    batch.done = batch.objects.is_empty();
    let Import { owner, job_id, .. } = &batch.import;
    if !step.records.advance_import(owner, *job_id, counts).await? {
        return stop(step, batch).await;
    }
    metric::imported(&counts);
    Ok(if batch.done { ended(batch) } else { batch })
}

/// Whether S3 has reported an internal error for an object.
fn is_unavailable<T>(result: &Result<T, CopyObjectsError>) -> bool {
    matches!(
        result,
        Err(CopyObjectsError::Object(ServiceError::ServiceUnavailable(_)))
    )
}

/// Handles an object, and returns whether the import is still running. `None` if there is no slot for it, or not enough time.
///
/// The record is read after the copy. If an owner deletes all data before that, this deletes the copy. If an owner does so later,
/// the copy is among the objects that the deletion lists.
async fn import_object(
    step: &CopyObjects,
    import: &Import,
    object: &SourceObject,
    time: PartTime,
) -> Result<Option<(Handled, JobState)>, CopyObjectsError> {
    let Some(handled) = object::import(step, import, object, time).await? else {
        return Ok(None);
    };
    if handled != Handled::As(ImportResult::Imported) {
        return Ok(Some((handled, JobState::Running)));
    }
    let now = state(step, import).await?;
    if now == JobState::Deleted {
        let key = copy_key(&import.owner, &import.bucket, &object.key);
        objects::delete(&step.s3, &step.bucket, &key).await?;
    }
    Ok(Some((handled, now)))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum JobState {
    Running,
    /// Canceled, or already summarized.
    Ended,
    /// The owner has deleted all data.
    Deleted,
}

async fn state(step: &CopyObjects, import: &Import) -> Result<JobState, CopyObjectsError> {
    let job = step.records.job(&import.owner, import.job_id).await?;
    Ok(match job {
        None => JobState::Deleted,
        Some(job) if job.status == JobStatus::Running => JobState::Running,
        Some(_) => JobState::Ended,
    })
}

/// Ends a batch of an import that is not running. The report of a canceled import has what was done until then. If the owner
/// has deleted all data, nothing may remain, including copies of an attempt that has ended without reading the record.
async fn stop(step: &CopyObjects, batch: ImportBatch) -> Result<ImportBatch, CopyObjectsError> {
    if state(step, &batch.import).await? == JobState::Deleted {
        let objects = stream::iter(&batch.objects).map(|object| delete_own_copy(step, &batch.import, object));
        objects.buffer_unordered(CONCURRENCY).try_collect::<()>().await?;
        for key in [batch.result_key(), batch.failed_key()] {
            objects::delete(&step.s3, &step.bucket, &key).await?;
        }
    } else if !batch.done && batch.counts.objects() > 0 {
        write_results(step, &batch).await?;
    }
    Ok(ended(batch))
}

/// Deletes the copy of an object if this import has made it.
async fn delete_own_copy(
    step: &CopyObjects,
    import: &Import,
    object: &SourceObject,
) -> Result<(), CopyObjectsError> {
    let key = copy_key(&import.owner, &import.bucket, &object.key);
    let copy = objects::find(&step.s3, &step.bucket, &key).await?;
    if copy.is_some_and(|copy| object::is_of(&copy, import)) {
        objects::delete(&step.s3, &step.bucket, &key).await?;
    }
    Ok(())
}

/// What the last part returns: nothing that makes the state of the execution large.
fn ended(batch: ImportBatch) -> ImportBatch {
    ImportBatch {
        objects: vec![],
        failures: vec![],
        done: true,
        ..batch
    }
}

/// Writes the list of failed objects first, so that it exists once the numbers do. Deletes the list of an earlier attempt if no
/// object has failed this time.
async fn write_results(step: &CopyObjects, batch: &ImportBatch) -> Result<(), CopyObjectsError> {
    let invalid = |error: serde_json::Error| RecordsError::Unreadable(error.to_string());
    let key = batch.failed_key();
    if batch.failures.is_empty() {
        // Nearly no batch has a list, and HEAD costs less than a listing.
        if objects::find(&step.s3, &step.bucket, &key).await?.is_some() {
            objects::delete(&step.s3, &step.bucket, &key).await?;
        }
    } else {
        let mut lines = vec![];
        for failure in &batch.failures {
            serde_json::to_writer(&mut lines, failure).map_err(invalid)?;
            lines.push(b'\n');
        }
        objects::write(&step.s3, &step.bucket, &key, "application/jsonl", lines).await?;
    }
    let counts = serde_json::to_vec(&batch.counts).map_err(invalid)?;
    let key = batch.result_key();
    objects::write(&step.s3, &step.bucket, &key, "application/json", counts).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_sdk_s3::Client;
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
    use aws_sdk_s3::operation::get_object::GetObjectOutput;
    use aws_sdk_s3::operation::head_object::HeadObjectOutput;
    use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
    use aws_sdk_s3::operation::put_object::PutObjectOutput;
    use aws_sdk_s3::types::ObjectVersion;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::Job;
    use domain::import::{MAX_COPY_BYTES, metadata};
    use serde_json::json;
    use std::collections::HashMap;

    const JOB: &str = "0193a5a0-7a3c-7e11-8a55-3f1b7c9d2e10";
    const OTHER_JOB: &str = "0193a5a0-7a3c-7e11-8a55-3f1b7c9d2e11";

    fn batch(keys: &[&str]) -> ImportBatch {
        let items = keys
            .iter()
            .map(|key| json!({"jobId": JOB, "owner": "demo", "bucket": "holidays", "object": {"Key": key}}));
        serde_json::from_value(json!({"Items": items.collect::<Vec<_>>()})).unwrap()
    }

    pub(crate) fn started_before(elapsed: Duration) -> PartTime {
        PartTime {
            started: Instant::now().checked_sub(elapsed).unwrap(),
        }
    }

    /// No job exists.
    fn step(rules: &[&Rule]) -> CopyObjects {
        let no_job =
            mock!(aws_sdk_dynamodb::Client::get_item).then_output(|| GetItemOutput::builder().build());
        CopyObjects {
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, rules),
            bucket: "pictures".into(),
            records: Records::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&no_job]),
                "table".into(),
            ),
            per_second: NonZeroU32::MIN,
        }
    }

    fn copy_by(job: &'static str, key: &'static str) -> Rule {
        mock!(Client::head_object)
            .match_requests(move |request| request.key() == Some(key))
            .then_output(move || {
                let head = HeadObjectOutput::builder().metadata(metadata::ETAG, "0a");
                head.metadata(metadata::JOB, job).build()
            })
    }

    fn versions() -> Rule {
        mock!(Client::list_object_versions).then_compute_output(|request| {
            let key = request.prefix().unwrap_or_default();
            let version = ObjectVersion::builder().key(key).version_id("1").build();
            ListObjectVersionsOutput::builder().versions(version).build()
        })
    }

    fn delete(prefix: &'static str) -> Rule {
        mock!(Client::delete_object)
            .match_requests(move |request| request.key().is_some_and(|key| key.starts_with(prefix)))
            .then_output(|| DeleteObjectOutput::builder().build())
    }

    /// An attempt can die between its copy and its look at the job. Its copy would be labeled after its owner has deleted all
    /// data.
    #[tokio::test]
    async fn copies_of_an_import_whose_owner_has_deleted_all_data_are_deleted() {
        let own = copy_by(JOB, "uploads/demo/holidays/own.jpg");
        let other = copy_by(OTHER_JOB, "uploads/demo/holidays/other.jpg");
        let missing = mock!(Client::head_object)
            .then_http_response(|| HttpResponse::new(404.try_into().unwrap(), "".into()));
        let versions = versions();
        let copies = delete("uploads/demo/holidays/own.jpg");
        let results = delete("imports/demo/");
        let step = step(&[&own, &other, &missing, &versions, &copies, &results]);
        let batch = batch(&["own.jpg", "other.jpg", "missing.jpg"]);
        let ended = run(&step, batch, PartTime::start()).await.unwrap();
        assert!(ended.done);
        assert_eq!((copies.num_calls(), results.num_calls()), (1, 2));
    }

    /// One object of ten million must not fail the import, and an outage must not fail its objects.
    #[tokio::test(start_paused = true)]
    async fn an_object_with_internal_errors_of_s3_fails_alone_after_some_retries() {
        for (retries, gives_up) in [(0, false), (MAX_RETRIES - 1, false), (MAX_RETRIES, true)] {
            let job: Job = serde_json::from_value(json!({
                "jobId": JOB, "owner": "demo", "kind": "IMPORT", "status": "RUNNING", "processed": 0, "changed": 0,
                "import": {"bucket": "holidays", "prefix": "", "executionArn": "arn"},
                "startedAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z", "expiresAt": 1,
            }))
            .unwrap();
            let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(&job).unwrap();
            let get = mock!(aws_sdk_dynamodb::Client::get_item)
                .then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build());
            let update = mock!(aws_sdk_dynamodb::Client::update_item)
                .then_output(|| UpdateItemOutput::builder().build());
            let head = mock!(Client::head_object)
                .then_http_response(|| HttpResponse::new(404.try_into().unwrap(), "".into()));
            let text = mock!(Client::get_object)
                .match_requests(|request| request.key() == Some("notes.txt"))
                .then_output(|| {
                    let text = GetObjectOutput::builder().e_tag("\"0a\"");
                    let text = text.content_range("bytes 0-4/5");
                    text.body(b"notes".to_vec().into()).build()
                });
            let broken = mock!(Client::get_object)
                .match_requests(|request| request.key() == Some("broken.jpg"))
                .then_http_response(|| {
                    let body = "<Error><Code>InternalError</Code></Error>";
                    HttpResponse::new(500.try_into().unwrap(), body.into())
                });
            let put = mock!(Client::put_object).then_output(|| PutObjectOutput::builder().build());
            let step = CopyObjects {
                s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&head, &text, &broken, &put]),
                records: Records::new(
                    mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&get, &update]),
                    "table".into(),
                ),
                ..step(&[])
            };
            let batch = ImportBatch {
                retries,
                ..batch(&["broken.jpg", "notes.txt"])
            };
            let result = run(&step, batch, PartTime::start()).await;
            if gives_up {
                let counts = result.unwrap().counts;
                assert_eq!((counts.failed, counts.not_pictures), (1, 1));
                assert!(
                    broken.num_calls() > 3,
                    "the part can have been repeated only for slots"
                );
                assert_eq!(put.num_calls(), 2, "the list of failed objects, and the numbers");
            } else {
                assert_eq!(result.unwrap_err().name(), ErrorName::ServiceUnavailable);
                assert_eq!(put.num_calls(), 0);
            }
        }
    }

    /// Otherwise, the next import tries objects again that have been copied.
    #[tokio::test]
    async fn a_repeated_batch_without_failures_deletes_the_list_of_its_earlier_attempt() {
        for exists in [true, false] {
            let head = if exists {
                mock!(Client::head_object).then_output(|| HeadObjectOutput::builder().build())
            } else {
                mock!(Client::head_object)
                    .then_http_response(|| HttpResponse::new(404.try_into().unwrap(), "".into()))
            };
            let put = mock!(Client::put_object).then_output(|| PutObjectOutput::builder().build());
            let (versions, list) = (versions(), delete("imports/demo/"));
            let step = step(&[&head, &put, &versions, &list]);
            write_results(&step, &batch(&["a.jpg"])).await.unwrap();
            assert_eq!(
                (put.num_calls(), list.num_calls()),
                (1, usize::from(exists)),
                "{exists}"
            );
        }
    }

    /// A function that reaches its timeout has written nothing, and a canceled import would be summarized too early.
    #[test]
    fn the_last_copy_ends_before_the_timeout_of_the_function() {
        let template = include_str!("../../../template.yaml");
        let (_, function) = template.split_once("\n  CopyObjectsFunction:\n").unwrap();
        let (_, timeout) = function.split_once("\n      Timeout: ").unwrap();
        let timeout: u64 = timeout.lines().next().unwrap().parse().unwrap();
        assert_eq!(timeout, FUNCTION_TIMEOUT.as_secs());
        let definition = include_str!("../../../statemachine/import-objects.asl.json");
        let definition: serde_json::Value = serde_json::from_str(definition).unwrap();
        let wait = &definition["States"]["Wait for last batches"]["Seconds"];
        assert_eq!(wait.as_u64(), Some(FUNCTION_TIMEOUT.as_secs()));

        assert!(BUDGET + MAX_WAIT + COPY_TIMEOUT + RESERVE <= FUNCTION_TIMEOUT);
        assert!(MAX_WAIT + LARGE_COPY_TIMEOUT + RESERVE <= FUNCTION_TIMEOUT);
        for size in [1, MAX_BYTES, MAX_BYTES + 1, MAX_COPY_BYTES] {
            for seconds in 0..(FUNCTION_TIMEOUT - RESERVE).as_secs() {
                let elapsed = Duration::from_secs(seconds);
                let time = started_before(elapsed);
                let timeout = time.copy_timeout(size);
                assert!(
                    elapsed + timeout + RESERVE <= FUNCTION_TIMEOUT,
                    "{size} {elapsed:?}"
                );
                if size > MAX_BYTES
                    && let Some(wait) = time.max_wait(size)
                {
                    assert!(timeout >= wait + LARGE_COPY_TIMEOUT, "{size} {elapsed:?}");
                }
            }
        }
        assert_eq!(PartTime::start().copy_timeout(MAX_BYTES), COPY_TIMEOUT);
        assert!(
            PartTime::start().max_wait(MAX_COPY_BYTES).is_some(),
            "the first object of a part"
        );
    }
}
