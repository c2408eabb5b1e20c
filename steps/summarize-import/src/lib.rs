//! The last step of an import: adds up the results of its batches, writes the report, and completes the job.
//!
//! Input and output: [`domain::ImportProgress`]. The state machine repeats the step until the output is `done`. Its state has
//! only the sums and the last key, however many batches there are.

use aws::ServiceError;
use domain::import::{batches_prefix, report_key, results_prefix};
use domain::{ErrorName, Import, ImportCounts, ImportProgress, StepError};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use objects::UnreadableObject;
use records::{Records, RecordsError};
use std::time::{Duration, Instant};
use strum::EnumIter;

/// No page but the first starts after this time. A page takes seconds, and the function may run for two minutes.
const BUDGET: Duration = Duration::from_secs(45);

/// Results per page.
const PAGE: i32 = 500;

/// Results that are read at the same time.
const CONCURRENCY: usize = 16;

/// The maximum length of a result in bytes. It has five numbers.
const MAX_RESULT_BYTES: u64 = 4096;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct SummarizeImport {
    /// Reads results, and writes the report.
    pub s3: aws_sdk_s3::Client,
    /// The bucket of the results.
    pub bucket: String,
    /// Completes the job.
    pub records: Records,
}

/// Why the import was not summarized.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum SummarizeImportError {
    /// An item is invalid, or a call to an AWS service failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(RecordsError),
    /// A result cannot be read.
    #[error("the result of a batch is invalid or was deleted")]
    InvalidResult,
}

impl From<RecordsError> for SummarizeImportError {
    fn from(error: RecordsError) -> Self {
        Self::Records(error)
    }
}

impl From<ServiceError> for SummarizeImportError {
    fn from(error: ServiceError) -> Self {
        Self::Records(error.into())
    }
}

impl StepError for SummarizeImportError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Records(error) => error.name(),
            Self::InvalidResult => ErrorName::UnexpectedAnswer,
        }
    }
}

/// Adds up results for 45 seconds, or until all are added up.
///
/// # Errors
/// See [`SummarizeImportError`].
pub async fn handle(
    step: &SummarizeImport,
    progress: ImportProgress,
) -> Result<ImportProgress, SummarizeImportError> {
    let until = Instant::now() + BUDGET;
    run(step, progress, || Instant::now() < until).await
}

async fn run(
    step: &SummarizeImport,
    mut progress: ImportProgress,
    has_time: impl Fn() -> bool,
) -> Result<ImportProgress, SummarizeImportError> {
    let Import { owner, job_id, .. } = progress.import.clone();
    let prefix = batches_prefix(&owner, job_id);
    loop {
        let after = progress.after.as_deref();
        let page = objects::list(&step.s3, &step.bucket, &prefix, after, PAGE).await?;
        let results = stream::iter(&page.objects).map(|object| read(step, &object.key));
        let results: Vec<Option<ImportCounts>> = results.buffer_unordered(CONCURRENCY).try_collect().await?;
        for counts in results {
            let Some(counts) = counts else {
                // If the owner deletes all data, the job is deleted before its results.
                if step.records.job(&owner, job_id).await?.is_some() {
                    return Err(SummarizeImportError::InvalidResult);
                }
                return delete_results(step, progress).await;
            };
            progress.counts += counts;
        }
        if let Some(last) = page.objects.into_iter().next_back() {
            progress.after = Some(last.key);
        }
        if !page.has_more {
            break;
        }
        if !has_time() {
            return Ok(progress);
        }
    }
    // A job that was canceled keeps its status, and has a report of what was done until then. If the owner has deleted all
    // data, nothing may remain.
    let Some(job) = step.records.job(&owner, job_id).await? else {
        return delete_results(step, progress).await;
    };
    let report =
        serde_json::to_vec(&progress.counts).map_err(|error| RecordsError::Unreadable(error.to_string()))?;
    let key = report_key(&owner, job_id);
    objects::write(&step.s3, &step.bucket, &key, "application/json", report).await?;
    let import = job
        .import
        .ok_or_else(|| RecordsError::Unreadable("the job is not an import".into()))?;
    let records = &step.records;
    let is_completed = records
        .complete_import(&owner, job_id, import, progress.counts)
        .await?;
    if !is_completed && records.job(&owner, job_id).await?.is_none() {
        return delete_results(step, progress).await;
    }
    progress.done = true;
    Ok(progress)
}

/// Ends an import whose owner has deleted all data. Also deletes what Step Functions has written about the batches.
async fn delete_results(
    step: &SummarizeImport,
    progress: ImportProgress,
) -> Result<ImportProgress, SummarizeImportError> {
    let Import { owner, job_id, .. } = &progress.import;
    objects::delete_all(&step.s3, &step.bucket, &results_prefix(owner, *job_id)).await?;
    Ok(ImportProgress {
        done: true,
        ..progress
    })
}

/// The result of a batch. `None` if it was deleted after it was listed.
async fn read(step: &SummarizeImport, key: &str) -> Result<Option<ImportCounts>, SummarizeImportError> {
    let range = objects::read_range(&step.s3, &step.bucket, key, None, (0, MAX_RESULT_BYTES)).await?;
    let bytes = match range {
        Ok(range) => range.bytes,
        Err(UnreadableObject::Gone) => return Ok(None),
        Err(_) => return Err(SummarizeImportError::InvalidResult),
    };
    let counts = serde_json::from_slice(&bytes).map_err(|_| SummarizeImportError::InvalidResult)?;
    Ok(Some(counts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_sdk_s3::Client;
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
    use aws_sdk_s3::operation::get_object::GetObjectOutput;
    use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
    use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
    use aws_sdk_s3::primitives::DateTime;
    use aws_sdk_s3::types::{Object, ObjectVersion};
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::Job;
    use serde_json::json;
    use std::collections::HashMap;

    const JOB: &str = "0193a5a0-7a3c-7e11-8a55-3f1b7c9d2e10";
    const RESULTS: &str = "imports/demo/0193a5a0-7a3c-7e11-8a55-3f1b7c9d2e10/";

    fn page(keys: &[&str], has_more: bool) -> ListObjectsV2Output {
        let objects = keys.iter().map(|key| {
            let object = Object::builder().key(*key).size(1);
            object.last_modified(DateTime::from_secs(0)).build()
        });
        ListObjectsV2Output::builder()
            .set_contents(Some(objects.collect()))
            .is_truncated(has_more)
            .build()
    }

    fn progress() -> ImportProgress {
        let list = json!({"bucket": "holidays", "prefix": ""});
        let progress = json!({
            "jobId": JOB, "owner": "demo", "bucket": "holidays", "list": list, "isRetry": false, "mapResults": list,
        });
        serde_json::from_value(progress).unwrap()
    }

    /// An object below [`RESULTS`] that is not a result.
    fn left() -> Rule {
        mock!(Client::list_object_versions)
            .match_requests(|request| request.prefix() == Some(RESULTS))
            .then_output(|| {
                let version = ObjectVersion::builder()
                    .key("map-run/manifest.json")
                    .version_id("1");
                ListObjectVersionsOutput::builder()
                    .versions(version.build())
                    .build()
            })
    }

    /// An import of ten million objects has more results than one invocation can read.
    #[tokio::test]
    async fn each_result_is_added_up_once_in_as_many_parts_as_that_takes() {
        let first = mock!(Client::list_objects_v2)
            .match_requests(|request| request.start_after().is_none())
            .then_output(|| page(&["a", "b"], true));
        let second = mock!(Client::list_objects_v2)
            .match_requests(|request| request.start_after() == Some("b"))
            .then_output(|| page(&["c"], false));
        let result = mock!(Client::get_object).then_output(|| {
            GetObjectOutput::builder()
                .body(br#"{"imported":2,"failed":1}"#.to_vec().into())
                .build()
        });
        let left = left();
        let deleted = mock!(Client::delete_object).then_output(|| DeleteObjectOutput::builder().build());
        let no_job =
            mock!(aws_sdk_dynamodb::Client::get_item).then_output(|| GetItemOutput::builder().build());
        let step = SummarizeImport {
            s3: mock_client!(
                aws_sdk_s3,
                RuleMode::MatchAny,
                [&first, &second, &result, &left, &deleted]
            ),
            bucket: "pictures".into(),
            records: Records::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&no_job]),
                "table".into(),
            ),
        };
        let part = run(&step, progress(), || false).await.unwrap();
        assert_eq!((part.done, part.counts.objects()), (false, 6));
        let done = run(&step, part, || false).await.unwrap();
        assert!(done.done);
        assert_eq!((done.counts.imported, done.counts.failed), (6, 3));
        assert_eq!(
            deleted.num_calls(),
            1,
            "the owner has deleted all data, and a result remains"
        );
    }

    /// An owner can delete all data while results are added up. If the job exists, the numbers would be wrong.
    #[tokio::test]
    async fn a_result_that_is_gone_ends_the_import_only_if_its_job_is_gone() {
        let job: Job = serde_json::from_value(json!({
            "jobId": JOB, "owner": "demo", "kind": "IMPORT", "status": "RUNNING", "processed": 1, "changed": 1,
            "import": {"bucket": "holidays", "prefix": "", "executionArn": "arn"},
            "startedAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z", "expiresAt": 1,
        }))
        .unwrap();
        let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(&job).unwrap();
        for item in [None, Some(item)] {
            let listed = mock!(Client::list_objects_v2).then_output(|| page(&["a"], false));
            let gone = mock!(Client::get_object).then_http_response(|| {
                let body = "<Error><Code>NoSuchKey</Code></Error>";
                HttpResponse::new(404.try_into().unwrap(), body.into())
            });
            let left = left();
            let deleted = mock!(Client::delete_object).then_output(|| DeleteObjectOutput::builder().build());
            let is_deleted = item.is_none();
            let job = mock!(aws_sdk_dynamodb::Client::get_item)
                .then_output(move || GetItemOutput::builder().set_item(item.clone()).build());
            let step = SummarizeImport {
                s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&listed, &gone, &left, &deleted]),
                bucket: "pictures".into(),
                records: Records::new(
                    mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&job]),
                    "table".into(),
                ),
            };
            let result = run(&step, progress(), || true)
                .await
                .map(|progress| progress.done);
            let expected = if is_deleted {
                Ok(true)
            } else {
                Err(SummarizeImportError::InvalidResult)
            };
            assert_eq!(result, expected);
            assert_eq!(deleted.num_calls(), usize::from(is_deleted));
        }
    }
}
