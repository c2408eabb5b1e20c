//! Sends transactions.

use crate::contention::Contention;
use crate::expression::Expressions;
use crate::key::Key;
use crate::request::WithExpressions;
use crate::{Item, Records};
use aws::ServiceError;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};
use domain::metric::{self, Service};

const CALL: &str = "dynamodb:TransactWriteItems";

/// The maximum number of actions in a transaction.
pub(crate) const MAX_ACTIONS: usize = 100;

/// Why a transaction changed nothing.
#[derive(Debug, PartialEq)]
pub(crate) enum TransactionError {
    /// The first action's condition does not hold. Contains the current item if it exists.
    FirstConditionFailed(Option<Item>),
    /// Another action's condition does not hold.
    OtherConditionFailed,
    Service(ServiceError),
}

impl From<ServiceError> for TransactionError {
    fn from(error: ServiceError) -> Self {
        Self::Service(error)
    }
}

/// Whether a transaction was executed. It was not if a condition did not hold.
pub(crate) fn executed(result: Result<(), TransactionError>) -> Result<bool, ServiceError> {
    match result {
        Ok(()) => Ok(true),
        Err(TransactionError::FirstConditionFailed(_) | TransactionError::OtherConditionFailed) => Ok(false),
        Err(TransactionError::Service(error)) => Err(error),
    }
}

/// The reaction to a failed transaction.
#[derive(Debug, PartialEq)]
enum Reaction {
    /// Another write was changing the same items, or the partition is throttled.
    Retry,
    Fail(TransactionError),
}

impl Records {
    /// Sends a transaction. Retries while it conflicts with other writes. The error says whether the first action's
    /// condition or another one failed.
    pub(crate) async fn transact(
        &self,
        actions: Vec<TransactWriteItem>,
        contention: &mut Contention,
    ) -> Result<(), TransactionError> {
        let request = self
            .dynamodb
            .transact_write_items()
            .set_transact_items(Some(actions));
        loop {
            let Err(error) = request.clone().send().await else {
                return Ok(());
            };
            let reaction = match &error {
                SdkError::ServiceError(context) => match context.err() {
                    TransactWriteItemsError::TransactionCanceledException(canceled) => {
                        react_to_cancellation(canceled.cancellation_reasons())
                    }
                    _ => react_to_service_error(ServiceError::of(CALL, &error)),
                },
                _ => react_to_service_error(ServiceError::of(CALL, &error)),
            };
            match reaction {
                Reaction::Retry => contention.wait(CALL).await?,
                Reaction::Fail(error) => return Err(error),
            }
        }
    }

    pub(crate) fn put(&self, key: &Key, mut item: Item, expressions: Expressions) -> TransactWriteItem {
        item.extend(key.item());
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(item))
            .with_expressions(expressions);
        TransactWriteItem::builder().put(built(put.build())).build()
    }

    pub(crate) fn delete(&self, key: &Key, expressions: Expressions) -> TransactWriteItem {
        let delete = Delete::builder()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .with_expressions(expressions);
        TransactWriteItem::builder().delete(built(delete.build())).build()
    }

    /// An update that returns the current item if its condition does not hold.
    pub(crate) fn checked_update(&self, key: &Key, expressions: Expressions) -> TransactWriteItem {
        self.change(
            key,
            expressions,
            Some(ReturnValuesOnConditionCheckFailure::AllOld),
        )
    }

    pub(crate) fn plain_update(&self, key: &Key, expressions: Expressions) -> TransactWriteItem {
        self.change(key, expressions, None)
    }

    fn change(
        &self,
        key: &Key,
        expressions: Expressions,
        return_item: Option<ReturnValuesOnConditionCheckFailure>,
    ) -> TransactWriteItem {
        let update = Update::builder()
            .table_name(&self.table)
            .set_key(Some(key.item()))
            .set_return_values_on_condition_check_failure(return_item)
            .with_expressions(expressions);
        TransactWriteItem::builder().update(built(update.build())).build()
    }
}

/// A builder fails only if a required member is missing, and the functions above set all of them.
fn built<T, E: std::fmt::Debug>(built: Result<T, E>) -> T {
    built.expect("every required member is set")
}

fn react_to_service_error(error: ServiceError) -> Reaction {
    match error {
        ServiceError::Throttled(_) => Reaction::Retry,
        error => Reaction::Fail(error.into()),
    }
}

/// The reasons are in the order of the transaction's actions. A condition that does not hold takes precedence over all
/// other reasons, because a retry cannot succeed.
fn react_to_cancellation(reasons: &[CancellationReason]) -> Reaction {
    let codes = || reasons.iter().map(|reason| reason.code().unwrap_or("None"));
    match codes().position(|code| code == "ConditionalCheckFailed") {
        Some(0) => {
            return Reaction::Fail(TransactionError::FirstConditionFailed(reasons[0].item.clone()));
        }
        Some(_) => return Reaction::Fail(TransactionError::OtherConditionFailed),
        None => {}
    }
    match codes().find(|code| *code != "None") {
        Some("TransactionConflict") => Reaction::Retry,
        Some("ThrottlingError" | "ProvisionedThroughputExceeded") => {
            metric::throttled(Service::DynamoDb);
            Reaction::Retry
        }
        code => Reaction::Fail(ServiceError::of_code(CALL, code, 400).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(codes: &[&str]) -> Vec<CancellationReason> {
        codes
            .iter()
            .map(|code| CancellationReason::builder().code(*code).build())
            .collect()
    }

    #[test]
    fn retries_only_conflicts_and_throttling() {
        for code in [
            "TransactionConflict",
            "ThrottlingError",
            "ProvisionedThroughputExceeded",
        ] {
            assert_eq!(
                react_to_cancellation(&reasons(&["None", "None", code])),
                Reaction::Retry
            );
        }
        assert_eq!(
            react_to_cancellation(&reasons(&["TransactionConflict", "ConditionalCheckFailed"])),
            Reaction::Fail(TransactionError::OtherConditionFailed)
        );
        assert_eq!(
            react_to_cancellation(&reasons(&["ConditionalCheckFailed", "ConditionalCheckFailed"])),
            Reaction::Fail(TransactionError::FirstConditionFailed(None)),
            "a lost claim takes precedence"
        );
        let other = react_to_cancellation(&reasons(&["None", "ValidationError"]));
        assert!(matches!(
            other,
            Reaction::Fail(TransactionError::Service(ServiceError::UnexpectedAnswer(_)))
        ));
    }
}
