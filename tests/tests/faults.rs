//! Services that throttle, fail, answer late or not at all, and functions that die at their work: each image ends as
//! it would have without that, counted once and announced once, or it is recorded as failed and can be run again.
//!
//! The functions of the whole stack are led through a proxy meanwhile: this program runs alone.

use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ImageRecord, Owner, Status};
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tests::executions::Ended;
use tests::proxy::{Call, Fault, Proxy, Service};
use tests::reroute::run_through_proxy;
use tests::{Stack, pictures, wait};

/// How many images are at work at the same time.
const AT_ONCE: usize = 6;

/// An owner with one image, for one case.
struct Subject<'a> {
    stack: &'a Stack,
    owner: Owner,
    key: String,
}

impl<'a> Subject<'a> {
    fn new(stack: &'a Stack) -> Self {
        let key = format!("uploads/{}/picture", stack.new_owner("faults"));
        Self {
            stack,
            owner: stack.image(&key).owner,
            key,
        }
    }

    async fn put(&self, bytes: Vec<u8>) {
        self.stack.put_object(&self.key, bytes).await;
    }

    /// Waits for a result that another execution than `before` brought about.
    async fn result(&self, before: Option<&ImageRecord>) -> (ImageRecord, Ended) {
        let before = before.and_then(|record| record.execution_arn.as_deref());
        let image = self.stack.image(&self.key);
        let record = wait::until(&format!("{} has a new result", self.key), async || {
            let record = self.stack.record(&image).await?;
            let new = record.execution_arn.as_deref() != before;
            let done = matches!(record.status, Status::Labeled | Status::Rejected | Status::Failed);
            (new && done).then_some(record)
        })
        .await;
        let ended = self
            .stack
            .ended(record.execution_arn.as_deref().expect("a claim"))
            .await;
        (record, ended)
    }

    /// Counts right, and the result of `record` announced under exactly one id.
    async fn check(&self, what: &str, record: &ImageRecord) {
        let story = self.stack.story(&self.owner).await;
        assert_eq!(story.contradictions, Vec::<String>::new(), "{what}");
        assert_eq!(story.records.len(), 1, "{what}");
        let said = self.stack.notifications(record.image_id).await;
        let arn = record.execution_arn.as_deref();
        let said = said
            .iter()
            .filter(|said| Some(said.outcome.execution_arn.as_str()) == arn)
            .collect::<Vec<_>>();
        let ids: BTreeSet<_> = said.iter().map(|said| said.outcome.notification_id).collect();
        assert_eq!(ids.len(), 1, "{what}: {said:?}");
        assert!(
            said.iter().all(|said| said.outcome.status == record.status),
            "{what}: {said:?}"
        );
    }
}

/// Breaks the calls about a subject that `which` names by their number, from 0.
struct Broken {
    calls: Arc<AtomicUsize>,
    faults: Arc<AtomicUsize>,
    _breaking: tests::proxy::Breaking,
}

impl Broken {
    fn new(
        proxy: &Proxy,
        subject: &Subject<'_>,
        mut which: impl FnMut(usize, &Call) -> Option<Fault> + Send + 'static,
    ) -> Self {
        let (calls, faults) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, injected) = (Arc::clone(&calls), Arc::clone(&faults));
        let breaking = proxy.break_calls(subject.owner.as_str(), move |call| {
            let fault = which(counted.fetch_add(1, Ordering::SeqCst), call);
            injected.fetch_add(usize::from(fault.is_some()), Ordering::SeqCst);
            fault
        });
        Self {
            calls,
            faults,
            _breaking: breaking,
        }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn faults(&self) -> usize {
        self.faults.load(Ordering::SeqCst)
    }
}

/// A picture, then another under the same key, or a file at fault: rows are put, deleted and counted on the way.
async fn replace(
    stack: &Stack,
    proxy: &Proxy,
    (new, expected): (&[u8], Status),
    fault: Option<(usize, Fault)>,
) -> usize {
    let subject = Subject::new(stack);
    subject.put(pictures::cat()).await;
    let (before, _) = subject.result(None).await;
    assert_eq!(before.status, Status::Labeled);
    let broken = Broken::new(proxy, &subject, move |number, _| {
        fault
            .filter(|(which, _)| *which == number)
            .map(|(_, fault)| fault)
    });
    subject.put(new.to_vec()).await;
    let (record, ended) = subject.result(Some(&before)).await;
    let what = format!("{fault:?} of {} calls: {record:?}", broken.calls());
    assert_eq!(
        (record.status, ended.status),
        (expected, ExecutionStatus::Succeeded),
        "{what}"
    );
    assert_eq!(broken.faults(), usize::from(fault.is_some()), "{what}");
    subject.check(&what, &record).await;
    broken.calls()
}

async fn each_call_in_turn(stack: &Stack, proxy: &Proxy, new: (&[u8], Status)) {
    let calls = replace(stack, proxy, new, None).await;
    let kinds = [Fault::Unavailable, Fault::AnswerLost, Fault::CallerKilled];
    let cases = (0..calls).flat_map(|call| kinds.map(|kind| (call, kind)));
    let results = stream::iter(cases).map(|case| replace(stack, proxy, new, Some(case)));
    assert_eq!(
        results.buffer_unordered(AT_ONCE).count().await,
        calls * kinds.len()
    );
}

#[test]
fn each_call_can_fail_or_lose_its_answer_or_its_caller_while_a_picture_replaces_another() {
    run_through_proxy(async |stack, proxy| {
        each_call_in_turn(stack, proxy, (&pictures::sample("coffee.jpg"), Status::Labeled)).await;
    });
}

#[test]
fn each_call_can_fail_or_lose_its_answer_or_its_caller_while_a_bad_file_replaces_a_picture() {
    run_through_proxy(async |stack, proxy| {
        each_call_in_turn(stack, proxy, (pictures::GIF, Status::Rejected)).await;
    });
}

/// Two in a row, so that a retry meets it as well.
#[test]
fn each_service_can_throttle_reset_cut_or_delay_its_answers() {
    run_through_proxy(async |stack, proxy| {
        let kinds = [Fault::Throttled, Fault::Reset, Fault::AnswerCut, Fault::Late];
        let cases = Service::ALL
            .into_iter()
            .flat_map(|service| kinds.map(|kind| (service, kind)));
        let results = stream::iter(cases).map(async |(service, fault)| {
            let subject = Subject::new(stack);
            let mut left = 2;
            let broken = Broken::new(proxy, &subject, move |_, call| {
                let meets = call.service == service && left > 0;
                left -= usize::from(meets);
                meets.then_some(fault)
            });
            subject.put(pictures::cat()).await;
            let (record, ended) = subject.result(None).await;
            let what = format!("{fault:?} of {service:?}: {record:?}");
            assert_eq!(
                (record.status, ended.status),
                (Status::Labeled, ExecutionStatus::Succeeded),
                "{what}"
            );
            assert_eq!(broken.faults(), 2, "{what}");
            subject.check(&what, &record).await;
        });
        // All at once: those that wait for late answers only wait.
        results.buffer_unordered(usize::MAX).collect::<Vec<_>>().await;
    });
}

/// The calls of `down` fail until every retry is used up; then a new execution with the same input is started.
async fn outage(stack: &Stack, proxy: &Proxy, failed_at: &str, down: fn(&Call) -> bool) {
    let subject = Subject::new(stack);
    let broken = Broken::new(proxy, &subject, move |_, call| {
        down(call).then_some(Fault::Unavailable)
    });
    subject.put(pictures::cat()).await;
    let (failed, ended) = subject.result(None).await;
    assert_eq!(
        (failed.status, ended.status.clone()),
        (Status::Failed, ExecutionStatus::Failed),
        "{failed:?}"
    );
    assert_eq!(ended.last_state(), failed_at);
    let error = failed.error.as_ref().expect("an error");
    assert_eq!(error.name, "ServiceUnavailable", "{error:?}");
    subject.check(failed_at, &failed).await;
    assert!(
        broken.faults() > 10,
        "{failed_at} was retried {} times only",
        broken.faults()
    );
    drop(broken);

    let again = stack.execute(&stack.input(&ended.arn).await).await;
    assert_eq!(again.status, ExecutionStatus::Succeeded, "{again:?}");
    let (record, _) = subject.result(Some(&failed)).await;
    assert_eq!((record.status, record.error.clone()), (Status::Labeled, None));
    subject.check(failed_at, &record).await;
}

#[test]
fn an_outage_of_s3_that_outlasts_all_retries_is_recorded_and_the_image_can_be_run_again() {
    run_through_proxy(async |stack, proxy| {
        outage(stack, proxy, "Validate image", |call| call.service == Service::S3).await;
    });
}

#[test]
fn an_outage_of_rekognition_that_outlasts_all_retries_is_recorded_and_the_image_can_be_run_again() {
    run_through_proxy(async |stack, proxy| {
        outage(stack, proxy, "Detect labels", |call| {
            call.service == Service::Rekognition
        })
        .await;
    });
}

/// Half-way through the rows: what was written stays counted, and the next run goes on from there.
#[test]
fn an_outage_of_dynamodb_that_outlasts_all_retries_is_recorded_and_the_image_can_be_run_again() {
    run_through_proxy(async |stack, proxy| {
        outage(stack, proxy, "Persist result", |call| {
            call.text.contains("TransactWriteItems") && call.text.contains(r#""Mammal""#)
        })
        .await;
    });
}

/// The result was stored before: a failure after it never takes it back.
#[test]
fn an_outage_of_eventbridge_that_outlasts_all_retries_fails_the_execution_and_leaves_the_result() {
    run_through_proxy(async |stack, proxy| {
        let subject = Subject::new(stack);
        let broken = Broken::new(proxy, &subject, |_, call| {
            (call.service == Service::EventBridge).then_some(Fault::Unavailable)
        });
        subject.put(pictures::cat()).await;
        let (record, ended) = subject.result(None).await;
        assert_eq!(
            (ended.status, ended.error.as_deref()),
            (ExecutionStatus::Failed, Some("ServiceUnavailable"))
        );
        assert_eq!(ended.states.last().map(String::as_str), Some("Send notification"));
        let failure = json!({"detail": {"executionArn": ended.arn}});
        let handled = stack.invoke("record-failure", &failure).await.expect("an answer");
        assert_eq!(handled, "leftUnchanged");
        let after = stack.record(&stack.image(&subject.key)).await.expect("a record");
        assert_eq!((after.status, &after), (Status::Labeled, &record));
        assert_eq!(
            stack.story(&subject.owner).await.contradictions,
            Vec::<String>::new()
        );
        drop(broken);
    });
}

/// What Rekognition takes is known by its documentation only: it may refuse inks, or 16 bits.
#[test]
fn a_picture_that_rekognition_refuses_unexpectedly_is_converted_and_labeled() {
    run_through_proxy(async |stack, proxy| {
        let subject = Subject::new(stack);
        let original = format!(r#""Name":"{}""#, subject.key);
        let refused = Broken::new(proxy, &subject, move |_, call| {
            (call.service == Service::Rekognition && call.text.contains(&original))
                .then_some(Fault::Unreadable)
        });
        subject.put(pictures::inks()).await;
        let (record, ended) = subject.result(None).await;
        assert_eq!(
            (record.status, refused.faults()),
            (Status::Labeled, 1),
            "{record:?}"
        );
        assert!(
            ended.states.iter().any(|state| state == "Convert picture"),
            "{ended:?}"
        );
        let labels = record.labels.as_deref().unwrap_or_default();
        assert!(labels.iter().any(|label| label.name == "Cat"), "{labels:?}");
        subject.check("refused by Rekognition", &record).await;
    });
}

/// The same event comes again while the first execution is at work, and finds it so.
#[test]
fn the_same_event_while_the_first_execution_is_held_open_changes_nothing() {
    run_through_proxy(async |stack, proxy| {
        let subject = Subject::new(stack);
        let held = Broken::new(proxy, &subject, |_, call| {
            (call.service == Service::Rekognition).then_some(Fault::Late)
        });
        subject.put(pictures::cat()).await;
        let first = wait::until("the first execution waits for Rekognition", async || {
            let record = stack.record(&stack.image(&subject.key)).await?;
            record.execution_arn.filter(|_| held.faults() > 0)
        })
        .await;

        let event = stack.input(&first).await;
        let second = stack.execute(&event).await;
        assert_eq!(second.status, ExecutionStatus::Succeeded, "{second:?}");
        assert_eq!(second.states, ["Validate image", "Leave unchanged"]);
        let refused = json!({"event": event, "executionArn": second.arn});
        let refused = stack.invoke("validate", &refused).await;
        assert_eq!(
            refused.map_err(|error| error.error_type),
            Err("DuplicateEvent".to_owned())
        );
        assert_eq!(stack.status(&first).await, ExecutionStatus::Running);
        drop(held);

        let (record, ended) = subject.result(None).await;
        assert_eq!(
            (record.status, ended.status, ended.arn),
            (Status::Labeled, ExecutionStatus::Succeeded, first)
        );
        subject.check("held open", &record).await;
        assert_eq!(stack.notifications(record.image_id).await.len(), 1);
    });
}

/// What is stored stays until something newer is: the failed execution itself tells the operator.
#[test]
fn a_newer_object_whose_execution_dies_before_it_claims_leaves_the_older_result() {
    run_through_proxy(async |stack, proxy| {
        let subject = Subject::new(stack);
        subject.put(pictures::cat()).await;
        let (cat, _) = subject.result(None).await;
        // Only the claim asks what it has met.
        let denied = Broken::new(proxy, &subject, |_, call| {
            call.text
                .contains("ReturnValuesOnConditionCheckFailure")
                .then_some(Fault::Denied)
        });
        subject.put(pictures::sample("coffee.jpg")).await;
        let executions = stack.executions_about(&subject.key, 2).await;
        let newer = executions
            .iter()
            .find(|ended| Some(&ended.arn) != cat.execution_arn.as_ref())
            .expect("an execution of the newer object");
        assert_eq!(
            (newer.status.clone(), newer.error.as_deref(), newer.last_state()),
            (ExecutionStatus::Failed, Some("AccessDenied"), "Validate image")
        );
        let failure = json!({"detail": {"executionArn": newer.arn}});
        let handled = stack.invoke("record-failure", &failure).await.expect("an answer");
        assert_eq!(handled, "leftUnchanged");
        let after = stack.record(&stack.image(&subject.key)).await;
        assert_eq!(after.as_ref(), Some(&cat));
        assert_eq!(cat.status, Status::Labeled);
        subject.check("died before its claim", &cat).await;
        drop(denied);

        let again = stack.execute(&stack.input(&newer.arn).await).await;
        assert_eq!(again.status, ExecutionStatus::Succeeded, "{again:?}");
        let (coffee, _) = subject.result(Some(&cat)).await;
        assert_eq!(coffee.execution_arn.as_deref(), Some(again.arn.as_str()));
        assert_ne!(coffee.labels, cat.labels);
        subject.check("run again", &coffee).await;
    });
}
