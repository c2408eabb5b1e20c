//! Exports: files with the labels of an owner's images, written by a bulk job.

use crate::bulk::Selection;
use crate::image::{ImageId, Owner};
use crate::job::JobId;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use strum::EnumIter;

/// The keys of all exported files start with this prefix. It is outside `uploads/`, so that no file starts an execution.
pub const EXPORTS_PREFIX: &str = "exports/";

/// How long files are kept. The lifecycle rule of the bucket in `template.yaml` deletes them.
pub const FILES_KEPT_FOR: SignedDuration = SignedDuration::from_hours(7 * 24);

/// The maximum number of files of an export. Their list is in the state of the execution, which can have 256 KiB, and in the
/// job's record.
pub const MAX_FILES: usize = 200;

/// The maximum number of exports of an owner that run at the same time.
pub const MAX_RUNNING_EXPORTS: usize = 3;

/// The format of exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum ExportFormat {
    /// A table with a row for each label of each image.
    Csv,
    /// A document with everything that the API shows about each image.
    Json,
    /// A ZIP with an XMP sidecar for each image that has labels. Photo programs read the labels as keywords.
    Xmp,
}

impl ExportFormat {
    /// The format with this name, such as `CSV`.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "CSV" => Some(Self::Csv),
            "JSON" => Some(Self::Json),
            "XMP" => Some(Self::Xmp),
            _ => None,
        }
    }

    /// The MIME type of the files.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Json => "application/json",
            Self::Xmp => "application/zip",
        }
    }

    /// The file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
            Self::Xmp => "zip",
        }
    }
}

/// What an export contains, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Export {
    /// The format of the files.
    pub format: ExportFormat,
    /// The images.
    pub selection: Selection,
}

/// A file of an export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportFile {
    /// The last part of the key.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// The number of images in the file.
    pub images: u64,
}

impl ExportFile {
    /// The name of a file: its number, counted from 1, and the last image that was read for it, or `end`.
    ///
    /// A part of the job that is repeated after a failure can read more or fewer images than before. It overwrites its file
    /// only if both contain the same range of images. Otherwise, a slow first attempt could overwrite the file of the
    /// second one, and images would be missing.
    pub fn name(number: usize, last: Option<ImageId>) -> String {
        match last {
            Some(last) => format!("{number}-{last}"),
            None => format!("{number}-end"),
        }
    }

    /// The object's key.
    pub fn key(&self, owner: &Owner, job_id: JobId) -> String {
        format!("{}{}", files_prefix(owner, job_id), self.name)
    }
}

/// The prefix of the keys of an export's files.
pub fn files_prefix(owner: &Owner, job_id: JobId) -> String {
    format!("{}{job_id}/", owner_prefix(owner))
}

/// The prefix of the keys of the files of all of an owner's exports.
pub fn owner_prefix(owner: &Owner) -> String {
    format!("{EXPORTS_PREFIX}{}/", owner.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::UPLOADS_PREFIX;
    use crate::label::json_len;
    use strum::IntoEnumIterator;

    #[test]
    fn the_longest_list_of_files_fits_into_the_state_of_an_execution() {
        let file = ExportFile {
            name: ExportFile::name(MAX_FILES, Some(ImageId::new())),
            size: u64::MAX,
            images: u64::MAX,
        };
        assert!(json_len(&vec![file; MAX_FILES]) < 256 * 1024 / 4);
    }

    /// A file below `uploads/` would be labeled as a picture. One below the prefix of another owner would be deleted with theirs.
    #[test]
    fn files_are_no_uploads_and_are_below_their_owners_prefix() {
        let (owner, job_id) = (Owner::new("demo").unwrap(), JobId::new());
        let file = ExportFile {
            name: ExportFile::name(1, None),
            size: 0,
            images: 0,
        };
        let key = file.key(&owner, job_id);
        assert!(!key.starts_with(UPLOADS_PREFIX));
        assert_eq!(key, format!("exports/demo/{job_id}/1-end"));
        assert!(!key.starts_with(&owner_prefix(&Owner::new("dem").unwrap())));
    }

    #[test]
    fn every_format_is_read_by_its_name() {
        for format in ExportFormat::iter() {
            let name = serde_json::to_value(format).unwrap();
            assert_eq!(ExportFormat::parse(name.as_str().unwrap()), Some(format));
        }
        assert_eq!(ExportFormat::parse("csv"), None);
    }
}
