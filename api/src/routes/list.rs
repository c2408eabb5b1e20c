//! `GET /images`: an owner's images in one of three orders, filtered by labels, confidence, status and time; or images by
//! their IDs.
//!
//! Independent of the number of images, a request reads at most [`search::MAX_ITEMS`] items, one count per label in the
//! query, and one result per returned image for boxes.

mod labels;
mod position;
pub(crate) mod query;
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
use domain::search::Alternatives;
use domain::{ImageId, Owner};
use position::Position;
use query::{Filter, ListQuery, Selection};
use serde::Serialize;
use std::sync::Arc;
use summary::{ImageSummary, add_boxes, summaries};
use utoipa::ToSchema;

/// A page of images.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImageList {
    /// In the requested order.
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
    description = "Filter by labels, confidence, status, and time, in one of three orders, or get up to 100 images by \
        `id`.\n\nWith filters, a page can have fewer images than `limit`, or none, and still have a `nextCursor`, because a request \
        reads a limited number of images. If images are added or deleted between two pages, no other image is skipped \
        or repeated in the orders of time and of uploads. While an image is relabeled, its previous labels are searched.",
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
            let after = filter.cursor.as_deref().map(|cursor| {
                let parse = |text: &str| Position::parse(filter.order, text);
                cursor::decode(&owner, &filter.identity(), cursor, parse).ok_or_else(Filter::invalid_cursor)
            });
            let mut page = search::page(&app, &owner, &filter, after.transpose()?).await?;
            if filter.boxes {
                let names = filter.search.labels.iter().flat_map(Alternatives::keys);
                add_boxes(&app, &owner, &mut page.images, &names.collect()).await?;
            }
            ImageList {
                images: page.images,
                next_cursor: page
                    .end
                    .map(|end| cursor::encode(&owner, &filter.identity(), &end.text())),
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
        images.extend(image.known()?);
    }
    Ok(images)
}
