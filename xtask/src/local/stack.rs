//! A stack: its folder, its ports, and its description for scripts and tests.

use crate::deployed::Deployed;
use crate::files::{read_json, write_json};
use crate::local::keys::Keys;
use crate::project::Project;
use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The emulator's region.
pub(crate) const REGION: &str = "us-east-1";
/// The demo user of a local stack. The password is public: every user of the machine can sign in with it and see this
/// user's pictures. Pages of other origins can't submit the sign-in form.
pub(crate) const DEMO_USER: &str = "demo@example.com";
pub(crate) const DEMO_PASSWORD: &str = "a demo password";

/// The page's default port.
pub(crate) const WEB_PORT: u16 = 8080;
/// The usual port of AWS emulators.
const EMULATOR_PORT: u16 = 4566;
const REKOGNITION_PORT: u16 = 4568;
const DYNAMODB_PORT: u16 = 4569;

/// The ports of one stack, all on 127.0.0.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ports {
    pub(crate) web: u16,
    pub(crate) emulator: u16,
    pub(crate) rekognition: u16,
    pub(crate) dynamodb: u16,
}

impl Ports {
    /// The ports for a page's port: 4566, 4568 and 4569 for 8080, otherwise the three ports that follow.
    pub(crate) fn with_web(web: u16) -> Result<Self> {
        if web == WEB_PORT {
            return Ok(Self {
                web,
                emulator: EMULATOR_PORT,
                rekognition: REKOGNITION_PORT,
                dynamodb: DYNAMODB_PORT,
            });
        }
        if !(1024..=u16::MAX - 3).contains(&web) {
            bail!("--port {web}: choose one from 1024 to 65532; the next three ports are used as well");
        }
        Ok(Self {
            web,
            emulator: web + 1,
            rekognition: web + 2,
            dynamodb: web + 3,
        })
    }

    /// The first unused ports from `web` upwards.
    pub(crate) fn free_from(web: u16) -> Result<Self> {
        (web..=u16::MAX - 3)
            .step_by(10)
            .filter_map(|port| Self::with_web(port).ok())
            .find(|ports| ports.taken().is_none())
            .with_context(|| format!("no free port from {web} upwards"))
    }

    /// Fails with advice if another program listens on one of them.
    pub(crate) fn check_free(self) -> Result<()> {
        let Some((port, name)) = self.taken() else {
            return Ok(());
        };
        bail!(
            "port {port}, which {name} needs, is used by another program. \
             `ss -ltnp 'sport = :{port}'` shows which: stop it, or choose other ports with --port N \
             (the page gets N, the emulator N+1, the Rekognition stand-in N+2, DynamoDB N+3)"
        )
    }

    fn taken(self) -> Option<(u16, &'static str)> {
        [
            (self.web, "the page"),
            (self.emulator, "the emulator"),
            (self.rekognition, "the Rekognition stand-in"),
            (self.dynamodb, "DynamoDB"),
        ]
        .into_iter()
        // Listening on the port to test it would make it look used to a concurrent test, and for a moment to every program that
        // another thread is starting, because that inherits the socket.
        .find(|(port, _)| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok())
    }
}

/// A stack. All of its data is in its folder. Stacks share tools and builds.
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

    /// The logs of its programs and of its start.
    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.join("logs")
    }

    /// The emulator's state: objects, users, executions, the deployed stack.
    pub(crate) fn emulator_state(&self) -> PathBuf {
        self.folder.join("emulator")
    }

    /// DynamoDB's state: the table.
    pub(crate) fn dynamodb_state(&self) -> PathBuf {
        self.folder.join("dynamodb")
    }

    /// The Unix socket on which the emulator listens, in the stack's folder.
    pub(crate) const EMULATOR_SOCKET: &str = "emulator.sock";

    /// The access key of the stack.
    pub(crate) fn keys(&self) -> Result<Keys> {
        Keys::of(&self.folder)
    }

    /// The file with its description.
    pub(crate) fn description(&self) -> PathBuf {
        self.folder.join("stack.json")
    }

    pub(crate) fn endpoint(&self) -> String {
        origin(self.ports.emulator)
    }

    pub(crate) fn dynamodb_url(&self) -> String {
        origin(self.ports.dynamodb)
    }

    pub(crate) fn endpoints(&self) -> Endpoints {
        Endpoints {
            services: self.endpoint(),
            dynamodb: self.dynamodb_url(),
        }
    }

    pub(crate) fn rekognition_url(&self) -> String {
        origin(self.ports.rekognition)
    }

    pub(crate) fn web_url(&self) -> String {
        origin(self.ports.web)
    }

    /// The files with which `sam local invoke` runs the deployed functions in Docker.
    pub(crate) fn invoke_folder(&self) -> PathBuf {
        self.folder.join("invoke")
    }

    /// The configuration that the page loads.
    pub(crate) fn page_config(&self) -> PathBuf {
        self.folder.join("config.json")
    }

    /// The URL of API Gateway's stage. The routes begin with `/api`.
    pub(crate) fn api_stage(&self, deployed: &Deployed) -> Result<String> {
        Ok(format!(
            "{}/_aws/execute-api/{}/$default",
            self.endpoint(),
            deployed.output("ApiId")?
        ))
    }

    /// Describes the stack for scripts and tests.
    pub(crate) fn describe(&self, deployed: &Deployed) -> Result<Description> {
        let keys = self.keys()?;
        Ok(Description {
            endpoint: self.endpoint(),
            region: REGION.to_owned(),
            access_key_id: keys.access_key_id,
            secret_access_key: keys.secret_access_key,
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
            rekognition_url: self.rekognition_url(),
            dynamodb_url: self.dynamodb_url(),
            dead_letter_queue_url: deployed.output("DeadLetterQueueUrl")?.to_owned(),
        })
    }
}

fn origin(port: u16) -> String {
    // Not `localhost`: for a browser, that is another origin.
    format!("http://127.0.0.1:{port}")
}

/// The endpoints of a stack for AWS clients.
#[derive(Debug)]
pub(crate) struct Endpoints {
    /// All services except DynamoDB.
    pub(crate) services: String,
    pub(crate) dynamodb: String,
}

/// Makes an AWS client use a local stack only.
pub(crate) fn aws_environment(command: &mut Command, endpoints: &Endpoints, keys: &Keys) {
    command
        .env("AWS_ENDPOINT_URL", &endpoints.services)
        .env("AWS_ENDPOINT_URL_DYNAMODB", &endpoints.dynamodb)
        .env("AWS_ACCESS_KEY_ID", &keys.access_key_id)
        .env("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key)
        .env("AWS_DEFAULT_REGION", REGION)
        .env("AWS_REGION", REGION)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("NO_PROXY", "127.0.0.1")
        .env("no_proxy", "127.0.0.1");
}

/// `stack.json`: the description of a running stack for scripts and tests.
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
    pub(crate) rekognition_url: String,
    pub(crate) dynamodb_url: String,
    pub(crate) dead_letter_queue_url: String,
}

impl Description {
    /// Reads a stack's description. A stack that is not running has none.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        read_json(path)?.with_context(|| {
            format!(
                "the stack is not running: {} is missing. Start it with `cargo xtask up`",
                path.display()
            )
        })
    }

    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        write_json(path, self)
    }

    pub(crate) fn endpoints(&self) -> Endpoints {
        Endpoints {
            services: self.endpoint.clone(),
            dynamodb: self.dynamodb_url.clone(),
        }
    }

    /// The access key of the stack.
    pub(crate) fn keys(&self) -> Keys {
        Keys {
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
        }
    }
}

/// The folder of a command's stack.
pub(crate) fn stack_folder(project: &Project, chosen: Option<&Path>) -> Result<PathBuf> {
    match chosen {
        Some(folder) => {
            std::path::absolute(folder).with_context(|| format!("no folder {}", folder.display()))
        }
        None => Ok(project.local()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn the_other_ports_follow_the_port_of_the_page() {
        let default = Ports::with_web(8080).unwrap();
        assert_eq!(
            (default.emulator, default.rekognition, default.dynamodb),
            (4566, 4568, 4569)
        );
        let other = Ports::with_web(9000).unwrap();
        assert_eq!(
            (other.emulator, other.rekognition, other.dynamodb),
            (9001, 9002, 9003)
        );
        assert!(Ports::with_web(80).is_err());
        assert!(Ports::with_web(65532).is_ok());
        assert!(Ports::with_web(65533).is_err());
    }

    #[test]
    fn names_a_port_in_use_with_advice() {
        let ports = Ports::free_from(21000).unwrap();
        let _taken = TcpListener::bind(("127.0.0.1", ports.rekognition)).unwrap();
        let error = ports.check_free().unwrap_err().to_string();
        assert!(
            error.contains(&ports.rekognition.to_string()) && error.contains("--port"),
            "{error}"
        );
        assert!(Ports::free_from(ports.web).unwrap().web > ports.web);
    }

    /// The tests start two stacks at the same time.
    #[test]
    fn free_ports_are_free_for_each_of_several_threads() {
        let ports = Ports::free_from(22000).unwrap();
        let is_free = || (0..200).all(|_| ports.check_free().is_ok());
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(is_free)).collect();
            for thread in threads {
                assert!(thread.join().unwrap());
            }
        });
    }

    #[test]
    fn the_error_for_a_stopped_stack_says_how_to_start_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = Description::read(&folder.path().join("stack.json"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("cargo xtask up"), "{error}");
    }
}
