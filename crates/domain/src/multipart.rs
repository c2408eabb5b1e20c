//! Multipart uploads.

use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Size of the parts of new uploads in bytes: 8 MB. Small enough that a lost connection costs little and that a page can
/// hold a few parts in memory, large enough for [`video::MAX_BYTES`](crate::video::MAX_BYTES) in 1,280 parts. S3 accepts
/// parts of at least 5 MB, except for the last one, and 10,000 of them. Source: S3 User Guide, "Amazon S3 multipart upload
/// limits".
pub const PART_BYTES: u64 = 8 * 1024 * 1024;

/// A multipart upload that is not complete, as stored in the record of its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MultipartUpload {
    /// S3's id of the upload.
    pub upload_id: String,
    /// The size of each part except the last one, in bytes. Stored, because it can differ between releases.
    pub part_size: u64,
}

impl MultipartUpload {
    /// The number of parts of a file with this size in bytes. They are numbered from 1.
    pub fn part_count(&self, size: u64) -> u64 {
        size.div_ceil(self.part_size)
    }

    /// The size of a part in bytes. `None` if the file has no such part.
    pub fn part_length(&self, size: u64, number: u64) -> Option<u64> {
        part_range(size, self.part_size, number).map(|range| range.end - range.start)
    }
}

/// The bytes of a part, of a file with this size that is divided into parts of `part_size` bytes. `None` if the file has no such
/// part. Parts are numbered from 1.
pub fn part_range(size: u64, part_size: u64, number: u64) -> Option<Range<u64>> {
    let start = number.checked_sub(1)?.checked_mul(part_size)?;
    let end = start.saturating_add(part_size).min(size);
    (start < end).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video;

    fn upload() -> MultipartUpload {
        MultipartUpload {
            upload_id: "a".into(),
            part_size: PART_BYTES,
        }
    }

    #[test]
    fn the_parts_of_a_file_are_the_whole_file() {
        for size in [
            1,
            PART_BYTES - 1,
            PART_BYTES,
            PART_BYTES + 1,
            3 * PART_BYTES,
            video::MAX_BYTES,
        ] {
            let count = upload().part_count(size);
            let lengths: Vec<_> = (1..=count)
                .map(|number| upload().part_length(size, number).unwrap())
                .collect();
            assert_eq!(lengths.iter().sum::<u64>(), size);
            let (last, others) = lengths.split_last().unwrap();
            assert!(
                *last > 0 && others.iter().all(|length| *length == PART_BYTES),
                "{size}"
            );
            assert_eq!(upload().part_length(size, count + 1), None);
            assert_eq!(upload().part_length(size, 0), None);
            assert_eq!(upload().part_length(size, u64::MAX), None);
            // S3's limit.
            assert!(count <= 10_000);
        }
    }
}
