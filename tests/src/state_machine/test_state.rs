//! Follows a case through a definition with Step Functions' TestState, one state after the other.
//!
//! On AWS it shows what the emulator's mocked executions do not: that the definition is valid, that the arguments of a
//! Task can be evaluated, and how often Step Functions retries. It costs nothing and needs no role, only the permission
//! `states:TestState`.

use crate::state_machine::case::invocation;
use crate::state_machine::definition::is_distributed;
use crate::state_machine::{Case, Definition, Execution, Mock, Visited};
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::test_state::TestStateOutput;
use aws_sdk_sfn::types::{
    InspectionLevel, MockErrorOutput, MockInput, MockResponseValidationMode, TestExecutionStatus,
    TestStateConfiguration,
};
use serde_json::{Value, json};

/// A function that need not exist, since nothing calls it.
const FUNCTION_ARN: &str = "arn:aws:lambda:us-east-1:123456789012:function:example";
const EXECUTION_PREFIX: &str = "arn:aws:states:us-east-1:123456789012:execution";
const MACHINE_PREFIX: &str = "arn:aws:states:us-east-1:123456789012:stateMachine";

/// Follows a case, and returns what an execution would show.
///
/// `seen` is the same case as an execution of the emulator, whose TestState returns no outputs: the states get the
/// inputs of that execution. AWS needs none.
///
/// # Panics
/// If Step Functions refuses the definition or a state, or does not retry as the definition says.
pub async fn walk(sfn: &Client, definition: &Definition, case: &Case, seen: Option<&Execution>) -> Execution {
    let walk = Walk {
        sfn,
        definition,
        text: definition.deployed(FUNCTION_ARN),
        case,
    };
    let mut execution = Execution {
        arn: walk.execution_arn(),
        ..Execution::default()
    };
    let mut state = definition.start().to_owned();
    let mut input = case.input.clone();
    loop {
        execution.states.push(Visited {
            name: state.clone(),
            input: input.clone(),
        });
        if is_distributed(definition.state(&state)) {
            // TestState does not read S3. The state returns its input.
            if case.expected.states.len() == execution.states.len() {
                return Execution {
                    status: case.expected.status.clone(),
                    error: case.expected.error.clone(),
                    ..execution
                };
            }
            let next = definition.state(&state)["Next"].as_str().expect("Next");
            next.clone_into(&mut state);
            continue;
        }
        let entered = execution
            .states
            .iter()
            .filter(|visited| visited.name == state)
            .count()
            - 1;
        let answer = walk.leave(&state, &input, entered).await;
        let output = answer
            .output()
            .map(|output| serde_json::from_str(output).expect("an output"));
        match (answer.status(), answer.next_state()) {
            (Some(TestExecutionStatus::Succeeded | TestExecutionStatus::CaughtError), Some(next)) => {
                let seen = seen.and_then(|seen| seen.states.get(execution.states.len()));
                input = seen.map_or_else(|| output.unwrap_or_default(), |seen| seen.input.clone());
                state = next.to_owned();
            }
            (Some(TestExecutionStatus::Succeeded), None) => {
                return Execution {
                    status: "SUCCEEDED".into(),
                    output,
                    ..execution
                };
            }
            (Some(TestExecutionStatus::Failed), None) => {
                return Execution {
                    status: "FAILED".into(),
                    error: answer.error,
                    ..execution
                };
            }
            _ => panic!(
                "{}: \"{state}\" ends with an unknown status: {answer:?}",
                case.name
            ),
        }
    }
}

struct Walk<'a> {
    sfn: &'a Client,
    definition: &'a Definition,
    text: String,
    case: &'a Case,
}

impl Walk<'_> {
    fn execution_arn(&self) -> String {
        format!("{EXECUTION_PREFIX}:{}:example", self.definition.name())
    }

    /// `entered` is how often the state was entered before.
    async fn leave(&self, state: &str, input: &Value, entered: usize) -> TestStateOutput {
        if self.definition.state(state)["Type"] != "Task" {
            return self.test(state, input, None, 0).await;
        }
        match self.case.mocks.get(state) {
            Some(mock @ (Mock::Returns(_) | Mock::ReturnsInTurn(_))) => {
                let output = mock
                    .result(entered)
                    .expect("a result for each time that the state is entered");
                self.test(state, input, Some(returns(output)), 0).await
            }
            Some(Mock::Throws { error, cause }) => {
                let retries = self.definition.on_error(state, error).attempts - 1;
                let retries = i32::try_from(retries).expect("a number of retries");
                let thrown = MockErrorOutput::builder().error(error).cause(cause).build();
                let mock = MockInput::builder().error_output(thrown).build();
                let first = self.test(state, input, Some(mock.clone()), 0).await;
                let retried = first.status() == Some(&TestExecutionStatus::Retriable);
                assert_eq!(
                    retried,
                    retries > 0,
                    "{}: {error} in \"{state}\": {first:?}",
                    self.case.name
                );
                if retried {
                    self.test(state, input, Some(mock), retries).await
                } else {
                    first
                }
            }
            None => {
                let given = self.test(state, input, Some(returns(&Value::Null)), 0).await;
                let arguments = given.inspection_data().and_then(|data| data.after_arguments());
                let arguments: Option<Value> =
                    arguments.map(|text| serde_json::from_str(text).expect("arguments"));
                // The emulator does not return the arguments.
                let payload =
                    arguments.map_or_else(|| input.clone(), |mut arguments| arguments["Payload"].take());
                self.test(state, input, Some(returns(&payload)), 0).await
            }
        }
    }

    async fn test(
        &self,
        state: &str,
        input: &Value,
        mock: Option<MockInput>,
        retries: i32,
    ) -> TestStateOutput {
        let configuration = TestStateConfiguration::builder()
            .retrier_retry_count(retries)
            .build();
        let mocked = mock.is_some();
        self.sfn
            .test_state()
            .definition(&self.text)
            .state_name(state)
            .input(input.to_string())
            .inspection_level(InspectionLevel::Debug)
            .set_mock(mock)
            // Only a state with a mock may have these.
            .set_context(mocked.then(|| self.context(state).to_string()))
            .set_state_configuration((retries > 0).then_some(configuration))
            .send()
            .await
            .unwrap_or_else(|error| panic!("{}: \"{state}\" is refused: {error:?}", self.case.name))
    }

    fn context(&self, state: &str) -> Value {
        let time = "2026-11-22T12:00:00.000Z";
        json!({
            "Execution": {
                "Id": self.execution_arn(), "Input": self.case.input, "Name": "example",
                "RoleArn": "arn:aws:iam::123456789012:role/example", "StartTime": time, "RedriveCount": 0,
            },
            "Task": {"Token": "a token"},
            "State": {"EnteredTime": time, "Name": state, "RetryCount": 0},
            "StateMachine": {
                "Id": format!("{MACHINE_PREFIX}:{}", self.definition.name()), "Name": self.definition.name(),
            },
        })
    }
}

/// Not validated against Lambda's API model, in which the payload is bytes.
fn returns(output: &Value) -> MockInput {
    MockInput::builder()
        .result(invocation(output).to_string())
        .field_validation_mode(MockResponseValidationMode::None)
        .build()
}
