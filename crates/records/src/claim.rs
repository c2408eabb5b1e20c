//! Claims an image for an execution.

use crate::attribute::{
    BUCKET, CHECKSUM, COUNTED_MINUTES, CREATED_AT, ERROR, EXECUTION_ARN, EXPIRES_AT, FILE_NAME, HISTORY,
    IMAGE_ID, INCOMPLETE, KEY, METADATA, MODIFIED_AT, MULTIPART, OWNER, SEQUENCER, SIZE, STATUS,
    THUMBNAILS_ERROR, TYPE, UPDATED_AT, VIDEO,
};
use crate::conditional::Written;
use crate::expression::{Condition, Expressions, Update, differs, equals, less, number, text};
use crate::key::Key;
use crate::result::{LostClaim, lost_claim};
use crate::{Records, RecordsError, attribute_value, from_item, now};
use aws_sdk_dynamodb::types::ReturnValue;
use domain::{Claim, EventKind, ImageRecord, MediaType, ObjectCreated, Status, table};

/// A claim and its event.
#[derive(Debug, Clone, Copy)]
pub struct ClaimedEvent<'a> {
    /// The claim.
    pub claim: &'a Claim,
    /// The event that started the execution.
    pub event: &'a ObjectCreated,
}

/// The condition for storing a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimCondition {
    /// The image is not deleted. No execution has claimed this event or a later one, or this execution has claimed it
    /// and has stored no result yet.
    Free,
    /// The image still has this status and is still claimed by this other execution, which may be replaced.
    HeldBy {
        /// The execution that holds the claim.
        execution_arn: String,
        /// The image's status.
        status: Status,
    },
    /// The image is still deleted, and this event is later than the deleted object's.
    Deleted,
}

/// What S3 stores with the object of a claim.
#[derive(Debug, Clone, Copy, Default)]
pub struct ClaimedFile<'a> {
    /// The SHA-256 in base64.
    pub checksum: Option<&'a str>,
    /// See [`ImageRecord::modified_at`].
    pub modified_at: Option<&'a str>,
}

impl ClaimedEvent<'_> {
    /// Sets the attributes of the image's record that result from the event and the claim. Works with and without an
    /// existing record.
    pub(crate) fn update(&self, status: Status) -> Update {
        let Self { claim, event } = self;
        let now = now();
        let history = table::history_sort(&now, claim.image_id);
        let mut update = Update::new()
            .set(STATUS, text(status.as_str()))
            .set(EXECUTION_ARN, text(&claim.execution_arn))
            .set(UPDATED_AT, text(&now))
            .set_if_absent(CREATED_AT, text(now))
            .set_if_absent(HISTORY, text(history))
            .set(IMAGE_ID, text(claim.image_id.to_string()))
            .set(OWNER, text(claim.owner.as_str()))
            .set(BUCKET, text(&claim.bucket))
            .set(KEY, text(&claim.key));
        let sequencer = text(event.sequencer().as_str());
        update = match event.kind {
            EventKind::Created => update.set(SEQUENCER, sequencer),
            // The record is already about this object.
            EventKind::Restored => update.set_if_absent(SEQUENCER, sequencer),
        };
        if let Some(size) = event.detail.object.size {
            update = update.set(SIZE, number(size));
        }
        if let Some(file_name) = &claim.image_key().file_name {
            update = update.set(FILE_NAME, text(file_name));
        }
        update
    }

    fn condition(&self, condition: &ClaimCondition) -> Condition {
        let sequencer = || text(self.event.sequencer().as_str());
        let status = |status: Status| text(status.as_str());
        let not_deleted = differs(STATUS, status(Status::Deleted));
        let is_later = || Condition::Absent(SEQUENCER).or(less(SEQUENCER, sequencer()));
        match condition {
            ClaimCondition::Free => {
                let not_done =
                    Condition::OneOf(STATUS, vec![status(Status::Processing), status(Status::Failed)]);
                let is_ours = equals(EXECUTION_ARN, text(&self.claim.execution_arn)).and(not_done);
                is_later()
                    .or(is_ours)
                    .and(Condition::Absent(STATUS).or(not_deleted))
            }
            ClaimCondition::HeldBy {
                execution_arn,
                status: held,
            } => {
                let is_held = equals(EXECUTION_ARN, text(execution_arn)).and(equals(STATUS, status(*held)));
                match self.event.kind {
                    EventKind::Created => is_held.and(equals(SEQUENCER, sequencer())),
                    EventKind::Restored => is_held,
                }
            }
            ClaimCondition::Deleted => equals(STATUS, status(Status::Deleted)).and(is_later()),
        }
    }
}

impl Records {
    /// Stores the claim and what S3 stores with its object, and sets the status to `PROCESSING`. If the condition
    /// does not hold, returns the current record.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn claim(
        &self,
        event: ClaimedEvent<'_>,
        file: ClaimedFile<'_>,
        condition: &ClaimCondition,
    ) -> Result<Option<ImageRecord>, RecordsError> {
        let minutes = event.event.counted_minutes();
        let minutes = minutes.as_ref().map(attribute_value).transpose()?;
        // What is removed may belong to a previous file under the key, and so may the checksum.
        let mut update = event
            .update(Status::Processing)
            .set_or_remove(CHECKSUM, file.checksum.map(text))
            .set_or_remove(MODIFIED_AT, file.modified_at.map(text))
            .set_or_remove(COUNTED_MINUTES, minutes)
            .remove([
                EXPIRES_AT,
                MULTIPART,
                METADATA,
                INCOMPLETE,
                ERROR,
                THUMBNAILS_ERROR,
            ]);
        if event.event.relabel.is_none() {
            update = update.remove([TYPE, VIDEO]);
        }
        let expressions = Expressions::new()
            .condition(event.condition(condition))
            .update(update);
        let key = Key::of_claim(event.claim);
        match self.update(&key, expressions, ReturnValue::None, true).await? {
            Written::Done(_) => Ok(None),
            Written::Refused(item) => from_item(item.unwrap_or_default()).map(Some),
        }
    }

    /// Takes over the claim of a video from the execution of `label-image` that has started this execution, named by its ARN.
    /// Also succeeds if this execution already holds it, or if the execution that held it has failed.
    ///
    /// The claim changes in this one update, so there is no moment without one. The execution of `label-image` cannot take it
    /// back: `validate` does not take a claim from an execution that its own has started.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn take_over_claim(
        &self,
        event: ClaimedEvent<'_>,
        handed_over_by: &str,
    ) -> Result<Result<(), LostClaim>, RecordsError> {
        let status = |status: Status| text(status.as_str());
        let held_by = |execution: &str| equals(EXECUTION_ARN, text(execution));
        let is_processed = equals(STATUS, status(Status::Processing));
        let is_handed_over = held_by(handed_over_by)
            .or(held_by(&event.claim.execution_arn))
            .and(is_processed);
        let mut condition = is_handed_over.or(equals(STATUS, status(Status::Failed)));
        // The sequencer of a restored object is that of its creation, which its event does not have.
        if event.event.kind == EventKind::Created {
            condition = condition.and(equals(SEQUENCER, text(event.event.sequencer().as_str())));
        }
        let update = Update::new()
            .set(STATUS, status(Status::Processing))
            .set(EXECUTION_ARN, text(&event.claim.execution_arn))
            .set(UPDATED_AT, text(now()))
            .set(TYPE, text(MediaType::Video.as_str()))
            .remove([ERROR]);
        let expressions = Expressions::new().condition(condition).update(update);
        let key = Key::of_claim(event.claim);
        match self.update(&key, expressions, ReturnValue::None, true).await? {
            Written::Done(_) => Ok(Ok(())),
            Written::Refused(item) => Ok(Err(lost_claim(item.as_ref()))),
        }
    }
}
