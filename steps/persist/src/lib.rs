//! Stores the final result of an image: its record, its result, a row per label, and the owner's label counts.
//!
//! Input: [`domain::PersistInput`]. Output: [`domain::Outcome`].

use domain::{ErrorName, Outcome, PersistInput, StepError};
use records::{FinalResult, LostClaim, Records, RecordsError, StoreError};
use strum::EnumIter;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct Persist {
    /// Stores results.
    pub records: Records,
}

/// Why the result was not stored.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum PersistError {
    /// Another execution has claimed the image.
    #[error("another execution has claimed the image")]
    StaleEvent,
    /// The owner has deleted the image.
    #[error("the image has been deleted")]
    ImageDeleted,
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
            Self::StaleEvent => ErrorName::StaleEvent,
            Self::ImageDeleted => ErrorName::ImageDeleted,
            Self::NotAnUpload => ErrorName::NotAnUpload,
            Self::Records(error) => error.name(),
        }
    }
}

impl From<StoreError> for PersistError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Lost(LostClaim::Superseded) => Self::StaleEvent,
            StoreError::Lost(LostClaim::Deleted) => Self::ImageDeleted,
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
        PersistInput::Labeled(detected) => {
            let claim = &detected.image.claim;
            persist
                .records
                .store_result(claim, FinalResult::Labeled(&detected))
                .await?;
            Ok(Outcome::labeled(detected.image.claim, detected.labels))
        }
        PersistInput::Rejected(rejected) => {
            let claim = rejected.claim().ok_or(PersistError::NotAnUpload)?;
            let error = rejected.error.0;
            persist
                .records
                .store_result(&claim, FinalResult::Rejected(&error))
                .await?;
            Ok(Outcome::rejected(claim, error))
        }
    }
}
