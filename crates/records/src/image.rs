//! Reads an image's record and its result.

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
}
