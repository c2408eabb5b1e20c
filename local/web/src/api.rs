//! Forwards `/api/*` to the API and streams both bodies.

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN, REFERER};
use axum::http::uri::PathAndQuery;
use axum::http::{StatusCode, Uri, Version};
use axum::response::{IntoResponse, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use local_guard::proxy::remove_hop_by_hop_headers;
use serde_json::json;
use std::time::Duration;

/// Maximum time until the API's response begins. CloudFront has the same limit for an origin.
const TIMEOUT: Duration = Duration::from_secs(30);
/// Idle connections are closed after this time. It is shorter than the guard's `HEADER_TIMEOUT`: a request on a connection
/// that the guard is closing would fail.
const IDLE: Duration = Duration::from_secs(10);

/// The API behind this server.
#[derive(Clone)]
pub(crate) struct Api {
    origin: Uri,
    client: Client<HttpConnector, Body>,
}

impl Api {
    pub(crate) fn new(origin: Uri) -> Self {
        Self {
            origin,
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build_http(),
        }
    }

    /// The URL of a request's path at the API.
    fn address(&self, request: &Uri) -> Option<Uri> {
        let base = self.origin.path().trim_end_matches('/');
        let path = request.path_and_query().map_or("/", PathAndQuery::as_str);
        Uri::builder()
            .scheme("http")
            .authority(self.origin.authority()?.clone())
            .path_and_query(format!("{base}{path}"))
            .build()
            .ok()
    }
}

/// Parses the API's URL without `/api`. It is plain HTTP, like everything on this machine.
pub(crate) fn origin(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
    match (uri.scheme_str(), uri.authority(), uri.query()) {
        (Some("http"), Some(_), None) => Ok(uri),
        _ => Err("expected a URL like http://127.0.0.1:4566/_aws/execute-api/abc/$default".to_owned()),
    }
}

/// Sends a request to the API and the response back. Changes only `Host` and the headers that concern one connection or the
/// browser.
pub(crate) async fn forward(State(api): State<Api>, mut request: Request) -> Response {
    let Some(address) = api.address(request.uri()) else {
        return problem(StatusCode::BAD_REQUEST, "bad-request", "The URL is malformed.");
    };
    *request.uri_mut() = address;
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(HOST);
    remove_hop_by_hop_headers(request.headers_mut());
    remove_browser_headers(request.headers_mut());
    match tokio::time::timeout(TIMEOUT, api.client.request(request)).await {
        Ok(Ok(response)) => {
            let mut response = response.map(Body::new);
            remove_hop_by_hop_headers(response.headers_mut());
            response
        }
        Ok(Err(error)) => {
            eprintln!("cannot reach the API: {error}");
            problem(
                StatusCode::BAD_GATEWAY,
                "api-unreachable",
                "Can't reach the API. Is the stack running?",
            )
        }
        Err(_) => problem(
            StatusCode::GATEWAY_TIMEOUT,
            "api-timeout",
            "The API did not answer within 30 seconds.",
        ),
    }
}

/// Removes the headers that identify browsers. The request's origin is already checked, and the guard in front of the API
/// rejects all browsers.
fn remove_browser_headers(headers: &mut HeaderMap) {
    let sent_by_browsers: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("sec-fetch-"))
        .cloned()
        .chain([ORIGIN, REFERER])
        .collect();
    for name in sent_by_browsers {
        headers.remove(name);
    }
}

/// A problem response (RFC 9457).
pub(crate) fn problem(status: StatusCode, kind: &str, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({"type": format!("urn:image-label-generator:problem:{kind}"), "title": title,
        "status": status.as_u16(), "detail": detail});
    (status, [(CONTENT_TYPE, "application/problem+json")], Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use local_guard::server::HEADER_TIMEOUT;

    #[test]
    fn closes_idle_connections_before_the_guard_does() {
        assert!(IDLE < HEADER_TIMEOUT);
    }
}
