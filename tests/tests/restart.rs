//! Everything is stopped and started again while images are on their way: they are recorded as failed, announced,
//! and can be run again. On a stack of its own, through the commands that a developer has.

use aws_sdk_sfn::types::ExecutionStatus;
use domain::Status;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use tests::proxy::{Fault, Proxy, Service};
use tests::{Stack, pictures, run_on, wait};

/// From here on, hopefully nobody listens.
const PORT: &str = "18950";

fn xtask(folder: &Path, command: &[&str]) {
    let Some(program) = std::env::var_os("ILG_XTASK") else {
        panic!(
            "This test starts and stops a stack of its own. Run `cargo xtask test`, or set ILG_XTASK to the path of \
             the program `xtask`."
        );
    };
    let status = Command::new(program)
        .args(command)
        .arg("--stack-dir")
        .arg(folder)
        .status()
        .expect("xtask");
    assert!(status.success(), "xtask {command:?}: {status}");
}

/// A running stack, stopped when dropped, also by a panic.
struct Running<'a>(&'a Path);

impl<'a> Running<'a> {
    fn start(folder: &'a Path) -> Self {
        xtask(folder, &["up", "--detach", "--port", PORT]);
        Self(folder)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        xtask(self.0, &["down"]);
    }
}

#[test]
fn images_on_their_way_through_a_restart_are_recorded_and_can_be_run_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let description = folder.path().join("stack.json");
    let running = Running::start(folder.path());
    let (key, arn) = run_on(&description, async |stack| {
        let key = format!("uploads/{}/picture", stack.new_owner("restart"));
        // It never gets further than this until everything is stopped.
        let proxy = Proxy::start(&stack.endpoint, &stack.labeler_url).await;
        let _breaking = proxy.break_calls(&key, |call| {
            (call.service == Service::Rekognition).then_some(Fault::Throttled)
        });
        stack.reroute(&proxy).await;
        stack.put_object(&key, pictures::cat()).await;
        let arn = wait::until("the image waits for another try", async || {
            let arn = stack.record(&stack.image(&key)).await?.execution_arn?;
            (proxy.injected().get(&Fault::Throttled) > Some(&0)).then_some(arn)
        })
        .await;
        stack.route_back().await;
        (key, arn)
    });
    drop(running);

    let _running = Running::start(folder.path());
    run_on(&description, async |stack| check(stack, &key, &arn).await);
}

async fn check(stack: &Stack, key: &str, arn: &str) {
    let image = stack.image(key);
    let failed = wait::until("the failure is recorded", async || {
        stack
            .record(&image)
            .await
            .filter(|record| record.status == Status::Failed)
    })
    .await;
    assert_eq!(failed.execution_arn.as_deref(), Some(arn));
    let failure = json!({"detail": {"executionArn": arn}});
    let told = stack.invoke("record-failure", &failure).await.expect("an answer");

    let again = stack.execute(&stack.input(arn).await).await;
    assert_eq!(again.status, ExecutionStatus::Succeeded, "{again:?}");
    let record = stack.record(&image).await.expect("a record");
    assert_eq!(
        (record.status, record.execution_arn.as_deref()),
        (Status::Labeled, Some(again.arn.as_str()))
    );
    let story = stack.story(&image.owner).await;
    assert_eq!((story.contradictions, story.records.len()), (vec![], 1));

    // What was said before this program listened may have been missed; said again, it has the same id.
    let said = stack.notifications(image.image_id).await;
    let ids = |status: Status| -> BTreeSet<String> {
        let said = said
            .iter()
            .map(|said| &said.outcome)
            .filter(|outcome| outcome.status == status);
        said.map(|outcome| outcome.notification_id.to_string()).collect()
    };
    assert_eq!(ids(Status::Labeled).len(), 1, "{said:?}");
    let told = told["failed"]["notificationId"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert_eq!(ids(Status::Failed), BTreeSet::from([told]));
}
