//! Labels images again: starts the workflow for an image that was already uploaded.
//!
//! Of concurrent calls, one starts an execution: its name is derived from the record's state, and Step Functions accepts each
//! name once. `validate` then takes over the claim of the previous execution.

use crate::State;
use aws::ServiceError;
use aws_sdk_sfn::Client;
use domain::image::execution_name;
use domain::{ImageId, ImageRecord, Status};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// How long the execution of `label-video` counts as new if Step Functions does not know it. Pictures have none, and an image
/// whose execution has failed must not count as being labeled for longer than necessary. Short, because `validate` starts it right
/// after the claim and before its own execution ends: when that has ended, it is too new for a moment only.
const VIDEO_NEW_FOR: SignedDuration = SignedDuration::from_secs(30);

/// Whether an execution is processing the image. An outdated answer is harmless: if a failed execution is reported as running,
/// the answer is `true` until `record-failure` has stored the failure. For an execution that Step Functions does not know, see
/// [`crate::is_running`].
///
/// The execution of `label-video` has the same name as the execution of `label-image` that has started it. The record names the
/// latter until the former takes over the claim, which can take hours, for example while a function is throttled.
///
/// # Errors
/// A call fails.
pub async fn is_being_labeled(
    sfn: &Client,
    video_state_machine_arn: &str,
    record: &ImageRecord,
) -> Result<bool, ServiceError> {
    let (Status::Processing, Some(holder)) = (record.status, &record.execution_arn) else {
        return Ok(false);
    };
    if crate::is_running(sfn, holder, &record.updated_at).await? {
        return Ok(true);
    }
    let of_video = crate::arn(video_state_machine_arn, execution_name(holder));
    Ok(of_video != *holder
        && crate::is_running_or_new(sfn, &of_video, &record.updated_at, VIDEO_NEW_FOR).await?)
}

/// Starts an execution that labels the image again, and returns its ARN. `None` if another call has started one from the same
/// state of the record: its execution is running, or so new that Step Functions does not show it yet. If that execution ended
/// before it changed the record, starts another one.
///
/// # Errors
/// A call fails. After [`ServiceError::ServiceUnavailable`], the execution may have started.
pub async fn start(
    sfn: &Client,
    state_machine_arn: &str,
    record: &ImageRecord,
    event: &Value,
) -> Result<Option<String>, ServiceError> {
    let start = async |name: &str| crate::start(sfn, state_machine_arn, name, event.to_string()).await;
    let name = name(record);
    let started = start(&name).await?;
    if started.is_some() {
        return Ok(started);
    }
    let arn = crate::arn(state_machine_arn, &name);
    match crate::state(sfn, &arn).await? {
        State::Ended => start(&format!("relabel-{}", ImageId::new())).await,
        State::Running | State::Unknown => Ok(None),
    }
}

/// The upload's event, reduced to what the workflow reads, as the input of [`start`]. `None` before the upload. `inspect-video`
/// counts the minutes of a video that are not among `counted_minutes`.
pub fn event(record: &ImageRecord, counted_minutes: u32, now: Timestamp) -> Option<Value> {
    let sequencer = record.sequencer.as_ref()?;
    Some(json!({
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": record.bucket},
            "object": {"key": record.key, "size": record.size, "sequencer": sequencer},
        },
        // In nanoseconds, so that no two inputs are equal: for an equal name and input, Step Functions would return the
        // running execution instead of an error.
        "relabel": {"requestedAt": format!("{now:.9}"), "countedMinutes": counted_minutes},
    }))
}

/// The execution's name: the same for all calls that read the same state of the record.
fn name(record: &ImageRecord) -> String {
    let state: String = record
        .updated_at
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!("relabel-{}-{state}", record.image_id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sfn::operation::describe_execution::{DescribeExecutionError, DescribeExecutionOutput};
    use aws_sdk_sfn::primitives::DateTime;
    use aws_sdk_sfn::types::ExecutionStatus;
    use aws_sdk_sfn::types::error::ExecutionDoesNotExist;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use domain::ObjectCreated;

    fn record(sequencer: Option<&str>) -> ImageRecord {
        serde_json::from_value(json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "LABELED",
            "createdAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:05.250Z",
            "key": "uploads/demo/a+b.jpg", "bucket": "pictures", "sequencer": sequencer,
        }))
        .unwrap()
    }

    #[test]
    fn the_workflow_can_read_the_event() {
        let event = event(&record(Some("0A")), 3, Timestamp::UNIX_EPOCH).unwrap();
        let read: ObjectCreated = serde_json::from_value(event).unwrap();
        assert_eq!(read.detail.object.key, "uploads/demo/a+b.jpg");
        assert_eq!(read.detail.object.size, None);
        assert_eq!(read.relabel.and_then(|relabel| relabel.counted_minutes), Some(3));
        assert_eq!(super::event(&record(None), 3, Timestamp::UNIX_EPOCH), None);
    }

    /// Whether an image counts as being labeled if an execution of the state machine `holder` holds it, and only the execution
    /// `running` is running.
    async fn is_being_labeled(holder: &str, running: &'static str) -> bool {
        let describe = mock!(Client::describe_execution).then_compute_output(move |request| {
            let arn = request.execution_arn().unwrap();
            let status = if arn.ends_with(running) {
                ExecutionStatus::Running
            } else {
                ExecutionStatus::Succeeded
            };
            let execution = DescribeExecutionOutput::builder()
                .execution_arn(arn)
                .status(status);
            let execution = execution
                .state_machine_arn("machine")
                .start_date(DateTime::from_secs(0));
            execution.build().unwrap()
        });
        let sfn = mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&describe]);
        let video_machine = "arn:aws:states:us-east-1:000000000000:stateMachine:label-video";
        let record = ImageRecord {
            status: Status::Processing,
            execution_arn: Some(format!(
                "arn:aws:states:us-east-1:000000000000:execution:{holder}:one"
            )),
            ..record(Some("0A"))
        };
        super::is_being_labeled(&sfn, video_machine, &record)
            .await
            .unwrap()
    }

    /// It would be labeled, counted and paid for twice.
    #[tokio::test]
    async fn a_video_that_is_being_handed_over_is_being_labeled() {
        assert!(is_being_labeled("label-image", "label-video:one").await);
        assert!(is_being_labeled("label-image", "label-image:one").await);
        assert!(is_being_labeled("label-video", "label-video:one").await);
        assert!(!is_being_labeled("label-image", "label-video:another").await);
        assert!(!is_being_labeled("label-video", "label-image:one").await);
    }

    /// Right after a start, Step Functions can answer that the execution does not exist, also for the one of `label-video`.
    #[tokio::test]
    async fn an_image_is_being_labeled_by_an_execution_that_is_too_new_to_be_shown() {
        let machine = |name| format!("arn:aws:states:us-east-1:000000000000:stateMachine:{name}");
        let holder = crate::arn(&machine("label-image"), "one");
        let now = format!("{:.3}", Timestamp::now());
        let minute_ago = format!("{:.3}", Timestamp::now() - SignedDuration::from_mins(1));
        for (updated_at, shows_holder, expected) in [
            (now.as_str(), false, true),
            (now.as_str(), true, true),
            (minute_ago.as_str(), false, true),
            // It has failed, and has no execution of `label-video`.
            (minute_ago.as_str(), true, false),
            ("2026-11-22T12:00:05.250Z", false, false),
            ("2026-11-22T12:00:05.250Z", true, false),
        ] {
            let unknown = mock!(Client::describe_execution).then_error(|| {
                DescribeExecutionError::ExecutionDoesNotExist(ExecutionDoesNotExist::builder().build())
            });
            let arn = holder.clone();
            let ended = mock!(Client::describe_execution)
                .match_requests(move |request| shows_holder && request.execution_arn() == Some(arn.as_str()))
                .then_output(|| {
                    let execution = DescribeExecutionOutput::builder().execution_arn("arn");
                    let execution = execution
                        .state_machine_arn("machine")
                        .status(ExecutionStatus::Succeeded);
                    execution.start_date(DateTime::from_secs(0)).build().unwrap()
                });
            let sfn = mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&ended, &unknown]);
            let record = ImageRecord {
                status: Status::Processing,
                execution_arn: Some(holder.clone()),
                updated_at: updated_at.to_owned(),
                ..record(Some("0A"))
            };
            let is_being_labeled = super::is_being_labeled(&sfn, &machine("label-video"), &record).await;
            assert_eq!(is_being_labeled, Ok(expected), "{updated_at} {shows_holder}");
        }
    }

    /// Source: the name's limit of 80 characters and its allowed characters in `StartExecution`'s documentation.
    #[test]
    fn the_name_is_valid_in_step_functions() {
        let name = name(&record(Some("0A")));
        assert_eq!(
            name,
            "relabel-0193a5a0-0000-7000-8000-000000000001-20261122T120005250Z"
        );
        assert!(name.len() <= 80);
    }
}
