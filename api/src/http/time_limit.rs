//! Limits the time that a request can take.

use crate::http::problem::Problem;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::time::Duration;

/// API Gateway times out after 30 seconds and Lambda after 29 (template.yaml), without a useful error.
const TIME_LIMIT: Duration = Duration::from_secs(25);

/// Answers 503 after [`TIME_LIMIT`].
pub(crate) async fn apply(request: Request, next: Next) -> Response {
    tokio::time::timeout(TIME_LIMIT, next.run(request))
        .await
        .unwrap_or_else(|_| {
            lambda_http::tracing::error!(seconds = TIME_LIMIT.as_secs(), "a request took too long");
            Problem::unavailable().into_response()
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use axum::routing::get;
    use axum::{Router, middleware};
    use tower::ServiceExt;

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_answered_with_503() {
        let router = Router::new()
            .route("/slow", get(async || tokio::time::sleep(TIME_LIMIT * 2).await))
            .layer(middleware::from_fn(apply));
        let request = Request::get("/slow").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "2");
    }
}
