//! The functions of the stack, called directly.

use crate::Stack;
use aws_sdk_lambda::primitives::Blob;
use serde::Deserialize;
use serde_json::Value;

/// An error as Lambda reports it: the state machine matches the type.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionError {
    /// Such as `UnsupportedFormat`.
    pub error_type: String,
    /// A sentence.
    pub error_message: String,
}

impl Stack {
    /// Calls the function of a folder of `steps/`, or `api`.
    ///
    /// # Errors
    /// What the function reports as its error.
    ///
    /// # Panics
    /// Where Lambda does not answer, or the function not with JSON.
    pub async fn invoke(&self, name: &str, payload: &Value) -> Result<Value, FunctionError> {
        let answer = self
            .lambda
            .invoke()
            .function_name(self.function_name(name))
            .payload(Blob::new(payload.to_string()))
            .send()
            .await
            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let body = answer.payload.map(Blob::into_inner).unwrap_or_default();
        let body: Value = serde_json::from_slice(&body)
            .unwrap_or_else(|error| panic!("{name} answers {}: {error}", String::from_utf8_lossy(&body)));
        match answer.function_error {
            None => Ok(body),
            Some(_) => Err(serde_json::from_value(body).expect("an error as Lambda reports it")),
        }
    }
}
