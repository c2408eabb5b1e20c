//! A video with its poster and its preview, in responses.

use crate::app::App;
use crate::http::problem::Problem;
use domain::{Status, Video, VideoFacts};
use objects::PresignedUrl;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the presigned GETs are valid: as long as those of thumbnails.
const VALID_FOR: Duration = Duration::from_secs(60 * 60);

/// What is known of a video.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Video)]
pub(crate) struct VideoView {
    #[serde(flatten)]
    facts: VideoFacts,
    /// A presigned GET of an upright frame as a JPEG, valid for one hour. Absent until it exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = "uri")]
    poster_url: Option<PresignedUrl>,
    /// A presigned GET of a JPEG with small frames side by side, each with the same width, valid for one hour. Absent until it
    /// exists, and for very short videos.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = "uri")]
    preview_url: Option<PresignedUrl>,
    /// The number of frames in the preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    preview_frames: Option<u32>,
    /// The average time between two frames of the preview in milliseconds. The first one is at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    preview_interval_ms: Option<u64>,
}

/// Presigns poster and preview. `None` for pictures. The file of a rejected video may differ from the one of the poster.
pub(crate) async fn video_view(
    app: &App,
    status: Status,
    video: Option<&Video>,
) -> Result<Option<VideoView>, Problem> {
    let Some(video) = video else {
        return Ok(None);
    };
    let is_shown = matches!(status, Status::Labeled | Status::Processing | Status::Failed);
    let presign = async |key: Option<&String>| -> Result<Option<PresignedUrl>, Problem> {
        match key.filter(|_| is_shown) {
            Some(key) => {
                let url = objects::presign_get(&app.s3, &app.bucket, key, None, VALID_FOR).await?;
                Ok(Some(url))
            }
            None => Ok(None),
        }
    };
    let preview = video.preview.as_ref().filter(|_| is_shown);
    Ok(Some(VideoView {
        facts: video.facts.clone(),
        poster_url: presign(video.poster.as_ref().map(|poster| &poster.key)).await?,
        preview_url: presign(preview.map(|preview| &preview.key)).await?,
        preview_frames: preview.map(|preview| preview.frames),
        preview_interval_ms: preview.map(|preview| preview.interval_ms),
    }))
}
