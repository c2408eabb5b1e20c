//! Each label of an image has a row, and each label of an owner has a count of its rows.
//!
//! A row and its count change in one transaction, which also checks the image's record. Rows therefore change only
//! while the execution holds the image, while the image is labeled and its record has not changed since it was read, or
//! after the owner has deleted it. The counts stay exact.
//!
//! The rows are read first to find the required changes. Another run of the same step, a correction or a job can change
//! them after that. Therefore each action has its own condition, and if one does not hold, the rows are read again.

use crate::attribute::{
    ALIASES, CATEGORIES, CONFIDENCE, COUNT, IMAGE_ID, LABEL, NAME, PARENTS, PARTITION_KEY,
};
use crate::expression::{Condition, Expressions, Update, number, text};
use crate::key::Key;
use crate::{Item, Records};
use aws::ServiceError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use domain::record::RecordedLabel;
use domain::{Confidence, ImageId, ImageRecord, Label, Owner, table};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The maximum number of tries if another run of the same step, a correction or a job changes the rows after they were
/// read.
pub(crate) const MAX_TRIES: usize = 5;

/// The maximum number of parents, aliases and categories in a label count, so that it costs one write unit. Rekognition's
/// labels have fewer.
const MAX_DETAILS: usize = 10;

/// A row in the table. An attribute that is missing or invalid is `None`.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    label: Option<String>,
    confidence: Option<Confidence>,
}

/// A change of a row.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Change {
    Add(RecordedLabel),
    /// Another confidence or capitalization of the same label.
    Replace(RecordedLabel),
    Remove(String),
}

impl Change {
    /// The number of actions in a transaction: one for the row, and one for the count if it changes.
    fn action_count(&self) -> usize {
        match self {
            Self::Add(_) | Self::Remove(_) => 2,
            Self::Replace(_) => 1,
        }
    }

    pub(crate) fn label(&self) -> &str {
        match self {
            Self::Add(label) | Self::Replace(label) => &label.name,
            Self::Remove(label) => label,
        }
    }
}

/// The rows of one image.
#[derive(Debug)]
pub(crate) struct LabelRows<'a> {
    owner: &'a Owner,
    image_id: ImageId,
    history: String,
    /// The rows, with the label names as in the record.
    rows: HashMap<Key, (String, Row)>,
}

impl<'a> LabelRows<'a> {
    /// Reads the existing rows of an image. `labelRows` of its record is a superset of their labels.
    pub(crate) async fn read(records: &Records, record: &'a ImageRecord) -> Result<Self, ServiceError> {
        let (owner, image_id) = (&record.owner, record.image_id);
        let history = record.history.clone();
        let names = record.label_rows.iter();
        let names: HashMap<Key, &String> = names
            .map(|name| (Key::label_row(owner, name, &history), name))
            .collect();
        let keys: Vec<Key> = names.keys().cloned().collect();
        let mut rows = HashMap::new();
        let found = records.batch_get(&keys, |item| Some(row(&item))).await?;
        for (key, row) in keys.iter().zip(found) {
            if let Some(row) = row.known()? {
                rows.insert(key.clone(), (names[key].clone(), row));
            }
        }
        Ok(Self {
            owner,
            image_id,
            history,
            rows,
        })
    }

    /// No rows, of an image that moves to another place in the history.
    pub(crate) fn none_at(record: &'a ImageRecord, place: &str) -> Self {
        Self {
            owner: &record.owner,
            image_id: record.image_id,
            history: place.to_owned(),
            rows: HashMap::new(),
        }
    }

    /// The image's place in the history, which is the sort key of its rows.
    pub(crate) fn place(&self) -> &str {
        &self.history
    }

    /// The rows that a labeled image has according to its record, without reading them. `None` if a change of the rows is
    /// incomplete. If the table has other rows, a condition of the transaction does not hold.
    pub(crate) fn recorded(record: &'a ImageRecord) -> Option<Self> {
        let history = record.history.clone();
        let labels = record.labels.as_deref().unwrap_or_default();
        let rows = labels.iter().map(|label| {
            let row = Row {
                label: Some(label.name.clone()),
                confidence: Some(label.confidence),
            };
            let key = Key::label_row(&record.owner, &label.name, &history);
            (key, (label.name.clone(), row))
        });
        let rows: HashMap<_, _> = rows.collect();
        let announced: HashSet<_> = record
            .label_rows
            .iter()
            .map(|name| Key::label_row(&record.owner, name, &history))
            .collect();
        let is_settled = !record.rows_changing
            && announced.len() == rows.len()
            && announced.iter().all(|key| rows.contains_key(key));
        is_settled.then_some(Self {
            owner: &record.owner,
            image_id: record.image_id,
            history,
            rows,
        })
    }

    /// The changes that make the rows match exactly these labels. If labels differ only in capitalization, the first
    /// one is used.
    pub(crate) fn changes(&self, labels: &[RecordedLabel]) -> Vec<Change> {
        let mut wanted = HashSet::new();
        let mut changes = vec![];
        for label in labels {
            let key = self.key(&label.name);
            if !wanted.insert(key.clone()) {
                continue;
            }
            match self.rows.get(&key) {
                None => changes.push(Change::Add(label.clone())),
                Some((_, row)) if row.matches(label) => {}
                Some(_) => changes.push(Change::Replace(label.clone())),
            }
        }
        let gone = self.rows.iter().filter(|(key, _)| !wanted.contains(key));
        let mut gone: Vec<_> = gone.map(|(_, (name, _))| Change::Remove(name.clone())).collect();
        // Sorted, so that each run has the same order.
        gone.sort_by(|a, b| a.label().cmp(b.label()));
        gone.extend(changes);
        gone
    }

    /// Splits changes into parts with at most `max_actions` actions each. Returns at least one part.
    pub(crate) fn parts(changes: Vec<Change>, max_actions: usize) -> Vec<Vec<Change>> {
        let mut parts = vec![vec![]];
        let mut actions = 0;
        for change in changes {
            if actions + change.action_count() > max_actions {
                parts.push(vec![]);
                actions = 0;
            }
            actions += change.action_count();
            if let Some(part) = parts.last_mut() {
                part.push(change);
            }
        }
        parts
    }

    /// The action for the row of a change.
    pub(crate) fn action(&self, records: &Records, change: &Change) -> TransactWriteItem {
        let only_if = |condition: Condition| Expressions::new().condition(condition);
        match change {
            Change::Add(label) => self.put(records, label, only_if(Condition::Absent(PARTITION_KEY))),
            Change::Replace(label) => self.put(records, label, only_if(Condition::Exists(PARTITION_KEY))),
            Change::Remove(name) => {
                records.delete(&self.key(name), only_if(Condition::Exists(PARTITION_KEY)))
            }
        }
    }

    /// The actions of a transaction for changes of this image alone: for its rows, and for the counts. `details` has the
    /// details of added labels by their names.
    pub(crate) fn actions(
        &self,
        records: &Records,
        changes: &[Change],
        details: &HashMap<String, Label>,
    ) -> Vec<TransactWriteItem> {
        let mut counts = CountChanges::new(self.owner);
        for change in changes {
            counts.count(change, details);
        }
        let rows = changes.iter().map(|change| self.action(records, change));
        rows.chain(counts.actions(records)).collect()
    }

    fn put(&self, records: &Records, label: &RecordedLabel, expressions: Expressions) -> TransactWriteItem {
        let row = Item::from([
            (IMAGE_ID.to_owned(), text(self.image_id.to_string())),
            (LABEL.to_owned(), text(&label.name)),
            (CONFIDENCE.to_owned(), number(label.confidence.percent())),
        ]);
        records.put(&self.key(&label.name), row, expressions)
    }

    fn key(&self, label: &str) -> Key {
        Key::label_row(self.owner, label, &self.history)
    }
}

/// Changes of an owner's label counts. Images that change together change each count once.
#[derive(Debug)]
pub(crate) struct CountChanges<'a> {
    owner: &'a Owner,
    by_sort_key: BTreeMap<String, CountChange>,
}

#[derive(Debug)]
struct CountChange {
    label: String,
    change: i32,
    /// What the model says about the label, if it was added.
    details: Option<Label>,
}

impl<'a> CountChanges<'a> {
    pub(crate) fn new(owner: &'a Owner) -> Self {
        Self {
            owner,
            by_sort_key: BTreeMap::new(),
        }
    }

    /// Adds the effect of a change. `details` has the details of labels by their names.
    pub(crate) fn count(&mut self, change: &Change, details: &HashMap<String, Label>) {
        let number = match change {
            Change::Add(_) => 1,
            Change::Remove(_) => -1,
            Change::Replace(_) => return,
        };
        let label = change.label();
        let entry = self.by_sort_key.entry(table::label_count_sort(label));
        let count = entry.or_insert_with(|| CountChange {
            label: label.to_owned(),
            change: 0,
            details: None,
        });
        count.change += number;
        if number > 0 {
            label.clone_into(&mut count.label);
            count.details = details.get(label).cloned().or(count.details.take());
        }
    }

    /// The number of actions.
    pub(crate) fn len(&self) -> usize {
        let counts = self.by_sort_key.values();
        counts.filter(|count| count.change != 0).count()
    }

    /// The actions of a transaction.
    pub(crate) fn actions(&self, records: &Records) -> Vec<TransactWriteItem> {
        let changed = self.by_sort_key.values().filter(|count| count.change != 0);
        changed.map(|count| self.action(records, count)).collect()
    }

    fn action(&self, records: &Records, count: &CountChange) -> TransactWriteItem {
        let mut update = Update::new()
            .set(NAME, text(&count.label))
            .add(COUNT, number(count.change));
        let details = count
            .details
            .as_ref()
            .filter(|label| !label.categories.is_empty());
        if let Some(label) = details {
            for (attribute, names) in [
                (PARENTS, &label.parents),
                (ALIASES, &label.aliases),
                (CATEGORIES, &label.categories),
            ] {
                let names = names.iter().take(MAX_DETAILS).map(text).collect();
                update = update.set(attribute, AttributeValue::L(names));
            }
        }
        records.plain_update(
            &Key::label_count(self.owner, &count.label),
            Expressions::new().update(update),
        )
    }
}

impl Row {
    fn matches(&self, label: &RecordedLabel) -> bool {
        self.label.as_ref() == Some(&label.name) && self.confidence == Some(label.confidence)
    }
}

fn row(item: &Item) -> Row {
    Row {
        label: item.get(LABEL).and_then(|label| label.as_s().ok()).cloned(),
        confidence: confidence(item).map(Confidence::new),
    }
}

/// The confidence in a row, in percent.
pub(crate) fn confidence(item: &Item) -> Option<f64> {
    item.get(CONFIDENCE)?.as_n().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(name: &str, percent: f64) -> RecordedLabel {
        RecordedLabel {
            name: name.to_owned(),
            confidence: Confidence::new(percent),
            added: false,
            keyword: false,
            detected_as: vec![],
            seen: None,
        }
    }

    fn rows(owner: &Owner, stored: &[(&str, f64)]) -> HashMap<Key, (String, Row)> {
        let row = |(name, percent): &(&str, f64)| {
            let row = Row {
                label: Some((*name).to_owned()),
                confidence: Some(Confidence::new(*percent)),
            };
            (Key::label_row(owner, name, "history"), ((*name).to_owned(), row))
        };
        stored.iter().map(row).collect()
    }

    fn changes(stored: &[(&str, f64)], labels: &[RecordedLabel]) -> Vec<Change> {
        let owner = Owner::new("demo").unwrap();
        let rows = LabelRows {
            owner: &owner,
            image_id: ImageId::new(),
            history: "history".into(),
            rows: rows(&owner, stored),
        };
        rows.changes(labels)
    }

    #[test]
    fn changes_only_rows_that_differ() {
        let labels = [label("Cat", 90.0), label("Pet", 80.5), label("Animal", 70.0)];
        assert_eq!(
            changes(&[("Cat", 90.0), ("Pet", 80.0), ("Dog", 60.0)], &labels),
            [
                Change::Remove("Dog".into()),
                Change::Replace(label("Pet", 80.5)),
                Change::Add(label("Animal", 70.0)),
            ]
        );
    }

    /// DynamoDB rejects a transaction with two actions on one item.
    #[test]
    fn labels_that_differ_only_in_capitalization_share_a_row() {
        let labels = [label("TV", 90.0), label("tv", 80.0)];
        assert_eq!(changes(&[], &labels), [Change::Add(label("TV", 90.0))]);
        assert_eq!(
            changes(&[("Tv", 90.0)], &labels),
            [Change::Replace(label("TV", 90.0))]
        );
    }

    #[test]
    fn no_part_exceeds_the_maximum_number_of_actions() {
        let adds = (0..120).map(|i| Change::Add(label(&format!("L{i}"), 50.0)));
        let replaces = (0..200).map(|i| Change::Replace(label(&format!("R{i}"), 50.0)));
        let all: Vec<_> = adds.chain(replaces).collect();
        let parts = LabelRows::parts(all.clone(), 98);
        assert!(
            parts
                .iter()
                .all(|part| part.iter().map(Change::action_count).sum::<usize>() <= 98)
        );
        assert_eq!(parts.concat(), all);
        assert_eq!(parts[0].len(), 49);
        assert_eq!(LabelRows::parts(vec![], 98), [vec![]]);
    }
}
