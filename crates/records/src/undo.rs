//! Undo items: one for each image that a job has corrected, with the change that restores the corrections from before the job.
//!
//! The item is written in the same transaction as the correction, and deleted in the same transaction as the correction is
//! undone. So exactly the images that the job has changed have one, and no image is restored twice.

use crate::account::{Page, PageStart, page};
use crate::attribute::{EXPIRES_AT, INVERSE, SORT_KEY};
use crate::expression::{Condition, Expressions, number, text};
use crate::key::Key;
use crate::{Item, Records, RecordsError, attribute_value, from_item};
use aws::ServiceError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::job::UNDO_KEPT_FOR;
use domain::{CorrectionChange, ImageId, Job, JobId, Owner, table};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::HashMap;

/// A page of the undo items of a job.
#[derive(Debug)]
pub struct UndoPage {
    /// What restores each image, in descending order of their ids.
    pub inverses: Vec<(ImageId, CorrectionChange)>,
    /// The last image of the page. `None` on the last page.
    pub last: Option<ImageId>,
}

/// The part of an item that is needed.
#[derive(Deserialize)]
struct Undo {
    sk: String,
    inverse: CorrectionChange,
}

impl Records {
    /// The undo items of a job, for images after `after`, at most `limit`. Uses a consistent read.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn undo_page(
        &self,
        owner: &Owner,
        job_id: JobId,
        after: Option<ImageId>,
        limit: i32,
    ) -> Result<UndoPage, RecordsError> {
        let prefix = table::undo_prefix(job_id);
        let of_job = Condition::BeginsWith(SORT_KEY, text(&prefix));
        let answer = self
            .query(&table::owner_partition(owner), of_job)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(limit)
            .set_exclusive_start_key(after.map(|after| Key::undo(owner, job_id, after).item()))
            .send()
            .await
            .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
        let image_id = |sort: &str| ImageId::parse(sort.strip_prefix(&prefix)?);
        let last = answer.last_evaluated_key();
        let last = last.and_then(|key| image_id(key.get(SORT_KEY)?.as_s().ok()?));
        let mut inverses = vec![];
        for item in answer.items.unwrap_or_default() {
            let Undo { sk, inverse } = from_item(item)?;
            let image_id = image_id(&sk).ok_or_else(|| RecordsError::Unreadable("a sort key".into()))?;
            inverses.push((image_id, inverse));
        }
        Ok(UndoPage { inverses, last })
    }

    /// Deletes the undo item of a job and an image, if it exists.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn delete_undo(
        &self,
        owner: &Owner,
        job_id: JobId,
        image_id: ImageId,
    ) -> Result<(), ServiceError> {
        self.delete_item(&Key::undo(owner, job_id, image_id)).await
    }

    /// The sort keys of everything that undoes one of the owner's jobs. Uses consistent reads.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn undo_keys(
        &self,
        owner: &Owner,
        start: Option<PageStart>,
    ) -> Result<Page<String>, ServiceError> {
        let undo = Condition::BeginsWith(SORT_KEY, text(table::UNDO));
        page(self.keys(owner, Some(undo)).consistent_read(true), start, Some).await
    }

    /// Deletes an item of [`Records::undo_keys`].
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn delete_undo_key(&self, owner: &Owner, sort: String) -> Result<(), ServiceError> {
        let partition = table::owner_partition(owner);
        self.delete_item(&Key { partition, sort }).await
    }

    /// The action that stores the undo item of a job and an image. The item does not expire before the job's record, also if
    /// the job is resumed.
    pub(crate) fn put_undo(
        &self,
        job: &Job,
        image_id: ImageId,
        inverse: &CorrectionChange,
    ) -> Result<TransactWriteItem, RecordsError> {
        let key = Key::undo(&job.owner, job.job_id, image_id);
        let expires_at = Timestamp::now() + UNDO_KEPT_FOR;
        let item: Item = HashMap::from([
            (INVERSE.to_owned(), attribute_value(inverse)?),
            (EXPIRES_AT.to_owned(), number(expires_at.as_second())),
        ]);
        Ok(self.put(&key, item, Expressions::new()))
    }

    /// The action that deletes the undo item of a job and an image, if it exists.
    pub(crate) fn take_undo(&self, owner: &Owner, job_id: JobId, image_id: ImageId) -> TransactWriteItem {
        self.delete(&Key::undo(owner, job_id, image_id), Expressions::new())
    }
}
