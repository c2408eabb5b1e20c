//! Traces of a function: its process, with servers in place of Lambda, EventBridge and the X-Ray daemon.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Command};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

const EVENT: &str = include_str!("../../../events/notify/labeled.json");
const ROOT: &str = "1-5759e988-bd862e3fe1be46a994272793";
const SEGMENT: &str = "53995c3f42cd8ad8";
const PATIENCE: Duration = Duration::from_secs(300);

/// A request that a server has received: its first line, its headers in lower case, and its body.
struct Request {
    line: String,
    headers: Vec<String>,
    body: String,
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = vec![];
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let headers: Vec<_> = lines
        .split_off(1)
        .iter()
        .map(|line| line.to_lowercase())
        .collect();
    let length = headers
        .iter()
        .find_map(|header| header.strip_prefix("content-length: "));
    let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        line: lines.remove(0),
        headers,
        body: String::from_utf8(body).unwrap(),
    })
}

fn answer(mut stream: &TcpStream, headers: &str, body: &str) {
    let length = body.len();
    let text =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
    stream.write_all(text.as_bytes()).unwrap();
}

/// Lambda and EventBridge. Lambda has one event, and sends the function's answer and EventBridge's requests to the channel.
fn serve(sampled: u8, requests: Sender<Request>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        let mut waiting = vec![];
        for stream in listener.incoming().map_while(Result::ok) {
            let Some(request) = read(&stream) else { continue };
            if request
                .line
                .starts_with("GET /2018-06-01/runtime/invocation/next")
            {
                if waiting.is_empty() {
                    let headers = format!(
                        "lambda-runtime-aws-request-id: one\r\nlambda-runtime-deadline-ms: 9999999999999\r\n\
                         lambda-runtime-invoked-function-arn: arn\r\n\
                         lambda-runtime-trace-id: Root={ROOT};Parent={SEGMENT};Sampled={sampled}\r\n"
                    );
                    answer(&stream, &headers, EVENT);
                }
                // There is no second event: the function waits.
                waiting.push(stream);
                continue;
            }
            answer(
                &stream,
                "",
                r#"{"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}"#,
            );
            if requests.send(request).is_err() {
                return;
            }
        }
    });
    address
}

struct Function(Child);

impl Drop for Function {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn start(server: &str, daemon: &UdpSocket) -> Function {
    let child = Command::new(env!("CARGO_BIN_EXE_notify"))
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", server)
        .env("AWS_LAMBDA_FUNCTION_NAME", "notify")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .env(
            "AWS_XRAY_DAEMON_ADDRESS",
            daemon.local_addr().unwrap().to_string(),
        )
        .env("AWS_ENDPOINT_URL", format!("http://{server}"))
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ACCESS_KEY_ID", "test")
        .env("AWS_SECRET_ACCESS_KEY", "test")
        .env("EVENT_BUS_NAME", "bus")
        .env("STACK_NAME", "stack")
        .spawn()
        .unwrap();
    Function(child)
}

/// The first datagram that the daemon receives, and EventBridge's request, after one event was handled.
fn handle(sampled: u8, wait: Duration) -> (Option<String>, Request) {
    let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
    daemon.set_read_timeout(Some(wait)).unwrap();
    let (sender, requests) = channel();
    let _function = start(&serve(sampled, sender), &daemon);
    let to_eventbridge = requests.recv_timeout(PATIENCE).unwrap();
    assert!(
        to_eventbridge.line.starts_with("POST / "),
        "{}",
        to_eventbridge.line
    );
    let answer = requests.recv_timeout(PATIENCE).unwrap();
    assert!(
        answer.line.contains("/invocation/one/response"),
        "{}: {}",
        answer.line,
        answer.body
    );
    let mut datagram = [0; 64 * 1024];
    let received = daemon.recv(&mut datagram).ok();
    let text = received.map(|length| String::from_utf8(datagram[..length].to_vec()).unwrap());
    (text, to_eventbridge)
}

#[test]
fn a_call_of_a_step_becomes_a_subsegment_of_its_function() {
    let (datagram, to_eventbridge) = handle(1, PATIENCE);
    let datagram = datagram.unwrap();
    let (header, document) = datagram.split_once('\n').unwrap();
    let header: Value = serde_json::from_str(header).unwrap();
    assert_eq!(header, json!({"format": "json", "version": 1}));
    let document: Value = serde_json::from_str(document).unwrap();
    assert_eq!(document["trace_id"], ROOT);
    assert_eq!(document["parent_id"], SEGMENT);
    assert_eq!(document["name"], "EventBridge");
    assert_eq!(document["aws"], json!({"operation": "PutEvents"}));
    assert_eq!(document["http"]["response"]["status"], 200);
    // Nothing of the event is in it.
    let event: Value = serde_json::from_str(EVENT).unwrap();
    for private in ["owner", "key", "bucket"] {
        assert!(!datagram.contains(event[private].as_str().unwrap()), "{private}");
    }
    // EventBridge continues the trace in the functions that receive the event.
    let header = format!("x-amzn-trace-id: root={ROOT};parent={SEGMENT};sampled=1");
    assert!(
        to_eventbridge.headers.contains(&header),
        "{:?}",
        to_eventbridge.headers
    );
}

#[test]
fn a_request_that_x_ray_does_not_record_sends_nothing() {
    // Subsegments are sent before the function answers.
    let (datagram, _) = handle(0, Duration::from_millis(200));
    assert_eq!(datagram, None);
}
