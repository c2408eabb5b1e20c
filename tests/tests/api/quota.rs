//! The daily limit of each user. `tests/tests/workflow_exclusive/daily_total.rs` tests the limit of all users together.

use crate::check_problem;
use domain::Status;
use domain::table::owner_partition;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tests::api::{Answer, File};
use tests::run;
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
        let day = stack.day().await;
        let user = stack.new_user("relabel-quota").await;
        let key = stack.upload_of(&user, &File::cat()).await;
        let labeled = stack.settled_as(&key, Status::Labeled).await.record;
        assert_eq!(day.images(&owner_partition(&user.owner)).await, 1);
        assert_eq!(user.relabel(labeled.image_id).await.status, 202);
        assert_eq!(day.images(&owner_partition(&user.owner)).await, 2);
        stack.settled_again(&labeled).await;

        let limit = stack.quotas().await.images_per_day;
        day.set_images(&owner_partition(&user.owner), limit).await;
        let rejected = user.relabel(labeled.image_id).await;
        check_problem("too many", &rejected, 429, "too-many-images", None);
        let detail = rejected.body["detail"].as_str().expect("a detail");
        assert!(
            detail.contains(&format!("{limit} images")) && detail.contains("T00:00:00Z"),
            "{detail}"
        );
        assert_eq!(
            day.images(&owner_partition(&user.owner)).await,
            limit,
            "a rejected request does not count"
        );
    });
}

/// The page uploads several files concurrently.
#[test]
fn concurrent_uploads_cannot_exceed_the_limit() {
    run(async |stack| {
        let day = stack.day().await;
        let user = stack.new_user("quota-race").await;
        let limit = stack.quotas().await.images_per_day;
        day.set_images(&owner_partition(&user.owner), limit - 2).await;
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
        let day = stack.day().await;
        let good = File::cat().announcement();

        let user = stack.new_user("quota").await;
        day.set_images(&owner_partition(&user.owner), 1_000_000).await;
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
        day.before()
            .set_images(&owner_partition(&user.owner), 1_000_000)
            .await;
        assert_eq!(
            create_upload(&user, &good).await.status,
            201,
            "yesterday's uploads do not count"
        );
    });
}

/// Otherwise someone would upload gigabytes for hours, and then read that the video was rejected.
#[test]
fn a_video_is_refused_before_its_upload_if_too_few_minutes_are_left() {
    run(async |stack| {
        let day = stack.day().await;
        let user = stack.new_user("video-quota").await;
        let limit = stack.quotas().await.video_minutes_per_day;
        let video = |minutes: Option<u32>| {
            let duration = minutes.map(|minutes| u64::from(minutes) * 60_000);
            json!({"fileName": "a.mp4", "contentType": "video/mp4", "size": 9_000_000_000_u64, "durationMs": duration})
        };
        let longest = create_upload(&user, &video(Some(limit))).await;
        assert_eq!(longest.status, 201, "{longest:?}");
        assert_eq!(longest.body["videoMinutesLeftToday"], limit);
        let longer = create_upload(&user, &video(Some(limit + 1))).await;
        check_problem("longer than a day", &longer, 413, "too-large", Some("durationMs"));

        day.set_video_minutes(&user.owner, limit - 1).await;
        let images = day.images(&owner_partition(&user.owner)).await;
        let refused = create_upload(&user, &video(Some(2))).await;
        check_problem("two minutes", &refused, 429, "too-many-video-minutes", None);
        assert_eq!(create_upload(&user, &video(None)).await.status, 201);
        day.set_video_minutes(&user.owner, limit).await;
        let refused = create_upload(&user, &video(None)).await;
        check_problem("nothing left", &refused, 429, "too-many-video-minutes", None);
        let detail = refused.body["detail"].as_str().expect("a detail");
        assert!(detail.contains(&format!("{limit} minutes of video")), "{detail}");
        assert_eq!(
            day.images(&owner_partition(&user.owner)).await,
            images + 1,
            "a refused video does not count as an image"
        );
        let picture = create_upload(&user, &File::cat().announcement()).await;
        assert_eq!(picture.status, 201, "pictures have no minutes");
    });
}
