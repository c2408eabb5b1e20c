//! The leases of executions whose Rekognition Video jobs are in progress, in an item per owner. One owner gets a limited
//! number of them, so that the account's jobs do not all belong to one owner.
//!
//! A lease ends by itself. An execution that is stopped, or that could not return its lease, therefore counts for at most an hour.
//! Each attempt of an execution extends its lease, and a job that replaces a failed one keeps it.
//!
//! A change reads the item, and then writes it on the condition that the leases are still those that were read. A single
//! conditional update could not remove leases that have ended, because it does not know their names. While no lease is free,
//! nothing is written.

use crate::attribute::{EXPIRES_AT, LEASES};
use crate::contention::Contention;
use crate::expression::{Condition, Expressions, Update, equals, number};
use crate::key::Key;
use crate::unreadable::unreadable;
use crate::{Records, RecordsError, attribute_value};
use domain::Owner;
use domain::video::LabelJob;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use uuid::Uuid;

/// How long a lease lasts without another attempt. A task that waits for a job is tried again after 30 minutes,
/// and an attempt that fails after at most 15 more minutes.
const LEASE: SignedDuration = SignedDuration::from_hours(1);

/// For each execution, when its lease ends: in seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Leases(BTreeMap<Uuid, i64>);

impl Leases {
    fn remove_ended(&mut self, now: Timestamp) {
        self.0.retain(|_, until| *until > now.as_second());
    }

    /// Extends the lease of an execution, or gives it one if fewer than `limit` others have one. Returns whether it has one.
    fn take(&mut self, execution: Uuid, limit: usize, now: Timestamp) -> bool {
        self.remove_ended(now);
        let has_lease = self.0.contains_key(&execution) || self.0.len() < limit;
        if has_lease {
            let until = now.saturating_add(LEASE).unwrap_or(Timestamp::MAX);
            self.0.insert(execution, until.as_second());
        }
        has_lease
    }

    fn return_lease(&mut self, execution: Uuid, now: Timestamp) -> bool {
        self.remove_ended(now);
        self.0.remove(&execution).is_some()
    }
}

impl Records {
    /// Takes a lease for a job that is going to be started, or extends the one that its execution has. Returns whether it has one:
    /// not if `limit` other executions of the owner have one.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn take_video_lease(
        &self,
        owner: &Owner,
        job: LabelJob,
        limit: u32,
        now: Timestamp,
    ) -> Result<bool, RecordsError> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.change_video_leases(owner, now, |leases| leases.take(job.execution, limit, now))
            .await
    }

    /// Extends the lease of a job that is in progress. The execution gets one whatever others have: its own may have ended.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn extend_video_lease(
        &self,
        owner: &Owner,
        job: LabelJob,
        now: Timestamp,
    ) -> Result<(), RecordsError> {
        self.change_video_leases(owner, now, |leases| leases.take(job.execution, usize::MAX, now))
            .await
            .map(drop)
    }

    /// Returns the lease of an execution whose job is not in progress. Does nothing if it has none.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn return_video_lease(
        &self,
        owner: &Owner,
        job: LabelJob,
        now: Timestamp,
    ) -> Result<(), RecordsError> {
        self.change_video_leases(owner, now, |leases| leases.return_lease(job.execution, now))
            .await
            .map(drop)
    }

    /// Changes the leases of an owner. `change` returns whether to store them. It is repeated if they have changed meanwhile.
    /// Returns whether they were stored.
    async fn change_video_leases(
        &self,
        owner: &Owner,
        now: Timestamp,
        change: impl Fn(&mut Leases) -> bool,
    ) -> Result<bool, RecordsError> {
        let key = Key::video_leases(owner);
        let mut contention = Contention::default();
        loop {
            let item = self.get(&key, Expressions::new().projection(&[LEASES])).await?;
            let stored = item.and_then(|mut item| item.remove(LEASES));
            let mut leases = match &stored {
                Some(stored) => {
                    serde_dynamo::from_attribute_value(stored.clone()).map_err(|error| unreadable(&error))?
                }
                None => Leases::default(),
            };
            if !change(&mut leases) {
                return Ok(false);
            }
            let last = leases.0.values().max().copied();
            let expires_at = last.unwrap_or_else(|| now.as_second());
            let leases = match last {
                Some(_) => Some(attribute_value(&leases)?),
                None => None,
            };
            let update = Update::new()
                .set_or_remove(LEASES, leases)
                .set(EXPIRES_AT, number(expires_at));
            let are_unchanged = match stored {
                Some(stored) => equals(LEASES, stored),
                None => Condition::Absent(LEASES),
            };
            let expressions = Expressions::new().condition(are_unchanged).update(update);
            if self.update_if(&key, expressions).await? {
                return Ok(true);
            }
            contention.wait("dynamodb:UpdateItem").await?;
        }
    }
}

#[cfg(test)]
mod simulation;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_table::FakeTable;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn job(execution: &str) -> LabelJob {
        LabelJob::new(execution, 0)
    }

    struct Table {
        fake: FakeTable,
        records: Records,
        owner: Owner,
    }

    impl Table {
        fn new() -> Self {
            let fake = FakeTable::default();
            Self {
                records: fake.records(),
                fake,
                owner: Owner::new("demo").unwrap(),
            }
        }

        /// With two leases per owner.
        async fn take(&self, execution: &str, minute: i64) -> bool {
            let taken = self
                .records
                .take_video_lease(&self.owner, job(execution), 2, at(minute));
            taken.await.unwrap()
        }

        async fn extend(&self, execution: &str, minute: i64) {
            let extended = self
                .records
                .extend_video_lease(&self.owner, job(execution), at(minute));
            extended.await.unwrap();
        }

        async fn return_lease(&self, execution: &str, minute: i64) {
            let returned = self
                .records
                .return_video_lease(&self.owner, job(execution), at(minute));
            returned.await.unwrap();
        }

        fn expires_at(&self) -> String {
            let item = &self.fake.state().items[&Key::video_leases(&self.owner)];
            item[EXPIRES_AT].as_n().unwrap().clone()
        }
    }

    #[tokio::test]
    async fn an_owner_gets_no_more_leases_than_allowed_until_one_is_returned() {
        let table = Table::new();
        assert!(table.take("one", 0).await);
        assert!(table.take("two", 0).await);
        assert!(!table.take("three", 0).await);
        table.return_lease("one", 1).await;
        assert!(table.take("three", 1).await);
        assert!(!table.take("one", 1).await);
    }

    #[tokio::test]
    async fn owners_do_not_take_each_others_leases() {
        let table = Table::new();
        for execution in ["one", "two"] {
            assert!(table.take(execution, 0).await);
        }
        let other = Owner::new("other").unwrap();
        let taken = table.records.take_video_lease(&other, job("three"), 1, at(0));
        assert_eq!(taken.await, Ok(true));
    }

    /// Retries, redrives and jobs that replace a failed one.
    #[tokio::test]
    async fn an_execution_has_one_lease_however_often_it_takes_one() {
        let table = Table::new();
        for minute in 0..3 {
            assert!(table.take("one", minute).await);
        }
        let next = LabelJob::new("one", 1);
        let taken = table.records.take_video_lease(&table.owner, next, 2, at(3));
        assert_eq!(taken.await, Ok(true));
        assert!(table.take("two", 3).await);
        assert!(
            table.take("one", 3).await,
            "it keeps its lease when all are taken"
        );
    }

    /// Of an execution that was stopped.
    #[tokio::test]
    async fn a_lease_that_is_not_returned_ends_after_an_hour() {
        let table = Table::new();
        assert!(table.take("one", 0).await);
        assert!(table.take("two", 30).await);
        assert!(!table.take("three", 59).await);
        assert!(table.take("three", 60).await);
        assert!(!table.take("four", 89).await);
    }

    #[tokio::test]
    async fn each_attempt_extends_the_lease_by_an_hour() {
        let table = Table::new();
        assert!(table.take("one", 0).await);
        assert!(table.take("two", 0).await);
        for minute in (30..300).step_by(30) {
            table.extend("one", minute).await;
            table.extend("two", minute).await;
            assert!(!table.take("three", minute + 29).await);
        }
    }

    /// Without a lease, the job would not count although it is in progress.
    #[tokio::test]
    async fn a_job_in_progress_gets_a_lease_even_if_others_have_taken_all() {
        let table = Table::new();
        assert!(table.take("one", 0).await);
        assert!(table.take("two", 60).await);
        assert!(table.take("three", 60).await);
        table.extend("one", 61).await;
        table.return_lease("two", 62).await;
        assert!(!table.take("four", 62).await);
    }

    #[tokio::test]
    async fn a_lease_can_be_returned_twice_and_without_having_one() {
        let table = Table::new();
        table.return_lease("one", 0).await;
        assert!(table.fake.state().items.is_empty());
        assert!(table.take("one", 0).await);
        assert!(table.take("two", 0).await);
        table.return_lease("one", 0).await;
        table.return_lease("one", 0).await;
        assert!(table.take("three", 0).await);
        assert!(!table.take("four", 0).await);
    }

    /// Also the item of an owner who has deleted all data.
    #[tokio::test]
    async fn the_item_expires_with_its_last_lease() {
        let table = Table::new();
        table.take("one", 0).await;
        table.take("two", 10).await;
        assert_eq!(table.expires_at(), (70 * 60).to_string());
        table.return_lease("two", 20).await;
        assert_eq!(table.expires_at(), (60 * 60).to_string());
        table.return_lease("one", 20).await;
        assert_eq!(table.expires_at(), (20 * 60).to_string());
    }

    #[tokio::test]
    async fn an_execution_that_gets_no_lease_writes_nothing() {
        let table = Table::new();
        table.take("one", 0).await;
        table.take("two", 0).await;
        let written = table.fake.state().write_units;
        assert!(!table.take("three", 0).await);
        assert_eq!(table.fake.state().write_units, written);
    }

    /// Each changes what the others have read.
    #[test]
    fn executions_that_take_leases_at_the_same_moment_do_not_exceed_the_limit() {
        let table = Table::new();
        let take = &|number: usize| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build();
            runtime.unwrap().block_on(table.take(&number.to_string(), 0))
        };
        let taken = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || take(number))).collect();
            let taken = threads.into_iter().map(|thread| thread.join().unwrap());
            taken.filter(|taken| *taken).count()
        });
        assert_eq!(taken, 2);
    }
}
