//! Undoes a job that has corrected labels, in exactly the images that it has changed. Labels that have been corrected again since
//! then keep their corrections.
//!
//! What restores an image is deleted in the transaction that restores it. The job's record names the images of a page as
//! `pending` before any of them changes. Those of them that a repeated part no longer finds have been restored by the last
//! attempt: it counts them, and reports them again.
//!
//! A slow attempt can restore an image after a repeated part has read what restores it. The part then finds the image unchanged, and
//! does not count it: `changed` is too low by these images, and nothing else differs. Counting each pending image that is unchanged
//! would be wrong more often: the labels of some have been corrected again, and those are not restored by any attempt.

use crate::correct_part::{Outcome, correct};
use crate::{IMAGES_PER_PAGE, RunJobPart, RunJobPartError, stop_counted, store};
use domain::{ImageId, JobProgress, Undo};
use records::Edit;
use std::collections::HashMap;
use std::time::Instant;

/// Restores pages of images until `until`, or until all are processed. `pending` are the images that the last attempt was
/// restoring.
pub(crate) async fn run(
    step: &RunJobPart,
    undo: &Undo,
    mut progress: JobProgress,
    pending: &[ImageId],
    until: Instant,
) -> Result<JobProgress, RunJobPartError> {
    let mut pending = pending;
    loop {
        let page = step
            .records
            .undo_page(&progress.owner, undo.job_id, progress.after, IMAGES_PER_PAGE)
            .await?;
        let inverses: HashMap<_, _> = page.inverses.into_iter().collect();
        let edit = Edit::Undo {
            job_id: undo.job_id,
            change: &undo.change,
            inverses: &inverses,
        };
        let is_restored = |id: &&ImageId| !inverses.contains_key(id);
        let restored: Vec<_> = pending.iter().filter(is_restored).copied().collect();
        pending = &[];
        if !restored.is_empty() {
            let Outcome { changed, unchanged } = correct(step, edit, &progress, &restored).await?;
            progress.processed += restored.len() as u64;
            progress.changed += changed.len() as u64 + unchanged;
        }
        let mut changed = vec![];
        let ids: Vec<_> = inverses.keys().copied().collect();
        if !ids.is_empty() {
            if !step.records.begin_images(&progress, &ids).await? {
                return stop_counted(step, progress).await;
            }
            changed = correct(step, edit, &progress, &ids).await?.changed;
        }
        progress.changed += changed.len() as u64;
        progress.processed += ids.len() as u64;
        progress.after = page.last.or(progress.after);
        progress.done = page.last.is_none();
        let is_running = store(step, &progress).await?;
        // What restores the others is of no use: they were deleted, or their labels have been corrected again.
        for id in ids.into_iter().filter(|id| !changed.contains(id)) {
            step.records.delete_undo(&progress.owner, undo.job_id, id).await?;
        }
        if !is_running {
            return stop_counted(step, progress).await;
        }
        if progress.done || Instant::now() >= until {
            return Ok(progress);
        }
    }
}
