//! `/settings`: decides which labels of the owner's images count, and how they are named.

use crate::app::App;
use crate::http::body::{Fields, JsonBody, whole_number};
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::NoParameters;
use crate::http::responses::{BadRequest, BodyTooLarge, InvalidBodyType, SettingsChanged};
use crate::routes::jobs;
use axum::Json;
use axum::extract::State;
use domain::policy::{FilterPolicy, MAX_LABELS, PolicyError, Rename, Settings, SettingsVersion};
use domain::{Confidence, JobId};
use records::VersionedSettings;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

const MIN_CONFIDENCE: (&str, &str) = ("minConfidence", "a number from 0 to 100");
const MAX_LABELS_RULE: (&str, &str) = ("maxLabels", "a whole number from 1 to 100");
const RENAMES: (&str, &str) = (
    "renames",
    "a list of up to 100 objects with the label names `from` and `to`: each `from` at most once, and no `to` that is the \
     `from` of another object",
);
const NAMES: &str = "a list of up to 100 label names of 1 to 100 characters without control characters";
const INCLUDE: (&str, &str) = ("include", NAMES);
const EXCLUDE: (&str, &str) = ("exclude", NAMES);
const VERSION: (&str, &str) = ("version", "the version in an answer to GET /settings");

/// An owner's settings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LabelSettings {
    #[serde(flatten)]
    policy: FilterPolicy,
    /// Labels with another name. Labels that get the same name are merged. At most 100.
    #[schema(max_items = 100)]
    renames: Vec<Rename>,
    /// Changes whenever the settings change. Send it with `PUT`, so that you don't overwrite changes that you haven't seen.
    version: SettingsVersion,
}

/// The settings to store.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct RequestedSettings {
    #[schema(inline)]
    #[serde(flatten)]
    policy: FilterPolicy,
    /// Labels with another name. Labels that get the same name are merged.
    #[schema(max_items = 100)]
    renames: Option<Vec<Rename>>,
    /// The version of the settings that these replace. Without it, they replace any settings.
    version: Option<SettingsVersion>,
}

/// The stored settings, and the job that applies them to the owner's images.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AppliedSettings {
    #[serde(flatten)]
    settings: LabelSettings,
    /// Applies the settings to your labeled images. See `GET /jobs/{jobId}`.
    job_id: JobId,
}

impl From<VersionedSettings> for LabelSettings {
    fn from(VersionedSettings { settings, version }: VersionedSettings) -> Self {
        let Settings { policy, renames } = settings;
        Self {
            policy,
            renames,
            version,
        }
    }
}

/// Complete settings. Any JSON is accepted here, so that one error can name all missing and invalid fields.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewSettings {
    min_confidence: Option<Value>,
    max_labels: Option<Value>,
    include: Option<Value>,
    exclude: Option<Value>,
    renames: Option<Value>,
    version: Option<Value>,
}

impl Fields for NewSettings {
    const RULES: &'static [(&'static str, &'static str)] = &[
        MIN_CONFIDENCE,
        MAX_LABELS_RULE,
        INCLUDE,
        EXCLUDE,
        RENAMES,
        VERSION,
    ];
}

/// Returns the owner's settings, or the default.
#[utoipa::path(
    get,
    path = "/settings",
    tag = "settings",
    operation_id = "getSettings",
    summary = "Get your label settings",
    responses((status = 200, description = "Your settings, or the default", body = LabelSettings), BadRequest),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
) -> Result<Json<LabelSettings>, Problem> {
    let settings = app.records.versioned_settings(&owner, &app.default_policy);
    Ok(Json(settings.await?.into()))
}

/// Stores the settings, and starts a job that applies them.
#[utoipa::path(
    put,
    path = "/settings",
    tag = "settings",
    operation_id = "putSettings",
    summary = "Change your label settings",
    description = "Starts a job that applies the settings to your labeled images without the model. Repeat the request \
        if it fails with status 503: the settings may be stored without a job. Send the `version` of the settings that you \
        have changed: if they have changed since then, nothing is stored. A repeated request finds its own settings, and \
        succeeds.",
    request_body = inline(RequestedSettings),
    responses(
        (status = 200, description = "The stored settings and the job", body = AppliedSettings),
        BadRequest,
        SettingsChanged,
        BodyTooLarge,
        InvalidBodyType,
    ),
)]
pub(crate) async fn store(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    JsonBody(body): JsonBody<NewSettings>,
) -> Result<Json<AppliedSettings>, Problem> {
    let (settings, replaces) = check(body)?;
    let stored = app
        .records
        .store_settings(&owner, &settings, replaces.as_ref())
        .await?;
    let settings = match stored {
        Some(version) => VersionedSettings { settings, version },
        None => {
            let current = app
                .records
                .versioned_settings(&owner, &app.default_policy)
                .await?;
            // A request that is repeated finds its own settings.
            if current.settings != settings {
                return Err(Problem::settings_changed());
            }
            current
        }
    };
    let job_id = jobs::start_refilter(&app, &owner).await?;
    Ok(Json(AppliedSettings {
        settings: settings.into(),
        job_id,
    }))
}

/// Deletes the owner's settings, and starts a job that applies the default.
#[utoipa::path(
    delete,
    path = "/settings",
    tag = "settings",
    operation_id = "deleteSettings",
    summary = "Reset your label settings",
    description = "Starts a job that applies the default to your labeled images without the model.",
    responses((status = 200, description = "The default and the job", body = AppliedSettings), BadRequest),
)]
pub(crate) async fn reset(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
) -> Result<Json<AppliedSettings>, Problem> {
    app.records.delete_settings(&owner).await?;
    let job_id = jobs::start_refilter(&app, &owner).await?;
    Ok(Json(AppliedSettings {
        settings: VersionedSettings {
            settings: Settings::new(app.default_policy.clone()),
            version: SettingsVersion::default(),
        }
        .into(),
        job_id,
    }))
}

/// Reads the settings, and the version of those that they replace. The error names all invalid fields.
fn check(body: NewSettings) -> Result<(Settings, Option<SettingsVersion>), Problem> {
    let min_confidence: Option<f64> = read(body.min_confidence);
    let max_labels = body
        .max_labels
        .and_then(|value| whole_number(value).ok().flatten());
    let max_labels = max_labels.and_then(|count| u32::try_from(count).ok());
    let (include, exclude) = (read(body.include), read(body.exclude));
    let renames: Option<Vec<Rename>> = match body.renames {
        None => Some(vec![]),
        renames => read(renames),
    };
    let version: Option<Option<SettingsVersion>> = body
        .version
        .map(|version| SettingsVersion::parse(version.as_str()?));
    let mut invalid: Vec<_> = [
        (MIN_CONFIDENCE, min_confidence.is_none()),
        (MAX_LABELS_RULE, max_labels.is_none()),
        (INCLUDE, include.is_none()),
        (EXCLUDE, exclude.is_none()),
        (RENAMES, renames.is_none()),
        (VERSION, version == Some(None)),
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
    let settings = Settings {
        policy: FilterPolicy {
            // Rounded to hundredths like confidences: DynamoDB cannot store a number with 300 decimals.
            min_confidence: Confidence::new(policy.min_confidence).percent(),
            ..policy
        },
        renames: renames.unwrap_or_default(),
    };
    if settings.check_renames().is_err() {
        invalid.push(RENAMES);
    }
    if !invalid.is_empty() {
        return Err(Problem::invalid_fields(&invalid));
    }
    Ok((settings, version.flatten()))
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
        let renames: Vec<_> = (100..100 + domain::policy::MAX_RENAMES)
            .map(|number| {
                let from = format!(
                    "{}{number}",
                    "\\ud83d\\udc08".repeat(domain::policy::MAX_NAME_LENGTH - 3)
                );
                format!("{{\"from\": \"{from}\", \"to\": \"{name}\"}}")
            })
            .collect();
        let body = format!(
            "{{\"minConfidence\": 100.0, \"maxLabels\": 100, \"include\": {names}, \"exclude\": {names}, \"renames\": [{}]}}",
            renames.join(", ")
        );
        assert!(body.len() <= crate::http::body::MAX_BODY_BYTES, "{}", body.len());
        assert!(check(serde_json::from_str(&body).unwrap()).is_ok());
    }

    #[test]
    fn ambiguous_renames_are_rejected() {
        let rename = |from: &str, to: &str| json!({"from": from, "to": to});
        let body = |renames: Value| json!({"minConfidence": 5, "maxLabels": 5, "include": [], "exclude": [], "renames": renames});
        for renames in [
            json!([rename("Dog", "Cat"), rename("Cat", "Pet")]),
            json!([rename("Dog", "")]),
            json!([{"from": "Dog"}]),
            json!({"Dog": "Cat"}),
            json!(vec![rename("Dog", "Cat"); 101]),
        ] {
            assert_eq!(problem(body(renames))["field"], "renames");
        }
        let (settings, _) =
            check(serde_json::from_value(body(json!([rename("Dog", "Cat")]))).unwrap()).unwrap();
        assert_eq!(settings.renames.len(), 1);
    }

    #[test]
    fn a_version_is_a_short_text_or_absent() {
        let check = |version: Value| {
            let body =
                json!({"minConfidence": 5, "maxLabels": 5, "include": [], "exclude": [], "version": version});
            check(serde_json::from_value(body).unwrap())
        };
        assert_eq!(check(Value::Null).unwrap().1, None);
        assert_eq!(
            check(json!("initial")).unwrap().1,
            Some(SettingsVersion::default())
        );
        for version in [json!(1), json!(""), json!("x".repeat(65)), json!(["initial"])] {
            let problem = serde_json::to_value(check(version).unwrap_err()).unwrap();
            assert_eq!(problem["field"], "version");
        }
    }

    #[test]
    fn a_confidence_is_rounded_to_hundredths() {
        let body = json!({"minConfidence": 2.2e-308, "maxLabels": 5.0, "include": [], "exclude": []});
        let (Settings { policy, .. }, _) = check(serde_json::from_value(body).unwrap()).unwrap();
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
