//! Daily quotas. An item counts the use of a quota on a day, up to a limit, and expires later.

use crate::Records;
use crate::attribute::{COUNT, EXPIRES_AT};
use crate::conditional;
use crate::expression::{Condition, Expressions, Update, greater, less, number};
use crate::key::Key;
use crate::request::WithExpressions;
use aws::ServiceError;
use aws_sdk_dynamodb::config::Builder;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use domain::Owner;
use jiff::Timestamp;

/// The images that a counter counts.
#[derive(Debug, Clone, Copy)]
pub enum Counter<'a> {
    /// The images of one owner.
    Owner(&'a Owner),
    /// The images of all owners.
    All,
}

/// A quota for one day.
#[derive(Debug, Clone, Copy)]
pub struct Quota<'a> {
    /// The day: ISO 8601, UTC.
    pub date: &'a str,
    /// The maximum count on the day.
    pub limit: u32,
    /// When the item expires (DynamoDB TTL).
    pub expires_at: Timestamp,
}

impl Records {
    /// Increments the count, unless it has reached the limit. Returns whether it was incremented.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn use_quota(&self, counter: Counter<'_>, quota: Quota<'_>) -> Result<bool, ServiceError> {
        let below_limit = Condition::Absent(COUNT).or(less(COUNT, number(quota.limit)));
        let one_more = Update::new()
            .set(EXPIRES_AT, number(quota.expires_at.as_second()))
            .add(COUNT, number(1));
        let expressions = Expressions::new().condition(below_limit).update(one_more);
        self.update_if(&Key::quota(counter, quota.date), expressions)
            .await
    }

    /// Decrements the count of a day, but not below 0. The SDK does not retry the call, because a retry after a lost
    /// answer would decrement the count twice.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn return_quota(&self, counter: Counter<'_>, date: &str) -> Result<(), ServiceError> {
        let expressions = Expressions::new()
            .condition(greater(COUNT, number(0)))
            .update(Update::new().add(COUNT, number(-1)));
        let update = self
            .dynamodb
            .update_item()
            .table_name(&self.table)
            .set_key(Some(Key::quota(counter, date).item()))
            .with_expressions(expressions);
        let send = || {
            let once = Builder::new().retry_config(RetryConfig::disabled());
            update.clone().customize().config_override(once).send()
        };
        conditional::write("dynamodb:UpdateItem", send).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_table::FakeTable;
    use aws_sdk_dynamodb::Client;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    const DATE: &str = "2026-11-22";

    #[tokio::test]
    async fn a_count_never_falls_below_zero() {
        let fake = FakeTable::default();
        let records = fake.records();
        let quota = Quota {
            date: DATE,
            limit: 1,
            expires_at: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(records.use_quota(Counter::All, quota).await, Ok(true));
        for _ in 0..2 {
            assert_eq!(records.return_quota(Counter::All, DATE).await, Ok(()));
            let key = Key::quota(Counter::All, DATE);
            assert_eq!(fake.state().items[&key][COUNT], number(0));
        }
    }

    #[tokio::test]
    async fn does_not_retry_a_return_after_a_lost_answer() {
        let update = mock!(Client::update_item)
            .sequence()
            .http_status(500, None)
            .repeatedly()
            .build();
        let client = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&update], |config| config
            .retry_config(
                RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1))
            ));
        let returned = Records::new(client, "images".into())
            .return_quota(Counter::All, DATE)
            .await;
        assert!(matches!(returned, Err(ServiceError::ServiceUnavailable(_))));
        assert_eq!(update.num_calls(), 1);
    }
}
