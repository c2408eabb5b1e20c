//! Corrections and new settings: whatever happens in whatever order, the labels of a record are those that count, and
//! rows and counts equal them.

use crate::attribute::{COUNT, NAME};
use crate::expression::text;
use crate::fake_table::{FakeTable, item_size, number};
use crate::key::Key;
use crate::{
    ClaimCondition, ClaimedEvent, ClaimedFile, CorrectError, Corrected, Deletable, Edit, FinalResult,
    Refiltered, StoreError, Tombstone,
};
use domain::policy::Rename;
use domain::table;
use domain::{
    Claim, ClaimedImage, CorrectionChange, Criteria, FilterPolicy, ImageId, ImageRecord, Job, JobId, JobKind,
    Label, Media, Metadata, ObjectCreated, Owner, Settings, Status,
};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};

struct Library {
    fake: FakeTable,
    owner: Owner,
    default: FilterPolicy,
    /// The number of executions so far.
    executions: usize,
    /// The number of [`KEYWORDS`] in the files.
    keywords: usize,
}

/// Keywords of files: one that the model can find, too, and one that it cannot.
const KEYWORDS: [&str; 2] = ["dog", "Grandma"];

fn settings(min_confidence: f64, renames: &[(&str, &str)]) -> Settings {
    let policy = json!({"minConfidence": min_confidence, "maxLabels": 100});
    let rename = |(from, to): &(&str, &str)| Rename {
        from: (*from).to_owned(),
        to: (*to).to_owned(),
    };
    Settings {
        policy: serde_json::from_value(policy).unwrap(),
        renames: renames.iter().map(rename).collect(),
    }
}

fn change(add: &[&str], remove: &[&str], reset: &[&str]) -> CorrectionChange {
    let [add, remove, reset] =
        [add, remove, reset].map(|names| names.iter().map(ToString::to_string).collect());
    CorrectionChange { add, remove, reset }
}

fn answer(labels: &[(&str, f64)]) -> Vec<Label> {
    let labels = labels.iter().map(|(name, confidence)| {
        json!({
            "name": name, "confidence": confidence, "parents": ["Animal"], "categories": ["Animals and Pets"],
            "aliases": ["Kitty"],
        })
    });
    let mut labels: Vec<Label> = serde_json::from_value(labels.collect()).unwrap();
    domain::label::sort(&mut labels);
    labels
}

fn key(image: usize) -> String {
    format!("uploads/demo/0193a5a0-0000-7000-8000-{image:012}")
}

fn id(image: usize) -> ImageId {
    ImageId::parse(&key(image)["uploads/demo/".len()..]).unwrap()
}

impl Library {
    fn new() -> Self {
        Self {
            fake: FakeTable::default(),
            owner: Owner::new("demo").unwrap(),
            default: settings(50.0, &[]).policy,
            executions: 0,
            keywords: 0,
        }
    }

    fn records(&self) -> crate::Records {
        self.fake.records()
    }

    /// Claims an image, like `validate`.
    async fn claim(&mut self, image: usize, sequencer: &str) -> Claim {
        self.executions += 1;
        let event: ObjectCreated = serde_json::from_value(json!({
            "source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": {"name": "pictures"}, "object": {"key": key(image), "sequencer": sequencer}},
        }))
        .unwrap();
        let claim = Claim::new(&event, format!("arn:{}", self.executions)).unwrap();
        let before = self.records().image(&self.owner, id(image)).await.unwrap();
        let condition = match before {
            Some(record) if record.sequencer.as_deref() == Some(event.sequencer().as_str()) => {
                ClaimCondition::HeldBy {
                    execution_arn: record.execution_arn.unwrap(),
                    status: record.status,
                }
            }
            Some(record) if record.status == Status::Deleted => ClaimCondition::Deleted,
            _ => ClaimCondition::Free,
        };
        let claimed = ClaimedEvent {
            claim: &claim,
            event: &event,
        };
        assert_eq!(
            self.records()
                .claim(claimed, ClaimedFile::default(), &condition)
                .await
                .unwrap(),
            None
        );
        // Each execution finds another capture time or none, as for another file under the key, so that the rows move.
        let day = self.executions % 3;
        let metadata = Metadata {
            taken_at: (day > 0).then(|| format!("2015-07-0{day}T18:20:00")),
            keywords: KEYWORDS[..self.keywords.min(KEYWORDS.len())]
                .iter()
                .map(ToString::to_string)
                .collect(),
            ..Metadata::default()
        };
        assert!(self.records().store_metadata(&claim, &metadata).await.unwrap());
        claim
    }

    /// Stores a result like `persist`, with labels that were filtered by these criteria.
    async fn store(&self, claim: &Claim, answer: &[Label], criteria: &Criteria) {
        self.try_to_store(claim, answer, criteria).await.unwrap();
    }

    async fn try_to_store(
        &self,
        claim: &Claim,
        answer: &[Label],
        criteria: &Criteria,
    ) -> Result<(), StoreError> {
        let mut image = serde_json::to_value(claim).unwrap();
        let picture = json!({
            "size": 131_072, "format": "JPEG", "width": 4000, "height": 3000, "policy": self.default,
        });
        image
            .as_object_mut()
            .unwrap()
            .extend(picture.as_object().unwrap().clone());
        let image: ClaimedImage<Media> = serde_json::from_value(image).unwrap();
        let mut counted = criteria.labels_that_count(answer);
        loop {
            let result = FinalResult::Labeled {
                image: &image,
                answer,
                counted: &counted,
                model_version: Some("3.0"),
            };
            self.records().store_result(claim, result, &self.default).await?;
            let newest = self.criteria(claim.image_id).await.labels_that_count(answer);
            if newest == counted {
                return Ok(());
            }
            counted = newest;
        }
    }

    async fn label(&mut self, image: usize, labels: &[(&str, f64)]) {
        let claim = self.claim(image, "0A").await;
        let criteria = self.criteria(id(image)).await;
        self.store(&claim, &answer(labels), &criteria).await;
    }

    async fn criteria(&self, image: ImageId) -> Criteria {
        self.records()
            .criteria(&self.owner, image, &self.default)
            .await
            .unwrap()
    }

    async fn correct(&self, image: usize, change: &CorrectionChange) -> Result<ImageRecord, CorrectError> {
        let corrected = self
            .records()
            .correct(&self.owner, id(image), Edit::Owner(change), &self.default)
            .await?;
        Ok(corrected.record)
    }

    /// Undoes a job. Returns the images that were restored, in the order of their ids.
    async fn undo(&self, job_id: JobId, change: &CorrectionChange) -> Vec<ImageId> {
        let records = self.records();
        let prefix = table::undo_prefix(job_id);
        let inverse = |(key, item): (&Key, &crate::Item)| {
            let image_id = ImageId::parse(key.sort.strip_prefix(&prefix)?)?;
            let inverse = serde_dynamo::from_attribute_value(item["inverse"].clone()).unwrap();
            Some((image_id, inverse))
        };
        let inverses: HashMap<ImageId, CorrectionChange> =
            self.fake.state().items.iter().filter_map(inverse).collect();
        let mut ids: Vec<_> = inverses.keys().copied().collect();
        ids.sort();
        let edit = Edit::Undo {
            job_id,
            change,
            inverses: &inverses,
        };
        let outcomes = records
            .correct_images(&self.owner, &ids, edit, &self.default)
            .await
            .unwrap();
        let is_changed =
            |outcome: Result<Corrected, CorrectError>| outcome.is_ok_and(|corrected| corrected.changed);
        let changed = outcomes.into_iter().map(is_changed);
        ids.into_iter()
            .zip(changed)
            .filter_map(|(id, is_changed)| is_changed.then_some(id))
            .collect()
    }

    fn put_settings(&self, settings: &Settings) {
        let key = Key::settings(&self.owner);
        let mut item: crate::Item = serde_dynamo::to_item(settings).unwrap();
        item.extend(key.item());
        self.fake.state().items.insert(key, item);
    }

    async fn refilter(&self) -> Refiltered {
        let records = self.all_records();
        self.records()
            .refilter(&self.owner, &records, &self.default)
            .await
            .unwrap()
    }

    fn all_records(&self) -> Vec<ImageRecord> {
        let state = self.fake.state();
        let items = state
            .items
            .iter()
            .filter(|(key, _)| key.sort.starts_with("IMAGE#"));
        items
            .map(|(_, item)| serde_dynamo::from_item(item.clone()).unwrap())
            .collect()
    }

    async fn record(&self, image: usize) -> ImageRecord {
        self.records()
            .image(&self.owner, id(image))
            .await
            .unwrap()
            .unwrap()
    }

    async fn names(&self, image: usize) -> Vec<String> {
        let labels = self.record(image).await.labels.unwrap_or_default();
        labels.into_iter().map(|label| label.name).collect()
    }

    async fn delete(&self, image: usize) {
        let records = self.records();
        let deleted = records
            .mark_deleted(&self.owner, id(image), Deletable::Image)
            .await
            .unwrap();
        if let Tombstone::Open(tombstone) = deleted {
            records.close(&tombstone, Timestamp::UNIX_EPOCH).await.unwrap();
        }
    }

    /// Rows and counts equal the labels of the records. If `settled`, those are the labels that count.
    async fn check(&self, settled: bool) {
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        let mut rows = 0;
        for record in self.all_records() {
            let labels = record.labels.clone().unwrap_or_default();
            if record.status == Status::Labeled {
                assert_eq!(record.history, record.place());
            }
            for label in &labels {
                let row = Key::label_row(&self.owner, &label.name, &record.history);
                let state = self.fake.state();
                let row = state
                    .items
                    .get(&row)
                    .unwrap_or_else(|| panic!("no row for {label:?}"));
                assert_eq!(
                    crate::label_rows::confidence(row),
                    Some(label.confidence.percent())
                );
                *counts.entry(label.name.to_lowercase()).or_default() += 1;
                rows += 1;
            }
            if !settled || record.status != Status::Labeled {
                continue;
            }
            let found = self
                .records()
                .image_with_result(&self.owner, record.image_id)
                .await
                .unwrap();
            let (_, result) = found.unwrap();
            let counted = self
                .criteria(record.image_id)
                .await
                .labels_that_count(&result.unwrap().answer);
            assert_eq!(labels, counted);
        }
        let state = self.fake.state();
        let stored = state
            .items
            .iter()
            .filter(|(key, _)| key.partition.contains("#LABEL#"));
        assert_eq!(stored.count(), rows, "no other rows");
        let stored = state
            .items
            .values()
            .filter_map(|item| Some((item.get(NAME)?, item.get(COUNT)?)));
        let stored: BTreeMap<String, i64> = stored
            .map(|(name, count)| (name.as_s().unwrap().to_lowercase(), number(count)))
            .filter(|(_, count)| *count != 0)
            .collect();
        assert_eq!(stored, counts);
    }
}

#[tokio::test]
async fn a_lower_threshold_brings_back_labels_without_the_model() {
    let mut library = Library::new();
    library.label(1, &[("Cat", 90.0), ("Dog", 40.0)]).await;
    library.label(2, &[("Cat", 30.0)]).await;
    assert_eq!(library.names(1).await, ["Cat"]);
    library.put_settings(&settings(20.0, &[]));
    let all = Refiltered {
        labeled: 2,
        changed: 2,
        unreadable: 0,
    };
    assert_eq!(library.refilter().await, all);
    assert_eq!(
        (library.names(1).await, library.names(2).await),
        (vec!["Cat".into(), "Dog".into()], vec!["Cat".into()])
    );
    library.check(true).await;
    assert_eq!(
        library.refilter().await.changed,
        0,
        "a repeated part changes nothing"
    );
    library.put_settings(&settings(95.0, &[]));
    library.refilter().await;
    assert_eq!(library.names(1).await, [""; 0]);
    library.check(true).await;
}

#[tokio::test]
async fn corrections_survive_new_settings_and_a_new_result() {
    let mut library = Library::new();
    library.label(1, &[("Cat", 90.0), ("Dog", 80.0)]).await;
    let record = library
        .correct(1, &change(&["Home"], &["dog"], &[]))
        .await
        .unwrap();
    let names: Vec<_> = record
        .labels
        .unwrap()
        .into_iter()
        .map(|label| label.name)
        .collect();
    assert_eq!(names, ["Home", "Cat"]);
    library.put_settings(&settings(0.0, &[]));
    library.refilter().await;
    assert_eq!(library.names(1).await, ["Home", "Cat"]);
    library.label(1, &[("Dog", 99.0), ("Bird", 60.0)]).await;
    assert_eq!(library.names(1).await, ["Home", "Bird"]);
    library.check(true).await;
    library
        .correct(1, &change(&[], &[], &["Home", "Dog"]))
        .await
        .unwrap();
    assert_eq!(library.names(1).await, ["Dog", "Bird"]);
    assert_eq!(library.record(1).await.corrections, None);
    library.check(true).await;
}

#[tokio::test]
async fn another_picture_under_the_same_key_has_no_corrections() {
    let mut library = Library::new();
    library.label(1, &[("Cat", 90.0)]).await;
    library
        .correct(1, &change(&["Home"], &["Cat"], &[]))
        .await
        .unwrap();
    let claim = library.claim(1, "0B").await;
    library
        .store(&claim, &answer(&[("Cat", 90.0)]), &library.criteria(id(1)).await)
        .await;
    assert_eq!(library.names(1).await, ["Cat"]);
    library.check(true).await;
}

#[tokio::test]
async fn a_correction_during_a_relabeling_is_part_of_its_result() {
    let mut library = Library::new();
    library.label(1, &[("Cat", 90.0)]).await;
    let claim = library.claim(1, "0A").await;
    let filtered = library.criteria(id(1)).await;
    let record = library.correct(1, &change(&["Home"], &[], &[])).await.unwrap();
    assert_eq!(record.status, Status::Processing);
    assert_eq!(library.names(1).await, ["Cat"], "the previous result");
    library.store(&claim, &answer(&[("Dog", 90.0)]), &filtered).await;
    assert_eq!(library.names(1).await, ["Home", "Dog"]);
    library.check(true).await;
}

/// A job skips images that are being processed, so their executions have to notice the new settings.
#[tokio::test]
async fn an_execution_that_filtered_with_old_settings_stores_the_labels_of_the_new_ones() {
    let mut library = Library::new();
    let claim = library.claim(1, "0A").await;
    let old = library.criteria(id(1)).await;
    library.put_settings(&settings(20.0, &[]));
    assert_eq!(library.refilter().await, Refiltered::default());
    library
        .store(&claim, &answer(&[("Cat", 90.0), ("Dog", 30.0)]), &old)
        .await;
    assert_eq!(library.names(1).await, ["Cat", "Dog"]);
    library.check(true).await;
}

/// Two tabs edit a picture, or a job changes it at the same time.
#[tokio::test]
async fn a_concurrent_change_of_the_labels_is_not_overwritten() {
    let mut library = Library::new();
    library.label(1, &[("Cat", 90.0), ("Dog", 80.0)]).await;
    let before = library.fake.state().items.clone();
    library.correct(1, &change(&["Home"], &[], &[])).await.unwrap();
    let after = std::mem::replace(&mut library.fake.state().items, before);
    library.fake.state().before_next_transaction = Some(Box::new(|items| *items = after));
    library.correct(1, &change(&[], &["Dog"], &[])).await.unwrap();
    assert_eq!(library.names(1).await, ["Home", "Cat"]);
    library.check(true).await;
}

#[tokio::test]
async fn a_group_whose_transaction_is_refused_is_changed_image_by_image() {
    let mut library = Library::new();
    for image in 1..=3 {
        library.label(image, &[("Cat", 90.0), ("Dog", 40.0)]).await;
    }
    library.put_settings(&settings(20.0, &[]));
    let changed = Key::image(&library.owner, id(2));
    library.fake.state().before_next_transaction = Some(Box::new(move |items| {
        items
            .get_mut(&changed)
            .unwrap()
            .insert("updatedAt".into(), text("2030-01-01T00:00:00.000Z"));
    }));
    assert_eq!(library.refilter().await.changed, 3);
    library.check(true).await;
}

#[tokio::test]
async fn only_images_with_labels_are_corrected() {
    let mut library = Library::new();
    let added = change(&["Cat"], &[], &[]);
    assert_eq!(library.correct(1, &added).await, Err(CorrectError::NotFound));
    library.label(1, &[("Dog", 90.0)]).await;
    library.delete(1).await;
    assert_eq!(library.correct(1, &added).await, Err(CorrectError::NotFound));
    let claim = library.claim(2, "0A").await;
    let error = super::error();
    library
        .records()
        .store_result(&claim, super::rejected(&error), &library.default)
        .await
        .unwrap();
    assert_eq!(library.correct(2, &added).await, Err(CorrectError::NotLabeled));
    library.check(true).await;
}

#[tokio::test]
async fn forty_pictures_are_corrected_in_a_few_transactions() {
    let mut library = Library::new();
    for image in 1..=40 {
        library.label(image, &[("Dog", 90.0), ("Pet", 80.0)]).await;
    }
    library.fake.state().transactions.clear();
    library.fake.state().write_units = 0;
    let mut ids: Vec<_> = (1..=40).map(id).collect();
    ids.push(id(99));
    let replaced = change(&["Cat"], &["Dog"], &[]);
    let records = library.records();
    let corrected = records
        .correct_images(&library.owner, &ids, Edit::Owner(&replaced), &library.default)
        .await
        .unwrap();
    assert!(
        corrected[..40]
            .iter()
            .all(|corrected| corrected.as_ref().unwrap().changed)
    );
    assert_eq!(corrected[40], Err(CorrectError::NotFound));
    library.check(true).await;
    let (transactions, units) = {
        let state = library.fake.state();
        (state.transactions.clone(), state.write_units)
    };
    println!("{transactions:?}: {units} write units");
    assert!(transactions.len() <= 4, "{transactions:?}");
    let again = records
        .correct_images(
            &library.owner,
            &ids[..40],
            Edit::Owner(&replaced),
            &library.default,
        )
        .await
        .unwrap();
    assert!(again.iter().all(|corrected| !corrected.as_ref().unwrap().changed));
}

/// docs/data-model.md calculates from this how long a library of 10,000 pictures takes.
#[tokio::test]
async fn refiltering_needs_few_write_units_in_the_owners_partition() {
    const PICTURES: usize = 100;
    let mut library = Library::new();
    for image in 1..=PICTURES {
        let labels: Vec<_> = super::names(0..30)
            .zip((0..30).map(|number| 90.0 - 2.0 * f64::from(number)))
            .collect();
        let labels: Vec<_> = labels
            .iter()
            .map(|(name, confidence)| (name.as_str(), *confidence))
            .collect();
        library.label(image, &labels).await;
    }
    library.put_settings(&settings(44.0, &[]));
    library.fake.state().transactions.clear();
    (library.fake.state().write_units, library.fake.state().read_units) = (0, 0);
    assert_eq!(library.refilter().await.changed, PICTURES);
    let state = library.fake.state();
    let record = &state.items[&Key::image(&library.owner, id(1))];
    println!(
        "three more labels for {PICTURES} pictures: {} write units and {} read units in {} transactions; record {} B",
        state.write_units,
        state.read_units,
        state.transactions.len(),
        item_size(record)
    );
    assert!(state.write_units <= 14 * PICTURES as u64, "{}", state.write_units);
}

/// Otherwise the rows of the interrupted change would stay, because the labels do not change any more.
#[tokio::test]
async fn an_interrupted_change_of_many_labels_is_completed_by_the_next_writer() {
    let mut library = Library::new();
    let labels: Vec<_> = super::names(0..100).collect();
    let labels: Vec<_> = labels.iter().map(|name| (name.as_str(), 90.0)).collect();
    library.label(1, &labels).await;
    let mut few = settings(50.0, &[]);
    few.policy.max_labels = 10;
    library.put_settings(&few);
    library.fake.state().cancellations = vec!["None", "ValidationError"];
    let records = library.all_records();
    let failed = library
        .records()
        .refilter(&library.owner, &records, &library.default)
        .await;
    assert!(failed.is_err(), "{failed:?}");
    assert!(library.record(1).await.rows_changing);
    library.put_settings(&settings(50.0, &[]));
    library.refilter().await;
    assert!(!library.record(1).await.rows_changing);
    library.check(true).await;
}

/// The picture has a capture time, so its first result moves it in the history.
#[tokio::test]
async fn an_interrupted_first_result_with_many_labels_leaves_no_rows_that_nobody_finds() {
    for is_deleted in [false, true] {
        let mut library = Library::new();
        let labels: Vec<_> = super::names(0..100).collect();
        let labels: Vec<_> = labels.iter().map(|name| (name.as_str(), 90.0)).collect();
        let claim = library.claim(1, "0A").await;
        let criteria = library.criteria(id(1)).await;
        library.fake.state().cancellations = vec!["None", "ValidationError"];
        let answer = answer(&labels);
        let failed = library.try_to_store(&claim, &answer, &criteria).await;
        assert!(failed.is_err());
        let interrupted = library.record(1).await;
        assert!(interrupted.rows_changing && !interrupted.label_rows.is_empty());
        if is_deleted {
            library.delete(1).await;
        } else {
            library.store(&claim, &answer, &criteria).await;
            assert_eq!(library.names(1).await.len(), 100);
        }
        library.check(true).await;
    }
}

/// Otherwise one damaged item would fail every job of its owner.
#[tokio::test]
async fn a_result_that_cannot_be_read_does_not_keep_the_others_from_being_filtered() {
    let mut library = Library::new();
    for image in 1..=2 {
        library.label(image, &[("Cat", 90.0), ("Dog", 40.0)]).await;
    }
    let damaged = Key::result(&library.owner, id(1));
    {
        let mut state = library.fake.state();
        let item = state.items.get_mut(&damaged).unwrap();
        item.insert("answer".into(), text("damaged"));
        item.remove("executionArn");
    }
    library.put_settings(&settings(20.0, &[]));
    let refiltered = library.refilter().await;
    assert_eq!((refiltered.changed, refiltered.unreadable), (1, 1));
    library.check(false).await;
}

/// Also while an image is being labeled.
#[tokio::test]
async fn a_job_is_undone_in_exactly_the_images_that_it_has_changed() {
    let mut library = Library::new();
    for image in 1..=4 {
        library.label(image, &[("Cat", 90.0), ("Dog", 80.0)]).await;
    }
    library.correct(2, &change(&[], &["Dog"], &[])).await.unwrap();
    let claim = library.claim(3, "0A").await;
    let replaced = change(&["Wolf"], &["Dog"], &[]);
    let job = Job::new(JobId::new(), &library.owner, JobKind::Correct, Timestamp::now());
    let ids: Vec<_> = (1..=3).map(id).collect();
    let records = library.records();
    let edit = Edit::Job(&job, &replaced);
    for changed in [true, false] {
        let corrected = records.correct_images(&library.owner, &ids, edit, &library.default);
        let outcomes = corrected.await.unwrap();
        assert!(
            outcomes
                .into_iter()
                .all(|corrected| corrected.unwrap().changed == changed)
        );
    }
    library
        .correct(1, &change(&["Boat"], &[], &["Wolf"]))
        .await
        .unwrap();
    assert_eq!(library.undo(job.job_id, &replaced).await, [id(1), id(2), id(3)]);
    let criteria = library.criteria(id(3)).await;
    assert!(criteria.corrections.is_empty());
    library
        .store(&claim, &answer(&[("Cat", 90.0), ("Dog", 80.0)]), &criteria)
        .await;
    assert_eq!(library.names(1).await, ["Boat", "Cat", "Dog"]);
    assert_eq!(library.names(2).await, ["Cat"]);
    assert_eq!(library.names(3).await, ["Cat", "Dog"]);
    library.check(true).await;

    library.correct(4, &replaced).await.unwrap();
    assert_eq!(library.undo(job.job_id, &replaced).await, []);
    assert_eq!(library.names(4).await, ["Wolf", "Cat"]);
}

/// Step Functions repeats a step whose answer was lost.
#[tokio::test]
async fn a_repeated_result_does_not_undo_a_correction() {
    let mut library = Library::new();
    let claim = library.claim(1, "0A").await;
    let answer = answer(&[("Cat", 90.0)]);
    let filtered = library.criteria(id(1)).await;
    library.store(&claim, &answer, &filtered).await;
    library.correct(1, &change(&["Home"], &[], &[])).await.unwrap();
    library.store(&claim, &answer, &filtered).await;
    assert_eq!(library.names(1).await, ["Home", "Cat"]);
    library.check(true).await;
}

#[tokio::test]
async fn a_count_has_the_details_of_its_label() {
    let mut library = Library::new();
    library.label(1, &[("Cat", 90.0)]).await;
    library.correct(1, &change(&["Home"], &[], &[])).await.unwrap();
    let state = library.fake.state();
    let count = |name| -> Value {
        let item = state.items[&Key::label_count(&library.owner, name)].clone();
        serde_dynamo::from_item(item).unwrap()
    };
    assert_eq!(count("Cat")["parents"], json!(["Animal"]));
    assert_eq!(count("Cat")["aliases"], json!(["Kitty"]));
    assert_eq!(count("Cat")["categories"], json!(["Animals and Pets"]));
    assert_eq!(count("Home").get("parents"), None);
}

#[derive(Debug, Clone)]
enum Action {
    Label(usize, Vec<(usize, f64)>),
    Correct(Vec<usize>, CorrectionChange),
    /// Corrects as a job does.
    Job(Vec<usize>, CorrectionChange),
    /// Undoes one of the jobs.
    Undo(usize),
    Settings(f64, Vec<(usize, usize)>),
    Delete(usize),
}

const NAMES: [&str; 6] = ["Cat", "Dog", "Pet", "Animal", "CAT", "Home"];

fn action() -> impl Strategy<Value = Action> {
    let image = 1_usize..4;
    let name = 0..NAMES.len();
    let labels = proptest::collection::vec((0_usize..4, 0.0_f64..100.0), 0..4);
    let names = || proptest::collection::vec(0..NAMES.len(), 0..3);
    let images = proptest::collection::btree_set(1_usize..4, 1..4);
    let owned = |names: Vec<usize>| names.into_iter().map(|name| NAMES[name].to_owned()).collect();
    prop_oneof![
        (image.clone(), labels).prop_map(|(image, labels)| Action::Label(image, labels)),
        (images, names(), names(), names(), any::<bool>()).prop_map(
            move |(images, add, remove, reset, is_job)| {
                let change = CorrectionChange {
                    add: owned(add),
                    remove: owned(remove),
                    reset: owned(reset),
                };
                let images = images.into_iter().collect();
                if is_job {
                    Action::Job(images, change)
                } else {
                    Action::Correct(images, change)
                }
            }
        ),
        (0_usize..3).prop_map(Action::Undo),
        (
            0.0_f64..100.0,
            proptest::collection::vec((0_usize..2, name), 0..2)
        )
            .prop_map(|(min, renames)| Action::Settings(min, renames)),
        image.prop_map(Action::Delete),
    ]
}

/// Whatever happens between the reads of an export, each image is exported as it is then, and none hides the others.
#[tokio::test]
async fn results_are_read_for_images_that_have_changed_or_are_damaged_and_not_for_deleted_ones() {
    let mut library = Library::new();
    for image in 1..=4 {
        library.label(image, &[("Cat", 90.0)]).await;
    }
    let mut records = library.all_records();
    records.sort_by_key(|record| record.image_id.to_string());
    library.delete(1).await;
    library.label(2, &[("Dog", 80.0)]).await;
    let damaged = Key::result(&library.owner, id(3));
    let mut item = crate::answer::item("arn:3", &answer(&[("Cat", 90.0)])).unwrap();
    item.insert("answer".into(), text("not compressed"));
    item.extend(damaged.item());
    item.insert("labels".into(), text("no labels"));
    library.fake.state().items.insert(damaged, item);

    let errors = std::cell::Cell::new(0);
    let reader = library.records();
    let count = |_| errors.set(errors.get() + 1);
    let images = reader.with_results(&library.owner, records, count).await.unwrap();
    let found: Vec<_> = images
        .iter()
        .map(|(record, result)| {
            let answer = result.as_ref().map(|result| result.answer[0].name.as_str());
            (record.image_id, answer)
        })
        .collect();
    assert_eq!(found, [(id(2), Some("Dog")), (id(3), None), (id(4), Some("Cat"))]);
    assert_eq!(images[0].0.labels.as_ref().unwrap()[0].name, "Dog");
    assert_eq!(errors.get(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]
    #[test]
    fn counts_never_drift(actions in proptest::collection::vec(action(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let mut library = Library::new();
            let mut objects = 0xA_usize;
            let mut jobs: Vec<(Job, CorrectionChange)> = vec![];
            for action in actions {
                match action {
                    Action::Label(image, labels) => {
                        let mut found: BTreeMap<&str, f64> = BTreeMap::new();
                        for (name, confidence) in labels {
                            found.insert(NAMES[name], confidence);
                        }
                        let found: Vec<_> = found.into_iter().collect();
                        let before = library.records().image(&library.owner, id(image)).await.unwrap();
                        let sequencer = match before {
                            Some(record) if record.status == Status::Deleted => {
                                objects += 1;
                                format!("{objects:02X}")
                            }
                            before => before.and_then(|record| record.sequencer).unwrap_or_else(|| "0A".into()),
                        };
                        library.keywords = image % 3;
                        let claim = library.claim(image, sequencer.trim_end_matches('0')).await;
                        let criteria = library.criteria(id(image)).await;
                        library.store(&claim, &answer(&found), &criteria).await;
                    }
                    Action::Correct(images, change) => {
                        let ids: Vec<_> = images.into_iter().map(id).collect();
                        let records = library.records();
                        records.correct_images(&library.owner, &ids, Edit::Owner(&change), &library.default).await.unwrap();
                    }
                    Action::Job(images, change) => {
                        let ids: Vec<_> = images.into_iter().map(id).collect();
                        let job = Job::new(JobId::new(), &library.owner, JobKind::Correct, Timestamp::now());
                        let records = library.records();
                        records.correct_images(&library.owner, &ids, Edit::Job(&job, &change), &library.default).await.unwrap();
                        jobs.push((job, change));
                    }
                    Action::Undo(job) => {
                        if let Some((job, change)) = jobs.get(job) {
                            library.undo(job.job_id, change).await;
                        }
                    }
                    Action::Settings(min, renames) => {
                        let renames: Vec<_> =
                            renames.into_iter().map(|(from, to)| (NAMES[from], NAMES[to])).collect();
                        library.put_settings(&settings(min, &renames));
                        library.check(false).await;
                        library.refilter().await;
                    }
                    Action::Delete(image) => library.delete(image).await,
                }
                library.check(true).await;
            }
        });
    }
}
