//! The filter policy, which decides which detected labels are kept.

use crate::label::{self, Label};
use serde::{Deserialize, Serialize};

/// The maximum number of labels that a policy can keep. Each label costs two written items in the table.
pub const MAX_LABELS: u32 = 100;

/// The maximum number of names in each list of a policy. Rekognition's own filters have the same limit. The list must
/// be limited because the state of an execution contains the policy and the labels.
pub const MAX_NAMES: usize = 100;

/// The maximum length of a name in a list of a policy, in characters. Rekognition's longest label is less than half as
/// long.
pub const MAX_NAME_LENGTH: usize = 100;

/// A label's name. Case-insensitive.
#[cfg(feature = "openapi")]
#[derive(utoipa::ToSchema)]
#[schema(
    min_length = 1,
    max_length = 100,
    pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$",
    examples("Coffee Cup")
)]
pub struct LabelName(
    /// The text.
    pub String,
);

/// An owner's filter policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FilterPolicy {
    /// Minimum confidence of a label, in percent: 0 to 100.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 100))]
    pub min_confidence: f64,
    /// Maximum number of labels, 1 to 100. The labels with the highest confidence are kept.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 100))]
    pub max_labels: u32,
    /// If not empty, only labels with these names are kept. Case-insensitive. At most 100 names.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required, max_items = 100, value_type = Vec<LabelName>))]
    pub include: Vec<String>,
    /// Labels with these names are never kept. Case-insensitive. At most 100 names.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required, max_items = 100, value_type = Vec<LabelName>))]
    pub exclude: Vec<String>,
}

/// Why a policy is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// `min_confidence` is not within 0 to 100.
    #[error("minConfidence must be a number from 0 to 100")]
    MinConfidence,
    /// `max_labels` is not within 1 to [`MAX_LABELS`].
    #[error("maxLabels must be a whole number from 1 to {MAX_LABELS}")]
    MaxLabels,
    /// The named list has more than [`MAX_NAMES`] names.
    #[error("{0} must have at most {MAX_NAMES} label names")]
    TooManyNames(&'static str),
    /// A name in the named list is empty, longer than [`MAX_NAME_LENGTH`] or contains control characters.
    #[error("{0} must have label names of 1 to {MAX_NAME_LENGTH} characters without control characters")]
    Name(&'static str),
}

impl FilterPolicy {
    /// Checks the ranges and the lengths of the lists. Returns the policy unchanged.
    ///
    /// # Errors
    /// The error of the first invalid field.
    pub fn check(self) -> Result<Self, PolicyError> {
        let first = self.errors().next();
        first.map_or(Ok(self), Err)
    }

    /// One error for each invalid field.
    pub fn errors(&self) -> impl Iterator<Item = PolicyError> {
        let is_confidence = (0.0..=100.0).contains(&self.min_confidence);
        let is_count = (1..=MAX_LABELS).contains(&self.max_labels);
        [
            (!is_confidence).then_some(PolicyError::MinConfidence),
            (!is_count).then_some(PolicyError::MaxLabels),
            check_names("include", &self.include),
            check_names("exclude", &self.exclude),
        ]
        .into_iter()
        .flatten()
    }

    /// The labels that the policy keeps, highest confidence first.
    pub fn apply(&self, labels: Vec<Label>) -> Vec<Label> {
        let names = |list: &[String]| list.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>();
        let (include, exclude) = (names(&self.include), names(&self.exclude));
        let mut kept: Vec<_> = labels
            .into_iter()
            .filter(|label| {
                let name = label.name.to_lowercase();
                label.confidence.percent() >= self.min_confidence
                    && (include.is_empty() || include.contains(&name))
                    && !exclude.contains(&name)
            })
            .collect();
        label::sort(&mut kept);
        kept.truncate(self.max_labels as usize);
        kept
    }
}

fn check_names(field: &'static str, names: &[String]) -> Option<PolicyError> {
    if names.len() > MAX_NAMES {
        return Some(PolicyError::TooManyNames(field));
    }
    (!names.iter().all(|name| is_label_name(name))).then_some(PolicyError::Name(field))
}

/// Whether a text can be a label's name: 1 to [`MAX_NAME_LENGTH`] characters without control characters.
pub fn is_label_name(text: &str) -> bool {
    (1..=MAX_NAME_LENGTH).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// An owner's settings, as stored in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// The filter policy for the owner's next images.
    pub policy: FilterPolicy,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::{Confidence, json_len};
    use proptest::prelude::*;

    fn label(name: &str, confidence: f64) -> Label {
        Label {
            name: name.into(),
            confidence: Confidence::new(confidence),
            instances: vec![],
            parents: vec![],
            aliases: vec![],
            categories: vec![],
        }
    }

    fn policy(min_confidence: f64, max_labels: u32, include: &[&str], exclude: &[&str]) -> FilterPolicy {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        FilterPolicy {
            min_confidence,
            max_labels,
            include: owned(include),
            exclude: owned(exclude),
        }
    }

    fn names(labels: &[Label]) -> Vec<&str> {
        labels.iter().map(|label| label.name.as_str()).collect()
    }

    #[test]
    fn keeps_a_label_exactly_at_the_threshold() {
        let kept = policy(70.0, 10, &[], &[]).apply(vec![label("Cat", 70.0), label("Dog", 69.99)]);
        assert_eq!(names(&kept), ["Cat"]);
    }

    #[test]
    fn keeps_the_labels_with_the_highest_confidence() {
        let kept = policy(0.0, 2, &[], &[]).apply(vec![label("C", 10.0), label("A", 90.0), label("B", 50.0)]);
        assert_eq!(names(&kept), ["A", "B"]);
    }

    #[test]
    fn names_are_case_insensitive_and_exclude_overrides_include() {
        let labels = vec![label("Cat", 90.0), label("Dog", 80.0), label("Bird", 70.0)];
        let kept = policy(0.0, 10, &["CAT", "dog"], &["Dog"]).apply(labels);
        assert_eq!(names(&kept), ["Cat"]);
    }

    #[test]
    fn rejects_values_out_of_range_and_names_the_field() {
        assert_eq!(
            policy(101.0, 5, &[], &[]).check(),
            Err(PolicyError::MinConfidence)
        );
        assert_eq!(
            policy(f64::NAN, 5, &[], &[]).check(),
            Err(PolicyError::MinConfidence)
        );
        assert_eq!(policy(50.0, 0, &[], &[]).check(), Err(PolicyError::MaxLabels));
        assert_eq!(policy(50.0, 101, &[], &[]).check(), Err(PolicyError::MaxLabels));
    }

    #[test]
    fn rejects_lists_that_are_too_large_for_a_state_and_names_the_field() {
        let longest = "🐈".repeat(MAX_NAME_LENGTH);
        let full = vec![longest.as_str(); MAX_NAMES];
        let largest = policy(50.0, 5, &full, &full).check().unwrap();
        assert!(
            json_len(&largest) < 256 * 1024 / 3,
            "a state contains the labels as well"
        );
        let over = vec!["Cat"; MAX_NAMES + 1];
        assert_eq!(
            policy(50.0, 5, &over, &[]).check(),
            Err(PolicyError::TooManyNames("include"))
        );
        assert_eq!(
            policy(50.0, 5, &[], &over).check(),
            Err(PolicyError::TooManyNames("exclude"))
        );
        for name in ["", &format!("{longest}x"), "a\nb", "\0"] {
            assert_eq!(
                policy(50.0, 5, &[], &["Cat", name]).check(),
                Err(PolicyError::Name("exclude")),
                "{name:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn lists_match_names_case_insensitively(
            found in proptest::collection::vec("[a-cA-C]", 0..20),
            include in proptest::collection::vec("[a-cA-C]", 0..3),
            exclude in proptest::collection::vec("[a-cA-C]", 0..3),
        ) {
            let has = |list: &[String], name: &str| list.iter().any(|entry| entry.eq_ignore_ascii_case(name));
            let counts = |name: &&String| (include.is_empty() || has(&include, name)) && !has(&exclude, name);
            let mut expected: Vec<_> = found.iter().filter(counts).cloned().collect();
            expected.sort();
            let labels = found.iter().map(|name| label(name, 50.0)).collect();
            let (include, exclude) = (include.clone(), exclude.clone());
            let policy = FilterPolicy { min_confidence: 0.0, max_labels: MAX_LABELS, include, exclude };
            let mut kept: Vec<_> = policy.apply(labels).into_iter().map(|label| label.name).collect();
            kept.sort();
            prop_assert_eq!(kept, expected);
        }

        #[test]
        fn the_kept_labels_satisfy_the_policy(
            confidences in proptest::collection::vec(0.0_f64..100.0, 0..40),
            min in 0.0_f64..100.0, max in 1_u32..=MAX_LABELS,
        ) {
            let labels = confidences.iter().map(|c| label("x", *c)).collect();
            let kept = policy(min, max, &[], &[]).apply(labels);
            prop_assert!(kept.len() <= max as usize);
            prop_assert!(kept.iter().all(|l| l.confidence.percent() >= min));
            prop_assert!(kept.windows(2).all(|w| w[0].confidence >= w[1].confidence));
        }
    }
}
