//! Stores the final result of an image: its record, its result, a row per label, and the owner's label counts.
//!
//! Input: [`domain::PersistInput`]. Output: [`domain::Outcome`].

use aws::ServiceError;
use domain::{ErrorName, FilterPolicy, FilteredImage, Outcome, PersistInput, StepError};
use records::{FinalResult, LostClaim, Records, RecordsError, StoreError};
use strum::EnumIter;

/// How often the labels are filtered again if the settings or the corrections change at the same time.
const MAX_TRIES: usize = 5;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct Persist {
    /// Stores results.
    pub records: Records,
    /// The filter policy for owners without settings.
    pub default_policy: FilterPolicy,
}

/// Why the result was not stored.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum PersistError {
    /// The execution no longer holds the claim.
    #[error(transparent)]
    #[strum(disabled)]
    Lost(#[from] LostClaim),
    /// The key in the event of a rejection is not an upload's key. `validate` rejects such an event first.
    #[error("the event's key is not an upload's key")]
    NotAnUpload,
    /// The record is invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(#[from] RecordsError),
}

impl StepError for PersistError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Lost(lost) => lost.name(),
            Self::NotAnUpload => ErrorName::NotAnUpload,
            Self::Records(error) => error.name(),
        }
    }
}

impl From<StoreError> for PersistError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Lost(lost) => lost.into(),
            StoreError::Records(error) => error.into(),
        }
    }
}

/// Stores the result if the execution still holds the claim.
///
/// # Errors
/// See [`PersistError`].
pub async fn handle(persist: &Persist, input: PersistInput) -> Result<Outcome, PersistError> {
    match input {
        PersistInput::Labeled(filtered) => store_labels(persist, filtered).await,
        PersistInput::Rejected(rejected) => {
            let claim = rejected.claim().ok_or(PersistError::NotAnUpload)?;
            let error = rejected.error.0;
            let result = FinalResult::Rejected {
                error: &error,
                paid: rejected.paid,
            };
            persist
                .records
                .store_result(&claim, result, &persist.default_policy)
                .await?;
            Ok(Outcome::rejected(claim, error))
        }
    }
}

/// Stores the labels. If the owner has changed the settings or the image's corrections since the labels were filtered,
/// filters them again. The criteria are read after the write: a job that applies new settings to all images skips those
/// that are still being processed, so whoever writes labels has to notice new settings.
async fn store_labels(persist: &Persist, filtered: FilteredImage) -> Result<Outcome, PersistError> {
    let claim = &filtered.image.claim;
    let (answer, mut counted) = (filtered.answer(), filtered.counted());
    for _ in 0..MAX_TRIES {
        let result = FinalResult::Labeled {
            image: &filtered.image,
            answer: &answer,
            counted: &counted,
            model_version: filtered.model_version.as_deref(),
        };
        persist
            .records
            .store_result(claim, result, &persist.default_policy)
            .await?;
        let records = &persist.records;
        let criteria = records
            .criteria(&claim.owner, claim.image_id, &persist.default_policy)
            .await?;
        let newest = criteria.labels_that_count(&answer);
        if newest == counted {
            let media_type = filtered.image.file.media_type();
            return Ok(Outcome::labeled(filtered.image.claim, media_type, counted));
        }
        counted = newest;
    }
    let busy = "the settings or the corrections change faster than they can be applied".to_owned();
    Err(RecordsError::from(ServiceError::Throttled(busy)).into())
}
