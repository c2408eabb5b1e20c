//! `GET /images/{id}`: an image with its labels, as far as it has come.

use crate::Api;
use crate::openapi::{BadRequest, NoSuchImage};
use crate::owner::Caller;
use crate::problem::Problem;
use crate::query::NoParameters;
use crate::record::{image_id, read};
use crate::thumbnails::{Thumbnail, thumbnails};
use crate::view::{View, view};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use domain::record::RecordedError;
use domain::{Format, ImageId, ImageRecord, Label, Metadata, Status};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What is told about an image wherever it is told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageFacts {
    image_id: ImageId,
    pub(crate) status: Status,
    /// The file's own name; null where it is not known.
    #[schema(required)]
    file_name: Option<String>,
    /// Bytes; null while they are not known.
    #[schema(required)]
    size: Option<u64>,
    /// The format found in the file; null while it is not known.
    #[schema(required)]
    format: Option<Format>,
    /// Pixels, as seen; null while they are not known.
    #[schema(required)]
    width: Option<u32>,
    /// Pixels, as seen; null while they are not known.
    #[schema(required)]
    height: Option<u32>,
    /// When the upload was handed out, or the object was first seen.
    #[schema(format = DateTime)]
    created_at: String,
    /// When anything about the image last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// The model that found the labels; null unless `LABELED`.
    #[schema(required)]
    model_version: Option<String>,
    /// Why the image was rejected or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<RecordedError>,
}

/// An image with all that is known about its labels.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Image {
    #[serde(flatten)]
    facts: ImageFacts,
    /// Surest first; empty unless `LABELED`.
    labels: Vec<Label>,
    /// Smallest first; empty until they are made, some moments after the image is `LABELED`.
    thumbnails: Vec<Thumbnail>,
    /// How the picture was taken, as far as its file tells.
    metadata: Metadata,
    /// Where the picture can be fetched; absent unless one has been found in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    view: Option<View>,
}

/// The facts of a record, and its labels.
pub(crate) fn facts_and_labels(record: ImageRecord) -> (ImageFacts, Vec<Label>) {
    // While a picture is labeled again, the record still holds what it replaces.
    let labeled = record.status == Status::Labeled;
    let facts = ImageFacts {
        image_id: record.image_id,
        status: record.status,
        file_name: record.file_name,
        size: record.size,
        format: record.format,
        width: record.width,
        height: record.height,
        created_at: record.created_at,
        updated_at: record.updated_at,
        model_version: record.model_version.filter(|_| labeled),
        error: record.error,
    };
    (facts, record.labels.filter(|_| labeled).unwrap_or_default())
}

/// Answers 200 with the image, or 404: for an id that never was, and for one that is deleted.
#[utoipa::path(
    get,
    path = "/images/{imageId}",
    tag = "images",
    operation_id = "getImage",
    summary = "An image with its labels, as far as it has come",
    description = "Ask again until `status` is `LABELED`, `REJECTED` or `FAILED`.",
    params(("imageId" = ImageId, Path, description = "As `POST /uploads` hands it out")),
    responses((status = 200, description = "The image", body = Image), BadRequest, NoSuchImage),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    _: NoParameters,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let record = read(&api, &owner, image_id(&id)?).await?;
    let view = view(&api, &record).await?;
    let thumbnails = thumbnails(&api, record.status, &record.thumbnails).await?;
    let metadata = record.metadata.clone().unwrap_or_default();
    let (facts, labels) = facts_and_labels(record);
    Ok(Json(Image {
        facts,
        labels,
        view,
        thumbnails,
        metadata,
    }))
}
