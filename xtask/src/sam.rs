//! Building the Lambda functions, and deploying `template.yaml` to the emulator as it is deployed to AWS.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result, anyhow, bail};
use serde::Deserialize;

use crate::console::{Console, Interrupted, Part};
use crate::fingerprint::{Fingerprint, Stamp};
use crate::prerequisites::architecture;
use crate::project::Project;
use crate::stack::{ACCESS_KEY_ID, DEMO_PASSWORD, DEMO_USER, REGION, SECRET_ACCESS_KEY, Stack};
use crate::tools::SAM;

/// The stack's name, in the emulator as in AWS.
pub(crate) const STACK_NAME: &str = "image-label-generator";

/// The way out when the fault is not in the template but in what the emulator remembers.
const START_FRESH: &str =
    "if the emulator's state is at fault, `cargo xtask up --fresh` starts with an empty one";

/// What the built functions depend on.
const SOURCES: [&str; 7] = [
    "Cargo.lock",
    "Cargo.toml",
    "api",
    "crates",
    "steps",
    "template.yaml",
    "local/sam/requirements.txt",
];

/// What the deployed stack depends on beyond the functions.
const DEPLOYED_SOURCES: [&str; 1] = ["statemachine"];

/// The deployed stack as CloudFormation describes it.
#[derive(Debug, Deserialize)]
pub(crate) struct Deployed {
    /// CloudFormation's word for its state, or nothing if there is no such stack.
    status: Option<String>,
    outputs: BTreeMap<String, String>,
}

impl Deployed {
    /// An output of the template.
    pub(crate) fn output(&self, name: &str) -> Result<&str> {
        self.outputs
            .get(name)
            .map(String::as_str)
            .with_context(|| format!("template.yaml has no output {name}, which the local mode needs"))
    }

    fn is_complete(&self) -> bool {
        self.status
            .as_deref()
            .is_some_and(|status| matches!(status, "CREATE_COMPLETE" | "UPDATE_COMPLETE"))
    }
}

/// Builds the functions for this machine, unless their sources are those that they were built from. Needs the tool
/// `SAM`.
pub(crate) fn build(project: &Project, console: &Console) -> Result<()> {
    let fingerprint = sources(project, &SOURCES)?.finish();
    let stamp = Stamp::at(project.local().join("build/functions.stamp"));
    if stamp.matches(&fingerprint) && built_template(project).is_file() {
        return Ok(());
    }
    stamp.clear();
    console.part("Build the Lambda functions", "build-functions", |part| {
        // All at once: `sam build` builds one after the other, which leaves cores idle. It then finds each one done.
        let mut cargo = build_environment(project, project.cargo())?;
        cargo.args(["lambda", "build", "--release", "--bins"]);
        part.run(&mut cargo)?;
        let mut sam = sam(project, "build")?;
        sam.args(["--beta-features", "--parallel", "--build-dir"])
            .arg(build_folder(project));
        sam.arg("--parameter-overrides")
            .arg(format!("Architecture={}", architecture()?));
        part.run(&mut sam)?;
        stamp.write(&fingerprint)
    })
}

/// Deploys what is built to the stack's emulator, unless it has exactly that already.
pub(crate) fn deploy(project: &Project, console: &Console, stack: &Stack) -> Result<Deployed> {
    let parameters = [
        format!("Architecture={}", architecture()?),
        format!("RekognitionEndpoint={}", stack.labeler_url()),
        format!("WebOrigins={}", stack.web_url()),
        "RequireTls=false".to_owned(),
        // The emulator has only the classic pages.
        "ManagedLogin=false".to_owned(),
        "UserPoolDeletionProtection=INACTIVE".to_owned(),
    ];
    let fingerprint = parameters
        .iter()
        .fold(sources(project, &SOURCES)?, |fingerprint, parameter| {
            fingerprint.text(parameter)
        });
    let fingerprint = DEPLOYED_SOURCES
        .iter()
        .try_fold(fingerprint, |fingerprint, path| {
            fingerprint.path(&project.path(path))
        })?
        .finish();
    // Beside what it speaks of: forgotten together with it.
    let stamp = Stamp::at(stack.emulator_state().join("deployed.stamp"));
    if stamp.matches(&fingerprint) {
        let deployed = console.part("Look at the deployed stack", "describe", |part| {
            finish(project, stack, part)
        })?;
        if deployed.is_complete() {
            return Ok(deployed);
        }
    }
    stamp.clear();
    console.part("Deploy template.yaml to the emulator", "deploy", |part| {
        let mut sam = sam(project, "deploy")?;
        aws_environment(&mut sam, &stack.endpoint());
        // Seconds between two looks. The default, 5, is meant for AWS, and longer than the deployment takes.
        sam.env("SAM_CLI_POLL_DELAY", "0.5");
        sam.arg("--template-file").arg(built_template(project));
        sam.args([
            "--stack-name",
            STACK_NAME,
            "--resolve-s3",
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
        ]);
        sam.args(["--capabilities", "CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]);
        sam.arg("--parameter-overrides").args(&parameters);
        part.run(&mut sam)
            .map_err(|error| match error.is::<Interrupted>() {
                true => error,
                false => anyhow!("{error:#}; {START_FRESH}"),
            })?;
        let deployed = finish(project, stack, part)?;
        if !deployed.is_complete() {
            let status = deployed.status.as_deref().unwrap_or("absent");
            bail!("the stack is {status} after deploying; {START_FRESH}");
        }
        stamp.write(&fingerprint)?;
        Ok(deployed)
    })
}

/// `sam build` as for AWS: optimized, and with Zig, for the architecture and the C library that Lambda has.
pub(crate) fn build_for_aws(project: &Project) -> Result<Command> {
    let mut command = aws_sam(project, "build")?;
    command.arg("--beta-features");
    Ok(command)
}

/// `sam deploy` to the account that the environment names.
pub(crate) fn deploy_to_aws(project: &Project, stack_name: &str, parameters: &[String]) -> Result<Command> {
    let mut command = aws_sam(project, "deploy")?;
    command.args([
        "--stack-name",
        stack_name,
        "--resolve-s3",
        "--no-fail-on-empty-changeset",
    ]);
    command.args(["--capabilities", "CAPABILITY_IAM"]);
    if !parameters.is_empty() {
        command.arg("--parameter-overrides").args(parameters);
    }
    Ok(command)
}

/// The SAM CLI as the developer would call it, cargo-lambda beside it.
fn aws_sam(project: &Project, subcommand: &str) -> Result<Command> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(SAM.programs(project)).chain(env::split_paths(&path));
    let path = env::join_paths(folders).context("a folder of PATH has a colon in its name")?;
    let mut command = project.command(SAM.program(project, "sam"));
    command
        .env("PATH", path)
        .env("SAM_CLI_TELEMETRY", "0")
        .arg(subcommand);
    Ok(command)
}

/// `sam validate --lint`, without touching any account.
pub(crate) fn validate(project: &Project) -> Result<Command> {
    let mut sam = sam(project, "validate")?;
    sam.args(["--lint", "--region", REGION]);
    Ok(sam)
}

/// Makes up for what the emulator leaves out, and reads the stack's outputs.
fn finish(project: &Project, stack: &Stack, part: &Part<'_>) -> Result<Deployed> {
    let mut python = SAM.python(project);
    aws_environment(&mut python, &stack.endpoint());
    python
        .arg("local/emulator/after_deploy.py")
        .args(["--stack-name", STACK_NAME]);
    python.arg("--template").arg(built_template(project));
    python.args(["--user", DEMO_USER, "--password", DEMO_PASSWORD]);
    let answer = part.output(&mut python)?;
    serde_json::from_str(&answer).context("local/emulator/after_deploy.py answered in an unknown form")
}

/// Has the failures recorded of the executions that the emulator's last stop cut off: it says nothing about them itself.
/// `started` is when the emulator started.
pub(crate) fn record_cut_off(
    project: &Project,
    console: &Console,
    stack: &Stack,
    started: SystemTime,
) -> Result<()> {
    let since = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    console.part("Record what the last stop cut off", "record-cut-off", |part| {
        let mut python = SAM.python(project);
        aws_environment(&mut python, &stack.endpoint());
        python
            .arg("local/emulator/after_restart.py")
            .args(["--stack-name", STACK_NAME])
            .args(["--since", &since.as_secs().to_string()]);
        part.run(&mut python)
    })
}

fn build_folder(project: &Project) -> PathBuf {
    project.local().join("build/functions")
}

fn built_template(project: &Project) -> PathBuf {
    build_folder(project).join("template.yaml")
}

fn sources(project: &Project, paths: &[&str]) -> Result<Fingerprint> {
    paths
        .iter()
        .try_fold(Fingerprint::default(), |fingerprint, path| {
            fingerprint.text(path).path(&project.path(path))
        })
}

fn sam(project: &Project, subcommand: &str) -> Result<Command> {
    let home = project.local().join("tools/sam-home");
    // An empty configuration: samconfig.toml holds what the developer deploys to a real account.
    let configuration = home.join("samconfig.toml");
    write(&configuration, "")?;
    let mut command = build_environment(project, project.command(SAM.program(project, "sam")))?;
    command
        .env("SAM_CLI_TELEMETRY", "0")
        .env("__SAM_CLI_APP_DIR", &home);
    command.arg(subcommand).arg("--config-file").arg(configuration);
    Ok(command)
}

/// The environment in which functions are built for this machine: the same for `cargo lambda` and for `sam`, so that
/// the second finds what the first has built.
fn build_environment(project: &Project, mut command: Command) -> Result<Command> {
    let path = env::var_os("PATH").unwrap_or_default();
    let cargo = env::var_os("CARGO").map(PathBuf::from);
    let cargo = cargo.as_deref().and_then(Path::parent).map(Path::to_path_buf);
    let folders = std::iter::once(SAM.programs(project))
        .chain(env::split_paths(&path))
        .chain(cargo);
    let path = env::join_paths(folders).context("a folder of PATH has a colon in its name")?;
    command
        .env("PATH", path)
        .env("CARGO_LAMBDA_COMPILER", "cargo")
        .env("CARGO_LAMBDA_GLOBAL", cargo_lambda_configuration(project)?)
        .env("CARGO_TARGET_DIR", project.target.join("local"))
        // Optimizing costs minutes and is for deployment.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    Ok(command)
}

/// Makes every build resolve features for all functions together. `sam build` builds each from its own folder: Cargo
/// would then compile the AWS SDK once for each set of features that a function happens to need, three times or more.
/// For deployment, that is worth the smaller binaries; on a developer's machine it is not.
fn cargo_lambda_configuration(project: &Project) -> Result<PathBuf> {
    let path = project.local().join("build/cargo-lambda.toml");
    // Its default optimizations would ask for a processor with AVX2, which a virtual machine may not have.
    let text = format!(
        "[build]\npackages = {:?}\ndisable_optimizations = true\n",
        project.functions()
    );
    write(&path, &text)?;
    Ok(path)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Leads an AWS client to an emulator and nowhere else.
pub(crate) fn aws_environment(command: &mut Command, endpoint: &str) {
    command
        .env("AWS_ENDPOINT_URL", endpoint)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_REGION", REGION)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(json: &str) -> Deployed {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn only_a_complete_stack_is_taken_as_deployed() {
        assert!(described(r#"{"status": "UPDATE_COMPLETE", "outputs": {}}"#).is_complete());
        assert!(!described(r#"{"status": "ROLLBACK_COMPLETE", "outputs": {}}"#).is_complete());
        assert!(!described(r#"{"status": "UPDATE_IN_PROGRESS", "outputs": {}}"#).is_complete());
        assert!(!described(r#"{"status": null, "outputs": {}}"#).is_complete());
    }

    #[test]
    fn a_missing_output_is_named() {
        let deployed = described(r#"{"status": "CREATE_COMPLETE", "outputs": {"ApiId": "abc"}}"#);
        assert_eq!(deployed.output("ApiId").unwrap(), "abc");
        assert!(
            deployed
                .output("TableName")
                .unwrap_err()
                .to_string()
                .contains("TableName")
        );
    }
}
