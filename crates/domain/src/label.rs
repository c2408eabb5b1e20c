//! Labels as Rekognition returns them, with confidences.

use crate::video::Seen;
use serde::{Deserialize, Deserializer, Serialize};
use std::cmp::Ordering;

/// The model's confidence in percent: 0 to 100 with at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(minimum = 0, maximum = 100)
)]
pub struct Confidence(f64);

impl Confidence {
    /// Rounds to two decimals. Clamps values to 0 to 100, and treats NaN as 0, so that no answer of a model makes the
    /// execution fail.
    pub fn new(percent: f64) -> Self {
        if percent.is_nan() {
            return Self(0.0);
        }
        Self((percent.clamp(0.0, 100.0) * 100.0).round() / 100.0)
    }

    /// The confidence in percent, 0 to 100.
    pub fn percent(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::new)
    }
}

/// The position of an instance, as fractions (0 to 1) of the picture's width and height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoundingBox {
    /// Distance from the left edge, as a fraction of the picture's width.
    pub left: f64,
    /// Distance from the top edge, as a fraction of the picture's height.
    pub top: f64,
    /// Width, as a fraction of the picture's width.
    pub width: f64,
    /// Height, as a fraction of the picture's height.
    pub height: f64,
}

impl BoundingBox {
    /// Rounds to five decimals, which is a tenth of a pixel in the largest picture that Rekognition accepts. Values
    /// that are not finite count as 0.
    pub fn new(left: f64, top: f64, width: f64, height: f64) -> Self {
        let round = |fraction: f64| {
            if fraction.is_finite() {
                (fraction * 1e5).round() / 1e5
            } else {
                0.0
            }
        };
        Self {
            left: round(left),
            top: round(top),
            width: round(width),
            height: round(height),
        }
    }
}

/// An object in the picture that belongs to a label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instance {
    /// The model's confidence in this instance.
    pub confidence: Confidence,
    /// The instance's position.
    pub bounding_box: BoundingBox,
}

/// A label of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Label {
    /// Rekognition's name for the label, such as `Coffee Cup`.
    pub name: String,
    /// The model's confidence.
    pub confidence: Confidence,
    /// The objects in the picture that belong to the label. Empty for labels without a position, such as `Outdoors`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub instances: Vec<Instance>,
    /// All ancestors, such as `Animal` and `Mammal` for `Cat`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub parents: Vec<String>,
    /// Other names for the same thing.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub aliases: Vec<String>,
    /// Rekognition's categories, such as `Animals and Pets`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub categories: Vec<String>,
    /// When the label is seen. Absent for pictures.
    #[serde(flatten, default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schema(ignore))]
    pub seen: Option<Seen>,
}

impl Label {
    /// A label with no confidence and no details.
    pub(crate) fn without_details(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            confidence: Confidence(0.0),
            instances: vec![],
            parents: vec![],
            aliases: vec![],
            categories: vec![],
            seen: None,
        }
    }
}

/// Sorts by confidence, highest first. Equal confidences are sorted by name, so that the order is deterministic.
pub fn sort(labels: &mut [Label]) {
    labels.sort_by(by_confidence);
}

/// The order of [`sort`].
pub(crate) fn by_confidence(a: &Label, b: &Label) -> Ordering {
    b.confidence
        .0
        .total_cmp(&a.confidence.0)
        .then_with(|| a.name.cmp(&b.name))
}

/// The labels of a picture, most specific first: a label that is an ancestor of another one comes after it. Otherwise
/// they are in the order of [`sort`].
pub fn most_specific_first(labels: &[Label]) -> Vec<&Label> {
    let mut left: Vec<_> = labels.iter().collect();
    left.sort_by(|a, b| by_confidence(a, b));
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_ancestor = |name: &String| {
            let mut others = left.iter().filter(|label| label.name != *name);
            others.any(|label| label.parents.contains(name))
        };
        // Labels that are ancestors of each other keep their order.
        let next = left.iter().position(|label| !is_ancestor(&label.name));
        ordered.push(left.remove(next.unwrap_or_default()));
    }
    ordered
}

/// Removes instances and labels until the JSON of the labels has at most `budget` bytes.
///
/// Expects the labels in the order of [`sort`]. Removes instances before labels, and those with the lowest confidence
/// first.
pub fn fit(mut labels: Vec<Label>, budget: usize) -> Vec<Label> {
    // Reserves space for the list's brackets and a comma after each element.
    let mut left = budget.saturating_sub(2);
    let mut fits = |bytes: usize| {
        let enough = bytes < left;
        left = if enough { left - bytes - 1 } else { 0 };
        enough
    };
    let mut instances: Vec<_> = labels
        .iter_mut()
        .map(|label| std::mem::take(&mut label.instances))
        .collect();
    let count = labels.iter().take_while(|label| fits(json_len(*label))).count();
    labels.truncate(count);
    for (label, instances) in labels.iter_mut().zip(&mut instances) {
        instances.sort_by(|a, b| b.confidence.0.total_cmp(&a.confidence.0));
        let count = instances
            .iter()
            .take_while(|instance| fits(json_len(*instance)))
            .count();
        instances.truncate(count);
        label.instances = std::mem::take(instances);
    }
    labels
}

/// The length of a value's JSON in bytes.
pub fn json_len<T: Serialize + ?Sized>(value: &T) -> usize {
    serde_json::to_vec(value).map_or(usize::MAX, |json| json.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn label(name: String, confidence: f64, instances: usize) -> Label {
        let instance = |i| Instance {
            confidence: Confidence::new(f64::from(i)),
            bounding_box: BoundingBox::new(0.123_456, 0.234_567, 0.345_678, 0.456_789),
        };
        Label {
            name,
            confidence: Confidence::new(confidence),
            instances: (0..u32::try_from(instances).unwrap())
                .rev()
                .map(instance)
                .collect(),
            parents: vec!["Animal".into(), "Mammal".into()],
            aliases: vec![],
            categories: vec!["Animals and Pets".into()],
            seen: None,
        }
    }

    #[test]
    fn keeps_the_labels_and_instances_with_the_highest_confidence() {
        let mut labels: Vec<_> = (0..1000)
            .map(|i| label(format!("Label {i}"), f64::from(i) / 10.0, 100))
            .collect();
        sort(&mut labels);
        assert!(json_len(&labels) > 5_000_000);

        let fitted = fit(labels, 200_000);

        assert!(json_len(&fitted) <= 200_000);
        assert_eq!(fitted.len(), 1000, "instances are removed before labels");
        assert_eq!(fitted[0].name, "Label 999");
        assert_eq!(
            fitted[0].instances[0].confidence.percent(),
            99.0,
            "the instance with the highest confidence is kept"
        );
    }

    #[test]
    fn labels_that_fit_are_unchanged() {
        let labels = vec![label("Cat".into(), 94.0, 3)];
        assert_eq!(fit(labels.clone(), 200_000), labels);
    }

    #[test]
    fn removes_a_single_label_that_exceeds_the_budget() {
        assert!(fit(vec![label("x".repeat(300_000), 99.0, 0)], 200_000).is_empty());
    }

    fn named(name: &str, confidence: f64, parents: &[&str]) -> Label {
        Label {
            parents: parents.iter().map(ToString::to_string).collect(),
            ..label(name.to_owned(), confidence, 0)
        }
    }

    fn most_specific(labels: &[Label]) -> Vec<&str> {
        let ordered = most_specific_first(labels).into_iter();
        ordered.map(|label| label.name.as_str()).collect()
    }

    #[test]
    fn an_ancestor_comes_after_its_descendants_however_confident_the_model_is() {
        let labels = [
            named("Animal", 99.0, &[]),
            named("Mammal", 98.0, &["Animal"]),
            named("Wildlife", 97.0, &["Animal"]),
            named("Rodent", 60.0, &["Animal", "Mammal"]),
            named("Squirrel", 55.0, &["Animal", "Mammal", "Rodent"]),
        ];
        assert_eq!(
            most_specific(&labels),
            ["Wildlife", "Squirrel", "Rodent", "Mammal", "Animal"]
        );
    }

    #[test]
    fn unrelated_labels_are_ordered_by_confidence_then_by_name() {
        let labels = [
            named("Tree", 80.0, &["Plant"]),
            named("Bench", 80.0, &["Furniture"]),
            named("Person", 95.0, &[]),
        ];
        assert_eq!(most_specific(&labels), ["Person", "Bench", "Tree"]);
    }

    #[test]
    fn labels_that_are_ancestors_of_each_other_or_of_themselves_are_kept() {
        let labels = [
            named("A", 50.0, &["B"]),
            named("B", 60.0, &["A"]),
            named("C", 70.0, &["C"]),
        ];
        assert_eq!(most_specific(&labels), ["C", "B", "A"]);
        assert_eq!(most_specific(&[]), [""; 0]);
    }

    proptest! {
        #[test]
        fn ordering_keeps_every_label_and_puts_no_ancestor_before_a_descendant(
            found in proptest::collection::vec((0.0_f64..100.0, proptest::collection::vec(0_usize..20, 0..4)), 0..20),
        ) {
            // A parent has a smaller number than its child, so there is no cycle; all ancestors are named.
            let mut ancestors: Vec<Vec<usize>> = vec![];
            for (child, (_, parents)) in found.iter().enumerate() {
                let mut all: Vec<usize> = parents.iter().copied().filter(|parent| *parent < child).collect();
                all.extend(all.clone().iter().flat_map(|parent| ancestors[*parent].clone()));
                ancestors.push(all);
            }
            let labels: Vec<_> = found.iter().zip(&ancestors).enumerate().map(|(child, ((confidence, _), all))| {
                let parents: Vec<_> = all.iter().map(ToString::to_string).collect();
                let parents: Vec<_> = parents.iter().map(String::as_str).collect();
                named(&child.to_string(), *confidence, &parents)
            }).collect();
            let ordered = most_specific_first(&labels);
            for (place, label) in ordered.iter().enumerate() {
                prop_assert!(ordered[place + 1..].iter().all(|later| !later.parents.contains(&label.name)));
            }
            let mut kept: Vec<_> = ordered.iter().map(|label| &label.name).collect();
            let mut all: Vec<_> = labels.iter().map(|label| &label.name).collect();
            kept.sort();
            all.sort();
            prop_assert_eq!(kept, all);
        }

        #[test]
        fn confidences_stay_in_range_with_two_decimals(percent in proptest::num::f64::ANY) {
            let confidence = Confidence::new(percent).percent();
            prop_assert!((0.0..=100.0).contains(&confidence));
            prop_assert!((confidence * 100.0 - (confidence * 100.0).round()).abs() < 1e-6);
        }

        #[test]
        fn any_labels_fit_the_budget_afterwards(
            sizes in proptest::collection::vec((0_usize..400, 0_usize..120), 0..60),
            budget in 2_usize..20_000,
        ) {
            let labels = sizes.into_iter().map(|(n, i)| label("n".repeat(n), 50.0, i)).collect();
            prop_assert!(json_len(&fit(labels, budget)) <= budget);
        }
    }
}
