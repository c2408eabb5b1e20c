//! `GET /images/{id}/execution`: the steps of an image's execution. (`tests/tests/fault_injection/owner_requests.rs`
//! tests one that fails after retries.)

use crate::{LABELED, REJECTED_BY_VALIDATION};
use serde_json::{Value, json};
use tests::api::File;
use tests::{pictures, run, wait};

fn column<'a>(execution: &'a Value, field: &str) -> Vec<&'a Value> {
    let steps = execution["steps"].as_array().expect("steps");
    steps.iter().map(|step| &step[field]).collect()
}

#[test]
fn the_execution_of_a_labeled_picture_shows_every_step_with_its_time() {
    run(async |stack| {
        let user = stack.new_user("execution").await;
        // A step whose calls take long on a busy machine is retried.
        let answer = wait::until("an execution needs no retry", async || {
            let key = stack.upload_of(&user, &File::cat()).await;
            stack.settled(&key).await;
            let answer = user.get_execution(stack.image(&key).image_id).await;
            let needs_none = column(&answer.body, "attempts") == [1; 5];
            needs_none.then_some(answer)
        })
        .await;
        let execution = &answer.body;
        assert_eq!(
            (answer.status, &execution["status"]),
            (200, &json!("SUCCEEDED")),
            "{answer:?}"
        );
        assert_eq!(column(execution, "name"), LABELED);
        assert_eq!(column(execution, "status"), ["SUCCEEDED"; 5]);
        assert!(
            column(execution, "durationMs").iter().all(|time| time.is_u64()),
            "{execution}"
        );
        let times = column(execution, "startedAt").into_iter();
        let times: Vec<_> = [&execution["startedAt"]]
            .into_iter()
            .chain(times)
            .chain([&execution["stoppedAt"]])
            .collect();
        assert!(times.iter().map(|time| time.as_str()).is_sorted(), "{times:?}");
        assert!(
            times
                .iter()
                .all(|time| time.as_str().is_some_and(|time| time.ends_with('Z'))),
            "{times:?}"
        );
    });
}

#[test]
fn the_execution_of_a_rejected_file_shows_the_step_and_the_reason() {
    run(async |stack| {
        let user = stack.new_user("execution").await;
        let key = stack.upload_of(&user, &File::new("cat.jpg", pictures::GIF)).await;
        stack.settled(&key).await;
        let answer = user.get_execution(stack.image(&key).image_id).await;
        assert_eq!(answer.body["status"], "SUCCEEDED", "{answer:?}");
        assert_eq!(column(&answer.body, "name"), REJECTED_BY_VALIDATION);
        assert_eq!(
            column(&answer.body, "status"),
            ["CAUGHT_ERROR", "SUCCEEDED", "SUCCEEDED"]
        );
        assert_eq!(
            answer.body["steps"][0]["error"],
            json!({"name": "ImageTooSmall", "message": "This picture is 1 × 1 pixels. Each side must have at least 80."})
        );
    });
}

#[test]
fn an_image_without_an_execution_or_of_another_owner_is_not_found() {
    run(async |stack| {
        let (user, other) = (stack.new_user("execution").await, stack.new_user("other").await);
        let created = user.create_upload(&File::cat()).await;
        let waiting = user.get_execution(created.image_id).await;
        assert_eq!(waiting.status, 404);
        assert!(
            waiting.body["type"]
                .as_str()
                .is_some_and(|kind| kind.ends_with(":no-execution"))
        );

        let key = stack.upload_of(&user, &File::cat()).await;
        stack.settled(&key).await;
        let theirs = other.get_execution(stack.image(&key).image_id).await;
        assert_eq!(theirs.status, 404);
        assert!(
            theirs.body["type"]
                .as_str()
                .is_some_and(|kind| kind.ends_with(":no-such-image"))
        );
    });
}
