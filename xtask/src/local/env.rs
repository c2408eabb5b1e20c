//! `env`: environment variables with which AWS clients use a local stack.

use crate::local::stack::Description;
use crate::local::stack::stack_folder;
use crate::project::Project;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct EnvOptions {
    /// The stack's folder [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

/// Runs `cargo xtask env`.
pub(crate) fn env(options: &EnvOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let folder = stack_folder(&project, options.stack_dir.as_deref())?;
    print!("{}", exports(&Description::read(&folder.join("stack.json"))?));
    Ok(ExitCode::SUCCESS)
}

fn exports(stack: &Description) -> String {
    let variables = [
        ("AWS_ENDPOINT_URL", &stack.endpoint),
        ("AWS_ENDPOINT_URL_DYNAMODB", &stack.dynamodb_url),
        ("AWS_ACCESS_KEY_ID", &stack.access_key_id),
        ("AWS_SECRET_ACCESS_KEY", &stack.secret_access_key),
        ("AWS_DEFAULT_REGION", &stack.region),
        ("AWS_REGION", &stack.region),
    ];
    let lines = variables.map(|(name, value)| format!("export {name}={value}\n"));
    // A session token of a real account does not belong to the key.
    format!("unset AWS_PROFILE AWS_SESSION_TOKEN\n{}", lines.concat())
}
