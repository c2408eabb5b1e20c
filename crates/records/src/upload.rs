//! The record of an upload that the API has created.

use crate::attribute::PARTITION_KEY;
use crate::conditional::{self, Written};
use crate::expression::{Condition, Expressions};
use crate::key::Key;
use crate::{Item, Records, RecordsError, WithExpressions};
use aws::ServiceError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use domain::ImageRecord;

const CALL: &str = "dynamodb:PutItem";

impl Records {
    /// Stores the record of an upload that the API has created.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn announce_upload(&self, record: &ImageRecord) -> Result<(), RecordsError> {
        let mut item: Item =
            serde_dynamo::to_item(record).map_err(|error| RecordsError::Unreadable(error.to_string()))?;
        item.extend(Key::image(&record.owner, record.image_id).item());
        let put = self
            .dynamodb
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.clone()))
            .with_expressions(Expressions::new().condition(Condition::Absent(PARTITION_KEY)))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        match conditional::write(CALL, || put.clone().send()).await? {
            Written::Done(_) => Ok(()),
            // The answer to an earlier attempt was lost, and the SDK retried the call. No other caller uses the new id,
            // so an equal item was stored by the earlier attempt.
            Written::Refused(stored) if stored.as_ref() == Some(&item) => Ok(()),
            Written::Refused(_) => {
                let code = Some("ConditionalCheckFailedException");
                Err(ServiceError::of_code(CALL, code, 400).into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::text;
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_smithy_mocks::{MockResponse, RuleMode, mock, mock_client};
    use serde_json::json;

    /// Stores an upload's record. DynamoDB refuses the write and returns the item from `stored`.
    async fn announce(
        stored: impl Fn(Item) -> Option<Item> + Send + Sync + 'static,
    ) -> Result<(), RecordsError> {
        let put = mock!(Client::put_item).then_compute_response(move |request| {
            let item = stored(request.item().unwrap().clone());
            let failed = ConditionalCheckFailedException::builder().set_item(item).build();
            MockResponse::Error(PutItemError::ConditionalCheckFailedException(failed))
        });
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&put]);
        let record: ImageRecord = serde_json::from_value(json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "AWAITING_UPLOAD",
            "createdAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z",
            "key": "uploads/demo/0193a5a0-0000-7000-8000-000000000001", "bucket": "pictures",
            "fileName": "cat.jpg", "size": 131_072, "expiresAt": 1_700_000_000,
        }))
        .unwrap();
        Records::new(client, "images".into())
            .announce_upload(&record)
            .await
    }

    #[tokio::test]
    async fn succeeds_if_an_earlier_attempt_stored_the_record() {
        assert_eq!(announce(Some).await, Ok(()));
    }

    #[tokio::test]
    async fn fails_if_another_item_has_the_key() {
        assert!(announce(|_| None).await.is_err());
        let other = |mut item: Item| {
            item.insert("fileName".into(), text("dog.jpg"));
            Some(item)
        };
        assert!(announce(other).await.is_err());
    }
}
