//! Why a request was not forwarded.

use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// The error's name, such as `AccessDeniedException`.
    pub name: &'static str,
    /// What is wrong and how to fix it.
    pub message: String,
}

impl Refusal {
    /// The sender must not send this request.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::FORBIDDEN,
            name: "AccessDeniedException",
            message: message.into(),
        }
    }

    /// The request is for another host.
    pub fn misdirected(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::MISDIRECTED_REQUEST,
            name: "MisdirectedRequest",
            message: message.into(),
        }
    }

    /// The request is ambiguous or malformed.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            name: "ValidationException",
            message: message.into(),
        }
    }

    /// The emulator does not answer.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_GATEWAY,
            name: "ServiceUnavailable",
            message: message.into(),
        }
    }
}

impl Refusal {
    /// The answer in the protocol of the request, so that AWS clients show the message.
    pub fn answer(&self, request: &HeaderMap) -> Response {
        let content_type = request.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let error = || {
            let escaped = self
                .message
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            format!(
                "<Error><Code>{}</Code><Message>{escaped}</Message></Error>",
                self.name
            )
        };
        let xml = match content_type {
            Some(json) if json.contains("json") => return self.clone().into_response(),
            // The Query protocol of IAM, STS and CloudFormation.
            Some(form) if form.starts_with("application/x-www-form-urlencoded") => {
                format!("<ErrorResponse>{}</ErrorResponse>", error())
            }
            // S3.
            _ => error(),
        };
        let headers = [
            (CONTENT_TYPE.as_str(), "application/xml"),
            ("x-amzn-errortype", self.name),
        ];
        (self.status, headers, xml).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "__type": self.name, "message": self.message });
        (self.status, [("x-amzn-errortype", self.name)], Json(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::to_bytes;
    use axum::http::HeaderValue;

    async fn answer(content_type: Option<&'static str>) -> (String, String) {
        let mut headers = HeaderMap::new();
        if let Some(content_type) = content_type {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        }
        let response = Refusal::forbidden("Pages of \"<b>\" can't").answer(&headers);
        let kind = response.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
        let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
        (kind, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn the_error_has_the_form_of_each_aws_protocol() {
        let (kind, json) = answer(Some("application/x-amz-json-1.1")).await;
        assert_eq!(kind, "application/json");
        assert!(json.contains(r#""__type":"AccessDeniedException""#), "{json}");
        let error = "<Error><Code>AccessDeniedException</Code>\
                     <Message>Pages of \"&lt;b&gt;\" can't</Message></Error>";
        let (kind, query) = answer(Some("application/x-www-form-urlencoded; charset=utf-8")).await;
        assert_eq!(kind, "application/xml");
        assert_eq!(query, format!("<ErrorResponse>{error}</ErrorResponse>"));
        for s3 in [None, Some("image/jpeg")] {
            assert_eq!(answer(s3).await.1, error);
        }
    }
}
