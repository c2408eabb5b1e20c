//! `deploy` and `publish`: the whole system into an AWS account, and the page by itself into a stack that is there.

use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::console::{Console, Interrupt};
use crate::page;
use crate::page_config::PageConfig;
use crate::prerequisites::Prerequisites;
use crate::project::Project;
use crate::sam::{self, Deployed, STACK_NAME, aws_environment};
use crate::stack::Description;
use crate::tools::SAM;
use crate::up::{self, stack_folder};

#[derive(Args)]
pub(crate) struct DeployOptions {
    /// The stack's name, in lower case
    #[arg(long, default_value = STACK_NAME)]
    stack: String,
    /// A parameter of the template; may be repeated. What is not named keeps its value
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<String>,
}

#[derive(Args)]
pub(crate) struct PublishOptions {
    /// A stack in AWS, reached with the credentials and the region of your environment
    #[arg(long, value_name = "STACK", conflicts_with = "stack_dir")]
    aws: Option<String>,
    /// The folder of a stack on this machine [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

fn parameter(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((name, _)) if !name.is_empty() => Ok(text.to_owned()),
        _ => Err("expected NAME=VALUE, such as MinConfidence=70".to_owned()),
    }
}

/// Runs `cargo xtask deploy`.
pub(crate) fn deploy(options: &DeployOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    let project = Project::find()?;
    let console = Console::new(&project.local().join("logs"), interrupt)?;
    let prerequisites = Prerequisites::check()?;
    if !env::split_paths(&env::var_os("PATH").unwrap_or_default()).any(|folder| folder.join("zig").is_file())
    {
        bail!(
            "this machine lacks Zig, with which functions are built for Lambda's Linux: https://ziglang.org, \
             or `pip install ziglang` and its `zig` on your PATH"
        );
    }
    {
        let _lock = up::lock(&project, &console)?;
        SAM.install(&project, &console, &prerequisites)?;
        page::install_packages(&project, &console, "frontend")?;
        page::build(&project, &console)?;
    }
    console.show(&mut sam::build_for_aws(&project)?)?;
    console.show(&mut sam::deploy_to_aws(
        &project,
        &options.stack,
        &options.parameters,
    )?)?;
    let deployed = publish_page(&project, &console, &options.stack, &|_| {})?;
    console.say(&format!("\nThe page: {}", deployed.output("WebUrl")?));
    Ok(ExitCode::SUCCESS)
}

/// Runs `cargo xtask publish`.
pub(crate) fn publish(options: &PublishOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    let project = Project::find()?;
    let console = Console::new(&project.local().join("logs"), interrupt)?;
    let prerequisites = Prerequisites::check()?;
    {
        let _lock = up::lock(&project, &console)?;
        SAM.install(&project, &console, &prerequisites)?;
        page::install_packages(&project, &console, "frontend")?;
        page::build(&project, &console)?;
    }
    let deployed = match &options.aws {
        Some(name) => publish_page(&project, &console, name, &|_| {})?,
        None => {
            let folder = stack_folder(&project, options.stack_dir.as_deref())?;
            let stack = Description::read(&folder.join("stack.json"))?;
            publish_page(&project, &console, STACK_NAME, &|python| {
                aws_environment(python, &stack.endpoint);
            })?
        }
    };
    console.say(&format!("The page: {}", deployed.output("WebUrl")?));
    Ok(ExitCode::SUCCESS)
}

/// Uploads the built page to a stack. `account` leads a command to the account that the stack is in.
fn publish_page(
    project: &Project,
    console: &Console,
    stack_name: &str,
    account: &dyn Fn(&mut Command),
) -> Result<Deployed> {
    let publish = |command: &str| {
        let mut python = SAM.python(project);
        account(&mut python);
        python.arg(project.path("xtask/publish.py")).arg(command);
        python
    };
    console.part("Publish the page", "publish", |part| {
        let answer = part.output(publish("outputs").args(["--stack-name", stack_name]))?;
        let deployed: Deployed =
            serde_json::from_str(&answer).context("xtask/publish.py answered in an unknown form")?;
        let config = project.local().join("build/config.json");
        PageConfig::of(&deployed, deployed.output("SignInUrl")?)?.write(&config)?;
        part.run(
            publish("page")
                .args(["--bucket", deployed.output("WebBucketName")?])
                .args(["--distribution", deployed.output("DistributionId")?])
                .arg("--page")
                .arg(project.page())
                .arg("--config")
                .arg(&config),
        )?;
        Ok(deployed)
    })
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn a_parameter_has_a_name_and_a_value() {
        assert!(parameter("WebOrigins=http://127.0.0.1:8080,https://a.example").is_ok());
        assert!(parameter("RekognitionEndpoint=").is_ok());
        assert!(parameter("MinConfidence").is_err());
        assert!(parameter("=70").is_err());
    }
}
