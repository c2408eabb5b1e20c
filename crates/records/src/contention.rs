//! Waits before a retry if other writes change the same items.
//!
//! DynamoDB cancels a transaction if another transaction or write is changing one of its items (`TransactionConflict`).
//! Neither the SDK nor DynamoDB retries it. All images of an owner change the counts of their common labels.

use aws::ServiceError;
use std::time::Duration;

/// The maximum number of tries of a step's or a request's writes, including the first. The waits between them take 2.3
/// s on average and at most 4.6 s, so a function ends long before its timeout. Longer waits are left to Step Functions,
/// because a waiting function uses the account's concurrency. The simulation shows both waits together.
pub(crate) const TRIES: u32 = 10;
/// The limit of the first wait. Doubled after each try, up to [`MAX_LIMIT`].
const FIRST_LIMIT: Duration = Duration::from_millis(25);
const MAX_LIMIT: Duration = Duration::from_secs(1);

/// Counts the failed tries of one step or request.
#[derive(Debug, Default)]
pub(crate) struct Contention {
    failed: u32,
}

impl Contention {
    /// Waits with full jitter: a random time from 0 to [`limit`].
    ///
    /// # Errors
    /// [`ServiceError::Throttled`] after [`TRIES`] failed tries.
    pub(crate) async fn wait(&mut self, call: &str) -> Result<(), ServiceError> {
        self.failed += 1;
        if self.failed == TRIES {
            return Err(ServiceError::Throttled(format!(
                "{call} conflicted with other writes of the same items {TRIES} times"
            )));
        }
        tokio::time::sleep(limit(self.failed).mul_f64(fastrand::f64())).await;
        Ok(())
    }
}

/// The maximum wait after this number of failed tries, which is at least 1.
fn limit(failed: u32) -> Duration {
    (FIRST_LIMIT * 2_u32.pow(failed - 1)).min(MAX_LIMIT)
}

#[cfg(test)]
mod simulation;
