//! Buckets from which tests import, and imports.

use crate::executions::Ended;
use crate::{Stack, wait};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_sfn::types::ExecutionStatus;
use domain::import::{FailureReason, ImportFailure, failed_prefix};
use domain::{ImportCounts, Job, JobId, Owner};
use records::Records;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use uuid::Uuid;

impl Stack {
    /// A new bucket from which the stack can import: its parameter ImportSources allows all whose names begin like this one's.
    ///
    /// # Panics
    /// If S3 refuses.
    pub async fn new_source(&self) -> String {
        let bucket = format!("{}-import-{}", self.event_bus, Uuid::new_v4().simple());
        let region = self.s3.config().region().map(ToString::to_string);
        // us-east-1 must not be named.
        let region = region.filter(|region| region != "us-east-1");
        let configuration = region.map(|region| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region.as_str()))
                .build()
        });
        let created = self
            .s3
            .create_bucket()
            .bucket(&bucket)
            .set_create_bucket_configuration(configuration)
            .send();
        created.await.expect("a bucket");
        bucket
    }

    /// Puts an object into a source.
    ///
    /// # Panics
    /// If S3 refuses.
    pub async fn put_source(&self, bucket: &str, key: &str, bytes: Vec<u8>) {
        let put = self
            .s3
            .put_object()
            .bucket(bucket)
            .key(key)
            .body(bytes.into())
            .send();
        put.await.unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }

    /// Starts an import; returns its job and the execution's ARN. `request` has what is not the owner or the job.
    ///
    /// # Panics
    /// If Step Functions refuses.
    pub async fn start_import(&self, owner: &Owner, request: &Value) -> (JobId, String) {
        let job_id = JobId::new();
        let mut input = json!({"jobId": job_id, "owner": owner});
        input
            .as_object_mut()
            .expect("an object")
            .extend(request.as_object().expect("an object").clone());
        let started = self
            .sfn
            .start_execution()
            .state_machine_arn(self.machine_arn("import-objects"))
            .name(job_id.to_string())
            .input(input.to_string())
            .send();
        (job_id, started.await.expect("an execution").execution_arn)
    }

    /// Waits until an import has ended. Fails only if it makes no progress for long.
    ///
    /// # Panics
    /// If it stops to make progress.
    pub async fn imported(&self, owner: &Owner, (job_id, arn): &(JobId, String)) -> Ended {
        loop {
            let before = self.job(owner, *job_id).await.map(|job| job.processed);
            let has_ended = wait::until("the import makes progress", async || {
                if self.status(arn).await != ExecutionStatus::Running {
                    return Some(true);
                }
                let now = self.job(owner, *job_id).await.map(|job| job.processed);
                (now != before).then_some(false)
            })
            .await;
            if has_ended {
                return self.ended(arn).await;
            }
        }
    }

    /// Imports, and returns what became of the objects.
    ///
    /// # Panics
    /// If the import fails.
    pub async fn import(&self, owner: &Owner, request: &Value) -> (JobId, ImportCounts) {
        let started = self.start_import(owner, request).await;
        let ended = self.imported(owner, &started).await;
        assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
        let job = self.job(owner, started.0).await.expect("a job");
        let counts = job.import.expect("an import").counts.expect("counts");
        (started.0, counts)
    }

    /// The error with which an import fails, and its message.
    ///
    /// # Panics
    /// If it succeeds.
    pub async fn import_error(&self, owner: &Owner, request: &Value) -> (String, String) {
        let started = self.start_import(owner, request).await;
        let ended = self.imported(owner, &started).await;
        assert_eq!(ended.status, ExecutionStatus::Failed, "{ended:?}");
        assert_eq!(ended.last_state(), "Check import", "{ended:?}");
        assert!(
            self.job(owner, started.0).await.is_none(),
            "the job of an import that never began stays in progress forever"
        );
        (ended.error.unwrap_or_default(), ended.cause.unwrap_or_default())
    }

    /// A job's record.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn job(&self, owner: &Owner, job_id: JobId) -> Option<Job> {
        let records = Records::new(self.dynamodb.clone(), self.table.clone());
        records.job(owner, job_id).await.expect("a job's record")
    }

    /// The objects that an import could not copy, with the reasons.
    ///
    /// # Panics
    /// If a list cannot be read.
    pub async fn import_failures(&self, owner: &Owner, job_id: JobId) -> BTreeMap<String, FailureReason> {
        let prefix = failed_prefix(owner, job_id);
        let listed = self
            .s3
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix)
            .send();
        let mut failures = BTreeMap::new();
        for object in listed.await.expect("a listing").contents() {
            let key = object.key().expect("a key");
            let read = self.s3.get_object().bucket(&self.bucket).key(key).send();
            let body = read.await.expect("a list").body.collect().await.expect("a list");
            for line in body
                .into_bytes()
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty())
            {
                let failure: ImportFailure = serde_json::from_slice(line).expect("a failure");
                failures.insert(failure.key, failure.reason);
            }
        }
        failures
    }
}
