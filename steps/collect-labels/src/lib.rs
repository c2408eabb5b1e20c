//! Merges the labels of all frames of a video: writes the timeline, and returns each label with its best confidence and the
//! times at which it is seen.
//!
//! Input: [`domain::VideoProgress`]. Output: [`domain::DetectedImage`].

use aws::ServiceError;
use deletion::NotRead;
use domain::label::{fit, json_len};
use domain::record::RecordedError;
use domain::timeline::{LabeledFrames, Timeline};
use domain::video::{TIMELINE, video_key};
use domain::{DetectedImage, ErrorName, StepError, VideoProgress};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use records::{LostClaim, Records, RecordsError};
use strum::EnumIter;

/// Maximum size of the output as JSON, in bytes. See `detect-labels`.
const MAX_OUTPUT_BYTES: usize = 150 * 1024;
/// Parts that are read at the same time.
const CONCURRENCY: usize = 16;
/// Bytes that are reserved for the names of the output's fields and for the model's version.
const RESERVED_BYTES: usize = 256;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct CollectLabels {
    /// Reads the labels of frames, and writes the timeline.
    pub s3: aws_sdk_s3::Client,
    /// Reads which execution holds the video.
    pub records: Records,
    /// A label that is missing for at most this long counts as seen, in milliseconds.
    pub gap_ms: u64,
}

/// Why the video has no labels.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum CollectLabelsError {
    /// No frame could be decoded. Contains the reason for the last one.
    #[error("{0}")]
    Undecodable(String),
    /// The labels of frames are missing or cannot be read.
    #[error("the labels of frames cannot be read: {0}")]
    Part(String),
    /// The execution no longer holds the claim.
    #[error(transparent)]
    #[strum(disabled)]
    Lost(#[from] LostClaim),
    /// The record is invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    #[strum(disabled)]
    Records(#[from] RecordsError),
    /// A call to an AWS service failed.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for CollectLabelsError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Undecodable(_) => ErrorName::InvalidImage,
            Self::Part(_) => ErrorName::UnexpectedAnswer,
            Self::Lost(lost) => lost.name(),
            Self::Records(error) => error.name(),
            Self::Service(error) => error.name(),
        }
    }
}

impl From<NotRead> for CollectLabelsError {
    fn from(error: NotRead) -> Self {
        match error {
            NotRead::Lost(lost) => lost.into(),
            NotRead::Unreadable(error) => Self::Part(error),
        }
    }
}

/// Writes the timeline, then checks that the execution still holds the claim. If not, it deletes what it has written.
///
/// # Errors
/// See [`CollectLabelsError`].
pub async fn handle(
    step: &CollectLabels,
    progress: VideoProgress,
) -> Result<DetectedImage, CollectLabelsError> {
    // Parts of a deleted video are gone, which is no error.
    deletion::check_video(&step.s3, &step.records, &progress.image.claim).await??;
    let claim = &progress.image.claim;
    let parts: Vec<LabeledFrames> = stream::iter(progress.part_names())
        .map(|name| async move {
            let read = deletion::read_derived(&step.s3, &step.records, claim, &name).await?;
            read.map_err(CollectLabelsError::from)
        })
        .buffered(CONCURRENCY)
        .try_collect()
        .await?;
    let model_version = parts.iter().find_map(|part| part.model_version.clone());
    if parts.iter().all(|part| part.frames.is_empty()) {
        let reason = parts.into_iter().filter_map(|part| part.undecodable).next_back();
        return Err(CollectLabelsError::Undecodable(message(reason)));
    }
    let duration_ms = progress.image.file.video.facts.duration_ms;
    let (timeline, labels) = Timeline::merge(parts, duration_ms, progress.interval_ms, step.gap_ms);
    let key = video_key(claim, TIMELINE);
    let unwritable = |error: serde_json::Error| ServiceError::UnexpectedAnswer(error.to_string());
    let bytes = serde_json::to_vec(&timeline).map_err(unwritable)?;
    objects::write(&step.s3, &claim.bucket, &key, "application/json", bytes).await?;
    deletion::check_video(&step.s3, &step.records, claim).await??;
    let mut image = progress.image;
    image.file.video.timeline = Some(key);
    let image = image.into_media();
    let budget = MAX_OUTPUT_BYTES.saturating_sub(RESERVED_BYTES + json_len(&image));
    Ok(DetectedImage {
        image,
        labels: fit(labels, budget),
        model_version,
    })
}

fn message(reason: Option<RecordedError>) -> String {
    reason.map_or_else(
        || "No frame of this video can be labeled. Export it as MP4 with the codec H.264.".to_owned(),
        |reason| reason.message,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_dynamodb::types::AttributeValue;
    use aws_sdk_s3::operation::get_object::GetObjectOutput;
    use aws_sdk_s3::operation::put_object::PutObjectOutput;
    use aws_sdk_s3::primitives::ByteStream;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use domain::{Label, Media};
    use serde_json::{Value, json};

    fn progress() -> VideoProgress {
        serde_json::from_value(json!({
            "image": {
                "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "pictures",
                "key": "uploads/demo/cat.mp4", "executionArn": "execution:label-video:one", "size": 1000,
                "video": {"durationMs": 6000, "codec": "H.264", "container": "MP4", "width": 640, "height": 480},
                "policy": {"minConfidence": 55, "maxLabels": 50},
            },
            "frames": 3, "intervalMs": 2000, "parts": [2, 3], "next": 3, "done": true,
        }))
        .unwrap()
    }

    /// Collects parts while this execution holds the video.
    async fn collect(parts: Vec<LabeledFrames>) -> Result<DetectedImage, CollectLabelsError> {
        let holder = mock!(aws_sdk_dynamodb::Client::get_item).then_output(|| {
            let text = |text: &str| AttributeValue::S(text.to_owned());
            GetItemOutput::builder()
                .item("status", text("PROCESSING"))
                .item("executionArn", text("execution:label-video:one"))
                .build()
        });
        let read: Vec<_> = ["frames-0-2.json", "frames-2-3.json"]
            .into_iter()
            .zip(parts)
            .map(|(name, part)| {
                let body = serde_json::to_vec(&part).unwrap();
                mock!(aws_sdk_s3::Client::get_object)
                    .match_requests(move |request| request.key().is_some_and(|key| key.ends_with(name)))
                    .then_output(move || {
                        let length = i64::try_from(body.len()).unwrap();
                        let object = GetObjectOutput::builder().content_length(length);
                        object.body(ByteStream::from(body.clone())).build()
                    })
            })
            .collect();
        let written = mock!(aws_sdk_s3::Client::put_object)
            .match_requests(|request| {
                request.key() == Some("videos/demo/0193a5a0-0000-7000-8000-000000000001/one/timeline.json")
            })
            .then_output(|| PutObjectOutput::builder().build());
        let rules: Vec<_> = read.iter().chain([&written]).collect();
        let step = CollectLabels {
            s3: mock_client!(aws_sdk_s3, RuleMode::MatchAny, rules.as_slice()),
            records: Records::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&holder]),
                "images".into(),
            ),
            gap_ms: 0,
        };
        let collected = handle(&step, progress()).await;
        assert_eq!(written.num_calls(), usize::from(collected.is_ok()));
        collected
    }

    fn frames(labels: &[(u64, &str)]) -> LabeledFrames {
        let mut frames = LabeledFrames::default();
        for (at_ms, name) in labels {
            let label: Value = json!({"name": name, "confidence": 90.0});
            frames.add(*at_ms, vec![serde_json::from_value::<Label>(label).unwrap()]);
        }
        frames
    }

    fn undecodable() -> LabeledFrames {
        LabeledFrames {
            undecodable: Some(RecordedError {
                name: "InvalidImage".into(),
                message: "A frame of this H.264 video is damaged.".into(),
            }),
            ..LabeledFrames::default()
        }
    }

    #[tokio::test]
    async fn the_labels_of_all_parts_are_merged() {
        let parts = vec![frames(&[(0, "Cat"), (2000, "Dog")]), frames(&[(4000, "Cat")])];
        let collected = collect(parts).await.unwrap();
        let found: Vec<_> = collected
            .labels
            .iter()
            .map(|label| (label.name.as_str(), label.seen.map(|seen| seen.total_ms)))
            .collect();
        assert_eq!(found, [("Cat", Some(4000)), ("Dog", Some(2000))]);
        let Media::Video(file) = collected.image.file else {
            panic!("a picture")
        };
        assert!(
            file.video
                .timeline
                .is_some_and(|key| key.ends_with("/one/timeline.json"))
        );
    }

    #[tokio::test]
    async fn frames_that_cannot_be_decoded_are_skipped_unless_all_are() {
        let collected = collect(vec![undecodable(), frames(&[(4000, "Cat")])]).await;
        assert_eq!(collected.unwrap().labels.len(), 1);
        let error = collect(vec![undecodable(), undecodable()]).await.unwrap_err();
        assert_eq!(error.name(), ErrorName::InvalidImage);
        assert_eq!(error.to_string(), "A frame of this H.264 video is damaged.");
    }
}
