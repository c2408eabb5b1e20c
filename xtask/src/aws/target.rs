//! The deployed stack that a command works on: in AWS or on this machine.

use crate::aws::account::Account;
use crate::build::python::SAM;
use crate::deployed::{Deployed, STACK_NAME};
use crate::local::stack::{Description, aws_environment, stack_folder};
use crate::process::printed;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::PathBuf;
use std::process::Command;

#[derive(Debug, Args)]
pub(crate) struct TargetOptions {
    /// A stack in AWS, with the credentials and the region of your environment
    #[arg(long, value_name = "STACK", conflicts_with = "stack_dir")]
    aws: Option<String>,
    /// The region of that stack [default: from your environment or profile]
    #[arg(long, requires = "aws")]
    region: Option<String>,
    /// The folder of a stack on this machine [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

/// A deployed stack that Python scripts can reach with boto3.
pub(crate) enum Target {
    Aws { stack_name: String, account: Account },
    Emulator { stack: Box<Description> },
}

impl TargetOptions {
    /// The folder for what this machine remembers about the stack.
    pub(crate) fn folder(&self, project: &Project) -> Result<PathBuf> {
        match &self.aws {
            Some(stack_name) => Ok(project.local().join("aws").join(stack_name)),
            None => stack_folder(project, self.stack_dir.as_deref()),
        }
    }

    pub(crate) fn find(&self, project: &Project) -> Result<Target> {
        Ok(match &self.aws {
            Some(stack_name) => Target::Aws {
                stack_name: stack_name.clone(),
                account: Account::new(self.region.as_deref()),
            },
            None => {
                let folder = stack_folder(project, self.stack_dir.as_deref())?;
                let stack = Box::new(Description::read(&folder.join("stack.json"))?);
                Target::Emulator { stack }
            }
        })
    }

    /// The options with which another command works on the same stack, each after a space.
    pub(crate) fn arguments(&self) -> String {
        let folder = self.stack_dir.as_ref().map(|folder| folder.display().to_string());
        let options = [
            ("--aws", self.aws.clone()),
            ("--region", self.region.clone()),
            ("--stack-dir", folder),
        ];
        options
            .into_iter()
            .filter_map(|(name, value)| Some(format!(" {name} {}", value?)))
            .collect()
    }
}

impl Target {
    /// Python with boto3, in the account and region of this stack.
    pub(crate) fn python(&self, project: &Project) -> Result<Command> {
        if !SAM.program(project, "python").exists() {
            bail!("the AWS tools are not installed: run `cargo xtask up` once");
        }
        let mut python = SAM.python(project);
        match self {
            Self::Aws { account, .. } => account.configure(&mut python),
            Self::Emulator { stack } => aws_environment(&mut python, &stack.endpoints(), &stack.keys()),
        }
        Ok(python)
    }

    pub(crate) fn stack_name(&self) -> &str {
        match self {
            Self::Aws { stack_name, .. } => stack_name,
            Self::Emulator { .. } => STACK_NAME,
        }
    }

    /// The stack as CloudFormation describes it.
    pub(crate) fn deployed(&self, project: &Project) -> Result<Deployed> {
        let mut python = self.python(project)?;
        python.arg(project.path("xtask/python/publish.py")).args([
            "outputs",
            "--stack-name",
            self.stack_name(),
        ]);
        serde_json::from_str(&printed(&mut python)?)
            .context("xtask/python/publish.py printed an unknown format")
    }

    /// A script of the folder `xtask/python`, for this stack.
    pub(crate) fn script(&self, project: &Project, script: &str) -> Result<Command> {
        let mut python = self.python(project)?;
        python.arg(project.path("xtask/python").join(script));
        python.args(["--stack-name", self.stack_name()]);
        Ok(python)
    }
}
