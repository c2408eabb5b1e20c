//! Starts the workflow for an object whose event was lost.

use crate::State;
use aws::ServiceError;
use aws_sdk_sfn::Client;
use domain::{ImageId, Sequencer};
use jiff::Timestamp;
use serde_json::{Value, json};

/// An object that no execution has processed.
#[derive(Debug, Clone, PartialEq)]
pub struct UnprocessedObject<'a> {
    /// The image.
    pub image_id: ImageId,
    /// The object's bucket.
    pub bucket: &'a str,
    /// The object's key.
    pub key: &'a str,
    /// The object's size in bytes.
    pub size: u64,
    /// When the object was created.
    pub last_modified: Timestamp,
    /// The sequencer in place of that of the lost event.
    pub sequencer: Sequencer,
}

/// What became of the attempt to start an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Started {
    /// An execution has started.
    Now,
    /// An execution for this object has been started before and is running.
    Before,
    /// An execution for this object has been started before, and it has ended without changing the record.
    InVain,
}

/// Starts an execution with an event like the one of S3. Its name is derived from the object, and Step Functions accepts each
/// name once in 90 days, so that each object gets one execution.
///
/// # Errors
/// A call fails. After [`ServiceError::ServiceUnavailable`], the execution may have started.
pub async fn start(
    sfn: &Client,
    state_machine_arn: &str,
    object: &UnprocessedObject<'_>,
    now: Timestamp,
) -> Result<Started, ServiceError> {
    let (name, input) = (name(object), event(object, now).to_string());
    if crate::start(sfn, state_machine_arn, &name, input)
        .await?
        .is_some()
    {
        return Ok(Started::Now);
    }
    let arn = crate::arn(state_machine_arn, &name);
    Ok(match crate::state(sfn, &arn).await? {
        // Step Functions does not show it yet.
        State::Running | State::Unknown => Started::Before,
        State::Ended => Started::InVain,
    })
}

/// The event, reduced to what the workflow reads. Its time is now: metrics and alarms measure how long an image has waited for
/// the workflow, which has not known this one until now.
fn event(object: &UnprocessedObject<'_>, now: Timestamp) -> Value {
    json!({
        "source": "aws.s3",
        "detail-type": "Object Created",
        "time": format!("{now:.0}"),
        "detail": {
            "bucket": {"name": object.bucket},
            "object": {"key": object.key, "size": object.size, "sequencer": object.sequencer},
        },
    })
}

fn name(object: &UnprocessedObject<'_>) -> String {
    format!(
        "reconcile-{}-{}",
        object.image_id,
        object.last_modified.as_millisecond()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
    use aws_sdk_sfn::operation::start_execution::StartExecutionError;
    use aws_sdk_sfn::types::ExecutionStatus;
    use aws_sdk_sfn::types::error::ExecutionAlreadyExists;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use domain::ObjectCreated;

    fn object() -> UnprocessedObject<'static> {
        UnprocessedObject {
            image_id: ImageId::parse("0193a5a0-0000-7000-8000-000000000001").unwrap(),
            bucket: "pictures",
            key: "uploads/demo/a+b.jpg",
            size: 5,
            last_modified: "2026-11-22T12:00:00Z".parse().unwrap(),
            sequencer: Sequencer::lowest(),
        }
    }

    #[test]
    fn the_workflow_can_read_the_event() {
        let now: Timestamp = "2026-11-23T12:00:00.5Z".parse().unwrap();
        let read: ObjectCreated = serde_json::from_value(event(&object(), now)).unwrap();
        assert_eq!(read.detail.object.key, "uploads/demo/a+b.jpg");
        assert_eq!(read.detail.object.size, Some(5));
        assert_eq!(read.sequencer(), Sequencer::lowest());
        // Not the time of the upload: the alarm about waiting pictures would go off.
        let requested = read.requested_at().unwrap();
        assert!(now.duration_since(requested).as_secs().abs() <= 1, "{requested}");
    }

    /// Source: the name's limit of 80 characters and its allowed characters in `StartExecution`'s documentation.
    #[test]
    fn the_name_is_valid_in_step_functions() {
        let name = name(&object());
        assert_eq!(
            name,
            "reconcile-0193a5a0-0000-7000-8000-000000000001-1795348800000"
        );
        assert!(name.len() <= 80);
    }

    /// If it were started again, each pass would start another execution, and no operator would notice.
    #[tokio::test]
    async fn an_execution_that_has_ended_without_an_effect_is_reported() {
        for (status, expected) in [
            (ExecutionStatus::Running, Started::Before),
            (ExecutionStatus::Succeeded, Started::InVain),
        ] {
            let start = mock!(Client::start_execution).then_error(|| {
                StartExecutionError::ExecutionAlreadyExists(ExecutionAlreadyExists::builder().build())
            });
            let describe = mock!(Client::describe_execution).then_output(move || {
                DescribeExecutionOutput::builder()
                    .execution_arn("arn")
                    .state_machine_arn("arn")
                    .start_date(aws_sdk_sfn::primitives::DateTime::from_secs(0))
                    .status(status.clone())
                    .build()
                    .unwrap()
            });
            let sfn = mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&start, &describe]);
            let started = super::start(&sfn, "arn", &object(), Timestamp::now()).await;
            assert_eq!(started, Ok(expected));
        }
    }
}
