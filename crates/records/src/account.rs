//! Lists and deletes an owner's items, page by page, when the owner deletes all data.

use crate::attribute::{COUNT, PARTITION_KEY, SORT_KEY};
use crate::conditional;
use crate::expression::{Condition, Expressions, at_most, equals, number, text};
use crate::key::{Key, image_id};
use crate::request::WithExpressions;
use crate::{Item, Records};
use aws::ServiceError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use domain::{ImageId, Owner, table};
use std::ops::Range;

/// The number of items that one call reads.
const ITEMS_PER_PAGE: i32 = 100;

/// A page of items.
#[derive(Debug)]
pub struct Page<T> {
    /// The items of the page.
    pub items: Vec<T>,
    /// The start of the next page. `None` on the last page.
    pub next: Option<PageStart>,
}

/// Where a page starts: DynamoDB's `ExclusiveStartKey`.
#[derive(Debug, Clone)]
pub struct PageStart(Item);

impl Records {
    /// The owner's images, including tombstones of incomplete deletions. Reads the history index, which is eventually
    /// consistent.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn all_images(
        &self,
        owner: &Owner,
        start: Option<PageStart>,
    ) -> Result<Page<ImageId>, ServiceError> {
        let query = self.keys(owner, None).index_name(table::HISTORY_INDEX);
        page(query, start, |sort| image_id(&sort)).await
    }

    /// The owner's images with ids that the API created in a time range, in milliseconds since 1970. Uses consistent
    /// reads.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn images_announced(
        &self,
        owner: &Owner,
        milliseconds: Range<u64>,
        start: Option<PageStart>,
    ) -> Result<Page<ImageId>, ServiceError> {
        let sort = |millisecond| text(table::image_sort(ImageId::first_of_millisecond(millisecond)));
        let between = Condition::Between(SORT_KEY, sort(milliseconds.start), sort(milliseconds.end));
        let query = self.keys(owner, Some(between)).consistent_read(true);
        page(query, start, |sort| image_id(&sort)).await
    }

    /// The sort keys of the owner's label counts. Uses consistent reads.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn label_count_keys(
        &self,
        owner: &Owner,
        start: Option<PageStart>,
    ) -> Result<Page<String>, ServiceError> {
        let counts = Condition::BeginsWith(SORT_KEY, text(table::LABEL_COUNTS));
        let query = self.keys(owner, Some(counts)).consistent_read(true);
        page(query, start, Some).await
    }

    /// Deletes a label's count by its sort key, unless an image has the label.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn delete_unused_label_count(&self, owner: &Owner, sort: String) -> Result<(), ServiceError> {
        let key = Key {
            partition: table::owner_partition(owner),
            sort,
        };
        let delete = self
            .dynamodb
            .delete_item()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .with_expressions(Expressions::new().condition(at_most(COUNT, number(0))));
        // The condition does not hold if a new picture has been labeled in the meantime.
        conditional::write("dynamodb:DeleteItem", || delete.clone().send())
            .await
            .map(drop)
    }

    /// A query for the sort keys of items in the owner's partition.
    pub(crate) fn keys(&self, owner: &Owner, sort: Option<Condition>) -> QueryFluentBuilder {
        let partition = equals(PARTITION_KEY, text(table::owner_partition(owner)));
        let condition = match sort {
            Some(sort) => partition.and(sort),
            None => partition,
        };
        self.dynamodb
            .query()
            .table_name(&self.table)
            .limit(ITEMS_PER_PAGE)
            .with_expressions(
                Expressions::new()
                    .key_condition(condition)
                    .projection(&[SORT_KEY]),
            )
    }
}

pub(crate) async fn page<T>(
    query: QueryFluentBuilder,
    start: Option<PageStart>,
    read: impl Fn(String) -> Option<T>,
) -> Result<Page<T>, ServiceError> {
    let answer = query
        .set_exclusive_start_key(start.map(|start| start.0))
        .send()
        .await
        .map_err(|error| ServiceError::of("dynamodb:Query", &error))?;
    let sort = |item: Item| item.get(SORT_KEY)?.as_s().ok().cloned();
    Ok(Page {
        items: answer
            .items
            .unwrap_or_default()
            .into_iter()
            .filter_map(sort)
            .filter_map(read)
            .collect(),
        next: answer
            .last_evaluated_key
            .filter(|key| !key.is_empty())
            .map(PageStart),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::operation::delete_item::{DeleteItemError, DeleteItemOutput};
    use aws_sdk_dynamodb::types::error::TransactionConflictException;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    #[tokio::test(start_paused = true)]
    async fn retries_deleting_a_count_after_a_transaction_conflict() {
        let delete = mock!(Client::delete_item)
            .sequence()
            .error(|| {
                DeleteItemError::TransactionConflictException(TransactionConflictException::builder().build())
            })
            .output(|| DeleteItemOutput::builder().build())
            .build();
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&delete]);
        let owner = Owner::new("demo").unwrap();
        let deleted = Records::new(client, "images".into())
            .delete_unused_label_count(&owner, "label".into())
            .await;
        assert_eq!((deleted, delete.num_calls()), (Ok(()), 2));
    }
}
