//! `up` and `down`: the whole system on this machine.
//!
//! `up` updates a stack that is running: functions, template and page. Changes to the programs of `local/` need `down`
//! and `up`.

use crate::build::python::{EMULATOR, MODELS, SAM};
use crate::build::{models, page, programs};
use crate::console::{Console, Interrupt};
use crate::disk::Disks;
use crate::files::remove;
use crate::local::services::{Processes, Services, forget};
use crate::local::stack::{DEMO_PASSWORD, DEMO_USER, Ports, Stack, WEB_PORT, stack_folder};
use crate::local::{deployment, invoke};
use crate::lock::lock;
use crate::page_config::PageConfig;
use crate::prerequisites::Prerequisites;
use crate::process;
use crate::project::Project;
use anyhow::{Result, bail};
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

/// The timeout until a foreground `up` has stopped its programs.
const STOP: Duration = process::GRACE.saturating_add(Duration::from_secs(60));

#[derive(Args)]
pub(crate) struct UpOptions {
    /// Return once everything is ready; `cargo xtask down` stops it
    #[arg(long)]
    detach: bool,
    /// Delete all data of earlier runs
    #[arg(long)]
    fresh: bool,
    /// The stack's folder: state, logs, stack.json [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
    /// The page's port. If it is not 8080, the emulator, the Rekognition stand-in and DynamoDB use the three ports that follow
    #[arg(long, default_value_t = WEB_PORT)]
    port: u16,
}

#[derive(Args)]
pub(crate) struct DownOptions {
    /// The stack's folder [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
}

/// Runs `cargo xtask up`.
pub(crate) fn up(options: &UpOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    let project = Project::find()?;
    let folder = stack_folder(&project, options.stack_dir.as_deref())?;
    let stack = Stack::new(folder, Ports::with_web(options.port)?);
    let console = Console::new(&stack.logs(), interrupt)?;
    let prerequisites = Prerequisites::check()?;
    let lock = lock(&project, &console)?;

    let processes = Processes::read(stack.folder())?;
    if processes.are_complete() {
        return update(options, &project, &console, &prerequisites, &stack, &processes);
    }
    Disks::of(&project).check()?;
    let services = begin(&console, stack, options.fresh)?;
    prepare(&project, &console, &prerequisites, &[])?;
    let services = launch(&project, &console, services)?;
    drop(lock);
    let stack = &services.stack;
    console.say(&format!(
        "\nThe page:  {}\nSign in:   {DEMO_USER} with the password \"{DEMO_PASSWORD}\"\nThe stack: {}",
        stack.web_url(),
        stack.description().display()
    ));
    if options.detach {
        console.say("`cargo xtask down` stops it.");
        services.detach()?;
    } else {
        console.say("Ctrl-C stops it.");
        services.watch(&console)?;
        console.say("Stopped.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs `cargo xtask down`.
pub(crate) fn down(options: &DownOptions) -> Result<ExitCode> {
    let project = Project::find()?;
    let folder = stack_folder(&project, options.stack_dir.as_deref())?;
    let processes = Processes::read(&folder)?;
    if processes.running_up().is_none() && processes.running().next().is_none() {
        eprintln!("Nothing is running in {}.", folder.display());
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("Stopping");
    if let Some(up) = processes.running_up() {
        // It stops its own programs.
        if !up.stop(STOP) {
            bail!("the `cargo xtask` that watches {} did not stop", folder.display());
        }
    }
    // Read again: it may have started more programs before it was killed.
    Processes::read(&folder)?.stop();
    forget(&folder);
    eprintln!("Stopped.");
    Ok(ExitCode::SUCCESS)
}

/// Checks that a stack can be started. From here on, `cargo xtask down` stops this command.
pub(crate) fn begin(console: &Console, stack: Stack, fresh: bool) -> Result<Services> {
    let earlier = Processes::read(stack.folder())?;
    if earlier.running_up().is_some() {
        bail!(
            "another `cargo xtask` runs the stack in {}",
            stack.folder().display()
        );
    }
    if !fresh {
        check_version(&stack)?;
    }
    if earlier.running().next().is_some() {
        console.say("Stopping programs of an earlier start");
        earlier.stop();
    }
    forget(stack.folder());
    stack.ports().check_free()?;
    if fresh {
        remove(&stack.emulator_state())?;
        remove(&stack.dynamodb_state())?;
    }
    Services::new(stack)
}

/// Starts and deploys what [`prepare`] has installed and built. Dropping the result stops the programs.
pub(crate) fn launch(project: &Project, console: &Console, mut services: Services) -> Result<Services> {
    let started = SystemTime::now();
    let kept = services.stack.emulator_state().exists();
    services.start_before_deployment(project, console)?;
    let deployed = deployment::deploy(project, console, &services.stack)?;
    if kept {
        deployment::record_interrupted(project, console, &services.stack, started)?;
    }
    services.start_after_deployment(project, console, &deployed)?;
    Ok(services)
}

/// Fails if the state was written by a version that stored the table in the emulator: the pictures would have no labels.
fn check_version(stack: &Stack) -> Result<()> {
    if stack.emulator_state().exists() && !stack.dynamodb_state().exists() {
        bail!(
            "the pictures and labels in {} were stored by an older version, which this version cannot read. \
             `cargo xtask up --fresh` deletes them and starts with an empty library; to keep using them, \
             go back to the older version",
            stack.folder().display()
        );
    }
    Ok(())
}

/// Installs and builds everything that a stack needs, and some tools. Independent work runs at the same time.
pub(crate) fn prepare(
    project: &Project,
    console: &Console,
    prerequisites: &Prerequisites,
    tools: &[&str],
) -> Result<()> {
    console.parallel(vec![
        Box::new(|| SAM.install(project, console, prerequisites)),
        Box::new(|| programs::build(project, console, tools)),
        Box::new(|| {
            EMULATOR.install(project, console, prerequisites)?;
            MODELS.install(project, console, prerequisites)?;
            models::build(project, console)
        }),
        Box::new(|| build_page(project, console)),
    ])
}

fn build_page(project: &Project, console: &Console) -> Result<()> {
    page::install_packages(project, console, "frontend")?;
    page::build(project, console)
}

fn update(
    options: &UpOptions,
    project: &Project,
    console: &Console,
    prerequisites: &Prerequisites,
    stack: &Stack,
    processes: &Processes,
) -> Result<ExitCode> {
    let stack = Stack::new(stack.folder().to_path_buf(), Ports::with_web(processes.web_port)?);
    if options.fresh || (options.port != WEB_PORT && options.port != processes.web_port) {
        bail!(
            "it is already running at {}; `cargo xtask down` stops it",
            stack.web_url()
        );
    }
    console.say("It is already running. Updating functions, state machines and page");
    console.parallel(vec![
        Box::new(|| SAM.install(project, console, prerequisites)),
        Box::new(|| programs::build(project, console, &[])),
        Box::new(|| build_page(project, console)),
    ])?;
    let deployed = deployment::deploy(project, console, &stack)?;
    PageConfig::of(&deployed, &stack.endpoint())?.write(&stack.page_config())?;
    invoke::prepare(project, console, &stack)?;
    stack.describe(&deployed)?.write(&stack.description())?;
    console.say(&format!("\nThe page:  {}", stack.web_url()));
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn rejects_the_state_of_an_older_version() {
        let folder = tempfile::tempdir().unwrap();
        let stack = Stack::new(folder.path().to_path_buf(), Ports::with_web(WEB_PORT).unwrap());
        assert!(check_version(&stack).is_ok(), "a first start");

        fs::create_dir(stack.emulator_state()).unwrap();
        let error = check_version(&stack).unwrap_err().to_string();
        assert!(
            error.contains("older version") && error.contains("cargo xtask up --fresh"),
            "{error}"
        );

        fs::create_dir(stack.dynamodb_state()).unwrap();
        assert!(check_version(&stack).is_ok(), "the table is there");
    }
}
