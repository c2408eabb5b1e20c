//! Stores the final result of an image: its record, its result item, the label rows and the owner's label counts.
//!
//! Step Functions can run the step again after any transaction, even while the first run is still in progress. Each run
//! reads the record and the existing rows and writes only the differences.

use crate::answer;
use crate::attribute::{
    ERROR, EXECUTION_ARN, FORMAT, HEIGHT, LABELS, MODEL_VERSION, SIZE, STATUS, TYPE, VIDEO, WIDTH,
};
use crate::contention::Contention;
use crate::expression::{Condition, Expressions, Update, differs, equals, number, text};
use crate::key::Key;
use crate::label_rows::{self, LabelRows};
use crate::labels::LabelsChange;
use crate::transaction::TransactionError;
use crate::{Item, Records, RecordsError, attribute_value};
use aws::ServiceError;
use domain::record::{RecordedError, RecordedLabel};
use domain::{
    Claim, ClaimedImage, Criteria, ErrorName, FilterPolicy, Label, Media, MediaType, Picture, Status,
    StepError,
};
use jiff::Timestamp;
use strum::EnumIter;

/// The condition that the execution holds the claim. After the claim, every write of an execution has this condition or
/// a stricter one. Deletions, corrections and jobs have their own conditions.
pub(crate) fn is_held(claim: &Claim) -> Condition {
    equals(EXECUTION_ARN, text(&claim.execution_arn)).and(differs(STATUS, text(Status::Deleted.as_str())))
}

/// The final result of an image.
#[derive(Debug, Clone, Copy)]
pub enum FinalResult<'a> {
    /// The image is `LABELED`.
    Labeled {
        /// The image.
        image: &'a ClaimedImage<Media>,
        /// Everything that the model found, highest confidence first.
        answer: &'a [Label],
        /// The labels that count, most specific first.
        counted: &'a [RecordedLabel],
        /// The version of the model.
        model_version: Option<&'a str>,
    },
    /// The image is `REJECTED`.
    Rejected {
        /// Why.
        error: &'a RecordedError,
        /// Whether labels may have been paid for before. Then the minutes of a video stay counted.
        paid: bool,
    },
}

/// Why an execution no longer holds its claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum LostClaim {
    /// Another execution has claimed the image.
    #[error("another execution has claimed the image")]
    Superseded,
    /// The owner has deleted the image.
    #[error("the image has been deleted")]
    Deleted,
}

impl StepError for LostClaim {
    fn name(&self) -> ErrorName {
        match self {
            Self::Superseded => ErrorName::StaleEvent,
            Self::Deleted => ErrorName::ImageDeleted,
        }
    }
}

/// Why a result was not stored.
#[derive(Debug, PartialEq, Eq)]
pub enum StoreError {
    /// The execution no longer holds the claim.
    Lost(LostClaim),
    /// A read or a write failed.
    Records(RecordsError),
}

impl<E: Into<RecordsError>> From<E> for StoreError {
    fn from(error: E) -> Self {
        Self::Records(error.into())
    }
}

impl Records {
    /// Stores the final result of an image if the execution still holds the claim. `default` is the policy of owners without
    /// settings.
    ///
    /// # Errors
    /// See [`StoreError`]. Completed transactions are not undone. Another run continues from there.
    pub async fn store_result(
        &self,
        claim: &Claim,
        result: FinalResult<'_>,
        default: &FilterPolicy,
    ) -> Result<(), StoreError> {
        let mut contention = Contention::default();
        for _ in 0..label_rows::MAX_TRIES {
            match self.try_store(claim, result, default, &mut contention).await {
                Err(AttemptError::Changed) => {}
                Err(AttemptError::Store(error)) => return Err(error),
                Ok(()) => return Ok(()),
            }
        }
        let busy = "others are changing the image's labels".to_owned();
        Err(ServiceError::Throttled(busy).into())
    }

    async fn try_store(
        &self,
        claim: &Claim,
        mut result: FinalResult<'_>,
        default: &FilterPolicy,
        contention: &mut Contention,
    ) -> Result<(), AttemptError> {
        let (owner, image_id) = (&claim.owner, claim.image_id);
        let record = self.image(owner, image_id).await.map_err(StoreError::from)?;
        let record = match record {
            // The tombstone has expired.
            None => return Err(StoreError::Lost(LostClaim::Deleted).into()),
            Some(record) if record.status == Status::Deleted => {
                return Err(StoreError::Lost(LostClaim::Deleted).into());
            }
            Some(record) if record.execution_arn.as_deref() != Some(claim.execution_arn.as_str()) => {
                return Err(StoreError::Lost(LostClaim::Superseded).into());
            }
            Some(record) => record,
        };
        if let (FinalResult::Rejected { paid: false, .. }, Some(counted)) = (&result, &record.counted_minutes)
        {
            // Before the rejection is stored: from then on, the owner can label the video again, which counts it again.
            self.return_minutes_of_video(claim, counted, Timestamp::now())
                .await
                .map_err(StoreError::from)?;
        }
        let newest;
        if let FinalResult::Labeled { counted, answer, .. } = &mut result
            && record.status == Status::Labeled
        {
            // A run before this one has stored the result. Corrections and new settings may have changed it since.
            let settings = self.settings(owner, default).await.map_err(StoreError::from)?;
            let corrections = record.corrections();
            newest = Criteria {
                settings,
                keywords: record.keywords(),
                corrections,
            }
            .labels_that_count(answer);
            *counted = &newest;
        }
        let (counted, answer) = match result {
            FinalResult::Labeled { counted, answer, .. } => (counted, answer),
            FinalResult::Rejected { .. } => (&[][..], &[][..]),
        };
        let place = match result {
            FinalResult::Labeled { .. } => record.place(),
            FinalResult::Rejected { .. } => record.history.clone(),
        };
        let rows = if place == record.history || !record.label_rows.is_empty() {
            LabelRows::read(self, &record).await.map_err(StoreError::from)?
        } else {
            LabelRows::none_at(&record, &place)
        };
        // The record names one place of its rows, so the rows of another place are removed first.
        let moves = rows.place() != place;
        let change = if moves {
            LabelsChange::new(&record, rows, is_held(claim), &[], &[]).record_labels(&[])
        } else {
            let change = LabelsChange::new(&record, rows, is_held(claim), counted, answer);
            self.final_result(claim, result, &place, change)
        };
        let change = change.map_err(StoreError::from)?;
        match self.change_labels(&change, contention).await {
            // The next try writes them at the new place.
            Ok(()) if moves => Err(AttemptError::Changed),
            Ok(()) => Ok(()),
            Err(TransactionError::FirstConditionFailed(Some(record))) if is_held_in(&record, claim) => {
                Err(AttemptError::Changed)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Adds the changes of the record and of the result item. A rejected picture has no result item, so the one of an
    /// earlier picture under the same key is deleted.
    fn final_result<'a>(
        &self,
        claim: &Claim,
        result: FinalResult<'_>,
        place: &str,
        change: LabelsChange<'a>,
    ) -> Result<LabelsChange<'a>, RecordsError> {
        let key = Key::result(&claim.owner, claim.image_id);
        match result {
            FinalResult::Labeled {
                image,
                answer,
                counted,
                model_version,
            } => {
                let file = file(&image.file)?;
                let update = |update: Update| {
                    file(update)
                        .set(STATUS, text(Status::Labeled.as_str()))
                        .set_or_remove(MODEL_VERSION, model_version.map(text))
                        .remove([ERROR])
                };
                let result = answer::item(&claim.execution_arn, answer)?;
                let put = self.put(&key, result, Expressions::new());
                Ok(change.at(place).update(update).record_labels(counted)?.also(put))
            }
            FinalResult::Rejected { error, .. } => {
                let error = attribute_value(error)?;
                let update = |update: Update| {
                    update
                        .set(STATUS, text(Status::Rejected.as_str()))
                        .set(ERROR, error)
                        .remove([LABELS, MODEL_VERSION])
                };
                let delete = self.delete(&key, Expressions::new());
                Ok(change.update(update).also(delete))
            }
        }
    }
}

/// Sets the attributes that describe the file, and removes those of another kind of file.
fn file(file: &Media) -> Result<impl FnOnce(Update) -> Update, RecordsError> {
    let (size, width, height) = match file {
        Media::Picture(Picture {
            size, width, height, ..
        }) => (size, width, height),
        Media::Video(file) => (&file.size, &file.video.facts.width, &file.video.facts.height),
    };
    let (size, width, height) = (number(size), number(width), number(height));
    let (format, video) = match file {
        Media::Picture(picture) => (Some(attribute_value(&picture.format)?), None),
        Media::Video(file) => (None, Some(attribute_value(&file.video)?)),
    };
    Ok(move |update: Update| {
        update
            .set(SIZE, size)
            .set(WIDTH, width)
            .set(HEIGHT, height)
            .set_or_remove(FORMAT, format)
            .set_or_remove(TYPE, video.is_some().then(|| text(MediaType::Video.as_str())))
            .set_or_remove(VIDEO, video)
    })
}

/// Whether the record, as a condition has returned it, still belongs to the claim. Then something else has changed.
pub(crate) fn is_held_in(record: &Item, claim: &Claim) -> bool {
    let is = |name, value: &str| {
        record
            .get(name)
            .and_then(|found| found.as_s().ok())
            .is_some_and(|found| found == value)
    };
    is(EXECUTION_ARN, &claim.execution_arn) && !is(STATUS, Status::Deleted.as_str())
}

/// Why one attempt to store a result failed.
enum AttemptError {
    /// The record or the label rows have changed since they were read.
    Changed,
    Store(StoreError),
}

impl From<StoreError> for AttemptError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TransactionError> for AttemptError {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::OtherConditionFailed => Self::Changed,
            TransactionError::FirstConditionFailed(record) => {
                Self::Store(StoreError::Lost(lost_claim(record.as_ref())))
            }
            TransactionError::Service(error) => Self::Store(error.into()),
        }
    }
}

/// Why the claim is lost. If there is no record, the tombstone has expired.
pub(crate) fn lost_claim(record: Option<&Item>) -> LostClaim {
    match record.and_then(|record| record.get(STATUS)?.as_s().ok()) {
        Some(status) if status != Status::Deleted.as_str() => LostClaim::Superseded,
        _ => LostClaim::Deleted,
    }
}
