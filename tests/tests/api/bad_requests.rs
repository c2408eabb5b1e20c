//! Invalid requests: each gets an error that says what is invalid, and never an internal error.

use crate::{check_problem, get, page};
use reqwest::Method;
use serde_json::Value;
use tests::run;
use tests::seed::Seed;
use uuid::Uuid;

#[test]
fn an_invalid_parameter_is_named() {
    run(async |stack| {
        let user = stack.new_user("wrong").await;
        let long = format!("label={}", "x".repeat(10_000));
        let many = format!("label=a{}", "&label=a".repeat(10));
        let id = Uuid::now_v7();
        let with_limit = format!("id={id}&limit=5");
        let ids = format!("id={id}{}", format!("&id={id}").repeat(100));
        for (query, field) in [
            ("limit=0", "limit"),
            ("limit=-1", "limit"),
            ("limit=10000", "limit"),
            ("limit=99999999999999999999999", "limit"),
            ("limit=ten", "limit"),
            ("limit=", "limit"),
            ("limit=5&limit=5", "limit"),
            ("label=", "label"),
            (&long, "label"),
            (&many, "label"),
            ("label=a%00b", "label"),
            ("label=%F0%9F%90%88%0A", "label"),
            ("label=Cat%3E101", "label"),
            ("label=Cat%7C", "label"),
            ("without=", "without"),
            ("untagged=true&label=cat", "untagged"),
            ("taken=2015-02-30", "taken"),
            ("minConfidence=-1", "minConfidence"),
            ("minConfidence=101", "minConfidence"),
            ("minConfidence=NaN", "minConfidence"),
            ("minConfidence=1e999", "minConfidence"),
            ("minConfidence=%EF%BC%95", "minConfidence"),
            ("status=DELETED", "status"),
            ("status=cat", "status"),
            ("from=yesterday", "from"),
            ("from=2026-02-30", "from"),
            ("from=2026-11-22T12:00Z", "from"),
            ("to=-1", "to"),
            ("to=+999999-01-01T00:00:00Z", "to"),
            ("from=2026-11-22&to=2026-11-21", "to"),
            ("id=cat.jpg", "id"),
            ("id=", "id"),
            (&with_limit, "id"),
            (&ids, "id"),
        ] {
            let answer = get(&user, &format!("/images?{query}")).await;
            check_problem(
                &query.chars().take(60).collect::<String>(),
                &answer,
                400,
                "invalid-field",
                Some(field),
            );
        }
        for query in [
            "prefix=",
            "prefix=%00",
            "prefix=a&prefix=b",
            &format!("prefix={}", "x".repeat(101)),
        ] {
            let answer = get(&user, &format!("/labels?{query}")).await;
            check_problem(query, &answer, 400, "invalid-field", Some("prefix"));
        }
        // A valid name that no label has.
        assert_eq!(
            page(&get(&user, "/images?label=%F0%9F%90%88").await),
            (vec![], None)
        );
    });
}

#[test]
fn an_unknown_parameter_is_rejected_and_not_echoed() {
    run(async |stack| {
        let user = stack.new_user("unknown").await;
        let id = Uuid::now_v7();
        for path in [
            "/images",
            "/labels",
            "/settings",
            "/jobs",
            &format!("/jobs/{id}"),
            &format!("/images/{id}"),
            &format!("/images/{id}/timeline"),
            "/openapi.json",
        ] {
            let answer = get(&user, &format!("{path}?%3Cscript%3E=1")).await;
            check_problem(path, &answer, 400, "unknown-parameter", None);
            assert!(!answer.body.to_string().contains("script"), "{}", answer.body);
        }
        let known = get(&user, "/images?Limit=5").await.body["detail"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            known.contains(
                "limit, cursor, status, type, label, without, untagged, taken, minConfidence, from, to"
            ),
            "{known}"
        );
    });
}

#[test]
fn a_changed_cursor_or_one_of_another_query_is_rejected() {
    run(async |stack| {
        let user = stack.new_user("cursor").await;
        let image = |index| Seed::labeled(&format!("2026-11-10T10:00:{index:02}.000Z"), &[("Cat", 90.0)]);
        stack
            .seed(&user.owner, &(0..30).map(image).collect::<Vec<_>>())
            .await;
        let (_, cursor) = page(&get(&user, "/images?limit=10&from=2026-11-01").await);
        let cursor = cursor.expect("more pages");
        let (shown, _) = page(
            &get(
                &user,
                &format!("/images?limit=15&from=2026-11-01&cursor={cursor}"),
            )
            .await,
        );
        assert_eq!(shown.len(), 15, "the limit can change between pages");

        let middle = cursor.len() / 2;
        let flipped = if cursor.as_bytes()[middle] == b'A' {
            'B'
        } else {
            'A'
        };
        let tampered = format!("{}{flipped}{}", &cursor[..middle], &cursor[middle + 1..]);
        for (query, cursor) in [
            ("from=2026-11-01", tampered.as_str()),
            ("from=2026-11-01", &cursor[1..]),
            ("from=2026-11-01", &format!("{cursor}A")),
            ("from=2026-11-01", ""),
            ("from=2026-11-01", "%00"),
            ("from=2026-11-01", "eyJwayI6Ik9XTkVSI2RlbW8ifQ"),
            ("from=2026-11-02", &cursor),
            ("from=2026-11-01&label=cat", &cursor),
            ("from=2026-11-01&status=LABELED", &cursor),
            ("", &cursor),
        ] {
            let answer = get(&user, &format!("/images?{query}&cursor={cursor}")).await;
            check_problem(
                &format!("{query} {cursor}"),
                &answer,
                400,
                "invalid-field",
                Some("cursor"),
            );
        }
    });
}

#[test]
fn a_huge_or_deeply_nested_body_is_rejected() {
    run(async |stack| {
        let user = stack.new_user("huge").await;
        let nested = format!("{{\"include\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
        let labels = format!("/images/{}/labels", Uuid::now_v7());
        for (method, path) in [
            (Method::POST, "/uploads"),
            (Method::PUT, "/settings"),
            (Method::POST, "/images/labels"),
            (Method::PATCH, labels.as_str()),
        ] {
            let answer = user
                .api(method.clone(), path, Some("application/json"), nested.clone())
                .await;
            assert_eq!(
                (answer.status, answer.content_type.as_str()),
                (400, "application/problem+json"),
                "{path}"
            );
            let json = Some("application/json");
            let answer = user.api(method, path, json, vec![b' '; 10_000_000]).await;
            assert_eq!(answer.status, 413, "{path}: {}", answer.body);
        }
    });
}

#[test]
fn responses_forbid_caching_and_content_sniffing() {
    run(async |stack| {
        let user = stack.new_user("headers").await;
        for path in ["/images", "/images/1", "/nothing", "/settings", "/openapi.json"] {
            let headers = get(&user, path).await.headers;
            assert_eq!(headers["cache-control"], "no-store", "{path}");
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        }
    });
}

#[test]
fn the_api_serves_its_description() {
    run(async |stack| {
        let answer = get(stack.demo_user().await, "/openapi.json").await;
        assert_eq!(
            (answer.status, answer.content_type.as_str()),
            (200, "application/json")
        );
        let file: Value = serde_json::from_str(include_str!("../../../api/openapi.json")).unwrap();
        assert_eq!(answer.body, file);
    });
}
