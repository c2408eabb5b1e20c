//! Presigned GETs for an image's thumbnails.

use crate::app::App;
use crate::http::problem::Problem;
use domain::{Rendition, Status};
use objects::PresignedUrl;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the presigned GETs are valid. A page shows many thumbnails for longer than one picture, and they reveal less.
const VALID_FOR: Duration = Duration::from_secs(60 * 60);

/// A small upright JPEG of an image, without metadata.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Thumbnail {
    /// A presigned GET, valid for one hour.
    #[schema(value_type = String, format = "uri")]
    url: PresignedUrl,
    /// Pixels.
    width: u32,
    /// Pixels.
    height: u32,
}

/// Presigns a GET for each thumbnail. A rejected image has none, even if the record still has those of an earlier
/// picture.
pub(crate) async fn thumbnails(
    app: &App,
    status: Status,
    stored: &[Rendition],
) -> Result<Vec<Thumbnail>, Problem> {
    if !matches!(status, Status::Labeled | Status::Processing | Status::Failed) {
        return Ok(vec![]);
    }
    let mut thumbnails = Vec::with_capacity(stored.len());
    for Rendition { key, width, height } in stored {
        thumbnails.push(Thumbnail {
            url: objects::presign_get(&app.s3, &app.bucket, key, None, VALID_FOR).await?,
            width: *width,
            height: *height,
        });
    }
    Ok(thumbnails)
}
