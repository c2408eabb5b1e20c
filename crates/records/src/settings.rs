//! An owner's settings.

use crate::attribute::VERSION;
use crate::conditional::{self, Written};
use crate::expression::{Condition, Expressions, equals, text};
use crate::key::Key;
use crate::{Item, Records, RecordsError, WithExpressions, from_item};
use aws::ServiceError;
use domain::policy::SettingsVersion;
use domain::{Criteria, FilterPolicy, ImageId, ImageRecord, Owner, Settings};
use serde::{Deserialize, Serialize};

/// An owner's settings with their version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VersionedSettings {
    /// The settings.
    #[serde(flatten)]
    pub settings: Settings,
    /// Their version.
    #[serde(default)]
    pub version: SettingsVersion,
}

impl Records {
    /// The owner's settings, or `default` if the owner has none. They are not checked. Uses a consistent read.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn settings(&self, owner: &Owner, default: &FilterPolicy) -> Result<Settings, RecordsError> {
        Ok(self.versioned_settings(owner, default).await?.settings)
    }

    /// Like [`Records::settings`], with their version.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn versioned_settings(
        &self,
        owner: &Owner,
        default: &FilterPolicy,
    ) -> Result<VersionedSettings, RecordsError> {
        let item = self.get(&Key::settings(owner), Expressions::new()).await?;
        let settings: Option<VersionedSettings> = item.map(from_item).transpose()?;
        Ok(settings.unwrap_or_else(|| VersionedSettings {
            settings: Settings::new(default.clone()),
            version: SettingsVersion::default(),
        }))
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

    /// Stores the owner's settings, with `replaces` only if the stored ones have this version. Returns the new version, or
    /// `None` if the stored ones have another version.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn store_settings(
        &self,
        owner: &Owner,
        settings: &Settings,
        replaces: Option<&SettingsVersion>,
    ) -> Result<Option<SettingsVersion>, RecordsError> {
        let stored = VersionedSettings {
            settings: settings.clone(),
            version: SettingsVersion::unique(),
        };
        let key = Key::settings(owner);
        let Some(replaces) = replaces else {
            self.put_item(&key, &stored).await?;
            return Ok(Some(stored.version));
        };
        let is_unchanged = if replaces.is_initial() {
            Condition::Absent(VERSION)
        } else {
            equals(VERSION, text(replaces.as_str()))
        };
        let mut item: Item =
            serde_dynamo::to_item(&stored).map_err(|error| RecordsError::Unreadable(error.to_string()))?;
        item.extend(key.item());
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item))
            .with_expressions(Expressions::new().condition(is_unchanged));
        let written = conditional::write("dynamodb:PutItem", || put.clone().send()).await?;
        Ok(matches!(written, Written::Done(_)).then_some(stored.version))
    }

    /// Deletes the owner's settings, if they exist.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn delete_settings(&self, owner: &Owner) -> Result<(), ServiceError> {
        self.delete_item(&Key::settings(owner)).await
    }
}
