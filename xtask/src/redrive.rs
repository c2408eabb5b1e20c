//! `redrive`: sends what is in a stack's dead-letter queue through again, here or in AWS.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::project::Project;
use crate::sam::{STACK_NAME, aws_environment};
use crate::stack::Description;
use crate::tools::SAM;
use crate::up::stack_folder;

#[derive(Args)]
pub(crate) struct RedriveOptions {
    /// A stack in AWS, reached with the credentials and the region of your environment
    #[arg(long, value_name = "STACK", conflicts_with = "stack_dir")]
    aws: Option<String>,
    /// The folder of a stack on this machine [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

/// Runs `cargo xtask redrive`.
pub(crate) fn redrive(options: &RedriveOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    if !SAM.program(&project, "python").exists() {
        bail!("the AWS tools are not installed: run `cargo xtask up` once");
    }
    let mut python = SAM.python(&project);
    python.arg(project.path("xtask/redrive.py")).arg("--stack-name");
    match &options.aws {
        Some(stack_name) => python.arg(stack_name),
        None => {
            let folder = stack_folder(&project, options.stack_dir.as_deref())?;
            let stack = Description::read(&folder.join("stack.json"))?;
            aws_environment(&mut python, &stack.endpoint);
            python.arg(STACK_NAME)
        }
    };
    let status = python.status().context("cannot run Python")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
