//! Daily quotas of images, and how much of them is used.

use crate::Stack;
use crate::seed::key;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Owner;
use domain::table::{owner_partition, quota_sort, video_quota_sort};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan, tz::TimeZone};
use std::time::Duration;

/// The deployed limits.
#[derive(Debug, Clone, Copy)]
pub struct Quotas {
    /// Images of each user.
    pub images_per_day: u32,
    /// Images of all users together.
    pub total_images_per_day: u32,
    /// Minutes of video of each user.
    pub video_minutes_per_day: u32,
}

impl Quotas {
    /// What jobs use of a user's limit at most: 80%.
    #[must_use]
    pub fn images_of_jobs_per_day(self) -> u32 {
        self.images_per_day - self.images_per_day.div_ceil(5)
    }
}

/// A day of the counters, in UTC, which does not end while a test runs.
#[derive(Debug, Clone, Copy)]
pub struct Day<'s> {
    stack: &'s Stack,
    date: Date,
}

/// The time that the slowest test needs, with a large margin.
const TEST: SignedDuration = SignedDuration::from_mins(10);

impl Stack {
    /// The limits in the configuration of the API's function.
    ///
    /// # Panics
    /// If Lambda does not return it.
    pub async fn quotas(&self) -> Quotas {
        let name = format!("{}-api", self.event_bus);
        let function = self.lambda.get_function_configuration().function_name(name);
        let environment = function.send().await.expect("the API's function").environment;
        let variables = environment.and_then(|all| all.variables).unwrap_or_default();
        let limit = |name: &str| variables[name].parse().expect("a number");
        Quotas {
            images_per_day: limit("IMAGES_PER_DAY"),
            total_images_per_day: limit("TOTAL_IMAGES_PER_DAY"),
            video_minutes_per_day: limit("VIDEO_MINUTES_PER_DAY"),
        }
    }

    /// Today. Waits for midnight if it is near: what a test counts belongs to one day.
    pub async fn day(&self) -> Day<'_> {
        let now = Timestamp::now().to_zoned(TimeZone::UTC);
        let midnight = now.tomorrow().expect("a day").start_of_day().expect("midnight");
        let left = now.duration_until(&midnight);
        if left < TEST {
            tokio::time::sleep(left.unsigned_abs() + Duration::from_secs(1)).await;
        }
        let date = Timestamp::now().to_zoned(TimeZone::UTC).date();
        Day { stack: self, date }
    }
}

impl Day<'_> {
    /// The day before this one.
    #[must_use]
    pub fn before(self) -> Self {
        Self {
            date: self.date.saturating_sub(1.day()),
            ..self
        }
    }

    /// The number of images in a partition's counter.
    ///
    /// # Panics
    /// If the table does not answer.
    pub async fn images(&self, partition: &str) -> u32 {
        self.count(partition.to_owned(), quota_sort(&self.date.to_string()))
            .await
    }

    /// The minutes of video of an owner.
    ///
    /// # Panics
    /// If the table does not answer.
    pub async fn video_minutes(&self, owner: &Owner) -> u32 {
        self.count(owner_partition(owner), video_quota_sort(&self.date.to_string()))
            .await
    }

    async fn count(&self, partition: String, sort: String) -> u32 {
        let item = self.stack.dynamodb.get_item().table_name(&self.stack.table);
        let item = item
            .set_key(Some(key(partition, sort)))
            .consistent_read(true)
            .send();
        let item = item
            .await
            .expect("an answer of the table")
            .item
            .unwrap_or_default();
        item.get("count").map_or(0, |count| {
            count.as_n().expect("a number").parse().expect("a whole number")
        })
    }

    /// Sets the number of images in a partition's counter.
    ///
    /// # Panics
    /// If the table does not answer.
    pub async fn set_images(&self, partition: &str, images: u32) {
        self.set(partition.to_owned(), quota_sort(&self.date.to_string()), images)
            .await;
    }

    /// Sets the minutes of video of an owner.
    ///
    /// # Panics
    /// If the table does not answer.
    pub async fn set_video_minutes(&self, owner: &Owner, minutes: u32) {
        self.set(
            owner_partition(owner),
            video_quota_sort(&self.date.to_string()),
            minutes,
        )
        .await;
    }

    async fn set(&self, partition: String, sort: String, count: u32) {
        let mut counter = key(partition, sort);
        counter.insert("count".into(), AttributeValue::N(count.to_string()));
        self.stack.write_items([counter].into_iter()).await;
    }
}
