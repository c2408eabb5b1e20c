//! The results of a run.

use aws_sdk_sfn::types::HistoryEventType;
use domain::Status;
use futures_util::{StreamExt, stream};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::time::SystemTime;
use tests::Stack;
use tests::bus::Notification;
use tests::consistency::Consistency;
use tests::proxy::Fault;

/// Histories that are read at the same time.
const HISTORIES: usize = 8;
/// The maximum number of errors that are printed.
const MAX_PRINTED: usize = 20;

/// The figures of a run.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) images: usize,
    /// Those of the images that are videos.
    pub(crate) videos: usize,
    /// Invalid files.
    pub(crate) bad: usize,
    /// Events that were delivered twice at the same time.
    pub(crate) at_once: usize,
    /// Events that were sent twice more, at the same time, when their image had a result.
    pub(crate) again: usize,
    /// Injected faults.
    pub(crate) faults: BTreeMap<Fault, usize>,
    /// From the first upload to the end of the last execution.
    pub(crate) seconds: u64,
    /// Executions of the state machines.
    pub(crate) executions: usize,
    /// Retries of Tasks, by the error before them.
    pub(crate) retries: BTreeMap<String, usize>,
    /// Images without a final record or without a notification.
    pub(crate) lost: usize,
    /// Images with more than one record, or with more than one distinct notification id.
    pub(crate) doubled: usize,
    /// Errors, one sentence each.
    pub(crate) wrong: Vec<String>,
}

impl Verdict {
    /// Whether nothing was lost, duplicated or otherwise wrong.
    pub(crate) fn is_good(&self) -> bool {
        self.lost == 0 && self.doubled == 0 && self.wrong.is_empty()
    }

    /// Compares the records and notifications with the uploads.
    pub(crate) fn judge<'a>(
        &mut self,
        expected: impl Iterator<Item = (&'a str, Status)>,
        consistencies: Vec<Consistency>,
        notifications: &[Notification],
    ) {
        let mut records: HashMap<String, Vec<Status>> = HashMap::new();
        for consistency in consistencies {
            self.wrong.extend(consistency.contradictions);
            for record in consistency.records {
                records.entry(record.key).or_default().push(record.status);
            }
        }
        let mut ids: HashMap<&str, HashSet<_>> = HashMap::new();
        for notification in notifications {
            ids.entry(&notification.outcome.claim.key)
                .or_default()
                .insert(notification.outcome.notification_id);
        }
        for (key, expected) in expected {
            let statuses = records.get(key).map(Vec::as_slice).unwrap_or_default();
            let announced = ids.get(key).map_or(0, HashSet::len);
            let is_final =
                |status: &Status| matches!(status, Status::Labeled | Status::Rejected | Status::Failed);
            self.lost += usize::from(!statuses.iter().any(is_final) || announced == 0);
            self.doubled += usize::from(statuses.len() > 1 || announced > 1);
            if statuses != [expected] || announced != 1 {
                let what =
                    format!("{key} is {statuses:?}, not {expected:?}, and has {announced} notification ids");
                self.wrong.push(what);
            }
        }
    }

    /// Reads the retries from the histories of all executions since `began`.
    pub(crate) async fn count_retries(&mut self, stack: &Stack, began: SystemTime) {
        let mut all = vec![];
        for machine in ["label-image", "label-video"] {
            let list = stack
                .sfn
                .list_executions()
                .state_machine_arn(stack.machine_arn(machine));
            let executions: Vec<_> = list
                .into_paginator()
                .items()
                .send()
                .collect::<Result<_, _>>()
                .await
                .expect("executions");
            all.extend(executions);
        }
        let ours = all.into_iter().filter(|execution| {
            SystemTime::try_from(execution.start_date).is_ok_and(|started| started >= began)
        });
        let retries = ours.map(|execution| retries(stack, execution.execution_arn));
        let mut retries = stream::iter(retries).buffer_unordered(HISTORIES);
        while let Some(retries) = retries.next().await {
            self.executions += 1;
            for error in retries {
                *self.retries.entry(error).or_default() += 1;
            }
        }
    }
}

/// The errors after which an execution's Tasks were retried.
async fn retries(stack: &Stack, arn: String) -> Vec<String> {
    let history = stack
        .sfn
        .get_execution_history()
        .execution_arn(arn)
        .max_results(1000);
    let events: Vec<_> = history
        .into_paginator()
        .items()
        .send()
        .collect::<Result<_, _>>()
        .await
        .expect("a history");
    let mut failed = None;
    let mut retries = vec![];
    for event in events {
        match event.r#type {
            HistoryEventType::TaskScheduled => retries.extend(failed.take()),
            HistoryEventType::TaskFailed => {
                failed = event.task_failed_event_details.and_then(|details| details.error);
            }
            HistoryEventType::TaskStateEntered => failed = None,
            _ => {}
        }
    }
    retries
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |counts: Vec<(String, usize)>| {
            let total: usize = counts.iter().map(|(_, count)| count).sum();
            let parts: Vec<_> = counts
                .iter()
                .map(|(what, count)| format!("{count} {what}"))
                .collect();
            format!("{total} ({})", parts.join(", "))
        };
        let faults = self
            .faults
            .iter()
            .map(|(fault, count)| (format!("{fault:?}"), *count))
            .collect();
        let retries = self
            .retries
            .iter()
            .map(|(error, count)| (error.clone(), *count))
            .collect();
        writeln!(
            f,
            "images      {} ({} of them videos, {} invalid files)",
            self.images, self.videos, self.bad
        )?;
        writeln!(
            f,
            "duplicates  {} events twice at once, {} events twice more later",
            self.at_once, self.again
        )?;
        writeln!(f, "executions  {}", self.executions)?;
        writeln!(f, "faults      {}", list(faults))?;
        writeln!(f, "retries     {}", list(retries))?;
        writeln!(f, "lost        {}", self.lost)?;
        writeln!(f, "doubled     {}", self.doubled)?;
        writeln!(f, "wrong       {}", self.wrong.len())?;
        write!(f, "seconds     {}", self.seconds)?;
        self.wrong
            .iter()
            .take(MAX_PRINTED)
            .try_for_each(|what| write!(f, "\n{what}"))
    }
}
