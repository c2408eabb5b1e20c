//! An owner's settings.

use crate::expression::Expressions;
use crate::key::Key;
use crate::{Records, RecordsError, from_item};
use aws::ServiceError;
use domain::{Criteria, FilterPolicy, ImageId, ImageRecord, Owner, Settings};

impl Records {
    /// The owner's settings, or `default` if the owner has none. They are not checked. Uses a consistent read.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn settings(&self, owner: &Owner, default: &FilterPolicy) -> Result<Settings, RecordsError> {
        let item = self.get(&Key::settings(owner), Expressions::new()).await?;
        let settings: Option<Settings> = item.map(from_item).transpose()?;
        Ok(settings.unwrap_or_else(|| Settings::new(default.clone())))
    }

    /// What decides which labels of an image count: the owner's settings, or `default`, and the keywords and the
    /// corrections of the image. Uses consistent reads.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn criteria(
        &self,
        owner: &Owner,
        image_id: ImageId,
        default: &FilterPolicy,
    ) -> Result<Criteria, RecordsError> {
        let (settings, record) =
            tokio::try_join!(self.settings(owner, default), self.image(owner, image_id))?;
        Ok(Criteria {
            settings,
            keywords: record.as_ref().map(ImageRecord::keywords).unwrap_or_default(),
            corrections: record.map(|record| record.corrections()).unwrap_or_default(),
        })
    }

    /// Stores the owner's settings.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn store_settings(&self, owner: &Owner, settings: &Settings) -> Result<(), RecordsError> {
        self.put_item(&Key::settings(owner), settings).await
    }

    /// Deletes the owner's settings, if they exist.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn delete_settings(&self, owner: &Owner) -> Result<(), ServiceError> {
        self.delete_item(&Key::settings(owner)).await
    }
}
