//! The guard between real HTTP clients and a program that listens on a Unix socket, like the emulator.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap};
use axum::http::request::Builder;
use axum::http::{Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use local_guard::hosts::Hosts;
use local_guard::rules::Rules;
use local_guard::server::{self, Timeouts};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;

const PAGE: &str = "http://127.0.0.1:8080";
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=ASIAABCDEF0123456789/20261128/us-east-1/s3/aws4_request";
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(300);

/// A request that the emulator received.
#[derive(Debug, Clone)]
struct Received {
    uri: String,
    headers: HeaderMap,
    body: Bytes,
}

/// A guard in front of a program that records its requests. `/echo` streams the request's body back.
struct Stack {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    client: Client<hyper_util::client::legacy::connect::HttpConnector, Body>,
    _folder: TempDir,
}

async fn record(State(received): State<Arc<Mutex<Vec<Received>>>>, request: Request) -> Response<Body> {
    if request.uri().path().ends_with("/echo") {
        return Response::new(request.into_body());
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    received.lock().unwrap().push(Received {
        uri: parts.uri.to_string(),
        headers: parts.headers,
        body,
    });
    let mut response = Response::new(Body::from("answered"));
    response
        .headers_mut()
        .insert("x-amz-request-id", "1".parse().unwrap());
    response
}

impl Stack {
    async fn start() -> Self {
        Self::start_with(true, PATIENCE).await
    }

    async fn start_with(emulator: bool, header_timeout: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("emulator.sock");
        let received = Arc::default();
        if emulator {
            let listener = UnixListener::bind(&socket).unwrap();
            let router = Router::new().fallback(record).with_state(Arc::clone(&received));
            tokio::spawn(async move { axum::serve(listener, router).await });
        }
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let rules = Rules {
            hosts: Hosts::default(),
            page: PAGE.to_owned(),
            own: format!("http://{address}"),
            bucket_prefix: "ilg-".to_owned(),
            access_key_id: "LOCALKEY0123456789AB".to_owned(),
            secret_access_key: "the secret".to_owned(),
        };
        let router = local_guard::router(rules, &socket);
        let timeouts = Timeouts {
            headers: Some(header_timeout),
            shutdown: Duration::ZERO,
        };
        tokio::spawn(server::serve(listener, router, timeouts));
        Self {
            address,
            received,
            client: Client::builder(TokioExecutor::new()).build_http(),
            _folder: folder,
        }
    }

    fn request(&self, method: &str, path: &str) -> Builder {
        Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.address))
    }

    async fn send(&self, request: Request) -> Response<Incoming> {
        tokio::time::timeout(PATIENCE, self.client.request(request))
            .await
            .expect("an answer in time")
            .unwrap()
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

async fn text(response: Response<Incoming>) -> String {
    String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn forwards_a_signed_request_and_its_response_unchanged() {
    let stack = Stack::start().await;
    let request = stack
        .request("PUT", "/bucket/a%20b%2Fc?x-id=PutObject&a=1&a=2")
        // A recording proxy forwards its own host, which the signature covers.
        .header(HOST, "127.0.0.1:61234")
        .header(AUTHORIZATION, SIGNED)
        .header("x-amz-meta-name", "value")
        .header("connection", "keep-alive, te")
        .header("keep-alive", "timeout=5")
        .header("te", "trailers")
        .body(Body::from("a picture"))
        .unwrap();
    let response = stack.send(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["x-amz-request-id"], "1");
    assert_eq!(text(response).await, "answered");
    let [got] = &stack.received()[..] else {
        panic!("{:?}", stack.received())
    };
    assert_eq!(got.uri, "/bucket/a%20b%2Fc?x-id=PutObject&a=1&a=2");
    assert_eq!(got.headers[HOST], "127.0.0.1:61234");
    assert_eq!(got.headers[AUTHORIZATION], SIGNED);
    assert_eq!(got.headers["x-amz-meta-name"], "value");
    for name in ["connection", "keep-alive", "te"] {
        assert!(!got.headers.contains_key(name), "{name}");
    }
    assert_eq!(got.body, "a picture");
}

#[tokio::test]
async fn rejected_requests_never_reach_the_emulator() {
    let stack = Stack::start().await;
    let attacks = [
        stack
            .request("POST", "/_ministack/reset")
            .header("origin", "http://evil.example"),
        stack.request("POST", "/_ministack/reset"),
        stack
            .request("POST", "/")
            .header("origin", "http://evil.example")
            .header(AUTHORIZATION, SIGNED),
        stack.request("PUT", "/bucket/key"),
        stack
            .request("GET", "/_localstack/health")
            .header(HOST, "evil.example"),
    ];
    for attack in attacks {
        let response = stack.send(attack.body(Body::empty()).unwrap()).await;
        assert!(response.status().is_client_error(), "{}", response.status());
    }
    assert!(stack.received().is_empty(), "{:?}", stack.received());
}

#[tokio::test]
async fn streams_bodies_in_both_directions() {
    let stack = Stack::start().await;
    let (chunks, receiver) = mpsc::channel::<Bytes>(1);
    let body = Body::from_stream(futures_util::stream::unfold(receiver, |mut receiver| async {
        let chunk = receiver.recv().await?;
        Some((Ok::<_, Infallible>(chunk), receiver))
    }));
    let request = stack
        .request("PUT", "/bucket/echo")
        .header(AUTHORIZATION, SIGNED)
        .body(body)
        .unwrap();
    chunks.send(Bytes::from_static(b"first")).await.unwrap();
    let mut answer = stack.send(request).await.into_body();
    let mut next = async || {
        let frame = tokio::time::timeout(PATIENCE, answer.frame());
        let frame = frame.await.expect("a chunk in time").expect("a chunk").unwrap();
        frame.into_data().unwrap()
    };
    // A guard that buffers bodies would wait for the end of the request, which comes only later.
    assert_eq!(next().await, "first");
    chunks.send(Bytes::from_static(b"second")).await.unwrap();
    assert_eq!(next().await, "second");
}

#[tokio::test]
async fn forwards_the_largest_picture() {
    let stack = Stack::start().await;
    let megabyte = Bytes::from(vec![7; 1024 * 1024]);
    let chunks = (0..100).map(move |_| Ok::<_, Infallible>(megabyte.clone()));
    let request = stack
        .request("PUT", "/bucket/echo")
        .header(AUTHORIZATION, SIGNED)
        .body(Body::from_stream(futures_util::stream::iter(chunks)))
        .unwrap();
    let answer = stack.send(request).await.into_body().collect().await.unwrap();
    assert_eq!(answer.to_bytes().len(), 100 * 1024 * 1024);
}

#[tokio::test]
async fn the_secret_gives_access_to_the_emulators_own_routes_and_is_not_forwarded() {
    let stack = Stack::start().await;
    let request = stack
        .request("POST", "/_ministack/config")
        .header(AUTHORIZATION, "Bearer the secret")
        .body(Body::from("{}"))
        .unwrap();
    assert_eq!(stack.send(request).await.status(), StatusCode::OK);
    assert!(!stack.received()[0].headers.contains_key(AUTHORIZATION));
}

#[tokio::test]
async fn revokes_a_refresh_token_with_cognitos_operation() {
    let stack = Stack::start().await;
    let request = stack
        .request("POST", "/oauth2/revoke")
        .header("origin", PAGE)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from("token=a.b%2Bc&client_id=client"))
        .unwrap();
    let response = stack.send(request).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], PAGE);
    assert_eq!(text(response).await, "");
    let got = &stack.received()[0];
    assert_eq!(
        got.headers["x-amz-target"],
        "AWSCognitoIdentityProviderService.RevokeToken"
    );
    let body: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({ "ClientId": "client", "Token": "a.b+c" })
    );
}

#[tokio::test]
async fn rejects_an_incomplete_revocation_as_cognito_does() {
    let stack = Stack::start().await;
    for (content_type, body, error) in [
        (
            "application/x-www-form-urlencoded",
            "client_id=client",
            "invalid_request",
        ),
        ("application/x-www-form-urlencoded", "token=a", "invalid_client"),
        ("application/json", "token=a&client_id=client", "invalid_request"),
    ] {
        let request = stack
            .request("POST", "/oauth2/revoke")
            .header(CONTENT_TYPE, content_type)
            .body(Body::from(body))
            .unwrap();
        let response = stack.send(request).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(
            text(response).await,
            format!(r#"{{"error":"{error}"}}"#),
            "{body}"
        );
    }
    assert!(stack.received().is_empty());
}

#[tokio::test]
async fn the_response_says_if_the_emulator_is_missing() {
    let stack = Stack::start_with(false, PATIENCE).await;
    let request = stack
        .request("GET", "/_localstack/health")
        .body(Body::empty())
        .unwrap();
    let response = stack.send(request).await;
    assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
    assert!(text(response).await.contains("The emulator doesn't answer"));
}

#[tokio::test]
async fn disconnects_a_client_that_sends_its_headers_too_slowly() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let stack = Stack::start_with(true, Duration::from_millis(200)).await;
    let mut slow = tokio::net::TcpStream::connect(stack.address).await.unwrap();
    slow.write_all(b"GET /_localstack/health HTTP/1.1\r\nhost: 127.0.0.1")
        .await
        .unwrap();
    let mut answer = vec![];
    let cut_off = tokio::time::timeout(PATIENCE, slow.read_to_end(&mut answer)).await;
    assert!(cut_off.is_ok(), "the connection is still open");
}
