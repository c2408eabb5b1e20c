//! Cognito's revocation endpoint, `POST /oauth2/revoke`, which the emulator lacks. It calls the emulator's API operation
//! RevokeToken.

use crate::emulator::Emulator;
use crate::refusal::Refusal;
use axum::Json;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, VARY,
};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use http_body_util::{BodyExt, Limited};
use serde_json::json;

/// Maximum size of a body: a form with a token of some kilobytes.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// Answers a request for the revocation endpoint. `page` is the origin that is allowed to read the response.
///
/// # Errors
/// If the emulator does not answer.
pub async fn revoke(emulator: &Emulator, request: Request, page: &str) -> Result<Response, Refusal> {
    let mut response = if request.method() == Method::POST {
        answer(emulator, request).await?
    } else {
        StatusCode::NO_CONTENT.into_response()
    };
    let headers = response.headers_mut();
    if let Ok(page) = HeaderValue::from_str(page) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, page);
    }
    headers.insert(VARY, HeaderValue::from_static("origin"));
    Ok(response)
}

async fn answer(emulator: &Emulator, request: Request) -> Result<Response, Refusal> {
    let host = request.headers().get(HOST).cloned();
    let is_form = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let Ok(body) = Limited::new(request.into_body(), MAX_BODY_BYTES).collect().await else {
        return Ok(error("invalid_request"));
    };
    let body = body.to_bytes();
    let field = |name: &str| {
        form_urlencoded::parse(&body)
            .find(|(found, value)| found == name && !value.is_empty())
            .map(|(_, value)| value.into_owned())
    };
    let Some(token) = field("token").filter(|_| is_form) else {
        return Ok(error("invalid_request"));
    };
    let Some(client_id) = field("client_id") else {
        return Ok(error("invalid_client"));
    };
    let body = json!({ "Token": token, "ClientId": client_id }).to_string();
    let operation = Request::post("/")
        .header(HOST, host.unwrap_or(HeaderValue::from_static("127.0.0.1")))
        .header(CONTENT_TYPE, "application/x-amz-json-1.1")
        .header(CONTENT_LENGTH, body.len())
        .header("x-amz-target", "AWSCognitoIdentityProviderService.RevokeToken")
        .body(Body::from(body))
        .map_err(|_| Refusal::bad_request("The request is malformed."))?;
    let response = emulator.send(operation).await?;
    Ok(if response.status().is_success() {
        StatusCode::OK.into_response()
    } else if response.status().is_server_error() {
        StatusCode::SERVICE_UNAVAILABLE.into_response()
    } else {
        error("unsupported_token_type")
    })
}

/// One of the endpoint's errors in Cognito's documentation.
fn error(name: &str) -> Response {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": name }))).into_response()
}
