//! Hands `/api/*` on to the API, streaming both ways.

use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    CONNECTION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::uri::PathAndQuery;
use axum::http::{StatusCode, Uri, Version};
use axum::response::{IntoResponse, Response};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;

/// How long the API may take to begin its answer: CloudFront's own limit for an origin.
const TIMEOUT: Duration = Duration::from_secs(30);

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
            client: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// The address of a request's path at the API.
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

/// The API's address before `/api`: plain HTTP, as everything on this machine.
pub(crate) fn origin(text: &str) -> Result<Uri, String> {
    let uri: Uri = text.parse().map_err(|error| format!("{error}"))?;
    match (uri.scheme_str(), uri.authority(), uri.query()) {
        (Some("http"), Some(_), None) => Ok(uri),
        _ => Err("expected an address like http://127.0.0.1:4566/_aws/execute-api/abc/$default".to_owned()),
    }
}

/// Sends a request to the API and the answer back: method, path, headers, body and status as they are, except for
/// what concerns one connection only and the host's name.
pub(crate) async fn hand_on(State(api): State<Api>, mut request: Request) -> Response {
    let Some(address) = api.address(request.uri()) else {
        return problem(
            StatusCode::BAD_REQUEST,
            "bad-request",
            "The address is malformed.",
        );
    };
    *request.uri_mut() = address;
    *request.version_mut() = Version::HTTP_11;
    request.headers_mut().remove(HOST);
    remove_hop_by_hop(request.headers_mut());
    match tokio::time::timeout(TIMEOUT, api.client.request(request)).await {
        Ok(Ok(response)) => {
            let mut response = response.map(Body::new);
            remove_hop_by_hop(response.headers_mut());
            response
        }
        Ok(Err(error)) => {
            eprintln!("the API cannot be reached: {error}");
            problem(
                StatusCode::BAD_GATEWAY,
                "api-unreachable",
                "The API cannot be reached. Is the stack running?",
            )
        }
        Err(_) => problem(
            StatusCode::GATEWAY_TIMEOUT,
            "api-timeout",
            "The API did not answer within 30 seconds.",
        ),
    }
}

/// RFC 9110, section 7.6.1: what is meant for the next hop only, and whatever `Connection` names.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let fixed = [
        CONNECTION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
        HeaderName::from_static("keep-alive"),
    ];
    for name in named.iter().chain(&fixed) {
        headers.remove(name);
    }
}

/// RFC 9457.
fn problem(status: StatusCode, kind: &str, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = json!({"type": format!("urn:image-label-generator:problem:{kind}"), "title": title,
        "status": status.as_u16(), "detail": detail});
    (status, [(CONTENT_TYPE, "application/problem+json")], Json(body)).into_response()
}
