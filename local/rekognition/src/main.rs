//! Starts the local stand-in for Rekognition.

use clap::Parser;
use label_model::analysis::Analyzer;
use label_model::models::{Models, load_runtime};
use label_model::taxonomy::Taxonomy;
use local_guard::programs_only;
use local_guard::server::{self, Timeouts};
use local_rekognition::object::ObjectStore;
use local_rekognition::server::{Service, router};
use local_rekognition::throttle::Throttle;
use local_rekognition::video::{MAX_JOBS, Notifier};
use picture_process::{PictureProcess, run_if_child};
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

/// The models are small: more threads do not make them faster.
const MODEL_THREADS: usize = 4;
/// On SIGINT and SIGTERM, requests in progress have time for an object and a run of the models.
const TIMEOUTS: Timeouts = Timeouts {
    headers: None,
    shutdown: Duration::from_secs(60),
};

/// A local stand-in for Amazon Rekognition that labels pictures and videos with two real image models.
#[derive(Parser)]
#[command(name = "local-rekognition", version)]
struct Options {
    /// The address to listen on. Only addresses of this machine are allowed. With port 0, the system chooses a free port.
    /// The address is printed on standard output
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:4568", value_parser = server::loopback_address)]
    listen: SocketAddr,
    /// The folder with detector.onnx and classifier.onnx, which local/models/build.py builds
    #[arg(long, value_name = "FOLDER")]
    models: PathBuf,
    /// ONNX Runtime's shared library, which is part of the Python package onnxruntime
    #[arg(long, value_name = "FILE")]
    onnxruntime: PathBuf,
    /// The URL of S3 [default: AWS]. Region and credentials come from the AWS_… environment variables
    #[arg(long, value_name = "URL")]
    s3_endpoint: Option<String>,
    /// The URL of SNS, which tells that a video has been labeled [default: AWS]
    #[arg(long, value_name = "URL")]
    sns_endpoint: Option<String>,
    /// Maximum number of jobs that label videos at a time. Others get LimitExceededException
    #[arg(long, value_name = "N", default_value_t = MAX_JOBS)]
    max_jobs: usize,
    /// Maximum number of requests per second. Others get ProvisionedThroughputExceededException [default: no limit]
    #[arg(long, value_name = "N", value_parser = positive)]
    max_tps: Option<f64>,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && f64::is_finite(value) => Ok(value),
        _ => Err("expected a number above 0".to_owned()),
    }
}

fn main() -> ExitCode {
    run(run_if_child())
}

#[tokio::main]
async fn run(process: PictureProcess) -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    match serve(Options::parse(), process).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: Options, process: PictureProcess) -> Result<(), Box<dyn Error>> {
    let threads = available_parallelism().map_or(1, |threads| threads.get().min(MODEL_THREADS));
    let environment = load_runtime(&options.onnxruntime)?;
    let models = Models::load(&environment, &options.models, threads)?;
    let analyzer = Analyzer::new(models, Taxonomy::built_in()?);
    let objects = ObjectStore::connect(options.s3_endpoint.as_deref()).await;
    let notifier = Notifier::connect(options.sns_endpoint.as_deref()).await;
    let throttle = options.max_tps.map(|rate| Throttle::new(rate, Instant::now()));
    let service = Arc::new(Service::new(
        analyzer,
        objects,
        process,
        notifier,
        options.max_jobs,
        throttle,
    ));
    let listener = server::listen(options.listen).await?;
    server::serve(listener, programs_only(router(service)), TIMEOUTS).await?;
    Ok(())
}
