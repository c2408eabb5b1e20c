//! A client of the emulator. The emulator listens on a Unix socket, which browsers and other users cannot reach.

use crate::proxy::remove_hop_by_hop_headers;
use crate::refusal::Refusal;
use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::PathAndQuery;
use axum::http::{Uri, Version};
use axum::response::Response;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::net::UnixStream;
use tower::Service;

/// The emulator closes idle connections after 75 s (`local/emulator/serve.py`).
const IDLE: Duration = Duration::from_secs(30);
/// How often to retry a connection to a busy emulator: 250 times, every 20 ms.
const CONNECT_ATTEMPTS: u32 = 250;
const CONNECT_PAUSE: Duration = Duration::from_millis(20);

/// A client of the emulator.
#[derive(Debug, Clone)]
pub struct Emulator {
    client: Client<Socket, Body>,
}

impl Emulator {
    /// A client of the emulator on this Unix socket. The emulator can start later.
    pub fn new(socket: &Path) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(hyper_util::rt::TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(Socket(Arc::new(socket.to_path_buf())));
        Self { client }
    }

    /// Sends a request and streams both bodies. Only the headers for one connection are removed. `Host` is unchanged, because
    /// signatures cover it.
    ///
    /// # Errors
    /// If the emulator does not answer.
    pub async fn send(&self, mut request: Request) -> Result<Response, Refusal> {
        let path = request.uri().path_and_query().cloned();
        *request.uri_mut() = Uri::builder()
            .scheme("http")
            .authority("emulator")
            .path_and_query(path.unwrap_or(PathAndQuery::from_static("/")))
            .build()
            .map_err(|_| Refusal::bad_request("The request's path is malformed."))?;
        *request.version_mut() = Version::HTTP_11;
        remove_hop_by_hop_headers(request.headers_mut());
        match self.client.request(request).await {
            Ok(response) => {
                let mut response = response.map(Body::new);
                remove_hop_by_hop_headers(response.headers_mut());
                Ok(response)
            }
            Err(error) => {
                // Connections fail while the emulator starts. The response says so, and the log need not.
                if !error.is_connect() {
                    eprintln!("the emulator doesn't answer: {error:?}");
                }
                Err(Refusal::unreachable(
                    "The emulator doesn't answer. It may still be starting.",
                ))
            }
        }
    }
}

/// Connects to a Unix socket, independent of the URL.
#[derive(Debug, Clone)]
struct Socket(Arc<PathBuf>);

impl Service<Uri> for Socket {
    type Response = TokioIo<UnixStream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let path = Arc::clone(&self.0);
        Box::pin(async move { connect(&path).await.map(TokioIo::new) })
    }
}

/// Retries, because unlike TCP, a Unix socket with a full queue rejects connections at once.
async fn connect(path: &Path) -> io::Result<UnixStream> {
    let mut attempt = 0;
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == ErrorKind::WouldBlock && attempt < CONNECT_ATTEMPTS => {
                attempt += 1;
                tokio::time::sleep(CONNECT_PAUSE).await;
            }
            result => return result,
        }
    }
}
