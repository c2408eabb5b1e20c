//! Images in the table: finds those that need a repair.

use crate::{Ages, ReconcileError, Run, age, notify_error, state};
use domain::image::{Status, execution_name};
use domain::reconciliation::{Cursor, IndexKey, Leftover, Repair};
use domain::record::RecordedError;
use domain::{Claim, ImageRecord, ObjectCreated, Outcome};
use executions::State;
use executions::failure::Failure;
use jiff::{SignedDuration, Timestamp};
use records::{ClaimedEvent, ImageState, RecordsError};
use serde_json::json;

/// Images per page: half a second of reads, and little memory.
const PER_PAGE: i32 = 500;

/// An image that is `PROCESSING` for longer has an execution that has ended: the state machine's time limit is a day.
const LONGEST_EXECUTION: SignedDuration = SignedDuration::from_hours(25);

/// How many executions that may be running a run describes. In an outage, all images wait, and Step Functions throttles
/// DescribeExecution.
pub(crate) const MAX_EXECUTIONS: usize = 100;

/// Number of passes after which an image whose notification was sent again without an effect counts as left.
const PASSES_WITHOUT_EFFECT: i64 = 3;

/// After this time, the record of an upload whose file has not arrived expires.
const UPLOAD_EXPIRES_AFTER: SignedDuration = SignedDuration::from_hours(48);

/// The leftover that an image can be.
fn leftover(stored: &ImageState, ages: &Ages, now: Timestamp) -> Option<Leftover> {
    let is_older = |time, minimum| age(time, now).is_some_and(|age| age >= minimum);
    let is_old = is_older(&stored.updated_at, ages.image);
    match stored.status {
        Status::Processing if is_old => Some(Leftover::StuckImage),
        Status::Deleted if is_old && !stored.is_closed_tombstone() => Some(Leftover::OpenTombstone),
        Status::Labeled if is_old && stored.thumbnails.is_empty() && stored.thumbnails_error.is_none() => {
            Some(Leftover::MissingThumbnails)
        }
        Status::AwaitingUpload if is_older(&stored.created_at, UPLOAD_EXPIRES_AFTER) => {
            Some(Leftover::AbandonedUpload)
        }
        _ => None,
    }
}

impl Run<'_> {
    /// Examines the next page of images.
    pub(crate) async fn images(&mut self, after: Option<IndexKey>) -> Result<(), ReconcileError> {
        let records = &self.reconcile.records;
        let page = records
            .indexed_images(&self.scope, after.as_ref(), PER_PAGE)
            .await?;
        for image in page.images {
            match state(image.stored)? {
                Ok(None) => {}
                Ok(Some(stored)) => {
                    self.image(&stored).await?;
                    if self.is_over {
                        return Ok(());
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "an item cannot be read");
                    self.pass.add(Leftover::InvalidRecord, Repair::Left);
                }
            }
            self.pass.images += 1;
            self.pass.cursor = Cursor::Images {
                after: Some(image.key),
            };
            if self.is_over() {
                return Ok(());
            }
        }
        self.pass.cursor = match page.next {
            Some(next) => Cursor::Images { after: Some(next) },
            None => Cursor::Thumbnails { after: None },
        };
        Ok(())
    }

    async fn image(&mut self, stored: &ImageState) -> Result<(), ReconcileError> {
        let id = stored.image_id;
        let now = Timestamp::now();
        let Some(found) = leftover(stored, &self.ages, now) else {
            return Ok(());
        };
        if found == Leftover::AbandonedUpload {
            self.count(found, Repair::Expires, id);
            return Ok(());
        }
        let failure = match found {
            Leftover::StuckImage => match self.failure(stored, now).await {
                Ok(Some(failure)) => Some(failure),
                Ok(None) => return Ok(()),
                Err(error) => return self.settle(found, id, Err(error)),
            },
            _ => None,
        };
        if !self.may_repair(found, id) {
            return Ok(());
        }
        let result = self.repair_image(found, stored, failure).await;
        self.settle(found, id, result)
    }

    /// Why the execution that holds a `PROCESSING` image has ended. `None` if it is running, or if this is not known.
    async fn failure(
        &mut self,
        stored: &ImageState,
        now: Timestamp,
    ) -> Result<Option<RecordedError>, RecordsError> {
        let Some(execution) = &stored.execution_arn else {
            return Ok(Some(ended_without_result()));
        };
        let machines = [
            &self.reconcile.state_machine_arn,
            &self.reconcile.video_state_machine_arn,
        ];
        if !machines
            .iter()
            .any(|machine| execution.starts_with(&executions::arn(machine, "")))
        {
            // Of another stack, from which the table was copied.
            return Err(RecordsError::Unreadable(
                "the execution is of another state machine".into(),
            ));
        }
        let has_ended = age(&stored.updated_at, now).is_some_and(|age| age >= LONGEST_EXECUTION);
        if !has_ended {
            if self.executions_left == 0 {
                // If the others have ended as well, the next run continues with this image.
                self.is_over = self.has_ended_executions;
                return Ok(None);
            }
            self.executions_left -= 1;
        }
        let described = executions::describe(&self.reconcile.sfn, execution).await?;
        // Step Functions forgets an execution 90 days after its end.
        let Some(described) = described else {
            self.has_ended_executions = true;
            return Ok(Some(ended_without_result()));
        };
        if State::of(described.status()) == State::Running {
            return Ok(None);
        }
        let failure = match Failure::of(described.status()) {
            Some(failure) => failure.recorded(described.error(), described.cause()),
            None => match self.failure_of_video(execution).await? {
                Some(failure) => failure,
                None => return Ok(None),
            },
        };
        self.has_ended_executions = true;
        Ok(Some(failure))
    }

    /// Why the video that a successful execution of `label-image` may have handed over is not labeled. The execution of
    /// `label-video` has the same name, and may wait before it takes over the claim, for example while its function is
    /// throttled. `None` if it is running.
    async fn failure_of_video(&mut self, execution: &str) -> Result<Option<RecordedError>, RecordsError> {
        let machine = &self.reconcile.video_state_machine_arn;
        let video = executions::arn(machine, execution_name(execution));
        if video == execution {
            return Ok(Some(ended_without_result()));
        }
        self.executions_left = self.executions_left.saturating_sub(1);
        let described = executions::describe(&self.reconcile.sfn, &video).await?;
        let Some(described) = described else {
            return Ok(Some(ended_without_result()));
        };
        if State::of(described.status()) == State::Running {
            return Ok(None);
        }
        let failure = Failure::of(described.status());
        Ok(Some(failure.map_or_else(ended_without_result, |failure| {
            failure.recorded(described.error(), described.cause())
        })))
    }

    async fn repair_image(
        &mut self,
        found: Leftover,
        stored: &ImageState,
        failure: Option<RecordedError>,
    ) -> Result<Option<Repair>, RecordsError> {
        let Some(record) = self.record(&stored.owner, stored.image_id).await? else {
            return Ok(None);
        };
        let current = ImageState::from(&record);
        let is_same =
            current.execution_arn == stored.execution_arn && current.updated_at == stored.updated_at;
        if !is_same || leftover(&current, &self.ages, Timestamp::now()) != Some(found) {
            return Ok(None);
        }
        let reconcile = self.reconcile;
        match (found, failure) {
            (Leftover::OpenTombstone, _) => {
                let (s3, bucket) = (&reconcile.s3, &reconcile.bucket);
                deletion::resume(s3, bucket, &reconcile.records, &record).await?;
            }
            (Leftover::MissingThumbnails, _) => {
                let labels = record.labels.clone().unwrap_or_default();
                let outcome = Outcome::labeled(claim(&record), record.media_type, labels);
                notify::send(&reconcile.notify, &outcome)
                    .await
                    .map_err(notify_error)?;
                if had_no_effect(&record, reconcile.days, Timestamp::now()) {
                    return Ok(Some(Repair::Left));
                }
            }
            (Leftover::StuckImage, Some(failure)) => return self.fail(&record, failure).await,
            _ => return Ok(None),
        }
        Ok(Some(Repair::Repaired))
    }

    /// Marks an image as failed, as `record-failure` does, if its execution still holds it.
    async fn fail(
        &self,
        record: &ImageRecord,
        failure: RecordedError,
    ) -> Result<Option<Repair>, RecordsError> {
        let event = event(record)?;
        let claim = claim(record);
        let claimed = ClaimedEvent {
            claim: &claim,
            event: &event,
        };
        if !self.reconcile.records.store_failure(claimed, &failure).await? {
            return Ok(None);
        }
        notify::handle(&self.reconcile.notify, Outcome::failed(claim, failure))
            .await
            .map_err(notify_error)?;
        Ok(Some(Repair::Repaired))
    }
}

/// Whether at least three passes have run since the record last changed: they have already sent the notification.
fn had_no_effect(record: &ImageRecord, days: u32, now: Timestamp) -> bool {
    let passes = SignedDuration::from_hours(24 * PASSES_WITHOUT_EFFECT * i64::from(days.max(1)));
    age(&record.updated_at, now).is_some_and(|age| age >= passes)
}

fn ended_without_result() -> RecordedError {
    RecordedError {
        name: "Unknown".to_owned(),
        message: "Labeling has ended without a result. Label it again.".to_owned(),
    }
}

/// The claim of the execution that holds the image.
fn claim(record: &ImageRecord) -> Claim {
    Claim {
        image_id: record.image_id,
        owner: record.owner.clone(),
        bucket: record.bucket.clone(),
        key: record.key.clone(),
        version_id: None,
        execution_arn: record.execution_arn.clone().unwrap_or_default(),
        requested_at: None,
    }
}

/// The event that the image was claimed for.
fn event(record: &ImageRecord) -> Result<ObjectCreated, RecordsError> {
    let event = json!({
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": record.bucket},
            "object": {"key": record.key, "size": record.size, "sequencer": record.sequencer},
        },
    });
    // Serde's text can quote the key, and is logged.
    serde_json::from_value(event).map_err(|_| RecordsError::Unreadable("its event would be invalid".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    const NOW: &str = "2026-11-22T12:00:00.000Z";

    fn found(status: &str, hours: i64, changes: &Value) -> Option<Leftover> {
        let now: Timestamp = NOW.parse().unwrap();
        let time = format!("{:.3}", now - SignedDuration::from_hours(hours));
        let mut record = json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": status,
            "createdAt": time, "updatedAt": time, "key": "uploads/demo/a",
        });
        let changes = changes.as_object().unwrap().clone();
        record.as_object_mut().unwrap().extend(changes);
        let stored: ImageState = serde_json::from_value(record).unwrap();
        leftover(&stored, &Ages::new(None), now)
    }

    #[test]
    fn an_image_becomes_a_leftover_after_an_hour() {
        for (status, expected) in [
            ("PROCESSING", Leftover::StuckImage),
            ("DELETED", Leftover::OpenTombstone),
            ("LABELED", Leftover::MissingThumbnails),
        ] {
            assert_eq!(found(status, 0, &json!({})), None, "{status}");
            assert_eq!(found(status, 1, &json!({})), Some(expected), "{status}");
        }
    }

    #[test]
    fn an_image_that_needs_nothing_is_never_a_leftover() {
        for (status, changes) in [
            ("FAILED", json!({})),
            ("REJECTED", json!({})),
            ("DELETED", json!({"key": ""})),
            (
                "LABELED",
                json!({"thumbnails": [{"key": "t", "width": 1, "height": 1}]}),
            ),
            (
                "LABELED",
                json!({"thumbnailsError": {"name": "TooComplex", "message": "m"}}),
            ),
            ("AWAITING_UPLOAD", json!({"createdAt": NOW})),
        ] {
            assert_eq!(found(status, 10_000, &changes), None, "{status} {changes}");
        }
    }

    /// A rule that somebody has disabled would go unnoticed.
    #[test]
    fn thumbnails_that_are_missing_after_three_passes_are_left_to_an_operator() {
        let record: ImageRecord = serde_json::from_value(json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "LABELED",
            "createdAt": NOW, "updatedAt": NOW, "key": "uploads/demo/a", "bucket": "pictures",
        }))
        .unwrap();
        let after = |days: i64| NOW.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(24 * days);
        for (pass_days, days, expected) in [
            (1, 2, false),
            (1, 3, true),
            (0, 3, true),
            (7, 20, false),
            (7, 21, true),
        ] {
            assert_eq!(
                had_no_effect(&record, pass_days, after(days)),
                expected,
                "{pass_days} {days}"
            );
        }
    }

    /// DynamoDB deletes it.
    #[test]
    fn an_upload_that_did_not_arrive_is_counted_when_it_expires() {
        assert_eq!(found("AWAITING_UPLOAD", 47, &json!({})), None);
        let abandoned = Some(Leftover::AbandonedUpload);
        assert_eq!(found("AWAITING_UPLOAD", 48, &json!({})), abandoned);
    }

    /// If the constant were shorter, running executions would not be described, and each would count as ended.
    #[test]
    fn the_longest_execution_is_that_of_the_definitions() {
        for definition in [
            include_str!("../../../statemachine/label-image.asl.json"),
            include_str!("../../../statemachine/label-video.asl.json"),
        ] {
            let definition: Value = serde_json::from_str(definition).unwrap();
            let limit = definition["TimeoutSeconds"].as_i64().unwrap();
            assert!(LONGEST_EXECUTION > SignedDuration::from_secs(limit));
        }
    }

    #[test]
    fn the_event_of_a_failure_is_that_of_the_record() {
        let record: ImageRecord = serde_json::from_value(json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "PROCESSING",
            "createdAt": NOW, "updatedAt": NOW, "key": "uploads/demo/0193a5a0-0000-7000-8000-000000000001",
            "bucket": "pictures", "size": 5, "sequencer": format!("{:0<64}", "0a"), "executionArn": "arn",
        }))
        .unwrap();
        let event = event(&record).unwrap();
        assert_eq!(Claim::new(&event, "arn"), Some(claim(&record)));
        assert_eq!(Some(event.sequencer().as_str()), record.sequencer.as_deref());
    }
}
