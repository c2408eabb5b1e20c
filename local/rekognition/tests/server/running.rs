//! A running server and its clients.

use aws_sdk_rekognition::Client;
use aws_sdk_rekognition::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_sdk_rekognition::operation::detect_labels::DetectLabelsOutput;
use aws_sdk_rekognition::primitives::Blob;
use aws_sdk_rekognition::types::Image;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A server process, which is killed when dropped.
pub(crate) struct Server {
    process: Child,
    /// `host:port`.
    pub(crate) address: String,
}

impl Server {
    /// Starts the server on a free port and waits until it listens.
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut process = command()
            .args(["--listen", "127.0.0.1:0"])
            .arg("--models")
            .arg(path("ILG_MODELS"))
            .arg("--onnxruntime")
            .arg(path("ILG_ONNXRUNTIME"))
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        let mut output = BufReader::new(process.stdout.take().expect("it is piped"));
        output
            .read_line(&mut line)
            .expect("the server prints its address");
        let address = line.trim().strip_prefix("listening on http://");
        let address = address
            .unwrap_or_else(|| panic!("the server did not start, see above: {line:?}"))
            .to_owned();
        Self { process, address }
    }

    /// An SDK client that does not retry.
    pub(crate) fn client(&self) -> Client {
        let config = aws_sdk_rekognition::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("test", "test", None, None, "tests"))
            .endpoint_url(format!("http://{}", self.address))
            .retry_config(RetryConfig::disabled())
            .build();
        Client::from_conf(config)
    }

    /// Labels an image with the default parameters.
    pub(crate) async fn labels(&self, bytes: Vec<u8>) -> DetectLabelsOutput {
        self.client()
            .detect_labels()
            .image(inline(bytes))
            .send()
            .await
            .expect("the image is labeled")
    }

    /// Sends these bytes and returns status and body of the response.
    pub(crate) fn raw(&self, request: &[u8]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).expect("the server listens");
        // The server can respond and close the connection before it has read everything.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0);
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, body.to_owned())
    }

    /// Sends `POST /` with this body and this `x-amz-target`, if there is one.
    pub(crate) fn post(&self, target: Option<&str>, body: &str) -> (u16, String) {
        let target = target
            .map(|target| format!("x-amz-target: {target}\r\n"))
            .unwrap_or_default();
        let length = body.len();
        self.raw(
            format!("POST / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: {length}\r\n{target}\r\n{body}")
                .as_bytes(),
        )
    }

    /// Peak memory of the server in kilobytes.
    #[cfg(target_os = "linux")]
    pub(crate) fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).expect("it runs");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmHWM:"))
            .expect("a VmHWM line");
        line.split_whitespace()
            .nth(1)
            .and_then(|kilobytes| kilobytes.parse().ok())
            .expect("a number")
    }

    /// Sends SIGTERM and returns the exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let killed = Command::new("kill")
            .arg(self.process.id().to_string())
            .status()
            .expect("kill runs");
        assert!(killed.success());
        self.process.wait().expect("the server ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The server's program with credentials for S3 and without this process's AWS settings.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-rekognition"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("RUST_LOG", "warn");
    command
}

/// The path in an environment variable.
pub(crate) fn path(variable: &str) -> PathBuf {
    let path = std::env::var_os(variable).map(PathBuf::from);
    path.unwrap_or_else(|| {
        panic!("{variable} is not set: this test needs the models. Run it with `cargo xtask test`.")
    })
}

/// Reads a file of the folder `samples`.
pub(crate) fn sample(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../samples")
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// An image in the request.
pub(crate) fn inline(bytes: Vec<u8>) -> Image {
    Image::builder().bytes(Blob::new(bytes)).build()
}
