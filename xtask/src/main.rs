//! `cargo xtask`: the developer's commands. `up` and `down` start and stop the whole system on this machine, `label`
//! sends pictures through it, `test` runs every check.

mod backpressure;
mod bench_api;
mod checks;
mod chromium;
mod console;
mod deploy;
mod fingerprint;
mod http;
mod label;
mod openapi;
mod page;
mod page_config;
mod prerequisites;
mod process;
mod project;
mod redrive;
mod sam;
mod services;
mod sign_in;
mod stack;
mod storm;
mod tools;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::console::{Interrupt, Interrupted};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The developer's commands",
    version
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install, build, deploy and start the whole system on this machine, and serve the page
    Up(up::UpOptions),
    /// Stop what `up` started
    Down(up::DownOptions),
    /// Upload pictures to the running system and print their labels
    Label(label::LabelOptions),
    /// Send many uploads, bad files and doubled events through the running system at once, and count
    Storm(storm::StormOptions),
    /// Measure the API's reading routes with a small and a large library, side by side
    BenchApi(bench_api::BenchApiOptions),
    /// Send what is in the dead-letter queue through again
    Redrive(redrive::RedriveOptions),
    /// Build everything, deploy it to your AWS account and publish the page
    Deploy(deploy::DeployOptions),
    /// Upload the page to a stack that is deployed already
    Publish(deploy::PublishOptions),
    /// Simulate many images at once against Rekognition's quotas
    Backpressure(backpressure::BackpressureOptions),
    /// Write api/openapi.json anew after a change of the API's routes or types
    Openapi,
    /// Run every check, or only the parts named
    Test(checks::TestOptions),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Up(options) => Interrupt::listen().and_then(|interrupt| up::up(&options, &interrupt)),
        Command::Down(options) => up::down(&options),
        Command::Label(options) => label::label(&options),
        Command::Storm(options) => {
            Interrupt::listen().and_then(|interrupt| storm::storm(&options, &interrupt))
        }
        Command::BenchApi(options) => {
            Interrupt::listen().and_then(|interrupt| bench_api::bench(&options, &interrupt))
        }
        Command::Redrive(options) => redrive::redrive(&options),
        Command::Deploy(options) => {
            Interrupt::listen().and_then(|interrupt| deploy::deploy(&options, &interrupt))
        }
        Command::Publish(options) => {
            Interrupt::listen().and_then(|interrupt| deploy::publish(&options, &interrupt))
        }
        Command::Backpressure(options) => backpressure::backpressure(&options),
        Command::Openapi => openapi::write(),
        Command::Test(options) => {
            Interrupt::listen().and_then(|interrupt| checks::test(&options, &interrupt))
        }
    };
    match result {
        Ok(code) => code,
        Err(error) if error.is::<Interrupted>() => {
            eprintln!("interrupted");
            ExitCode::from(130)
        }
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
