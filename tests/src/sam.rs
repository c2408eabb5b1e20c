//! The functions of the stack in Docker, run by the SAM CLI with the template that `cargo xtask up` writes.
//!
//! The SAM CLI waits only 0.3 seconds after Docker has opened a container's port. On a busy machine, Lambda's runtime
//! emulator in the container may not listen by then. The SAM CLI then prints "No response from invoke container", and
//! the tests invoke the function again.
//!
//! `ILG_SAM` is the path of the SAM CLI, and `ILG_INVOKE_IMAGE` the image to use in place of the one from a registry.
//! `cargo xtask test invoke` sets both.

use crate::functions::{FunctionError, invoke};
use crate::{Stack, wait};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::ffi::OsString;
use std::fs::{self, File};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// The message of the SAM CLI if the container was not ready and the function did not run.
const NO_RESPONSE: &str = "No response from invoke container";
/// Attempts to reach a container.
const ATTEMPTS: usize = 5;

/// Invokes a function with `sam local invoke`, as README.md explains.
///
/// # Errors
/// If the function reports an error.
///
/// # Panics
/// If the SAM CLI fails, or the function's answer is not JSON.
pub async fn local_invoke(stack: &Stack, function: &str, event: &Path) -> Result<Value, FunctionError> {
    let mut log = String::new();
    for _ in 0..ATTEMPTS {
        let mut sam = sam_local("invoke", stack);
        sam.arg(logical_id(function)).arg("--event").arg(event);
        let output = tokio::task::spawn_blocking(move || sam.output())
            .await
            .expect("no panic")
            .expect("the SAM CLI starts");
        let body = String::from_utf8_lossy(&output.stdout);
        log = String::from_utf8_lossy(&output.stderr).into_owned();
        if body.is_empty() && log.contains(NO_RESPONSE) {
            continue;
        }
        let body: Value = serde_json::from_str(body.trim())
            .unwrap_or_else(|error| panic!("{function} answers {body:?}: {error}\n{log}"));
        return match serde_json::from_value(body.clone()) {
            Ok(error) => Err(error),
            Err(_) => Ok(body),
        };
    }
    panic!("{function} never answers\n{log}")
}

/// `sam local start-lambda`: keeps one container for each function, for any number of events.
#[derive(Debug)]
pub struct LocalLambda {
    sam: Child,
    log: PathBuf,
    lambda: aws_sdk_lambda::Client,
}

impl LocalLambda {
    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// If the SAM CLI does not start.
    pub async fn start(stack: &Stack) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let log = stack.folder.join("logs/start-lambda.log");
        let file = File::create(&log).expect("a log");
        let mut sam = sam_local("start-lambda", stack);
        sam.args([
            "--port",
            &port.to_string(),
            "--warm-containers",
            "LAZY",
            "--no-watch",
        ]);
        sam.stdout(file.try_clone().expect("a second handle"))
            .stderr(file);
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(format!("http://127.0.0.1:{port}"))
            .region(Region::new("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                "any", "key", None, None, "tests",
            )))
            // A retry would hide that the first invocation failed.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            .build();
        let mut local = Self {
            sam: sam.spawn().expect("the SAM CLI starts"),
            log,
            lambda: aws_sdk_lambda::Client::new(&config),
        };
        wait::until("`sam local start-lambda` listens", async || {
            let ended = local.sam.try_wait().expect("a child");
            assert!(ended.is_none(), "{ended:?}\n{}", local.log());
            TcpStream::connect(("127.0.0.1", port)).ok()
        })
        .await;
        local
    }

    /// Invokes the function with this folder's name, such as `validate`.
    ///
    /// # Errors
    /// If the function reports an error.
    ///
    /// # Panics
    /// If the SAM CLI does not answer, or the function's answer is not JSON.
    pub async fn invoke(&self, function: &str, payload: &Value) -> Result<Value, FunctionError> {
        for _ in 0..ATTEMPTS {
            if let Some(answer) = invoke(&self.lambda, &logical_id(function), payload).await {
                return answer;
            }
            assert!(
                self.log().contains(NO_RESPONSE),
                "{function} gives an empty answer\n{}",
                self.log()
            );
        }
        panic!("{function} never answers\n{}", self.log())
    }

    /// Its log, and that of the functions.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for LocalLambda {
    /// Terminates it with a signal, so that it removes its containers.
    fn drop(&mut self) {
        if let Some(pid) = i32::try_from(self.sam.id()).ok().and_then(Pid::from_raw) {
            // It may have ended already.
            let _ = kill_process(pid, Signal::TERM);
            let _ = self.sam.wait();
        }
    }
}

fn sam_local(command: &str, stack: &Stack) -> Command {
    let mut sam = Command::new(variable("ILG_SAM"));
    sam.args(["local", command, "--template"])
        .arg(stack.folder.join("invoke/template.json"))
        .arg("--skip-pull-image")
        .arg("--invoke-image")
        .arg(variable("ILG_INVOKE_IMAGE"));
    // The keys in the developer's environment must not reach the functions.
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        sam.env(name, "of-another-account");
    }
    sam.env("AWS_DEFAULT_REGION", "eu-west-1");
    sam
}

fn variable(name: &str) -> OsString {
    std::env::var_os(name).unwrap_or_else(|| panic!("{name} is not set. `cargo xtask test invoke` sets it."))
}

/// A function's logical ID in the template, such as `DetectLabelsFunction` for `detect-labels`.
fn logical_id(function: &str) -> String {
    let words = function.split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    });
    words.collect::<String>() + "Function"
}
