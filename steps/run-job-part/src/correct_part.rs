//! Corrects the labels of images.
//!
//! A part that is repeated cannot tell from an image whether the last attempt has corrected it, and the image may no longer
//! match the search. Therefore the job's record names the images of a page that need the correction as `pending` before any of
//! them changes, together with the progress before the page. A repeated part begins with them, counts them, and reports them
//! again. So each image is counted once, and its event is sent at least once.

use crate::{RunJobPart, RunJobPartError, page, stop_counted, store};
use domain::contract::{CorrectedLabels, LABELS_CORRECTED};
use domain::{Correction, ImageId, ImageRecord, Job, JobProgress};
use records::{CorrectError, Corrected, Edit};
use std::time::Instant;

/// Corrects pages of images until `until`, or until all are processed. `pending` are the images that the last attempt was
/// correcting.
pub(crate) async fn run(
    step: &RunJobPart,
    job: &Job,
    correction: &Correction,
    mut progress: JobProgress,
    pending: &[ImageId],
    until: Instant,
) -> Result<JobProgress, RunJobPartError> {
    let edit = Edit::Job(job, &correction.change);
    if !pending.is_empty() {
        let corrected = correct(step, edit, &progress, pending).await?;
        progress.changed += corrected.changed.len() as u64 + corrected.unchanged;
        if !store(step, &progress).await? {
            return stop_counted(step, progress).await;
        }
    }
    loop {
        let page = page::read(step, &correction.selection, &progress).await?;
        let settings = step
            .records
            .settings(&progress.owner, &step.default_policy)
            .await?;
        let needs = |image: &&ImageRecord| correction.changes(image, &settings.renames);
        let images = page.images.iter().filter_map(|(_, image)| image.as_ref());
        let ids: Vec<_> = images.filter(needs).map(|image| image.image_id).collect();
        if !ids.is_empty() {
            if !step.records.begin_images(&progress, &ids).await? {
                return stop_counted(step, progress).await;
            }
            let corrected = correct(step, edit, &progress, &ids).await?;
            progress.changed += corrected.changed.len() as u64;
        }
        progress.processed += page.images.len() as u64;
        progress.after = page.last.or(progress.after);
        progress.done = page.last.is_none();
        if !store(step, &progress).await? {
            return stop_counted(step, progress).await;
        }
        if progress.done || Instant::now() >= until {
            return Ok(progress);
        }
    }
}

/// What became of images.
#[derive(Default)]
pub(crate) struct Outcome {
    pub(crate) changed: Vec<ImageId>,
    /// How many had the correction.
    pub(crate) unchanged: u64,
}

/// Corrects images, and sends an event about each. Images that were deleted, or that would have too many corrections, stay as
/// they are.
pub(crate) async fn correct(
    step: &RunJobPart,
    edit: Edit<'_>,
    progress: &JobProgress,
    ids: &[ImageId],
) -> Result<Outcome, RunJobPartError> {
    let owner = &progress.owner;
    let corrected = step
        .records
        .correct_images(owner, ids, edit, &step.default_policy)
        .await?;
    let mut outcome = Outcome::default();
    let mut events = vec![];
    for corrected in corrected {
        match corrected {
            Ok(Corrected { record, changed }) => {
                events.push(CorrectedLabels::from(&record));
                if changed {
                    outcome.changed.push(record.image_id);
                } else {
                    outcome.unchanged += 1;
                }
            }
            Err(CorrectError::Records(error)) => return Err(error.into()),
            Err(CorrectError::NotFound | CorrectError::NotLabeled | CorrectError::Invalid(_)) => {}
        }
    }
    step.bus.send_all(LABELS_CORRECTED, &events).await?;
    Ok(outcome)
}
