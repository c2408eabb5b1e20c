//! Starts and stops the local servers. They listen on this machine only, and serve a router over HTTP/1.1.

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// How long a server for web pages waits for the headers of a request. Also closes connections that are idle for as long.
pub const HEADER_TIMEOUT: Duration = Duration::from_secs(20);
/// Pause after a failed accept, such as for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long a server waits for its clients.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// Maximum time to receive the headers of a request, which also closes connections that are idle for as long. `None`:
    /// unlimited.
    pub headers: Option<Duration>,
    /// Maximum time for requests in progress when the server stops.
    pub shutdown: Duration,
}

/// Parses the argument of `--listen`.
///
/// # Errors
/// If the text is not a loopback address with a port.
pub fn loopback_address(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr = text
        .parse()
        .map_err(|_| "expected an address like 127.0.0.1:8080".to_owned())?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err("only 127.0.0.1 and [::1] are allowed: other machines must not reach a local stack".to_owned())
    }
}

/// Listens on an address.
///
/// # Errors
/// If the address is not available. The message has the address.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

/// Prints `listening on http://ADDRESS:PORT` on standard output and serves until SIGINT or SIGTERM. Requests in progress
/// then have [`Timeouts::shutdown`] to finish.
///
/// # Errors
/// If the signals or the listener's address are not available.
pub async fn serve(listener: TcpListener, router: Router, timeouts: Timeouts) -> io::Result<()> {
    // Before the address is printed: a program that reads it can stop this server at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    println!("listening on http://{}", listener.local_addr()?);
    // Each connection holds a receiver, so the sender knows when all connections have ended.
    let (stop, stopped) = watch::channel(());
    tokio::select! {
        () = accept(listener, router, timeouts.headers, stopped) => {}
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    // Without connections, there is no receiver.
    let _ = stop.send(());
    // Requests that take longer are cut off.
    let _ = tokio::time::timeout(timeouts.shutdown, stop.closed()).await;
    Ok(())
}

async fn accept(
    listener: TcpListener,
    router: Router,
    header_timeout: Option<Duration>,
    stopped: watch::Receiver<()>,
) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(header_timeout);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(http.clone(), stream, router.clone(), stopped.clone()));
            }
            Err(error) => {
                eprintln!("cannot accept a connection: {error}");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Serves one connection until it ends, or until the server stops and the request in progress is answered.
async fn connection(
    http: http1::Builder,
    stream: TcpStream,
    router: Router,
    mut stopped: watch::Receiver<()>,
) {
    // Without it, small responses are only slower.
    let _ = stream.set_nodelay(true);
    let connection = http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    // A client that disconnects, does not send HTTP or is too slow ends only its own connection.
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.changed() => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

#[cfg(test)]
mod tests {
    use super::loopback_address;

    #[test]
    fn accepts_only_loopback_addresses_with_a_port() {
        assert!(loopback_address("127.0.0.1:8080").is_ok());
        assert!(loopback_address("[::1]:8080").is_ok());
        assert!(loopback_address("0.0.0.0:8080").is_err());
        assert!(loopback_address("192.168.0.2:8080").is_err());
        assert!(loopback_address("8080").is_err());
    }
}
