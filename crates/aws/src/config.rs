//! Configuration of AWS clients.

use crate::reconnect::{ReconnectingClient, https_client};
use crate::traced::TracedClient;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use std::time::Duration;

/// The timeout of a call. A call that takes longer is unlikely to succeed. Well below the timeout of the functions in
/// `template.yaml`.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The configuration for steps and listeners: one attempt per call, since Step Functions and Lambda retry. A request is
/// sent again, once, only if its connection breaks before an answer.
pub async fn step_config() -> SdkConfig {
    step_loader().load().await
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
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retry)
        .timeout_config(timeouts)
}
