//! Changes the labels of images: in their records, their label rows and the owner's label counts.
//!
//! Everything changes in one transaction, on the condition that the record has not changed since it was read. Up to 49
//! changed labels of one image fit into a transaction. More labels need several, and each of them checks the record.
//! All except the last one also store two attributes of the record. `labelRows` names all rows before and after the
//! change: it stays a superset of the rows, so that the next writer finds every row to remove. `rowsChanging` makes the
//! next writer complete the change even if the labels stay the same.
//!
//! The labels of several images of one owner can change in one transaction. Then the counts change once for all of them.

use crate::attribute::{CORRECTIONS, HISTORY, LABEL_ROWS, LABELS, ROWS_CHANGING, STATUS, UPDATED_AT};
use crate::contention::Contention;
use crate::expression::{Condition, Expressions, Update, boolean, equals, text, texts};
use crate::key::Key;
use crate::label_rows::{Change, CountChanges, LabelRows};
use crate::transaction::{MAX_ACTIONS, TransactionError};
use crate::{Records, RecordsError, attribute_value, now_after};
use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::record::{ImageResult, RecordedCorrections, RecordedLabel};
use domain::{Corrections, Criteria, ImageId, ImageRecord, Label, Settings, Status, counting};
use std::collections::{BTreeSet, HashMap};

/// A change of an image's labels, before it is stored.
#[derive(Debug)]
pub(crate) struct LabelsChange<'a> {
    record: &'a ImageRecord,
    rows: LabelRows<'a>,
    changes: Vec<Change>,
    /// The names of all rows afterwards.
    names: BTreeSet<String>,
    details: HashMap<String, Label>,
    condition: Condition,
    /// The image's place in the history, if it changes.
    place: Option<String>,
    update: Update,
    /// What the last transaction does in addition.
    also: Vec<TransactWriteItem>,
}

/// The labels and corrections that a labeled image should have.
#[derive(Debug)]
pub(crate) struct NewLabels {
    labels: Vec<RecordedLabel>,
    corrections: Option<RecordedCorrections>,
}

impl NewLabels {
    /// The labels under these settings and corrections. `None` if nothing changes.
    pub(crate) fn new(
        record: &ImageRecord,
        result: &ImageResult,
        settings: &Settings,
        corrections: Corrections,
    ) -> Option<Self> {
        let before = record.corrections();
        let criteria = Criteria {
            settings: settings.clone(),
            keywords: record.keywords(),
            corrections,
        };
        let labels = criteria.labels_that_count(&result.answer);
        let is_new =
            criteria.corrections != before || record.labels.as_ref() != Some(&labels) || record.rows_changing;
        is_new.then(|| Self {
            labels,
            corrections: recorded_corrections(record, criteria.corrections),
        })
    }

    /// The change to these labels.
    pub(crate) fn change<'a>(
        self,
        record: &'a ImageRecord,
        rows: LabelRows<'a>,
        result: &ImageResult,
    ) -> Result<LabelsChange<'a>, RecordsError> {
        let corrections = self.corrections.as_ref().map(attribute_value).transpose()?;
        let is_labeled = equals(STATUS, text(Status::Labeled.as_str()));
        LabelsChange::new(record, rows, is_labeled, &self.labels, &result.answer)
            .update(|update| update.set_or_remove(CORRECTIONS, corrections))
            .record_labels(&self.labels)
    }
}

/// Corrections as they are stored. `None` if nothing is corrected.
pub(crate) fn recorded_corrections(
    record: &ImageRecord,
    corrections: Corrections,
) -> Option<RecordedCorrections> {
    let sequencer = record.sequencer.clone()?;
    (!corrections.is_empty()).then_some(RecordedCorrections {
        sequencer,
        corrections,
    })
}

impl<'a> LabelsChange<'a> {
    /// A change to these labels, with their details from `answer`, of an image with these label rows. `record` has just
    /// been read. `condition` must hold in addition.
    pub(crate) fn new(
        record: &'a ImageRecord,
        rows: LabelRows<'a>,
        condition: Condition,
        labels: &[RecordedLabel],
        answer: &[Label],
    ) -> Self {
        let details = counting::details(labels, answer);
        Self {
            record,
            changes: rows.changes(labels),
            rows,
            names: labels.iter().map(|label| label.name.clone()).collect(),
            details: details
                .into_iter()
                .map(|label| (label.name.clone(), label))
                .collect(),
            condition,
            place: None,
            update: Update::new(),
            also: vec![],
        }
    }

    pub(crate) fn image_id(&self) -> ImageId {
        self.record.image_id
    }

    /// Also moves the image to this place in the history, at which its rows are written. Each transaction stores the place:
    /// the record always names the one of its rows.
    pub(crate) fn at(mut self, place: &str) -> Self {
        self.place = (self.record.history != place).then(|| place.to_owned());
        self
    }

    /// Also changes other attributes of the record.
    pub(crate) fn update(mut self, change: impl FnOnce(Update) -> Update) -> Self {
        self.update = change(self.update);
        self
    }

    /// Also stores the labels in the record.
    pub(crate) fn record_labels(self, labels: &[RecordedLabel]) -> Result<Self, RecordsError> {
        let labels = attribute_value(labels)?;
        Ok(self.update(|update| update.set(LABELS, labels)))
    }

    /// Also executes other actions.
    pub(crate) fn also(mut self, action: TransactWriteItem) -> Self {
        self.also.push(action);
        self
    }

    /// The action that changes the record, if it has not changed since `read_at`.
    fn record_action(&self, records: &Records, read_at: &str, update: Update) -> TransactWriteItem {
        let is_unchanged = equals(UPDATED_AT, text(read_at));
        let update = match &self.place {
            Some(place) => update.set(HISTORY, text(place)),
            None => update,
        };
        let condition = self.condition.clone().and(is_unchanged);
        let key = Key::image(&self.record.owner, self.record.image_id);
        records.checked_update(&key, Expressions::new().condition(condition).update(update))
    }

    /// The action that completes the record.
    fn final_action(&self, records: &Records, read_at: &str) -> TransactWriteItem {
        let names = (!self.names.is_empty()).then(|| texts(self.names.iter().map(String::as_str)));
        let update = self.update.clone();
        let update = update
            .set(UPDATED_AT, text(now_after(read_at)))
            .set_or_remove(LABEL_ROWS, names)
            .remove([ROWS_CHANGING]);
        self.record_action(records, read_at, update)
    }

    /// The number of actions without the changes of counts.
    fn action_count(&self) -> usize {
        1 + self.changes.len() + self.also.len()
    }

    fn count(&self, counts: &mut CountChanges<'_>) {
        for change in &self.changes {
            counts.count(change, &self.details);
        }
    }
}

impl Records {
    /// Stores a change in as many transactions as necessary.
    pub(crate) async fn change_labels(
        &self,
        change: &LabelsChange<'_>,
        contention: &mut Contention,
    ) -> Result<(), TransactionError> {
        let mut parts = LabelRows::parts(change.changes.clone(), MAX_ACTIONS - 1 - change.also.len());
        let last = parts.pop().unwrap_or_default();
        let before = change.record.label_rows.iter();
        let all_names: BTreeSet<&String> = before.chain(&change.names).collect();
        let mut read_at = change.record.updated_at.clone();
        for part in parts {
            let written_at = now_after(&read_at);
            let update = Update::new()
                .set(UPDATED_AT, text(&written_at))
                .set(ROWS_CHANGING, boolean(true))
                .set(LABEL_ROWS, texts(all_names.iter().map(|name| name.as_str())));
            let mut actions = vec![change.record_action(self, &read_at, update)];
            actions.extend(change.rows.actions(self, &part, &change.details));
            self.transact(actions, contention).await?;
            read_at = written_at;
        }
        let mut actions = vec![change.final_action(self, &read_at)];
        actions.extend(change.also.iter().cloned());
        actions.extend(change.rows.actions(self, &last, &change.details));
        self.transact(actions, contention).await
    }

    /// Stores a group of [`together`] in one transaction. A change that is alone may need several.
    pub(crate) async fn change_labels_all(
        &self,
        changes: &[LabelsChange<'_>],
        contention: &mut Contention,
    ) -> Result<(), TransactionError> {
        let first = match changes {
            [] => return Ok(()),
            [alone] => return self.change_labels(alone, contention).await,
            [first, ..] => first,
        };
        let mut counts = CountChanges::new(&first.record.owner);
        let mut actions = vec![];
        for change in changes {
            actions.push(change.final_action(self, &change.record.updated_at));
            actions.extend(change.also.iter().cloned());
            actions.extend(change.changes.iter().map(|row| change.rows.action(self, row)));
            change.count(&mut counts);
        }
        actions.extend(counts.actions(self));
        self.transact(actions, contention).await
    }
}

/// The maximum number of images in a group. A record can have 300 KB, and a transaction 4 MB.
const MAX_IMAGES: usize = 12;

/// Groups changes so that each group fits into a transaction. A change that is too large for a transaction is alone.
pub(crate) fn together(changes: Vec<LabelsChange<'_>>) -> Vec<Vec<LabelsChange<'_>>> {
    let mut groups: Vec<Vec<LabelsChange<'_>>> = vec![];
    for change in changes {
        let fits = groups.last().is_some_and(|group| {
            let mut counts = CountChanges::new(&change.record.owner);
            let mut actions = 0;
            for change in group.iter().chain([&change]) {
                actions += change.action_count();
                change.count(&mut counts);
            }
            group.len() < MAX_IMAGES && actions + counts.len() <= MAX_ACTIONS
        });
        match groups.last_mut() {
            Some(group) if fits => group.push(change),
            _ => groups.push(vec![change]),
        }
    }
    groups
}
