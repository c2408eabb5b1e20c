//! An owner's images, newest first, page by page.

use crate::{all, get, page};
use domain::Status;
use std::collections::HashSet;
use tests::run;
use tests::seed::Seed;
use uuid::Uuid;

/// So many images, a minute from the next, every tenth at the same moment as the one before.
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

/// Their ids as the history has them.
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
fn a_history_of_2000_images_shows_each_once_however_many_come_and_go_meanwhile() {
    run(async |stack| {
        let user = stack.new_user("history").await;
        let images = images(2000, "2026-11-10");
        stack.seed(&user.owner, &images).await;
        assert_eq!(all(&user, "limit=100").await, newest_first(&images));

        let (newer, older) = (self::images(20, "2026-11-11"), self::images(20, "2026-11-09"));
        // Some that the pages below have shown when they go, and some that they have not; and among both the very
        // ones at which a page ends and begins.
        let gone: Vec<&Seed> = (0..2000)
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
                for image in &gone {
                    stack.bury(&user.owner, image).await;
                }
            }
            match next {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }

        let gone: HashSet<String> = gone.iter().map(|image| image.image_id.to_string()).collect();
        let stayed: Vec<String> = newest_first(&images)
            .into_iter()
            .filter(|id| !gone.contains(id))
            .collect();
        let of_stayed: HashSet<&String> = stayed.iter().collect();
        let seen_stayed: Vec<String> = seen.iter().filter(|id| of_stayed.contains(id)).cloned().collect();
        assert_eq!(
            seen_stayed, stayed,
            "each that was there throughout, once, in order"
        );
        let newer: HashSet<String> = newest_first(&newer).into_iter().collect();
        assert!(
            !seen.iter().any(|id| newer.contains(id)),
            "the pages behind do not shift"
        );
        assert_eq!(
            seen[seen.len() - 20..],
            newest_first(&older),
            "what comes behind is found"
        );
    });
}

#[test]
fn images_without_their_file_are_shown_only_to_who_asks_for_them() {
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
fn a_page_that_waits_for_several_images_asks_for_them_at_once() {
    run(async |stack| {
        let user = stack.new_user("several").await;
        let mut images = images(5, "2026-11-10");
        images[1].status = Status::AwaitingUpload;
        stack.seed(&user.owner, &images).await;
        stack.bury(&user.owner, &images[2]).await;
        let id = |index: usize| images[index].image_id.to_string();
        let never = Uuid::now_v7();
        let query = format!("id={}&id={never}&id={}&id={}&id={}", id(3), id(1), id(2), id(3));
        let answer = get(&user, &format!("/images?{query}")).await;
        assert_eq!(page(&answer), (vec![id(3), id(1)], None));
        let whole = get(&user, &format!("/images/{}", id(3))).await.body;
        let summary = &answer.body["images"][0];
        assert_eq!(
            summary["labels"],
            serde_json::json!([{"name": "Cat", "confidence": 90.0}])
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
fn an_empty_library_has_one_empty_page() {
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
