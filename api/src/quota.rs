//! Counts the images that are labeled because of a request ([`records::Quotas`]).

use crate::app::App;
use crate::http::problem::Problem;
use aws::ServiceError;
use domain::Owner;
use domain::metric::{self, Quota as Limit};
use jiff::Timestamp;
use records::{CountedImage, Exhausted, MinutesExhausted};

/// Counts one image.
///
/// # Errors
/// The owner or all users together have reached their limit. The problem says which and when the limit resets.
pub(crate) async fn take(app: &App, owner: &Owner, now: Timestamp) -> Result<CountedImage, Problem> {
    let counted = app.records.count_image(owner, app.quotas, now).await?;
    counted.map_err(|exhausted| {
        let Exhausted {
            limit,
            images,
            until,
            seconds_left,
        } = exhausted;
        // Only here: a job that reaches a limit waits, and rejects nothing.
        metric::quota_rejected(limit);
        match limit {
            Limit::User => Problem::too_many_images(images, until, seconds_left),
            Limit::AllUsers => Problem::too_many_images_in_total(images, until, seconds_left),
        }
    })
}

/// Returns how many minutes of video can still be labeled today, before a video with this many is uploaded.
///
/// # Errors
/// The owner or all users together would exceed their limit. The problem says which and when the limit resets.
pub(crate) async fn check_video_minutes(
    app: &App,
    owner: &Owner,
    minutes: u32,
    now: Timestamp,
) -> Result<u32, Problem> {
    let left = app
        .records
        .check_video_minutes(owner, minutes, app.video_quotas, now)
        .await?;
    left.map_err(rejected)
}

/// Counts the minutes of a video that is labeled again.
///
/// # Errors
/// The owner or all users together would exceed their limit. The problem says which and when the limit resets.
pub(crate) async fn take_video_minutes(
    app: &App,
    owner: &Owner,
    minutes: u32,
    now: Timestamp,
) -> Result<(), Problem> {
    let counted = app
        .records
        .count_video_minutes(owner, minutes, app.video_quotas, now)
        .await?;
    counted.map_err(rejected)
}

fn rejected(exhausted: MinutesExhausted) -> Problem {
    metric::quota_rejected(exhausted.limit);
    Problem::too_many_video_minutes(exhausted)
}

/// Uncounts the minutes of a video that will not be labeled.
pub(crate) async fn release_video_minutes(app: &App, owner: &Owner, minutes: u32, now: Timestamp) {
    warn(app.records.uncount_video_minutes(owner, minutes, now).await);
}

/// Uncounts an image that will not be labeled.
pub(crate) async fn release(app: &App, counted: CountedImage) {
    warn(app.records.uncount_image(counted).await);
}

/// Uncounts an image after an error, unless the request may have succeeded.
pub(crate) async fn release_after(app: &App, counted: CountedImage, error: &ServiceError) {
    warn(app.records.uncount_image_after(counted, error).await);
}

/// The request still succeeds.
fn warn(uncounted: Result<(), ServiceError>) {
    if let Err(error) = uncounted {
        lambda_http::tracing::warn!(%error, "an image stays counted although it is not labeled");
    }
}
