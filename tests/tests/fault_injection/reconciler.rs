//! Runs of the reconciler that are killed at half of their calls, and an owner who deletes the image at the other half.

use crate::undisturbed_calls;
use domain::table::{RECONCILIATION, image_sort};
use domain::{ErrorName, ImageId, Status};
use futures_util::{StreamExt, stream};
use records::expression::{Update, number, text};
use records::{Deletable, Records};
use serde_json::{Value, json};
use tests::functions::FunctionError;
use tests::proxy::{Fault, Injection, Proxy};
use tests::reroute::run_through_proxy;
use tests::users::User;
use tests::{Stack, pictures, wait};

/// Owners whose leftovers are repaired at the same time. Few, since a call that is held too long times out.
const AT_ONCE: usize = 3;

/// What is left over of a user's images.
struct Leftovers<'a> {
    stack: &'a Stack,
    user: User,
    /// A picture whose deletion was interrupted after its first step.
    deleted: String,
    /// An upload whose event was lost.
    unprocessed: String,
    /// A thumbnail of no image.
    orphan: String,
}

impl<'a> Leftovers<'a> {
    async fn new(stack: &'a Stack) -> Self {
        let user = stack.new_user("reconciled").await;
        let owner = user.owner.as_str();
        let deleted = format!("uploads/{owner}/deleted.jpg");
        let unprocessed = format!("uploads/{owner}/{}", ImageId::new());
        let orphan = format!("thumbnails/{owner}/{}/one/320", ImageId::new());
        stack.put_object(&deleted, pictures::cat()).await;
        stack.put_object(&unprocessed, pictures::TEXT).await;
        stack.put_object(&orphan, "a thumbnail").await;
        stack.settled_as(&deleted, Status::Labeled).await;
        stack.with_thumbnails(&deleted, |_| true).await;
        stack.settled_as(&unprocessed, Status::Rejected).await;

        let records = Records::new(stack.dynamodb.clone(), stack.table.clone());
        let id = stack.image(&deleted).image_id;
        records
            .mark_deleted(&user.owner, id, Deletable::Image)
            .await
            .expect("a tombstone");
        let id = stack.image(&unprocessed).image_id;
        let announced = [
            ("imageId", text(id.to_string())),
            ("owner", text(owner)),
            ("status", text(Status::AwaitingUpload.as_str())),
            ("updatedAt", text("2026-11-22T12:00:00.000Z")),
            ("bucket", text(&stack.bucket)),
            ("key", text(&unprocessed)),
        ];
        stack.put_item(&user.owner, image_sort(id), &announced).await;
        Self {
            stack,
            user,
            deleted,
            unprocessed,
            orphan,
        }
    }

    async fn run(&self, new_pass: bool) -> Result<Value, FunctionError> {
        let input = json!({"owner": self.user.owner, "olderThanSeconds": 0, "newPass": new_pass});
        self.stack.invoke("reconcile", &input).await
    }

    /// Continues the pass until it is complete, once the lease of the run that was killed has expired.
    async fn complete(&self) {
        let expired = Update::new().set("until", number(0));
        self.stack
            .update_item(&self.user.owner, RECONCILIATION.to_owned(), expired)
            .await;
        wait::until("the pass is complete", async || {
            let output = self.run(false).await.expect("an answer");
            let progress = output["progress"].as_str().expect("a text");
            ["DONE", "NOT_DUE"].contains(&progress).then_some(())
        })
        .await;
    }

    /// Injects a fault into the calls about this owner, from the one with this number on, counted from 0.
    fn inject(&self, proxy: &Proxy, first: usize, fault: Fault) -> Injection {
        proxy.inject_from(&["reconcile"], self.user.owner.as_str(), first, fault)
    }

    /// What is wrong, except about the upload whose event was lost.
    async fn wrong(&self) -> Vec<String> {
        let stack = self.stack;
        let mut wrong = stack.left_of(&self.deleted).await;
        wrong.extend(stack.derived_of(&stack.image(&self.deleted)).await);
        if stack.has_object(&self.orphan).await {
            wrong.push(self.orphan.clone());
        }
        wrong.extend(stack.consistency(&self.user.owner).await.contradictions);
        let counts = stack.label_counts(&self.user.owner).await;
        wrong.extend(counts.keys().map(|name| format!("{name} is counted")));
        wrong
    }
}

/// A run is killed at a call, and the next one continues.
async fn killed(stack: &Stack, proxy: &Proxy, call: usize) -> Vec<String> {
    let left = Leftovers::new(stack).await;
    let killed = left.inject(proxy, call, Fault::CallerKilled);
    let result = left.run(true).await;
    drop(killed);
    assert!(result.is_err(), "the function was killed: {result:?}");
    left.complete().await;
    wait::until("the text is rejected again", async || {
        let record = stack.record(&stack.image(&left.unprocessed)).await?;
        (record.status == Status::Rejected).then_some(())
    })
    .await;
    let mut wrong = left.wrong().await;
    // That of its event, and one of the reconciler.
    let executions = stack.executions_about(&left.unprocessed, 2).await.len();
    if executions != 2 {
        wrong.push(format!("{executions} executions"));
    }
    wrong
}

/// The owner deletes the upload while a call is held.
async fn deleted(stack: &Stack, proxy: &Proxy, call: usize) -> Vec<String> {
    let left = Leftovers::new(stack).await;
    let held = left.inject(proxy, call, Fault::Held);
    let (result, ()) = tokio::join!(left.run(true), async {
        held.reached().await;
        let id = stack.image(&left.unprocessed).image_id;
        assert_eq!(left.user.delete_image(id).await.status, 204);
        drop(held);
    });
    // A held call can time out on a busy machine. The next run completes the pass.
    let has_timed_out = result
        .as_ref()
        .is_err_and(|error| error.error_type == ErrorName::ServiceUnavailable.as_str());
    assert!(result.is_ok() || has_timed_out, "{result:?}");
    left.complete().await;
    stack.executions_about(&left.unprocessed, 1).await;
    let mut wrong = left.wrong().await;
    wrong.extend(stack.left_of(&left.unprocessed).await);
    wrong
}

/// The number of calls of an undisturbed pass about its owner.
async fn calls(stack: &Stack, proxy: &Proxy) -> usize {
    let left = Leftovers::new(stack).await;
    let undisturbed = left.inject(proxy, usize::MAX, Fault::Held);
    let output = left.run(true).await.expect("an answer");
    assert_eq!(output["progress"], "DONE");
    let calls = undisturbed.calls();
    assert!(calls > 20, "{calls} calls");
    calls
}

/// At every other call, to save time.
async fn at_each_call(
    stack: &Stack,
    proxy: &Proxy,
    first: usize,
    disturb: impl AsyncFn(usize) -> Vec<String>,
) {
    let calls = undisturbed_calls(async || calls(stack, proxy).await).await;
    let calls = (first..calls).step_by(2);
    let results = stream::iter(calls).map(async |call| {
        let wrong = disturb(call).await.into_iter();
        wrong
            .map(|wrong| format!("at call {call}: {wrong}"))
            .collect::<Vec<_>>()
    });
    let wrong = results
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await
        .concat();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_pass_whose_run_is_killed_is_completed_by_the_next_one() {
    run_through_proxy(async |stack, proxy| {
        at_each_call(stack, proxy, 0, async |call| killed(stack, proxy, call).await).await;
    });
}

#[test]
fn an_image_that_its_owner_deletes_during_a_run_stays_deleted() {
    run_through_proxy(async |stack, proxy| {
        at_each_call(stack, proxy, 1, async |call| deleted(stack, proxy, call).await).await;
    });
}
