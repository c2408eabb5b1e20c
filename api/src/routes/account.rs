//! `DELETE /account/data`: deletes all data of an owner, in as many requests as that takes.

use crate::app::App;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::routes::deletion::delete_image;
use crate::routes::jobs::stop_import;
use crate::routes::uploads::UPLOAD_VALID_FOR;
use axum::Json;
use axum::extract::State;
use deletion::Deletion;
use domain::image::UPLOADS_PREFIX;
use domain::table::JOBS;
use domain::{ImageId, ImageKey, JobId, JobStatus, Owner, export, import};
use futures_util::future::ready;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use records::{Deletable, RecordsError, Unrecorded};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use utoipa::ToSchema;

/// No deletion starts after this time. API Gateway times out after 30 seconds.
const BUDGET: Duration = Duration::from_secs(15);
/// Images that are deleted concurrently: few, because their transactions conflict at the same label counts.
const CONCURRENCY: usize = 4;
/// Objects or jobs per page of a listing.
const PAGE: i32 = 100;
/// How often Step Functions is asked whether an import has ended.
const POLL: Duration = Duration::from_millis(500);

/// The progress of the deletion.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Progress {
    /// Whether everything is deleted. If not, repeat the request.
    done: bool,
    /// Images that this request deleted.
    deleted_images: usize,
}

/// Deletes settings, images, objects without a record, label counts, jobs, exported files and results of imports. The caller repeats the request until it is done.
/// Each request starts with whatever is left.
///
/// Two kinds of items remain and expire: tombstones, without which an upload in progress would bring its image back, and
/// today's quota counter, so that nobody escapes the quota.
#[utoipa::path(
    delete,
    path = "/account/data",
    tag = "account",
    operation_id = "deleteData",
    summary = "Delete all your data",
    description = "Deletes images with their files and labels, label counts, settings, jobs and exported files, but not the \
        account. Each request works for up to 15 seconds. Repeat it until `done` is true.",
    responses((status = 200, description = "The progress", body = Progress)),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
) -> Result<Json<impl Serialize>, Problem> {
    let erasure = Erasure {
        app: &app,
        owner: &owner,
        until: Instant::now() + BUDGET,
    };
    let uploads = format!("{UPLOADS_PREFIX}{}/", owner.as_str());
    let mut deleted_images = 0;
    app.records.delete_settings(&owner).await?;
    // First the jobs: an import that runs would bring back what is deleted before.
    let done = erasure.jobs().await?
        && erasure.images(&mut deleted_images).await?
        && erasure.objects(&uploads, &mut deleted_images).await?
        // After the images: a job that corrects one stores an undo item.
        && erasure.undo().await?
        && erasure.counts().await?
        // After the jobs: a step that writes a file or a copy reads the job afterwards, and deletes what it wrote if the job is gone.
        && erasure.objects(&export::owner_prefix(&owner), &mut deleted_images).await?
        && erasure.objects(&import::owner_prefix(&owner), &mut deleted_images).await?;
    Ok(Json(Progress { done, deleted_images }))
}

struct Erasure<'a> {
    app: &'a App,
    owner: &'a Owner,
    until: Instant,
}

impl Erasure<'_> {
    fn has_time(&self) -> bool {
        Instant::now() < self.until
    }

    /// Deletes all images with a record, and resumes interrupted deletions. Returns whether all are deleted.
    async fn images(&self, deleted: &mut usize) -> Result<bool, Problem> {
        let (records, owner) = (&self.app.records, self.owner);
        // Closed tombstones are not in the index, so that deleted images are not read again.
        let mut start = None;
        loop {
            let page = records.all_images(owner, start).await?;
            if !self.delete_images(page.items, deleted).await? {
                return Ok(false);
            }
            match page.next {
                None => break,
                next => start = next,
            }
        }
        // The index is eventually consistent. Uploads of the last minutes have to be read from the table itself: they may
        // have no object yet.
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        let validity = u64::try_from(UPLOAD_VALID_FOR.as_millis()).unwrap_or_default();
        let mut start = None;
        loop {
            let announced = now.saturating_sub(validity)..now + validity;
            let page = records.images_announced(owner, announced, start).await?;
            if !self.delete_images(page.items, deleted).await? {
                return Ok(false);
            }
            match page.next {
                None => return Ok(true),
                next => start = next,
            }
        }
    }

    /// Deletes images. Returns whether there was time for all of them.
    async fn delete_images(&self, ids: Vec<ImageId>, deleted: &mut usize) -> Result<bool, Problem> {
        let count = ids.len();
        let results: Vec<_> = stream::iter(ids)
            .take_while(|_| ready(self.has_time()))
            .map(|id| delete_image(self.app, self.owner, id, Deletable::Image))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        *deleted += results
            .iter()
            .filter(|result| **result == Deletion::Deleted)
            .count();
        Ok(results.len() == count)
    }

    /// Deletes all objects with a prefix: uploads without a record, old versions of deleted objects, the files of exports, or the
    /// results of imports.
    /// Returns whether all are deleted.
    async fn objects(&self, prefix: &str, deleted: &mut usize) -> Result<bool, Problem> {
        let App { s3, bucket, .. } = self.app;
        loop {
            let page = objects::list_versions(s3, bucket, prefix, PAGE).await?;
            if page.versions.is_empty() {
                return Ok(true);
            }
            let keys: BTreeSet<String> = page.versions.into_iter().map(|version| version.key).collect();
            for key in &keys {
                if !self.has_time() {
                    return Ok(false);
                }
                // A folder marker is not an image, and neither is the file of an export.
                if let Some(image) = ImageKey::parse(bucket, key) {
                    let object = Deletable::Object(Unrecorded { bucket, key });
                    let deletion = delete_image(self.app, self.owner, image.image_id, object).await?;
                    *deleted += usize::from(deletion == Deletion::Deleted);
                }
                objects::delete(s3, bucket, key).await?;
            }
        }
    }

    /// Deletes the counts of labels that no image has. Returns whether there was time for all of them.
    async fn counts(&self) -> Result<bool, Problem> {
        let records = &self.app.records;
        let mut start = None;
        loop {
            let page = records.label_count_keys(self.owner, start).await?;
            for key in page.items {
                if !self.has_time() {
                    return Ok(false);
                }
                records.delete_unused_label_count(self.owner, key).await?;
            }
            match page.next {
                None => return Ok(true),
                next => start = next,
            }
        }
    }

    /// Deletes the undo items of jobs. Returns whether all is deleted.
    async fn undo(&self) -> Result<bool, Problem> {
        let (records, owner) = (&self.app.records, self.owner);
        let mut start = None;
        loop {
            let page = records.undo_keys(owner, start).await?;
            let count = page.items.len();
            let deleted: Vec<_> = stream::iter(page.items)
                .take_while(|_| ready(self.has_time()))
                .map(|key| records.delete_undo_key(owner, key))
                .buffer_unordered(CONCURRENCY)
                .try_collect()
                .await?;
            if deleted.len() < count {
                return Ok(false);
            }
            match page.next {
                None => return Ok(true),
                next => start = next,
            }
        }
    }

    /// Deletes the records of jobs. A running import is stopped before. Another running job ends when it finds no record. Returns
    /// whether all are deleted.
    async fn jobs(&self) -> Result<bool, Problem> {
        let records = &self.app.records;
        let mut start = None;
        loop {
            // By their keys: jobs that cannot be read are deleted, too.
            let page = records.job_keys(self.owner, start).await?;
            for key in page.items {
                if !self.has_time() || !self.end_import(&key).await? {
                    return Ok(false);
                }
                records.delete_job_key(self.owner, key).await?;
            }
            match page.next {
                None => return Ok(true),
                next => start = next,
            }
        }
    }

    /// If a job is an import whose execution is running, cancels it as `DELETE /jobs/{jobId}` does, and waits for its end. Without
    /// the record, it could no longer be canceled, and each batch that is left would still be started. Returns whether the record
    /// can be deleted: the execution has ended, or it cannot be stopped. Then its batches end when they find no record.
    async fn end_import(&self, sort: &str) -> Result<bool, Problem> {
        let App { records, sfn, .. } = self.app;
        let Some(id) = sort.strip_prefix(JOBS).and_then(JobId::parse) else {
            return Ok(true);
        };
        let job = match records.job(self.owner, id).await {
            Err(RecordsError::Unreadable(_)) => return Ok(true),
            job => job?,
        };
        let Some((status, changed_at, import)) =
            job.and_then(|job| Some((job.status, job.updated_at, job.import?)))
        else {
            return Ok(true);
        };
        // Also an execution that is too new to be shown.
        let is_running = async || executions::is_running(sfn, &import.execution_arn, &changed_at).await;
        // An import that has succeeded is at its last state.
        if status == JobStatus::Succeeded || !is_running().await? {
            return Ok(true);
        }
        // An earlier request may have canceled it. Otherwise, it has just succeeded.
        let is_canceled = status == JobStatus::Canceled || records.cancel_job(self.owner, id).await?;
        if !is_canceled || !stop_import(self.app, self.owner, id).await? {
            return Ok(true);
        }
        while is_running().await? {
            if !self.has_time() {
                return Ok(false);
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake_app;
    use aws_sdk_dynamodb::operation::delete_item::DeleteItemOutput;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::operation::query::QueryOutput;
    use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_sdk_sfn::operation::describe_execution::{DescribeExecutionError, DescribeExecutionOutput};
    use aws_sdk_sfn::operation::start_execution::StartExecutionOutput;
    use aws_sdk_sfn::primitives::DateTime;
    use aws_sdk_sfn::types::ExecutionStatus;
    use aws_sdk_sfn::types::error::ExecutionDoesNotExist;
    use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
    use domain::job::ImportJob;
    use domain::table::{SORT_KEY, job_sort};
    use domain::{Job, JobKind};
    use jiff::SignedDuration;
    use std::collections::HashMap;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// What the deletion of the jobs has done.
    #[derive(Debug, PartialEq, Eq)]
    struct Done {
        all: bool,
        canceled: usize,
        started: usize,
        deleted: usize,
    }

    /// Deletes the jobs of an owner who has one import with this status. Its execution ends after Step Functions was asked
    /// `running` times.
    async fn delete_import(status: JobStatus, running: usize) -> Done {
        delete_import_of(status, Timestamp::now(), Some(ExecutionStatus::Running), running).await
    }

    /// As [`delete_import`], for an import whose record was last changed at this time. Until the execution ends, it has the status
    /// `described`. `None`: Step Functions does not know it.
    async fn delete_import_of(
        status: JobStatus,
        changed_at: Timestamp,
        described: Option<ExecutionStatus>,
        times: usize,
    ) -> Done {
        let owner = Owner::new("demo").unwrap();
        let import = ImportJob {
            bucket: "holidays".into(),
            prefix: String::new(),
            execution_arn: "arn:aws:states:us-east-1:000000000000:execution:import-objects:one".into(),
            counts: None,
        };
        let job = Job {
            status,
            import: Some(import),
            ..Job::new(JobId::new(), &owner, JobKind::Import, changed_at)
        };
        let key = HashMap::from([(SORT_KEY.to_owned(), AttributeValue::S(job_sort(job.job_id)))]);
        let query = mock!(aws_sdk_dynamodb::Client::query)
            .then_output(move || QueryOutput::builder().items(key.clone()).build());
        let record: HashMap<String, AttributeValue> = serde_dynamo::to_item(job).unwrap();
        let get = mock!(aws_sdk_dynamodb::Client::get_item)
            .then_output(move || GetItemOutput::builder().set_item(Some(record.clone())).build());
        let update =
            mock!(aws_sdk_dynamodb::Client::update_item).then_output(|| UpdateItemOutput::builder().build());
        let delete =
            mock!(aws_sdk_dynamodb::Client::delete_item).then_output(|| DeleteItemOutput::builder().build());
        let asked = AtomicUsize::new(0);
        let describe = mock!(aws_sdk_sfn::Client::describe_execution).then_compute_response(move |_| {
            let status = if asked.fetch_add(1, Ordering::Relaxed) < times {
                described.clone()
            } else {
                Some(ExecutionStatus::Aborted)
            };
            let Some(status) = status else {
                let unknown = ExecutionDoesNotExist::builder().build();
                return MockResponse::Error(DescribeExecutionError::ExecutionDoesNotExist(unknown));
            };
            let execution = DescribeExecutionOutput::builder().execution_arn("arn");
            let execution = execution.state_machine_arn("import-objects").status(status);
            MockResponse::Output(execution.start_date(DateTime::from_secs(0)).build().unwrap())
        });
        let start = mock!(aws_sdk_sfn::Client::start_execution).then_output(|| {
            let started = StartExecutionOutput::builder().execution_arn("arn");
            started.start_date(DateTime::from_secs(0)).build().unwrap()
        });
        let app = fake_app(
            mock_client!(
                aws_sdk_dynamodb,
                RuleMode::MatchAny,
                [&query, &get, &update, &delete]
            ),
            mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&describe, &start]),
        );
        let erasure = Erasure {
            app: &app,
            owner: &owner,
            until: Instant::now() + BUDGET,
        };
        let Ok(all) = erasure.jobs().await else {
            panic!("an error")
        };
        Done {
            all,
            canceled: update.num_calls(),
            started: start.num_calls(),
            deleted: delete.num_calls(),
        }
    }

    fn done(all: bool, canceled: usize, started: usize, deleted: usize) -> Done {
        Done {
            all,
            canceled,
            started,
            deleted,
        }
    }

    /// Without its record, nobody could cancel it, and each batch that is left would be started and paid for.
    #[tokio::test(start_paused = true)]
    async fn a_running_import_is_stopped_before_its_record_is_deleted() {
        let running = delete_import(JobStatus::Running, 3).await;
        assert_eq!(running, done(true, 1, 1, 1));
        let endless = delete_import(JobStatus::Running, usize::MAX).await;
        assert_eq!(endless, done(false, 1, 1, 0), "the next request continues");
        let canceled = delete_import(JobStatus::Canceled, 3).await;
        assert_eq!(
            canceled,
            done(true, 0, 1, 1),
            "an earlier request has canceled it"
        );
        for status in [JobStatus::Running, JobStatus::Canceled, JobStatus::Succeeded] {
            assert_eq!(delete_import(status, 0).await, done(true, 0, 0, 1), "{status:?}");
        }
        let succeeded = delete_import(JobStatus::Succeeded, usize::MAX).await;
        assert_eq!(succeeded, done(true, 0, 0, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn an_import_that_step_functions_does_not_show_yet_is_running() {
        let status = JobStatus::Running;
        let new = delete_import_of(status, Timestamp::now(), None, 3).await;
        assert_eq!(new, done(true, 1, 1, 1));
        let changed_at = Timestamp::now() - SignedDuration::from_mins(10);
        let forgotten = delete_import_of(status, changed_at, None, usize::MAX).await;
        assert_eq!(forgotten, done(true, 0, 0, 1));
    }
}
