//! A load test with fault injection: many uploads at once, invalid files, duplicate events, a Rekognition stand-in with a rate limit,
//! and random faults of services. It fails if an image is lost, or counted or announced twice.
//!
//! `cargo xtask storm` starts it. It redirects the functions of the whole stack to a proxy, so nothing else can use the
//! stack at the same time.

mod storm;
mod verdict;

use clap::Parser;
use futures_util::FutureExt;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::ExitCode;
use storm::Storm;
use tests::proxy::Proxy;
use tests::reroute::WORKFLOW;
use tests::run;
use tokio::signal::unix::{SignalKind, signal};

/// The factor for the waits before retries. The emulator supports neither jitter nor `MaxDelaySeconds`, so the
/// definition's waits would take hours.
const WAIT_FACTOR: f64 = 0.05;

/// Uploads many files to a running stack at once and checks the results.
#[derive(Debug, Parser)]
struct Options {
    /// Images to upload
    #[arg(long, default_value_t = 500)]
    images: usize,
    /// Short videos to upload among them
    #[arg(long, default_value_t = 10)]
    videos: usize,
    /// Images that are processed at the same time. On AWS, this could be all. On one machine, each of them uses a
    /// process, and with more than a few dozen, responses are too late
    #[arg(long, default_value_t = 40)]
    at_once: usize,
    /// The URL of a Rekognition stand-in with --max-tps, which gets the calls for Rekognition
    #[arg(long, value_name = "URL", env = "ILG_THROTTLED_REKOGNITION")]
    rekognition: String,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut passed = false;
    run(async |stack| {
        let proxy = Proxy::new(stack, &options.rekognition);
        stack.reroute(&WORKFLOW, &proxy).await;
        stack.scale_waits(WAIT_FACTOR).await;
        let storm = Storm::new(stack, options.images, options.videos, options.at_once);
        let result = AssertUnwindSafe(async {
            tokio::select! {
                verdict = storm.run(&proxy) => Some(verdict),
                () = interruption() => None,
            }
        })
        .catch_unwind()
        .await;
        storm.clean_up().await;
        stack.scale_waits(1.0).await;
        stack.route_back(&WORKFLOW).await;
        match result {
            Ok(Some(verdict)) => {
                println!("{verdict}");
                passed = verdict.is_good();
            }
            Ok(None) => eprintln!("interrupted"),
            Err(panic) => resume_unwind(panic),
        }
    });
    if passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Returns when this program gets SIGINT or SIGTERM.
async fn interruption() {
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals");
    let mut terminate = signal(SignalKind::terminate()).expect("signals");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
