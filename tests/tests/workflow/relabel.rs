//! `POST /images/{id}/relabel`. (`tests/tests/fault_injection/owner_requests.rs` tests concurrent requests.)

use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ImageId, Status};
use serde_json::json;
use tests::api::{Answer, File};
use tests::{pictures, run};

fn problem(answer: &Answer) -> (u16, &str) {
    let kind = answer.body["type"].as_str().unwrap_or_default();
    (answer.status, kind.rsplit(':').next().unwrap_or_default())
}

#[test]
fn an_image_is_relabeled_by_the_execution_in_the_answer() {
    run(async |stack| {
        let user = stack.new_user("relabel").await;
        let key = stack.upload_of(&user, &File::cat()).await;
        let before = stack.settled_as(&key, Status::Labeled).await.record;
        for _ in 0..2 {
            let last = stack.record(&stack.image(&key)).await.expect("a record");
            let answer = user.relabel(before.image_id).await;
            assert_eq!(answer.status, 202, "{answer:?}");
            let after = stack.settled_again(&last).await;
            assert_eq!(answer.body["executionArn"], after.execution.arn.as_str());
            assert_eq!(after.record.labels, before.labels);
            assert_eq!(after.record.created_at, before.created_at);
        }
        let consistency = stack.consistency(&user.owner).await;
        assert_eq!(
            (consistency.records.len(), consistency.contradictions),
            (1, vec![])
        );
    });
}

#[test]
fn an_image_without_its_object_is_rejected() {
    run(async |stack| {
        let user = stack.new_user("relabel").await;
        let key = stack.upload_of(&user, &File::cat()).await;
        let before = stack.settled_as(&key, Status::Labeled).await.record;
        stack.delete_object(&key).await;
        assert_eq!(user.relabel(before.image_id).await.status, 202);
        let after = stack.settled_again(&before).await.record;
        assert_eq!(
            (after.status, after.error.expect("an error").name.as_str()),
            (Status::Rejected, "ObjectGone")
        );
        assert_eq!(
            stack.consistency(&user.owner).await.contradictions,
            Vec::<String>::new()
        );
    });
}

/// The name of the execution is used then, and the next one needs another name.
#[test]
fn an_execution_that_ended_before_its_claim_does_not_block_the_next() {
    run(async |stack| {
        let user = stack.new_user("relabel").await;
        let key = stack.upload_of(&user, &File::cat()).await;
        let before = stack.settled_as(&key, Status::Labeled).await.record;
        let state = before.updated_at.replace(['-', ':', '.'], "");
        let failed = stack
            .sfn
            .start_execution()
            .state_machine_arn(&stack.state_machine_arn)
            .name(format!("relabel-{}-{state}", before.image_id))
            .input(json!({}).to_string());
        let failed = failed.send().await.expect("an execution").execution_arn;
        assert_eq!(stack.ended(&failed).await.status, ExecutionStatus::Failed);

        let answer = user.relabel(before.image_id).await;
        assert_eq!(answer.status, 202, "{answer:?}");
        let after = stack.settled_again(&before).await;
        assert_eq!(answer.body["executionArn"], after.execution.arn.as_str());
    });
}

#[test]
fn an_image_that_is_not_uploaded_deleted_or_of_another_owner_cannot_be_relabeled() {
    run(async |stack| {
        let (user, other) = (stack.new_user("relabel").await, stack.new_user("other").await);
        let created = user.create_upload(&File::cat()).await;
        assert_eq!(
            problem(&user.relabel(created.image_id).await),
            (409, "nothing-uploaded")
        );

        let key = stack.upload_of(&user, &File::new("a.jpg", pictures::GIF)).await;
        let before = stack.settled_as(&key, Status::Rejected).await.record;
        for id in [before.image_id, created.image_id, ImageId::new()] {
            assert_eq!(problem(&other.relabel(id).await), (404, "no-such-image"));
        }
        assert_eq!(stack.record(&stack.image(&key)).await, Some(before.clone()));
        assert_eq!(user.delete_image(before.image_id).await.status, 204);
        assert_eq!(
            problem(&user.relabel(before.image_id).await),
            (404, "no-such-image")
        );
    });
}
