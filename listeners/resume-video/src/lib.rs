//! Ends the wait of a task for a Rekognition Video job, when SNS delivers the message that the job has ended.
//!
//! A message can come twice, late, or never. It names the job and contains no result: it only wakes the execution, which polls
//! the job. Whatever goes wrong here, the task polls it after half an hour.

use aws::ServiceError;
use domain::video::LabelJob;
use domain::{ErrorName, HasSubject, StepError, Subject};
use executions::callback;
use records::{Records, RecordsError};
use serde::{Deserialize, Serialize};

/// The listener's clients.
#[derive(Debug, Clone)]
pub struct ResumeVideo {
    /// Ends the task.
    pub sfn: aws_sdk_sfn::Client,
    /// Finds the task that waits for the job.
    pub records: Records,
}

/// The event with which SNS invokes functions. It has one record.
#[derive(Debug, Deserialize)]
pub struct Event {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "Sns")]
    sns: Sns,
}

#[derive(Debug, Deserialize)]
struct Sns {
    #[serde(rename = "Message")]
    message: String,
}

/// Rekognition's message, as JSON in [`Sns::message`].
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Message {
    job_id: String,
    status: String,
    #[serde(default)]
    job_tag: Option<String>,
}

impl HasSubject for Event {
    fn subject(&self) -> Subject {
        Subject::default()
    }
}

/// How a message was handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Handled {
    /// The task has ended.
    Resumed,
    /// The task had ended before, or was retried since.
    AlreadyEnded,
    /// No execution waits for this job.
    UnknownJob,
}

/// Why a message was not handled. Lambda tries twice more.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeVideoError {
    /// The message is not Rekognition's.
    #[error("the message cannot be read: {0}")]
    Message(String),
    /// The record is invalid, or a call to DynamoDB failed.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A call to Step Functions failed.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

impl StepError for ResumeVideoError {
    fn name(&self) -> ErrorName {
        match self {
            Self::Message(_) => ErrorName::InvalidInput,
            Self::Records(error) => error.name(),
            Self::Service(error) => error.name(),
        }
    }
}

/// Ends the wait for each job.
///
/// # Errors
/// See [`ResumeVideoError`].
pub async fn handle(listener: &ResumeVideo, event: Event) -> Result<Vec<Handled>, ResumeVideoError> {
    let mut handled = vec![];
    for record in event.records {
        let message: Message = serde_json::from_str(&record.sns.message)
            .map_err(|error| ResumeVideoError::Message(error.to_string()))?;
        handled.push(resume(listener, message).await?);
    }
    Ok(handled)
}

async fn resume(listener: &ResumeVideo, message: Message) -> Result<Handled, ResumeVideoError> {
    let Some(name) = message.job_tag.as_deref().and_then(LabelJob::parse) else {
        return Ok(Handled::UnknownJob);
    };
    let token = listener.records.identify_video_job(name, &message.job_id).await?;
    let Some(token) = token else {
        return Ok(Handled::UnknownJob);
    };
    let has_waited = if message.status == "SUCCEEDED" {
        callback::succeed(&listener.sfn, &token).await?
    } else {
        // The next attempt of the task reads the reason.
        let name = ErrorName::ServiceUnavailable;
        callback::fail(
            &listener.sfn,
            &token,
            name,
            "the Rekognition Video job has failed",
        )
        .await?
    };
    Ok(if has_waited {
        Handled::Resumed
    } else {
        Handled::AlreadyEnded
    })
}

#[cfg(test)]
mod tests;
