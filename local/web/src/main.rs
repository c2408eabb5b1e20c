//! Serves the page and the API from one origin on this machine, as CloudFront does in AWS: files from a folder, page
//! routes as `index.html`, `/api/*` handed on to the API, and the same security headers on everything.

mod api;
mod headers;
mod host;
mod page;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use axum::Router;
use axum::http::{HeaderValue, Uri};
use axum::routing::any;
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[derive(Parser)]
#[command(
    name = "local-web",
    about = "Serves the page and the API from one origin, as CloudFront does",
    version
)]
struct Options {
    /// Where to listen; only addresses of this machine itself are allowed
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = loopback)]
    listen: SocketAddr,
    /// The folder with the built page
    #[arg(long, value_name = "FOLDER", value_parser = page_folder)]
    page: PathBuf,
    /// What the page reads at run time, served as /config.json
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// What stands before `/api/…` in the API's address, such as http://127.0.0.1:4566/_aws/execute-api/abc/$default
    #[arg(long, value_name = "URL", value_parser = api::origin)]
    api: Uri,
    /// An origin that the page may talk to and show pictures from, beside its own; may be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = headers::origin)]
    connect_src: Vec<String>,
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "expected an address like 127.0.0.1:8080".to_owned())?;
    if !address.ip().is_loopback() {
        return Err(
            "only 127.0.0.1 and [::1]: what stands behind it has no sign-in worth the name".to_owned(),
        );
    }
    Ok(address)
}

fn page_folder(text: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(text);
    if !folder.join("index.html").is_file() {
        return Err("no index.html in it; `npm run build` in frontend/ makes one".to_owned());
    }
    Ok(folder)
}

/// Everything that is served.
fn router(page: Router, api: Uri, policy: HeaderValue, own: SocketAddr) -> Router {
    let router = Router::new()
        .route("/api/{*path}", any(api::hand_on))
        .with_state(api::Api::new(api));
    headers::secured(router.fallback_service(page), policy)
        .layer(axum::middleware::from_fn_with_state(own, host::check))
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let listener = match TcpListener::bind(options.listen).await {
        Ok(listener) => listener,
        Err(error) => {
            eprintln!("cannot listen on {}: {error}", options.listen);
            return ExitCode::FAILURE;
        }
    };
    let policy = headers::content_security_policy(&options.connect_src);
    let served = axum::serve(
        listener,
        router(
            page::files(&options.page, &options.config),
            options.api,
            policy,
            options.listen,
        ),
    );
    eprintln!("serving {} on http://{}", options.page.display(), options.listen);
    tokio::select! {
        result = served => {
            if let Err(error) = result {
                eprintln!("cannot serve: {error}");
                return ExitCode::FAILURE;
            }
        }
        // Requests that are under way are broken off: nothing here has anything to save.
        () = stopped() => {}
    }
    ExitCode::SUCCESS
}

/// Returns on SIGINT or SIGTERM.
async fn stopped() {
    let (Ok(mut interrupt), Ok(mut terminate)) =
        (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        // Without handlers, the signals end the process by themselves.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use axum::body::{Body, Bytes, to_bytes};
    use axum::extract::Request;
    use axum::http::{HeaderMap, Method, StatusCode};
    use axum::response::{IntoResponse, Response};
    use tower::ServiceExt;

    use super::*;

    const OWN: &str = "127.0.0.1:8080";

    /// A page with a hashed asset, as Vite builds it.
    fn page() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("assets")).unwrap();
        std::fs::write(
            folder.path().join("index.html"),
            "<!doctype html><title>the page</title>",
        )
        .unwrap();
        std::fs::write(
            folder.path().join("assets/index-4f2a.js"),
            "console.log('x');".repeat(100),
        )
        .unwrap();
        std::fs::write(
            folder.path().join("favicon.svg"),
            "<svg xmlns='http://www.w3.org/2000/svg'/>",
        )
        .unwrap();
        folder
    }

    /// An API that answers with what it got.
    async fn echo_api() -> Uri {
        async fn echo(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> impl IntoResponse {
            let header = |name: &str| {
                headers
                    .get(name)
                    .and_then(|value| value.to_str().ok())
                    .map(str::to_owned)
            };
            let answer = serde_json::json!({
                "method": method.as_str(), "uri": uri.to_string(), "body": String::from_utf8_lossy(&body),
                "host": header("host"), "contentType": header("content-type"), "te": header("te"),
                "dropped": header("x-dropped"),
            });
            (StatusCode::CREATED, [("x-answer", "kept")], answer.to_string())
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(echo)).await });
        format!("http://{address}/_aws/execute-api/abc/$default")
            .parse()
            .unwrap()
    }

    fn site(page: &Path, api: Uri) -> Router {
        let policy = headers::content_security_policy(&["http://127.0.0.1:4566".to_owned()]);
        let page = page::files(page, &page.join("../config.json"));
        router(page, api, policy, OWN.parse().unwrap())
    }

    fn nowhere() -> Uri {
        "http://127.0.0.1:1".parse().unwrap()
    }

    fn request(method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder().method(method).uri(path).header("host", OWN)
    }

    async fn get(site: Router, path: &str) -> Response {
        site.oneshot(request("GET", path).body(Body::empty()).unwrap())
            .await
            .unwrap()
    }

    async fn text(response: Response) -> String {
        String::from_utf8(to_bytes(response.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap()
    }

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[tokio::test]
    async fn a_page_route_is_the_page_and_is_never_cached() {
        let page = page();
        for path in ["/", "/index.html", "/images/0192", "/settings?tab=1"] {
            let response = get(site(page.path(), nowhere()), path).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(header(&response, "cache-control"), "no-cache", "{path}");
            assert!(text(response).await.contains("the page"), "{path}");
        }
    }

    #[tokio::test]
    async fn the_page_reads_the_configuration_of_this_deployment_and_never_an_old_one() {
        let outer = tempfile::tempdir().unwrap();
        let page = outer.path().join("page");
        std::fs::create_dir(&page).unwrap();
        std::fs::write(outer.path().join("config.json"), "{}").unwrap();
        let response = get(site(&page, nowhere()), "/config.json").await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "cache-control"), "no-cache");
        assert!(header(&response, "content-type").starts_with("application/json"));
    }

    #[tokio::test]
    async fn a_hashed_asset_is_cached_for_good_and_a_missing_one_is_not() {
        let page = page();
        let response = get(site(page.path(), nowhere()), "/assets/index-4f2a.js").await;
        assert_eq!(
            header(&response, "cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert!(header(&response, "content-type").starts_with("text/javascript"));
        let response = get(site(page.path(), nowhere()), "/assets/index-old.js").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(header(&response, "cache-control"), "no-cache");
    }

    #[tokio::test]
    async fn what_a_browser_can_unpack_comes_compressed() {
        let page = page();
        for encoding in ["br", "gzip"] {
            let request = request("GET", "/assets/index-4f2a.js")
                .header("accept-encoding", encoding)
                .body(Body::empty())
                .unwrap();
            let response = site(page.path(), nowhere()).oneshot(request).await.unwrap();
            assert_eq!(header(&response, "content-encoding"), encoding);
        }
    }

    #[tokio::test]
    async fn every_answer_carries_the_security_headers() {
        let page = page();
        for path in ["/", "/assets/none.js", "/api/images/1"] {
            let response = get(site(page.path(), nowhere()), path).await;
            let policy = header(&response, "content-security-policy");
            assert!(
                policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
                "{path}"
            );
            assert!(
                policy.contains("connect-src 'self' http://127.0.0.1:4566"),
                "{path}"
            );
            assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
            assert_eq!(
                header(&response, "referrer-policy"),
                "strict-origin-when-cross-origin",
                "{path}"
            );
        }
    }

    #[tokio::test]
    async fn nothing_outside_the_page_is_served() {
        let outer = tempfile::tempdir().unwrap();
        std::fs::write(outer.path().join("secret.txt"), "secret").unwrap();
        let page = outer.path().join("page");
        std::fs::create_dir(&page).unwrap();
        std::fs::write(page.join("index.html"), "the page").unwrap();
        for path in [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/..%2fsecret.txt",
            "/a/../../secret.txt",
            "//secret.txt",
        ] {
            let response = get(site(&page, nowhere()), path).await;
            assert!(!text(response).await.contains("secret"), "{path}");
        }
    }

    #[tokio::test]
    async fn the_api_gets_the_request_and_the_browser_its_answer() {
        let page = page();
        let request = request("POST", "/api/uploads?a=1&a=%2F")
            .header("content-type", "application/json")
            .header("te", "trailers")
            .header("connection", "x-dropped")
            .header("x-dropped", "for this connection only")
            .body(Body::from("{\"fileName\":\"cat.jpg\"}"))
            .unwrap();
        let api = echo_api().await;
        let authority = api.authority().unwrap().to_string();
        let response = site(page.path(), api).oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
        assert_eq!(header(&response, "x-answer"), "kept");
        let got: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(got["method"], "POST");
        assert_eq!(got["uri"], "/_aws/execute-api/abc/$default/api/uploads?a=1&a=%2F");
        assert_eq!(got["body"], "{\"fileName\":\"cat.jpg\"}");
        assert_eq!(got["contentType"], "application/json");
        assert_eq!(
            got["host"],
            authority.as_str(),
            "as CloudFront's AllViewerExceptHostHeader"
        );
        assert!(got["te"].is_null() && got["dropped"].is_null(), "hop by hop");
    }

    #[tokio::test]
    async fn an_api_that_is_down_is_a_problem_not_a_broken_connection() {
        let page = page();
        let response = get(site(page.path(), nowhere()), "/api/images/1").await;
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(header(&response, "content-type"), "application/problem+json");
        let problem: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(problem["status"], 502);
    }

    #[tokio::test]
    async fn a_name_that_only_points_here_is_refused_and_localhost_is_led_to_the_right_origin() {
        let page = page();
        let ask = |host: &str| {
            let request = Request::builder()
                .uri("/x?y=1")
                .header("host", host)
                .body(Body::empty())
                .unwrap();
            site(page.path(), nowhere()).oneshot(request)
        };
        assert_eq!(
            ask("evil.example:8080").await.unwrap().status(),
            StatusCode::MISDIRECTED_REQUEST
        );
        let response = ask("localhost:8080").await.unwrap();
        assert_eq!(response.status(), StatusCode::PERMANENT_REDIRECT);
        assert_eq!(header(&response, "location"), "http://127.0.0.1:8080/x?y=1");
    }

    #[test]
    fn other_machines_are_not_served() {
        assert!(loopback("127.0.0.1:8080").is_ok());
        assert!(loopback("[::1]:8080").is_ok());
        assert!(loopback("0.0.0.0:8080").is_err());
        assert!(loopback("8080").is_err());
    }
}
