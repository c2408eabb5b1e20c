//! Which of an owner's images a search finds.

use crate::{ImageRecord, MediaType, Status};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Alternatives, with the minimum confidence of each in percent: an image matches if it has one of them. Names are in
/// lower case.
pub type Alternatives = BTreeMap<String, Option<f64>>;

/// A search. An image must match all parts. The default finds all images whose files have arrived.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Search {
    /// The image's status. Absent: all except `AWAITING_UPLOAD`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// Only pictures, or only videos.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub media_type: Option<MediaType>,
    /// An image must match each of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Alternatives>,
    /// Labels that the image must not have, in lower case.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub without: BTreeSet<String>,
    /// Only labeled images without labels.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub untagged: bool,
    /// Prefix of the capture time: a year, month or day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken: Option<String>,
    /// Only images with a label of at least this confidence in percent. Without effect if there are `labels`, which have
    /// their own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_confidence: Option<f64>,
    /// Only images with this [`ImageRecord::time`] or a later one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Only images with an earlier [`ImageRecord::time`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
}

impl Search {
    /// Whether the image with this record matches. While an image is relabeled, its record has the previous labels.
    pub fn matches(&self, record: &ImageRecord) -> bool {
        let time = record.time();
        let is_in_time = self.from.as_deref().is_none_or(|from| time >= from)
            && self.to.as_deref().is_none_or(|to| time < to);
        is_in_time
            && self.labels.iter().all(|any| has_any(record, any))
            && self.matches_without_labels(record)
    }

    /// The same, apart from `labels`, `from` and `to`. For callers that find images by these.
    pub fn matches_without_labels(&self, record: &ImageRecord) -> bool {
        let labels = record.labels.as_deref().unwrap_or_default();
        let has_status = match self.status {
            Some(status) => record.status == status,
            None => !matches!(record.status, Status::AwaitingUpload | Status::Deleted),
        };
        let is_excluded = !self.without.is_empty()
            && labels
                .iter()
                .any(|label| self.without.contains(&label.name.to_lowercase()));
        let is_confident = !self.labels.is_empty()
            || self
                .min_confidence
                .is_none_or(|min| labels.iter().any(|label| label.confidence.percent() >= min));
        let is_untagged = record.status == Status::Labeled && labels.is_empty();
        let taken_at = record
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.taken_at.as_ref());
        let was_taken = self
            .taken
            .as_ref()
            .is_none_or(|time| taken_at.is_some_and(|taken_at| taken_at.starts_with(time)));
        let has_type = self
            .media_type
            .is_none_or(|media_type| record.media_type == media_type);
        has_status && has_type && !is_excluded && is_confident && (is_untagged || !self.untagged) && was_taken
    }
}

fn has_any(record: &ImageRecord, alternatives: &Alternatives) -> bool {
    let labels = record.labels.as_deref().unwrap_or_default();
    labels
        .iter()
        .any(|label| match alternatives.get(&label.name.to_lowercase()) {
            Some(Some(min)) => label.confidence.percent() >= *min,
            Some(None) => true,
            None => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn record(change: &Value) -> ImageRecord {
        let mut record = json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "LABELED",
            "createdAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:05.250Z",
            "history": "2015-07-13T18:20:00.000#0193a5a0-0000-7000-8000-000000000001",
            "key": "uploads/demo/a.jpg", "bucket": "pictures", "metadata": {"takenAt": "2015-07-13T18:20:00+02:00"},
            "labels": [
                {"name": "Squirrel", "confidence": 70.5},
                {"name": "Animal", "confidence": 99.0},
                {"name": "Tree", "confidence": 80.0},
            ],
        });
        for (name, value) in change.as_object().unwrap() {
            record[name] = value.clone();
        }
        serde_json::from_value(record).unwrap()
    }

    fn search(search: Value) -> Search {
        serde_json::from_value(search).unwrap()
    }

    #[test]
    fn each_part_of_a_search_must_match() {
        let labeled = record(&json!({}));
        for (matching, other) in [
            (json!({"status": "LABELED"}), json!({"status": "FAILED"})),
            (json!({"type": "PICTURE"}), json!({"type": "VIDEO"})),
            (
                json!({"labels": [{"animal": 99.0}]}),
                json!({"labels": [{"animal": 99.01}]}),
            ),
            (
                json!({"labels": [{"cat": null, "tree": null}, {"animal": null}]}),
                json!({"labels": [{"cat": null}, {"animal": null}]}),
            ),
            (json!({"without": ["cat"]}), json!({"without": ["cat", "tree"]})),
            (json!({}), json!({"untagged": true})),
            (json!({"taken": "2015-07"}), json!({"taken": "2015-08"})),
            // The highest confidence can be that of any label.
            (json!({"minConfidence": 99.0}), json!({"minConfidence": 99.01})),
            (
                json!({"from": "2015-07-13T18:20:00.000"}),
                json!({"from": "2015-07-13T18:20:00.001"}),
            ),
            (
                json!({"to": "2015-07-13T18:20:00.001"}),
                json!({"to": "2015-07-13T18:20:00.000"}),
            ),
        ] {
            assert!(search(matching.clone()).matches(&labeled), "{matching}");
            assert!(!search(other.clone()).matches(&labeled), "{other}");
        }
        let untagged = record(&json!({"labels": []}));
        assert!(search(json!({"untagged": true})).matches(&untagged));
    }

    #[test]
    fn images_without_a_file_are_found_only_by_their_status() {
        let awaiting = record(&json!({"status": "AWAITING_UPLOAD"}));
        assert!(!Search::default().matches(&awaiting));
        assert!(search(json!({"status": "AWAITING_UPLOAD"})).matches(&awaiting));
        assert!(!Search::default().matches(&record(&json!({"status": "DELETED"}))));
    }

    #[test]
    fn a_search_is_read_as_it_was_stored() {
        for original in [
            Search::default(),
            search(json!({"labels": [{"cat": 90.5, "dog": null}], "without": ["person"], "taken": "2015"})),
        ] {
            let stored = serde_json::to_value(&original).unwrap();
            assert_eq!(serde_json::from_value::<Search>(stored).unwrap(), original);
        }
    }
}
