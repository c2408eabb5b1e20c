//! The names of all attributes. The names for an image's record equal the serialized field names of
//! `domain::ImageRecord`. A test compares them.

use crate::expression::Name;

pub(crate) const PARTITION_KEY: Name = domain::table::PARTITION_KEY;
pub(crate) const SORT_KEY: Name = domain::table::SORT_KEY;
pub(crate) const HISTORY: Name = domain::table::HISTORY;

pub(crate) const ANSWER: Name = "answer";
pub(crate) const BUCKET: Name = "bucket";
pub(crate) const CHECKSUM: Name = "checksum";
pub(crate) const CORRECTIONS: Name = "corrections";
pub(crate) const COUNTED_MINUTES: Name = "countedMinutes";
pub(crate) const CREATED_AT: Name = domain::table::CREATED_AT;
pub(crate) const ERROR: Name = "error";
pub(crate) const EXECUTION: Name = "execution";
pub(crate) const EXECUTION_ARN: Name = "executionArn";
pub(crate) const EXPIRES_AT: Name = "expiresAt";
pub(crate) const FILE_NAME: Name = "fileName";
pub(crate) const FORMAT: Name = "format";
pub(crate) const HEIGHT: Name = "height";
pub(crate) const IMAGE_ID: Name = "imageId";
pub(crate) const INCOMPLETE: Name = "incomplete";
pub(crate) const KEY: Name = "key";
pub(crate) const LABELS: Name = "labels";
pub(crate) const LABEL_ROWS: Name = "labelRows";
pub(crate) const METADATA: Name = "metadata";
pub(crate) const MULTIPART: Name = "multipart";
pub(crate) const MODIFIED_AT: Name = "modifiedAt";
pub(crate) const MODEL_VERSION: Name = "modelVersion";
pub(crate) const OWNER: Name = "owner";
pub(crate) const ROWS_CHANGING: Name = "rowsChanging";
pub(crate) const SEQUENCER: Name = "sequencer";
pub(crate) const SIZE: Name = "size";
pub(crate) const STATUS: Name = "status";
pub(crate) const THUMBNAILS: Name = "thumbnails";
pub(crate) const THUMBNAILS_ERROR: Name = "thumbnailsError";
pub(crate) const TYPE: Name = "type";
pub(crate) const UPDATED_AT: Name = "updatedAt";
pub(crate) const UTC_OFFSET: Name = "utcOffset";
pub(crate) const VIDEO: Name = "video";
pub(crate) const WIDTH: Name = "width";

// The attribute of an owner's settings.
pub(crate) const VERSION: Name = "version";

// Attributes of a job.
pub(crate) const AFTER: Name = "after";
pub(crate) const CHANGED: Name = "changed";
pub(crate) const FILES: Name = "files";
pub(crate) const IS_UNDONE: Name = "isUndone";
pub(crate) const PENDING: Name = "pending";
pub(crate) const IMPORT: Name = "import";
pub(crate) const PROCESSED: Name = "processed";
pub(crate) const TOTAL: Name = "total";
pub(crate) const WAITS_UNTIL: Name = "waitsUntil";

// An attribute of an undo item.
pub(crate) const INVERSE: Name = "inverse";

// The attribute of the pace of bulk work.
pub(crate) const NEXT: Name = "next";

// Attributes of a Rekognition Video job.
pub(crate) const ATTEMPT: Name = "attempt";
pub(crate) const JOB_ID: Name = "jobId";
pub(crate) const ROUND: Name = "round";
pub(crate) const TASK_TOKEN: Name = "taskToken";

// The attribute of the Rekognition Video jobs that an owner has in progress.
pub(crate) const LEASES: Name = "leases";

// Attributes of the reconciler's cursor.
pub(crate) const HOLDER: Name = "holder";
pub(crate) const PASS: Name = "pass";
pub(crate) const UNTIL: Name = "until";

// Attributes of a label row.
pub(crate) const CONFIDENCE: Name = domain::table::CONFIDENCE;
pub(crate) const LABEL: Name = "label";

// Attributes of a label count.
pub(crate) const ALIASES: Name = "aliases";
pub(crate) const CATEGORIES: Name = "categories";
pub(crate) const COUNT: Name = "count";
pub(crate) const NAME: Name = "name";
pub(crate) const PARENTS: Name = "parents";
