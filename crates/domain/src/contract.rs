//! Input and output of the Tasks of the state machines.

use crate::claim::Claim;
use crate::corrections::Corrections;
use crate::event::ObjectCreated;
use crate::image::{Format, ImageId, Orientation, Owner, Rendition, Status, rekognition};
use crate::label::{self, Confidence, Label};
use crate::lambda_error;
use crate::policy::FilterPolicy;
use crate::record::{ImageRecord, RecordedError, RecordedLabel};
use crate::video::{MediaType, VideoFile, VideoLabels, frames_name};
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

/// Notification ids are derived within this namespace.
const NOTIFICATION_NAMESPACE: Uuid = Uuid::from_u128(0x2f6d_0d4b_7f1b_4a39_8a52_f9d6_0f4e_6c17);

/// The input of `validate`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ValidateInput {
    /// The state machine's input.
    pub event: ObjectCreated,
    /// The execution that claims the image.
    pub execution_arn: String,
}

/// A claimed image. With a [`Picture`]: the output of `validate` and `convert`, and the input of `convert` and
/// `detect-labels`. Steps that handle both kinds of files have it with a [`Media`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ClaimedImage<File = Picture> {
    /// The image and the execution that processes it.
    #[serde(flatten)]
    pub claim: Claim,
    /// The properties that the file's header declares.
    #[serde(flatten)]
    pub file: File,
    /// The JPEG that Rekognition reads instead of the original, once `convert` has written it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rendition: Option<Rendition>,
    /// The owner's policy at the start. `detect-labels` reads its minimum confidence.
    pub policy: FilterPolicy,
}

/// What differs between pictures and videos. In JSON, only a video has the field `video`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Media {
    /// A video.
    Video(Box<VideoFile>),
    /// A picture.
    Picture(Picture),
}

impl Media {
    /// Whether this is a picture or a video.
    pub fn media_type(&self) -> MediaType {
        match self {
            Self::Picture(_) => MediaType::Picture,
            Self::Video(_) => MediaType::Video,
        }
    }
}

impl From<Picture> for Media {
    fn from(picture: Picture) -> Self {
        Self::Picture(picture)
    }
}

impl From<VideoFile> for Media {
    fn from(video: VideoFile) -> Self {
        Self::Video(Box::new(video))
    }
}

impl<File> ClaimedImage<File> {
    /// The same image, for steps that handle pictures and videos.
    pub fn into_media(self) -> ClaimedImage<Media>
    where
        File: Into<Media>,
    {
        ClaimedImage {
            claim: self.claim,
            file: self.file.into(),
            rendition: self.rendition,
            policy: self.policy,
        }
    }
}

/// The input of `inspect-video`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectVideoInput {
    /// The event that started the execution of `label-image`.
    pub event: ObjectCreated,
    /// The execution of `label-image` that has claimed the video.
    pub handed_over_by: String,
    /// The execution that takes over the claim.
    pub execution_arn: String,
}

/// A claimed video that is being labeled: the output of `inspect-video`, the input and output of `label-frames` and
/// `read-video-labels`, and the input of `collect-labels`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VideoProgress {
    /// The video.
    pub image: ClaimedImage<VideoFile>,
    /// How the labels are found.
    #[serde(default, skip_serializing_if = "VideoLabels::is_frames")]
    pub labels_by: VideoLabels,
    /// The number of frames to label. The object [`PLAN`](crate::video::PLAN) says where they are.
    pub frames: u32,
    /// The minimum time between two frames in milliseconds. The encoder decides where key frames are.
    pub interval_ms: u64,
    /// For each part that is labeled, the frame after its last one, or the result page after its last one, in ascending order.
    /// [`Self::part_names`] says where the labels are.
    pub parts: Vec<u32>,
    /// The first frame that is not labeled yet, or the first result page that is not read yet.
    pub next: u32,
    /// Where `read-video-labels` continues. Absent before the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<ResultPages>,
    /// Whether all frames are labeled, or all result pages are read.
    pub done: bool,
    /// When the next part may start: ISO 8601, UTC. Absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<String>,
    /// How often `label-frames` has waited for slots since it has labeled a frame.
    #[serde(default)]
    pub pauses: u32,
    /// Whether unused labels may have been paid for, because Rekognition Video could not read the video and its frames are
    /// labeled instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paid: bool,
}

impl VideoProgress {
    /// The names of the objects with the labels of the parts that are labeled, in the order of time.
    pub fn part_names(&self) -> Vec<String> {
        let firsts = std::iter::once(0).chain(self.parts.iter().copied());
        let parts = firsts.zip(self.parts.iter().copied());
        parts.map(|(first, end)| frames_name(first, end)).collect()
    }
}

/// Where reading the result of Rekognition Video continues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ResultPages {
    /// The token of the next page. Rekognition accepts it for 24 hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<String>,
    /// The time of the last frame that was kept, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<u64>,
    /// How often reading has begun again because a token had expired.
    #[serde(default)]
    pub restarts: u32,
}

/// The input of `start-video-labels`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StartVideoLabelsInput {
    /// The video.
    pub progress: VideoProgress,
    /// What the task waits for: a call with this token.
    pub task_token: String,
    /// How often the execution was redriven.
    pub redrive_count: u32,
    /// How often the task was retried since the last redrive.
    pub retry_count: u32,
}

impl StartVideoLabelsInput {
    /// Sorts the attempts of an execution by time, because it enters the state once. A redrive resets the number of retries, and
    /// keeps the time at which the state was entered.
    pub fn attempt(&self) -> String {
        format!("{:05}#{:05}", self.redrive_count, self.retry_count)
    }
}

/// A picture file, as its header describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// The file's size in bytes.
    pub size: u64,
    /// The format found in the file.
    pub format: Format,
    /// Width in pixels, after `orientation` is applied.
    pub width: u32,
    /// Height in pixels, after `orientation` is applied.
    pub height: u32,
    /// How the stored pixels must be turned to be displayed.
    #[serde(default)]
    pub orientation: Orientation,
}

impl Picture {
    /// Whether Rekognition can read the original: a JPEG or PNG within its limits. Rekognition applies the EXIF
    /// orientation of a JPEG only, so the boxes of a turned PNG would not fit the displayed picture.
    pub fn is_readable_by_rekognition(&self) -> bool {
        let is_readable = match self.format {
            Format::Jpeg => true,
            Format::Png => self.orientation == Orientation::UPRIGHT,
            _ => false,
        };
        is_readable
            && self.size <= rekognition::MAX_BYTES
            && self.width.max(self.height) <= rekognition::MAX_SIDE
    }
}

/// An image with all detected labels: the output of `detect-labels` and the input of `filter-labels`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DetectedImage {
    /// The image.
    pub image: ClaimedImage<Media>,
    /// Highest confidence first.
    pub labels: Vec<Label>,
    /// The version of the model that found them.
    #[serde(default)]
    pub model_version: Option<String>,
}

/// An image with the model's answer and the labels that count: the output of `filter-labels` and the input of `persist`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FilteredImage {
    /// The image.
    pub image: ClaimedImage<Media>,
    /// The detected labels that count, highest confidence first.
    pub labels: Vec<Label>,
    /// The other detected labels, highest confidence first. Missing in the output of version 0.2.0.
    #[serde(default)]
    pub others: Vec<Label>,
    /// The labels as they are recorded: renamed, and with those that the owner has added, most specific first. Missing
    /// in the output of version 0.2.0, where they equal `labels`.
    #[serde(default)]
    pub counted: Option<Vec<RecordedLabel>>,
    /// The version of the model that found them.
    #[serde(default)]
    pub model_version: Option<String>,
}

impl FilteredImage {
    /// Everything that the model found, highest confidence first.
    pub fn answer(&self) -> Vec<Label> {
        let mut answer: Vec<_> = self.labels.iter().chain(&self.others).cloned().collect();
        label::sort(&mut answer);
        answer
    }

    /// The labels that count, most specific first.
    pub fn counted(&self) -> Vec<RecordedLabel> {
        self.counted.clone().unwrap_or_else(|| {
            let labels = label::most_specific_first(&self.labels).into_iter();
            labels.map(RecordedLabel::from).collect()
        })
    }
}

/// The input of `persist`. It comes from `filter-labels` or from a Catch of the state machine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PersistInput {
    /// The image, with the labels that count.
    Labeled(FilteredImage),
    /// The file cannot be labeled.
    #[serde(skip_serializing)]
    Rejected(RejectedImage),
}

/// An image whose file cannot be labeled.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RejectedImage {
    /// The state machine's input, because a failed step has no output.
    pub event: ObjectCreated,
    /// The execution that holds the claim.
    pub execution_arn: String,
    /// The error that was caught.
    pub error: CaughtError,
    /// Whether labels of a video may have been paid for before. Its minutes then stay counted.
    #[serde(default)]
    pub paid: bool,
}

impl RejectedImage {
    /// The claim of the execution. `None` if the event's key is not an upload's key.
    pub fn claim(&self) -> Option<Claim> {
        Claim::new(&self.event, &self.execution_arn)
    }
}

/// An error that a Catch has caught. `Cause` contains Lambda's error body as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaughtError(pub RecordedError);

impl<'de> Deserialize<'de> for CaughtError {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct ErrorOutput {
            error: String,
            #[serde(default)]
            cause: String,
        }
        let ErrorOutput { error, cause } = ErrorOutput::deserialize(deserializer)?;
        Ok(Self(RecordedError {
            name: error,
            message: lambda_error::message(&cause),
        }))
    }
}

/// The final result of an execution: the output of `persist`, the input of `notify`, and the detail of the event that
/// `notify` sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Identical whenever the same result is sent again, so that receivers can deduplicate.
    pub notification_id: Uuid,
    /// The image and the execution that processed it.
    #[serde(flatten)]
    pub claim: Claim,
    /// `LABELED`, `REJECTED` or `FAILED`.
    pub status: Status,
    /// Whether a picture or a video was labeled. Absent for pictures, and for files that were not labeled.
    #[serde(default, rename = "type", skip_serializing_if = "MediaType::is_picture")]
    pub media_type: MediaType,
    /// Highest confidence first. Empty unless `LABELED`.
    pub labels: Vec<OutcomeLabel>,
    /// Present unless `LABELED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RecordedError>,
}

/// A label in an [`Outcome`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutcomeLabel {
    /// The label's name: Rekognition's, or the one that the owner has chosen.
    pub name: String,
    /// The model's confidence. 100 if the owner has added the label, or if it is a keyword of the file.
    pub confidence: Confidence,
    /// Whether the owner has added the label.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub added: bool,
    /// Whether the label is a keyword of the file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keyword: bool,
    /// When the label is first seen, in milliseconds from the start of the video. Absent for pictures, and for labels that the
    /// model has not found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_ms: Option<u64>,
    /// How long the label is seen in total, in milliseconds. Present with `first_ms`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total_ms: Option<u64>,
}

impl From<RecordedLabel> for OutcomeLabel {
    fn from(label: RecordedLabel) -> Self {
        Self {
            name: label.name,
            confidence: label.confidence,
            added: label.added,
            keyword: label.keyword,
            first_ms: label.seen.map(|seen| seen.first_ms),
            total_ms: label.seen.map(|seen| seen.total_ms),
        }
    }
}

/// The detail type of the event with [`CorrectedLabels`].
pub const LABELS_CORRECTED: &str = "Image Labels Corrected";

/// The detail of the event that reports corrected labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CorrectedLabels {
    image_id: ImageId,
    owner: Owner,
    bucket: String,
    key: String,
    corrected_at: String,
    labels: Vec<OutcomeLabel>,
    corrections: Corrections,
}

impl From<&ImageRecord> for CorrectedLabels {
    fn from(record: &ImageRecord) -> Self {
        let labels = record.labels.clone().unwrap_or_default();
        Self {
            image_id: record.image_id,
            owner: record.owner.clone(),
            bucket: record.bucket.clone(),
            key: record.key.clone(),
            corrected_at: record.updated_at.clone(),
            labels: labels.into_iter().map(OutcomeLabel::from).collect(),
            corrections: record.corrections(),
        }
    }
}

impl Outcome {
    /// A `LABELED` image.
    pub fn labeled(claim: Claim, media_type: MediaType, labels: Vec<RecordedLabel>) -> Self {
        let mut labels: Vec<_> = labels.into_iter().map(OutcomeLabel::from).collect();
        let percent = |label: &OutcomeLabel| label.confidence.percent();
        labels.sort_by(|a, b| {
            percent(b)
                .total_cmp(&percent(a))
                .then_with(|| a.name.cmp(&b.name))
        });
        Self {
            media_type,
            labels,
            ..Self::new(claim, Status::Labeled)
        }
    }

    /// A `REJECTED` image.
    pub fn rejected(claim: Claim, error: RecordedError) -> Self {
        Self {
            error: Some(error),
            ..Self::new(claim, Status::Rejected)
        }
    }

    /// A `FAILED` image.
    pub fn failed(claim: Claim, error: RecordedError) -> Self {
        Self {
            error: Some(error),
            ..Self::new(claim, Status::Failed)
        }
    }

    fn new(claim: Claim, status: Status) -> Self {
        Self {
            notification_id: notification_id(&claim, status),
            claim,
            status,
            media_type: MediaType::Picture,
            labels: vec![],
            error: None,
        }
    }
}

/// An execution has at most one result of each status for an image, no matter how often its steps run.
fn notification_id(claim: &Claim, status: Status) -> Uuid {
    let result = format!(
        "{}/{}/{}/{}",
        claim.owner.as_str(),
        claim.image_id,
        claim.execution_arn,
        status.as_str()
    );
    Uuid::new_v5(&NOTIFICATION_NAMESPACE, result.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{ImageId, Owner};
    use serde_json::json;

    #[test]
    fn only_originals_that_rekognition_can_read_are_not_converted() {
        let image = |changes: serde_json::Value| {
            let mut image = json!({
                "imageId": ImageId::new(), "owner": "demo", "bucket": "pictures", "key": "uploads/demo/a",
                "size": 15_728_640, "format": "JPEG", "width": 10_000, "height": 80, "executionArn": "arn",
                "policy": {"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []},
            });
            image
                .as_object_mut()
                .unwrap()
                .extend(changes.as_object().unwrap().clone());
            serde_json::from_value::<ClaimedImage>(image)
                .unwrap()
                .file
                .is_readable_by_rekognition()
        };
        for readable in [json!({}), json!({"orientation": 6}), json!({"format": "PNG"})] {
            assert!(image(readable.clone()), "{readable}");
        }
        for converted in [
            json!({"format": "WEBP"}),
            json!({"format": "PNG", "orientation": 6}),
            json!({"size": 15_728_641}),
            json!({"height": 10_001}),
        ] {
            assert!(!image(converted.clone()), "{converted}");
        }
    }

    /// A redrive begins with retry 0 again. Its attempts must replace the tokens of the earlier ones, which no longer wait.
    #[test]
    fn attempts_are_in_the_order_of_redrives_and_then_of_retries() {
        let attempt = |redrive_count: u32, retry_count: u32| {
            let input = json!({
                "progress": {
                    "image": {
                        "imageId": ImageId::new(), "owner": "demo", "bucket": "pictures", "key": "uploads/demo/a",
                        "executionArn": "arn", "size": 1,
                        "video": {"durationMs": 1, "codec": "H.264", "container": "MP4", "width": 80, "height": 80},
                        "policy": {"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []},
                    },
                    "frames": 1, "intervalMs": 2000, "parts": [], "next": 0, "done": false,
                },
                "taskToken": "token", "redriveCount": redrive_count, "retryCount": retry_count,
            });
            serde_json::from_value::<StartVideoLabelsInput>(input)
                .unwrap()
                .attempt()
        };
        let in_order = [(0, 0), (0, 9), (0, 10), (0, 217), (1, 0), (1, 44), (10, 0)];
        let attempts = in_order.map(|(redrive_count, retry_count)| attempt(redrive_count, retry_count));
        assert!(attempts.is_sorted_by(|a, b| a < b), "{attempts:?}");
    }

    /// What the state machine writes when Rekognition Video cannot read a video, and what the steps after it make of that.
    #[test]
    fn frames_that_are_labeled_after_a_failed_job_remember_that_it_may_have_been_paid_for() {
        let mut progress = json!({
            "image": {
                "imageId": ImageId::new(), "owner": "demo", "bucket": "pictures", "key": "uploads/demo/a",
                "executionArn": "arn", "size": 1,
                "video": {"durationMs": 1, "codec": "H.264", "container": "MP4", "width": 80, "height": 80},
                "policy": {"minConfidence": 55.0, "maxLabels": 50, "include": [], "exclude": []},
            },
            "labelsBy": "FRAMES", "paid": true,
            "frames": 1, "intervalMs": 2000, "parts": [], "next": 0, "done": false,
        });
        let read: VideoProgress = serde_json::from_value(progress.clone()).unwrap();
        assert_eq!((read.labels_by, read.paid), (VideoLabels::Frames, true));
        let written = serde_json::to_value(read).unwrap();
        assert_eq!(written["paid"], true);
        let fields = progress.as_object_mut().unwrap();
        fields.retain(|name, _| name != "labelsBy" && name != "paid");
        let read: VideoProgress = serde_json::from_value(progress.clone()).unwrap();
        assert!(!read.paid);
        assert_eq!(serde_json::to_value(read).unwrap().get("paid"), None);
    }

    #[test]
    fn pictures_and_videos_are_told_apart_and_written_as_they_were_read() {
        let read = |file: serde_json::Value| {
            let mut image = json!({
                "imageId": ImageId::new(), "owner": "demo", "bucket": "pictures", "key": "uploads/demo/a",
                "executionArn": "arn", "policy": {"minConfidence": 55.0, "maxLabels": 50, "include": [], "exclude": []},
            });
            image
                .as_object_mut()
                .unwrap()
                .extend(file.as_object().unwrap().clone());
            let read: ClaimedImage<Media> = serde_json::from_value(image.clone()).unwrap();
            assert_eq!(serde_json::to_value(&read).unwrap(), image);
            read.file
        };
        let picture = json!({"size": 5, "format": "JPEG", "width": 100, "height": 80, "orientation": 1});
        assert!(matches!(read(picture), Media::Picture(_)));
        let video = json!({"size": 5, "video": {
            "durationMs": 1500, "codec": "H.264 High", "container": "MP4", "frameRate": 30.0, "width": 100, "height": 80,
            "poster": {"key": "videos/demo/a/b/poster.jpg", "width": 100, "height": 80},
        }});
        assert!(matches!(read(video), Media::Video(_)));
    }

    /// Two runs of a part can end at different frames, and the later one is not the one whose output the state machine has.
    #[test]
    fn the_labels_of_a_part_are_where_no_other_frames_are() {
        let progress: VideoProgress = serde_json::from_value(json!({
            "image": {
                "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "pictures",
                "key": "uploads/demo/cat.mp4", "executionArn": "execution:label-video:one", "size": 1000,
                "video": {"durationMs": 6000, "codec": "H.264", "container": "MP4", "width": 640, "height": 480},
                "policy": {"minConfidence": 55, "maxLabels": 50},
            },
            "frames": 75, "intervalMs": 2000, "parts": [60, 75], "next": 75, "done": true,
        }))
        .unwrap();
        assert_eq!(progress.part_names(), ["frames-0-60.json", "frames-60-75.json"]);
        assert!(!progress.part_names().contains(&frames_name(0, 48)));
    }

    #[test]
    fn the_message_is_the_steps_error_text_not_lambdas_error_body() {
        let caught: CaughtError = serde_json::from_value(json!({
            "Error": "UnsupportedFormat",
            "Cause": r#"{"errorType":"UnsupportedFormat","errorMessage":"This file is empty.","stackTrace":[]}"#,
        }))
        .unwrap();
        assert_eq!(caught.0.message, "This file is empty.");
        assert_eq!(caught.0.name, "UnsupportedFormat");
    }

    #[test]
    fn a_cause_that_is_not_an_error_body_is_kept_unchanged() {
        let caught: CaughtError =
            serde_json::from_value(json!({"Error": "InvalidImage", "Cause": "broken"})).unwrap();
        assert_eq!(caught.0.message, "broken");
        let bare: CaughtError = serde_json::from_value(json!({"Error": "InvalidImage"})).unwrap();
        assert_eq!(bare.0.message, "");
    }

    fn claim(execution_arn: &str) -> Claim {
        Claim {
            image_id: ImageId::parse("0193a5a0-0000-7000-8000-000000000001").unwrap(),
            owner: Owner::new("demo").unwrap(),
            bucket: "pictures".into(),
            key: "uploads/demo/cat.jpg".into(),
            version_id: None,
            execution_arn: execution_arn.into(),
            requested_at: None,
        }
    }

    #[test]
    fn only_the_same_result_has_the_same_notification_id() {
        let id = |arn, status| notification_id(&claim(arn), status);
        assert_eq!(id("a", Status::Labeled), id("a", Status::Labeled));
        assert_ne!(id("a", Status::Labeled), id("b", Status::Labeled));
        assert_ne!(id("a", Status::Labeled), id("a", Status::Failed));
    }

    /// Receivers of the event depend on this format, and so do executions that run during a deployment.
    #[test]
    fn the_claim_is_flattened_in_json() {
        let outcome =
            serde_json::to_value(Outcome::labeled(claim("arn"), MediaType::Picture, vec![])).unwrap();
        assert_eq!(
            outcome,
            json!({
                "notificationId": notification_id(&claim("arn"), Status::Labeled),
                "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "pictures",
                "key": "uploads/demo/cat.jpg", "executionArn": "arn", "status": "LABELED", "labels": [],
            })
        );
    }
}
