//! Runs a step: parses its input, serializes its output, and reports its errors by the names that the state machine
//! matches.

use domain::{ErrorName, StepError};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// The maximum length of a reported error message, in characters. Parsers quote the invalid input, and the state of the
/// execution contains the message, so the size of the input must not determine the size of the message.
const MAX_MESSAGE_CHARS: usize = 1000;

/// The error that is reported to Lambda.
///
/// `lambda_runtime::Error` would report the boxed error's Rust type as the name, and no `ErrorEquals` could match it.
#[derive(Debug)]
struct Failure {
    name: ErrorName,
    message: String,
}

impl Failure {
    fn new(name: ErrorName, error: &dyn std::error::Error) -> Self {
        Self {
            name,
            message: error.to_string().chars().take(MAX_MESSAGE_CHARS).collect(),
        }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self {
            error_type: failure.name.as_str().to_owned(),
            error_message: failure.message,
        }
    }
}

/// Handles invocations with a step until the process is stopped.
///
/// # Errors
/// Lambda's runtime API cannot be reached.
pub async fn run<I, O, E>(handle: impl AsyncFn(I) -> Result<O, E>) -> Result<(), Error>
where
    I: DeserializeOwned,
    O: Serialize,
    E: StepError,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Value>| {
        respond(handle, event.payload)
    }))
    .await
}

async fn respond<I, O, E>(handle: impl AsyncFn(I) -> Result<O, E>, payload: Value) -> Result<O, Failure>
where
    I: DeserializeOwned,
    E: StepError,
{
    // Parsed here and not by the runtime, which would report an invalid payload by another error name.
    let input =
        serde_json::from_value(payload).map_err(|error| Failure::new(ErrorName::InvalidInput, &error))?;
    // Boxed, because the nested futures of the SDK, the step and the runtime are too deep for the compiler.
    Box::pin(handle(input))
        .await
        .map_err(|error| Failure::new(error.name(), &error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug)]
    struct TooOld;

    impl std::fmt::Display for TooOld {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a later event has been seen")
        }
    }

    impl std::error::Error for TooOld {}

    impl StepError for TooOld {
        fn name(&self) -> ErrorName {
            ErrorName::StaleEvent
        }
    }

    async fn reject(_: u32) -> Result<(), TooOld> {
        Err(TooOld)
    }

    #[tokio::test]
    async fn reports_the_steps_error_name() {
        let diagnostic = Diagnostic::from(respond(reject, json!(1)).await.unwrap_err());
        assert_eq!(diagnostic.error_type, "StaleEvent");
        assert_eq!(diagnostic.error_message, "a later event has been seen");
    }

    #[tokio::test]
    async fn reports_an_invalid_payload_as_invalid_input() {
        let diagnostic = Diagnostic::from(respond(reject, json!({"a": 1})).await.unwrap_err());
        assert_eq!(diagnostic.error_type, "InvalidInput");
    }

    #[tokio::test]
    async fn truncates_the_message_about_a_huge_invalid_value() {
        let payload = json!("é".repeat(200_000));
        let diagnostic = Diagnostic::from(respond(reject, payload).await.unwrap_err());
        assert!(
            diagnostic.error_message.starts_with("invalid type: string"),
            "{}",
            diagnostic.error_message
        );
        assert_eq!(diagnostic.error_message.chars().count(), MAX_MESSAGE_CHARS);
    }
}
