//! `GET /images/{id}`: an image with its labels.

use crate::app::App;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::NoParameters;
use crate::http::responses::{BadRequest, NoSuchImage};
use crate::routes::label::Label;
use crate::routes::record::{image_id, name_execution};
use crate::routes::thumbnails::{Thumbnail, thumbnails};
use crate::routes::view::{View, view};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use domain::record::{RecordedError, RecordedLabel};
use domain::{Confidence, Corrections, Format, ImageId, ImageRecord, Metadata, Status, counting};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// What a list and a single image have in common.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImageFacts {
    pub(crate) image_id: ImageId,
    pub(crate) status: Status,
    /// The original file name. Null if unknown.
    #[schema(required)]
    file_name: Option<String>,
    /// Bytes. Null until known.
    #[schema(required)]
    size: Option<u64>,
    /// The format of the file's content. Null until known.
    #[schema(required)]
    format: Option<Format>,
    /// Pixels, after the picture's orientation is applied. Null until known.
    #[schema(required)]
    width: Option<u32>,
    /// Pixels, after the picture's orientation is applied. Null until known.
    #[schema(required)]
    height: Option<u32>,
    /// The time by which images are sorted: when the picture was taken, by the camera's clock, or else when it was uploaded,
    /// by your clock. Without a zone. Until the image is labeled for
    /// the first time, the time of the upload.
    #[schema(
        pattern = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}$",
        examples("2015-07-13T18:20:00.000")
    )]
    time: String,
    /// When the upload was created, or the object was first seen.
    #[schema(format = DateTime)]
    pub(crate) created_at: String,
    /// When the image last changed.
    #[schema(format = DateTime)]
    updated_at: String,
    /// The version of the model that found the labels. Null unless `LABELED`.
    #[schema(required)]
    model_version: Option<String>,
    /// Why the image was rejected or failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    error: Option<RecordedError>,
}

/// An image with its labels.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Image {
    #[serde(flatten)]
    facts: ImageFacts,
    /// Most specific first, then by confidence. Empty unless `LABELED`.
    labels: Vec<Label>,
    /// Detected labels that don't count, because of your settings or corrections. Highest confidence first. Empty unless
    /// `LABELED`.
    other_labels: Vec<OtherLabel>,
    /// Your corrections of the labels.
    corrections: Corrections,
    /// Smallest first. Empty until they exist, a moment after the image is `LABELED`.
    thumbnails: Vec<Thumbnail>,
    /// Why the image has no thumbnails. Absent if it has some, until they exist, and unless `LABELED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    thumbnails_error: Option<RecordedError>,
    /// Whether a part of the picture is missing from the file, for example because its end is cut off. The rest is
    /// labeled. False until the thumbnails of the latest result exist.
    incomplete: bool,
    /// How the picture was taken, according to the file.
    metadata: Metadata,
    /// Where to get the file. Absent unless the file is a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    view: Option<View>,
}

/// A detected label that doesn't count.
#[derive(Debug, Serialize, ToSchema)]
struct OtherLabel {
    /// Rekognition's name.
    name: String,
    /// How confident the model is.
    confidence: Confidence,
}

/// The facts of a record, and its labels.
pub(crate) fn facts_and_labels(record: ImageRecord) -> (ImageFacts, Vec<RecordedLabel>) {
    // While an image is relabeled, the record still has the labels that will be replaced.
    let labeled = record.status == Status::Labeled;
    let time = record.time().to_owned();
    let facts = ImageFacts {
        image_id: record.image_id,
        status: record.status,
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
    let corrections = record.corrections();
    let metadata = record.metadata.clone().unwrap_or_default();
    let labeled = record.status == Status::Labeled;
    let thumbnails_error = record.thumbnails_error.clone().filter(|_| labeled);
    let incomplete = record.incomplete && labeled;
    let (facts, counted) = facts_and_labels(record);
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
    let details = counting::details(&counted, &answer);
    let labels = counted.into_iter().zip(details);
    Ok(Json(Image {
        facts,
        labels: labels
            .map(|(recorded, details)| Label::new(recorded, details))
            .collect(),
        other_labels,
        corrections,
        view,
        thumbnails,
        thumbnails_error,
        incomplete,
        metadata,
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
