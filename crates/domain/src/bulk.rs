//! Which of an owner's images a bulk job processes, and what labeling them again costs.

use crate::corrections::CorrectionChange;
use crate::image::{ImageId, Status};
use crate::job::JobId;
use crate::policy::Rename;
use crate::record::ImageRecord;
use crate::search::Search;
use crate::video::VideoLabels;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;

/// The maximum number of jobs of an owner that correct labels at the same time.
pub const MAX_RUNNING_CORRECTIONS: usize = 3;

/// The maximum number of jobs of an owner that label images again at the same time. A second one would label the same images
/// twice, or only wait for the same quota.
pub const MAX_RUNNING_RELABELS: usize = 1;

/// The maximum number of jobs of an owner that delete images at the same time. A second one would also count images that the
/// first one is deleting.
pub const MAX_RUNNING_DELETIONS: usize = 1;

/// What labeling one image costs in US dollars: Rekognition's price in us-east-1 for the first million images of a month, in
/// `tools/capacity/prices.json`. All other services together cost less than a tenth of it (docs/costs.md).
pub const DOLLARS_PER_IMAGE: f64 = 0.001;

/// The default of the template parameter `VideoFrameInterval`, in seconds.
pub const DEFAULT_FRAME_INTERVAL: u32 = 2;

/// What a minute of Rekognition Video costs in US dollars, in us-east-1: see `docs/video.md`.
pub const DOLLARS_PER_REKOGNITION_MINUTE: f64 = 0.10;

/// What labeling a minute of video costs at most, in US dollars. `frame_interval` is the time between two labeled frames in
/// seconds. Rekognition Video does not accept all videos: the others are labeled by their frames. A video that it accepts and
/// then cannot read may cost both. That is left out, because it is rare.
pub fn dollars_per_video_minute(labels: VideoLabels, frame_interval: u32) -> f64 {
    let frames = 60.0 / f64::from(frame_interval.max(1)) * DOLLARS_PER_IMAGE;
    match labels {
        VideoLabels::Frames => frames,
        VideoLabels::Rekognition => frames.max(DOLLARS_PER_REKOGNITION_MINUTE),
    }
}

/// The images of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Selection {
    /// All images that match.
    Search(Search),
    /// These images, each once. At most 100, which are read with one call.
    Images(Vec<ImageId>),
}

impl Selection {
    /// Whether the selection has an image that matches its search or is named by its ID. Deleted images are never selected.
    pub fn selects(&self, record: &ImageRecord) -> bool {
        record.status != Status::Deleted
            && match self {
                Self::Search(search) => search.matches(record),
                Self::Images(ids) => ids.contains(&record.image_id),
            }
    }
}

/// A job that labels images again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Relabel {
    /// The images.
    pub selection: Selection,
    /// Only labeled images whose labels are from an older model than this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older_than: Option<String>,
}

impl Relabel {
    /// Whether the job labels this image. It skips images without a file, and videos longer than `max_minutes`: they would never
    /// fit into a day's quota.
    pub fn selects(&self, record: &ImageRecord, max_minutes: u32) -> bool {
        self.matches(record) && !is_longer(record, max_minutes)
    }

    /// Whether the job skips this image only because it is a video with more than `max_minutes`.
    pub fn skips(&self, record: &ImageRecord, max_minutes: u32) -> bool {
        self.matches(record) && is_longer(record, max_minutes)
    }

    /// Whether the job labels this image, if it is not too long.
    fn matches(&self, record: &ImageRecord) -> bool {
        let has_older_model = |current: &String| {
            let version = record.model_version.as_deref();
            record.status == Status::Labeled && version.is_some_and(|version| is_older(version, current))
        };
        self.selection.selects(record)
            && record.status != Status::AwaitingUpload
            && record.sequencer.is_some()
            && self.older_than.as_ref().is_none_or(has_older_model)
    }
}

fn is_longer(record: &ImageRecord, max_minutes: u32) -> bool {
    record
        .video_minutes()
        .is_some_and(|minutes| minutes > max_minutes)
}

/// A job that corrects the labels of images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Correction {
    /// The images.
    pub selection: Selection,
    /// What changes.
    pub change: CorrectionChange,
}

impl Correction {
    /// Whether the job can correct this image. Only images that have labels, or will have some, have corrections.
    pub fn selects(&self, record: &ImageRecord) -> bool {
        self.selection.selects(record)
            && matches!(record.status, Status::Labeled | Status::Processing)
            && record.sequencer.is_some()
    }

    /// Whether the job changes this image: it does not have the correction yet, and can have it.
    pub fn changes(&self, record: &ImageRecord, renames: &[Rename]) -> bool {
        let before = record.corrections();
        let after = before.changed(&self.change, renames);
        self.selects(record) && after.is_ok_and(|after| after != before)
    }
}

/// A job that undoes one that has corrected labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Undo {
    /// The job that is undone.
    pub job_id: JobId,
    /// What it has changed.
    pub change: CorrectionChange,
}

/// A job that deletes images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkDeletion {
    /// The images.
    pub selection: Selection,
    /// Only images that were added before this time, and have not changed since: the owner has not seen the others. An upload
    /// that was announced before can have arrived, and an image can have got its labels. ISO 8601, UTC, milliseconds.
    pub created_before: String,
}

impl BulkDeletion {
    /// Whether the job deletes this image.
    pub fn selects(&self, record: &ImageRecord) -> bool {
        self.selection.selects(record)
            && record.created_at < self.created_before
            && record.updated_at < self.created_before
    }
}

/// Whether labels with this model version are from an older model than `current`. Versions that cannot be compared, because
/// they are from different kinds of models, count as older if they differ.
pub fn is_older(version: &str, current: &str) -> bool {
    match compare(version, current) {
        Some(order) => order.is_lt(),
        None => version != current,
    }
}

/// The newest of some model versions. The first one decides the kind of model: others are not compared with it.
pub fn newest<T: AsRef<str>>(versions: impl IntoIterator<Item = T>) -> Option<T> {
    versions.into_iter().reduce(|newest, other| {
        let is_newer = compare(newest.as_ref(), other.as_ref()) == Some(Ordering::Less);
        if is_newer { other } else { newest }
    })
}

/// Compares versions such as `3.0` or `local-1.0` by their numbers. `None` if the rest differs.
fn compare(one: &str, other: &str) -> Option<Ordering> {
    let parts = |version: &str| -> Option<(String, Vec<u64>)> {
        let (kind, numbers) = version.split_at(version.find(|character: char| character.is_ascii_digit())?);
        let numbers: Result<_, _> = numbers.split('.').map(str::parse).collect();
        Some((kind.to_owned(), numbers.ok()?))
    };
    let ((one_kind, one), (other_kind, other)) = (parts(one)?, parts(other)?);
    (one_kind == other_kind).then(|| one.cmp(&other))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn record(change: &Value) -> ImageRecord {
        let mut record = json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "LABELED", "sequencer": "0a",
            "updatedAt": "2026-11-22T12:00:05.250Z", "key": "uploads/demo/a.jpg", "bucket": "pictures",
            "modelVersion": "3.0",
        });
        for (name, value) in change.as_object().unwrap() {
            record[name] = value.clone();
        }
        serde_json::from_value(record).unwrap()
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        for (version, current) in [
            ("2.0", "3.0"),
            ("2.9", "2.10"),
            ("3", "3.1"),
            ("local-1.0", "local-1.1"),
            // Another kind of model, or a version of an unknown form.
            ("3.0", "local-1.0"),
            ("seeded", "3.0"),
            ("3.x", "3.0"),
        ] {
            assert!(is_older(version, current), "{version} {current}");
        }
        for (version, current) in [("3.0", "3.0"), ("3.0", "2.0"), ("seeded", "seeded")] {
            assert!(!is_older(version, current), "{version} {current}");
        }
    }

    /// Somebody labels one old picture again: the model of the latest upload is no longer the newest.
    #[test]
    fn the_newest_version_need_not_be_that_of_the_first_image() {
        assert_eq!(newest(["2.0", "3.0", "2.5"]), Some("3.0"));
        assert_eq!(newest(["local-1.0", "3.0"]), Some("local-1.0"));
        assert_eq!(newest(Vec::<String>::new()), None);
    }

    fn video(minutes: u32) -> Value {
        json!({"type": "VIDEO", "video": {
            "durationMs": minutes * 60_000, "codec": "H.264", "container": "MP4", "width": 640, "height": 480,
        }})
    }

    #[test]
    fn a_minute_of_video_costs_as_much_as_its_frames_or_rekognition_video() {
        for (labels, frame_interval, dollars) in [
            (VideoLabels::Frames, DEFAULT_FRAME_INTERVAL, 0.03),
            (VideoLabels::Frames, 1, 0.06),
            (VideoLabels::Rekognition, DEFAULT_FRAME_INTERVAL, 0.10),
        ] {
            let computed = dollars_per_video_minute(labels, frame_interval);
            assert!((computed - dollars).abs() < 1e-9, "{labels:?}: {computed}");
        }
    }

    /// Otherwise the person would pay for labels of the same model again.
    #[test]
    fn only_labels_of_an_older_model_are_renewed() {
        let relabel = |older_than: Option<&str>| Relabel {
            selection: Selection::Search(Search::default()),
            older_than: older_than.map(str::to_owned),
        };
        for (change, older_than, selected) in [
            (json!({}), None, true),
            (json!({}), Some("3.1"), true),
            (json!({}), Some("3.0"), false),
            (json!({"modelVersion": null}), Some("3.0"), false),
            (json!({"status": "REJECTED"}), Some("3.1"), false),
            (json!({"status": "REJECTED"}), None, true),
            (json!({"status": "FAILED"}), None, true),
            (json!({"sequencer": null}), None, false),
            (json!({"status": "DELETED"}), None, false),
            (video(48), None, true),
            (video(49), None, false),
        ] {
            let selects = relabel(older_than).selects(&record(&change), 48);
            assert_eq!(selects, selected, "{change} {older_than:?}");
        }
        for (change, older_than, skipped) in [
            (video(48), None, false),
            (video(49), None, true),
            (video(49), Some("3.1"), true),
            (video(49), Some("3.0"), false),
            (json!({}), None, false),
        ] {
            let skips = relabel(older_than).skips(&record(&change), 48);
            assert_eq!(skips, skipped, "{change} {older_than:?}");
        }
    }

    /// A picture that arrives or gets its labels while the job runs was not counted, so it must not be deleted.
    #[test]
    fn images_that_were_added_or_have_changed_later_are_not_deleted() {
        let deletion = BulkDeletion {
            selection: Selection::Search(Search::default()),
            created_before: "2026-11-22T12:00:00.000Z".into(),
        };
        for (change, selected) in [
            (json!({"createdAt": "2026-11-22T11:59:59.999Z"}), true),
            (
                json!({"createdAt": "2026-11-22T11:59:59.999Z", "status": "PROCESSING"}),
                true,
            ),
            (
                json!({"createdAt": "2026-11-22T11:59:59.999Z", "status": "AWAITING_UPLOAD"}),
                false,
            ),
            (
                json!({"createdAt": "2026-11-22T11:59:59.999Z", "status": "DELETED"}),
                false,
            ),
            (json!({"createdAt": "2026-11-22T12:00:00.000Z"}), false),
            (json!({"updatedAt": "2026-11-22T12:00:00.000Z"}), false),
        ] {
            let mut before =
                json!({"createdAt": "2026-11-22T11:59:00.000Z", "updatedAt": "2026-11-22T11:59:59.999Z"});
            before
                .as_object_mut()
                .unwrap()
                .extend(change.as_object().unwrap().clone());
            let change = before;
            assert_eq!(deletion.selects(&record(&change)), selected, "{change}");
        }
    }

    #[test]
    fn named_images_are_selected_with_any_status_unless_deleted() {
        let image = record(&json!({"status": "FAILED"}));
        let named = Selection::Images(vec![image.image_id]);
        assert!(named.selects(&image));
        assert!(!named.selects(&record(&json!({"status": "DELETED"}))));
        assert!(!Selection::Images(vec![ImageId::new()]).selects(&image));
        let change = CorrectionChange::default();
        let correction = Correction {
            selection: named,
            change,
        };
        assert!(!correction.selects(&image), "it has no labels");
        assert!(correction.selects(&record(&json!({"status": "PROCESSING"}))));
    }
}
