//! Signs in the demo user with the flow for programs.

use crate::build::python::SAM;
use crate::local::stack::Description;
use crate::local::stack::aws_environment;
use crate::project::Project;
use anyhow::{Context, Result, bail};

/// An access token, valid for an hour.
pub(crate) fn access_token(project: &Project, stack: &Description) -> Result<String> {
    let mut python = SAM.python(project);
    aws_environment(&mut python, &stack.endpoints(), &stack.keys());
    let answer = python
        .arg(project.path("xtask/python/sign_in.py"))
        .args(["--user-pool-id", &stack.user_pool_id])
        .args(["--client-id", &stack.user_pool_client_id])
        .args(["--user", &stack.demo_user, "--password", &stack.demo_password])
        .output()
        .context("cannot run Python")?;
    if !answer.status.success() {
        let what = String::from_utf8_lossy(&answer.stderr);
        // The last line of a traceback is the error.
        bail!(
            "cannot sign in as {}: {}",
            stack.demo_user,
            what.lines().last().unwrap_or_default()
        );
    }
    let token = String::from_utf8(answer.stdout).context("the access token is not UTF-8")?;
    Ok(token.trim().to_owned())
}
