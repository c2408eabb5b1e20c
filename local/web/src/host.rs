//! Checks host names and origins. A web site that points its own name at this machine (DNS rebinding) must not reach the
//! API, pages of other origins must not use it, and the page works with one origin only.

use crate::api::problem;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use local_guard::browser;
use std::net::SocketAddr;

/// Accepts requests for the server's own address, redirects `localhost` to it, and rejects every other host name. Rejects
/// requests of other pages for the API.
pub(crate) async fn check(State(own): State<SocketAddr>, request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if host == format!("localhost:{}", own.port()) {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::permanent(&format!("http://{own}{path}")).into_response();
    }
    if host != own.to_string() {
        let message = format!("This server is http://{own}. It doesn't answer to the host name {host:?}.\n");
        return (StatusCode::MISDIRECTED_REQUEST, message).into_response();
    }
    let is_api = request.uri().path().starts_with("/api/");
    if is_api && let Err(refusal) = browser::check_origin(request.headers(), &[&format!("http://{own}")]) {
        return problem(StatusCode::FORBIDDEN, "foreign-origin", &refusal.message);
    }
    next.run(request).await
}
