//! Uploads the files, injects faults, and waits for the results.

use crate::verdict::Verdict;
use aws_sdk_eventbridge::types::Target;
use aws_sdk_sfn::types::ExecutionStatus;
use domain::{ImageRecord, Owner, Status};
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::convert::Infallible;
use std::future::pending;
use std::time::Duration;
use tests::proxy::{Call, Fault, Proxy};
use tests::reroute::WORKFLOW;
use tests::state_machine::machine::repository;
use tests::{Stack, pictures};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Images of one owner update the same counts.
const OWNERS: usize = 5;
/// One in this many files is invalid.
const INVALID: usize = 10;
/// One in this many events is delivered twice at the same time. As many are sent again later.
const TWICE: usize = 10;
/// One in this many calls to a service gets a fault.
const BROKEN: usize = 50;
/// Queries for the results that run at the same time.
const QUERIES: usize = 8;
/// Videos of eight seconds, which have a frame to label every two seconds.
const VIDEOS: [&str; 3] = [
    "tests/videos/hevc.mov",
    "tests/videos/vp9.webm",
    "tests/videos/av1.webm",
];
/// If no image gets a result for this long, the remaining images are lost.
const STALLED: Duration = Duration::from_secs(600);
const POLL: Duration = Duration::from_millis(250);

/// A file to upload, and its expected result.
struct File {
    key: String,
    bytes: Vec<u8>,
    expected: Status,
    /// Whether to send its event again when it has a result.
    again: bool,
}

/// A run against a stack.
pub(crate) struct Storm<'a> {
    stack: &'a Stack,
    /// Unique for this run. The prefix of all names that it uses.
    name: String,
    owners: Vec<Owner>,
    files: Vec<File>,
    /// Permits for images that can be processed now.
    room: Semaphore,
    bar: ProgressBar,
}

impl<'a> Storm<'a> {
    /// Prepares a run, and changes nothing yet.
    pub(crate) fn new(stack: &'a Stack, images: usize, videos: usize, at_once: usize) -> Self {
        let name = format!("storm-{}", Uuid::now_v7().simple());
        let owners: Vec<Owner> = (0..OWNERS)
            .map(|number| Owner::new(&format!("{name}-{number}")).expect("a legal owner"))
            .collect();
        let photographs = ["cat.jpg", "coffee.jpg", "astronaut.jpg"].map(pictures::sample);
        let invalid = [
            pictures::TEXT.to_vec(),
            pictures::GIF.to_vec(),
            pictures::without_pixels(),
            pictures::png(79, 79),
        ];
        let file = |number: usize| {
            let is_invalid = number % INVALID == INVALID / 2;
            let turn = number / INVALID;
            let prefix = if number % TWICE == 1 { "twice" } else { "once" };
            File {
                key: format!("uploads/{}/{prefix}-{number}", owners[turn % OWNERS].as_str()),
                bytes: if is_invalid {
                    invalid[turn % invalid.len()].clone()
                } else {
                    photographs[number % 3].clone()
                },
                expected: if is_invalid {
                    Status::Rejected
                } else {
                    Status::Labeled
                },
                // Also for invalid files.
                again: number % TWICE == if turn.is_multiple_of(2) { 2 } else { INVALID / 2 },
            }
        };
        let mut files: Vec<File> = (0..images).map(file).collect();
        let coded = VIDEOS.map(|name| std::fs::read(repository().join(name)).expect("a video"));
        for number in 0..videos {
            let prefix = if number.is_multiple_of(3) { "twice" } else { "once" };
            let owner = owners[number % OWNERS].as_str();
            let video = File {
                key: format!("uploads/{owner}/{prefix}-video-{number}"),
                bytes: coded[number % coded.len()].clone(),
                expected: Status::Labeled,
                again: number % 3 == 1,
            };
            // Spread over the pictures.
            files.insert(files.len() * number / videos, video);
        }
        let style =
            ProgressStyle::with_template("{bar:40} {pos}/{len} images have a result, {elapsed} {msg}");
        let bar = ProgressBar::new(files.len() as u64).with_style(style.expect("a template"));
        Self {
            stack,
            name,
            owners,
            files,
            room: Semaphore::new(at_once),
            bar,
        }
    }

    /// Uploads all files and checks the results.
    pub(crate) async fn run(&self, proxy: &Proxy) -> Verdict {
        let (stack, start) = (self.stack, Instant::now());
        self.deliver_twice().await;
        let mut random = fastrand::Rng::new();
        let kinds = [
            Fault::Unavailable,
            Fault::Throttled,
            Fault::Reset,
            Fault::AnswerLost,
            Fault::AnswerCut,
        ];
        let injection = proxy.inject(&WORKFLOW, &self.name, move |_, call: &Call| {
            if random.usize(..BROKEN) > 0 {
                return None;
            }
            let is_write = call.is("TransactWriteItems") || call.is("UpdateItem");
            Some(match is_write && random.bool() {
                true => Fault::TransactionConflict,
                false => kinds[random.usize(..kinds.len())],
            })
        });
        let began = std::time::SystemTime::now();
        let repeated = tokio::select! {
            repeated = self.wait() => repeated,
            // Never returns: `wait` returns when the last images have a result.
            never = self.upload() => match never {},
        };
        self.bar.set_message("counting");
        self.wait_for_executions().await;
        let seconds = start.elapsed().as_secs();
        drop(injection);

        let consistencies: Vec<_> = stream::iter(&self.owners)
            .map(|owner| stack.consistency(owner))
            .buffer_unordered(QUERIES)
            .collect()
            .await;
        let mut verdict = Verdict {
            images: self.files.len(),
            videos: self
                .files
                .iter()
                .filter(|file| file.key.contains("-video-"))
                .count(),
            bad: self
                .files
                .iter()
                .filter(|file| file.expected == Status::Rejected)
                .count(),
            at_once: self
                .files
                .iter()
                .filter(|file| file.key.contains("/twice-"))
                .count(),
            again: repeated,
            faults: proxy.injected(),
            seconds,
            ..Verdict::default()
        };
        let expected = self.files.iter().map(|file| (file.key.as_str(), file.expected));
        verdict.judge(expected, consistencies, &stack.all_notifications().await);
        verdict.count_retries(stack, began).await;
        self.bar.finish_and_clear();
        verdict
    }

    /// Removes what the run has changed, whatever its result.
    pub(crate) async fn clean_up(&self) {
        let (events, rule) = (&self.stack.eventbridge, &self.name);
        // Some of it may not exist yet.
        let _ = events.remove_targets().rule(rule).ids("again").send().await;
        let _ = events.delete_rule().name(rule).send().await;
    }

    /// Creates a second rule for the same events, so that EventBridge delivers each of them twice at the same time.
    async fn deliver_twice(&self) {
        let (events, machine) = (&self.stack.eventbridge, &self.stack.state_machine_arn);
        let rules = events
            .list_rule_names_by_target()
            .target_arn(machine)
            .send()
            .await
            .expect("rules");
        let rule = rules
            .rule_names
            .unwrap_or_default()
            .into_iter()
            .next()
            .expect("the workflow's own rule");
        let targets = events
            .list_targets_by_rule()
            .rule(rule)
            .send()
            .await
            .expect("targets");
        let target = targets
            .targets
            .unwrap_or_default()
            .into_iter()
            .find(|target| target.arn == *machine);
        let role = target
            .and_then(|target| target.role_arn)
            .expect("the role of the workflow's own rule");
        let keys: Vec<Value> = self
            .owners
            .iter()
            .map(|owner| json!({"prefix": format!("uploads/{}/twice-", owner.as_str())}))
            .collect();
        let pattern = json!({
            "source": ["aws.s3"], "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [self.stack.bucket]}, "object": {"key": keys}},
        });
        events
            .put_rule()
            .name(&self.name)
            .event_pattern(pattern.to_string())
            .send()
            .await
            .expect("a rule");
        let target = Target::builder()
            .id("again")
            .arn(machine)
            .role_arn(role)
            .build()
            .expect("a target");
        let put = events
            .put_targets()
            .rule(&self.name)
            .targets(target)
            .send()
            .await
            .expect("the rule's target");
        assert_eq!(put.failed_entry_count(), 0, "{put:?}");
    }

    /// Uploads as many files as there are permits, and one more for each image that gets a result.
    async fn upload(&self) -> Infallible {
        let uploads = self.files.iter().map(async |file| {
            self.room.acquire().await.expect("never closed").forget();
            self.stack.put_object(&file.key, file.bytes.clone()).await;
        });
        stream::iter(uploads)
            .buffer_unordered(self.files.len().max(1))
            .collect::<()>()
            .await;
        pending().await
    }

    /// Waits until every image has a result, and sends the events of some images again. Returns their number.
    async fn wait(&self) -> usize {
        let mut sent = HashSet::new();
        let (mut last, mut at) = (0, Instant::now());
        loop {
            let mut done = vec![];
            for owner in &self.owners {
                let is_final = |record: &ImageRecord| {
                    matches!(record.status, Status::Labeled | Status::Rejected | Status::Failed)
                };
                done.extend(self.stack.records(owner).await.into_iter().filter(is_final));
            }
            self.bar.set_position(done.len() as u64);
            for record in &done {
                let again = self.files.iter().any(|file| file.again && file.key == record.key);
                if again && sent.insert(record.key.clone()) {
                    self.send_again(record).await;
                }
            }
            if done.len() == self.files.len() {
                return sent.len();
            }
            if done.len() > last {
                self.room.add_permits(done.len() - last);
                (last, at) = (done.len(), Instant::now());
            }
            if at.elapsed() > STALLED {
                return sent.len();
            }
            sleep(POLL).await;
        }
    }

    /// Sends the same event twice more at the same time.
    async fn send_again(&self, record: &ImageRecord) {
        let arn = record.execution_arn.as_deref().expect("a claim");
        // A video was handed over by an execution with the same name.
        let arn = arn.replace("-label-video:", "-label-image:");
        let event = self.stack.input(&arn).await;
        tokio::join!(self.stack.start(&event), self.stack.start(&event));
    }

    async fn wait_for_executions(&self) {
        let at = Instant::now();
        let running = async |machine: &str| {
            let list = self
                .stack
                .sfn
                .list_executions()
                .state_machine_arn(self.stack.machine_arn(machine));
            let list = list
                .status_filter(ExecutionStatus::Running)
                .send()
                .await
                .expect("executions");
            !list.executions.is_empty()
        };
        // In this order: an execution of the first one can start one of the second one.
        while (running("label-image").await || running("label-video").await) && at.elapsed() < STALLED {
            sleep(POLL).await;
        }
    }
}
