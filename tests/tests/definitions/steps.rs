//! What each function of `steps/` reads and which errors it reports, by the name of its folder. This is knowledge about
//! the steps; which Task of which machine invokes a step is in `template.yaml` and the definitions.

use aws::ServiceError;
use check_import::CheckImportError;
use collect_labels::CollectLabelsError;
use convert::ConvertError;
use copy_objects::CopyObjectsError;
use detect_labels::DetectLabelsError;
use domain::import::CheckImportInput;
use domain::policy::PolicyError;
use domain::{
    ClaimedImage, DetectedImage, ErrorName, ImportBatch, ImportProgress, InspectVideoInput, JobProgress,
    Outcome, PersistInput, StartVideoLabelsInput, StepError, ValidateInput, VideoProgress,
};
use filter_labels::FilterLabelsError;
use inspect_video::InspectVideoError;
use label_frames::LabelFramesError;
use notify::NotifyError;
use objects::UnreadableObject;
use persist::PersistError;
use picture::PictureError;
use picture_header::HeaderError;
use picture_process::ProcessError;
use read_video_labels::ReadVideoLabelsError;
use records::LostClaim;
use run_job_part::RunJobPartError;
use serde::de::DeserializeOwned;
use serde_json::Value;
use start_video_labels::StartVideoLabelsError;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use strum::IntoEnumIterator;
use summarize_import::SummarizeImportError;
use tests::state_machine::machine::repository;
use validate::ValidateError;
use video::FrameError;
use video_header::VideoError;

/// A function that state machines invoke.
pub(crate) struct Step {
    /// Every error that it can report.
    pub(crate) errors: HashSet<ErrorName>,
    /// Reads an input as the step does.
    pub(crate) read: fn(&Value) -> Result<(), serde_json::Error>,
}

/// All steps by the names of their folders.
pub(crate) fn steps() -> BTreeMap<&'static str, Step> {
    fn own<E: StepError + IntoEnumIterator>() -> impl Iterator<Item = ErrorName> {
        E::iter().map(|error| error.name())
    }
    fn services() -> impl Iterator<Item = ErrorName> {
        ServiceError::iter().map(|error| error.name())
    }
    fn lost() -> impl Iterator<Item = ErrorName> {
        LostClaim::iter().map(|lost| lost.name())
    }
    fn objects() -> impl Iterator<Item = ErrorName> {
        UnreadableObject::iter().map(|error| error.name())
    }
    fn headers() -> impl Iterator<Item = ErrorName> {
        HeaderError::iter().map(HeaderError::name)
    }
    fn pixels() -> impl Iterator<Item = ErrorName> {
        let process = ProcessError::iter().map(|error| error.name());
        PictureError::iter().map(PictureError::name).chain(process)
    }
    fn frames() -> impl Iterator<Item = ErrorName> {
        let process = ProcessError::iter().map(|error| error.name());
        let codec = video_header::Codec::Vp8;
        let frame = [
            FrameError::UnsupportedCodec(codec),
            FrameError::TooLarge(codec, 1, 1),
            FrameError::TooManyBytes(codec),
            FrameError::Damaged(codec),
        ];
        frame.into_iter().map(FrameError::name).chain(process)
    }
    fn step<T: DeserializeOwned>(errors: impl Iterator<Item = ErrorName>) -> Step {
        Step {
            // Every step reports an input that it cannot read.
            errors: errors.chain([ErrorName::InvalidInput]).collect(),
            read: |input| T::deserialize(input).map(drop),
        }
    }
    let unusable_policy = FilterLabelsError::from(PolicyError::MaxLabels).name();
    BTreeMap::from([
        (
            "validate",
            step::<ValidateInput>(
                own::<ValidateError>()
                    .chain(headers())
                    .chain(objects())
                    .chain(services()),
            ),
        ),
        (
            "convert",
            step::<ClaimedImage>(
                own::<ConvertError>()
                    .chain(lost())
                    .chain(pixels())
                    .chain(headers())
                    .chain(objects())
                    .chain(services()),
            ),
        ),
        (
            "detect-labels",
            step::<ClaimedImage>(own::<DetectLabelsError>().chain(objects()).chain(services())),
        ),
        (
            "filter-labels",
            step::<DetectedImage>([unusable_policy].into_iter().chain(services())),
        ),
        (
            "persist",
            step::<PersistInput>(own::<PersistError>().chain(lost()).chain(services())),
        ),
        (
            "inspect-video",
            step::<InspectVideoInput>(
                own::<InspectVideoError>()
                    .chain(lost())
                    .chain(VideoError::iter().map(VideoError::name))
                    .chain(frames())
                    .chain(objects())
                    .chain(services()),
            ),
        ),
        (
            "label-frames",
            step::<VideoProgress>(
                own::<LabelFramesError>()
                    .chain(lost())
                    .chain(objects())
                    .chain(services()),
            ),
        ),
        (
            "start-video-labels",
            step::<StartVideoLabelsInput>(
                own::<StartVideoLabelsError>()
                    .chain(lost())
                    .chain(objects())
                    .chain(services()),
            ),
        ),
        (
            "read-video-labels",
            step::<VideoProgress>(own::<ReadVideoLabelsError>().chain(lost()).chain(services())),
        ),
        (
            "collect-labels",
            step::<VideoProgress>(own::<CollectLabelsError>().chain(lost()).chain(services())),
        ),
        (
            "run-job-part",
            step::<JobProgress>(own::<RunJobPartError>().chain(services())),
        ),
        (
            "check-import",
            step::<CheckImportInput>(own::<CheckImportError>().chain(services())),
        ),
        (
            "copy-objects",
            step::<ImportBatch>(own::<CopyObjectsError>().chain(services())),
        ),
        (
            "summarize-import",
            step::<ImportProgress>(own::<SummarizeImportError>().chain(services())),
        ),
        ("notify", step::<Outcome>(own::<NotifyError>().chain(services()))),
    ])
}

#[test]
fn every_step_is_listed() {
    let folders = std::fs::read_dir(repository().join("steps")).expect("steps/");
    let folders: BTreeSet<_> = folders
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("Cargo.toml").exists())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    assert_eq!(folders, steps().into_keys().map(str::to_owned).collect());
}
