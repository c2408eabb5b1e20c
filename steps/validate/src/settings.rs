//! The owner's present settings.

use crate::{Validate, ValidateError};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::policy::Settings;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{FilterPolicy, Owner};
use lambda::ServiceError;

/// Which of the image's labels will count. Settings that cannot be used are told, not replaced: an owner who
/// excludes a label must not meet it because somebody has damaged an item.
pub(crate) async fn policy(validate: &Validate, owner: &Owner) -> Result<FilterPolicy, ValidateError> {
    let answer = validate
        .dynamodb
        .get_item()
        .table_name(&validate.table)
        .key(PARTITION_KEY, AttributeValue::S(table::owner_partition(owner)))
        .key(SORT_KEY, AttributeValue::S(table::SETTINGS.to_owned()))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:GetItem", &error))?;
    let Some(item) = answer.item else {
        return Ok(validate.default_policy.clone());
    };
    let settings: Settings =
        serde_dynamo::from_item(item).map_err(|error| ValidateError::UnreadableRecord(error.to_string()))?;
    settings
        .policy
        .check()
        .map_err(|error| ValidateError::UnreadableRecord(error.to_string()))
}
