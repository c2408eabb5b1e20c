//! What the camera wrote into the file, into the image's record: from here it goes nowhere but to the owner.

use crate::{Validate, ValidateError};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{ImageKey, Metadata, Status};
use lambda::ServiceError;

/// Stores it with the record, unless that is another execution's by now: `persist` will find that out.
///
/// The claim has removed what the file before this one under the same key told.
pub(crate) async fn store(
    validate: &Validate,
    image: &ImageKey,
    execution_arn: &str,
    metadata: &Metadata,
) -> Result<(), ValidateError> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let metadata = serde_dynamo::to_attribute_value(metadata)
        .map_err(|error| ValidateError::UnreadableRecord(error.to_string()))?;
    let result = validate
        .dynamodb
        .update_item()
        .table_name(&validate.table)
        .key(PARTITION_KEY, text(&table::owner_partition(&image.owner)))
        .key(SORT_KEY, text(&table::image_sort(image.image_id)))
        .update_expression("SET metadata = :metadata")
        .condition_expression("executionArn = :executionArn AND #status <> :deleted")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":metadata", metadata)
        .expression_attribute_values(":executionArn", text(execution_arn))
        .expression_attribute_values(":deleted", text(Status::Deleted.as_str()))
        .send()
        .await;
    match result {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(context)) if context.err().is_conditional_check_failed_exception() => {
            Ok(())
        }
        Err(error) => Err(ServiceError::of("dynamodb:UpdateItem", &error).into()),
    }
}
