//! The reconciler: compares the bucket with the table, and repairs what lost events and interrupted functions have left
//! behind. A schedule starts it every hour, and `cargo xtask reconcile` on command.
//!
//! Input: [`Input`]. Output: [`Output`].
//!
//! A **pass** compares everything once, in four phases: objects below `uploads/`, images in the table, thumbnails, objects
//! that are derived from videos. A run works on a pass for 45 seconds, stores its cursor after each page, and the next run
//! continues there. While one run has the lease, others end at once. A run that is killed loses at most a page, which the
//! next run compares again: each repair finds that it has been made. When a pass is complete, the hourly runs do nothing
//! until the next one is due, `RECONCILE_DAYS` after the start of the last one. Such a run costs one read.
//!
//! What is found, from what age on, what is done about it, and why a live upload or deletion at the same moment is safe:
//!
//! | leftover | age | repair | at the same moment |
//! | --- | --- | --- | --- |
//! | an object without a record, or whose record is `AWAITING_UPLOAD` | 12 h | starts the workflow | `validate` claims with a condition: see below |
//! | an object under a key of the API whose image is deleted | 1 h | deletes the object | no other image can have this key |
//! | an object that has replaced the one of its record, by its time or its size | 12 h | starts the workflow | the same |
//! | a newer object under a deleted key of another tool | 12 h | starts the workflow | `validate` claims with a condition |
//! | a record that is `PROCESSING`, whose execution has ended, and the one of `label-video` that it may have started, too | 1 h | marks it `FAILED` | only if this execution still holds it; a redriven execution replaces the failure with its result |
//! | a tombstone that is not closed | 1 h | completes the deletion | only if it is still the same tombstone; [`deletion::resume`] leaves newer objects alone |
//! | a labeled image without thumbnails and without a reason for that | 1 h | sends its notification again | `thumbnails` stores them only for the execution that holds the image; receivers know the `notificationId` |
//! | a thumbnail of no image, of a deleted one, or of an earlier result | 24 h | deletes it | an execution writes only to keys with its own name, and the record does not return to an earlier execution that has ended |
//! | an object that is derived from a video, in the same way; or that is not named by the result of its own execution | 24 h | deletes it | the same; steps read what others have written only before the result |
//! | an upload that was announced 48 h ago | | none: it expires | |
//!
//! Before each repair, the record is read again with a consistent read, and judged again. The age decides only about what is
//! worth a repair, and not about what is safe. So `olderThanSeconds` can be 0.
//!
//! **Lost events.** The event had a sequencer, which nobody knows. In its place, the object gets the lowest one that is later
//! than all that its record has seen: [`Sequencer::lowest`](domain::Sequencer::lowest) without a record, otherwise the
//! [next](domain::Sequencer::next) one after that of the deleted or replaced object. A real event is later than both, so a newer object
//! always wins: `validate` claims the image for it, also while the execution of this one runs. If the real event was claimed
//! first, this one is stale and ends without an effect. If the same object is found twice, the name of the execution is the
//! same, and Step Functions refuses it. What cannot be avoided: if the event was only late, it labels the picture a second
//! time, for $0.001, and corrections that the owner has made since then are lost. EventBridge delivers almost all events
//! within seconds, and tries for 24 hours while Step Functions is not available. The age of 12 hours makes this case rare,
//! and finds uploads of the page with a daily pass before their records, which contain the files' names, expire after 48 hours.
//!
//! An object of the API without a record can also be one that was uploaded after its deletion, if its tombstone has expired
//! after 30 days. So those that are older than 29 days are left to an operator.
//!
//! **Limit.** A pass repairs at most 1,000 leftovers of a kind, unless the input says otherwise. More are a sign of
//! something worse, such as a table that was restored from a backup: labeling a million objects again would cost $1,000. They
//! are left to an operator, and the alarm goes off. Executions are started at the pace of bulk work.
//!
//! **Repairs without effect.** A notification that is sent again can have no effect, for example if somebody has disabled the rule for
//! `thumbnails`. Then the record does not change. If it is older than three passes, the image counts as left, and the alarm goes
//! off; its notification is still sent.
//!
//! Renditions and exported files are not compared: lifecycle rules of the bucket delete them.

mod derived;
mod images;
mod uploads;

use aws::ServiceError;
use derived::Kind;
use domain::metric;
use domain::reconciliation::{Cursor, Finding, Leftover, Pass, Repair, Scope};
use domain::{ErrorName, HasSubject, ImageId, ImageRecord, Owner, StepError, Subject};
use jiff::{SignedDuration, Timestamp};
use notify::{Notify, NotifyError};
use records::{ImageState, Read, Records, RecordsError, StoredImage};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;
use std::time::{Duration, Instant};

/// No leftover is repaired after this time. The function may run for two minutes.
const BUDGET: Duration = Duration::from_secs(45);
/// How long a run has the lease after it has stored its cursor. Longer than the function may run.
const LEASE: SignedDuration = SignedDuration::from_secs(150);
/// The maximum number of leftovers of a kind that a pass repairs, unless the input says otherwise.
const MAX_REPAIRS: u32 = 1000;
/// The maximum number of repairs and leftovers that a run logs one by one.
const MAX_LOGGED: usize = 200;
/// A pass can start this much earlier, so that a run that starts a little earlier than the last one does not delay it by an hour.
const SLACK: SignedDuration = SignedDuration::from_mins(30);

/// The listener's clients and configuration.
#[derive(Debug, Clone)]
pub struct Reconcile {
    /// Lists and deletes objects.
    pub s3: aws_sdk_s3::Client,
    /// Reads and changes images.
    pub records: Records,
    /// Starts executions, and checks whether they have ended.
    pub sfn: aws_sdk_sfn::Client,
    /// Sends outcomes to the event bus.
    pub notify: Notify,
    /// The bucket of the pictures.
    pub bucket: String,
    /// The state machine `label-image`.
    pub state_machine_arn: String,
    /// The state machine `label-video`.
    pub video_state_machine_arn: String,
    /// How many images per second bulk work starts to label.
    pub images_per_second: NonZeroU32,
    /// Days from the start of one pass to that of the next. 0 counts as 1.
    pub days: u32,
}

/// The input. All fields are optional, and the schedule sends none of them.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// Starts a new pass, also if the last one is not complete or the next one is not due.
    #[serde(default)]
    new_pass: bool,
    /// Compares only the objects and images of this owner. Such a pass has its own cursor and lease.
    #[serde(default)]
    owner: Option<String>,
    /// The minimum age of leftovers, in place of the usual ones.
    #[serde(default)]
    older_than_seconds: Option<u32>,
    /// The maximum number of leftovers of a kind that a pass repairs. With 0, it repairs none and measures nothing.
    #[serde(default)]
    max_repairs: Option<u32>,
}

impl HasSubject for Input {
    fn subject(&self) -> Subject {
        // About many images.
        Subject::default()
    }
}

/// How far the pass has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Progress {
    /// The last pass is complete, and the next one is not due.
    NotDue,
    /// Another run works on the pass.
    Busy,
    /// The next run continues the pass.
    More,
    /// The pass is complete.
    Done,
}

/// The output.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Output {
    /// How far the pass has come.
    pub progress: Progress,
    /// The pass. `None` if another run works on it.
    pub pass: Option<Pass>,
}

/// Why a run has ended early. The next one continues.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// The owner in the input cannot be one.
    #[error("owner must not be empty, and must not contain a slash")]
    InvalidOwner,
    /// An item is invalid, or a call failed.
    #[error(transparent)]
    Records(RecordsError),
}

impl From<RecordsError> for ReconcileError {
    fn from(error: RecordsError) -> Self {
        Self::Records(error)
    }
}

impl From<ServiceError> for ReconcileError {
    fn from(error: ServiceError) -> Self {
        Self::Records(error.into())
    }
}

impl StepError for ReconcileError {
    fn name(&self) -> ErrorName {
        match self {
            Self::InvalidOwner => ErrorName::InvalidInput,
            Self::Records(error) => error.name(),
        }
    }
}

/// Works on a pass for 45 seconds, or until it is complete.
///
/// # Errors
/// See [`ReconcileError`].
pub async fn handle(reconcile: &Reconcile, input: Input) -> Result<Output, ReconcileError> {
    let scope = match &input.owner {
        None if input.max_repairs == Some(0) => Scope::Trial,
        None => Scope::All,
        Some(owner) => Scope::Owner(Owner::new(owner).ok_or(ReconcileError::InvalidOwner)?),
    };
    let records = &reconcile.records;
    let now = Timestamp::now();
    if !input.new_pass {
        let stored = records.pass(&scope).await?;
        if !is_due(stored.as_ref(), reconcile.days, now) {
            return Ok(Output {
                progress: Progress::NotDue,
                pass: stored,
            });
        }
    }
    let id = ImageId::new().to_string();
    let Some(stored) = records.begin_run(&scope, &id, now, now + LEASE).await? else {
        return Ok(Output {
            progress: Progress::Busy,
            pass: None,
        });
    };
    let unfinished = stored.filter(|pass| !input.new_pass && pass.cursor != Cursor::Done);
    let mut run = Run {
        reconcile,
        scope,
        ages: Ages::new(input.older_than_seconds),
        max_repairs: input.max_repairs.unwrap_or(MAX_REPAIRS).into(),
        pass: unfinished.unwrap_or_else(|| Pass::new(now)),
        until: Instant::now() + BUDGET,
        is_over: false,
        executions_left: images::MAX_EXECUTIONS,
        has_ended_executions: false,
        logged: 0,
    };
    let before = run.pass.findings.clone();
    let result = run.work(&id).await;
    if run.max_repairs > 0 {
        measure(&before, &run.pass.findings);
    }
    if result.is_err() {
        // What was repaired until then. If this fails as well, the next run compares the page again.
        let _ = records.store_pass(&run.scope, &id, &run.pass, now).await;
    }
    let ended = records.end_run(&run.scope, &id).await;
    let has_lease = result?;
    ended?;
    Ok(Output {
        progress: match run.pass.cursor {
            _ if !has_lease => Progress::Busy,
            Cursor::Done => Progress::Done,
            _ => Progress::More,
        },
        pass: has_lease.then_some(run.pass),
    })
}

/// Whether a run that was not told to start a pass has something to do.
fn is_due(stored: Option<&Pass>, days: u32, now: Timestamp) -> bool {
    let interval = SignedDuration::from_hours(24 * i64::from(days.max(1)));
    stored.is_none_or(|pass| {
        pass.cursor != Cursor::Done || now.duration_since(pass.started_at) >= interval - SLACK
    })
}

/// Measures what a run has added to the findings.
fn measure(before: &[Finding], after: &[Finding]) {
    for finding in after {
        let is_same = |other: &&Finding| (other.leftover, other.repair) == (finding.leftover, finding.repair);
        let counted = before.iter().find(is_same).map_or(0, |finding| finding.count);
        if finding.count > counted {
            metric::leftovers(finding.leftover, finding.repair, finding.count - counted);
        }
    }
}

/// The minimum ages of leftovers.
#[derive(Debug, Clone, Copy)]
struct Ages {
    unprocessed_object: SignedDuration,
    late_object: SignedDuration,
    image: SignedDuration,
    derived: SignedDuration,
}

impl Ages {
    fn new(seconds: Option<u32>) -> Self {
        let usual = |hours| {
            seconds.map_or(SignedDuration::from_hours(hours), |seconds| {
                SignedDuration::from_secs(seconds.into())
            })
        };
        Self {
            unprocessed_object: usual(12),
            late_object: usual(1),
            image: usual(1),
            derived: usual(24),
        }
    }
}

/// The time since a time that a record contains. `None` if it contains none.
fn age(time: &str, now: Timestamp) -> Option<SignedDuration> {
    Some(now.duration_since(time.parse().ok()?))
}

/// A run of the reconciler.
struct Run<'a> {
    reconcile: &'a Reconcile,
    scope: Scope,
    ages: Ages,
    max_repairs: u64,
    pass: Pass,
    until: Instant,
    /// Whether the run ends before the next leftover.
    is_over: bool,
    /// How many executions of images that have not been processed for long may still be described.
    executions_left: usize,
    /// Whether one of the described executions has ended.
    has_ended_executions: bool,
    logged: usize,
}

impl Run<'_> {
    /// Works until the pass is complete or the time is over. Returns whether the run has the lease at the end.
    async fn work(&mut self, id: &str) -> Result<bool, ReconcileError> {
        loop {
            match self.pass.cursor.clone() {
                Cursor::Uploads { after } => self.uploads(after).await?,
                Cursor::Images { after } => self.images(after).await?,
                Cursor::Thumbnails { after } => self.derived(Kind::Thumbnail, after).await?,
                Cursor::Videos { after } => self.derived(Kind::OfVideo, after).await?,
                Cursor::Done => {}
            }
            let now = Timestamp::now();
            let is_done = self.pass.cursor == Cursor::Done;
            if is_done {
                self.pass.ended_at = Some(now);
            }
            let records = &self.reconcile.records;
            if !records
                .store_pass(&self.scope, id, &self.pass, now + LEASE)
                .await?
            {
                return Ok(false);
            }
            if is_done || self.is_over() {
                return Ok(true);
            }
        }
    }

    fn is_over(&self) -> bool {
        self.is_over || Instant::now() >= self.until
    }

    /// Whether a leftover of this kind can be repaired. Otherwise, counts it as left.
    fn may_repair(&mut self, leftover: Leftover, image: ImageId) -> bool {
        let mut repairs = self.pass.count(leftover, Repair::Repaired);
        if leftover == Leftover::MissingThumbnails {
            // Those whose repairs had no effect.
            repairs += self.pass.count(leftover, Repair::Left);
        }
        let may = repairs < self.max_repairs;
        if !may {
            self.count(leftover, Repair::Left, image);
        }
        may
    }

    fn count(&mut self, leftover: Leftover, repair: Repair, image: ImageId) {
        self.pass.add(leftover, repair);
        if self.logged < MAX_LOGGED && repair != Repair::Expires {
            self.logged += 1;
            let (leftover, repair): (&str, &str) = (leftover.into(), repair.into());
            tracing::info!(imageId = %image, leftover, repair, "found");
        }
    }

    /// Counts what became of a leftover. `None`: it was none any more. An error that is about this leftover does not keep the
    /// run from repairing the others.
    fn settle(
        &mut self,
        leftover: Leftover,
        image: ImageId,
        result: Result<Option<Repair>, RecordsError>,
    ) -> Result<(), ReconcileError> {
        match result {
            Ok(Some(repair)) => self.count(leftover, repair, image),
            Ok(None) => {}
            Err(
                error @ (RecordsError::Unreadable(_)
                | RecordsError::Service(ServiceError::UnexpectedAnswer(_))),
            ) => {
                tracing::error!(imageId = %image, error = error.name().as_str(), "cannot be repaired");
                self.count(leftover, Repair::Left, image);
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// The current record. Uses a consistent read.
    async fn record(&self, owner: &Owner, id: ImageId) -> Result<Option<ImageRecord>, RecordsError> {
        self.reconcile.records.image(owner, id).await
    }
}

/// The state of an image that was read with others. `Ok(None)` if it has no record, and `Err` if its record is invalid.
fn state(read: Read<StoredImage>) -> Result<Result<Option<Box<ImageState>>, String>, ServiceError> {
    Ok(match read.known()? {
        Some(StoredImage::Valid(state)) => Ok(Some(state)),
        Some(StoredImage::Invalid(error)) => Err(error),
        None => Ok(None),
    })
}

/// The error of a notification as one of the other calls.
fn notify_error(error: NotifyError) -> RecordsError {
    match error {
        NotifyError::Service(error) => error.into(),
        NotifyError::NoOutcome(_) => RecordsError::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(count: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(count)
    }

    fn pass(cursor: Cursor) -> Pass {
        Pass {
            cursor,
            ..Pass::new(hours(0))
        }
    }

    /// A pass costs money.
    #[test]
    fn a_complete_pass_is_followed_by_the_next_one_after_some_days() {
        let complete = pass(Cursor::Done);
        assert!(!is_due(Some(&complete), 1, hours(23)));
        assert!(is_due(Some(&complete), 1, hours(24)));
        assert!(!is_due(Some(&complete), 7, hours(24)));
        assert!(is_due(Some(&complete), 7, hours(7 * 24)));
    }

    /// EventBridge does not start the runs at exactly the same minute.
    #[test]
    fn a_run_that_starts_some_minutes_earlier_than_the_last_one_starts_a_pass() {
        let a_little_earlier = hours(24) - SignedDuration::from_mins(10);
        assert!(is_due(Some(&pass(Cursor::Done)), 1, a_little_earlier));
    }

    #[test]
    fn an_incomplete_pass_is_continued_at_once() {
        assert!(is_due(
            Some(&pass(Cursor::Thumbnails { after: None })),
            7,
            hours(1)
        ));
        assert!(is_due(None, 7, hours(0)));
    }

    /// A schedule of EventBridge. Source: "Event structure" in the EventBridge User Guide.
    #[test]
    fn the_event_of_the_schedule_starts_no_new_pass_before_its_time() {
        let input: Input = serde_json::from_value(serde_json::json!({
            "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
            "source": "aws.events", "account": "123456789012", "time": "2026-11-29T12:00:00Z",
            "region": "us-east-1", "resources": ["arn:aws:events:us-east-1:123456789012:rule/reconcile"],
            "detail": {},
        }))
        .unwrap();
        assert!(!input.new_pass && input.owner.is_none());
        assert_eq!((input.older_than_seconds, input.max_repairs), (None, None));
    }

    #[test]
    fn only_what_this_run_has_found_is_measured() {
        let finding = |leftover, count| Finding {
            leftover,
            repair: Repair::Left,
            count,
        };
        metric::take();
        measure(
            &[finding(Leftover::StuckImage, 3), finding(Leftover::LateObject, 1)],
            &[
                finding(Leftover::StuckImage, 5),
                finding(Leftover::LateObject, 1),
                finding(Leftover::OpenTombstone, 4),
            ],
        );
        let values: Vec<_> = metric::take().iter().map(|measured| measured.value).collect();
        assert_eq!(values, [2.0, 4.0]);
    }
}
