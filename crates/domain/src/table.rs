//! The keys of the table. Each owner has a partition, and so has each label of an owner.

use crate::image::{ImageId, Owner};
use crate::job::JobId;
use sha2::{Digest, Sha256};
use std::fmt::Write;
use uuid::Uuid;

/// The attribute that is the partition key.
pub const PARTITION_KEY: &str = "pk";
/// The attribute that is the sort key.
pub const SORT_KEY: &str = "sk";
/// The attribute that sorts an owner's images by time.
pub const HISTORY: &str = "history";
/// The attribute with the time of an image's upload. No other item has it.
pub const CREATED_AT: &str = "createdAt";
/// The attribute with the confidence in a label row. No other item has it.
pub const CONFIDENCE: &str = "confidence";

/// The secondary index that sorts by [`HISTORY`] within an owner's partition.
pub const HISTORY_INDEX: &str = "history";
/// The secondary index that sorts by the file's checksum within an owner's partition.
pub const CHECKSUM_INDEX: &str = "checksum";
/// The secondary index that sorts images by [`CREATED_AT`] within an owner's partition.
pub const ADDED_INDEX: &str = "added";
/// The secondary index that sorts a label's rows by [`CONFIDENCE`].
pub const CONFIDENCE_INDEX: &str = "confidence";
/// The partition of items that belong to the whole stack and not to an owner.
pub const STACK_PARTITION: &str = "STACK";
/// The sort key of an owner's settings.
pub const SETTINGS: &str = "SETTINGS";

/// The sort key of the pace (the rate limiter of bulk work), in the partition of the stack.
pub const PACE: &str = "PACE";

/// The sort key of the cursor of the reconciler, in the partition of the stack. The cursor of a pass over one owner has the same
/// sort key in the owner's partition.
pub const RECONCILIATION: &str = "RECONCILIATION";
/// The sort key of the reconciler's cursor in a pass without repairs.
pub const RECONCILIATION_TRIAL: &str = "RECONCILIATION#TRIAL";

/// The prefix of the sort keys of images' records.
pub const IMAGES: &str = "IMAGE#";
/// The prefix of the sort keys of label counts.
pub const LABEL_COUNTS: &str = "LABEL#";

/// The prefix of the sort keys of jobs.
pub const JOBS: &str = "JOB#";

/// The prefix of the sort keys of undo items.
pub const UNDO: &str = "UNDO#";

/// The sort key of the only item in the partition of a Rekognition Video job.
pub const VIDEO_JOB: &str = "VIDEO_JOB";

/// The sort key of the Rekognition Video jobs that an owner has in progress.
pub const VIDEO_LEASES: &str = "VIDEO_LEASES";

/// The maximum length of a part of a key, in bytes. A partition key can have 2,048 bytes, and an owner in an object's
/// key about 1,000.
const MAX_PART_BYTES: usize = 512;

/// The partition of an owner's items.
pub fn owner_partition(owner: &Owner) -> String {
    format!("OWNER#{}", escape(owner.as_str()))
}

/// The partition of the rows of an owner's label. Case-insensitive, like the search.
pub fn label_partition(owner: &Owner, label: &str) -> String {
    format!(
        "{}#LABEL#{}",
        owner_partition(owner),
        escape(&label.to_lowercase())
    )
}

/// The sort key of an image's record.
pub fn image_sort(image_id: ImageId) -> String {
    format!("{IMAGES}{image_id}")
}

/// The sort key of an image's result.
pub fn result_sort(image_id: ImageId) -> String {
    format!("RESULT#{image_id}")
}

/// The sort key of a job. Later jobs sort after earlier ones.
pub fn job_sort(job_id: JobId) -> String {
    format!("{JOBS}{job_id}")
}

/// The prefix of the sort keys of a job's undo items, one for each image.
pub fn undo_prefix(job_id: JobId) -> String {
    format!("{UNDO}{job_id}#")
}

/// The sort key of the undo item of a job and an image.
pub fn undo_sort(job_id: JobId, image_id: ImageId) -> String {
    format!("{}{image_id}", undo_prefix(job_id))
}

/// The sort key of a label's count. Case-insensitive, like the search.
pub fn label_count_sort(label: &str) -> String {
    format!("{LABEL_COUNTS}{}", escape(&label.to_lowercase()))
}

/// The sort key of the number of images that were labeled on a day, for an owner or for the whole stack. `date` is ISO
/// 8601, UTC.
pub fn quota_sort(date: &str) -> String {
    format!("QUOTA#{date}")
}

/// The sort key of the minutes of video that were labeled on a day, in the same way.
pub fn video_quota_sort(date: &str) -> String {
    format!("QUOTA#VIDEO#{date}")
}

/// The partition of the Rekognition Video job that an execution waits for. It is found by the job's name, which does not
/// contain the owner.
pub fn video_job_partition(execution: Uuid) -> String {
    format!("VIDEO_JOB#{execution}")
}

/// The value of [`HISTORY`], and the sort key of the image's label rows. It sorts an owner's images by time, which ids
/// that are derived from keys do not. `time` is ISO 8601 with milliseconds, without a zone. A `Z` is ignored.
pub fn history_sort(time: &str, image_id: ImageId) -> String {
    format!("{}#{image_id}", without_zone(time))
}

/// The time of a place in the history. Version 0.2.0 stored the time of the upload with its zone, a `Z`.
pub fn without_zone(time: &str) -> &str {
    time.strip_suffix('Z').unwrap_or(time)
}

/// Escapes a text for use as a part of a key, so that different texts give different parts. Parts are separated by `#`
/// and escaped with `%`, so both characters are escaped. A text that is too long is replaced by its SHA-256.
fn escape(text: &str) -> String {
    let escaped = text.replace('%', "%25").replace('#', "%23");
    if escaped.len() <= MAX_PART_BYTES {
        return escaped;
    }
    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::from("%sha256:"), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn owner(text: &str) -> Owner {
        Owner::new(text).unwrap()
    }

    #[test]
    fn an_owners_name_cannot_imitate_another_owners_label_partition() {
        assert_ne!(
            owner_partition(&owner("a#LABEL#Cat")),
            label_partition(&owner("a"), "Cat")
        );
        assert_ne!(owner_partition(&owner("a%23")), owner_partition(&owner("a#")));
    }

    #[test]
    fn label_keys_are_case_insensitive() {
        assert_eq!(
            label_partition(&owner("a"), "Coffee Cup"),
            label_partition(&owner("a"), "coffee cup")
        );
        assert_eq!(label_count_sort("TV"), label_count_sort("tv"));
    }

    #[test]
    fn the_longest_owner_and_label_fit_a_partition_key() {
        let long = owner(&"#".repeat(1014));
        assert!(label_partition(&long, &"%".repeat(1000)).len() <= 2048);
        assert_ne!(owner_partition(&long), owner_partition(&owner(&"#".repeat(1013))));
        let escaped = escape(&"#".repeat(1014));
        assert_ne!(owner_partition(&owner(&escaped)), owner_partition(&long));
    }

    proptest! {
        #[test]
        fn different_owners_and_labels_have_different_partitions(
            pairs in proptest::collection::hash_set(("[a#%/l]{1,6}", "[a#%l]{1,6}"), 1..20)
        ) {
            let pairs: Vec<_> = pairs.into_iter().filter(|(o, _)| !o.contains('/')).collect();
            let keys: HashSet<_> = pairs.iter().map(|(o, l)| label_partition(&owner(o), l)).collect();
            prop_assert_eq!(keys.len(), pairs.len());
        }
    }
}
