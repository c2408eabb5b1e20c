//! Headers of every response.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, header};
use tower_http::set_header::SetResponseHeaderLayer;

/// Responses are data for one user's program: browsers must not render, frame or store them.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=31536000"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
];

/// Sets the headers of every response of a router, also those of its fallbacks and middleware.
pub(crate) fn layer(router: Router) -> Router {
    HEADERS.into_iter().fold(router, |router, (name, value)| {
        router.layer(SetResponseHeaderLayer::overriding(name, value))
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use axum::response::Response;

    /// Every response must have exactly these headers, once each.
    pub(crate) fn check(response: &Response) {
        for (name, value) in HEADERS {
            let found: Vec<_> = response.headers().get_all(&name).iter().collect();
            assert_eq!(found, [value], "{name}");
        }
    }
}
