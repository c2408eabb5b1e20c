//! `status`: shows what runs, what has failed and what needs attention in a stack, on this machine or in AWS.

use crate::aws::target::TargetOptions;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::Args;
use std::process::ExitCode;

/// The exit codes of this command: something needs attention, or the stack's status is unknown.
const ATTENTION: u8 = 1;
const ERROR: u8 = 2;
/// The script's exit code if something needs attention. Python itself exits with 1 and 2 after errors.
const SCRIPT_ATTENTION: i32 = 3;

#[derive(Args)]
pub(crate) struct StatusOptions {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    target: TargetOptions,
}

/// Runs `cargo xtask status`. The exit code says whether something needs attention, so every error has another one.
pub(crate) fn status(options: &StatusOptions) -> ExitCode {
    match run(options) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(ERROR)
        }
    }
}

fn run(options: &StatusOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let mut script = options.target.find(&project)?.script(&project, "status.py")?;
    script.arg(format!("--target={}", options.target.arguments()));
    if options.json {
        script.arg("--json");
    }
    let status = script.status().context("cannot run Python")?;
    Ok(match status.code() {
        Some(0) => ExitCode::SUCCESS,
        Some(SCRIPT_ATTENTION) => ExitCode::from(ATTENTION),
        _ => ExitCode::from(ERROR),
    })
}
