//! `GET /images`: an owner's images, newest first, by label, status and time; or those that are named.
//!
//! Whatever the size of the library, a request reads at most [`search::MOST_ITEMS`] items and one count for each label
//! that it names.

mod query;
mod search;

use crate::Api;
use crate::batch;
use crate::cursor;
use crate::images::{self, ImageFacts};
use crate::openapi::BadRequest;
use crate::owner::Caller;
use crate::problem::Problem;
use crate::query::RawParameters;
use crate::thumbnails::{Thumbnail, thumbnails};
use axum::Json;
use axum::extract::State;
use domain::contract::OutcomeLabel;
use domain::label::json_len;
use domain::table;
use domain::{ImageId, ImageRecord, Owner, Rendition, Status};
use query::{ListQuery, Wanted};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The most bytes of an image's labels, as JSON, in a list. A hundred labels of Rekognition's need a sixth of it, so
/// it cuts nothing in practice; but a hundred images with whatever labels stay below Lambda's 6 MB for an answer.
const MOST_LABEL_BYTES: usize = 40 * 1024;

/// An image in a list: its labels without boxes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageSummary {
    #[serde(flatten)]
    facts: ImageFacts,
    /// Surest first; empty unless `LABELED`.
    labels: Vec<OutcomeLabel>,
    /// Smallest first; empty until they are made, some moments after the image is `LABELED`.
    thumbnails: Vec<Thumbnail>,
    /// What they are made of, once the page is complete.
    #[serde(skip)]
    stored_thumbnails: Vec<Rendition>,
}

impl ImageSummary {
    fn status(&self) -> Status {
        self.facts.status
    }
}

/// A page of images.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImageList {
    /// Newest first.
    images: Vec<ImageSummary>,
    /// Leads to the next page, with the same parameters; null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Answers 200 with a page of the owner's images.
#[utoipa::path(
    get,
    path = "/images",
    tag = "images",
    operation_id = "listImages",
    summary = "Your images, newest first; by label, status and time; or those that you name",
    description = "With filters, a page can have fewer images than `limit`, even none, and still a `nextCursor`: a \
        request reads a bounded part of the library. Images that come or go between two pages neither hide nor \
        double others. While an image is labeled again, it is found by its former labels.",
    params(ListQuery),
    responses((status = 200, description = "A page", body = ImageList), BadRequest),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    parameters: RawParameters,
) -> Result<Json<impl Serialize>, Problem> {
    let mut page = match Wanted::read(parameters)? {
        Wanted::Named(ids) => ImageList {
            images: named(&api, &owner, &ids).await?,
            next_cursor: None,
        },
        Wanted::Page(wanted) => {
            let after = wanted.after(&owner)?;
            let page = search::page(&api, &owner, &wanted, after).await?;
            ImageList {
                images: page.images,
                next_cursor: page
                    .end
                    .map(|end| cursor::encode(&owner, &wanted.identity(), &end)),
            }
        }
    };
    for image in &mut page.images {
        image.thumbnails = thumbnails(&api, image.status(), &image.stored_thumbnails).await?;
    }
    Ok(Json(page))
}

/// The images of these ids, in their order; ids of no image of the owner are left out.
async fn named(api: &Api, owner: &Owner, ids: &[ImageId]) -> Result<Vec<ImageSummary>, Problem> {
    let key = |id: &ImageId| (table::owner_partition(owner), table::image_sort(*id));
    let keys: Vec<_> = ids.iter().map(key).collect();
    let mut found = batch::get(api, &keys, batch::RECORDS, read_summary)
        .await?
        .complete()?;
    Ok(keys.iter().filter_map(|key| found.remove(key)).collect())
}

/// `None` for what is deleted, and for what cannot be read: one broken record does not hide all others.
fn read_summary(item: batch::Item) -> Option<ImageSummary> {
    let record: ImageRecord = serde_dynamo::from_item(item)
        .inspect_err(|error| lambda_http::tracing::error!(%error, "a record cannot be read"))
        .ok()?;
    if record.status == Status::Deleted {
        return None;
    }
    let stored_thumbnails = record.thumbnails.clone();
    let (facts, labels) = images::facts_and_labels(record);
    let mut left = MOST_LABEL_BYTES;
    let labels = labels
        .into_iter()
        .map(|label| OutcomeLabel {
            name: label.name,
            confidence: label.confidence,
        })
        .take_while(|label| {
            let bytes = json_len(label) + 1;
            let fits = bytes <= left;
            left = left.saturating_sub(bytes);
            fits
        })
        .collect();
    Some(ImageSummary {
        facts,
        labels,
        thumbnails: vec![],
        stored_thumbnails,
    })
}
