//! The routes and the middleware of all routes.

use crate::app::App;
use crate::http::body::MAX_BODY_BYTES;
use crate::http::problem::Problem;
use crate::http::{access_log, security_headers, time_limit};
use crate::routes::{
    account, corrections, deletion, description, duplicates, execution, images, jobs, labels, list, parts,
    relabel, settings, timeline, uploads, video_timeline,
};
use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// All routes and their descriptions.
pub(crate) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(uploads::create))
        .routes(routes!(parts::create, parts::list))
        .routes(routes!(parts::complete))
        .routes(routes!(list::list))
        .routes(routes!(timeline::list))
        .routes(routes!(duplicates::list))
        .routes(routes!(labels::list))
        .routes(routes!(settings::show, settings::store, settings::reset))
        .routes(routes!(images::show, deletion::delete))
        .routes(routes!(corrections::correct))
        .routes(routes!(corrections::correct_many))
        .routes(routes!(jobs::list, jobs::create))
        .routes(routes!(jobs::preview))
        .routes(routes!(jobs::show, jobs::cancel))
        .routes(routes!(jobs::resume))
        .routes(routes!(execution::show))
        .routes(routes!(video_timeline::show))
        .routes(routes!(relabel::start))
        .routes(routes!(account::delete))
        .routes(routes!(description::show))
}

/// The whole API. CloudFront routes by the prefix `/api`, and does not remove it.
pub fn router(app: App) -> Router {
    let routes = Router::from(routes())
        .fallback(async || Problem::no_such_route())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(middleware::from_fn(time_limit::apply))
        .layer(middleware::from_fn(access_log::write))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(app));
    let router = Router::new()
        .nest("/api", routes)
        .fallback(async || Problem::no_such_route());
    security_headers::layer(router)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::fake_app;
    use aws_smithy_mocks::{RuleMode, mock_client};
    use axum::body::Body;
    use axum::http::{Method, Request};
    use tower::ServiceExt;

    #[tokio::test]
    async fn every_response_has_the_security_headers() {
        for (method, path, status) in [
            (Method::GET, "/api/openapi.json", 200),
            (Method::GET, "/api/openapi.json?a=1", 400),
            (Method::GET, "/api/images", 401),
            (Method::GET, "/api/nothing", 404),
            (Method::GET, "/nothing", 404),
            (Method::PATCH, "/api/images", 405),
        ] {
            let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, []);
            let sfn = mock_client!(aws_sdk_sfn, RuleMode::MatchAny, []);
            let request = Request::builder().method(&method).uri(path);
            let response = router(fake_app(dynamodb, sfn))
                .oneshot(request.body(Body::empty()).unwrap())
                .await
                .unwrap();
            assert_eq!(response.status(), status, "{method} {path}");
            security_headers::tests::check(&response);
        }
    }
}
