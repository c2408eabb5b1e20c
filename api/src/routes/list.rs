//! `GET /images`: an owner's images, newest first, filtered by labels, confidence, status, and when they were created or
//! taken; or images by their IDs.
//!
//! Independent of the number of images, a request reads at most [`search::MAX_ITEMS`] items, and one count per label in
//! the query.

mod labels;
mod query;
mod search;
pub(crate) mod summary;

use crate::app::App;
use crate::http::cursor;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::RawParameters;
use crate::http::responses::BadRequest;
use axum::Json;
use axum::extract::State;
use domain::{ImageId, Owner};
use query::{ListQuery, Selection};
use records::Read;
use serde::Serialize;
use std::sync::Arc;
use summary::{ImageSummary, summaries};
use utoipa::ToSchema;

/// A page of images.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImageList {
    /// Newest first.
    images: Vec<ImageSummary>,
    /// The `cursor` of the next page, for the same query. Null on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Returns a page of the owner's images.
#[utoipa::path(
    get,
    path = "/images",
    tag = "images",
    operation_id = "listImages",
    summary = "List your images",
    description = "Newest first. Filter by labels, confidence, status, and when images were created or taken, or get up \
        to 100 images by `id`.\n\nWith filters, a page can have fewer images than `limit`, or none, and still have a `nextCursor`, because a request \
        reads a limited number of images. If images are added or deleted between two pages, no other image is skipped \
        or repeated. While an image is relabeled, its previous labels are searched.",
    params(ListQuery),
    responses((status = 200, description = "A page", body = ImageList), BadRequest),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    parameters: RawParameters,
) -> Result<Json<impl Serialize>, Problem> {
    let mut page = match Selection::read(parameters)? {
        Selection::Named(ids) => ImageList {
            images: named(&app, &owner, &ids).await?,
            next_cursor: None,
        },
        Selection::Page(filter) => {
            let after = filter.after(&owner)?;
            let page = search::page(&app, &owner, &filter, after).await?;
            ImageList {
                images: page.images,
                next_cursor: page
                    .end
                    .map(|end| cursor::encode(&owner, &filter.identity(), end.as_str())),
            }
        }
    };
    for image in &mut page.images {
        image.presign_thumbnails(&app).await?;
    }
    Ok(Json(page))
}

/// Reads images by their IDs, in their order. Unknown IDs and IDs of other owners' images are omitted.
async fn named(app: &App, owner: &Owner, ids: &[ImageId]) -> Result<Vec<ImageSummary>, Problem> {
    let found = summaries(app, owner, ids, |_| true).await?;
    let mut images = Vec::with_capacity(found.len());
    for image in found {
        match image {
            Read::Found(image) => images.push(image),
            Read::Absent => {}
            Read::Unread => return Err(Problem::unavailable()),
        }
    }
    Ok(images)
}
