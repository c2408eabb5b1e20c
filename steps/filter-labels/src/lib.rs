//! Decides which of the detected labels count: applies the owner's settings and the owner's corrections of the image.
//!
//! Input: [`domain::DetectedImage`]. Output: [`domain::PersistInput::Labeled`].

use domain::policy::PolicyError;
use domain::{Criteria, DetectedImage, ErrorName, FilterPolicy, FilteredImage, PersistInput, StepError};
use records::{Records, RecordsError};
use std::collections::HashSet;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct FilterLabels {
    /// Reads the owner's settings and the image's corrections.
    pub records: Records,
    /// The filter policy for owners without settings.
    pub default_policy: FilterPolicy,
}

/// Why the labels were not filtered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum FilterLabelsError {
    /// The policy is invalid.
    #[error("the filter policy cannot be applied: {0}")]
    Policy(#[from] PolicyError),
    /// The settings or the record are invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

impl StepError for FilterLabelsError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Policy(_) => ErrorName::InvalidInput,
            Self::Records(error) => error.name(),
        }
    }
}

/// Separates the labels that count from the others.
///
/// # Errors
/// See [`FilterLabelsError`].
pub async fn handle(step: &FilterLabels, detected: DetectedImage) -> Result<PersistInput, FilterLabelsError> {
    let claim = &detected.image.claim;
    let records = &step.records;
    let criteria = records
        .criteria(&claim.owner, claim.image_id, &step.default_policy)
        .await?;
    filter(detected, criteria)
}

fn filter(detected: DetectedImage, mut criteria: Criteria) -> Result<PersistInput, FilterLabelsError> {
    criteria.settings.policy = criteria.settings.policy.check()?;
    let counted = criteria.labels_that_count(&detected.labels);
    let sources: HashSet<&str> = counted
        .iter()
        .flat_map(domain::record::RecordedLabel::sources)
        .collect();
    let (labels, others) = detected
        .labels
        .into_iter()
        .partition(|label| sources.contains(label.name.as_str()));
    Ok(PersistInput::Labeled(FilteredImage {
        image: detected.image,
        labels,
        others,
        counted: Some(counted),
        model_version: detected.model_version,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{Corrections, Settings};
    use serde_json::{Value, json};

    fn detected() -> DetectedImage {
        let label = |name: &str, confidence: f64| json!({"name": name, "confidence": confidence});
        serde_json::from_value(json!({
            "image": {
                "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "b",
                "key": "uploads/demo/x", "size": 1, "format": "JPEG", "width": 100, "height": 100,
                "policy": {"minConfidence": 0, "maxLabels": 100}, "executionArn": "arn",
            },
            "labels": [label("Cat", 90.0), label("Sofa", 80.0), label("Dog", 60.0)],
            "modelVersion": "3.0",
        }))
        .unwrap()
    }

    fn criteria(policy: &Value, added: &[&str]) -> Criteria {
        Criteria {
            settings: Settings::new(serde_json::from_value(policy.clone()).unwrap()),
            keywords: vec![],
            corrections: Corrections {
                added: added.iter().map(ToString::to_string).collect(),
                removed: vec![],
            },
        }
    }

    #[test]
    fn the_answer_is_kept_and_the_labels_that_count_are_named() {
        let criteria = criteria(&json!({"minConfidence": 70, "maxLabels": 10}), &["Home"]);
        let input = filter(detected(), criteria).unwrap();
        let json = serde_json::to_value(&input).unwrap();
        assert_eq!(json["status"], "LABELED");
        let names = |list: &str| -> Vec<Value> {
            let labels = json[list].as_array().unwrap().iter();
            labels.map(|label| label["name"].clone()).collect()
        };
        assert_eq!(names("labels"), ["Cat", "Sofa"]);
        assert_eq!(names("others"), ["Dog"]);
        assert_eq!(names("counted"), ["Home", "Cat", "Sofa"]);
        assert_eq!(serde_json::from_value::<PersistInput>(json).unwrap(), input);
        let PersistInput::Labeled(filtered) = input else {
            panic!("rejected")
        };
        assert_eq!(filtered.answer(), detected().labels);
    }

    #[test]
    fn rejects_a_policy_that_is_out_of_range() {
        let criteria = criteria(&json!({"minConfidence": 170, "maxLabels": 10}), &[]);
        let error = filter(detected(), criteria).unwrap_err();
        assert_eq!(error.name(), ErrorName::InvalidInput);
        assert!(error.to_string().contains("minConfidence"));
    }
}
