//! The daily limit of each user. `tests/tests/workflow_exclusive/daily_total.rs` tests the limit of all users together.

use crate::check_problem;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Status;
use domain::table::{owner_partition, quota_sort};
use futures_util::future::join_all;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use reqwest::Method;
use serde_json::{Value, json};
use tests::api::{Answer, File};
use tests::run;
use tests::seed::key;
use tests::users::User;

async fn create_upload(user: &User, announcement: &Value) -> Answer {
    user.api(
        Method::POST,
        "/uploads",
        Some("application/json"),
        announcement.to_string(),
    )
    .await
}

/// Otherwise one account could spend thousands of dollars a day by relabeling the same pictures.
#[test]
fn relabeling_counts_like_an_upload() {
    run(async |stack| {
        let user = stack.new_user("relabel-quota").await;
        let key = stack.upload_of(&user, &File::cat()).await;
        let labeled = stack.settled_as(&key, Status::Labeled).await.record;
        assert_eq!(stack.images_of_today(&owner_partition(&user.owner)).await, 1);
        assert_eq!(user.relabel(labeled.image_id).await.status, 202);
        assert_eq!(stack.images_of_today(&owner_partition(&user.owner)).await, 2);
        stack.settled_again(&labeled).await;

        let limit = stack.quotas().await.images_per_day;
        stack
            .set_images_of_today(&owner_partition(&user.owner), limit)
            .await;
        let rejected = user.relabel(labeled.image_id).await;
        check_problem("too many", &rejected, 429, "too-many-images", None);
        let detail = rejected.body["detail"].as_str().expect("a detail");
        assert!(
            detail.contains(&format!("{limit} images")) && detail.contains("T00:00:00Z"),
            "{detail}"
        );
        assert_eq!(
            stack.images_of_today(&owner_partition(&user.owner)).await,
            limit,
            "a rejected request does not count"
        );
    });
}

/// The page uploads several files concurrently.
#[test]
fn concurrent_uploads_cannot_exceed_the_limit() {
    run(async |stack| {
        let user = stack.new_user("quota-race").await;
        let limit = stack.quotas().await.images_per_day;
        stack
            .set_images_of_today(&owner_partition(&user.owner), limit - 2)
            .await;
        let good = File::cat().announcement();
        let answers = join_all((0..8).map(|_| create_upload(&user, &good))).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 201, 429, 429, 429, 429, 429, 429]);
    });
}

#[test]
fn uploads_beyond_the_limit_are_rejected_until_the_next_day() {
    run(async |stack| {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        let full_counter = |owner, days: i32| {
            let mut item = key(
                owner_partition(owner),
                quota_sort(&today.saturating_add(days.days()).to_string()),
            );
            item.insert("count".into(), AttributeValue::N("1000000".into()));
            item
        };
        let good = File::cat().announcement();

        let user = stack.new_user("quota").await;
        // Tomorrow's as well, in case the test runs at midnight.
        stack
            .write_items([0, 1].map(|days| full_counter(&user.owner, days)).into_iter())
            .await;
        let rejected = create_upload(&user, &good).await;
        check_problem("too many", &rejected, 429, "too-many-images", None);
        let seconds: u32 = rejected.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=86_400).contains(&seconds), "{seconds}");
        let mut bad = good.clone();
        bad["size"] = json!(0);
        let rejected = create_upload(&user, &bad).await;
        check_problem(
            "an invalid request is reported first",
            &rejected,
            400,
            "invalid-field",
            Some("size"),
        );

        let user = stack.new_user("yesterday").await;
        stack
            .write_items([full_counter(&user.owner, -1)].into_iter())
            .await;
        assert_eq!(
            create_upload(&user, &good).await.status,
            201,
            "yesterday's uploads do not count"
        );
    });
}
