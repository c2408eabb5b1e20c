//! An image as its owner sees it, in responses of the API and in exports.

use crate::corrections::Corrections;
use crate::counting;
use crate::image::{Format, ImageId, Status};
use crate::label::{Confidence, Instance, Label};
use crate::metadata::Metadata;
use crate::record::{ImageRecord, RecordedError, RecordedLabel};
use crate::video::{MediaType, VideoFacts};
use serde::Serialize;
use std::collections::BTreeSet;

/// What a list and a single image have in common.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageFacts {
    /// The image.
    pub image_id: ImageId,
    /// Processing status.
    pub status: Status,
    /// Whether the file is a picture or a video. `PICTURE` until a video is recognized.
    #[serde(rename = "type")]
    pub media_type: MediaType,
    /// What the video's header says. Responses of the API add URLs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub video: Option<VideoFacts>,
    /// The original file name. Null if unknown.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub file_name: Option<String>,
    /// Bytes. Null until known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub size: Option<u64>,
    /// The format of the picture. Null until known, and for videos.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub format: Option<Format>,
    /// Pixels, after the picture's orientation is applied. Null until known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub width: Option<u32>,
    /// Pixels, after the picture's orientation is applied. Null until known.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub height: Option<u32>,
    /// The time by which images are sorted: when the picture was taken, by the camera's clock, or else when it was uploaded,
    /// by your clock. Without a zone. Until the image is labeled for the first
    /// time, the time of the upload.
    #[cfg_attr(
        feature = "openapi",
        schema(
            pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}$",
            examples("2015-07-13T18:20:00.000")
        )
    )]
    pub time: String,
    /// When the upload was created, or the object was first seen.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub created_at: String,
    /// When the image last changed.
    #[cfg_attr(feature = "openapi", schema(format = DateTime))]
    pub updated_at: String,
    /// The version of the model that found the labels. Null unless `LABELED`.
    #[cfg_attr(feature = "openapi", schema(required))]
    pub model_version: Option<String>,
    /// Why the image was rejected or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub error: Option<RecordedError>,
}

impl ImageFacts {
    /// The facts of a record, and its labels.
    pub fn and_labels(record: ImageRecord) -> (Self, Vec<RecordedLabel>) {
        // While an image is relabeled, the record still has the labels that will be replaced.
        let labeled = record.status == Status::Labeled;
        let time = record.time().to_owned();
        let facts = Self {
            image_id: record.image_id,
            status: record.status,
            media_type: record.media_type,
            video: record.video.map(|video| video.facts),
            file_name: record.file_name,
            size: record.size,
            format: record.format,
            width: record.width,
            height: record.height,
            time,
            created_at: record.created_at,
            updated_at: record.updated_at,
            model_version: record.model_version.filter(|_| labeled),
            error: record.error,
        };
        (facts, record.labels.filter(|_| labeled).unwrap_or_default())
    }
}

/// An image with its labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ImageDetails {
    /// What the image has in common with those in lists.
    #[serde(flatten)]
    pub facts: ImageFacts,
    /// Most specific first, then by confidence. Empty unless `LABELED`.
    pub labels: Vec<LabelDetails>,
    /// Detected labels that don't count, because of your settings or corrections. Highest confidence first. Empty unless
    /// `LABELED`.
    pub other_labels: Vec<OtherLabel>,
    /// Your corrections of the labels.
    pub corrections: Corrections,
    /// Why the image has no thumbnails. Absent if it has some, until they exist, and unless `LABELED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub thumbnails_error: Option<RecordedError>,
    /// Whether a part of the picture is missing from the file, for example because its end is cut off. The rest is
    /// labeled. False until the thumbnails of the latest result exist.
    pub incomplete: bool,
    /// How the picture was taken, according to the file.
    pub metadata: Metadata,
}

/// A label of an image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Label))]
pub struct LabelDetails {
    /// Rekognition's name, such as `Coffee Cup`, or the name that you have chosen.
    pub name: String,
    /// How confident the model is. 100 if you've added the label, or if it is a keyword of the file.
    pub confidence: Confidence,
    /// Whether you've added the label.
    pub added: bool,
    /// Whether the label is a keyword of the file.
    pub keyword: bool,
    /// Rekognition's names of the labels that your settings rename to this one. Empty if there are no others.
    pub detected_as: Vec<String>,
    /// Where the model found it. Empty for labels without a location, such as `Outdoors`.
    pub instances: Vec<Instance>,
    /// All ancestors, such as `Animal` and `Mammal` for `Cat`.
    pub parents: Vec<String>,
    /// Other names for the same label.
    pub aliases: Vec<String>,
    /// Rekognition's categories, such as `Animals and Pets`.
    pub categories: Vec<String>,
    /// When the label is seen for the first time, in milliseconds from the start of the video. Absent for pictures, and for
    /// labels that the model hasn't found.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub first_ms: Option<u64>,
    /// How long the label is seen in the video, in milliseconds. Absent in the same cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(nullable = false))]
    pub total_ms: Option<u64>,
}

/// A detected label that doesn't count.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OtherLabel {
    /// Rekognition's name.
    pub name: String,
    /// How confident the model is.
    pub confidence: Confidence,
}

impl ImageDetails {
    /// The image of a record. `answer` is the model's answer about a `LABELED` image, and empty for others.
    pub fn new(record: ImageRecord, answer: &[Label]) -> Self {
        let labeled = record.status == Status::Labeled;
        let corrections = record.corrections();
        let metadata = record.metadata.clone().unwrap_or_default();
        let thumbnails_error = record.thumbnails_error.clone().filter(|_| labeled);
        let incomplete = record.incomplete && labeled;
        let (facts, counted) = ImageFacts::and_labels(record);
        let sources: BTreeSet<&str> = counted.iter().flat_map(RecordedLabel::sources).collect();
        let others = answer
            .iter()
            .filter(|label| !sources.contains(label.name.as_str()));
        let other_labels = others
            .map(|label| OtherLabel {
                name: label.name.clone(),
                confidence: label.confidence,
            })
            .collect();
        let details = counting::details(&counted, answer);
        let labels = counted
            .into_iter()
            .zip(details)
            .map(|(recorded, details)| LabelDetails::new(recorded, details))
            .collect();
        Self {
            facts,
            labels,
            other_labels,
            corrections,
            thumbnails_error,
            incomplete,
            metadata,
        }
    }
}

impl LabelDetails {
    /// A label with its details from the model's answer.
    fn new(recorded: RecordedLabel, details: Label) -> Self {
        let Label {
            name,
            confidence,
            instances,
            parents,
            aliases,
            categories,
            ..
        } = details;
        Self {
            name,
            confidence,
            added: recorded.added,
            keyword: recorded.keyword,
            detected_as: recorded.detected_as,
            instances,
            parents,
            aliases,
            categories,
            // Also without the answer, which exports to CSV don't read.
            first_ms: recorded.seen.map(|seen| seen.first_ms),
            total_ms: recorded.seen.map(|seen| seen.total_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// Exports to CSV read only records.
    #[test]
    fn the_record_alone_says_when_a_label_is_seen() {
        let record = serde_json::from_value(json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "LABELED", "type": "VIDEO",
            "updatedAt": "2026-11-22T12:00:05.250Z", "key": "uploads/demo/a.mp4", "bucket": "pictures",
            "labels": [{"name": "Cat", "confidence": 96.2, "firstMs": 4000, "totalMs": 6500}],
        }))
        .unwrap();
        let details = ImageDetails::new(record, &[]);
        assert_eq!(
            (details.labels[0].first_ms, details.labels[0].total_ms),
            (Some(4000), Some(6500))
        );
    }
}
