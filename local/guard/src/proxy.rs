//! Handles the headers that concern one connection only, as every HTTP proxy must.

use crate::refusal::Refusal;
use axum::http::header::{CONNECTION, HeaderMap, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};

/// Rejects a `Connection` header that names other headers, which would be removed after the decision about the request.
///
/// # Errors
/// If `Connection` contains anything except `close`, `keep-alive`, `te` and `upgrade`.
pub fn check_connection(headers: &HeaderMap) -> Result<(), Refusal> {
    let is_known = |token: &[u8]| {
        let token = token.trim_ascii();
        [&b""[..], b"close", b"keep-alive", b"te", b"upgrade"]
            .iter()
            .any(|known| token.eq_ignore_ascii_case(known))
    };
    let mut tokens = headers
        .get_all(CONNECTION)
        .iter()
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    if tokens.all(is_known) {
        return Ok(());
    }
    Err(Refusal::bad_request(
        "The Connection header can contain only close, keep-alive, te and upgrade.",
    ))
}

/// Removes the headers that concern one connection only, and those that `Connection` names (RFC 9110, section 7.6.1).
pub fn remove_hop_by_hop_headers(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    let fixed = [
        CONNECTION,
        TE,
        TRAILER,
        TRANSFER_ENCODING,
        UPGRADE,
        HeaderName::from_static("keep-alive"),
    ];
    for name in named.iter().chain(&fixed) {
        headers.remove(name);
    }
}
