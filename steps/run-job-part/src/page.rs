//! Reads the images of a job, a page at a time.

use crate::{IMAGES_PER_PAGE, RunJobPart, RunJobPartError, unreadable};
use domain::{ImageId, ImageRecord, JobProgress, Selection};
use std::cmp::Reverse;

/// The next images of a job, in descending order of their IDs.
#[derive(Debug)]
pub(crate) struct Page {
    /// Without closed tombstones. `None`: an image that the job names does not exist.
    pub(crate) images: Vec<(ImageId, Option<ImageRecord>)>,
    /// The last image that was read. `None` on the last page.
    pub(crate) last: Option<ImageId>,
}

/// The next images of the library, or all others that the job names. The caller checks whether they match the search.
pub(crate) async fn read(
    step: &RunJobPart,
    selection: &Selection,
    progress: &JobProgress,
) -> Result<Page, RunJobPartError> {
    let (records, owner) = (&step.records, &progress.owner);
    let named = match selection {
        Selection::Search(_) => {
            let page = records.images_page(owner, progress.after, IMAGES_PER_PAGE, unreadable);
            let page = page.await?;
            // A closed tombstone is not an image, and has no time.
            let images = page
                .images
                .into_iter()
                .filter(|image| !image.created_at.is_empty());
            return Ok(Page {
                images: images.map(|image| (image.image_id, Some(image))).collect(),
                last: page.last,
            });
        }
        Selection::Images(ids) => ids,
    };
    let mut ids = named.clone();
    ids.retain(|id| progress.after.is_none_or(|after| *id < after));
    ids.sort_by_key(|id| Reverse(*id));
    let mut images = vec![];
    for (id, image) in ids
        .iter()
        .zip(records.images(owner, &ids, unreadable, Some).await?)
    {
        let image = image.known()?;
        images.push((*id, image.filter(|image| !image.created_at.is_empty())));
    }
    Ok(Page { images, last: None })
}
