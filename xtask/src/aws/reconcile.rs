//! `reconcile`: compares the bucket and the table of a stack, on this machine or in AWS, and repairs what lost events and
//! interrupted functions have left behind.

use crate::aws::since::Since;
use crate::aws::target::TargetOptions;
use crate::process::exit_code;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::{Args, value_parser};
use std::process::{Command, ExitCode};

#[derive(Args)]
pub(crate) struct ReconcileOptions {
    /// Repair nothing, and only print what would be repaired
    #[arg(long)]
    dry_run: bool,
    /// Only objects and images of this owner: the user's `sub`, or the name of the folder below `uploads/`
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// Leftovers of at least this age, in place of the usual ones (12h for objects without a record, 1h for most others)
    #[arg(long, value_name = "TIME")]
    older_than: Option<Since>,
    /// The maximum number of leftovers of a kind that are repaired
    #[arg(long, value_name = "NUMBER", default_value = "1000", conflicts_with = "dry_run",
        value_parser = value_parser!(u32).range(1..=1_000_000))]
    max_repairs: u32,
    #[command(flatten)]
    target: TargetOptions,
}

impl ReconcileOptions {
    fn add_to(&self, script: &mut Command) {
        let repairs = if self.dry_run { 0 } else { self.max_repairs };
        script.args(["--max-repairs", &repairs.to_string()]);
        if let Some(owner) = &self.owner {
            // In one argument: the name can begin with a hyphen.
            script.arg(format!("--owner={owner}"));
        }
        if let Some(age) = self.older_than {
            script.args(["--older-than", &age.seconds().to_string()]);
        }
    }
}

/// Runs `cargo xtask reconcile`.
pub(crate) fn reconcile(options: &ReconcileOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let mut script = options.target.find(&project)?.script(&project, "reconcile.py")?;
    options.add_to(&mut script);
    Ok(exit_code(script.status().context("cannot run Python")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    fn script_arguments(arguments: &[&str]) -> Result<String, clap::Error> {
        let command = ReconcileOptions::augment_args(clap::Command::new("reconcile"));
        let matches = command.try_get_matches_from([&["reconcile"], arguments].concat())?;
        let mut script = Command::new("script");
        ReconcileOptions::from_arg_matches(&matches)?.add_to(&mut script);
        let arguments: Vec<_> = script.get_args().map(|part| part.to_string_lossy()).collect();
        Ok(arguments.join(" "))
    }

    #[test]
    fn a_dry_run_repairs_nothing() {
        assert_eq!(script_arguments(&["--dry-run"]).unwrap(), "--max-repairs 0");
        assert!(script_arguments(&["--dry-run", "--max-repairs", "5"]).is_err());
        assert!(script_arguments(&["--max-repairs", "0"]).is_err());
    }

    #[test]
    fn the_script_gets_every_option() {
        let options = ["--owner=-x", "--older-than", "2h", "--max-repairs", "5"];
        assert_eq!(
            script_arguments(&options).unwrap(),
            "--max-repairs 5 --owner=-x --older-than 7200"
        );
    }
}
