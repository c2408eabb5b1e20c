//! Records the calls of the stack's functions to S3, DynamoDB, Rekognition, EventBridge and Step Functions, and the
//! responses: a line of JSON for each call, without credentials and signatures.
//!
//! `cargo xtask test` runs it during the workflow and API tests, and afterwards compares the calls with AWS's models
//! (`tests/conformance/aws_models`). Requests are forwarded unchanged, including `Host`: their signatures cover it.

mod call;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, TRANSFER_ENCODING};
use axum::http::{HeaderMap, Response, StatusCode, Uri, request};
use call::{Call, is_json, service};
use clap::Parser;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::fs::File;
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tests::recorder::RECORDER;
use tests::{Stack, run_on};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The size limit of requests and responses in JSON.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Records the calls of the functions of a running stack until it gets SIGINT or SIGTERM.
#[derive(Debug, Parser)]
struct Options {
    /// The file for the calls
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// The running stack's stack.json
    #[arg(long, value_name = "FILE", env = "ILG_STACK")]
    stack: PathBuf,
}

/// A proxy in front of the services.
struct Recorder {
    client: Client<HttpConnector, Body>,
    /// The endpoint of all services except DynamoDB and Rekognition.
    services: String,
    dynamodb: String,
    rekognition: String,
    out: Mutex<File>,
}

fn main() {
    let options = Options::parse();
    run_on(&options.stack, async |stack| record(&options, stack).await);
}

async fn record(options: &Options, stack: &Stack) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let recorder = Arc::new(Recorder {
        client: Client::builder(TokioExecutor::new()).set_host(false).build_http(),
        services: stack.endpoint.clone(),
        dynamodb: stack.dynamodb_url.clone(),
        rekognition: stack.rekognition_url.clone(),
        out: Mutex::new(File::create(&options.out).expect("a file for the calls")),
    });
    let router = Router::new().fallback(forward).with_state(recorder);
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    stack.record_functions(Some(&origin)).await;
    // The program that has started this one waits for this line.
    println!("{RECORDER}={origin}");
    ended().await;
    stack.record_functions(None).await;
    server.abort();
}

async fn ended() {
    let mut terminate = signal(SignalKind::terminate()).expect("a signal handler");
    let mut interrupt = signal(SignalKind::interrupt()).expect("a signal handler");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

async fn forward(State(recorder): State<Arc<Recorder>>, request: Request) -> Response<Body> {
    recorder.forward(request).await.unwrap_or_else(|error| {
        eprintln!("can't forward a call: {error}");
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::BAD_GATEWAY;
        response
    })
}

impl Recorder {
    async fn forward(&self, request: Request) -> Result<Response<Body>, Box<dyn std::error::Error>> {
        let (mut head, body) = request.into_parts();
        let asked = head.clone();
        head.uri = self.url(&head)?;
        let (body, request_body) = bytes_of(&mut head.headers, body).await?;
        let answer = self.client.request(Request::from_parts(head, body)).await?;
        let (mut head, body) = answer.into_parts();
        let (body, answer_body) = bytes_of(&mut head.headers, Body::new(body)).await?;
        if let Some(call) = Call::of(
            &asked,
            request_body.as_deref(),
            head.status,
            answer_body.as_deref(),
        ) {
            let line = serde_json::to_string(&call)? + "\n";
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            out.write_all(line.as_bytes())?;
        }
        Ok(Response::from_parts(head, body))
    }

    /// The URL of the call at its service.
    fn url(&self, head: &request::Parts) -> Result<Uri, axum::http::Error> {
        let origin = match service(head).as_deref() {
            Some("dynamodb") => &self.dynamodb,
            Some("rekognition") => &self.rekognition,
            _ => &self.services,
        };
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(format!("{origin}{path}").parse()?)
    }
}

/// The body, and its bytes if they are JSON. Other bodies, such as pictures, are streamed.
async fn bytes_of(headers: &mut HeaderMap, body: Body) -> Result<(Body, Option<Bytes>), axum::Error> {
    // These headers are only for one connection.
    headers.remove(CONNECTION);
    headers.remove(TRANSFER_ENCODING);
    if !is_json(headers) {
        return Ok((body, None));
    }
    let bytes = axum::body::to_bytes(body, MAX_BYTES).await?;
    Ok((Body::from(bytes.clone()), Some(bytes)))
}
