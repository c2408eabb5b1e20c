//! The items of an owner in the table.

use crate::Stack;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::record::ImageResult;
use domain::table::{PARTITION_KEY, SORT_KEY, image_sort, label_partition, owner_partition, result_sort};
use domain::{Confidence, ImageId, ImageKey, ImageRecord, Owner};
use records::WithExpressions;
use records::expression::{Condition, Expressions, Update, equals, text};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// The row of an image with a label.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelRow {
    /// The image.
    pub image_id: ImageId,
    /// The label's name.
    pub label: String,
    /// The confidence of the model.
    pub confidence: Confidence,
}

#[derive(Deserialize)]
struct LabelCount {
    name: String,
    count: i64,
}

type Item = HashMap<String, AttributeValue>;

impl Stack {
    /// An image's record without its thumbnails, which arrive some time after the result.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn record(&self, image: &ImageKey) -> Option<ImageRecord> {
        let record = self.record_with_thumbnails(image).await?;
        Some(ImageRecord {
            thumbnails: vec![],
            thumbnails_error: None,
            incomplete: false,
            ..record
        })
    }

    /// An image's whole record.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn record_with_thumbnails(&self, image: &ImageKey) -> Option<ImageRecord> {
        let item = self.item(image).await;
        item.map(|item| serde_dynamo::from_item(item).expect("a record"))
    }

    /// An image's result.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn result(&self, image: &ImageKey) -> Option<ImageResult> {
        let item = self.get(image, result_sort(image.image_id)).await;
        item.map(|item| records::answer::result(item).expect("a result"))
    }

    /// The names of all attributes of an image's record; none if it has no record.
    ///
    /// # Panics
    /// If it cannot be read.
    pub async fn attributes(&self, image: &ImageKey) -> Vec<String> {
        self.item(image).await.unwrap_or_default().into_keys().collect()
    }

    async fn item(&self, image: &ImageKey) -> Option<Item> {
        self.get(image, image_sort(image.image_id)).await
    }

    async fn get(&self, image: &ImageKey, sort: String) -> Option<Item> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, AttributeValue::S(owner_partition(&image.owner)))
            .key(SORT_KEY, AttributeValue::S(sort))
            .consistent_read(true)
            .send()
            .await;
        answer.expect("an answer of the table").item
    }

    /// How many of an owner's images have each label, without labels whose count is zero.
    ///
    /// # Panics
    /// If they cannot be read.
    pub async fn label_counts(&self, owner: &Owner) -> BTreeMap<String, i64> {
        let items = self.query(owner_partition(owner), "LABEL#").await;
        let counts: Vec<LabelCount> = serde_dynamo::from_items(items).expect("counts");
        counts
            .into_iter()
            .filter(|label| label.count != 0)
            .map(|label| (label.name, label.count))
            .collect()
    }

    /// The label rows of an owner's images with a label.
    ///
    /// # Panics
    /// If they cannot be read.
    pub async fn label_rows(&self, owner: &Owner, label: &str) -> Vec<LabelRow> {
        let items = self.query(label_partition(owner, label), "").await;
        serde_dynamo::from_items(items).expect("label rows")
    }

    /// The label rows of one image, for all labels that any image of its owner has or had.
    ///
    /// # Panics
    /// If they cannot be read.
    pub async fn label_rows_of(&self, image: &ImageKey) -> Vec<LabelRow> {
        let counts = self.query(owner_partition(&image.owner), "LABEL#").await;
        let mut rows = vec![];
        for label in serde_dynamo::from_items::<_, LabelCount>(counts).expect("counts") {
            rows.extend(self.label_rows(&image.owner, &label.name).await);
        }
        rows.retain(|row| row.image_id == image.image_id);
        rows
    }

    /// The sort keys of all items in an owner's partition, except those that stay for some time when everything is deleted:
    /// tombstones, and the counter of today's uploads, so that a deletion does not reset the quota.
    ///
    /// # Panics
    /// If they cannot be read.
    pub async fn left_of_owner(&self, owner: &Owner) -> Vec<String> {
        let items = self.query(owner_partition(owner), "").await;
        let sort = |item: Item| item[SORT_KEY].as_s().expect("a text").clone();
        let stays = |sort: &String| sort.starts_with("IMAGE#") || sort.starts_with("QUOTA#");
        items.into_iter().map(sort).filter(|key| !stays(key)).collect()
    }

    /// Deletes all items of an owner, so that a test with fixed keys can start without any.
    ///
    /// # Panics
    /// If the table refuses.
    pub async fn delete_items_of(&self, owner: &Owner) {
        let own = self.query(owner_partition(owner), "").await;
        let labels = self.query(owner_partition(owner), "LABEL#").await;
        for label in serde_dynamo::from_items::<_, LabelCount>(labels).expect("counts") {
            self.delete(self.query(label_partition(owner, &label.name), "").await)
                .await;
        }
        self.delete(own).await;
    }

    /// Puts an item into the partition of an owner.
    ///
    /// # Panics
    /// If the table refuses.
    pub async fn put_item(&self, owner: &Owner, sort: String, attributes: &[(&str, AttributeValue)]) {
        let mut put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .item(PARTITION_KEY, text(owner_partition(owner)))
            .item(SORT_KEY, text(sort));
        for (name, value) in attributes {
            put = put.item(*name, value.clone());
        }
        put.send().await.expect("an answer of the table");
    }

    /// Updates an item in the partition of an owner, without a condition.
    ///
    /// # Panics
    /// If the table refuses.
    pub async fn update_item(&self, owner: &Owner, sort: String, update: Update) {
        self.dynamodb
            .update_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, text(owner_partition(owner)))
            .key(SORT_KEY, text(sort))
            .with_expressions(Expressions::new().update(update))
            .send()
            .await
            .expect("an answer of the table");
    }

    async fn delete(&self, items: Vec<Item>) {
        for item in items {
            self.dynamodb
                .delete_item()
                .table_name(&self.table)
                .key(PARTITION_KEY, item[PARTITION_KEY].clone())
                .key(SORT_KEY, item[SORT_KEY].clone())
                .send()
                .await
                .expect("an answer of the table");
        }
    }

    pub(crate) async fn query(&self, partition: String, sort_prefix: &str) -> Vec<Item> {
        let mut condition = equals(PARTITION_KEY, text(partition));
        if !sort_prefix.is_empty() {
            condition = condition.and(Condition::BeginsWith(SORT_KEY, text(sort_prefix)));
        }
        let query = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .with_expressions(Expressions::new().key_condition(condition));
        query
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .expect("items")
    }
}
