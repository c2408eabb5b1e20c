//! `DELETE /images/{id}`: deletes an image and everything derived from it. `crates/deletion` explains the steps, and why nothing
//! of the image remains.

use crate::app::App;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::responses::{BadRequest, NoSuchImage};
use crate::routes::record::image_id;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use deletion::Deletion;
use domain::{ImageId, Owner};
use records::Deletable;
use std::sync::Arc;

/// Answers 204 once the image is deleted. Also answers 204 for an image that was deleted before, while its tombstone is
/// kept. Answers 404 for an unknown ID and for an image of another owner.
#[utoipa::path(
    delete,
    path = "/images/{imageId}",
    tag = "images",
    operation_id = "deleteImage",
    summary = "Delete an image with its file and labels",
    description = "Deletes the image permanently, even while it is being labeled or uploaded. You can repeat the request: \
        it returns 204 for 30 days after the deletion.",
    params(("imageId" = ImageId, Path, description = "As returned by `POST /uploads`")),
    responses((status = 204, description = "The image is deleted"), BadRequest, NoSuchImage),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    match delete_image(&app, &owner, image_id(&id)?, Deletable::Image).await? {
        Deletion::Deleted | Deletion::AlreadyDeleted => Ok(StatusCode::NO_CONTENT),
        Deletion::NoImage | Deletion::Changed => Err(Problem::no_such_image()),
    }
}

/// Deletes an image. An object without a record gets a tombstone, so that a late event of the object does not bring it back.
pub(crate) async fn delete_image(
    app: &App,
    owner: &Owner,
    id: ImageId,
    deletable: Deletable<'_>,
) -> Result<Deletion, Problem> {
    let image = (owner, id);
    Ok(deletion::delete(&app.s3, &app.bucket, &app.records, image, deletable).await?)
}
