//! Configuration of AWS clients, and what their errors mean for a step.

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::ErrorName;
use std::time::Duration;
use strum::EnumIter;

/// A call that takes longer will not succeed. Well below the functions' own timeout (template.yaml).
pub const CALL_TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// For the steps: one attempt a call, since Step Functions retries.
pub async fn step_config() -> SdkConfig {
    config(RetryConfig::disabled()).await
}

/// For the HTTP API: somebody waits for the answer, so calls are retried on the spot.
pub async fn api_config() -> SdkConfig {
    config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(50))).await
}

async fn config(retry: RetryConfig) -> SdkConfig {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_timeout(CALL_TIMEOUT)
        .build();
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retry)
        .timeout_config(timeouts)
        .load()
        .await
}

/// What every call to AWS can end in, beside the errors that a step knows what to do with.
#[derive(Debug, PartialEq, Eq, EnumIter)]
pub enum ServiceError {
    /// The service asked for fewer calls.
    Throttled(String),
    /// No answer, or the service is at fault itself.
    ServiceUnavailable(String),
    /// The role lacks a permission.
    AccessDenied(String),
    /// Anything else.
    UnexpectedAnswer(String),
}

/// Codes with which AWS services ask for fewer calls, and DynamoDB for another try because two
/// transactions met at an item.
const THROTTLING: [&str; 11] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestThrottled",
    "RequestLimitExceeded",
    "SlowDown",
    "ProvisionedThroughputExceededException",
    "ProvisionedThroughputExceeded",
    "TransactionConflictException",
    "TransactionInProgressException",
];
const UNAVAILABLE: [&str; 6] = [
    "InternalServerError",
    "InternalServerErrorException",
    "InternalFailure",
    "InternalError",
    "InternalException",
    "ServiceUnavailable",
];
const DENIED: [&str; 5] = [
    "AccessDenied",
    "AccessDeniedException",
    "403",
    "Forbidden",
    "NotAuthorizedException",
];

impl ServiceError {
    /// What the failure of `call` (such as `s3:GetObject`) means.
    pub fn of<E: ProvideErrorMetadata>(call: &str, error: &SdkError<E, Response>) -> Self {
        match error {
            SdkError::ServiceError(context) => {
                Self::of_code(call, context.err().code(), context.raw().status().as_u16())
            }
            SdkError::TimeoutError(_) => Self::ServiceUnavailable(format!("{call} timed out")),
            SdkError::DispatchFailure(_) => Self::ServiceUnavailable(format!("{call} got no connection")),
            SdkError::ResponseError(_) => Self::ServiceUnavailable(format!("{call} got a broken answer")),
            _ => Self::UnexpectedAnswer(format!("{call} could not be sent")),
        }
    }

    /// What an error code, as a service or an entry of a batch carries it, means. Only the code is
    /// told: messages of services can carry whole items and URLs, and errors are logged.
    pub fn of_code(call: &str, code: Option<&str>, http_status: u16) -> Self {
        let named = |what: &str| {
            format!(
                "{call} {what} ({}, HTTP {http_status})",
                code.unwrap_or("no code")
            )
        };
        match code {
            Some(code) if THROTTLING.contains(&code) => Self::Throttled(named("was throttled")),
            Some(code) if UNAVAILABLE.contains(&code) => Self::ServiceUnavailable(named("is unavailable")),
            Some(code) if DENIED.contains(&code) => Self::AccessDenied(named("was denied")),
            None if http_status == 403 => Self::AccessDenied(named("was denied")),
            _ if http_status == 429 => Self::Throttled(named("was throttled")),
            _ if http_status >= 500 => Self::ServiceUnavailable(named("is unavailable")),
            _ => Self::UnexpectedAnswer(named("failed")),
        }
    }

    /// The name that the state machine matches.
    pub fn name(&self) -> ErrorName {
        match self {
            Self::Throttled(_) => ErrorName::Throttled,
            Self::ServiceUnavailable(_) => ErrorName::ServiceUnavailable,
            Self::AccessDenied(_) => ErrorName::AccessDenied,
            Self::UnexpectedAnswer(_) => ErrorName::UnexpectedAnswer,
        }
    }
}

impl std::fmt::Display for ServiceError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Throttled(text)
            | Self::ServiceUnavailable(text)
            | Self::AccessDenied(text)
            | Self::UnexpectedAnswer(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for ServiceError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_needs_an_operator() {
        let name = |code, status| ServiceError::of_code("s3:GetObject", code, status).name();
        assert_eq!(
            name(Some("ProvisionedThroughputExceededException"), 400),
            ErrorName::Throttled
        );
        assert_eq!(name(None, 429), ErrorName::Throttled);
        assert_eq!(name(Some("SlowDown"), 503), ErrorName::Throttled);
        assert_eq!(name(None, 500), ErrorName::ServiceUnavailable);
        assert_eq!(name(Some("Whatever"), 502), ErrorName::ServiceUnavailable);
        assert_eq!(name(Some("AccessDeniedException"), 400), ErrorName::AccessDenied);
        assert_eq!(name(None, 403), ErrorName::AccessDenied);
        assert_eq!(
            name(Some("ValidationException"), 400),
            ErrorName::UnexpectedAnswer
        );
    }
}
