//! `openapi`: writes the description of the HTTP API. A unit test of the API compares the file with the code, and
//! writes it in place of that where it is told to.

use std::process::ExitCode;

use anyhow::{Result, ensure};

use crate::project::Project;

/// Runs `cargo xtask openapi`.
pub(crate) fn write() -> Result<ExitCode> {
    let project = Project::find()?;
    // The whole workspace, as the tests are built: else the AWS SDK would be compiled again, for other features.
    let status = project
        .cargo()
        .args(["test", "--quiet", "--workspace", "--lib", "openapi::"])
        .env("ILG_WRITE_OPENAPI", "1")
        .status()?;
    ensure!(status.success(), "the API cannot be described");
    Ok(ExitCode::SUCCESS)
}
