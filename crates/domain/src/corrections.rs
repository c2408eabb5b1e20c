//! An owner's corrections of the labels of one image.

use crate::counting::Names;
use crate::policy::{Rename, is_label_name};
use serde::{Deserialize, Serialize};

/// The maximum number of labels that an owner can add to an image. The state of an execution contains them, and each
/// costs two written items in the table.
pub const MAX_ADDED: usize = 50;

/// The maximum number of labels that an owner can remove from an image. The image's record contains them.
pub const MAX_REMOVED: usize = 100;

/// The labels that an owner has added to an image and removed from it. New results and new settings never change them.
///
/// Names are compared case-insensitively. No name is in both lists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Corrections {
    /// Labels that count although the model did not find them or the policy excludes them.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub added: Vec<String>,
    /// Labels that never count, even if the model finds them.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(required))]
    pub removed: Vec<String>,
}

/// A change of an image's [`Corrections`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CorrectionChange {
    /// Labels to add. They are no longer removed.
    #[serde(default)]
    pub add: Vec<String>,
    /// Labels to remove. They are no longer added.
    #[serde(default)]
    pub remove: Vec<String>,
    /// Labels for which the model and the policy decide again.
    #[serde(default)]
    pub reset: Vec<String>,
}

/// Why a change of corrections is invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorrectionError {
    /// All lists are empty.
    #[error("add, remove or reset must name a label")]
    Empty,
    /// The named list contains a name that cannot be a label's.
    #[error("{0} must have label names of 1 to 100 characters without control characters")]
    Name(&'static str),
    /// A name occurs in two lists. Contains the second one.
    #[error("{0} must not repeat a label of another list")]
    Contradiction(&'static str),
    /// The image would have more than [`MAX_ADDED`] added labels.
    #[error("an image can have at most {MAX_ADDED} added labels")]
    TooManyAdded,
    /// The image would have more than [`MAX_REMOVED`] removed labels.
    #[error("an image can have at most {MAX_REMOVED} removed labels")]
    TooManyRemoved,
}

impl CorrectionChange {
    /// The labels of all lists.
    fn labels(&self) -> impl Iterator<Item = &String> {
        self.add.iter().chain(&self.remove).chain(&self.reset)
    }

    /// Checks everything that does not depend on the image. Returns the change unchanged.
    ///
    /// # Errors
    /// The first error.
    pub fn check(self) -> Result<Self, CorrectionError> {
        let lists = [
            ("add", &self.add, MAX_ADDED, CorrectionError::TooManyAdded),
            (
                "remove",
                &self.remove,
                MAX_REMOVED,
                CorrectionError::TooManyRemoved,
            ),
            (
                "reset",
                &self.reset,
                MAX_ADDED + MAX_REMOVED,
                CorrectionError::Name("reset"),
            ),
        ];
        if lists.iter().all(|(_, names, ..)| names.is_empty()) {
            return Err(CorrectionError::Empty);
        }
        let mut seen = std::collections::HashMap::new();
        for (list, names, max, too_many) in lists {
            if names.len() > max {
                return Err(too_many);
            }
            for name in names {
                if !is_label_name(name) || name.trim() != name {
                    return Err(CorrectionError::Name(list));
                }
                if *seen.entry(name.to_lowercase()).or_insert(list) != list {
                    return Err(CorrectionError::Contradiction(list));
                }
            }
        }
        Ok(self)
    }
}

impl Corrections {
    /// Whether nothing is corrected.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }

    /// The corrections after a change. Applying the same change again changes nothing. Names that are the same label after
    /// `renames` count as one.
    ///
    /// # Errors
    /// A list becomes too long.
    pub fn changed(&self, change: &CorrectionChange, renames: &[Rename]) -> Result<Self, CorrectionError> {
        let names = Names::new(renames);
        let mut corrections = self.clone();
        for name in change.labels() {
            let is_other = |other: &String| !names.are_same(other, name);
            corrections.added.retain(is_other);
            corrections.removed.retain(is_other);
        }
        extend(&mut corrections.added, &change.add);
        extend(&mut corrections.removed, &change.remove);
        if corrections.added.len() > MAX_ADDED {
            return Err(CorrectionError::TooManyAdded);
        }
        if corrections.removed.len() > MAX_REMOVED {
            return Err(CorrectionError::TooManyRemoved);
        }
        // Sorted, so that equal corrections have equal lists.
        corrections.added.sort();
        corrections.removed.sort();
        Ok(corrections)
    }
}

impl Corrections {
    /// The change that restores the corrections of the labels in `change` as they are here.
    pub fn inverse(&self, change: &CorrectionChange, renames: &[Rename]) -> CorrectionChange {
        let names = Names::new(renames);
        let concerned = |list: &[String]| -> Vec<String> {
            let is_changed = |name: &&String| change.labels().any(|other| names.are_same(name, other));
            list.iter().filter(is_changed).cloned().collect()
        };
        let (add, remove) = (concerned(&self.added), concerned(&self.removed));
        let is_corrected = |name: &String| add.iter().chain(&remove).any(|other| names.are_same(name, other));
        let mut reset = vec![];
        for name in change.labels().filter(|name| !is_corrected(name)) {
            extend(&mut reset, std::slice::from_ref(name));
        }
        CorrectionChange { add, remove, reset }
    }

    /// The corrections without `change`, whose [inverse](Self::inverse) is `inverse`. Labels that have been corrected again since
    /// then keep their corrections.
    ///
    /// # Errors
    /// A list becomes too long.
    pub fn undone(
        &self,
        change: &CorrectionChange,
        inverse: &CorrectionChange,
        renames: &[Rename],
    ) -> Result<Self, CorrectionError> {
        let names = Names::new(renames);
        let contains = |list: &[String], name: &String| list.iter().any(|other| names.are_same(name, other));
        let is_as_changed = |name: &&String| {
            contains(&self.added, name) == contains(&change.add, name)
                && contains(&self.removed, name) == contains(&change.remove, name)
        };
        let limited = |list: &[String]| list.iter().filter(is_as_changed).cloned().collect();
        let inverse = CorrectionChange {
            add: limited(&inverse.add),
            remove: limited(&inverse.remove),
            reset: limited(&inverse.reset),
        };
        self.changed(&inverse, renames)
    }
}

fn extend(names: &mut Vec<String>, more: &[String]) {
    for name in more {
        if !names.iter().any(|other| is_same(other, name)) {
            names.push(name.clone());
        }
    }
}

/// Whether two names are the same label.
fn is_same(name: &str, other: &str) -> bool {
    name.to_lowercase() == other.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn change(add: &[&str], remove: &[&str], reset: &[&str]) -> CorrectionChange {
        let [add, remove, reset] = [add, remove, reset].map(owned);
        CorrectionChange { add, remove, reset }
    }

    #[test]
    fn the_latest_change_of_a_label_wins() {
        let corrections = Corrections::default();
        let added = corrections
            .changed(&change(&["Cat", "Dog"], &["Sofa"], &[]), &[])
            .unwrap();
        assert_eq!(
            (added.added, added.removed),
            (owned(&["Cat", "Dog"]), owned(&["Sofa"]))
        );
        let added = corrections
            .changed(&change(&["Cat"], &["Sofa"], &[]), &[])
            .unwrap();
        let removed = added.changed(&change(&["sofa"], &["CAT"], &[]), &[]).unwrap();
        assert_eq!(
            (&removed.added, &removed.removed),
            (&owned(&["sofa"]), &owned(&["CAT"]))
        );
        let reset = removed.changed(&change(&[], &[], &["Sofa", "cat"]), &[]).unwrap();
        assert_eq!(reset, corrections);
    }

    #[test]
    fn an_invalid_change_is_rejected_and_the_field_named() {
        let long = "x".repeat(101);
        for (invalid, error) in [
            (change(&[], &[], &[]), CorrectionError::Empty),
            (change(&[""], &[], &[]), CorrectionError::Name("add")),
            (change(&[], &[&long], &[]), CorrectionError::Name("remove")),
            (change(&[], &[], &["a\nb"]), CorrectionError::Name("reset")),
            (change(&[" Cat"], &[], &[]), CorrectionError::Name("add")),
            (
                change(&["Cat"], &["cat"], &[]),
                CorrectionError::Contradiction("remove"),
            ),
            (
                change(&["Cat"; MAX_ADDED + 1], &[], &[]),
                CorrectionError::TooManyAdded,
            ),
            (
                change(&[], &["Cat"; MAX_REMOVED + 1], &[]),
                CorrectionError::TooManyRemoved,
            ),
        ] {
            assert_eq!(invalid.check(), Err(error));
        }
        assert!(change(&["Cat"], &["Dog"], &["Sofa"]).check().is_ok());
    }

    /// The page shows only the owner's names.
    #[test]
    fn a_label_is_corrected_under_either_of_its_names() {
        let renames = [Rename {
            from: "Dog".into(),
            to: "Good boy".into(),
        }];
        let added = Corrections::default()
            .changed(&change(&["Dog"], &[], &[]), &[])
            .unwrap();
        let removed = added.changed(&change(&[], &["good boy"], &[]), &renames).unwrap();
        assert_eq!(
            (removed.added.len(), &removed.removed),
            (0, &owned(&["good boy"]))
        );
        let reset = removed.changed(&change(&[], &[], &["Dog"]), &renames).unwrap();
        assert!(reset.is_empty());
    }

    #[test]
    fn undoing_keeps_labels_that_were_corrected_again() {
        let before = Corrections {
            added: owned(&["Garden"]),
            removed: owned(&["Sofa", "Tree"]),
        };
        let job = change(&["Cat", "Sofa"], &["Dog", "Garden"], &["Tree"]);
        let inverse = before.inverse(&job, &[]);
        assert_eq!(inverse, change(&["Garden"], &["Sofa", "Tree"], &["Cat", "Dog"]));
        let after = before.changed(&job, &[]).unwrap();
        assert_eq!(after.undone(&job, &inverse, &[]).unwrap(), before);

        let later = after
            .changed(&change(&["Dog", "Boat"], &["cat"], &[]), &[])
            .unwrap();
        let undone = later.undone(&job, &inverse, &[]).unwrap();
        assert_eq!(undone.added, owned(&["Boat", "Dog", "Garden"]));
        assert_eq!(undone.removed, owned(&["Sofa", "Tree", "cat"]));
        assert_eq!(undone.undone(&job, &inverse, &[]).unwrap(), undone, "undone once");
    }

    #[test]
    fn the_lists_of_an_image_are_limited() {
        let names: Vec<_> = (0..MAX_ADDED).map(|number| format!("Label {number}")).collect();
        let full = CorrectionChange {
            add: names,
            ..CorrectionChange::default()
        };
        let full = Corrections::default().changed(&full, &[]).unwrap();
        assert_eq!(
            full.changed(&change(&["One more"], &[], &[]), &[]),
            Err(CorrectionError::TooManyAdded)
        );
        assert!(
            full.changed(&change(&["label 7"], &[], &[]), &[]).is_ok(),
            "it is in the list already"
        );
    }

    fn any_change() -> impl Strategy<Value = CorrectionChange> {
        proptest::collection::vec((0_usize..3, "[a-eA-E]"), 1..6).prop_map(|labels| {
            let mut change = CorrectionChange::default();
            let mut seen = vec![];
            for (list, name) in labels {
                if !seen.contains(&name.to_lowercase()) {
                    seen.push(name.to_lowercase());
                    [&mut change.add, &mut change.remove, &mut change.reset][list].push(name);
                }
            }
            change
        })
    }

    proptest! {
        #[test]
        fn undoing_changes_in_reverse_order_restores_the_corrections(
            changes in proptest::collection::vec(any_change(), 1..6), is_renamed in any::<bool>(),
        ) {
            let rename = Rename { from: "a".into(), to: "B".into() };
            let renames = if is_renamed { vec![rename] } else { vec![] };
            let mut states = vec![Corrections::default()];
            for change in &changes {
                states.push(states.last().unwrap().changed(change, &renames).unwrap());
            }
            let mut corrections = states.pop().unwrap();
            for (before, change) in states.iter().zip(&changes).rev() {
                let inverse = before.inverse(change, &renames);
                corrections = corrections.undone(change, &inverse, &renames).unwrap();
                prop_assert_eq!(&corrections, before);
            }
        }

        #[test]
        fn no_label_is_both_added_and_removed(
            changes in proptest::collection::vec((0_usize..3, "[a-cA-C]"), 0..30),
        ) {
            let mut corrections = Corrections::default();
            for (list, name) in changes {
                let mut change = CorrectionChange::default();
                [&mut change.add, &mut change.remove, &mut change.reset][list].push(name.clone());
                corrections = corrections.changed(&change, &[]).unwrap();
                prop_assert_eq!(corrections.changed(&change, &[]).unwrap(), corrections.clone());
                let has = |names: &[String]| names.iter().filter(|other| is_same(other, &name)).count();
                prop_assert_eq!(has(&corrections.added), usize::from(list == 0));
                prop_assert_eq!(has(&corrections.removed), usize::from(list == 1));
            }
        }
    }
}
