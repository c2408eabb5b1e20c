//! Logs one line per request: owner, method, route, status and duration. The route is the template of the path, so that
//! no URL, token or file name is logged. All lines of a request also name the image and the execution that it is about, if
//! there is one of each.

use crate::http::owner::Caller;
use axum::RequestExt;
use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use domain::ImageId;
use lambda_http::tracing::field::{Empty, display};
use lambda_http::tracing::{Instrument, Span, info, info_span};
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
    let span = info_span!("request", function = "api", imageId = Empty, execution = Empty);
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status().as_u16();
    let milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| info!(owner, %method, route, status, milliseconds, "answered"));
    response
}

/// Names the image that the current request is about in its log lines.
pub(crate) fn name_image(id: ImageId) {
    Span::current().record("imageId", display(id));
}

/// Names the execution that the current request is about in its log lines.
pub(crate) fn name_execution(arn: &str) {
    Span::current().record("execution", arn);
}
