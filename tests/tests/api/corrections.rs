//! Corrections of labels, and settings that apply to the whole library.

use crate::{check_problem, get, page};
use domain::{ImageId, Status};
use reqwest::Method;
use serde_json::{Value, json};
use tests::api::{Answer, File};
use tests::seed::Seed;
use tests::users::User;
use tests::{Stack, run, wait};
use uuid::Uuid;

async fn send(user: &User, method: Method, path: &str, body: &Value) -> Answer {
    user.api(method, path, Some("application/json"), body.to_string())
        .await
}

async fn correct(user: &User, image_id: ImageId, body: Value) -> Answer {
    send(user, Method::PATCH, &format!("/images/{image_id}/labels"), &body).await
}

/// Stores settings, and waits until they are applied. Returns the job.
async fn apply(user: &User, settings: Value) -> Value {
    let stored = send(user, Method::PUT, "/settings", &settings).await;
    assert_eq!(stored.status, 200, "{stored:?}");
    let path = format!("/jobs/{}", stored.body["jobId"].as_str().expect("a job"));
    wait::until("the settings are applied", async || {
        let job = get(user, &path).await.body;
        (job["status"] != "RUNNING").then_some(job)
    })
    .await
}

fn settings(min_confidence: f64) -> Value {
    json!({"minConfidence": min_confidence, "maxLabels": 100, "include": [], "exclude": []})
}

/// The names of an image's labels.
async fn names(user: &User, image_id: ImageId) -> Vec<String> {
    let image = get(user, &format!("/images/{image_id}")).await.body;
    let labels = image["labels"].as_array().expect("labels").iter();
    labels
        .map(|label| label["name"].as_str().expect("a name").to_owned())
        .collect()
}

async fn found(user: &User, label: &str) -> usize {
    page(&get(user, &format!("/images?limit=100&label={label}")).await)
        .0
        .len()
}

async fn check_counts(stack: &Stack, user: &User) {
    assert_eq!(
        stack.consistency(&user.owner).await.contradictions,
        Vec::<String>::new()
    );
}

/// A hundred images; those with an even number have a dog with little confidence.
fn library() -> Vec<Seed> {
    (0..100)
        .map(|index: u8| {
            let dog = if index.is_multiple_of(2) { 30.0 } else { 80.0 };
            let time = format!("2026-11-10T10:{:02}:{:02}.000Z", index / 60, index % 60);
            Seed::labeled(&time, &[("Cat", 90.0), ("Dog", dog)])
        })
        .collect()
}

#[test]
fn a_lower_threshold_shows_more_labels_everywhere_without_a_call_of_the_model() {
    run(async |stack| {
        let user = stack.new_user("refilter").await;
        stack.seed(&user.owner, &library()).await;
        let job = apply(&user, settings(50.0)).await;
        assert_eq!(
            (&job["status"], &job["processed"], &job["changed"]),
            (&json!("SUCCEEDED"), &json!(100), &json!(50))
        );
        assert_eq!((found(&user, "dog").await, found(&user, "cat").await), (50, 100));
        check_counts(stack, &user).await;
        let job = apply(&user, settings(20.0)).await;
        assert_eq!(
            (&job["status"], &job["changed"]),
            (&json!("SUCCEEDED"), &json!(50))
        );
        assert_eq!(found(&user, "dog").await, 100);
        check_counts(stack, &user).await;
        let jobs = get(&user, "/jobs").await.body;
        assert_eq!(jobs["jobs"].as_array().unwrap().len(), 2);
        assert_eq!(jobs["jobs"][0]["jobId"], job["jobId"], "newest first");
    });
}

#[test]
fn renamed_labels_are_merged_in_the_whole_library() {
    run(async |stack| {
        let user = stack.new_user("rename").await;
        stack.seed(&user.owner, &library()[..10]).await;
        let mut renamed = settings(0.0);
        renamed["renames"] = json!([{"from": "dog", "to": "Cat"}, {"from": "Cat", "to": "cat"}]);
        let refused = send(&user, Method::PUT, "/settings", &renamed).await;
        check_problem("a chain", &refused, 400, "invalid-field", Some("renames"));
        renamed["renames"] = json!([{"from": "dog", "to": "Cat"}]);
        apply(&user, renamed).await;
        assert_eq!((found(&user, "dog").await, found(&user, "cat").await), (0, 10));
        check_counts(stack, &user).await;
    });
}

/// Two tabs change the settings one after the other.
#[test]
fn the_last_settings_win() {
    run(async |stack| {
        let user = stack.new_user("settings-twice").await;
        stack.seed(&user.owner, &library()).await;
        let first = send(&user, Method::PUT, "/settings", &settings(95.0)).await;
        assert_eq!(first.status, 200, "{first:?}");
        apply(&user, settings(50.0)).await;
        let first = get(&user, &format!("/jobs/{}", first.body["jobId"].as_str().unwrap()))
            .await
            .body;
        assert!(
            ["CANCELED", "SUCCEEDED"].contains(&first["status"].as_str().unwrap()),
            "{first}"
        );
        assert_eq!((found(&user, "dog").await, found(&user, "cat").await), (50, 100));
        check_counts(stack, &user).await;
    });
}

#[test]
fn corrections_are_kept_when_the_image_is_labeled_again() {
    run(async |stack| {
        let user = stack.new_user("corrections").await;
        let key = stack.upload_of(&user, &File::cat()).await;
        let labeled = stack.settled_as(&key, Status::Labeled).await.record;
        let id = labeled.image_id;
        assert!(names(&user, id).await.contains(&"Cat".to_owned()));
        let answer = correct(&user, id, json!({"add": ["Minka"], "remove": ["cat"]})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(
            answer.body["corrections"],
            json!({"added": ["Minka"], "removed": ["cat"]})
        );
        let corrected = |names: &[String]| {
            assert!(
                names.contains(&"Minka".to_owned()) && !names.contains(&"Cat".to_owned()),
                "{names:?}"
            );
        };
        corrected(&names(&user, id).await);
        assert_eq!((found(&user, "minka").await, found(&user, "cat").await), (1, 0));
        let image = get(&user, &format!("/images/{id}")).await.body;
        assert_eq!(image["labels"][0]["added"], true);
        assert!(
            image["otherLabels"]
                .as_array()
                .unwrap()
                .iter()
                .any(|label| label["name"] == "Cat")
        );

        let before = stack.record(&stack.image(&key)).await.unwrap();
        assert_eq!(user.relabel(id).await.status, 202);
        stack.settled_again(&before).await;
        corrected(&names(&user, id).await);
        apply(&user, settings(0.0)).await;
        corrected(&names(&user, id).await);
        check_counts(stack, &user).await;

        let reset = correct(&user, id, json!({"reset": ["Minka", "Cat"]})).await;
        assert_eq!(reset.body["corrections"], json!({"added": [], "removed": []}));
        assert!(names(&user, id).await.contains(&"Cat".to_owned()));
        let events = stack.corrections(id).await;
        assert_eq!(events.len(), 2);
        assert_eq!(events[0]["corrections"]["added"], json!(["Minka"]));
        assert_eq!(user.delete_image(id).await.status, 204);
        stack.check_nothing_left_of(&key).await;
        check_counts(stack, &user).await;
    });
}

#[test]
fn forty_pictures_are_corrected_with_one_request() {
    run(async |stack| {
        let user = stack.new_user("bulk-corrections").await;
        let other = stack.new_user("bulk-corrections-other").await;
        let images = library();
        stack.seed(&user.owner, &images).await;
        let foreign = Seed::labeled("2026-11-10T10:00:00.000Z", &[("Dog", 90.0)]);
        stack.seed(&other.owner, std::slice::from_ref(&foreign)).await;
        let mut ids: Vec<_> = images[..40].iter().map(|image| image.image_id).collect();
        ids.extend([foreign.image_id, ids[0]]);
        let body = json!({"ids": ids, "add": ["Kitten"], "remove": ["Dog"]});
        let answer = send(&user, Method::POST, "/images/labels", &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let results = answer.body["results"].as_array().unwrap();
        assert_eq!(results.len(), 41, "a repeated ID counts once");
        assert!(
            results[..40]
                .iter()
                .all(|result| result["outcome"] == "CORRECTED"),
            "{results:?}"
        );
        assert_eq!(results[40]["outcome"], "NO_SUCH_IMAGE");
        assert_eq!(
            (found(&user, "dog").await, found(&user, "kitten").await),
            (60, 40)
        );
        check_counts(stack, &user).await;
        assert_eq!(found(&other, "dog").await, 1);
        let again = send(&user, Method::POST, "/images/labels", &body).await;
        assert_eq!(again.body["results"][0]["outcome"], "UNCHANGED");
    });
}

#[test]
fn invalid_corrections_are_rejected_and_change_nothing() {
    run(async |stack| {
        let user = stack.new_user("invalid-corrections").await;
        let image = Seed::labeled("2026-11-10T10:00:00.000Z", &[("Cat", 90.0)]);
        stack.seed(&user.owner, std::slice::from_ref(&image)).await;
        let id = image.image_id;
        for (body, field) in [
            (json!({}), "add"),
            (json!({"add": [""]}), "add"),
            (json!({"add": ["x".repeat(300)]}), "add"),
            (json!({"add": ["a\u{7}b"]}), "add"),
            (json!({"add": ["Cat"], "remove": ["cat"]}), "remove"),
            (json!({"remove": "Cat"}), "remove"),
            (json!({"reset": vec!["Cat"; 200]}), "reset"),
        ] {
            let answer = correct(&user, id, body.clone()).await;
            check_problem(
                &body.to_string()[..20.min(body.to_string().len())],
                &answer,
                400,
                "invalid-field",
                Some(field),
            );
        }
        let many: Vec<_> = (0..10_000).map(|_| Uuid::now_v7()).collect();
        for ids in [json!([]), json!(["1"]), json!(many), json!("all"), Value::Null] {
            let body = json!({"ids": ids, "add": ["Dog"]});
            let answer = send(&user, Method::POST, "/images/labels", &body).await;
            check_problem("ids", &answer, 400, "invalid-field", Some("ids"));
        }
        let full: Vec<_> = (0..50).map(|number| format!("Label {number}")).collect();
        assert_eq!(correct(&user, id, json!({"add": full})).await.status, 200);
        let answer = correct(&user, id, json!({"add": ["One more"]})).await;
        check_problem("too many", &answer, 409, "too-many-corrections", Some("add"));
        assert_eq!(names(&user, id).await.len(), 51);
        let unknown: ImageId = ImageId::new();
        let answer = correct(&user, unknown, json!({"add": ["Dog"]})).await;
        check_problem("unknown", &answer, 404, "no-such-image", None);
        let answer = get(&user, &format!("/jobs/{}", Uuid::now_v7())).await;
        check_problem("a job", &answer, 404, "no-such-job", None);
        let answer = get(&user, "/jobs/1").await;
        check_problem("a job", &answer, 400, "invalid-field", Some("jobId"));
        check_counts(stack, &user).await;
    });
}

#[test]
fn an_image_without_labels_cannot_be_corrected() {
    run(async |stack| {
        let user = stack.new_user("unlabeled-corrections").await;
        let created = user.create_upload(&File::cat()).await;
        let answer = correct(&user, created.image_id, json!({"add": ["Dog"]})).await;
        check_problem("no file", &answer, 409, "not-labeled", None);
    });
}
