//! Marks the image of a failed execution as `FAILED`.

use crate::attribute::{ERROR, EXECUTION_ARN, EXPIRES_AT, SEQUENCER, STATUS};
use crate::claim::ClaimedEvent;
use crate::expression::{Condition, Expressions, differs, equals, text};
use crate::key::Key;
use crate::{Records, RecordsError, attribute_value};
use domain::Status;
use domain::record::RecordedError;

impl Records {
    /// Marks the image as `FAILED` if the execution holds it or no execution has claimed it. Creates the record if
    /// there is none. Never overwrites a result.
    ///
    /// Returns whether the image is now `FAILED` because of this execution. A repeated call returns `true` again, so
    /// that the caller notifies the event bus even if its first run died before that.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn store_failure(
        &self,
        event: ClaimedEvent<'_>,
        error: &RecordedError,
    ) -> Result<bool, RecordsError> {
        let status = |status: Status| text(status.as_str());
        // Without a sequencer, the execution died before `validate` claimed the image.
        let not_claimed = Condition::Absent(SEQUENCER)
            .and(Condition::Absent(STATUS).or(differs(STATUS, status(Status::Deleted))));
        let is_ours = equals(EXECUTION_ARN, text(&event.claim.execution_arn)).and(Condition::OneOf(
            STATUS,
            vec![status(Status::Processing), status(Status::Failed)],
        ));
        let update = event
            .update(Status::Failed)
            .set(ERROR, attribute_value(error)?)
            .remove([EXPIRES_AT]);
        let expressions = Expressions::new()
            .condition(not_claimed.or(is_ours))
            .update(update);
        let key = Key::of_claim(event.claim);
        Ok(self.update_if(&key, expressions).await?)
    }
}
