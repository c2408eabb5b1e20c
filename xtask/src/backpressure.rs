//! `backpressure`: runs the simulator in `tools/backpressure`.

use crate::build::programs;
use crate::process::exit_code;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::Args;
use std::ffi::OsString;
use std::process::ExitCode;

#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct BackpressureOptions {
    /// The simulator's own options: `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    options: Vec<OsString>,
}

/// Runs `cargo xtask backpressure`.
pub(crate) fn backpressure(options: &BackpressureOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let mut simulator = programs::tool(&project, "backpressure")?;
    simulator.args(&options.options);
    Ok(exit_code(
        simulator.status().context("can't start the simulator")?,
    ))
}
