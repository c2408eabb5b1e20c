//! Writes images directly into the table, for tests of the reading routes, which need more images than a test could
//! upload.

use crate::Stack;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use domain::record::RecordedLabel;
use domain::table::{
    CREATED_AT, HISTORY, PARTITION_KEY, SORT_KEY, history_sort, image_sort, label_count_sort,
    label_partition, owner_partition, result_sort,
};
use domain::{Confidence, Format, ImageId, ImageKey, ImageRecord, Label, Metadata, Owner, Status};
use futures_util::{StreamExt, stream};
use records::WithExpressions;
use records::expression::{Expressions, Update, text};
use std::collections::{BTreeMap, HashMap};

/// Concurrent writes.
const AT_ONCE: usize = 4;
/// The maximum of BatchWriteItem.
const MAX_BATCH_ITEMS: usize = 25;

/// The execution in their records. Step Functions does not know it.
const EXECUTION: &str = "arn:aws:states:us-east-1:000000000000:execution:label-image:seed";

type Item = HashMap<String, AttributeValue>;

/// An image to write.
#[derive(Debug, Clone)]
pub struct Seed {
    /// Its id.
    pub image_id: ImageId,
    /// ISO 8601, UTC, with milliseconds.
    pub created_at: String,
    /// Processing status.
    pub status: Status,
    /// Names and confidences in percent, highest first.
    pub labels: Vec<(String, f64)>,
    /// Capture time by the camera's clock.
    pub taken_at: Option<String>,
    /// The SHA-256 of its file, in base64.
    pub checksum: Option<String>,
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
            taken_at: None,
            checksum: None,
        }
    }

    /// The time by which it is sorted, without a zone.
    ///
    /// # Panics
    /// If the capture time is invalid.
    pub fn time(&self) -> String {
        match &self.taken_at {
            Some(taken_at) => format!("{}.000", &taken_at[.."2015-07-13T18:20:00".len()]),
            None => self.created_at.trim_end_matches('Z').to_owned(),
        }
    }

    /// Its sort key in the history.
    pub fn history(&self) -> String {
        history_sort(&self.time(), self.image_id)
    }

    fn record(&self, owner: &Owner, bucket: &str) -> ImageRecord {
        let label = |(name, percent): &(String, f64)| RecordedLabel {
            name: name.clone(),
            confidence: Confidence::new(*percent),
            added: false,
            keyword: false,
            detected_as: vec![],
            seen: None,
        };
        ImageRecord {
            image_id: self.image_id,
            owner: owner.clone(),
            status: self.status,
            created_at: self.created_at.clone(),
            history: self.history(),
            utc_offset: None,
            modified_at: None,
            updated_at: self.created_at.clone(),
            key: ImageKey::for_upload(owner, self.image_id),
            bucket: bucket.to_owned(),
            file_name: Some("seed.jpg".into()),
            size: Some(131_072),
            checksum: self.checksum.clone(),
            multipart: None,
            format: Some(Format::Jpeg),
            width: Some(1024),
            height: Some(768),
            media_type: domain::MediaType::Picture,
            video: None,
            counted_minutes: None,
            metadata: self.taken_at.clone().map(|taken_at| Metadata {
                taken_at: Some(taken_at),
                ..Metadata::default()
            }),
            thumbnails: vec![],
            thumbnails_error: None,
            incomplete: false,
            sequencer: Some("0a".into()),
            execution_arn: Some(EXECUTION.to_owned()),
            labels: Some(self.labels.iter().map(label).collect()),
            label_rows: self.labels.iter().map(|(name, _)| name.clone()).collect(),
            rows_changing: false,
            corrections: None,
            model_version: Some("3.0".into()),
            error: None,
            expires_at: None,
        }
    }

    fn answer(&self) -> Vec<Label> {
        let label = |(name, percent): &(String, f64)| Label {
            name: name.clone(),
            confidence: Confidence::new(*percent),
            instances: vec![],
            parents: vec![],
            aliases: vec![],
            categories: vec![],
            seen: None,
        };
        let mut answer: Vec<_> = self.labels.iter().map(label).collect();
        domain::label::sort(&mut answer);
        answer
    }

    fn items(&self, owner: &Owner, bucket: &str) -> Vec<Item> {
        let mut record: Item = serde_dynamo::to_item(self.record(owner, bucket)).expect("a record");
        record.extend(key(owner_partition(owner), image_sort(self.image_id)));
        let row = |(name, percent): &(String, f64)| {
            let mut row = key(label_partition(owner, name), self.history());
            row.insert("imageId".into(), AttributeValue::S(self.image_id.to_string()));
            row.insert("label".into(), AttributeValue::S(name.clone()));
            row.insert("confidence".into(), AttributeValue::N(percent.to_string()));
            row
        };
        let rows = self.labels.iter().map(row);
        let mut result = records::answer::item(EXECUTION, &self.answer()).expect("a result");
        result.extend(key(owner_partition(owner), result_sort(self.image_id)));
        rows.chain([record, result]).collect()
    }
}

impl Stack {
    /// Puts images with their label rows into the table, and sets the owner's counts to those of exactly these images.
    ///
    /// # Panics
    /// If the table refuses them.
    pub async fn seed(&self, owner: &Owner, images: &[Seed]) {
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for (name, _) in images.iter().flat_map(|image| &image.labels) {
            *counts.entry(name).or_default() += 1;
        }
        self.seed_images(owner, images).await;
        self.seed_counts(owner, counts.into_iter()).await;
    }

    /// Puts images with their label rows into the table, without changing the owner's counts.
    ///
    /// # Panics
    /// If the table refuses them.
    pub async fn seed_images(&self, owner: &Owner, images: &[Seed]) {
        let items = images.iter().flat_map(|image| image.items(owner, &self.bucket));
        self.write_items(items).await;
    }

    /// Sets the owner's label counts.
    ///
    /// # Panics
    /// If the table refuses it.
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
    /// If the table refuses them.
    pub async fn write_items(&self, items: impl Iterator<Item = Item>) {
        let mut items = items.peekable();
        let calls = std::iter::from_fn(|| {
            items.peek()?;
            Some(items.by_ref().take(MAX_BATCH_ITEMS).collect::<Vec<_>>())
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

    /// Marks an image as deleted, as its owner's deletion does: a tombstone that is not in the history.
    ///
    /// # Panics
    /// If the table refuses it.
    pub async fn mark_deleted(&self, owner: &Owner, image: &Seed) {
        let update = Update::new()
            .set("status", text(Status::Deleted.as_str()))
            .remove([HISTORY, CREATED_AT]);
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, AttributeValue::S(owner_partition(owner)))
            .key(SORT_KEY, AttributeValue::S(image_sort(image.image_id)))
            .with_expressions(Expressions::new().update(update))
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
