//! `up` and `down`: the whole system on this machine.
//!
//! `up` on a stack that runs already brings it up to date instead: new functions, a new template, a new page. A new
//! labeler or web server takes `down` and `up`.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::console::{Console, Interrupt};
use crate::page;
use crate::page_config::PageConfig;
use crate::prerequisites::Prerequisites;
use crate::process;
use crate::project::Project;
use crate::sam;
use crate::services::{Processes, Services, forget, remove};
use crate::stack::{DEMO_PASSWORD, DEMO_USER, Ports, Stack, WEB_PORT};
use crate::tools::{self, EMULATOR, MODELS, SAM};

/// How long a foreground `up` may take to stop what it has started.
const STOP: Duration = process::GRACE.saturating_add(Duration::from_secs(60));
const LOOK: Duration = Duration::from_millis(100);

#[derive(Args)]
pub(crate) struct UpOptions {
    /// Return once everything is ready; `cargo xtask down` stops it
    #[arg(long)]
    detach: bool,
    /// Forget what an earlier run has stored
    #[arg(long)]
    fresh: bool,
    /// The stack's folder: state, logs, stack.json [default: .local in the project's folder]
    #[arg(long, value_name = "FOLDER")]
    stack_dir: Option<PathBuf>,
    /// The page's port. With another than 8080, the emulator and the labeler take the two that follow
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
        return bring_up_to_date(options, &project, &console, &prerequisites, &stack, &processes);
    }
    let services = start(&project, &console, &prerequisites, stack, options.fresh)?;
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
        eprintln!("Nothing runs in {}.", folder.display());
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("Stopping");
    if let Some(up) = processes.running_up() {
        // It stops what it has started.
        if !up.stop(STOP) {
            bail!(
                "the `cargo xtask` that watches {} does not stop",
                folder.display()
            );
        }
    }
    // Read again: it may have started more in the meantime, and then been killed.
    Processes::read(&folder)?.stop();
    forget(&folder);
    eprintln!("Stopped.");
    Ok(ExitCode::SUCCESS)
}

/// Installs, builds, starts and deploys everything. What was started stops when the result is dropped.
pub(crate) fn start(
    project: &Project,
    console: &Console,
    prerequisites: &Prerequisites,
    stack: Stack,
    fresh: bool,
) -> Result<Services> {
    let earlier = Processes::read(stack.folder())?;
    if earlier.running_up().is_some() {
        bail!(
            "another `cargo xtask` runs the stack in {}",
            stack.folder().display()
        );
    }
    if earlier.running().next().is_some() {
        console.say("Stopping what an earlier start has left behind");
        earlier.stop();
    }
    forget(stack.folder());
    stack.ports().check_free()?;
    if fresh {
        remove(&stack.emulator_state())?;
    }
    let mut services = Services::new(stack)?;
    prepare(project, console, prerequisites)?;
    let started = SystemTime::now();
    let kept = services.stack.emulator_state().exists();
    services.start_before_deployment(project, console)?;
    let deployed = sam::deploy(project, console, &services.stack)?;
    if kept {
        sam::record_cut_off(project, console, &services.stack, started)?;
    }
    services.start_after_deployment(project, console, &deployed)?;
    Ok(services)
}

/// Waits until no other `cargo xtask` installs, builds or deploys. The lock ends with the value.
pub(crate) fn lock(project: &Project, console: &Console) -> Result<File> {
    let path = project.local().join("lock");
    fs::create_dir_all(project.local()).context("cannot make .local")?;
    let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
    let mut said = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                if !said {
                    console.say("Waiting for another `cargo xtask` that installs or builds");
                    said = true;
                }
                console.check()?;
                thread::sleep(LOOK);
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock {}", path.display()));
            }
        }
    }
}

/// Installs and builds everything that a stack runs; what is independent, at the same time.
fn prepare(project: &Project, console: &Console, prerequisites: &Prerequisites) -> Result<()> {
    console.parallel(vec![
        Box::new(|| {
            SAM.install(project, console, prerequisites)?;
            sam::build(project, console)
        }),
        Box::new(|| build_stand_ins(project, console)),
        Box::new(|| {
            EMULATOR.install(project, console, prerequisites)?;
            MODELS.install(project, console, prerequisites)?;
            tools::build_models(project, console)
        }),
        Box::new(|| build_page(project, console)),
    ])
}

fn build_page(project: &Project, console: &Console) -> Result<()> {
    page::install_packages(project, console, "frontend")?;
    page::build(project, console)
}

/// Builds the programs of `local/` as the tests need them too: with the features that the whole workspace and its tests
/// ask for. Chosen by `--package`, or without the (absent) examples, Cargo would leave out some of these features, and
/// compile the AWS SDK a second time for the tests.
fn build_stand_ins(project: &Project, console: &Console) -> Result<()> {
    console.part(
        "Build the labeler and the other stand-ins",
        "build-stand-ins",
        |part| {
            let binaries = project.stand_ins();
            let binaries = binaries.iter().flat_map(|name| ["--bin", name]);
            part.run(
                project
                    .cargo()
                    .args(["build", "--workspace", "--examples"])
                    .args(binaries),
            )
        },
    )
}

fn bring_up_to_date(
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
            "it runs already, at {}; `cargo xtask down` stops it",
            stack.web_url()
        );
    }
    console.say("It runs already. Bringing functions, state machine and page up to date");
    console.parallel(vec![
        Box::new(|| {
            SAM.install(project, console, prerequisites)?;
            sam::build(project, console)
        }),
        Box::new(|| build_page(project, console)),
    ])?;
    let deployed = sam::deploy(project, console, &stack)?;
    PageConfig::of(&deployed, &stack.endpoint())?.write(&stack.page_config())?;
    stack.describe(&deployed)?.write(&stack.description())?;
    console.say(&format!("\nThe page:  {}", stack.web_url()));
    Ok(ExitCode::SUCCESS)
}

/// The folder of the stack that a command is about.
pub(crate) fn stack_folder(project: &Project, chosen: Option<&Path>) -> Result<PathBuf> {
    match chosen {
        Some(folder) => {
            std::path::absolute(folder).with_context(|| format!("no folder {}", folder.display()))
        }
        None => Ok(project.local()),
    }
}
