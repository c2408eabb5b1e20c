//! The last step: sends the final result of an image to the stack's event bus.
//!
//! Input and output: [`domain::Outcome`], which is also the event's detail.

use aws::ServiceError;
use domain::{ErrorName, HasSubject, MediaType, Outcome, Status, StepError, metric};
use events::EventBus;
use strum::EnumIter;

/// The step's clients and configuration.
#[derive(Debug, Clone)]
pub struct Notify {
    /// Sends the event.
    pub bus: EventBus,
}

/// Why no event was sent.
#[derive(Debug, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum NotifyError {
    /// The image is still being processed or is deleted. Contains its status.
    #[error("an image that is {0} has no outcome to send")]
    NoOutcome(&'static str),
    /// A call to an AWS service failed.
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

/// Sends the event and returns the outcome unchanged.
///
/// # Errors
/// See [`NotifyError`]. `PutEvents` can report a rejected entry in a successful answer.
pub async fn handle(notify: &Notify, outcome: Outcome) -> Result<Outcome, NotifyError> {
    send(notify, &outcome).await?;
    metric::ended(&outcome, outcome.subject().age());
    Ok(outcome)
}

/// Sends the event without measuring it, since it was sent before.
///
/// # Errors
/// See [`NotifyError`].
pub async fn send(notify: &Notify, outcome: &Outcome) -> Result<(), NotifyError> {
    let detail_type = match outcome.status {
        Status::Labeled => match outcome.media_type {
            MediaType::Picture => "Image Labeled",
            MediaType::Video => "Video Labeled",
        },
        Status::Rejected => "Image Rejected",
        Status::Failed => "Image Labeling Failed",
        status => return Err(NotifyError::NoOutcome(status.as_str())),
    };
    notify.bus.send(detail_type, outcome).await?;
    Ok(())
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

    /// An event can have 1 MB and a state of Step Functions 256 KiB. Receivers such as SQS can have lower limits.
    #[test]
    fn the_largest_outcome_fits_an_event() {
        let mut outcome = outcome("LABELED");
        // Those that the policy lets through, keywords of the file, and labels that the owner has added.
        let count = u16::try_from(MAX_LABELS).unwrap() + 50 + 50;
        let names = (0..count).map(|i| format!("{i:0>255}"));
        outcome.labels = names
            .map(|name| OutcomeLabel {
                name,
                confidence: Confidence::new(99.99),
                added: false,
                keyword: true,
                first_ms: Some(21_600_000),
                total_ms: Some(21_600_000),
            })
            .collect();
        outcome.claim.key = format!("uploads/{}", "\u{1}".repeat(1016));
        outcome.claim.owner = Owner::new(&"\u{1}".repeat(1014)).unwrap();
        assert!(serde_json::to_string(&outcome).unwrap().len() < 128 * 1024);
    }

    /// The emulator accepts every entry, so a mock rejects one.
    #[tokio::test]
    async fn reports_an_entry_that_is_rejected_in_a_successful_answer() {
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
                bus: EventBus {
                    eventbridge,
                    name: "bus".into(),
                },
            };
            assert_eq!(
                handle(&notify, outcome("LABELED")).await.unwrap_err().name(),
                name
            );
        }
    }

    /// EventBridge rejects an entry without a source or a detail type, or with a detail that is not a JSON object, and drops
    /// one for an unknown bus. The emulator accepts all of them.
    #[tokio::test]
    async fn sends_an_entry_that_eventbridge_accepts() {
        for status in ["LABELED", "REJECTED", "FAILED"] {
            let sent = mock!(aws_sdk_eventbridge::Client::put_events)
                .match_requests(|request| {
                    let [entry] = request.entries() else { return false };
                    let detail: Option<serde_json::Map<_, _>> = entry
                        .detail()
                        .and_then(|detail| serde_json::from_str(detail).ok());
                    entry.event_bus_name() == Some("the stack's bus")
                        && entry.source() == Some("image-label-generator")
                        && entry.detail_type().is_some_and(|name| name.starts_with("Image "))
                        && detail.is_some_and(|detail| detail["imageId"].is_string())
                })
                .then_output(|| PutEventsOutput::builder().failed_entry_count(0).build());
            let notify = Notify {
                bus: EventBus {
                    eventbridge: mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&sent]),
                    name: "the stack's bus".into(),
                },
            };
            handle(&notify, outcome(status)).await.unwrap();
            assert_eq!(sent.num_calls(), 1, "{status}");
        }
    }

    /// Receivers of pictures, such as other programs that read the object, do not get videos.
    #[tokio::test]
    async fn a_labeled_video_has_a_detail_type_of_its_own() {
        let sent = mock!(aws_sdk_eventbridge::Client::put_events)
            .match_requests(|request| request.entries()[0].detail_type() == Some("Video Labeled"))
            .then_output(|| PutEventsOutput::builder().failed_entry_count(0).build());
        let notify = Notify {
            bus: EventBus {
                eventbridge: mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&sent]),
                name: "bus".into(),
            },
        };
        let video = Outcome {
            media_type: MediaType::Video,
            ..outcome("LABELED")
        };
        handle(&notify, video).await.unwrap();
        assert_eq!(sent.num_calls(), 1);
    }

    #[tokio::test]
    async fn rejects_an_image_that_is_still_being_processed() {
        let rule = mock!(aws_sdk_eventbridge::Client::put_events)
            .then_output(|| PutEventsOutput::builder().failed_entry_count(0).build());
        let eventbridge = mock_client!(aws_sdk_eventbridge, RuleMode::MatchAny, [&rule]);
        let notify = Notify {
            bus: EventBus {
                eventbridge,
                name: "bus".into(),
            },
        };
        let error = handle(&notify, outcome("PROCESSING")).await.unwrap_err();
        assert_eq!(error.name(), ErrorName::InvalidInput);
        assert_eq!(rule.num_calls(), 0);
    }
}
