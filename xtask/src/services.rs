//! The programs that a running stack consists of: started, watched, and stopped, by this command or by a later one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};

use crate::console::{Console, failed};
use crate::http;
use crate::page_config::PageConfig;
use crate::process::{self, ProcessId};
use crate::project::Project;
use crate::sam::{self, Deployed};
use crate::stack::{REGION, Stack, read_json, write_json};
use crate::tools::{self, EMULATOR};

/// All of them, in the order in which they start.
const SERVICES: [&str; 3] = ["emulator", "labeler", "web"];
/// A program that is not ready after this time never will be.
const READY: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(100);

/// The programs of a stack that this command has started.
pub(crate) struct Services {
    pub(crate) stack: Stack,
    running: Vec<Service>,
    up: Option<ProcessId>,
}

struct Service {
    name: &'static str,
    log: PathBuf,
    child: Child,
    process: ProcessId,
}

impl Services {
    /// Nothing runs yet. From here on, `cargo xtask down` stops this command.
    pub(crate) fn new(stack: Stack) -> Result<Self> {
        let up = Some(ProcessId::of(std::process::id())?);
        let services = Self {
            stack,
            running: Vec::new(),
            up,
        };
        services.record()?;
        Ok(services)
    }

    /// Starts what a deployment needs: the emulator, and the labeler at its side.
    pub(crate) fn start_before_deployment(&mut self, project: &Project, console: &Console) -> Result<()> {
        let emulator = format!("{}/_localstack/health", self.stack.endpoint());
        let labeler = format!("{}/health", self.stack.labeler_url());
        self.start_emulator(project, console)?;
        self.start_labeler(project, console)?;
        self.wait("Start the emulator", "emulator", &emulator, console)?;
        self.wait("Start the labeler", "labeler", &labeler, console)
    }

    /// Starts what needs to know the deployed stack, and describes it for scripts and tests.
    pub(crate) fn start_after_deployment(
        &mut self,
        project: &Project,
        console: &Console,
        deployed: &Deployed,
    ) -> Result<()> {
        let web = format!("{}/", self.stack.web_url());
        self.start_web(project, console, deployed)?;
        self.wait("Start the web server", "web", &web, console)?;
        self.stack.describe(deployed)?.write(&self.stack.description())
    }

    fn start_emulator(&mut self, project: &Project, console: &Console) -> Result<()> {
        let state = self.stack.emulator_state();
        let temporary = state.join("tmp");
        remove(&temporary)?;
        fs::create_dir_all(&temporary).with_context(|| format!("cannot make {}", temporary.display()))?;
        let mut command = project.command(EMULATOR.program(project, "ministack"));
        // Functions inherit the emulator's environment: nothing of the developer's may reach them.
        command.env_clear();
        for name in ["PATH", "HOME", "LANG"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("TMPDIR", temporary)
            .env("AUTH", "true")
            // Without it, functions would call the real AWS.
            .env("AWS_ENDPOINT_URL", self.stack.endpoint())
            .env("GATEWAY_PORT", self.stack.ports().emulator.to_string())
            .env("BIND_HOST", "127.0.0.1")
            .env("MINISTACK_REGION", REGION)
            // It would open a port on all interfaces.
            .env("IOT_MTLS_ENABLED", "0")
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", state.join("state"))
            .env("S3_PERSIST", "1")
            .env("S3_DATA_DIR", state.join("s3"));
        self.start("emulator", console, &mut command)
    }

    fn start_labeler(&mut self, project: &Project, console: &Console) -> Result<()> {
        let mut command = project.command(project.binary("labeler"));
        sam::aws_environment(&mut command, &self.stack.endpoint());
        command
            .args(["--listen", &format!("127.0.0.1:{}", self.stack.ports().labeler)])
            .arg("--models")
            .arg(project.models())
            .arg("--onnxruntime")
            .arg(tools::onnx_runtime(project)?)
            .args(["--s3-endpoint", &self.stack.endpoint()]);
        self.start("labeler", console, &mut command)
    }

    fn start_web(&mut self, project: &Project, console: &Console, deployed: &Deployed) -> Result<()> {
        PageConfig::of(deployed, &self.stack.endpoint())?.write(&self.stack.page_config())?;
        let mut command = project.command(project.binary("local-web"));
        command
            .args(["--listen", &format!("127.0.0.1:{}", self.stack.ports().web)])
            .arg("--page")
            .arg(project.page())
            .arg("--config")
            .arg(self.stack.page_config())
            .args(["--api", &self.stack.api_stage(deployed)?])
            .args(["--connect-src", &self.stack.endpoint()]);
        self.start("web", console, &mut command)
    }

    fn start(&mut self, name: &'static str, console: &Console, command: &mut Command) -> Result<()> {
        console.check()?;
        let log = console.log(name);
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let both = file.try_clone().context("cannot share the log")?;
        let child = process::spawn(command.stdout(both).stderr(file))
            .with_context(|| format!("cannot start the {name}"))?;
        let process = ProcessId::of(child.id())?;
        self.running.push(Service {
            name,
            log,
            child,
            process,
        });
        self.record()
    }

    fn wait(&mut self, title: &str, name: &'static str, url: &str, console: &Console) -> Result<()> {
        let agent = http::agent(Duration::from_secs(2));
        console.part(title, &format!("start-{name}"), |part| {
            part.until(|waited| {
                self.check_alive()?;
                if agent
                    .get(url)
                    .call()
                    .is_ok_and(|answer| answer.status().is_success())
                {
                    return Ok(true);
                }
                if waited > READY {
                    bail!(
                        "no answer from {url} after {} s; its log: {}",
                        READY.as_secs(),
                        console.log(name).display()
                    );
                }
                Ok(false)
            })
        })
    }

    /// Fails with the end of its log if a program has ended.
    fn check_alive(&mut self) -> Result<()> {
        for service in &mut self.running {
            if let Some(status) = service.child.try_wait().context("cannot wait for a program")? {
                let error = anyhow!("ended by itself ({status})");
                return Err(failed(&format!("the {}", service.name), &service.log, &error));
            }
        }
        Ok(())
    }

    /// Stays until somebody interrupts; fails if a program ends by itself. Either way everything is stopped.
    pub(crate) fn watch(mut self, console: &Console) -> Result<()> {
        loop {
            if console.check().is_err() {
                console.say("\nStopping");
                return Ok(());
            }
            self.check_alive()?;
            thread::sleep(LOOK);
        }
    }

    /// Leaves everything running.
    pub(crate) fn detach(mut self) -> Result<()> {
        self.up = None;
        self.record()?;
        self.running.clear();
        Ok(())
    }

    fn record(&self) -> Result<()> {
        let services = self
            .running
            .iter()
            .map(|service| RunningService {
                name: service.name.to_owned(),
                process: service.process.clone(),
            })
            .collect();
        Processes {
            web_port: self.stack.ports().web,
            up: self.up.clone(),
            services,
        }
        .write(self.stack.folder())
    }
}

impl Drop for Services {
    /// Stops what was started, in reverse order.
    fn drop(&mut self) {
        if self.up.is_none() {
            return;
        }
        for service in self.running.iter_mut().rev() {
            if !process::stop_child(&mut service.child) {
                eprintln!("{}", killed(service.name));
            }
        }
        forget(self.stack.folder());
    }
}

/// `processes.json`: what runs for a stack, so that another command can stop it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Processes {
    pub(crate) web_port: u16,
    /// The `up` that starts the stack, or watches it in the foreground.
    pub(crate) up: Option<ProcessId>,
    /// In the order in which they were started.
    pub(crate) services: Vec<RunningService>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RunningService {
    pub(crate) name: String,
    pub(crate) process: ProcessId,
}

impl Processes {
    fn path(folder: &Path) -> PathBuf {
        folder.join("processes.json")
    }

    /// What is on record for the stack in this folder, dead or alive.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        Ok(read_json(&Self::path(folder))?.unwrap_or_default())
    }

    fn write(&self, folder: &Path) -> Result<()> {
        write_json(&Self::path(folder), self)
    }

    /// Whether all of it runs.
    pub(crate) fn are_complete(&self) -> bool {
        let runs = |name: &str| self.running().any(|service| service.name == name);
        SERVICES.iter().all(|name| runs(name))
    }

    /// The `up` that is starting the stack, or watches it.
    pub(crate) fn running_up(&self) -> Option<&ProcessId> {
        self.up.as_ref().filter(|up| up.is_running())
    }

    /// The services that still run.
    pub(crate) fn running(&self) -> impl Iterator<Item = &RunningService> {
        self.services
            .iter()
            .filter(|service| service.process.is_running())
    }

    /// Stops whatever runs, the last one first.
    pub(crate) fn stop(&self) {
        for service in self.services.iter().rev() {
            if !service.process.stop_group() {
                eprintln!("{}", killed(&service.name));
            }
        }
    }
}

/// Nothing runs: nothing says that something does.
pub(crate) fn forget(folder: &Path) {
    for path in [Processes::path(folder), folder.join("stack.json")] {
        // Absent already is as good.
        let _ = fs::remove_file(path);
    }
}

/// Removes a folder with all that is in it, if it is there.
pub(crate) fn remove(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn killed(name: &str) -> String {
    format!("the {name} did not stop when asked to, and was killed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_survive_the_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Processes::read(folder.path()).unwrap().services.is_empty());
        let process = ProcessId::of(std::process::id()).unwrap();
        let services = vec![RunningService {
            name: "emulator".to_owned(),
            process: process.clone(),
        }];
        Processes {
            web_port: 8080,
            up: None,
            services,
        }
        .write(folder.path())
        .unwrap();
        let read = Processes::read(folder.path()).unwrap();
        assert_eq!(read.web_port, 8080);
        assert_eq!(read.services[0].process, process);
    }
}
