//! `label`: uploads pictures to the system on this machine and prints their labels.

use crate::build::programs;
use crate::local::sign_in;
use crate::local::stack::{Description, stack_folder};
use crate::process::exit_code;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct LabelOptions {
    /// Pictures
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print a JSON array: the API's images, each with its `file`
    #[arg(long)]
    json: bool,
    /// The stack's folder [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

/// Runs `cargo xtask label`. Fails unless every picture is labeled.
pub(crate) fn label(options: &LabelOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let folder = stack_folder(&project, options.stack_dir.as_deref())?;
    let stack = Description::read(&folder.join("stack.json"))?;
    let mut client = programs::tool(&project, "label-client")?;
    client
        // The files are relative to the folder in which the command was started.
        .current_dir(std::env::current_dir().context("the current folder is gone")?)
        .args(["--api", &stack.api_url])
        .arg("label");
    sign_in::sign_in_with(&mut client, &sign_in::demo_user(&project, &stack))?;
    if options.json {
        client.arg("--json");
    }
    client.arg("--").args(&options.files);
    Ok(exit_code(client.status().context("can't start label-client")?))
}
