//! Objects below `uploads/`: compares each with the record of its image.

use crate::{Ages, ReconcileError, Run, age, state};
use deletion::DeletedImageEvent;
use domain::image::UPLOADS_PREFIX;
use domain::reconciliation::{Cursor, Leftover, Repair};
use domain::{ImageKey, Sequencer, Status};
use executions::unprocessed::{self, Started, UnprocessedObject};
use jiff::{SignedDuration, Timestamp};
use objects::Object;
use records::{ImageState, RecordsError};
use std::time::Instant;

/// Objects per page: S3's maximum.
const PER_PAGE: i32 = 1000;

/// An object of the API that is older than this and has no record may be one that was uploaded after its deletion: tombstones
/// are kept for 30 days.
const MAY_BE_DELETED_AFTER: SignedDuration = SignedDuration::from_hours(29 * 24);

/// By how much the clocks of S3 and of a function may differ, and the second to which S3 rounds times.
const CLOCKS: SignedDuration = SignedDuration::from_mins(1);

/// What an object needs.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Decision {
    /// Nothing.
    Nothing,
    /// The workflow, with this sequencer.
    Label(Sequencer),
    /// It must be deleted.
    Delete,
    /// An operator has to decide.
    Leave,
}

fn decide(
    image: &ImageKey,
    object: &Object,
    stored: Option<&ImageState>,
    ages: &Ages,
    now: Timestamp,
) -> Decision {
    let object_age = now.duration_since(object.last_modified);
    let label = |sequencer| match object_age >= ages.unprocessed_object {
        true => Decision::Label(sequencer),
        false => Decision::Nothing,
    };
    let Some(stored) = stored else {
        let is_ambiguous = image.is_created_by_api() && object_age >= MAY_BE_DELETED_AFTER;
        return match is_ambiguous {
            true => Decision::Leave,
            false => label(Sequencer::lowest()),
        };
    };
    // Later than what the record has seen, and not later than any other that is.
    let label_next = || {
        let seen = stored.sequencer.as_deref().and_then(Sequencer::parse);
        match seen {
            None => label(Sequencer::lowest()),
            Some(seen) => seen.next().map_or(Decision::Leave, label),
        }
    };
    match stored.status {
        Status::AwaitingUpload => label(Sequencer::lowest()),
        Status::Deleted => {
            // While the tombstone is open, the object may be the deleted one.
            let is_newer = stored.is_closed_tombstone()
                || age(&stored.updated_at, now).is_some_and(|deleted| deleted > object_age);
            match DeletedImageEvent::of(image, is_newer) {
                DeletedImageEvent::OfDeletedUpload if object_age >= ages.late_object => Decision::Delete,
                DeletedImageEvent::OfDeletedUpload | DeletedImageEvent::NotNewer => Decision::Nothing,
                DeletedImageEvent::NewObject => label_next(),
            }
        }
        Status::Processing | Status::Labeled | Status::Rejected | Status::Failed => {
            if has_replaced(object, stored) {
                label_next()
            } else {
                Decision::Nothing
            }
        }
    }
}

/// Whether the object has replaced the one that the record is about: it is newer than the record's last change, or has another
/// size. A replacement of the same size is not found if the record has changed since, for example by a correction.
fn has_replaced(object: &Object, stored: &ImageState) -> bool {
    let changed_at = stored.updated_at.parse::<Timestamp>();
    let is_newer = changed_at.is_ok_and(|changed_at| object.last_modified >= changed_at + CLOCKS);
    // The size of an image in progress may not be known yet.
    let has_other_size =
        stored.status != Status::Processing && stored.size.is_some_and(|size| size != object.size);
    is_newer || has_other_size
}

impl Run<'_> {
    /// Compares the next page of objects.
    pub(crate) async fn uploads(&mut self, after: Option<String>) -> Result<(), ReconcileError> {
        let bucket = &self.reconcile.bucket;
        let prefix = self.scope.prefix(UPLOADS_PREFIX);
        let s3 = &self.reconcile.s3;
        let page = objects::list(s3, bucket, &prefix, after.as_deref(), PER_PAGE).await?;
        // Folder markers are not images.
        let images = page.objects.iter();
        let images: Vec<_> = images
            .filter_map(|object| Some((ImageKey::parse(bucket, &object.key)?, object)))
            .collect();
        let keys: Vec<_> = images
            .iter()
            .map(|(image, _)| (image.owner.clone(), image.image_id))
            .collect();
        let states = self.reconcile.records.image_states(&keys).await?;
        for ((image, object), stored) in images.into_iter().zip(states) {
            // Invalid records are counted in the next phase.
            if let Ok(stored) = state(stored)? {
                self.upload(&image, object, stored.as_deref()).await?;
                if self.is_over {
                    return Ok(());
                }
            }
            self.pass.objects += 1;
            self.pass.cursor = Cursor::Uploads {
                after: Some(object.key.clone()),
            };
            if self.is_over() {
                return Ok(());
            }
        }
        self.pass.cursor = match page.objects.into_iter().next_back() {
            Some(last) if page.has_more => Cursor::Uploads {
                after: Some(last.key),
            },
            _ => Cursor::Images { after: None },
        };
        Ok(())
    }

    async fn upload(
        &mut self,
        image: &ImageKey,
        object: &Object,
        stored: Option<&ImageState>,
    ) -> Result<(), ReconcileError> {
        let (id, ages) = (image.image_id, self.ages);
        let leftover = match decide(image, object, stored, &ages, Timestamp::now()) {
            Decision::Nothing => return Ok(()),
            Decision::Leave => {
                self.count(Leftover::UnprocessedObject, Repair::Left, id);
                return Ok(());
            }
            Decision::Label(_) => Leftover::UnprocessedObject,
            Decision::Delete => Leftover::LateObject,
        };
        if !self.may_repair(leftover, id) {
            return Ok(());
        }
        let result = self.repair_upload(image, object).await;
        self.settle(leftover, id, result)
    }

    async fn repair_upload(
        &mut self,
        image: &ImageKey,
        object: &Object,
    ) -> Result<Option<Repair>, RecordsError> {
        let record = self.record(&image.owner, image.image_id).await?;
        let stored = record.as_ref().map(ImageState::from);
        let reconcile = self.reconcile;
        match decide(image, object, stored.as_ref(), &self.ages, Timestamp::now()) {
            Decision::Nothing | Decision::Leave => Ok(None),
            Decision::Delete => {
                objects::delete(&reconcile.s3, &reconcile.bucket, &object.key).await?;
                Ok(Some(Repair::Repaired))
            }
            Decision::Label(sequencer) => {
                let left = self.until.saturating_duration_since(Instant::now());
                let slot = reconcile
                    .records
                    .take_slots(1, reconcile.images_per_second, left)
                    .await?;
                let Some(wait) = slot else {
                    self.is_over = true;
                    return Ok(None);
                };
                tokio::time::sleep(wait).await;
                let unprocessed = UnprocessedObject {
                    image_id: image.image_id,
                    bucket: &reconcile.bucket,
                    key: &object.key,
                    size: object.size,
                    last_modified: object.last_modified,
                    sequencer,
                };
                let (sfn, machine) = (&reconcile.sfn, &reconcile.state_machine_arn);
                let started = unprocessed::start(sfn, machine, &unprocessed, Timestamp::now()).await?;
                Ok(match started {
                    Started::Now => Some(Repair::Repaired),
                    Started::Before => None,
                    Started::InVain => Some(Repair::Left),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const DELETED_AT: &str = "2026-11-22T12:00:00.000Z";
    const API_KEY: &str = "uploads/demo/0193a5a0-0000-7000-8000-000000000001";
    const TOOL_KEY: &str = "uploads/demo/cat.jpg";

    /// The decision about an object of an age, with the record. The deletion, if any, was 20 hours ago.
    fn decision(key: &str, hours: i64, record: Option<Value>) -> Decision {
        let now = DELETED_AT.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(20);
        let image = ImageKey::parse("pictures", key).unwrap();
        let object = Object {
            key: key.into(),
            size: 5,
            last_modified: now - SignedDuration::from_hours(hours),
        };
        let stored = record.map(|changes| {
            let mut record = json!({
                "imageId": image.image_id, "owner": "demo", "updatedAt": DELETED_AT, "key": key,
            });
            let changes = changes.as_object().unwrap().clone();
            record.as_object_mut().unwrap().extend(changes);
            serde_json::from_value::<ImageState>(record).unwrap()
        });
        decide(&image, &object, stored.as_ref(), &Ages::new(None), now)
    }

    fn lowest() -> Decision {
        Decision::Label(Sequencer::lowest())
    }

    #[test]
    fn an_object_without_a_record_is_labeled_after_12_hours() {
        for key in [API_KEY, TOOL_KEY] {
            for record in [None, Some(json!({"status": "AWAITING_UPLOAD"}))] {
                assert_eq!(decision(key, 11, record.clone()), Decision::Nothing);
                assert_eq!(decision(key, 12, record), lowest());
            }
        }
    }

    #[test]
    fn an_object_that_was_claimed_is_left_alone() {
        for status in ["PROCESSING", "LABELED", "REJECTED", "FAILED"] {
            let record = json!({"status": status, "sequencer": "0a"});
            assert_eq!(decision(TOOL_KEY, 100, Some(record)), Decision::Nothing);
        }
    }

    /// Somebody overwrites a picture, and the event is lost.
    #[test]
    fn an_object_that_has_replaced_another_one_is_labeled() {
        let sequencer = Sequencer::parse("0AFF").unwrap();
        let next = Decision::Label(sequencer.next().unwrap());
        for status in ["PROCESSING", "LABELED", "REJECTED", "FAILED"] {
            // The record has changed 20 hours ago. The object has 5 bytes.
            let record = |size: u64| json!({"status": status, "sequencer": sequencer.as_str(), "size": size});
            let newer = decision(TOOL_KEY, 13, Some(record(5)));
            assert_eq!(newer, next, "{status}: newer than the record's last change");
            assert_eq!(
                decision(TOOL_KEY, 11, Some(record(5))),
                Decision::Nothing,
                "{status}: its event may arrive"
            );
            assert_eq!(
                decision(TOOL_KEY, 20, Some(record(5))),
                Decision::Nothing,
                "{status}: clocks differ"
            );
            assert_eq!(
                decision(TOOL_KEY, 30, Some(record(5))),
                Decision::Nothing,
                "{status}"
            );
            let other_size = decision(TOOL_KEY, 30, Some(record(6)));
            let expected = if status == "PROCESSING" {
                Decision::Nothing
            } else {
                next.clone()
            };
            assert_eq!(other_size, expected, "{status}: another size");
        }
    }

    /// Its tombstone may have expired, and the picture would come back.
    #[test]
    fn an_old_object_of_the_api_that_may_have_been_deleted_is_not_labeled() {
        assert_eq!(decision(API_KEY, 29 * 24, None), Decision::Leave);
        assert_eq!(decision(API_KEY, 28 * 24, None), lowest());
        assert_eq!(decision(TOOL_KEY, 1000 * 24, None), lowest());
    }

    #[test]
    fn an_object_that_arrives_after_the_deletion_of_its_upload_is_deleted() {
        for key in ["", API_KEY] {
            let deleted = json!({"status": "DELETED", "key": key});
            assert_eq!(decision(API_KEY, 1, Some(deleted.clone())), Decision::Delete);
            assert_eq!(decision(API_KEY, 0, Some(deleted)), Decision::Nothing);
        }
    }

    #[test]
    fn a_newer_object_under_a_deleted_key_of_another_tool_is_a_new_picture() {
        let sequencer = Sequencer::parse("0AFF").unwrap();
        let next = Decision::Label(sequencer.next().unwrap());
        let closed = json!({"status": "DELETED", "key": "", "sequencer": sequencer.as_str()});
        assert_eq!(decision(TOOL_KEY, 13, Some(closed.clone())), next);
        assert_eq!(decision(TOOL_KEY, 11, Some(closed)), Decision::Nothing);
        let open = json!({"status": "DELETED", "sequencer": sequencer.as_str()});
        assert_eq!(decision(TOOL_KEY, 13, Some(open.clone())), next);
        // The deleted object itself, which the interrupted deletion has not reached.
        assert_eq!(decision(TOOL_KEY, 21, Some(open)), Decision::Nothing);
        let never_claimed = json!({"status": "DELETED"});
        assert_eq!(decision(TOOL_KEY, 13, Some(never_claimed)), lowest());
    }
}
