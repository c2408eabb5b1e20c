//! Objects in the bucket, the events that S3 sends about them, and the results of their images.

use crate::api::File;
use crate::bus::Notification;
use crate::executions::Ended;
use crate::{Stack, wait};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use domain::image::derived_prefixes;
use domain::{ImageKey, ImageRecord, Owner, Status};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Later than the sequencer of any event that S3 sends.
pub const LAST_SEQUENCER: &str = "FFFFFFFFFFFFFFFFFF";

/// An image that has a result, and everything that belongs to it.
#[derive(Debug)]
pub struct Settled {
    /// Its record.
    pub record: ImageRecord,
    /// The execution with this result.
    pub execution: Ended,
    /// All notifications about it, each once.
    pub notifications: Vec<Notification>,
}

impl Stack {
    /// Puts an object into the bucket, as other tools do.
    ///
    /// # Panics
    /// If S3 refuses it.
    pub async fn put_object(&self, key: &str, bytes: impl Into<Vec<u8>>) {
        let body = ByteStream::from(bytes.into());
        let put = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .body(body)
            .send()
            .await;
        put.unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }

    /// Puts an object into the bucket with its SHA-256, as some tools do.
    ///
    /// # Panics
    /// If S3 refuses it.
    pub async fn put_object_with_checksum(&self, key: &str, file: &File) {
        let put = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(key)
            .checksum_sha256(file.sha256())
            .body(ByteStream::from(file.bytes.clone()))
            .send()
            .await;
        put.unwrap_or_else(|error| panic!("{key}: {error:?}"));
    }

    /// Puts an object into the bucket as a multipart upload with one part: S3 has only the checksum of the part.
    ///
    /// # Panics
    /// If S3 refuses it.
    pub async fn put_object_in_parts(&self, key: &str, file: &File) {
        let (s3, bucket) = (&self.s3, &self.bucket);
        let created = s3.create_multipart_upload().bucket(bucket).key(key);
        let created = created.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await;
        let id = created.expect("an upload").upload_id.expect("an ID");
        let part = s3
            .upload_part()
            .bucket(bucket)
            .key(key)
            .upload_id(&id)
            .part_number(1)
            .checksum_sha256(file.sha256())
            .body(ByteStream::from(file.bytes.clone()))
            .send()
            .await
            .expect("a part");
        let part = CompletedPart::builder()
            .part_number(1)
            .set_e_tag(part.e_tag)
            .checksum_sha256(file.sha256());
        let parts = CompletedMultipartUpload::builder().parts(part.build()).build();
        let complete = s3.complete_multipart_upload().bucket(bucket).key(key);
        complete
            .upload_id(id)
            .multipart_upload(parts)
            .send()
            .await
            .expect("an object");
    }

    /// Deletes an object.
    ///
    /// # Panics
    /// If S3 refuses.
    pub async fn delete_object(&self, key: &str) {
        self.s3
            .delete_object()
            .bucket(&self.bucket)
            .key(key)
            .send()
            .await
            .expect("an answer of S3");
    }

    /// Whether an object exists.
    ///
    /// # Panics
    /// If S3 does not answer.
    pub async fn has_object(&self, key: &str) -> bool {
        match self.s3.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(_) => true,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_not_found()) => false,
            Err(error) => panic!("{key}: {error:?}"),
        }
    }

    /// The keys of all of an owner's objects.
    ///
    /// # Panics
    /// If S3 does not list them.
    pub async fn objects_of(&self, owner: &Owner) -> Vec<String> {
        let list = self.s3.list_objects_v2().bucket(&self.bucket);
        let pages = list.prefix(format!("uploads/{}/", owner.as_str()));
        let mut pages = pages.into_paginator().send();
        let mut keys = vec![];
        while let Some(page) = pages.next().await {
            let objects = page.expect("a list of objects").contents.unwrap_or_default();
            keys.extend(objects.into_iter().filter_map(|object| object.key));
        }
        keys
    }

    /// The keys of an image's renditions and thumbnails, and of their earlier versions.
    ///
    /// # Panics
    /// If S3 does not list them.
    pub async fn derived_of(&self, image: &ImageKey) -> BTreeSet<String> {
        let mut keys = BTreeSet::new();
        for prefix in derived_prefixes(&image.owner, image.image_id) {
            keys.extend(self.versions_under(&prefix).await);
        }
        keys
    }

    /// The keys that begin with `prefix`, once for each version of an object and for each delete marker. A bucket that was
    /// never versioned has one version of each object.
    ///
    /// # Panics
    /// If S3 does not list them.
    pub async fn versions_under(&self, prefix: &str) -> Vec<String> {
        let mut keys = vec![];
        let (mut key, mut version) = (None, None);
        loop {
            let list = self.s3.list_object_versions().bucket(&self.bucket).prefix(prefix);
            let page = list
                .set_key_marker(key)
                .set_version_id_marker(version)
                .send()
                .await
                .expect("a list of versions");
            let versions = page.versions.unwrap_or_default().into_iter();
            keys.extend(versions.filter_map(|version| version.key));
            let markers = page.delete_markers.unwrap_or_default().into_iter();
            keys.extend(markers.filter_map(|marker| marker.key));
            if page.is_truncated != Some(true) {
                return keys;
            }
            (key, version) = (page.next_key_marker, page.next_version_id_marker);
        }
    }

    /// Waits until an image has thumbnails and its record fulfills a condition; returns the record.
    ///
    /// # Panics
    /// If that does not happen.
    pub async fn with_thumbnails(&self, key: &str, matches: impl Fn(&ImageRecord) -> bool) -> ImageRecord {
        let image = self.image(key);
        wait::until(&format!("{key} has thumbnails"), async || {
            let record = self.record_with_thumbnails(&image).await?;
            (!record.thumbnails.is_empty() && matches(&record)).then_some(record)
        })
        .await
    }

    /// The event that S3 sends when an object was created.
    pub fn object_created(&self, key: &str, sequencer: &str) -> Value {
        json!({
            "version": "0", "id": "17793124-05d4-b198-2fde-7ededc63b103",
            "detail-type": "Object Created", "source": "aws.s3",
            "account": "000000000000", "time": "2026-11-12T00:00:00Z", "region": "us-east-1",
            "resources": [format!("arn:aws:s3:::{}", self.bucket)],
            "detail": {
                "version": "0", "bucket": {"name": self.bucket},
                "object": {"key": key, "size": 131_072, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": sequencer},
                "request-id": "N4N7GDK58NMKJ12R", "requester": "000000000000",
                "source-ip-address": "127.0.0.1", "reason": "PutObject",
            },
        })
    }

    /// Waits until an image has a result, its execution has ended, and the notifications have arrived.
    ///
    /// # Panics
    /// If that does not happen, or the execution fails.
    pub async fn settled(&self, key: &str) -> Settled {
        self.settled_when(key, "has a result", |record| {
            matches!(record.status, Status::Labeled | Status::Rejected)
        })
        .await
    }

    /// The same as [`Self::settled`], for a result with this status.
    ///
    /// # Panics
    /// See [`Self::settled`].
    pub async fn settled_as(&self, key: &str, status: Status) -> Settled {
        self.settled_when(key, &format!("is {}", status.as_str()), |record| {
            record.status == status
        })
        .await
    }

    /// The same as [`Self::settled`], for a result of a new execution.
    ///
    /// # Panics
    /// See [`Self::settled`].
    pub async fn settled_again(&self, before: &ImageRecord) -> Settled {
        self.settled_when(&before.key, "has a new result", |record| {
            matches!(record.status, Status::Labeled | Status::Rejected)
                && record.execution_arn != before.execution_arn
        })
        .await
    }

    async fn settled_when(&self, key: &str, what: &str, matches: impl Fn(&ImageRecord) -> bool) -> Settled {
        let image = self.image(key);
        let record = wait::until(&format!("the image {key} {what}"), async || {
            let record = self.record(&image).await?;
            let is_settled = matches(&record);
            assert!(
                is_settled || record.status != Status::Failed,
                "waited until the image {key} {what}, but it has failed: {:?}",
                record.error,
            );
            is_settled.then_some(record)
        })
        .await;
        let execution = self
            .ended(record.execution_arn.as_deref().expect("a claim"))
            .await;
        Settled {
            record,
            execution,
            notifications: self.distinct_notifications(image.image_id).await,
        }
    }
}
