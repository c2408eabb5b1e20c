//! What people ask of the API while the workflow is at their image: each call of the workflow is held for as long as
//! that takes.
//!
//! The functions of the whole stack are led through a proxy meanwhile: this program runs alone.

use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ImageKey, Status};
use futures_util::{StreamExt, future, stream};
use tests::api::File;
use tests::proxy::{BrokenFrom, Fault, Proxy, Service};
use tests::reroute::run_through_proxy;
use tests::users::User;
use tests::{Stack, pictures, wait};

/// How many images are at work at the same time: a call that is held for long fails.
const AT_ONCE: usize = 3;

/// Holds one call of the workflow about an owner's images, and all that follow: from the one with this number on, from 0.
fn held(proxy: &Proxy, user: &User, from: usize) -> BrokenFrom {
    BrokenFrom::new(proxy, user.owner.as_str(), from, Fault::Held)
}

/// Deletes an image while a call of its workflow is held; gives back what is wrong afterwards.
async fn delete_at(stack: &Stack, proxy: &Proxy, file: &File, call: usize) -> Vec<String> {
    let user = stack.new_user("deleted-at").await;
    let held = held(proxy, &user, call);
    let key = stack.upload_of(&user, file).await;
    let id = stack.image(&key).image_id;
    held.reached().await;
    assert_eq!(user.delete_image(id).await.status, 204);
    drop(held);

    let executions = stack.executions_about(&key, 1).await;
    let mut wrong = stack.left_of(&key).await;
    wrong.extend(stack.derived_of(&stack.image(&key)).await);
    for ended in executions {
        if ended.status != ExecutionStatus::Succeeded {
            wrong.push(format!("{ended:?}"));
        }
    }
    if user.get_image(id).await.status != 404 {
        wrong.push("it is still shown".to_owned());
    }
    if user.delete_image(id).await.status != 204 {
        wrong.push("it cannot be deleted again".to_owned());
    }
    let story = stack.story(&user.owner).await;
    wrong.extend(story.contradictions);
    wrong.extend(
        stack
            .label_counts(&user.owner)
            .await
            .keys()
            .map(|name| format!("{name} is counted")),
    );
    wrong
        .iter()
        .map(|wrong| format!("at call {call}: {wrong}"))
        .collect()
}

/// How many calls the workflow of a file makes.
async fn calls_for(stack: &Stack, proxy: &Proxy, file: &File) -> usize {
    let user = stack.new_user("undisturbed").await;
    let held = held(proxy, &user, usize::MAX);
    let key = stack.upload_of(&user, file).await;
    stack.settled(&key).await;
    held.calls()
}

async fn delete_at_each_call(stack: &Stack, proxy: &Proxy, file: &File) {
    let calls = calls_for(stack, proxy, file).await;
    let cases = (0..calls).map(|call| delete_at(stack, proxy, file, call));
    let wrong: Vec<_> = stream::iter(cases)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let wrong: Vec<_> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{calls} calls\n{}", wrong.join("\n"));
}

#[test]
fn an_image_that_is_deleted_at_any_call_of_its_workflow_leaves_nothing() {
    run_through_proxy(async |stack, proxy| {
        delete_at_each_call(stack, proxy, &File::cat()).await;
    });
}

#[test]
fn an_image_that_is_converted_and_deleted_at_any_call_of_its_workflow_leaves_nothing() {
    run_through_proxy(async |stack, proxy| {
        delete_at_each_call(stack, proxy, &File::new("cat.webp", pictures::webp())).await;
    });
}

#[test]
fn a_file_at_fault_that_is_deleted_at_any_call_of_its_workflow_leaves_nothing() {
    run_through_proxy(async |stack, proxy| {
        delete_at_each_call(stack, proxy, &File::new("cat.jpg", pictures::GIF)).await;
    });
}

/// While the claim is held, the record is as all of them found it; afterwards, it tells of the execution.
#[test]
fn of_several_who_relabel_an_image_at_the_same_moment_one_does() {
    run_through_proxy(async |stack, proxy| {
        let user = stack.new_user("at-once").await;
        let key = stack.upload_of(&user, &File::cat()).await;
        let before = stack.settled_as(&key, Status::Labeled).await.record;
        // The claim takes two calls: the first finds the image held by the execution before.
        for call in [0, 2] {
            let last = stack.record(&stack.image(&key)).await.expect("a record");
            let held = held(proxy, &user, call);
            let answers = future::join_all((0..4).map(|_| user.relabel(before.image_id))).await;
            let taken: Vec<_> = answers.iter().filter(|answer| answer.status == 202).collect();
            assert_eq!(taken.len(), 1, "{answers:?}");
            held.reached().await;
            let late = user.relabel(before.image_id).await;
            let all = answers
                .iter()
                .chain([&late])
                .filter(|answer| answer.status != 202);
            for refused in all {
                assert_eq!(refused.status, 409, "{answers:?}");
                let kind = refused.body["type"].as_str().unwrap_or_default();
                assert!(kind.ends_with(":being-labeled"), "{refused:?}");
            }
            let shown = user.get_execution(before.image_id).await;
            drop(held);
            if call == 2 {
                assert_eq!(shown.body["status"], "RUNNING", "{shown:?}");
                assert_eq!(shown.body["steps"][0]["status"], "RUNNING", "{shown:?}");
            }
            let after = stack.settled_anew(&last).await;
            assert_eq!(taken[0].body["executionArn"], after.execution.arn.as_str());
        }
        assert_eq!(
            stack.story(&user.owner).await.contradictions,
            Vec::<String>::new()
        );
    });
}

#[test]
fn an_image_that_failed_after_its_retries_shows_them_and_can_be_deleted() {
    run_through_proxy(async |stack, proxy| {
        let user = stack.new_user("retries").await;
        let breaking = proxy.break_calls(user.owner.as_str(), |call| {
            (call.service == Service::Rekognition).then_some(Fault::Throttled)
        });
        let key = stack.upload_of(&user, &File::cat()).await;
        let image: ImageKey = stack.image(&key);
        wait::until("the image has failed", async || {
            let record = stack.record(&image).await?;
            (record.status == Status::Failed).then_some(())
        })
        .await;
        drop(breaking);
        let answer = user.get_execution(image.image_id).await;
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (200, &"FAILED".into()),
            "{answer:?}"
        );
        let steps = answer.body["steps"].as_array().expect("steps");
        let [_, failed] = &steps[..] else {
            panic!("two steps: {steps:?}")
        };
        assert_eq!(
            (&failed["name"], &failed["status"]),
            (&"Detect labels".into(), &"FAILED".into())
        );
        assert!(failed["attempts"].as_u64() > Some(10), "{failed}");
        assert_eq!(failed["error"]["name"], "Throttled");

        assert_eq!(user.delete_image(image.image_id).await.status, 204);
        assert_eq!(stack.left_of(&key).await, Vec::<String>::new());
    });
}
