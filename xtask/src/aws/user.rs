//! `user`: adds, lists and removes users of a stack, on this machine or in AWS.

use crate::aws::target::{Target, TargetOptions};
use crate::process::exit_code;
use crate::project::Project;
use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use std::process::ExitCode;

#[derive(Args)]
pub(crate) struct UserOptions {
    #[command(subcommand)]
    command: UserCommand,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Create an account. In AWS, its owner gets an invitation by e-mail
    Add(AccountOptions),
    /// Show all accounts
    List(TargetOptions),
    /// Delete an account. Pictures that its owner has not deleted stay in the bucket
    Remove(AccountOptions),
}

#[derive(Args)]
struct AccountOptions {
    /// The owner's e-mail address
    #[arg(value_parser = email)]
    email: String,
    #[command(flatten)]
    target: TargetOptions,
}

/// A rough check of an e-mail address. Cognito sends the invitation to it.
pub(crate) fn email(text: &str) -> Result<String, String> {
    let is_email = text.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty()
            && !host.contains('@')
            && host.split('.').count() > 1
            && !host.split('.').any(str::is_empty)
    });
    if !is_email || text.len() > 128 || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(
            "expected an e-mail address of at most 128 characters, such as ada@example.com".to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// Runs `cargo xtask user`.
pub(crate) fn user(options: &UserOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let target = match &options.command {
        UserCommand::Add(account) | UserCommand::Remove(account) => &account.target,
        UserCommand::List(target) => target,
    }
    .find(&project)?;
    let mut script = target.script(&project, "user.py")?;
    match &options.command {
        UserCommand::Add(account) => {
            if matches!(target, Target::Emulator { .. }) {
                script.arg("--print-password");
            }
            script.args(["add", &account.email])
        }
        UserCommand::List(_) => script.arg("list"),
        UserCommand::Remove(account) => script.args(["remove", &account.email]),
    };
    Ok(exit_code(script.status().context("cannot run Python")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_text_that_looks_like_an_email_address() {
        for good in ["ada@example.com", "a+b.c@mail.example.co.uk"] {
            assert_eq!(email(good).as_deref(), Ok(good));
        }
        let long = format!("{}@example.com", "a".repeat(128));
        for bad in [
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@.com",
            "a@b@example.com",
            "a da@example.com",
            &long,
        ] {
            assert!(email(bad).unwrap_err().contains("ada@example.com"), "{bad}");
        }
    }
}
