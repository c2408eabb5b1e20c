//! A route: an address to listen on, and the targets of its connections.

use crate::address::{Address, Listener, Stream};
use std::io;
use std::net::Shutdown;
use std::str::FromStr;
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Pause after a failed accept, such as for lack of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) from: Address,
    /// The first target that accepts a connection is used.
    to: Vec<Address>,
}

impl FromStr for Route {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text
            .split_once('=')
            .ok_or_else(|| format!("{text:?}: expected FROM=TO[,TO…]"))?;
        let from: Address = from.parse()?;
        if !from.is_local() {
            return Err(format!(
                "{from}: expected a loopback address such as tcp:127.0.0.1:4566, or a Unix socket; \
                 other machines must not reach the target"
            ));
        }
        let to = to.split(',').map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { from, to })
    }
}

impl Route {
    /// Listens, and forwards connections on threads that run as long as the process.
    pub(crate) fn open(&self) -> io::Result<JoinHandle<()>> {
        let listener = self.from.listen()?;
        let route = self.clone();
        Ok(thread::spawn(move || route.serve(&listener)))
    }

    fn serve(&self, listener: &Listener) {
        loop {
            match listener.accept() {
                Ok(client) => {
                    let route = self.clone();
                    thread::spawn(move || route.forward(&client));
                }
                Err(error) => {
                    eprintln!("cannot accept a connection on {}: {error}", self.from);
                    thread::sleep(PAUSE);
                }
            }
        }
    }

    fn forward(&self, client: &Stream) {
        if let Err(error) = self.connect().and_then(|target| exchange(client, &target)) {
            eprintln!("cannot forward a connection from {}: {error}", self.from);
        }
    }

    fn connect(&self) -> io::Result<Stream> {
        let mut failures = Vec::new();
        for target in &self.to {
            match target.connect() {
                Ok(stream) => return Ok(stream),
                Err(error) => failures.push(format!("{target}: {error}")),
            }
        }
        Err(io::Error::other(format!(
            "{}. Is the stack running? `cargo xtask up` starts it",
            failures.join("; ")
        )))
    }
}

/// Copies in both directions until both sides have closed.
fn exchange(client: &Stream, target: &Stream) -> io::Result<()> {
    let (from_client, to_target) = (client.try_clone()?, target.try_clone()?);
    let requests = thread::spawn(move || copy(from_client, to_target));
    copy(target.try_clone()?, client.try_clone()?);
    // The thread does not panic.
    let _ = requests.join();
    Ok(())
}

/// Copies one direction to its end. An error ends it like a closed connection.
fn copy(mut from: Stream, mut to: Stream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;
    use std::path::Path;

    fn unix(path: &Path) -> Address {
        Address::Unix(path.to_path_buf())
    }

    /// Answers every connection with its name and the received text, after the client has closed its side.
    fn echo(name: &'static str, listener: Listener) {
        thread::spawn(move || {
            while let Ok(mut stream) = listener.accept() {
                let mut sent = String::new();
                stream.read_to_string(&mut sent).unwrap();
                write!(stream, "{name}: {sent}").unwrap();
            }
        });
    }

    fn ask(address: &Address, question: &str) -> String {
        let mut stream = address.connect().unwrap();
        stream.write_all(question.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn forwards_a_request_and_its_response_through_a_socket() {
        let folder = tempfile::tempdir().unwrap();
        let stack = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = stack.local_addr().unwrap().port();
        echo("the stack", Listener::Tcp(stack));
        let socket = folder.path().join("stack.sock");
        let client = folder.path().join("client.sock");
        for route in [
            format!("{}=tcp:127.0.0.1:{port}", unix(&socket)),
            format!("{}={}", unix(&client), unix(&socket)),
        ] {
            route.parse::<Route>().unwrap().open().unwrap();
        }
        let large = "x".repeat(3_000_000);
        assert_eq!(ask(&unix(&client), &large), format!("the stack: {large}"));
        let mode = socket.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o666, "a container's user can connect");
    }

    #[test]
    fn uses_the_next_target_if_the_socket_rejects_connections() {
        let folder = tempfile::tempdir().unwrap();
        // As in Docker Desktop: the file exists, but nobody listens.
        let dead = folder.path().join("dead.sock");
        drop(UnixListener::bind(&dead).unwrap());
        let host = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = host.local_addr().unwrap().port();
        echo("the host", Listener::Tcp(host));
        let from = folder.path().join("from.sock");
        let route = format!("{}={},tcp:localhost:{port}", unix(&from), unix(&dead));
        route.parse::<Route>().unwrap().open().unwrap();
        assert_eq!(ask(&unix(&from), "hello"), "the host: hello");
    }

    #[test]
    fn closes_the_connection_at_once_if_no_target_accepts_one() {
        let folder = tempfile::tempdir().unwrap();
        let from = folder.path().join("from.sock");
        let route = format!("{}={}", unix(&from), unix(&folder.path().join("absent.sock")));
        let route = route.parse::<Route>().unwrap();
        route.open().unwrap();
        assert_eq!(ask(&unix(&from), ""), "");
        let error = route.connect().err().unwrap().to_string();
        assert!(
            error.contains("absent.sock") && error.contains("cargo xtask up"),
            "{error}"
        );
    }

    #[test]
    fn replaces_a_socket_of_an_earlier_run_but_not_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let (left, file) = (folder.path().join("left.sock"), folder.path().join("file"));
        drop(UnixListener::bind(&left).unwrap());
        assert!(unix(&left).listen().is_ok());
        std::fs::write(&file, "mine").unwrap();
        assert!(unix(&file).listen().is_err());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
    }

    #[test]
    fn rejects_addresses_that_other_machines_can_connect_to() {
        for from in ["tcp:0.0.0.0:4566", "tcp:172.17.0.1:4566", "tcp:example.com:4566"] {
            let error = format!("{from}=unix:4566.sock").parse::<Route>().unwrap_err();
            assert!(error.contains("loopback"), "{error}");
        }
        assert!("tcp:127.0.0.1:4566=unix:4566.sock".parse::<Route>().is_ok());
    }

    #[test]
    fn rejects_a_malformed_route_with_the_expected_form() {
        for route in [
            "4566",
            "unix:a.sock",
            "tcp:127.0.0.1=unix:a.sock",
            "unix:=unix:a",
            "unix:a=",
        ] {
            let error = route.parse::<Route>().unwrap_err();
            assert!(error.contains("expected"), "{error}");
        }
    }
}
