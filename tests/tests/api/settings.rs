//! Which labels count, as their owner decides.

use crate::{check_problem, get};
use reqwest::Method;
use serde_json::{Value, json};
use tests::api::{Answer, File};
use tests::users::User;
use tests::{Stack, run};

async fn put(user: &User, policy: &Value) -> Answer {
    user.api(
        Method::PUT,
        "/settings",
        Some("application/json"),
        policy.to_string(),
    )
    .await
}

/// The names of the labels that a cat's portrait gets now.
async fn labels(stack: &Stack, user: &User) -> Vec<String> {
    let file = File::cat();
    let announced = user
        .api(
            Method::POST,
            "/uploads",
            Some("application/json"),
            file.announcement().to_string(),
        )
        .await;
    let created: tests::api::Created = serde_json::from_value(announced.body).expect("an upload");
    assert!(
        stack
            .put(&created.upload, file.bytes.clone(), &[])
            .await
            .is_success()
    );
    let key = domain::ImageKey::for_upload(&user.owner, created.image_id);
    let record = stack.settled(&key).await.record;
    record
        .labels
        .expect("labels")
        .into_iter()
        .map(|label| label.name)
        .collect()
}

#[test]
fn settings_decide_over_the_next_image_and_can_be_taken_back() {
    run(async |stack| {
        let user = stack.new_user("settings").await;
        let default = get(&user, "/settings").await;
        assert_eq!(default.status, 200, "{default:?}");
        let by_default = labels(stack, &user).await;
        assert!(by_default.len() > 1, "{by_default:?}");

        let (first, second) = (&by_default[0], &by_default[1]);
        let policy = json!({
            "minConfidence": 0.0, "maxLabels": 1, "include": [],
            "exclude": [first.to_uppercase()],
        });
        let stored = put(&user, &policy).await;
        assert_eq!((stored.status, &stored.body), (200, &policy));
        assert_eq!(get(&user, "/settings").await.body, policy);
        assert_eq!(labels(stack, &user).await, [second.as_str()]);

        let forgotten = user.api(Method::DELETE, "/settings", None, "").await;
        assert_eq!(forgotten.status, 204, "{forgotten:?}");
        assert_eq!(get(&user, "/settings").await.body, default.body);
    });
}

#[test]
fn a_policy_that_is_wrong_is_refused_as_a_whole_with_every_wrong_field() {
    run(async |stack| {
        let user = stack.new_user("policy").await;
        let good = json!({"minConfidence": 50, "maxLabels": 5, "include": ["Cat"], "exclude": []});
        let with = |field: &str, value: Value| {
            let mut policy = good.clone();
            policy[field] = value;
            policy
        };
        for (field, value) in [
            ("minConfidence", json!(-1)),
            ("minConfidence", json!(101)),
            ("minConfidence", json!("NaN")),
            ("minConfidence", json!(null)),
            ("maxLabels", json!(0)),
            ("maxLabels", json!(101)),
            ("maxLabels", json!(1.5)),
            ("maxLabels", json!(1e300)),
            ("include", json!("Cat")),
            ("include", json!([""])),
            ("include", json!(["x".repeat(10_000)])),
            ("include", json!(["a\u{0}b"])),
            ("exclude", json!(vec!["Cat"; 101])),
            ("exclude", json!([5])),
            ("exclude", json!({"a": 1})),
        ] {
            let answer = put(&user, &with(field, value.clone())).await;
            check_problem(
                &format!("{field} {value}").chars().take(80).collect::<String>(),
                &answer,
                400,
                "invalid-field",
                Some(field),
            );
        }
        let answer = put(
            &user,
            &json!({"minConfidence": 500, "include": [7], "exclude": []}),
        )
        .await;
        let fields: Vec<_> = answer.body["errors"]
            .as_array()
            .unwrap()
            .iter()
            .map(|error| &error["field"])
            .collect();
        assert_eq!(fields, ["maxLabels", "include", "minConfidence"]);
        let answer = put(&user, &with("owner", json!("somebody"))).await;
        check_problem("owner", &answer, 400, "unknown-field", None);
        let default = get(&user, "/settings").await.body;
        assert_eq!(default["include"], json!([]), "nothing of all that was stored");
    });
}
