//! Whether an execution still holds an image.

use crate::attribute::{EXECUTION_ARN, STATUS};
use crate::expression::Expressions;
use crate::key::Key;
use crate::result::{LostClaim, lost_claim};
use crate::{Item, Records};
use aws::ServiceError;
use domain::Claim;

impl Records {
    /// Whether an execution still holds its claim, according to the image's record. Uses a consistent read.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn check_claim(&self, claim: &Claim) -> Result<Result<(), LostClaim>, ServiceError> {
        let expressions = Expressions::new().projection(&[STATUS, EXECUTION_ARN]);
        let record = self.get(&Key::of_claim(claim), expressions).await?;
        let is_holder = |record: &Item| {
            let holder = record.get(EXECUTION_ARN).and_then(|value| value.as_s().ok());
            holder == Some(&claim.execution_arn)
        };
        Ok(match lost_claim(record.as_ref()) {
            LostClaim::Superseded if record.as_ref().is_some_and(is_holder) => Ok(()),
            lost => Err(lost),
        })
    }
}
