//! Finds identical files of an owner by their checksums.
//!
//! The checksum is an attribute of the image's record, and DynamoDB keeps the index of it up to date: a record that
//! expires, becomes a tombstone, or is claimed for another file leaves the index without any code. The index is
//! eventually consistent, so callers check the records of the images that it returns.

use crate::attribute::{CHECKSUM, PARTITION_KEY, SORT_KEY};
use crate::expression::{Condition, Expressions, equals, greater, text};
use crate::key::image_id;
use crate::request::WithExpressions;
use crate::search::{Found, send};
use crate::{Item, Records};
use aws::ServiceError;
use domain::{ImageId, Owner, table};

/// How many images with the same file are looked up: the maximum of a BatchGetItem call.
const MAX_SAME: i32 = 100;

/// An image and the SHA-256 of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Base64.
    pub checksum: String,
    /// The image.
    pub image_id: ImageId,
}

impl Records {
    /// At most 100 of the owner's images whose files have this SHA-256, in base64, including images whose files have not
    /// arrived. Eventually consistent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn images_with_checksum(
        &self,
        owner: &Owner,
        checksum: &str,
    ) -> Result<Vec<ImageId>, ServiceError> {
        let found = self
            .by_checksum(owner, equals(CHECKSUM, text(checksum)), MAX_SAME)
            .await?;
        Ok(found.items.into_iter().map(|file| file.image_id).collect())
    }

    /// The owner's images whose files have a known SHA-256, sorted by it. Starts after the checksum `after`. At most
    /// `limit` images, but fewer if they do not fit into 1 MB. Eventually consistent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn files(
        &self,
        owner: &Owner,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Found<File>, ServiceError> {
        // No checksum sorts before the space.
        let after = greater(CHECKSUM, text(after.unwrap_or(" ")));
        self.by_checksum(owner, after, limit).await
    }

    async fn by_checksum(
        &self,
        owner: &Owner,
        checksum: Condition,
        limit: i32,
    ) -> Result<Found<File>, ServiceError> {
        let condition = equals(PARTITION_KEY, text(table::owner_partition(owner))).and(checksum);
        let expressions = Expressions::new()
            .key_condition(condition)
            .projection(&[SORT_KEY, CHECKSUM]);
        let query = self
            .dynamodb
            .query()
            .table_name(&self.table)
            .index_name(table::CHECKSUM_INDEX)
            .limit(limit)
            .with_expressions(expressions);
        send(query, file).await
    }
}

fn file(mut item: Item) -> Option<File> {
    let sort = item.get(SORT_KEY)?.as_s().ok()?;
    Some(File {
        image_id: image_id(sort)?,
        checksum: item.remove(CHECKSUM)?.as_s().ok()?.clone(),
    })
}
