//! Recognizes requests that a web browser sends, and the page that sent them.
//!
//! Browsers send `Origin` with every POST, PUT and cross-origin `fetch`, and `Sec-Fetch-Site` with every request to this
//! machine. Scripts can't change these headers. AWS clients, `curl` and Lambda functions send neither. `Sec-Fetch-Mode` is
//! ignored, because Node.js's `fetch` sends it too.

use crate::refusal::Refusal;
use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, Method};

/// Whether a browser sent the request.
pub fn is_browser(headers: &HeaderMap) -> bool {
    headers.contains_key(ORIGIN) || headers.contains_key("sec-fetch-site")
}

/// Rejects every request of a browser, for servers that no page uses.
///
/// # Errors
/// If a browser sent the request.
pub fn refuse(headers: &HeaderMap) -> Result<(), Refusal> {
    if is_browser(headers) {
        return Err(Refusal::forbidden(
            "Web pages can't use this server. Use the AWS CLI or an SDK.",
        ));
    }
    Ok(())
}

/// Checks that a request comes from a page of one of these origins, or not from a page (the address bar or a bookmark).
///
/// # Errors
/// If a page of another origin sent the request.
pub fn check_origin(headers: &HeaderMap, allowed: &[&str]) -> Result<(), Refusal> {
    if let Some(origin) = single(headers, ORIGIN.as_str())? {
        if allowed.contains(&origin) {
            return Ok(());
        }
        return Err(Refusal::forbidden(format!(
            "Pages of {origin:?} can't use this server."
        )));
    }
    match single(headers, "sec-fetch-site")? {
        // `same-site` is another port of this machine. Browsers send no Origin with requests for pictures, links and scripts.
        None | Some("none" | "same-origin" | "same-site") => Ok(()),
        Some(_) => Err(Refusal::forbidden("Pages of other sites can't use this server.")),
    }
}

/// Whether a request opens a page in a tab, and does not load a part of a page or a frame.
pub fn is_top_level_navigation(method: &Method, headers: &HeaderMap) -> bool {
    let is = |name, value| headers.get(name).is_some_and(|found| found == value);
    method == Method::GET && is("sec-fetch-mode", "navigate") && is("sec-fetch-dest", "document")
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, Refusal> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value
            .to_str()
            .map(Some)
            .map_err(|_| Refusal::bad_request(format!("The header {name} is malformed."))),
        _ => Err(Refusal::bad_request(format!("The header {name} occurs twice."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    #[test]
    fn recognizes_a_browser_by_its_headers() {
        assert!(is_browser(&headers(&[("origin", "null")])));
        assert!(is_browser(&headers(&[("sec-fetch-site", "none")])));
        assert!(!is_browser(&headers(&[("sec-fetch-mode", "cors")])), "Node.js");
        assert!(!is_browser(&headers(&[
            ("user-agent", "aws-cli/2.30"),
            ("authorization", "AWS4-HMAC-SHA256 …")
        ])));
    }

    #[test]
    fn accepts_requests_of_the_given_origins_only() {
        let page = "http://127.0.0.1:8080";
        let check = |pairs: &[(&'static str, &str)]| check_origin(&headers(pairs), &[page]).is_ok();
        assert!(check(&[("origin", page), ("sec-fetch-site", "same-site")]));
        assert!(check(&[("sec-fetch-site", "same-site")]));
        assert!(check(&[("sec-fetch-site", "none")]));
        assert!(!check(&[
            ("origin", "http://127.0.0.1:8081"),
            ("sec-fetch-site", "same-site")
        ]));
        assert!(!check(&[("origin", "http://localhost:8080")]));
        assert!(!check(&[("origin", "null")]));
        assert!(!check(&[("origin", "")]));
        assert!(!check(&[("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn rejects_a_second_origin_header() {
        let mut both = headers(&[("origin", "http://127.0.0.1:8080")]);
        both.append(ORIGIN, HeaderValue::from_static("http://evil.example"));
        assert!(check_origin(&both, &["http://127.0.0.1:8080"]).is_err());
    }
}
