//! Faults while a video is handed over from `label-image` to `label-video`, and while its minutes are counted.

use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ErrorName, MediaType, Status};
use futures_util::{StreamExt, stream};
use serde_json::json;
use tests::api::File;
use tests::proxy::{Fault, Service};
use tests::reroute::run_through_proxy;
use tests::state_machine::machine::repository;
use tests::{Stack, wait};

/// Videos that are processed at the same time.
const AT_ONCE: usize = 3;

/// Eight seconds, of which a few frames are labeled: all videos share the pace of bulk work.
fn video() -> Vec<u8> {
    std::fs::read(repository().join("tests/videos/vp9.webm")).expect("a video")
}

/// Puts a video into the bucket, as other tools do. Returns its key.
async fn put(stack: &Stack, owner: &str) -> String {
    let key = format!("uploads/{owner}/cat.webm");
    stack.put_object(&key, video()).await;
    key
}

#[test]
fn a_video_is_labeled_once_if_the_start_of_its_execution_fails_or_its_answer_is_lost() {
    run_through_proxy(async |stack, proxy| {
        let faults = [
            Fault::Unavailable,
            Fault::Throttled,
            Fault::Reset,
            Fault::AnswerLost,
            Fault::AnswerCut,
            Fault::CallerKilled,
        ];
        let results = stream::iter(faults).map(async |fault| {
            let owner = stack.new_owner("hand-over");
            let mut is_first = true;
            let injection = proxy.inject(&["validate"], &owner, move |_, call| {
                let is_start = call.service == Service::StepFunctions;
                (is_start && std::mem::take(&mut is_first)).then_some(fault)
            });
            let key = put(stack, &owner).await;
            let settled = stack.settled(&key).await;
            let what = format!("{fault:?}: {:?}", settled.record);
            assert_eq!(injection.faults(), 1, "{what}");
            assert_eq!(settled.record.status, Status::Labeled, "{what}");
            assert_eq!(settled.record.media_type, MediaType::Video, "{what}");
            assert_eq!(settled.notifications.len(), 1, "{what}");
            let executions = stack.executions_about(&key, 1).await;
            assert_eq!(executions.len(), 1, "{what}");
            assert_eq!(executions[0].status, ExecutionStatus::Succeeded, "{what}");
        });
        assert_eq!(results.buffer_unordered(AT_ONCE).count().await, faults.len());
    });
}

/// The name of the execution exists, and cannot be used again. The image would stay `PROCESSING`.
#[test]
fn a_video_whose_execution_has_ended_before_it_took_over_fails_and_can_be_labeled_again() {
    run_through_proxy(async |stack, proxy| {
        let user = stack.new_user("hand-over").await;
        let owner = user.owner.as_str().to_owned();
        // The first start succeeds, but `validate` is run again and waits at the second one.
        let mut starts = 0;
        let held = proxy.inject(&["validate"], &owner, move |_, call| {
            let is_start = call.service == Service::StepFunctions;
            starts += usize::from(is_start);
            match starts {
                _ if !is_start => None,
                1 => Some(Fault::CallerKilled),
                _ => Some(Fault::Held),
            }
        });
        let denied = proxy.inject_from(&["inspect-video"], &owner, 0, Fault::Denied);
        let key = put(stack, &owner).await;
        wait::until("the second start is held", async || {
            (held.faults() > 1).then_some(())
        })
        .await;
        let image = stack.image(&key);
        let record = stack.record(&image).await.expect("a claim");
        let own = record.execution_arn.expect("a claim");
        let video = stack.ended_for_video(&own).await.expect("the first start");
        assert_eq!(video.status, ExecutionStatus::Failed, "{video:?}");
        drop((held, denied));

        let ended = stack.ended(&own).await;
        assert_eq!(ended.status, ExecutionStatus::Failed, "{ended:?}");
        assert_eq!(ended.error.as_deref(), Some("UnexpectedAnswer"), "{ended:?}");
        wait::until("the video has failed", async || {
            let record = stack.record(&image).await?;
            (record.status == Status::Failed).then_some(())
        })
        .await;
        let path = format!("/images/{}/relabel", image.image_id);
        let answer = user.api(reqwest::Method::POST, &path, None, "").await;
        assert_eq!(answer.status, 202, "{answer:?}");
        wait::until("the video is labeled", async || {
            let record = stack.record(&image).await?;
            (record.status == Status::Labeled).then_some(())
        })
        .await;
    });
}

/// The execution of `label-image` has succeeded, and the one of `label-video` waits.
#[test]
fn the_reconciler_leaves_a_video_alone_that_waits_to_be_taken_over() {
    run_through_proxy(async |stack, proxy| {
        let owner = stack.new_owner("waiting");
        let held = proxy.inject_from(&["inspect-video"], &owner, 0, Fault::Held);
        let key = put(stack, &owner).await;
        held.reached().await;
        let image = stack.image(&key);
        let record = stack.record(&image).await.expect("a claim");
        let own = record.execution_arn.clone().expect("a claim");
        assert!(own.contains("-label-image:"), "{own}");
        stack.ended(&own).await;
        let input = json!({"owner": owner, "olderThanSeconds": 0, "newPass": true});
        let output = stack.invoke("reconcile", &input).await.expect("an answer");
        assert_eq!(output["pass"]["findings"], json!([]));
        assert_eq!(stack.record(&image).await, Some(record));
        drop(held);
        let settled = stack.settled(&key).await;
        assert_eq!(settled.record.status, Status::Labeled);
    });
}

/// If each throttled call ended the part, a busy day could fill the history of the execution of a long video.
#[test]
fn a_part_is_continued_in_place_while_calls_are_throttled() {
    run_through_proxy(async |stack, proxy| {
        let owner = stack.new_owner("throttled-frames");
        let mut left = 3;
        let injection = proxy.inject(&["label-frames"], &owner, move |_, call| {
            let is_frame =
                call.service == Service::S3 && call.text.starts_with("GET ") && call.text.contains("uploads");
            let is_next = is_frame && left > 0;
            left -= usize::from(is_next);
            is_next.then_some(Fault::Throttled)
        });
        let key = put(stack, &owner).await;
        let settled = stack.settled(&key).await;
        assert_eq!(settled.record.status, Status::Labeled);
        assert_eq!(injection.faults(), 3);
        let history = stack.sfn.get_execution_history();
        let history = history.execution_arn(&settled.execution.arn).send().await;
        let events = history.expect("a history").events;
        // Calls that take long on a busy machine can end with other errors.
        let failed = events
            .iter()
            .filter_map(|event| event.task_failed_event_details());
        let throttled = failed.filter(|failed| failed.error() == Some(ErrorName::Throttled.as_str()));
        assert_eq!(throttled.count(), 0, "{events:?}");
    });
}

/// `Inspect video` is run again if its function is killed.
#[test]
fn the_minutes_of_a_video_are_counted_once_at_whatever_call_its_inspection_is_killed() {
    run_through_proxy(async |stack, proxy| {
        let label = async |killed_at: usize| {
            // All videos together can take until the next day.
            let day = stack.day().await;
            let user = stack.new_user("minutes").await;
            let injection = proxy.inject(&["inspect-video"], user.owner.as_str(), move |number, _| {
                (number == killed_at).then_some(Fault::CallerKilled)
            });
            let key = stack.upload_of(&user, &File::new("cat.webm", video())).await;
            let record = stack.settled(&key).await.record;
            let minutes = day.video_minutes(&user.owner).await;
            (record.status, minutes, injection.calls())
        };
        let (status, minutes, calls) = label(usize::MAX).await;
        assert_eq!((status, minutes), (Status::Labeled, 1));
        let cases = (0..calls).map(async |call| (call, label(call).await));
        let results: Vec<_> = stream::iter(cases).buffer_unordered(AT_ONCE).collect().await;
        for (call, (status, minutes, _)) in results {
            assert_eq!(
                (status, minutes),
                (Status::Labeled, 1),
                "killed at call {call} of {calls}"
            );
        }
    });
}
