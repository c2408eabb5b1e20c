//! Which names this server answers to. A web site whose name is made to point at this machine must not reach the API
//! through it (DNS rebinding), and the page works under one origin only.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::header::HOST;
use axum::http::{StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// Lets requests to the own address pass, leads `localhost` there, and refuses every other name.
pub(crate) async fn check(State(own): State<SocketAddr>, request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    if host == own.to_string() {
        return next.run(request).await;
    }
    if host == format!("localhost:{}", own.port()) {
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        return Redirect::permanent(&format!("http://{own}{path}")).into_response();
    }
    let uri: Uri = request.uri().clone();
    (
        StatusCode::MISDIRECTED_REQUEST,
        format!("this is http://{own}, not http://{host}{}\n", uri.path()),
    )
        .into_response()
}
