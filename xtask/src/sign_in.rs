//! Signs the demo user in, as a program does.

use anyhow::{Context, Result, bail};

use crate::project::Project;
use crate::sam::aws_environment;
use crate::stack::Description;
use crate::tools::SAM;

/// An access token, for an hour.
pub(crate) fn access_token(project: &Project, stack: &Description) -> Result<String> {
    let mut python = SAM.python(project);
    aws_environment(&mut python, &stack.endpoint);
    let answer = python
        .arg(project.path("xtask/sign_in.py"))
        .args(["--user-pool-id", &stack.user_pool_id])
        .args(["--client-id", &stack.user_pool_client_id])
        .args(["--user", &stack.demo_user, "--password", &stack.demo_password])
        .output()
        .context("cannot run Python")?;
    if !answer.status.success() {
        let what = String::from_utf8_lossy(&answer.stderr);
        // The last line of a traceback tells what happened.
        bail!(
            "cannot sign in as {}: {}",
            stack.demo_user,
            what.lines().last().unwrap_or_default()
        );
    }
    let token = String::from_utf8(answer.stdout).context("the access token is no text")?;
    Ok(token.trim().to_owned())
}
