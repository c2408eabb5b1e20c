//! An owner's settings: the filter policy, which decides which detected labels count, and the names of labels.

use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use uuid::Uuid;

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
#[serde(rename_all = "camelCase")]
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

/// Whether a text can be the name of a label that people search for: [`is_label_name`] without the characters that have a
/// meaning in searches.
pub fn is_searchable_name(text: &str) -> bool {
    is_label_name(text) && !text.contains(['|', '>'])
}

/// The maximum number of renamed labels of an owner.
pub const MAX_RENAMES: usize = 100;

/// A label that an owner wants to see under another name. Labels that are renamed to the same name, or to the name of
/// another label, are merged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Rename {
    /// The model's name. Case-insensitive.
    #[cfg_attr(feature = "openapi", schema(value_type = LabelName))]
    pub from: String,
    /// The name that the owner sees.
    #[cfg_attr(feature = "openapi", schema(value_type = LabelName))]
    pub to: String,
}

/// An owner's settings, as stored in the table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings {
    /// Decides which detected labels count.
    pub policy: FilterPolicy,
    /// Names that the owner has chosen. No `to` is another rename's `from`, so that the order does not matter.
    #[serde(default)]
    pub renames: Vec<Rename>,
}

/// A version of an owner's settings. Each change gives them another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(value_type = String, min_length = 1, max_length = 64)
)]
pub struct SettingsVersion(String);

impl SettingsVersion {
    /// The version of settings that have not been changed, or that earlier releases have stored.
    const INITIAL: &str = "initial";

    /// The maximum length in bytes.
    const MAX_LENGTH: usize = 64;

    /// A unique version. A counter would start again after a reset and repeat earlier versions.
    pub fn unique() -> Self {
        Self(Uuid::now_v7().to_string())
    }

    /// Reads a version. `None` for a string that cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        (1..=Self::MAX_LENGTH)
            .contains(&text.len())
            .then(|| Self(text.to_owned()))
    }

    /// Whether the settings are stored without a version.
    pub fn is_initial(&self) -> bool {
        self.0 == Self::INITIAL
    }

    /// As in the table.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for SettingsVersion {
    fn default() -> Self {
        Self(Self::INITIAL.to_owned())
    }
}

/// Why renames are invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenameError {
    /// There are more than [`MAX_RENAMES`].
    #[error("renames must have at most {MAX_RENAMES} entries")]
    TooMany,
    /// A name cannot be a label's, or starts or ends with a space.
    #[error("renames must have label names of 1 to {MAX_NAME_LENGTH} characters without control characters")]
    Name,
    /// A label is renamed twice, or to its own name.
    #[error("renames must rename each label once, to another name")]
    Repeated,
    /// A label is renamed to a name that is itself renamed.
    #[error("renames must not rename a label to a name that is renamed as well")]
    Chained,
}

impl Settings {
    /// The settings of an owner who has only a policy.
    pub fn new(policy: FilterPolicy) -> Self {
        Self {
            policy,
            renames: vec![],
        }
    }

    /// Checks the renames.
    ///
    /// # Errors
    /// See [`RenameError`].
    pub fn check_renames(&self) -> Result<(), RenameError> {
        if self.renames.len() > MAX_RENAMES {
            return Err(RenameError::TooMany);
        }
        let mut renamed = HashSet::new();
        for Rename { from, to } in &self.renames {
            if !is_label_name(from) || !is_label_name(to) || to.trim() != to {
                return Err(RenameError::Name);
            }
            if from == to || !renamed.insert(from.to_lowercase()) {
                return Err(RenameError::Repeated);
            }
        }
        // A rename can change only the capitalization.
        let is_chained = |rename: &Rename| {
            let to = rename.to.to_lowercase();
            to != rename.from.to_lowercase() && renamed.contains(&to)
        };
        if self.renames.iter().any(is_chained) {
            return Err(RenameError::Chained);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label::json_len;

    fn policy(min_confidence: f64, max_labels: u32, include: &[&str], exclude: &[&str]) -> FilterPolicy {
        let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        FilterPolicy {
            min_confidence,
            max_labels,
            include: owned(include),
            exclude: owned(exclude),
        }
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

    fn renames(pairs: &[(&str, &str)]) -> Result<(), RenameError> {
        let rename = |(from, to): &(&str, &str)| Rename {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
        };
        let renames = pairs.iter().map(rename).collect();
        let policy = policy(50.0, 5, &[], &[]);
        Settings { policy, renames }.check_renames()
    }

    #[test]
    fn renames_are_unambiguous() {
        assert_eq!(renames(&[("Dog", "Cat"), ("Hound", "Cat"), ("tv", "TV")]), Ok(()));
        assert_eq!(
            renames(&[("Dog", "Cat"), ("dog", "Hound")]),
            Err(RenameError::Repeated)
        );
        assert_eq!(renames(&[("Dog", "Dog")]), Err(RenameError::Repeated));
        assert_eq!(
            renames(&[("Dog", "Cat"), ("cat", "Pet")]),
            Err(RenameError::Chained)
        );
        assert_eq!(renames(&[("Dog", "")]), Err(RenameError::Name));
        assert_eq!(renames(&[("Dog", "Cat ")]), Err(RenameError::Name));
        assert_eq!(renames(&[("Dog", "a\nb")]), Err(RenameError::Name));
        let many: Vec<_> = (0..=MAX_RENAMES)
            .map(|number| format!("Label {number}"))
            .collect();
        let many: Vec<_> = many.iter().map(|name| (name.as_str(), "Cat")).collect();
        assert_eq!(renames(&many), Err(RenameError::TooMany));
    }
}
