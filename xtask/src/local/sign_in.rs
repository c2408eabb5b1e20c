//! Signs in users with the flow for programs.

use crate::build::python::SAM;
use crate::deployed::STACK_NAME;
use crate::local::stack::Description;
use crate::local::stack::aws_environment;
use crate::process::printed;
use crate::project::Project;
use anyhow::{Context, Result};
use std::ffi::OsStr;
use std::process::Command;

/// The variable with the password of the user who signs in. Never an argument: every user of the machine sees those.
pub(crate) const PASSWORD: &str = "ILG_PASSWORD";

/// The command that signs in the demo user and prints an access token.
pub(crate) fn demo_user(project: &Project, stack: &Description) -> Command {
    let mut python = SAM.python(project);
    aws_environment(&mut python, &stack.endpoints(), &stack.keys());
    python
        .arg(project.path("xtask/python/sign_in.py"))
        .args(["--stack-name", STACK_NAME])
        .args(["--user", &stack.demo_user])
        .env(PASSWORD, &stack.demo_password);
    python
}

/// An access token of the demo user, valid for an hour.
pub(crate) fn access_token(project: &Project, stack: &Description) -> Result<String> {
    let token = printed(&mut demo_user(project, stack))
        .with_context(|| format!("cannot sign in as {}", stack.demo_user))?;
    Ok(token.trim().to_owned())
}

/// Lets `label-client` sign in with a command, whenever it needs an access token.
pub(crate) fn sign_in_with(client: &mut Command, command: &Command) -> Result<()> {
    let text = |text: &OsStr| {
        let text = text.to_str();
        text.map(str::to_owned)
            .context("the path of this project is not UTF-8")
    };
    let arguments = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(text)
        .collect::<Result<Vec<_>>>()?;
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => client.env(name, value),
            None => client.env_remove(name),
        };
    }
    client.env("ILG_SIGN_IN", serde_json::to_string(&arguments)?);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_passed_in_the_environment_only() {
        let mut sign_in = Command::new("python");
        sign_in
            .args(["sign_in.py", "--user", "ada"])
            .env(PASSWORD, "secret");
        let mut client = Command::new("label-client");
        sign_in_with(&mut client, &sign_in).unwrap();
        let environment: Vec<_> = client.get_envs().collect();
        let variable = |name: &'static str, value: &'static str| (OsStr::new(name), Some(OsStr::new(value)));
        assert_eq!(
            environment,
            [
                variable(PASSWORD, "secret"),
                variable("ILG_SIGN_IN", r#"["python","sign_in.py","--user","ada"]"#)
            ]
        );
        assert_eq!(client.get_args().count(), 0);
    }
}
