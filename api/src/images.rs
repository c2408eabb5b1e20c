//! `GET /images/{id}`: an image with its labels, as far as it has come.

use crate::Api;
use crate::owner::Caller;
use crate::problem::Problem;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use domain::record::RecordedError;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{Format, ImageId, ImageRecord, Label, Status};
use lambda::ServiceError;
use serde::Serialize;
use std::sync::Arc;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    image_id: ImageId,
    status: Status,
    file_name: Option<String>,
    size: Option<u64>,
    format: Option<Format>,
    width: Option<u32>,
    height: Option<u32>,
    created_at: String,
    updated_at: String,
    labels: Vec<Label>,
    model_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<RecordedError>,
}

impl From<ImageRecord> for Image {
    fn from(record: ImageRecord) -> Self {
        // While a picture is labeled again, the record still holds what it replaces.
        let labeled = record.status == Status::Labeled;
        Self {
            image_id: record.image_id,
            status: record.status,
            file_name: record.file_name,
            size: record.size,
            format: record.format,
            width: record.width,
            height: record.height,
            created_at: record.created_at,
            updated_at: record.updated_at,
            labels: record.labels.filter(|_| labeled).unwrap_or_default(),
            model_version: record.model_version.filter(|_| labeled),
            error: record.error,
        }
    }
}

/// Answers 200 with the image, or 404: for an id that never was, and for one that is deleted.
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let id = ImageId::parse(&id)
        .ok_or_else(|| Problem::invalid_field("imageId", "an id as POST /uploads hands it out"))?;
    let answer = api
        .dynamodb
        .get_item()
        .table_name(&api.table)
        .key(PARTITION_KEY, AttributeValue::S(table::owner_partition(&owner)))
        .key(SORT_KEY, AttributeValue::S(table::image_sort(id)))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:GetItem", &error))?;
    let item = answer.item.ok_or_else(Problem::no_such_image)?;
    let record: ImageRecord = serde_dynamo::from_item(item).map_err(|error| {
        lambda_http::tracing::error!(%error, image_id = %id, "a record cannot be read");
        Problem::internal()
    })?;
    if record.status == Status::Deleted {
        return Err(Problem::no_such_image());
    }
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(Image::from(record))))
}
