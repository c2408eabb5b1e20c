//! Hands a video over to the state machine `label-video`.

use crate::{Validate, ValidateError};
use aws::ServiceError;
use domain::image::execution_name;
use domain::{Claim, ObjectCreated};
use executions::State;

/// The field of `label-video`'s input with the execution that has claimed the video.
const HANDED_OVER_BY: &str = "handedOverBy";

/// Starts an execution of `label-video` with the event. It has the name of this execution, and Step Functions accepts each
/// name once: a repeated call does nothing while that execution runs. Its first step takes over the claim.
///
/// Source: StartExecution in the API reference of Step Functions ("same name and input as a running execution", "you can reuse
/// names after 90 days").
///
/// # Errors
/// A call fails, or the execution has ended before it took over the claim. The image would stay `PROCESSING`: the name cannot be
/// used again. So this execution fails, and with it the image. Labeling it again starts executions with another name.
pub(crate) async fn hand_over(
    validate: &Validate,
    claim: &Claim,
    event: &ObjectCreated,
) -> Result<(), ValidateError> {
    let mut input = event.to_json();
    input[HANDED_OVER_BY] = claim.execution_arn.clone().into();
    let (machine, name) = (
        &validate.video_state_machine_arn,
        execution_name(&claim.execution_arn),
    );
    let started = executions::start(&validate.sfn, machine, name, input.to_string()).await?;
    if started.is_some() {
        return Ok(());
    }
    let arn = executions::arn(machine, name);
    match executions::state(&validate.sfn, &arn).await? {
        // Step Functions does not show a new execution at once.
        State::Running | State::Unknown => Ok(()),
        // Read after the end of the execution, so this is final.
        State::Ended => match validate.records.check_claim(claim).await? {
            Err(_) => Ok(()),
            Ok(()) => Err(ServiceError::UnexpectedAnswer(
                "the execution of label-video has ended before it took over the video".into(),
            )
            .into()),
        },
    }
}

/// Whether an execution is the one of `label-video` that this execution has started.
pub(crate) fn is_handed_over(holder: &str, execution_arn: &str) -> bool {
    holder != execution_arn && execution_name(holder) == execution_name(execution_arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_sdk_sfn::error::ErrorMetadata;
    use aws_sdk_sfn::operation::describe_execution::{DescribeExecutionError, DescribeExecutionOutput};
    use aws_sdk_sfn::operation::start_execution::{StartExecutionError, StartExecutionOutput};
    use aws_sdk_sfn::primitives::DateTime;
    use aws_sdk_sfn::types::ExecutionStatus;
    use aws_sdk_sfn::types::error::{ExecutionAlreadyExists, ExecutionDoesNotExist};
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use domain::{ErrorName, StepError};
    use records::Records;
    use serde_json::json;

    const OWN: &str = "arn:aws:states:us-east-1:000000000000:execution:labels-label-image:a_b";
    const VIDEO: &str = "arn:aws:states:us-east-1:000000000000:execution:labels-label-video:a_b";

    /// The result of a hand-over if StartExecution fails with this code, or succeeds with `None`. `status` is what
    /// DescribeExecution then says, and `holder` the execution that the record names.
    async fn handed_over(
        code: Option<&'static str>,
        status: Option<ExecutionStatus>,
        holder: &'static str,
    ) -> Result<(), ValidateError> {
        let start = match code {
            None => mock!(aws_sdk_sfn::Client::start_execution)
                .match_requests(|request| request.name() == Some("a_b"))
                .then_output(|| {
                    let started = StartExecutionOutput::builder().execution_arn(VIDEO);
                    started.start_date(DateTime::from_secs(0)).build().unwrap()
                }),
            Some("ExecutionAlreadyExists") => mock!(aws_sdk_sfn::Client::start_execution).then_error(|| {
                StartExecutionError::ExecutionAlreadyExists(ExecutionAlreadyExists::builder().build())
            }),
            Some(code) => mock!(aws_sdk_sfn::Client::start_execution).then_error(move || {
                StartExecutionError::generic(ErrorMetadata::builder().code(code).build())
            }),
        };
        let describe = mock!(aws_sdk_sfn::Client::describe_execution)
            .match_requests(|request| request.execution_arn() == Some(VIDEO));
        let describe = match status {
            Some(status) => describe.then_output(move || {
                let execution = DescribeExecutionOutput::builder().execution_arn(VIDEO);
                let execution = execution.state_machine_arn("machine").status(status.clone());
                execution.start_date(DateTime::from_secs(0)).build().unwrap()
            }),
            None => describe.then_error(|| {
                DescribeExecutionError::ExecutionDoesNotExist(ExecutionDoesNotExist::builder().build())
            }),
        };
        let get = mock!(aws_sdk_dynamodb::Client::get_item).then_output(move || {
            let record = json!({"status": "PROCESSING", "executionArn": holder});
            let item = serde_dynamo::to_item(record).unwrap();
            GetItemOutput::builder().set_item(Some(item)).build()
        });
        let s3 = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .build();
        let validate = Validate {
            s3: aws_sdk_s3::Client::from_conf(s3),
            records: Records::new(
                mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&get]),
                "images".into(),
            ),
            sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&start, &describe]),
            video_state_machine_arn:
                "arn:aws:states:us-east-1:000000000000:stateMachine:labels-label-video:3".into(),
            bucket: "pictures".into(),
            default_policy: serde_json::from_value(json!({"minConfidence": 55, "maxLabels": 50})).unwrap(),
            decode_heic: true,
        };
        let event: ObjectCreated = serde_json::from_value(json!({
            "source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": {"name": "pictures"}, "object": {"key": "uploads/demo/a.mp4", "sequencer": "0A"}},
        }))
        .unwrap();
        let claim = Claim::new(&event, OWN).unwrap();
        hand_over(&validate, &claim, &event).await
    }

    #[tokio::test]
    async fn a_start_that_fails_is_retried_or_fails_the_execution_by_its_error() {
        assert_eq!(handed_over(None, None, OWN).await, Ok(()));
        for (code, expected) in [
            ("ThrottlingException", ErrorName::Throttled),
            ("ExecutionLimitExceeded", ErrorName::Throttled),
            ("ServiceUnavailable", ErrorName::ServiceUnavailable),
            ("AccessDeniedException", ErrorName::AccessDenied),
        ] {
            let error = handed_over(Some(code), None, OWN).await.unwrap_err();
            assert_eq!(error.name(), expected, "{code}");
        }
    }

    /// The answer to an earlier start was lost.
    #[tokio::test]
    async fn an_execution_that_exists_takes_over_the_video() {
        let exists = Some("ExecutionAlreadyExists");
        for status in [
            None,
            Some(ExecutionStatus::Running),
            Some(ExecutionStatus::PendingRedrive),
        ] {
            assert_eq!(
                handed_over(exists, status.clone(), OWN).await,
                Ok(()),
                "{status:?}"
            );
        }
    }

    /// If one that has not taken over the video counted, the image would stay `PROCESSING`.
    #[tokio::test]
    async fn an_execution_that_has_ended_counts_only_if_it_has_taken_over_the_video() {
        let exists = Some("ExecutionAlreadyExists");
        for status in [
            ExecutionStatus::Succeeded,
            ExecutionStatus::Failed,
            ExecutionStatus::TimedOut,
            ExecutionStatus::Aborted,
        ] {
            let taken_over = handed_over(exists, Some(status.clone()), VIDEO).await;
            assert_eq!(taken_over, Ok(()), "{status}");
            let error = handed_over(exists, Some(status), OWN).await.unwrap_err();
            assert_eq!(error.name(), ErrorName::UnexpectedAnswer);
        }
    }

    #[test]
    fn only_the_execution_of_the_same_name_was_started_by_this_one() {
        let arn = |machine, name| format!("arn:aws:states:us-east-1:000000000000:execution:{machine}:{name}");
        let own = arn("labels-label-image", "a_b");
        assert!(is_handed_over(&arn("labels-label-video", "a_b"), &own));
        assert!(!is_handed_over(&arn("labels-label-video", "a_c"), &own));
        assert!(!is_handed_over(&own, &own));
    }
}
