//! No user sees data of another user.

use crate::{check_problem, get, page};
use reqwest::Method;
use serde_json::{Value, json};
use tests::run;
use tests::seed::Seed;

#[test]
fn a_user_cannot_read_data_of_another_user() {
    run(async |stack| {
        let (ann, bob) = (stack.new_user("ann").await, stack.new_user("bob").await);
        let images: Vec<_> = (0..30)
            .map(|index| Seed::labeled(&format!("2026-11-10T10:00:{index:02}.000Z"), &[("Secret", 90.0)]))
            .collect();
        stack.seed(&ann.owner, &images).await;
        let policy = json!({"minConfidence": 1, "maxLabels": 1, "include": ["Secret"], "exclude": []});
        let stored = ann
            .api(
                Method::PUT,
                "/settings",
                Some("application/json"),
                policy.to_string(),
            )
            .await;
        assert_eq!(stored.status, 200, "{stored:?}");
        let id = images[0].image_id.to_string();

        assert_eq!(
            page(&get(&ann, &format!("/images?id={id}")).await).0,
            [id.as_str()]
        );
        for query in [
            format!("id={id}"),
            "limit=100".into(),
            "label=Secret".into(),
            "status=LABELED".into(),
        ] {
            assert_eq!(
                page(&get(&bob, &format!("/images?{query}")).await),
                (vec![], None),
                "{query}"
            );
        }
        assert_eq!(
            get(&bob, "/labels?prefix=secret").await.body,
            json!({"labels": []})
        );
        assert_eq!(get(&bob, "/settings").await.body["include"], json!([]));
        let foreign = get(&bob, &format!("/images/{id}")).await;
        check_problem("another's image", &foreign, 404, "no-such-image", None);

        for query in ["limit=10", "limit=10&label=secret"] {
            let (_, cursor) = page(&get(&ann, &format!("/images?{query}")).await);
            let path = format!("/images?{query}&cursor={}", cursor.expect("more pages"));
            assert_eq!(page(&get(&ann, &path).await).0.len(), 10);
            let foreign = get(&bob, &path).await;
            check_problem("another's cursor", &foreign, 400, "invalid-field", Some("cursor"));
        }
        assert_ne!(get(&ann, "/settings").await.body["include"], Value::Null);
    });
}
