//! Reads the record of the image that a route's path names.

use crate::app::App;
use crate::http::access_log;
use crate::http::problem::Problem;
use domain::{ImageId, ImageRecord, Owner, Status};

/// Reads the ID in a route's path.
pub(crate) fn image_id(text: &str) -> Result<ImageId, Problem> {
    let id = ImageId::parse(text)
        .ok_or_else(|| Problem::invalid_field("imageId", "an image ID as returned by POST /uploads"))?;
    access_log::name_image(id);
    Ok(id)
}

/// Reads a record. Deleted images and images of other owners are not found.
pub(crate) async fn read(app: &App, owner: &Owner, id: ImageId) -> Result<ImageRecord, Problem> {
    let record = app.records.image(owner, id).await?;
    let record = record
        .filter(|record| record.status != Status::Deleted)
        .ok_or_else(Problem::no_such_image)?;
    name_execution(&record);
    Ok(record)
}

/// Names the image's latest execution in the log lines of the request.
pub(crate) fn name_execution(record: &ImageRecord) {
    if let Some(execution) = &record.execution_arn {
        access_log::name_execution(execution);
    }
}
