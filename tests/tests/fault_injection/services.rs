//! Services that throttle, fail, answer late or not at all, and functions that are killed: each image ends as it would
//! have without the fault, counted once and announced once, or it is recorded as failed and can be labeled again.

use crate::undisturbed_calls;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ErrorName, ImageRecord, Owner, Status};
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::collections::BTreeSet;
use tests::api::File;
use tests::executions::Ended;
use tests::proxy::{Call, Fault, Injection, Proxy, Service};
use tests::reroute::{WORKFLOW, run_through_proxy};
use tests::{Stack, pictures, wait};

/// Images that are processed at the same time.
const AT_ONCE: usize = 6;

/// An owner with one image.
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
        let file = File::new("picture", bytes);
        self.stack.put_object_with_checksum(&self.key, &file).await;
    }

    /// Waits for the result of an execution other than that of `before`.
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

    /// Checks that the counts are right, and that the result of `record` was announced under exactly one id. The notification
    /// is sent after the record is stored.
    async fn check(&self, what: &str, record: &ImageRecord) {
        let consistency = self.stack.consistency(&self.owner).await;
        assert_eq!(consistency.contradictions, Vec::<String>::new(), "{what}");
        assert_eq!(consistency.records.len(), 1, "{what}");
        let sent = wait::until(&format!("{} is announced", self.key), async || {
            let mut sent = self.stack.notifications(record.image_id).await;
            sent.retain(|sent| Some(&sent.outcome.claim.execution_arn) == record.execution_arn.as_ref());
            (!sent.is_empty()).then_some(sent)
        })
        .await;
        let ids: BTreeSet<_> = sent.iter().map(|sent| sent.outcome.notification_id).collect();
        assert_eq!(ids.len(), 1, "{what}: {sent:?}");
        assert!(
            sent.iter().all(|sent| sent.outcome.status == record.status),
            "{what}: {sent:?}"
        );
    }
}

/// Injects faults into the workflow's calls about a subject.
fn inject(
    proxy: &Proxy,
    subject: &Subject<'_>,
    decide: impl FnMut(usize, &Call) -> Option<Fault> + Send + 'static,
) -> Injection {
    proxy.inject(&WORKFLOW, subject.owner.as_str(), decide)
}

/// Replaces a picture with another one under the same key, or with a file that is rejected. Label rows are put and deleted,
/// and labels are counted. Returns the number of calls.
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
    let injection = inject(proxy, &subject, move |number, _| {
        fault
            .filter(|(which, _)| *which == number)
            .map(|(_, fault)| fault)
    });
    subject.put(new.to_vec()).await;
    let (record, ended) = subject.result(Some(&before)).await;
    let what = format!("{fault:?} of {} calls: {record:?}", injection.calls());
    assert_eq!(
        (record.status, ended.status),
        (expected, ExecutionStatus::Succeeded),
        "{what}"
    );
    let is_reached = fault.is_some_and(|(which, _)| which < injection.calls());
    assert_eq!(injection.faults(), usize::from(is_reached), "{what}");
    // Otherwise, the old file would be reported as a duplicate of an upload.
    assert_eq!(
        record.checksum,
        Some(File::new("picture", new).sha256()),
        "{what}"
    );
    subject.check(&what, &record).await;
    injection.calls()
}

async fn each_call_in_turn(stack: &Stack, proxy: &Proxy, new: (&[u8], Status)) {
    let calls = undisturbed_calls(async || replace(stack, proxy, new, None).await).await;
    let kinds = [Fault::Unavailable, Fault::AnswerLost, Fault::CallerKilled];
    let cases = (0..calls).flat_map(|call| kinds.map(|kind| (call, kind)));
    let results = stream::iter(cases).map(|case| replace(stack, proxy, new, Some(case)));
    assert_eq!(
        results.buffer_unordered(AT_ONCE).count().await,
        calls * kinds.len()
    );
}

#[test]
fn each_call_can_fail_or_lose_its_answer_or_its_caller_while_one_picture_replaces_another() {
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

/// Two in a row, so that a retry gets the fault as well.
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
            let injection = inject(proxy, &subject, move |_, call| {
                let is_next = call.service == service && left > 0;
                left -= usize::from(is_next);
                is_next.then_some(fault)
            });
            subject.put(pictures::cat()).await;
            let (record, ended) = subject.result(None).await;
            let what = format!("{fault:?} of {service:?}: {record:?}");
            assert_eq!(
                (record.status, ended.status),
                (Status::Labeled, ExecutionStatus::Succeeded),
                "{what}"
            );
            assert_eq!(injection.faults(), 2, "{what}");
            if (service, fault) == (Service::Rekognition, Fault::Late) {
                // The definition retries it less often than other errors, because Rekognition may charge for each attempt.
                let history = stack.sfn.get_execution_history();
                let history = history.execution_arn(&ended.arn).send().await;
                let events = history.expect("a history").events;
                let failed = events
                    .iter()
                    .filter_map(|event| event.task_failed_event_details());
                let late = failed.filter(|failed| failed.error() == Some(ErrorName::CallTimedOut.as_str()));
                assert!(late.count() >= 2, "{events:?}");
            }
            subject.check(&what, &record).await;
        });
        // All at once, since most of them only wait for late answers.
        results.buffer_unordered(usize::MAX).collect::<Vec<_>>().await;
    });
}

/// Images of one owner change the same counts. DynamoDB rejects one of two concurrent writes of an item if either is part
/// of a transaction, and the SDK does not retry that.
#[test]
fn writes_that_conflict_with_a_transaction_are_repeated_and_count_once() {
    run_through_proxy(async |stack, proxy| {
        // More often than persist repeats the call, so that Step Functions has to retry.
        let cases = [("TransactWriteItems", 12), ("UpdateItem", 4)];
        let results = stream::iter(cases).map(async |(operation, times)| {
            let subject = Subject::new(stack);
            let mut left = times;
            let injection = inject(proxy, &subject, move |_, call| {
                let is_next = call.is(operation) && left > 0;
                left -= usize::from(is_next);
                is_next.then_some(Fault::TransactionConflict)
            });
            subject.put(pictures::cat()).await;
            let (record, ended) = subject.result(None).await;
            let what = format!("{operation}: {record:?}");
            assert_eq!(
                (record.status, ended.status),
                (Status::Labeled, ExecutionStatus::Succeeded),
                "{what}"
            );
            assert_eq!(injection.faults(), times, "{what}");
            subject.check(&what, &record).await;
        });
        results.buffer_unordered(cases.len()).collect::<Vec<_>>().await;
    });
}

/// The calls that `down` selects fail until all retries are used up; then a new execution with the same input is started.
async fn outage(stack: &Stack, proxy: &Proxy, failed_at: &str, down: fn(&Call) -> bool) {
    let subject = Subject::new(stack);
    let injection = inject(proxy, &subject, move |_, call| {
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
        injection.faults() > 10,
        "{failed_at} was attempted only {} times",
        injection.faults()
    );
    drop(injection);

    let again = stack.execute(&stack.input(&ended.arn).await).await;
    assert_eq!(again.status, ExecutionStatus::Succeeded, "{again:?}");
    let (record, _) = subject.result(Some(&failed)).await;
    assert_eq!((record.status, record.error.clone()), (Status::Labeled, None));
    subject.check(failed_at, &record).await;
}

#[test]
fn an_outage_of_s3_that_outlasts_all_retries_is_recorded_and_the_image_can_be_labeled_again() {
    run_through_proxy(async |stack, proxy| {
        outage(stack, proxy, "Validate image", |call| call.service == Service::S3).await;
    });
}

#[test]
fn an_outage_of_rekognition_that_outlasts_all_retries_is_recorded_and_the_image_can_be_labeled_again() {
    run_through_proxy(async |stack, proxy| {
        outage(stack, proxy, "Detect labels", |call| {
            call.service == Service::Rekognition
        })
        .await;
    });
}

/// The outage begins after the claim and before the first label row.
#[test]
fn an_outage_of_dynamodb_that_outlasts_all_retries_is_recorded_and_the_image_can_be_labeled_again() {
    run_through_proxy(async |stack, proxy| {
        outage(stack, proxy, "Persist result", |call| {
            call.text.contains("TransactWriteItems") && call.text.contains(r#""Mammal""#)
        })
        .await;
    });
}

/// A failure after the result was stored never removes it.
#[test]
fn an_outage_of_eventbridge_that_outlasts_all_retries_fails_the_execution_and_leaves_the_result() {
    run_through_proxy(async |stack, proxy| {
        let subject = Subject::new(stack);
        let injection = inject(proxy, &subject, |_, call| {
            (call.service == Service::EventBridge).then_some(Fault::Unavailable)
        });
        subject.put(pictures::cat()).await;
        let (record, ended) = subject.result(None).await;
        assert_eq!(
            (ended.status, ended.error.as_deref()),
            (ExecutionStatus::Failed, Some("ServiceUnavailable"))
        );
        assert_eq!(ended.states.last().map(String::as_str), Some("Send notification"));
        let failure = json!({"detail": {"executionArn": ended.arn, "status": "FAILED"}});
        let handled = stack.invoke("record-failure", &failure).await.expect("an answer");
        assert_eq!(handled, "leftUnchanged");
        let after = stack.record(&stack.image(&subject.key)).await.expect("a record");
        assert_eq!((after.status, &after), (Status::Labeled, &record));
        assert_eq!(
            stack.consistency(&subject.owner).await.contradictions,
            Vec::<String>::new()
        );
        drop(injection);
    });
}

/// What Rekognition accepts is known from its documentation only: it may refuse CMYK, or 16 bits.
#[test]
fn a_picture_that_rekognition_refuses_unexpectedly_is_converted_and_labeled() {
    run_through_proxy(async |stack, proxy| {
        let subject = Subject::new(stack);
        let original = format!(r#""Name":"{}""#, subject.key);
        let refused = inject(proxy, &subject, move |_, call| {
            (call.service == Service::Rekognition && call.text.contains(&original))
                .then_some(Fault::Unreadable)
        });
        subject.put(pictures::cmyk()).await;
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

#[test]
fn a_duplicate_event_while_the_first_execution_is_running_changes_nothing() {
    run_through_proxy(async |stack, proxy| {
        let subject = Subject::new(stack);
        let held = inject(proxy, &subject, |_, call| {
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
        subject.check("duplicate event", &record).await;
        assert_eq!(stack.distinct_notifications(record.image_id).await.len(), 1);
    });
}

/// The stored result stays until a newer one is stored: the operator sees the failed execution itself.
#[test]
fn a_newer_object_whose_execution_fails_before_its_claim_leaves_the_older_result() {
    run_through_proxy(async |stack, proxy| {
        let subject = Subject::new(stack);
        subject.put(pictures::cat()).await;
        let (cat, _) = subject.result(None).await;
        // Only the claim asks for the item that failed its condition.
        let denied = inject(proxy, &subject, |_, call| {
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
        let failure = json!({"detail": {"executionArn": newer.arn, "status": "FAILED"}});
        let handled = stack.invoke("record-failure", &failure).await.expect("an answer");
        assert_eq!(handled, "leftUnchanged");
        let after = stack.record(&stack.image(&subject.key)).await;
        assert_eq!(after.as_ref(), Some(&cat));
        assert_eq!(cat.status, Status::Labeled);
        subject.check("failed before its claim", &cat).await;
        drop(denied);

        let again = stack.execute(&stack.input(&newer.arn).await).await;
        assert_eq!(again.status, ExecutionStatus::Succeeded, "{again:?}");
        let (coffee, _) = subject.result(Some(&cat)).await;
        assert_eq!(coffee.execution_arn.as_deref(), Some(again.arn.as_str()));
        assert_ne!(coffee.labels, cat.labels);
        subject.check("labeled again", &coffee).await;
    });
}
