//! `cargo xtask`: the developer's commands. `up` and `down` start and stop the whole system on this machine, `label`
//! uploads pictures to it, and `test` runs all tests.

mod aws;
mod build;
mod checks;
mod console;
mod deployed;
mod disk;
mod files;
mod fingerprint;
mod http;
mod local;
mod lock;
mod openapi;
mod page_config;
mod prerequisites;
mod process;
mod project;
mod tools;

use crate::aws::{deploy, import, logs, reconcile, redrive, restore_table, smoke, status, upload, user};
use crate::console::{Interrupt, Interrupted};
use crate::local::{bench_api, env, label, storm, up};
use clap::{Parser, Subcommand};
use std::process::ExitCode;

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
    /// Print the environment variables with which AWS clients use the running system: eval "$(cargo xtask env)"
    Env(env::EnvOptions),
    /// Upload pictures to the running system and print their labels
    Label(label::LabelOptions),
    /// Upload all pictures in folders. Skips files that are already in the library
    Upload(upload::UploadOptions),
    /// Import the pictures and videos of a bucket. Says first what it costs and how long it takes
    Import(import::ImportOptions),
    /// Upload many files to the running system at once, with injected faults, and check the results
    Storm(storm::StormOptions),
    /// Measure the API's GET routes with a small and a large library
    BenchApi(bench_api::BenchApiOptions),
    /// Show what runs, what has failed and what to do next. Exits with 1 if something needs attention, with 2 for errors
    Status(status::StatusOptions),
    /// Print the log of the functions and state machines
    Logs(logs::LogsOptions),
    /// Redrive the messages of the dead-letter queue (send each event to its receiver again), or failed executions
    Redrive(redrive::RedriveOptions),
    /// Make a stack's table equal to another table, such as one restored from a backup
    RestoreTable(restore_table::RestoreTableOptions),
    /// Compare the bucket with the table, and repair what lost events and interrupted functions have left behind
    Reconcile(reconcile::ReconcileOptions),
    /// Build everything, deploy it to your AWS account and publish the page
    Deploy(deploy::DeployOptions),
    /// Upload the page to a deployed stack
    Publish(deploy::PublishOptions),
    /// Check a deployed stack as a temporary user, for less than two cents, and remove all test data
    Smoke(smoke::SmokeOptions),
    /// Add, list and remove the people who can sign in
    User(user::UserOptions),
    /// Simulate many images at once against Rekognition's quotas, with the Retry of a state machine
    Backpressure(tools::ToolOptions),
    /// Print the monthly costs of a number of pictures by service
    Cost(tools::ToolOptions),
    /// Print how long numbers of pictures take, and which limit is reached first
    Scale(tools::ToolOptions),
    /// Regenerate api/openapi.json after a change to the API's routes or types
    Openapi,
    /// Run all tests, or only the named parts
    Test(checks::TestOptions),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Up(options) => Interrupt::listen().and_then(|interrupt| up::up(&options, &interrupt)),
        Command::Down(options) => up::down(&options),
        Command::Env(options) => env::env(&options),
        Command::Label(options) => label::label(&options),
        Command::Upload(options) => upload::upload(&options),
        Command::Import(options) => import::import(&options),
        Command::Storm(options) => {
            Interrupt::listen().and_then(|interrupt| storm::storm(&options, &interrupt))
        }
        Command::BenchApi(options) => {
            Interrupt::listen().and_then(|interrupt| bench_api::bench(&options, &interrupt))
        }
        Command::Status(options) => Ok(status::status(&options)),
        Command::Logs(options) => logs::logs(&options),
        Command::Redrive(options) => redrive::redrive(&options),
        Command::RestoreTable(options) => restore_table::restore_table(&options),
        Command::Reconcile(options) => reconcile::reconcile(&options),
        Command::Deploy(options) => {
            Interrupt::listen().and_then(|interrupt| deploy::deploy(&options, &interrupt))
        }
        Command::Publish(options) => {
            Interrupt::listen().and_then(|interrupt| deploy::publish(&options, &interrupt))
        }
        Command::Smoke(options) => {
            Interrupt::listen().and_then(|interrupt| smoke::smoke(&options, &interrupt))
        }
        Command::User(options) => user::user(&options),
        Command::Backpressure(options) => tools::run("backpressure", &options),
        Command::Cost(options) => tools::run("cost", &options),
        Command::Scale(options) => tools::run("scale", &options),
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
