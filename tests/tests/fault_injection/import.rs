//! Services that fail and functions that are killed while an object is imported: it is copied once, labeled once, and counted
//! once.

use crate::undisturbed_calls;
use domain::import::{FailureReason, copy_key};
use domain::{ImportCounts, Status};
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tests::proxy::{Fault, Proxy};
use tests::reroute::run_through_proxy;
use tests::{Stack, pictures};

/// Imports that run at the same time.
const AT_ONCE: usize = 6;
/// The functions of an import.
const FUNCTIONS: [&str; 3] = ["check-import", "copy-objects", "summarize-import"];

/// Imports a picture with a fault in one call. Returns the number of calls that name the owner.
async fn import(stack: &Stack, proxy: &Proxy, fault: Option<(usize, Fault)>) -> usize {
    let owner = stack.new_user("faults").await.owner;
    let bucket = stack.new_source().await;
    // Calls about the source name the owner, too.
    let key = format!("{}/cat.jpg", owner.as_str());
    stack.put_source(&bucket, &key, pictures::cat()).await;
    let injection = proxy.inject(&FUNCTIONS, owner.as_str(), move |number, _| {
        fault
            .filter(|(which, _)| *which == number)
            .map(|(_, fault)| fault)
    });
    let request = json!({"bucket": bucket, "prefix": owner.as_str()});
    let (_, counts) = stack.import(&owner, &request).await;
    let what = format!("{fault:?} of {} calls", injection.calls());
    let is_reached = fault.is_some_and(|(which, _)| which < injection.calls());
    assert_eq!(injection.faults(), usize::from(is_reached), "{what}");
    let expected = ImportCounts {
        imported: 1,
        ..ImportCounts::default()
    };
    assert_eq!(counts, expected, "{what}");
    let copied = copy_key(&owner, &bucket, &key);
    let record = stack.settled_as(&copied, Status::Labeled).await.record;
    let consistency = stack.consistency(&owner).await;
    assert_eq!(consistency.contradictions, Vec::<String>::new(), "{what}");
    let notifications = stack.notifications(record.image_id).await;
    let executions: BTreeSet<_> = notifications
        .iter()
        .map(|sent| &sent.outcome.claim.execution_arn)
        .collect();
    assert_eq!(executions.len(), 1, "{what}: the picture was copied twice");
    injection.calls()
}

#[test]
fn each_call_of_an_import_can_fail_or_lose_its_answer_or_its_caller() {
    run_through_proxy(async |stack, proxy| {
        let calls = undisturbed_calls(async || import(stack, proxy, None).await).await;
        let kinds = [Fault::Unavailable, Fault::AnswerLost, Fault::CallerKilled];
        let cases = (0..calls).flat_map(|call| kinds.map(|kind| (call, kind)));
        let imports = stream::iter(cases).map(|case| import(stack, proxy, Some(case)));
        assert_eq!(
            imports.buffer_unordered(AT_ONCE).count().await,
            calls * kinds.len()
        );
    });
}

/// S3 can fail for one object of ten million. The proxy fails every attempt to read it.
#[test]
fn an_object_for_which_s3_always_fails_is_listed_and_does_not_fail_the_import() {
    run_through_proxy(async |stack, proxy| {
        let owner = stack.new_user("faults").await.owner;
        let bucket = stack.new_source().await;
        for key in ["a.jpg", "broken.jpg", "c.jpg"] {
            stack.put_source(&bucket, key, pictures::cat()).await;
        }
        let request = json!({"bucket": bucket});
        // Not the call that writes the list of failed objects, which names it, too.
        let injection = proxy.inject(&["copy-objects"], "broken.jpg", |_, call| {
            call.text.starts_with("GET /").then_some(Fault::Unavailable)
        });
        let (job_id, counts) = stack.import(&owner, &request).await;
        assert_eq!((counts.imported, counts.failed), (2, 1));
        let failed = stack.import_failures(&owner, job_id).await;
        assert_eq!(
            failed,
            BTreeMap::from([("broken.jpg".into(), FailureReason::ServiceUnavailable)])
        );
        drop(injection);
        let (_, counts) = stack.import(&owner, &json!({"retryFailedOf": job_id})).await;
        assert_eq!((counts.imported, counts.objects()), (1, 1), "only this object");
    });
}
