//! Sends what an invocation has spent time on (`domain::trace`) to X-Ray, as subsegments of the function's segment, which
//! Lambda itself records.
//!
//! Lambda runs the X-Ray daemon beside each function, and passes on the trace of each request ("Defined runtime environment
//! variables" in the Lambda Developer Guide). The daemon receives a document per UDP datagram, after a header ("Sending
//! segment documents to the X-Ray daemon" in the X-Ray Developer Guide). No maintained crate does this: the last release of
//! `xray-lite` is of March 2024.
//!
//! Sending never waits and never fails an invocation. A datagram that cannot be sent is lost.

use crate::Environment;
use domain::metric::Service;
use domain::trace::{self, Activity, Part};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

/// What the daemon expects before each document.
const HEADER: &str = "{\"format\": \"json\", \"version\": 1}\n";

/// The maximum number of characters of an operation's name. AWS's longest names are shorter.
const MAX_OPERATION_CHARS: usize = 100;

/// The trace of an invocation that X-Ray records.
#[derive(Debug, PartialEq, Eq)]
pub struct Trace {
    root: String,
    /// The function's segment.
    parent: String,
}

impl Trace {
    /// Reads a tracing header. `None` if X-Ray does not record the request, or the header is invalid.
    fn parse(header: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut fields = header.split(';').filter_map(|field| field.trim().split_once('='));
            fields.find(|(found, _)| *found == name).map(|(_, value)| value)
        };
        let is_hex = |text: &str, length: usize| {
            text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let (root, parent) = (field("Root")?, field("Parent")?);
        let (time, id) = root.strip_prefix("1-")?.split_once('-')?;
        let is_valid = is_hex(time, 8) && is_hex(id, 24) && is_hex(parent, 16);
        (is_valid && field("Sampled") == Some("1")).then(|| Self {
            root: root.to_owned(),
            parent: parent.to_owned(),
        })
    }
}

/// Sends traces to the X-Ray daemon.
#[derive(Debug)]
pub struct Traces {
    /// `None` if there is no daemon.
    daemon: Option<UdpSocket>,
    /// The release to which the function belongs. `None` if it was not deployed with `cargo xtask deploy`.
    release: Option<String>,
}

impl Traces {
    /// Reads the address of the daemon. Without one, nothing is measured.
    pub fn from_environment<F: Fn(&str) -> Option<String>>(environment: &Environment<F>) -> Self {
        let address = environment.text("AWS_XRAY_DAEMON_ADDRESS").ok();
        Self {
            daemon: address.and_then(|address| connect(&address).ok()),
            release: environment.text("RELEASE").ok(),
        }
    }

    /// Starts to measure an invocation with this tracing header, if X-Ray records it.
    pub fn start(&self, header: Option<&str>) -> Option<Trace> {
        let trace = Trace::parse(header?).filter(|_| self.daemon.is_some())?;
        trace::start();
        Some(trace)
    }

    /// Sends what was measured since [`Self::start`].
    pub fn send(&self, trace: Option<Trace>) {
        let (Some(daemon), Some(trace)) = (&self.daemon, trace) else {
            return;
        };
        let recording = trace::take();
        // By annotations, traces can be searched.
        let image_id = recording.image_id.map(|image_id| ("image_id", json!(image_id)));
        let release = self.release.as_ref().map(|release| ("release", json!(release)));
        let annotations: BTreeMap<_, _> = image_id.into_iter().chain(release).collect();
        for part in &recording.parts {
            let document = subsegment(&trace, &annotations, part);
            // Does not block. A subsegment that is lost is not worth an error.
            let _ = daemon.send(format!("{HEADER}{document}").as_bytes());
        }
    }
}

fn connect(address: &str) -> std::io::Result<UdpSocket> {
    let daemon = UdpSocket::bind("0.0.0.0:0")?;
    daemon.set_nonblocking(true)?;
    daemon.connect(address)?;
    Ok(daemon)
}

/// The document of a part.
fn subsegment(trace: &Trace, annotations: &BTreeMap<&str, Value>, part: &Part) -> Value {
    let mut document = Map::from_iter([
        ("type".to_owned(), json!("subsegment")),
        ("trace_id".to_owned(), json!(trace.root)),
        ("parent_id".to_owned(), json!(trace.parent)),
        ("id".to_owned(), json!(new_id())),
        ("start_time".to_owned(), json!(seconds(part.started))),
        ("end_time".to_owned(), json!(seconds(part.ended))),
    ]);
    let mut add = |name: &str, value: Value| document.insert(name.to_owned(), value);
    if !annotations.is_empty() {
        add("annotations", json!(annotations));
    }
    match &part.activity {
        Activity::Work(work) => {
            add("name", json!(<&str>::from(work)));
        }
        Activity::Call {
            service,
            operation,
            status,
        } => {
            let operation: String = operation.chars().take(MAX_OPERATION_CHARS).collect();
            add("name", json!(service_name(*service)));
            add("namespace", json!("aws"));
            add("aws", json!({"operation": operation}));
            if let Some(status) = status {
                add("http", json!({"response": {"status": status}}));
            }
            // "Errors and exceptions" in the X-Ray Developer Guide: 4xx is an error, 429 also throttling, the rest a fault.
            match status {
                Some(429) => {
                    add("error", json!(true));
                    add("throttle", json!(true));
                }
                Some(400..=499) => {
                    add("error", json!(true));
                }
                Some(..=399) => {}
                Some(500..) | None => {
                    add("fault", json!(true));
                }
            }
        }
    }
    Value::Object(document)
}

/// The name by which AWS's X-Ray SDKs call a service, so that it is one node of the map of services.
fn service_name(service: Service) -> &'static str {
    match service {
        Service::DynamoDb => "DynamoDB",
        Service::EventBridge => "EventBridge",
        Service::Rekognition => "Rekognition",
        Service::S3 => "S3",
        Service::StepFunctions => "SFN",
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// A random id of 16 hexadecimal digits. It only has to be unique in its trace.
fn new_id() -> String {
    // The lower half is random.
    let (_, low) = uuid::Uuid::now_v7().as_u64_pair();
    format!("{low:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ImageId;
    use std::time::Duration;

    const SAMPLED: &str =
        "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=1:dbe3f6a1:0";
    /// Validated with AWS's schema by tests/conformance/aws_models/test_traces.py.
    const EXAMPLES: &str = include_str!("../../../tests/conformance/aws_models/subsegments.json");

    fn traces(daemon: &UdpSocket) -> Traces {
        let address = daemon.local_addr().unwrap().to_string();
        Traces::from_environment(&Environment::new(move |name: &str| match name {
            "AWS_XRAY_DAEMON_ADDRESS" => Some(address.clone()),
            "RELEASE" => Some("6f1ed002".to_owned()),
            _ => None,
        }))
    }

    fn daemon() -> UdpSocket {
        let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
        daemon.set_read_timeout(Some(Duration::from_secs(300))).unwrap();
        daemon
    }

    fn received(daemon: &UdpSocket) -> Value {
        let mut datagram = [0; 64 * 1024];
        let length = daemon.recv(&mut datagram).unwrap();
        let text = std::str::from_utf8(&datagram[..length]).unwrap();
        serde_json::from_str(text.strip_prefix(HEADER).unwrap()).unwrap()
    }

    #[test]
    fn the_daemon_receives_a_document_for_each_call_and_piece_of_work() {
        let daemon = daemon();
        let traces = traces(&daemon);
        let trace = traces.start(Some(SAMPLED));
        trace::about(ImageId::parse("0193a5a0-0000-7000-8000-000000000001").unwrap());
        for (operation, status) in [
            ("GetObject", Some(200)),
            ("HeadObject", Some(404)),
            ("PutObject", Some(429)),
            ("PutObject", Some(503)),
            ("PutObject", None),
        ] {
            let timer = trace::call(|| Some((Service::S3, operation.to_owned()))).unwrap();
            if let Some(status) = status {
                timer.responded(status);
            }
        }
        trace::decoding().unwrap().encoded(Duration::from_millis(1));
        traces.send(trace);
        let mut documents: Vec<_> = (0..7).map(|_| received(&daemon)).collect();
        for document in &mut documents {
            let (start, end) = (&document["start_time"], &document["end_time"]);
            assert!(start.as_f64().unwrap() > 1.7e9 && start.as_f64() <= end.as_f64());
            // They differ each time.
            document["start_time"] = json!(1_461_096_053.375_18);
            document["end_time"] = json!(1_461_096_053.404_2);
            let id = document["id"].as_str().unwrap().to_owned();
            assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()));
            document["id"] = json!("defdfd9912dc5a56");
        }
        let expected: Vec<Value> = serde_json::from_str(EXAMPLES).unwrap();
        assert_eq!(documents, expected);
    }

    #[test]
    fn nothing_is_measured_if_x_ray_does_not_record_the_request() {
        let daemon = daemon();
        let traces = traces(&daemon);
        let unsampled = SAMPLED.replace("Sampled=1", "Sampled=0");
        let invalid = SAMPLED.replace("bd862e3f", "{}\n!");
        for header in [
            None,
            Some(unsampled.as_str()),
            Some("Sampled=1"),
            Some(invalid.as_str()),
        ] {
            let trace = traces.start(header);
            assert_eq!(trace, None, "{header:?}");
            assert!(trace::decoding().is_none());
            traces.send(trace);
        }
        let nowhere = Traces::from_environment(&Environment::new(|_: &str| None));
        assert_eq!(nowhere.start(Some(SAMPLED)), None);
    }

    #[test]
    fn a_missing_daemon_fails_no_invocation() {
        let closed = daemon();
        let traces = traces(&closed);
        drop(closed);
        for _ in 0..3 {
            let trace = traces.start(Some(SAMPLED));
            drop(trace::decoding());
            traces.send(trace);
        }
    }
}
