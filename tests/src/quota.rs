//! Daily quotas of images, and how much of them is used.

use crate::Stack;
use crate::seed::key;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Owner;
use domain::table::{owner_partition, quota_sort, video_quota_sort};
use jiff::{Timestamp, ToSpan, tz::TimeZone};

/// The deployed limits.
#[derive(Debug, Clone, Copy)]
pub struct Quotas {
    /// Images of each user.
    pub images_per_day: u32,
    /// Images of all users together.
    pub total_images_per_day: u32,
}

impl Quotas {
    /// What jobs use of a user's limit at most: 80%.
    #[must_use]
    pub fn images_of_jobs_per_day(self) -> u32 {
        self.images_per_day - self.images_per_day.div_ceil(5)
    }
}

/// Sort keys of the counters of today and of tomorrow, in case midnight passes.
fn counter_sort_keys() -> [String; 2] {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    [0, 1].map(|days| quota_sort(&today.saturating_add(days.days()).to_string()))
}

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
        }
    }

    /// The value of today's counter in a partition.
    ///
    /// # Panics
    /// If the table does not answer.
    pub async fn images_of_today(&self, partition: &str) -> u32 {
        let [today, _] = counter_sort_keys();
        self.count(partition.to_owned(), today).await
    }

    async fn count(&self, partition: String, sort: String) -> u32 {
        let item = self.dynamodb.get_item().table_name(&self.table);
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

    /// The minutes of video of an owner that count today.
    ///
    /// # Panics
    /// If the table does not answer.
    pub async fn video_minutes_of_today(&self, owner: &Owner) -> u32 {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        self.count(owner_partition(owner), video_quota_sort(&today.to_string()))
            .await
    }

    /// Sets the counters of today and tomorrow in a partition.
    ///
    /// # Panics
    /// If the table does not answer.
    pub async fn set_images_of_today(&self, partition: &str, images: u32) {
        let counters = counter_sort_keys().map(|sort| {
            let mut item = key(partition.to_owned(), sort);
            item.insert("count".into(), AttributeValue::N(images.to_string()));
            item
        });
        self.write_items(counters.into_iter()).await;
    }
}
