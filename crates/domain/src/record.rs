//! The record of an image and its result, as stored in the table.

use crate::corrections::Corrections;
use crate::image::{Format, ImageId, Owner, Rendition, Status};
use crate::label::{Confidence, Label};
use crate::metadata::Metadata;
use crate::multipart::MultipartUpload;
use crate::table;
use crate::video::{MediaType, Seen, Video, minutes};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// An image's record. Its attributes have the names that the HTTP API uses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageRecord {
    /// The image.
    pub image_id: ImageId,
    /// The image's owner.
    pub owner: Owner,
    /// Processing status.
    pub status: Status,
    /// When the API created the upload, or when the first event for the object was handled: ISO 8601, UTC,
    /// milliseconds. Empty once a deletion is complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub created_at: String,
    /// The image's place in the owner's history: see [`table::history_sort`]. Its label rows have the same sort key. Empty
    /// once a deletion is complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub history: String,
    /// The UTC offset of the uploader's clock, as [`utc_offset`] reads it. Absent: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_offset: Option<String>,
    /// When the file was last modified before it was imported: ISO 8601, UTC, milliseconds. Absent if it was not imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_at: Option<String>,
    /// When the record last changed, in the same format.
    pub updated_at: String,
    /// The object's key. Empty once a deletion is complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// The object's bucket.
    pub bucket: String,
    /// The file's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// The file's size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// The file's SHA-256 in base64. Before the file arrives, the one that the API was told. Absent if S3 has none for the
    /// object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// The upload, if the file is being uploaded in parts. Removed when the file has arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multipart: Option<MultipartUpload>,
    /// The format found in the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<Format>,
    /// Width in pixels, as displayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Height in pixels, as displayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Whether the file is a picture or a video.
    #[serde(default, rename = "type", skip_serializing_if = "MediaType::is_picture")]
    pub media_type: MediaType,
    /// What is known of the video. Absent for pictures. While a video is labeled again, what belongs to its last result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub video: Option<Video>,
    /// The minutes of the video that the execution which holds the claim, or the request that started it, has counted against
    /// the daily quotas. Absent if none are counted, or if they were returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted_minutes: Option<CountedMinutes>,
    /// How the picture was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Metadata>,
    /// The thumbnails that belong to the result. Empty until the result is stored and the thumbnails are written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thumbnails: Vec<Rendition>,
    /// Why the labeled picture has no thumbnails. Absent if it has some, or if they have not been made yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnails_error: Option<RecordedError>,
    /// Whether a part of the picture is missing from the file. Set when the thumbnails are stored.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub incomplete: bool,
    /// The padded sequencer of the last event that was claimed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequencer: Option<String>,
    /// The execution that holds the claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_arn: Option<String>,
    /// The labels of the result, most specific first. The rest of the result is in the [`ImageResult`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<RecordedLabel>>,
    /// The names of the labels that may have rows in the table. While a result is being written, a superset of the
    /// names in `labels`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_rows: Vec<String>,
    /// Whether a change of the label rows is incomplete, so that the rows may not match `labels`. The next writer
    /// completes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rows_changing: bool,
    /// The owner's corrections of the labels. See [`ImageRecord::corrections`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrections: Option<RecordedCorrections>,
    /// The version of the model that found the labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<String>,
    /// Why the image was rejected or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordedError>,
    /// When the record expires (DynamoDB TTL): seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

impl ImageRecord {
    /// The keywords in the file.
    pub fn keywords(&self) -> Vec<String> {
        let metadata = self.metadata.as_ref();
        metadata
            .map(|metadata| metadata.keywords.clone())
            .unwrap_or_default()
    }

    /// The image time, by which the image is sorted: without a zone, in milliseconds, such as `2015-07-13T18:20:00.000`.
    /// Until the image is labeled, the time of the upload. Empty once a deletion is complete.
    pub fn time(&self) -> &str {
        let (time, _) = self.history.split_once('#').unwrap_or_default();
        table::without_zone(time)
    }

    /// The place in the history that the labeled image should have: that of its capture time by the camera's clock, or
    /// else of its upload by the uploader's clock. For an imported image without a capture time, the last modification of the
    /// file takes the place of the upload: otherwise, the pictures of twenty years would all be of the day of their import.
    pub fn place(&self) -> String {
        let taken_at = self
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.taken_at.as_ref());
        let time = taken_at.and_then(|taken_at| captured(taken_at));
        let created_at = self.modified_at.as_ref().unwrap_or(&self.created_at);
        let time = time.unwrap_or_else(|| uploaded(created_at, self.utc_offset.as_deref()));
        table::history_sort(&time, self.image_id)
    }

    /// The minutes of the video. `None` if this is a picture, or if its duration is not known.
    pub fn video_minutes(&self) -> Option<u32> {
        self.video.as_ref().map(|video| minutes(video.facts.duration_ms))
    }

    /// The owner's corrections of this picture.
    pub fn corrections(&self) -> Corrections {
        let recorded = self.corrections.as_ref();
        recorded
            .filter(|recorded| Some(&recorded.sequencer) == self.sequencer.as_ref())
            .map(|recorded| recorded.corrections.clone())
            .unwrap_or_default()
    }
}

/// Reads a UTC offset such as `+02:00`, from `-12:00` to `+14:00`.
pub fn utc_offset(text: &str) -> Option<Offset> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = rest.split_once(':')?;
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
        text.parse::<i32>().ok().filter(|_| is_number)
    };
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|minutes| *minutes < 60)?);
    let offset = sign * (hours * 60 + minutes);
    let is_used = (-12 * 60..=14 * 60).contains(&offset);
    Offset::from_seconds(offset * 60).ok().filter(|_| is_used)
}

/// The time of an upload by the uploader's clock. `created_at` is in UTC.
pub fn uploaded(created_at: &str, offset: Option<&str>) -> String {
    let offset = offset.and_then(utc_offset).unwrap_or(Offset::UTC);
    let created: Option<Timestamp> = created_at.parse().ok();
    match created {
        Some(created) => format!("{:.3}", offset.to_datetime(created)),
        None => created_at.to_owned(),
    }
}

/// The capture time without its offset. `None` if it is not a time of the years 1 to 9999.
fn captured(taken_at: &str) -> Option<String> {
    const WITHOUT_OFFSET: usize = "2015-07-13T18:20:00".len();
    let time: DateTime = taken_at.get(..WITHOUT_OFFSET)?.parse().ok()?;
    (time.year() > 0).then(|| format!("{time:.3}"))
}

/// Minutes of a video that were counted against the daily quotas.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountedMinutes {
    /// The day in UTC, such as `2026-11-22`.
    pub date: String,
    /// The minutes.
    pub minutes: u32,
}

/// A label in an [`ImageRecord`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedLabel {
    /// The label's name: Rekognition's, or the one that the owner has chosen.
    pub name: String,
    /// The model's confidence. 100 if the owner has added the label, or if it is a keyword.
    pub confidence: Confidence,
    /// Whether the owner has added the label.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub added: bool,
    /// Whether the label is a keyword of the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keyword: bool,
    /// Rekognition's names of the labels that were renamed to this one. Empty if the only one is `name`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub detected_as: Vec<String>,
    /// When the label is seen in the video. Absent for pictures, and for labels that the model has not found.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
}

impl RecordedLabel {
    /// The names that this label can have in the model's answer.
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        let own = self.detected_as.is_empty().then_some(&self.name);
        own.into_iter().chain(&self.detected_as).map(String::as_str)
    }
}

impl From<&Label> for RecordedLabel {
    fn from(label: &Label) -> Self {
        Self {
            name: label.name.clone(),
            confidence: label.confidence,
            added: false,
            keyword: false,
            detected_as: vec![],
            seen: label.seen,
        }
    }
}

/// The owner's corrections, as stored in an [`ImageRecord`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordedCorrections {
    /// The padded sequencer of the object that they are about. Another object under the same key is another picture.
    pub sequencer: String,
    /// The corrections.
    #[serde(flatten)]
    pub corrections: Corrections,
}

/// The model's answer about a labeled image. It can have 150 KB and is a separate item, because the cost of a write of
/// the record depends on the record's size.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageResult {
    /// The execution that stored the result. The record names the same execution, unless a newer one has claimed the
    /// image.
    pub execution_arn: String,
    /// All labels that the model found, with all their details, highest confidence first. The record names those that
    /// count.
    pub answer: Vec<Label>,
}

/// Why an image was rejected or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct RecordedError {
    /// The error's name, such as `UnsupportedFormat`.
    pub name: String,
    /// A message for people.
    pub message: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ID: &str = "0193a5a0-0000-7000-8000-000000000001";

    fn record(change: &Value) -> ImageRecord {
        let mut record = json!({
            "imageId": ID, "owner": "demo", "status": "LABELED", "createdAt": "2026-11-22T23:30:00.000Z",
            "updatedAt": "2026-11-22T23:30:00.000Z", "history": format!("2015-07-13T18:20:00.000#{ID}"),
            "key": "uploads/demo/a.jpg", "bucket": "pictures",
        });
        for (name, value) in change.as_object().unwrap() {
            record[name] = value.clone();
        }
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn images_are_sorted_by_the_clock_of_the_camera_or_else_of_the_uploader() {
        for (change, time) in [
            (json!({}), "2026-11-22T23:30:00.000"),
            (json!({"utcOffset": "+02:00"}), "2026-11-23T01:30:00.000"),
            (json!({"utcOffset": "-08:00"}), "2026-11-22T15:30:00.000"),
            (
                json!({"utcOffset": "+02:00", "metadata": {"takenAt": "2015-07-13T18:20:00"}}),
                "2015-07-13T18:20:00.000",
            ),
            (
                json!({"metadata": {"takenAt": "2015-07-13T18:20:00-10:00"}}),
                "2015-07-13T18:20:00.000",
            ),
            (
                json!({"modifiedAt": "2019-05-01T10:00:00.000Z"}),
                "2019-05-01T10:00:00.000",
            ),
            (
                json!({"modifiedAt": "2019-05-01T10:00:00.000Z", "metadata": {"takenAt": "2015-07-13T18:20:00"}}),
                "2015-07-13T18:20:00.000",
            ),
            (
                json!({"metadata": {"takenAt": "long ago"}}),
                "2026-11-22T23:30:00.000",
            ),
            (
                json!({"metadata": {"takenAt": "0000-01-01T00:00:00"}}),
                "2026-11-22T23:30:00.000",
            ),
        ] {
            assert_eq!(record(&change).place(), format!("{time}#{ID}"), "{change}");
        }
    }

    #[test]
    fn the_time_is_that_of_the_place() {
        assert_eq!(record(&json!({})).time(), "2015-07-13T18:20:00.000");
        let old = record(&json!({"history": format!("2026-11-22T23:30:00.000Z#{ID}")}));
        assert_eq!(old.time(), "2026-11-22T23:30:00.000", "of version 0.2.0");
        assert_eq!(record(&json!({"history": ""})).time(), "", "a closed tombstone");
    }

    #[test]
    fn an_offset_is_one_that_clocks_have() {
        for offset in ["+00:00", "-00:00", "+05:45", "-12:00", "+14:00"] {
            assert!(utc_offset(offset).is_some(), "{offset}");
        }
        for offset in [
            "", "Z", "+2:00", "02:00", "+02", "+14:01", "-12:01", "+02:60", "++2:00", "+02:00 ", "é2:00",
        ] {
            assert_eq!(utc_offset(offset), None, "{offset}");
        }
    }
}
