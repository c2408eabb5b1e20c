//! Classifies the errors of AWS services for the steps and the API.

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::ErrorName;
use domain::metric::{self, Service};
use strum::EnumIter;

/// The error of a call to AWS, except for the errors that the caller handles itself. The text names the call and the
/// error code.
#[derive(Debug, PartialEq, Eq, EnumIter)]
pub enum ServiceError {
    /// The service throttled the call.
    Throttled(String),
    /// The service did not answer, or reported an internal error.
    ServiceUnavailable(String),
    /// The role has no permission for the call.
    AccessDenied(String),
    /// Any other error.
    UnexpectedAnswer(String),
}

/// Codes in addition to those that all AWS services share ([`THROTTLING_ERRORS`]): cancellation reasons of a DynamoDB
/// transaction, and the one of Step Functions for too many running executions, of which some end.
const OTHER_THROTTLING: [&str; 3] = [
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "ExecutionLimitExceeded",
];
/// Codes of DynamoDB for conflicts between writes of the same item. They are handled like throttling, but do not show that
/// a quota is exhausted.
const CONFLICTS: [&str; 4] = [
    "TransactionConflictException",
    "ReplicatedWriteConflictException",
    "TransactionConflict",
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
    /// Classifies the error of `call`, such as `s3:GetObject`.
    pub fn of<E: ProvideErrorMetadata>(call: &str, error: &SdkError<E, Response>) -> Self {
        match error {
            SdkError::ServiceError(context) => {
                Self::of_code(call, context.err().code(), context.raw().status().as_u16())
            }
            SdkError::TimeoutError(_) => Self::ServiceUnavailable(format!("{call} timed out")),
            SdkError::DispatchFailure(_) => Self::ServiceUnavailable(format!("{call} could not connect")),
            SdkError::ResponseError(_) => Self::ServiceUnavailable(format!("{call} got an invalid response")),
            _ => Self::UnexpectedAnswer(format!("{call} could not be sent")),
        }
    }

    /// Classifies an error code of a service or of an entry of a batch. The text contains the code but not the
    /// service's message: messages can contain whole items and URLs, and errors are logged.
    pub fn of_code(call: &str, code: Option<&str>, http_status: u16) -> Self {
        let describe = |what: &str| {
            format!(
                "{call} {what} ({}, HTTP {http_status})",
                code.unwrap_or("no code")
            )
        };
        let throttled = || {
            if let Some(service) = Service::of_call(call) {
                metric::throttled(service);
            }
            Self::Throttled(describe("was throttled"))
        };
        match code {
            Some(code) if CONFLICTS.contains(&code) => Self::Throttled(describe("was throttled")),
            Some(code) if THROTTLING_ERRORS.contains(&code) || OTHER_THROTTLING.contains(&code) => {
                throttled()
            }
            // S3 answers with HTTP 400 if the request's body arrives too slowly.
            Some(code) if UNAVAILABLE.contains(&code) || TRANSIENT_ERRORS.contains(&code) => {
                Self::ServiceUnavailable(describe("is unavailable"))
            }
            Some(code) if DENIED.contains(&code) => Self::AccessDenied(describe("was denied")),
            None if http_status == 403 => Self::AccessDenied(describe("was denied")),
            _ if http_status == 429 => throttled(),
            _ if http_status >= 500 => Self::ServiceUnavailable(describe("is unavailable")),
            _ => Self::UnexpectedAnswer(describe("failed")),
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
    fn distinguishes_transient_errors_from_errors_that_need_an_operator() {
        let name = |code, status| ServiceError::of_code("s3:GetObject", code, status).name();
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

    #[test]
    fn every_transient_code_is_unavailable_regardless_of_the_http_status() {
        for code in UNAVAILABLE
            .into_iter()
            .chain(["RequestTimeout", "RequestTimeoutException"])
        {
            let error = ServiceError::of_code("s3:PutObject", Some(code), 400);
            assert_eq!(error.name(), ErrorName::ServiceUnavailable, "{code}");
        }
    }

    #[test]
    fn every_throttling_code_is_throttled() {
        // The codes of the services that the functions call. Sources: their API references and the SDK's list.
        for code in [
            "ExecutionLimitExceeded",
            "LimitExceededException",
            "PriorRequestNotComplete",
            "ProvisionedThroughputExceeded",
            "ProvisionedThroughputExceededException",
            "ReplicatedWriteConflictException",
            "RequestLimitExceeded",
            "RequestThrottledException",
            "ThrottlingError",
            "ThrottlingException",
            "TooManyRequestsException",
            "TransactionConflict",
            "TransactionConflictException",
            "TransactionInProgressException",
        ] {
            let error = ServiceError::of_code("dynamodb:UpdateItem", Some(code), 400);
            assert_eq!(error.name(), ErrorName::Throttled, "{code}");
        }
    }

    /// An alarm goes off when a table's or an account's quota is exhausted, and not when two writes of an item conflict.
    #[test]
    fn throttled_calls_are_counted_by_service_without_conflicts() {
        let counted = |call, code, status| {
            metric::take();
            ServiceError::of_code(call, code, status);
            let measured = metric::take();
            let mut services = measured.iter().map(|measurement| measurement.dimensions[0].1);
            (services.next(), services.next())
        };
        for (call, code, status, service) in [
            (
                "rekognition:DetectLabels",
                Some("ProvisionedThroughputExceededException"),
                400,
                Some("Rekognition"),
            ),
            ("s3:GetObject", Some("SlowDown"), 503, Some("S3")),
            ("dynamodb:Query", None, 429, Some("DynamoDb")),
            (
                "dynamodb:TransactWriteItems",
                Some("ProvisionedThroughputExceeded"),
                400,
                Some("DynamoDb"),
            ),
            (
                "dynamodb:UpdateItem",
                Some("TransactionConflictException"),
                400,
                None,
            ),
            ("s3:GetObject", Some("AccessDenied"), 403, None),
            ("states:DescribeExecution", Some("InternalError"), 500, None),
        ] {
            assert_eq!(counted(call, code, status), (service, None), "{call} {code:?}");
        }
    }
}
