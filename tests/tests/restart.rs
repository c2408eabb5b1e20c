//! Everything is stopped and started again while images are on their way: they are recorded as failed and can be run
//! again, and nothing is counted twice. On a stack of its own, through the commands that a developer has.

use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ImageRecord, Owner, Status};
use futures_util::future::join_all;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use tests::proxy::{Fault, Proxy, Service};
use tests::xtask::xtask;
use tests::{Stack, pictures, run_on, wait};

/// How many images are on their way.
const IMAGES: usize = 5;

/// A running stack, stopped when dropped, also by a panic.
struct Running<'a>(&'a Path);

impl<'a> Running<'a> {
    fn start(folder: &'a Path, port: u16) -> Self {
        let running = Self(folder);
        let output = xtask(&["up", "--detach", "--port", &port.to_string()], folder);
        assert!(output.status.success(), "{output:?}");
        running
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let output = xtask(&["down"], self.0);
        // A second panic would hide the first.
        if !output.status.success() {
            eprintln!("{output:?}");
        }
    }
}

/// The first of three ports in a row that nobody uses.
fn free_ports() -> u16 {
    let is_free =
        |port: &u16| (*port..*port + 3).all(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok());
    (18_900..30_000)
        .step_by(10)
        .find(is_free)
        .expect("three free ports in a row")
}

/// What is known before everything stops.
struct Before {
    owner: Owner,
    labeled: ImageRecord,
    on_their_way: Vec<ImageRecord>,
}

#[test]
fn images_on_their_way_through_a_restart_are_recorded_as_failed_and_can_be_run_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let description = folder.path().join("stack.json");
    let port = free_ports();
    let running = Running::start(folder.path(), port);
    let before = run_on(&description, prepare);
    drop(running);

    let _running = Running::start(folder.path(), port);
    run_on(&description, async |stack| check(stack, &before).await);
}

/// One image is labeled, and others wait for Rekognition, which throttles them for as long as this stack runs.
async fn prepare(stack: &Stack) -> Before {
    let owner = stack.new_owner("restart");
    let first = format!("uploads/{owner}/first");
    stack.put_object(&first, pictures::cat()).await;
    let labeled = stack.settled_as(&first, Status::Labeled).await.record;

    let proxy = Proxy::start(&stack.endpoint, &stack.labeler_url).await;
    let _breaking = proxy.break_calls(&owner, |call| {
        (call.service == Service::Rekognition).then_some(Fault::Throttled)
    });
    stack.reroute_function("detect-labels", &proxy).await;
    let keys: Vec<_> = (0..IMAGES)
        .map(|number| format!("uploads/{owner}/{number}"))
        .collect();
    join_all(keys.iter().map(|key| stack.put_object(key, pictures::cat()))).await;
    let on_their_way = join_all(keys.iter().map(|key| {
        wait::until("an image waits for Rekognition", async || {
            let record = stack.record(&stack.image(key)).await?;
            let states = stack.states(record.execution_arn.as_deref()?).await;
            states.contains(&"Detect labels".to_owned()).then_some(record)
        })
    }))
    .await;
    assert!(
        on_their_way
            .iter()
            .all(|record| record.status == Status::Processing),
        "{on_their_way:?}"
    );
    Before {
        owner: labeled.owner.clone(),
        labeled,
        on_their_way,
    }
}

async fn check(stack: &Stack, before: &Before) {
    // Detect labels still calls a proxy that has gone with the test's first half: nothing else can move an image.
    let failed = join_all(before.on_their_way.iter().map(|record| {
        wait::until("an image that was cut off is no longer PROCESSING", async || {
            let now = stack.record(&stack.image(&record.key)).await?;
            (now.status != Status::Processing).then_some(now)
        })
    }))
    .await;
    for (before, failed) in before.on_their_way.iter().zip(&failed) {
        assert_eq!(
            (failed.status, &failed.execution_arn),
            (Status::Failed, &before.execution_arn)
        );
        let error = failed.error.as_ref().expect("an error");
        assert_eq!(error.name, "States.ServiceRestart");
        assert!(
            error.message.contains("can be run again") && error.message.contains("restarted"),
            "{error:?}"
        );
    }
    let first = stack.record(&stack.image(&before.labeled.key)).await;
    assert_eq!(
        first.as_ref(),
        Some(&before.labeled),
        "what was done is left alone"
    );

    stack.route_function_back("detect-labels").await;
    let again = join_all(failed.iter().map(async |record| {
        let arn = record.execution_arn.as_deref().expect("a claim");
        stack.execute(&stack.input(arn).await).await
    }))
    .await;
    for ended in &again {
        assert_eq!(ended.status, ExecutionStatus::Succeeded, "{ended:?}");
    }
    let story = stack.story(&before.owner).await;
    assert_eq!(story.contradictions, Vec::<String>::new());
    assert_eq!(story.records.len(), IMAGES + 1);
    for record in &story.records {
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
