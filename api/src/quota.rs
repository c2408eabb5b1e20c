//! Limits how many images are labeled per day (UTC), by each user and by all users together, because each image costs
//! money. Uploads and relabeled images count alike.
//!
//! Each day has two counters: one in the owner's partition and one for the stack. The owner's counter is incremented
//! first, then the stack's. Each conditional update fails at its limit, so that concurrent requests cannot exceed either.
//! In one transaction over both counters, concurrent uploads would conflict at the stack's counter. In the opposite order,
//! an owner without quota could use up the quota of all users.

use crate::app::{App, Quotas};
use crate::http::problem::Problem;
use aws::ServiceError;
use domain::Owner;
use domain::metric::{self, Quota as Limit};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use records::{Counter, Quota};

/// How long a counter is kept after its day, for operators.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// An image that was counted.
#[derive(Debug)]
pub(crate) struct Counted {
    owner: Owner,
    day: Day,
}

/// Counts one image.
///
/// # Errors
/// The owner or all users together have reached their limit. The problem says which and when the limit resets.
pub(crate) async fn take(app: &App, owner: &Owner, now: Timestamp) -> Result<Counted, Problem> {
    let Quotas {
        images_per_day,
        total_images_per_day,
    } = app.quotas;
    let counted = Counted {
        owner: owner.clone(),
        day: Day::of(now),
    };
    let day = &counted.day;
    let seconds_left = day.seconds_left(now);
    let own = Counter::Owner(owner);
    if !increment(app, own, day, images_per_day).await? {
        metric::quota_rejected(Limit::User);
        return Err(Problem::too_many_images(images_per_day, day.end, seconds_left));
    }
    let all = increment(app, Counter::All, day, total_images_per_day).await;
    if !matches!(all, Ok(true)) {
        decrement(app, own, day).await;
    }
    if all? {
        metric::image_counted();
        Ok(counted)
    } else {
        metric::quota_rejected(Limit::AllUsers);
        Err(Problem::too_many_images_in_total(
            total_images_per_day,
            day.end,
            seconds_left,
        ))
    }
}

/// Uncounts an image that will not be labeled.
pub(crate) async fn release(app: &App, counted: Counted) {
    decrement(app, Counter::All, &counted.day).await;
    decrement(app, Counter::Owner(&counted.owner), &counted.day).await;
}

/// Uncounts an image after an error. After [`ServiceError::ServiceUnavailable`] the image stays counted: the request may
/// have succeeded.
pub(crate) async fn release_after(app: &App, counted: Counted, error: &ServiceError) {
    if !matches!(error, ServiceError::ServiceUnavailable(_)) {
        release(app, counted).await;
    }
}

/// Increments a counter. Returns `false` if it has reached `limit`.
async fn increment(app: &App, counter: Counter<'_>, day: &Day, limit: u32) -> Result<bool, ServiceError> {
    let quota = Quota {
        date: &day.date,
        limit,
        expires_at: day.end + KEPT,
    };
    app.records.use_quota(counter, quota).await
}

/// Decrements a counter. If that fails, one image fewer can be labeled that day, and the request still succeeds.
async fn decrement(app: &App, counter: Counter<'_>, day: &Day) {
    if let Err(error) = app.records.return_quota(counter, &day.date).await {
        lambda_http::tracing::warn!(%error, "an image stays counted although it is not labeled");
    }
}

/// A day in UTC.
#[derive(Debug)]
struct Day {
    /// Such as `2026-11-22`.
    date: String,
    end: Timestamp,
}

impl Day {
    fn of(now: Timestamp) -> Self {
        let now: Zoned = now.to_zoned(TimeZone::UTC);
        let end = now.start_of_day().and_then(|start| start.checked_add(1.day()));
        Self {
            date: now.date().to_string(),
            // Only the last day that a timestamp can represent has no next day.
            end: end.map_or(Timestamp::MAX, |end| end.timestamp()),
        }
    }

    /// Seconds until the next day. At least one.
    fn seconds_left(&self, now: Timestamp) -> u32 {
        let left = self.end.duration_since(now).as_secs() + 1;
        u32::try_from(left.max(1)).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_utc() {
        let now: Timestamp = "2026-11-22T23:59:58.5Z".parse().unwrap();
        let day = Day::of(now);
        assert_eq!(day.date, "2026-11-22");
        assert_eq!(format!("{}", day.end), "2026-11-23T00:00:00Z");
        assert_eq!(day.seconds_left(now), 2, "not before midnight");
        assert_eq!(Day::of(day.end).date, "2026-11-23");
    }
}
