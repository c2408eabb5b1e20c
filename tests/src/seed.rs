//! Images that are in the table without having gone through the workflow: for tests of what reads them, which need
//! more images than a test could upload.

use crate::Stack;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::table::{
    HISTORY, PARTITION_KEY, SORT_KEY, history_sort, image_sort, label_count_sort, label_partition,
    owner_partition,
};
use domain::{Confidence, Format, ImageId, ImageKey, ImageRecord, Label, Owner, Status};
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, HashMap};

/// Writes at the same time.
const AT_ONCE: usize = 4;
/// The most items that BatchWriteItem takes.
const ITEMS_A_CALL: usize = 25;

type Item = HashMap<String, AttributeValue>;

/// An image as a test wants it.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Its id.
    pub image_id: ImageId,
    /// ISO 8601, UTC, milliseconds.
    pub created_at: String,
    /// Where it is on its way.
    pub status: Status,
    /// Names and confidences in percent, surest first.
    pub labels: Vec<(String, f64)>,
}

impl Seed {
    /// A labeled image.
    pub fn labeled(created_at: &str, labels: &[(&str, f64)]) -> Self {
        let labels = labels
            .iter()
            .map(|(name, percent)| ((*name).to_owned(), *percent));
        Self {
            image_id: ImageId::new(),
            created_at: created_at.to_owned(),
            status: Status::Labeled,
            labels: labels.collect(),
        }
    }

    /// Sorts as the history does.
    pub fn history(&self) -> String {
        history_sort(&self.created_at, self.image_id)
    }

    fn record(&self, owner: &Owner, bucket: &str) -> ImageRecord {
        let label = |(name, percent): &(String, f64)| Label {
            name: name.clone(),
            confidence: Confidence::new(*percent),
            instances: vec![],
            parents: vec![],
            aliases: vec![],
            categories: vec![],
        };
        ImageRecord {
            image_id: self.image_id,
            owner: owner.clone(),
            status: self.status,
            created_at: self.created_at.clone(),
            updated_at: self.created_at.clone(),
            key: ImageKey::for_upload(owner, self.image_id),
            bucket: bucket.to_owned(),
            file_name: Some("seed.jpg".into()),
            size: Some(131_072),
            format: Some(Format::Jpeg),
            width: Some(1024),
            height: Some(768),
            metadata: None,
            thumbnails: vec![],
            sequencer: None,
            execution_arn: None,
            labels: Some(self.labels.iter().map(label).collect()),
            label_rows: self.labels.iter().map(|(name, _)| name.clone()).collect(),
            model_version: Some("3.0".into()),
            policy: None,
            error: None,
            expires_at: None,
        }
    }

    fn items(&self, owner: &Owner, bucket: &str) -> Vec<Item> {
        let mut record: Item = serde_dynamo::to_item(self.record(owner, bucket)).expect("a record");
        record.extend(key(owner_partition(owner), image_sort(self.image_id)));
        record.insert(HISTORY.into(), AttributeValue::S(self.history()));
        let row = |(name, percent): &(String, f64)| {
            let mut row = key(label_partition(owner, name), self.history());
            row.insert("imageId".into(), AttributeValue::S(self.image_id.to_string()));
            row.insert("label".into(), AttributeValue::S(name.clone()));
            row.insert("confidence".into(), AttributeValue::N(percent.to_string()));
            row
        };
        let rows = self.labels.iter().map(row);
        rows.chain([record]).collect()
    }
}

impl Stack {
    /// Puts images into the table with their label rows; the owner's counts become those of exactly these images.
    ///
    /// # Panics
    /// Where the table refuses them.
    pub async fn seed(&self, owner: &Owner, images: &[Seed]) {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for (name, _) in images.iter().flat_map(|image| &image.labels) {
            *counts.entry(name).or_default() += 1;
        }
        self.seed_images(owner, images).await;
        self.seed_counts(owner, counts.into_iter()).await;
    }

    /// Puts images into the table with their label rows, and leaves the owner's counts alone.
    ///
    /// # Panics
    /// Where the table refuses them.
    pub async fn seed_images(&self, owner: &Owner, images: &[Seed]) {
        let items = images.iter().flat_map(|image| image.items(owner, &self.bucket));
        self.write_items(items).await;
    }

    /// Sets how many of the owner's images have each label.
    ///
    /// # Panics
    /// Where the table refuses it.
    pub async fn seed_counts(&self, owner: &Owner, counts: impl Iterator<Item = (&str, u32)>) {
        let counts = counts.map(|(name, count)| {
            let mut item = key(owner_partition(owner), label_count_sort(name));
            item.insert("name".into(), AttributeValue::S(name.to_owned()));
            item.insert("count".into(), AttributeValue::N(count.to_string()));
            item
        });
        self.write_items(counts).await;
    }

    /// Puts items into the table.
    ///
    /// # Panics
    /// Where the table refuses them.
    pub async fn write_items(&self, items: impl Iterator<Item = Item>) {
        let mut items = items.peekable();
        let calls = std::iter::from_fn(|| {
            items.peek()?;
            Some(items.by_ref().take(ITEMS_A_CALL).collect::<Vec<_>>())
        });
        stream::iter(calls)
            .for_each_concurrent(AT_ONCE, async |items| self.write_batch(items).await)
            .await;
    }

    async fn write_batch(&self, items: Vec<Item>) {
        let put = |item| {
            let put = PutRequest::builder()
                .set_item(Some(item))
                .build()
                .expect("an item");
            WriteRequest::builder().put_request(put).build()
        };
        let mut left = HashMap::from([(self.table.clone(), items.into_iter().map(put).collect())]);
        while !left.is_empty() {
            let answer = self
                .dynamodb
                .batch_write_item()
                .set_request_items(Some(left))
                .send()
                .await
                .expect("an answer of the table");
            left = answer.unprocessed_items.unwrap_or_default();
        }
    }

    /// Takes an image away as its owner's deletion does: a tombstone that is in no history.
    ///
    /// # Panics
    /// Where the table refuses it.
    pub async fn bury(&self, owner: &Owner, image: &Seed) {
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, AttributeValue::S(owner_partition(owner)))
            .key(SORT_KEY, AttributeValue::S(image_sort(image.image_id)))
            .update_expression("SET #status = :deleted REMOVE history")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":deleted", AttributeValue::S(Status::Deleted.as_str().to_owned()))
            .send()
            .await
            .expect("an answer of the table");
    }
}

/// The key attributes of an item.
pub fn key(partition: String, sort: String) -> Item {
    HashMap::from([
        (PARTITION_KEY.to_owned(), AttributeValue::S(partition)),
        (SORT_KEY.to_owned(), AttributeValue::S(sort)),
    ])
}
