//! Bulk jobs: work on many images of one owner.

use crate::bulk::{BulkDeletion, Correction, Relabel, Undo};
use crate::export::{Export, ExportFile};
use crate::image::{ImageId, Owner};
use crate::import::ImportCounts;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;
use uuid::{Builder, Uuid, Variant, Version};

/// The namespace for the ids of jobs that executions start.
const EXECUTION_NAMESPACE: Uuid = Uuid::from_u128(0x7c1f_6a35_40ce_4b0d_8e7b_91d2_5f3a_66e4);

/// How long a job's record is kept after the start of the job, and after each time it begins to wait for the next day.
pub const KEPT_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How long an import's record is kept after each part of a batch. An import can take months, and one that has failed can be
/// redriven for 14 days: its steps must not take a record that has expired for one that its owner has deleted.
pub const IMPORT_KEPT_FOR: SignedDuration = SignedDuration::from_hours(60 * 24);

/// How long an undo item is kept. Longer than a job's record: a job that was canceled can be resumed on its
/// last day, and be undone as long as its record is kept.
pub const UNDO_KEPT_FOR: SignedDuration = SignedDuration::from_hours(60 * 24);

/// After this many parts, another execution continues a job. An execution can have 25,000 events in its history (Step Functions
/// Developer Guide, "Service quotas"): 7 for each part, 2 for a wait, and 3 for each attempt that is repeated. So at least 16,000
/// are left for repeated attempts. Source of the pattern: "Continue long-running workflows using Step Functions API" there.
pub const MAX_PARTS: u32 = 1000;

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

    /// The id of a job that an execution starts itself. Each attempt to do so gives the same.
    pub fn of_execution(execution_arn: &str, started_at: Timestamp) -> Self {
        let milliseconds = u64::try_from(started_at.as_millisecond()).unwrap_or_default();
        let name = Uuid::new_v5(&EXECUTION_NAMESPACE, execution_arn.as_bytes());
        let mut random = [0; 10];
        random.copy_from_slice(&name.as_bytes()[..10]);
        Self(Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid())
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
    /// Labels images again, with the current model and settings.
    Relabel,
    /// Adds labels to images, removes some, or leaves them to the model again.
    Correct,
    /// Undoes a job that has corrected labels.
    Undo,
    /// Deletes images.
    Delete,
    /// Copies objects of another bucket, so that they are labeled.
    Import,
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
    /// Images that have been processed; of an import, objects. Until an import has succeeded, those of a repeated batch are
    /// counted again.
    pub processed: u64,
    /// Images that the job has changed or deleted, that it has started to label, or that an import has copied. 0 for an
    /// export.
    pub changed: u64,
    /// What an export contains. Absent for other jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<Export>,
    /// Which images are labeled again. Absent for other jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relabel: Option<Relabel>,
    /// What is corrected in which images. Absent for other jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correction: Option<Correction>,
    /// What is undone. Absent for other jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Undo>,
    /// Which images are deleted. Absent for other jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deletion: Option<BulkDeletion>,
    /// Whether another job undoes it, or has done so. Then it cannot be resumed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_undone: bool,
    /// The last image that was processed. Absent at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<ImageId>,
    /// The images that are being changed, which are not counted yet. A part that is repeated begins with them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<ImageId>,
    /// The daily limit of images is reached, and the job continues at this time. ISO 8601, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<String>,
    /// The files that an export has written so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ExportFile>,
    /// What an import copies. Absent for other jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub import: Option<ImportJob>,
    /// The execution that works on it. Absent until its first part has started: see [`execution_name`]. Absent for an import:
    /// see [`ImportJob::execution_arn`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_arn: Option<String>,
    /// Which of the job's executions that is: see [`execution_name`].
    #[serde(default = "first")]
    pub execution: u32,
    /// When it was created: ISO 8601, UTC, milliseconds. Not stored as `createdAt`: the index `added` lists every item that
    /// has this attribute.
    #[serde(rename = "startedAt")]
    pub created_at: String,
    /// When the record last changed, in the same format.
    pub updated_at: String,
    /// When the record expires (DynamoDB TTL): seconds since 1970.
    pub expires_at: i64,
}

impl Job {
    /// A job that starts now, without what its kind needs.
    pub fn new(job_id: JobId, owner: &Owner, kind: JobKind, now: Timestamp) -> Self {
        Self {
            job_id,
            owner: owner.clone(),
            kind,
            status: JobStatus::Running,
            total: None,
            processed: 0,
            changed: 0,
            export: None,
            relabel: None,
            correction: None,
            undo: None,
            deletion: None,
            is_undone: false,
            after: None,
            pending: vec![],
            waits_until: None,
            files: vec![],
            import: None,
            execution_arn: None,
            execution: first(),
            created_at: format!("{now:.3}"),
            updated_at: format!("{now:.3}"),
            expires_at: (now + KEPT_FOR).as_second(),
        }
    }
}

/// The first execution of a job.
fn first() -> u32 {
    1
}

/// The name of an execution of a job. The first one has the job's id.
pub fn execution_name(job_id: JobId, execution: u32) -> String {
    match execution {
        0 | 1 => job_id.to_string(),
        number => format!("{job_id}-{number}"),
    }
}

/// What an import copies.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportJob {
    /// The bucket of the objects.
    pub bucket: String,
    /// The beginning of their keys.
    pub prefix: String,
    /// The execution that copies them.
    pub execution_arn: String,
    /// What became of the objects. Absent until all are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<ImportCounts>,
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
    pub after: Option<ImageId>,
    /// Images that have been processed.
    #[serde(default)]
    pub processed: u64,
    /// Images that the job has changed.
    #[serde(default)]
    pub changed: u64,
    /// The files that an export has written so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ExportFile>,
    /// The execution that runs the part. The state machine adds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub execution_arn: Option<String>,
    /// Which of the job's executions this is: see [`execution_name`].
    #[serde(default = "first")]
    pub execution: u32,
    /// How many parts this execution has completed.
    #[serde(default)]
    pub parts: u32,
    /// When the next part may start: ISO 8601, UTC. Absent: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_until: Option<String>,
    /// Whether there is nothing left to do for this execution.
    #[serde(default)]
    pub done: bool,
}

impl JobProgress {
    /// The input of a job's first execution.
    pub fn start(job_id: JobId, owner: &Owner) -> Self {
        Self {
            job_id,
            owner: owner.clone(),
            after: None,
            processed: 0,
            changed: 0,
            files: vec![],
            execution_arn: None,
            execution: first(),
            parts: 0,
            waits_until: None,
            done: false,
        }
    }

    /// The input of the execution that continues the job.
    #[must_use]
    pub fn next_execution(&self) -> Self {
        Self {
            execution_arn: None,
            execution: self.execution + 1,
            parts: 0,
            waits_until: None,
            done: false,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repeated attempt of the first step would start a second job.
    #[test]
    fn an_execution_has_one_job_and_another_execution_another_one() {
        let started: Timestamp = "2026-11-30T08:00:00.123Z".parse().unwrap();
        let id = JobId::of_execution("arn:a", started);
        assert_eq!(id, JobId::of_execution("arn:a", started));
        // xtask/python/subject.py derives the same.
        assert_eq!(id.to_string(), "01a22b77-c87b-7d91-a66e-98d85e9cbd9e");
        assert_ne!(id, JobId::of_execution("arn:b", started));
        assert_eq!(JobId::parse(&id.to_string()), Some(id));
        let later = JobId::of_execution("arn:a", started + jiff::SignedDuration::from_secs(1));
        assert!(id < later, "later jobs sort after earlier ones");
    }

    /// Step Functions accepts each name once, with at most 80 characters.
    #[test]
    fn each_execution_of_a_job_has_its_own_name() {
        let id = JobId::new();
        assert_eq!(execution_name(id, 1), id.to_string());
        assert_eq!(execution_name(id, 2), format!("{id}-2"));
        assert!(execution_name(id, u32::MAX).len() <= 80);
    }

    #[test]
    fn the_next_execution_continues_at_the_progress_of_the_last_one() {
        let owner = Owner::new("demo").unwrap();
        let last = JobProgress {
            processed: 7,
            parts: MAX_PARTS,
            waits_until: Some("2026-11-30T00:00:00Z".into()),
            execution_arn: Some("arn".into()),
            ..JobProgress::start(JobId::new(), &owner)
        };
        let next = last.next_execution();
        assert_eq!((next.execution, next.parts, next.processed), (2, 0, 7));
        assert_eq!((next.execution_arn, next.waits_until), (None, None));
    }

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
