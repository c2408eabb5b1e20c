//! Deletes images with everything that belongs to them. `crates/deletion` explains the steps of each deletion.
//!
//! A repeated part cannot tell from a tombstone whether the last attempt has deleted the image. Therefore the job's record names
//! the images of a page as `pending` before any of them is deleted, as for corrections. A repeated part completes their deletions
//! and counts each once. Images that another request deletes before the job begins with their page do not count as changed.

use crate::{RunJobPart, RunJobPartError, page, stop_counted, store, unreadable};
use deletion::Deletion;
use domain::{BulkDeletion, ImageId, ImageRecord, JobProgress, Selection, Status};
use futures_util::{StreamExt, TryStreamExt, stream};
use records::{Deletable, RecordsError};
use std::time::Instant;

/// Images that are deleted concurrently: few, because their transactions conflict at the same label counts.
const CONCURRENCY: usize = 4;

/// Deletes pages of images until `until`, or until all are processed. `pending` are the images that the last attempt was
/// deleting.
pub(crate) async fn run(
    step: &RunJobPart,
    job: &BulkDeletion,
    mut progress: JobProgress,
    pending: &[ImageId],
    until: Instant,
) -> Result<JobProgress, RunJobPartError> {
    if !pending.is_empty() {
        let deleted = complete(step, job, &progress, pending).await?;
        progress.changed += deleted;
        // They are not on the next page of the library anymore. Images that the job names are read again.
        if matches!(job.selection, Selection::Search(_)) {
            progress.processed += deleted;
        }
        if !store(step, &progress).await? {
            return stop_counted(step, progress).await;
        }
    }
    loop {
        let page = page::read(step, &job.selection, &progress).await?;
        let images = page.images.iter().filter_map(|(_, image)| image.as_ref());
        let selected = images.filter(|image| job.selects(image));
        let ids: Vec<_> = selected.map(|image| image.image_id).collect();
        if !ids.is_empty() {
            if !step.records.begin_images(&progress, &ids).await? {
                return stop_counted(step, progress).await;
            }
            progress.changed += delete(step, job, &progress, ids).await?;
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

/// Deletes images that have not changed since they were counted, also if they do only now. Returns how many were not deleted
/// before.
async fn delete(
    step: &RunJobPart,
    job: &BulkDeletion,
    progress: &JobProgress,
    ids: Vec<ImageId>,
) -> Result<u64, RecordsError> {
    let deletable = Deletable::UnchangedSince(&job.created_before);
    let RunJobPart {
        s3, bucket, records, ..
    } = step;
    let deletions: Vec<_> = stream::iter(ids)
        .map(|id| deletion::delete(s3, bucket, records, (&progress.owner, id), deletable))
        .buffer_unordered(CONCURRENCY)
        .try_collect()
        .await?;
    let deleted = deletions
        .iter()
        .filter(|deletion| **deletion == Deletion::Deleted);
    Ok(deleted.count() as u64)
}

/// Completes the deletions that the last attempt has begun. Returns how many images are deleted.
async fn complete(
    step: &RunJobPart,
    job: &BulkDeletion,
    progress: &JobProgress,
    pending: &[ImageId],
) -> Result<u64, RecordsError> {
    let owner = &progress.owner;
    let mut deleted = 0;
    let mut ids = vec![];
    for image in step.records.images(owner, pending, unreadable, Some).await? {
        match image.known()? {
            // A closed tombstone has no time.
            Some(tombstone) if tombstone.status == Status::Deleted && !tombstone.created_at.is_empty() => {
                resume(step, &tombstone).await?;
                deleted += 1;
            }
            Some(image) if image.status != Status::Deleted => {
                // Not a newer picture under the key of the deleted one.
                if job.selects(&image) {
                    ids.push(image.image_id);
                }
            }
            Some(_) | None => deleted += 1,
        }
    }
    Ok(deleted + delete(step, job, progress, ids).await?)
}

async fn resume(step: &RunJobPart, tombstone: &ImageRecord) -> Result<(), RecordsError> {
    deletion::resume(&step.s3, &step.bucket, &step.records, tombstone).await
}
