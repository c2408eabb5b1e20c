//! `/settings`: decides which labels of the owner's next images count.

use crate::app::App;
use crate::http::body::{Fields, JsonBody, whole_number};
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::NoParameters;
use crate::http::responses::{BadRequest, BodyTooLarge, InvalidBodyType};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::Confidence;
use domain::policy::{FilterPolicy, MAX_LABELS, PolicyError, Settings};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

const MIN_CONFIDENCE: (&str, &str) = ("minConfidence", "a number from 0 to 100");
const MAX_LABELS_RULE: (&str, &str) = ("maxLabels", "a whole number from 1 to 100");
const NAMES: &str = "a list of up to 100 label names of 1 to 100 characters without control characters";
const INCLUDE: (&str, &str) = ("include", NAMES);
const EXCLUDE: (&str, &str) = ("exclude", NAMES);

/// A complete policy. Any JSON is accepted here, so that one error can name all missing and invalid fields.
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

/// Returns the owner's policy, or the default.
#[utoipa::path(
    get,
    path = "/settings",
    tag = "settings",
    operation_id = "getSettings",
    summary = "Get your label settings",
    responses((status = 200, description = "Your settings, or the default", body = FilterPolicy), BadRequest),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
) -> Result<Json<FilterPolicy>, Problem> {
    Ok(Json(app.records.policy(&owner, &app.default_policy).await?))
}

/// Stores the policy and returns it.
#[utoipa::path(
    put,
    path = "/settings",
    tag = "settings",
    operation_id = "putSettings",
    summary = "Change your label settings",
    description = "Applies to new images. Labeled images keep their labels until you relabel them.",
    request_body = FilterPolicy,
    responses(
        (status = 200, description = "The stored settings", body = FilterPolicy),
        BadRequest,
        BodyTooLarge,
        InvalidBodyType,
    ),
)]
pub(crate) async fn store(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    JsonBody(body): JsonBody<NewPolicy>,
) -> Result<Json<FilterPolicy>, Problem> {
    let settings = Settings { policy: check(body)? };
    app.records.store_settings(&owner, &settings).await?;
    Ok(Json(settings.policy))
}

/// Deletes the owner's policy.
#[utoipa::path(
    delete,
    path = "/settings",
    tag = "settings",
    operation_id = "deleteSettings",
    summary = "Reset your label settings",
    responses((status = 204, description = "The default applies"), BadRequest),
)]
pub(crate) async fn reset(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
) -> Result<StatusCode, Problem> {
    app.records.delete_settings(&owner).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The error names all invalid fields.
fn check(body: NewPolicy) -> Result<FilterPolicy, Problem> {
    let min_confidence: Option<f64> = read(body.min_confidence);
    let max_labels = body
        .max_labels
        .and_then(|value| whole_number(value).ok().flatten());
    let max_labels = max_labels.and_then(|count| u32::try_from(count).ok());
    let (include, exclude) = (read(body.include), read(body.exclude));
    let mut invalid: Vec<_> = [
        (MIN_CONFIDENCE, min_confidence.is_none()),
        (MAX_LABELS_RULE, max_labels.is_none()),
        (INCLUDE, include.is_none()),
        (EXCLUDE, exclude.is_none()),
    ]
    .into_iter()
    .filter_map(|(rule, is_invalid)| is_invalid.then_some(rule))
    .collect();
    // A field that cannot be read gets a valid value here, so that the other fields can be checked.
    let policy = FilterPolicy {
        min_confidence: min_confidence.unwrap_or_default(),
        max_labels: max_labels.unwrap_or(MAX_LABELS),
        include: include.unwrap_or_default(),
        exclude: exclude.unwrap_or_default(),
    };
    invalid.extend(policy.errors().map(|error| match error {
        PolicyError::MinConfidence => MIN_CONFIDENCE,
        PolicyError::MaxLabels => MAX_LABELS_RULE,
        PolicyError::TooManyNames(field) | PolicyError::Name(field) => (field, NAMES),
    }));
    if !invalid.is_empty() {
        return Err(Problem::invalid_fields(&invalid));
    }
    Ok(FilterPolicy {
        // Rounded to hundredths like confidences: DynamoDB cannot store a number with 300 decimals.
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

    fn problem(body: Value) -> Value {
        serde_json::to_value(check(serde_json::from_value(body).unwrap()).unwrap_err()).unwrap()
    }

    #[test]
    fn one_error_names_all_invalid_fields() {
        let problem =
            problem(json!({"minConfidence": 101, "maxLabels": 1.5, "include": ["Cat", ""], "exclude": []}));
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
    fn the_largest_policy_fits_into_a_body_with_every_character_escaped() {
        // A character outside the Basic Multilingual Plane takes two escapes of six bytes.
        let name = "\\ud83d\\udc08".repeat(domain::policy::MAX_NAME_LENGTH);
        let names = format!(
            "[{}]",
            vec![format!("\"{name}\""); domain::policy::MAX_NAMES].join(", ")
        );
        let body = format!(
            "{{\"minConfidence\": 100.0, \"maxLabels\": 100, \"include\": {names}, \"exclude\": {names}}}"
        );
        assert!(body.len() <= crate::http::body::MAX_BODY_BYTES, "{}", body.len());
        assert!(check(serde_json::from_str(&body).unwrap()).is_ok());
    }

    #[test]
    fn a_confidence_is_rounded_to_hundredths() {
        let body = json!({"minConfidence": 2.2e-308, "maxLabels": 5.0, "include": [], "exclude": []});
        let policy = check(serde_json::from_value(body).unwrap()).unwrap();
        assert_eq!((policy.min_confidence, policy.max_labels), (0.0, 5));
    }

    #[test]
    fn a_policy_with_a_missing_field_is_rejected() {
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
            let problem = problem(body);
            assert_eq!(problem["field"], field);
            assert_eq!(problem.get("errors"), None);
        }
    }
}
