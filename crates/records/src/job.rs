//! Records of bulk jobs, and the images that they process.

use crate::attribute::{CHANGED, FILES, HISTORY, PROCESSED, SORT_KEY, STATUS, TOTAL, UPDATED_AT};
use crate::expression::{Condition, Expressions, Update, equals, number, text};
use crate::key::{Key, image_id};
use crate::{Records, RecordsError, attribute_value, from_item, now};
use aws::ServiceError;
use aws_sdk_dynamodb::types::Select;
use domain::{ImageId, ImageRecord, Job, JobId, JobProgress, JobStatus, Owner, table};

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

    /// The owner's newest jobs, newest first. Uses a consistent read.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn jobs(&self, owner: &Owner, limit: i32) -> Result<Vec<Job>, RecordsError> {
        let is_job = Condition::BeginsWith(SORT_KEY, text(table::JOBS));
        let answer = self
            .query(&table::owner_partition(owner), is_job)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(limit)
            .send()
            .await
            .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
        serde_dynamo::from_items(answer.items.unwrap_or_default())
            .map_err(|error| RecordsError::Unreadable(error.to_string()))
    }

    /// Deletes a job's record, if it exists.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn delete_job(&self, owner: &Owner, job_id: JobId) -> Result<(), ServiceError> {
        self.delete_item(&Key::job(owner, job_id)).await
    }

    /// Cancels a running job. Returns whether it was running.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn cancel_job(&self, owner: &Owner, job_id: JobId) -> Result<bool, ServiceError> {
        let update = Update::new().set(STATUS, text(JobStatus::Canceled.as_str()));
        self.update_running_job(owner, job_id, update).await
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

    /// Stores the progress of a running job. Returns whether it is running.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn advance_job(&self, progress: &JobProgress) -> Result<bool, RecordsError> {
        let update = stored(progress)?;
        let (owner, job_id) = (&progress.owner, progress.job_id);
        Ok(self.update_running_job(owner, job_id, update).await?)
    }

    /// Stores the progress of a running job and that it has succeeded, in one update: a slow attempt of an earlier part, which
    /// knows only some of the files, cannot store its progress after that. Returns whether the job was running.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn complete_job(&self, progress: &JobProgress) -> Result<bool, RecordsError> {
        let update = stored(progress)?.set(STATUS, text(JobStatus::Succeeded.as_str()));
        let (owner, job_id) = (&progress.owner, progress.job_id);
        Ok(self.update_running_job(owner, job_id, update).await?)
    }

    async fn update_running_job(
        &self,
        owner: &Owner,
        job_id: JobId,
        update: Update,
    ) -> Result<bool, ServiceError> {
        let is_running = equals(STATUS, text(JobStatus::Running.as_str()));
        let update = update.set(UPDATED_AT, text(now()));
        let expressions = Expressions::new().condition(is_running).update(update);
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

/// The progress as it is stored.
fn stored(progress: &JobProgress) -> Result<Update, RecordsError> {
    let update = Update::new()
        .set(PROCESSED, number(progress.processed))
        .set(CHANGED, number(progress.changed));
    Ok(if progress.files.is_empty() {
        update
    } else {
        update.set(FILES, attribute_value(&progress.files)?)
    })
}
