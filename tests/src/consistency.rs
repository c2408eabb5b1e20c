//! Whether an owner's records, results, label rows and label counts are consistent.

use crate::{Stack, wait};
use domain::table::owner_partition;
use domain::{ImageId, ImageKey, ImageRecord, Owner, Status};
use records::Records;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The attributes of a closed tombstone.
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

/// An owner's images, and contradictions in what the table says about them.
#[derive(Debug)]
pub struct Consistency {
    /// One for each image.
    pub records: Vec<ImageRecord>,
    /// A description of each contradiction.
    pub contradictions: Vec<String>,
}

impl Stack {
    /// The records of an owner's images.
    ///
    /// # Panics
    /// If they cannot be read.
    pub async fn records(&self, owner: &Owner) -> Vec<ImageRecord> {
        let items = self.query(owner_partition(owner), "IMAGE#").await;
        serde_dynamo::from_items(items).expect("records")
    }

    /// Counts all labels of an owner in the records and in the label rows, and compares both with the stored counts.
    /// Compares the checksums in the records with those in the index.
    ///
    /// # Panics
    /// If the table cannot be read.
    pub async fn consistency(&self, owner: &Owner) -> Consistency {
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
            let shown = labels
                .iter()
                .map(|label| (label.name.as_str(), label.confidence.percent()))
                .collect();
            let done = matches!(record.status, Status::Labeled | Status::Rejected);
            if done && own != shown {
                contradictions.push(format!(
                    "{} has the labels {shown:?} and the rows {own:?}",
                    record.key
                ));
            }
            let image = ImageKey {
                image_id: record.image_id,
                owner: record.owner.clone(),
                file_name: None,
            };
            let result = self.result(&image).await;
            let of_result = result.as_ref().map(|result| result.execution_arn.as_str());
            let expected = record
                .execution_arn
                .as_deref()
                .filter(|_| record.status == Status::Labeled);
            if done && of_result != expected {
                contradictions.push(format!(
                    "{} is {:?} by {expected:?} and has a result of {of_result:?}",
                    record.key, record.status
                ));
            }
            if done && !announced.iter().eq(shown.keys()) {
                contradictions.push(format!(
                    "{} announces {announced:?} and has {shown:?}",
                    record.key
                ));
            }
            if !own.keys().all(|name| announced.contains(name)) {
                contradictions.push(format!(
                    "{} announces {announced:?} and has the rows {own:?}",
                    record.key
                ));
            }
        }
        contradictions.extend(self.wrongly_indexed(owner, &records).await);
        Consistency {
            records,
            contradictions,
        }
    }

    /// Differences between the index of checksums and the records.
    async fn wrongly_indexed(&self, owner: &Owner, records: &[ImageRecord]) -> Vec<String> {
        let table = Records::new(self.dynamodb.clone(), self.table.clone());
        let indexed = table.files(owner, None, 1000).await.expect("the index");
        let mut indexed: HashMap<_, _> = indexed
            .items
            .into_iter()
            .map(|file| (file.image_id, file.checksum))
            .collect();
        let mut wrong = vec![];
        for record in records {
            let found = indexed.remove(&record.image_id);
            if found != record.checksum {
                let stored = &record.checksum;
                wrong.push(format!(
                    "{} has the checksum {stored:?} and is indexed by {found:?}",
                    record.key
                ));
            }
        }
        wrong.extend(
            indexed
                .keys()
                .map(|id| format!("{id} is indexed and has no record")),
        );
        wrong
    }

    /// Checks that a deletion has left nothing of an image, and waits until its renditions and thumbnails are gone as well:
    /// a function that is still writing them removes them itself.
    ///
    /// # Panics
    /// If something is left, or the bucket or the table cannot be read.
    pub async fn check_nothing_left_of(&self, key: &str) {
        assert_eq!(self.left_of(key).await, Vec::<String>::new());
        wait::until(
            &format!("renditions and thumbnails of {key} are gone"),
            async || self.derived_of(&self.image(key)).await.is_empty().then_some(()),
        )
        .await;
    }

    /// What a deletion has left of an image, except its renditions and thumbnails.
    ///
    /// # Panics
    /// If the bucket or the table cannot be read.
    pub async fn left_of(&self, key: &str) -> Vec<String> {
        let image: ImageKey = self.image(key);
        let mut left = vec![];
        let versions = self.versions_under(key).await;
        left.extend(
            versions
                .into_iter()
                .filter(|found| found == key)
                .map(|key| format!("a version of the object {key}")),
        );
        for row in self.label_rows_of(&image).await {
            left.push(format!("a row for {}", row.label));
        }
        for name in self.attributes(&image).await {
            if !TOMBSTONE.contains(&name.as_str()) {
                left.push(format!("the record's {name}"));
            }
        }
        if let Some(result) = self.result(&image).await {
            left.push(format!("{result:?}"));
        }
        if let Some(record) = self.record(&image).await
            && (record.status != Status::Deleted || record.expires_at.is_none())
        {
            left.push(format!("{record:?}"));
        }
        left
    }
}
