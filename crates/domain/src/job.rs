//! Bulk jobs: work on many images of one owner.

use crate::export::{Export, ExportFile};
use crate::image::Owner;
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::{Uuid, Variant, Version};

/// Identifies a job. Later ids sort after earlier ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(
        value_type = String,
        pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    )
)]
pub struct JobId(Uuid);

impl JobId {
    /// Creates an id.
    #[expect(
        clippy::new_without_default,
        reason = "a default id would be surprising: each is different"
    )]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// Reads an id in its canonical form: lower case, with hyphens. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok()?;
        let known = id.get_version() == Some(Version::SortRand) && id.get_variant() == Variant::RFC4122;
        (known && id.hyphenated().to_string() == text).then_some(Self(id))
    }
}

impl fmt::Display for JobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum JobKind {
    /// Applies the owner's settings to all labeled images, without the model.
    Refilter,
    /// Writes the labels of images to files.
    Export,
}

/// Progress of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum JobStatus {
    /// In progress.
    Running,
    /// All images have been processed.
    Succeeded,
    /// The owner has canceled it, or newer settings have replaced it. Images that were processed keep the result. An export
    /// has no files.
    Canceled,
    /// Its execution has ended without completing it. A redrive of the execution resumes it.
    Failed,
}

impl JobStatus {
    /// As in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Succeeded => "SUCCEEDED",
            Self::Canceled => "CANCELED",
            Self::Failed => "FAILED",
        }
    }
}

/// A job's record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// The job.
    pub job_id: JobId,
    /// Whose images it processes.
    pub owner: Owner,
    /// What it does.
    pub kind: JobKind,
    /// Never [`JobStatus::Failed`] in the table: whoever reads a running job asks Step Functions.
    pub status: JobStatus,
    /// The number of images when the job started. Absent until they are counted, and if there are very many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Images that have been processed.
    pub processed: u64,
    /// Images that the job has changed. 0 for an export.
    pub changed: u64,
    /// What an export contains. Absent for other jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<Export>,
    /// The files that an export has written so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ExportFile>,
    /// When it was created: ISO 8601, UTC, milliseconds. Not stored as `createdAt`: the index `added` lists every item that
    /// has this attribute.
    #[serde(rename = "startedAt")]
    pub created_at: String,
    /// When the record last changed, in the same format.
    pub updated_at: String,
    /// When the record expires (DynamoDB TTL): seconds since 1970.
    pub expires_at: i64,
}

/// The input and the output of `run-job-part`, and the input of the state machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct JobProgress {
    /// The job.
    pub job_id: JobId,
    /// Whose job it is.
    pub owner: Owner,
    /// The last image that was processed. Absent at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<crate::ImageId>,
    /// Images that have been processed.
    #[serde(default)]
    pub processed: u64,
    /// Images that the job has changed.
    #[serde(default)]
    pub changed: u64,
    /// The files that an export has written so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ExportFile>,
    /// Whether there is nothing left to do.
    #[serde(default)]
    pub done: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_only_in_its_canonical_form() {
        let id = JobId::new();
        assert_eq!(JobId::parse(&id.to_string()), Some(id));
        assert_eq!(JobId::parse(&id.to_string().to_uppercase()), None);
        assert_eq!(
            JobId::parse("0193a5a0-0000-4000-8000-000000000001"),
            None,
            "another version"
        );
        assert_eq!(JobId::parse("../images"), None);
    }
}
