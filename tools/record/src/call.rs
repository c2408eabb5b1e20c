//! A recorded call.

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use axum::http::{StatusCode, request};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// The services whose calls are recorded, by their names in signatures.
const RECORDED: [&str; 5] = ["dynamodb", "events", "rekognition", "s3", "states"];

/// Headers of S3 operations. All others are about the connection, or secret.
const S3_HEADERS: [&str; 4] = ["content-", "if-", "range", "x-amz-"];

/// Headers among these that contain keys and tokens.
const SECRETS: [&str; 2] = ["security-token", "customer-key"];

/// A line of the recording. `tests/conformance/aws_models` reads it.
#[derive(Debug, Serialize)]
pub(crate) struct Call {
    service: String,
    operation: Option<String>,
    method: String,
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    status: u16,
    answer: Option<Value>,
}

impl Call {
    /// `None` for other services, and for requests without a signature.
    pub(crate) fn of(
        head: &request::Parts,
        body: Option<&[u8]>,
        status: StatusCode,
        answer: Option<&[u8]>,
    ) -> Option<Self> {
        let service = service(head).filter(|service| RECORDED.contains(&service.as_str()))?;
        let json = |bytes: Option<&[u8]>| serde_json::from_slice(bytes?).ok();
        Some(Self {
            service,
            operation: operation(&head.headers),
            method: head.method.to_string(),
            path: head.uri.path().to_owned(),
            query: query(head)
                .into_iter()
                .filter(|(name, _)| !is_signature_parameter(name))
                .collect(),
            headers: s3_headers(&head.headers),
            body: json(body),
            status: status.as_u16(),
            answer: json(answer),
        })
    }
}

/// The name of the service that a request is signed for, in the header or in the query.
pub(crate) fn service(head: &request::Parts) -> Option<String> {
    let header = head
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once("Credential="))
        .map(|(_, credential)| credential.to_owned());
    let credential = header.or_else(|| query(head).remove("X-Amz-Credential"))?;
    // <access key>/<date>/<region>/<service>/aws4_request
    credential.split('/').nth(3).map(str::to_owned)
}

pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json"))
}

/// `DynamoDB_20120810.GetItem` is the target of GetItem.
fn operation(headers: &HeaderMap) -> Option<String> {
    let target = headers.get("x-amz-target")?.to_str().ok()?;
    Some(target.rsplit('.').next()?.to_owned())
}

fn query(head: &request::Parts) -> BTreeMap<String, String> {
    let address = format!("http://service/?{}", head.uri.query().unwrap_or_default());
    let address = reqwest::Url::parse(&address).ok();
    address
        .iter()
        .flat_map(reqwest::Url::query_pairs)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// Whether a parameter is part of a presigned URL's signature.
fn is_signature_parameter(name: &str) -> bool {
    name.to_ascii_lowercase().starts_with("x-amz-")
}

fn s3_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes())))
        .filter(|(name, _)| S3_HEADERS.iter().any(|start| name.starts_with(start)))
        .filter(|(name, _)| !SECRETS.iter().any(|secret| name.contains(secret)))
        .map(|(name, value)| (name.to_owned(), value.into_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn head(request: request::Builder) -> request::Parts {
        request.body(()).unwrap().into_parts().0
    }

    fn line(request: request::Builder, body: Option<&[u8]>, answer: Option<&[u8]>) -> Value {
        let call = Call::of(&head(request), body, StatusCode::OK, answer);
        serde_json::to_value(call).unwrap()
    }

    #[test]
    fn identifies_a_call_by_its_signature_and_target() {
        let request = Request::post("http://127.0.0.1/")
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIA/20261112/us-east-1/dynamodb/aws4_request, Signature=c0ffee",
            )
            .header("x-amz-target", "DynamoDB_20120810.GetItem")
            .header("content-type", "application/x-amz-json-1.0");
        let line = line(request, Some(br#"{"TableName":"t"}"#), Some(br#"{"Item":{}}"#));
        assert_eq!(line["service"], "dynamodb");
        assert_eq!(line["operation"], "GetItem");
        assert_eq!(line["body"]["TableName"], "t");
        assert_eq!(line["answer"]["Item"], serde_json::json!({}));
    }

    /// The recording stays on disk after the tests.
    #[test]
    fn records_no_secrets() {
        let signed = Request::get("http://127.0.0.1/bucket/uploads/a%2Bb?x-id=GetObject")
            .header("authorization", "AWS4-HMAC-SHA256 Credential=AKIASECRET/20261112/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=c0ffee")
            .header("x-amz-security-token", "SECRET")
            .header("x-amz-server-side-encryption-customer-key", "SECRET")
            .header("cookie", "SECRET")
            .header("range", "bytes=0-15");
        let presigned = Request::put(
            "http://127.0.0.1/bucket/uploads/a%2Bb?x-id=PutObject&X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIASECRET%2F20261112%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Security-Token=SECRET\
             &X-Amz-Signature=c0ffee",
        );
        for (request, operation) in [(signed, "GetObject"), (presigned, "PutObject")] {
            let line = line(request, None, None);
            assert_eq!(line["service"], "s3");
            assert_eq!(line["path"], "/bucket/uploads/a%2Bb");
            assert_eq!(line["query"], serde_json::json!({"x-id": operation}));
            let text = line.to_string();
            assert!(!text.contains("SECRET") && !text.contains("c0ffee"), "{text}");
        }
    }

    /// They contain passwords and tokens of users.
    #[test]
    fn calls_of_cognito_lambda_and_the_api_are_not_recorded() {
        for service in ["cognito-idp", "lambda"] {
            let credential =
                format!("AWS4-HMAC-SHA256 Credential=AKIA/20261112/us-east-1/{service}/aws4_request");
            let request = Request::post("http://127.0.0.1/").header("authorization", credential);
            assert_eq!(line(request, Some(b"{}"), Some(b"{}")), Value::Null);
        }
        let request = Request::get("http://127.0.0.1/_aws/execute-api/a/$default/api/images")
            .header("authorization", "Bearer token");
        assert_eq!(line(request, None, Some(b"{}")), Value::Null);
    }
}
