//! `DELETE /images/{id}`: takes an image back, with all that was made of it.
//!
//! In this order:
//! 1. One conditional update makes the record a **tombstone**: `DELETED`, without anything that tells of the picture.
//!    From here on, the image is gone for everybody.
//! 2. The objects are deleted: first the renditions and thumbnails that were made of the upload, which are listed, then
//!    the upload.
//! 3. The label rows are deleted and counted down, each in a transaction that checks the tombstone.
//! 4. The tombstone is **closed**: what it had to remember for steps 2 and 3 is removed, and it expires.
//!
//! Whoever finds a tombstone that is not closed goes on at step 2: a repeated `DELETE`, and `DELETE /account/data`. A
//! deletion that dies half-way and is not repeated leaves a tombstone that stays in the owner's history index, and does
//! not expire, until one of them comes.
//!
//! Why nothing of the image is left or comes back, while its workflow runs:
//! - `validate` before step 1 has claimed the record, which is then deleted like any other; after step 1 it is refused.
//! - `persist` announces names in `labelRows` before it writes their rows, and the tombstone keeps `labelRows`.
//!   Announced before step 1: step 3 looks for those rows. After it: refused.
//! - A row's transaction checks the claim and that the record is not `DELETED`. Before step 1: the row is announced,
//!   and step 3 deletes it. After it: refused. There is no between: both write or check the same item.
//! - `persist`'s result, `record-failure` and a relabeling are refused by the same condition on the record.
//! - `convert` and `thumbnails` write under keys of their execution's own, and look at the record after that. Written
//!   before step 2: listed there. After it, and so after step 1: the record that they find is a tombstone, another
//!   execution's, or gone, and they remove what they have written. Where they die between the two, they are run again,
//!   and look at the record whether they find an upload or not. Nobody runs them again only where all tries are used
//!   up: then a rendition stays until the bucket's lifecycle rule takes it, within 15 days, and a thumbnail until its
//!   event, which is in the dead-letter queue, is sent through again.
//! - `detect-labels` finds no object any more: its rejection is refused by `persist`.
//! - `notify` may still tell of a result that was stored before step 1.
//! - A PUT that was presigned before and comes after step 2, and every event that comes late, meets the tombstone in
//!   `validate`, which deletes what lies under a key that the API handed out. The tombstone outlives all of them: see
//!   [`TOMBSTONE_KEPT`].
//! - Under a key that another tool chose, a later object is another picture: `validate` claims the tombstone for it, and
//!   makes it a record again. Step 3 then ends, since its transactions ask for `DELETED`; `labelRows`, `createdAt` and
//!   `history` are still there for `persist` to finish with. A closed tombstone has none of them: the picture begins
//!   anew. An object that comes while the deletion is between steps 1 and 2 is deleted with the others: whoever put it
//!   learns that it is gone. What has been made of it by then goes as well, and never without it, since the upload goes
//!   last.

use crate::Api;
use crate::openapi::{BadRequest, NoSuchImage};
use crate::owner::Caller;
use crate::problem::Problem;
use crate::record::{from_item, image_id, key_of};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::image::derived_prefixes;
use domain::{ImageId, ImageRecord, Owner, Status, table};
use jiff::{SignedDuration, Timestamp};
use label_rows::{Condition, LabelRows, LabelRowsError};
use lambda::ServiceError;
use std::sync::Arc;

/// How long a closed tombstone is kept: an event can be a day on its way to the workflow and 14 days in the
/// dead-letter queue, its execution takes a day at most and can be redriven for 14 days more. 30 days.
const TOMBSTONE_KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What a tombstone has no more: all that tells of the picture, and when the record itself would have expired.
const REMOVED: [&str; 12] = [
    "fileName",
    "size",
    "format",
    "width",
    "height",
    "metadata",
    "thumbnails",
    "labels",
    "modelVersion",
    "policy",
    "error",
    "expiresAt",
];

/// What it has no more once it is closed, in `UpdateExpression`'s words.
const REMOVED_AT_LAST: &str = "#key, history, createdAt, labelRows";

/// What a deletion has found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deletion {
    /// The image, or what an earlier deletion has left of it: it is gone now.
    Done,
    /// A closed tombstone: it was gone already.
    Before,
    /// No such image, or another owner's.
    NoImage,
}

/// An object that may have no record yet: S3's event is still on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unrecorded<'a> {
    pub(crate) key: &'a str,
}

/// Answers 204 once the image is gone: the same for one that was deleted before, as long as its tombstone is kept; 404
/// for an id that never was, and for another owner's.
#[utoipa::path(
    delete,
    path = "/images/{imageId}",
    tag = "images",
    operation_id = "deleteImage",
    summary = "Delete an image, its file and its labels",
    description = "It is gone for good, also while it is being labeled, and an upload that is under way does not bring \
        it back. May be repeated: for 30 days, a deleted image is answered with 204 again.",
    params(("imageId" = ImageId, Path, description = "As `POST /uploads` hands it out")),
    responses((status = 204, description = "It is gone"), BadRequest, NoSuchImage),
)]
pub(crate) async fn delete(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    match delete_image(&api, &owner, image_id(&id)?, None).await? {
        Deletion::Done | Deletion::Before => Ok(StatusCode::NO_CONTENT),
        Deletion::NoImage => Err(Problem::no_such_image()),
    }
}

/// Deletes an image. With `unrecorded`, one without a record gets a tombstone as well, so that a late event about the
/// object does not bring it back.
pub(crate) async fn delete_image(
    api: &Api,
    owner: &Owner,
    id: ImageId,
    unrecorded: Option<Unrecorded<'_>>,
) -> Result<Deletion, Problem> {
    let Some(tombstone) = bury(api, owner, id, unrecorded).await? else {
        return Ok(Deletion::NoImage);
    };
    if tombstone.expires_at.is_some() {
        return Ok(Deletion::Before);
    }
    for prefix in derived_prefixes(owner, id) {
        delete_all(api, &prefix).await?;
    }
    delete_object(api, &tombstone.key).await?;
    let rows = LabelRows {
        dynamodb: &api.dynamodb,
        table: &api.table,
        owner,
        image_id: id,
        created_at: &tombstone.created_at,
        condition: Condition::Deleted,
    };
    match rows.replace(&tombstone.label_rows, &[]).await {
        Ok(()) => close(api, owner, &tombstone).await?,
        // A later object under its key has made it a record again.
        Err(LabelRowsError::RecordChanged(_)) => {}
        Err(LabelRowsError::Service(error)) => return Err(error.into()),
    }
    Ok(Deletion::Done)
}

/// Deletes all objects whose keys begin so: those of one image, a few for each execution that has labeled it.
async fn delete_all(api: &Api, prefix: &str) -> Result<(), ServiceError> {
    loop {
        let listed = api
            .s3
            .list_objects_v2()
            .bucket(&api.bucket)
            .prefix(prefix)
            .send()
            .await
            .map_err(|error| ServiceError::of("s3:ListObjectsV2", &error))?;
        for key in listed
            .contents
            .unwrap_or_default()
            .iter()
            .filter_map(|object| object.key())
        {
            delete_object(api, key).await?;
        }
        if listed.is_truncated != Some(true) {
            return Ok(());
        }
    }
}

pub(crate) async fn delete_object(api: &Api, key: &str) -> Result<(), ServiceError> {
    api.s3
        .delete_object()
        .bucket(&api.bucket)
        .key(key)
        .send()
        .await
        .map(drop)
        .map_err(|error| ServiceError::of("s3:DeleteObject", &error))
}

/// Makes the record a tombstone. Gives back the tombstone, which may have been there already; `None` without a record.
async fn bury(
    api: &Api,
    owner: &Owner,
    id: ImageId,
    unrecorded: Option<Unrecorded<'_>>,
) -> Result<Option<ImageRecord>, Problem> {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let now = format!("{:.3}", Timestamp::now());
    let mut set = "SET #status = :deleted, updatedAt = :now".to_owned();
    let mut update = api
        .dynamodb
        .update_item()
        .table_name(&api.table)
        .set_key(Some(key_of(owner, id)))
        .expression_attribute_names("#status", "status")
        .expression_attribute_values(":deleted", text(Status::Deleted.as_str()))
        .expression_attribute_values(":now", text(&now))
        .return_values(ReturnValue::AllNew)
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
    for name in REMOVED {
        update = update.expression_attribute_names(format!("#{name}"), name);
    }
    if let Some(Unrecorded { key }) = unrecorded {
        set += ", createdAt = if_not_exists(createdAt, :now), history = if_not_exists(history, :history), \
                imageId = :imageId, #owner = :owner, #bucket = :bucket, #key = :key";
        update = update
            .condition_expression("attribute_not_exists(#status) OR #status <> :deleted")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#bucket", "bucket")
            .expression_attribute_names("#key", "key")
            .expression_attribute_values(":history", text(&table::history_sort(&now, id)))
            .expression_attribute_values(":imageId", text(&id.to_string()))
            .expression_attribute_values(":owner", text(owner.as_str()))
            .expression_attribute_values(":bucket", text(&api.bucket))
            .expression_attribute_values(":key", text(key));
    } else {
        update = update.condition_expression("attribute_exists(#status) AND #status <> :deleted");
    }
    let removed = REMOVED.map(|name| format!("#{name}")).join(", ");
    let result = update
        .update_expression(format!("{set} REMOVE {removed}"))
        .send()
        .await;
    let item = match result {
        Ok(answer) => answer.attributes,
        Err(SdkError::ServiceError(context)) if context.err().is_conditional_check_failed_exception() => {
            match context.into_err() {
                UpdateItemError::ConditionalCheckFailedException(failed) => failed.item,
                _ => unreachable!("guarded by the match arm"),
            }
        }
        Err(error) => return Err(ServiceError::of("dynamodb:UpdateItem", &error).into()),
    };
    item.filter(|item| !item.is_empty()).map(from_item).transpose()
}

/// Nothing is left to do: the tombstone forgets what it had to remember, and expires. Left alone where it has become
/// another deletion's, or a record again.
async fn close(api: &Api, owner: &Owner, tombstone: &ImageRecord) -> Result<(), ServiceError> {
    let expires_at = (Timestamp::now() + TOMBSTONE_KEPT).as_second();
    let result = api
        .dynamodb
        .update_item()
        .table_name(&api.table)
        .set_key(Some(key_of(owner, tombstone.image_id)))
        .update_expression(format!("SET expiresAt = :expiresAt REMOVE {REMOVED_AT_LAST}"))
        .condition_expression("#status = :deleted AND updatedAt = :updatedAt")
        .expression_attribute_names("#status", "status")
        .expression_attribute_names("#key", "key")
        .expression_attribute_values(":deleted", AttributeValue::S(Status::Deleted.as_str().to_owned()))
        .expression_attribute_values(":updatedAt", AttributeValue::S(tombstone.updated_at.clone()))
        .expression_attribute_values(":expiresAt", AttributeValue::N(expires_at.to_string()))
        .send()
        .await;
    match result {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(context)) if context.err().is_conditional_check_failed_exception() => {
            Ok(())
        }
        Err(error) => Err(ServiceError::of("dynamodb:UpdateItem", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::record::RecordedError;
    use domain::{FilterPolicy, Format, Metadata, Rendition};
    use std::collections::BTreeSet;

    /// A tombstone is kept for weeks after somebody has asked for everything to be gone.
    #[test]
    fn a_tombstone_tells_nothing_of_the_picture() {
        // Written out, so that who adds an attribute has to come here and decide.
        let record = ImageRecord {
            image_id: ImageId::new(),
            owner: Owner::new("demo").unwrap(),
            status: Status::Labeled,
            created_at: "2026-11-22T12:00:00.000Z".into(),
            updated_at: "2026-11-22T12:00:00.000Z".into(),
            key: "uploads/demo/my cat.jpg".into(),
            bucket: "pictures".into(),
            file_name: Some("my cat.jpg".into()),
            size: Some(1),
            format: Some(Format::Jpeg),
            width: Some(100),
            height: Some(100),
            metadata: Some(Metadata::default()),
            thumbnails: vec![Rendition {
                key: "thumbnails/demo/a/b/320".into(),
                width: 320,
                height: 320,
            }],
            sequencer: Some("0a".into()),
            execution_arn: Some("arn".into()),
            labels: Some(vec![]),
            label_rows: vec!["Cat".into()],
            model_version: Some("3.0".into()),
            policy: Some(FilterPolicy {
                min_confidence: 55.0,
                max_labels: 50,
                include: vec![],
                exclude: vec![],
            }),
            error: Some(RecordedError {
                name: "InvalidImage".into(),
                message: "broken".into(),
            }),
            expires_at: Some(0),
        };
        let attributes = serde_json::to_value(record).unwrap();
        let attributes: BTreeSet<&str> = attributes
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        let at_last = REMOVED_AT_LAST
            .split(", ")
            .map(|name| name.trim_start_matches('#'));
        let removed: BTreeSet<&str> = REMOVED.into_iter().chain(at_last).collect();
        let kept: Vec<_> = attributes.difference(&removed).copied().collect();
        assert_eq!(
            kept,
            [
                "bucket",
                "executionArn",
                "imageId",
                "owner",
                "sequencer",
                "status",
                "updatedAt"
            ]
        );
    }
}
