//! How many images a day one person may upload.

use crate::check_problem;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::table::{owner_partition, quota_sort};
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use tests::api::{Answer, File};
use tests::run;
use tests::seed::key;
use tests::users::User;

async fn announce(user: &User, announcement: &Value) -> Answer {
    user.api(
        Method::POST,
        "/uploads",
        Some("application/json"),
        announcement.to_string(),
    )
    .await
}

#[test]
fn beyond_the_quota_uploads_wait_for_the_next_day() {
    run(async |stack| {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let used_up = |owner, days: i32| {
            let mut item = key(
                owner_partition(owner),
                quota_sort(&today.saturating_add(days.days()).to_string()),
            );
            item.insert("count".into(), AttributeValue::N("1000000".into()));
            item
        };
        let good = File::cat().announcement();

        let user = stack.new_user("quota").await;
        // Today's, and tomorrow's in case that midnight passes.
        stack
            .write_items([0, 1].map(|days| used_up(&user.owner, days)).into_iter())
            .await;
        let refused = announce(&user, &good).await;
        check_problem("too many", &refused, 429, "too-many-images", None);
        let seconds: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=86_400).contains(&seconds), "{seconds}");
        let mut bad = good.clone();
        bad["size"] = json!(0);
        let refused = announce(&user, &bad).await;
        check_problem(
            "what is wrong with a request is told first",
            &refused,
            400,
            "invalid-field",
            Some("size"),
        );

        let user = stack.new_user("yesterday").await;
        stack.write_items([used_up(&user.owner, -1)].into_iter()).await;
        assert_eq!(
            announce(&user, &good).await.status,
            201,
            "yesterday's uploads do not count"
        );
    });
}
