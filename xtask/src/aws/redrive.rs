//! `redrive`: redrives the messages of a stack's dead-letter queue, on this machine or in AWS.

use crate::aws::target::TargetOptions;
use crate::process::exit_code;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::Args;
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct RedriveOptions {
    #[command(flatten)]
    target: TargetOptions,
}

/// Runs `cargo xtask redrive`.
pub(crate) fn redrive(options: &RedriveOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let mut redrive = options.target.find(&project)?.script(&project, "redrive.py")?;
    Ok(exit_code(redrive.status().context("cannot run Python")?))
}
