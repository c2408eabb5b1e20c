//! A stack: its folder, its ports, and what it tells scripts and tests about itself while it runs.

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::sam::Deployed;

/// The emulator's region.
pub(crate) const REGION: &str = "us-east-1";
/// The key that the emulator takes for the account's root user, with its secret.
pub(crate) const ACCESS_KEY_ID: &str = "test";
pub(crate) const SECRET_ACCESS_KEY: &str = "test";

/// Who can sign in on a stack of the emulator. No secret: it listens on this machine only.
pub(crate) const DEMO_USER: &str = "demo@example.com";
pub(crate) const DEMO_PASSWORD: &str = "a demo password";

/// The page's port if none is asked for.
pub(crate) const WEB_PORT: u16 = 8080;
/// The port on which everybody expects an AWS emulator.
const EMULATOR_PORT: u16 = 4566;
const LABELER_PORT: u16 = 4568;

/// The ports of one stack, all on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) web: u16,
    pub(crate) emulator: u16,
    pub(crate) labeler: u16,
}

impl Ports {
    /// The ports that go with the page's: 4566 and 4568 with 8080, else the two that follow.
    pub(crate) fn with_web(web: u16) -> Result<Self> {
        if web == WEB_PORT {
            return Ok(Self {
                web,
                emulator: EMULATOR_PORT,
                labeler: LABELER_PORT,
            });
        }
        match (web, web.checked_add(1), web.checked_add(2)) {
            (1024.., Some(emulator), Some(labeler)) => Ok(Self {
                web,
                emulator,
                labeler,
            }),
            _ => bail!("--port {web}: take one from 1024 to 65533; the next two ports are used as well"),
        }
    }

    /// The first ports from `web` upwards that nobody uses.
    pub(crate) fn free_from(web: u16) -> Result<Self> {
        (web..=u16::MAX - 2)
            .step_by(10)
            .filter_map(|port| Self::with_web(port).ok())
            .find(|ports| ports.taken().is_none())
            .with_context(|| format!("no free port from {web} upwards"))
    }

    /// Fails with what to do if something else listens on one of them.
    pub(crate) fn check_free(self) -> Result<()> {
        let Some((port, whose)) = self.taken() else {
            return Ok(());
        };
        bail!(
            "port {port}, wanted for {whose}, is used by another program. \
             `ss -ltnp 'sport = :{port}'` shows which: stop it, or choose other ports with --port N \
             (the page gets N, the emulator N+1, the labeler N+2)"
        )
    }

    fn taken(self) -> Option<(u16, &'static str)> {
        [
            (self.web, "the page"),
            (self.emulator, "the emulator"),
            (self.labeler, "the labeler"),
        ]
        .into_iter()
        .find(|(port, _)| TcpListener::bind(("127.0.0.1", *port)).is_err())
    }
}

/// One stack: everything it keeps is in its folder. Tools and builds are shared between stacks.
#[derive(Debug, Clone)]
pub(crate) struct Stack {
    folder: PathBuf,
    ports: Ports,
}

impl Stack {
    pub(crate) fn new(folder: PathBuf, ports: Ports) -> Self {
        Self { folder, ports }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn ports(&self) -> Ports {
        self.ports
    }

    /// Where its programs and the parts of its start log.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// What the emulator keeps: records, objects, the deployed stack.
    pub(crate) fn emulator_state(&self) -> PathBuf {
        self.folder.join("emulator")
    }

    /// Where it describes itself.
    pub(crate) fn description(&self) -> PathBuf {
        self.folder.join("stack.json")
    }

    pub(crate) fn endpoint(&self) -> String {
        origin(self.ports.emulator)
    }

    pub(crate) fn labeler_url(&self) -> String {
        origin(self.ports.labeler)
    }

    pub(crate) fn web_url(&self) -> String {
        origin(self.ports.web)
    }

    /// What the page reads at run time.
    pub(crate) fn page_config(&self) -> PathBuf {
        self.folder.join("config.json")
    }

    /// Where API Gateway's stage is; the routes begin with `/api`.
    pub(crate) fn api_stage(&self, deployed: &Deployed) -> Result<String> {
        Ok(format!(
            "{}/_aws/execute-api/{}/$default",
            self.endpoint(),
            deployed.output("ApiId")?
        ))
    }

    /// Describes the stack for scripts and tests.
    pub(crate) fn describe(&self, deployed: &Deployed) -> Result<Description> {
        Ok(Description {
            endpoint: self.endpoint(),
            region: REGION.to_owned(),
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            web_url: self.web_url(),
            api_url: format!("{}/api", self.api_stage(deployed)?),
            bucket: deployed.output("BucketName")?.to_owned(),
            table: deployed.output("TableName")?.to_owned(),
            event_bus: deployed.output("EventBusName")?.to_owned(),
            state_machine_arn: deployed.output("StateMachineArn")?.to_owned(),
            user_pool_id: deployed.output("UserPoolId")?.to_owned(),
            user_pool_client_id: deployed.output("UserPoolClientId")?.to_owned(),
            demo_user: DEMO_USER.to_owned(),
            demo_password: DEMO_PASSWORD.to_owned(),
            labeler_url: self.labeler_url(),
            dead_letter_queue_url: deployed.output("DeadLetterQueueUrl")?.to_owned(),
        })
    }
}

fn origin(port: u16) -> String {
    // Never `localhost`: to a browser that is another origin.
    format!("http://127.0.0.1:{port}")
}

/// `stack.json`: a running stack as scripts and tests see it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Description {
    pub(crate) endpoint: String,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) web_url: String,
    pub(crate) api_url: String,
    pub(crate) bucket: String,
    pub(crate) table: String,
    pub(crate) event_bus: String,
    pub(crate) state_machine_arn: String,
    pub(crate) user_pool_id: String,
    pub(crate) user_pool_client_id: String,
    pub(crate) demo_user: String,
    pub(crate) demo_password: String,
    pub(crate) labeler_url: String,
    pub(crate) dead_letter_queue_url: String,
}

impl Description {
    /// Reads a stack's description. Without one, the stack does not run.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        read_json(path)?.with_context(|| {
            format!(
                "nothing runs here: {} is missing. Start it with `cargo xtask up`",
                path.display()
            )
        })
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        write_json(path, self)
    }
}

/// Reads a file of JSON, if it is there.
pub(crate) fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>> {
    match fs::read(path) {
        Ok(text) => serde_json::from_slice(&text)
            .with_context(|| format!("{} has an unknown form; remove it", path.display()))
            .map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Writes a file as JSON. Whoever reads the file at the same moment finds the old or the new one, never half of it.
pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    let text = serde_json::to_string_pretty(value).context("cannot write JSON")? + "\n";
    let new = path.with_extension("json.new");
    fs::write(&new, text)
        .and_then(|()| fs::rename(&new, path))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_follow_the_pages() {
        let default = Ports::with_web(8080).unwrap();
        assert_eq!((default.emulator, default.labeler), (4566, 4568));
        let other = Ports::with_web(9000).unwrap();
        assert_eq!((other.emulator, other.labeler), (9001, 9002));
        assert!(Ports::with_web(80).is_err());
        assert!(Ports::with_web(65534).is_err());
    }

    #[test]
    fn a_port_in_use_is_named_with_what_to_do() {
        let ports = Ports::free_from(21000).unwrap();
        let _taken = TcpListener::bind(("127.0.0.1", ports.labeler)).unwrap();
        let error = ports.check_free().unwrap_err().to_string();
        assert!(
            error.contains(&ports.labeler.to_string()) && error.contains("--port"),
            "{error}"
        );
        assert!(Ports::free_from(ports.web).unwrap().web > ports.web);
    }

    #[test]
    fn a_stack_that_does_not_run_says_how_to_start_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = Description::read(&folder.path().join("stack.json"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("cargo xtask up"), "{error}");
    }
}
