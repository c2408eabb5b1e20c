//! Deploys `template.yaml` to the emulator as it is deployed to AWS.

use crate::build::programs::built_template;
use crate::build::python::SAM;
use crate::build::sam_cli::sam;
use crate::console::{Console, Interrupted, Part};
use crate::deployed::{Deployed, STACK_NAME};
use crate::fingerprint::{Fingerprint, Stamp};
use crate::local::stack::{DEMO_PASSWORD, DEMO_USER, Stack, aws_environment};
use crate::prerequisites::architecture;
use crate::project::Project;
use anyhow::{Context, Result, anyhow, bail};
use std::time::SystemTime;

/// Advice if the cause may be the emulator's state and not the template.
const START_FRESH: &str =
    "if the emulator's state is the cause, `cargo xtask up --fresh` starts with an empty one";

/// What the deployed stack depends on.
const SOURCES: [&str; 9] = [
    "Cargo.lock",
    "Cargo.toml",
    "api",
    "crates",
    "listeners",
    "steps",
    "statemachine",
    "template.yaml",
    "local/sam/requirements.txt",
];

/// Deploys the built functions and the template to the stack's emulator, if they have changed.
pub(crate) fn deploy(project: &Project, console: &Console, stack: &Stack) -> Result<Deployed> {
    let parameters = [
        format!("Architecture={}", architecture()?),
        format!("RekognitionEndpoint={}", stack.rekognition_url()),
        format!("WebOrigins={}", stack.web_url()),
        "RequireTls=false".to_owned(),
        // All buckets of the emulator whose names begin like this.
        format!("ImportSources=arn:aws:s3:::{STACK_NAME}-import-*"),
        // The models of this machine label about this many pictures per second beside new uploads.
        "BulkImagesPerSecond=5".to_owned(),
        // The emulator has only the classic sign-in pages.
        "ManagedLogin=false".to_owned(),
        // Tests write records without executions, and objects without records. After an hour, the reconciler would repair them
        // while tests run. `cargo xtask reconcile` and tests start it themselves.
        "ReconcileDays=0".to_owned(),
        // The emulator has neither CodeDeploy nor AWS::StepFunctions::StateMachineVersion. Tests change functions.
        "GradualDeployments=false".to_owned(),
        "FunctionVersions=false".to_owned(),
        // The emulator has no AWS::Logs::QueryDefinition.
        "SavedQueries=false".to_owned(),
    ];
    let fingerprint = parameters
        .iter()
        .fold(sources(project, &SOURCES)?, |fingerprint, parameter| {
            fingerprint.text(parameter)
        })
        .finish();
    // In the emulator's state, so that both are deleted together.
    let stamp = Stamp::at(stack.emulator_state().join("deployed.stamp"));
    if stamp.matches(&fingerprint) {
        let deployed = console.part("Check the deployed stack", "describe", |part| {
            finish(project, stack, part)
        })?;
        if deployed.is_complete() {
            return Ok(deployed);
        }
    }
    stamp.clear();
    console.part("Deploy template.yaml to the emulator", "deploy", |part| {
        // Beside the built one, whose paths are relative.
        let template = built_template(project).with_file_name("template-local.yaml");
        let mut python = SAM.python(project);
        python.arg("local/emulator/before_deploy.py");
        python.arg("--template").arg(built_template(project));
        python.arg("--output").arg(&template).args(&parameters);
        part.run(&mut python)?;
        let mut sam = sam(project, "deploy")?;
        aws_environment(&mut sam, &stack.endpoints(), &stack.keys()?);
        // The polling interval in seconds. The default of 5 is for AWS, and longer than this deployment takes.
        sam.env("SAM_CLI_POLL_DELAY", "0.5");
        sam.arg("--template-file").arg(&template);
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

/// Does what the emulator leaves out of a deployment, and reads the stack's outputs.
fn finish(project: &Project, stack: &Stack, part: &Part<'_>) -> Result<Deployed> {
    let mut python = SAM.python(project);
    aws_environment(&mut python, &stack.endpoints(), &stack.keys()?);
    python
        .arg("local/emulator/after_deploy.py")
        .args(["--stack-name", STACK_NAME]);
    python.arg("--template").arg(built_template(project));
    python.args(["--user", DEMO_USER, "--password", DEMO_PASSWORD]);
    let answer = part.output(&mut python)?;
    serde_json::from_str(&answer).context("local/emulator/after_deploy.py printed an unknown format")
}

/// Records the failure of executions that the emulator's last stop interrupted, since the emulator sends no event about
/// them. `started` is when the emulator started.
pub(crate) fn record_interrupted(
    project: &Project,
    console: &Console,
    stack: &Stack,
    started: SystemTime,
) -> Result<()> {
    let since = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    console.part(
        "Record executions that the last stop interrupted",
        "record-interrupted",
        |part| {
            let mut python = SAM.python(project);
            aws_environment(&mut python, &stack.endpoints(), &stack.keys()?);
            python
                .arg("local/emulator/after_restart.py")
                .args(["--stack-name", STACK_NAME])
                .args(["--since", &since.as_secs().to_string()]);
            part.run(&mut python)
        },
    )
}

fn sources(project: &Project, paths: &[&str]) -> Result<Fingerprint> {
    paths
        .iter()
        .try_fold(Fingerprint::default(), |fingerprint, path| {
            fingerprint.text(path).path(&project.path(path))
        })
}
