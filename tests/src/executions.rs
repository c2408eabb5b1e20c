//! Executions of the state machine.

use crate::{Stack, wait};
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{ExecutionStatus, HistoryEvent};
use serde_json::Value;
use std::time::SystemTime;

/// An execution that has ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// Its ARN.
    pub arn: String,
    /// How it ended.
    pub status: ExecutionStatus,
    /// Its output, if it succeeded.
    pub output: Option<Value>,
    /// The name of the error that it failed with.
    pub error: Option<String>,
    /// The cause of the error.
    pub cause: Option<String>,
    /// The names of the states that it entered, in order.
    pub states: Vec<String>,
}

impl Ended {
    /// The state that it entered last: the one that failed, if it failed.
    pub fn last_state(&self) -> &str {
        self.states.last().map_or("", String::as_str)
    }
}

impl Stack {
    /// Starts an execution; returns its ARN.
    ///
    /// # Panics
    /// If Step Functions refuses.
    pub async fn start(&self, input: &Value) -> String {
        self.sfn
            .start_execution()
            .state_machine_arn(&self.state_machine_arn)
            .input(input.to_string())
            .send()
            .await
            .expect("an execution")
            .execution_arn
    }

    /// An execution's input.
    ///
    /// # Panics
    /// If there is no such execution.
    pub async fn input(&self, arn: &str) -> Value {
        let execution = self.describe(arn).await;
        serde_json::from_str(execution.input().expect("an input")).expect("JSON")
    }

    /// Waits until an execution has ended.
    ///
    /// # Panics
    /// If there is no such execution, or it does not end.
    pub async fn ended(&self, arn: &str) -> Ended {
        let execution = wait::until(&format!("{arn} ends"), async || {
            let execution = self.describe(arn).await;
            (*execution.status() != ExecutionStatus::Running).then_some(execution)
        })
        .await;
        Ended {
            arn: arn.to_owned(),
            status: execution.status,
            output: execution
                .output
                .and_then(|output| serde_json::from_str(&output).ok()),
            error: execution.error,
            cause: execution.cause,
            states: self.states(arn).await,
        }
    }

    /// Waits until the execution of `label-video` has ended that an execution of `label-image` has handed a video over to. `None`
    /// if it has handed none over.
    ///
    /// # Panics
    /// If it does not end.
    pub async fn ended_for_video(&self, handed_over_by: &str) -> Option<Ended> {
        let arn = handed_over_by.replace("-label-image:", "-label-video:");
        let known = self.sfn.describe_execution().execution_arn(&arn).send().await;
        match known {
            Ok(_) => Some(self.ended(&arn).await),
            Err(_) => None,
        }
    }

    /// Starts an execution and waits for its end.
    ///
    /// # Panics
    /// See [`Self::start`] and [`Self::ended`].
    pub async fn execute(&self, input: &Value) -> Ended {
        let arn = self.start(input).await;
        self.ended(&arn).await
    }

    /// Starts an execution of another state machine, such as `import-objects`, and waits for its end.
    ///
    /// # Panics
    /// See [`Self::start`] and [`Self::ended`].
    pub async fn execute_on(&self, machine: &str, input: &Value) -> Ended {
        let started = self
            .sfn
            .start_execution()
            .state_machine_arn(self.machine_arn(machine))
            .input(input.to_string())
            .send()
            .await
            .expect("an execution");
        self.ended(&started.execution_arn).await
    }

    /// The ARN of a state machine, such as `import-objects`.
    pub fn machine_arn(&self, machine: &str) -> String {
        self.state_machine_arn
            .replace("-label-image", &format!("-{machine}"))
    }

    /// Waits until at least this many executions about an object have been started and all of them have ended. Executions
    /// from before the tests of this program do not count.
    ///
    /// # Panics
    /// If there are fewer, or one does not end.
    pub async fn executions_about(&self, key: &str, at_least: usize) -> Vec<Ended> {
        let arns = wait::until(
            &format!("{at_least} executions have been started about {key}"),
            async || {
                let mut arns = vec![];
                for arn in self.new_executions().await {
                    if self.subject(&arn).await.as_deref() == Some(key) {
                        arns.push(arn);
                    }
                }
                (arns.len() >= at_least).then_some(arns)
            },
        )
        .await;
        let mut executions = vec![];
        for arn in arns {
            executions.push(self.ended(&arn).await);
        }
        executions
    }

    /// The executions that were started since the tests of this program began, the latest first.
    async fn new_executions(&self) -> Vec<String> {
        let list = self
            .sfn
            .list_executions()
            .state_machine_arn(&self.state_machine_arn)
            .max_results(1000);
        let mut pages = list.into_paginator().items().send();
        let mut arns = vec![];
        while let Some(execution) = pages.next().await {
            let execution = execution.expect("an execution");
            if SystemTime::try_from(execution.start_date).is_ok_and(|start| start < self.began) {
                break;
            }
            arns.push(execution.execution_arn);
        }
        arns
    }

    /// The key that an execution's input names. It does not change, so it is read only once.
    async fn subject(&self, arn: &str) -> Option<String> {
        if let Some(key) = self.subjects.lock().expect("subjects").get(arn) {
            return key.clone();
        }
        let execution = self.describe(arn).await;
        let input: Value = execution
            .input
            .and_then(|input| serde_json::from_str(&input).ok())
            .unwrap_or_default();
        let key = input
            .pointer("/detail/object/key")
            .and_then(Value::as_str)
            .map(str::to_owned);
        self.subjects
            .lock()
            .expect("subjects")
            .insert(arn.to_owned(), key.clone());
        key
    }

    async fn describe(&self, arn: &str) -> DescribeExecutionOutput {
        self.sfn
            .describe_execution()
            .execution_arn(arn)
            .send()
            .await
            .expect("an execution")
    }

    /// The current status of an execution.
    ///
    /// # Panics
    /// If there is no such execution.
    pub async fn status(&self, arn: &str) -> ExecutionStatus {
        self.describe(arn).await.status
    }

    /// The names of the states that an execution has entered until now, in order.
    ///
    /// # Panics
    /// If there is no such execution.
    pub async fn states(&self, arn: &str) -> Vec<String> {
        let mut events = self
            .sfn
            .get_execution_history()
            .execution_arn(arn)
            .max_results(1000)
            .into_paginator()
            .items()
            .send();
        let mut states = vec![];
        while let Some(event) = events.next().await {
            let event: HistoryEvent = event.expect("an execution's history");
            states.extend(event.state_entered_event_details.map(|entered| entered.name));
        }
        states
    }
}
