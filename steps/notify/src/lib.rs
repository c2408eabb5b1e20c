//! The last step: tells everybody who listens on the stack's event bus how an image ended.
//!
//! Input and output: [`domain::Outcome`], which is also the event's detail.

use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use domain::{ErrorName, Outcome, Status};
use lambda::{ServiceError, StepError};
use strum::EnumIter;

/// The `source` of all events of this system.
pub const SOURCE: &str = "image-label-generator";

/// What the step works with.
#[derive(Debug, Clone)]
pub struct Notify {
    /// Sends events.
    pub eventbridge: aws_sdk_eventbridge::Client,
    /// The stack's own bus.
    pub event_bus: String,
}

/// Why nothing was sent.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum NotifyError {
    /// An image on its way has nothing to tell.
    #[error("an image that is {0} has no outcome to send")]
    NoOutcome(&'static str),
    /// AWS is at fault, or a permission is missing.
    #[error(transparent)]
    #[strum(disabled)]
    Service(#[from] ServiceError),
}

impl StepError for NotifyError {
    fn name(&self) -> ErrorName {
        match self {
            Self::NoOutcome(_) => ErrorName::InvalidInput,
            Self::Service(error) => error.name(),
        }
    }
}

/// Sends the event.
///
/// # Errors
/// See [`NotifyError`]. `PutEvents` can refuse single entries in an answer that is a success.
pub async fn handle(notify: &Notify, outcome: Outcome) -> Result<Outcome, NotifyError> {
    let call = "events:PutEvents";
    let detail_type = match outcome.status {
        Status::Labeled => "Image Labeled",
        Status::Rejected => "Image Rejected",
        Status::Failed => "Image Labeling Failed",
        status => return Err(NotifyError::NoOutcome(status.as_str())),
    };
    let detail = serde_json::to_string(&outcome).map_err(|_| NotifyError::NoOutcome("not JSON"))?;
    let entry = PutEventsRequestEntry::builder()
        .event_bus_name(&notify.event_bus)
        .source(SOURCE)
        .detail_type(detail_type)
        .detail(detail)
        .build();
    let answer = notify
        .eventbridge
        .put_events()
        .entries(entry)
        .send()
        .await
        .map_err(|error| ServiceError::of(call, &error))?;
    if answer.failed_entry_count() > 0 {
        let code = answer.entries().iter().find_map(|entry| entry.error_code());
        return Err(ServiceError::of_code(call, code, 200).into());
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_eventbridge::operation::put_events::PutEventsOutput;
    use aws_sdk_eventbridge::types::PutEventsResultEntry;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use domain::contract::OutcomeLabel;
    use domain::policy::MAX_LABELS;
    use domain::{Confidence, Owner};
    use serde_json::json;

    fn outcome(status: &str) -> Outcome {
        serde_json::from_value(json!({
            "notificationId": "6a8c2b5e-55f0-5d0c-9d4e-3a1f0a0b0c0d",
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "bucket": "b",
            "key": "uploads/demo/x", "status": status, "labels": [], "executionArn": "arn",
        }))
        .unwrap()
    }

    /// EventBridge takes 1 MB, a state of Step Functions 256 KiB, and receivers such as SQS may take less.
    #[test]
    fn the_largest_outcome_fits_an_event() {
        let mut outcome = outcome("LABELED");
        let names = (0..u16::try_from(MAX_LABELS).unwrap()).map(|i| format!("{i:0>255}"));
        outcome.labels = names
            .map(|name| OutcomeLabel {
                name,
                confidence: Confidence::new(99.99),
            })
            .collect();
        outcome.key = format!("uploads/{}", "\u{1}".repeat(1016));
        outcome.owner = Owner::new(&"\u{1}".repeat(1014)).unwrap();
        assert!(serde_json::to_string(&outcome).unwrap().len() < 64 * 1024);
    }

    /// The emulator takes every entry, so a mock refuses one.
    #[tokio::test]
    async fn an_entry_refused_within_a_successful_answer_is_tried_again() {
        for (code, name) in [
            ("ThrottlingException", ErrorName::Throttled),
            ("InternalFailure", ErrorName::ServiceUnavailable),
            ("MalformedDetail", ErrorName::UnexpectedAnswer),
        ] {
            let rule = mock!(aws_sdk_eventbridge::Client::put_events).then_output(move || {
                let entry = PutEventsResultEntry::builder().error_code(code).build();
                PutEventsOutput::builder()
                    .failed_entry_count(1)
                    .entries(entry)
                    .build()
            });
            let eventbridge = mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&rule]);
            let notify = Notify {
                eventbridge,
                event_bus: "bus".into(),
            };
            assert_eq!(
                handle(&notify, outcome("LABELED")).await.unwrap_err().name(),
                name
            );
        }
    }

    #[tokio::test]
    async fn an_image_on_its_way_is_not_announced() {
        let rule = mock!(aws_sdk_eventbridge::Client::put_events)
            .then_output(|| PutEventsOutput::builder().failed_entry_count(0).build());
        let eventbridge = mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&rule]);
        let notify = Notify {
            eventbridge,
            event_bus: "bus".into(),
        };
        let error = handle(&notify, outcome("PROCESSING")).await.unwrap_err();
        assert_eq!(error.name(), ErrorName::InvalidInput);
        assert_eq!(rule.num_calls(), 0);
    }
}
