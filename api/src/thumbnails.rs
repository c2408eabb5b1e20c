//! Presigned GETs for an image's thumbnails, for a page to show.

use crate::Api;
use crate::problem::Problem;
use aws_sdk_s3::presigning::PresigningConfig;
use domain::{Rendition, Status};
use lambda::ServiceError;
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the presigned GETs are valid: longer than for the picture itself, since a page of many is looked at for
/// longer, and they tell less.
const VALID: Duration = Duration::from_secs(60 * 60);

/// A small picture of an image: a JPEG, upright, that tells nothing about where and how it was taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Thumbnail {
    /// A presigned GET, valid for an hour.
    #[schema(format = "uri")]
    url: String,
    /// Pixels.
    width: u32,
    /// Pixels.
    height: u32,
}

/// Presigns a GET for each thumbnail. A picture that was rejected after one that was labeled has none.
pub(crate) async fn thumbnails(
    api: &Api,
    status: Status,
    stored: &[Rendition],
) -> Result<Vec<Thumbnail>, Problem> {
    if !matches!(status, Status::Labeled | Status::Processing | Status::Failed) {
        return Ok(vec![]);
    }
    let mut thumbnails = Vec::with_capacity(stored.len());
    for thumbnail in stored {
        let config = PresigningConfig::expires_in(VALID).map_err(|_| Problem::internal())?;
        let get = api
            .s3
            .get_object()
            .bucket(&api.bucket)
            .key(&thumbnail.key)
            .presigned(config)
            .await
            .map_err(|error| ServiceError::of("s3:GetObject (presigning)", &error))?;
        thumbnails.push(Thumbnail {
            url: get.uri().to_owned(),
            width: thumbnail.width,
            height: thumbnail.height,
        });
    }
    Ok(thumbnails)
}
