//! An owner's settings.

use crate::expression::Expressions;
use crate::key::Key;
use crate::{Item, Records, RecordsError, from_item};
use aws::ServiceError;
use domain::Owner;
use domain::policy::{FilterPolicy, Settings};

impl Records {
    /// The owner's policy, or `default` if the owner has no settings. It is not checked. Uses a consistent read.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn policy(&self, owner: &Owner, default: &FilterPolicy) -> Result<FilterPolicy, RecordsError> {
        let item = self.get(&Key::settings(owner), Expressions::new()).await?;
        let settings: Option<Settings> = item.map(from_item).transpose()?;
        Ok(settings.map_or_else(|| default.clone(), |settings| settings.policy))
    }

    /// Stores the owner's settings.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn store_settings(&self, owner: &Owner, settings: &Settings) -> Result<(), RecordsError> {
        let mut item: Item =
            serde_dynamo::to_item(settings).map_err(|error| RecordsError::Unreadable(error.to_string()))?;
        item.extend(Key::settings(owner).item());
        self.dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .send()
            .await
            .map(drop)
            .map_err(|error| ServiceError::of("dynamodb:PutItem", &error).into())
    }

    /// Deletes the owner's settings, if they exist.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn delete_settings(&self, owner: &Owner) -> Result<(), ServiceError> {
        self.dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(Key::settings(owner).item()))
            .send()
            .await
            .map(drop)
            .map_err(|error| ServiceError::of("dynamodb:DeleteItem", &error))
    }
}
