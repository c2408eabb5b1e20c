//! Serves the page and the API from one origin on this machine, as CloudFront does in AWS: files from a folder, page
//! routes as `index.html`, `/api/*` forwarded to the API, and the same security headers on everything.

mod api;
mod headers;
mod host;
mod page;

use axum::Router;
use axum::http::{HeaderValue, Uri};
use axum::routing::any;
use clap::Parser;
use local_guard::server::{self, HEADER_TIMEOUT, Timeouts};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// Requests in progress are cut off when the server stops.
const TIMEOUTS: Timeouts = Timeouts {
    headers: Some(HEADER_TIMEOUT),
    shutdown: Duration::ZERO,
};

#[derive(Parser)]
#[command(
    name = "local-web",
    about = "Serves the page and the API from one origin, as CloudFront does",
    version
)]
struct Options {
    /// The address to listen on. Only addresses of this machine are allowed
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = server::loopback_address)]
    listen: SocketAddr,
    /// The folder with the built page
    #[arg(long, value_name = "FOLDER", value_parser = page_folder)]
    page: PathBuf,
    /// The configuration that the page reads, served as /config.json
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The API's URL without `/api/…`, such as http://127.0.0.1:4566/_aws/execute-api/abc/$default
    #[arg(long, value_name = "URL", value_parser = api::origin)]
    api: Uri,
    /// Another origin that the page can send requests to and show pictures from. Can be repeated
    #[arg(long, value_name = "ORIGIN", value_parser = headers::origin)]
    connect_src: Vec<String>,
}

fn page_folder(text: &str) -> Result<PathBuf, String> {
    let folder = PathBuf::from(text);
    if !folder.join("index.html").is_file() {
        return Err("the folder has no index.html; run `npm run build` in frontend/".to_owned());
    }
    Ok(folder)
}

/// The page, the API and the checks of host and origin.
fn router(page: Router, api: Uri, policy: HeaderValue, own: SocketAddr) -> Router {
    let router = Router::new()
        .route("/api/{*path}", any(api::forward))
        .with_state(api::Api::new(api))
        .fallback_service(page)
        .layer(axum::middleware::from_fn_with_state(own, host::check));
    headers::secured(router, policy)
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    match serve(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options) -> io::Result<()> {
    let listener = server::listen(options.listen).await?;
    let policy = headers::content_security_policy(&options.connect_src);
    let router = router(
        page::files(&options.page, &options.config),
        options.api,
        policy,
        options.listen,
    );
    server::serve(listener, router, TIMEOUTS).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::{Body, Bytes, to_bytes};
    use axum::extract::Request;
    use axum::http::{HeaderMap, Method, StatusCode};
    use axum::response::{IntoResponse, Response};
    use std::path::Path;
    use tokio::net::TcpListener;
    use tower::ServiceExt;

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

    /// An API that returns the request that it received.
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
                "browserHeaders": headers.keys().map(|name| name.as_str())
                    .filter(|name| name.starts_with("sec-fetch-") || *name == "origin").collect::<Vec<_>>(),
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
    async fn serves_the_page_at_every_page_route_without_caching() {
        let page = page();
        for path in ["/", "/index.html", "/images/0192", "/settings?tab=1"] {
            let response = get(site(page.path(), nowhere()), path).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(header(&response, "cache-control"), "no-cache", "{path}");
            assert!(text(response).await.contains("the page"), "{path}");
        }
    }

    #[tokio::test]
    async fn serves_the_configuration_without_caching() {
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
    async fn caches_a_hashed_asset_forever_and_a_missing_one_not_at_all() {
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
    async fn compresses_with_the_browsers_encodings() {
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
    async fn every_response_has_the_security_headers() {
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
    async fn serves_no_file_outside_the_pages_folder() {
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
    async fn forwards_requests_to_the_api_and_responses_to_the_browser() {
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
            "like CloudFront's AllViewerExceptHostHeader"
        );
        assert!(got["te"].is_null() && got["dropped"].is_null(), "hop by hop");
    }

    #[tokio::test]
    async fn an_unreachable_api_gives_a_problem_response() {
        let page = page();
        let response = get(site(page.path(), nowhere()), "/api/images/1").await;
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(header(&response, "content-type"), "application/problem+json");
        let problem: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(problem["status"], 502);
    }

    #[tokio::test]
    async fn rejects_foreign_host_names_and_redirects_localhost() {
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

    #[tokio::test]
    async fn error_responses_have_the_security_headers_too() {
        let page = page();
        for (host, path, origin) in [
            ("evil.example:8080", "/", None),
            ("localhost:8080", "/", None),
            (OWN, "/api/images", Some("http://evil.example")),
            (OWN, "/assets/missing.js", None),
        ] {
            let mut request = Request::builder().uri(path).header("host", host);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            let request = request.body(Body::empty()).unwrap();
            let response = site(page.path(), nowhere()).oneshot(request).await.unwrap();
            assert!(!response.status().is_success(), "{host}{path}");
            assert!(
                header(&response, "content-security-policy").contains("default-src 'none'"),
                "{host}{path}"
            );
            assert_eq!(
                header(&response, "x-content-type-options"),
                "nosniff",
                "{host}{path}"
            );
        }
    }

    #[tokio::test]
    async fn pages_of_other_origins_cannot_use_the_api() {
        let page = page();
        let api = echo_api().await;
        let ask = |name: &'static str, value: &'static str| {
            let request = request("POST", "/api/uploads")
                .header(name, value)
                .body(Body::empty())
                .unwrap();
            site(page.path(), api.clone()).oneshot(request)
        };
        for (name, value) in [
            ("origin", "http://evil.example"),
            ("origin", "http://127.0.0.1:9999"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let response = ask(name, value).await.unwrap();
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{name}: {value}");
            assert_eq!(header(&response, "content-type"), "application/problem+json");
        }
        let response = ask("origin", "http://127.0.0.1:8080").await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED);
    }

    #[tokio::test]
    async fn the_api_sees_no_headers_that_only_browsers_send() {
        let page = page();
        let request = request("POST", "/api/uploads")
            .header("origin", "http://127.0.0.1:8080")
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "cors")
            .body(Body::empty())
            .unwrap();
        let response = site(page.path(), echo_api().await)
            .oneshot(request)
            .await
            .unwrap();
        let got: serde_json::Value = serde_json::from_str(&text(response).await).unwrap();
        assert_eq!(got["browserHeaders"], serde_json::json!([]));
    }

    /// Without this time limit, a client that sends a byte of its headers from time to time would keep its connection forever.
    #[tokio::test]
    async fn disconnects_a_client_that_sends_its_headers_too_slowly() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        let page = page();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let timeouts = Timeouts {
            headers: Some(Duration::from_millis(200)),
            ..TIMEOUTS
        };
        tokio::spawn(server::serve(listener, site(page.path(), nowhere()), timeouts));
        let mut slow = tokio::net::TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nhost: 127.0.0.1")
            .await
            .unwrap();
        let mut answer = vec![];
        let cut_off = tokio::time::timeout(Duration::from_secs(300), slow.read_to_end(&mut answer));
        assert!(cut_off.await.is_ok(), "the connection is still open");
    }
}
