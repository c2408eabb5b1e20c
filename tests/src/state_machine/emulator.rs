//! An emulator that runs whole executions with mocked results.
//!
//! The emulator reads the mocked results when it starts, so the running stack's emulator cannot be used. The file has
//! the format of AWS's Step Functions Local.

use crate::state_machine::case::invocation;
use crate::state_machine::{Case, Definition, Execution, Machine, Mock};
use crate::wait;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, Runtime};
use aws_sdk_sfn::config::interceptors::BeforeTransmitInterceptorContextMut;
use aws_sdk_sfn::config::{ConfigBag, Credentials, Intercept, RuntimeComponents, SharedCredentialsProvider};
use aws_sdk_sfn::error::BoxError;
use aws_sdk_sfn::types::ExecutionStatus;
use serde_json::{Value, json};
use std::io::{Cursor, ErrorKind, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

const REGION: &str = "us-east-1";
const ROLE_ARN: &str = "arn:aws:iam::000000000000:role/example";

/// Another program can take the port between the search for a free one and the emulator's start.
const STARTS: usize = 5;

/// Takes the place of every step that a case does not mock: returns its input.
const ECHO: &str = "def handler(event, context):\n    return event\n";

/// A running emulator. Stopped when dropped, also by a panic.
#[derive(Debug)]
pub struct Emulator {
    process: Child,
    folder: TempDir,
    endpoint: String,
}

impl Emulator {
    /// Starts one with the mocked results of the machines' cases. The machines have different names.
    ///
    /// # Panics
    /// If the variable `ILG_EMULATOR` does not name a program that starts.
    pub async fn start(machines: &[Machine]) -> Self {
        let Some(program) = std::env::var_os("ILG_EMULATOR") else {
            panic!(
                "This test starts its own emulator. Run `cargo xtask test`, or set ILG_EMULATOR to the path \
                 of the program `ministack` (local/emulator/requirements.txt)."
            );
        };
        for _ in 0..STARTS {
            if let Some(emulator) = Self::try_start(Path::new(&program), machines).await {
                return emulator;
            }
        }
        panic!(
            "The emulator {} stopped right after each of {STARTS} starts.",
            Path::new(&program).display()
        );
    }

    async fn try_start(program: &Path, machines: &[Machine]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mocks = folder.path().join("mocks.json");
        std::fs::write(&mocks, mock_config(machines).to_string()).expect("a file of mocked results");
        let log = std::fs::File::create(folder.path().join("log")).expect("a log file");
        let port = free_port();
        let endpoint = format!("http://127.0.0.1:{port}");
        let process = Command::new(program)
            .env_clear()
            .envs(std::env::vars_os().filter(|(name, _)| name == "PATH"))
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .env("AWS_ENDPOINT_URL", &endpoint)
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("IOT_MTLS_ENABLED", "0")
            .env("MINISTACK_REGION", REGION)
            .env("SFN_MOCK_CONFIG", &mocks)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log)
            .spawn();
        let process = match process {
            Ok(process) => process,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("ILG_EMULATOR names {}, which does not exist.", program.display())
            }
            Err(error) => panic!(
                "ILG_EMULATOR names {}, which cannot be started: {error}",
                program.display()
            ),
        };
        let mut emulator = Self {
            process,
            folder,
            endpoint,
        };
        let http = reqwest::Client::builder()
            .no_proxy()
            .build()
            .expect("an HTTP client");
        // Wait states and the delays of retries take no time.
        let settings = json!({"stepfunctions._SFN_WAIT_SCALE": "0"});
        let config = format!("{}/_ministack/config", emulator.endpoint);
        let started = wait::until("the emulator has started", async || {
            if emulator
                .process
                .try_wait()
                .expect("the emulator's state")
                .is_some()
            {
                return Some(false);
            }
            let answer = http.post(&config).json(&settings).send().await.ok()?;
            answer.status().is_success().then_some(true)
        })
        .await;
        started.then_some(emulator)
    }

    /// Runs each case of the machines as an execution, all at the same time. Returns one list for each machine.
    ///
    /// # Panics
    /// If the emulator refuses a definition or an execution.
    pub async fn run(&self, machines: &[Machine]) -> Vec<Vec<Execution>> {
        let config = self.config();
        let echo = self.create_echo(&aws_sdk_lambda::Client::new(&config)).await;
        let sfn = aws_sdk_sfn::Client::new(&config);
        self.put_objects(&config, machines).await;
        let mut started = vec![];
        for machine in machines {
            started.push(self.start_cases(&sfn, machine, &echo).await);
        }
        let mut executions = vec![];
        for (machine, arns) in machines.iter().zip(started) {
            let mut of_machine = vec![];
            for (case, arn) in machine.cases.iter().zip(arns) {
                of_machine.push(ended(&sfn, &machine.definition, case, &arn).await);
            }
            executions.push(of_machine);
        }
        executions
    }

    /// Writes the objects that distributed Maps read.
    async fn put_objects(&self, config: &SdkConfig, machines: &[Machine]) {
        let config = aws_sdk_s3::config::Builder::from(config)
            .force_path_style(true)
            .build();
        let s3 = aws_sdk_s3::Client::from_conf(config);
        let cases = machines.iter().flat_map(|machine| &machine.cases);
        for (bucket, objects) in cases.flat_map(|case| &case.objects) {
            // It exists if another case has the same.
            let _ = s3.create_bucket().bucket(bucket).send().await;
            for (key, text) in objects {
                let body = text.clone().into_bytes().into();
                let put = s3.put_object().bucket(bucket).key(key).body(body).send().await;
                put.unwrap_or_else(|error| panic!("{bucket}/{key}: {error:?}\n{}", self.log()));
            }
        }
    }

    /// Starts an execution for each case of a machine; returns their ARNs.
    async fn start_cases(&self, sfn: &aws_sdk_sfn::Client, machine: &Machine, echo: &str) -> Vec<String> {
        let created = sfn
            .create_state_machine()
            .name(machine.name())
            .definition(machine.definition.deployed(echo))
            .role_arn(ROLE_ARN)
            .send()
            .await
            .unwrap_or_else(|error| panic!("{} is refused: {error:?}\n{}", machine.name(), self.log()));
        let mut arns = vec![];
        for case in &machine.cases {
            let start = sfn
                .start_execution()
                .state_machine_arn(format!("{}#{}", created.state_machine_arn, case.name))
                .input(case.input.to_string())
                .send()
                .await;
            arns.push(
                start
                    .unwrap_or_else(|error| panic!("{}: {error:?}\n{}", case.name, self.log()))
                    .execution_arn,
            );
        }
        arns
    }

    /// A client of the emulator's TestState.
    pub fn sfn_for_test_state(&self) -> aws_sdk_sfn::Client {
        let config = aws_sdk_sfn::config::Builder::from(&self.config())
            .interceptor(WithoutHostPrefix)
            .build();
        aws_sdk_sfn::Client::from_conf(config)
    }

    fn config(&self) -> SdkConfig {
        let credentials = Credentials::new("test", "test", None, None, "the emulator's");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(&self.endpoint)
            .region(Region::new(REGION))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build()
    }

    async fn create_echo(&self, lambda: &aws_sdk_lambda::Client) -> String {
        lambda
            .create_function()
            .function_name("echo")
            .runtime(Runtime::Python313)
            .role(ROLE_ARN)
            .handler("echo.handler")
            .code(
                FunctionCode::builder()
                    .zip_file(Blob::new(zip("echo.py", ECHO.as_bytes())))
                    .build(),
            )
            .send()
            .await
            .unwrap_or_else(|error| panic!("the echo function is refused: {error:?}\n{}", self.log()))
            .function_arn
            .expect("the function's ARN")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // It may have stopped already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// TestState adds the prefix `sync-` to the name of the host, which local addresses do not have.
#[derive(Debug)]
struct WithoutHostPrefix;

impl Intercept for WithoutHostPrefix {
    fn name(&self) -> &'static str {
        "WithoutHostPrefix"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let uri = context.request().uri().replacen("//sync-", "//", 1);
        Ok(context.request_mut().set_uri(uri)?)
    }
}

/// Waits until an execution has ended.
async fn ended(sfn: &aws_sdk_sfn::Client, definition: &Definition, case: &Case, arn: &str) -> Execution {
    wait::until(&format!("{} has ended", case.name), async || {
        let execution = sfn
            .describe_execution()
            .execution_arn(arn)
            .send()
            .await
            .expect("an execution");
        (*execution.status() != ExecutionStatus::Running).then_some(())
    })
    .await;
    let history = sfn.get_execution_history().execution_arn(arn).max_results(1000);
    let events: Result<Vec<_>, _> = history.into_paginator().items().send().collect().await;
    Execution::of_history(definition, arn, &events.expect("an execution's history"))
}

/// A function's code as Lambda takes it: an archive with one file.
fn zip(name: &str, content: &[u8]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(vec![]));
    archive
        .start_file(name, SimpleFileOptions::default())
        .expect("a file in an archive");
    archive.write_all(content).expect("an archive");
    archive.finish().expect("an archive").into_inner()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a port").port()
}

/// Step Functions Local's format: responses by name, and which of them the states of a case take.
fn mock_config(machines: &[Machine]) -> Value {
    let (mut config, mut responses) = (json!({}), json!({}));
    for machine in machines {
        let mut tests = json!({});
        for case in &machine.cases {
            tests[&case.name] = json!({});
            for (state, mock) in &case.mocks {
                let response = format!("{}/{}/{state}", machine.name(), case.name);
                responses[&response] = match mock {
                    Mock::Returns(output) => json!({"0": {"Return": invocation(output)}}),
                    Mock::ReturnsInTurn(outputs) => {
                        let turn =
                            |(turn, output)| (format!("{turn}"), json!({"Return": invocation(output)}));
                        outputs.iter().enumerate().map(turn).collect()
                    }
                    // At every attempt, of which there are at most 1,000.
                    Mock::Throws { error, cause } => {
                        json!({"0-1000": {"Throw": {"Error": error, "Cause": cause}}})
                    }
                };
                tests[&case.name][state] = json!(response);
            }
        }
        config[machine.name()] = json!({"TestCases": tests});
    }
    json!({"StateMachines": config, "MockedResponses": responses})
}
