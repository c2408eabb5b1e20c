//! `DELETE /account/data`: deletes all data of an owner, in as many requests as that takes.

use crate::app::App;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::routes::deletion::delete_image;
use crate::routes::uploads::UPLOAD_VALID_FOR;
use axum::Json;
use axum::extract::State;
use deletion::Deletion;
use domain::image::UPLOADS_PREFIX;
use domain::{ImageId, ImageKey, Owner, export, import};
use futures_util::future::ready;
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use records::{Deletable, Unrecorded};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use utoipa::ToSchema;

/// No deletion starts after this time. API Gateway times out after 30 seconds.
const BUDGET: Duration = Duration::from_secs(15);
/// Images that are deleted concurrently: few, because their transactions conflict at the same label counts.
const CONCURRENCY: usize = 4;
/// Objects or jobs per page of a listing.
const PAGE: i32 = 100;

/// The progress of the deletion.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Progress {
    /// Whether everything is deleted. If not, repeat the request.
    done: bool,
    /// Images that this request deleted.
    deleted_images: usize,
}

/// Deletes settings, images, objects without a record, label counts, jobs, exported files and results of imports. The caller repeats the request until it is done.
/// Each request starts with whatever is left.
///
/// Two kinds of items remain and expire: tombstones, without which an upload in progress would bring its image back, and
/// today's quota counter, so that nobody escapes the quota.
#[utoipa::path(
    delete,
    path = "/account/data",
    tag = "account",
    operation_id = "deleteData",
    summary = "Delete all your data",
    description = "Deletes images with their files and labels, label counts, settings, jobs and exported files, but not the \
        account. Each request works for up to 15 seconds. Repeat it until `done` is true.",
    responses((status = 200, description = "The progress", body = Progress)),
)]
pub(crate) async fn delete(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
) -> Result<Json<impl Serialize>, Problem> {
    let erasure = Erasure {
        app: &app,
        owner: &owner,
        until: Instant::now() + BUDGET,
    };
    let uploads = format!("{UPLOADS_PREFIX}{}/", owner.as_str());
    let mut deleted_images = 0;
    app.records.delete_settings(&owner).await?;
    // First the jobs: an import ends when its job is gone, and would bring back what is deleted before.
    let done = erasure.jobs().await?
        && erasure.images(&mut deleted_images).await?
        && erasure.objects(&uploads, &mut deleted_images).await?
        // After the images: a job that corrects one stores an undo item.
        && erasure.undo().await?
        && erasure.counts().await?
        // After the jobs: a step that writes a file or a copy reads the job afterwards, and deletes what it wrote if the job is gone.
        && erasure.objects(&export::owner_prefix(&owner), &mut deleted_images).await?
        && erasure.objects(&import::owner_prefix(&owner), &mut deleted_images).await?;
    Ok(Json(Progress { done, deleted_images }))
}

struct Erasure<'a> {
    app: &'a App,
    owner: &'a Owner,
    until: Instant,
}

impl Erasure<'_> {
    fn has_time(&self) -> bool {
        Instant::now() < self.until
    }

    /// Deletes all images with a record, and resumes interrupted deletions. Returns whether all are deleted.
    async fn images(&self, deleted: &mut usize) -> Result<bool, Problem> {
        let (records, owner) = (&self.app.records, self.owner);
        // Closed tombstones are not in the index, so that deleted images are not read again.
        let mut start = None;
        loop {
            let page = records.all_images(owner, start).await?;
            if !self.delete_images(page.items, deleted).await? {
                return Ok(false);
            }
            match page.next {
                None => break,
                next => start = next,
            }
        }
        // The index is eventually consistent. Uploads of the last minutes have to be read from the table itself: they may
        // have no object yet.
        let now = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        let validity = u64::try_from(UPLOAD_VALID_FOR.as_millis()).unwrap_or_default();
        let mut start = None;
        loop {
            let announced = now.saturating_sub(validity)..now + validity;
            let page = records.images_announced(owner, announced, start).await?;
            if !self.delete_images(page.items, deleted).await? {
                return Ok(false);
            }
            match page.next {
                None => return Ok(true),
                next => start = next,
            }
        }
    }

    /// Deletes images. Returns whether there was time for all of them.
    async fn delete_images(&self, ids: Vec<ImageId>, deleted: &mut usize) -> Result<bool, Problem> {
        let count = ids.len();
        let results: Vec<_> = stream::iter(ids)
            .take_while(|_| ready(self.has_time()))
            .map(|id| delete_image(self.app, self.owner, id, Deletable::Image))
            .buffer_unordered(CONCURRENCY)
            .try_collect()
            .await?;
        *deleted += results
            .iter()
            .filter(|result| **result == Deletion::Deleted)
            .count();
        Ok(results.len() == count)
    }

    /// Deletes all objects with a prefix: uploads without a record, old versions of deleted objects, the files of exports, or the
    /// results of imports.
    /// Returns whether all are deleted.
    async fn objects(&self, prefix: &str, deleted: &mut usize) -> Result<bool, Problem> {
        let App { s3, bucket, .. } = self.app;
        loop {
            let page = objects::list_versions(s3, bucket, prefix, PAGE).await?;
            if page.versions.is_empty() {
                return Ok(true);
            }
            let keys: BTreeSet<String> = page.versions.into_iter().map(|version| version.key).collect();
            for key in &keys {
                if !self.has_time() {
                    return Ok(false);
                }
                // A folder marker is not an image, and neither is the file of an export.
                if let Some(image) = ImageKey::parse(bucket, key) {
                    let object = Deletable::Object(Unrecorded { bucket, key });
                    let deletion = delete_image(self.app, self.owner, image.image_id, object).await?;
                    *deleted += usize::from(deletion == Deletion::Deleted);
                }
                objects::delete(s3, bucket, key).await?;
            }
        }
    }

    /// Deletes the counts of labels that no image has. Returns whether there was time for all of them.
    async fn counts(&self) -> Result<bool, Problem> {
        let records = &self.app.records;
        let mut start = None;
        loop {
            let page = records.label_count_keys(self.owner, start).await?;
            for key in page.items {
                if !self.has_time() {
                    return Ok(false);
                }
                records.delete_unused_label_count(self.owner, key).await?;
            }
            match page.next {
                None => return Ok(true),
                next => start = next,
            }
        }
    }

    /// Deletes the undo items of jobs. Returns whether all is deleted.
    async fn undo(&self) -> Result<bool, Problem> {
        let (records, owner) = (&self.app.records, self.owner);
        let mut start = None;
        loop {
            let page = records.undo_keys(owner, start).await?;
            let count = page.items.len();
            let deleted: Vec<_> = stream::iter(page.items)
                .take_while(|_| ready(self.has_time()))
                .map(|key| records.delete_undo_key(owner, key))
                .buffer_unordered(CONCURRENCY)
                .try_collect()
                .await?;
            if deleted.len() < count {
                return Ok(false);
            }
            match page.next {
                None => return Ok(true),
                next => start = next,
            }
        }
    }

    /// Deletes the records of jobs. A running job ends when it finds no record. Returns whether all are deleted.
    async fn jobs(&self) -> Result<bool, Problem> {
        let records = &self.app.records;
        let mut start = None;
        loop {
            // By their keys: jobs that cannot be read are deleted, too.
            let page = records.job_keys(self.owner, start).await?;
            for key in page.items {
                if !self.has_time() {
                    return Ok(false);
                }
                records.delete_job_key(self.owner, key).await?;
            }
            match page.next {
                None => return Ok(true),
                next => start = next,
            }
        }
    }
}
