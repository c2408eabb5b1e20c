//! `DELETE /account/data`: takes back everything of an owner, in as many requests as that takes.

use crate::Api;
use crate::deletion::{Deletion, Unrecorded, delete_image, delete_object};
use crate::owner::Caller;
use crate::problem::Problem;
use crate::uploads::UPLOAD_VALID;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::delete_item::builders::DeleteItemFluentBuilder;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Json;
use axum::extract::State;
use domain::image::UPLOADS_PREFIX;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{ImageId, ImageKey, Owner};
use futures_util::future::ready;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use lambda::ServiceError;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// Nothing more is begun after this time; API Gateway waits for 30 seconds.
const BUDGET: Duration = Duration::from_secs(15);
/// Images that are deleted at the same time: few, since all of an owner's meet at the same counts.
const AT_ONCE: usize = 4;
/// Items that are looked at in one read.
const PAGE: i32 = 100;

/// How far a deletion has come.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Progress {
    /// Whether nothing is left. Otherwise, ask again.
    done: bool,
    /// Images that this request has deleted.
    deleted_images: usize,
}

type Item = HashMap<String, AttributeValue>;

/// Answers 200 with how far it has come: the caller asks again until it is done. Each request goes on where the last
/// one ended, since it begins with what is left.
///
/// Settings, images, objects that no record speaks of yet, and label counts are deleted. What remains for some time:
/// tombstones, without which an upload that is under way would come back, and how many images were uploaded today, so
/// that the quota cannot be escaped. Both expire.
#[utoipa::path(
    delete,
    path = "/account/data",
    tag = "account",
    operation_id = "deleteData",
    summary = "Delete everything of the caller, a part at a time",
    description = "Images with their files and labels, label counts and settings. Ask again until `done` is true: each \
        request works for some seconds. The account itself stays.",
    responses((status = 200, description = "How far it has come", body = Progress)),
)]
pub(crate) async fn erase(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
) -> Result<Json<impl Serialize>, Problem> {
    let erasure = Erasure {
        api: &api,
        owner: &owner,
        until: Instant::now() + BUDGET,
    };
    let mut deleted_images = 0;
    let settings = erasure.delete(table::SETTINGS.to_owned()).send().await;
    settings.map_err(|error| ServiceError::of("dynamodb:DeleteItem", &error))?;
    let done = erasure.images(&mut deleted_images).await?
        && erasure.objects(&mut deleted_images).await?
        && erasure.counts().await?;
    Ok(Json(Progress { done, deleted_images }))
}

struct Erasure<'a> {
    api: &'a Api,
    owner: &'a Owner,
    until: Instant,
}

impl Erasure<'_> {
    fn has_time(&self) -> bool {
        Instant::now() < self.until
    }

    /// Deletes all images with a record, and what deletions that died have left. Gives back whether all are gone.
    async fn images(&self, deleted: &mut usize) -> Result<bool, Problem> {
        // Closed tombstones are not in the index: what has been deleted is not read again.
        let of_history = self
            .query(&format!("{PARTITION_KEY} = :partition"))
            .index_name(table::HISTORY_INDEX);
        // The index follows within moments. What was announced in the last minutes and has no object yet, only the
        // table itself tells for sure.
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        let minutes = u64::try_from(UPLOAD_VALID.as_millis()).unwrap_or_default();
        let sort = |time| AttributeValue::S(table::image_sort(ImageId::first_of(time)));
        let just_announced = self
            .query(&format!(
                "{PARTITION_KEY} = :partition AND {SORT_KEY} BETWEEN :first AND :last"
            ))
            .expression_attribute_values(":first", sort(now.saturating_sub(minutes)))
            .expression_attribute_values(":last", sort(now + minutes))
            .consistent_read(true);
        Ok(self.images_of(of_history, deleted).await? && self.images_of(just_announced, deleted).await?)
    }

    async fn images_of(&self, query: QueryFluentBuilder, deleted: &mut usize) -> Result<bool, Problem> {
        let mut start = None;
        loop {
            let (sorts, next) = page(query.clone(), start).await?;
            let ids: Vec<_> = sorts
                .iter()
                .filter_map(|sort| ImageId::parse(sort.strip_prefix(table::IMAGES)?))
                .collect();
            let count = ids.len();
            let results: Vec<_> = stream::iter(ids)
                .take_while(|_| ready(self.has_time()))
                .map(|id| delete_image(self.api, self.owner, id, None))
                .buffer_unordered(AT_ONCE)
                .try_collect()
                .await?;
            *deleted += results.iter().filter(|result| **result == Deletion::Done).count();
            match next {
                _ if results.len() < count => return Ok(false),
                None => return Ok(true),
                Some(_) if !self.has_time() => return Ok(false),
                next => start = next,
            }
        }
    }

    /// Deletes all objects that no record speaks of. Gives back whether all are gone.
    async fn objects(&self, deleted: &mut usize) -> Result<bool, Problem> {
        loop {
            let page = self
                .api
                .s3
                .list_objects_v2()
                .bucket(&self.api.bucket)
                .prefix(format!("{UPLOADS_PREFIX}{}/", self.owner.as_str()))
                .max_keys(PAGE)
                .send()
                .await
                .map_err(|error| ServiceError::of("s3:ListObjectsV2", &error))?;
            let keys: Vec<String> = page
                .contents
                .unwrap_or_default()
                .into_iter()
                .filter_map(|o| o.key)
                .collect();
            if keys.is_empty() {
                return Ok(true);
            }
            for key in &keys {
                if !self.has_time() {
                    return Ok(false);
                }
                // Folder markers are nobody's image.
                if let Some(image) = ImageKey::parse(&self.api.bucket, key) {
                    let unrecorded = Some(Unrecorded { key });
                    let deletion = delete_image(self.api, self.owner, image.image_id, unrecorded).await?;
                    *deleted += usize::from(deletion == Deletion::Done);
                }
                delete_object(self.api, key).await?;
            }
        }
    }

    /// Deletes the counts of labels that no image has any more. Gives back whether all were looked at.
    async fn counts(&self) -> Result<bool, Problem> {
        let counts = self
            .query(&format!(
                "{PARTITION_KEY} = :partition AND begins_with({SORT_KEY}, :prefix)"
            ))
            .expression_attribute_values(":prefix", AttributeValue::S(table::LABEL_COUNTS.to_owned()))
            .consistent_read(true);
        let mut start = None;
        loop {
            let (sorts, next) = page(counts.clone(), start).await?;
            for sort in sorts {
                if !self.has_time() {
                    return Ok(false);
                }
                let unused = self.delete(sort).condition_expression("#count <= :none");
                let sent = unused
                    .expression_attribute_names("#count", "count")
                    .expression_attribute_values(":none", AttributeValue::N("0".to_owned()))
                    .send()
                    .await;
                match sent {
                    Ok(_) => {}
                    // Somebody has labeled a new picture meanwhile.
                    Err(SdkError::ServiceError(context))
                        if context.err().is_conditional_check_failed_exception() => {}
                    Err(error) => return Err(ServiceError::of("dynamodb:DeleteItem", &error).into()),
                }
            }
            match next {
                None => return Ok(true),
                next => start = next,
            }
        }
    }

    /// Asks for items of the owner's partition; only their keys are needed.
    fn query(&self, condition: &str) -> QueryFluentBuilder {
        let partition = AttributeValue::S(table::owner_partition(self.owner));
        self.api
            .dynamodb
            .query()
            .table_name(&self.api.table)
            .key_condition_expression(condition)
            .projection_expression(SORT_KEY)
            .expression_attribute_values(":partition", partition)
            .limit(PAGE)
    }

    fn delete(&self, sort: String) -> DeleteItemFluentBuilder {
        self.api
            .dynamodb
            .delete_item()
            .table_name(&self.api.table)
            .key(
                PARTITION_KEY,
                AttributeValue::S(table::owner_partition(self.owner)),
            )
            .key(SORT_KEY, AttributeValue::S(sort))
    }
}

/// A page's sort keys, and where the next one starts.
async fn page(
    query: QueryFluentBuilder,
    start: Option<Item>,
) -> Result<(Vec<String>, Option<Item>), Problem> {
    let page = query
        .set_exclusive_start_key(start)
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
    let sort = |mut item: Item| match item.remove(SORT_KEY) {
        Some(AttributeValue::S(sort)) => Some(sort),
        _ => None,
    };
    let sorts = page.items.unwrap_or_default().into_iter().filter_map(sort);
    Ok((sorts.collect(), page.last_evaluated_key))
}
