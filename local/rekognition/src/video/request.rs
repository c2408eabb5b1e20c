//! The requests, checked against the limits of Rekognition's API model.

use crate::error::{ApiError, ErrorKind};
use crate::object::ObjectReference;
use crate::request::{
    Filters, WireGeneralLabels, WireObject, check_length, filters, min_confidence, object_reference,
    unreadable,
};
use crate::response::Selection;
use serde::{Deserialize, Serialize};

/// Maximum size of a video: 10 GB. Source: Rekognition's guidelines and quotas.
const MAX_VIDEO_BYTES: u64 = 10 * 1024 * 1024 * 1024;
/// Default minimum confidence in percent.
const DEFAULT_MIN_CONFIDENCE: f32 = 50.0;
/// Default and maximum number of labels in a page.
const MAX_RESULTS: i64 = 1_000;
const TOKEN_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=64;
const TAG_CHARACTERS: std::ops::RangeInclusive<usize> = 1..=1_024;
const PAGE_TOKEN_CHARACTERS: std::ops::RangeInclusive<usize> = 0..=255;

/// A request with valid parameters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct StartLabelDetection {
    /// The video to label.
    pub(crate) video: ObjectReference,
    /// Repeated requests with the same one start one job.
    pub(crate) client_token: Option<String>,
    /// Where to publish the message.
    pub(crate) channel: Option<Channel>,
    /// Part of the message and the results.
    pub(crate) job_tag: Option<String>,
    min_confidence: f32,
    filters: Filters,
}

/// Where to publish the message when a job has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Channel {
    /// The topic's ARN.
    pub(crate) topic: String,
    /// The ARN of the role that Rekognition would assume.
    pub(crate) role: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireStart {
    video: Option<WireVideo>,
    client_request_token: Option<String>,
    min_confidence: Option<f32>,
    notification_channel: Option<WireChannel>,
    job_tag: Option<String>,
    features: Option<Vec<String>>,
    settings: Option<WireSettings>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireVideo {
    s3_object: Option<WireObject>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireChannel {
    #[serde(rename = "SNSTopicArn")]
    topic: Option<String>,
    role_arn: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireSettings {
    general_labels: Option<WireGeneralLabels>,
}

impl StartLabelDetection {
    /// Reads and checks the body of a request.
    ///
    /// # Errors
    /// `SerializationException` or `InvalidParameterException`.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let wire: WireStart = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
        let object = wire.video.and_then(|video| video.s3_object);
        let object = object.ok_or_else(|| ApiError::invalid_parameter("Video.S3Object is missing"))?;
        if let Some(token) = &wire.client_request_token {
            check_characters("ClientRequestToken", token, TOKEN_CHARACTERS, "-_")?;
        }
        if let Some(tag) = &wire.job_tag {
            check_characters("JobTag", tag, TAG_CHARACTERS, "_.-:+=/")?;
        }
        let features = wire.features.unwrap_or_default();
        if features.len() > 1 || features.iter().any(|feature| feature != "GENERAL_LABELS") {
            return Err(ApiError::invalid_parameter(
                "Features can have only the entry GENERAL_LABELS",
            ));
        }
        Ok(Self {
            video: object_reference("Video", object)?,
            client_token: wire.client_request_token,
            channel: wire.notification_channel.map(channel).transpose()?,
            job_tag: wire.job_tag,
            min_confidence: wire
                .min_confidence
                .map_or(Ok(DEFAULT_MIN_CONFIDENCE), min_confidence)?,
            filters: filters(
                wire.settings
                    .unwrap_or_default()
                    .general_labels
                    .unwrap_or_default(),
            )?,
        })
    }

    /// Checks the video's length in bytes.
    ///
    /// # Errors
    /// `VideoTooLargeException`.
    pub(crate) fn check_length(&self, length: u64) -> Result<(), ApiError> {
        if length > MAX_VIDEO_BYTES {
            return Err(ApiError::new(
                ErrorKind::VideoTooLargeException,
                format!("The video has {length} bytes, the maximum is {MAX_VIDEO_BYTES}"),
            ));
        }
        Ok(())
    }

    /// Which labels of a frame the job keeps.
    pub(crate) fn selection(&self) -> Selection<'_> {
        Selection {
            max_labels: usize::MAX,
            min_confidence: self.min_confidence,
            filters: &self.filters,
        }
    }
}

fn channel(wire: WireChannel) -> Result<Channel, ApiError> {
    let arn = |name: &str, value: Option<String>, service: &str| {
        let prefix = format!("arn:aws:{service}:");
        value.filter(|value| value.starts_with(&prefix)).ok_or_else(|| {
            ApiError::invalid_parameter(format!(
                "NotificationChannel.{name} is missing or not an ARN of {service}"
            ))
        })
    };
    Ok(Channel {
        topic: arn("SNSTopicArn", wire.topic, "sns")?,
        role: arn("RoleArn", wire.role_arn, "iam")?,
    })
}

fn check_characters(
    name: &str,
    value: &str,
    length: std::ops::RangeInclusive<usize>,
    others: &str,
) -> Result<(), ApiError> {
    check_length(name, value, length)?;
    if value
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || others.contains(c))
    {
        return Ok(());
    }
    Err(ApiError::invalid_parameter(format!(
        "{name} has invalid characters"
    )))
}

/// How results are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum AggregateBy {
    /// One result for each frame.
    #[default]
    Timestamps,
    /// One result for consecutive frames.
    Segments,
}

/// The order of results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum SortBy {
    /// By time.
    #[default]
    Timestamp,
    /// By name. Results of a label are sorted by confidence.
    Name,
}

/// A request with valid parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GetLabelDetection {
    pub(crate) job: String,
    pub(crate) max_results: usize,
    pub(crate) next_token: Option<String>,
    pub(crate) sort_by: SortBy,
    pub(crate) aggregate_by: AggregateBy,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct WireGet {
    job_id: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
    sort_by: Option<String>,
    aggregate_by: Option<String>,
}

impl GetLabelDetection {
    /// Reads and checks the body of a request.
    ///
    /// # Errors
    /// `SerializationException` or `InvalidParameterException`.
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        let wire: WireGet = serde_json::from_slice(body).map_err(|error| unreadable(error.to_string()))?;
        let job = wire
            .job_id
            .ok_or_else(|| ApiError::invalid_parameter("JobId is missing"))?;
        check_characters("JobId", &job, TOKEN_CHARACTERS, "-_")?;
        if let Some(token) = &wire.next_token {
            check_length("NextToken", token, PAGE_TOKEN_CHARACTERS)?;
        }
        let max_results = wire.max_results.unwrap_or(MAX_RESULTS);
        let max_results = usize::try_from(max_results.min(MAX_RESULTS))
            .ok()
            .filter(|max| *max > 0)
            .ok_or_else(|| {
                ApiError::invalid_parameter(format!("MaxResults is {max_results}, it must be 1 or more"))
            })?;
        let sort_by = match wire.sort_by.as_deref() {
            None | Some("TIMESTAMP") => SortBy::Timestamp,
            Some("NAME") => SortBy::Name,
            Some(_) => return Err(ApiError::invalid_parameter("SortBy must be NAME or TIMESTAMP")),
        };
        let aggregate_by = match wire.aggregate_by.as_deref() {
            None | Some("TIMESTAMPS") => AggregateBy::Timestamps,
            Some("SEGMENTS") => AggregateBy::Segments,
            Some(_) => {
                return Err(ApiError::invalid_parameter(
                    "AggregateBy must be TIMESTAMPS or SEGMENTS",
                ));
            }
        };
        Ok(Self {
            job,
            max_results,
            next_token: wire.next_token,
            sort_by,
            aggregate_by,
        })
    }
}
