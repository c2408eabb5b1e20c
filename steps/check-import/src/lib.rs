//! The first step of an import: checks what an operator has asked for, and creates the job.
//!
//! Input: [`domain::import::CheckImportInput`]. Output: [`domain::ImportProgress`]. A repeated attempt finds the job that an
//! earlier one has created.
//!
//! The request can also cancel an import. Then the step stops its execution, which would otherwise start all batches that are
//! left, and the state machine writes the report of what was done.

use aws::ServiceError;
use domain::import::{CheckImportInput, Import, ObjectList, batches_prefix, failed_prefix, results_prefix};
use domain::job::{IMPORT_KEPT_FOR, ImportJob};
use domain::{
    ErrorName, ImportCounts, ImportProgress, ImportRequest, Job, JobId, JobKind, JobStatus, Owner, StepError,
};
use executions::State;
use jiff::Timestamp;
use objects::{Bucket, delete_all, find_bucket, list};
use records::{Records, RecordsError};
use strum::EnumIter;
use uuid::Uuid;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct CheckImport {
    /// Finds the source.
    pub s3: aws_sdk_s3::Client,
    /// The bucket of the pictures, to which objects are copied.
    pub bucket: String,
    /// Creates the job, and reads earlier ones.
    pub records: Records,
    /// Stops the execution of an import that is canceled, and describes one that another execution continues.
    pub sfn: aws_sdk_sfn::Client,
}

/// Why nothing is imported. The messages are for the operator who has started the import, and name no bucket and no key,
/// because errors are logged.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum CheckImportError {
    /// The owner is not the id of a user.
    #[error(
        "owner must be the sub of a user of the user pool, a UUID: `cargo xtask import --owner EMAIL` finds it"
    )]
    OwnerIsNoUser,
    /// `jobId` is not an id of a job.
    #[error(
        "jobId must be a UUID of version 7, such as 0193a5a0-7a3c-7e11-8a55-3f1b7c9d2e10; without it, the import gets one"
    )]
    InvalidJobId,
    /// The job is not one that this execution can continue.
    #[error(
        "the job with the ID in jobId cannot be continued: it must be a running import of the same bucket and prefix, and its \
         earlier execution must have ended. To start a new import, leave jobId out"
    )]
    OtherJob,
    /// The bucket's name is not one.
    #[error("bucket must be the name of a bucket, and not its ARN or URI")]
    NotABucketName,
    /// The request names no source, or two.
    #[error("name either a bucket, or an earlier import with retryFailedOf")]
    NotOneSource,
    /// `retryFailedOf` is not an import of the owner, or was deleted.
    #[error(
        "the owner has no import with the ID in retryFailedOf; imports are kept for 60 days after they last made progress"
    )]
    NoSuchImport,
    /// Nothing to cancel.
    #[error(
        "the job with the ID in jobId is not a running or canceled import. To cancel an import, set only owner, jobId and cancel"
    )]
    NoImportToCancel,
    /// The source does not exist.
    #[error("the bucket does not exist")]
    MissingBucket,
    /// The source belongs to another account.
    #[error(
        "the bucket belongs to another account: Step Functions lists only buckets of its own. Copy the objects to a bucket of \
         this account first"
    )]
    OtherAccount,
    /// The source is in another region. Contains the source's and this stack's region.
    #[error(
        "the bucket is in {0} and this stack in {1}: Step Functions lists only buckets in its own region. Copy the objects to a \
         bucket in {1} first"
    )]
    OtherRegion(String, String),
    /// The source is the bucket of this stack.
    #[error("the bucket is this stack's own: its uploads are labeled already")]
    OwnBucket,
    /// Nothing to import.
    #[error("the bucket has no object whose key begins with the prefix")]
    NoObjects,
    /// Nothing to import again.
    #[error("the earlier import has no list of failed objects")]
    NoFailedObjects,
    /// The stack isn't allowed to list the source.
    #[error(
        "the stack isn't allowed to list the bucket: add its ARN to the parameter ImportSources. The bucket must be in the \
         stack's account"
    )]
    Denied,
    /// An item is invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(#[from] RecordsError),
    /// A call to an AWS service failed.
    #[error(transparent)]
    #[strum(disabled)]
    Service(ServiceError),
}

impl From<ServiceError> for CheckImportError {
    fn from(error: ServiceError) -> Self {
        match error {
            ServiceError::AccessDenied(_) => Self::Denied,
            error => Self::Service(error),
        }
    }
}

impl StepError for CheckImportError {
    fn name(&self) -> ErrorName {
        match self {
            Self::OwnerIsNoUser
            | Self::InvalidJobId
            | Self::OtherJob
            | Self::NotABucketName
            | Self::NotOneSource
            | Self::NoSuchImport
            | Self::NoImportToCancel => ErrorName::InvalidInput,
            Self::MissingBucket
            | Self::OtherAccount
            | Self::OtherRegion(..)
            | Self::OwnBucket
            | Self::NoObjects
            | Self::NoFailedObjects => ErrorName::InvalidSource,
            Self::Denied => ErrorName::AccessDenied,
            Self::Records(error) => error.name(),
            Self::Service(error) => error.name(),
        }
    }
}

/// Checks the request and the source, and creates the job.
///
/// # Errors
/// See [`CheckImportError`].
pub async fn handle(step: &CheckImport, input: CheckImportInput) -> Result<ImportProgress, CheckImportError> {
    let CheckImportInput {
        request,
        execution_arn,
        started_at,
    } = input;
    let ImportRequest {
        job_id,
        owner,
        bucket,
        prefix,
        retry_failed_of,
        restore_deleted,
        cancel,
    } = request;
    // A typing error or an e-mail address would import pictures that nobody can see. So would another form of the UUID, because
    // the API compares the owner with the `sub` of the token.
    let user = Uuid::try_parse(owner.as_str()).map_err(|_| CheckImportError::OwnerIsNoUser)?;
    if user.hyphenated().to_string() != owner.as_str() {
        return Err(CheckImportError::OwnerIsNoUser);
    }
    // The API finds no other ids.
    if job_id.is_some_and(|job_id| JobId::parse(&job_id.to_string()).is_none()) {
        return Err(CheckImportError::InvalidJobId);
    }
    // It would delete the list that it reads.
    if job_id.is_some() && job_id == retry_failed_of {
        return Err(CheckImportError::OtherJob);
    }
    if cancel {
        let names_source = bucket.is_some() || !prefix.is_empty() || retry_failed_of.is_some();
        let job_id = job_id.filter(|_| !names_source);
        return cancel_import(step, owner, job_id.ok_or(CheckImportError::NoImportToCancel)?).await;
    }
    let job_id = job_id.unwrap_or_else(|| JobId::of_execution(&execution_arn, started_at));
    let (bucket, prefix) = match (bucket, retry_failed_of) {
        (Some(bucket), None) => (bucket, prefix),
        (None, Some(earlier)) => source_of(&step.records, &owner, earlier).await?,
        _ => return Err(CheckImportError::NotOneSource),
    };
    check_bucket(step, &bucket, account(&execution_arn)).await?;
    let objects = match retry_failed_of {
        None => ObjectList {
            bucket: bucket.clone(),
            prefix: prefix.clone(),
        },
        Some(earlier) => ObjectList {
            bucket: step.bucket.clone(),
            prefix: failed_prefix(&owner, earlier),
        },
    };
    if list(&step.s3, &objects.bucket, &objects.prefix, None, 1)
        .await?
        .objects
        .is_empty()
    {
        return Err(match retry_failed_of {
            None => CheckImportError::NoObjects,
            Some(_) => CheckImportError::NoFailedObjects,
        });
    }
    let source = ImportJob {
        bucket: bucket.clone(),
        prefix,
        execution_arn,
        counts: None,
    };
    begin(step, &owner, job_id, source, started_at).await?;
    let import = Import {
        job_id,
        owner,
        bucket,
        restore_deleted,
    };
    Ok(ImportProgress {
        is_retry: retry_failed_of.is_some(),
        ..progress(step, import, objects)
    })
}

/// The progress at the start.
fn progress(step: &CheckImport, import: Import, list: ObjectList) -> ImportProgress {
    let map_results = ObjectList {
        bucket: step.bucket.clone(),
        // Step Functions adds a slash.
        prefix: format!("{}map-run", results_prefix(&import.owner, import.job_id)),
    };
    ImportProgress {
        import,
        list,
        is_retry: false,
        is_canceled: false,
        map_results,
        after: None,
        counts: ImportCounts::default(),
        done: false,
    }
}

/// Cancels an import, and stops its execution. Batches that are being handled end by themselves: they find that the import is
/// canceled, and write what they have done.
///
/// If the owner deletes all data, the API deletes the record as soon as the execution has ended, which can be before this step
/// reads it. So a missing record is no error. The state machine then deletes the results.
async fn cancel_import(
    step: &CheckImport,
    owner: Owner,
    job_id: JobId,
) -> Result<ImportProgress, CheckImportError> {
    let records = &step.records;
    // Nothing reads the source of a canceled import.
    let of_deleted = || ObjectList {
        bucket: String::new(),
        prefix: String::new(),
    };
    let Some(job) = records.job(&owner, job_id).await? else {
        return Ok(canceled(step, owner, job_id, of_deleted()));
    };
    if job.import.is_none() {
        return Err(CheckImportError::NoImportToCancel);
    }
    records
        .cancel_job(&owner, job_id)
        .await
        .map_err(RecordsError::from)?;
    // Read now: until then, another execution can have continued the import.
    let Some(job) = records.job(&owner, job_id).await? else {
        return Ok(canceled(step, owner, job_id, of_deleted()));
    };
    let import = match job.import {
        Some(import) if job.status == JobStatus::Canceled => import,
        _ => return Err(CheckImportError::NoImportToCancel),
    };
    let cause = "the import was canceled";
    executions::stop(&step.sfn, &import.execution_arn, "Canceled", cause)
        .await
        .map_err(CheckImportError::Service)?;
    let list = ObjectList {
        bucket: import.bucket,
        prefix: import.prefix,
    };
    Ok(canceled(step, owner, job_id, list))
}

/// The progress of an import that is canceled.
fn canceled(step: &CheckImport, owner: Owner, job_id: JobId, list: ObjectList) -> ImportProgress {
    let import = Import {
        job_id,
        owner,
        bucket: list.bucket.clone(),
        restore_deleted: false,
    };
    ImportProgress {
        is_canceled: true,
        ..progress(step, import, list)
    }
}

/// Creates the job, or continues that of an execution that has ended without completing it.
async fn begin(
    step: &CheckImport,
    owner: &Owner,
    job_id: JobId,
    source: ImportJob,
    started_at: Timestamp,
) -> Result<(), CheckImportError> {
    let records = &step.records;
    let job = Job {
        import: Some(source.clone()),
        expires_at: (started_at + IMPORT_KEPT_FOR).as_second(),
        ..Job::new(job_id, owner, JobKind::Import, started_at)
    };
    if records.create_import(&job).await? {
        return Ok(());
    }
    let job = records.job(owner, job_id).await?;
    let Some((status, earlier)) = job.and_then(|job| Some((job.status, job.import?))) else {
        return Err(CheckImportError::OtherJob);
    };
    if (&earlier.bucket, &earlier.prefix) != (&source.bucket, &source.prefix) {
        return Err(CheckImportError::OtherJob);
    }
    // The record of a repeated attempt, which can be canceled by now.
    if earlier.execution_arn == source.execution_arn {
        return Ok(());
    }
    if status != JobStatus::Running {
        return Err(CheckImportError::OtherJob);
    }
    // Both would write results. An execution that Step Functions does not know has just been started: it remembers executions for
    // longer than records of imports are kept.
    let state = executions::state(&step.sfn, &earlier.execution_arn)
        .await
        .map_err(CheckImportError::Service)?;
    if state != State::Ended {
        return Err(CheckImportError::OtherJob);
    }
    // This execution lists the source again, and its batches can begin with other keys: results of both would count objects
    // twice. They are deleted before the record names this execution, so that a repeated attempt deletes the rest.
    for prefix in [batches_prefix(owner, job_id), failed_prefix(owner, job_id)] {
        delete_all(&step.s3, &step.bucket, &prefix).await?;
    }
    if records.continue_import(owner, job_id, &source).await? {
        Ok(())
    } else {
        Err(CheckImportError::OtherJob)
    }
}

/// The account of an execution. `None` if the ARN names none.
fn account(execution_arn: &str) -> Option<&str> {
    execution_arn
        .split(':')
        .nth(4)
        .filter(|account| !account.is_empty())
}

/// The bucket and the prefix of an earlier import.
async fn source_of(
    records: &Records,
    owner: &Owner,
    earlier: JobId,
) -> Result<(String, String), CheckImportError> {
    let job = records.job(owner, earlier).await?;
    let import = job.and_then(|job| job.import);
    let import = import.ok_or(CheckImportError::NoSuchImport)?;
    Ok((import.bucket, import.prefix))
}

/// Checks that the state machine can list the bucket, and that it is not the one to which objects are copied.
///
/// Source: Step Functions Developer Guide, "ItemReader": Step Functions lists only buckets in the account and the region of the
/// state machine.
async fn check_bucket(
    step: &CheckImport,
    bucket: &str,
    account: Option<&str>,
) -> Result<(), CheckImportError> {
    if !is_bucket_name(bucket) {
        return Err(CheckImportError::NotABucketName);
    }
    if bucket == step.bucket {
        return Err(CheckImportError::OwnBucket);
    }
    let found = match find_bucket(&step.s3, bucket, account).await {
        // S3 does not say whether the account or a permission is the reason.
        Err(ServiceError::AccessDenied(_)) if find_bucket(&step.s3, bucket, None).await.is_ok() => {
            return Err(CheckImportError::OtherAccount);
        }
        found => found?,
    };
    let own = step.s3.config().region().map(ToString::to_string);
    match (found, own) {
        (Bucket::Missing, _) => Err(CheckImportError::MissingBucket),
        (Bucket::InRegion(region), Some(own)) if region != own => {
            Err(CheckImportError::OtherRegion(region, own))
        }
        _ => Ok(()),
    }
}

/// Whether this looks like the name of a bucket. Source: S3 User Guide, "General purpose bucket naming rules".
fn is_bucket_name(text: &str) -> bool {
    let is_alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    (3..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| is_alphanumeric(byte) || b".-".contains(byte))
        && [bytes.first(), bytes.last()]
            .iter()
            .flatten()
            .all(|byte| is_alphanumeric(byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::operation::delete_object::DeleteObjectOutput;
    use aws_sdk_s3::operation::head_bucket::HeadBucketOutput;
    use aws_sdk_s3::operation::list_object_versions::ListObjectVersionsOutput;
    use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
    use aws_sdk_s3::primitives::DateTime;
    use aws_sdk_s3::types::{Object, ObjectVersion};
    use aws_sdk_sfn::operation::describe_execution::{DescribeExecutionError, DescribeExecutionOutput};
    use aws_sdk_sfn::operation::stop_execution::StopExecutionOutput;
    use aws_sdk_sfn::types::ExecutionStatus;
    use aws_sdk_sfn::types::error::ExecutionDoesNotExist;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use serde_json::{Value, json};
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const JOB: &str = "0193a5a0-7a3c-7e11-8a55-3f1b7c9d2e10";
    const OWNER: &str = "8f7c2b5e-55f0-4d0c-9d4e-3a1f0a0b0c0d";

    /// The error for a request. `status` is S3's answer to HeadBucket. The bucket has no objects, and no job exists.
    async fn error(request: Value, status: u16) -> CheckImportError {
        let head = mock!(aws_sdk_s3::Client::head_bucket)
            .then_http_response(move || HttpResponse::new(status.try_into().unwrap(), "".into()));
        let found = mock!(aws_sdk_s3::Client::head_bucket)
            .then_output(|| HeadBucketOutput::builder().bucket_region("us-east-1").build());
        let listed =
            mock!(aws_sdk_s3::Client::list_objects_v2).then_output(|| ListObjectsV2Output::builder().build());
        let head = if status == 200 { found } else { head };
        let get = mock!(aws_sdk_dynamodb::Client::get_item).then_output(|| GetItemOutput::builder().build());
        let step = CheckImport {
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&head, &listed]),
            bucket: "pictures".into(),
            records: Records::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&get]),
                "table".into(),
            ),
            sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, []),
        };
        let input =
            json!({"request": request, "executionArn": "arn", "startedAt": "2026-11-30T08:00:00.123Z"});
        handle(&step, serde_json::from_value(input).unwrap())
            .await
            .unwrap_err()
    }

    #[tokio::test]
    async fn each_mistake_of_an_operator_has_its_own_message() {
        let import = |bucket: &str| json!({"owner": OWNER, "bucket": bucket, "prefix": "2019/"});
        for (request, status, expected) in [
            (
                json!({"owner": "ada@example.com", "bucket": "holidays"}),
                200,
                CheckImportError::OwnerIsNoUser,
            ),
            (
                json!({"owner": OWNER.to_uppercase(), "bucket": "holidays"}),
                200,
                CheckImportError::OwnerIsNoUser,
            ),
            (
                json!({"owner": OWNER, "bucket": "holidays", "jobId": OWNER}),
                200,
                CheckImportError::InvalidJobId,
            ),
            (
                json!({"owner": OWNER, "jobId": JOB, "retryFailedOf": JOB}),
                200,
                CheckImportError::OtherJob,
            ),
            (
                import("arn:aws:s3:::holidays"),
                200,
                CheckImportError::NotABucketName,
            ),
            (import("s3://holidays"), 200, CheckImportError::NotABucketName),
            (json!({"owner": OWNER}), 200, CheckImportError::NotOneSource),
            (
                json!({"owner": OWNER, "retryFailedOf": JOB}),
                200,
                CheckImportError::NoSuchImport,
            ),
            (
                json!({"owner": OWNER, "cancel": true}),
                200,
                CheckImportError::NoImportToCancel,
            ),
            (
                json!({"owner": OWNER, "cancel": true, "jobId": JOB, "bucket": "holidays"}),
                200,
                CheckImportError::NoImportToCancel,
            ),
            (import("pictures"), 200, CheckImportError::OwnBucket),
            (import("holidays"), 404, CheckImportError::MissingBucket),
            (import("holidays"), 403, CheckImportError::Denied),
            (import("holidays"), 200, CheckImportError::NoObjects),
        ] {
            let found = error(request.clone(), status).await;
            assert_eq!(found, expected, "{request}");
            assert!(!found.to_string().contains("holidays"), "messages are logged");
        }
    }

    /// A job that exists, as a request with its id finds it: what the step returns, and how many results it deletes. `described` is
    /// the status of its execution. `None` if Step Functions does not know it.
    async fn continued(
        status: &str,
        prefix: &str,
        execution: &str,
        described: Option<ExecutionStatus>,
    ) -> (Result<(), CheckImportError>, usize) {
        let job: Job = serde_json::from_value(json!({
            "jobId": JOB, "owner": OWNER, "kind": "IMPORT", "status": status, "processed": 1, "changed": 1,
            "import": {"bucket": "holidays", "prefix": prefix, "executionArn": execution},
            "startedAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z", "expiresAt": 1,
        }))
        .unwrap();
        let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(&job).unwrap();
        let found =
            mock!(aws_sdk_s3::Client::head_bucket).then_output(|| HeadBucketOutput::builder().build());
        let listed = mock!(aws_sdk_s3::Client::list_objects_v2).then_output(|| {
            let object = Object::builder().key("2019/a.jpg").size(1);
            let object = object.last_modified(DateTime::from_secs(0)).build();
            ListObjectsV2Output::builder().contents(object).build()
        });
        let results = mock!(aws_sdk_s3::Client::list_object_versions).then_output(|| {
            let version = ObjectVersion::builder().key("0a.json").version_id("1").build();
            ListObjectVersionsOutput::builder().versions(version).build()
        });
        let deleted =
            mock!(aws_sdk_s3::Client::delete_object).then_output(|| DeleteObjectOutput::builder().build());
        let put = mock!(aws_sdk_dynamodb::Client::put_item).then_error(|| {
            let exists = ConditionalCheckFailedException::builder().build();
            PutItemError::ConditionalCheckFailedException(exists)
        });
        let get = mock!(aws_sdk_dynamodb::Client::get_item)
            .then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build());
        let update =
            mock!(aws_sdk_dynamodb::Client::update_item).then_output(|| UpdateItemOutput::builder().build());
        let describe = mock!(aws_sdk_sfn::Client::describe_execution)
            .match_requests(|request| request.execution_arn() == Some("arn:old"));
        let describe = match described {
            Some(status) => describe.then_output(move || {
                let execution = DescribeExecutionOutput::builder().execution_arn("arn:old");
                let execution = execution.state_machine_arn("machine").status(status.clone());
                execution.start_date(DateTime::from_secs(0)).build().unwrap()
            }),
            None => describe.then_error(|| {
                DescribeExecutionError::ExecutionDoesNotExist(ExecutionDoesNotExist::builder().build())
            }),
        };
        let step = CheckImport {
            s3: mock_client!(
                aws_sdk_s3,
                RuleMode::MatchAny,
                [&found, &listed, &results, &deleted]
            ),
            bucket: "pictures".into(),
            records: Records::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&put, &get, &update]),
                "table".into(),
            ),
            sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&describe]),
        };
        let request = json!({"owner": OWNER, "bucket": "holidays", "prefix": "2019/", "jobId": JOB});
        let input =
            json!({"request": request, "executionArn": "arn:new", "startedAt": "2026-11-30T08:00:00.123Z"});
        let result = handle(&step, serde_json::from_value(input).unwrap()).await;
        (result.map(drop), deleted.num_calls())
    }

    /// The batches of another listing can begin with other keys: with the results of both, objects would be counted twice.
    #[tokio::test]
    async fn an_execution_that_continues_an_import_deletes_the_results_of_the_earlier_one() {
        let failed = Some(ExecutionStatus::Failed);
        let other = continued("RUNNING", "2019/", "arn:old", failed).await;
        assert_eq!(other, (Ok(()), 2));
        let repeated = continued("RUNNING", "2019/", "arn:new", None).await;
        assert_eq!(repeated, (Ok(()), 0), "a repeated attempt of this execution");
        let canceled = continued("CANCELED", "2019/", "arn:new", None).await;
        assert_eq!(canceled, (Ok(()), 0), "the steps find out that it was canceled");
    }

    /// Otherwise, both would write results, and objects would be counted twice.
    #[tokio::test]
    async fn an_import_whose_execution_is_running_is_not_continued() {
        for described in [
            Some(ExecutionStatus::Running),
            Some(ExecutionStatus::PendingRedrive),
            None,
        ] {
            let found = continued("RUNNING", "2019/", "arn:old", described.clone()).await;
            assert_eq!(found, (Err(CheckImportError::OtherJob), 0), "{described:?}");
        }
    }

    #[tokio::test]
    async fn another_job_is_neither_replaced_nor_loses_its_results() {
        for (status, prefix) in [
            ("SUCCEEDED", "2019/"),
            ("CANCELED", "2019/"),
            ("RUNNING", "2020/"),
        ] {
            let found = continued(status, prefix, "arn:old", Some(ExecutionStatus::Failed)).await;
            assert_eq!(found, (Err(CheckImportError::OtherJob), 0), "{status} {prefix}");
        }
    }

    /// If it were not stopped, its execution would start all batches that are left, for nothing: $10 for ten million objects.
    #[tokio::test]
    async fn an_import_that_is_canceled_is_stopped_and_one_that_has_succeeded_is_not() {
        for (status, is_canceled) in [("CANCELED", true), ("SUCCEEDED", false)] {
            let job: Job = serde_json::from_value(json!({
                "jobId": JOB, "owner": OWNER, "kind": "IMPORT", "status": status, "processed": 1, "changed": 1,
                "import": {"bucket": "holidays", "prefix": "2019/", "executionArn": "arn:old"},
                "startedAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z", "expiresAt": 1,
            }))
            .unwrap();
            let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(&job).unwrap();
            let get = mock!(aws_sdk_dynamodb::Client::get_item)
                .then_output(move || GetItemOutput::builder().set_item(Some(item.clone())).build());
            // It is not running.
            let update = mock!(aws_sdk_dynamodb::Client::update_item).then_error(|| {
                let refused = ConditionalCheckFailedException::builder().build();
                UpdateItemError::ConditionalCheckFailedException(refused)
            });
            let stop = mock!(aws_sdk_sfn::Client::stop_execution)
                .match_requests(|request| request.execution_arn() == Some("arn:old"))
                .then_output(|| {
                    let stopped = StopExecutionOutput::builder();
                    stopped.stop_date(DateTime::from_secs(0)).build().unwrap()
                });
            let step = CheckImport {
                s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, []),
                bucket: "pictures".into(),
                records: Records::new(
                    mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&get, &update]),
                    "table".into(),
                ),
                sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&stop]),
            };
            let input = json!({
                "request": {"owner": OWNER, "jobId": JOB, "cancel": true}, "executionArn": "arn:new",
                "startedAt": "2026-11-30T08:00:00.123Z",
            });
            let result = handle(&step, serde_json::from_value(input).unwrap()).await;
            assert_eq!(stop.num_calls(), usize::from(is_canceled), "{status}");
            match result {
                Ok(progress) => assert!(is_canceled && progress.is_canceled),
                Err(error) => assert_eq!((error, is_canceled), (CheckImportError::NoImportToCancel, false)),
            }
        }
    }

    /// An alarm would go off for every owner who deletes all data during an import.
    #[tokio::test]
    async fn an_import_whose_record_is_deleted_meanwhile_is_canceled_without_an_error() {
        for reads_before in [0, 1] {
            let job: Job = serde_json::from_value(json!({
                "jobId": JOB, "owner": OWNER, "kind": "IMPORT", "status": "CANCELED", "processed": 1, "changed": 1,
                "import": {"bucket": "holidays", "prefix": "2019/", "executionArn": "arn:old"},
                "startedAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z", "expiresAt": 1,
            }))
            .unwrap();
            let item: HashMap<String, AttributeValue> = serde_dynamo::to_item(&job).unwrap();
            let reads = AtomicUsize::new(0);
            let get = mock!(aws_sdk_dynamodb::Client::get_item).then_output(move || {
                let is_there = reads.fetch_add(1, Ordering::Relaxed) < reads_before;
                GetItemOutput::builder()
                    .set_item(is_there.then(|| item.clone()))
                    .build()
            });
            let update = mock!(aws_sdk_dynamodb::Client::update_item).then_error(|| {
                let refused = ConditionalCheckFailedException::builder().build();
                UpdateItemError::ConditionalCheckFailedException(refused)
            });
            let step = CheckImport {
                s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, []),
                bucket: "pictures".into(),
                records: Records::new(
                    mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&get, &update]),
                    "table".into(),
                ),
                sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, []),
            };
            let input = json!({
                "request": {"owner": OWNER, "jobId": JOB, "cancel": true}, "executionArn": "arn:new",
                "startedAt": "2026-11-30T08:00:00.123Z",
            });
            let progress = handle(&step, serde_json::from_value(input).unwrap())
                .await
                .unwrap();
            assert!(progress.is_canceled, "{reads_before}");
            assert_eq!(get.num_calls(), reads_before + 1);
        }
    }

    #[tokio::test]
    async fn a_bucket_of_another_account_is_told_from_one_without_permission() {
        let own = mock!(aws_sdk_s3::Client::head_bucket)
            .match_requests(|request| request.expected_bucket_owner() == Some("111122223333"))
            .then_http_response(|| HttpResponse::new(403.try_into().unwrap(), "".into()));
        let any = mock!(aws_sdk_s3::Client::head_bucket).then_output(|| HeadBucketOutput::builder().build());
        let step = CheckImport {
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&own, &any]),
            bucket: "pictures".into(),
            records: Records::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, []),
                "table".into(),
            ),
            sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, []),
        };
        let arn = "arn:aws:states:us-east-1:111122223333:execution:import-objects:a";
        let checked = check_bucket(&step, "holidays", account(arn)).await;
        assert_eq!(checked, Err(CheckImportError::OtherAccount));
    }
}
