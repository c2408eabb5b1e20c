//! An image in a list.

use crate::app::App;
use crate::http::problem::Problem;
use crate::routes::label::LabelSummary;
use crate::routes::record::log_unreadable;
use crate::routes::thumbnails::{Thumbnail, thumbnails};
use crate::routes::video::{VideoView, video_view};
use domain::label::json_len;
use domain::record::RecordedLabel;
use domain::{ImageFacts, ImageId, ImageRecord, Label, Owner, Rendition, Status, Video, counting};
use records::Read;
use serde::Serialize;
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// Bytes of an image's labels as JSON. A hundred of Rekognition's labels need a sixth of it, so nothing is cut in
/// practice, but a hundred images with any labels fit into Lambda's response limit of 6 MB.
const MAX_LABEL_BYTES: usize = 40 * 1024;

/// The maximum number of boxes of an image in a list.
const MAX_BOXES: usize = 30;

/// An image in a list. Its labels have bounding boxes only on request.
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
    /// What is known of the video. Absent for pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    video: Option<VideoView>,
    #[serde(skip)]
    #[schema(ignore)]
    stored_video: Option<Video>,
    #[serde(skip)]
    #[schema(ignore)]
    recorded: Recorded,
}

/// What finds the boxes of an image's labels.
#[derive(Debug, Clone)]
struct Recorded {
    execution: Option<String>,
    labels: Vec<RecordedLabel>,
}

impl ImageSummary {
    pub(crate) fn status(&self) -> Status {
        self.facts.status
    }

    pub(crate) fn created_at(&self) -> &str {
        &self.facts.created_at
    }

    /// Adds the boxes of the labels with these names.
    fn add_boxes(&mut self, answer: &[Label], names: &BTreeSet<&String>) {
        let mut left = MAX_BOXES;
        let details = counting::details(&self.recorded.labels, answer);
        for (label, details) in self.labels.iter_mut().zip(details) {
            if names.contains(&details.name.to_lowercase()) {
                let mut instances = details.instances;
                instances.truncate(left);
                left -= instances.len();
                label.add_boxes(instances);
            }
        }
    }

    /// Presigns the thumbnails, once the page is complete.
    pub(crate) async fn presign_thumbnails(&mut self, app: &App) -> Result<(), Problem> {
        self.thumbnails = thumbnails(app, self.status(), &self.stored_thumbnails).await?;
        self.video = video_view(app, self.status(), self.stored_video.as_ref()).await?;
        Ok(())
    }
}

/// Reads images by their IDs, in their order. Deleted images, those that `selects` rejects, and unreadable records count
/// as absent.
pub(crate) async fn summaries(
    app: &App,
    owner: &Owner,
    ids: &[ImageId],
    selects: impl Fn(&ImageRecord) -> bool,
) -> Result<Vec<Read<ImageSummary>>, Problem> {
    let read = |record: ImageRecord| {
        let is_listed = record.status != Status::Deleted && selects(&record);
        is_listed.then(|| summary(record))
    };
    Ok(app.records.images(owner, ids, log_unreadable, read).await?)
}

/// Adds the boxes of the labels with these names, in lower case, to images that have just been read. At most 30 per image.
pub(crate) async fn add_boxes(
    app: &App,
    owner: &Owner,
    images: &mut [ImageSummary],
    names: &BTreeSet<&String>,
) -> Result<(), Problem> {
    let ids: Vec<_> = images.iter().map(|image| image.facts.image_id).collect();
    let results = app.records.results(owner, &ids).await?;
    for (image, result) in images.iter_mut().zip(results) {
        let Read::Found(result) = result else { continue };
        // Otherwise, the image has been labeled again since its record was read.
        if Some(&result.execution_arn) == image.recorded.execution.as_ref() {
            image.add_boxes(&result.answer, names);
        }
    }
    Ok(())
}

fn summary(record: ImageRecord) -> ImageSummary {
    let stored_thumbnails = record.thumbnails.clone();
    let stored_video = record.video.clone();
    let execution = record.execution_arn.clone();
    let (mut facts, labels) = ImageFacts::and_labels(record);
    // It is returned with its URLs.
    facts.video = None;
    let recorded = Recorded {
        execution,
        labels: labels.clone(),
    };
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
    ImageSummary {
        facts,
        labels,
        thumbnails: vec![],
        stored_thumbnails,
        video: None,
        stored_video,
        recorded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn labels_keep_the_order_of_the_record() {
        let labels = json!([
            {"name": "Squirrel", "confidence": 70.5, "added": false, "keyword": false},
            {"name": "Animal", "confidence": 99.0, "added": false, "keyword": false},
            {"name": "Home", "confidence": 100.0, "added": true, "keyword": false},
        ]);
        let record = json!({
            "imageId": ImageId::new(), "owner": "demo", "status": "LABELED", "labels": labels,
            "createdAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:05.250Z",
            "key": "uploads/demo/a.jpg", "bucket": "pictures",
        });
        let summary = summary(serde_json::from_value(record).unwrap());
        assert_eq!(serde_json::to_value(&summary).unwrap()["labels"], labels);
    }
}
