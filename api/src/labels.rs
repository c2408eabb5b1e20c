//! `GET /labels`: which labels the owner's images have, and how many images each.

use crate::Api;
use crate::openapi::BadRequest;
use crate::owner::Caller;
use crate::problem::Problem;
use crate::query::RawParameters;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Json;
use axum::extract::State;
use domain::policy::{LabelName, is_label_name};
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use lambda::ServiceError;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const PREFIX: (&str, &str) = (
    "prefix",
    "the start of a label's name, of 1 to 100 characters without control characters",
);

/// The most counts that are read: more than Rekognition has labels.
const MOST_READ: i32 = 4000;
/// The most labels in an answer.
const MOST_TOLD: usize = 1000;

/// For the description only.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code)]
pub(crate) struct LabelQuery {
    /// Only labels whose names begin so, however they are capitalized.
    prefix: Option<LabelName>,
}

/// The labels of the owner's images.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LabelList {
    /// Most frequent first, at most 1,000.
    labels: Vec<LabelCount>,
}

/// A label, and how many images have it.
#[derive(Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub(crate) struct LabelCount {
    /// Rekognition's name, such as `Coffee Cup`.
    name: String,
    /// Images of the owner.
    #[schema(minimum = 1)]
    count: i64,
}

/// Answers 200 with the labels.
#[utoipa::path(
    get,
    path = "/labels",
    tag = "images",
    operation_id = "listLabels",
    summary = "The labels of your images, most frequent first",
    params(LabelQuery),
    responses((status = 200, description = "The labels", body = LabelList), BadRequest),
)]
pub(crate) async fn list(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    parameters: RawParameters,
) -> Result<Json<LabelList>, Problem> {
    let prefix = parameters
        .known(&[PREFIX.0])?
        .one(PREFIX, |text| is_label_name(text).then(|| text.to_owned()))?;
    let answer = api
        .dynamodb
        .query()
        .table_name(&api.table)
        .key_condition_expression("#pk = :partition AND begins_with(#sk, :prefix)")
        .expression_attribute_names("#pk", PARTITION_KEY)
        .expression_attribute_names("#sk", SORT_KEY)
        .expression_attribute_values(":partition", AttributeValue::S(table::owner_partition(&owner)))
        // The key of a name's start is the start of the name's key.
        .expression_attribute_values(
            ":prefix",
            AttributeValue::S(table::label_count_sort(&prefix.unwrap_or_default())),
        )
        .consistent_read(true)
        .limit(MOST_READ)
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
    let counts = serde_dynamo::from_items(answer.items.unwrap_or_default()).map_err(|error| {
        lambda_http::tracing::error!(%error, "a label's count cannot be read");
        Problem::internal()
    })?;
    Ok(Json(LabelList { labels: sort(counts) }))
}

/// Labels that some image has, most frequent first, equals by name.
fn sort(mut labels: Vec<LabelCount>) -> Vec<LabelCount> {
    labels.retain(|label| label.count > 0);
    labels.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
    labels.truncate(MOST_TOLD);
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_no_image_has_any_more_are_left_out_and_the_most_frequent_come_first() {
        let label = |name: &str, count| LabelCount {
            name: name.to_owned(),
            count,
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
