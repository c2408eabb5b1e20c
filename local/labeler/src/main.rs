//! Starts the labeler.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::Instant;

use clap::Parser;
use labeler::analysis::Analyzer;
use labeler::models::{Models, load_runtime};
use labeler::object::ObjectStore;
use labeler::server::{Service, router};
use labeler::taxonomy::Taxonomy;
use labeler::throttle::Throttle;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

/// The models are small: more threads than this make them no faster.
const MODEL_THREADS: usize = 4;

/// Answers Amazon Rekognition's DetectLabels with two real image models.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Address to listen on; port 0 takes a free one. The address in use is printed on standard output.
    #[arg(long, default_value = "127.0.0.1:4568")]
    listen: SocketAddr,
    /// Folder with detector.onnx and classifier.onnx, as local/models/build.py makes it.
    #[arg(long, value_name = "DIR")]
    models: PathBuf,
    /// ONNX Runtime's shared library, as the Python package onnxruntime carries it.
    #[arg(long, value_name = "FILE")]
    onnxruntime: PathBuf,
    /// Where S3 is, if not at AWS. Region and credentials come from the usual AWS_… variables.
    #[arg(long, value_name = "URL")]
    s3_endpoint: Option<String>,
    /// Answer ProvisionedThroughputExceededException to more requests a second than this.
    #[arg(long, value_name = "N", value_parser = positive)]
    max_tps: Option<f64>,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && f64::is_finite(value) => Ok(value),
        _ => Err("it must be a number above 0".to_owned()),
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match serve(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let threads = available_parallelism().map_or(1, |threads| threads.get().min(MODEL_THREADS));
    let environment = load_runtime(&arguments.onnxruntime)?;
    let models = Models::load(&environment, &arguments.models, threads)?;
    let analyzer = Analyzer::new(models, Taxonomy::built_in()?);
    let objects = ObjectStore::connect(arguments.s3_endpoint.as_deref()).await;
    let throttle = arguments.max_tps.map(|rate| Throttle::new(rate, Instant::now()));
    let service = Arc::new(Service::new(analyzer, objects, throttle));
    let listener = TcpListener::bind(arguments.listen)
        .await
        .map_err(|error| format!("cannot listen on {}: {error}", arguments.listen))?;
    // Before the address is printed: whoever reads it may ask the server to stop at once.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, router(service))
        .with_graceful_shutdown(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping; requests at work are finished first");
        })
        .await?;
    Ok(())
}
