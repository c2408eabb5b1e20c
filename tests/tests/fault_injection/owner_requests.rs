//! Requests of owners while the workflow processes their image: each call of the workflow is held in turn until the
//! request is answered.

use crate::undisturbed_calls;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ImageKey, Status};
use futures_util::{StreamExt, future, stream};
use tests::api::File;
use tests::proxy::{Fault, Injection, Proxy, Service};
use tests::reroute::{WORKFLOW, run_through_proxy};
use tests::state_machine::machine::repository;
use tests::users::User;
use tests::{Stack, pictures, wait};

/// Images that are processed at the same time. Few, since a call that is held too long times out.
const AT_ONCE: usize = 3;

/// Holds the calls of the workflow about an owner's images, from the one with this number on, counted from 0.
fn hold(proxy: &Proxy, user: &User, first: usize) -> Injection {
    proxy.inject_from(&WORKFLOW, user.owner.as_str(), first, Fault::Held)
}

/// Uploads a picture through the API, or puts a video into the bucket, as other tools do.
async fn add(stack: &Stack, user: &User, file: &File) -> String {
    if !file.name.ends_with(".mp4") {
        return stack.upload_of(user, file).await;
    }
    let key = format!("uploads/{}/{}", user.owner.as_str(), file.name);
    stack.put_object(&key, file.bytes.clone()).await;
    key
}

/// Deletes an image while a call of its workflow is held; returns what is wrong afterwards.
async fn delete_at(stack: &Stack, proxy: &Proxy, file: &File, call: usize) -> Vec<String> {
    let user = stack.new_user("deleted-at-call").await;
    let held = hold(proxy, &user, call);
    let key = add(stack, &user, file).await;
    let id = stack.image(&key).image_id;
    held.reached().await;
    assert_eq!(user.delete_image(id).await.status, 204);
    drop(held);

    let mut executions = stack.executions_about(&key, 1).await;
    for handed_over_by in executions.clone() {
        executions.extend(stack.ended_for_video(&handed_over_by.arn).await);
    }
    let mut wrong = stack.left_of(&key).await;
    wrong.extend(stack.derived_of(&stack.image(&key)).await);
    for ended in executions {
        if ended.status != ExecutionStatus::Succeeded {
            wrong.push(format!("{ended:?}"));
        }
    }
    if user.get_image(id).await.status != 404 {
        wrong.push("the API still returns it".to_owned());
    }
    if user.delete_image(id).await.status != 204 {
        wrong.push("a repeated DELETE fails".to_owned());
    }
    let consistency = stack.consistency(&user.owner).await;
    wrong.extend(consistency.contradictions);
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

/// The number of calls that the workflow makes for a file.
async fn calls_for(stack: &Stack, proxy: &Proxy, file: &File) -> usize {
    let user = stack.new_user("undisturbed").await;
    let held = hold(proxy, &user, usize::MAX);
    let key = add(stack, &user, file).await;
    stack.settled(&key).await;
    held.calls()
}

/// `first` is the first call during which there is a record to delete.
async fn delete_at_each_call(stack: &Stack, proxy: &Proxy, file: &File, first: usize) {
    let calls = undisturbed_calls(async || calls_for(stack, proxy, file).await).await;
    let cases = (first..calls).map(|call| delete_at(stack, proxy, file, call));
    let wrong: Vec<_> = stream::iter(cases)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let wrong: Vec<_> = wrong.into_iter().flatten().collect();
    assert!(wrong.is_empty(), "{calls} calls\n{}", wrong.join("\n"));
}

#[test]
fn deleting_an_image_during_any_call_of_its_workflow_leaves_nothing() {
    run_through_proxy(async |stack, proxy| {
        delete_at_each_call(stack, proxy, &File::cat(), 0).await;
    });
}

#[test]
fn deleting_a_converted_image_during_any_call_of_its_workflow_leaves_nothing() {
    run_through_proxy(async |stack, proxy| {
        delete_at_each_call(stack, proxy, &File::new("cat.webp", pictures::webp()), 0).await;
    });
}

#[test]
fn deleting_a_rejected_image_during_any_call_of_its_workflow_leaves_nothing() {
    run_through_proxy(async |stack, proxy| {
        delete_at_each_call(stack, proxy, &File::new("cat.jpg", pictures::GIF), 0).await;
    });
}

#[test]
fn deleting_a_video_during_any_call_of_its_workflows_leaves_nothing() {
    run_through_proxy(async |stack, proxy| {
        let video = repository().join("samples/video.mp4");
        let video = File::new("cat.mp4", std::fs::read(video).expect("a sample"));
        // The second call is the claim, which creates the record.
        delete_at_each_call(stack, proxy, &video, 2).await;
    });
}

/// While the claim is held, the record is unchanged; afterwards, it names the execution.
#[test]
fn only_one_of_several_concurrent_requests_relabels_an_image() {
    run_through_proxy(async |stack, proxy| {
        let user = stack.new_user("concurrent-relabel").await;
        let key = stack.upload_of(&user, &File::cat()).await;
        let before = stack.settled_as(&key, Status::Labeled).await.record;
        // After the call that reads the checksum, the claim takes two calls: the first one finds the claim of the previous
        // execution.
        for call in [0, 3] {
            let last = stack.record(&stack.image(&key)).await.expect("a record");
            let held = hold(proxy, &user, call);
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
            if call == 3 {
                assert_eq!(shown.body["status"], "RUNNING", "{shown:?}");
                assert_eq!(shown.body["steps"][0]["status"], "RUNNING", "{shown:?}");
            }
            let after = stack.settled_again(&last).await;
            assert_eq!(taken[0].body["executionArn"], after.execution.arn.as_str());
        }
        assert_eq!(
            stack.consistency(&user.owner).await.contradictions,
            Vec::<String>::new()
        );
    });
}

#[test]
fn an_image_that_failed_after_retries_shows_them_and_can_be_deleted() {
    run_through_proxy(async |stack, proxy| {
        let user = stack.new_user("retries").await;
        let injection = proxy.inject(&WORKFLOW, user.owner.as_str(), |_, call| {
            (call.service == Service::Rekognition).then_some(Fault::Throttled)
        });
        let key = stack.upload_of(&user, &File::cat()).await;
        let image: ImageKey = stack.image(&key);
        wait::until("the image has failed", async || {
            let record = stack.record(&image).await?;
            (record.status == Status::Failed).then_some(())
        })
        .await;
        drop(injection);
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
