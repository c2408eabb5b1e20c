//! Exports: what a request asks for, and the files of a job that has succeeded.

use crate::app::App;
use crate::http::body::Fields;
use crate::http::problem::Problem;
use crate::routes::list::query::search_text;
use crate::routes::record::{IDS, image_ids};
use domain::export::{ExportSelection, FILES_KEPT_FOR};
use domain::{Export, ExportFormat, ImageId, Job, JobStatus, Search};
use jiff::Timestamp;
use objects::{PresignedUrl, ResponseHeaders};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the presigned GETs are valid.
const VALID_FOR: Duration = Duration::from_secs(60 * 60);

const KIND: (&str, &str) = ("kind", "EXPORT; PUT /settings starts the other kind of job");
const FORMAT: (&str, &str) = ("format", "CSV, JSON or XMP");
const SEARCH: (&str, &str) = (
    "search",
    "a text with query parameters of GET /images, such as label=cat&taken=2015, except limit, cursor, order, boxes and id",
);
const NOT_BOTH: (&str, &str) = ("ids", "absent if search is given");

/// Any JSON is accepted here, so that one error can name all invalid fields.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewJob {
    kind: Option<Value>,
    format: Option<Value>,
    search: Option<Value>,
    ids: Option<Value>,
}

impl Fields for NewJob {
    const RULES: &'static [(&'static str, &'static str)] = &[KIND, FORMAT, SEARCH, IDS];
}

/// The export to start. Without `search` and `ids`, it contains all your images.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct RequestedJob {
    #[schema(inline)]
    kind: RequestedKind,
    format: ExportFormat,
    /// Only images that match these query parameters of `GET /images`, in the same encoding: all except `limit`, `cursor`,
    /// `order`, `boxes` and `id`. Can't be combined with `ids`.
    #[schema(examples("label=cat&without=person&taken=2015"))]
    search: Option<String>,
    /// Only these images, with any status. IDs that aren't yours are omitted, and repeated IDs count once.
    #[schema(min_items = 1, max_items = 100)]
    ids: Option<Vec<ImageId>>,
}

/// A kind of job that a request can start.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only utoipa reads it")]
#[schema(rename_all = "SCREAMING_SNAKE_CASE")]
enum RequestedKind {
    Export,
}

impl NewJob {
    /// Reads the export. The error names all invalid fields, or the parameter of the search that is invalid.
    pub(crate) fn check(self) -> Result<Export, Problem> {
        let text = |value: Option<Value>| value.and_then(|value| value.as_str().map(str::to_owned));
        let is_export = text(self.kind).as_deref() == Some("EXPORT");
        let format = text(self.format).and_then(|name| ExportFormat::parse(&name));
        let has_both = self.search.is_some() && self.ids.is_some();
        let (search, ids) = (
            self.search.map(|value| text(Some(value))),
            self.ids.map(image_ids),
        );
        let invalid: Vec<_> = [
            (KIND, !is_export),
            (FORMAT, format.is_none()),
            (SEARCH, search == Some(None)),
            (IDS, ids == Some(None)),
            (NOT_BOTH, has_both && ids != Some(None)),
        ]
        .into_iter()
        .filter_map(|(rule, is_invalid)| is_invalid.then_some(rule))
        .collect();
        let Some(format) = format.filter(|_| invalid.is_empty()) else {
            return Err(Problem::invalid_fields(&invalid));
        };
        let selection = match (search.flatten(), ids.flatten()) {
            (_, Some(ids)) => ExportSelection::Images(ids),
            (Some(search), None) => {
                ExportSelection::Search(search_text(&search).map_err(|problem| problem.within(SEARCH))?)
            }
            (None, None) => ExportSelection::Search(Search::default()),
        };
        Ok(Export { format, selection })
    }
}

/// A file of an export.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct File {
    /// A presigned GET, valid for one hour. Its response is an attachment with the file name.
    #[schema(value_type = String, format = "uri")]
    url: PresignedUrl,
    file_name: String,
    /// Bytes.
    size: u64,
    /// The number of images in the file.
    images: u64,
}

/// The files of an export.
pub(crate) struct Files {
    pub(crate) files: Vec<File>,
    pub(crate) expire_at: String,
}

/// Presigns a GET for each file of an export that has succeeded. `None` for other jobs.
pub(crate) async fn files(app: &App, job: &Job) -> Result<Option<Files>, Problem> {
    let Some(export) = job.export.as_ref().filter(|_| job.status == JobStatus::Succeeded) else {
        return Ok(None);
    };
    let created_at: Timestamp = job.created_at.parse().map_err(|_| Problem::internal())?;
    let expire_at = created_at + FILES_KEPT_FOR;
    let mut files = vec![];
    if Timestamp::now() < expire_at {
        for (index, file) in job.files.iter().enumerate() {
            let file_name = file_name(export.format, created_at, index + 1, job.files.len());
            let headers = ResponseHeaders {
                content_type: export.format.content_type().to_owned(),
                content_disposition: format!("attachment; filename=\"{file_name}\""),
            };
            let key = file.key(&job.owner, job.job_id);
            files.push(File {
                url: objects::presign_get(&app.s3, &app.bucket, &key, Some(headers), VALID_FOR).await?,
                file_name,
                size: file.size,
                images: file.images,
            });
        }
    }
    Ok(Some(Files {
        files,
        expire_at: format!("{expire_at:.3}"),
    }))
}

/// The name under which a browser saves a file: the format's, the date of the export (UTC), and which of several files it is.
fn file_name(format: ExportFormat, created_at: Timestamp, number: usize, of: usize) -> String {
    let what = match format {
        ExportFormat::Csv | ExportFormat::Json => "labels",
        ExportFormat::Xmp => "sidecars",
    };
    let date = created_at.to_zoned(jiff::tz::TimeZone::UTC).date();
    let which = if of > 1 {
        format!("-{number}-of-{of}")
    } else {
        String::new()
    };
    format!("{what}-{date}{which}.{}", format.extension())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake_app;
    use aws_smithy_mocks::{RuleMode, mock_client};
    use serde_json::json;

    fn check(body: Value) -> Result<Export, Value> {
        let body: NewJob = serde_json::from_value(body).unwrap();
        body.check()
            .map_err(|problem| serde_json::to_value(problem).unwrap())
    }

    #[test]
    fn each_invalid_field_and_each_invalid_parameter_of_the_search_is_named() {
        let id = "0193a5a0-0000-7000-8000-000000000001";
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
                json!({"kind": "EXPORT", "format": "CSV", "search": format!("id={id}")}),
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
                json!({"kind": "EXPORT", "format": "CSV", "ids": [id], "search": "label=cat"}),
                "ids",
            ),
        ] {
            let problem = check(body.clone()).unwrap_err();
            assert_eq!(problem["status"], 400, "{body}");
            assert_eq!(problem["field"], field, "{body}");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.starts_with(&format!("{field} must be ")), "{detail}");
        }
        let all = check(json!({"kind": 1, "format": 2, "search": 3, "ids": 4})).unwrap_err();
        assert_eq!(all["errors"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn an_export_contains_everything_a_search_or_named_images() {
        let selection = |body| check(body).unwrap().selection;
        let everything = selection(json!({"kind": "EXPORT", "format": "CSV"}));
        assert_eq!(everything, ExportSelection::Search(Search::default()));
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
            ExportSelection::Images(vec![id])
        );
    }

    fn job(status: JobStatus, created_at: Timestamp, files: usize) -> Job {
        let files = vec![json!({"name": "1-end", "size": 5, "images": 2}); files];
        serde_json::from_value(json!({
            "jobId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "kind": "EXPORT", "status": status,
            "processed": 2, "changed": 0, "export": {"format": "XMP", "selection": {"images": []}}, "files": files,
            "startedAt": format!("{created_at:.3}"), "updatedAt": format!("{created_at:.3}"), "expiresAt": 0,
        }))
        .unwrap()
    }

    async fn names(job: &Job) -> Option<Vec<String>> {
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, []);
        let app = fake_app(dynamodb, mock_client!(aws_sdk_sfn, RuleMode::MatchAny, []));
        let Ok(files) = files(&app, job).await else {
            panic!("no files")
        };
        files.map(|files| files.files.into_iter().map(|file| file.file_name).collect())
    }

    #[tokio::test]
    async fn only_an_export_that_has_succeeded_has_files_and_only_while_they_exist() {
        let now = Timestamp::now();
        let date = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        for status in [JobStatus::Running, JobStatus::Canceled, JobStatus::Failed] {
            assert_eq!(names(&job(status, now, 1)).await, None, "{status:?}");
        }
        assert_eq!(
            names(&job(JobStatus::Succeeded, now, 1)).await,
            Some(vec![format!("sidecars-{date}.zip")])
        );
        let two = [
            format!("sidecars-{date}-1-of-2.zip"),
            format!("sidecars-{date}-2-of-2.zip"),
        ];
        assert_eq!(
            names(&job(JobStatus::Succeeded, now, 2)).await,
            Some(two.to_vec())
        );
        let expired = job(JobStatus::Succeeded, now - FILES_KEPT_FOR, 1);
        assert_eq!(names(&expired).await, Some(vec![]));
    }
}
