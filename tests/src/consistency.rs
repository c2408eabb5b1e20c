//! Whether an owner's records, label rows and label counts tell the same story.

use crate::{Stack, wait};
use domain::table::owner_partition;
use domain::{ImageId, ImageKey, ImageRecord, Owner, Status};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What a complete deletion leaves of a record, for some time.
const TOMBSTONE: [&str; 10] = [
    "pk",
    "sk",
    "imageId",
    "owner",
    "bucket",
    "status",
    "updatedAt",
    "sequencer",
    "executionArn",
    "expiresAt",
];

/// An owner's images, and where the table contradicts itself about them.
#[derive(Debug)]
pub struct Story {
    /// One for each image.
    pub records: Vec<ImageRecord>,
    /// A sentence for each contradiction.
    pub contradictions: Vec<String>,
}

impl Stack {
    /// The records of an owner's images.
    ///
    /// # Panics
    /// Where they cannot be read.
    pub async fn records(&self, owner: &Owner) -> Vec<ImageRecord> {
        let items = self.query(owner_partition(owner), "IMAGE#").await;
        serde_dynamo::from_items(items).expect("records")
    }

    /// Recounts all labels of an owner from the records and from the rows, and compares both with the stored counts.
    ///
    /// # Panics
    /// Where the table cannot be read.
    pub async fn story(&self, owner: &Owner) -> Story {
        let records = self.records(owner).await;
        let counts = self.label_counts(owner).await;

        let labeled =
            |record: &ImageRecord| record.labels.clone().filter(|_| record.status == Status::Labeled);
        let names = records.iter().flat_map(|record| {
            let labels = labeled(record)
                .unwrap_or_default()
                .into_iter()
                .map(|label| label.name);
            labels.chain(record.label_rows.iter().cloned())
        });
        let names: BTreeSet<String> = names.chain(counts.keys().cloned()).collect();
        let mut rows: BTreeMap<String, HashMap<ImageId, f64>> = BTreeMap::new();
        let mut contradictions = vec![];
        for name in names {
            let found = self.label_rows(owner, &name).await;
            let by_image: HashMap<_, _> = found
                .iter()
                .map(|row| (row.image_id, row.confidence.percent()))
                .collect();
            if by_image.len() != found.len() {
                contradictions.push(format!("{name} has several rows for one image"));
            }
            let count = counts.get(&name).copied().unwrap_or_default();
            if usize::try_from(count) != Ok(found.len()) {
                contradictions.push(format!(
                    "{name} is counted {count} times and has {} rows",
                    found.len()
                ));
            }
            rows.insert(name, by_image);
        }
        for record in &records {
            let own: BTreeMap<&str, f64> = rows
                .iter()
                .filter_map(|(name, images)| Some((name.as_str(), *images.get(&record.image_id)?)))
                .collect();
            let announced = record
                .label_rows
                .iter()
                .map(String::as_str)
                .collect::<BTreeSet<_>>();
            let labels = labeled(record).unwrap_or_default();
            let told = labels
                .iter()
                .map(|label| (label.name.as_str(), label.confidence.percent()))
                .collect();
            let done = matches!(record.status, Status::Labeled | Status::Rejected);
            if done && own != told {
                contradictions.push(format!(
                    "{} has the labels {told:?} and the rows {own:?}",
                    record.key
                ));
            }
            if done && !announced.iter().eq(told.keys()) {
                contradictions.push(format!("{} announces {announced:?} and has {told:?}", record.key));
            }
            if !own.keys().all(|name| announced.contains(name)) {
                contradictions.push(format!(
                    "{} announces {announced:?} and has the rows {own:?}",
                    record.key
                ));
            }
        }
        Story {
            records,
            contradictions,
        }
    }

    /// Checks that a deletion has left nothing of an image, and waits until what was made of it is gone as well: what was
    /// under way to be written meanwhile is removed by whoever writes it.
    ///
    /// # Panics
    /// Where something is left, or the bucket or the table cannot be read.
    pub async fn check_nothing_left_of(&self, key: &str) {
        assert_eq!(self.left_of(key).await, Vec::<String>::new());
        wait::until(&format!("what was made of {key} is gone"), async || {
            self.derived_of(&self.image(key)).await.is_empty().then_some(())
        })
        .await;
    }

    /// What a deletion has left of an image but for what was made of its file: a sentence for each thing.
    ///
    /// # Panics
    /// Where the bucket or the table cannot be read.
    pub async fn left_of(&self, key: &str) -> Vec<String> {
        let image: ImageKey = self.image(key);
        let mut left = vec![];
        if self.has_object(key).await {
            left.push(format!("the object {key}"));
        }
        for row in self.label_rows_of(&image).await {
            left.push(format!("a row for {}", row.label));
        }
        for name in self.attributes(&image).await {
            if !TOMBSTONE.contains(&name.as_str()) {
                left.push(format!("the record's {name}"));
            }
        }
        if let Some(record) = self.record(&image).await
            && (record.status != Status::Deleted || record.expires_at.is_none())
        {
            left.push(format!("{record:?}"));
        }
        left
    }
}
