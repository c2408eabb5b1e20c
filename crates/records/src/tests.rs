//! Tests the transitions of an image with the in-memory table.

use crate::attribute::{COUNT, COUNTED_MINUTES, STATUS};
use crate::contention::TRIES;
use crate::expression::text;
use crate::fake_table::{FakeTable, State, item_size, number};
use crate::key::Key;
use crate::{
    ClaimCondition, ClaimedEvent, ClaimedFile, Deletable, FinalResult, LostClaim, NotCounted, RecordsError,
    StoreError, StoredThumbnails, ThumbnailsResult, Tombstone, VideoQuotas,
};
use capacity::items::Items;
use domain::metric::Quota;
use domain::record::{CountedMinutes, RecordedError, RecordedLabel};
use domain::{
    Claim, ErrorName, FilterPolicy, FilteredImage, ImageKey, ImageRecord, Label, MediaType, ObjectCreated,
    Owner, Rendition, Status,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

mod corrections;

/// On-demand, us-east-1, November 2026.
const DOLLARS_PER_WRITE_UNIT: f64 = 0.625e-6;
const DOLLARS_PER_READ_UNIT: f64 = 0.125e-6;
/// Rekognition's DetectLabels, us-east-1, the first million images per month.
const DOLLARS_PER_DETECTION: f64 = 0.001;

/// The SHA-256 of the object.
fn with_checksum(checksum: Option<&str>) -> ClaimedFile<'_> {
    ClaimedFile {
        checksum,
        ..ClaimedFile::default()
    }
}

const CHECKSUM: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const OBJECT: &str = "uploads/demo/0193a5a0-0000-7000-8000-000000000001";

fn image() -> ImageKey {
    ImageKey::parse("pictures", OBJECT).unwrap()
}

fn arn(name: &str) -> String {
    format!("arn:aws:states:us-east-1:123456789012:execution:image-label-generator-label-image:{name:0>36}")
}

fn event(sequencer: &str) -> ObjectCreated {
    serde_json::from_value(json!({
        "source": "aws.s3", "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": "pictures"},
            "object": {"key": OBJECT, "size": 131_072, "sequencer": sequencer},
        },
    }))
    .unwrap()
}

fn claim(execution: &str) -> Claim {
    Claim::new(&event("0A"), arn(execution)).unwrap()
}

/// Labels as Rekognition returns them, each with this number of instances.
fn labels(names: impl IntoIterator<Item = String>, percent: f64, instances: usize) -> Value {
    let instance = json!({
        "confidence": 98.76,
        "boundingBox": {"left": 0.12345, "top": 0.23456, "width": 0.34567, "height": 0.45678},
    });
    let label = |name| {
        json!({
            "name": name, "confidence": percent, "instances": vec![&instance; instances],
            "parents": ["Animal", "Mammal"], "aliases": ["Kitty"], "categories": ["Animals and Pets"],
        })
    };
    names.into_iter().map(label).collect()
}

fn names(range: std::ops::Range<usize>) -> impl Iterator<Item = String> {
    range.map(|number| format!("Coffee Cup {number:03}"))
}

/// An image whose detected labels all count.
fn filtered(labels: &Value, execution: &str) -> FilteredImage {
    let image = image();
    serde_json::from_value(json!({
        "image": {
            "imageId": image.image_id, "owner": "demo", "bucket": "pictures", "key": OBJECT, "size": 131_072,
            "format": "JPEG", "width": 4000, "height": 3000, "executionArn": arn(execution),
            "policy": {"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []},
        },
        "labels": labels, "modelVersion": "3.0",
    }))
    .unwrap()
}

/// Everything counts.
pub(crate) fn default_policy() -> FilterPolicy {
    serde_json::from_value(json!({"minConfidence": 0, "maxLabels": 100})).unwrap()
}

struct Table {
    fake: FakeTable,
    owner: Owner,
    /// When minutes are counted.
    now: Timestamp,
}

/// Now. Waits for midnight (UTC) if it is less than a minute away: minutes are returned only on the day on which they were
/// counted.
fn early_enough() -> Timestamp {
    const DAY: i64 = 24 * 60 * 60;
    let left = DAY - Timestamp::now().as_second().rem_euclid(DAY);
    if left <= 60 {
        std::thread::sleep(Duration::from_secs(left.unsigned_abs()));
    }
    Timestamp::now()
}

impl Table {
    fn new() -> Self {
        Self {
            fake: FakeTable::default(),
            owner: Owner::new("demo").unwrap(),
            now: early_enough(),
        }
    }

    async fn claim(&self, execution: &str, sequencer: &str) -> Option<ImageRecord> {
        self.claim_if(execution, sequencer, &ClaimCondition::Free).await
    }

    async fn claim_if(
        &self,
        execution: &str,
        sequencer: &str,
        condition: &ClaimCondition,
    ) -> Option<ImageRecord> {
        let (claim, event) = (claim(execution), event(sequencer));
        let event = ClaimedEvent {
            claim: &claim,
            event: &event,
        };
        let records = self.fake.records();
        records
            .claim(event, with_checksum(Some(CHECKSUM)), condition)
            .await
            .unwrap()
    }

    async fn store(&self, execution: &str, labels: &Value) -> Result<(), StoreError> {
        let filtered = filtered(labels, execution);
        let result = FinalResult::Labeled {
            image: &filtered.image,
            answer: &filtered.answer(),
            counted: &filtered.counted(),
            model_version: filtered.model_version.as_deref(),
        };
        self.store_result(execution, result).await
    }

    async fn store_result(&self, execution: &str, result: FinalResult<'_>) -> Result<(), StoreError> {
        let default = crate::tests::default_policy();
        let records = self.fake.records();
        records.store_result(&claim(execution), result, &default).await
    }

    async fn fail(&self, execution: &str) -> bool {
        let (claim, event) = (claim(execution), event("0A"));
        let event = ClaimedEvent {
            claim: &claim,
            event: &event,
        };
        self.fake.records().store_failure(event, &error()).await.unwrap()
    }

    async fn mark_deleted(&self) -> Tombstone {
        let records = self.fake.records();
        records
            .mark_deleted(&self.owner, image().image_id, Deletable::Image)
            .await
            .unwrap()
    }

    async fn record(&self) -> ImageRecord {
        let records = self.fake.records();
        records
            .image(&self.owner, image().image_id)
            .await
            .unwrap()
            .unwrap()
    }

    async fn store_thumbnails(&self, execution: &str, result: ThumbnailsResult<'_>) -> StoredThumbnails {
        let records = self.fake.records();
        records.store_thumbnails(&claim(execution), result).await.unwrap()
    }

    /// Resets the counters.
    fn start_measuring(&self) {
        let mut state = self.fake.state();
        (state.write_units, state.read_units) = (0, 0);
        state.transactions.clear();
    }

    fn dollars(&self) -> f64 {
        let state = self.fake.state();
        state.write_units as f64 * DOLLARS_PER_WRITE_UNIT + state.read_units as f64 * DOLLARS_PER_READ_UNIT
    }

    /// The sum of all label counts.
    fn counted(&self) -> i64 {
        let state = self.fake.state();
        let counts = state.items.values().filter_map(|item| item.get(COUNT));
        counts.map(number).sum()
    }

    fn rows(&self) -> usize {
        let state = self.fake.state();
        state
            .items
            .keys()
            .filter(|key| key.partition.contains("#LABEL#"))
            .count()
    }

    fn has_result(&self) -> bool {
        let key = Key::result(&self.owner, image().image_id);
        self.fake.state().items.contains_key(&key)
    }
}

fn error() -> RecordedError {
    RecordedError {
        name: "InvalidImage".into(),
        message: "broken".into(),
    }
}

fn rejected(error: &RecordedError) -> FinalResult<'_> {
    FinalResult::Rejected { error, paid: false }
}

/// Counts the write units of an image from its claim to its result.
#[tokio::test]
async fn limits_transactions_and_write_units_per_picture() {
    for (count, transactions, limit) in [
        (0, 1, 5),
        (10, 1, 51),
        (30, 1, 139),
        (49, 1, 225),
        (50, 2, 235),
        (100, 3, 470),
    ] {
        let table = Table::new();
        table.claim("1", "0A").await;
        table.store("1", &labels(names(0..count), 90.0, 1)).await.unwrap();
        let state = table.fake.state();
        let result = item_size(&state.items[&Key::result(&table.owner, image().image_id)]);
        let record = item_size(&state.items[&Key::image(&table.owner, image().image_id)]);
        println!(
            "{count} labels: {} write units, {} read units, record {record} B, result {result} B",
            state.write_units, state.read_units
        );
        assert_eq!(state.transactions.len(), transactions, "{:?}", state.transactions);
        assert!(
            state.write_units <= limit,
            "{count} labels cost {} write units",
            state.write_units
        );
    }
}

/// An answer that compresses like a real one: no two labels have the same name, confidence or box, and one in three has a
/// box. In the order of their confidences.
fn varied_answer(count: usize) -> Vec<Label> {
    let mut random = fastrand::Rng::with_seed(1);
    let groups = [
        (vec!["Animal", "Mammal", "Pet"], "Animals and Pets"),
        (vec!["Furniture"], "Furniture and Furnishings"),
        (vec!["Plant", "Tree"], "Plants and Flowers"),
        (vec![], "Nature and Outdoors"),
        (vec!["Transportation", "Vehicle"], "Vehicles and Automotive"),
    ];
    let mut labels = vec![];
    for number in 0..count {
        let (parents, category) = &groups[random.usize(..groups.len())];
        let name: String = (0..14).map(|_| random.lowercase()).collect();
        let confidence = 99.0 - 79.0 * number as f64 / count as f64;
        let mut fraction = || f64::from(random.u32(..100_000)) / 100_000.0;
        let place = json!({"left": fraction(), "top": fraction(), "width": fraction(), "height": fraction()});
        let instance = json!({"confidence": confidence, "boundingBox": place});
        labels.push(json!({
            "name": name, "confidence": confidence, "parents": parents, "categories": [category],
            "instances": if number % 3 == 0 { vec![instance] } else { vec![] },
        }));
    }
    serde_json::from_value(labels.into()).unwrap()
}

/// `cargo xtask cost` and `cargo xtask scale` compute with a model of the written items.
#[tokio::test]
async fn the_model_of_the_costs_counts_the_write_units_of_the_code() {
    for count in [0, 1, 10, 30, 49, 50, 100] {
        let table = Table::new();
        table.claim("1", "0A").await;
        let claimed = table.fake.state().write_units;
        table.start_measuring();
        let answer = varied_answer(3 * count);
        let filtered = filtered(&json!(answer), "1");
        let counted: Vec<_> = answer[..count].iter().map(RecordedLabel::from).collect();
        let result = FinalResult::Labeled {
            image: &filtered.image,
            answer: &answer,
            counted: &counted,
            model_version: Some("3.0"),
        };
        table.store_result("1", result).await.unwrap();
        let model = Items::new(u32::try_from(count).unwrap());
        let (stored, transactions, record, result) = {
            let state = table.fake.state();
            let record = item_size(&state.items[&Key::image(&table.owner, image().image_id)]);
            let result = item_size(&state.items[&Key::result(&table.owner, image().image_id)]);
            (state.write_units, state.transactions.len(), record, result)
        };
        table.start_measuring();
        let thumbnails = [thumbnail("first"), thumbnail("second")];
        let written = ThumbnailsResult::Written {
            thumbnails: &thumbnails,
            incomplete: false,
        };
        table.store_thumbnails("1", written).await;
        let thumbnails = table.fake.state().write_units;
        println!(
            "{count} labels: claim {claimed} ({}), persist {stored} ({}), thumbnails {thumbnails} ({}), record {record} ({}), \
             result {result} ({})",
            model.claim_units(),
            model.persist_units(),
            model.thumbnails_units(),
            model.record(),
            model.result()
        );
        assert_eq!(
            (claimed, transactions as u64),
            (model.claim_units(), model.transactions())
        );
        for (what, measured, modeled, tolerance) in [
            ("persist", stored, model.persist_units(), 0.05),
            ("thumbnails", thumbnails, model.thumbnails_units(), 0.05),
            ("record", record, model.record(), 0.05),
            // How much an answer can be compressed varies.
            ("result", result, model.result(), 0.25),
        ] {
            let difference = measured.abs_diff(modeled) as f64 / measured as f64;
            assert!(
                difference <= tolerance,
                "{count} labels, {what}: {measured}, in the model {modeled}"
            );
        }
    }
}

/// The answer has the maximum size that `detect-labels` allows: 150 KB of JSON. Relabeling finds the same labels, other
/// confidences or other labels.
#[tokio::test]
async fn relabeling_a_picture_with_a_large_result_costs_less_than_rekognition() {
    for (what, again) in [
        ("the same labels", labels(names(0..100), 90.0, 14)),
        ("other confidences", labels(names(0..100), 91.0, 14)),
        ("other labels", labels(names(100..200), 90.0, 14)),
    ] {
        let table = Table::new();
        table.claim("1", "0A").await;
        table.store("1", &labels(names(0..100), 90.0, 14)).await.unwrap();
        table.start_measuring();
        let held = ClaimCondition::HeldBy {
            execution_arn: arn("1"),
            status: Status::Labeled,
        };
        assert_eq!(table.claim_if("2", "0A", &held).await, None);
        table.store("2", &again).await.unwrap();
        let dollars = table.dollars();
        let state = table.fake.state();
        let result = item_size(&state.items[&Key::result(&table.owner, image().image_id)]);
        println!(
            "{what}: {} write units, {} read units, ${dollars:.6}; result {result} B",
            state.write_units, state.read_units
        );
        let json = domain::label::json_len(&again);
        assert!((140 * 1024..=150 * 1024).contains(&json), "{json}");
        assert!(dollars < DOLLARS_PER_DETECTION, "{what}: ${dollars}");
    }
}

#[tokio::test]
async fn a_new_result_replaces_rows_and_counts() {
    for (first, second) in [(3, 0), (0, 3), (3, 3), (120, 60), (60, 120)] {
        let table = Table::new();
        table.claim("1", "0A").await;
        table.store("1", &labels(names(0..first), 90.0, 0)).await.unwrap();
        table.claim("2", "0B").await;
        // The second half of the first labels occurs again.
        let names = names(first / 2..first / 2 + second);
        table.store("2", &labels(names, 80.0, 0)).await.unwrap();
        let record = table.record().await;
        assert_eq!(record.labels.unwrap().len(), second);
        assert_eq!((record.label_rows.len(), table.rows()), (second, second));
        assert_eq!(table.counted(), i64::try_from(second).unwrap());
    }
}

#[tokio::test]
async fn the_record_names_the_most_specific_labels_first() {
    let table = Table::new();
    table.claim("1", "0A").await;
    let label = |name: &str, confidence: f64, parents: &[&str]| json!({"name": name, "confidence": confidence, "parents": parents});
    let labels = json!([
        label("Animal", 99.0, &[]),
        label("Rodent", 80.0, &["Animal"]),
        label("Squirrel", 70.0, &["Animal", "Rodent"]),
    ]);
    table.store("1", &labels).await.unwrap();
    let labels = table.record().await.labels.unwrap();
    let names: Vec<_> = labels.iter().map(|label| label.name.as_str()).collect();
    assert_eq!(names, ["Squirrel", "Rodent", "Animal"]);
}

#[tokio::test]
async fn a_second_run_of_the_step_changes_nothing() {
    let table = Table::new();
    table.claim("1", "0A").await;
    let labels = labels(names(0..60), 90.0, 0);
    for _ in 0..3 {
        table.store("1", &labels).await.unwrap();
        assert_eq!((table.rows(), table.counted()), (60, 60));
    }
}

/// Two concurrent runs of the step, as after a timeout: one writes between the reads and the transaction of the other.
#[tokio::test]
async fn reads_the_rows_again_if_another_run_has_changed_them() {
    let table = Table::new();
    table.claim("1", "0A").await;
    let before = table.fake.state().items.clone();
    let labels = labels(names(0..10), 90.0, 0);
    table.store("1", &labels).await.unwrap();
    let after = std::mem::replace(&mut table.fake.state().items, before);
    table.fake.state().before_next_transaction = Some(Box::new(|items| *items = after));
    table.start_measuring();
    table.store("1", &labels).await.unwrap();
    assert_eq!((table.rows(), table.counted()), (10, 10));
    assert_eq!(
        table.fake.state().transactions.len(),
        2,
        "one is refused, and one finds the rows"
    );
}

#[tokio::test]
async fn a_rejection_removes_the_labels_of_the_previous_picture() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.store("1", &labels(names(0..10), 90.0, 1)).await.unwrap();
    table.claim("2", "0B").await;
    table.store_result("2", rejected(&error())).await.unwrap();
    let record = table.record().await;
    assert_eq!((record.status, record.labels), (Status::Rejected, None));
    assert_eq!((table.rows(), table.counted(), table.has_result()), (0, 0, false));
}

#[tokio::test]
async fn an_execution_that_lost_its_claim_stores_nothing() {
    let change = |status: &'static str, execution: &'static str| {
        move |table: &Table| {
            let key = Key::image(&table.owner, image().image_id);
            let change = move |items: &mut std::collections::HashMap<Key, crate::Item>| {
                let record = items.get_mut(&key).unwrap();
                record.insert(STATUS.into(), text(status));
                record.insert("executionArn".into(), text(arn(execution)));
            };
            table.fake.state().before_next_transaction = Some(Box::new(change));
        }
    };
    for (count, status, execution, lost) in [
        (10, "DELETED", "1", LostClaim::Deleted),
        (10, "PROCESSING", "2", LostClaim::Superseded),
        (120, "DELETED", "1", LostClaim::Deleted),
    ] {
        let table = Table::new();
        table.claim("1", "0A").await;
        change(status, execution)(&table);
        let labels = labels(names(0..count), 90.0, 0);
        assert_eq!(table.store("1", &labels).await, Err(StoreError::Lost(lost)));
        assert_eq!((table.rows(), table.counted(), table.has_result()), (0, 0, false));
        // A new attempt finds out before it writes.
        assert_eq!(table.store("1", &labels).await, Err(StoreError::Lost(lost)));
    }
}

/// In AWS, images of one owner that are labeled concurrently change the counts of the same labels.
#[tokio::test(start_paused = true)]
async fn retries_a_transaction_that_conflicts_with_another() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.fake.state().cancellations = vec![
        "TransactionConflict",
        "ProvisionedThroughputExceeded",
        "TransactionConflict",
    ];
    table.store("1", &labels(names(0..10), 90.0, 0)).await.unwrap();
    assert_eq!(table.fake.state().transactions.len(), 4);
    assert_eq!((table.rows(), table.counted()), (10, 10));
}

#[tokio::test(start_paused = true)]
async fn too_many_conflicts_are_reported_as_throttled() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.fake.state().cancellations = vec!["TransactionConflict"; 100];
    let started = tokio::time::Instant::now();
    let error = table
        .store("1", &labels(names(0..10), 90.0, 0))
        .await
        .unwrap_err();
    let StoreError::Records(RecordsError::Service(error)) = error else {
        panic!("{error:?}")
    };
    assert_eq!(error.name(), ErrorName::Throttled);
    assert_eq!(table.fake.state().transactions.len(), TRIES as usize);
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

fn thumbnail(key: &str) -> Rendition {
    Rendition {
        key: key.into(),
        width: 320,
        height: 240,
    }
}

#[tokio::test]
async fn a_labeled_picture_has_either_thumbnails_or_the_reason_why_not() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.store("1", &labels(names(0..1), 90.0, 0)).await.unwrap();
    let (first, second) = ([thumbnail("first")], [thumbnail("second")]);
    let written = |thumbnails, incomplete| ThumbnailsResult::Written {
        thumbnails,
        incomplete,
    };
    let state = async || {
        let record = table.record().await;
        (record.thumbnails, record.thumbnails_error, record.incomplete)
    };
    assert_eq!(
        table.store_thumbnails("1", written(&first, true)).await,
        StoredThumbnails::Done(vec![])
    );
    assert_eq!(state().await, (first.to_vec(), None, true));
    let same = table.store_thumbnails("1", written(&first, false)).await;
    assert_eq!(
        same,
        StoredThumbnails::Done(vec![]),
        "a repeated event does not delete them"
    );
    assert_eq!(state().await, (first.to_vec(), None, false));
    let replaced = table
        .store_thumbnails("1", ThumbnailsResult::Failed(&error()))
        .await;
    assert_eq!(replaced, StoredThumbnails::Done(first.to_vec()));
    assert_eq!(state().await, (vec![], Some(error()), false));
    assert_eq!(
        table.store_thumbnails("1", written(&second, false)).await,
        StoredThumbnails::Done(vec![])
    );
    assert_eq!(state().await, (second.to_vec(), None, false));
}

#[tokio::test]
async fn thumbnails_of_an_earlier_result_are_not_stored() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.store("1", &labels(names(0..1), 90.0, 0)).await.unwrap();
    let first = [thumbnail("first")];
    let written = ThumbnailsResult::Written {
        thumbnails: &first,
        incomplete: true,
    };
    for result in [written, ThumbnailsResult::Failed(&error())] {
        let stored = table.store_thumbnails("2", result).await;
        assert_eq!(stored, StoredThumbnails::Refused(vec![]));
    }
    table.store_thumbnails("1", written).await;
    table.claim("2", "0B").await;
    assert!(
        !table.record().await.incomplete,
        "the next picture may be complete"
    );
    for result in [written, ThumbnailsResult::Failed(&error())] {
        // A repeated event of the earlier result must not delete what the record still shows.
        let stored = table.store_thumbnails("1", result).await;
        assert_eq!(stored, StoredThumbnails::Refused(first.to_vec()));
    }
    assert_eq!(table.record().await.thumbnails_error, None);
}

/// An image that changes after a job has read it was not among those that its owner has counted.
#[tokio::test]
async fn an_image_that_has_changed_is_not_marked_as_deleted() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.store("1", &labels(names(0..3), 90.0, 0)).await.unwrap();
    let records = table.fake.records();
    let changed = table.record().await.updated_at;
    let mark = async |time: &str| {
        let deletable = Deletable::UnchangedSince(time);
        let tombstone = records.mark_deleted(&table.owner, image().image_id, deletable);
        tombstone.await.unwrap()
    };
    assert_eq!(mark(&changed).await, Tombstone::Changed);
    assert_eq!(table.record().await.status, Status::Labeled);
    let later = "2999-01-01T00:00:00.000Z";
    assert!(matches!(mark(later).await, Tombstone::Open(_)));
    assert!(
        matches!(mark(&changed).await, Tombstone::Open(_)),
        "an interrupted deletion is completed"
    );
    let ben = Owner::new("ben").unwrap();
    let nothing = records.mark_deleted(&ben, image().image_id, Deletable::UnchangedSince(later));
    assert_eq!(nothing.await, Ok(Tombstone::None));
}

#[tokio::test]
async fn a_deletion_leaves_only_a_tombstone() {
    for count in [0, 10, 49, 120] {
        let table = Table::new();
        table.claim("1", "0A").await;
        table.store("1", &labels(names(0..count), 90.0, 1)).await.unwrap();
        let Tombstone::Open(tombstone) = table.mark_deleted().await else {
            panic!("a tombstone")
        };
        table.start_measuring();
        table
            .fake
            .records()
            .close(&tombstone, Timestamp::UNIX_EPOCH)
            .await
            .unwrap();
        assert_eq!((table.rows(), table.counted(), table.has_result()), (0, 0, false));
        assert_eq!(table.fake.state().transactions.len(), count.div_ceil(49).max(1));
        assert_eq!(table.mark_deleted().await, Tombstone::Closed);
        assert!(!table.fail("1").await, "a failure does not restore the image");
        assert!(
            table.claim("2", "0B").await.is_some(),
            "an event does not restore the image"
        );
    }
}

/// The first deletion dies after its first transaction. The next one deletes the remaining rows.
#[tokio::test]
async fn a_repeated_deletion_completes_an_interrupted_one() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.store("1", &labels(names(0..120), 90.0, 1)).await.unwrap();
    let Tombstone::Open(tombstone) = table.mark_deleted().await else {
        panic!("a tombstone")
    };
    let records = table.fake.records();
    table.fake.state().cancellations = vec!["None", "ValidationError"];
    records
        .close(&tombstone, Timestamp::UNIX_EPOCH)
        .await
        .unwrap_err();
    assert_eq!(table.rows(), 120 - 49);
    let Tombstone::Open(again) = table.mark_deleted().await else {
        panic!("not closed yet")
    };
    records.close(&again, Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!((table.rows(), table.counted(), table.has_result()), (0, 0, false));
}

#[tokio::test]
async fn a_later_object_under_the_key_replaces_the_rows_of_an_unfinished_deletion() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.store("1", &labels(names(0..10), 90.0, 1)).await.unwrap();
    let Tombstone::Open(tombstone) = table.mark_deleted().await else {
        panic!("a tombstone")
    };
    assert_eq!(table.claim_if("2", "0B", &ClaimCondition::Deleted).await, None);
    table
        .fake
        .records()
        .close(&tombstone, Timestamp::UNIX_EPOCH)
        .await
        .unwrap();
    assert_eq!(
        table.rows(),
        10,
        "the tombstone no longer belongs to the deletion"
    );
    table.store("2", &labels(names(5..8), 90.0, 1)).await.unwrap();
    assert_eq!((table.rows(), table.counted()), (3, 3));
}

/// The retry of a takeover whose answer was lost.
#[tokio::test]
async fn a_repeated_takeover_succeeds_as_a_free_claim() {
    for deleted in [true, false] {
        let table = Table::new();
        table.claim("1", "0A").await;
        let (condition, sequencer) = if deleted {
            table.mark_deleted().await;
            (ClaimCondition::Deleted, "0B")
        } else {
            let held = ClaimCondition::HeldBy {
                execution_arn: arn("1"),
                status: Status::Processing,
            };
            (held, "0A")
        };
        assert_eq!(table.claim_if("2", sequencer, &condition).await, None);
        let repeated = table.claim_if("2", sequencer, &condition).await;
        assert!(repeated.is_some(), "the condition no longer holds");
        assert_eq!(table.claim("2", sequencer).await, None);
    }
}

#[tokio::test]
async fn a_failure_never_overwrites_a_result_and_a_redrive_can_claim_again() {
    let table = Table::new();
    assert!(table.fail("1").await, "before the claim as well");
    assert_eq!(table.claim("1", "0A").await, None, "redriven");
    assert!(table.fail("1").await);
    assert!(table.fail("1").await, "a repeated run notifies the bus");
    assert_eq!(table.claim("1", "0A").await, None, "redriven");
    table.store("1", &labels(names(0..3), 90.0, 0)).await.unwrap();
    assert!(!table.fail("1").await);
    assert_eq!(table.record().await.status, Status::Labeled);
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(&self.items).finish()
    }
}

mod checksums {
    use super::*;
    use crate::File;

    const OTHER: &str = "uvKdZs2JwJzH2mTOBRJ+Vxsp8Mqsq38ZhkzKHGmhiNE=";

    async fn same(table: &Table, checksum: &str) -> usize {
        let records = table.fake.records();
        let same = records.images_with_checksum(&table.owner, checksum).await;
        same.unwrap().len()
    }

    /// Claims the image for a file with this checksum, or without one.
    async fn claim_file(table: &Table, sequencer: &str, checksum: Option<&str>, condition: &ClaimCondition) {
        let (claim, event) = (claim(sequencer), event(sequencer));
        let event = ClaimedEvent {
            claim: &claim,
            event: &event,
        };
        let claimed = table
            .fake
            .records()
            .claim(event, with_checksum(checksum), condition)
            .await;
        assert_eq!(claimed, Ok(None));
    }

    /// The old file is gone: it must not be reported as a duplicate of a new upload.
    #[tokio::test]
    async fn an_overwritten_file_is_found_by_its_new_checksum_only() {
        let table = Table::new();
        claim_file(&table, "0A", Some(CHECKSUM), &ClaimCondition::Free).await;
        assert_eq!(same(&table, CHECKSUM).await, 1);
        claim_file(&table, "0B", Some(OTHER), &ClaimCondition::Free).await;
        assert_eq!((same(&table, CHECKSUM).await, same(&table, OTHER).await), (0, 1));
        claim_file(&table, "0C", None, &ClaimCondition::Free).await;
        assert_eq!((same(&table, CHECKSUM).await, same(&table, OTHER).await), (0, 0));
        assert_eq!(table.record().await.checksum, None);
    }

    #[tokio::test]
    async fn a_deleted_file_is_not_found_and_a_newer_one_under_its_key_is() {
        let table = Table::new();
        claim_file(&table, "0A", Some(CHECKSUM), &ClaimCondition::Free).await;
        let Tombstone::Open(tombstone) = table.mark_deleted().await else {
            panic!("not deleted")
        };
        assert_eq!((tombstone.checksum, same(&table, CHECKSUM).await), (None, 0));
        claim_file(&table, "0B", Some(CHECKSUM), &ClaimCondition::Deleted).await;
        assert_eq!(same(&table, CHECKSUM).await, 1);
    }

    /// The file is still in the bucket, and its image can be labeled again.
    #[tokio::test]
    async fn a_result_and_a_failure_keep_the_checksum() {
        let table = Table::new();
        claim_file(&table, "0A", Some(CHECKSUM), &ClaimCondition::Free).await;
        table
            .fake
            .records()
            .store_result(&claim("0A"), rejected(&error()), &default_policy())
            .await
            .unwrap();
        assert_eq!(same(&table, CHECKSUM).await, 1);
        table
            .claim_if(
                "1",
                "0A",
                &ClaimCondition::HeldBy {
                    execution_arn: arn("0A"),
                    status: Status::Rejected,
                },
            )
            .await;
        assert!(table.fail("1").await);
        assert_eq!(same(&table, CHECKSUM).await, 1);
    }

    #[tokio::test]
    async fn files_are_listed_by_checksum_for_their_owner_only() {
        let table = Table::new();
        let mut expected = vec![];
        for (checksum, owner) in [
            (OTHER, "demo"),
            (CHECKSUM, "demo"),
            (CHECKSUM, "demo"),
            (CHECKSUM, "other"),
        ] {
            let (owner, image_id) = (Owner::new(owner).unwrap(), domain::ImageId::new());
            let key = Key::image(&owner, image_id);
            let mut item = key.item();
            item.insert("checksum".into(), text(checksum));
            table.fake.state().items.insert(key, item);
            if owner == table.owner {
                expected.push(File {
                    checksum: checksum.to_owned(),
                    image_id,
                });
            }
        }
        let records = table.fake.records();
        let page = async |after, limit| records.files(&table.owner, after, limit).await.unwrap();
        let all = page(None, 10).await;
        let checksums: Vec<_> = all.items.iter().map(|file| file.checksum.as_str()).collect();
        assert_eq!((checksums, all.more), (vec![CHECKSUM, CHECKSUM, OTHER], false));
        assert!(expected.iter().all(|file| all.items.contains(file)));
        assert_eq!(page(Some(CHECKSUM), 10).await.items, expected[..1]);
        assert!(page(None, 2).await.more);
    }
}

/// An execution of `label-video`, of the name of the one of `label-image`.
fn video_arn(name: &str) -> String {
    arn(name).replace("label-image", "label-video")
}

impl Table {
    /// The execution `label-video:<name>` takes over from `label-image:<name>`.
    async fn take_over(&self, name: &str, sequencer: &str) -> Result<(), LostClaim> {
        let event = event(sequencer);
        let claim = Claim::new(&event, video_arn(name)).unwrap();
        let event = ClaimedEvent {
            claim: &claim,
            event: &event,
        };
        let records = self.fake.records();
        records.take_over_claim(event, &arn(name)).await.unwrap()
    }
}

#[tokio::test]
async fn a_video_is_taken_over_once_and_only_from_the_execution_that_has_handed_it_over() {
    let table = Table::new();
    assert_eq!(
        table.take_over("1", "0A").await,
        Err(LostClaim::Deleted),
        "no record"
    );
    table.claim("1", "0A").await;
    assert_eq!(table.take_over("other", "0A").await, Err(LostClaim::Superseded));
    assert_eq!(table.take_over("1", "0A").await, Ok(()));
    let record = table.record().await;
    assert_eq!(record.execution_arn, Some(video_arn("1")));
    assert_eq!(
        (record.status, record.media_type),
        (Status::Processing, MediaType::Video)
    );
    // A repeated run, whose answer was lost.
    assert_eq!(table.take_over("1", "0A").await, Ok(()));
    // The execution of label-image cannot take it back, and its failure changes nothing.
    let held = table.claim("1", "0A").await.expect("the record");
    assert_eq!(held.execution_arn, Some(video_arn("1")));
    assert!(!table.fail("1").await);
}

#[tokio::test]
async fn a_newer_upload_and_a_deletion_win_over_a_video_that_is_handed_over() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.claim("2", "0B").await;
    assert_eq!(table.take_over("1", "0A").await, Err(LostClaim::Superseded));
    assert_eq!(table.take_over("2", "0B").await, Ok(()));
    table.mark_deleted().await;
    assert_eq!(table.take_over("2", "0B").await, Err(LostClaim::Deleted));
    assert_eq!(
        table.record().await.media_type,
        MediaType::Picture,
        "nothing is left of the video"
    );
}

/// A redrive of `label-video` continues, also if it has failed before it took over.
#[tokio::test]
async fn a_failed_video_can_be_taken_over() {
    let table = Table::new();
    table.claim("1", "0A").await;
    assert!(table.fail("1").await);
    assert_eq!(table.take_over("1", "0A").await, Ok(()));
    let record = table.record().await;
    assert_eq!((record.status, record.error), (Status::Processing, None));
    // A newer object under the key is another one, also if it has failed.
    table.claim("2", "0B").await;
    assert_eq!(table.take_over("1", "0A").await, Err(LostClaim::Superseded));
}

fn video_file(poster: &str) -> domain::VideoFile {
    serde_json::from_value(json!({"size": 5_000_000, "video": {
        "durationMs": 60_000, "codec": "H.264 High", "container": "MP4", "frameRate": 30.0, "width": 1920, "height": 1080,
        "poster": {"key": poster, "width": 1280, "height": 720},
    }}))
    .unwrap()
}

#[tokio::test]
async fn a_labeled_video_has_its_times_and_no_format_and_a_picture_under_its_key_has_no_video() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.take_over("1", "0A").await.unwrap();
    let claim = Claim {
        execution_arn: video_arn("1"),
        ..claim("1")
    };
    let records = table.fake.records();
    let file = video_file("videos/demo/a/1/poster.jpg");
    let metadata = domain::Metadata::default();
    let stored = records.store_video(&claim, &file, &metadata);
    assert!(stored.await.unwrap());
    let image = serde_json::from_value(json!({
        "imageId": claim.image_id, "owner": "demo", "bucket": "pictures", "key": OBJECT, "executionArn": video_arn("1"),
        "policy": {"minConfidence": 55, "maxLabels": 50}, "size": 5_000_000, "video": file.video,
    }))
    .unwrap();
    let mut answer: Vec<Label> = serde_json::from_value(labels(names(0..1), 90.0, 0)).unwrap();
    let seen = domain::video::Seen {
        first_ms: 4000,
        total_ms: 20_000,
    };
    answer[0].seen = Some(seen);
    let counted: Vec<_> = answer.iter().map(RecordedLabel::from).collect();
    let result = FinalResult::Labeled {
        image: &image,
        answer: &answer,
        counted: &counted,
        model_version: Some("3.0"),
    };
    records
        .store_result(&claim, result, &default_policy())
        .await
        .unwrap();
    let record = table.record().await;
    assert_eq!(
        (record.format, record.width, record.media_type),
        (None, Some(1920), MediaType::Video)
    );
    assert_eq!(record.labels.unwrap()[0].seen, Some(seen));
    assert_eq!(record.video, Some(file.video));
    // The poster of the last result is shown until the next result.
    let relabeled = video_file("videos/demo/a/2/poster.jpg");
    let stored = records.store_video(&claim, &relabeled, &metadata);
    assert!(stored.await.unwrap());
    let poster = table.record().await.video.unwrap().poster.unwrap();
    assert_eq!(poster.key, "videos/demo/a/1/poster.jpg");

    table.claim("2", "0B").await;
    let record = table.record().await;
    assert_eq!((record.video, record.media_type), (None, MediaType::Picture));
    table.store("2", &labels(names(0..1), 90.0, 0)).await.unwrap();
    let record = table.record().await;
    assert_eq!((record.video, record.media_type), (None, MediaType::Picture));
    assert_eq!(record.format, Some(domain::Format::Jpeg));
}

const QUOTAS: VideoQuotas = VideoQuotas {
    minutes_per_day: 10,
    total_minutes_per_day: 12,
};

impl Table {
    /// `label-video:<name>` counts minutes, in addition to those of a request.
    async fn count_minutes(
        &self,
        name: &str,
        minutes: u32,
        requested: Option<CountedMinutes>,
    ) -> Result<(), NotCounted> {
        let claim = Claim {
            execution_arn: video_arn(name),
            ..claim(name)
        };
        let records = self.fake.records();
        let counted = records.count_minutes_of_video(&claim, minutes, requested, QUOTAS, self.now);
        counted.await.unwrap()
    }

    async fn reject_video(&self, name: &str) -> Result<(), StoreError> {
        self.reject_video_after(name, false).await
    }

    /// `paid` says whether its labels may have been paid for.
    async fn reject_video_after(&self, name: &str, paid: bool) -> Result<(), StoreError> {
        let claim = Claim {
            execution_arn: video_arn(name),
            ..claim(name)
        };
        let error = error();
        let result = FinalResult::Rejected { error: &error, paid };
        let records = self.fake.records();
        records.store_result(&claim, result, &default_policy()).await
    }

    /// The counted minutes of today: those of the owner, and those of all owners.
    fn minutes(&self) -> (i64, i64) {
        let state = self.fake.state();
        let count = |partition: String| {
            let item = state
                .items
                .iter()
                .find(|(key, _)| key.partition == partition && key.sort.starts_with("QUOTA#VIDEO#"));
            item.map_or(0, |(_, item)| number(&item[COUNT]))
        };
        (
            count(domain::table::owner_partition(&self.owner)),
            count(domain::table::STACK_PARTITION.to_owned()),
        )
    }
}

/// A step is run again if its answer was lost, and an execution that has failed is redriven.
#[tokio::test]
async fn the_minutes_of_a_video_are_counted_once_per_claim() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.take_over("1", "0A").await.unwrap();
    for _ in 0..3 {
        assert_eq!(table.count_minutes("1", 4, None).await, Ok(()));
        assert_eq!(table.minutes(), (4, 4));
    }
    // A newer file under the key counts again.
    table.claim("2", "0B").await;
    let lost = Err(NotCounted::Lost(LostClaim::Superseded));
    assert_eq!(table.count_minutes("1", 4, None).await, lost);
    table.take_over("2", "0B").await.unwrap();
    assert_eq!(table.count_minutes("2", 6, None).await, Ok(()));
    assert_eq!(table.minutes(), (10, 10));
    table.claim("3", "0C").await;
    table.take_over("3", "0C").await.unwrap();
    let exhausted = |limit, minutes| move |counted| matches!(counted, Err(NotCounted::Exhausted(found)) if (found.limit, found.minutes) == (limit, minutes));
    assert!(exhausted(Quota::User, 10)(
        table.count_minutes("3", 1, None).await
    ));
    assert!(exhausted(Quota::User, 10)(
        table.count_minutes("3", 11, None).await
    ));
    let other = Owner::new("other").unwrap();
    let records = table.fake.records();
    let counted = records.count_video_minutes(&other, 3, QUOTAS, table.now);
    assert_eq!(counted.await.unwrap().unwrap_err().limit, Quota::AllUsers);
    assert_eq!(table.minutes(), (10, 10));
    table.mark_deleted().await;
    let lost = Err(NotCounted::Lost(LostClaim::Deleted));
    assert_eq!(table.count_minutes("3", 0, None).await, lost);
}

#[tokio::test]
async fn the_minutes_of_a_rejected_video_are_returned_once() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.take_over("1", "0A").await.unwrap();
    table.count_minutes("1", 4, None).await.unwrap();
    for _ in 0..2 {
        table.reject_video("1").await.unwrap();
        assert_eq!(table.minutes(), (0, 0));
        let record = table.record().await;
        assert_eq!((record.status, record.counted_minutes), (Status::Rejected, None));
    }
    // Those of another day are not taken from this one.
    table.claim("2", "0B").await;
    table.take_over("2", "0B").await.unwrap();
    table.count_minutes("2", 4, None).await.unwrap();
    let key = Key::of_claim(&claim("2"));
    let earlier = CountedMinutes {
        date: "2026-01-01".to_owned(),
        minutes: 4,
    };
    let attribute = crate::attribute_value(&earlier).unwrap();
    let set = |record: &mut crate::Item| record.insert(COUNTED_MINUTES.to_owned(), attribute);
    table.fake.state().items.get_mut(&key).map(set).unwrap();
    table.reject_video("2").await.unwrap();
    assert_eq!(table.minutes(), (4, 4));
    assert_eq!(table.record().await.status, Status::Rejected);
}

/// If they were returned, a video that is rejected after its labels were paid for could be labeled again and again.
#[tokio::test]
async fn the_minutes_of_a_rejected_video_are_kept_if_labels_may_have_been_paid_for() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.take_over("1", "0A").await.unwrap();
    table.count_minutes("1", 4, None).await.unwrap();
    for _ in 0..2 {
        table.reject_video_after("1", true).await.unwrap();
        assert_eq!(table.minutes(), (4, 4));
        let record = table.record().await;
        let counted = record.counted_minutes.expect("minutes");
        assert_eq!((record.status, counted.minutes), (Status::Rejected, 4));
    }
    // The next claim counts anew.
    table.claim("2", "0B").await;
    table.take_over("2", "0B").await.unwrap();
    table.count_minutes("2", 5, None).await.unwrap();
    assert_eq!(table.minutes(), (9, 9));
    table.reject_video("2").await.unwrap();
    assert_eq!(table.minutes(), (4, 4));
}

/// An operator who deletes a counter resets it. The rejection is stored all the same.
#[tokio::test]
async fn a_video_is_rejected_if_its_minutes_cannot_be_returned() {
    let table = Table::new();
    table.claim("1", "0A").await;
    table.take_over("1", "0A").await.unwrap();
    table.count_minutes("1", 4, None).await.unwrap();
    table
        .fake
        .state()
        .items
        .retain(|key, _| !key.sort.starts_with("QUOTA#"));
    table.reject_video("1").await.unwrap();
    assert_eq!(table.minutes(), (0, 0));
    assert_eq!(table.record().await.status, Status::Rejected);
}

/// The API counts minutes before it starts an execution.
#[tokio::test]
async fn the_minutes_of_a_request_are_returned_if_its_video_is_rejected() {
    let table = Table::new();
    let mut event = serde_json::to_value(json!({
        "source": "aws.s3", "detail-type": "Object Created",
        "detail": {"bucket": {"name": "pictures"}, "object": {"key": OBJECT, "sequencer": "0A"}},
    }))
    .unwrap();
    let requested_at = format!("{:.9}", table.now);
    event["relabel"] = json!({"requestedAt": requested_at, "countedMinutes": 3});
    let event: ObjectCreated = serde_json::from_value(event).unwrap();
    let records = table.fake.records();
    let counted = records.count_video_minutes(&table.owner, 3, QUOTAS, table.now);
    counted.await.unwrap().unwrap();
    let claim = claim("1");
    let claimed = ClaimedEvent {
        claim: &claim,
        event: &event,
    };
    let claimed = records.claim(claimed, ClaimedFile::default(), &ClaimCondition::Free);
    assert!(claimed.await.unwrap().is_none());
    table.take_over("1", "0A").await.unwrap();
    assert_eq!(table.record().await.counted_minutes.unwrap().minutes, 3);
    // The file is longer than the record has said.
    for _ in 0..2 {
        let counted = table.count_minutes("1", 2, event.counted_minutes()).await;
        assert_eq!(counted, Ok(()));
        assert_eq!(table.minutes(), (5, 5));
    }
    table.reject_video("1").await.unwrap();
    assert_eq!(table.minutes(), (0, 0));
}
