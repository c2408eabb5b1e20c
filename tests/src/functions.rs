//! The functions of the stack, invoked directly.

use crate::Stack;
use aws_sdk_lambda::primitives::Blob;
use serde::Deserialize;
use serde_json::Value;

/// Errors that Step Functions retries. On a busy machine, a call can time out.
const TRANSIENT: [&str; 3] = ["ServiceUnavailable", "Throttled", "CallTimedOut"];

/// How often a function is invoked if it fails with one of them.
const MAX_ATTEMPTS: u32 = 4;

/// An error as Lambda reports it. State machines match the type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionError {
    /// Such as `UnsupportedFormat`.
    pub error_type: String,
    /// The message.
    pub error_message: String,
}

impl Stack {
    /// Invokes the function with this folder's name, such as `validate`. Repeats it after a temporary error, as Step Functions
    /// does.
    ///
    /// # Errors
    /// If the function reports an error.
    ///
    /// # Panics
    /// If Lambda does not answer, or the function's answer is not JSON.
    pub async fn invoke(&self, name: &str, payload: &Value) -> Result<Value, FunctionError> {
        let function = self.function_name(name);
        let mut attempts = 0;
        loop {
            let answer = invoke(&self.lambda, &function, payload).await;
            let answer = answer.unwrap_or_else(|| panic!("{name} gives an empty answer"));
            attempts += 1;
            match answer {
                Err(error) if attempts < MAX_ATTEMPTS && TRANSIENT.contains(&error.error_type.as_str()) => {}
                answer => return answer,
            }
        }
    }
}

/// Invokes a function through Lambda's API. `None` if the answer is empty.
pub(crate) async fn invoke(
    lambda: &aws_sdk_lambda::Client,
    function: &str,
    payload: &Value,
) -> Option<Result<Value, FunctionError>> {
    let answer = lambda
        .invoke()
        .function_name(function)
        .payload(Blob::new(payload.to_string()))
        .send()
        .await
        .unwrap_or_else(|error| panic!("{function}: {error:?}"));
    let body = answer.payload.map(Blob::into_inner).unwrap_or_default();
    if body.is_empty() {
        return None;
    }
    let body: Value = serde_json::from_slice(&body)
        .unwrap_or_else(|error| panic!("{function} answers {}: {error}", String::from_utf8_lossy(&body)));
    Some(match answer.function_error {
        None => Ok(body),
        Some(_) => Err(serde_json::from_value(body).expect("an error as Lambda reports it")),
    })
}
