//! Routes the calls of the stack's functions through a recorder (`tools/record`), so that they can be compared
//! with AWS's models afterwards (`tests/conformance/aws_models`).

use crate::Stack;
use crate::reroute::{OTHERS, WORKFLOW};
use futures_util::future::join_all;
use std::collections::HashMap;

/// The environment variable with the origin of the recorder while one runs, such as `http://127.0.0.1:18090`.
pub const RECORDER: &str = "ILG_RECORDER";

/// The environment variables with the endpoints of all services that functions call.
pub(crate) const ENDPOINT_VARIABLES: [&str; 5] = [
    "AWS_ENDPOINT_URL_DYNAMODB",
    "AWS_ENDPOINT_URL_EVENTBRIDGE",
    "AWS_ENDPOINT_URL_REKOGNITION",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_SFN",
];

/// The environment variables of a function whose calls are recorded; none without a recorder.
pub(crate) fn variables(recorder: Option<&str>) -> HashMap<String, String> {
    let variable = |origin: &str| ENDPOINT_VARIABLES.map(|name| (name.to_owned(), origin.to_owned()));
    recorder.map(variable).into_iter().flatten().collect()
}

impl Stack {
    /// Routes the calls of all functions to a recorder with this origin, or to the endpoints that they were deployed
    /// with.
    ///
    /// # Panics
    /// If Lambda refuses.
    pub async fn record_functions(&self, recorder: Option<&str>) {
        let functions = WORKFLOW.iter().chain(&OTHERS);
        join_all(functions.map(|function| self.route_function(function, recorder))).await;
    }
}
