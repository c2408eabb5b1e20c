//! The security headers, the same that CloudFront's response headers policy sets in AWS.

use axum::Router;
use axum::http::header::{CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Uri};
use tower_http::set_header::SetResponseHeaderLayer;

/// Parses an origin for a content security policy: scheme, host and port, without characters that end a directive.
pub(crate) fn origin(text: &str) -> Result<String, String> {
    let wrong = || format!("{text:?} is not an origin like http://127.0.0.1:4566");
    let uri: Uri = text.parse().map_err(|_| wrong())?;
    match (uri.scheme_str(), uri.authority()) {
        (Some(scheme @ ("http" | "https")), Some(authority))
            if uri.path() == "/"
                && uri.query().is_none()
                && !authority.as_str().contains([';', ',', '\'', '@']) =>
        {
            Ok(format!("{scheme}://{authority}"))
        }
        _ => Err(wrong()),
    }
}

/// The policy allows the page's own origin, and the given origins for uploads and pictures.
pub(crate) fn content_security_policy(origins: &[String]) -> HeaderValue {
    let own: String = origins.iter().map(|origin| format!(" {origin}")).collect();
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'{own}; \
         img-src 'self' blob: data:{own}; media-src blob:{own}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    // Origins are parsed URIs, so they are ASCII.
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Sets the headers of every response of the router.
pub(crate) fn secured(router: Router, policy: HeaderValue) -> Router {
    router
        .layer(SetResponseHeaderLayer::overriding(
            CONTENT_SECURITY_POLICY,
            policy,
        ))
        .layer(SetResponseHeaderLayer::overriding(
            X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        ))
        .layer(SetResponseHeaderLayer::overriding(
            REFERRER_POLICY,
            HeaderValue::from_static("strict-origin-when-cross-origin"),
        ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_cannot_add_a_directive() {
        assert_eq!(origin("http://127.0.0.1:4566").unwrap(), "http://127.0.0.1:4566");
        assert_eq!(
            origin("https://bucket.s3.amazonaws.com/").unwrap(),
            "https://bucket.s3.amazonaws.com"
        );
        for wrong in [
            "*",
            "data:",
            "http://a/b",
            "http://a;script-src *",
            "http://a,b",
            "127.0.0.1:4566",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }
}
