//! All labels, their parents, and the models' classes that they stand for: `data/labels.toml`.

use crate::models::CLASSES;
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// One more than the largest COCO id.
const COCO_IDS: usize = 91;

/// Why a table of labels is invalid.
#[derive(Debug, thiserror::Error)]
pub enum TaxonomyError {
    /// It is not TOML of the expected form.
    #[error("cannot read the table of labels: {0}")]
    Syntax(#[from] toml::de::Error),
    /// It contradicts itself.
    #[error("the table of labels is inconsistent: {0}")]
    Inconsistent(String),
}

/// A label's index in the [`Taxonomy`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LabelId(usize);

/// A label, as the table describes it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// All its ancestors, nearest first.
    pub ancestors: Vec<LabelId>,
    /// Other names for the same thing.
    pub aliases: Vec<String>,
    /// Its categories, at least one.
    pub categories: Vec<String>,
    /// Labels that confirm a detection of this one when the classifier checks it. Empty if there are none.
    pub support: Vec<LabelId>,
}

/// All labels, parents before their children.
#[derive(Debug)]
pub struct Taxonomy {
    entries: Vec<Entry>,
    /// The label of each ImageNet class.
    imagenet: Vec<LabelId>,
    /// The label of each COCO id.
    coco: [Option<LabelId>; COCO_IDS],
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(default)]
    parents: Vec<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    categories: Vec<String>,
    #[serde(default)]
    imagenet: Vec<usize>,
    coco: Option<usize>,
    #[serde(default)]
    support: Vec<String>,
}

impl Taxonomy {
    /// The table that is compiled into this crate.
    ///
    /// # Errors
    /// None if the tests pass: they read the same table.
    pub fn built_in() -> Result<Self, TaxonomyError> {
        Self::parse(include_str!("../data/labels.toml"))
    }

    /// Reads a table of labels. The comment at the top of `data/labels.toml` describes the format.
    ///
    /// # Errors
    /// [`TaxonomyError`], which names the incorrect label.
    pub fn parse(table: &str) -> Result<Self, TaxonomyError> {
        let rows: BTreeMap<String, Row> = toml::from_str(table)?;
        let order = parents_first(&rows)?;
        let ids: HashMap<&str, LabelId> = order
            .iter()
            .enumerate()
            .map(|(id, &name)| (name, LabelId(id)))
            .collect();
        let find = |name: &str, of: &str| {
            ids.get(name)
                .copied()
                .ok_or_else(|| inconsistent(format!("\"{of}\" names \"{name}\", which is not a label")))
        };
        let mut taxonomy = Self {
            entries: Vec::with_capacity(order.len()),
            imagenet: Vec::new(),
            coco: [None; COCO_IDS],
        };
        let mut imagenet = vec![None; CLASSES];
        for name in order {
            let row = &rows[name];
            let id = LabelId(taxonomy.entries.len());
            let mut ancestors: Vec<LabelId> = Vec::new();
            let mut categories = row.categories.clone();
            for parent in &row.parents {
                let parent = find(parent, name)?;
                let entry = taxonomy.entry(parent);
                if categories.is_empty() {
                    categories.clone_from(&entry.categories);
                }
                for ancestor in std::iter::once(parent).chain(entry.ancestors.iter().copied()) {
                    if !ancestors.contains(&ancestor) {
                        ancestors.push(ancestor);
                    }
                }
            }
            if categories.is_empty() {
                return Err(inconsistent(format!(
                    "\"{name}\" has neither a category nor a parent with one"
                )));
            }
            for &class in &row.imagenet {
                assign(imagenet.get_mut(class), id, || {
                    format!("ImageNet class {class} of \"{name}\"")
                })?;
            }
            if let Some(class) = row.coco {
                assign(taxonomy.coco.get_mut(class), id, || {
                    format!("COCO id {class} of \"{name}\"")
                })?;
            }
            let support = row
                .support
                .iter()
                .map(|label| find(label, name))
                .collect::<Result<_, _>>()?;
            taxonomy.entries.push(Entry {
                name: name.to_owned(),
                ancestors,
                aliases: row.aliases.clone(),
                categories,
                support,
            });
        }
        taxonomy.imagenet = imagenet
            .into_iter()
            .enumerate()
            .map(|(class, id)| id.ok_or_else(|| inconsistent(format!("ImageNet class {class} has no label"))))
            .collect::<Result<_, _>>()?;
        Ok(taxonomy)
    }

    /// Every label, parents before children.
    pub fn labels(&self) -> impl DoubleEndedIterator<Item = (LabelId, &Entry)> {
        self.entries
            .iter()
            .enumerate()
            .map(|(id, entry)| (LabelId(id), entry))
    }

    /// How many labels there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A label's row in the table.
    pub fn entry(&self, id: LabelId) -> &Entry {
        &self.entries[id.0]
    }

    /// The label of one of the detector's classes. `None` for ids that COCO does not use.
    pub fn label_of_coco(&self, coco_id: usize) -> Option<LabelId> {
        self.coco.get(coco_id).copied().flatten()
    }

    /// The label with this exact name.
    pub fn find(&self, name: &str) -> Option<LabelId> {
        self.labels()
            .find(|(_, entry)| entry.name == name)
            .map(|(id, _)| id)
    }

    /// The probability of each label, 0..=1: the sum for its own ImageNet classes and those of all its descendants.
    /// Classes with a probability below `floor` are ignored.
    pub fn sums(&self, probabilities: &[f32], floor: f32) -> LabelValues {
        let mut values = LabelValues(vec![0.0; self.entries.len()]);
        for (&label, &probability) in self.imagenet.iter().zip(probabilities) {
            if probability < floor {
                continue;
            }
            values.0[label.0] += probability;
            for &ancestor in &self.entry(label).ancestors {
                values.0[ancestor.0] += probability;
            }
        }
        for value in &mut values.0 {
            *value = value.clamp(0.0, 1.0);
        }
        values
    }
}

/// A number for each label.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelValues(Vec<f32>);

impl LabelValues {
    /// The label's number.
    pub fn get(&self, id: LabelId) -> f32 {
        self.0[id.0]
    }

    /// Raises the label's number to at least `value`.
    pub fn raise(&mut self, id: LabelId, value: f32) {
        self.0[id.0] = self.0[id.0].max(value);
    }
}

fn inconsistent(reason: String) -> TaxonomyError {
    TaxonomyError::Inconsistent(reason)
}

/// Assigns a class to a label. Each class belongs to one label.
fn assign(
    slot: Option<&mut Option<LabelId>>,
    id: LabelId,
    what: impl Fn() -> String,
) -> Result<(), TaxonomyError> {
    match slot {
        None => Err(inconsistent(format!("{} does not exist", what()))),
        Some(Some(_)) => Err(inconsistent(format!("{} belongs to another label too", what()))),
        Some(slot) => {
            *slot = Some(id);
            Ok(())
        }
    }
}

/// Sorts the names so that every parent comes before its children.
fn parents_first(rows: &BTreeMap<String, Row>) -> Result<Vec<&str>, TaxonomyError> {
    fn visit<'a>(
        name: &'a str,
        rows: &'a BTreeMap<String, Row>,
        path: &mut Vec<&'a str>,
        order: &mut Vec<&'a str>,
        seen: &mut HashMap<&'a str, bool>,
    ) -> Result<(), TaxonomyError> {
        match seen.get(name) {
            Some(true) => return Ok(()),
            Some(false) => {
                return Err(inconsistent(format!(
                    "\"{name}\" descends from itself: {}",
                    path.join(" → ")
                )));
            }
            None => {}
        }
        let Some(row) = rows.get(name) else {
            let child = path.last().copied().unwrap_or_default();
            return Err(inconsistent(format!(
                "\"{child}\" has the parent \"{name}\", which is not a label"
            )));
        };
        seen.insert(name, false);
        path.push(name);
        for parent in &row.parents {
            visit(parent, rows, path, order, seen)?;
        }
        path.pop();
        seen.insert(name, true);
        order.push(name);
        Ok(())
    }
    let mut order = Vec::with_capacity(rows.len());
    let mut seen = HashMap::new();
    for name in rows.keys() {
        visit(name, rows, &mut Vec::new(), &mut order, &mut seen)?;
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn taxonomy() -> Taxonomy {
        Taxonomy::built_in().expect("the built-in table is consistent")
    }

    fn ancestors<'a>(taxonomy: &'a Taxonomy, name: &str) -> HashSet<&'a str> {
        let id = taxonomy.find(name).unwrap_or_else(|| panic!("{name} is a label"));
        taxonomy
            .entry(id)
            .ancestors
            .iter()
            .map(|&ancestor| taxonomy.entry(ancestor).name.as_str())
            .collect()
    }

    #[test]
    fn every_class_of_both_models_has_a_label() {
        let taxonomy = taxonomy();
        assert_eq!(taxonomy.imagenet.len(), CLASSES);
        // COCO uses 80 of its ids 1 to 90.
        assert_eq!(taxonomy.coco.iter().flatten().count(), 80);
    }

    #[test]
    fn labels_have_the_ancestors_that_people_expect() {
        let taxonomy = taxonomy();
        for (label, expected) in [
            ("Cat", ["Animal", "Mammal", "Pet"].as_slice()),
            ("Egyptian Cat", &["Animal", "Cat", "Mammal", "Pet"]),
            ("Dog", &["Animal", "Canine", "Mammal", "Pet"]),
            ("Car", &["Transportation", "Vehicle"]),
            ("Coffee Cup", &["Cup"]),
            ("Espresso", &["Beverage", "Coffee"]),
            ("Person", &[]),
        ] {
            assert_eq!(
                ancestors(&taxonomy, label),
                expected.iter().copied().collect(),
                "{label}"
            );
        }
    }

    #[test]
    fn names_are_in_title_case_and_neither_glossed_nor_abstract() {
        let small = ["of", "and", "or", "the", "de", "des", "in", "iPod"];
        let abstractions = [
            "Entity",
            "Object",
            "Whole",
            "Artifact",
            "Organism",
            "Chordate",
            "Placental",
            "Matter",
        ];
        for (_, entry) in taxonomy().labels() {
            let name = &entry.name;
            assert!(!name.contains(['(', ')', '/', ',', '_']), "{name} has a gloss");
            assert!(!abstractions.contains(&name.as_str()), "{name} is too abstract");
            let title = |word: &str| small.contains(&word) || word.starts_with(|c: char| !c.is_lowercase());
            assert!(name.split([' ', '-']).all(title), "{name} is not in Title Case");
            assert!(
                name.chars().count() <= 50,
                "{name} is longer than a filter can be"
            );
        }
    }

    #[test]
    fn no_alias_is_the_name_of_another_label() {
        let taxonomy = taxonomy();
        let names: HashSet<String> = taxonomy
            .labels()
            .map(|(_, entry)| entry.name.to_lowercase())
            .collect();
        for (_, entry) in taxonomy.labels() {
            for alias in &entry.aliases {
                assert!(
                    !names.contains(&alias.to_lowercase()),
                    "{alias} of {} is a label",
                    entry.name
                );
            }
        }
    }

    #[test]
    fn sums_probabilities_in_ancestors() {
        let taxonomy = taxonomy();
        let mut probabilities = vec![0.0; CLASSES];
        // An Egyptian cat, a tabby, and less than a percent of a goldfish.
        (probabilities[285], probabilities[281], probabilities[1]) = (0.58, 0.30, 0.005);
        let sums = taxonomy.sums(&probabilities, 0.01);
        let sum = |name: &str| sums.get(taxonomy.find(name).expect("a label"));
        assert!((sum("Cat") - 0.88).abs() < 1e-6);
        assert!((sum("Animal") - 0.88).abs() < 1e-6);
        assert_eq!(sum("Goldfish"), 0.0, "below the floor");
    }

    #[test]
    fn rejects_an_inconsistent_table_and_names_the_label() {
        for (table, reason) in [
            ("A = { parents = [\"B\"] }", "not a label"),
            (
                "A = { parents = [\"B\"] }\nB = { parents = [\"A\"] }",
                "descends from itself",
            ),
            ("A = { }", "category"),
            (
                "A = { categories = [\"C\"], imagenet = [1000] }",
                "does not exist",
            ),
            (
                "A = { categories = [\"C\"], imagenet = [1] }\nB = { categories = [\"C\"], imagenet = [1] }",
                "another",
            ),
            ("A = { categories = [\"C\"], support = [\"B\"] }", "not a label"),
            ("A = { categories = [\"C\"] }", "ImageNet class 0 has no label"),
            ("A = { kategories = [] }", "kategories"),
        ] {
            let error = Taxonomy::parse(table).expect_err(table).to_string();
            assert!(error.contains(reason), "{table}: {error}");
        }
    }
}
