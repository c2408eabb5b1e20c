//! Imports: objects of another bucket are copied to the uploads of an owner. The events of the copies start the workflow, as
//! those of all uploads.

use crate::error_name::ErrorName;
use crate::image::{Owner, UPLOADS_PREFIX};
use crate::job::JobId;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;
use std::ops::AddAssign;
use strum::{EnumIter, IntoStaticStr};

/// The keys of the results of all imports start with this prefix. It is outside `uploads/`, so that no result starts an
/// execution.
pub const IMPORTS_PREFIX: &str = "imports/";

/// The maximum length of a key in bytes. Source: S3 User Guide, "Naming Amazon S3 objects".
pub const MAX_KEY_BYTES: usize = 1024;

/// The maximum total length of an object's user-defined metadata, names and values, in bytes. Source: S3 User Guide,
/// "Working with object metadata".
pub const MAX_METADATA_BYTES: usize = 2048;

/// The names of the user-defined metadata that an import adds to a copy.
pub mod metadata {
    /// The ETag of the source. If it is equal, the object is not copied again.
    pub const ETAG: &str = "import-etag";
    /// The job that has made the copy. A repeated batch counts its own copies as imported, and those of others as skipped.
    pub const JOB: &str = "import-job";
    /// When the source was last modified: ISO 8601, UTC.
    pub const MODIFIED: &str = "import-modified";
}

/// The prefix of the keys of the results of all of an owner's imports.
pub fn owner_prefix(owner: &Owner) -> String {
    format!("{IMPORTS_PREFIX}{}/", owner.as_str())
}

/// The prefix of the keys of an import's results.
pub fn results_prefix(owner: &Owner, job_id: JobId) -> String {
    format!("{}{job_id}/", owner_prefix(owner))
}

/// The prefix of the keys of the results of an import's batches: [`ImportCounts`].
pub fn batches_prefix(owner: &Owner, job_id: JobId) -> String {
    format!("{}batches/", results_prefix(owner, job_id))
}

/// The prefix of the keys of the lists of objects that an import could not copy: JSON Lines of [`ImportFailure`]s.
pub fn failed_prefix(owner: &Owner, job_id: JobId) -> String {
    format!("{}failed/", results_prefix(owner, job_id))
}

/// The key of the sums of an import: [`ImportCounts`].
pub fn report_key(owner: &Owner, job_id: JobId) -> String {
    format!("{}report.json", results_prefix(owner, job_id))
}

/// The key of the copy of an object: the whole bucket and key, below the owner's prefix, so that no two objects have the same.
/// If it is too long, the SHA-256 of the source's key replaces it, followed by the file's name if that fits.
pub fn copy_key(owner: &Owner, bucket: &str, key: &str) -> String {
    let prefix = format!("{UPLOADS_PREFIX}{}/{bucket}/", owner.as_str());
    let whole = format!("{prefix}{key}");
    if whole.len() <= MAX_KEY_BYTES {
        return whole;
    }
    let hashed = format!("{prefix}{}", hex_sha256(key));
    let name = key.rsplit('/').next().unwrap_or(key);
    let named = format!("{hashed}/{name}");
    if named.len() <= MAX_KEY_BYTES {
        named
    } else {
        hashed
    }
}

fn hex_sha256(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The input of the state machine `import-objects`, which an operator can type. Unknown fields are an error: with a misspelled
/// `prefix`, everything in the bucket would be imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ImportRequest {
    /// The job's id. Absent: derived from the execution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// Whose images the copies become: the `sub` of a user of the user pool.
    pub owner: Owner,
    /// The bucket of the objects. Absent if `retry_failed_of` is present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// The beginning of the keys of the objects. Empty: all objects of the bucket.
    #[serde(default)]
    pub prefix: String,
    /// An earlier import of the same owner: only the objects that it could not copy are imported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_failed_of: Option<JobId>,
    /// Whether images that the owner has deleted are imported again.
    #[serde(default)]
    pub restore_deleted: bool,
    /// Whether the import in `job_id` is canceled: its execution is stopped, and its report is written. Such a request names no
    /// source.
    #[serde(default)]
    pub cancel: bool,
}

impl ImportRequest {
    /// Cancels an import.
    pub fn cancel(job_id: JobId, owner: &Owner) -> Self {
        Self {
            job_id: Some(job_id),
            owner: owner.clone(),
            bucket: None,
            prefix: String::new(),
            retry_failed_of: None,
            restore_deleted: false,
            cancel: true,
        }
    }

    /// Maximum number of attempts to cancel an import.
    pub const MAX_CANCELLATIONS: u32 = 10;

    /// The name of an execution that cancels an import. The first attempt is 1: there is only one, also if several people cancel
    /// the import, or one does so several times. The next one is started only after it has failed.
    pub fn cancel_name(job_id: JobId, attempt: u32) -> String {
        match attempt {
            0 | 1 => format!("{job_id}-cancel"),
            number => format!("{job_id}-cancel-{number}"),
        }
    }
}

/// The input of `check-import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckImportInput {
    /// The input of the execution.
    pub request: ImportRequest,
    /// The execution.
    pub execution_arn: String,
    /// When the execution started: ISO 8601.
    pub started_at: jiff::Timestamp,
}

/// What an import copies, and for whom. A part of the output of `check-import` and of the input of `copy-objects`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Import {
    /// The job.
    pub job_id: JobId,
    /// Whose images the copies become.
    pub owner: Owner,
    /// The bucket of the objects.
    pub bucket: String,
    /// See [`ImportRequest::restore_deleted`].
    #[serde(default)]
    pub restore_deleted: bool,
}

/// The output of `check-import` and of `summarize-import`, and the input of `summarize-import`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportProgress {
    /// What is imported.
    #[serde(flatten)]
    pub import: Import,
    /// What the state machine lists: objects of the source, or lists of failed objects of an earlier import.
    pub list: ObjectList,
    /// Whether [`Self::list`] has lists of failed objects.
    pub is_retry: bool,
    /// Whether the import was canceled: nothing is listed, and the report has what was done until then.
    #[serde(default)]
    pub is_canceled: bool,
    /// Where the state machine writes what Step Functions knows about the batches.
    pub map_results: ObjectList,
    /// The key of the last result of a batch that was added up. Absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// The sums until then.
    #[serde(default)]
    pub counts: ImportCounts,
    /// Whether all results are added up.
    #[serde(default)]
    pub done: bool,
}

/// Objects whose keys start with a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectList {
    /// Their bucket.
    pub bucket: String,
    /// The beginning of their keys.
    pub prefix: String,
}

/// An object of the source, as Step Functions lists it: `Etag`, `Key`, `LastModified`, `Size`, `StorageClass`. Of an object in
/// a list of failed objects, only the key is known. Source: "ItemReader" in the Step Functions Developer Guide.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct SourceObject {
    /// The key.
    pub key: String,
    /// The ETag, in quotes.
    #[serde(default, alias = "ETag", skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The size in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Input and output of `copy-objects`: some objects of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImportBatch {
    /// What is imported.
    #[serde(flatten)]
    pub import: Import,
    /// Names the results of the batch. A repeated batch has the same name, and overwrites its results.
    pub name: String,
    /// The objects that have not been handled yet.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<SourceObject>,
    /// What became of the others.
    pub counts: ImportCounts,
    /// Those that could not be copied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<ImportFailure>,
    /// Whether no objects are left, or the import was canceled.
    pub done: bool,
    /// How often this part has been tried before. The state machine adds it.
    #[serde(skip_serializing)]
    pub retries: u32,
}

impl ImportBatch {
    /// A batch of which nothing has been handled. `None` if there is no object.
    fn new(import: Import, objects: Vec<SourceObject>) -> Option<Self> {
        let name = hex_sha256(&objects.first()?.key);
        Some(Self {
            import,
            name,
            objects,
            counts: ImportCounts::default(),
            failures: vec![],
            done: false,
            retries: 0,
        })
    }

    /// The key of its [`ImportCounts`].
    pub fn result_key(&self) -> String {
        let Import { owner, job_id, .. } = &self.import;
        format!("{}{}.json", batches_prefix(owner, *job_id), self.name)
    }

    /// The key of its list of failed objects.
    pub fn failed_key(&self) -> String {
        let Import { owner, job_id, .. } = &self.import;
        format!("{}{}.jsonl", failed_prefix(owner, *job_id), self.name)
    }
}

/// Step Functions passes a batch as `{"Items": […]}`; the emulator ignores `ItemBatcher` and passes each item by itself. A batch
/// that takes longer is passed from part to part, as the step has returned it.
impl<'de> Deserialize<'de> for ImportBatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Item {
            #[serde(flatten)]
            import: Import,
            object: SourceObject,
        }

        #[derive(Deserialize)]
        struct Items {
            #[serde(rename = "Items")]
            items: Vec<Item>,
        }

        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Continued {
            #[serde(flatten)]
            import: Import,
            name: String,
            #[serde(default)]
            objects: Vec<SourceObject>,
            counts: ImportCounts,
            #[serde(default)]
            failures: Vec<ImportFailure>,
            done: bool,
        }

        let value = serde_json::Value::deserialize(deserializer)?;
        let retries = value.get("retries").and_then(serde_json::Value::as_u64);
        let retries = u32::try_from(retries.unwrap_or_default()).unwrap_or(u32::MAX);
        // Not an untagged enum, whose errors do not say which field is wrong.
        let batch = if value.get("Items").is_some() {
            let Items { items } = serde_json::from_value(value).map_err(D::Error::custom)?;
            let import = items.first().map(|item| item.import.clone());
            let objects = items.into_iter().map(|item| item.object).collect();
            import.and_then(|import| Self::new(import, objects))
        } else if value.get("object").is_some() {
            let Item { import, object } = serde_json::from_value(value).map_err(D::Error::custom)?;
            Self::new(import, vec![object])
        } else {
            let Continued {
                import,
                name,
                objects,
                counts,
                failures,
                done,
            } = serde_json::from_value(value).map_err(D::Error::custom)?;
            Some(Self {
                import,
                name,
                objects,
                counts,
                failures,
                done,
                retries: 0,
            })
        };
        let batch = batch.ok_or_else(|| D::Error::custom("a batch must have at least one object"))?;
        Ok(Self { retries, ..batch })
    }
}

/// What became of an object of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
pub enum ImportResult {
    /// Copied. The workflow labels or rejects it.
    Imported,
    /// An earlier import has copied it, and it has not changed since.
    Skipped,
    /// The owner has deleted the image.
    Deleted,
    /// Neither a picture nor a video, empty, or a folder marker.
    NotPicture,
    /// Not copied: see [`ImportFailure`].
    Failed,
}

/// Numbers of objects, by what became of them. Their sum is the number of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ImportCounts {
    /// See [`ImportResult::Imported`].
    pub imported: u64,
    /// See [`ImportResult::Skipped`].
    pub skipped: u64,
    /// See [`ImportResult::Deleted`].
    pub deleted: u64,
    /// See [`ImportResult::NotPicture`].
    pub not_pictures: u64,
    /// See [`ImportResult::Failed`].
    pub failed: u64,
}

impl ImportCounts {
    /// The number of objects.
    pub fn objects(&self) -> u64 {
        self.imported + self.skipped + self.deleted + self.not_pictures + self.failed
    }

    /// Counts an object.
    pub fn count(&mut self, result: ImportResult) {
        *match result {
            ImportResult::Imported => &mut self.imported,
            ImportResult::Skipped => &mut self.skipped,
            ImportResult::Deleted => &mut self.deleted,
            ImportResult::NotPicture => &mut self.not_pictures,
            ImportResult::Failed => &mut self.failed,
        } += 1;
    }
}

impl AddAssign for ImportCounts {
    fn add_assign(&mut self, other: Self) {
        self.imported += other.imported;
        self.skipped += other.skipped;
        self.deleted += other.deleted;
        self.not_pictures += other.not_pictures;
        self.failed += other.failed;
    }
}

/// An object that an import could not copy: a line of a list of failed objects, which another import can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportFailure {
    /// The key, with the name that it has in a listing.
    #[serde(rename = "Key")]
    pub key: String,
    /// Why it was not copied.
    pub reason: FailureReason,
}

/// Maximum size in bytes of an object that S3 copies with one request: 5 GB. Source: CopyObject in the API reference of S3.
pub const MAX_COPY_BYTES: u64 = 5 * 1024 * 1024 * 1024;

/// Why an object could not be copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr, Serialize, Deserialize)]
pub enum FailureReason {
    /// More bytes than the limit allows.
    ImageTooLarge,
    /// Deleted after it was listed.
    ObjectGone,
    /// Archived and not restored.
    ObjectArchived,
    /// Encrypted with a customer-provided key (SSE-C).
    ObjectEncrypted,
    /// S3 does not allow the import to read this object or its tags, or KMS does not allow it to use the object's key.
    AccessDenied,
    /// Overwritten while it was copied.
    ObjectChanged,
    /// Its user-defined metadata leaves no room for what an import adds.
    MetadataTooLarge,
    /// The owner has an object under the key of the copy that no import has made.
    KeyInUse,
    /// S3 refuses the copy for another reason.
    CopyRefused,
    /// S3 reported an internal error, or did not answer, whenever this object was tried.
    ServiceUnavailable,
}

impl FailureReason {
    /// The reason why S3 does not return an object. `None` if the error is not about the object.
    pub fn of_unreadable(name: ErrorName) -> Option<Self> {
        Some(match name {
            ErrorName::ObjectGone => Self::ObjectGone,
            ErrorName::ObjectArchived => Self::ObjectArchived,
            ErrorName::ObjectEncrypted => Self::ObjectEncrypted,
            _ => return None,
        })
    }
}

impl fmt::Display for FailureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::ImageKey;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    const JOB: &str = "0193a5a0-7a3c-7e11-8a55-3f1b7c9d2e10";

    fn owner() -> Owner {
        Owner::new("demo").unwrap()
    }

    fn item(key: &str) -> Value {
        json!({
            "jobId": JOB, "owner": "demo", "bucket": "holidays", "restoreDeleted": false,
            "object": {
                "Etag": "\"0a\"", "Key": key, "LastModified": 1_669_699_881.0, "Size": 5, "StorageClass": "STANDARD",
            },
        })
    }

    /// With the prefix removed, `2019/a.jpg` and `2020/a.jpg` could become one image.
    #[test]
    fn no_two_objects_have_the_same_copy() {
        let long = "x".repeat(1024);
        let keys = [
            ("holidays", "2019/a.jpg"),
            ("holidays", "2020/a.jpg"),
            ("holidays", "a.jpg"),
            ("holidays", "/a.jpg"),
            ("holidays", "//a.jpg"),
            ("holidays", "../a.jpg"),
            ("holidays", "a+b c%20ü.jpg"),
            ("holidays", "a b c ü.jpg"),
            ("others", "a.jpg"),
            ("holidays", &long),
            ("holidays", &long[1..]),
        ];
        let copies: BTreeSet<_> = keys
            .iter()
            .map(|(bucket, key)| copy_key(&owner(), bucket, key))
            .collect();
        assert_eq!(copies.len(), keys.len());
        for key in &copies {
            let parsed = ImageKey::parse("pictures", key).unwrap();
            assert_eq!(parsed.owner, owner());
            assert!(!parsed.is_created_by_api() && key.len() <= MAX_KEY_BYTES, "{key}");
        }
    }

    #[test]
    fn a_copy_with_a_long_key_keeps_the_files_name_if_it_fits() {
        let key = format!("{}/cat.jpg", "x".repeat(1000));
        let copied = copy_key(&owner(), "holidays", &key);
        assert!(copied.ends_with("/cat.jpg") && copied.len() < 150, "{copied}");
    }

    #[test]
    fn step_functions_passes_a_batch_and_the_emulator_a_single_object() {
        let single: ImportBatch = serde_json::from_value(item("a.jpg")).unwrap();
        assert_eq!(single.objects.len(), 1);
        assert_eq!(single.objects[0].size, Some(5));
        let items = json!({"Items": [item("a.jpg"), item("b.jpg")]});
        let batch: ImportBatch = serde_json::from_value(items).unwrap();
        assert_eq!(batch.objects.len(), 2);
        assert_eq!(batch.import, single.import);
        assert_eq!(batch.name, single.name, "named by its first object");
        assert_eq!(batch.import.bucket, "holidays");
    }

    #[test]
    fn every_form_of_a_batch_says_how_often_it_was_tried() {
        let first: ImportBatch = serde_json::from_value(item("a.jpg")).unwrap();
        let mut single = item("a.jpg");
        for mut form in [
            single.take(),
            json!({"Items": [item("a.jpg")]}),
            serde_json::to_value(&first).unwrap(),
        ] {
            form["retries"] = json!(3);
            let batch: ImportBatch = serde_json::from_value(form).unwrap();
            assert_eq!((batch.retries, batch.objects.len()), (3, 1));
            assert!(serde_json::to_value(&batch).unwrap().get("retries").is_none());
        }
        assert_eq!(first.retries, 0);
    }

    #[test]
    fn the_next_part_of_a_batch_reads_what_the_last_one_has_returned() {
        let mut batch: ImportBatch = serde_json::from_value(item("a.jpg")).unwrap();
        batch.counts.count(ImportResult::Failed);
        batch.failures.push(ImportFailure {
            key: "b".into(),
            reason: FailureReason::ObjectChanged,
        });
        let json = serde_json::to_value(&batch).unwrap();
        assert_eq!(serde_json::from_value::<ImportBatch>(json).unwrap(), batch);
    }

    #[test]
    fn an_empty_batch_and_one_without_a_job_are_invalid() {
        let error = |value: Value| {
            serde_json::from_value::<ImportBatch>(value)
                .unwrap_err()
                .to_string()
        };
        assert!(error(json!({"Items": []})).contains("at least one object"));
        assert!(error(json!({"object": {"Key": "a"}})).contains("jobId"));
        assert!(error(json!({})).contains("missing field"));
    }

    /// A misspelled prefix would import the whole bucket.
    #[test]
    fn unknown_fields_of_a_request_are_an_error() {
        let request = json!({"owner": "demo", "bucket": "holidays", "prefx": "2019/"});
        let error = serde_json::from_value::<ImportRequest>(request).unwrap_err();
        assert!(error.to_string().contains("prefx"), "{error}");
    }

    #[test]
    fn a_failure_can_be_read_as_an_object_of_the_next_import() {
        let failure = ImportFailure {
            key: "a b".into(),
            reason: FailureReason::AccessDenied,
        };
        let line = serde_json::to_value(failure).unwrap();
        assert_eq!(line, json!({"Key": "a b", "reason": "AccessDenied"}));
        let object: SourceObject = serde_json::from_value(line).unwrap();
        assert_eq!((object.key.as_str(), object.etag), ("a b", None));
    }

    #[test]
    fn the_counts_add_up() {
        let mut counts = ImportCounts::default();
        for result in [
            ImportResult::Imported,
            ImportResult::Skipped,
            ImportResult::Deleted,
            ImportResult::NotPicture,
            ImportResult::Failed,
        ] {
            counts.count(result);
        }
        counts += counts;
        assert_eq!(counts.objects(), 10);
        assert_eq!((counts.imported, counts.failed), (2, 2));
    }

    #[test]
    fn results_are_no_uploads_and_are_below_their_owners_prefix() {
        let batch: ImportBatch = serde_json::from_value(item("a.jpg")).unwrap();
        for key in [batch.result_key(), batch.failed_key()] {
            assert!(key.starts_with(&owner_prefix(&owner())), "{key}");
            assert!(!key.starts_with(UPLOADS_PREFIX), "{key}");
        }
    }
}
