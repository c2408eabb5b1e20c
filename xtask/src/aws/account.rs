//! Commands for a real AWS account: their credentials, and building and deploying functions with the SAM CLI.

use crate::build::python::{SAM, ZIG};
use crate::build::sam_cli;
use crate::project::Project;
use anyhow::{Context, Result};
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The account and region of the developer's environment, or another region of the same account.
#[derive(Debug, Default)]
pub(crate) struct Account {
    region: Option<String>,
}

impl Account {
    /// `region` is the command line's option.
    pub(crate) fn new(region: Option<&str>) -> Self {
        Self {
            region: region.map(str::to_owned),
        }
    }

    /// Gives a command the developer's AWS settings, which `Project::command` removes.
    pub(crate) fn configure(&self, command: &mut Command) {
        let readable = env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        command.envs(settings(readable, self.region.as_deref()));
    }

    /// `sam build`: optimized, and with Zig, for the architecture and the C library that Lambda has.
    pub(crate) fn build(&self, project: &Project, overrides: &[String]) -> Result<Command> {
        let mut command = self.sam(project, "build")?;
        command
            .env("CARGO_ZIGBUILD_PYTHON_PATH", ZIG.program(project, "python"))
            .arg("--beta-features")
            .arg("--build-dir")
            .arg(build_folder(project));
        override_parameters(&mut command, overrides);
        Ok(command)
    }

    /// `sam deploy` of a template, without executing the changes that it prints.
    pub(crate) fn preview(
        &self,
        project: &Project,
        template: &Path,
        stack_name: &str,
        overrides: &[String],
    ) -> Result<Command> {
        self.deployment(
            project,
            template,
            stack_name,
            overrides,
            &["--no-execute-changeset"],
        )
    }

    /// `sam deploy` of what is built, with one of the templates in [`build_folder`].
    pub(crate) fn deploy(
        &self,
        project: &Project,
        template: &Path,
        stack_name: &str,
        overrides: &[String],
    ) -> Result<Command> {
        self.deployment(project, template, stack_name, overrides, &[])
    }

    fn deployment(
        &self,
        project: &Project,
        template: &Path,
        stack_name: &str,
        overrides: &[String],
        flags: &[&str],
    ) -> Result<Command> {
        let mut command = self.sam(project, "deploy")?;
        command
            .arg("--template-file")
            .arg(template)
            .args(["--stack-name", stack_name])
            .args(["--resolve-s3", "--no-fail-on-empty-changeset"])
            .args(flags)
            .args(["--capabilities", "CAPABILITY_IAM"])
            // CloudFormation sets them on every resource, so that bills can be split by them.
            .args(["--tags", "application=image-label-generator"])
            .arg(format!("stack={stack_name}"));
        override_parameters(&mut command, overrides);
        Ok(command)
    }

    /// The SAM CLI with cargo-lambda beside it. The project's samconfig.toml is not read: parameters come from the
    /// command line and the deployed stack only, the same for the build and the deployment.
    fn sam(&self, project: &Project, subcommand: &str) -> Result<Command> {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(SAM.programs(project)).chain(env::split_paths(&path));
        let path = env::join_paths(folders).context("a folder of PATH has a colon in its name")?;
        let mut command = project.command(SAM.program(project, "sam"));
        self.configure(&mut command);
        command
            .env("PATH", path)
            .env("SAM_CLI_TELEMETRY", "0")
            .arg(subcommand)
            .arg("--config-file")
            .arg(sam_cli::empty_configuration(project)?);
        Ok(command)
    }
}

/// The template that `sam build` has written.
pub(crate) fn built_template(project: &Project) -> PathBuf {
    build_folder(project).join("template.yaml")
}

/// Where functions are built for AWS.
pub(crate) fn build_folder(project: &Project) -> PathBuf {
    project.local().join("build/aws")
}

/// The AWS settings of an environment. boto3 reads only AWS_DEFAULT_REGION, the SDKs prefer AWS_REGION: both get the
/// region that the AWS CLI would use.
fn settings(
    environment: impl Iterator<Item = (String, String)>,
    region: Option<&str>,
) -> Vec<(String, String)> {
    let mut settings: Vec<_> = environment.filter(|(name, _)| name.starts_with("AWS_")).collect();
    let own = |wanted: &str| {
        let setting = settings
            .iter()
            .find(|(name, value)| name == wanted && !value.is_empty());
        setting.map(|(_, value)| value.clone())
    };
    let region = region
        .map(str::to_owned)
        .or_else(|| own("AWS_REGION"))
        .or_else(|| own("AWS_DEFAULT_REGION"));
    if let Some(region) = region {
        settings.retain(|(name, _)| name != "AWS_REGION" && name != "AWS_DEFAULT_REGION");
        settings.push(("AWS_REGION".to_owned(), region.clone()));
        settings.push(("AWS_DEFAULT_REGION".to_owned(), region));
    }
    settings
}

/// Quotes every value: the SAM CLI rejects `NAME=`, and cuts `NAME=a b` off after the `a`.
fn override_parameters(command: &mut Command, overrides: &[String]) {
    command.arg("--parameter-overrides");
    for parameter in overrides {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        command.arg(format!(r#"{name}="{value}""#));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(pairs: &[(&str, &str)], region: Option<&str>) -> Vec<(String, String)> {
        let pairs = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut settings = settings(pairs, region);
        settings.sort();
        settings
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    #[test]
    fn a_command_for_aws_gets_the_credentials_of_the_environment() {
        assert_eq!(
            set(&[("AWS_PROFILE", "work"), ("HOME", "/home/me")], None),
            owned(&[("AWS_PROFILE", "work")])
        );
    }

    #[test]
    fn every_tool_gets_the_same_region() {
        let both = |region: &'static str| owned(&[("AWS_DEFAULT_REGION", region), ("AWS_REGION", region)]);
        assert_eq!(set(&[("AWS_REGION", "eu-west-1")], None), both("eu-west-1"));
        assert_eq!(
            set(
                &[("AWS_DEFAULT_REGION", "eu-west-2"), ("AWS_REGION", "eu-west-1")],
                None
            ),
            both("eu-west-1")
        );
        assert_eq!(
            set(&[("AWS_DEFAULT_REGION", "eu-west-2"), ("AWS_REGION", "")], None),
            both("eu-west-2")
        );
        assert_eq!(
            set(&[("AWS_REGION", "eu-west-1")], Some("us-west-2")),
            both("us-west-2")
        );
        assert_eq!(set(&[], None), []);
    }

    #[test]
    fn build_and_deployment_get_the_same_parameters_in_quotes() {
        let overrides = [
            "Architecture=x86_64".to_owned(),
            "RekognitionEndpoint=".to_owned(),
            "WebOrigins=https://a.example,http://127.0.0.1:8080".to_owned(),
        ];
        let mut command = Command::new("sam");
        override_parameters(&mut command, &overrides);
        let arguments: Vec<_> = command.get_args().map(|part| part.to_string_lossy()).collect();
        assert_eq!(
            arguments,
            [
                "--parameter-overrides",
                r#"Architecture="x86_64""#,
                r#"RekognitionEndpoint="""#,
                r#"WebOrigins="https://a.example,http://127.0.0.1:8080""#,
            ]
        );
    }
}
