//! The programs of a running stack. This command starts and watches them; this or another command stops them.

use crate::build::models;
use crate::build::python::EMULATOR;
use crate::console::{Console, failed};
use crate::deployed::{Deployed, STACK_NAME};
use crate::files::{make_private, read_json, remove, write_json};
use crate::http;
use crate::local::invoke;
use crate::local::stack::{REGION, Stack, aws_environment};
use crate::page_config::PageConfig;
use crate::process::{self, ProcessId};
use crate::project::Project;
use anyhow::{Context, Result, anyhow, bail};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::Duration;

/// All of them, in the order in which they start.
const SERVICES: [&str; 6] = ["dynamodb", "emulator", "guard", "rekognition", "web", "forward"];
/// The timeout until a program is ready. Long enough for a busy machine: [`Services::check_alive`] notices a program that ends.
const READY: Duration = Duration::from_secs(600);
/// The timeout of one request that asks whether it is ready.
const PROBE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

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
    /// Starts nothing yet. From here on, `cargo xtask down` stops this command.
    pub(crate) fn new(stack: Stack) -> Result<Self> {
        let up = Some(ProcessId::of(std::process::id())?);
        make_private(stack.folder())?;
        let services = Self {
            stack,
            running: Vec::new(),
            up,
        };
        services.record()?;
        Ok(services)
    }

    /// Starts the programs that a deployment needs: DynamoDB, the emulator, the guard in front of it, and the Rekognition stand-in.
    /// DynamoDB is first: a folder with an emulator's state but no table was written by an older version.
    pub(crate) fn start_before_deployment(&mut self, project: &Project, console: &Console) -> Result<()> {
        let emulator = format!("{}/_localstack/health", self.stack.endpoint());
        let rekognition = format!("{}/health", self.stack.rekognition_url());
        let dynamodb = format!("{}/", self.stack.dynamodb_url());
        self.start_dynamodb(project, console)?;
        self.wait("Start DynamoDB", "dynamodb", &dynamodb, console)?;
        self.start_emulator(project, console)?;
        self.start_guard(project, console)?;
        self.start_rekognition(project, console)?;
        self.wait("Start the emulator", "emulator", &emulator, console)?;
        self.wait(
            "Start the Rekognition stand-in",
            "rekognition",
            &rekognition,
            console,
        )
    }

    /// Starts the programs that need the deployed stack, and writes its description for scripts and tests.
    pub(crate) fn start_after_deployment(
        &mut self,
        project: &Project,
        console: &Console,
        deployed: &Deployed,
    ) -> Result<()> {
        let web = format!("{}/", self.stack.web_url());
        self.start_web(project, console, deployed)?;
        self.wait("Start the web server", "web", &web, console)?;
        let files = invoke::prepare(project, console, &self.stack)?;
        self.start("forward", console, &mut files.forward(project)?)?;
        self.stack.describe(deployed)?.write(&self.stack.description())
    }

    fn start_dynamodb(&mut self, project: &Project, console: &Console) -> Result<()> {
        let state = self.stack.dynamodb_state();
        fs::create_dir_all(&state).with_context(|| format!("cannot make {}", state.display()))?;
        let mut command = project.command(project.binary("local-dynamodb"));
        command
            .args(["--listen", &format!("127.0.0.1:{}", self.stack.ports().dynamodb)])
            .arg("--file")
            .arg(state.join("tables.db"));
        self.start("dynamodb", console, &mut command)
    }

    fn start_emulator(&mut self, project: &Project, console: &Console) -> Result<()> {
        let state = self.stack.emulator_state();
        let temporary = state.join("tmp");
        remove(&temporary)?;
        fs::create_dir_all(&temporary)
            // It contains pictures and keys of the account.
            .and_then(|()| fs::set_permissions(&state, Permissions::from_mode(0o700)))
            .with_context(|| format!("cannot make {}", temporary.display()))?;
        let keys = self.stack.keys()?;
        let mut command = EMULATOR.python(project);
        // Functions inherit the emulator's environment, which must contain nothing of the developer's.
        command.env_clear();
        for name in ["PATH", "HOME", "LANG"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .arg(project.path("local/emulator/serve.py"))
            .args(["--socket", Stack::EMULATOR_SOCKET])
            // The path of a socket is limited to about 100 bytes: it is relative to this folder.
            .current_dir(self.stack.folder())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("PYTHONUNBUFFERED", "1")
            .env("TMPDIR", temporary)
            .env("AUTH", "true")
            // Without it, functions would call the real AWS.
            .env("AWS_ENDPOINT_URL", self.stack.endpoint())
            // Functions prefer it over the emulator's own DynamoDB, which accepts what AWS rejects.
            .env("AWS_ENDPOINT_URL_DYNAMODB", self.stack.dynamodb_url())
            .env("GATEWAY_PORT", self.stack.ports().emulator.to_string())
            // The key of the root user. Functions get those of their roles instead.
            .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key)
            .env("MINISTACK_REGION", REGION)
            // It would open a port on all interfaces.
            .env("IOT_MTLS_ENABLED", "0")
            // Functions inherit it. On AWS, Lambda sets it because of `LogFormat` in template.yaml.
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", state.join("state"))
            .env("S3_PERSIST", "1")
            .env("S3_DATA_DIR", state.join("s3"));
        self.start("emulator", console, &mut command)
    }

    /// The only program that connects to the emulator. All others connect to the guard.
    fn start_guard(&mut self, project: &Project, console: &Console) -> Result<()> {
        let keys = self.stack.keys()?;
        let mut command = project.command(project.binary("local-guard"));
        command
            .current_dir(self.stack.folder())
            .args(["--listen", &format!("127.0.0.1:{}", self.stack.ports().emulator)])
            .args(["--emulator", Stack::EMULATOR_SOCKET])
            .args(["--page", &self.stack.web_url()])
            .args(["--bucket-prefix", &format!("{STACK_NAME}-")])
            // The emulator identifies CloudFront distributions by host name. Only AWS controls the DNS of these names.
            .args(["--allow-host", "cloudfront.net"])
            // Not as arguments, which every user of the machine can see.
            .env("AWS_ACCESS_KEY_ID", keys.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", keys.secret_access_key);
        self.start("guard", console, &mut command)
    }

    fn start_rekognition(&mut self, project: &Project, console: &Console) -> Result<()> {
        let mut command = project.command(project.binary("local-rekognition"));
        aws_environment(&mut command, &self.stack.endpoints(), &self.stack.keys()?);
        command
            .args([
                "--listen",
                &format!("127.0.0.1:{}", self.stack.ports().rekognition),
            ])
            .arg("--models")
            .arg(project.models())
            .arg("--onnxruntime")
            .arg(models::onnx_runtime(project)?)
            .args(["--s3-endpoint", &self.stack.endpoint()])
            .args(["--sns-endpoint", &self.stack.endpoint()]);
        self.start("rekognition", console, &mut command)
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
        let agent = http::agent(PROBE);
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
                        "no response from {url} after {} s; log: {}",
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
                let error = anyhow!("ended unexpectedly ({status})");
                return Err(failed(&format!("the {}", service.name), &service.log, &error));
            }
        }
        Ok(())
    }

    /// Waits for an interrupt, then stops everything. Also stops everything, and fails, if a program ends.
    pub(crate) fn watch(mut self, console: &Console) -> Result<()> {
        loop {
            if console.check().is_err() {
                console.say("\nStopping");
                return Ok(());
            }
            self.check_alive()?;
            thread::sleep(POLL);
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

/// `processes.json`: the running programs of a stack, so that another command can stop them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Processes {
    pub(crate) web_port: u16,
    /// The `up` that starts the stack or watches it in the foreground.
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

    /// Reads the file in a stack's folder. The processes may have ended.
    pub(crate) fn read(folder: &Path) -> Result<Self> {
        Ok(read_json(&Self::path(folder))?.unwrap_or_default())
    }

    fn write(&self, folder: &Path) -> Result<()> {
        write_json(&Self::path(folder), self)
    }

    /// Whether all programs are running.
    pub(crate) fn are_complete(&self) -> bool {
        let runs = |name: &str| self.running().any(|service| service.name == name);
        SERVICES.iter().all(|name| runs(name))
    }

    /// The `up` that is starting the stack, or watches it.
    pub(crate) fn running_up(&self) -> Option<&ProcessId> {
        self.up.as_ref().filter(|up| up.is_running())
    }

    /// The programs that are running.
    pub(crate) fn running(&self) -> impl Iterator<Item = &RunningService> {
        self.services
            .iter()
            .filter(|service| service.process.is_running())
    }

    /// Stops all running programs in reverse order.
    pub(crate) fn stop(&self) {
        for service in self.services.iter().rev() {
            if !service.process.stop_group() {
                eprintln!("{}", killed(&service.name));
            }
        }
    }
}

/// Deletes the files that describe a running stack.
pub(crate) fn forget(folder: &Path) {
    for path in [Processes::path(folder), folder.join("stack.json")] {
        // Fails only if there is no such file.
        let _ = fs::remove_file(path);
    }
}

fn killed(name: &str) -> String {
    format!("the {name} did not stop in time and was killed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::stack::{Ports, WEB_PORT};

    #[test]
    fn other_users_cannot_read_a_stacks_folder() {
        let outer = tempfile::tempdir().unwrap();
        let folder = outer.path().join("stack");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
        let _services =
            Services::new(Stack::new(folder.clone(), Ports::with_web(WEB_PORT).unwrap())).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn processes_are_written_and_read_again() {
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
