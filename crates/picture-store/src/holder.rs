//! Which execution holds an image.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{ImageId, Owner, Status};
use lambda::ServiceError;

/// Who has an image, as its record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    status: String,
    execution_arn: String,
}

impl Holder {
    /// Whether the image is deleted: nobody has it.
    pub fn is_deleted(&self) -> bool {
        self.status == Status::Deleted.as_str()
    }

    /// Whether the execution has it.
    pub fn is(&self, execution_arn: &str) -> bool {
        !self.is_deleted() && self.execution_arn == execution_arn
    }

    /// Whether the image is labeled, and the execution has labeled it.
    pub fn has_labeled(&self, execution_arn: &str) -> bool {
        self.status == Status::Labeled.as_str() && self.execution_arn == execution_arn
    }
}

/// Who has the image now, by a consistent read; `None` where there is no record, not even that of a deletion.
///
/// # Errors
/// DynamoDB refuses.
pub async fn holder(
    dynamodb: &Client,
    table: &str,
    owner: &Owner,
    image_id: ImageId,
) -> Result<Option<Holder>, ServiceError> {
    let answer = dynamodb
        .get_item()
        .table_name(table)
        .key(PARTITION_KEY, AttributeValue::S(table::owner_partition(owner)))
        .key(SORT_KEY, AttributeValue::S(table::image_sort(image_id)))
        .projection_expression("#status, executionArn")
        .expression_attribute_names("#status", "status")
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:GetItem", &error))?;
    Ok(answer.item.map(|item| {
        let text = |name| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        Holder {
            status: text("status").unwrap_or_default(),
            execution_arn: text("executionArn").unwrap_or_default(),
        }
    }))
}
