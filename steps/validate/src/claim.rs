//! Claims an image for an execution, so that each event is handled once and the latest event wins.

use crate::{Validate, ValidateError, tombstone, video};
use aws::ServiceError;
use deletion::DeletedImageEvent;
use domain::record::RecordedError;
use domain::{ErrorName, EventKind, ImageRecord, Sequencer, Status};
use records::{ClaimCondition, ClaimedEvent, ClaimedFile};

/// What to do if the image's record does not allow a free claim.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Reject(ValidateError),
    /// The owner has deleted the image.
    CheckDeleted(DeletedImageEvent),
    /// Take over the claim if the execution that holds it, named by its ARN, has ended.
    TakeOverIfEnded(ClaimCondition, String),
    TakeOver(ClaimCondition),
}

/// The maximum number of tries. Another execution or a deletion can change the record between two tries, but not many
/// times.
const MAX_TRIES: usize = 4;

/// Claims the image.
pub(crate) async fn acquire(
    validate: &Validate,
    event: ClaimedEvent<'_>,
    file: ClaimedFile<'_>,
) -> Result<(), ValidateError> {
    let mut condition = ClaimCondition::Free;
    for _ in 0..MAX_TRIES {
        let Some(record) = validate.records.claim(event, file, &condition).await? else {
            return Ok(());
        };
        condition = match decide(event, &record) {
            Decision::Reject(error) => return Err(error),
            Decision::TakeOver(condition) => condition,
            Decision::CheckDeleted(kind) => {
                tombstone::reject_unless_new(validate, event.claim, kind).await?;
                ClaimCondition::Deleted
            }
            // A stale answer is harmless: if the execution has failed, `record-failure` marks the image as `FAILED`
            // independently.
            Decision::TakeOverIfEnded(_, holder)
                if executions::is_running(&validate.sfn, &holder, &record.updated_at).await? =>
            {
                return Err(held_by_running(event.event.kind));
            }
            Decision::TakeOverIfEnded(condition, _) => condition,
        };
    }
    Err(ServiceError::Throttled("the image's claim changes too often".into()).into())
}

/// The error for an event if a running execution holds its image.
fn held_by_running(kind: EventKind) -> ValidateError {
    match kind {
        EventKind::Created => ValidateError::DuplicateEvent,
        // The running execution may have read the object before it was restored. The Retry of the state machine waits
        // until that execution has stored its result.
        EventKind::Restored => {
            ServiceError::Throttled("another execution is still processing the image".into()).into()
        }
    }
}

/// Decides how to handle an event if the image's record does not allow a free claim.
fn decide(claimed: ClaimedEvent<'_>, record: &ImageRecord) -> Decision {
    let ClaimedEvent { claim, event } = claimed;
    let sequencer = event.sequencer();
    let holder = record.execution_arn.clone().unwrap_or_default();
    let stored = record.sequencer.as_deref().and_then(Sequencer::parse);
    let unchanged = || ClaimCondition::HeldBy {
        execution_arn: holder.clone(),
        status: record.status,
    };
    if record.status == Status::Deleted {
        let created = event.kind == EventKind::Created;
        let newer = created && stored.is_none_or(|stored| stored < sequencer);
        return Decision::CheckDeleted(DeletedImageEvent::of(&claim.image_key(), newer));
    }
    // A restored object is the one that the record is about, so its event is neither stale nor newer.
    if event.kind == EventKind::Created && stored.is_some_and(|stored| stored > sequencer) {
        return Decision::Reject(ValidateError::StaleEvent);
    }
    if holder == claim.execution_arn {
        return match record.status {
            // An earlier attempt of this step has claimed the image: the answer was lost, or the step ran twice.
            Status::Processing | Status::Failed => Decision::TakeOver(ClaimCondition::Free),
            // This execution has already stored its result.
            _ => Decision::Reject(ValidateError::DuplicateEvent),
        };
    }
    // Not by DescribeExecution, which may not show a new execution yet.
    if video::is_handed_over(&holder, &claim.execution_arn) {
        return Decision::Reject(ValidateError::DuplicateEvent);
    }
    if event.relabel.is_some() {
        return Decision::TakeOver(unchanged());
    }
    let archived = |error: &RecordedError| error.name == ErrorName::ObjectArchived.as_str();
    match record.status {
        Status::Rejected
            if event.kind == EventKind::Restored && record.error.as_ref().is_some_and(archived) =>
        {
            Decision::TakeOver(unchanged())
        }
        Status::Labeled | Status::Rejected => Decision::Reject(ValidateError::DuplicateEvent),
        // Does not call DescribeExecution: it can still report the failed execution as running, and the event would be
        // lost. If the execution has been redriven, it finds that it has lost its claim.
        Status::Failed => Decision::TakeOver(unchanged()),
        _ => Decision::TakeOverIfEnded(unchanged(), holder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
    use aws_sdk_dynamodb::types::error::ConditionalCheckFailedException;
    use aws_sdk_sfn::operation::describe_execution::{DescribeExecutionError, DescribeExecutionOutput};
    use aws_sdk_sfn::types::ExecutionStatus;
    use aws_sdk_sfn::types::error::ExecutionDoesNotExist;
    use aws_smithy_mocks::{Rule, RuleMode, mock, mock_client};
    use domain::{Claim, ImageId, ObjectCreated, Owner};
    use records::Records;
    use serde_json::json;

    const BUCKET: &str = "pictures";
    const KEY: &str = "uploads/demo/a.jpg";

    fn event(sequencer: &str, relabel: bool) -> ObjectCreated {
        let mut event = json!({
            "source": "aws.s3", "detail-type": "Object Created",
            "detail": {"bucket": {"name": BUCKET}, "object": {"key": KEY, "sequencer": sequencer}},
        });
        if relabel {
            event["relabel"] = json!({"requestedAt": "2026-11-22T12:00:00.000Z"});
        }
        serde_json::from_value(event).unwrap()
    }

    fn record(status: Status, sequencer: &str, holder: &str) -> ImageRecord {
        serde_json::from_value(json!({
            "imageId": ImageId::new(), "owner": Owner::new("demo"), "status": status,
            "createdAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:00.000Z",
            "key": KEY, "bucket": BUCKET, "executionArn": holder,
            "sequencer": Sequencer::parse(sequencer).unwrap().as_str(),
        }))
        .unwrap()
    }

    fn decide(event: &ObjectCreated, record: &ImageRecord) -> Decision {
        let claim = &Claim::new(event, "mine").unwrap();
        super::decide(ClaimedEvent { claim, event }, record)
    }

    fn held(status: Status) -> ClaimCondition {
        ClaimCondition::HeldBy {
            execution_arn: "other".into(),
            status,
        }
    }

    #[test]
    fn rejects_an_older_event() {
        for status in [Status::Processing, Status::Labeled, Status::Failed] {
            let decision = decide(&event("0A", true), &record(status, "0B", "other"));
            assert_eq!(decision, Decision::Reject(ValidateError::StaleEvent));
        }
    }

    #[test]
    fn rejects_a_repeated_event_unless_the_owner_requests_relabeling() {
        for status in [Status::Labeled, Status::Rejected] {
            let record = record(status, "0A", "other");
            assert_eq!(
                decide(&event("0A", false), &record),
                Decision::Reject(ValidateError::DuplicateEvent)
            );
            assert_eq!(
                decide(&event("0A", true), &record),
                Decision::TakeOver(held(status))
            );
        }
    }

    fn restored() -> ObjectCreated {
        serde_json::from_value(json!({
            "source": "aws.s3", "detail-type": "Object Restore Completed",
            "detail": {"bucket": {"name": BUCKET}, "object": {"key": KEY}},
        }))
        .unwrap()
    }

    /// Restoring an archive of a million labeled pictures must not cost a thousand dollars.
    #[test]
    fn a_restored_object_is_labeled_only_if_its_image_has_no_labels() {
        let decide_rejected = |name: ErrorName| {
            let error = RecordedError {
                name: name.as_str().to_owned(),
                message: String::new(),
            };
            let rejected = ImageRecord {
                error: Some(error),
                ..record(Status::Rejected, "0A", "other")
            };
            decide(&restored(), &rejected)
        };
        assert_eq!(
            decide_rejected(ErrorName::ObjectArchived),
            Decision::TakeOver(held(Status::Rejected))
        );
        assert_eq!(
            decide_rejected(ErrorName::UnsupportedFormat),
            Decision::Reject(ValidateError::DuplicateEvent)
        );
        let decide = |status| decide(&restored(), &record(status, "0A", "other"));
        assert_eq!(
            decide(Status::Labeled),
            Decision::Reject(ValidateError::DuplicateEvent)
        );
        let processing = Decision::TakeOverIfEnded(held(Status::Processing), "other".into());
        assert_eq!(decide(Status::Processing), processing);
        assert_eq!(decide(Status::Failed), Decision::TakeOver(held(Status::Failed)));
        assert_eq!(
            decide(Status::Deleted),
            Decision::CheckDeleted(DeletedImageEvent::NotNewer)
        );
    }

    #[test]
    fn takes_over_a_processing_image_only_if_its_execution_has_ended() {
        let record = record(Status::Processing, "0A", "other");
        let expected = Decision::TakeOverIfEnded(held(Status::Processing), "other".into());
        assert_eq!(decide(&event("0A", false), &record), expected);
    }

    /// Immediately after a failure, DescribeExecution can still report the execution as running.
    #[test]
    fn takes_over_a_failed_image_without_checking_its_execution() {
        let record = record(Status::Failed, "0A", "other");
        let expected = Decision::TakeOver(held(Status::Failed));
        assert_eq!(decide(&event("0A", false), &record), expected);
    }

    #[test]
    fn a_late_repeated_run_of_the_step_does_not_reset_the_image() {
        for relabel in [false, true] {
            let decision = decide(&event("0A", relabel), &record(Status::Labeled, "0A", "mine"));
            assert_eq!(decision, Decision::Reject(ValidateError::DuplicateEvent));
        }
    }

    /// A repeated run of the step must not take the video back from the execution that it has started.
    #[test]
    fn a_video_that_was_handed_over_is_left_to_the_other_execution() {
        for status in [Status::Processing, Status::Failed, Status::Labeled] {
            for relabel in [false, true] {
                let event = event("0A", relabel);
                let claim = &Claim::new(&event, "execution:label-image:one").unwrap();
                let record = record(status, "0A", "execution:label-video:one");
                let claimed = ClaimedEvent { claim, event: &event };
                let decision = super::decide(claimed, &record);
                assert_eq!(
                    decision,
                    Decision::Reject(ValidateError::DuplicateEvent),
                    "{status:?}"
                );
            }
        }
    }

    #[test]
    fn repeats_a_claim_whose_answer_was_lost() {
        for status in [Status::Processing, Status::Failed] {
            for event in [event("0A", false), event("0A", true), restored()] {
                let decision = decide(&event, &record(status, "0A", "mine"));
                assert_eq!(decision, Decision::TakeOver(ClaimCondition::Free), "{status:?}");
            }
        }
    }

    fn refused(record: &ImageRecord) -> UpdateItemError {
        let failed = ConditionalCheckFailedException::builder()
            .set_item(Some(serde_dynamo::to_item(record).unwrap()))
            .build();
        UpdateItemError::ConditionalCheckFailedException(failed)
    }

    /// `holder` is what DescribeExecution says about the execution that holds the claim. `None` if it does not know it.
    async fn acquire(
        event: &ObjectCreated,
        update: &Rule,
        holder: Option<ExecutionStatus>,
    ) -> Result<(), ValidateError> {
        let describe = match holder {
            Some(status) => mock!(aws_sdk_sfn::Client::describe_execution).then_output(move || {
                DescribeExecutionOutput::builder()
                    .execution_arn("other")
                    .state_machine_arn("label-image")
                    .start_date(aws_sdk_sfn::primitives::DateTime::from_secs(0))
                    .status(status.clone())
                    .build()
                    .unwrap()
            }),
            None => mock!(aws_sdk_sfn::Client::describe_execution).then_error(|| {
                DescribeExecutionError::ExecutionDoesNotExist(ExecutionDoesNotExist::builder().build())
            }),
        };
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [update]);
        let s3 = aws_sdk_s3::Config::builder()
            .behavior_version(aws_sdk_s3::config::BehaviorVersion::latest())
            .build();
        let validate = Validate {
            s3: aws_sdk_s3::Client::from_conf(s3),
            records: Records::new(dynamodb, "images".into()),
            sfn: mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&describe]),
            video_state_machine_arn: "label-video".into(),
            bucket: BUCKET.into(),
            default_policy: serde_json::from_value(json!({"minConfidence": 55, "maxLabels": 50})).unwrap(),
            decode_heic: true,
        };
        let claim = &Claim::new(event, "mine").unwrap();
        super::acquire(&validate, ClaimedEvent { claim, event }, ClaimedFile::default()).await
    }

    #[tokio::test]
    async fn succeeds_if_the_answer_to_a_takeover_was_lost() {
        let update = mock!(aws_sdk_dynamodb::Client::update_item)
            .sequence()
            .error(|| refused(&record(Status::Processing, "0A", "other")))
            // The takeover was stored, but its answer was lost. The condition does not hold for the resent request.
            .error(|| refused(&record(Status::Processing, "0A", "mine")))
            .output(|| UpdateItemOutput::builder().build())
            .build();
        let acquired = acquire(&event("0A", false), &update, Some(ExecutionStatus::Failed)).await;
        assert_eq!((acquired, update.num_calls()), (Ok(()), 3));
    }

    #[tokio::test]
    async fn only_a_restore_event_waits_for_the_execution_that_holds_the_image() {
        for (event, waits) in [(restored(), true), (event("0A", false), false)] {
            let update = mock!(aws_sdk_dynamodb::Client::update_item)
                .then_error(|| refused(&record(Status::Processing, "0A", "other")));
            let error = acquire(&event, &update, Some(ExecutionStatus::Running))
                .await
                .unwrap_err();
            let throttled = matches!(error, ValidateError::Service(ServiceError::Throttled(_)));
            assert_eq!(throttled, waits, "{error}");
            assert_eq!(error == ValidateError::DuplicateEvent, !waits, "{error}");
        }
    }

    /// An event can be delivered twice within a second. Step Functions can then answer that the first execution does not exist.
    #[tokio::test]
    async fn a_claim_is_kept_by_an_execution_that_is_too_new_to_be_shown() {
        for (updated_at, expected) in [
            (
                format!("{:.3}", jiff::Timestamp::now()),
                Err(ValidateError::DuplicateEvent),
            ),
            ("2026-11-22T12:00:00.000Z".to_owned(), Ok(())),
        ] {
            let held = ImageRecord {
                updated_at: updated_at.clone(),
                ..record(Status::Processing, "0A", "other")
            };
            let update = mock!(aws_sdk_dynamodb::Client::update_item)
                .sequence()
                .error(move || refused(&held))
                .output(|| UpdateItemOutput::builder().build())
                .build();
            let acquired = acquire(&event("0A", false), &update, None).await;
            assert_eq!(acquired, expected, "{updated_at}");
        }
    }

    #[test]
    fn only_a_later_object_can_reuse_a_deleted_key() {
        for (sequencer, expected) in [
            ("0C", DeletedImageEvent::NewObject),
            ("0A", DeletedImageEvent::NotNewer),
            ("09", DeletedImageEvent::NotNewer),
        ] {
            let decision = decide(&event(sequencer, true), &record(Status::Deleted, "0A", "other"));
            assert_eq!(decision, Decision::CheckDeleted(expected), "{sequencer}");
        }
    }
}
