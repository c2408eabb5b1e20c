//! `GET /images/{id}/timeline`: when the labels of a video are seen.

use crate::app::App;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::RawParameters;
use crate::http::responses::{BadRequest, NoTimeline};
use crate::routes::record::{image_id, read};
use axum::Json;
use axum::extract::{Path, State};
use domain::policy::{LabelName, is_label_name};
use domain::timeline::{Lane, Segment, Timeline, window};
use domain::{BoundingBox, Confidence, ImageId, Status};
use serde::Serialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const MILLISECONDS: &str = "a whole number of milliseconds";
const FROM: (&str, &str) = ("from", MILLISECONDS);
const TO: (&str, &str) = ("to", MILLISECONDS);
const LABEL: (&str, &str) = (
    "label",
    "the name of a label, with 1 to 100 characters and no control characters",
);

/// Maximum number of segments and boxes in a response. A box has some 110 bytes, so a response has less than half of the 6 MB
/// that Lambda allows.
const MAX_ITEMS: usize = 20_000;

/// Query parameters, for the description only.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct TimelineQuery {
    /// Only what is seen at this time or later: milliseconds from the start of the video, or `next` of the previous response.
    #[param(minimum = 0, default = 0)]
    from: Option<u64>,
    /// Only what is seen before this time: milliseconds from the start of the video.
    #[param(minimum = 0)]
    to: Option<u64>,
    /// Only this label. Case-insensitive.
    label: Option<LabelName>,
}

/// When the labels of a video are seen.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VideoTimeline {
    /// The video's duration in milliseconds.
    duration_ms: u64,
    /// The usual time between two labeled frames in milliseconds.
    interval_ms: u64,
    /// One for each label that counts and was found by the model. Those that are seen longest in the whole video come first.
    lanes: Vec<VideoLane>,
    /// The `from` of the next part, if the response contains only a part of the requested time, because there is too much.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next: Option<u64>,
}

/// When a label is seen.
#[derive(Debug, Serialize, ToSchema)]
struct VideoLane {
    /// The label's name.
    name: String,
    /// In the order of time. A segment that begins or ends outside of the requested time is returned as a whole.
    segments: Vec<VideoSegment>,
}

/// A part of a video in which a label is seen.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VideoSegment {
    /// Its start in milliseconds.
    from_ms: u64,
    /// Its end in milliseconds.
    to_ms: u64,
    /// The highest confidence of its frames.
    confidence: Confidence,
    /// Where the model found the label, in the order of time. Only in the requested time.
    boxes: Vec<VideoBox>,
}

/// Where the model found a label in a frame.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct VideoBox {
    /// When the frame is shown, in milliseconds.
    at_ms: u64,
    #[serde(flatten)]
    position: BoundingBox,
    /// How confident the model is.
    confidence: Confidence,
}

impl From<Lane> for VideoLane {
    fn from(lane: Lane) -> Self {
        Self {
            name: lane.name,
            segments: lane.segments.into_iter().map(VideoSegment::from).collect(),
        }
    }
}

impl From<Segment> for VideoSegment {
    fn from(segment: Segment) -> Self {
        let boxes = segment.boxes.into_iter().map(|(at_ms, found)| VideoBox {
            at_ms,
            position: found.position,
            confidence: found.confidence,
        });
        Self {
            from_ms: segment.from_ms,
            to_ms: segment.to_ms,
            confidence: segment.confidence,
            boxes: boxes.collect(),
        }
    }
}

/// Returns the timeline of a labeled video, with the labels that count now.
#[utoipa::path(
    get,
    path = "/images/{imageId}/timeline",
    tag = "images",
    operation_id = "getVideoTimeline",
    summary = "Get the timeline of a video",
    description = "Only labels that count, by your settings and corrections. Labels that you've added and the model hasn't \
        found have no times. Repeat the request with `from` set to `next` until there is no `next`.",
    params(("imageId" = ImageId, Path, description = "As returned by `POST /uploads`"), TimelineQuery),
    responses((status = 200, description = "The timeline", body = VideoTimeline), BadRequest, NoTimeline),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    Path(id): Path<String>,
    parameters: RawParameters,
) -> Result<Json<impl Serialize>, Problem> {
    let parameters = parameters.known(&[FROM.0, TO.0, LABEL.0])?;
    let from = parameters
        .one(FROM, |text| text.parse().ok())?
        .unwrap_or_default();
    let to = parameters.one(TO, |text| text.parse().ok())?.unwrap_or(u64::MAX);
    if from >= to {
        return Err(Problem::invalid_field(TO.0, "later than from"));
    }
    let label = parameters.one(LABEL, |text| is_label_name(text).then(|| text.to_lowercase()))?;
    let id = image_id(&id)?;
    let record = read(&app, &owner, id).await?;
    let counted = record.labels.filter(|_| record.status == Status::Labeled);
    let key = record.video.and_then(|video| video.timeline);
    let Some((counted, key)) = counted.zip(key) else {
        return Err(Problem::no_timeline());
    };
    let stored = match objects::read(&app.s3, &app.bucket, &key, None).await {
        // It was deleted after the record was read: the video is deleted, or was labeled again.
        Ok(stored) => stored.map_err(|_| Problem::no_timeline())?,
        // The API may not list the bucket, so S3 answers 403 instead of 404 for an object that does not exist.
        Err(error) => {
            let now = read(&app, &owner, id).await?;
            let is_current = now.video.and_then(|video| video.timeline).as_ref() == Some(&key);
            return Err(if is_current {
                error.into()
            } else {
                Problem::no_timeline()
            });
        }
    };
    let timeline: Timeline = serde_json::from_slice(&stored).map_err(|error| {
        lambda_http::tracing::error!(%error, "a timeline cannot be read");
        Problem::internal()
    })?;
    let (duration_ms, interval_ms) = (timeline.duration_ms, timeline.interval_ms);
    let mut lanes = timeline.counted(&counted);
    if let Some(label) = label {
        lanes.retain(|lane| lane.name.to_lowercase() == label);
    }
    let (lanes, next) = window(lanes, from, to, MAX_ITEMS);
    Ok(Json(VideoTimeline {
        duration_ms,
        interval_ms,
        lanes: lanes.into_iter().map(VideoLane::from).collect(),
        next,
    }))
}
