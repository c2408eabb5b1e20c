//! What becomes of renditions and thumbnails whose image its owner deletes while they are made: each call of the
//! functions that make them is held for as long as the deletion takes, and can be their last but one.
//!
//! Calls of functions are led through a proxy meanwhile: this program runs alone.

use domain::ErrorName;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};
use tests::functions::FunctionError;
use tests::images::LAST_SEQUENCER;
use tests::proxy::{BrokenFrom, Fault, Proxy};
use tests::reroute::run_functions_through_proxy;
use tests::users::User;
use tests::{Stack, pictures};
use uuid::Uuid;

/// How many images are at work at the same time: a call that is held for long fails.
const AT_ONCE: usize = 3;

/// Earlier than [`LAST_SEQUENCER`], and later than any that S3 has ever sent.
const SEQUENCER: &str = "FFFFFFFFFFFFFFFFF0";

/// A function at work on somebody's only image.
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

    /// Makes thumbnails of a picture whose event has come once more.
    async fn thumbnails(stack: &'a Stack) -> Self {
        let (user, key) = labeled(stack).await;
        let told = stack.notifications(stack.image(&key).image_id).await;
        Self {
            stack,
            user,
            input: json!({"detail": told[0].detail}),
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

/// A picture that has to be converted, with which everything is done.
async fn labeled(stack: &Stack) -> (User, String) {
    let user = stack.new_user("derived").await;
    let key = format!("uploads/{}/cat.webp", user.owner.as_str());
    stack.put_object(&key, pictures::webp()).await;
    stack.settled(&key).await;
    stack.with_thumbnails(&key, |_| true).await;
    (user, key)
}

/// Claims an image for an execution that nobody else knows of.
async fn claim(stack: &Stack, key: &str, sequencer: &str) -> Value {
    let machine = stack.state_machine_arn.replace(":stateMachine:", ":execution:");
    let input = json!({
        "event": stack.object_created(key, sequencer),
        "executionArn": format!("{machine}:{}", Uuid::now_v7()),
    });
    stack.invoke("validate", &input).await.expect("a claim")
}

/// Breaks calls about an owner's images from the one with this number on, from 0.
fn broken(proxy: &Proxy, user: &User, from: usize, fault: Fault) -> BrokenFrom {
    BrokenFrom::new(proxy, user.owner.as_str(), from, fault)
}

/// The image is deleted while the call is on its way, and then the function goes on.
async fn held(work: &Work<'_>, proxy: &Proxy, call: usize) -> Vec<String> {
    let held = broken(proxy, &work.user, call, Fault::Held);
    let (result, ()) = tokio::join!(work.run(), async {
        held.reached().await;
        work.delete().await;
        drop(held);
    });
    work.wrong(result).await
}

/// The same, but the function dies at its next call, and is run again, as Step Functions and Lambda do.
async fn killed(work: &Work<'_>, proxy: &Proxy, call: usize) -> Vec<String> {
    let held = broken(proxy, &work.user, call, Fault::Held);
    // It does not hear of the call that is held.
    let killed = broken(proxy, &work.user, call, Fault::CallerKilled);
    let (result, ()) = tokio::join!(work.run(), async {
        held.reached().await;
        work.delete().await;
        drop(held);
    });
    drop(killed);
    assert!(result.is_err(), "it died: {result:?}");
    work.wrong(work.run().await).await
}

#[test]
fn nothing_stays_of_what_is_made_of_an_image_that_is_deleted_or_taken_over_meanwhile() {
    run_functions_through_proxy(&["convert", "thumbnails"], async |stack, proxy| {
        let mut cases = vec![];
        for function in ["convert", "thumbnails"] {
            let work = begin(stack, function).await;
            let undisturbed = broken(proxy, &work.user, usize::MAX, Fault::Held);
            work.run().await.expect("an answer");
            let calls = undisturbed.calls();
            assert!(calls > 0, "{function} calls nothing");
            cases.extend((0..calls).flat_map(|call| [(function, call, true), (function, call, false)]));
        }
        let results = stream::iter(cases).map(async |(function, call, holds)| {
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

        // A later picture under the same key.
        let work = Work::convert(stack).await;
        let held = broken(proxy, &work.user, 1, Fault::Held);
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
