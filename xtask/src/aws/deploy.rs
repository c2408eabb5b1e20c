//! `deploy` and `publish`: deploy the system to an AWS account, and upload only the page to a deployed stack.

use crate::aws::account::{Account, build_folder, built_template};
use crate::aws::target::{Target, TargetOptions};
use crate::aws::{elf, smoke};
use crate::build::page;
use crate::build::python::{SAM, ZIG};
use crate::console::{Console, Interrupt};
use crate::deployed::{Deployed, STACK_NAME};
use crate::fingerprint::Fingerprint;
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
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{SystemTime, UNIX_EPOCH};

/// The parameter that has to be INACTIVE until the stack exists.
const PROTECTION: &str = "DeletionProtection";
/// The parameter that is `false` while a stack is deployed at once.
const GRADUAL: &str = "GradualDeployments";
/// The parameter with the hash of what is deployed.
const RELEASE: &str = "Release";

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
    /// Roll back the last deployment, all at once
    #[arg(long, conflicts_with_all = ["parameters", "smoke", "at_once"])]
    rollback: bool,
    /// Shift all traffic at once and ignore alarms. Use it to deploy a fix while an alarm is on
    #[arg(long)]
    at_once: bool,
    /// Don't ask for confirmation
    #[arg(long)]
    yes: bool,
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
    /// Whether the last update of the deployed stack was rolled back.
    #[serde(default)]
    is_rolled_back: bool,
    /// The deployed value of `DeletionProtection`.
    protection: Option<String>,
    architecture: String,
    /// The values of all parameters that are given or deployed.
    parameters: BTreeMap<String, String>,
    overrides: BTreeMap<String, String>,
}

impl Findings {
    /// The parameters for `sam build` and the first `sam deploy`. A new user pool is not protected: CloudFormation
    /// could not delete it if the creation of another resource failed.
    fn overrides(&self) -> BTreeMap<String, String> {
        let mut overrides = self.overrides.clone();
        if self.is_new {
            overrides.insert(PROTECTION.to_owned(), "INACTIVE".to_owned());
        }
        overrides
    }

    /// The parameters for a second `sam deploy`, which protects the user pool and the table, and makes the next
    /// deployment gradual again after one with `--at-once`. An existing stack needs the protection if its first deployment ended before this step.
    fn finishing_overrides(&self, at_once: bool) -> Option<BTreeMap<String, String>> {
        let mut overrides = self.overrides.clone();
        let asked = overrides.get(PROTECTION).map(String::as_str);
        let is_unprotected = match asked {
            Some("INACTIVE") => false,
            Some(_) => self.is_new,
            None => self.is_new || self.protection.as_deref() != Some("ACTIVE"),
        };
        if is_unprotected {
            overrides.insert(PROTECTION.to_owned(), "ACTIVE".to_owned());
        }
        let ends_gradual = self.ends_gradual(at_once);
        if ends_gradual {
            overrides.insert(GRADUAL.to_owned(), "true".to_owned());
        }
        (is_unprotected || ends_gradual).then_some(overrides)
    }

    /// Whether the next deployment has to be made gradual again after this one. The template's default is `true`.
    fn ends_gradual(&self, at_once: bool) -> bool {
        at_once && self.parameters.get(GRADUAL).is_none_or(|value| value == "true")
    }

    /// A hash of what the functions are built from: code, template and parameters. Versions of functions contain the values
    /// of parameters, so each change needs new ones. Parameters about the deployment itself do not.
    /// After a rollback, the time is added: Lambda publishes no version of code and configuration that equal those of its newest
    /// version (`PublishVersion` in the Lambda API reference), and the release that was rolled back has left that one.
    fn release(&self, folder: &Path) -> Result<String> {
        let parameters = self.parameters.iter();
        let mut release = parameters
            .filter(|(name, _)| ![PROTECTION, GRADUAL, RELEASE].contains(&name.as_str()))
            .fold(Fingerprint::default().path(folder)?, |release, (name, value)| {
                release.text(name).text(value)
            });
        if self.is_rolled_back {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            release = release.text(&now.as_nanos().to_string());
        }
        Ok(release.finish())
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
    if !options.yes && !stdin().is_terminal() {
        bail!("there is no terminal to ask for confirmation: use --yes");
    }
    let project = Project::find()?;
    let console = Console::new(&project.local().join("logs"), interrupt)?;
    let prerequisites = Prerequisites::check()?;
    let account = Account::new(options.region.as_deref());
    if options.rollback {
        return rollback(&project, &console, &prerequisites, &account, options);
    }
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
    let mut overrides = findings.overrides();
    let folder = build_folder(&project);
    // Functions of an earlier build may no longer be in the template.
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    console.show(&mut account.build(&project, &pairs(&overrides))?)?;
    elf::check_functions(&folder, &findings.architecture)?;
    let template = built_template(&project);
    let release = findings.release(&folder)?;
    overrides.insert(RELEASE.to_owned(), release.clone());
    if options.at_once {
        overrides.insert(GRADUAL.to_owned(), "false".to_owned());
    }
    let overrides = pairs(&overrides);
    let stack = &options.stack;
    let mut has_changes = true;
    if findings.is_new {
        if !confirmed(&console, options, "Create the stack?")? {
            return Ok(ExitCode::SUCCESS);
        }
    } else {
        has_changes = self::has_changes(&project, &console, &account, stack, &template, &overrides)?;
        let question = if has_changes {
            "Deploy these changes?"
        } else {
            "The stack is up to date. Publish the page?"
        };
        if !confirmed(&console, options, question)? {
            run_previous(&project, &console, &account, stack, "discard")?;
            return Ok(ExitCode::SUCCESS);
        }
        run_previous(&project, &console, &account, stack, "save")?;
    }
    let target = Target::Aws {
        stack_name: stack.clone(),
        account: Account::new(options.region.as_deref()),
    };
    let update = || -> Result<Deployed> {
        if has_changes {
            if !findings.is_new {
                add_indexes(&project, &console, &account, stack, &overrides)?;
            }
            console.show(&mut account.deploy(&project, &template, stack, &overrides)?)?;
            if !findings.is_new {
                run_previous(&project, &console, &account, stack, "promote")?;
            }
        }
        wait_for_indexes(&project, &console, &account, stack)?;
        let deployed = publish_page(&project, &console, &target)?;
        if let Some(mut overrides) = findings.finishing_overrides(options.at_once) {
            overrides.insert(RELEASE.to_owned(), release);
            console.say(
                "The stack is complete. Protecting its user pool and table, and making the next deployment gradual:",
            );
            console
                .show(&mut account.deploy(&project, &template, stack, &pairs(&overrides))?)
                .context(
                    "the system works, but its user pool and table may not be protected against deletion",
                )?;
        }
        Ok(deployed)
    };
    let updated = update();
    // Also if only the page has changed, or the update has failed.
    let promoted = match findings.is_new {
        true => Ok(()),
        false => run_previous(&project, &console, &account, stack, "promote"),
    };
    let deployed = updated.with_context(|| incomplete(&findings, options, region))?;
    promoted?;
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
        // The release is in use from now on, even if a later update fails.
        run_previous(project, console, account, stack, "promote")?;
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

/// Brings back what the last deployment has replaced: the page, then the stack, at once. Alarms may be on, so they must not
/// stop it.
fn rollback(
    project: &Project,
    console: &Console,
    prerequisites: &Prerequisites,
    account: &Account,
    options: &DeployOptions,
) -> Result<ExitCode> {
    {
        let _lock = lock(project, console)?;
        SAM.install(project, console, prerequisites)?;
    }
    let stack = &options.stack;
    let template = project.local().join("build/previous.yaml");
    let fetched: Fetched = console.part("Read the previous deployment", "previous", |part| {
        let mut python = previous(project, account, stack, "fetch");
        python.arg("--template").arg(&template);
        serde_json::from_str(&part.output(&mut python)?)
            .context("xtask/python/previous.py printed an unknown format")
    })?;
    let before = fetched.overrides;
    let mut at_once = before.clone();
    let was_gradual = at_once.get(GRADUAL).is_some_and(|value| value == "true");
    if was_gradual {
        at_once.insert(GRADUAL.to_owned(), "false".to_owned());
    }
    let at_once = pairs(&at_once);
    let has_changes = has_changes(project, console, account, stack, &template, &at_once)?;
    if !confirmed(
        console,
        options,
        "Roll back the stack and the page to the previous deployment?",
    )? {
        run_previous(project, console, account, stack, "discard")?;
        return Ok(ExitCode::SUCCESS);
    }
    // The previous page works with the newer API, but the newer page may need routes that the previous API lacks.
    run_previous(project, console, account, stack, "page")?;
    if has_changes {
        console.show(&mut account.deploy(project, &template, stack, &at_once)?)?;
    }
    if was_gradual {
        console.say("The previous deployment is back. Making the next one gradual again:");
        console.show(&mut account.deploy(project, &template, stack, &pairs(&before))?)?;
    }
    console.say(&format!(
        "{stack} is as it was before its last deployment, except for the table and the data. \
         `cargo xtask status` shows pictures that have failed meanwhile."
    ));
    Ok(ExitCode::SUCCESS)
}

/// The output of `previous.py fetch`: the values of the parameters of the previous deployment.
#[derive(Deserialize)]
struct Fetched {
    overrides: BTreeMap<String, String>,
}

/// Shows what a deployment would change. Returns whether it would change anything.
fn has_changes(
    project: &Project,
    console: &Console,
    account: &Account,
    stack: &str,
    template: &Path,
    overrides: &[String],
) -> Result<bool> {
    run_previous(project, console, account, stack, "discard")?;
    console.show(&mut account.preview(project, template, stack, overrides)?)?;
    console.part("Read the changes", "previous", |part| {
        let changes = part.output(&mut previous(project, account, stack, "changes"))?;
        serde_json::from_str(&changes).context("xtask/python/previous.py printed an unknown format")
    })
}

/// Runs a command of `xtask/python/previous.py`.
fn run_previous(
    project: &Project,
    console: &Console,
    account: &Account,
    stack: &str,
    command: &str,
) -> Result<()> {
    let title = match command {
        "save" => "Save what is deployed for a rollback",
        "promote" => "Keep what was replaced for a rollback",
        "page" => "Bring the previous page back",
        _ => "Discard changes that were not made",
    };
    console.part(title, "previous", |part| {
        part.run(&mut previous(project, account, stack, command))
    })
}

/// A command of `xtask/python/previous.py`.
fn previous(project: &Project, account: &Account, stack: &str, command: &str) -> Command {
    let mut python = SAM.python(project);
    account.configure(&mut python);
    python
        .arg(project.path("xtask/python/previous.py"))
        .args([command, "--stack-name", stack]);
    python
}

/// Asks for confirmation, unless there is `--yes`.
fn confirmed(console: &Console, options: &DeployOptions, question: &str) -> Result<bool> {
    if options.yes {
        return Ok(true);
    }
    let is_confirmed = answers_yes(console, question)?;
    if !is_confirmed {
        console.say("Nothing was changed.");
    }
    Ok(is_confirmed)
}

/// Asks a question on the terminal.
fn answers_yes(console: &Console, question: &str) -> Result<bool> {
    console.say(&format!("{question} [y/N]"));
    let mut answer = String::new();
    stdin()
        .read_line(&mut answer)
        .context("cannot read your answer")?;
    console.check()?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// The command that completes a deployed stack.
fn finishing_command(stack: &str, region: &str) -> String {
    format!(
        "cargo xtask deploy --stack {stack} --region {region} --parameter {PROTECTION}=ACTIVE --parameter {GRADUAL}=true"
    )
}

/// What to do after a deployment that has failed after its first update, or was interrupted.
fn incomplete(findings: &Findings, options: &DeployOptions, region: &str) -> String {
    let command = finishing_command(&options.stack, region);
    if findings.ends_gradual(options.at_once) {
        format!(
            "the deployment is not complete, and the next one may not be gradual; `{command}` completes it"
        )
    } else if findings.finishing_overrides(options.at_once).is_some() {
        format!("the deployment is not complete; once the stack works, `{command}` completes it")
    } else {
        "the deployment is not complete".to_owned()
    }
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
    answers_yes(
        console,
        "Check the deployment as a temporary user now? It takes about two minutes, up to eight after a first deployment, \
         and costs less than two cents.",
    )
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
            "isNew": is_new, "protection": null, "architecture": "arm64", "parameters": overrides,
            "overrides": overrides
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

    fn finishing(findings: &Findings, at_once: bool) -> Option<Vec<String>> {
        findings.finishing_overrides(at_once).as_ref().map(pairs)
    }

    #[test]
    fn a_new_user_pool_is_protected_only_once_the_stack_is_complete() {
        let new = findings(true, &json!({"Architecture": "arm64"}));
        assert_eq!(
            pairs(&new.overrides()),
            ["Architecture=arm64", "DeletionProtection=INACTIVE"]
        );
        assert_eq!(
            finishing(&new, false).unwrap(),
            ["Architecture=arm64", "DeletionProtection=ACTIVE"]
        );
        let asked = findings(true, &json!({"DeletionProtection": "ACTIVE"}));
        assert_eq!(pairs(&asked.overrides()), ["DeletionProtection=INACTIVE"]);
        assert_eq!(finishing(&asked, false).unwrap(), ["DeletionProtection=ACTIVE"]);
    }

    #[test]
    fn a_user_pool_is_left_as_it_is_when_asked_for_or_deployed_so() {
        let unprotected = findings(true, &json!({"DeletionProtection": "INACTIVE"}));
        assert_eq!(finishing(&unprotected, false), None);
        let mut deployed = findings(false, &json!({"Architecture": "x86_64"}));
        deployed.protection = Some("ACTIVE".to_owned());
        assert_eq!(pairs(&deployed.overrides()), ["Architecture=x86_64"]);
        assert_eq!(finishing(&deployed, false), None);
    }

    #[test]
    fn an_existing_user_pool_without_protection_is_protected_at_the_end() {
        let mut deployed = findings(false, &json!({"Architecture": "x86_64"}));
        deployed.protection = Some("INACTIVE".to_owned());
        assert_eq!(pairs(&deployed.overrides()), ["Architecture=x86_64"]);
        assert_eq!(
            finishing(&deployed, false).unwrap(),
            ["Architecture=x86_64", "DeletionProtection=ACTIVE"]
        );
        for asked in ["INACTIVE", "ACTIVE"] {
            deployed.overrides.insert(PROTECTION.to_owned(), asked.to_owned());
            // The first `sam deploy` sets it.
            assert_eq!(finishing(&deployed, false), None);
        }
    }

    #[test]
    fn deployments_are_gradual_again_after_one_at_once() {
        let mut deployed = findings(false, &json!({}));
        deployed.protection = Some("ACTIVE".to_owned());
        assert_eq!(finishing(&deployed, true).unwrap(), ["GradualDeployments=true"]);
        deployed.parameters.insert(GRADUAL.to_owned(), "false".to_owned());
        assert_eq!(finishing(&deployed, true), None);
    }

    #[test]
    fn code_and_parameters_make_a_release_and_settings_of_the_deployment_do_not() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("bootstrap"), "one").unwrap();
        let release = |parameters| findings(false, &parameters).release(folder.path()).unwrap();
        let first = release(json!({"MinConfidence": "55"}));
        assert_eq!(
            release(json!({"MinConfidence": "55", "GradualDeployments": "false", "Release": "1"})),
            first
        );
        assert_ne!(release(json!({"MinConfidence": "56"})), first);
        fs::write(folder.path().join("bootstrap"), "two").unwrap();
        assert_ne!(release(json!({"MinConfidence": "55"})), first);
    }

    #[test]
    fn the_command_that_completes_a_stack_names_the_region() {
        assert_eq!(
            finishing_command("labels", "eu-west-1"),
            "cargo xtask deploy --stack labels --region eu-west-1 --parameter DeletionProtection=ACTIVE \
             --parameter GradualDeployments=true"
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
