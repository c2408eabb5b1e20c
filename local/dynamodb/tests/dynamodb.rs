//! Runs the program as a local stack does, and calls it with the AWS SDK.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification,
};
use aws_sdk_dynamodb::{Client, Config};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Maximum time for short operations on a busy machine.
const DEADLINE: Duration = Duration::from_secs(300);
const TABLE: &str = "table";
const LISTENING: &str = "listening on ";

/// A running program, which is killed when dropped.
struct Running {
    process: Child,
    url: String,
}

impl Running {
    fn start(folder: &Path, options: &[&str]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_local-dynamodb"))
            .args(["--listen", "127.0.0.1:0", "--file"])
            .arg(folder.join("tables.db"))
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let output = process.stdout.take().unwrap();
        BufReader::new(output).read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix(LISTENING)
            .expect("an address")
            .to_owned();
        Self { process, url }
    }

    fn client(&self) -> Client {
        let config = Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.url)
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .build();
        Client::from_conf(config)
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    fn terminate(mut self) -> ExitStatus {
        let id = i32::try_from(self.process.id()).unwrap();
        kill_process(Pid::from_raw(id).unwrap(), Signal::TERM).unwrap();
        self.process.wait().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // An error means that it has already ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn create_table(client: &Client) {
    let attribute = AttributeDefinition::builder()
        .attribute_name("pk")
        .attribute_type(ScalarAttributeType::S);
    let key = KeySchemaElement::builder()
        .attribute_name("pk")
        .key_type(KeyType::Hash);
    client
        .create_table()
        .table_name(TABLE)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(attribute.build().unwrap())
        .key_schema(key.build().unwrap())
        .send()
        .await
        .unwrap();
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

async fn put(client: &Client, key: &str) {
    let put = client.put_item().table_name(TABLE).item("pk", text(key));
    put.send().await.unwrap();
}

async fn get(client: &Client, key: impl Into<String>) -> Option<HashMap<String, AttributeValue>> {
    let get = client.get_item().table_name(TABLE).key("pk", text(key));
    get.consistent_read(true).send().await.unwrap().item
}

async fn until(what: &str, mut look: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !look().await {
        assert!(start.elapsed() < DEADLINE, "timed out waiting until {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Writers put one item after the other until the connection breaks. All acknowledged items must be in the table.
#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_writes_survive_a_kill() {
    const WRITERS: u64 = 3;
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), &[]);
    create_table(&running.client()).await;
    let mut running = running;
    for round in 0..3 {
        let client = running.client();
        let counts: Vec<_> = (0..WRITERS).map(|_| Arc::new(AtomicU64::new(0))).collect();
        let writers: Vec<_> = counts
            .iter()
            .enumerate()
            .map(|(writer, acknowledged)| {
                let (client, acknowledged) = (client.clone(), Arc::clone(acknowledged));
                tokio::spawn(async move {
                    loop {
                        let number = acknowledged.load(Ordering::SeqCst);
                        let key = text(format!("{round}/{writer}/{number}"));
                        let put = client.put_item().table_name(TABLE).item("pk", key);
                        if put.send().await.is_err() {
                            return;
                        }
                        acknowledged.store(number + 1, Ordering::SeqCst);
                    }
                })
            })
            .collect();
        until("every writer has written", async || {
            counts.iter().all(|count| count.load(Ordering::SeqCst) > 5)
        })
        .await;
        running.kill();
        for writer in writers {
            writer.await.unwrap();
        }

        running = Running::start(folder.path(), &[]);
        let client = running.client();
        for (writer, acknowledged) in counts.iter().enumerate() {
            for number in 0..acknowledged.load(Ordering::SeqCst) {
                let key = format!("{round}/{writer}/{number}");
                assert!(get(&client, &key).await.is_some(), "{key} is lost");
            }
        }
    }
}

#[tokio::test]
async fn sigterm_stops_it_cleanly_and_keeps_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), &[]);
    let client = running.client();
    create_table(&client).await;
    put(&client, "1").await;
    // The client keeps its connection open.
    let status = running.terminate();
    assert!(status.success(), "{status}");

    let running = Running::start(folder.path(), &[]);
    assert!(get(&running.client(), "1").await.is_some());
}

#[tokio::test]
async fn deletes_an_expired_item_and_keeps_others() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), &["--ttl-interval", "1"]);
    let client = running.client();
    create_table(&client).await;
    let time_to_live = TimeToLiveSpecification::builder()
        .attribute_name("expiresAt")
        .enabled(true)
        .build()
        .unwrap();
    client
        .update_time_to_live()
        .table_name(TABLE)
        .time_to_live_specification(time_to_live)
        .send()
        .await
        .unwrap();
    let in_2100 = 4_102_444_800_u64;
    for (key, expires) in [("expired", 1_000_000_000), ("later", in_2100)] {
        client
            .put_item()
            .table_name(TABLE)
            .item("pk", text(key))
            .item("expiresAt", AttributeValue::N(expires.to_string()))
            .send()
            .await
            .unwrap();
    }
    until("the expired item is gone", async || {
        get(&client, "expired").await.is_none()
    })
    .await;
    assert!(get(&client, "later").await.is_some());
}

/// An emulator that only parses expressions would accept these.
#[tokio::test]
async fn rejects_expressions_that_dynamodb_rejects() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), &[]);
    let client = running.client();
    create_table(&client).await;
    put(&client, "1").await;
    let cases = [
        ("SET size = :value", "reserved keyword"),
        (
            "SET info = :value, info.part = :value",
            "Two document paths overlap",
        ),
        ("SET a = :value SET b = :value", "can only be used once"),
        ("SET pk = :value", "part of the key"),
    ];
    for (expression, reason) in cases {
        let error = client
            .update_item()
            .table_name(TABLE)
            .key("pk", text("1"))
            .update_expression(expression)
            .expression_attribute_values(":value", text("x"))
            .send()
            .await
            .unwrap_err();
        let message = error.message().unwrap_or_default();
        assert_eq!(
            error.code(),
            Some("ValidationException"),
            "{expression}: {message}"
        );
        assert!(message.contains(reason), "{expression}: {message}");
    }
}

/// The engine accepts every web page. Its CORS headers must not reach the page.
#[tokio::test]
async fn a_web_page_gets_no_data_and_no_cors_permission() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), &[]);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    for method in [
        reqwest::Method::OPTIONS,
        reqwest::Method::POST,
        reqwest::Method::GET,
    ] {
        let answer = http
            .request(method, &running.url)
            .header("origin", "https://evil.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "x-amz-target,authorization")
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 403);
        assert!(
            !answer.headers().contains_key("access-control-allow-origin"),
            "{answer:?}"
        );
    }
    let answer = http
        .get(&running.url)
        .header("host", "evil.example")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 421);
    let answer = http.get(&running.url).send().await.unwrap();
    assert_eq!(answer.status(), 200, "a program gets a response");
}

#[test]
fn names_the_file_that_it_cannot_open() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none/tables.db");
    let output = Command::new(env!("CARGO_BIN_EXE_local-dynamodb"))
        .args(["--listen", "127.0.0.1:0", "--file"])
        .arg(&file)
        .output()
        .unwrap();
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success());
    assert!(message.contains(file.to_str().unwrap()), "{message}");
}
