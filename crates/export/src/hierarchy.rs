//! The paths of labels in a hierarchy of keywords, such as `Animal|Mammal|Cat`.
//!
//! Rekognition names all ancestors of a label, in no particular order, and the ancestors are labels with ancestors of their
//! own. From these, this module computes which ancestors are parents.

use domain::LabelDetails;
use std::collections::{BTreeSet, HashMap};

/// Separates the levels of a path, as in Lightroom.
const SEPARATOR: &str = "|";
/// Stands for the separator in a label's name.
const REPLACEMENT: &str = "/";

/// The paths of all labels, sorted: for each label one path through each of its parents, or only its name. Contains only
/// names of these labels: a parent that is excluded by the settings or removed by the owner is left out.
pub(crate) fn paths(labels: &[LabelDetails]) -> BTreeSet<String> {
    let hierarchy = Hierarchy::new(labels);
    labels
        .iter()
        .flat_map(|label| hierarchy.paths(&label.name))
        .collect()
}

struct Hierarchy<'a> {
    /// All ancestors of each label.
    ancestors: HashMap<&'a str, BTreeSet<&'a str>>,
}

impl<'a> Hierarchy<'a> {
    fn new(labels: &'a [LabelDetails]) -> Self {
        let names: BTreeSet<&str> = labels.iter().map(|label| label.name.as_str()).collect();
        let ancestors = labels.iter().map(|label| {
            let own = label.parents.iter().map(String::as_str);
            let own = own.filter(|parent| *parent != label.name && names.contains(parent));
            (label.name.as_str(), own.collect())
        });
        Self {
            ancestors: ancestors.collect(),
        }
    }

    fn is_ancestor(&self, ancestor: &str, of: &str) -> bool {
        self.ancestors.get(of).is_some_and(|all| all.contains(ancestor))
    }

    /// The ancestors of a label that are not ancestors of another ancestor.
    fn parents(&self, name: &str) -> Vec<&'a str> {
        let Some(ancestors) = self.ancestors.get(name) else {
            return vec![];
        };
        let is_above_another = |ancestor: &&str| {
            let mut others = ancestors.iter().filter(|other| *other != ancestor);
            // Labels that are ancestors of each other are both kept.
            others.any(|other| self.is_ancestor(ancestor, other) && !self.is_ancestor(other, ancestor))
        };
        ancestors
            .iter()
            .filter(|ancestor| !is_above_another(ancestor))
            .copied()
            .collect()
    }

    fn paths(&self, name: &str) -> Vec<String> {
        let parents = self.parents(name);
        if parents.is_empty() {
            return vec![path(&[name])];
        }
        parents
            .into_iter()
            .map(|parent| {
                let mut levels = self.levels_above(parent, name);
                levels.extend([parent, name]);
                path(&levels)
            })
            .collect()
    }

    /// The ancestors of a parent, from the highest: a single chain. Where an ancestor has several parents, the chain follows
    /// the one with the most ancestors, so that it has as many levels as possible.
    fn levels_above(&self, parent: &str, name: &str) -> Vec<&'a str> {
        let mut levels: Vec<&'a str> = vec![];
        let mut lowest = parent;
        loop {
            let next = self
                .parents(lowest)
                .into_iter()
                // Labels that are ancestors of each other do not make an endless path.
                .filter(|next| *next != name && *next != parent && !levels.contains(next))
                .max_by_key(|next| {
                    (
                        self.ancestors.get(next).map_or(0, BTreeSet::len),
                        std::cmp::Reverse(*next),
                    )
                });
            let Some(next) = next else { break };
            levels.push(next);
            lowest = next;
        }
        levels.reverse();
        levels
    }
}

fn path(levels: &[&str]) -> String {
    let levels: Vec<_> = levels
        .iter()
        .map(|level| level.replace(SEPARATOR, REPLACEMENT))
        .collect();
    levels.join(SEPARATOR)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::label;
    use proptest::prelude::*;

    fn paths_of(labels: &[(&str, &[&str])]) -> Vec<String> {
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, parents)| label(name, 90.0, parents))
            .collect();
        paths(&labels).into_iter().collect()
    }

    #[test]
    fn ancestors_are_ordered_from_the_highest() {
        let chain: [(&str, &[&str]); 4] = [
            ("Animal", &[]),
            ("Cat", &["Mammal", "Animal"]),
            ("Kitten", &["Cat", "Animal", "Mammal"]),
            ("Mammal", &["Animal"]),
        ];
        assert_eq!(
            paths_of(&chain),
            [
                "Animal",
                "Animal|Mammal",
                "Animal|Mammal|Cat",
                "Animal|Mammal|Cat|Kitten"
            ]
        );
    }

    #[test]
    fn a_label_with_several_parents_has_a_path_through_each() {
        let labels: [(&str, &[&str]); 5] = [
            ("Animal", &[]),
            ("Mammal", &["Animal"]),
            ("Pet", &["Animal"]),
            ("Cat", &["Animal", "Mammal", "Pet"]),
            ("Kitten", &["Animal", "Mammal", "Pet", "Cat"]),
        ];
        assert_eq!(
            paths_of(&labels),
            [
                "Animal",
                "Animal|Mammal",
                "Animal|Mammal|Cat",
                "Animal|Mammal|Cat|Kitten",
                "Animal|Pet",
                "Animal|Pet|Cat",
            ]
        );
    }

    #[test]
    fn a_parent_that_does_not_count_is_left_out() {
        let labels: [(&str, &[&str]); 2] = [("Animal", &[]), ("Cat", &["Animal", "Mammal", "Pet"])];
        assert_eq!(paths_of(&labels), ["Animal", "Animal|Cat"]);
    }

    #[test]
    fn a_separator_in_a_name_makes_no_level() {
        assert_eq!(paths_of(&[("Cat|Dog", &[])]), ["Cat/Dog"]);
    }

    proptest! {
        /// The model's answer can be anything, also labels that are ancestors of themselves and of each other.
        #[test]
        fn every_label_has_a_path_that_ends_with_it_and_repeats_no_level(
            found in proptest::collection::btree_map("[a-f]", proptest::collection::vec("[a-g]", 0..5), 0..6),
        ) {
            let labels: Vec<_> = found.iter()
                .map(|(name, parents)| {
                    let parents: Vec<_> = parents.iter().map(String::as_str).collect();
                    label(name, 90.0, &parents)
                })
                .collect();
            let paths = paths(&labels);
            for name in found.keys() {
                prop_assert!(paths.iter().any(|path| path.rsplit('|').next() == Some(name)), "{}", name);
            }
            for path in &paths {
                let levels: Vec<_> = path.split('|').collect();
                let distinct: BTreeSet<_> = levels.iter().collect();
                prop_assert_eq!(distinct.len(), levels.len(), "{}", path);
                let last = levels[levels.len() - 1];
                prop_assert!(levels.iter().all(|level| found.contains_key(*level)));
                prop_assert!(levels.len() == 1 || found[last].contains(&levels[levels.len() - 2].to_owned()));
            }
        }
    }
}
