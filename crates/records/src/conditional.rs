//! Sends single conditional writes. [`crate::transaction`] sends several writes as a transaction.

use crate::Item;
use crate::contention::Contention;
use aws::ServiceError;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;

/// The result of a conditional write.
#[derive(Debug, PartialEq)]
pub(crate) enum Written<T> {
    /// The condition held, and the item was written.
    Done(T),
    /// The condition did not hold. Contains the current item if it exists and the request asked for it.
    Refused(Option<Item>),
}

/// An error of a conditional write.
pub(crate) trait WriteError: ProvideErrorMetadata {
    /// `Some` if the condition did not hold. Contains the current item if the service returned it.
    fn refused(&self) -> Option<Option<&Item>>;
    /// Whether a transaction was changing the same item. Neither the SDK nor DynamoDB retries this error: see
    /// [`crate::contention`].
    fn is_conflict(&self) -> bool;
}

macro_rules! write_error {
    ($error:ident) => {
        impl WriteError for $error {
            fn refused(&self) -> Option<Option<&Item>> {
                match self {
                    Self::ConditionalCheckFailedException(failed) => Some(failed.item()),
                    _ => None,
                }
            }

            fn is_conflict(&self) -> bool {
                matches!(self, Self::TransactionConflictException(_))
            }
        }
    };
}

write_error!(DeleteItemError);
write_error!(PutItemError);
write_error!(UpdateItemError);

/// Sends a write. Retries while it conflicts with transactions.
pub(crate) async fn write<T, E: WriteError, F>(
    call: &str,
    send: impl Fn() -> F,
) -> Result<Written<T>, ServiceError>
where
    F: Future<Output = Result<T, SdkError<E>>>,
{
    let mut contention = Contention::default();
    loop {
        let error = match send().await {
            Ok(answer) => return Ok(Written::Done(answer)),
            Err(error) => error,
        };
        let write_error = error.as_service_error();
        if let Some(item) = write_error.and_then(WriteError::refused) {
            return Ok(Written::Refused(item.cloned()));
        }
        if !write_error.is_some_and(WriteError::is_conflict) {
            return Err(ServiceError::of(call, &error));
        }
        contention.wait(call).await?;
    }
}
