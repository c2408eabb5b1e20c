//! Keeps the labels that the owner's filter policy selects. Calls no AWS service.
//!
//! Input: [`domain::DetectedImage`]. Output: [`domain::PersistInput::Labeled`].

use domain::{DetectedImage, ErrorName, PersistInput, StepError};

/// The policy is invalid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the filter policy cannot be applied: {0}")]
pub struct FilterLabelsError(#[from] domain::policy::PolicyError);

impl StepError for FilterLabelsError {
    fn name(&self) -> ErrorName {
        ErrorName::InvalidInput
    }
}

/// Keeps the selected labels, highest confidence first.
///
/// # Errors
/// A value of the policy is out of range.
pub fn handle(detected: DetectedImage) -> Result<PersistInput, FilterLabelsError> {
    let policy = detected.image.policy.clone().check()?;
    let labels = policy.apply(detected.labels);
    Ok(PersistInput::Labeled(DetectedImage { labels, ..detected }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn detected(policy: &Value) -> DetectedImage {
        let label = |name: &str, confidence: f64| json!({"name": name, "confidence": confidence});
        serde_json::from_value(json!({
            "image": {
                "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "b",
                "key": "uploads/demo/x", "size": 1, "format": "JPEG", "width": 100, "height": 100,
                "policy": policy, "executionArn": "arn",
            },
            "labels": [label("Cat", 90.0), label("Dog", 60.0), label("Sofa", 80.0)],
            "modelVersion": "3.0",
        }))
        .unwrap()
    }

    #[test]
    fn outputs_the_kept_labels_with_the_status_labeled() {
        let input = handle(detected(&json!({"minConfidence": 70, "maxLabels": 10}))).unwrap();
        let json = serde_json::to_value(&input).unwrap();
        assert_eq!(json["status"], "LABELED");
        let names: Vec<_> = json["labels"]
            .as_array()
            .unwrap()
            .iter()
            .map(|label| &label["name"])
            .collect();
        assert_eq!(names, ["Cat", "Sofa"]);
        assert_eq!(serde_json::from_value::<PersistInput>(json).unwrap(), input);
    }

    #[test]
    fn rejects_a_policy_that_is_out_of_range() {
        let error = handle(detected(&json!({"minConfidence": 170, "maxLabels": 10}))).unwrap_err();
        assert_eq!(error.name(), ErrorName::InvalidInput);
        assert!(error.to_string().contains("minConfidence"));
    }
}
