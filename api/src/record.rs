//! Reads an image's record for the routes that are about one image.

use crate::Api;
use crate::problem::Problem;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{ImageId, ImageRecord, Owner, Status};
use lambda::ServiceError;
use std::collections::HashMap;

/// The id in a route's path.
pub(crate) fn image_id(text: &str) -> Result<ImageId, Problem> {
    ImageId::parse(text)
        .ok_or_else(|| Problem::invalid_field("imageId", "an id as POST /uploads hands it out"))
}

/// The key of an image's record: partition and sort key.
pub(crate) fn key_of(owner: &Owner, id: ImageId) -> HashMap<String, AttributeValue> {
    HashMap::from([
        (
            PARTITION_KEY.to_owned(),
            AttributeValue::S(table::owner_partition(owner)),
        ),
        (SORT_KEY.to_owned(), AttributeValue::S(table::image_sort(id))),
    ])
}

/// Turns an item into a record.
pub(crate) fn from_item(item: HashMap<String, AttributeValue>) -> Result<ImageRecord, Problem> {
    serde_dynamo::from_item(item).map_err(|error| {
        lambda_http::tracing::error!(%error, "a record cannot be read");
        Problem::internal()
    })
}

/// Reads a record; no such image: for an id that never was, one of another owner, and one that is deleted.
pub(crate) async fn read(api: &Api, owner: &Owner, id: ImageId) -> Result<ImageRecord, Problem> {
    let answer = api
        .dynamodb
        .get_item()
        .table_name(&api.table)
        .set_key(Some(key_of(owner, id)))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:GetItem", &error))?;
    let record = from_item(answer.item.ok_or_else(Problem::no_such_image)?)?;
    if record.status == Status::Deleted {
        return Err(Problem::no_such_image());
    }
    Ok(record)
}
