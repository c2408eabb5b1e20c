//! Deletes what a labeled video no longer needs.

use aws::ServiceError;
use aws_sdk_s3::Client;
use domain::Claim;
use domain::image::VIDEOS_PREFIX;
use domain::video::{POSTER, PREVIEW, TIMELINE, video_key};

/// Objects per page.
const PAGE: i32 = 1000;

/// Deletes the objects of earlier executions, and those that only the steps of this execution have read. Objects of an execution
/// that labels the video again are newer than the timeline of this one, and are kept.
pub(crate) async fn delete_unused(s3: &Client, claim: &Claim) -> Result<(), ServiceError> {
    let kept = [POSTER, PREVIEW, TIMELINE].map(|name| video_key(claim, name));
    let [.., timeline] = &kept;
    let found = objects::list(s3, &claim.bucket, timeline, None, 1).await?;
    let Some(until) = found.objects.first().map(|object| object.last_modified) else {
        return Ok(());
    };
    let prefix = format!("{VIDEOS_PREFIX}{}/{}/", claim.owner.as_str(), claim.image_id);
    let mut after: Option<String> = None;
    loop {
        let page = objects::list(s3, &claim.bucket, &prefix, after.as_deref(), PAGE).await?;
        for object in &page.objects {
            if object.last_modified <= until && !kept.contains(&object.key) {
                objects::delete(s3, &claim.bucket, &object.key).await?;
            }
        }
        after = page.objects.last().map(|object| object.key.clone());
        if !page.has_more || after.is_none() {
            return Ok(());
        }
    }
}
