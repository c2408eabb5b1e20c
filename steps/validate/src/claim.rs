//! Takes an image for one execution, so that each event is worked on once and the latest one wins.

use crate::tombstone::{self, Event};
use crate::{Validate, ValidateError};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ImageKey, ImageRecord, ObjectCreated, Sequencer, Status};
use lambda::ServiceError;
use record_update::record_update;

/// What an execution asks for.
pub(crate) struct Claim<'a> {
    pub(crate) image: &'a ImageKey,
    pub(crate) event: &'a ObjectCreated,
    pub(crate) execution_arn: &'a str,
}

/// When a claim may be stored.
#[derive(Debug, PartialEq, Eq)]
enum Condition {
    /// Nobody has claimed this event or a later one, or this execution has and is not done.
    Free,
    /// The claim is still that of this execution, and may be taken over.
    HeldBy(String),
    /// The image is still deleted, by its owner before this event's object came.
    Deleted,
}

/// What a record that could not be claimed means.
#[derive(Debug, PartialEq, Eq)]
enum Held {
    Refused(ValidateError),
    /// Its owner has deleted the image: what this event's object is, depends on the event.
    Deleted(Event),
    /// Whether it may be taken over depends on whether this execution still runs.
    Ask(String),
    TakeOver(String),
}

/// Others can change the record between a refusal and the next try; they cannot do so for long.
const TRIES: usize = 4;

impl Claim<'_> {
    pub(crate) async fn take(&self, validate: &Validate) -> Result<(), ValidateError> {
        let mut condition = Condition::Free;
        for _ in 0..TRIES {
            let Some(record) = self.store(validate, &condition).await? else {
                return Ok(());
            };
            condition = match self.judge(&record) {
                Held::Refused(error) => return Err(error),
                Held::TakeOver(holder) => Condition::HeldBy(holder),
                Held::Deleted(event) => {
                    tombstone::hold(validate, self.event, event).await?;
                    Condition::Deleted
                }
                Held::Ask(holder) if is_running(validate, &holder).await? => {
                    return Err(ValidateError::DuplicateEvent);
                }
                Held::Ask(holder) => Condition::HeldBy(holder),
            };
        }
        Err(ServiceError::Throttled("the image's claim changes hands too fast".into()).into())
    }

    /// Decides over a record that could not be claimed freely.
    fn judge(&self, record: &ImageRecord) -> Held {
        let holder = record.execution_arn.clone().unwrap_or_default();
        let stored = record.sequencer.as_deref().and_then(Sequencer::parse);
        let done = matches!(record.status, Status::Labeled | Status::Rejected);
        if record.status == Status::Deleted {
            let newer = stored.is_none_or(|stored| stored < self.event.detail.object.sequencer);
            Held::Deleted(Event::of(self.image, newer))
        } else if stored.is_some_and(|stored| stored > self.event.detail.object.sequencer) {
            Held::Refused(ValidateError::StaleEvent)
        } else if holder == self.execution_arn {
            // This step ran before in this execution, which has come to its end since.
            Held::Refused(ValidateError::DuplicateEvent)
        } else if self.event.relabel.is_some() {
            Held::TakeOver(holder)
        } else if done {
            Held::Refused(ValidateError::DuplicateEvent)
        } else {
            Held::Ask(holder)
        }
    }

    /// Stores the claim; gives the record back where the condition does not hold.
    async fn store(
        &self,
        validate: &Validate,
        condition: &Condition,
    ) -> Result<Option<ImageRecord>, ValidateError> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let (mut update, set) = record_update(
            &validate.dynamodb,
            &validate.table,
            self.image,
            self.event,
            self.execution_arn,
            Status::Processing,
        );
        let condition = match condition {
            Condition::Free => {
                update = update.expression_attribute_values(":failed", text(Status::Failed.as_str()));
                "(attribute_not_exists(sequencer) OR sequencer < :sequencer \
                  OR (executionArn = :executionArn AND #status IN (:status, :failed))) \
                  AND (attribute_not_exists(#status) OR #status <> :deleted)"
            }
            Condition::HeldBy(holder) => {
                update = update.expression_attribute_values(":holder", text(holder));
                "executionArn = :holder AND sequencer = :sequencer AND #status <> :deleted"
            }
            Condition::Deleted => {
                "#status = :deleted AND (attribute_not_exists(sequencer) OR sequencer < :sequencer)"
            }
        };
        let result = update
            .update_expression(format!("{set} REMOVE expiresAt, metadata, #error"))
            .expression_attribute_names("#error", "error")
            .condition_expression(condition)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match result {
            Ok(_) => Ok(None),
            Err(SdkError::ServiceError(context)) if context.err().is_conditional_check_failed_exception() => {
                let UpdateItemError::ConditionalCheckFailedException(failed) = context.into_err() else {
                    unreachable!("guarded by the match arm");
                };
                let item = failed.item.unwrap_or_default();
                serde_dynamo::from_item(item)
                    .map(Some)
                    .map_err(|error| ValidateError::UnreadableRecord(error.to_string()))
            }
            Err(error) => Err(ServiceError::of("dynamodb:UpdateItem", &error).into()),
        }
    }
}

async fn is_running(validate: &Validate, execution_arn: &str) -> Result<bool, ValidateError> {
    match validate
        .sfn
        .describe_execution()
        .execution_arn(execution_arn)
        .send()
        .await
    {
        Ok(execution) => Ok(matches!(
            execution.status(),
            ExecutionStatus::Running | ExecutionStatus::PendingRedrive
        )),
        // Step Functions forgets executions after 90 days.
        Err(SdkError::ServiceError(context)) if context.err().is_execution_does_not_exist() => Ok(false),
        Err(error) => Err(ServiceError::of("states:DescribeExecution", &error).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{ImageId, Owner};
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

    fn judge(event: &ObjectCreated, record: &ImageRecord) -> Held {
        let image = ImageKey::parse(BUCKET, KEY).unwrap();
        Claim {
            image: &image,
            event,
            execution_arn: "mine",
        }
        .judge(record)
    }

    #[test]
    fn an_older_event_never_overwrites_a_newer_result() {
        for status in [Status::Processing, Status::Labeled, Status::Failed] {
            let held = judge(&event("0A", true), &record(status, "0B", "other"));
            assert_eq!(held, Held::Refused(ValidateError::StaleEvent));
        }
    }

    #[test]
    fn the_same_event_again_changes_no_result_unless_its_owner_asks() {
        for status in [Status::Labeled, Status::Rejected] {
            let record = record(status, "0A", "other");
            assert_eq!(
                judge(&event("0A", false), &record),
                Held::Refused(ValidateError::DuplicateEvent)
            );
            assert_eq!(judge(&event("0A", true), &record), Held::TakeOver("other".into()));
        }
    }

    #[test]
    fn an_image_whose_execution_may_have_died_can_be_taken_over() {
        for status in [Status::Processing, Status::Failed] {
            let held = judge(&event("0A", false), &record(status, "0A", "other"));
            assert_eq!(held, Held::Ask("other".into()));
        }
    }

    #[test]
    fn a_late_second_run_in_the_same_execution_does_not_reopen_the_image() {
        for relabel in [false, true] {
            let held = judge(&event("0A", relabel), &record(Status::Labeled, "0A", "mine"));
            assert_eq!(held, Held::Refused(ValidateError::DuplicateEvent));
        }
    }

    #[test]
    fn only_a_later_object_brings_a_deleted_key_back() {
        for (sequencer, expected) in [("0C", Event::Later), ("0A", Event::Late), ("09", Event::Late)] {
            let held = judge(&event(sequencer, true), &record(Status::Deleted, "0A", "other"));
            assert_eq!(held, Held::Deleted(expected), "{sequencer}");
        }
    }
}
