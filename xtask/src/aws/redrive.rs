//! `redrive`: redrives the messages of a stack's dead-letter queue or its failed executions, on this machine or in AWS.

use crate::aws::since::Since;
use crate::aws::target::TargetOptions;
use crate::process::exit_code;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::{Args, value_parser};
use std::process::{Command, ExitCode};

#[derive(Args)]
pub(crate) struct RedriveOptions {
    /// Redrive failed executions instead of dead letters: each continues at the state that failed. Asks before it starts
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    executions: FailedOptions,
    #[command(flatten)]
    target: TargetOptions,
}

/// Which failed executions are redriven, and how.
#[derive(Args)]
struct FailedOptions {
    /// Only executions that ended within this time, up to 90d
    #[arg(long, value_name = "TIME", default_value = "24h", requires = "failed")]
    since: Since,
    /// Only executions that failed with this error, such as AccessDenied, TimedOut or Aborted
    #[arg(long, value_name = "NAME", requires = "failed")]
    error: Option<String>,
    /// The maximum number of failed executions to examine, the newest first
    #[arg(long, value_name = "NUMBER", default_value = "1000", requires = "failed",
        value_parser = value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Start new executions with the current definition of the state machine, instead of continuing the failed ones
    #[arg(long, requires = "failed")]
    restart: bool,
    /// Only print what would be done
    #[arg(long, requires = "failed", conflicts_with = "yes")]
    dry_run: bool,
    /// Don't ask for confirmation
    #[arg(long, requires = "failed")]
    yes: bool,
}

impl FailedOptions {
    fn add_to(&self, script: &mut Command) {
        script.args(["--since", &self.since.seconds().to_string()]);
        script.args(["--limit", &self.limit.to_string()]);
        if let Some(error) = &self.error {
            // In one argument: the name can begin with a hyphen.
            script.arg(format!("--error={error}"));
        }
        let flags = [
            (self.restart, "--restart"),
            (self.dry_run, "--dry-run"),
            (self.yes, "--yes"),
        ];
        script.args(flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| flag));
    }
}

/// Runs `cargo xtask redrive`.
pub(crate) fn redrive(options: &RedriveOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let target = options.target.find(&project)?;
    let mut script = if options.failed {
        let mut script = target.script(&project, "redrive_failed.py")?;
        options.executions.add_to(&mut script);
        script
    } else {
        target.script(&project, "redrive.py")?
    };
    Ok(exit_code(script.status().context("cannot run Python")?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    fn parse(arguments: &[&str]) -> Result<RedriveOptions, clap::Error> {
        let command = RedriveOptions::augment_args(clap::Command::new("redrive"));
        let matches = command.try_get_matches_from([&["redrive"], arguments].concat())?;
        RedriveOptions::from_arg_matches(&matches)
    }

    /// Without this rule, someone who forgets `--failed` would redrive the dead letters without being asked.
    #[test]
    fn options_for_failed_executions_need_the_option_that_selects_them() {
        assert!(!parse(&[]).unwrap().failed);
        for options in [
            &["--since", "1h"][..],
            &["--error", "AccessDenied"],
            &["--limit", "1"],
            &["--restart"],
            &["--dry-run"],
            &["--yes"],
        ] {
            assert!(parse(options).is_err(), "{options:?}");
            assert!(parse(&[&["--failed"], options].concat()).is_ok(), "{options:?}");
        }
        assert!(parse(&["--failed", "--dry-run", "--yes"]).is_err());
    }

    #[test]
    fn the_script_gets_every_option() {
        let options = parse(&[
            "--failed",
            "--since",
            "2h",
            "--error=-x",
            "--limit",
            "5",
            "--restart",
            "--yes",
        ]);
        let mut script = Command::new("script");
        options.unwrap().executions.add_to(&mut script);
        let arguments: Vec<_> = script.get_args().map(|part| part.to_string_lossy()).collect();
        assert_eq!(
            arguments.join(" "),
            "--since 7200 --limit 5 --error=-x --restart --yes"
        );
    }
}
