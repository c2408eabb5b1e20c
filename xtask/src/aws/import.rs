//! `import`: imports the pictures and videos of a bucket into a stack, on this machine or in AWS.

use crate::aws::target::TargetOptions;
use crate::aws::user::email;
use crate::build::programs;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use clap::{ArgGroup, Args};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
#[command(group = ArgGroup::new("what").required(true).args(["source", "retry", "watch", "cancel"]))]
pub(crate) struct ImportOptions {
    /// The bucket, and the beginning of the keys of the objects. The stack's parameter ImportSources must have the bucket's ARN
    #[arg(value_name = "s3://BUCKET/PREFIX")]
    source: Option<String>,
    /// Import the objects that this import could not copy
    #[arg(long, value_name = "JOB")]
    retry: Option<String>,
    /// Show the progress and the result of this import
    #[arg(long, value_name = "JOB")]
    watch: Option<String>,
    /// Cancel this import. What was copied stays
    #[arg(long, value_name = "JOB")]
    cancel: Option<String>,
    /// Whose pictures they become: the e-mail address of an account
    #[arg(long, value_name = "EMAIL", value_parser = email)]
    owner: String,
    /// Import pictures again that the owner has deleted
    #[arg(long, conflicts_with_all = ["watch", "cancel"])]
    restore_deleted: bool,
    /// Only count objects, and estimate cost and duration
    #[arg(long, requires = "source", conflicts_with = "yes")]
    dry_run: bool,
    /// Don't ask for confirmation
    #[arg(long, conflicts_with_all = ["watch", "cancel"])]
    yes: bool,
    /// Start the import, and don't watch it
    #[arg(long, conflicts_with_all = ["watch", "cancel"])]
    detach: bool,
    /// Write a line of JSON about each object that could not be copied to this file
    #[arg(long, value_name = "FILE", requires = "watch")]
    report: Option<PathBuf>,
    #[command(flatten)]
    target: TargetOptions,
}

/// Runs `cargo xtask import`.
pub(crate) fn import(options: &ImportOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let mut script = options
        .target
        .find(&project)?
        .script(&project, "import_bucket.py")?;
    script.args(["--owner", &options.owner]);
    script.arg(format!("--target={}", options.target.arguments()));
    let (command, what) = match options {
        ImportOptions {
            source: Some(source), ..
        } => {
            let cost = programs::tool(&project, "cost")?;
            script.arg("--cost").arg(cost.get_program());
            ("start", source)
        }
        ImportOptions { retry: Some(job), .. } => ("retry", job),
        ImportOptions { watch: Some(job), .. } => ("watch", job),
        ImportOptions {
            cancel: Some(job), ..
        } => ("cancel", job),
        // clap requires one of them.
        _ => bail!("name a source, or an import with --retry, --watch or --cancel"),
    };
    script.arg(command);
    for (is_set, option) in [
        (options.restore_deleted, "--restore-deleted"),
        (options.dry_run, "--dry-run"),
        (options.yes, "--yes"),
        (options.detach, "--detach"),
    ] {
        if is_set {
            script.arg(option);
        }
    }
    if let Some(report) = &options.report {
        script.arg("--report").arg(report);
    }
    script.arg("--").arg(what);
    // Replaces this process, so that Ctrl-C ends only what watches, and its exit code is this command's.
    Err(script.exec()).context("cannot run Python")
}
