//! What happens in a storm.

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
use tests::{Stack, pictures};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// Images of one owner meet at the same counts.
const OWNERS: usize = 5;
/// One in so many files is bad.
const BAD: usize = 10;
/// One in so many events comes twice at the same moment, and as many come again later.
const TWICE: usize = 10;
/// One in so many calls to a service breaks.
const BROKEN: usize = 50;
/// How many questions about the outcome are asked at the same time.
const QUESTIONS: usize = 8;
/// Without anything new for this long, the rest of the images is lost.
const STANDSTILL: Duration = Duration::from_secs(120);
const LOOK: Duration = Duration::from_millis(250);

/// A file to upload, and what must become of it.
struct File {
    key: String,
    bytes: Vec<u8>,
    expected: Status,
    /// Its event is to be sent again once it is done.
    again: bool,
}

/// A storm over a stack.
pub(crate) struct Storm<'a> {
    stack: &'a Stack,
    /// Of this storm alone; what everything that it does is called after.
    name: String,
    owners: Vec<Owner>,
    files: Vec<File>,
    /// Images that may be on their way now.
    room: Semaphore,
    bar: ProgressBar,
}

impl<'a> Storm<'a> {
    /// Prepares one; nothing happens yet.
    pub(crate) fn new(stack: &'a Stack, images: usize, at_once: usize) -> Self {
        let name = format!("storm-{}", Uuid::now_v7().simple());
        let owners: Vec<Owner> = (0..OWNERS)
            .map(|number| Owner::new(&format!("{name}-{number}")).expect("a legal owner"))
            .collect();
        let photographs = ["cat.jpg", "coffee.jpg", "astronaut.jpg"].map(pictures::sample);
        let bad = [
            pictures::TEXT.to_vec(),
            pictures::GIF.to_vec(),
            pictures::truncated(),
            pictures::png(79, 79),
        ];
        let file = |number: usize| {
            let is_bad = number % BAD == BAD / 2;
            let turn = number / BAD;
            let prefix = if number % TWICE == 1 { "twice" } else { "once" };
            File {
                key: format!("uploads/{}/{prefix}-{number}", owners[turn % OWNERS].as_str()),
                bytes: if is_bad {
                    bad[turn % bad.len()].clone()
                } else {
                    photographs[number % 3].clone()
                },
                expected: if is_bad { Status::Rejected } else { Status::Labeled },
                // Of bad files as well.
                again: number % TWICE == if turn.is_multiple_of(2) { 2 } else { BAD / 2 },
            }
        };
        let files = (0..images).map(file).collect();
        let style =
            ProgressStyle::with_template("{bar:40} {pos}/{len} images have a result, {elapsed} {msg}");
        let bar = ProgressBar::new(images as u64).with_style(style.expect("a template"));
        Self {
            stack,
            name,
            owners,
            files,
            room: Semaphore::new(at_once),
            bar,
        }
    }

    /// Lets it happen, and counts.
    pub(crate) async fn rage(&self, proxy: &Proxy) -> Verdict {
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
        let breaking = proxy.break_calls(&self.name, move |_: &Call| {
            (random.usize(..BROKEN) == 0).then(|| kinds[random.usize(..kinds.len())])
        });
        let began = std::time::SystemTime::now();
        let repeated = tokio::select! {
            repeated = self.wait() => repeated,
            // Without an end: the last images' results end this.
            never = self.upload() => match never {},
        };
        self.bar.set_message("counting");
        self.wait_for_executions().await;
        let seconds = start.elapsed().as_secs();
        drop(breaking);

        let stories: Vec<_> = stream::iter(&self.owners)
            .map(|owner| stack.story(owner))
            .buffer_unordered(QUESTIONS)
            .collect()
            .await;
        let mut verdict = Verdict {
            images: self.files.len(),
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
        verdict.judge(expected, stories, &stack.all_notifications().await);
        verdict.count_retries(stack, began).await;
        self.bar.finish_and_clear();
        verdict
    }

    /// Takes back what the storm has changed, whatever became of it.
    pub(crate) async fn clear_up(&self) {
        let (events, rule) = (&self.stack.eventbridge, &self.name);
        // Some of it may not be there yet.
        let _ = events.remove_targets().rule(rule).ids("again").send().await;
        let _ = events.delete_rule().name(rule).send().await;
    }

    /// A second rule for the same events: EventBridge then delivers each of them twice, at the same moment.
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

    /// Uploads as many as there is room for at once, and one more for each that has got its result.
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

    /// Waits until every image has a result, and sends some events again once it has. Tells how many.
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
            if at.elapsed() > STANDSTILL {
                return sent.len();
            }
            sleep(LOOK).await;
        }
    }

    /// The same event, twice more at the same moment.
    async fn send_again(&self, record: &ImageRecord) {
        let arn = record.execution_arn.as_deref().expect("a claim");
        let event = self.stack.input(arn).await;
        tokio::join!(self.stack.start(&event), self.stack.start(&event));
    }

    async fn wait_for_executions(&self) {
        let at = Instant::now();
        let running = async || {
            let list = self
                .stack
                .sfn
                .list_executions()
                .state_machine_arn(&self.stack.state_machine_arn);
            let list = list
                .status_filter(ExecutionStatus::Running)
                .send()
                .await
                .expect("executions");
            !list.executions.is_empty()
        };
        while running().await && at.elapsed() < STANDSTILL {
            sleep(LOOK).await;
        }
    }
}
