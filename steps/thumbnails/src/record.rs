//! The thumbnails' keys in the image's record.

use crate::{Thumbnails, ThumbnailsError};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{Outcome, Rendition, Status};
use lambda::ServiceError;

/// Stores the thumbnails while the record is still that of the result that they belong to. Gives back the keys of those
/// that are to be deleted: the ones that these replace, or these themselves.
pub(crate) async fn store(
    function: &Thumbnails,
    outcome: &Outcome,
    written: &[Rendition],
) -> Result<Vec<String>, ThumbnailsError> {
    let unreadable = |error: serde_dynamo::Error| ThumbnailsError::UnreadableRecord(error.to_string());
    let result = function
        .dynamodb
        .update_item()
        .table_name(&function.table)
        .key(PARTITION_KEY, text(&table::owner_partition(&outcome.owner)))
        .key(SORT_KEY, text(&table::image_sort(outcome.image_id)))
        .update_expression("SET thumbnails = :thumbnails")
        .condition_expression("executionArn = :executionArn AND #status = :labeled")
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(
            ":thumbnails",
            serde_dynamo::to_attribute_value(written).map_err(unreadable)?,
        )
        .expression_attribute_values(":executionArn", text(&outcome.execution_arn))
        .expression_attribute_values(":labeled", text(Status::Labeled.as_str()))
        .return_values(ReturnValue::UpdatedOld)
        .send()
        .await;
    match result {
        Ok(answer) => {
            let before = answer
                .attributes
                .and_then(|mut attributes| attributes.remove("thumbnails"));
            let before: Vec<Rendition> = before
                .map(serde_dynamo::from_attribute_value)
                .transpose()
                .map_err(unreadable)?
                .unwrap_or_default();
            let replaced = before.into_iter().filter(|old| !written.contains(old));
            Ok(replaced.map(|old| old.key).collect())
        }
        Err(SdkError::ServiceError(context)) if context.err().is_conditional_check_failed_exception() => {
            Ok(written.iter().map(|new| new.key.clone()).collect())
        }
        Err(error) => Err(ServiceError::of("dynamodb:UpdateItem", &error).into()),
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}
