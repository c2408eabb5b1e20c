//! Decides which labels of an image count: the model's answer, filtered by the owner's settings, and the keywords of the
//! file, then corrected by the owner.

use crate::corrections::Corrections;
use crate::label::{self, Confidence, Label};
use crate::policy::{FilterPolicy, Settings};
use crate::record::RecordedLabel;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Everything that decides which labels of a model's answer count.
#[derive(Debug, Clone, PartialEq)]
pub struct Criteria {
    /// The owner's settings.
    pub settings: Settings,
    /// The keywords in the image's file.
    pub keywords: Vec<String>,
    /// The owner's corrections of the image.
    pub corrections: Corrections,
}

/// The confidence of a label that the owner has added, or that is a keyword.
const CERTAIN: f64 = 100.0;

impl Criteria {
    /// The labels of an answer that count, most specific first. No two have the same name.
    ///
    /// The corrections come last, so that no settings can undo them. Keywords count whatever the minimum confidence and the
    /// maximum number of labels. Names in the policy and in the corrections can be the model's names or the owner's.
    pub fn labels_that_count(&self, answer: &[Label]) -> Vec<RecordedLabel> {
        let Settings { policy, renames } = &self.settings;
        let (names, selection) = (Names::new(renames), Selection::new(policy));
        let added: BTreeMap<String, &str> = self
            .corrections
            .added
            .iter()
            .map(|name| names.shown(name))
            .map(|name| (name.to_lowercase(), name))
            .collect();
        let removed = lower_case(&self.corrections.removed);
        let keywords: BTreeMap<String, &str> = self
            .keywords
            .iter()
            .map(|keyword| (keyword, names.shown(keyword)))
            .filter(|(keyword, name)| {
                selection.allows(keyword, name) && !removed.contains(&keyword.to_lowercase())
            })
            .map(|(_, name)| (name.to_lowercase(), name))
            .filter(|(key, _)| !removed.contains(key) && !added.contains_key(key))
            .collect();

        let mut labels = merged(answer, &names, |source, shown| {
            selection.selects(source, shown) && !removed.contains(&source.name.to_lowercase())
        });
        labels.retain(|label| {
            let key = &label.key;
            !removed.contains(key) && !added.contains_key(key) && !keywords.contains_key(key)
        });
        labels.sort_by(|a, b| label::by_confidence(&a.label, &b.label));
        labels.truncate(policy.max_labels as usize);

        let mut recorded: HashMap<String, RecordedLabel> = HashMap::new();
        let mut all: Vec<Label> = vec![];
        let mut count = |label: Merged, added: bool, keyword: bool| {
            recorded.insert(
                label.key,
                RecordedLabel {
                    name: label.label.name.clone(),
                    confidence: label.label.confidence,
                    added,
                    keyword,
                    detected_as: detected_as(&label.label.name, label.sources),
                    seen: label.label.seen,
                },
            );
            all.push(label.label);
        };
        for label in labels {
            count(label, false, false);
        }
        let mut found: HashMap<String, Merged> = HashMap::new();
        if !added.is_empty() || !keywords.is_empty() {
            let every = merged(answer, &names, |_, _| true);
            found.extend(every.into_iter().map(|label| (label.key.clone(), label)));
        }
        let keywords = keywords.into_iter().map(|label| (label, true));
        for ((key, name), is_keyword) in added.into_iter().map(|label| (label, false)).chain(keywords) {
            let mut label = found.remove(&key).unwrap_or_else(|| Merged::new(key, name));
            name.clone_into(&mut label.label.name);
            label.label.confidence = Confidence::new(CERTAIN);
            count(label, !is_keyword, is_keyword);
        }
        label::most_specific_first(&all)
            .into_iter()
            .filter_map(|label| recorded.remove(&label.name.to_lowercase()))
            .collect()
    }
}

/// The details of labels that count: boxes, parents, aliases and categories, from the model's answer.
pub fn details(counted: &[RecordedLabel], answer: &[Label]) -> Vec<Label> {
    let by_name: HashMap<&str, &Label> = answer.iter().map(|label| (label.name.as_str(), label)).collect();
    let shown: HashMap<&str, &str> = counted
        .iter()
        .flat_map(|label| label.sources().map(|source| (source, label.name.as_str())))
        .collect();
    counted
        .iter()
        .map(|counted| {
            let mut label = Label::without_details(&counted.name);
            for source in counted.sources() {
                if let Some(source) = by_name.get(source) {
                    absorb(&mut label, source);
                }
            }
            label.confidence = counted.confidence;
            rename_parents(&mut label, |parent| {
                shown.get(parent).copied().unwrap_or(parent).to_owned()
            });
            label
        })
        .collect()
}

/// A label of the answer under the name that the owner has chosen. Several labels can be renamed to one.
struct Merged {
    /// The name in lower case.
    key: String,
    label: Label,
    /// The names in the answer.
    sources: Vec<String>,
}

impl Merged {
    /// A label that is not in the answer.
    fn new(key: String, name: &str) -> Self {
        Self {
            key,
            label: Label::without_details(name),
            sources: vec![],
        }
    }
}

/// The labels that `selects` accepts. It is called with the label and the name that the owner has chosen for it.
fn merged(answer: &[Label], names: &Names<'_>, selects: impl Fn(&Label, &str) -> bool) -> Vec<Merged> {
    let mut places: HashMap<String, usize> = HashMap::new();
    let mut found: Vec<Merged> = vec![];
    for source in answer {
        let name = names.shown(&source.name);
        if !selects(source, name) {
            continue;
        }
        let key = name.to_lowercase();
        let place = *places.entry(key.clone()).or_insert(found.len());
        if place == found.len() {
            found.push(Merged::new(key, name));
        }
        let merged = &mut found[place];
        absorb(&mut merged.label, source);
        merged.sources.push(source.name.clone());
    }
    for merged in &mut found {
        rename_parents(&mut merged.label, |parent| names.shown(parent).to_owned());
    }
    found
}

/// Adds the details of another label of the answer.
fn absorb(label: &mut Label, other: &Label) {
    if other.confidence > label.confidence {
        label.confidence = other.confidence;
    }
    label.instances.extend(other.instances.iter().cloned());
    label.seen = match (label.seen, other.seen) {
        (Some(seen), Some(other)) => Some(seen.or(other)),
        (seen, other) => seen.or(other),
    };
    for (names, others) in [
        (&mut label.parents, &other.parents),
        (&mut label.aliases, &other.aliases),
        (&mut label.categories, &other.categories),
    ] {
        for name in others {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
}

/// Replaces the parents' names. A label is not its own parent.
fn rename_parents(label: &mut Label, rename: impl Fn(&str) -> String) {
    let mut parents: Vec<String> = vec![];
    for parent in &label.parents {
        let parent = rename(parent);
        if parent != label.name && !parents.contains(&parent) {
            parents.push(parent);
        }
    }
    label.parents = parents;
}

/// The names in the answer, unless the only one is the label's own.
fn detected_as(name: &str, sources: Vec<String>) -> Vec<String> {
    if sources.iter().all(|source| source == name) {
        vec![]
    } else {
        sources
    }
}

/// The names that the owner has chosen, by the model's names in lower case.
pub(crate) struct Names<'a>(HashMap<String, &'a str>);

impl<'a> Names<'a> {
    pub(crate) fn new(renames: &'a [crate::policy::Rename]) -> Self {
        Self(
            renames
                .iter()
                .map(|rename| (rename.from.to_lowercase(), rename.to.as_str()))
                .collect(),
        )
    }

    pub(crate) fn shown<'b>(&self, name: &'b str) -> &'b str
    where
        'a: 'b,
    {
        self.0.get(&name.to_lowercase()).copied().unwrap_or(name)
    }

    /// Whether two names are the same label.
    pub(crate) fn are_same(&self, name: &str, other: &str) -> bool {
        self.shown(name).to_lowercase() == self.shown(other).to_lowercase()
    }
}

/// A policy, prepared for many labels.
struct Selection {
    include: HashSet<String>,
    exclude: HashSet<String>,
    min_confidence: f64,
}

impl Selection {
    fn new(policy: &FilterPolicy) -> Self {
        Self {
            include: lower_case(&policy.include),
            exclude: lower_case(&policy.exclude),
            min_confidence: policy.min_confidence,
        }
    }

    /// Whether the policy keeps a label, apart from the maximum number of labels.
    fn selects(&self, source: &Label, shown: &str) -> bool {
        source.confidence.percent() >= self.min_confidence && self.allows(&source.name, shown)
    }

    /// Whether the policy keeps labels of this name.
    fn allows(&self, source: &str, shown: &str) -> bool {
        let (source_key, key) = (source.to_lowercase(), shown.to_lowercase());
        let has = |names: &HashSet<String>| names.contains(&source_key) || names.contains(&key);
        (self.include.is_empty() || has(&self.include)) && !has(&self.exclude)
    }
}

fn lower_case(names: &[String]) -> HashSet<String> {
    names.iter().map(|name| name.to_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Rename;
    use proptest::prelude::*;

    fn label(name: &str, confidence: f64) -> Label {
        Label {
            confidence: Confidence::new(confidence),
            ..Label::without_details(name)
        }
    }

    fn child(name: &str, confidence: f64, parents: &[&str]) -> Label {
        Label {
            parents: owned(parents),
            ..label(name, confidence)
        }
    }

    fn owned(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    fn policy(min_confidence: f64, max_labels: u32, include: &[&str], exclude: &[&str]) -> FilterPolicy {
        FilterPolicy {
            min_confidence,
            max_labels,
            include: owned(include),
            exclude: owned(exclude),
        }
    }

    fn renames(pairs: &[(&str, &str)]) -> Vec<Rename> {
        let rename = |(from, to): &(&str, &str)| Rename {
            from: (*from).to_owned(),
            to: (*to).to_owned(),
        };
        pairs.iter().map(rename).collect()
    }

    fn criteria(policy: FilterPolicy, pairs: &[(&str, &str)], added: &[&str], removed: &[&str]) -> Criteria {
        Criteria {
            settings: Settings {
                policy,
                renames: renames(pairs),
            },
            keywords: vec![],
            corrections: Corrections {
                added: owned(added),
                removed: owned(removed),
            },
        }
    }

    fn names(counted: &[RecordedLabel]) -> Vec<&str> {
        counted.iter().map(|label| label.name.as_str()).collect()
    }

    #[test]
    fn keywords_of_the_file_count_unless_they_are_excluded_or_removed() {
        let answer = [child("Cat", 40.0, &["Animal"]), label("Animal", 90.0)];
        let mut criteria = criteria(
            policy(80.0, 1, &[], &["Secret"]),
            &[("Holidays", "Vacation")],
            &[],
            &[],
        );
        criteria.keywords = owned(&["cat", "Holidays", "secret", "Grandma"]);
        let counted = criteria.labels_that_count(&answer);
        let kept: Vec<_> = counted
            .iter()
            .map(|label| (label.name.as_str(), label.keyword))
            .collect();
        for expected in [
            ("cat", true),
            ("Vacation", true),
            ("Grandma", true),
            ("Animal", false),
        ] {
            assert!(kept.contains(&expected), "{expected:?} in {kept:?}");
        }
        assert_eq!(kept.len(), 4);
        assert!(
            counted
                .iter()
                .all(|label| !label.keyword || label.confidence.percent() >= CERTAIN)
        );

        criteria.corrections.removed = owned(&["Vacation", "GRANDMA"]);
        criteria.corrections.added = owned(&["Cat"]);
        let counted = criteria.labels_that_count(&answer);
        let cat = counted.iter().find(|label| label.name == "Cat").unwrap();
        assert!(cat.added && !cat.keyword, "the owner's own correction");
        assert_eq!(counted.len(), 2);
    }

    fn kept(policy: FilterPolicy, answer: &[Label]) -> Vec<String> {
        let counted = criteria(policy, &[], &[], &[]).labels_that_count(answer);
        counted.into_iter().map(|label| label.name).collect()
    }

    #[test]
    fn a_label_exactly_at_the_threshold_counts() {
        let answer = [label("Cat", 70.0), label("Dog", 69.99)];
        assert_eq!(kept(policy(70.0, 10, &[], &[]), &answer), ["Cat"]);
    }

    #[test]
    fn the_labels_with_the_highest_confidence_count_if_there_are_too_many() {
        let answer = [label("A", 90.0), label("B", 50.0), label("C", 10.0)];
        assert_eq!(kept(policy(0.0, 2, &[], &[]), &answer), ["A", "B"]);
    }

    #[test]
    fn lists_of_the_policy_are_case_insensitive_and_exclude_overrides_include() {
        let answer = [label("Cat", 90.0), label("Dog", 80.0), label("Bird", 70.0)];
        assert_eq!(kept(policy(0.0, 10, &["CAT", "dog"], &["Dog"]), &answer), ["Cat"]);
    }

    #[test]
    fn corrections_outrank_the_policy() {
        let answer = [label("Cat", 90.0), label("Dog", 80.0), label("Bird", 20.0)];
        let criteria = criteria(
            policy(50.0, 1, &["Cat"], &["Bird"]),
            &[],
            &["Bird", "Home"],
            &["cat"],
        );
        let counted = criteria.labels_that_count(&answer);
        assert_eq!(names(&counted), ["Bird", "Home"]);
        assert!(
            counted
                .iter()
                .all(|label| label.added && label.confidence.percent() == 100.0)
        );
    }

    #[test]
    fn a_removed_label_makes_room_for_the_next_one() {
        let answer = [label("Cat", 90.0), label("Dog", 80.0)];
        let criteria = criteria(policy(50.0, 1, &[], &[]), &[], &[], &["Cat"]);
        assert_eq!(names(&criteria.labels_that_count(&answer)), ["Dog"]);
    }

    #[test]
    fn renamed_labels_are_merged_with_their_boxes_and_parents() {
        let mut answer = [
            child("Dog", 90.0, &["Canine"]),
            label("Canine", 85.0),
            label("Hound", 60.0),
        ];
        let instance = |percent| crate::Instance {
            confidence: Confidence::new(percent),
            bounding_box: crate::BoundingBox::new(0.1, 0.1, 0.1, 0.1),
        };
        answer[0].instances.push(instance(90.0));
        answer[2].instances.push(instance(60.0));
        let pairs = [("dog", "Good boy"), ("Hound", "Good boy"), ("Canine", "Pet")];
        let counted = criteria(policy(50.0, 10, &[], &[]), &pairs, &[], &[]).labels_that_count(&answer);
        assert_eq!(
            names(&counted),
            ["Good boy", "Pet"],
            "the parent comes last, under its new name"
        );
        assert_eq!(counted[0].confidence.percent(), 90.0);
        assert_eq!(counted[0].detected_as, ["Dog", "Hound"]);
        let details = details(&counted, &answer);
        assert_eq!(details[0].instances.len(), 2);
        assert_eq!(details[0].parents, ["Pet"]);
        assert_eq!(
            (details[1].name.as_str(), details[1].confidence.percent()),
            ("Pet", 85.0)
        );
    }

    #[test]
    fn policy_and_corrections_understand_the_models_names_and_the_owners() {
        let answer = [label("Dog", 90.0), label("Hound", 80.0)];
        let pairs = [("Dog", "Good boy"), ("Hound", "Good boy")];
        let counted = |exclude: &[&str], added: &[&str], removed: &[&str]| {
            let criteria = criteria(policy(0.0, 10, &[], exclude), &pairs, added, removed);
            let counted = criteria.labels_that_count(&answer);
            counted
                .into_iter()
                .map(|label| (label.name, label.confidence.percent(), label.detected_as))
                .collect::<Vec<_>>()
        };
        let hound = [("Good boy".to_owned(), 80.0, owned(&["Hound"]))];
        assert_eq!(counted(&["dog"], &[], &[]), hound);
        assert_eq!(counted(&[], &[], &["dog"]), hound);
        assert_eq!(counted(&["good boy"], &[], &[]), []);
        assert_eq!(counted(&[], &[], &["GOOD BOY"]), []);
        let added = [("Good boy".to_owned(), 100.0, owned(&["Dog", "Hound"]))];
        assert_eq!(counted(&["good boy"], &["dog"], &[]), added);
    }

    #[test]
    fn names_that_differ_only_in_case_are_one_label() {
        let answer = [label("TV", 90.0), label("tv", 80.0)];
        let counted = criteria(policy(0.0, 10, &[], &[]), &[], &["Tv"], &[]).labels_that_count(&answer);
        assert_eq!(names(&counted), ["Tv"]);
        assert_eq!(kept(policy(0.0, 10, &[], &[]), &answer), ["TV"]);
    }

    proptest! {
        #[test]
        fn what_counts_satisfies_settings_and_corrections(
            found in proptest::collection::btree_map("[a-f]", 0.0_f64..100.0, 0..6),
            min in 0.0_f64..100.0, max in 1_u32..6,
            include in proptest::collection::vec("[a-fA-F]", 0..3),
            exclude in proptest::collection::vec("[a-fA-F]", 0..3),
            added in proptest::collection::btree_set("[a-h]", 0..3),
            removed in proptest::collection::btree_set("[a-h]", 0..3),
        ) {
            let added: Vec<String> = added.difference(&removed).cloned().collect();
            let removed: Vec<String> = removed.into_iter().collect();
            let mut answer: Vec<_> = found.iter().map(|(name, percent)| label(name, *percent)).collect();
            label::sort(&mut answer);
            let has = |list: &[String], name: &str| list.iter().any(|entry| entry.eq_ignore_ascii_case(name));
            let mut expected: Vec<&str> = answer.iter()
                .filter(|label| label.confidence.percent() >= min)
                .map(|label| label.name.as_str())
                .filter(|name| (include.is_empty() || has(&include, name)) && !has(&exclude, name))
                .filter(|name| !has(&removed, name) && !has(&added, name))
                .take(max as usize).collect();
            expected.extend(added.iter().map(String::as_str));
            expected.sort_unstable();
            let criteria = Criteria {
                settings: Settings {
                    policy: FilterPolicy { min_confidence: min, max_labels: max, include, exclude },
                    renames: vec![],
                },
                keywords: vec![],
                corrections: Corrections { added: added.clone(), removed },
            };
            let counted = criteria.labels_that_count(&answer);
            let mut names = names(&counted);
            names.sort_unstable();
            prop_assert_eq!(names, expected);
            prop_assert!(counted.iter().all(|label| label.added == added.contains(&label.name)));
        }
    }
}
