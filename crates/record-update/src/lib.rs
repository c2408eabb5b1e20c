//! The update that writes the record of an event's image, whether there is one already or not: `validate` claims with
//! it, and `record-failure` tells with it how an execution ended that may have died before it had claimed anything.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{ImageKey, ObjectCreated, Status};
use jiff::Timestamp;

/// An update that makes the image's record one of this event and this execution, in this status.
///
/// It comes with its `SET` clause, to which the caller may add, after a comma; the condition is the caller's. Both may
/// use the names `#status`, `#owner`, `#bucket` and `#key`, and the values `:status`, `:sequencer`, `:executionArn`
/// and `:deleted`, which is [`Status::Deleted`].
pub fn record_update(
    dynamodb: &Client,
    table: &str,
    image: &ImageKey,
    event: &ObjectCreated,
    execution_arn: &str,
    status: Status,
) -> (UpdateItemFluentBuilder, String) {
    let object = &event.detail.object;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let now = format!("{:.3}", Timestamp::now());
    let mut set =
        "SET #status = :status, sequencer = :sequencer, executionArn = :executionArn, updatedAt = :now, \
                   createdAt = if_not_exists(createdAt, :now), history = if_not_exists(history, :history), \
                   imageId = :imageId, #owner = :owner, #bucket = :bucket, #key = :key"
            .to_owned();
    let mut update = dynamodb
        .update_item()
        .table_name(table)
        .key(PARTITION_KEY, text(&table::owner_partition(&image.owner)))
        .key(SORT_KEY, text(&table::image_sort(image.image_id)))
        .expression_attribute_names("#status", "status")
        .expression_attribute_names("#owner", "owner")
        .expression_attribute_names("#bucket", "bucket")
        .expression_attribute_names("#key", "key")
        .expression_attribute_values(":status", text(status.as_str()))
        .expression_attribute_values(":deleted", text(Status::Deleted.as_str()))
        .expression_attribute_values(":sequencer", text(object.sequencer.as_str()))
        .expression_attribute_values(":executionArn", text(execution_arn))
        .expression_attribute_values(":history", text(&table::history_sort(&now, image.image_id)))
        .expression_attribute_values(":now", text(&now))
        .expression_attribute_values(":imageId", text(&image.image_id.to_string()))
        .expression_attribute_values(":owner", text(image.owner.as_str()))
        .expression_attribute_values(":bucket", text(&event.detail.bucket.name))
        .expression_attribute_values(":key", text(&object.key));
    if let Some(size) = object.size {
        set.push_str(", size = :size");
        update = update.expression_attribute_values(":size", AttributeValue::N(size.to_string()));
    }
    if let Some(file_name) = &image.file_name {
        set.push_str(", fileName = :fileName");
        update = update.expression_attribute_values(":fileName", text(file_name));
    }
    (update, set)
}
