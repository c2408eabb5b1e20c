//! A storm: many uploads at once, bad files among them, events that come twice, a labeler that takes only so many
//! calls a second, and services that break now and then. Afterwards it counts: no image is lost, none is counted or
//! announced twice.
//!
//! `cargo xtask storm` starts it. It leads the functions of the whole stack through a proxy meanwhile, so nothing
//! else may use the stack.

mod verdict;
mod weather;

use clap::Parser;
use futures_util::FutureExt;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::process::ExitCode;
use tests::proxy::Proxy;
use tests::reroute::WORKFLOW;
use tests::run;
use tokio::signal::unix::{SignalKind, signal};
use weather::Storm;

/// Retries come after a twentieth of their time: as the emulator knows no jitter and no cap, and nobody wants to
/// wait as long as Rekognition's quota makes people wait.
const RETRIES: f64 = 0.05;

/// Sends many uploads through a running stack at once and counts what becomes of them.
#[derive(Debug, Parser)]
struct Options {
    /// How many images to upload
    #[arg(long, default_value_t = 500)]
    images: usize,
    /// How many of them may be on their way at the same time. On AWS all could be; on one machine each of them keeps
    /// a process at work, and beyond some dozens all answers come too late
    #[arg(long, default_value_t = 40)]
    at_once: usize,
    /// Where to send the calls for Rekognition: a labeler with --max-tps
    #[arg(long, value_name = "URL", env = "ILG_THROTTLED_LABELER")]
    rekognition: String,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let mut calm = false;
    run(async |stack| {
        let proxy = Proxy::start(&stack.endpoint, &options.rekognition).await;
        stack.reroute(&WORKFLOW, &proxy).await;
        stack.scale_waits(RETRIES).await;
        let storm = Storm::new(stack, options.images, options.at_once);
        let result = AssertUnwindSafe(async {
            tokio::select! {
                verdict = storm.rage(&proxy) => Some(verdict),
                () = interruption() => None,
            }
        })
        .catch_unwind()
        .await;
        storm.clear_up().await;
        stack.scale_waits(1.0).await;
        stack.route_back(&WORKFLOW).await;
        match result {
            Ok(Some(verdict)) => {
                println!("{verdict}");
                calm = verdict.is_good();
            }
            Ok(None) => eprintln!("interrupted"),
            Err(panic) => resume_unwind(panic),
        }
    });
    if calm {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Comes when somebody wants this program to end.
async fn interruption() {
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals");
    let mut terminate = signal(SignalKind::terminate()).expect("signals");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
