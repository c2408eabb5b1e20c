//! `bench-api`: how long the API's reading routes take, and how much they read, with a small and a large library side
//! by side. The images are put straight into the running stack's table, for people who are made for this run.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use crate::console::{Console, Interrupt};
use crate::project::Project;
use crate::up::stack_folder;

#[derive(Args)]
pub(crate) struct BenchApiOptions {
    /// Images of the small library
    #[arg(long, default_value_t = 100)]
    small: usize,
    /// Images of the large library. The emulator walks through all of them for each query: take few requests with many
    #[arg(long, default_value_t = 10_000)]
    large: usize,
    /// How often each route is asked
    #[arg(long, default_value_t = 30)]
    requests: usize,
    /// The folder of a stack that nobody else uses meanwhile [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

/// Runs `cargo xtask bench-api`.
pub(crate) fn bench(options: &BenchApiOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    let project = Project::find()?;
    let folder = stack_folder(&project, options.stack_dir.as_deref())?;
    let console = Console::new(&folder.join("logs"), interrupt)?;
    // Built as the tests of the whole workspace are: else the AWS SDK would be compiled again, for other features.
    console.show(
        project
            .cargo()
            .args(["test", "--quiet", "--workspace", "--no-run", "--test", "api"]),
    )?;
    let mut bench = project.command(project.binary("bench-api"));
    bench
        .args([
            "--small",
            &options.small.to_string(),
            "--large",
            &options.large.to_string(),
        ])
        .args(["--requests", &options.requests.to_string()])
        .env("ILG_STACK", folder.join("stack.json"));
    console.show(&mut bench)?;
    Ok(ExitCode::SUCCESS)
}
