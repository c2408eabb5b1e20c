//! The files of an export that has succeeded.

use crate::app::App;
use crate::http::problem::Problem;
use domain::export::FILES_KEPT_FOR;
use domain::{ExportFormat, Job, JobStatus};
use jiff::Timestamp;
use objects::{PresignedUrl, ResponseHeaders};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the presigned GETs are valid.
const VALID_FOR: Duration = Duration::from_secs(60 * 60);

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
