//! What an invocation is about: the image and the execution that its log lines name.

use crate::claim::Claim;
use crate::contract::{
    ClaimedImage, DetectedImage, InspectVideoInput, Outcome, PersistInput, StartVideoLabelsInput,
    ValidateInput, VideoProgress,
};
use crate::image::ImageId;
use crate::import::{CheckImportInput, ImportBatch, ImportProgress};
use crate::job::JobProgress;
use jiff::Timestamp;
use std::time::Duration;

/// The image and the execution that an invocation is about, as far as they are known before it is handled.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Subject {
    /// The image.
    pub image_id: Option<ImageId>,
    /// The execution.
    pub execution_arn: Option<String>,
    /// See [`Claim::requested_at`].
    pub requested_at: Option<Timestamp>,
}

impl Subject {
    /// An execution, of which nothing else is known.
    pub fn execution(arn: &str) -> Self {
        Self {
            execution_arn: Some(arn.to_owned()),
            ..Self::default()
        }
    }

    /// The time since the upload or the request. `None` if it is unknown or, because clocks differ, negative.
    pub fn age(&self) -> Option<Duration> {
        Duration::try_from(Timestamp::now().duration_since(self.requested_at?)).ok()
    }
}

impl From<&Claim> for Subject {
    fn from(claim: &Claim) -> Self {
        Self {
            image_id: Some(claim.image_id),
            execution_arn: Some(claim.execution_arn.clone()),
            requested_at: claim.requested_at,
        }
    }
}

/// The input of a function.
pub trait HasSubject {
    /// What the invocation is about.
    fn subject(&self) -> Subject;
}

impl HasSubject for ValidateInput {
    fn subject(&self) -> Subject {
        match Claim::new(&self.event, &self.execution_arn) {
            Some(claim) => Subject::from(&claim),
            None => Subject::execution(&self.execution_arn),
        }
    }
}

impl<File> HasSubject for ClaimedImage<File> {
    fn subject(&self) -> Subject {
        Subject::from(&self.claim)
    }
}

impl HasSubject for InspectVideoInput {
    fn subject(&self) -> Subject {
        match Claim::new(&self.event, &self.execution_arn) {
            Some(claim) => Subject::from(&claim),
            None => Subject::execution(&self.execution_arn),
        }
    }
}

impl HasSubject for VideoProgress {
    fn subject(&self) -> Subject {
        self.image.subject()
    }
}

impl HasSubject for StartVideoLabelsInput {
    fn subject(&self) -> Subject {
        self.progress.subject()
    }
}

impl HasSubject for DetectedImage {
    fn subject(&self) -> Subject {
        self.image.subject()
    }
}

impl HasSubject for PersistInput {
    fn subject(&self) -> Subject {
        match self {
            Self::Labeled(filtered) => Subject::from(&filtered.image.claim),
            Self::Rejected(rejected) => match rejected.claim() {
                Some(claim) => Subject::from(&claim),
                None => Subject::execution(&rejected.execution_arn),
            },
        }
    }
}

impl HasSubject for JobProgress {
    fn subject(&self) -> Subject {
        // A job is about many images.
        Subject {
            execution_arn: self.execution_arn.clone(),
            ..Subject::default()
        }
    }
}

impl HasSubject for CheckImportInput {
    fn subject(&self) -> Subject {
        Subject::execution(&self.execution_arn)
    }
}

impl HasSubject for ImportBatch {
    fn subject(&self) -> Subject {
        // A batch is about many images.
        Subject::default()
    }
}

impl HasSubject for ImportProgress {
    fn subject(&self) -> Subject {
        Subject::default()
    }
}

impl HasSubject for Outcome {
    fn subject(&self) -> Subject {
        Subject::from(&self.claim)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::MediaType;
    use serde_json::{Value, json};

    fn event(key: &str, relabel: Option<&str>) -> Value {
        json!({
            "source": "aws.s3", "detail-type": "Object Created", "time": "2026-11-29T12:00:00Z",
            "detail": {"bucket": {"name": "pictures"}, "object": {"key": key, "sequencer": "0A"}},
            "relabel": relabel.map(|time| json!({"requestedAt": time})),
        })
    }

    fn validate(event: &Value) -> Subject {
        let input: ValidateInput =
            serde_json::from_value(json!({"event": event, "executionArn": "arn"})).unwrap();
        input.subject()
    }

    #[test]
    fn an_image_that_is_labeled_again_has_waited_since_the_request_and_not_since_the_upload() {
        let subject = |relabel| validate(&event("uploads/demo/a.jpg", relabel));
        let uploaded: Timestamp = "2026-11-29T12:00:00Z".parse().unwrap();
        assert_eq!(subject(None).requested_at, Some(uploaded));
        let requested: Timestamp = "2026-11-30T08:00:00.000000001Z".parse().unwrap();
        assert_eq!(
            subject(Some("2026-11-30T08:00:00.000000001Z")).requested_at,
            Some(requested)
        );
        assert_eq!(subject(Some("yesterday")).requested_at, None);
    }

    /// A step that named something else would be missing among the log lines of the image.
    #[test]
    fn every_step_names_the_same_image_and_execution() {
        let event = event("uploads/demo/a.jpg", None);
        let expected = validate(&event);
        let rejected: PersistInput = serde_json::from_value(json!({
            "status": "REJECTED", "event": event, "executionArn": "arn", "error": {"Error": "InvalidImage"},
        }))
        .unwrap();
        assert_eq!(rejected.subject(), expected);
        let image: ClaimedImage = serde_json::from_value(json!({
            "imageId": expected.image_id, "owner": "demo", "bucket": "pictures", "key": "uploads/demo/a.jpg",
            "executionArn": "arn", "requestedAt": expected.requested_at, "size": 1, "format": "JPEG",
            "width": 100, "height": 100,
            "policy": {"minConfidence": 55, "maxLabels": 50, "include": [], "exclude": []},
        }))
        .unwrap();
        assert_eq!(image.subject(), expected);
        let claim = image.claim.clone();
        let detected = DetectedImage {
            image: image.into_media(),
            labels: vec![],
            model_version: None,
        };
        assert_eq!(detected.subject(), expected);
        let filtered = json!({"status": "LABELED", "image": detected.image, "labels": []});
        let filtered: PersistInput = serde_json::from_value(filtered).unwrap();
        assert_eq!(filtered.subject(), expected);
        assert_eq!(
            Outcome::labeled(claim, MediaType::Picture, vec![]).subject(),
            expected
        );
    }

    #[test]
    fn an_event_that_is_not_an_upload_still_names_its_execution() {
        let subject = validate(&event("uploads/demo/folder/", None));
        assert_eq!(subject, Subject::execution("arn"));
    }
}
