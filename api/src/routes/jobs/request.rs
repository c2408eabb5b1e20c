//! The body of `POST /jobs` and `POST /jobs/preview`: what a job does, and with which images.

use crate::http::body::Fields;
use crate::http::problem::Problem;
use crate::routes::corrections::{self, ADD, NewCorrections, REMOVE, RESET, RequestedCorrections};
use crate::routes::list::query::search_text;
use crate::routes::record::{IDS, image_ids};
use domain::{Correction, Export, ExportFormat, ImageId, JobId, Search, Selection};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

type Rule = (&'static str, &'static str);

const KIND: Rule = ("kind", "EXPORT, RELABEL, CORRECT, UNDO or DELETE");
const FORMAT: Rule = ("format", "CSV, JSON or XMP");
const SEARCH: Rule = (
    "search",
    "a string with query parameters of GET /images, such as label=cat&taken=2015, except limit, cursor, order, boxes and id",
);
const NOT_BOTH: Rule = ("ids", "absent if search is given");
const NO_SELECTION: Rule = (
    "search",
    "given unless ids is given; an empty string selects all images",
);
const OLDER_MODEL: Rule = ("olderModel", "true or false");
const ONLY_EXPORT: Rule = ("format", "absent, unless kind is EXPORT");
const ONLY_RELABEL: Rule = ("olderModel", "absent, unless kind is RELABEL");
const ONLY_CORRECT: [Rule; 3] = [
    ("add", "absent, unless kind is CORRECT"),
    ("remove", "absent, unless kind is CORRECT"),
    ("reset", "absent, unless kind is CORRECT"),
];

pub(crate) const JOB_ID: Rule = ("jobId", "the ID of a job that has corrected labels");
const ONLY_UNDO: Rule = ("jobId", "absent, unless kind is UNDO");
const NOT_FOR_UNDO: [Rule; 2] = [
    ("search", "absent if kind is UNDO"),
    ("ids", "absent if kind is UNDO"),
];

const CREATED_BEFORE: Rule = ("createdBefore", "a time such as 2026-11-30T12:00:00Z");
const ONLY_DELETE: Rule = ("createdBefore", "absent, unless kind is DELETE");

/// Any JSON is accepted here, so that one error can name all invalid fields.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewJob {
    kind: Option<Value>,
    format: Option<Value>,
    search: Option<Value>,
    ids: Option<Value>,
    older_model: Option<Value>,
    add: Option<Value>,
    remove: Option<Value>,
    reset: Option<Value>,
    job_id: Option<Value>,
    created_before: Option<Value>,
}

impl Fields for NewJob {
    const RULES: &'static [Rule] = &[
        KIND,
        FORMAT,
        SEARCH,
        IDS,
        OLDER_MODEL,
        ADD,
        REMOVE,
        RESET,
        JOB_ID,
        CREATED_BEFORE,
    ];
}

/// The job: one of five kinds.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) enum RequestedJob {
    Export(#[schema(inline)] RequestedExport),
    Relabel(#[schema(inline)] RequestedRelabel),
    Correct(#[schema(inline)] RequestedCorrection),
    Undo(#[schema(inline)] RequestedUndo),
    Delete(#[schema(inline)] RequestedDeletion),
}

/// Writes the labels of images to files. Without `search` and `ids`, of all your images.
#[derive(ToSchema)]
#[schema(title = "Export")]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct RequestedExport {
    #[schema(inline)]
    kind: ExportKind,
    format: ExportFormat,
    /// Only images that match these query parameters of `GET /images`, in the same encoding: all except `limit`, `cursor`,
    /// `order`, `boxes` and `id`. Can't be combined with `ids`.
    #[schema(examples("label=cat&without=person&taken=2015"))]
    search: Option<String>,
    /// Only these images, with any status. IDs that aren't yours are omitted, and repeated IDs count once.
    #[schema(min_items = 1, max_items = 100)]
    ids: Option<Vec<ImageId>>,
}

/// Labels images again, which costs money. Skips images that are being labeled, and those without a file.
#[derive(ToSchema)]
#[schema(title = "Relabel", rename_all = "camelCase")]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct RequestedRelabel {
    #[schema(inline)]
    kind: RelabelKind,
    /// As for exports, but required unless `ids` is given. An empty string selects all your images.
    search: Option<String>,
    /// As for exports.
    #[schema(min_items = 1, max_items = 100)]
    ids: Option<Vec<ImageId>>,
    /// Whether to label only images again whose labels are from an older model. The newest model is that of your 100 latest
    /// uploads.
    older_model: Option<bool>,
}

/// Corrects the labels of images in the same way, as `PATCH /images/{imageId}/labels` does. Skips images without labels.
#[derive(ToSchema)]
#[schema(title = "Correct")]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct RequestedCorrection {
    #[schema(inline)]
    kind: CorrectKind,
    /// As for exports, but required unless `ids` is given. An empty string selects all your images.
    search: Option<String>,
    /// As for exports.
    #[schema(min_items = 1, max_items = 100)]
    ids: Option<Vec<ImageId>>,
    #[schema(inline)]
    #[serde(flatten)]
    labels: RequestedCorrections,
}

/// Undoes a `CORRECT` job that has ended: restores exactly the images that it has changed. Labels that have been corrected again
/// since then keep their corrections. Possible as long as the job is kept.
#[derive(ToSchema)]
#[schema(title = "Undo", rename_all = "camelCase")]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct RequestedUndo {
    #[schema(inline)]
    kind: UndoKind,
    /// The job to undo.
    job_id: JobId,
}

/// Deletes images permanently, as `DELETE /images/{imageId}` does.
#[derive(ToSchema)]
#[schema(title = "Delete", rename_all = "camelCase")]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct RequestedDeletion {
    #[schema(inline)]
    kind: DeleteKind,
    /// As for exports, but required unless `ids` is given. An empty string selects all your images.
    search: Option<String>,
    /// As for exports.
    #[schema(min_items = 1, max_items = 100)]
    ids: Option<Vec<ImageId>>,
    /// Only images that were added before this time, such as the `examinedAt` of the preview that you have shown to a person.
    /// Default, and the latest possible time: the start of the job.
    #[schema(format = DateTime)]
    created_before: Option<String>,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum ExportKind {
    Export,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum RelabelKind {
    Relabel,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum CorrectKind {
    Correct,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum UndoKind {
    Undo,
}

#[derive(ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum DeleteKind {
    Delete,
}

/// What a valid request asks for.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) enum Work {
    Export(Export),
    Relabel {
        selection: Selection,
        /// Only images whose labels are from an older model.
        older_model: bool,
    },
    Correct(Correction),
    /// Undoes this job.
    Undo(JobId),
    Delete {
        selection: Selection,
        /// Only images that were added before this time.
        created_before: Option<Timestamp>,
    },
}

impl NewJob {
    /// Reads the job. The error names all invalid fields, or the parameter of the search that is invalid.
    pub(crate) fn check(self) -> Result<Work, Problem> {
        let kind = self.kind.as_ref().and_then(Value::as_str).unwrap_or_default();
        let [is_export, is_relabel, is_correct, is_undo, is_delete] =
            ["EXPORT", "RELABEL", "CORRECT", "UNDO", "DELETE"].map(|known| kind == known);
        let is_known = is_export || is_relabel || is_correct || is_undo || is_delete;
        let format = self
            .format
            .as_ref()
            .map(|value| value.as_str().and_then(ExportFormat::parse));
        let older_model = self.older_model.as_ref().map(Value::as_bool);
        let search = self
            .search
            .as_ref()
            .map(|value| value.as_str().map(str::to_owned));
        let ids = self.ids.map(image_ids);
        let job_id = self.job_id.as_ref().map(|id| id.as_str().and_then(JobId::parse));
        let created_before = self.created_before.as_ref();
        let created_before = created_before.map(|time| time.as_str()?.parse::<Timestamp>().ok());
        let has_both = search.is_some() && ids.is_some();
        let has_neither = search.is_none() && ids.is_none();
        let mut invalid: Vec<Rule> = [
            (KIND, !is_known),
            (
                FORMAT,
                if is_export {
                    format.flatten().is_none()
                } else {
                    format == Some(None)
                },
            ),
            (
                ONLY_EXPORT,
                is_known && !is_export && matches!(format, Some(Some(_))),
            ),
            (SEARCH, search == Some(None)),
            // An export reads only. The other kinds must not change all images because a field is missing.
            (
                NO_SELECTION,
                has_neither && (is_relabel || is_correct || is_delete),
            ),
            (IDS, ids == Some(None)),
            (NOT_BOTH, has_both && ids != Some(None)),
            (OLDER_MODEL, older_model == Some(None)),
            (
                ONLY_RELABEL,
                is_known && !is_relabel && matches!(older_model, Some(Some(_))),
            ),
            (
                JOB_ID,
                if is_undo {
                    job_id.flatten().is_none()
                } else {
                    job_id == Some(None)
                },
            ),
            (CREATED_BEFORE, created_before == Some(None)),
            (
                ONLY_DELETE,
                is_known && !is_delete && matches!(created_before, Some(Some(_))),
            ),
            (ONLY_UNDO, is_known && !is_undo && matches!(job_id, Some(Some(_)))),
            (NOT_FOR_UNDO[0], is_undo && search.is_some()),
            (NOT_FOR_UNDO[1], is_undo && ids.is_some() && search.is_none()),
        ]
        .into_iter()
        .filter_map(|(rule, is_invalid)| is_invalid.then_some(rule))
        .collect();
        let lists = NewCorrections {
            add: self.add,
            remove: self.remove,
            reset: self.reset,
        };
        let change = if is_correct {
            Some(corrections::check(lists, invalid.clone())?)
        } else {
            let given = [&lists.add, &lists.remove, &lists.reset].map(Option::is_some);
            let rules = ONLY_CORRECT.into_iter().zip(given);
            invalid.extend(rules.filter_map(|(rule, is_given)| (is_known && is_given).then_some(rule)));
            None
        };
        if !invalid.is_empty() {
            return Err(Problem::invalid_fields(&invalid));
        }
        if let Some(Some(job_id)) = job_id {
            return Ok(Work::Undo(job_id));
        }
        let selection = match (search.flatten(), ids.flatten()) {
            (_, Some(ids)) => Selection::Images(ids),
            (Some(search), None) => {
                Selection::Search(search_text(&search).map_err(|problem| problem.within(SEARCH))?)
            }
            (None, None) => Selection::Search(Search::default()),
        };
        Ok(match (change, format.flatten()) {
            (Some(change), _) => Work::Correct(Correction { selection, change }),
            (None, Some(format)) => Work::Export(Export { format, selection }),
            (None, None) if is_delete => Work::Delete {
                selection,
                created_before: created_before.flatten(),
            },
            (None, None) => Work::Relabel {
                selection,
                older_model: older_model.flatten().unwrap_or_default(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &str = "0193a5a0-0000-7000-8000-000000000001";

    fn check(body: Value) -> Result<Work, Value> {
        let body: NewJob = serde_json::from_value(body).unwrap();
        body.check()
            .map_err(|problem| serde_json::to_value(problem).unwrap())
    }

    #[test]
    fn each_invalid_field_and_each_invalid_parameter_of_the_search_is_named() {
        let long = "x".repeat(300);
        for (body, field) in [
            (json!({"format": "CSV"}), "kind"),
            (json!({"kind": "REFILTER", "format": "CSV"}), "kind"),
            (json!({"kind": "export", "format": "CSV"}), "kind"),
            (json!({"kind": "EXPORT"}), "format"),
            (json!({"kind": "EXPORT", "format": "XLSX"}), "format"),
            (json!({"kind": "EXPORT", "format": "CSV", "search": 5}), "search"),
            (
                json!({"kind": "EXPORT", "format": "CSV", "search": "limit=5"}),
                "search",
            ),
            (
                json!({"kind": "EXPORT", "format": "CSV", "search": "order=added"}),
                "search",
            ),
            (
                json!({"kind": "EXPORT", "format": "CSV", "search": format!("id={ID}")}),
                "search",
            ),
            (
                json!({"kind": "EXPORT", "format": "CSV", "search": "cat"}),
                "search",
            ),
            (
                json!({"kind": "EXPORT", "format": "CSV", "search": "label="}),
                "search.label",
            ),
            (
                json!({"kind": "EXPORT", "format": "CSV", "search": format!("without={long}")}),
                "search.without",
            ),
            (
                json!({"kind": "EXPORT", "format": "CSV", "search": "taken=15"}),
                "search.taken",
            ),
            (
                json!({"kind": "EXPORT", "format": "CSV", "search": "minConfidence=101"}),
                "search.minConfidence",
            ),
            (json!({"kind": "EXPORT", "format": "CSV", "ids": []}), "ids"),
            (
                json!({"kind": "EXPORT", "format": "CSV", "ids": ["../images"]}),
                "ids",
            ),
            (
                json!({"kind": "EXPORT", "format": "CSV", "ids": [ID], "search": "label=cat"}),
                "ids",
            ),
            (
                json!({"kind": "EXPORT", "format": "CSV", "olderModel": true}),
                "olderModel",
            ),
            (json!({"kind": "EXPORT", "format": "CSV", "add": ["Cat"]}), "add"),
            (json!({"kind": "RELABEL"}), "search"),
            (
                json!({"kind": "RELABEL", "search": "", "format": "CSV"}),
                "format",
            ),
            (
                json!({"kind": "RELABEL", "search": "", "olderModel": "yes"}),
                "olderModel",
            ),
            (
                json!({"kind": "RELABEL", "search": "", "reset": ["Cat"]}),
                "reset",
            ),
            (json!({"kind": "RELABEL", "ids": vec![ID; 101]}), "ids"),
            (
                json!({"kind": "RELABEL", "search": "label=", "olderModel": true}),
                "search.label",
            ),
            (json!({"kind": "CORRECT", "add": ["Cat"]}), "search"),
            (json!({"kind": "CORRECT", "search": ""}), "add"),
            (json!({"kind": "CORRECT", "search": "", "add": [""]}), "add"),
            (
                json!({"kind": "CORRECT", "search": "", "add": ["Cat"], "remove": ["cat"]}),
                "remove",
            ),
            (
                json!({"kind": "CORRECT", "search": "", "add": ["Cat"], "olderModel": true}),
                "olderModel",
            ),
            (
                json!({"kind": "CORRECT", "search": "", "add": ["Cat"], "format": "CSV"}),
                "format",
            ),
            (json!({"kind": "CORRECT", "ids": [], "add": ["Cat"]}), "ids"),
            (json!({"kind": "UNDO"}), "jobId"),
            (json!({"kind": "UNDO", "jobId": "../images"}), "jobId"),
            (json!({"kind": "UNDO", "jobId": ID, "search": ""}), "search"),
            (json!({"kind": "UNDO", "jobId": ID, "ids": [ID]}), "ids"),
            (json!({"kind": "UNDO", "jobId": ID, "add": ["Cat"]}), "add"),
            (
                json!({"kind": "CORRECT", "search": "", "add": ["Cat"], "jobId": ID}),
                "jobId",
            ),
            (json!({"kind": "DELETE"}), "search"),
            (json!({"kind": "DELETE", "search": "label="}), "search.label"),
            (json!({"kind": "DELETE", "ids": []}), "ids"),
            (json!({"kind": "DELETE", "search": "", "format": "CSV"}), "format"),
            (
                json!({"kind": "DELETE", "search": "", "olderModel": true}),
                "olderModel",
            ),
            (
                json!({"kind": "DELETE", "search": "", "remove": ["Cat"]}),
                "remove",
            ),
            (json!({"kind": "DELETE", "search": "", "jobId": ID}), "jobId"),
            (
                json!({"kind": "DELETE", "search": "", "createdBefore": "yesterday"}),
                "createdBefore",
            ),
            (
                json!({"kind": "DELETE", "search": "", "createdBefore": 5}),
                "createdBefore",
            ),
            (
                json!({"kind": "RELABEL", "search": "", "createdBefore": "2026-11-30T12:00:00Z"}),
                "createdBefore",
            ),
        ] {
            let problem = check(body.clone()).unwrap_err();
            assert_eq!(problem["status"], 400, "{body}");
            assert_eq!(problem["field"], field, "{body}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.starts_with(&format!("{field} must be ")), "{detail}");
        }
        let all = check(json!({"kind": 1, "format": 2, "search": 3, "ids": 4, "olderModel": 5})).unwrap_err();
        assert_eq!(all["errors"].as_array().unwrap().len(), 5);
        let all = check(json!({"kind": "CORRECT", "search": 3, "add": 1, "remove": 2})).unwrap_err();
        assert_eq!(all["errors"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn an_export_contains_everything_a_search_or_named_images() {
        let selection = |body| match check(body).unwrap() {
            Work::Export(export) => export.selection,
            other => panic!("{other:?}"),
        };
        let everything = selection(json!({"kind": "EXPORT", "format": "CSV"}));
        assert_eq!(everything, Selection::Search(Search::default()));
        assert_eq!(
            selection(json!({"kind": "EXPORT", "format": "CSV", "search": ""})),
            everything
        );
        assert_ne!(
            selection(json!({"kind": "EXPORT", "format": "CSV", "search": "label=cat&label=dog"})),
            everything
        );
        let id = ImageId::new();
        assert_eq!(
            selection(json!({"kind": "EXPORT", "format": "CSV", "ids": [id, id]})),
            Selection::Images(vec![id])
        );
    }

    /// A program that forgets the field must not pay for the whole library.
    #[test]
    fn all_images_are_changed_only_on_request() {
        for body in [
            json!({"kind": "RELABEL", "search": ""}),
            json!({"kind": "RELABEL", "search": "", "olderModel": false}),
        ] {
            assert_eq!(
                check(body).unwrap(),
                Work::Relabel {
                    selection: Selection::Search(Search::default()),
                    older_model: false
                }
            );
        }
        let time = "2026-11-30T12:00:00Z";
        assert_eq!(
            check(json!({"kind": "DELETE", "search": "", "createdBefore": time})).unwrap(),
            Work::Delete {
                selection: Selection::Search(Search::default()),
                created_before: Some(time.parse().unwrap()),
            }
        );
        let undone = check(json!({"kind": "UNDO", "jobId": ID})).unwrap();
        assert_eq!(undone, Work::Undo(JobId::parse(ID).unwrap()));
        let corrected = check(json!({"kind": "CORRECT", "ids": [ID], "remove": ["Cat"]})).unwrap();
        assert!(matches!(corrected, Work::Correct(Correction { change, .. }) if change.remove == ["Cat"]));
    }
}
