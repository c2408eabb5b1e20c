//! Reads an image's record and its result.

use crate::batch::Read;
use crate::expression::Expressions;
use crate::key::Key;
use crate::{Records, RecordsError, answer, from_item};
use aws::ServiceError;
use domain::record::ImageResult;
use domain::{ImageId, ImageRecord, Owner, Status};

/// The maximum number of reads. The record and the result are overwritten together, and a reader that finds different
/// executions in them reads both again. It is very unlikely that they are overwritten between the reads each time.
const MAX_TRIES: usize = 4;

impl Records {
    /// An image's record. Uses a consistent read.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn image(&self, owner: &Owner, image_id: ImageId) -> Result<Option<ImageRecord>, RecordsError> {
        let item = self.get(&Key::image(owner, image_id), Expressions::new()).await?;
        item.map(from_item).transpose()
    }

    /// An image's record and, if the image is `LABELED`, the result of the same execution.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn image_with_result(
        &self,
        owner: &Owner,
        image_id: ImageId,
    ) -> Result<Option<(ImageRecord, Option<ImageResult>)>, RecordsError> {
        for _ in 0..MAX_TRIES {
            let Some(record) = self.image(owner, image_id).await? else {
                return Ok(None);
            };
            if record.status != Status::Labeled {
                return Ok(Some((record, None)));
            }
            let item = self
                .get(&Key::result(owner, image_id), Expressions::new())
                .await?;
            let result = item.map(answer::result).transpose()?;
            if let Some(result) = result
                && Some(&result.execution_arn) == record.execution_arn.as_ref()
            {
                return Ok(Some((record, Some(result))));
            }
        }
        Err(ServiceError::ServiceUnavailable(
            "the image's record and result belong to different executions".into(),
        )
        .into())
    }

    /// Images whose records have just been read, with the results of those that are `LABELED`. An image whose result belongs
    /// to another execution has changed since then, and is read again. It is missing if it was deleted. An image whose result
    /// is invalid has none, so that it does not hide the others. `unreadable` is called with the error.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn with_results(
        &self,
        owner: &Owner,
        records: Vec<ImageRecord>,
        unreadable: impl Fn(String),
    ) -> Result<Vec<(ImageRecord, Option<ImageResult>)>, RecordsError> {
        let labeled = records.iter().filter(|record| record.status == Status::Labeled);
        let ids: Vec<_> = labeled.map(|record| record.image_id).collect();
        let mut results = self.results(owner, &ids).await?.into_iter();
        let mut images = Vec::with_capacity(records.len());
        for record in records {
            if record.status != Status::Labeled {
                images.push((record, None));
                continue;
            }
            match results.next() {
                Some(Read::Found(result)) if Some(&result.execution_arn) == record.execution_arn.as_ref() => {
                    images.push((record, Some(result)));
                }
                // The record and the result have been replaced or deleted, or the result was not read or is invalid.
                _ => match self.image_with_result(owner, record.image_id).await {
                    Ok(newest) => {
                        images.extend(newest.filter(|(record, _)| record.status != Status::Deleted));
                    }
                    Err(RecordsError::Unreadable(error)) => {
                        unreadable(error);
                        images.push((record, None));
                    }
                    Err(error) => return Err(error),
                },
            }
        }
        Ok(images)
    }
}
