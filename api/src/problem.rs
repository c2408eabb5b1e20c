//! Errors as `application/problem+json` (RFC 9457). A caller's mistake names the field.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lambda::ServiceError;
use serde::Serialize;

/// An error answer. Its texts never repeat what the caller sent.
#[derive(Debug, Serialize)]
pub(crate) struct Problem {
    /// Stable: programs compare it.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
}

impl Problem {
    fn new(status: StatusCode, kind: &str, title: &'static str, detail: impl Into<String>) -> Self {
        Self {
            kind: format!("urn:image-label-generator:problem:{kind}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
        }
    }

    /// A field of the request is missing or out of its range; `rule` completes "… must be".
    pub(crate) fn invalid_field(field: &'static str, rule: &str) -> Self {
        let detail = format!("{field} must be {rule}.");
        let problem = Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-field",
            "A field is invalid",
            detail,
        );
        Self {
            field: Some(field),
            ..problem
        }
    }

    /// A picture of a kind that is not labeled.
    pub(crate) fn unsupported_type(field: &'static str, rule: &str) -> Self {
        let detail = format!("{field} must be {rule}.");
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        let problem = Self::new(
            status,
            "unsupported-type",
            "Pictures of this type are not labeled",
            detail,
        );
        Self {
            field: Some(field),
            ..problem
        }
    }

    /// A picture with too many bytes.
    pub(crate) fn too_large(field: &'static str, rule: &str) -> Self {
        let detail = format!("{field} must be {rule}.");
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        let problem = Self::new(status, "too-large", "The picture is too large", detail);
        Self {
            field: Some(field),
            ..problem
        }
    }

    /// A field that the route does not know.
    pub(crate) fn unknown_field(known: &str) -> Self {
        let detail = format!("The body has a field that is not known here. Known fields: {known}.");
        Self::new(
            StatusCode::BAD_REQUEST,
            "unknown-field",
            "A field is not known",
            detail,
        )
    }

    pub(crate) fn not_json() -> Self {
        let detail = "The body must be a JSON object.";
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid-body",
            "The body cannot be read",
            detail,
        )
    }

    pub(crate) fn not_declared_json() -> Self {
        let detail = "The header content-type must be application/json.";
        let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
        Self::new(
            status,
            "invalid-body-type",
            "The body's type is not known",
            detail,
        )
    }

    pub(crate) fn body_too_large(most: usize) -> Self {
        let detail = format!("The body must have at most {most} bytes. Pictures go to storage, not here.");
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "The body is too large",
            detail,
        )
    }

    /// API Gateway refuses requests without a valid token by itself, in a form of its own.
    pub(crate) fn not_signed_in() -> Self {
        let detail = "The header authorization must be \"Bearer\" and an access token of this user pool.";
        Self::new(
            StatusCode::UNAUTHORIZED,
            "not-signed-in",
            "Nobody is signed in",
            detail,
        )
    }

    pub(crate) fn no_such_image() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-image",
            "There is no such image",
            "No image has this id.",
        )
    }

    pub(crate) fn no_such_route() -> Self {
        let detail = "No route of this API has this path.";
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-route",
            "There is no such route",
            detail,
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        let detail = "The route does not know this method.";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "The method is not allowed",
            detail,
        )
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        lambda_http::tracing::error!(%error, "a call to AWS failed");
        match error {
            ServiceError::Throttled(_) | ServiceError::ServiceUnavailable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "The service is busy",
                "A part of the service does not answer. Try again in a few seconds.",
            ),
            ServiceError::AccessDenied(_) | ServiceError::UnexpectedAnswer(_) => Self::internal(),
        }
    }
}

impl Problem {
    /// The cause is in the log, not in the answer.
    pub(crate) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong",
            "The request could not be answered, and the reason has been logged.",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(self)).into_response();
        let problem = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, problem);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}
