//! Stores how an image ended: its record, a row for each label, and the owner's label counts.
//!
//! Input: [`domain::PersistInput`]. Output: [`domain::Outcome`].
//!
//! Written in an order that a crash at any point and a second run leave nothing wrong: the names of
//! the rows first, then the rows and counts, then the result.

mod record;

use domain::contract::OutcomeLabel;
use domain::record::RecordedError;
use domain::{DetectedImage, ErrorName, ImageId, Outcome, Owner, PersistInput, Status};
use label_rows::{Condition, LabelRows, LabelRowsError};
use lambda::{ServiceError, StepError};
use strum::EnumIter;

/// What the step works with.
#[derive(Debug, Clone)]
pub struct Persist {
    /// Stores records.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The table of image records.
    pub table: String,
}

/// Why nothing was stored.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum PersistError {
    /// Another execution has taken the image over, for a later event.
    #[error("another execution has claimed the image")]
    StaleEvent,
    /// Deleted by its owner.
    #[error("the image has been deleted")]
    ImageDeleted,
    /// A rejection whose event is about no upload; `validate` lets none through.
    #[error("the event's key is no upload's")]
    NotAnUpload,
    /// A record that another program wrote.
    #[error("the image's record cannot be used: {0}")]
    UnreadableRecord(String),
    /// AWS is at fault, or a permission is missing.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for PersistError {
    fn name(&self) -> ErrorName {
        match self {
            Self::StaleEvent => ErrorName::StaleEvent,
            Self::ImageDeleted => ErrorName::ImageDeleted,
            Self::NotAnUpload => ErrorName::NotAnUpload,
            Self::UnreadableRecord(_) => ErrorName::UnexpectedAnswer,
            Self::Service(error) => error.name(),
        }
    }
}

impl From<LabelRowsError> for PersistError {
    fn from(error: LabelRowsError) -> Self {
        match error {
            LabelRowsError::RecordChanged(record) => record::lost(record.as_ref()),
            LabelRowsError::Service(error) => error.into(),
        }
    }
}

/// An image on its way into the table.
#[derive(Debug)]
struct Image {
    image_id: ImageId,
    owner: Owner,
    bucket: String,
    key: String,
    execution_arn: String,
    ending: Ending,
}

/// How it ended.
#[derive(Debug)]
enum Ending {
    Labeled(Box<DetectedImage>),
    Rejected(RecordedError),
}

impl Ending {
    fn status(&self) -> Status {
        match self {
            Self::Labeled(_) => Status::Labeled,
            Self::Rejected(_) => Status::Rejected,
        }
    }

    fn labels(&self) -> &[domain::Label] {
        match self {
            Self::Labeled(detected) => &detected.labels,
            Self::Rejected(_) => &[],
        }
    }
}

impl TryFrom<PersistInput> for Image {
    type Error = PersistError;

    fn try_from(input: PersistInput) -> Result<Self, PersistError> {
        match input {
            PersistInput::Labeled(detected) => Ok(Self {
                image_id: detected.image.image_id,
                owner: detected.image.owner.clone(),
                bucket: detected.image.bucket.clone(),
                key: detected.image.key.clone(),
                execution_arn: detected.image.execution_arn.clone(),
                ending: Ending::Labeled(Box::new(detected)),
            }),
            PersistInput::Rejected(rejected) => {
                let key = rejected.image_key().ok_or(PersistError::NotAnUpload)?;
                Ok(Self {
                    image_id: key.image_id,
                    owner: key.owner,
                    bucket: rejected.event.detail.bucket.name,
                    key: rejected.event.detail.object.key,
                    execution_arn: rejected.execution_arn,
                    ending: Ending::Rejected(rejected.error.0),
                })
            }
        }
    }
}

/// Stores the result, unless the claim is no longer this execution's.
///
/// # Errors
/// See [`PersistError`].
pub async fn handle(persist: &Persist, input: PersistInput) -> Result<Outcome, PersistError> {
    let image = Image::try_from(input)?;
    let names: Vec<&str> = image
        .ending
        .labels()
        .iter()
        .map(|label| label.name.as_str())
        .collect();
    let before = record::announce_rows(persist, &image, &names).await?;
    LabelRows {
        dynamodb: &persist.dynamodb,
        table: &persist.table,
        owner: &image.owner,
        image_id: image.image_id,
        created_at: &before.created_at,
        condition: Condition::ClaimedBy(&image.execution_arn),
    }
    .replace(&before.label_rows, image.ending.labels())
    .await?;
    record::store(persist, &image, &names).await?;
    Ok(outcome(image))
}

fn outcome(image: Image) -> Outcome {
    let status = image.ending.status();
    let (labels, error) = match image.ending {
        Ending::Labeled(detected) => {
            let brief = |label: domain::Label| OutcomeLabel {
                name: label.name,
                confidence: label.confidence,
            };
            (detected.labels.into_iter().map(brief).collect(), None)
        }
        Ending::Rejected(error) => (vec![], Some(error)),
    };
    Outcome {
        notification_id: Outcome::notification_id(&image.owner, image.image_id, &image.execution_arn, status),
        image_id: image.image_id,
        owner: image.owner,
        bucket: image.bucket,
        key: image.key,
        status,
        labels,
        error,
        execution_arn: image.execution_arn,
    }
}
