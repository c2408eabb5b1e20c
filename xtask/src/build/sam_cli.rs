//! The SAM CLI, without the developer's own configuration.

use crate::build::python::SAM;
use crate::files;
use crate::project::Project;
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;

/// The SAM CLI's state, separate from the developer's.
pub(crate) fn home(project: &Project) -> PathBuf {
    project.local().join("tools/sam-home")
}

/// An empty configuration for the SAM CLI: samconfig.toml in the project's folder is for the developer's own deployments
/// with the SAM CLI.
pub(crate) fn empty_configuration(project: &Project) -> Result<PathBuf> {
    let path = home(project).join("samconfig.toml");
    files::write(&path, "")?;
    Ok(path)
}

/// The SAM CLI with a subcommand.
pub(crate) fn sam(project: &Project, subcommand: &str) -> Result<Command> {
    let home = home(project);
    let configuration = empty_configuration(project)?;
    let mut command = project.command(SAM.program(project, "sam"));
    command
        .env("SAM_CLI_TELEMETRY", "0")
        .env("__SAM_CLI_APP_DIR", &home);
    command.arg(subcommand).arg("--config-file").arg(configuration);
    Ok(command)
}
