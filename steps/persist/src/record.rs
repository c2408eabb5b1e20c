//! The image's record: written only while the claim is this execution's own.

use crate::{Ending, Image, Persist, PersistError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{ImageRecord, Status};
use jiff::Timestamp;
use label_rows::CLAIM_IS_OURS;
use lambda::ServiceError;
use serde::Serialize;

/// Adds the labels' names to those that may have rows, before any row is written: whoever labels the
/// image next knows what to take away, even if this run dies half-way. Gives the record back.
pub(crate) async fn announce_rows(
    persist: &Persist,
    image: &Image,
    names: &[&str],
) -> Result<ImageRecord, PersistError> {
    let update = update(persist, image).return_values(ReturnValue::AllNew);
    let update = if names.is_empty() {
        update.update_expression("SET updatedAt = :now")
    } else {
        update
            .update_expression("SET updatedAt = :now ADD labelRows :names")
            .expression_attribute_values(":names", string_set(names))
    };
    let item = send(update).await?;
    serde_dynamo::from_item(item).map_err(|error| PersistError::UnreadableRecord(error.to_string()))
}

/// Stores the result itself.
pub(crate) async fn store(persist: &Persist, image: &Image, names: &[&str]) -> Result<(), PersistError> {
    let status = image.ending.status().as_str();
    let mut set = vec!["#status = :status", "updatedAt = :now"];
    let mut remove = vec![];
    let mut update =
        update(persist, image).expression_attribute_values(":status", AttributeValue::S(status.to_owned()));
    let mut value = |update: UpdateItemFluentBuilder, assignment, name: &str, value| {
        set.push(assignment);
        update.expression_attribute_values(name, value)
    };
    match &image.ending {
        Ending::Labeled(detected) => {
            let found = &detected.image;
            update = value(
                update,
                "labels = :labels",
                ":labels",
                attribute(&detected.labels)?,
            );
            update = value(update, "#policy = :policy", ":policy", attribute(&found.policy)?);
            update = value(update, "size = :size", ":size", attribute(&found.size)?);
            update = value(update, "#format = :format", ":format", attribute(&found.format)?);
            update = value(update, "width = :width", ":width", attribute(&found.width)?);
            update = value(update, "height = :height", ":height", attribute(&found.height)?);
            update = update
                .expression_attribute_names("#policy", "policy")
                .expression_attribute_names("#format", "format");
            match &detected.model_version {
                Some(version) => {
                    update = value(
                        update,
                        "modelVersion = :modelVersion",
                        ":modelVersion",
                        attribute(version)?,
                    );
                }
                None => remove.push("modelVersion"),
            }
            remove.push("#error");
        }
        Ending::Rejected(error) => {
            update = value(update, "#error = :error", ":error", attribute(error)?);
            remove.extend(["labels", "modelVersion"]);
        }
    }
    update = update.expression_attribute_names("#error", "error");
    if names.is_empty() {
        remove.push("labelRows");
    } else {
        update = value(update, "labelRows = :names", ":names", string_set(names));
    }
    let mut expression = format!("SET {}", set.join(", "));
    if !remove.is_empty() {
        expression += &format!(" REMOVE {}", remove.join(", "));
    }
    send(update.update_expression(expression)).await?;
    Ok(())
}

fn update(persist: &Persist, image: &Image) -> UpdateItemFluentBuilder {
    persist
        .dynamodb
        .update_item()
        .table_name(&persist.table)
        .key(
            PARTITION_KEY,
            AttributeValue::S(table::owner_partition(&image.owner)),
        )
        .key(SORT_KEY, AttributeValue::S(table::image_sort(image.image_id)))
        .condition_expression(CLAIM_IS_OURS)
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":executionArn", AttributeValue::S(image.execution_arn.clone()))
        .expression_attribute_values(":deleted", AttributeValue::S(Status::Deleted.as_str().to_owned()))
        .expression_attribute_values(":now", AttributeValue::S(format!("{:.3}", Timestamp::now())))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
}

async fn send(
    update: UpdateItemFluentBuilder,
) -> Result<std::collections::HashMap<String, AttributeValue>, PersistError> {
    match update.send().await {
        Ok(answer) => Ok(answer.attributes.unwrap_or_default()),
        Err(error) => match error.as_service_error() {
            Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Err(lost(failed.item())),
            _ => Err(ServiceError::of("dynamodb:UpdateItem", &error).into()),
        },
    }
}

/// Why the claim is not ours any more. No record at all: the tombstone has expired.
pub(crate) fn lost(item: Option<&std::collections::HashMap<String, AttributeValue>>) -> PersistError {
    let status = item.and_then(|item| item.get("status")?.as_s().ok());
    match status {
        Some(status) if status != Status::Deleted.as_str() => PersistError::StaleEvent,
        _ => PersistError::ImageDeleted,
    }
}

fn string_set(names: &[&str]) -> AttributeValue {
    AttributeValue::Ss(names.iter().map(ToString::to_string).collect())
}

fn attribute<T: Serialize>(value: &T) -> Result<AttributeValue, PersistError> {
    serde_dynamo::to_attribute_value(value).map_err(|error| PersistError::UnreadableRecord(error.to_string()))
}
