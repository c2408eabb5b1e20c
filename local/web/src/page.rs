//! The page's files.

use axum::Router;
use axum::extract::Request;
use axum::http::header::CACHE_CONTROL;
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, Uri};
use axum::middleware::{self, Next};
use axum::response::Response;
use std::convert::Infallible;
use std::path::Path;
use tower_http::compression::CompressionLayer;
use tower_http::services::{ServeDir, ServeFile};

/// The folder where Vite puts files with a hash of their content in their names.
const HASHED: &str = "/assets/";

/// Serves the files of a folder and `/config.json`. Every path without a file extension is a route of the page and returns
/// `index.html`.
pub(crate) fn files(folder: &Path, config: &Path) -> Router {
    Router::new()
        .route_service("/config.json", ServeFile::new(config))
        .fallback_service(ServeDir::new(folder))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(route_and_cache))
}

async fn route_and_cache(mut request: Request, next: Next) -> Result<Response, Infallible> {
    let hashed = request.uri().path().starts_with(HASHED);
    if is_route(request.uri().path()) {
        *request.uri_mut() = Uri::from(PathAndQuery::from_static("/index.html"));
    }
    let mut response = next.run(request).await;
    let cache = match hashed && response.status().is_success() {
        true => "public, max-age=31536000, immutable",
        // Browsers ask again every time, and get 304 if the file is unchanged.
        false => "no-cache",
    };
    response
        .headers_mut()
        .insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    Ok(response)
}

fn is_route(path: &str) -> bool {
    path.rsplit('/').next().is_none_or(|last| !last.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::is_route;

    #[test]
    fn files_have_an_extension_and_routes_have_none() {
        assert!(is_route("/"));
        assert!(is_route("/images/0192-abc"));
        assert!(is_route("/v1.2/images"));
        assert!(!is_route("/favicon.svg"));
        assert!(!is_route("/assets/index-4f2a.js"));
    }
}
