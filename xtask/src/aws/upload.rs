//! `upload`: uploads all pictures and videos in folders, to a stack on this machine or in AWS.

use crate::aws::target::{Target, TargetOptions};
use crate::aws::user::email;
use crate::build::programs;
use crate::deployed::Deployed;
use crate::local::sign_in::{self, PASSWORD};
use crate::project::Project;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::env;
use std::io::{IsTerminal, stdin};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

#[derive(Args)]
pub(crate) struct UploadOptions {
    /// Folders with pictures and videos, and such files
    #[arg(required = true, value_name = "FOLDER")]
    folders: Vec<PathBuf>,
    /// Whose pictures they become: the e-mail address of an account. The password comes from the variable ILG_PASSWORD, or
    /// you are asked for it [default on this machine: the demo user]
    #[arg(long, value_name = "EMAIL", value_parser = email)]
    owner: Option<String>,
    #[command(flatten)]
    target: TargetOptions,
    /// Upload nothing: count files and bytes, and estimate costs and days
    #[arg(long)]
    dry_run: bool,
    /// Files that are uploaded at the same time, 1 to 64
    #[arg(long, value_name = "NUMBER", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=64))]
    parallel: u32,
    /// Ignore what earlier runs have remembered: read every file and ask the API about it
    #[arg(long)]
    check_again: bool,
    /// Wait for the next day when the daily limit is reached
    #[arg(long)]
    wait: bool,
    /// Write a line of JSON about each file to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// The file that remembers what is uploaded [default: .local/upload/OWNER.jsonl, or .local/aws/STACK/upload/OWNER.jsonl]
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

/// Runs `cargo xtask upload`. Fails unless every picture is uploaded or was there.
pub(crate) fn upload(options: &UploadOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let target = options.target.find(&project)?;
    let owner = match (&options.owner, &target) {
        (Some(owner), _) => owner,
        (None, Target::Emulator { stack }) => &stack.demo_user,
        (None, Target::Aws { .. }) => bail!("name the owner of the pictures: --owner you@example.com"),
    };
    let sign_in = sign_in(options, &project, &target, owner)?;
    let mut client = programs::tool(&project, "label-client")?;
    sign_in::sign_in_with(&mut client, &sign_in)?;
    // The folders are relative to the folder in which the command was started.
    client.current_dir(env::current_dir().context("the current folder is gone")?);

    let deployed = match &target {
        Target::Emulator { .. } if !options.dry_run => None,
        _ => Some(target.deployed(&project)?),
    };
    let api = match (&target, &deployed) {
        (Target::Emulator { stack }, _) => &stack.api_url,
        (Target::Aws { .. }, Some(deployed)) => deployed.output("ApiUrl")?,
        (Target::Aws { .. }, None) => bail!("the stack was not read"),
    };
    let state = match &options.state {
        Some(state) => state.clone(),
        None => {
            let folder = options.target.folder(&project)?.join("upload");
            folder.join(format!("{}.jsonl", file_name(owner)))
        }
    };
    client.args(["--api", api, "upload", "--state"]).arg(state);
    client.args(["--parallel", &options.parallel.to_string()]);
    for (is_set, option) in [
        (options.dry_run, "--dry-run"),
        (options.check_again, "--check-again"),
        (options.wait, "--wait"),
    ] {
        if is_set {
            client.arg(option);
        }
    }
    if let Some(report) = &options.report {
        client.arg("--report").arg(report);
    }
    if let Some(deployed) = deployed.as_ref().filter(|_| options.dry_run) {
        estimate(&mut client, deployed)?;
    }
    client.arg("--").args(&options.folders);
    // Replaces this process, so that signals reach the client.
    Err(client.exec()).context("can't start label-client")
}

/// What the estimate of a dry run needs to know about the stack.
fn estimate(client: &mut Command, deployed: &Deployed) -> Result<()> {
    // A user pool's id begins with its region: `us-east-1_abc`.
    if let Some((region, _)) = deployed.output("UserPoolId")?.split_once('_') {
        client.args(["--region", region]);
    }
    for (option, limits) in [
        ("--images-per-day", ["ImagesPerDay", "TotalImagesPerDay"]),
        (
            "--video-minutes-per-day",
            ["VideoMinutesPerDay", "TotalVideoMinutesPerDay"],
        ),
    ] {
        let limits = limits.map(|parameter| deployed.number(parameter));
        if let Some(limit) = limits.into_iter().flatten().min() {
            client.args([option, &limit.to_string()]);
        }
    }
    for (option, parameter) in [
        ("--video-labels", "VideoLabels"),
        ("--video-frame-interval", "VideoFrameInterval"),
    ] {
        if let Some(value) = deployed.parameter(parameter) {
            client.args([option, value]);
        }
    }
    Ok(())
}

/// The command that signs the owner in.
fn sign_in(options: &UploadOptions, project: &Project, target: &Target, owner: &str) -> Result<Command> {
    if let (None, Target::Emulator { stack }) = (&options.owner, target) {
        return Ok(sign_in::demo_user(project, stack));
    }
    let mut command = target.script(project, "sign_in.py")?;
    command.args(["--user", owner]);
    // A dry run does not sign in.
    if !options.dry_run {
        command.env(PASSWORD, password(owner)?);
    }
    Ok(command)
}

fn password(owner: &str) -> Result<String> {
    if let Ok(password) = env::var(PASSWORD) {
        return Ok(password);
    }
    if !stdin().is_terminal() {
        bail!("set {PASSWORD} to the password of {owner}: there is no terminal to ask for it");
    }
    rpassword::prompt_password(format!("Password of {owner}: ")).context("can't read the password")
}

/// An e-mail address as a file name.
fn file_name(owner: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || "@.+-_".contains(c);
    owner
        .to_lowercase()
        .chars()
        .map(|c| if is_safe(c) { c } else { '_' })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_file_name_without_folders() {
        assert_eq!(file_name("Ada+x@example.com"), "ada+x@example.com");
        assert_eq!(
            file_name("../../ä@example.com"),
            ".._.._ä@example.com".replace('ä', "_")
        );
    }
}
