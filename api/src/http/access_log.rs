//! Logs one line per request: owner, method, route, status and duration. The route is the template of the path, so that
//! no URL, token or file name is logged.

use crate::http::owner::Caller;
use axum::RequestExt;
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use std::time::Instant;

pub(crate) async fn write(mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or("none", MatchedPath::as_str)
        .to_owned();
    let owner = match request.extract_parts::<Caller>().await {
        Ok(Caller(owner)) => owner.as_str().to_owned(),
        Err(_) => "none".to_owned(),
    };
    let response = next.run(request).await;
    let (status, milliseconds) = (response.status().as_u16(), started.elapsed().as_millis());
    lambda_http::tracing::info!(owner, %method, route, status, milliseconds, "answered");
    response
}
