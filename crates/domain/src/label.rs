//! Labels as Rekognition finds them, with confidences.

use serde::{Deserialize, Deserializer, Serialize};

/// How sure the model is, in percent: 0 to 100 with at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(minimum = 0, maximum = 100)
)]
pub struct Confidence(f64);

impl Confidence {
    /// Rounds to two decimals. Values outside 0 to 100 are moved to the nearer end, and what is no
    /// number counts as 0: an answer of a model is never a reason to lose a picture.
    pub fn new(percent: f64) -> Self {
        if percent.is_nan() {
            return Self(0.0);
        }
        Self((percent.clamp(0.0, 100.0) * 100.0).round() / 100.0)
    }

    /// Percent, 0 to 100.
    pub fn percent(self) -> f64 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        f64::deserialize(deserializer).map(Self::new)
    }
}

/// Where an instance stands, as fractions (0 to 1) of the picture's width and height.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BoundingBox {
    /// From the left edge.
    pub left: f64,
    /// From the top edge.
    pub top: f64,
    /// Fraction of the picture's width.
    pub width: f64,
    /// Fraction of the picture's height.
    pub height: f64,
}

impl BoundingBox {
    /// Rounds to five decimals: a tenth of a pixel in the largest picture that Rekognition takes.
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

/// One thing of a label's kind that was found in the picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Instance {
    /// How sure the model is of this instance.
    pub confidence: Confidence,
    /// Where it stands.
    pub bounding_box: BoundingBox,
}

/// A label of a picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Label {
    /// Rekognition's name, such as `Coffee Cup`.
    pub name: String,
    /// How sure the model is.
    pub confidence: Confidence,
    /// Where things of this kind stand; empty for what has no place, such as `Outdoors`.
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
}

/// Sorts by confidence, highest first; equals by name, so that the same picture reads the same twice.
pub fn sort(labels: &mut [Label]) {
    labels.sort_by(|a, b| {
        b.confidence
            .0
            .total_cmp(&a.confidence.0)
            .then_with(|| a.name.cmp(&b.name))
    });
}

/// Cuts labels down until their JSON has at most `budget` bytes.
///
/// The input is expected in the order of [`sort`]. Instances, surest first, go before labels; what is least
/// certain goes first.
pub fn fit(mut labels: Vec<Label>, budget: usize) -> Vec<Label> {
    // A comma behind each element, and the brackets of the list.
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

/// How many bytes a value has as JSON.
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
        }
    }

    #[test]
    fn a_result_larger_than_a_state_may_carry_keeps_its_best_labels_and_instances() {
        let mut labels: Vec<_> = (0..1000)
            .map(|i| label(format!("Label {i}"), f64::from(i) / 10.0, 100))
            .collect();
        sort(&mut labels);
        assert!(json_len(&labels) > 5_000_000);

        let fitted = fit(labels, 200_000);

        assert!(json_len(&fitted) <= 200_000);
        assert_eq!(fitted.len(), 1000, "instances go before labels");
        assert_eq!(fitted[0].name, "Label 999");
        assert_eq!(
            fitted[0].instances[0].confidence.percent(),
            99.0,
            "the surest instance stays"
        );
    }

    #[test]
    fn labels_that_fit_are_left_alone() {
        let labels = vec![label("Cat".into(), 94.0, 3)];
        assert_eq!(fit(labels.clone(), 200_000), labels);
    }

    #[test]
    fn one_label_too_large_for_any_budget_leaves_none_rather_than_too_much() {
        assert!(fit(vec![label("x".repeat(300_000), 99.0, 0)], 200_000).is_empty());
    }

    proptest! {
        #[test]
        fn confidences_stay_in_range_with_two_decimals(percent in proptest::num::f64::ANY) {
            let confidence = Confidence::new(percent).percent();
            prop_assert!((0.0..=100.0).contains(&confidence));
            prop_assert!((confidence * 100.0 - (confidence * 100.0).round()).abs() < 1e-6);
        }

        #[test]
        fn whatever_comes_fits_the_budget(
            sizes in proptest::collection::vec((0_usize..400, 0_usize..120), 0..60),
            budget in 2_usize..20_000,
        ) {
            let labels = sizes.into_iter().map(|(n, i)| label("n".repeat(n), 50.0, i)).collect();
            prop_assert!(json_len(&fit(labels, budget)) <= budget);
        }
    }
}
