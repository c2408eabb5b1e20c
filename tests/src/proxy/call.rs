//! A call of a function to a service, as an HTTP request.

use super::rest;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";
/// The content type of all services' JSON. DynamoDB's has another version, which clients do not check.
pub(super) const JSON: &str = "application/x-amz-json-1.1";

/// A service that functions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Amazon S3.
    S3,
    /// Amazon DynamoDB.
    DynamoDb,
    /// Amazon Rekognition.
    Rekognition,
    /// Amazon EventBridge.
    EventBridge,
    /// AWS Step Functions, of `validate` only.
    StepFunctions,
}

impl Service {
    /// Those that all functions reach through the proxy.
    pub const ALL: [Self; 4] = [Self::S3, Self::DynamoDb, Self::Rekognition, Self::EventBridge];

    /// The environment variable with the endpoint of the service's clients.
    pub fn endpoint_variable(self) -> &'static str {
        match self {
            Self::S3 => "AWS_ENDPOINT_URL_S3",
            Self::DynamoDb => "AWS_ENDPOINT_URL_DYNAMODB",
            Self::Rekognition => "AWS_ENDPOINT_URL_REKOGNITION",
            Self::EventBridge => "AWS_ENDPOINT_URL_EVENTBRIDGE",
            Self::StepFunctions => "AWS_ENDPOINT_URL_SFN",
        }
    }

    /// By the name in the credential scope of signatures.
    fn of_scope(name: &str) -> Option<Self> {
        match name {
            "s3" => Some(Self::S3),
            "dynamodb" => Some(Self::DynamoDb),
            "rekognition" => Some(Self::Rekognition),
            "events" => Some(Self::EventBridge),
            "states" => Some(Self::StepFunctions),
            _ => None,
        }
    }

    pub(super) fn unavailable(self) -> Vec<u8> {
        match self {
            Self::S3 => self.error("500 Internal Server Error", "InternalError"),
            Self::EventBridge => self.error("500 Internal Server Error", "InternalException"),
            Self::StepFunctions => self.error("503 Service Unavailable", "ServiceUnavailable"),
            Self::DynamoDb | Self::Rekognition => {
                self.error("500 Internal Server Error", "InternalServerError")
            }
        }
    }

    pub(super) fn throttled(self) -> Vec<u8> {
        match self {
            Self::S3 => self.error("503 Slow Down", "SlowDown"),
            Self::EventBridge | Self::StepFunctions => self.error("400 Bad Request", "ThrottlingException"),
            Self::DynamoDb | Self::Rekognition => {
                self.error("400 Bad Request", "ProvisionedThroughputExceededException")
            }
        }
    }

    pub(super) fn unreadable(self) -> Vec<u8> {
        self.error("400 Bad Request", "InvalidImageFormatException")
    }

    pub(super) fn denied(self) -> Vec<u8> {
        match self {
            Self::S3 => self.error("403 Forbidden", "AccessDenied"),
            Self::DynamoDb | Self::Rekognition | Self::EventBridge | Self::StepFunctions => {
                self.error("400 Bad Request", "AccessDeniedException")
            }
        }
    }

    /// An error in the format of the service.
    fn error(self, status: &str, code: &str) -> Vec<u8> {
        let (content_type, body) = match self {
            Self::S3 => (
                "application/xml",
                format!("<Error><Code>{code}</Code><Message>Broken</Message></Error>"),
            ),
            _ => (JSON, format!(r#"{{"__type":"{code}","message":"Broken"}}"#)),
        };
        answer(status, content_type, &body)
    }
}

/// An answer after which the connection is closed.
pub(super) fn answer(status: &str, content_type: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\
         connection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

/// A call, as the `decide` of an injection gets it.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function that makes it.
    pub function: String,
    /// The service that it is for.
    pub service: Service,
    /// Request line, headers and body.
    pub text: String,
}

impl Call {
    /// Whether this is a DynamoDB operation, such as `UpdateItem`.
    pub fn is(&self, operation: &str) -> bool {
        self.text.contains(&format!("DynamoDB_20120810.{operation}\r\n"))
    }
}

/// A request as it was received.
pub(super) struct Request {
    head: Vec<u8>,
    body: Vec<u8>,
}

impl Request {
    /// Reads one; `None` if the caller closes the connection without sending any.
    pub(super) async fn read(client: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut head = vec![];
        let end = loop {
            if client.read_buf(&mut head).await? == 0 {
                return Ok(None);
            }
            if let Some(start) = head
                .windows(END_OF_HEAD.len())
                .position(|bytes| bytes == END_OF_HEAD)
            {
                break start + END_OF_HEAD.len();
            }
        };
        let mut body = head.split_off(end);
        let missing = content_length(&head).saturating_sub(body.len());
        let start = body.len();
        body.resize(start + missing, 0);
        client.read_exact(&mut body[start..]).await?;
        Ok(Some(Self { head, body }))
    }

    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    pub(super) fn call(&self, function: &str) -> Call {
        let head = String::from_utf8_lossy(&self.head);
        // Credential=<access key>/<date>/<region>/<service>/aws4_request
        let scope = head
            .split_once("Credential=")
            .and_then(|(_, credential)| credential.split('/').nth(3));
        let service = scope.and_then(Service::of_scope).unwrap_or(Service::S3);
        Call {
            function: function.to_owned(),
            service,
            text: format!("{head}{}", String::from_utf8_lossy(&self.body)),
        }
    }

    /// Forwards it, and asks for an answer that ends with the connection.
    pub(super) async fn send(&self, upstream: &str) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(upstream).await?;
        let fields = self.head.len() - END_OF_HEAD.len();
        stream.write_all(&self.head[..fields]).await?;
        stream.write_all(b"\r\nconnection: close\r\n\r\n").await?;
        stream.write_all(&self.body).await?;
        Ok(stream)
    }

    /// The whole answer.
    pub(super) async fn answer(&self, upstream: &str) -> io::Result<Vec<u8>> {
        rest(self.send(upstream).await?).await
    }
}

fn content_length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let field = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    field
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or_default()
}
