//! Writes a file of an export.

use crate::{IMAGES_PER_PAGE, RunJobPart, RunJobPartError, stop, store, unreadable};
use ::export::{File, Image};
use aws::ServiceError;
use domain::export::MAX_FILES;
use domain::record::ImageResult;
use domain::{Export, ExportFile, ExportFormat, ExportSelection, ImageDetails, ImageRecord, JobProgress};
use records::{ImagesPage, Read, RecordsError};

/// Reads pages of images until the file is full, the time is over, or all images are read. Then writes the file, if any of the
/// images is in the export. The export therefore contains what existed when its part was read.
pub(crate) async fn run(
    step: &RunJobPart,
    export: &Export,
    mut progress: JobProgress,
    has_time: impl Fn() -> bool,
) -> Result<JobProgress, RunJobPartError> {
    let mut file = File::new(export.format)?;
    loop {
        let page = page(step, export, &progress).await?;
        // A closed tombstone is not an image, and has no time.
        let images = page
            .images
            .into_iter()
            .filter(|image| !image.created_at.is_empty());
        let images: Vec<_> = images.collect();
        progress.processed += match &export.selection {
            ExportSelection::Search(_) => images.len(),
            // The others do not exist.
            ExportSelection::Images(ids) => ids.len(),
        } as u64;
        for image in exported(step, export, images, &progress).await? {
            file.add(&image)?;
        }
        progress.after = page.last;
        if page.last.is_none() || file.is_full() || !has_time() {
            break;
        }
        if !step.records.advance_job(&progress).await? {
            return stop(step, progress).await;
        }
    }
    progress.done = progress.after.is_none();
    if file.images() > 0 {
        let written = write(step, export, &progress, file).await?;
        progress.files.push(written);
    }
    if store(step, &progress).await? {
        Ok(progress)
    } else {
        stop(step, progress).await
    }
}

/// The next images of the library, or all images that the export names.
async fn page(
    step: &RunJobPart,
    export: &Export,
    progress: &JobProgress,
) -> Result<ImagesPage, RunJobPartError> {
    let (records, owner) = (&step.records, &progress.owner);
    let ids = match &export.selection {
        ExportSelection::Search(_) => {
            let page = records.images_page(owner, progress.after, IMAGES_PER_PAGE, unreadable);
            return Ok(page.await?);
        }
        ExportSelection::Images(ids) => ids,
    };
    let mut images = vec![];
    for image in records.images(owner, ids, unreadable, Some).await? {
        match image {
            Read::Found(image) => images.push(image),
            Read::Absent => {}
            Read::Unread => {
                return Err(ServiceError::ServiceUnavailable("some records were not read".into()).into());
            }
        }
    }
    Ok(ImagesPage { images, last: None })
}

/// The images that the export contains.
async fn exported(
    step: &RunJobPart,
    export: &Export,
    mut images: Vec<ImageRecord>,
    progress: &JobProgress,
) -> Result<Vec<Image>, RecordsError> {
    images.retain(|image| export.selects(image));
    let images = match export.format {
        // A table has no details of labels.
        ExportFormat::Csv => images.into_iter().map(|image| (image, None)).collect(),
        ExportFormat::Json | ExportFormat::Xmp => {
            step.records
                .with_results(&progress.owner, images, unreadable)
                .await?
        }
    };
    let image = |(record, result): (ImageRecord, Option<ImageResult>)| Image {
        key: record.key.clone(),
        details: ImageDetails::new(record, &result.map(|result| result.answer).unwrap_or_default()),
    };
    Ok(images.into_iter().map(image).collect())
}

async fn write(
    step: &RunJobPart,
    export: &Export,
    progress: &JobProgress,
    file: File,
) -> Result<ExportFile, RunJobPartError> {
    let number = progress.files.len() + 1;
    if number > MAX_FILES {
        return Err(RunJobPartError::TooManyFiles);
    }
    let images = file.images();
    let bytes = file.finish()?;
    let written = ExportFile {
        name: ExportFile::name(number, progress.after),
        size: bytes.len() as u64,
        images,
    };
    let key = written.key(&progress.owner, progress.job_id);
    let content_type = export.format.content_type();
    objects::write(&step.s3, &step.bucket, &key, content_type, bytes).await?;
    Ok(written)
}
