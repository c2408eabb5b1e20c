//! Applies an owner's current settings to images that are already labeled, without the model.
//!
//! Every writer of labels reads the settings after the record, and once more after its write. A writer that used old
//! settings therefore notices it, whichever of two writers was first.

use crate::batch::Read;
use crate::contention::Contention;
use crate::label_rows::{self, LabelRows};
use crate::labels::{LabelsChange, NewLabels, together};
use crate::transaction::executed;
use crate::{Records, RecordsError};
use aws::ServiceError;
use domain::{FilterPolicy, ImageId, ImageRecord, Owner, Status};

/// How many images were filtered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refiltered {
    /// Images with a result. The others are skipped: their executions use the current settings.
    pub labeled: usize,
    /// Images whose labels have changed.
    pub changed: usize,
    /// Images whose results cannot be read. They keep their labels.
    pub unreadable: usize,
}

impl Records {
    /// Applies the owner's current settings to images whose records have just been read, at most 100.
    ///
    /// # Errors
    /// See [`RecordsError`]. Some of the images may have been changed. A repeated call changes the others.
    pub async fn refilter(
        &self,
        owner: &Owner,
        records: &[ImageRecord],
        default: &FilterPolicy,
    ) -> Result<Refiltered, RecordsError> {
        let labeled: Vec<_> = records
            .iter()
            .filter(|record| record.status == Status::Labeled)
            .collect();
        let ids: Vec<_> = labeled.iter().map(|record| record.image_id).collect();
        let results = self.results(owner, &ids).await?;
        // Read after the records.
        let settings = self.settings(owner, default).await?;
        let mut changes = vec![];
        let mut alone = vec![];
        for (record, result) in labeled.iter().zip(results) {
            match result {
                Read::Found(result) if Some(&result.execution_arn) == record.execution_arn.as_ref() => {
                    let Some(new) = NewLabels::new(record, &result, &settings, record.corrections()) else {
                        continue;
                    };
                    match LabelRows::recorded(record) {
                        Some(rows) => changes.push(new.change(record, rows, &result)?),
                        None => alone.push(record.image_id),
                    }
                }
                // The record and the result have been replaced, or the result was not read.
                _ => alone.push(record.image_id),
            }
        }
        let mut changed = changes.len();
        let mut contention = Contention::default();
        for group in together(changes) {
            if !executed(self.change_labels_all(&group, &mut contention).await)? {
                changed -= group.len();
                alone.extend(group.iter().map(LabelsChange::image_id));
            }
        }
        // An unreadable result must not keep the other images from being filtered.
        let refilter = async |image_id| match self.refilter_image(owner, image_id, default).await {
            Err(RecordsError::Unreadable(_)) => Ok(None),
            changed => changed.map(Some),
        };
        let mut unreadable = 0;
        for image_id in alone {
            match refilter(image_id).await? {
                Some(is_changed) => changed += usize::from(is_changed),
                None => unreadable += 1,
            }
        }
        if self.settings(owner, default).await? != settings {
            for record in &labeled {
                refilter(record.image_id).await?;
            }
        }
        Ok(Refiltered {
            labeled: labeled.len(),
            changed,
            unreadable,
        })
    }

    /// Applies the owner's current settings to an image. Returns whether its labels have changed.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub(crate) async fn refilter_image(
        &self,
        owner: &Owner,
        image_id: ImageId,
        default: &FilterPolicy,
    ) -> Result<bool, RecordsError> {
        let mut contention = Contention::default();
        let mut changed = false;
        for _ in 0..label_rows::MAX_TRIES {
            let Some((record, Some(result))) = self.image_with_result(owner, image_id).await? else {
                return Ok(changed);
            };
            let settings = self.settings(owner, default).await?;
            let Some(new) = NewLabels::new(&record, &result, &settings, record.corrections()) else {
                return Ok(changed);
            };
            let rows = LabelRows::read(self, &record).await?;
            let change = new.change(&record, rows, &result)?;
            // Then reads the settings again.
            changed |= executed(self.change_labels(&change, &mut contention).await)?;
        }
        let busy = "others are changing the image's labels".to_owned();
        Err(ServiceError::Throttled(busy).into())
    }
}
