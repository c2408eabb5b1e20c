//! Reads the IDs of images in requests, and the record of the image that a route's path names.

use crate::app::App;
use crate::http::access_log;
use crate::http::problem::Problem;
use domain::{ImageId, ImageRecord, Owner, Status};
use serde_json::Value;
use std::collections::HashSet;

/// The maximum number of images that a request can name.
const MAX_IDS: usize = 100;

/// The field with the images that a request names.
pub(crate) const IDS: (&str, &str) = ("ids", "a list of 1 to 100 image IDs as returned by POST /uploads");

/// Reads the ID in a route's path.
pub(crate) fn image_id(text: &str) -> Result<ImageId, Problem> {
    let id = ImageId::parse(text)
        .ok_or_else(|| Problem::invalid_field("imageId", "an image ID as returned by POST /uploads"))?;
    access_log::name_image(id);
    Ok(id)
}

/// Logs that a record among others is invalid.
#[expect(clippy::needless_pass_by_value, reason = "the type of callbacks in records")]
pub(crate) fn log_unreadable(error: String) {
    lambda_http::tracing::error!(%error, "a record cannot be read");
}

/// Reads distinct IDs, in their order.
pub(crate) fn image_ids(value: Value) -> Option<Vec<ImageId>> {
    let texts: Vec<String> = serde_json::from_value(value).ok()?;
    if !(1..=MAX_IDS).contains(&texts.len()) {
        return None;
    }
    let mut seen = HashSet::new();
    let mut ids = vec![];
    for text in texts {
        let id = ImageId::parse(&text)?;
        if seen.insert(id) {
            ids.push(id);
        }
    }
    Some(ids)
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn ids_are_distinct_and_limited() {
        let id = |number: usize| format!("0193a5a0-0000-7000-8000-{number:012}");
        assert_eq!(image_ids(json!([id(1), id(2), id(1)])).unwrap().len(), 2);
        assert_eq!(image_ids(json!([])), None);
        assert_eq!(image_ids(json!(["../images"])), None);
        assert_eq!(image_ids(json!((0..101).map(id).collect::<Vec<_>>())), None);
    }
}
