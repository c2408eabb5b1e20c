//! The error that a Lambda function returns, as Step Functions reports it.

use serde::Deserialize;

/// The message of a failed Task, from the `Cause` that Step Functions reports. For a Lambda function, `Cause` is the
/// error body of Lambda as JSON, and the message is its `errorMessage`. Any other `Cause` is returned unchanged.
pub fn message(cause: &str) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct ErrorBody {
        error_message: String,
    }
    serde_json::from_str::<ErrorBody>(cause).map_or_else(|_| cause.to_owned(), |body| body.error_message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_message_of_a_lambda_error_body() {
        let cause =
            r#"{"errorType":"UnsupportedFormat","errorMessage":"This file is empty.","stackTrace":[]}"#;
        assert_eq!(message(cause), "This file is empty.");
    }

    #[test]
    fn returns_any_other_cause_unchanged() {
        for cause in ["", "broken", "{}", r#"{"errorMessage":5}"#, "[1]"] {
            assert_eq!(message(cause), cause);
        }
    }
}
