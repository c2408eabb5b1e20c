//! The keys of the table: one partition an owner, one an owner and label.

use crate::image::{ImageId, Owner};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// Names of the key attributes.
pub const PARTITION_KEY: &str = "pk";
/// See [`PARTITION_KEY`].
pub const SORT_KEY: &str = "sk";
/// The attribute that sorts an owner's images by time.
pub const HISTORY: &str = "history";

/// The secondary index of [`HISTORY`], within an owner's partition.
pub const HISTORY_INDEX: &str = "history";
/// The sort key of an owner's settings.
pub const SETTINGS: &str = "SETTINGS";

/// The sort keys of images' records begin with it.
pub const IMAGES: &str = "IMAGE#";
/// The sort keys of label counts begin with it.
pub const LABEL_COUNTS: &str = "LABEL#";

/// A partition key may have 2,048 bytes, and keys of objects let an owner have a thousand.
const LONGEST_PART: usize = 512;

/// The partition of an owner's records.
pub fn owner_partition(owner: &Owner) -> String {
    format!("OWNER#{}", escape(owner.as_str()))
}

/// The partition of an owner's images that have a label. Case-insensitive, as people search.
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

/// The sort key of a label's count. Case-insensitive, as people search.
pub fn label_count_sort(label: &str) -> String {
    format!("{LABEL_COUNTS}{}", escape(&label.to_lowercase()))
}

/// The sort key of an owner's uploads of a day. `date` is ISO 8601, UTC.
pub fn quota_sort(date: &str) -> String {
    format!("QUOTA#{date}")
}

/// Sorts an owner's images by time: ids derived from keys do not. `created_at` is ISO 8601, UTC,
/// with milliseconds.
pub fn history_sort(created_at: &str, image_id: ImageId) -> String {
    format!("{created_at}#{image_id}")
}

/// Makes a part of a key from any text, so that no text can spell another's: `#` separates parts
/// and `%` escapes, so neither is left. What is too long is replaced by its SHA-256.
fn escape(text: &str) -> String {
    let escaped = text.replace('%', "%25").replace('#', "%23");
    if escaped.len() <= LONGEST_PART {
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
    fn no_owner_can_spell_the_partition_of_anothers_label() {
        assert_ne!(
            owner_partition(&owner("a#LABEL#Cat")),
            label_partition(&owner("a"), "Cat")
        );
        assert_ne!(owner_partition(&owner("a%23")), owner_partition(&owner("a#")));
    }

    #[test]
    fn a_label_is_found_however_it_is_capitalized() {
        assert_eq!(
            label_partition(&owner("a"), "Coffee Cup"),
            label_partition(&owner("a"), "coffee cup")
        );
        assert_eq!(label_count_sort("TV"), label_count_sort("tv"));
    }

    #[test]
    fn the_longest_legal_owner_and_label_fit_a_partition_key() {
        let long = owner(&"#".repeat(1014));
        assert!(label_partition(&long, &"%".repeat(1000)).len() <= 2048);
        assert_ne!(owner_partition(&long), owner_partition(&owner(&"#".repeat(1013))));
        let spelled = escape(&"#".repeat(1014));
        assert_ne!(owner_partition(&owner(&spelled)), owner_partition(&long));
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
