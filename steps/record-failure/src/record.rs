//! The failed image's record: changed while the execution holds it, made where there is none.

use crate::{RecordFailure, RecordFailureError};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::record::RecordedError;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{ImageKey, ObjectCreated, Status};
use jiff::Timestamp;
use lambda::ServiceError;

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
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let now = format!("{:.3}", Timestamp::now());
    let object = &event.detail.object;
    let error = serde_dynamo::to_attribute_value(error)
        .map_err(|error| RecordFailureError::NotStorable(error.to_string()))?;
    let mut update =
        "SET #status = :failed, #error = :error, updatedAt = :now, executionArn = :executionArn, \
         sequencer = :sequencer, createdAt = if_not_exists(createdAt, :now), \
         history = if_not_exists(history, :history), imageId = :imageId, #owner = :owner, \
         #bucket = :bucket, #key = :key"
            .to_owned();
    let mut request = step
        .dynamodb
        .update_item()
        .table_name(&step.table)
        .key(PARTITION_KEY, text(&table::owner_partition(&image.owner)))
        .key(SORT_KEY, text(&table::image_sort(image.image_id)))
        // No sequencer: the execution died before `validate` had claimed the image.
        .condition_expression(
            "attribute_not_exists(sequencer) AND (attribute_not_exists(#status) OR #status <> :deleted) \
             OR executionArn = :executionArn AND #status IN (:processing, :failed)",
        )
        .expression_attribute_names("#status", "status")
        .expression_attribute_names("#error", "error")
        .expression_attribute_names("#owner", "owner")
        .expression_attribute_names("#bucket", "bucket")
        .expression_attribute_names("#key", "key")
        .expression_attribute_values(":failed", text(Status::Failed.as_str()))
        .expression_attribute_values(":processing", text(Status::Processing.as_str()))
        .expression_attribute_values(":deleted", text(Status::Deleted.as_str()))
        .expression_attribute_values(":error", error)
        .expression_attribute_values(":now", text(&now))
        .expression_attribute_values(":executionArn", text(execution_arn))
        .expression_attribute_values(":sequencer", text(object.sequencer.as_str()))
        .expression_attribute_values(":history", text(&table::history_sort(&now, image.image_id)))
        .expression_attribute_values(":imageId", text(&image.image_id.to_string()))
        .expression_attribute_values(":owner", text(image.owner.as_str()))
        .expression_attribute_values(":bucket", text(&event.detail.bucket.name))
        .expression_attribute_values(":key", text(&object.key));
    if let Some(file_name) = &image.file_name {
        update += ", fileName = :fileName";
        request = request.expression_attribute_values(":fileName", text(file_name));
    }
    match request
        .update_expression(update + " REMOVE expiresAt")
        .send()
        .await
    {
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
