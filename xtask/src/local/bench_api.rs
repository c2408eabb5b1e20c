//! `bench-api`: measures the time and the number of items that the API's GET routes take, with a small and a large
//! library. The images are written directly to the running stack's table, for users that are created for this run.

use crate::build::programs;
use crate::console::{Console, Interrupt};
use crate::local::stack::stack_folder;
use crate::project::Project;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct BenchApiOptions {
    /// Images of the small library
    #[arg(long, default_value_t = 100)]
    small: usize,
    /// Images of the large library
    #[arg(long, default_value_t = 10_000)]
    large: usize,
    /// Requests per route
    #[arg(long, default_value_t = 30)]
    requests: usize,
    /// The folder of a stack that nothing else uses at the same time [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

/// Runs `cargo xtask bench-api`.
pub(crate) fn bench(options: &BenchApiOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    let project = Project::find()?;
    let folder = stack_folder(&project, options.stack_dir.as_deref())?;
    let console = Console::new(&folder.join("logs"), interrupt)?;
    let mut bench = programs::tool(&project, "bench-api")?;
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
