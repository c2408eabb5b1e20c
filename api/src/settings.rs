//! `/settings`: which labels of the owner's next images count.

use crate::Api;
use crate::body::{Fields, JsonBody, whole_number};
use crate::openapi::{BadRequest, BodyTooLarge, InvalidBodyType};
use crate::owner::Caller;
use crate::problem::Problem;
use crate::query::NoParameters;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::Confidence;
use domain::policy::{FilterPolicy, MAX_LABELS, PolicyError, Settings};
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use lambda::ServiceError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

const MIN_CONFIDENCE: (&str, &str) = ("minConfidence", "a number from 0 to 100");
const MAX_LABELS_RULE: (&str, &str) = ("maxLabels", "a whole number from 1 to 100");
const NAMES: &str = "a list of at most 100 label names of 1 to 100 characters without control characters";
const INCLUDE: (&str, &str) = ("include", NAMES);
const EXCLUDE: (&str, &str) = ("exclude", NAMES);

/// A whole policy; what is absent or of another type is told under its own name, all of it at once.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewPolicy {
    min_confidence: Option<Value>,
    max_labels: Option<Value>,
    include: Option<Value>,
    exclude: Option<Value>,
}

impl Fields for NewPolicy {
    const RULES: &'static [(&'static str, &'static str)] =
        &[MIN_CONFIDENCE, MAX_LABELS_RULE, INCLUDE, EXCLUDE];
}

/// Answers 200 with the policy that the owner has stored, or else with the default.
#[utoipa::path(
    get,
    path = "/settings",
    tag = "settings",
    operation_id = "getSettings",
    summary = "Which labels of your images count",
    responses((status = 200, description = "Your own policy, or else the default", body = FilterPolicy), BadRequest),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    _: NoParameters,
) -> Result<Json<FilterPolicy>, Problem> {
    let answer = api
        .dynamodb
        .get_item()
        .table_name(&api.table)
        .key(PARTITION_KEY, AttributeValue::S(table::owner_partition(&owner)))
        .key(SORT_KEY, AttributeValue::S(table::SETTINGS.to_owned()))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:GetItem", &error))?;
    let Some(item) = answer.item else {
        return Ok(Json(api.default_policy.clone()));
    };
    let settings: Settings = serde_dynamo::from_item(item).map_err(|error| {
        lambda_http::tracing::error!(%error, "settings cannot be read");
        Problem::internal()
    })?;
    Ok(Json(settings.policy))
}

/// Answers 200 with the policy as stored.
#[utoipa::path(
    put,
    path = "/settings",
    tag = "settings",
    operation_id = "putSettings",
    summary = "Decide which labels of your next images count",
    description = "Images that are labeled already keep their labels until they are labeled again.",
    request_body = FilterPolicy,
    responses(
        (status = 200, description = "The policy as stored", body = FilterPolicy),
        BadRequest,
        BodyTooLarge,
        InvalidBodyType,
    ),
)]
pub(crate) async fn store(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    _: NoParameters,
    JsonBody(body): JsonBody<NewPolicy>,
) -> Result<Json<FilterPolicy>, Problem> {
    let settings = Settings { policy: check(body)? };
    let item: std::collections::HashMap<_, _> =
        serde_dynamo::to_item(&settings).map_err(|_| Problem::internal())?;
    api.dynamodb
        .put_item()
        .table_name(&api.table)
        .set_item(Some(item))
        .item(PARTITION_KEY, AttributeValue::S(table::owner_partition(&owner)))
        .item(SORT_KEY, AttributeValue::S(table::SETTINGS.to_owned()))
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:PutItem", &error))?;
    Ok(Json(settings.policy))
}

/// Answers 204: the defaults count again.
#[utoipa::path(
    delete,
    path = "/settings",
    tag = "settings",
    operation_id = "deleteSettings",
    summary = "Go back to the default",
    responses((status = 204, description = "The default counts"), BadRequest),
)]
pub(crate) async fn forget(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    _: NoParameters,
) -> Result<StatusCode, Problem> {
    api.dynamodb
        .delete_item()
        .table_name(&api.table)
        .key(PARTITION_KEY, AttributeValue::S(table::owner_partition(&owner)))
        .key(SORT_KEY, AttributeValue::S(table::SETTINGS.to_owned()))
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:DeleteItem", &error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every field that is wrong is named.
fn check(body: NewPolicy) -> Result<FilterPolicy, Problem> {
    let min_confidence: Option<f64> = read(body.min_confidence);
    let max_labels = body
        .max_labels
        .and_then(|value| whole_number(value).ok().flatten());
    let max_labels = max_labels.and_then(|count| u32::try_from(count).ok());
    let (include, exclude) = (read(body.include), read(body.exclude));
    let mut wrong: Vec<_> = [
        (MIN_CONFIDENCE, min_confidence.is_none()),
        (MAX_LABELS_RULE, max_labels.is_none()),
        (INCLUDE, include.is_none()),
        (EXCLUDE, exclude.is_none()),
    ]
    .into_iter()
    .filter_map(|(rule, is_wrong)| is_wrong.then_some(rule))
    .collect();
    // What cannot be read is within its range for the check of all others.
    let policy = FilterPolicy {
        min_confidence: min_confidence.unwrap_or_default(),
        max_labels: max_labels.unwrap_or(MAX_LABELS),
        include: include.unwrap_or_default(),
        exclude: exclude.unwrap_or_default(),
    };
    wrong.extend(policy.errors().map(|error| match error {
        PolicyError::MinConfidence => MIN_CONFIDENCE,
        PolicyError::MaxLabels => MAX_LABELS_RULE,
        PolicyError::TooManyNames(field) | PolicyError::Name(field) => (field, NAMES),
    }));
    if !wrong.is_empty() {
        return Err(Problem::invalid_fields(&wrong));
    }
    Ok(FilterPolicy {
        // In steps of a hundredth, as confidences are: DynamoDB knows no numbers of 300 decimals.
        min_confidence: Confidence::new(policy.min_confidence).percent(),
        ..policy
    })
}

fn read<T: DeserializeOwned>(value: Option<Value>) -> Option<T> {
    serde_json::from_value(value?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(body: Value) -> Value {
        serde_json::to_value(check(serde_json::from_value(body).unwrap()).unwrap_err()).unwrap()
    }

    #[test]
    fn every_field_that_is_wrong_is_named_at_once() {
        let problem =
            refused(json!({"minConfidence": 101, "maxLabels": 1.5, "include": ["Cat", ""], "exclude": []}));
        assert_eq!(problem["field"], "maxLabels");
        let fields: Vec<_> = problem["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| &error["field"])
            .collect();
        assert_eq!(fields, ["maxLabels", "minConfidence", "include"]);
    }

    #[test]
    fn a_confidence_finer_than_a_hundredth_is_rounded() {
        let body = json!({"minConfidence": 2.2e-308, "maxLabels": 5.0, "include": [], "exclude": []});
        let policy = check(serde_json::from_value(body).unwrap()).unwrap();
        assert_eq!((policy.min_confidence, policy.max_labels), (0.0, 5));
    }

    #[test]
    fn a_policy_that_lacks_a_field_is_not_completed_from_elsewhere() {
        for (body, field) in [
            (
                json!({"maxLabels": 5, "include": [], "exclude": []}),
                "minConfidence",
            ),
            (
                json!({"minConfidence": 5, "include": [], "exclude": []}),
                "maxLabels",
            ),
            (
                json!({"minConfidence": 5, "maxLabels": 5, "exclude": []}),
                "include",
            ),
            (
                json!({"minConfidence": 5, "maxLabels": 5, "include": [], "exclude": null}),
                "exclude",
            ),
        ] {
            let problem = refused(body);
            assert_eq!(problem["field"], field);
            assert_eq!(problem.get("errors"), None);
        }
    }
}
