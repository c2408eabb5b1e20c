//! Thumbnails, and what is derived from videos: compares each object with the record of its image.

use crate::{ReconcileError, Run, state};
use domain::Status;
use domain::image::{DerivedKey, THUMBNAILS_PREFIX, VIDEOS_PREFIX, execution_name};
use domain::reconciliation::{Cursor, Leftover, Repair};
use jiff::Timestamp;
use records::{ImageState, RecordsError};

/// Objects per page: S3's maximum.
const PER_PAGE: i32 = 1000;

/// The kind of a derived object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Thumbnail,
    OfVideo,
}

impl Kind {
    fn prefix(self) -> &'static str {
        match self {
            Self::Thumbnail => THUMBNAILS_PREFIX,
            Self::OfVideo => VIDEOS_PREFIX,
        }
    }

    fn leftover(self) -> Leftover {
        match self {
            Self::Thumbnail => Leftover::OrphanedThumbnail,
            Self::OfVideo => Leftover::OrphanedVideoObject,
        }
    }

    /// The cursor after this key.
    fn after(self, key: &str) -> Cursor {
        let after = Some(key.to_owned());
        match self {
            Self::Thumbnail => Cursor::Thumbnails { after },
            Self::OfVideo => Cursor::Videos { after },
        }
    }

    /// The cursor after all objects of this kind.
    fn end(self) -> Cursor {
        match self {
            Self::Thumbnail => Cursor::Videos { after: None },
            Self::OfVideo => Cursor::Done,
        }
    }
}

/// Whether no record names the object, and the execution that has written it cannot store or read it any more.
///
/// While an image is labeled again, its record still names the previous thumbnails, poster, preview and timeline.
fn is_orphaned(kind: Kind, key: &str, object: &DerivedKey<'_>, stored: Option<&ImageState>) -> bool {
    stored.is_none_or(|stored| {
        let is_named = match kind {
            Kind::Thumbnail => stored.thumbnails.iter().any(|named| named.key == key),
            Kind::OfVideo => stored
                .video
                .iter()
                .flat_map(|video| video.keys())
                .any(|named| named == key),
        };
        let holder = stored.execution_arn.as_deref().map(execution_name);
        // A stored result names all that its execution has derived from the video for others than its steps. A failed execution
        // can be redriven. Thumbnails are written after the result.
        let has_result = matches!(stored.status, Status::Labeled | Status::Rejected);
        let is_in_use = holder == Some(object.execution) && !(kind == Kind::OfVideo && has_result);
        stored.status == Status::Deleted || !is_named && !is_in_use
    })
}

impl Run<'_> {
    /// Compares the next page of derived objects of a kind.
    pub(crate) async fn derived(&mut self, kind: Kind, after: Option<String>) -> Result<(), ReconcileError> {
        let bucket = &self.reconcile.bucket;
        let prefix = self.scope.prefix(kind.prefix());
        let s3 = &self.reconcile.s3;
        let page = objects::list(s3, bucket, &prefix, after.as_deref(), PER_PAGE).await?;
        let minimum = self.ages.derived;
        let now = Timestamp::now();
        let old = page
            .objects
            .iter()
            .filter(|object| now.duration_since(object.last_modified) >= minimum);
        let objects: Vec<_> = old
            .filter_map(|object| Some((object.key.as_str(), DerivedKey::parse(&object.key)?)))
            .collect();
        let keys: Vec<_> = objects
            .iter()
            .map(|(_, object)| (object.owner.clone(), object.image_id))
            .collect();
        let states = self.reconcile.records.image_states(&keys).await?;
        let leftover = kind.leftover();
        for ((key, object), stored) in objects.iter().zip(states) {
            if let Ok(stored) = state(stored)?
                && is_orphaned(kind, key, object, stored.as_deref())
                && self.may_repair(leftover, object.image_id)
            {
                let result = self.repair_derived(kind, key, object).await;
                self.settle(leftover, object.image_id, result)?;
            }
            match kind {
                Kind::Thumbnail => self.pass.thumbnails += 1,
                Kind::OfVideo => self.pass.video_objects += 1,
            }
            self.pass.cursor = kind.after(key);
            if self.is_over() {
                return Ok(());
            }
        }
        self.pass.cursor = match page.objects.last() {
            Some(last) if page.has_more => kind.after(&last.key),
            _ => kind.end(),
        };
        Ok(())
    }

    async fn repair_derived(
        &self,
        kind: Kind,
        key: &str,
        object: &DerivedKey<'_>,
    ) -> Result<Option<Repair>, RecordsError> {
        let record = self.record(&object.owner, object.image_id).await?;
        if !is_orphaned(kind, key, object, record.as_ref().map(ImageState::from).as_ref()) {
            return Ok(None);
        }
        let (s3, bucket) = (&self.reconcile.s3, &self.reconcile.bucket);
        objects::delete(s3, bucket, key).await?;
        Ok(Some(Repair::Repaired))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const THUMBNAIL: &str = "thumbnails/demo/0193a5a0-0000-7000-8000-000000000001/first/320";
    const POSTER: &str = "videos/demo/0193a5a0-0000-7000-8000-000000000001/first/poster.jpg";
    const PART: &str = "videos/demo/0193a5a0-0000-7000-8000-000000000001/first/frames-0-60.json";
    const FIRST: &str = "arn:aws:states:r:1:execution:m:first";

    fn kind(key: &str) -> Kind {
        match key.starts_with(VIDEOS_PREFIX) {
            true => Kind::OfVideo,
            false => Kind::Thumbnail,
        }
    }

    fn orphaned(key: &str, changes: &Value) -> bool {
        let mut record = json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "LABELED",
            "updatedAt": "2026-11-22T12:00:00.000Z", "executionArn": "arn:aws:states:r:1:execution:m:second",
        });
        let changes = changes.as_object().unwrap().clone();
        record.as_object_mut().unwrap().extend(changes);
        let stored: ImageState = serde_json::from_value(record).unwrap();
        is_orphaned(kind(key), key, &DerivedKey::parse(key).unwrap(), Some(&stored))
    }

    /// The attributes of a record that names the thumbnail and the poster.
    fn naming() -> Value {
        json!({
            "thumbnails": [{"key": THUMBNAIL, "width": 1, "height": 1}],
            "video": {
                "durationMs": 1, "codec": "H.264", "container": "MP4", "width": 100, "height": 100,
                "poster": {"key": POSTER, "width": 1, "height": 1},
            },
        })
    }

    fn with(mut changes: Value, name: &str, value: &str) -> Value {
        changes[name] = json!(value);
        changes
    }

    #[test]
    fn an_object_of_an_earlier_result_or_of_no_image_is_orphaned() {
        for key in [THUMBNAIL, POSTER, PART] {
            assert!(orphaned(key, &json!({})), "{key}");
            assert!(orphaned(key, &json!({"status": "PROCESSING"})), "{key}");
            assert!(orphaned(key, &with(naming(), "status", "DELETED")), "{key}");
            assert!(
                is_orphaned(kind(key), key, &DerivedKey::parse(key).unwrap(), None),
                "{key}"
            );
        }
    }

    /// The gallery shows it.
    #[test]
    fn an_object_that_the_record_names_is_not_orphaned_while_the_image_is_labeled_again() {
        for status in ["PROCESSING", "LABELED", "FAILED", "REJECTED"] {
            for key in [THUMBNAIL, POSTER] {
                assert!(
                    !orphaned(key, &with(naming(), "status", status)),
                    "{key} {status}"
                );
            }
            assert!(orphaned(PART, &with(naming(), "status", status)), "{status}");
        }
    }

    /// `thumbnails` writes all of them before it stores them, and the steps that label a video read what others have written. An
    /// execution that has failed can be redriven.
    #[test]
    fn an_object_of_the_current_execution_is_not_orphaned_until_it_has_a_result() {
        for status in ["PROCESSING", "FAILED"] {
            for key in [THUMBNAIL, POSTER, PART] {
                assert!(
                    !orphaned(key, &json!({"executionArn": FIRST, "status": status})),
                    "{key} {status}"
                );
            }
        }
        for status in ["LABELED", "REJECTED"] {
            let held = with(naming(), "executionArn", FIRST);
            let held = with(held, "status", status);
            assert!(!orphaned(
                THUMBNAIL,
                &json!({"executionArn": FIRST, "status": status})
            ));
            assert!(!orphaned(POSTER, &held), "{status}");
            assert!(orphaned(PART, &held), "{status}");
        }
    }

    #[test]
    fn other_objects_are_left_alone() {
        for key in [
            "videos/demo/0193a5a0-0000-7000-8000-000000000001/first/",
            "videos/demo/0193a5a0-0000-7000-8000-000000000001/first",
            "videos/demo/0193a5a0-0000-7000-8000-000000000001/first/a/b",
            "videos/demo/notes/first/a",
            "uploads/demo/0193a5a0-0000-7000-8000-000000000001/first/a",
        ] {
            assert_eq!(DerivedKey::parse(key), None, "{key}");
        }
    }
}
