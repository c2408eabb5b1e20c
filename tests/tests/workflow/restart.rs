//! A stack is stopped and started again while images are being labeled: they are recorded as failed and can be labeled
//! again, and nothing is counted twice. The test starts its own stack, with the developer's commands, and leaves the
//! shared one alone.

use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ImageRecord, Owner, Status};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::path::Path;
use tempfile::TempDir;
use tests::proxy::{Fault, Proxy, Service};
use tests::reroute::WORKFLOW;
use tests::xtask::xtask;
use tests::{Stack, pictures, run_on, wait};

/// Images that are in progress when the stack stops.
const IMAGES: usize = 5;

/// A running stack. It is stopped when dropped, also after a panic.
pub(crate) struct Running<'a>(&'a Path);

impl<'a> Running<'a> {
    pub(crate) fn start(folder: &'a Path, port: u16) -> Self {
        let running = Self(folder);
        let output = xtask(&["up", "--detach", "--port", &port.to_string()], folder);
        assert!(output.status.success(), "{output:?}");
        running
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let output = xtask(&["down"], self.0);
        // A second panic would hide the first one.
        if !output.status.success() {
            eprintln!("{output:?}");
        }
    }
}

/// A folder for a stack. A stack takes more than a gigabyte, and the system's temporary folder can be small.
pub(crate) fn stack_folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder")
}

/// The first of four consecutive free ports. Tests that start stacks at the same time look in different ranges.
pub(crate) fn free_ports(range: Range<u16>) -> u16 {
    let is_free =
        |port: &u16| (*port..*port + 4).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    range
        .step_by(10)
        .find(is_free)
        .expect("four consecutive free ports")
}

/// The state before the stack stops.
struct Before {
    owner: Owner,
    labeled: ImageRecord,
    in_progress: Vec<ImageRecord>,
}

#[test]
fn images_in_progress_at_a_restart_are_recorded_as_failed_and_can_be_labeled_again() {
    let folder = stack_folder();
    let description = folder.path().join("stack.json");
    // Unit tests of xtask use ports from 21000 on, and may run at the same time.
    let port = free_ports(18_900..20_900);
    let running = Running::start(folder.path(), port);
    let before = run_on(&description, prepare);
    drop(running);

    let _running = Running::start(folder.path(), port);
    run_on(&description, async |stack| check(stack, &before).await);
}

/// One image is labeled, and others wait for Rekognition, which throttles them as long as this stack runs.
async fn prepare(stack: &Stack) -> Before {
    let owner = stack.new_owner("restart");
    let first = format!("uploads/{owner}/first");
    stack.put_object(&first, pictures::cat()).await;
    let labeled = stack.settled_as(&first, Status::Labeled).await.record;

    let proxy = Proxy::new(stack, &stack.rekognition_url);
    let _throttled = proxy.inject(&WORKFLOW, &owner, |_, call| {
        (call.service == Service::Rekognition).then_some(Fault::Throttled)
    });
    stack.reroute_function("detect-labels", &proxy).await;
    let keys: Vec<_> = (0..IMAGES)
        .map(|number| format!("uploads/{owner}/{number}"))
        .collect();
    join_all(keys.iter().map(|key| stack.put_object(key, pictures::cat()))).await;
    let in_progress = join_all(keys.iter().map(|key| {
        wait::until("an image waits for Rekognition", async || {
            let record = stack.record(&stack.image(key)).await?;
            let states = stack.states(record.execution_arn.as_deref()?).await;
            states.contains(&"Detect labels".to_owned()).then_some(record)
        })
    }))
    .await;
    assert!(
        in_progress
            .iter()
            .all(|record| record.status == Status::Processing),
        "{in_progress:?}"
    );
    Before {
        owner: labeled.owner.clone(),
        labeled,
        in_progress,
    }
}

async fn check(stack: &Stack, before: &Before) {
    // detect-labels still calls the proxy, which has stopped: only the restart can change the records.
    let failed = join_all(before.in_progress.iter().map(|record| {
        wait::until("an interrupted image is no longer PROCESSING", async || {
            let now = stack.record(&stack.image(&record.key)).await?;
            (now.status != Status::Processing).then_some(now)
        })
    }))
    .await;
    for (before, failed) in before.in_progress.iter().zip(&failed) {
        assert_eq!(
            (failed.status, &failed.execution_arn),
            (Status::Failed, &before.execution_arn)
        );
        let error = failed.error.as_ref().expect("an error");
        assert_eq!(error.name, "States.ServiceRestart");
        assert!(
            error.message.contains("Redrive the execution") && error.message.contains("restarted"),
            "{error:?}"
        );
    }
    let first = stack.record(&stack.image(&before.labeled.key)).await;
    assert_eq!(
        first.as_ref(),
        Some(&before.labeled),
        "a labeled image is unchanged"
    );

    // Not to the recorder, which belongs to another stack.
    stack.route_function("detect-labels", None).await;
    let again = join_all(failed.iter().map(async |record| {
        let arn = record.execution_arn.as_deref().expect("a claim");
        stack.execute(&stack.input(arn).await).await
    }))
    .await;
    for ended in &again {
        assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
    }
    let consistency = stack.consistency(&before.owner).await;
    assert_eq!(consistency.contradictions, Vec::<String>::new());
    assert_eq!(consistency.records.len(), IMAGES + 1);
    for record in &consistency.records {
        assert_eq!(
            (record.status, &record.error),
            (Status::Labeled, &None),
            "{record:?}"
        );
    }
    let labels = before.labeled.labels.iter().flatten();
    let counts = labels.map(|label| (label.name.clone(), i64::try_from(IMAGES + 1).unwrap()));
    assert_eq!(
        stack.label_counts(&before.owner).await,
        counts.collect::<BTreeMap<_, _>>()
    );
}
