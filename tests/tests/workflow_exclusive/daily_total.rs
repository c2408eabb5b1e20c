//! The number of images that all users together can upload or relabel each day. The whole stack has one counter.

use crate::DAILY_TOTAL;
use domain::Status;
use domain::table::{STACK_PARTITION, owner_partition};
use futures_util::future::join_all;
use tests::api::{Answer, File};
use tests::run;

fn kind(answer: &Answer) -> &str {
    let kind = answer.body["type"].as_str().unwrap_or_default();
    kind.rsplit(':').next().unwrap_or_default()
}

/// Without this limit, many accounts, or one person with many, could spend any amount.
#[test]
fn all_users_together_cannot_exceed_the_daily_total() {
    run(async |stack| {
        let total = DAILY_TOTAL.write().await;
        // After the lock: waiting for it can take until the next day.
        let day = stack.day().await;
        let limit = stack.quotas().await.total_images_per_day;
        let relabeling_user = stack.new_user("total").await;
        let key = stack.upload_of(&relabeling_user, &File::cat()).await;
        let labeled = stack.settled_as(&key, Status::Labeled).await.record;
        let mut users = vec![];
        for _ in 0..6 {
            users.push(stack.new_user("total").await);
        }

        // Nothing below may panic before the counter is restored.
        let before = day.images(STACK_PARTITION).await;
        day.set_images(STACK_PARTITION, limit - 2).await;
        let announcement = File::cat().announcement();
        let answers = join_all(users.iter().map(|user| user.announce(&announcement))).await;
        let relabel = relabeling_user.relabel(labeled.image_id).await;
        let counted = day.images(STACK_PARTITION).await;
        day.set_images(STACK_PARTITION, before).await;
        drop(total);

        let (taken, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 201);
        assert_eq!((taken.len(), refused.len()), (2, 4), "{answers:?}");
        for refused in refused.into_iter().chain([&relabel]) {
            assert_eq!(
                (refused.status, kind(refused)),
                (429, "too-many-images-in-total"),
                "{refused:?}"
            );
            let detail = refused.body["detail"].as_str().expect("a text");
            assert!(
                detail.contains(&format!("{limit} images")) && detail.contains("T00:00:00Z"),
                "{detail}"
            );
            let seconds: u32 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=86_400).contains(&seconds), "{seconds}");
        }
        assert_eq!(counted, limit);
        let mut own = 0;
        for user in &users {
            own += day.images(&owner_partition(&user.owner)).await;
        }
        assert_eq!(own, 2, "a request beyond the total does not count for its user");
        assert_eq!(
            day.images(&owner_partition(&relabeling_user.owner)).await,
            1,
            "neither does a request to relabel"
        );
    });
}
