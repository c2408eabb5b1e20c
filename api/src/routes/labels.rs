//! `GET /labels`: the labels of the owner's images, with counts.

use crate::app::App;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::RawParameters;
use crate::http::responses::BadRequest;
use axum::Json;
use axum::extract::State;
use domain::policy::{LabelName, is_label_name};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const PREFIX: (&str, &str) = (
    "prefix",
    "the beginning of a label name: 1 to 100 characters without control characters",
);

/// Counts that are read: more than Rekognition has labels.
const MAX_READ: i32 = 4000;
/// Labels in a response.
const MAX_LABELS: usize = 1000;

/// Query parameters, for the description only.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct LabelQuery {
    /// Only labels whose names begin with this text. Case-insensitive.
    prefix: Option<LabelName>,
}

/// The labels of your images.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LabelList {
    /// Most frequent first. Up to 1,000.
    labels: Vec<LabelCount>,
}

/// A label and the number of images that have it.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct LabelCount {
    /// Rekognition's name, such as `Coffee Cup`, or a name that you have chosen.
    name: String,
    /// Your images with this label.
    #[schema(minimum = 1)]
    count: i64,
    /// All ancestors, such as `Animal` and `Mammal` for `Cat`. Empty for labels that the model doesn't know.
    #[serde(default)]
    #[schema(required)]
    parents: Vec<String>,
    /// Other names for the same label, such as `Mobile Phone` for `Cell Phone`.
    #[serde(default)]
    #[schema(required)]
    aliases: Vec<String>,
    /// Rekognition's categories, such as `Animals and Pets`.
    #[serde(default)]
    #[schema(required)]
    categories: Vec<String>,
}

/// Lists the labels.
#[utoipa::path(
    get,
    path = "/labels",
    tag = "images",
    operation_id = "listLabels",
    summary = "List the labels of your images",
    params(LabelQuery),
    responses((status = 200, description = "The labels", body = LabelList), BadRequest),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    parameters: RawParameters,
) -> Result<Json<LabelList>, Problem> {
    let prefix = parameters
        .known(&[PREFIX.0])?
        .one(PREFIX, |text| is_label_name(text).then(|| text.to_owned()))?;
    let counts = app
        .records
        .labels(&owner, &prefix.unwrap_or_default(), MAX_READ)
        .await?;
    Ok(Json(LabelList { labels: sort(counts) }))
}

/// Drops labels without images. Most frequent first, then by name.
fn sort(mut labels: Vec<LabelCount>) -> Vec<LabelCount> {
    labels.retain(|label| label.count > 0);
    labels.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    labels.truncate(MAX_LABELS);
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_labels_that_have_images_most_frequent_first() {
        let label = |name: &str, count| LabelCount {
            name: name.to_owned(),
            count,
            parents: vec![],
            aliases: vec![],
            categories: vec![],
        };
        let labels = vec![
            label("Cat", 2),
            label("Dog", 0),
            label("Animal", 2),
            label("Sky", 7),
        ];
        assert_eq!(
            sort(labels),
            [label("Sky", 7), label("Animal", 2), label("Cat", 2)]
        );
    }
}
