//! Label settings.

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

/// The names of the labels that a picture of a cat gets, highest confidence first.
async fn labels(stack: &Stack, user: &User) -> Vec<String> {
    let file = File::cat();
    let response = user
        .api(
            Method::POST,
            "/uploads",
            Some("application/json"),
            file.announcement().to_string(),
        )
        .await;
    let created: tests::api::Created = serde_json::from_value(response.body).expect("an upload");
    assert!(
        stack
            .put(&created.upload, file.bytes.clone(), &[])
            .await
            .is_success()
    );
    let key = domain::ImageKey::for_upload(&user.owner, created.image_id);
    let mut labels = stack.settled(&key).await.record.labels.expect("labels");
    labels.sort_by(|a, b| {
        b.confidence
            .percent()
            .total_cmp(&a.confidence.percent())
            .then_with(|| a.name.cmp(&b.name))
    });
    labels.into_iter().map(|label| label.name).collect()
}

#[test]
fn settings_apply_to_the_next_image_and_can_be_reset() {
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
        assert_eq!(stored.status, 200, "{stored:?}");
        let mut expected = policy.clone();
        expected["renames"] = json!([]);
        expected["version"] = stored.body["version"].clone();
        assert_eq!(get(&user, "/settings").await.body, expected);
        assert_eq!(labels(stack, &user).await, [second.as_str()]);

        let reset = user.api(Method::DELETE, "/settings", None, "").await;
        assert_eq!(reset.status, 200, "{reset:?}");
        assert_eq!(get(&user, "/settings").await.body, default.body);
    });
}

/// Two tabs read the same settings, and each changes something else.
#[test]
fn outdated_settings_are_not_stored() {
    run(async |stack| {
        let user = stack.new_user("outdated").await;
        let with = |settings: &Value, field: &str, value: Value| {
            let mut settings = settings.clone();
            settings[field] = value;
            settings
        };
        let read = get(&user, "/settings").await.body;
        let hides = with(&read, "exclude", json!(["Dog"]));
        let hidden = put(&user, &hides).await;
        assert_eq!(hidden.status, 200, "{hidden:?}");
        let renames = with(&read, "renames", json!([{"from": "Cat", "to": "Kitty"}]));
        check_problem(
            "outdated",
            &put(&user, &renames).await,
            409,
            "settings-changed",
            None,
        );
        let newest = get(&user, "/settings").await.body;
        assert_eq!(
            (&newest["exclude"], &newest["renames"]),
            (&json!(["Dog"]), &json!([]))
        );

        // The response was lost.
        let repeated = put(&user, &hides).await;
        assert_eq!(
            (repeated.status, &repeated.body["version"]),
            (200, &newest["version"])
        );

        let both = put(&user, &with(&newest, "renames", renames["renames"].clone())).await;
        assert_eq!((both.status, &both.body["exclude"]), (200, &json!(["Dog"])));
        check_problem(
            "outdated again",
            &put(&user, &renames).await,
            409,
            "settings-changed",
            None,
        );

        // Settings that were reset do not get the version of earlier ones when they are stored again.
        let reset = user.api(Method::DELETE, "/settings", None, "").await.body;
        assert_eq!(reset["version"], read["version"]);
        check_problem(
            "reset",
            &put(&user, &with(&newest, "maxLabels", json!(7))).await,
            409,
            "settings-changed",
            None,
        );
        assert_eq!(put(&user, &hides).await.status, 200);
        check_problem(
            "stored again",
            &put(&user, &with(&newest, "maxLabels", json!(7))).await,
            409,
            "settings-changed",
            None,
        );

        // A script that has not read them.
        let mut unconditional = both.body;
        for field in ["version", "jobId"] {
            unconditional.as_object_mut().expect("an object").remove(field);
        }
        assert_eq!(put(&user, &unconditional).await.status, 200);
    });
}

#[test]
fn the_largest_policy_is_accepted_and_labels_images() {
    run(async |stack| {
        let user = stack.new_user("largest-policy").await;
        // Four bytes per character, or twelve if escaped.
        let name = |first: char| format!("{first}{}", "🐈".repeat(99));
        let full = |from: u32| -> Vec<_> {
            (from..from + 100)
                .map(|code| name(char::from_u32(0x1_F300 + code).expect("a character")))
                .collect()
        };
        let policy =
            json!({"minConfidence": 100.0, "maxLabels": 100, "include": full(0), "exclude": full(100)});
        let escaped: String = policy
            .to_string()
            .encode_utf16()
            .map(|unit| match u8::try_from(unit) {
                Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
                _ => format!("\\u{unit:04x}"),
            })
            .collect();
        assert!(escaped.len() > 200_000);
        let stored = user
            .api(Method::PUT, "/settings", Some("application/json"), escaped)
            .await;
        assert_eq!(stored.status, 200, "{stored:?}");
        let mut expected = policy.clone();
        expected["renames"] = json!([]);
        expected["version"] = stored.body["version"].clone();
        assert_eq!(get(&user, "/settings").await.body, expected);
        assert_eq!(labels(stack, &user).await, [] as [String; 0]);
    });
}

#[test]
fn an_invalid_policy_is_rejected_with_all_invalid_fields() {
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
            ("renames", json!([{"from": "Dog", "to": "Dog"}])),
            (
                "renames",
                json!([{"from": "Dog", "to": "Cat"}, {"from": "Cat", "to": "Pet"}]),
            ),
            ("renames", json!({"Dog": "Cat"})),
            ("version", json!(1)),
            ("version", json!("")),
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
        assert_eq!(default["include"], json!([]), "none of them was stored");
    });
}
