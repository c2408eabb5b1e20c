//! The engine: dynoxide's HTTP server. A public conformance suite compares its responses with those of AWS.
//!
//! It accepts all requests of every web page (`access-control-allow-origin: *`) and does not support middleware. So it
//! listens on an address of this machine that nobody can guess, and only this process forwards requests to it.

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use dynoxide::Database;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::io;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

/// A running engine.
#[derive(Clone)]
pub(crate) struct Engine {
    authority: Authority,
    client: Client<HttpConnector, Body>,
}

impl Engine {
    /// Starts the engine, which runs as long as the process.
    pub(crate) async fn start(database: Database) -> io::Result<Self> {
        let listener = TcpListener::bind((secret_address(), 0)).await?;
        let authority = Authority::try_from(listener.local_addr()?.to_string()).map_err(io::Error::other)?;
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        let mut connector = HttpConnector::new();
        // Otherwise, a request of two packets waits 40 ms for an acknowledgment.
        connector.set_nodelay(true);
        Ok(Self {
            authority,
            client: Client::builder(TokioExecutor::new()).build(connector),
        })
    }

    fn address(&self, request: &Uri) -> Option<Uri> {
        let path = request.path_and_query().map_or("/", PathAndQuery::as_str);
        Uri::builder()
            .scheme("http")
            .authority(self.authority.clone())
            .path_and_query(path)
            .build()
            .ok()
    }
}

/// A random address of the 16 million in the loopback network. Linux accepts connections to all of them, but only from this
/// machine.
fn secret_address() -> Ipv4Addr {
    let [b, c, d, ..] = *Uuid::new_v4().as_bytes();
    Ipv4Addr::new(127, b, c, d)
}

/// Forwards a request to the engine and returns the response, both unchanged.
pub(crate) async fn forward(State(engine): State<Engine>, mut request: Request) -> Response {
    let Some(address) = engine.address(request.uri()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    *request.uri_mut() = address;
    match engine.client.request(request).await {
        Ok(response) => response.map(Body::new),
        // The SDK treats this as a server error, and retries the request if that is allowed.
        Err(error) => (
            StatusCode::BAD_GATEWAY,
            format!("the engine does not answer: {error}\n"),
        )
            .into_response(),
    }
}

/// Deletes expired items, now and at regular intervals. DynamoDB also deletes items some time after they expire.
pub(crate) async fn delete_expired(database: Database, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let database = database.clone();
        match tokio::task::spawn_blocking(move || database.sweep_ttl()).await {
            Ok(Ok(0)) => {}
            Ok(Ok(count)) => eprintln!("deleted {count} expired items"),
            Ok(Err(error)) => eprintln!("cannot delete expired items: {error}"),
            Err(error) => eprintln!("cannot delete expired items: {error}"),
        }
    }
}
