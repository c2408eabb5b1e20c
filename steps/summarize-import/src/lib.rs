//! The last step of an import: adds up the results of its batches, writes the report, and completes the job.
//!
//! Input and output: [`domain::ImportProgress`]. The state machine repeats the step until the output is `done`. Its state has
//! only the sums and the last key, however many batches there are.

use aws::ServiceError;
use domain::import::{batches_prefix, report_key, results_prefix};
use domain::{ErrorName, Import, ImportCounts, ImportProgress, StepError};
use futures_util::stream::{self, StreamExt, TryStreamExt};
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
        let results: Vec<_> = results.buffer_unordered(CONCURRENCY).try_collect().await?;
        for counts in results {
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
    progress.done = true;
    // A job that was canceled keeps its status, and has a report of what was done until then. If the owner has deleted all
    // data, nothing may remain.
    let mut exists = false;
    if let Some(job) = step.records.job(&owner, job_id).await? {
        let report = serde_json::to_vec(&progress.counts)
            .map_err(|error| RecordsError::Unreadable(error.to_string()))?;
        let key = report_key(&owner, job_id);
        objects::write(&step.s3, &step.bucket, &key, "application/json", report).await?;
        let import = job
            .import
            .ok_or_else(|| RecordsError::Unreadable("the job is not an import".into()))?;
        let records = &step.records;
        let is_completed = records
            .complete_import(&owner, job_id, import, progress.counts)
            .await?;
        exists = is_completed || records.job(&owner, job_id).await?.is_some();
    }
    if !exists {
        // Also what Step Functions has written about the batches.
        objects::delete_all(&step.s3, &step.bucket, &results_prefix(&owner, job_id)).await?;
    }
    Ok(progress)
}

/// The result of a batch.
async fn read(step: &SummarizeImport, key: &str) -> Result<ImportCounts, SummarizeImportError> {
    let range = objects::read_range(&step.s3, &step.bucket, key, None, (0, MAX_RESULT_BYTES)).await?;
    let range = range.map_err(|_| SummarizeImportError::InvalidResult)?;
    serde_json::from_slice(&range.bytes).map_err(|_| SummarizeImportError::InvalidResult)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_s3::Client;
    use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
    use aws_sdk_s3::operation::get_object::GetObjectOutput;
    use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
    use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
    use aws_sdk_s3::primitives::DateTime;
    use aws_sdk_s3::types::{Object, ObjectVersion};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use serde_json::json;

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
        let left = mock!(Client::list_object_versions)
            .match_requests(|request| request.prefix() == Some(RESULTS))
            .then_output(|| {
                let version = ObjectVersion::builder()
                    .key("map-run/manifest.json")
                    .version_id("1");
                ListObjectVersionsOutput::builder()
                    .versions(version.build())
                    .build()
            });
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
        let list = json!({"bucket": "holidays", "prefix": ""});
        let progress = json!({
            "jobId": "0193a5a0-7a3c-7e11-8a55-3f1b7c9d2e10", "owner": "demo", "bucket": "holidays",
            "list": list, "isRetry": false, "mapResults": list,
        });
        let progress = serde_json::from_value(progress).unwrap();
        let part = run(&step, progress, || false).await.unwrap();
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
}
