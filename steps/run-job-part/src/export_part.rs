//! Writes a file of an export.

use crate::{RunJobPart, RunJobPartError, page, stop, store, unreadable};
use ::export::{File, Image};
use domain::export::MAX_FILES;
use domain::record::ImageResult;
use domain::{Export, ExportFile, ExportFormat, ImageDetails, ImageRecord, JobProgress};
use records::RecordsError;

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
        let page = page::read(step, &export.selection, &progress).await?;
        progress.processed += page.images.len() as u64;
        let images: Vec<_> = page.images.into_iter().filter_map(|(_, image)| image).collect();
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

/// The images that the export contains.
async fn exported(
    step: &RunJobPart,
    export: &Export,
    mut images: Vec<ImageRecord>,
    progress: &JobProgress,
) -> Result<Vec<Image>, RecordsError> {
    images.retain(|image| export.selection.selects(image));
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
