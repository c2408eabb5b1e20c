//! The Rekognition Video job for which an execution waits. The item connects the message about the job's end, which
//! contains no more than the job's name and id, with the token of the task that waits.
//!
//! The token is stored before the job is started, so that no message can come before it. Each attempt of the task has another
//! token and replaces that of the attempt before.

use crate::attribute::{ATTEMPT, EXPIRES_AT, JOB_ID, ROUND, TASK_TOKEN};
use crate::conditional::Written;
use crate::expression::{Condition, Expressions, Update, at_most, equals, number, text};
use crate::key::Key;
use crate::{Item, Records, RecordsError, from_item};
use aws::ServiceError;
use aws_sdk_dynamodb::types::ReturnValue;
use domain::video::LabelJob;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

/// An execution takes up to a day and can be redriven for 14 more days.
const KEPT: SignedDuration = SignedDuration::from_hours(16 * 24);

/// An attempt of a task that waits for a job.
#[derive(Debug, Clone, Copy)]
pub struct Waiting<'a> {
    /// The token that ends the wait.
    pub token: &'a str,
    /// Sorts the attempts of an execution by time. Another execution has its own item.
    pub attempt: &'a str,
}

/// The job for which an execution waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VideoJob {
    /// Its name.
    pub name: LabelJob,
    /// The id that Rekognition has given it. `None` if it has not been started, or if nobody has stored the answer.
    pub id: Option<String>,
    /// Whether no earlier attempt has waited for it.
    pub is_new: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    #[serde(default)]
    round: u32,
    #[serde(default)]
    job_id: Option<String>,
    #[serde(default)]
    task_token: Option<String>,
}

impl Records {
    /// Stores the token of an attempt, in place of that of an earlier one. Returns the job. `None` if a later attempt waits
    /// already.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn wait_for_video_job(
        &self,
        execution_arn: &str,
        waiting: Waiting<'_>,
    ) -> Result<Option<VideoJob>, RecordsError> {
        let name = LabelJob::new(execution_arn, 0);
        let is_latest = Condition::Absent(ATTEMPT).or(at_most(ATTEMPT, text(waiting.attempt)));
        let update = Update::new()
            .set(TASK_TOKEN, text(waiting.token))
            .set(ATTEMPT, text(waiting.attempt))
            .set(EXPIRES_AT, number((Timestamp::now() + KEPT).as_second()))
            .set_if_absent(ROUND, number(name.round));
        let expressions = Expressions::new().condition(is_latest).update(update);
        let key = Key::video_job(name.execution);
        match self.update(&key, expressions, ReturnValue::AllOld, false).await? {
            Written::Refused(_) => Ok(None),
            Written::Done(before) => job(name, before).map(Some),
        }
    }

    /// Stores the id of a started job, or of one that has ended. Returns the token of the attempt that waits for it. `None` if
    /// the execution waits for no job, or for another one.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn identify_video_job(&self, name: LabelJob, id: &str) -> Result<Option<String>, RecordsError> {
        let is_waited_for =
            equals(ROUND, number(name.round)).and(Condition::Absent(JOB_ID).or(equals(JOB_ID, text(id))));
        let update = Update::new().set(JOB_ID, text(id));
        let expressions = Expressions::new().condition(is_waited_for).update(update);
        let key = Key::video_job(name.execution);
        match self.update(&key, expressions, ReturnValue::AllNew, false).await? {
            Written::Refused(_) => Ok(None),
            Written::Done(item) => {
                let stored: Stored = from_item(item.unwrap_or_default())?;
                Ok(stored.task_token)
            }
        }
    }

    /// Forgets a job that has failed. The next one has another name, so that Rekognition does not return the failed one again.
    /// Returns whether the execution has waited for this job.
    ///
    /// # Errors
    /// The call to DynamoDB fails.
    pub async fn forget_video_job(&self, name: LabelJob) -> Result<bool, ServiceError> {
        let update = Update::new()
            .set(ROUND, number(name.round.saturating_add(1)))
            .remove([JOB_ID]);
        let expressions = Expressions::new()
            .condition(equals(ROUND, number(name.round)))
            .update(update);
        self.update_if(&Key::video_job(name.execution), expressions).await
    }

    /// The job for which an execution waits. Uses a consistent read.
    ///
    /// # Errors
    /// See [`RecordsError`].
    pub async fn video_job(&self, execution_arn: &str) -> Result<VideoJob, RecordsError> {
        let name = LabelJob::new(execution_arn, 0);
        let expressions = Expressions::new().projection(&[ROUND, JOB_ID]);
        job(
            name,
            self.get(&Key::video_job(name.execution), expressions).await?,
        )
    }
}

/// The job of an item, if there is one.
fn job(name: LabelJob, item: Option<Item>) -> Result<VideoJob, RecordsError> {
    let is_new = item.as_ref().is_none_or(Item::is_empty);
    let stored: Stored = from_item(item.unwrap_or_default())?;
    let name = LabelJob {
        round: stored.round,
        ..name
    };
    Ok(VideoJob {
        name,
        id: stored.job_id,
        is_new,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake_table::FakeTable;

    const EXECUTION: &str = "arn:aws:states:us-east-1:123456789012:execution:label-video:one";

    fn attempt(token: &'static str) -> Waiting<'static> {
        Waiting {
            token,
            attempt: token,
        }
    }

    async fn wait(records: &Records, token: &'static str) -> Option<VideoJob> {
        records
            .wait_for_video_job(EXECUTION, attempt(token))
            .await
            .unwrap()
    }

    async fn ended(records: &Records, name: LabelJob, id: &str) -> Option<String> {
        records.identify_video_job(name, id).await.unwrap()
    }

    /// Step Functions gives each attempt another token, and accepts no other one.
    #[tokio::test]
    async fn a_later_attempt_replaces_the_token_and_an_earlier_one_does_not() {
        let records = FakeTable::default().records();
        let job = wait(&records, "1").await.unwrap();
        assert_eq!((job.id.as_deref(), job.is_new), (None, true));
        assert_eq!(
            ended(&records, job.name, "rekognition").await.as_deref(),
            Some("1")
        );
        let again = wait(&records, "2").await.unwrap();
        assert_eq!((again.id.as_deref(), again.is_new), (Some("rekognition"), false));
        assert_eq!(again.name, job.name);
        assert_eq!(wait(&records, "1").await, None);
        assert_eq!(
            ended(&records, job.name, "rekognition").await.as_deref(),
            Some("2")
        );
    }

    /// A video can be claimed by another execution while the first one still waits.
    #[tokio::test]
    async fn attempts_of_another_execution_do_not_replace_the_token() {
        let records = FakeTable::default().records();
        let job = wait(&records, "2").await.unwrap();
        let other = EXECUTION.replace(":one", ":two");
        let of_other = records.wait_for_video_job(&other, attempt("1")).await.unwrap();
        let of_other = of_other.expect("an earlier attempt of one execution replaces none of another one");
        assert_ne!(of_other.name, job.name);
        assert_eq!(ended(&records, job.name, "first").await.as_deref(), Some("2"));
        assert_eq!(
            ended(&records, of_other.name, "second").await.as_deref(),
            Some("1")
        );
    }

    /// The message can be faster than the answer to the start, and it can come twice.
    #[tokio::test]
    async fn a_message_finds_the_token_before_and_after_the_id_is_stored() {
        let records = FakeTable::default().records();
        let job = wait(&records, "1").await.unwrap();
        for _ in 0..3 {
            assert_eq!(
                ended(&records, job.name, "rekognition").await.as_deref(),
                Some("1")
            );
        }
        let stored = records.video_job(EXECUTION).await.unwrap();
        assert_eq!(
            (stored.name, stored.id.as_deref()),
            (job.name, Some("rekognition"))
        );
    }

    #[tokio::test]
    async fn a_message_about_another_job_finds_no_token() {
        let records = FakeTable::default().records();
        let unknown = LabelJob::new("another execution", 0);
        assert_eq!(ended(&records, unknown, "rekognition").await, None);
        let job = wait(&records, "1").await.unwrap();
        assert_eq!(ended(&records, unknown, "rekognition").await, None);
        ended(&records, job.name, "rekognition").await;
        assert_eq!(ended(&records, job.name, "another job").await, None);
        let later = LabelJob::new(EXECUTION, 1);
        assert_eq!(ended(&records, later, "rekognition").await, None);
    }

    #[tokio::test]
    async fn after_a_failed_job_the_next_one_has_another_name() {
        let records = FakeTable::default().records();
        let job = wait(&records, "1").await.unwrap();
        ended(&records, job.name, "rekognition").await;
        assert!(records.forget_video_job(job.name).await.unwrap());
        assert!(!records.forget_video_job(job.name).await.unwrap());
        assert_eq!(
            ended(&records, job.name, "rekognition").await,
            None,
            "a late message"
        );
        let next = records.video_job(EXECUTION).await.unwrap();
        assert_eq!((next.name, next.id), (LabelJob::new(EXECUTION, 1), None));
        assert_eq!(ended(&records, next.name, "second").await.as_deref(), Some("1"));
    }
}
