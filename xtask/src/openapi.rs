//! `openapi`: writes the OpenAPI description. A unit test of the API compares the file with the code, or writes the
//! file if an environment variable is set.

use crate::project::Project;
use anyhow::{Result, ensure};
use std::process::ExitCode;

/// Runs `cargo xtask openapi`.
pub(crate) fn write() -> Result<ExitCode> {
    let project = Project::find()?;
    // The whole workspace: with the features of one package, the AWS SDK would be compiled again.
    let status = project
        .cargo()
        .args(["test", "--quiet", "--workspace", "--lib", "openapi::"])
        .env("ILG_WRITE_OPENAPI", "1")
        .status()?;
    ensure!(status.success(), "can't write api/openapi.json");
    Ok(ExitCode::SUCCESS)
}
