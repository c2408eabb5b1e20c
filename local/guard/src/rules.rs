//! Which requests reach the emulator.
//!
//! | sender | can reach |
//! | --- | --- |
//! | a page of another origin | nothing, except that a link can open the sign-in and sign-out pages |
//! | the product's page, the sign-in page | the sign-in routes, presigned requests for objects in the stack's buckets |
//! | a program with one of the stack's access keys | every AWS API |
//! | a program without a key | the HTTP API, sign-in, Cognito's operations for users, the health check, public objects |
//! | a program with the stack's secret key as bearer token | the emulator's own routes, such as its reset |
//!
//! The emulator sends a request that matches none of its routes to the service that `x-amz-target` or `Action` names. It
//! treats the sender of an `Authorization` header without an access key as the root user. So unsigned requests must not have
//! these, with the exceptions in [`Rules::decide`].

use crate::browser;
use crate::hosts::{self, Hosts};
use crate::proxy;
use crate::refusal::Refusal;
use crate::signature::{self, Signature};
use axum::http::request::Parts;
use axum::http::{Method, header};
use percent_encoding::percent_decode_str;

const REVOKE: &str = "/oauth2/revoke";
const TOKEN: &str = "/oauth2/token";
const HTTP_API: &str = "/_aws/execute-api/";
const HEALTH: &str = "/_localstack/health";
/// The emulator's own routes.
const ADMINISTRATION: [&str; 2] = ["/_ministack/", "/_localstack/"];
const COGNITO_TARGET: &str = "AWSCognitoIdentityProviderService.";
/// Cognito's operations for users, which need no access key.
const USER_OPERATIONS: [&str; 7] = [
    "InitiateAuth",
    "RespondToAuthChallenge",
    "RevokeToken",
    "GetUser",
    "GlobalSignOut",
    "ForgotPassword",
    "ConfirmForgotPassword",
];

/// What to do with a request that is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Forward it unchanged.
    Forward,
    /// Forward it without its bearer token, which the emulator would treat as credentials.
    ForwardWithoutToken,
    /// Revoke a refresh token. The emulator lacks this route.
    Revoke,
}

/// Decides about each request by its request line and headers.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The host names that the guard answers to.
    pub hosts: Hosts,
    /// The origin of the product's page, such as `http://127.0.0.1:8080`.
    pub page: String,
    /// The guard's own origin, which the sign-in page has.
    pub own: String,
    /// The prefix of the buckets that the page uses.
    pub bucket_prefix: String,
    /// The access key of the account's root user. The emulator does not check its signature, so this id is a secret too.
    pub access_key_id: String,
    /// The secret key of the account's root user.
    pub secret_access_key: String,
}

impl Rules {
    /// Decides what happens to a request.
    ///
    /// # Errors
    /// If the request must not reach the emulator.
    pub fn decide(&self, request: &Parts) -> Result<Action, Refusal> {
        self.hosts.check(&request.uri, &request.headers)?;
        proxy::check_connection(&request.headers)?;
        // The emulator routes by the decoded path, in which U+FFFD replaces invalid UTF-8.
        let path = percent_decode_str(request.uri.path()).decode_utf8_lossy();
        let signature = signature::of(&request.uri, &request.headers, &self.access_key_id)?;
        if signature == Signature::None {
            check_unsigned(request, &path)?;
        }
        if browser::is_browser(&request.headers) {
            self.check_browser(request, &path, &signature)?;
        } else if signature == Signature::None {
            return self.decide_unsigned(request, &path);
        } else if is_administration(&path) {
            return Err(administration_refused());
        }
        Ok(match path.as_ref() {
            REVOKE => Action::Revoke,
            _ => Action::Forward,
        })
    }

    fn check_browser(&self, request: &Parts, path: &str, signature: &Signature) -> Result<(), Refusal> {
        let refused = || {
            Refusal::forbidden(format!(
                "Web pages can't send {} {path}. Use the AWS CLI or an SDK.",
                request.method
            ))
        };
        if *signature == Signature::None && is_sign_in_page(&request.method, path) {
            // Links and bookmarks can open this page. A frame is rejected, because another page could overlay it.
            return match browser::is_top_level_navigation(&request.method, &request.headers) {
                true => Ok(()),
                false => Err(refused()),
            };
        }
        browser::check_origin(&request.headers, &[&self.page, &self.own])?;
        let allowed = match signature {
            Signature::None => is_sign_in_request(&request.method, path),
            Signature::Query(service) => service == "s3" && self.is_picture(request, path),
            Signature::Header => false,
        };
        if allowed { Ok(()) } else { Err(refused()) }
    }

    /// Whether this is a presigned request that uploads or reads a picture.
    fn is_picture(&self, request: &Parts, path: &str) -> bool {
        let methods = [Method::GET, Method::HEAD, Method::PUT, Method::OPTIONS];
        let is_object = path
            .strip_prefix('/')
            .and_then(|path| path.split_once('/'))
            .is_some_and(|(bucket, key)| bucket.starts_with(&self.bucket_prefix) && !key.is_empty());
        // `Action=…` or `x-amz-target` would make it a request to another service.
        let only_s3 =
            form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes()).all(|(name, _)| {
                let name = name.to_ascii_lowercase();
                name.starts_with("x-amz-")
                    || name.starts_with("response-")
                    || ["x-id", "versionid", "partnumber", "uploadid"].contains(&name.as_str())
            });
        let has_target = request.headers.contains_key("x-amz-target");
        // With the bucket's name in the host, the path would name another object.
        let is_path_style = request
            .headers
            .get(header::HOST)
            .is_some_and(|host| host.as_bytes() == self.own_authority().as_bytes());
        methods.contains(&request.method) && is_object && only_s3 && !has_target && is_path_style
    }

    fn own_authority(&self) -> &str {
        self.own.trim_start_matches("http://")
    }

    /// Decides about a program that does not sign.
    fn decide_unsigned(&self, request: &Parts, path: &str) -> Result<Action, Refusal> {
        let method = &request.method;
        if is_sign_in_page(method, path) || is_sign_in_request(method, path) {
            return Ok(match path {
                REVOKE => Action::Revoke,
                _ => Action::Forward,
            });
        }
        // API Gateway's authorizer checks the token.
        if is_http_api(request, path) || (method == Method::GET && path == HEALTH) {
            return Ok(Action::Forward);
        }
        if is_administration(path) {
            let token = signature::authorization(&request.headers)?;
            return match token.and_then(|token| token.strip_prefix("Bearer ")) {
                Some(token) if token == self.secret_access_key => Ok(Action::ForwardWithoutToken),
                _ => Err(administration_refused()),
            };
        }
        // An anonymous request. The emulator checks its permissions, as AWS does.
        let is_read = [Method::GET, Method::HEAD].contains(method);
        if is_read && request.uri.query().is_none() && !path.starts_with("/_") {
            return Ok(Action::Forward);
        }
        if is_user_operation(request, path) {
            return Ok(Action::Forward);
        }
        Err(unsigned_refused())
    }
}

/// Rejects requests that the emulator could send to a different service than the path names, or treat as the root user's.
fn check_unsigned(request: &Parts, path: &str) -> Result<(), Refusal> {
    let has_token = request.headers.contains_key(header::AUTHORIZATION);
    let has_target = request.headers.contains_key("x-amz-target");
    let has_action = form_urlencoded::parse(request.uri.query().unwrap_or_default().as_bytes())
        .any(|(name, _)| name.eq_ignore_ascii_case("Action"));
    let can_have_token = is_http_api(request, path) || is_administration(path);
    if has_action || (has_token && !can_have_token) || (has_target && !is_user_operation(request, path)) {
        return Err(unsigned_refused());
    }
    Ok(())
}

/// Whether the path is `/_aws/execute-api/<id>/<stage>/…`. The emulator can send other paths with this prefix to any service,
/// and requests for hosts such as `<distribution>.cloudfront.net` to the host's service.
fn is_http_api(request: &Parts, path: &str) -> bool {
    let mut segments = path.strip_prefix(HTTP_API).unwrap_or_default().split('/');
    let mut has_segment = || segments.next().is_some_and(|segment| !segment.is_empty());
    has_segment() && has_segment() && hosts::is_this_machine(&request.headers)
}

/// Whether this is one of Cognito's operations for users. The body must be JSON: for a form, the emulator would authorize
/// the body's `Action` and execute the target.
fn is_user_operation(request: &Parts, path: &str) -> bool {
    let only = |name: &str| {
        let mut values = request.headers.get_all(name).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        value.to_str().ok()
    };
    request.method == Method::POST
        && path == "/"
        && request.uri.query().is_none()
        && only("content-type") == Some("application/x-amz-json-1.1")
        && only("x-amz-target")
            .and_then(|target| target.strip_prefix(COGNITO_TARGET))
            .is_some_and(|operation| USER_OPERATIONS.contains(&operation))
}

/// Whether this is a page on which people sign in or out.
fn is_sign_in_page(method: &Method, path: &str) -> bool {
    method == Method::GET && ["/oauth2/authorize", "/logout"].contains(&path)
}

/// Whether the sign-in page or the product's page sends this request.
fn is_sign_in_request(method: &Method, path: &str) -> bool {
    match *method {
        Method::POST => ["/login", TOKEN, REVOKE].contains(&path),
        Method::OPTIONS => [TOKEN, REVOKE].contains(&path),
        _ => false,
    }
}

fn is_administration(path: &str) -> bool {
    path != HEALTH && ADMINISTRATION.iter().any(|prefix| path.starts_with(prefix))
}

fn unsigned_refused() -> Refusal {
    Refusal {
        name: "MissingAuthenticationToken",
        ..Refusal::forbidden(
            "Sign the request with the stack's access key. `cargo xtask env` prints it for the AWS CLI and SDKs.",
        )
    }
}

fn administration_refused() -> Refusal {
    Refusal::forbidden(
        "The emulator's own routes need the stack's secret access key: `Authorization: Bearer <secretAccessKey>`. \
         It's in the stack's stack.json.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{Request, StatusCode};

    const PAGE: &str = "http://127.0.0.1:8080";
    const OWN: &str = "http://127.0.0.1:4566";
    const PRESIGNED: &str = "/ilg-000000000000-us-east-1/uploads/o/1?X-Amz-Algorithm=AWS4-HMAC-SHA256\
                             &X-Amz-Credential=ASIAABCDEF0123456789%2F20261128%2Fus-east-1%2Fs3%2Faws4_request\
                             &X-Amz-Signature=0&x-id=GetObject";

    fn rules() -> Rules {
        Rules {
            hosts: Hosts::default(),
            page: PAGE.to_owned(),
            own: OWN.to_owned(),
            bucket_prefix: "ilg-".to_owned(),
            access_key_id: "LOCALKEY0123456789AB".to_owned(),
            secret_access_key: "the secret".to_owned(),
        }
    }

    fn decide(method: &str, path: &str, headers: &[(&str, &str)]) -> Result<Action, StatusCode> {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header("host", "127.0.0.1:4566");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        rules().decide(&parts).map_err(|refusal| refusal.status)
    }

    const FORBIDDEN: Result<Action, StatusCode> = Err(StatusCode::FORBIDDEN);
    const FORWARDED: Result<Action, StatusCode> = Ok(Action::Forward);

    fn signed(key: &str) -> String {
        format!("AWS4-HMAC-SHA256 Credential={key}/20261128/us-east-1/iam/aws4_request, Signature=0")
    }

    #[test]
    fn a_page_cannot_reset_the_emulator() {
        for origin in ["http://evil.example", "http://127.0.0.1:9999", "null", PAGE, OWN] {
            for path in [
                "/_ministack/reset",
                "/%5Fministack/reset",
                "/_ministack/reset?init=1",
                "/_ministack/config",
            ] {
                assert_eq!(
                    decide("POST", path, &[("origin", origin)]),
                    FORBIDDEN,
                    "{origin} {path}"
                );
            }
        }
    }

    #[test]
    fn a_page_cannot_use_aws_apis_with_any_signature() {
        let keys = ["test", "LOCALKEY0123456789AB", "ASIAABCDEF0123456789"].map(signed);
        for origin in ["http://evil.example", PAGE] {
            for authorization in &keys {
                let headers = [
                    ("origin", origin),
                    ("authorization", authorization),
                    ("content-type", "text/plain"),
                ];
                assert_eq!(decide("POST", "/", &headers), FORBIDDEN, "{origin}");
            }
            assert_eq!(
                decide(
                    "POST",
                    "/?Action=CreateRole&AWSAccessKeyId=test",
                    &[("origin", origin)]
                ),
                FORBIDDEN
            );
            assert_eq!(decide("POST", "/", &[("origin", origin)]), FORBIDDEN);
            assert_eq!(
                decide("OPTIONS", "/", &[("origin", origin)]),
                FORBIDDEN,
                "a preflight"
            );
        }
        // An image or a script of another page: no Origin, but Sec-Fetch-Site.
        let image = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
        assert_eq!(decide("GET", "/?Action=ListUsers", &image), FORBIDDEN);
        assert_eq!(decide("GET", PRESIGNED, &image), FORBIDDEN);
    }

    #[test]
    fn the_page_uploads_and_shows_pictures_with_presigned_urls() {
        for method in ["PUT", "OPTIONS", "GET", "HEAD"] {
            assert_eq!(
                decide(method, PRESIGNED, &[("origin", PAGE)]),
                FORWARDED,
                "{method}"
            );
        }
        let part = format!("{PRESIGNED}&partNumber=1&uploadId=a");
        assert_eq!(decide("PUT", &part, &[("origin", PAGE)]), FORWARDED);
        assert_eq!(decide("DELETE", &part, &[("origin", PAGE)]), FORBIDDEN);
        assert_eq!(decide("POST", &part, &[("origin", PAGE)]), FORBIDDEN);
        let image = [("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")];
        assert_eq!(decide("GET", PRESIGNED, &image), FORWARDED);
        assert_eq!(decide("DELETE", PRESIGNED, &[("origin", PAGE)]), FORBIDDEN);
        assert_eq!(
            decide("PUT", PRESIGNED, &[("origin", "http://evil.example")]),
            FORBIDDEN
        );
    }

    #[test]
    fn a_presigned_url_is_accepted_only_for_objects_of_the_stacks_buckets() {
        let page = [("origin", PAGE)];
        for path in [
            PRESIGNED.replace("/ilg-", "/2015-03-31/functions/ilg-"),
            PRESIGNED.replace("/ilg-", "/_ministack/reset/ilg-"),
            PRESIGNED.replace("/ilg-", "/other-"),
            PRESIGNED.replace("/uploads/o/1?", "?"),
            PRESIGNED.replace("%2Fs3%2F", "%2Fiam%2F"),
            format!("{PRESIGNED}&Action=CreateRole"),
        ] {
            assert_eq!(decide("GET", &path, &page), FORBIDDEN, "{path}");
        }
        assert_eq!(
            decide(
                "GET",
                PRESIGNED,
                &[("origin", PAGE), ("x-amz-target", "IAM.CreateRole")]
            ),
            FORBIDDEN
        );
        assert_eq!(
            decide(
                "GET",
                PRESIGNED,
                &[("origin", PAGE), ("host", "x.localhost:4566")]
            ),
            FORBIDDEN
        );
    }

    #[test]
    fn people_sign_in_and_out() {
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        for path in ["/oauth2/authorize?client_id=a", "/logout?client_id=a"] {
            assert_eq!(decide("GET", path, &link), FORWARDED);
        }
        assert_eq!(decide("POST", "/login", &[("origin", OWN)]), FORWARDED);
        assert_eq!(decide("POST", "/oauth2/token", &[("origin", PAGE)]), FORWARDED);
        assert_eq!(
            decide("POST", "/oauth2/revoke", &[("origin", PAGE)]),
            Ok(Action::Revoke)
        );
    }

    #[test]
    fn other_pages_cannot_frame_the_sign_in_page_or_send_its_form() {
        let frame = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "iframe"),
        ];
        assert_eq!(decide("GET", "/oauth2/authorize", &frame), FORBIDDEN);
        for path in ["/login", "/oauth2/token", "/oauth2/revoke"] {
            assert_eq!(
                decide("POST", path, &[("origin", "http://evil.example")]),
                FORBIDDEN
            );
        }
    }

    #[test]
    fn programs_with_the_stacks_keys_reach_every_api() {
        for key in ["LOCALKEY0123456789AB", "ASIAABCDEF0123456789"] {
            let authorization = signed(key);
            let headers = [("authorization", authorization.as_str())];
            assert_eq!(decide("POST", "/", &headers), FORWARDED);
            assert_eq!(
                decide("PUT", "/any-bucket/key?partNumber=1&uploadId=2", &headers),
                FORWARDED
            );
            assert_eq!(
                decide("POST", "/2015-03-31/functions/f/invocations", &headers),
                FORWARDED
            );
        }
        assert_eq!(decide("GET", PRESIGNED, &[]), FORWARDED);
    }

    #[test]
    fn rejects_well_known_keys_and_requests_without_a_key() {
        for key in ["test", "000000000000", ""] {
            assert_eq!(
                decide("POST", "/", &[("authorization", &signed(key))]),
                FORBIDDEN,
                "{key}"
            );
        }
        for (method, path) in [
            ("PUT", "/ilg-000000000000-us-east-1/uploads/o/1"),
            ("GET", "/ilg-000000000000-us-east-1?list-type=2"),
            ("GET", "/_aws/lambda-url/abc/"),
            ("POST", "/"),
        ] {
            assert_eq!(decide(method, path, &[]), FORBIDDEN);
            assert_eq!(
                decide(method, path, &[("authorization", "Bearer the secret")]),
                FORBIDDEN,
                "a bearer token is not a signature"
            );
        }
    }

    #[test]
    fn programs_without_a_key_reach_public_routes() {
        assert_eq!(decide("GET", "/_localstack/health", &[]), FORWARDED);
        assert_eq!(
            decide("GET", "/ilg-000000000000-us-east-1/public", &[]),
            FORWARDED
        );
        assert_eq!(
            decide(
                "GET",
                "/ilg-000000000000-us-east-1/a",
                &[("authorization", "Bearer t")]
            ),
            FORBIDDEN,
            "the emulator treats it as root"
        );
        assert_eq!(
            decide(
                "POST",
                "/_aws/execute-api/abc/$default/api/uploads",
                &[("authorization", "Bearer t")]
            ),
            FORWARDED
        );
    }

    #[test]
    fn programs_without_a_key_reach_only_cognitos_operations_for_users() {
        let json = ("content-type", "application/x-amz-json-1.1");
        let initiate = ("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth");
        assert_eq!(decide("POST", "/", &[initiate, json]), FORWARDED);
        for target in [
            "DynamoDB_20120810.Scan",
            "AWSCognitoIdentityProviderService.AdminSetUserPassword",
            "AWSCognitoIdentityProviderService.InitiateAuthX",
            "AWSCognitoIdentityProviderService.",
        ] {
            let headers = [("x-amz-target", target), json];
            assert_eq!(decide("POST", "/", &headers), FORBIDDEN, "{target}");
        }
        // The emulator authorizes by the form's Action and executes the target.
        for headers in [
            vec![initiate],
            vec![initiate, ("content-type", "application/x-www-form-urlencoded")],
            vec![
                initiate,
                json,
                ("content-type", "application/x-www-form-urlencoded"),
            ],
            vec![initiate, initiate, json],
            vec![initiate, json, ("authorization", "Bearer t")],
        ] {
            assert_eq!(decide("POST", "/", &headers), FORBIDDEN, "{headers:?}");
        }
        let query = "/?Action=AdminSetUserPassword";
        assert_eq!(decide("POST", query, &[initiate, json]), FORBIDDEN);
    }

    #[test]
    fn an_unsigned_request_cannot_reach_another_service() {
        for (method, path) in [
            ("POST", "/_aws/execute-api/x"),
            ("POST", "/_aws/execute-api/"),
            ("POST", "/_aws/execute-api//$default/a"),
            ("POST", "/_aws/execute-api/x//a"),
            ("GET", "/login?client_id=a"),
        ] {
            assert_eq!(decide(method, path, &[]), FORBIDDEN, "{method} {path}");
        }
        for (method, path) in [
            ("POST", "/_aws/execute-api/abc/$default/api/uploads"),
            ("GET", "/_localstack/health"),
            ("GET", "/ilg-000000000000-us-east-1/public"),
            ("GET", "/oauth2/authorize"),
            ("GET", "/logout"),
            ("POST", "/login"),
            ("POST", "/oauth2/token"),
        ] {
            assert_eq!(decide(method, path, &[]), FORWARDED, "{method} {path}");
            let target = [("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth")];
            assert_eq!(decide(method, path, &target), FORBIDDEN, "{method} {path}");
            for query in [
                "Action=CreateRole",
                "a=1&%41ction=CreateRole",
                "action=CreateRole",
            ] {
                let path = format!("{path}?{query}");
                assert_eq!(decide(method, &path, &[]), FORBIDDEN, "{method} {path}");
            }
            if !path.starts_with(HTTP_API) {
                let token = [("authorization", "Bearer t")];
                assert_eq!(decide(method, path, &token), FORBIDDEN, "{method} {path}");
            }
        }
    }

    #[test]
    fn the_http_api_is_accepted_only_for_hosts_of_this_machine() {
        let path = "/_aws/execute-api/abc/$default/api/images";
        for (host, expected) in [
            ("localhost:4566", FORWARDED),
            ("127.0.0.1:61234", FORWARDED),
            ("a.us-east-1.aoss.localhost:4566", FORBIDDEN),
        ] {
            let headers = [("host", host), ("authorization", "Bearer t")];
            assert_eq!(decide("POST", path, &headers), expected, "{host}");
        }
    }

    #[test]
    fn a_page_or_a_link_cannot_reach_a_service_through_the_sign_in_routes() {
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        for path in [
            "/login",
            "/login?Action=CreateRole",
            "/logout?Action=CreateRole",
            "/oauth2/authorize?Action=CreateRole",
        ] {
            assert_eq!(decide("GET", path, &link), FORBIDDEN, "{path}");
        }
        for (method, path) in [
            ("POST", "/login"),
            ("POST", "/oauth2/token"),
            ("OPTIONS", "/oauth2/token"),
        ] {
            let page = ("origin", PAGE);
            assert_eq!(decide(method, path, &[page]), FORWARDED);
            for header in [
                ("authorization", "Bearer x"),
                ("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth"),
            ] {
                assert_eq!(decide(method, path, &[page, header]), FORBIDDEN, "{path}");
            }
            let path = format!("{path}?Action=CreateRole");
            assert_eq!(decide(method, &path, &[page]), FORBIDDEN, "{path}");
        }
    }

    #[test]
    fn the_connection_header_cannot_remove_headers_after_the_decision() {
        let authorization = signed("ASIAABCDEF0123456789");
        let signed = ("authorization", authorization.as_str());
        for value in ["close", "keep-alive, TE", "Upgrade", "", "keep-alive,"] {
            let headers = [signed, ("connection", value)];
            assert_eq!(decide("POST", "/", &headers), FORWARDED, "{value:?}");
        }
        for value in ["authorization", "close, content-type", "x-amz-target", "host"] {
            let headers = [signed, ("connection", value)];
            assert_eq!(
                decide("POST", "/", &headers),
                Err(StatusCode::BAD_REQUEST),
                "{value:?}"
            );
        }
        let second = [signed, ("connection", "close"), ("connection", "content-type")];
        assert_eq!(decide("POST", "/", &second), Err(StatusCode::BAD_REQUEST));
    }

    #[test]
    fn the_emulators_own_routes_need_the_stacks_secret() {
        assert_eq!(decide("POST", "/_ministack/config", &[]), FORBIDDEN);
        assert_eq!(
            decide("POST", "/_ministack/config", &[("authorization", "Bearer wrong")]),
            FORBIDDEN
        );
        assert_eq!(
            decide(
                "POST",
                "/_ministack/config",
                &[("authorization", &signed("ASIAABCDEF0123456789"))]
            ),
            FORBIDDEN,
            "a function's role"
        );
        assert_eq!(
            decide(
                "POST",
                "/_ministack/config",
                &[("authorization", "Bearer the secret")]
            ),
            Ok(Action::ForwardWithoutToken)
        );
    }

    #[test]
    fn a_foreign_name_that_resolves_to_this_machine_is_rejected() {
        for headers in [
            vec![("host", "evil.example:4566")],
            vec![("host", "evil.example:4566"), ("sec-fetch-site", "same-origin")],
        ] {
            assert_eq!(
                decide("GET", "/_localstack/health", &headers),
                Err(StatusCode::MISDIRECTED_REQUEST)
            );
        }
    }
}
