//! `restore-table`: makes a stack's table equal to another table, on this machine or in AWS.

use crate::aws::target::TargetOptions;
use crate::process::exit_code;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::Args;
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct RestoreTableOptions {
    /// The table to restore from: a copy of the stack's table, as `aws dynamodb restore-table-to-point-in-time` creates one
    #[arg(value_name = "TABLE")]
    from: String,
    #[command(flatten)]
    target: TargetOptions,
    /// Only count what would be copied and deleted
    #[arg(long, conflicts_with = "yes")]
    dry_run: bool,
    /// Don't ask for confirmation
    #[arg(long)]
    yes: bool,
}

/// Runs `cargo xtask restore-table`.
pub(crate) fn restore_table(options: &RestoreTableOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let target = options.target.find(&project)?;
    let mut script = target.script(&project, "restore_table.py")?;
    // In one argument: the name can begin with a hyphen.
    script.arg(format!("--from={}", options.from));
    let flags = [(options.dry_run, "--dry-run"), (options.yes, "--yes")];
    script.args(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag));
    Ok(exit_code(script.status().context("cannot run Python")?))
}
