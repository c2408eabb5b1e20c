//! Which execution holds an image.

use crate::Records;
use crate::attribute::{EXECUTION_ARN, STATUS};
use crate::expression::Expressions;
use crate::key::Key;
use aws::ServiceError;
use domain::{ImageId, Owner, Status};

/// Which execution holds an image, according to the image's record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    status: String,
    execution_arn: String,
}

impl Holder {
    /// Whether the image is deleted. Then no execution holds it.
    pub fn is_deleted(&self) -> bool {
        self.status == Status::Deleted.as_str()
    }

    /// Whether the execution holds the image.
    pub fn is(&self, execution_arn: &str) -> bool {
        !self.is_deleted() && self.execution_arn == execution_arn
    }
}

impl Records {
    /// The execution that holds the image. Uses a consistent read. `None` if there is no record, not even a tombstone.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn holder(&self, owner: &Owner, image_id: ImageId) -> Result<Option<Holder>, ServiceError> {
        let expressions = Expressions::new().projection(&[STATUS, EXECUTION_ARN]);
        let item = self.get(&Key::image(owner, image_id), expressions).await?;
        Ok(item.map(|item| {
            let text = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
            Holder {
                status: text(STATUS).unwrap_or_default(),
                execution_arn: text(EXECUTION_ARN).unwrap_or_default(),
            }
        }))
    }
}
