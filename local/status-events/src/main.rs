//! Sends `Step Functions Execution Status Change` events, as Step Functions does in AWS.
//!
//! The emulator sends none, so this asks it for executions that ended badly and puts their events on
//! the default bus. What was sent is remembered in a file: a restart neither repeats nor loses any.

use aws_config::BehaviorVersion;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_sfn::types::{ExecutionListItem, ExecutionStatus};
use clap::Parser;
use serde_json::json;
use std::collections::HashSet;
use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

const INTERVAL: Duration = Duration::from_millis(500);

/// Sends the execution status events that the emulator leaves out. Credentials, region and endpoint
/// come from the AWS SDK's environment variables.
#[derive(Debug, Parser)]
struct Arguments {
    /// The state machine whose executions are watched.
    #[arg(long)]
    state_machine: String,
    /// Where to remember what was sent.
    #[arg(long)]
    sent: PathBuf,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_ansi(false).init();
    let arguments = Arguments::parse();
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let mut bridge = Bridge {
        sfn: aws_sdk_sfn::Client::new(&config),
        eventbridge: aws_sdk_eventbridge::Client::new(&config),
        sent: Sent::open(&arguments.sent)?,
        state_machine: arguments.state_machine,
    };
    let mut stop = signal(SignalKind::terminate())?;
    loop {
        if let Err(error) = bridge.send_new().await {
            tracing::warn!(error = %aws_sdk_sfn::error::DisplayErrorContext(&*error), "will try again");
        }
        tokio::select! {
            () = tokio::time::sleep(INTERVAL) => {}
            _ = stop.recv() => return Ok(()),
        }
    }
}

struct Bridge {
    sfn: aws_sdk_sfn::Client,
    eventbridge: aws_sdk_eventbridge::Client,
    sent: Sent,
    state_machine: String,
}

impl Bridge {
    async fn send_new(&mut self) -> Result<(), Box<dyn Error>> {
        for status in [
            ExecutionStatus::Failed,
            ExecutionStatus::TimedOut,
            ExecutionStatus::Aborted,
        ] {
            let mut pages = self
                .sfn
                .list_executions()
                .state_machine_arn(&self.state_machine)
                .status_filter(status)
                .into_paginator()
                .items()
                .send();
            while let Some(execution) = pages.try_next().await? {
                if !self.sent.contains(&execution.execution_arn) {
                    self.send(&execution).await?;
                    self.sent.remember(execution.execution_arn)?;
                }
            }
        }
        Ok(())
    }

    async fn send(&self, execution: &ExecutionListItem) -> Result<(), Box<dyn Error>> {
        let milliseconds =
            |time: Option<&aws_sdk_sfn::primitives::DateTime>| time.and_then(|t| t.to_millis().ok());
        let detail = json!({
            "executionArn": execution.execution_arn,
            "stateMachineArn": execution.state_machine_arn,
            "name": execution.name,
            "status": execution.status.as_str(),
            "startDate": milliseconds(Some(&execution.start_date)),
            "stopDate": milliseconds(execution.stop_date.as_ref()),
        });
        let entry = PutEventsRequestEntry::builder()
            .source("aws.states")
            .detail_type("Step Functions Execution Status Change")
            .resources(&execution.execution_arn)
            .detail(detail.to_string())
            .build();
        let answer = self.eventbridge.put_events().entries(entry).send().await?;
        if answer.failed_entry_count() > 0 {
            return Err("the event bus refused the event".into());
        }
        tracing::info!(
            execution = execution.name,
            status = execution.status.as_str(),
            "sent"
        );
        Ok(())
    }
}

/// ARNs of executions whose end was sent, one a line.
struct Sent {
    arns: HashSet<String>,
    file: File,
}

impl Sent {
    fn open(path: &Path) -> std::io::Result<Self> {
        let known = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
            read => read?,
        };
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self {
            arns: known.lines().map(str::to_owned).collect(),
            file,
        })
    }

    fn contains(&self, arn: &str) -> bool {
        self.arns.contains(arn)
    }

    fn remember(&mut self, arn: String) -> std::io::Result<()> {
        writeln!(self.file, "{arn}")?;
        self.arns.insert(arn);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_restart_repeats_no_event() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sent");
        Sent::open(&path).unwrap().remember("arn:a".into()).unwrap();
        let sent = Sent::open(&path).unwrap();
        assert!(sent.contains("arn:a"));
        assert!(!sent.contains("arn:b"));
    }
}
