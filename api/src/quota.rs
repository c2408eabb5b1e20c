//! How many images an owner may upload a day: counted in an item of its own for each day, in UTC.

use crate::Api;
use crate::problem::Problem;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Owner;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};
use lambda::ServiceError;

/// How long a day's count is kept after the day: for whoever looks into it.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// Counts one image, unless the owner has had as many as a day allows.
///
/// # Errors
/// 429, with the seconds until the next day.
pub(crate) async fn take(api: &Api, owner: &Owner, now: Timestamp) -> Result<(), Problem> {
    let day = Day::of(now);
    let counted = api
        .dynamodb
        .update_item()
        .table_name(&api.table)
        .key(PARTITION_KEY, AttributeValue::S(table::owner_partition(owner)))
        .key(SORT_KEY, AttributeValue::S(table::quota_sort(&day.date)))
        .update_expression("SET expiresAt = :expiresAt ADD #count :one")
        .condition_expression("attribute_not_exists(#count) OR #count < :most")
        .expression_attribute_names("#count", "count")
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .expression_attribute_values(":most", AttributeValue::N(api.images_per_day.to_string()))
        .expression_attribute_values(
            ":expiresAt",
            AttributeValue::N((day.end + KEPT).as_second().to_string()),
        )
        .send()
        .await;
    match counted {
        Ok(_) => Ok(()),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
        {
            Err(Problem::too_many_images(
                api.images_per_day,
                day.seconds_left(now),
            ))
        }
        Err(error) => Err(ServiceError::of("dynamodb:UpdateItem", &error).into()),
    }
}

/// A day in UTC.
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
            // Only the last day that there is has none after it.
            end: end.map_or(Timestamp::MAX, |end| end.timestamp()),
        }
    }

    /// Until the next day, at least one.
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
