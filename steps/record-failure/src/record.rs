//! The failed image's record: changed while the execution holds it, made where there is none.

use crate::{RecordFailure, RecordFailureError};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::record::RecordedError;
use domain::{ImageKey, ObjectCreated, Status};
use lambda::ServiceError;
use record_update::record_update;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    Failed,
    LeftUnchanged,
}

/// Marks the image `FAILED`. A second run finds it `FAILED` under the same execution and goes on, so
/// that the event bus is told even if the first run died before that.
pub(crate) async fn store(
    step: &RecordFailure,
    event: &ObjectCreated,
    image: &ImageKey,
    execution_arn: &str,
    error: &RecordedError,
) -> Result<Recorded, RecordFailureError> {
    let error = serde_dynamo::to_attribute_value(error)
        .map_err(|error| RecordFailureError::NotStorable(error.to_string()))?;
    let (update, set) = record_update(
        &step.dynamodb,
        &step.table,
        image,
        event,
        execution_arn,
        Status::Failed,
    );
    let result = update
        .update_expression(format!("{set}, #error = :error REMOVE expiresAt"))
        // No sequencer: the execution died before `validate` had claimed the image.
        .condition_expression(
            "attribute_not_exists(sequencer) AND (attribute_not_exists(#status) OR #status <> :deleted) \
             OR executionArn = :executionArn AND #status IN (:processing, :status)",
        )
        .expression_attribute_names("#error", "error")
        .expression_attribute_values(":error", error)
        .expression_attribute_values(
            ":processing",
            AttributeValue::S(Status::Processing.as_str().to_owned()),
        )
        .send()
        .await;
    match result {
        Ok(_) => Ok(Recorded::Failed),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
        {
            Ok(Recorded::LeftUnchanged)
        }
        Err(error) => Err(ServiceError::of("dynamodb:UpdateItem", &error).into()),
    }
}
