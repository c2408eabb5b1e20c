//! The host names that a local server answers to.
//!
//! A web site can point its own name at 127.0.0.1 (DNS rebinding). To the browser, the local server then has the site's
//! origin. Such requests have the site's name in `Host`, so every local server checks it.

use crate::refusal::Refusal;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Uri};
use std::net::{Ipv4Addr, Ipv6Addr};

/// The names that are allowed in addition to loopback addresses and `localhost`.
///
/// Loopback addresses (127.0.0.0/8 and ::1) are always allowed: they always mean this machine. Any port is allowed, so that
/// a recording proxy can leave `Host` unchanged, which keeps signatures valid.
#[derive(Debug, Clone, Default)]
pub struct Hosts {
    names: Vec<String>,
}

impl Hosts {
    /// Allows these names and their subdomains, such as `<bucket>.host.docker.internal`.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self {
            names: names.into_iter().collect(),
        }
    }

    /// Checks a request's `Host`.
    ///
    /// # Errors
    /// If the host is missing, occurs twice, or is not allowed.
    pub fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refusal> {
        if uri.authority().is_some() {
            return Err(Refusal::bad_request(
                "The request line must contain a path, not a whole URL.",
            ));
        }
        let mut hosts = headers.get_all(HOST).iter();
        let (Some(host), None) = (hosts.next(), hosts.next()) else {
            return Err(Refusal::bad_request("The request needs exactly one Host header."));
        };
        let host = String::from_utf8_lossy(host.as_bytes());
        let authority: Authority = host
            .parse()
            .map_err(|_| Refusal::bad_request(format!("The Host header {host:?} is malformed.")))?;
        if self.allows(authority.host()) {
            return Ok(());
        }
        Err(Refusal::misdirected(format!(
            "This server doesn't answer to the host name {:?}. Use 127.0.0.1.",
            authority.host()
        )))
    }

    fn allows(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let is = |name: &str| {
            host.strip_suffix(name)
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        };
        is_loopback_address(&host) || is("localhost") || self.names.iter().any(|name| is(name))
    }
}

/// Whether `Host` is a loopback address or `localhost` itself.
pub(crate) fn is_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = host.and_then(|host| host.parse::<Authority>().ok());
    authority.is_some_and(|authority| {
        is_loopback_address(authority.host()) || authority.host().eq_ignore_ascii_case("localhost")
    })
}

fn is_loopback_address(host: &str) -> bool {
    let v6 = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    v6.map_or_else(
        || {
            host.parse::<Ipv4Addr>()
                .is_ok_and(|address| address.is_loopback())
        },
        |host| {
            host.parse::<Ipv6Addr>()
                .is_ok_and(|address| address.is_loopback())
        },
    )
}

/// Parses the argument of `--allow-host`.
///
/// # Errors
/// If the text is not a host name without scheme and port.
pub fn host_name(text: &str) -> Result<String, String> {
    let valid = !text.is_empty()
        && !text.starts_with('.')
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    if valid {
        Ok(text.to_ascii_lowercase())
    } else {
        Err("expected a host name without scheme and port, such as host.docker.internal".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderValue, StatusCode};

    fn check(hosts: &[&str]) -> Result<(), Refusal> {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(HOST, HeaderValue::from_str(host).unwrap());
        }
        Hosts::new(["host.docker.internal".to_owned()]).check(&Uri::from_static("/"), &headers)
    }

    #[test]
    fn allows_loopback_addresses_localhost_and_configured_names_with_any_port() {
        for host in [
            "127.0.0.1:4566",
            "127.0.0.1:61234",
            "127.0.0.1",
            "127.1.2.3:4566",
            "[::1]:4566",
            "localhost:4566",
            "LOCALHOST:4566",
            "pictures.localhost:4566",
            "host.docker.internal:4566",
            "pictures.host.docker.internal:4566",
        ] {
            assert_eq!(check(&[host]), Ok(()), "{host}");
        }
    }

    #[test]
    fn rejects_other_addresses_and_names_that_a_web_site_could_point_to_this_machine() {
        for host in [
            "evil.example:4566",
            "0.0.0.0:4566",
            "172.17.0.1:4566",
            "[::]:4566",
            "[::ffff:127.0.0.1]:4566",
            "[fe80::1]:4566",
            "127.0.0.1.evil.example:4566",
            "127.0.0.1.nip.io",
            "evillocalhost",
            "localhost.evil.example",
            "xhost.docker.internal",
            "",
        ] {
            let refusal = check(&[host]).unwrap_err();
            assert!(
                [StatusCode::MISDIRECTED_REQUEST, StatusCode::BAD_REQUEST].contains(&refusal.status),
                "{host}"
            );
        }
    }

    #[test]
    fn rejects_missing_and_repeated_host_headers_and_absolute_request_targets() {
        assert_eq!(check(&[]).unwrap_err().status, StatusCode::BAD_REQUEST);
        assert_eq!(
            check(&["127.0.0.1", "evil.example"]).unwrap_err().status,
            StatusCode::BAD_REQUEST
        );
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("127.0.0.1"));
        let refusal = Hosts::default()
            .check(&Uri::from_static("http://evil.example/"), &headers)
            .unwrap_err();
        assert_eq!(refusal.status, StatusCode::BAD_REQUEST);
    }

    #[test]
    fn an_allowed_host_is_a_bare_name() {
        assert_eq!(host_name("Host.Docker.Internal").unwrap(), "host.docker.internal");
        for wrong in ["", ".", "http://a", "a:80", "*", "a b"] {
            assert!(host_name(wrong).is_err(), "{wrong}");
        }
    }
}
