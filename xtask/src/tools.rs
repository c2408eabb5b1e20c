//! `backpressure`, `cost` and `scale`: run the programs in `tools/backpressure` and `tools/capacity`.

use crate::build::programs;
use crate::process::exit_code;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::Args;
use std::ffi::OsString;
use std::process::ExitCode;

#[derive(Args)]
#[command(disable_help_flag = true)]
pub(crate) struct ToolOptions {
    /// The program's own options: `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "OPTION")]
    options: Vec<OsString>,
}

/// Builds a program of `tools/` and runs it with the given options.
pub(crate) fn run(program: &str, options: &ToolOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let mut command = programs::tool(&project, program)?;
    command.args(&options.options);
    Ok(exit_code(
        command
            .status()
            .with_context(|| format!("can't start {program}"))?,
    ))
}
