//! Configuration of AWS clients.

use crate::reconnect::{ReconnectingClient, https_client};
use crate::traced::TracedClient;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::result::SdkError;
use std::time::Duration;

/// The timeout of a call. A call that takes longer is unlikely to succeed. Well below the timeout of the functions in
/// `template.yaml`.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(8);
/// The timeout of a call that is paid for, also if its answer comes too late: `DetectLabels`.
pub const PAID_CALL_TIMEOUT: Duration = Duration::from_secs(25);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The configuration for steps and listeners: one attempt per call, since Step Functions and Lambda retry. A request is
/// sent again, once, only if its connection breaks before an answer.
pub async fn step_config() -> SdkConfig {
    step_loader().load().await
}

/// The configuration for clients whose calls are paid for. They differ from the others of a function only in their timeout,
/// [`PAID_CALL_TIMEOUT`].
pub fn for_paid_calls(config: &SdkConfig) -> SdkConfig {
    let timeouts = timeouts(PAID_CALL_TIMEOUT);
    config.to_builder().timeout_config(timeouts).build()
}

/// Whether the answer to a call is late. A call that is paid for may then have to be paid for without its answer: the request was
/// sent, because a connection that cannot be established in time is a dispatch failure.
pub fn has_timed_out<E, R>(error: &SdkError<E, R>) -> bool {
    matches!(error, SdkError::TimeoutError(_))
}

/// The configuration for the HTTP API: failed calls are retried immediately, because a person waits for the answer. Also for
/// the reconciler, which nothing else retries soon.
pub async fn api_config() -> SdkConfig {
    loader(RetryConfig::standard().with_initial_backoff(Duration::from_millis(50)))
        .http_client(TracedClient::of(https_client(usize::MAX)))
        .load()
        .await
}

pub(crate) fn step_loader() -> ConfigLoader {
    loader(RetryConfig::disabled())
        .http_client(TracedClient::of(SharedHttpClient::new(ReconnectingClient::new())))
}

fn loader(retry: RetryConfig) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retry)
        .timeout_config(timeouts(CALL_TIMEOUT))
}

fn timeouts(of_call: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_timeout(of_call)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_config::Region;

    /// Rekognition may charge for a call that it has received, whether or not the function waits for the answer.
    #[tokio::test]
    async fn calls_that_are_paid_for_have_more_time_and_one_attempt() {
        let config = step_loader()
            .region(Region::new("us-east-1"))
            .test_credentials()
            .load()
            .await;
        let paid = for_paid_calls(&config);
        let timeout = |config: &SdkConfig| config.timeout_config().and_then(TimeoutConfig::operation_timeout);
        assert_eq!(timeout(&config), Some(CALL_TIMEOUT));
        assert_eq!(timeout(&paid), Some(PAID_CALL_TIMEOUT));
        assert_eq!(paid.retry_config().map(RetryConfig::max_attempts), Some(1));
    }
}
