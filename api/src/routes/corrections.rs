//! `PATCH /images/{id}/labels` and `POST /images/labels`: corrects the labels of one image or of several.

use crate::app::App;
use crate::http::body::{Fields, JsonBody};
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::NoParameters;
use crate::http::responses::{BadRequest, BodyTooLarge, CannotCorrect, InvalidBodyType, NoSuchImage};
use crate::routes::label::LabelSummary;
use crate::routes::record::{IDS, image_id, image_ids, name_execution};
use axum::Json;
use axum::extract::{Path, State};
use domain::contract::LABELS_CORRECTED;
use domain::corrections::{CorrectionError, MAX_ADDED, MAX_REMOVED};
use domain::policy::LabelName;
use domain::record::RecordedLabel;
use domain::{CorrectedLabels, CorrectionChange, Corrections, ImageId, ImageRecord, Status};
use records::{CorrectError, Corrected, Edit};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

pub(crate) const ADD: (&str, &str) = (
    "add",
    "a list of up to 50 label names of 1 to 100 characters without control characters and without spaces at the ends",
);
pub(crate) const REMOVE: (&str, &str) = (
    "remove",
    "a list of up to 100 label names as in `add`, none of which is in another list",
);
pub(crate) const RESET: (&str, &str) = (
    "reset",
    "a list of up to 150 label names as in `add`, none of which is in another list",
);

/// Any JSON is accepted here, so that one error can name all invalid fields.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCorrections {
    pub(crate) add: Option<Value>,
    pub(crate) remove: Option<Value>,
    pub(crate) reset: Option<Value>,
}

impl Fields for NewCorrections {
    const RULES: &'static [(&'static str, &'static str)] = &[ADD, REMOVE, RESET];
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewCorrectionsOfImages {
    ids: Option<Value>,
    add: Option<Value>,
    remove: Option<Value>,
    reset: Option<Value>,
}

impl Fields for NewCorrectionsOfImages {
    const RULES: &'static [(&'static str, &'static str)] = &[IDS, ADD, REMOVE, RESET];
}

/// The labels to correct. At least one list must name a label, and no label may be in two lists.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct RequestedCorrections {
    /// Labels to add. They count whatever the model finds and your settings say.
    #[schema(max_items = 50)]
    add: Option<Vec<LabelName>>,
    /// Labels to remove. They never count, even if the model finds them again.
    #[schema(max_items = 100)]
    remove: Option<Vec<LabelName>>,
    /// Labels for which the model and your settings decide again.
    #[schema(max_items = 150)]
    reset: Option<Vec<LabelName>>,
}

/// The images and the labels to correct.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct RequestedCorrectionsOfImages {
    /// The images. Repeated IDs count once.
    #[schema(min_items = 1, max_items = 100)]
    ids: Vec<ImageId>,
    #[schema(inline)]
    #[serde(flatten)]
    labels: RequestedCorrections,
}

/// An image with corrected labels.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CorrectedImage {
    image_id: ImageId,
    /// While it is `PROCESSING`, `labels` are the previous ones. Its next result has the corrections.
    status: Status,
    /// Most specific first, then by confidence.
    labels: Vec<LabelSummary>,
    corrections: Corrections,
}

/// The outcome for each image.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CorrectedImages {
    /// In the order of `ids`, without repeated ones.
    results: Vec<CorrectionResult>,
}

/// The outcome for an image.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct CorrectionResult {
    image_id: ImageId,
    outcome: CorrectionOutcome,
}

/// `NOT_LABELED`: the image has no labels, because it was rejected, has failed or was not uploaded.
/// `TOO_MANY_CORRECTIONS`: it would have more than 50 added or 100 removed labels.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum CorrectionOutcome {
    Corrected,
    Unchanged,
    NoSuchImage,
    NotLabeled,
    TooManyCorrections,
}

/// Corrects the labels of an image.
#[utoipa::path(
    patch,
    path = "/images/{imageId}/labels",
    tag = "images",
    operation_id = "correctLabels",
    summary = "Correct the labels of an image",
    description = "Corrections are kept when the image is labeled again or your settings change. The same request can be \
        repeated.",
    params(("imageId" = ImageId, Path, description = "As returned by `POST /uploads`")),
    request_body = inline(RequestedCorrections),
    responses(
        (status = 200, description = "The image", body = CorrectedImage),
        BadRequest, NoSuchImage, CannotCorrect, BodyTooLarge, InvalidBodyType,
    ),
)]
pub(crate) async fn correct(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NewCorrections>,
) -> Result<Json<CorrectedImage>, Problem> {
    let id = image_id(&id)?;
    let change = check(body, vec![])?;
    let corrected = app
        .records
        .correct(&owner, id, Edit::Owner(&change), &app.default_policy)
        .await;
    let Corrected { record, .. } = corrected.map_err(problem)?;
    name_execution(&record);
    // Also sent if nothing has changed: the first attempt may have failed after the change.
    app.bus
        .send(LABELS_CORRECTED, &CorrectedLabels::from(&record))
        .await?;
    Ok(Json(CorrectedImage {
        image_id: record.image_id,
        status: record.status,
        corrections: record.corrections(),
        labels: labels(&record).map(LabelSummary::from).collect(),
    }))
}

/// Corrects the labels of several images.
#[utoipa::path(
    post,
    path = "/images/labels",
    tag = "images",
    operation_id = "correctLabelsOfImages",
    summary = "Correct the labels of several images",
    description = "Corrects up to 100 images in the same way, as `PATCH /images/{imageId}/labels` does. You can repeat \
        the request.",
    request_body = inline(RequestedCorrectionsOfImages),
    responses(
        (status = 200, description = "The outcome for each image", body = CorrectedImages),
        BadRequest, BodyTooLarge, InvalidBodyType,
    ),
)]
pub(crate) async fn correct_many(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    JsonBody(body): JsonBody<NewCorrectionsOfImages>,
) -> Result<Json<CorrectedImages>, Problem> {
    let ids = body.ids.and_then(image_ids);
    let invalid = if ids.is_none() { vec![IDS] } else { vec![] };
    let lists = NewCorrections {
        add: body.add,
        remove: body.remove,
        reset: body.reset,
    };
    let change = check(lists, invalid)?;
    let ids = ids.unwrap_or_default();
    let corrected = app
        .records
        .correct_images(&owner, &ids, Edit::Owner(&change), &app.default_policy)
        .await?;
    let events: Vec<_> = corrected
        .iter()
        .filter_map(|corrected| Some(CorrectedLabels::from(&corrected.as_ref().ok()?.record)))
        .collect();
    app.bus.send_all(LABELS_CORRECTED, &events).await?;
    let results = ids.into_iter().zip(corrected).map(|(image_id, corrected)| {
        let outcome = match corrected {
            Ok(Corrected { changed: true, .. }) => CorrectionOutcome::Corrected,
            Ok(Corrected { changed: false, .. }) => CorrectionOutcome::Unchanged,
            Err(CorrectError::NotFound) => CorrectionOutcome::NoSuchImage,
            Err(CorrectError::NotLabeled) => CorrectionOutcome::NotLabeled,
            Err(CorrectError::Invalid(_)) => CorrectionOutcome::TooManyCorrections,
            Err(CorrectError::Records(error)) => return Err(error.into()),
        };
        Ok(CorrectionResult { image_id, outcome })
    });
    Ok(Json(CorrectedImages {
        results: results.collect::<Result<_, Problem>>()?,
    }))
}

/// The error names all invalid fields, in addition to `invalid`.
pub(crate) fn check(
    body: NewCorrections,
    mut invalid: Vec<(&'static str, &'static str)>,
) -> Result<CorrectionChange, Problem> {
    let names = |value: Option<Value>| -> Option<Vec<String>> {
        value.map_or_else(|| Some(vec![]), |value| serde_json::from_value(value).ok())
    };
    let (add, remove, reset) = (names(body.add), names(body.remove), names(body.reset));
    for (rule, is_invalid) in [
        (ADD, add.is_none()),
        (REMOVE, remove.is_none()),
        (RESET, reset.is_none()),
    ] {
        if is_invalid {
            invalid.push(rule);
        }
    }
    if !invalid.is_empty() {
        return Err(Problem::invalid_fields(&invalid));
    }
    let change = CorrectionChange {
        add: add.unwrap_or_default(),
        remove: remove.unwrap_or_default(),
        reset: reset.unwrap_or_default(),
    };
    change.check().map_err(|error| {
        let rule = match error {
            CorrectionError::Empty => {
                return Problem::invalid_field("add", "a list with a label, unless remove or reset has one");
            }
            CorrectionError::Name(field) | CorrectionError::Contradiction(field) => {
                let rules = [ADD, REMOVE, RESET];
                rules.into_iter().find(|(name, _)| *name == field).unwrap_or(ADD)
            }
            CorrectionError::TooManyAdded => ADD,
            CorrectionError::TooManyRemoved => REMOVE,
        };
        Problem::invalid_fields(&[rule])
    })
}

fn problem(error: CorrectError) -> Problem {
    match error {
        CorrectError::NotFound => Problem::no_such_image(),
        CorrectError::NotLabeled => Problem::not_labeled(),
        CorrectError::Invalid(CorrectionError::TooManyRemoved) => {
            Problem::too_many_corrections("remove", MAX_REMOVED)
        }
        CorrectError::Invalid(_) => Problem::too_many_corrections("add", MAX_ADDED),
        CorrectError::Records(error) => error.into(),
    }
}

fn labels(record: &ImageRecord) -> impl Iterator<Item = RecordedLabel> {
    record.labels.clone().unwrap_or_default().into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn problem(body: Value) -> Value {
        let problem = check(serde_json::from_value(body).unwrap(), vec![]).unwrap_err();
        serde_json::to_value(problem).unwrap()
    }

    #[test]
    fn invalid_corrections_name_the_field() {
        let long = "x".repeat(300);
        for (body, field) in [
            (json!({}), "add"),
            (json!({"add": [], "remove": []}), "add"),
            (json!({"add": [""]}), "add"),
            (json!({"remove": [long]}), "remove"),
            (json!({"add": "Cat"}), "add"),
            (json!({"reset": ["a\u{0}b"]}), "reset"),
            (json!({"add": ["Cat"], "remove": ["CAT"]}), "remove"),
            (json!({"add": vec!["Cat"; 51]}), "add"),
        ] {
            assert_eq!(problem(body.clone())["field"], field, "{body}");
        }
        let both = problem(json!({"add": 1, "remove": [2]}));
        assert_eq!(both["errors"].as_array().unwrap().len(), 2);
    }
}
