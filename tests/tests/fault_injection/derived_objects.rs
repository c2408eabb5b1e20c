//! Renditions and thumbnails of an image that its owner deletes while they are made: each call of the functions that make
//! them is held until the image is deleted, and the function then continues, or is killed at its next call.

use crate::undisturbed_calls;
use domain::ErrorName;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tests::functions::FunctionError;
use tests::images::LAST_SEQUENCER;
use tests::proxy::{Fault, Injection, Proxy};
use tests::reroute::run_through_proxy;
use tests::users::User;
use tests::{Stack, pictures};
use uuid::Uuid;

/// Images that are processed at the same time. Few, since a call that is held too long times out.
const AT_ONCE: usize = 3;

/// Earlier than [`LAST_SEQUENCER`], and later than any that S3 sends.
const SEQUENCER: &str = "FFFFFFFFFFFFFFFFF0";

/// A function, and the only image of a user, which it processes.
struct Work<'a> {
    stack: &'a Stack,
    user: User,
    key: String,
    function: &'static str,
    input: Value,
}

impl<'a> Work<'a> {
    /// Converts a picture that an execution has claimed.
    async fn convert(stack: &'a Stack) -> Self {
        let (user, key) = labeled(stack).await;
        let input = claim(stack, &key, SEQUENCER).await;
        Self {
            stack,
            user,
            key,
            function: "convert",
            input,
        }
    }

    /// Makes thumbnails of a picture whose event is delivered again.
    async fn thumbnails(stack: &'a Stack) -> Self {
        let (user, key) = labeled(stack).await;
        let notifications = stack.notifications(stack.image(&key).image_id).await;
        Self {
            stack,
            user,
            input: json!({"detail": notifications[0].detail}),
            key,
            function: "thumbnails",
        }
    }

    async fn run(&self) -> Result<Value, FunctionError> {
        self.stack.invoke(self.function, &self.input).await
    }

    async fn delete(&self) {
        let answer = self.user.delete_image(self.stack.image(&self.key).image_id).await;
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// What is wrong after a deletion.
    async fn wrong(&self, result: Result<Value, FunctionError>) -> Vec<String> {
        let mut wrong = self.stack.left_of(&self.key).await;
        wrong.extend(self.stack.derived_of(&self.stack.image(&self.key)).await);
        let right = match &result {
            Ok(_) => self.function == "thumbnails",
            Err(error) => self.function == "convert" && error.error_type == ErrorName::ImageDeleted.as_str(),
        };
        if !right {
            wrong.push(format!("{result:?}"));
        }
        wrong
    }
}

/// A picture that had to be converted, labeled and with thumbnails.
async fn labeled(stack: &Stack) -> (User, String) {
    let user = stack.new_user("derived").await;
    let key = format!("uploads/{}/cat.webp", user.owner.as_str());
    stack.put_object(&key, pictures::webp()).await;
    stack.settled(&key).await;
    stack.with_thumbnails(&key, |_| true).await;
    (user, key)
}

/// Claims an image for an execution that does not exist.
async fn claim(stack: &Stack, key: &str, sequencer: &str) -> Value {
    let machine = stack.state_machine_arn.replace(":stateMachine:", ":execution:");
    let input = json!({
        "event": stack.object_created(key, sequencer),
        "executionArn": format!("{machine}:{}", Uuid::now_v7()),
    });
    stack.invoke("validate", &input).await.expect("a claim")
}

/// Injects a fault into the function's calls about its image, from the one with this number on, counted from 0.
fn inject(work: &Work<'_>, proxy: &Proxy, first: usize, fault: Fault) -> Injection {
    proxy.inject_from(&[work.function], work.user.owner.as_str(), first, fault)
}

/// The image is deleted while the call is held, and then the function continues.
async fn held(work: &Work<'_>, proxy: &Proxy, call: usize) -> Vec<String> {
    let held = inject(work, proxy, call, Fault::Held);
    let (result, ()) = tokio::join!(work.run(), async {
        held.reached().await;
        work.delete().await;
        drop(held);
    });
    work.wrong(result).await
}

/// The same, but the function is killed at its next call, and invoked again as Step Functions and Lambda do.
async fn killed(work: &Work<'_>, proxy: &Proxy, call: usize) -> Vec<String> {
    let held = inject(work, proxy, call, Fault::Held);
    // The call that is held does not count here: the next one has the same number.
    let killed = inject(work, proxy, call, Fault::CallerKilled);
    let (result, ()) = tokio::join!(work.run(), async {
        held.reached().await;
        work.delete().await;
        drop(held);
    });
    drop(killed);
    assert!(result.is_err(), "the function was killed: {result:?}");
    work.wrong(work.run().await).await
}

/// The number of calls of a function that is not disturbed.
async fn calls(stack: &Stack, proxy: &Proxy, function: &str) -> usize {
    let work = begin(stack, function).await;
    let undisturbed = inject(&work, proxy, usize::MAX, Fault::Held);
    work.run().await.expect("an answer");
    undisturbed.calls()
}

/// Deletes an image at each call of a function, once while the call is held and once before the function is killed.
async fn delete_at_each_call(stack: &Stack, proxy: &Proxy, function: &str) {
    let calls = undisturbed_calls(async || calls(stack, proxy, function).await).await;
    assert!(calls > 0, "{function} calls nothing");
    let cases = (0..calls).flat_map(|call| [(call, true), (call, false)]);
    let results = stream::iter(cases).map(async |(call, holds)| {
        let work = begin(stack, function).await;
        let wrong = if holds {
            held(&work, proxy, call).await
        } else {
            killed(&work, proxy, call).await
        };
        let how = if holds { "held" } else { "killed" };
        wrong
            .into_iter()
            .map(move |wrong| format!("{function}, {how} at call {call}: {wrong}"))
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
fn a_rendition_of_an_image_deleted_during_conversion_is_removed() {
    run_through_proxy(async |stack, proxy| delete_at_each_call(stack, proxy, "convert").await);
}

#[test]
fn thumbnails_of_an_image_deleted_while_they_are_created_are_removed() {
    run_through_proxy(async |stack, proxy| delete_at_each_call(stack, proxy, "thumbnails").await);
}

/// A later picture with the same key is claimed while the first one is converted.
#[test]
fn a_rendition_of_an_execution_that_lost_its_claim_is_removed() {
    run_through_proxy(async |stack, proxy| {
        let work = Work::convert(stack).await;
        let held = inject(&work, proxy, 1, Fault::Held);
        let before = stack.derived_of(&stack.image(&work.key)).await;
        let (result, ()) = tokio::join!(work.run(), async {
            held.reached().await;
            claim(stack, &work.key, LAST_SEQUENCER).await;
            drop(held);
        });
        let error = result.expect_err("the claim is lost").error_type;
        assert_eq!(error, ErrorName::StaleEvent.as_str());
        assert_eq!(stack.derived_of(&stack.image(&work.key)).await, before);
    });
}

async fn begin<'a>(stack: &'a Stack, function: &str) -> Work<'a> {
    if function == "convert" {
        Work::convert(stack).await
    } else {
        Work::thumbnails(stack).await
    }
}
