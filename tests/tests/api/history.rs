//! Pages of an owner's images.

use crate::{all, get, page};
use domain::Status;
use std::collections::HashSet;
use tests::run;
use tests::seed::Seed;
use uuid::Uuid;

/// Images that are one second apart. Every tenth has the time of the previous one.
fn images(count: usize, day: &str) -> Vec<Seed> {
    let image = |index: usize| {
        let index = if index % 10 == 1 { index - 1 } else { index };
        let (hour, minute, second) = (index / 3600, index / 60 % 60, index % 60);
        Seed::labeled(
            &format!("{day}T{hour:02}:{minute:02}:{second:02}.000Z"),
            &[("Cat", 90.0)],
        )
    };
    (0..count).map(image).collect()
}

/// The images' IDs in the order of the history.
fn newest_first<'a>(images: impl IntoIterator<Item = &'a Seed>) -> Vec<String> {
    let mut images: Vec<_> = images.into_iter().collect();
    images.sort_by_key(|image| image.history());
    images
        .iter()
        .rev()
        .map(|image| image.image_id.to_string())
        .collect()
}

#[test]
fn pages_show_each_of_2000_images_once_while_others_are_added_and_deleted() {
    run(async |stack| {
        let user = stack.new_user("history").await;
        let images = images(2000, "2026-11-10");
        stack.seed(&user.owner, &images).await;
        assert_eq!(all(&user, "limit=100").await, newest_first(&images));

        let (newer, older) = (self::images(20, "2026-11-11"), self::images(20, "2026-11-09"));
        // Images that are deleted after and before a page showed them, including the last one of a page and the first
        // one of the next page.
        let deleted: Vec<&Seed> = (0..2000)
            .step_by(40)
            .chain([1699, 1700])
            .map(|index| &images[index])
            .collect();
        let mut seen: Vec<String> = vec![];
        let mut cursor = String::new();
        for round in 0.. {
            let (ids, next) = page(&get(&user, &format!("/images?limit=100{cursor}")).await);
            seen.extend(ids);
            if round == 2 {
                stack.seed(&user.owner, &newer).await;
                stack.seed(&user.owner, &older).await;
                for image in &deleted {
                    stack.mark_deleted(&user.owner, image).await;
                }
            }
            match next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }

        let deleted: HashSet<String> = deleted.iter().map(|image| image.image_id.to_string()).collect();
        let kept: Vec<String> = newest_first(&images)
            .into_iter()
            .filter(|id| !deleted.contains(id))
            .collect();
        let kept_ids: HashSet<&String> = kept.iter().collect();
        let seen_kept: Vec<String> = seen.iter().filter(|id| kept_ids.contains(id)).cloned().collect();
        assert_eq!(
            seen_kept, kept,
            "each image that exists throughout is shown once, in order"
        );
        let newer: HashSet<String> = newest_first(&newer).into_iter().collect();
        assert!(
            !seen.iter().any(|id| newer.contains(id)),
            "newer images don't shift later pages"
        );
        assert_eq!(
            seen[seen.len() - 20..],
            newest_first(&older),
            "older images are found"
        );
    });
}

#[test]
fn images_without_a_file_are_listed_only_by_their_status() {
    run(async |stack| {
        let user = stack.new_user("awaiting").await;
        let mut images = images(60, "2026-11-10");
        for image in &mut images[..40] {
            image.status = Status::AwaitingUpload;
        }
        for image in &mut images[50..] {
            image.status = Status::Failed;
        }
        stack.seed(&user.owner, &images).await;
        assert_eq!(all(&user, "limit=7").await, newest_first(&images[40..]));
        assert_eq!(
            all(&user, "limit=7&status=AWAITING_UPLOAD").await,
            newest_first(&images[..40])
        );
        assert_eq!(
            all(&user, "limit=7&status=FAILED").await,
            newest_first(&images[50..])
        );
        assert_eq!(all(&user, "status=REJECTED").await, Vec::<String>::new());
    });
}

#[test]
fn several_images_can_be_read_by_their_ids() {
    run(async |stack| {
        let user = stack.new_user("several").await;
        let mut images = images(5, "2026-11-10");
        images[1].status = Status::AwaitingUpload;
        stack.seed(&user.owner, &images).await;
        stack.mark_deleted(&user.owner, &images[2]).await;
        let id = |index: usize| images[index].image_id.to_string();
        let unknown = Uuid::now_v7();
        let query = format!("id={}&id={unknown}&id={}&id={}&id={}", id(3), id(1), id(2), id(3));
        let answer = get(&user, &format!("/images?{query}")).await;
        assert_eq!(page(&answer), (vec![id(3), id(1)], None));
        let whole = get(&user, &format!("/images/{}", id(3))).await.body;
        let summary = &answer.body["images"][0];
        assert_eq!(
            summary["labels"],
            serde_json::json!([{"name": "Cat", "confidence": 90.0, "added": false, "keyword": false}])
        );
        for (name, value) in summary
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name != "labels")
        {
            assert_eq!(&whole[name], value, "{name}");
        }
    });
}

#[test]
fn an_owner_without_images_has_one_empty_page() {
    run(async |stack| {
        let user = stack.new_user("empty").await;
        assert_eq!(page(&get(&user, "/images").await), (vec![], None));
        assert_eq!(page(&get(&user, "/images?label=cat").await), (vec![], None));
        assert_eq!(
            get(&user, "/labels").await.body,
            serde_json::json!({"labels": []})
        );
    });
}
