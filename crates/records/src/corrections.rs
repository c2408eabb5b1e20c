//! Stores an owner's corrections of images' labels.

use crate::answer;
use crate::attribute::{CORRECTIONS, STATUS, UPDATED_AT};
use crate::batch::Read;
use crate::contention::Contention;
use crate::expression::{Expressions, Update, equals, text};
use crate::key::Key;
use crate::label_rows::{self, LabelRows};
use crate::labels::{LabelsChange, NewLabels, recorded_corrections, together};
use crate::transaction::executed;
use crate::{Records, RecordsError, attribute_value, now_after};
use aws::ServiceError;
use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::corrections::CorrectionError;
use domain::policy::Rename;
use domain::{CorrectionChange, Corrections, FilterPolicy, ImageId, ImageRecord, Job, JobId, Owner, Status};
use std::collections::HashMap;

/// How the labels of images are corrected.
#[derive(Debug, Clone, Copy)]
pub enum Edit<'a> {
    /// The owner changes them.
    Owner(&'a CorrectionChange),
    /// A job changes them. An undo item is stored for each image.
    Job(&'a Job, &'a CorrectionChange),
    /// The change that a job has made is undone.
    Undo {
        /// The job that has made it.
        job_id: JobId,
        /// What it has changed.
        change: &'a CorrectionChange,
        /// What restores each image.
        inverses: &'a HashMap<ImageId, CorrectionChange>,
    },
}

impl Edit<'_> {
    /// The corrections of an image afterwards.
    fn corrections(
        &self,
        image_id: ImageId,
        before: &Corrections,
        renames: &[Rename],
    ) -> Result<Corrections, CorrectionError> {
        match self {
            Self::Owner(change) | Self::Job(_, change) => before.changed(change, renames),
            Self::Undo { change, inverses, .. } => match inverses.get(&image_id) {
                Some(inverse) => before.undone(change, inverse, renames),
                None => Ok(before.clone()),
            },
        }
    }

    /// What is written together with these corrections.
    fn also(
        &self,
        records: &Records,
        record: &ImageRecord,
        after: &Corrections,
        renames: &[Rename],
    ) -> Result<Option<TransactWriteItem>, RecordsError> {
        let before = record.corrections();
        if before == *after {
            return Ok(None);
        }
        Ok(match self {
            Self::Owner(_) => None,
            Self::Job(job, change) => {
                let inverse = before.inverse(change, renames);
                Some(records.put_undo(job, record.image_id, &inverse)?)
            }
            Self::Undo { job_id, .. } => Some(records.take_undo(&record.owner, *job_id, record.image_id)),
        })
    }
}

/// An image after a correction.
#[derive(Debug, Clone, PartialEq)]
pub struct Corrected {
    /// The record, with the new labels and corrections. While the image is being processed, it has the old labels.
    pub record: ImageRecord,
    /// Whether the correction has changed anything.
    pub changed: bool,
}

/// Why labels were not corrected.
#[derive(Debug, PartialEq, Eq)]
pub enum CorrectError {
    /// The owner has no image with this id, or has deleted it.
    NotFound,
    /// The image has no labels, because it was not uploaded, was rejected or has failed.
    NotLabeled,
    /// The image would have too many corrections.
    Invalid(CorrectionError),
    /// A read or a write failed.
    Records(RecordsError),
}

impl<E: Into<RecordsError>> From<E> for CorrectError {
    fn from(error: E) -> Self {
        Self::Records(error.into())
    }
}

impl Records {
    /// Corrects the labels of images, at most 100. No id occurs twice. Returns the results in their order.
    ///
    /// # Errors
    /// See [`RecordsError`]. Some of the images may have been corrected. A repeated call corrects the others.
    pub async fn correct_images(
        &self,
        owner: &Owner,
        ids: &[ImageId],
        edit: Edit<'_>,
        default: &FilterPolicy,
    ) -> Result<Vec<Result<Corrected, CorrectError>>, RecordsError> {
        let read = self.images(owner, ids, |_| {}, Some).await?;
        let keys: Vec<_> = ids.iter().map(|id| Key::result(owner, *id)).collect();
        let results = self.batch_get(&keys, |item| answer::result(item).ok()).await?;
        // Read after the records.
        let settings = self.settings(owner, default).await?;
        let mut changes = vec![];
        let mut outcomes: HashMap<ImageId, Result<bool, CorrectError>> = HashMap::new();
        for (record, result) in read.iter().zip(&results) {
            if let (Read::Found(record), Read::Found(result)) = (record, result)
                && record.status == Status::Labeled
                && record.execution_arn.as_ref() == Some(&result.execution_arn)
                && record.sequencer.is_some()
                && let Ok(corrections) =
                    edit.corrections(record.image_id, &record.corrections(), &settings.renames)
            {
                let also = edit.also(self, record, &corrections, &settings.renames)?;
                let new = NewLabels::new(record, result, &settings, corrections);
                match (new, LabelRows::recorded(record)) {
                    (None, _) => {
                        outcomes.insert(record.image_id, Ok(false));
                    }
                    (Some(new), Some(rows)) => {
                        let change = new.change(record, rows, result)?;
                        changes.push(match also {
                            Some(action) => change.also(action),
                            None => change,
                        });
                    }
                    // Corrected alone, because its rows must be read.
                    (Some(_), None) => {}
                }
            }
        }
        let mut contention = Contention::default();
        let mut done = vec![];
        for group in together(changes) {
            // Otherwise the images of the group are corrected one by one.
            if executed(self.change_labels_all(&group, &mut contention).await)? {
                done.extend(group.iter().map(LabelsChange::image_id));
            }
        }
        outcomes.extend(done.iter().map(|id| (*id, Ok(true))));
        for id in ids {
            if outcomes.contains_key(id) {
                continue;
            }
            let outcome = match self.correct(owner, *id, edit, default).await {
                Err(CorrectError::Records(error)) => return Err(error),
                outcome => outcome.map(|corrected| corrected.changed),
            };
            outcomes.insert(*id, outcome);
        }
        if self.settings(owner, default).await? != settings {
            for id in &done {
                self.refilter_image(owner, *id, default).await?;
            }
        }
        let after = self.images(owner, ids, |_| {}, Some).await?;
        let after: Vec<_> = after.into_iter().map(Read::known).collect::<Result<_, _>>()?;
        Ok(ids
            .iter()
            .zip(after)
            .map(|(id, record)| match (outcomes.remove(id), record) {
                (Some(Ok(changed)), Some(record)) if record.status != Status::Deleted => {
                    Ok(Corrected { record, changed })
                }
                (Some(Err(error)), _) => Err(error),
                _ => Err(CorrectError::NotFound),
            })
            .collect())
    }

    /// Corrects the labels of an image. The record, its rows and the counts change together. While the image is being
    /// processed, only the corrections are stored: its execution applies them.
    ///
    /// # Errors
    /// See [`CorrectError`].
    pub async fn correct(
        &self,
        owner: &Owner,
        image_id: ImageId,
        edit: Edit<'_>,
        default: &FilterPolicy,
    ) -> Result<Corrected, CorrectError> {
        let mut contention = Contention::default();
        for _ in 0..label_rows::MAX_TRIES {
            let found = self.image_with_result(owner, image_id).await?;
            let Some((record, result)) = found.filter(|(record, _)| record.status != Status::Deleted) else {
                return Err(CorrectError::NotFound);
            };
            let is_processed = matches!(record.status, Status::Labeled | Status::Processing);
            if !is_processed || record.sequencer.is_none() {
                return Err(CorrectError::NotLabeled);
            }
            // Read after the record.
            let settings = self.settings(owner, default).await?;
            let before = record.corrections();
            let corrections = edit.corrections(image_id, &before, &settings.renames);
            let corrections = corrections.map_err(CorrectError::Invalid)?;
            let also = edit.also(self, &record, &corrections, &settings.renames)?;
            let Some(result) = result else {
                let changed = corrections != before;
                match self.store_corrections(&record, corrections, also).await? {
                    Some(record) => return Ok(Corrected { record, changed }),
                    None => continue,
                }
            };
            let Some(new) = NewLabels::new(&record, &result, &settings, corrections) else {
                let changed = false;
                return Ok(Corrected { record, changed });
            };
            let rows = LabelRows::read(self, &record).await?;
            let mut change = new.change(&record, rows, &result)?;
            if let Some(action) = also {
                change = change.also(action);
            }
            if !executed(self.change_labels(&change, &mut contention).await)? {
                continue;
            }
            // Settings that were changed meanwhile may already have been applied to the other images.
            if self.settings(owner, default).await? != settings {
                self.refilter_image(owner, image_id, default).await?;
            }
            let record = self.image(owner, image_id).await?;
            let record = record.filter(|record| record.status != Status::Deleted);
            let record = record.ok_or(CorrectError::NotFound)?;
            let changed = true;
            return Ok(Corrected { record, changed });
        }
        let busy = "others are changing the image's labels".to_owned();
        Err(ServiceError::Throttled(busy).into())
    }

    /// Stores only the corrections, together with `also`. `None` if the record has changed since it was read.
    async fn store_corrections(
        &self,
        record: &ImageRecord,
        corrections: Corrections,
        also: Option<TransactWriteItem>,
    ) -> Result<Option<ImageRecord>, RecordsError> {
        let updated_at = now_after(&record.updated_at);
        let is_unchanged =
            equals(STATUS, text(record.status.as_str())).and(equals(UPDATED_AT, text(&record.updated_at)));
        let corrections = recorded_corrections(record, corrections);
        let attribute = corrections.as_ref().map(attribute_value).transpose()?;
        let update = Update::new()
            .set(UPDATED_AT, text(&updated_at))
            .set_or_remove(CORRECTIONS, attribute);
        let expressions = Expressions::new().condition(is_unchanged).update(update);
        let key = Key::image(&record.owner, record.image_id);
        let is_stored = match also {
            None => self.update_if(&key, expressions).await?,
            Some(also) => {
                let actions = vec![self.checked_update(&key, expressions), also];
                executed(self.transact(actions, &mut Contention::default()).await)?
            }
        };
        Ok(is_stored.then(|| ImageRecord {
            corrections,
            updated_at,
            ..record.clone()
        }))
    }
}
