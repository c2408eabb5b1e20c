//! Ends tasks that wait for a call with their token (`.waitForTaskToken`).

use aws::ServiceError;
use aws_sdk_sfn::Client;
use aws_sdk_sfn::error::SdkError;
use domain::ErrorName;
use serde_json::json;

/// Ends a task with an empty result. Returns whether it has waited: not if it was ended before, or was retried since.
///
/// # Errors
/// The call fails.
pub async fn succeed(sfn: &Client, token: &str) -> Result<bool, ServiceError> {
    let sent = sfn
        .send_task_success()
        .task_token(token)
        .output("{}")
        .send()
        .await;
    match sent {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(context))
            if context.err().is_task_does_not_exist() || context.err().is_task_timed_out() =>
        {
            Ok(false)
        }
        Err(error) => Err(ServiceError::of("states:SendTaskSuccess", &error)),
    }
}

/// Ends a task with an error, whose cause is like that of a function. Returns whether it has waited, as [`succeed`].
///
/// # Errors
/// The call fails.
pub async fn fail(sfn: &Client, token: &str, name: ErrorName, message: &str) -> Result<bool, ServiceError> {
    let cause = json!({"errorType": name, "errorMessage": message});
    let sent = sfn
        .send_task_failure()
        .task_token(token)
        .error(name.as_str())
        .cause(cause.to_string())
        .send()
        .await;
    match sent {
        Ok(_) => Ok(true),
        Err(SdkError::ServiceError(context))
            if context.err().is_task_does_not_exist() || context.err().is_task_timed_out() =>
        {
            Ok(false)
        }
        Err(error) => Err(ServiceError::of("states:SendTaskFailure", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sfn::operation::send_task_failure::{SendTaskFailureError, SendTaskFailureOutput};
    use aws_sdk_sfn::operation::send_task_success::SendTaskSuccessError;
    use aws_sdk_sfn::types::error::{InvalidToken, TaskDoesNotExist, TaskTimedOut};
    use aws_smithy_mocks::{mock, mock_client};
    use domain::lambda_error;

    /// A message can come twice, and after the task was retried.
    #[tokio::test]
    async fn a_task_that_no_longer_waits_is_no_error() {
        let gone = mock!(Client::send_task_success)
            .then_error(|| SendTaskSuccessError::TaskDoesNotExist(TaskDoesNotExist::builder().build()));
        assert_eq!(
            succeed(&mock_client!(aws_sdk_sfn, [&gone]), "token").await,
            Ok(false)
        );
        let timed_out = mock!(Client::send_task_failure)
            .then_error(|| SendTaskFailureError::TaskTimedOut(TaskTimedOut::builder().build()));
        let sfn = mock_client!(aws_sdk_sfn, [&timed_out]);
        assert_eq!(fail(&sfn, "token", ErrorName::Throttled, "").await, Ok(false));
        let invalid = mock!(Client::send_task_success)
            .then_error(|| SendTaskSuccessError::InvalidToken(InvalidToken::builder().build()));
        assert!(
            succeed(&mock_client!(aws_sdk_sfn, [&invalid]), "token")
                .await
                .is_err()
        );
    }

    /// The owner of a rejected video reads the message in the cause, and must not see JSON.
    #[tokio::test]
    async fn a_cause_is_read_like_that_of_a_function() {
        let sent = mock!(Client::send_task_failure)
            .match_requests(|request| {
                request.error() == Some("UnsupportedFormat")
                    && request
                        .cause()
                        .is_some_and(|cause| lambda_error::message(cause) == "The \"reason\".")
            })
            .then_output(|| SendTaskFailureOutput::builder().build());
        let sfn = mock_client!(aws_sdk_sfn, [&sent]);
        let failed = fail(&sfn, "token", ErrorName::UnsupportedFormat, "The \"reason\".").await;
        assert_eq!((failed, sent.num_calls()), (Ok(true), 1));
    }
}
