//! The thumbnails in an image's record, or why there are none.

use crate::attribute::{EXECUTION_ARN, INCOMPLETE, STATUS, THUMBNAILS, THUMBNAILS_ERROR};
use crate::conditional::Written;
use crate::expression::{Expressions, Update, boolean, equals, text};
use crate::key::Key;
use crate::unreadable::unreadable;
use crate::{Item, Records, RecordsError, attribute_value};
use aws_sdk_dynamodb::types::ReturnValue;
use domain::record::RecordedError;
use domain::{Claim, Rendition, Status};

/// The thumbnails of a labeled picture.
#[derive(Debug, Clone, Copy)]
pub enum ThumbnailsResult<'a> {
    /// They have been written.
    Written {
        /// Smallest first.
        thumbnails: &'a [Rendition],
        /// Whether a part of the picture is missing from the file.
        incomplete: bool,
    },
    /// They cannot be made.
    Failed(&'a RecordedError),
}

/// What became of a result of the thumbnails.
#[derive(Debug, Clone, PartialEq)]
pub enum StoredThumbnails {
    /// It was stored. These thumbnails are no longer in the record.
    Done(Vec<Rendition>),
    /// The record belongs to another execution, is being labeled again, or is deleted. It has these thumbnails, which can be
    /// those of the execution: a relabeling keeps them until it has its own.
    Refused(Vec<Rendition>),
}

impl Records {
    /// Stores the thumbnails, or why there are none, if the record still contains the result of the execution.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn store_thumbnails(
        &self,
        claim: &Claim,
        result: ThumbnailsResult<'_>,
    ) -> Result<StoredThumbnails, RecordsError> {
        let has_labeled = equals(EXECUTION_ARN, text(&claim.execution_arn))
            .and(equals(STATUS, text(Status::Labeled.as_str())));
        let (kept, update) = match result {
            ThumbnailsResult::Written {
                thumbnails,
                incomplete,
            } => (
                thumbnails,
                Update::new()
                    .set(THUMBNAILS, attribute_value(thumbnails)?)
                    .set_or_remove(INCOMPLETE, incomplete.then(|| boolean(true)))
                    .remove([THUMBNAILS_ERROR]),
            ),
            ThumbnailsResult::Failed(error) => (
                &[][..],
                Update::new()
                    .set(THUMBNAILS_ERROR, attribute_value(error)?)
                    .remove([THUMBNAILS, INCOMPLETE]),
            ),
        };
        let expressions = Expressions::new().condition(has_labeled).update(update);
        let key = Key::of_claim(claim);
        // Not UPDATED_OLD: AWS does not document whether that includes removed attributes.
        match self.update(&key, expressions, ReturnValue::AllOld, true).await? {
            Written::Done(before) => {
                let mut before = thumbnails_of(before.unwrap_or_default())?;
                before.retain(|thumbnail| !kept.contains(thumbnail));
                Ok(StoredThumbnails::Done(before))
            }
            Written::Refused(current) => Ok(StoredThumbnails::Refused(thumbnails_of(
                current.unwrap_or_default(),
            )?)),
        }
    }
}

fn thumbnails_of(mut item: Item) -> Result<Vec<Rendition>, RecordsError> {
    let thumbnails = item.remove(THUMBNAILS).map(serde_dynamo::from_attribute_value);
    thumbnails
        .transpose()
        .map(Option::unwrap_or_default)
        .map_err(|error| unreadable(&error))
}
