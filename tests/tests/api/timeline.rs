//! `GET /timeline`: the months of a library.

use crate::{check_problem, get};
use std::collections::BTreeSet;
use tests::run;
use tests::seed::Seed;
use tests::users::User;

/// Reads all pages. Also returns the number of requests.
async fn months(user: &User) -> (Vec<String>, usize) {
    let mut months = vec![];
    let mut cursor = String::new();
    for requests in 1..100 {
        let answer = get(user, &format!("/timeline{cursor}")).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let page = answer.body["months"].as_array().expect("months").iter();
        months.extend(page.map(|month| month.as_str().expect("a month").to_owned()));
        match answer.body["nextCursor"].as_str() {
            Some(next) => cursor = format!("?cursor={next}"),
            None => return (months, requests),
        }
    }
    panic!("too many pages")
}

#[test]
fn each_month_with_images_is_listed_once_by_capture_time_or_else_by_upload() {
    run(async |stack| {
        let user = stack.new_user("timeline").await;
        assert_eq!(months(&user).await, (vec![], 1));
        let mut expected = BTreeSet::new();
        let mut images = vec![];
        for (year, month) in (2005..2017).flat_map(|year| (1..=12).map(move |month| (year, month))) {
            // One month of every seven has no images.
            for day in 1..(year + month) % 7 {
                let mut image = Seed::labeled("2026-11-10T12:00:00.000Z", &[]);
                image.taken_at = Some(format!("{year}-{month:02}-{day:02}T08:00:00"));
                images.push(image);
                expected.insert(format!("{year}-{month:02}"));
            }
        }
        images.push(Seed::labeled("2026-11-10T12:00:00.000Z", &[]));
        expected.insert("2026-11".to_owned());
        stack.seed(&user.owner, &images).await;
        let (found, requests) = months(&user).await;
        assert_eq!(found, expected.into_iter().rev().collect::<Vec<_>>());
        assert_eq!(requests, 3);
    });
}

#[test]
fn a_cursor_is_valid_only_for_its_owner() {
    run(async |stack| {
        let (user, other) = (stack.new_user("timeline").await, stack.new_user("timeline").await);
        let images: Vec<_> = (0..110)
            .map(|month| {
                let mut image = Seed::labeled("2026-11-10T12:00:00.000Z", &[]);
                image.taken_at = Some(format!("{}-{:02}-01T08:00:00", 2000 + month / 12, month % 12 + 1));
                image
            })
            .collect();
        stack.seed(&user.owner, &images).await;
        let first = get(&user, "/timeline").await;
        assert_eq!(first.status, 200, "{first:?}");
        let next = first.body["nextCursor"].as_str();
        let next = next.expect("more months").to_owned();
        for (what, user, query) in [
            ("another owner's", &other, format!("cursor={next}")),
            ("damaged", &user, format!("cursor={}", &next[1..])),
            ("of another route", &user, "cursor=AAAA".to_owned()),
        ] {
            let answer = get(user, &format!("/timeline?{query}")).await;
            check_problem(what, &answer, 400, "invalid-field", Some("cursor"));
        }
        let answer = get(&user, "/timeline?month=2015-07").await;
        check_problem("unknown", &answer, 400, "unknown-parameter", None);
    });
}
