//! `test`: every check of this project, those that fail soonest first.

use std::env;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::chromium;
use crate::console::{Console, Interrupt, Task, seconds};
use crate::page;
use crate::prerequisites::Prerequisites;
use crate::project::{Package, Project};
use crate::sam;
use crate::services::Services;
use crate::sign_in;
use crate::stack::{Description, Ports, Stack};
use crate::storm;
use crate::tools::{self, EMULATOR, MODELS, SAM, SCHEMATHESIS};
use crate::up;

/// From here upwards, free ports are looked for: the tests' own stack runs beside a developer's.
const FIRST_PORT: u16 = 18080;

/// The package of the tests that need a running stack.
const STACK_TESTS: &str = "tests";

/// They wait more than they compute: eight at once take two thirds of the time that two on two cores take.
const WORKFLOW_TESTS_AT_ONCE: &str = "8";

/// A small storm; `cargo xtask storm` sends a large one.
const STORM_IMAGES: usize = 60;
const STORM_MAX_TPS: f64 = 5.0;

/// Requests that Schemathesis makes up for each route, and the seconds after which it makes up no more.
const SCHEMATHESIS_EXAMPLES: &str = "20";
const SCHEMATHESIS_SECONDS: &str = "90";

#[derive(Args)]
pub(crate) struct TestOptions {
    /// Run only these parts
    #[arg(value_enum, value_name = "PART")]
    parts: Vec<Part>,
    /// Show the parts
    #[arg(long)]
    list: bool,
}

/// In the order in which they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The Rust code's format
    Format,
    /// template.yaml, with the SAM CLI's linter
    Template,
    /// The state machine's definition, with a linter
    StateMachine,
    /// The page: types, lint, unit tests, build; the browser tests' types
    Page,
    /// The model build's unit tests
    Models,
    /// Clippy, with warnings as errors
    Clippy,
    /// The documentation of the Rust code, with warnings as errors
    Docs,
    /// Every Rust test that needs no running stack; the labeler's run the real models
    Rust,
    /// The workflow tests, against a stack of their own
    Workflow,
    /// The API's answers compared with its description, over whatever that allows and does not, on the same stack
    Api,
    /// The page in a real Chromium, against the same stack
    Browser,
    /// Many uploads at once, with faults, doubled events and a throttled labeler, on the same stack
    Storm,
    /// Each permission of the deployed functions taken away in turn, on the same stack
    Privileges,
}

impl Part {
    fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .unwrap_or_default()
    }

    fn needs_stack(self) -> bool {
        matches!(
            self,
            Self::Workflow | Self::Api | Self::Browser | Self::Storm | Self::Privileges
        )
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
    let chosen = |part: &&Part| options.parts.is_empty() || options.parts.contains(part);
    let parts: Vec<Part> = Part::value_variants().iter().filter(chosen).copied().collect();

    let project = Project::find()?;
    let console = Console::new(&project.path(".local/test/logs"), interrupt)?;
    let prerequisites = Prerequisites::check()?;
    let checks = Checks {
        project: &project,
        console: &console,
        prerequisites: &prerequisites,
    };
    let mut times = Vec::new();
    let result = checks.run(&parts, &mut times);
    console.say(&summary(&times, result.is_ok()));
    result.map(|()| ExitCode::SUCCESS)
}

/// What has run, and for how long.
type Times = Vec<(String, Duration)>;

struct Checks<'a> {
    project: &'a Project,
    console: &'a Console,
    prerequisites: &'a Prerequisites,
}

impl Checks<'_> {
    /// Runs the parts until one fails. The stack that some need is started before the first of them, and stopped when
    /// this returns.
    fn run(&self, parts: &[Part], times: &mut Times) -> Result<()> {
        timed(times, "(install)", || self.install(parts))?;
        let mut services = None;
        for &part in parts {
            if part.needs_stack() && services.is_none() {
                services = Some(timed(times, "(start the stack)", || self.start_stack())?);
            }
            self.console.say(&format!("\n━━━ {} ━━━", part.name()));
            timed(times, &part.name(), || self.run_part(part, services.as_ref()))?;
        }
        if let Some(services) = services {
            timed(times, "(stop the stack)", || {
                drop(services);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Installs what the parts need and does not come with the stack; independent things at the same time.
    fn install(&self, parts: &[Part]) -> Result<()> {
        let Self {
            project,
            console,
            prerequisites,
        } = *self;
        let any = |of: &[Part]| parts.iter().any(|part| of.contains(part));
        let _lock = up::lock(project, console)?;
        let mut tasks: Vec<Task<'_>> = Vec::new();
        if any(&[Part::Template]) {
            tasks.push(Box::new(|| SAM.install(project, console, prerequisites)));
        }
        if any(&[Part::Api]) {
            tasks.push(Box::new(|| SCHEMATHESIS.install(project, console, prerequisites)));
        }
        if any(&[Part::Models, Part::Rust, Part::Workflow]) {
            tasks.push(Box::new(|| {
                MODELS.install(project, console, prerequisites)?;
                tools::build_models(project, console)
            }));
        }
        let (page, tests) = (
            any(&[Part::Page]),
            any(&[Part::StateMachine, Part::Page, Part::Browser]),
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

    fn start_stack(&self) -> Result<Services> {
        let _lock = up::lock(self.project, self.console)?;
        self.console.say("\n━━━ a stack for the tests ━━━");
        let stack = Stack::new(self.project.path(".local/test"), Ports::free_from(FIRST_PORT)?);
        up::start(self.project, self.console, self.prerequisites, stack, true)
    }

    fn run_part(&self, part: Part, services: Option<&Services>) -> Result<()> {
        if let (Part::Storm, Some(services)) = (part, services) {
            let description = services.stack.description();
            return storm::rage(
                self.project,
                self.console,
                &description,
                STORM_IMAGES,
                STORM_MAX_TPS,
            );
        }
        if let (Part::Api, Some(services)) = (part, services) {
            let stack = Description::read(&services.stack.description())?;
            return self.console.show(&mut self.schemathesis(&stack)?);
        }
        for mut command in self.commands(part)? {
            if let Some(services) = services {
                command.env("ILG_STACK", services.stack.description());
            }
            self.console.show(&mut command)?;
        }
        Ok(())
    }

    /// What a part consists of. Clippy and the documentation share what they check, and all tests what they compile,
    /// only while their commands lead to the same features of every dependency: the whole workspace's, its tests
    /// included. `--package` and `--exclude` would have the AWS SDK compiled again for each part.
    fn commands(&self, part: Part) -> Result<Vec<Command>> {
        let project = self.project;
        Ok(match part {
            Part::Format => vec![self.cargo(&["fmt", "--all", "--check"])],
            Part::Template => vec![sam::validate(project)?],
            Part::StateMachine => vec![self.state_machine_lint()],
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
                vec![self.cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])]
            }
            Part::Docs => {
                // Examples there are none; asking for them brings the tests' features in.
                let mut doc = self.cargo(&["doc", "--workspace", "--no-deps", "--lib", "--examples"]);
                doc.args(binaries_alone(&project.packages))
                    .env("RUSTDOCFLAGS", "-D warnings");
                vec![doc]
            }
            Part::Rust => {
                let mut test = self.cargo(&["test", "--workspace", "--lib", "--bins"]);
                test.args(integration_tests(&project.packages, |package| {
                    package != STACK_TESTS
                }));
                vec![
                    self.with_models(test)?,
                    self.cargo(&["test", "--workspace", "--doc"]),
                ]
            }
            Part::Workflow => {
                let mut test = self.cargo(&["test", "--workspace"]);
                test.args(integration_tests(&project.packages, |package| {
                    package == STACK_TESTS
                }));
                // Some tests run an emulator of their own.
                test.env("ILG_EMULATOR", EMULATOR.program(project, "ministack"));
                // Some use the developer's commands.
                let xtask = env::current_exe().context("this program has no path")?;
                test.env("ILG_XTASK", xtask);
                test.env("RUST_TEST_THREADS", WORKFLOW_TESTS_AT_ONCE);
                vec![self.with_models(test)?]
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
            // They need to know the stack: see `run_part`.
            Part::Api | Part::Storm => vec![],
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
        })
    }

    /// The same requests in every run: what fails here fails on every machine.
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
            .current_dir(self.project.path(".local/test"))
            // Whatever proxy is set, the stack is on this machine.
            .env("NO_PROXY", "127.0.0.1")
            // Not an argument: what is run is shown.
            .env("ILG_ACCESS_TOKEN", token);
        Ok(run)
    }

    fn cargo(&self, arguments: &[&str]) -> Command {
        let mut cargo = self.project.cargo();
        cargo.args(arguments);
        cargo
    }

    fn npm(&self, folder: &str, arguments: &[&str]) -> Command {
        let mut npm = self.project.command("npm");
        npm.args(arguments).current_dir(self.project.path(folder));
        npm
    }

    fn state_machine_lint(&self) -> Command {
        let mut lint = self
            .project
            .command(self.project.path("tests/node_modules/.bin/asl-validator"));
        lint.args(["--json-path", "statemachine/label-image.asl.json"]);
        lint
    }

    /// Tells the labeler's tests where the real models and their runtime are.
    fn with_models(&self, mut command: Command) -> Result<Command> {
        command.env("ILG_MODELS", self.project.models());
        command.env("ILG_ONNXRUNTIME", tools::onnx_runtime(self.project)?);
        Ok(command)
    }
}

/// Arguments for the binaries that are not the face of a library of the same name.
fn binaries_alone(packages: &[Package]) -> Vec<&str> {
    packages
        .iter()
        .filter(|package| !package.targets.iter().any(|target| target.is("lib")))
        .flat_map(|package| &package.targets)
        .filter(|target| target.is("bin"))
        .flat_map(|target| ["--bin", target.name.as_str()])
        .collect()
}

/// Arguments for the integration tests of some packages.
fn integration_tests(packages: &[Package], of: impl Fn(&str) -> bool) -> Vec<&str> {
    packages
        .iter()
        .filter(|package| of(&package.name))
        .flat_map(|package| &package.targets)
        .filter(|target| target.is("test"))
        .flat_map(|target| ["--test", target.name.as_str()])
        .collect()
}

fn timed<T>(times: &mut Times, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let started = Instant::now();
    let result = work();
    times.push((what.to_owned(), started.elapsed()));
    result.with_context(|| what.trim_matches(['(', ')']).to_owned())
}

/// A line for each part; the last one is the one that failed, if one did.
fn summary(times: &Times, passed: bool) -> String {
    let last = times.len().saturating_sub(1);
    let mut text = "\n━━━ summary ━━━".to_owned();
    for (index, (what, time)) in times.iter().enumerate() {
        let mark = if index == last && !passed { '✗' } else { '✓' };
        text.push_str(&format!("\n{mark} {what:<18} {:>11}", seconds(*time)));
    }
    let total = seconds(times.iter().map(|(_, time)| *time).sum());
    text + &format!("\n{} in {total}", if passed { "All passed" } else { "Failed" })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn packages() -> Vec<Package> {
        serde_json::from_value(json!([
            {"name": "labeler", "manifest_path": "/p/local/labeler/Cargo.toml", "targets": [
                {"name": "labeler", "kind": ["lib"]}, {"name": "labeler", "kind": ["bin"]},
                {"name": "protocol", "kind": ["test"]}]},
            {"name": "xtask", "manifest_path": "/p/xtask/Cargo.toml", "targets": [
                {"name": "xtask", "kind": ["bin"]}]},
            {"name": "tests", "manifest_path": "/p/tests/Cargo.toml", "targets": [
                {"name": "tests", "kind": ["lib"]}, {"name": "workflow", "kind": ["test"]}]}
        ]))
        .unwrap()
    }

    #[test]
    fn tests_that_need_a_stack_run_only_where_there_is_one() {
        let packages = packages();
        assert_eq!(
            integration_tests(&packages, |package| package != STACK_TESTS),
            ["--test", "protocol"]
        );
        assert_eq!(
            integration_tests(&packages, |package| package == STACK_TESTS),
            ["--test", "workflow"]
        );
    }

    #[test]
    fn a_library_and_its_binary_are_documented_once() {
        assert_eq!(binaries_alone(&packages()), ["--bin", "xtask"]);
    }

    #[test]
    fn the_summary_marks_the_part_that_failed() {
        let times = vec![
            ("format".to_owned(), Duration::from_secs(1)),
            ("clippy".to_owned(), Duration::from_secs(70)),
        ];
        let text = summary(&times, false);
        assert!(text.contains("✓ format") && text.contains("✗ clippy"), "{text}");
        assert!(text.ends_with("Failed in 1 min 11 s"), "{text}");
        assert!(!summary(&times, true).contains('✗'));
    }
}
