//! Whether the image is still this execution's.

use crate::{Convert, ConvertError};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{ClaimedImage, Status};
use lambda::ServiceError;

/// Why the claim is lost; `None` while it is ours.
pub(crate) async fn lost(
    convert: &Convert,
    image: &ClaimedImage,
) -> Result<Option<ConvertError>, ServiceError> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let answer = convert
        .dynamodb
        .get_item()
        .table_name(&convert.table)
        .key(PARTITION_KEY, text(&table::owner_partition(&image.owner)))
        .key(SORT_KEY, text(&table::image_sort(image.image_id)))
        .projection_expression("#status, executionArn")
        .expression_attribute_names("#status", "status")
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:GetItem", &error))?;
    let attribute = |name| answer.item.as_ref()?.get(name)?.as_s().ok();
    Ok(match attribute("status") {
        Some(status) if status != Status::Deleted.as_str() => {
            let ours = attribute("executionArn") == Some(&image.execution_arn);
            (!ours).then_some(ConvertError::StaleEvent)
        }
        // No record at all: the tombstone has expired.
        _ => Some(ConvertError::ImageDeleted),
    })
}
