//! Records of bulk jobs, and the images that they process.

use crate::account::{Page, PageStart, page};
use crate::attribute::{
    AFTER, CHANGED, EXECUTION, EXECUTION_ARN, EXPIRES_AT, FILES, HISTORY, IMPORT, IS_UNDONE, PARTITION_KEY,
    PENDING, PROCESSED, SORT_KEY, STATUS, TOTAL, UPDATED_AT, WAITS_UNTIL,
};
use crate::conditional::{self, Written};
use crate::expression::{Condition, Expressions, Update, at_most, boolean, equals, number, text};
use crate::key::{Key, image_id};
use crate::{Item, Records, RecordsError, WithExpressions, attribute_value, from_item, now, now_after};
use aws::ServiceError;
use aws_sdk_dynamodb::types::{AttributeValue, Select};
use domain::job::ImportJob;
use domain::{ImageId, ImageRecord, ImportCounts, Job, JobId, JobProgress, JobStatus, Owner, job, table};
use jiff::Timestamp;

/// Among how many pages of jobs, of 1 MB each, running ones are looked for.
const MAX_JOBS_PAGES: usize = 5;

/// A page of an owner's images.
#[derive(Debug)]
pub struct ImagesPage {
    /// The records, in descending order of their ids: for images that were uploaded through the API, newest first.
    /// Includes tombstones and images that were not uploaded. Records that cannot be read are missing.
    pub images: Vec<ImageRecord>,
    /// The last image of the page. `None` on the last page.
    pub last: Option<ImageId>,
}

impl Records {
    /// Stores a new job.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn create_job(&self, job: &Job) -> Result<(), RecordsError> {
        self.put_item(&Key::job(&job.owner, job.job_id), job).await
    }

    /// A job. Uses a consistent read.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn job(&self, owner: &Owner, job_id: JobId) -> Result<Option<Job>, RecordsError> {
        let item = self.get(&Key::job(owner, job_id), Expressions::new()).await?;
        item.map(from_item).transpose()
    }

    /// The owner's newest jobs, newest first. Jobs that cannot be read are missing, and `unreadable` gets the error. Uses a
    /// consistent read.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn jobs(
        &self,
        owner: &Owner,
        limit: i32,
        unreadable: impl Fn(String),
    ) -> Result<Vec<Job>, ServiceError> {
        Ok(self.jobs_page(owner, Some(limit), None, unreadable).await?.0)
    }

    /// The owner's running jobs, newest first and at most `limit`, also those that are older than many others: a job can wait for
    /// weeks. Jobs that cannot be read are missing, and `unreadable` gets the error. Reads at most 5 MB, which are several
    /// thousand jobs. Uses consistent reads.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn running_jobs(
        &self,
        owner: &Owner,
        limit: usize,
        unreadable: impl Fn(String),
    ) -> Result<Vec<Job>, ServiceError> {
        let mut running = vec![];
        let mut start = None;
        for _ in 0..MAX_JOBS_PAGES {
            let (jobs, next) = self.jobs_page(owner, None, start, &unreadable).await?;
            running.extend(jobs.into_iter().filter(|job| job.status == JobStatus::Running));
            start = next;
            if start.is_none() || running.len() >= limit {
                break;
            }
        }
        running.truncate(limit);
        Ok(running)
    }

    /// The owner's jobs after `start`, newest first, and where the next page starts. A later version can have stored jobs of a
    /// kind that this one does not know: they must not hide the others.
    async fn jobs_page(
        &self,
        owner: &Owner,
        limit: Option<i32>,
        start: Option<Item>,
        unreadable: impl Fn(String),
    ) -> Result<(Vec<Job>, Option<Item>), ServiceError> {
        let is_job = Condition::BeginsWith(SORT_KEY, text(table::JOBS));
        let answer = self
            .query(&table::owner_partition(owner), is_job)
            .consistent_read(true)
            .scan_index_forward(false)
            .set_limit(limit)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
        let mut jobs = vec![];
        for item in answer.items.unwrap_or_default() {
            match from_item(item) {
                Ok(job) => jobs.push(job),
                Err(error) => unreadable(error.to_string()),
            }
        }
        Ok((jobs, answer.last_evaluated_key.filter(|key| !key.is_empty())))
    }

    /// Deletes a job's record, if it exists.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn delete_job(&self, owner: &Owner, job_id: JobId) -> Result<(), ServiceError> {
        self.delete_item(&Key::job(owner, job_id)).await
    }

    /// The sort keys of the owner's jobs, also of those that cannot be read. Uses consistent reads.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn job_keys(
        &self,
        owner: &Owner,
        start: Option<PageStart>,
    ) -> Result<Page<String>, ServiceError> {
        let jobs = Condition::BeginsWith(SORT_KEY, text(table::JOBS));
        page(self.keys(owner, Some(jobs)).consistent_read(true), start, Some).await
    }

    /// Deletes an item of [`Records::job_keys`].
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn delete_job_key(&self, owner: &Owner, sort: String) -> Result<(), ServiceError> {
        let partition = table::owner_partition(owner);
        self.delete_item(&Key { partition, sort }).await
    }

    /// Cancels a running job. Returns whether it was running.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn cancel_job(&self, owner: &Owner, job_id: JobId) -> Result<bool, ServiceError> {
        let update = Update::new().set(STATUS, text(JobStatus::Canceled.as_str()));
        self.update_running_job(owner, job_id, update).await
    }

    /// Stores which execution works on a running job, unless a later one does. Returns whether it is stored.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn set_job_execution(
        &self,
        owner: &Owner,
        job_id: JobId,
        execution: u32,
        execution_arn: &str,
    ) -> Result<bool, ServiceError> {
        let update = Update::new()
            .set(EXECUTION, number(execution))
            .set(EXECUTION_ARN, text(execution_arn));
        self.update_job_of(execution, owner, job_id, update).await
    }

    /// Stores how many images a running job has to process. Returns whether it is running.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn set_job_total(
        &self,
        owner: &Owner,
        job_id: JobId,
        total: u64,
    ) -> Result<bool, ServiceError> {
        let update = Update::new().set(TOTAL, number(total));
        self.update_running_job(owner, job_id, update).await
    }

    /// Stores the progress of a running job. Returns whether it is running, and no later execution works on it.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn advance_job(&self, progress: &JobProgress) -> Result<bool, RecordsError> {
        let update = stored(progress)?;
        Ok(self.update_own_job(progress, update).await?)
    }

    /// Stores the progress of a running job, and that it begins to change these images. Returns whether it is running,
    /// and no later execution works on it.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn begin_images(
        &self,
        progress: &JobProgress,
        pending: &[ImageId],
    ) -> Result<bool, RecordsError> {
        let update = stored_with(progress, pending, Timestamp::now())?.remove([WAITS_UNTIL]);
        Ok(self.update_own_job(progress, update).await?)
    }

    /// Stores that a running job has to wait until the next day, and keeps its record for longer. Returns whether it is
    /// running, and no later execution works on it.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn pause_job(&self, progress: &JobProgress, until: Timestamp) -> Result<bool, RecordsError> {
        let update = stored_with(progress, &[], until)?.set(WAITS_UNTIL, text(until.to_string()));
        Ok(self.update_own_job(progress, update).await?)
    }

    /// Stores the progress of a canceled job: its last part can have changed images after the job was canceled. Does nothing if
    /// a later execution has worked on the job.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn count_canceled_job(&self, progress: &JobProgress) -> Result<(), RecordsError> {
        let is_canceled = equals(STATUS, text(JobStatus::Canceled.as_str()));
        let expressions = Expressions::new()
            .condition(is_canceled.and(is_not_after(progress.execution)))
            .update(stored(progress)?);
        let key = Key::job(&progress.owner, progress.job_id);
        self.update_if(&key, expressions).await?;
        Ok(())
    }

    /// Stores that another execution continues a job that was canceled or has failed, if it is still as it was read and is not
    /// undone. Returns whether it was.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn resume_job(
        &self,
        job: &Job,
        execution: u32,
        execution_arn: &str,
    ) -> Result<bool, ServiceError> {
        let is_same =
            equals(STATUS, text(job.status.as_str())).and(equals(UPDATED_AT, text(&job.updated_at)));
        let is_not_undone = Condition::Absent(IS_UNDONE);
        let update = Update::new()
            .set(STATUS, text(JobStatus::Running.as_str()))
            .set(EXECUTION, number(execution))
            .set(EXECUTION_ARN, text(execution_arn))
            .set(UPDATED_AT, text(now_after(&job.updated_at)))
            .set(EXPIRES_AT, number((Timestamp::now() + job::KEPT_FOR).as_second()))
            .remove([WAITS_UNTIL]);
        let expressions = Expressions::new()
            .condition(is_same.and(is_not_undone))
            .update(update);
        self.update_if(&Key::job(&job.owner, job.job_id), expressions)
            .await
    }

    /// Stores that a job that has ended is being undone, if it is still as it was read: from now on, it cannot be resumed. Returns
    /// whether it was.
    ///
    /// A job whose execution has failed is still `RUNNING` in its record. It becomes `CANCELED`: otherwise, its execution could be
    /// redriven, and would change again what is being undone.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn mark_undone(&self, job: &Job) -> Result<bool, ServiceError> {
        let is_same = equals(UPDATED_AT, text(&job.updated_at));
        let mut update = Update::new().set(IS_UNDONE, boolean(true));
        if job.status != JobStatus::Succeeded {
            update = update.set(STATUS, text(JobStatus::Canceled.as_str()));
        }
        let expressions = Expressions::new().condition(is_same).update(update);
        self.update_if(&Key::job(&job.owner, job.job_id), expressions)
            .await
    }

    /// Stores the progress of a running job and that it has succeeded, in one update: a slow attempt of an earlier part, which
    /// knows only some of the files, cannot store its progress after that. Returns whether the job was running, and no later
    /// execution works on it.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn complete_job(&self, progress: &JobProgress) -> Result<bool, RecordsError> {
        let update = stored(progress)?.set(STATUS, text(JobStatus::Succeeded.as_str()));
        Ok(self.update_own_job(progress, update).await?)
    }

    /// Stores a new import. Returns whether it is stored: not if a job with its id exists.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn create_import(&self, job: &Job) -> Result<bool, RecordsError> {
        let mut item: Item =
            serde_dynamo::to_item(job).map_err(|error| RecordsError::Unreadable(error.to_string()))?;
        item.extend(Key::job(&job.owner, job.job_id).item());
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .with_expressions(Expressions::new().condition(Condition::Absent(PARTITION_KEY)));
        let written = conditional::write("dynamodb:PutItem", || put.clone().send()).await?;
        Ok(matches!(written, Written::Done(_)))
    }

    /// Stores that another execution continues a running import. Returns whether it is running.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn continue_import(
        &self,
        owner: &Owner,
        job_id: JobId,
        import: &ImportJob,
    ) -> Result<bool, RecordsError> {
        let update = Update::new()
            .set(IMPORT, attribute_value(import)?)
            .set(EXPIRES_AT, import_expires_at());
        Ok(self.update_running_job(owner, job_id, update).await?)
    }

    /// Adds objects to the progress of a running import. The numbers are for those who watch it: a batch that is repeated
    /// counts again. [`Self::complete_import`] stores the exact ones. Keeps the record for longer. Returns whether the import is
    /// running.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn advance_import(
        &self,
        owner: &Owner,
        job_id: JobId,
        counts: ImportCounts,
    ) -> Result<bool, ServiceError> {
        let update = Update::new()
            .add(PROCESSED, number(counts.objects()))
            .add(CHANGED, number(counts.imported))
            .set(EXPIRES_AT, import_expires_at());
        self.update_running_job(owner, job_id, update).await
    }

    /// Stores what became of the objects of a running import and that it has succeeded. Returns whether it was running.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn complete_import(
        &self,
        owner: &Owner,
        job_id: JobId,
        import: ImportJob,
        counts: ImportCounts,
    ) -> Result<bool, RecordsError> {
        let import = ImportJob {
            counts: Some(counts),
            ..import
        };
        let update = Update::new()
            .set(TOTAL, number(counts.objects()))
            .set(PROCESSED, number(counts.objects()))
            .set(CHANGED, number(counts.imported))
            .set(IMPORT, attribute_value(&import)?)
            .set(STATUS, text(JobStatus::Succeeded.as_str()))
            .set(EXPIRES_AT, import_expires_at());
        Ok(self.update_running_job(owner, job_id, update).await?)
    }

    async fn update_running_job(
        &self,
        owner: &Owner,
        job_id: JobId,
        update: Update,
    ) -> Result<bool, ServiceError> {
        self.update_job_if(is_running(), owner, job_id, update).await
    }

    /// Updates a running job, unless a later execution than that of the progress works on it.
    async fn update_own_job(&self, progress: &JobProgress, update: Update) -> Result<bool, ServiceError> {
        let JobProgress { owner, job_id, .. } = progress;
        self.update_job_of(progress.execution, owner, *job_id, update)
            .await
    }

    /// Updates a running job, unless a later execution works on it: after a job was canceled and resumed, its last execution can
    /// still be in a part.
    async fn update_job_of(
        &self,
        execution: u32,
        owner: &Owner,
        job_id: JobId,
        update: Update,
    ) -> Result<bool, ServiceError> {
        let is_own = is_running().and(is_not_after(execution));
        self.update_job_if(is_own, owner, job_id, update).await
    }

    async fn update_job_if(
        &self,
        condition: Condition,
        owner: &Owner,
        job_id: JobId,
        update: Update,
    ) -> Result<bool, ServiceError> {
        let update = update.set(UPDATED_AT, text(now()));
        let expressions = Expressions::new().condition(condition).update(update);
        self.update_if(&Key::job(owner, job_id), expressions).await
    }

    /// The number of an owner's images, including tombstones that are not closed. `None` if there are more than
    /// `max_pages` pages of 1 MB, which have about 6,000 images each. Reads the history index, which is eventually
    /// consistent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn count_images(&self, owner: &Owner, max_pages: usize) -> Result<Option<u64>, ServiceError> {
        // All times start with a digit.
        let all = Condition::Between(HISTORY, text("0"), text("~"));
        let mut start = None;
        let mut count = 0;
        for _ in 0..max_pages {
            let answer = self
                .query(&table::owner_partition(owner), all.clone())
                .index_name(table::HISTORY_INDEX)
                .select(Select::Count)
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
            count += u64::try_from(answer.count()).unwrap_or_default();
            start = answer.last_evaluated_key.filter(|key| !key.is_empty());
            if start.is_none() {
                return Ok(Some(count));
            }
        }
        Ok(None)
    }

    /// The records of the owner's images after `after`, at most `limit`. Uses a consistent read, so that no image is
    /// missed that was labeled before the call.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn images_page(
        &self,
        owner: &Owner,
        after: Option<ImageId>,
        limit: i32,
        unreadable: impl Fn(String),
    ) -> Result<ImagesPage, ServiceError> {
        let is_image = Condition::BeginsWith(SORT_KEY, text(table::IMAGES));
        let answer = self
            .query(&table::owner_partition(owner), is_image)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(limit)
            .set_exclusive_start_key(after.map(|after| Key::image(owner, after).item()))
            .send()
            .await
            .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
        let last = answer.last_evaluated_key();
        let last = last.and_then(|key| image_id(key.get(SORT_KEY)?.as_s().ok()?));
        let mut images = vec![];
        for item in answer.items.unwrap_or_default() {
            match from_item(item) {
                Ok(record) => images.push(record),
                Err(error) => unreadable(error.to_string()),
            }
        }
        Ok(ImagesPage { images, last })
    }
}

fn is_running() -> Condition {
    equals(STATUS, text(JobStatus::Running.as_str()))
}

/// No later execution than this one works on the job. Jobs of earlier versions name none. The record can still name the last
/// one: it names the next one only after that was started.
fn is_not_after(execution: u32) -> Condition {
    Condition::Absent(EXECUTION).or(at_most(EXECUTION, number(execution)))
}

/// When the record of an import that makes progress now expires.
fn import_expires_at() -> AttributeValue {
    number((Timestamp::now() + job::IMPORT_KEPT_FOR).as_second())
}

/// The progress as it is stored while no images are being changed, and while the job does not wait.
fn stored(progress: &JobProgress) -> Result<Update, RecordsError> {
    Ok(stored_with(progress, &[], Timestamp::now())?.remove([WAITS_UNTIL]))
}

/// The record is kept for 30 days after `kept_from`: a job with millions of images takes longer than that.
fn stored_with(
    progress: &JobProgress,
    pending: &[ImageId],
    kept_from: Timestamp,
) -> Result<Update, RecordsError> {
    let after = progress.after.as_ref().map(attribute_value).transpose()?;
    let pending = (!pending.is_empty())
        .then(|| attribute_value(pending))
        .transpose()?;
    let update = Update::new()
        .set(PROCESSED, number(progress.processed))
        .set(CHANGED, number(progress.changed))
        .set(EXPIRES_AT, number((kept_from + job::KEPT_FOR).as_second()))
        .set_or_remove(AFTER, after)
        .set_or_remove(PENDING, pending);
    Ok(if progress.files.is_empty() {
        update
    } else {
        update.set(FILES, attribute_value(&progress.files)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_table::FakeTable;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use aws_sdk_dynamodb::operation::query::QueryOutput;
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use domain::JobKind;
    use serde_json::json;

    const IMAGE: &str = "0193a5a0-0000-7000-8000-000000000009";

    fn progress(changed: u64) -> JobProgress {
        serde_json::from_value(json!({
            "jobId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "after": IMAGE, "processed": 9,
            "changed": changed,
        }))
        .unwrap()
    }

    /// A table with a running job.
    fn table() -> FakeTable {
        let job = json!({
            "jobId": progress(0).job_id, "owner": "demo", "kind": "RELABEL", "status": "RUNNING", "processed": 0,
            "changed": 0, "startedAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z", "expiresAt": 0,
        });
        let key = Key::job(&progress(0).owner, progress(0).job_id);
        let mut item: crate::Item = serde_dynamo::to_item(job).unwrap();
        item.extend(key.item());
        let fake = FakeTable::default();
        fake.state().items.insert(key, item);
        fake
    }

    fn expire(table: &FakeTable) {
        let key = Key::job(&progress(0).owner, progress(0).job_id);
        let mut state = table.state();
        let item = state.items.get_mut(&key).unwrap();
        item.insert(EXPIRES_AT.to_string(), number(0));
    }

    async fn job_in(records: &Records) -> Job {
        let JobProgress { owner, job_id, .. } = progress(0);
        records.job(&owner, job_id).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn the_images_that_are_being_changed_are_named_until_they_are_counted() {
        let fake = table();
        let records = fake.records();
        let image = ImageId::parse(IMAGE).unwrap();
        assert_eq!(records.begin_images(&progress(1), &[image]).await, Ok(true));
        let job = job_in(&records).await;
        assert_eq!(
            (job.after, job.changed, &job.pending[..]),
            (Some(image), 1, &[image][..])
        );
        assert_eq!(records.advance_job(&progress(2)).await, Ok(true));
        let job = job_in(&records).await;
        assert_eq!((job.changed, &job.pending[..]), (2, &[][..]));
    }

    /// It waits for weeks if it has many images: its record must not expire meanwhile.
    #[tokio::test]
    async fn a_job_that_waits_is_kept_for_longer_and_waits_until_its_next_image() {
        let fake = table();
        let records = fake.records();
        let until: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(records.pause_job(&progress(1), until).await, Ok(true));
        let job = job_in(&records).await;
        assert_eq!(job.waits_until.as_deref(), Some("2026-11-23T00:00:00Z"));
        assert_eq!(job.expires_at, (until + job::KEPT_FOR).as_second());
        assert_eq!(records.begin_images(&progress(1), &[]).await, Ok(true));
        assert_eq!(job_in(&records).await.waits_until, None);
    }

    /// Two images a second are five million in 29 days. A part whose record is gone ends like one whose owner has deleted all data.
    #[tokio::test]
    async fn a_job_that_makes_progress_does_not_expire_for_30_days() {
        let fake = table();
        let records = fake.records();
        let soon = (Timestamp::now() + job::KEPT_FOR).as_second() - 60;
        for call in ["begin", "advance"] {
            expire(&fake);
            let written = match call {
                "begin" => records.begin_images(&progress(1), &[]).await,
                _ => records.advance_job(&progress(1)).await,
            };
            assert_eq!(written, Ok(true), "{call}");
            assert!(job_in(&records).await.expires_at >= soon, "{call}");
        }
    }

    /// An import of millions of objects takes weeks. Its steps treat a record that has expired like one that was deleted with all
    /// data, and delete copies.
    #[tokio::test]
    async fn an_import_that_makes_progress_does_not_expire_for_60_days() {
        let fake = table();
        let records = fake.records();
        let JobProgress { owner, job_id, .. } = progress(0);
        let import: ImportJob =
            serde_json::from_value(json!({"bucket": "holidays", "prefix": "", "executionArn": "arn"}))
                .unwrap();
        let soon = || (Timestamp::now() + job::IMPORT_KEPT_FOR).as_second() - 60;
        let counts = ImportCounts::default();
        assert_eq!(records.advance_import(&owner, job_id, counts).await, Ok(true));
        assert!(job_in(&records).await.expires_at >= soon());
        for call in ["continue", "complete"] {
            expire(&fake);
            let written = match call {
                "continue" => records.continue_import(&owner, job_id, &import).await,
                _ => {
                    records
                        .complete_import(&owner, job_id, import.clone(), counts)
                        .await
                }
            };
            assert_eq!(written, Ok(true), "{call}");
            assert!(job_in(&records).await.expires_at >= soon(), "{call}");
        }
        let ended = records.continue_import(&owner, job_id, &import).await;
        assert_eq!(ended, Ok(false), "it has succeeded");
    }

    #[tokio::test]
    async fn an_import_is_not_stored_in_place_of_another_job() {
        let put = mock!(Client::put_item)
            .match_requests(|request| request.condition_expression() == Some("attribute_not_exists(#pk)"))
            .then_error(|| {
                let exists = ConditionalCheckFailedException::builder().build();
                PutItemError::ConditionalCheckFailedException(exists)
            });
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&put]);
        let JobProgress { owner, job_id, .. } = progress(0);
        let job = Job::new(job_id, &owner, JobKind::Import, Timestamp::now());
        let created = Records::new(client, "images".into()).create_import(&job).await;
        assert_eq!(created, Ok(false));
    }

    #[tokio::test]
    async fn a_canceled_job_begins_nothing_but_counts_what_it_has_changed() {
        let fake = table();
        let records = fake.records();
        let JobProgress { owner, job_id, .. } = progress(0);
        records.count_canceled_job(&progress(5)).await.unwrap();
        assert_eq!(job_in(&records).await.changed, 0, "a running job");
        assert_eq!(records.cancel_job(&owner, job_id).await, Ok(true));
        let image = ImageId::parse(IMAGE).unwrap();
        assert_eq!(records.begin_images(&progress(1), &[image]).await, Ok(false));
        assert_eq!(records.pause_job(&progress(1), Timestamp::now()).await, Ok(false));
        assert_eq!(records.complete_job(&progress(1)).await, Ok(false));
        records.count_canceled_job(&progress(3)).await.unwrap();
        let job = job_in(&records).await;
        assert_eq!(
            (job.status, job.changed, job.processed, job.after),
            (JobStatus::Canceled, 3, 9, Some(image))
        );
    }

    /// Of two requests at the same moment, one starts an execution.
    #[tokio::test]
    async fn a_canceled_job_is_resumed_once_at_its_progress() {
        let fake = table();
        let records = fake.records();
        let JobProgress { owner, job_id, .. } = progress(0);
        let running = job_in(&records).await;
        assert_eq!(records.cancel_job(&owner, job_id).await, Ok(true));
        records.count_canceled_job(&progress(3)).await.unwrap();
        assert_eq!(
            records.resume_job(&running, 2, "arn").await,
            Ok(false),
            "read before"
        );
        let canceled = job_in(&records).await;
        assert_eq!(records.resume_job(&canceled, 2, "arn").await, Ok(true));
        assert_eq!(records.resume_job(&canceled, 2, "arn").await, Ok(false));
        let job = job_in(&records).await;
        assert_eq!(
            (job.status, job.execution, job.execution_arn.as_deref()),
            (JobStatus::Running, 2, Some("arn"))
        );
        assert_eq!(
            (job.after, job.processed, job.changed),
            (ImageId::parse(IMAGE), 9, 3)
        );
    }

    /// The owner has canceled and resumed the job while its last execution was in a part. Two executions would overwrite each
    /// other's progress.
    #[tokio::test]
    async fn an_execution_that_another_one_has_replaced_stores_nothing() {
        let fake = table();
        let records = fake.records();
        let JobProgress { owner, job_id, .. } = progress(0);
        assert_eq!(records.cancel_job(&owner, job_id).await, Ok(true));
        let canceled = job_in(&records).await;
        assert_eq!(records.resume_job(&canceled, 2, "second").await, Ok(true));
        let before = job_in(&records).await;
        let image = ImageId::parse(IMAGE).unwrap();
        let old = progress(5);
        assert_eq!(
            records.set_job_execution(&owner, job_id, 1, "first").await,
            Ok(false)
        );
        assert_eq!(records.begin_images(&old, &[image]).await, Ok(false));
        assert_eq!(records.advance_job(&old).await, Ok(false));
        assert_eq!(records.pause_job(&old, Timestamp::now()).await, Ok(false));
        assert_eq!(records.complete_job(&old).await, Ok(false));
        assert_eq!(job_in(&records).await, before);
        let second = JobProgress {
            execution: 2,
            ..progress(6)
        };
        assert_eq!(records.advance_job(&second).await, Ok(true));
        // The record names the third execution only after it was started.
        let third = second.next_execution();
        assert_eq!(records.advance_job(&third).await, Ok(true));
        assert_eq!(records.cancel_job(&owner, job_id).await, Ok(true));
        records.count_canceled_job(&old).await.unwrap();
        assert_eq!(job_in(&records).await.changed, 6);
    }

    /// If it were resumed, it would correct images again that the other job restores.
    #[tokio::test]
    async fn a_job_that_is_undone_is_not_resumed() {
        let fake = table();
        let records = fake.records();
        let JobProgress { owner, job_id, .. } = progress(0);
        let running = job_in(&records).await;
        assert_eq!(records.cancel_job(&owner, job_id).await, Ok(true));
        assert_eq!(records.mark_undone(&running).await, Ok(false), "read before");
        let canceled = job_in(&records).await;
        assert_eq!(records.mark_undone(&canceled).await, Ok(true));
        assert!(job_in(&records).await.is_undone);
        assert_eq!(records.resume_job(&canceled, 2, "arn").await, Ok(false));
    }

    /// A redriven execution would change again what is being undone.
    #[tokio::test]
    async fn a_failed_job_that_is_undone_does_not_continue() {
        let fake = table();
        let records = fake.records();
        let failed = job_in(&records).await;
        assert_eq!(
            failed.status,
            JobStatus::Running,
            "its execution has stored nothing"
        );
        assert_eq!(records.mark_undone(&failed).await, Ok(true));
        assert_eq!(records.advance_job(&progress(1)).await, Ok(false));
        assert_eq!(job_in(&records).await.status, JobStatus::Canceled);
    }

    /// A job that waits for the next day can be older than many that have ended.
    #[tokio::test]
    async fn running_jobs_are_found_on_every_page() {
        let item = |status: &str| {
            let job = json!({
                "jobId": JobId::new(), "owner": "demo", "kind": "RELABEL", "status": status, "processed": 0, "changed": 0,
                "startedAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z", "expiresAt": 0,
            });
            serde_dynamo::to_item::<_, Item>(job).unwrap()
        };
        let (ended, waiting) = (item("SUCCEEDED"), item("RUNNING"));
        let last = Key::job(&progress(0).owner, progress(0).job_id).item();
        let first = mock!(Client::query)
            .match_requests(|request| request.exclusive_start_key().is_none())
            .then_output(move || {
                let page = QueryOutput::builder().items(ended.clone());
                page.set_last_evaluated_key(Some(last.clone())).build()
            });
        let second = mock!(Client::query)
            .match_requests(|request| request.exclusive_start_key().is_some())
            .then_output(move || QueryOutput::builder().items(waiting.clone()).build());
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&first, &second]);
        let running = Records::new(client, "images".into())
            .running_jobs(&progress(0).owner, 100, drop)
            .await;
        assert_eq!(running.unwrap().len(), 1);
    }

    /// After a rollback, the version before reads jobs of a kind that it does not know.
    #[tokio::test]
    async fn a_job_of_an_unknown_kind_does_not_hide_the_others() {
        let query = mock!(Client::query).then_output(|| {
            let item = |kind: &str| {
                let job = json!({
                    "jobId": JobId::new(), "owner": "demo", "kind": kind, "status": "RUNNING", "processed": 0,
                    "changed": 0, "startedAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z",
                    "expiresAt": 0,
                });
                serde_dynamo::to_item::<_, Item>(job).unwrap()
            };
            let page = QueryOutput::builder().items(item("LATER"));
            page.items(item("RELABEL")).build()
        });
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&query]);
        let records = Records::new(client, "images".into());
        let unreadable = std::cell::Cell::new(0);
        let count = |_: String| unreadable.set(unreadable.get() + 1);
        let owner = progress(0).owner;
        assert_eq!(records.jobs(&owner, 20, count).await.unwrap().len(), 1);
        assert_eq!(records.running_jobs(&owner, 20, count).await.unwrap().len(), 1);
        assert_eq!(unreadable.get(), 2, "both are reported");
    }
}
