//! Runs a step: JSON in, JSON out, and errors under the names that the state machine matches.

use domain::ErrorName;
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

/// An error of a step. Its text is read by people: operators, and the owner of a rejected image.
pub trait StepError: std::error::Error {
    /// The name that the state machine matches.
    fn name(&self) -> ErrorName;
}

/// The longest error text that is reported, in characters. Parsers quote what they could not read, and the state
/// machine carries the text on beside the event: what goes in must not decide how large that gets.
const MAX_MESSAGE: usize = 1000;

/// What is reported to Lambda.
///
/// `lambda_runtime::Error` in its place would report the boxed error's type as the name, which no
/// `ErrorEquals` can match.
#[derive(Debug)]
struct Failure {
    name: ErrorName,
    message: String,
}

impl Failure {
    fn new(name: ErrorName, error: &dyn std::error::Error) -> Self {
        Self {
            name,
            message: error.to_string().chars().take(MAX_MESSAGE).collect(),
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

/// Serves Lambda with a step until the process is stopped.
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
    // Taken as a Value first: a payload that the runtime itself refuses is reported under its name.
    let input =
        serde_json::from_value(payload).map_err(|error| Failure::new(ErrorName::InvalidInput, &error))?;
    handle(input)
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

    async fn refuse(_: u32) -> Result<(), TooOld> {
        Err(TooOld)
    }

    #[tokio::test]
    async fn the_state_machine_sees_the_steps_own_error_name() {
        let diagnostic = Diagnostic::from(respond(refuse, json!(1)).await.unwrap_err());
        assert_eq!(diagnostic.error_type, "StaleEvent");
        assert_eq!(diagnostic.error_message, "a later event has been seen");
    }

    #[tokio::test]
    async fn a_payload_of_the_wrong_shape_has_a_name_of_its_own() {
        let diagnostic = Diagnostic::from(respond(refuse, json!({"a": 1})).await.unwrap_err());
        assert_eq!(diagnostic.error_type, "InvalidInput");
    }

    #[tokio::test]
    async fn a_huge_value_that_cannot_be_read_does_not_make_a_huge_error() {
        let payload = json!("é".repeat(200_000));
        let diagnostic = Diagnostic::from(respond(refuse, payload).await.unwrap_err());
        assert!(
            diagnostic.error_message.starts_with("invalid type: string"),
            "{}",
            diagnostic.error_message
        );
        assert_eq!(diagnostic.error_message.chars().count(), MAX_MESSAGE);
    }
}
