//! An image in a list.

use crate::app::App;
use crate::http::problem::Problem;
use crate::routes::images::{ImageFacts, facts_and_labels};
use crate::routes::label::LabelSummary;
use crate::routes::thumbnails::{Thumbnail, thumbnails};
use domain::label::json_len;
use domain::record::RecordedLabel;
use domain::{ImageId, ImageRecord, Owner, Rendition, Status};
use records::Read;
use serde::Serialize;
use utoipa::ToSchema;

/// Bytes of an image's labels as JSON. A hundred of Rekognition's labels need a sixth of it, so nothing is cut in
/// practice, but a hundred images with any labels fit into Lambda's response limit of 6 MB.
const MAX_LABEL_BYTES: usize = 40 * 1024;

/// An image in a list. Its labels have no bounding boxes.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageSummary {
    #[serde(flatten)]
    facts: ImageFacts,
    /// Most specific first, then by confidence. Empty unless `LABELED`.
    labels: Vec<LabelSummary>,
    /// Smallest first. Empty until they exist, a moment after the image is `LABELED`.
    thumbnails: Vec<Thumbnail>,
    #[serde(skip)]
    #[schema(ignore)]
    stored_thumbnails: Vec<Rendition>,
    /// What only the search needs.
    #[serde(skip)]
    #[schema(ignore)]
    pub(super) searched: Searched,
}

/// What a search compares with its filter.
#[derive(Debug, Clone, Default)]
pub(super) struct Searched {
    /// The labels. While the image is relabeled, the previous ones.
    pub(super) labels: Vec<RecordedLabel>,
    /// The capture time by the camera's clock.
    pub(super) taken_at: Option<String>,
}

impl ImageSummary {
    pub(crate) fn status(&self) -> Status {
        self.facts.status
    }

    /// Presigns the thumbnails, once the page is complete.
    pub(crate) async fn presign_thumbnails(&mut self, app: &App) -> Result<(), Problem> {
        self.thumbnails = thumbnails(app, self.status(), &self.stored_thumbnails).await?;
        Ok(())
    }
}

/// Reads images by their IDs, in their order. Deleted images and unreadable records count as absent.
pub(crate) async fn summaries(
    app: &App,
    owner: &Owner,
    ids: &[ImageId],
) -> Result<Vec<Read<ImageSummary>>, Problem> {
    let unreadable = |error| lambda_http::tracing::error!(%error, "a record cannot be read");
    Ok(app.records.images(owner, ids, unreadable, summary).await?)
}

/// `None` if the image is deleted.
fn summary(record: ImageRecord) -> Option<ImageSummary> {
    if record.status == Status::Deleted {
        return None;
    }
    let stored_thumbnails = record.thumbnails.clone();
    let searched = Searched {
        labels: record.labels.clone().unwrap_or_default(),
        taken_at: record
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.taken_at.clone()),
    };
    let (facts, labels) = facts_and_labels(record);
    let mut left = MAX_LABEL_BYTES;
    let labels = labels
        .into_iter()
        .map(LabelSummary::from)
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
        searched,
    })
}
