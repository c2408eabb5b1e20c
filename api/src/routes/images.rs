//! `GET /images/{id}`: an image with its labels.

use crate::app::App;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::NoParameters;
use crate::http::responses::{BadRequest, NoSuchImage};
use crate::routes::record::{image_id, name_execution};
use crate::routes::thumbnails::{Thumbnail, thumbnails};
use crate::routes::video::{VideoView, video_view};
use crate::routes::view::{View, view};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use domain::{ImageDetails, ImageId, Status};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// An image with its labels.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Image {
    #[serde(flatten)]
    details: ImageDetails,
    /// Smallest first. Empty until they exist, a moment after the image is `LABELED`.
    thumbnails: Vec<Thumbnail>,
    /// What is known of the video. Absent for pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    video: Option<VideoView>,
    /// Where to get the file. Absent unless the file is a picture or a video.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    view: Option<View>,
}

/// Returns the image. Deleted images are not found.
#[utoipa::path(
    get,
    path = "/images/{imageId}",
    tag = "images",
    operation_id = "getImage",
    summary = "Get an image with its labels",
    description = "Repeat the request until `status` is `LABELED`, `REJECTED` or `FAILED`.",
    params(("imageId" = ImageId, Path, description = "As returned by `POST /uploads`")),
    responses((status = 200, description = "The image", body = Image), BadRequest, NoSuchImage),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let found = app.records.image_with_result(&owner, image_id(&id)?).await?;
    let (record, result) = found
        .filter(|(record, _)| record.status != Status::Deleted)
        .ok_or_else(Problem::no_such_image)?;
    name_execution(&record);
    let view = view(&app, &record).await?;
    let thumbnails = thumbnails(&app, record.status, &record.thumbnails).await?;
    let answer = result.map(|result| result.answer).unwrap_or_default();
    let video = video_view(&app, record.status, record.video.as_ref()).await?;
    let mut details = ImageDetails::new(record, &answer);
    // It is returned with its URLs.
    details.facts.video = None;
    Ok(Json(Image {
        details,
        thumbnails,
        video,
        view,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake_app;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use axum::body::to_bytes;
    use serde_json::{Value, json};

    fn item(value: Value) -> GetItemOutput {
        let item = serde_dynamo::to_item(value).unwrap();
        GetItemOutput::builder().set_item(Some(item)).build()
    }

    fn label(name: &str, confidence: f64, parents: &[&str]) -> Value {
        json!({
            "name": name, "confidence": confidence, "instances": [], "parents": parents, "aliases": [],
            "categories": ["Animals and Pets"],
        })
    }

    #[tokio::test]
    async fn labels_that_count_have_their_details_and_the_others_are_listed() {
        let id = "0193a5a0-0000-7000-8000-000000000001";
        let (animal, squirrel) = (label("Animal", 99.0, &[]), label("Squirrel", 70.5, &["Animal"]));
        let labels = [animal.clone(), squirrel.clone()];
        let record = json!({
            "imageId": id, "owner": "demo", "status": "LABELED", "executionArn": "arn",
            "createdAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:05.250Z",
            "key": "uploads/demo/a.jpg", "bucket": "pictures",
            "labels": [{"name": "Squirrel", "confidence": 70.5}, {"name": "Home", "confidence": 100, "added": true}],
            "sequencer": "0a", "corrections": {"sequencer": "0a", "added": ["Home"], "removed": ["Animal"]},
        });
        let result = json!({"executionArn": "arn", "labels": labels});
        let get = mock!(aws_sdk_dynamodb::Client::get_item)
            .sequence()
            .output(move || item(record.clone()))
            .output(move || item(result.clone()))
            .build();
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::Sequential, [&get]);
        let app = fake_app(dynamodb, mock_client!(aws_sdk_sfn, RuleMode::MatchAny, []));
        let owner = Caller(domain::Owner::new("demo").unwrap());
        let Ok(response) = show(State(Arc::new(app)), owner, NoParameters, Path(id.to_owned())).await else {
            panic!("no image")
        };
        let body = to_bytes(response.into_response().into_body(), usize::MAX)
            .await
            .unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let names: Vec<_> = body["labels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|label| &label["name"])
            .collect();
        assert_eq!(names, ["Squirrel", "Home"]);
        assert_eq!(body["labels"][0]["parents"], json!(["Animal"]));
        assert_eq!(body["labels"][1]["added"], true);
        assert_eq!(
            body["otherLabels"],
            json!([{"name": "Animal", "confidence": 99.0}])
        );
        assert_eq!(
            body["corrections"],
            json!({"added": ["Home"], "removed": ["Animal"]})
        );
    }
}
