//! What the table holds about an owner's images.

use crate::Stack;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::table::{PARTITION_KEY, SORT_KEY, image_sort, label_partition, owner_partition};
use domain::{Confidence, ImageId, ImageKey, ImageRecord, Owner};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};

/// That an image has a label.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LabelRow {
    /// The image.
    pub image_id: ImageId,
    /// The label's name.
    pub label: String,
    /// How sure the model is.
    pub confidence: Confidence,
}

#[derive(Deserialize)]
struct LabelCount {
    name: String,
    count: i64,
}

type Item = HashMap<String, AttributeValue>;

impl Stack {
    /// An image's record, but for its thumbnails: they come by themselves, some moments after the result.
    ///
    /// # Panics
    /// Where it cannot be read.
    pub async fn record(&self, image: &ImageKey) -> Option<ImageRecord> {
        let record = self.record_with_thumbnails(image).await?;
        Some(ImageRecord {
            thumbnails: vec![],
            ..record
        })
    }

    /// All of an image's record.
    ///
    /// # Panics
    /// Where it cannot be read.
    pub async fn record_with_thumbnails(&self, image: &ImageKey) -> Option<ImageRecord> {
        let item = self.item(image).await;
        item.map(|item| serde_dynamo::from_item(item).expect("a record"))
    }

    /// The names of all attributes of an image's record; none where there is none.
    ///
    /// # Panics
    /// Where it cannot be read.
    pub async fn attributes(&self, image: &ImageKey) -> Vec<String> {
        self.item(image).await.unwrap_or_default().into_keys().collect()
    }

    async fn item(&self, image: &ImageKey) -> Option<Item> {
        let answer = self
            .dynamodb
            .get_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, AttributeValue::S(owner_partition(&image.owner)))
            .key(SORT_KEY, AttributeValue::S(image_sort(image.image_id)))
            .consistent_read(true)
            .send()
            .await;
        answer.expect("an answer of the table").item
    }

    /// How many of an owner's images have each label; labels that none has any more are left out.
    ///
    /// # Panics
    /// Where they cannot be read.
    pub async fn label_counts(&self, owner: &Owner) -> BTreeMap<String, i64> {
        let items = self.query(owner_partition(owner), "LABEL#").await;
        let counts: Vec<LabelCount> = serde_dynamo::from_items(items).expect("counts");
        counts
            .into_iter()
            .filter(|label| label.count != 0)
            .map(|label| (label.name, label.count))
            .collect()
    }

    /// The rows of an owner's images that have a label.
    ///
    /// # Panics
    /// Where they cannot be read.
    pub async fn label_rows(&self, owner: &Owner, label: &str) -> Vec<LabelRow> {
        let items = self.query(label_partition(owner, label), "").await;
        serde_dynamo::from_items(items).expect("label rows")
    }

    /// The rows of one image, for all labels that any image of its owner has or had, by name.
    ///
    /// # Panics
    /// Where they cannot be read.
    pub async fn label_rows_of(&self, image: &ImageKey) -> Vec<LabelRow> {
        let counts = self.query(owner_partition(&image.owner), "LABEL#").await;
        let mut rows = vec![];
        for label in serde_dynamo::from_items::<_, LabelCount>(counts).expect("counts") {
            rows.extend(self.label_rows(&image.owner, &label.name).await);
        }
        rows.retain(|row| row.image_id == image.image_id);
        rows
    }

    /// The sort keys of all items in an owner's own partition but those that stay for a while when everything is
    /// deleted: tombstones, and how many images they have uploaded today, or deleting would lift the quota.
    ///
    /// # Panics
    /// Where they cannot be read.
    pub async fn left_of_owner(&self, owner: &Owner) -> Vec<String> {
        let items = self.query(owner_partition(owner), "").await;
        let sort = |item: Item| item[SORT_KEY].as_s().expect("a text").clone();
        let stays = |sort: &String| sort.starts_with("IMAGE#") || sort.starts_with("QUOTA#");
        items.into_iter().map(sort).filter(|key| !stays(key)).collect()
    }

    /// Removes all that the table holds about an owner, so that a test can start from nothing with
    /// keys that never change.
    ///
    /// # Panics
    /// Where it cannot.
    pub async fn forget(&self, owner: &Owner) {
        let own = self.query(owner_partition(owner), "").await;
        let labels = self.query(owner_partition(owner), "LABEL#").await;
        for label in serde_dynamo::from_items::<_, LabelCount>(labels).expect("counts") {
            self.delete(self.query(label_partition(owner, &label.name), "").await)
                .await;
        }
        self.delete(own).await;
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
        let mut query = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression(format!("{PARTITION_KEY} = :partition"))
            .expression_attribute_values(":partition", AttributeValue::S(partition));
        if !sort_prefix.is_empty() {
            query = query
                .key_condition_expression(format!(
                    "{PARTITION_KEY} = :partition AND begins_with({SORT_KEY}, :prefix)"
                ))
                .expression_attribute_values(":prefix", AttributeValue::S(sort_prefix.to_owned()));
        }
        query
            .into_paginator()
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .expect("items")
    }
}
