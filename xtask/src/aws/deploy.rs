//! `deploy` and `publish`: deploy the system to an AWS account, and upload only the page to a deployed stack.

use crate::aws::account::{Account, build_folder, built_template};
use crate::aws::target::{Target, TargetOptions};
use crate::aws::{elf, smoke};
use crate::build::page;
use crate::build::python::{SAM, ZIG};
use crate::console::{Console, Interrupt};
use crate::deployed::{Deployed, STACK_NAME};
use crate::lock::lock;
use crate::page_config::PageConfig;
use crate::prerequisites::Prerequisites;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::io::{IsTerminal, stdin};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// The parameter that has to be INACTIVE until the stack exists.
const PROTECTION: &str = "UserPoolDeletionProtection";

#[derive(Args)]
pub(crate) struct DeployOptions {
    /// The stack's name, in lower case
    #[arg(long, default_value = STACK_NAME)]
    stack: String,
    /// The region [default: that of your environment or profile]
    #[arg(long)]
    region: Option<String>,
    /// A parameter of the template; may be repeated. All others keep their values
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    parameters: Vec<String>,
    /// Run `cargo xtask smoke` afterwards. Without this option, asks on a terminal
    #[arg(long)]
    smoke: bool,
}

#[derive(Args)]
pub(crate) struct PublishOptions {
    #[command(flatten)]
    target: TargetOptions,
}

fn parameter(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        Some((_, value)) if value.contains(['"', '\\']) => {
            Err("a value cannot contain quotes or backslashes".to_owned())
        }
        Some((name, _)) if !name.is_empty() => Ok(text.to_owned()),
        _ => Err("expected NAME=VALUE, such as MinConfidence=70".to_owned()),
    }
}

/// The output of `xtask/python/deploy.py` about the account and the deployed stack.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Findings {
    account: Option<String>,
    region: Option<String>,
    problems: Vec<String>,
    notes: Vec<String>,
    is_new: bool,
    /// The deployed value of `UserPoolDeletionProtection`.
    protection: Option<String>,
    architecture: String,
    overrides: BTreeMap<String, String>,
}

impl Findings {
    /// The parameters for `sam build` and the first `sam deploy`. A new user pool is not protected: CloudFormation
    /// could not delete it if the creation of another resource failed.
    fn overrides(&self) -> Vec<String> {
        let mut overrides = self.overrides.clone();
        if self.is_new {
            overrides.insert(PROTECTION.to_owned(), "INACTIVE".to_owned());
        }
        pairs(&overrides)
    }

    /// The parameters for a second `sam deploy`, which protects the user pool. An existing stack needs it if its first
    /// deployment ended before this step.
    fn protecting_overrides(&self) -> Option<Vec<String>> {
        let mut overrides = self.overrides.clone();
        let asked = overrides.insert(PROTECTION.to_owned(), "ACTIVE".to_owned());
        let needed = match asked.as_deref() {
            Some("INACTIVE") => false,
            Some(_) => self.is_new,
            None => self.is_new || self.protection.as_deref() != Some("ACTIVE"),
        };
        needed.then(|| pairs(&overrides))
    }

    /// Fails with a list of problems to solve first.
    fn check(&self, stack_name: &str) -> Result<()> {
        if !self.problems.is_empty() {
            bail!(
                "{stack_name} cannot be deployed:\n  - {}",
                self.problems.join("\n  - ")
            );
        }
        Ok(())
    }
}

fn pairs(overrides: &BTreeMap<String, String>) -> Vec<String> {
    overrides
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

/// Runs `cargo xtask deploy`.
pub(crate) fn deploy(options: &DeployOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    let project = Project::find()?;
    let console = Console::new(&project.local().join("logs"), interrupt)?;
    let prerequisites = Prerequisites::check()?;
    let account = Account::new(options.region.as_deref());
    let findings = {
        let _lock = lock(&project, &console)?;
        SAM.install(&project, &console, &prerequisites)?;
        let findings = inspect(&project, &console, &account, options)?;
        ZIG.install(&project, &console, &prerequisites)?;
        page::install_packages(&project, &console, "frontend")?;
        page::build(&project, &console)?;
        findings
    };

    // The checks fail without a region.
    let region = findings.region.as_deref().unwrap_or_default();
    let overrides = findings.overrides();
    let folder = build_folder(&project);
    // Functions of an earlier build may no longer be in the template.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    console.show(&mut account.build(&project, &overrides)?)?;
    elf::check_functions(&folder, &findings.architecture)?;
    let template = built_template(&project);
    if !findings.is_new {
        add_indexes(&project, &console, &account, &options.stack, &overrides)?;
    }
    console.show(&mut account.deploy(&project, &template, &options.stack, &overrides)?)?;
    wait_for_indexes(&project, &console, &account, &options.stack)?;
    let target = Target::Aws {
        stack_name: options.stack.clone(),
        account: Account::new(options.region.as_deref()),
    };
    let deployed = publish_page(&project, &console, &target)?;
    if let Some(overrides) = findings.protecting_overrides() {
        console.say("The stack is complete. Protecting its user pool against deletion:");
        console
            .show(&mut account.deploy(&project, &template, &options.stack, &overrides)?)
            .with_context(|| {
                format!(
                    "the system works, but its user pool is not protected against deletion; \
                     `{}` tries again",
                    protecting_command(&options.stack, region)
                )
            })?;
    }
    console.say(&format!("\nThe page: {}", deployed.output("WebUrl")?));
    if options.smoke || wants_smoke(&console, options, region)? {
        smoke::check(&project, &target, &|command| console.show(command))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Adds all new indexes of the table except the last one to a deployed stack: CloudFormation adds one per update.
fn add_indexes(
    project: &Project,
    console: &Console,
    account: &Account,
    stack: &str,
    overrides: &[String],
) -> Result<()> {
    let templates: Vec<PathBuf> = console.part("Compare the table's indexes", "indexes", |part| {
        let mut python = indexes(project, account, stack, "templates");
        python.arg("--template").arg(built_template(project));
        serde_json::from_str(&part.output(&mut python)?)
            .context("xtask/python/indexes.py printed an unknown format")
    })?;
    // An earlier deployment may have ended while DynamoDB filled an index: until then, the table cannot be updated.
    wait_for_indexes(project, console, account, stack)?;
    for template in templates {
        console.say("The table gets several new indexes, one per update:");
        console.show(&mut account.deploy(project, &template, stack, overrides)?)?;
        wait_for_indexes(project, console, account, stack)?;
    }
    Ok(())
}

/// Waits until DynamoDB has filled all indexes of a deployed stack.
fn wait_for_indexes(project: &Project, console: &Console, account: &Account, stack: &str) -> Result<()> {
    console.part("Wait until DynamoDB has filled the indexes", "indexes", |part| {
        part.run(&mut indexes(project, account, stack, "wait"))
    })
}

/// A command of `xtask/python/indexes.py`.
fn indexes(project: &Project, account: &Account, stack: &str, command: &str) -> Command {
    let mut python = SAM.python(project);
    account.configure(&mut python);
    python
        .arg(project.path("xtask/python/indexes.py"))
        .args([command, "--stack-name", stack]);
    python
}

/// The command that protects the user pool of a deployed stack.
fn protecting_command(stack: &str, region: &str) -> String {
    format!("cargo xtask deploy --stack {stack} --region {region} --parameter {PROTECTION}=ACTIVE")
}

/// Asks whether to check the deployment. Without a terminal, prints the command instead.
fn wants_smoke(console: &Console, options: &DeployOptions, region: &str) -> Result<bool> {
    if !stdin().is_terminal() {
        console.say(&format!(
            "`cargo xtask smoke --aws {} --region {region}` checks the deployment.",
            options.stack
        ));
        return Ok(false);
    }
    console.say("Check the deployment as a temporary user now? It takes about two minutes, up to eight after a first deployment, and costs less than a cent. [y/N]");
    let mut answer = String::new();
    stdin()
        .read_line(&mut answer)
        .context("cannot read your answer")?;
    console.check()?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Checks for problems that would make the deployment fail, and reads the deployed stack.
fn inspect(
    project: &Project,
    console: &Console,
    account: &Account,
    options: &DeployOptions,
) -> Result<Findings> {
    let findings: Findings = console.part("Check the account", "check-account", |part| {
        let mut python = SAM.python(project);
        account.configure(&mut python);
        python
            .arg(project.path("xtask/python/deploy.py"))
            .args(["--stack-name", &options.stack])
            .arg("--template")
            .arg(project.path("template.yaml"));
        for parameter in &options.parameters {
            python.arg("--parameter").arg(parameter);
        }
        serde_json::from_str(&part.output(&mut python)?)
            .context("xtask/python/deploy.py printed an unknown format")
    })?;
    findings.check(&options.stack)?;
    console.say(&format!(
        "{} {} in {} of account {}, for {}",
        if findings.is_new { "Creating" } else { "Updating" },
        options.stack,
        findings.region.as_deref().unwrap_or_default(),
        findings.account.as_deref().unwrap_or_default(),
        findings.architecture
    ));
    for note in &findings.notes {
        console.say(&format!("Note: {note}"));
    }
    Ok(findings)
}

/// Runs `cargo xtask publish`.
pub(crate) fn publish(options: &PublishOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    let project = Project::find()?;
    let console = Console::new(&project.local().join("logs"), interrupt)?;
    let prerequisites = Prerequisites::check()?;
    {
        let _lock = lock(&project, &console)?;
        SAM.install(&project, &console, &prerequisites)?;
        page::install_packages(&project, &console, "frontend")?;
        page::build(&project, &console)?;
    }
    let deployed = publish_page(&project, &console, &options.target.find(&project)?)?;
    console.say(&format!("The page: {}", deployed.output("WebUrl")?));
    Ok(ExitCode::SUCCESS)
}

/// Uploads the built page to a stack.
fn publish_page(project: &Project, console: &Console, target: &Target) -> Result<Deployed> {
    let publish = |command: &str| {
        let mut python = target.python(project)?;
        python.arg(project.path("xtask/python/publish.py")).arg(command);
        anyhow::Ok(python)
    };
    console.part("Publish the page", "publish", |part| {
        let answer = part.output(publish("outputs")?.args(["--stack-name", target.stack_name()]))?;
        let deployed: Deployed =
            serde_json::from_str(&answer).context("xtask/python/publish.py printed an unknown format")?;
        let config = project.local().join("build/config.json");
        PageConfig::of(&deployed, deployed.output("SignInUrl")?)?.write(&config)?;
        part.run(
            publish("page")?
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
    use super::*;
    use serde_json::json;

    fn findings(is_new: bool, overrides: &serde_json::Value) -> Findings {
        serde_json::from_value(json!({
            "account": "123456789012", "region": "us-east-1", "problems": [], "notes": [],
            "isNew": is_new, "protection": null, "architecture": "arm64", "overrides": overrides
        }))
        .unwrap()
    }

    #[test]
    fn a_parameter_has_a_name_and_a_value() {
        assert!(parameter("WebOrigins=http://127.0.0.1:8080,https://a.example").is_ok());
        assert!(parameter("RekognitionEndpoint=").is_ok());
        assert!(parameter("MinConfidence").is_err());
        assert!(parameter("=70").is_err());
        assert!(parameter(r#"WebOrigins=a" b"#).is_err());
    }

    #[test]
    fn a_new_user_pool_is_protected_only_once_the_stack_is_complete() {
        let new = findings(true, &json!({"Architecture": "arm64"}));
        assert_eq!(
            new.overrides(),
            ["Architecture=arm64", "UserPoolDeletionProtection=INACTIVE"]
        );
        assert_eq!(
            new.protecting_overrides().unwrap(),
            ["Architecture=arm64", "UserPoolDeletionProtection=ACTIVE"]
        );
        let asked = findings(true, &json!({"UserPoolDeletionProtection": "ACTIVE"}));
        assert_eq!(asked.overrides(), ["UserPoolDeletionProtection=INACTIVE"]);
        assert_eq!(
            asked.protecting_overrides().unwrap(),
            ["UserPoolDeletionProtection=ACTIVE"]
        );
    }

    #[test]
    fn a_user_pool_is_left_as_it_is_when_asked_for_or_deployed_so() {
        let unprotected = findings(true, &json!({"UserPoolDeletionProtection": "INACTIVE"}));
        assert_eq!(unprotected.protecting_overrides(), None);
        let mut deployed = findings(false, &json!({"Architecture": "x86_64"}));
        deployed.protection = Some("ACTIVE".to_owned());
        assert_eq!(deployed.overrides(), ["Architecture=x86_64"]);
        assert_eq!(deployed.protecting_overrides(), None);
    }

    #[test]
    fn an_existing_user_pool_without_protection_is_protected_at_the_end() {
        let mut deployed = findings(false, &json!({"Architecture": "x86_64"}));
        deployed.protection = Some("INACTIVE".to_owned());
        assert_eq!(deployed.overrides(), ["Architecture=x86_64"]);
        assert_eq!(
            deployed.protecting_overrides().unwrap(),
            ["Architecture=x86_64", "UserPoolDeletionProtection=ACTIVE"]
        );
        for asked in ["INACTIVE", "ACTIVE"] {
            deployed.overrides.insert(PROTECTION.to_owned(), asked.to_owned());
            // The first `sam deploy` sets it.
            assert_eq!(deployed.protecting_overrides(), None);
        }
    }

    #[test]
    fn the_command_that_protects_names_the_region() {
        assert_eq!(
            protecting_command("labels", "eu-west-1"),
            "cargo xtask deploy --stack labels --region eu-west-1 --parameter UserPoolDeletionProtection=ACTIVE"
        );
    }

    #[test]
    fn every_problem_is_shown_at_once() {
        let mut findings = findings(true, &json!({}));
        findings.check("labels").unwrap();
        findings.problems = vec!["there is no region".to_owned(), "the name is too long".to_owned()];
        let error = findings.check("labels").unwrap_err().to_string();
        assert_eq!(
            error,
            "labels cannot be deployed:\n  - there is no region\n  - the name is too long"
        );
    }
}
