//! `POST /images/{id}/relabel`: has an image labeled again, with what its owner counts as a label now.

use crate::Api;
use crate::openapi::{BadRequest, CannotRelabel, NoSuchImage};
use crate::owner::Caller;
use crate::problem::Problem;
use crate::record::{image_id, read};
use aws_sdk_sfn::error::SdkError;
use aws_sdk_sfn::types::ExecutionStatus;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::{ImageId, ImageRecord, Status};
use jiff::Timestamp;
use lambda::ServiceError;
use serde::Serialize;
use serde_json::{Value, json};
use std::sync::Arc;
use utoipa::ToSchema;

/// An execution that has been started.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Started {
    /// Its ARN.
    execution_arn: String,
}

/// Answers 202 once the workflow has been started; 409 while one is at work on the image, or nothing has landed yet.
///
/// Of calls at the same moment one starts it: its name tells which state of the record it starts from, and Step
/// Functions lets each name be used once. `validate` then takes the image over from whoever held it.
#[utoipa::path(
    post,
    path = "/images/{imageId}/relabel",
    tag = "images",
    operation_id = "relabelImage",
    summary = "Have an image labeled again, by the present settings",
    description = "Also an image that was rejected or has failed. Ask for the image until it has a new result.",
    params(("imageId" = ImageId, Path, description = "As `POST /uploads` hands it out")),
    responses(
        (status = 202, description = "The workflow has been started", body = Started),
        BadRequest, NoSuchImage, CannotRelabel,
    ),
)]
pub(crate) async fn start(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<impl Serialize>), Problem> {
    let record = read(&api, &owner, image_id(&id)?).await?;
    let Some(event) = event(&record, Timestamp::now()) else {
        return Err(Problem::nothing_uploaded());
    };
    if let (Status::Processing, Some(execution)) = (record.status, &record.execution_arn)
        && is_running(&api, execution).await?
    {
        return Err(Problem::being_labeled());
    }
    let name = name(&record);
    let execution_arn = match execute(&api, &name, &event).await? {
        Some(execution_arn) => execution_arn,
        None if is_running(&api, &execution_arn(&api, &name)).await? => return Err(Problem::being_labeled()),
        // It ended before it had touched the record.
        None => execute(&api, &format!("relabel-{}", ImageId::new()), &event)
            .await?
            .ok_or_else(Problem::internal)?,
    };
    Ok((StatusCode::ACCEPTED, Json(Started { execution_arn })))
}

/// The event of the upload, as S3 sent it, as far as the workflow reads it. `None` where nothing has landed.
fn event(record: &ImageRecord, now: Timestamp) -> Option<Value> {
    let sequencer = record.sequencer.as_ref()?;
    Some(json!({
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {
            "bucket": {"name": record.bucket},
            "object": {"key": record.key, "size": record.size, "sequencer": sequencer},
        },
        // To the nanosecond: executions with the same name and the same input would be one to Step Functions.
        "relabel": {"requestedAt": format!("{now:.9}")},
    }))
}

/// The same for all calls that find the record as it is.
fn name(record: &ImageRecord) -> String {
    let state: String = record
        .updated_at
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    format!("relabel-{}-{state}", record.image_id)
}

fn execution_arn(api: &Api, name: &str) -> String {
    let machine = api.state_machine_arn.replace(":stateMachine:", ":execution:");
    format!("{machine}:{name}")
}

/// Starts an execution; `None` where the name has been used.
async fn execute(api: &Api, name: &str, event: &Value) -> Result<Option<String>, ServiceError> {
    let started = api
        .sfn
        .start_execution()
        .state_machine_arn(&api.state_machine_arn)
        .name(name)
        .input(event.to_string())
        .send()
        .await;
    match started {
        Ok(started) => Ok(Some(started.execution_arn)),
        Err(SdkError::ServiceError(context)) if context.err().is_execution_already_exists() => Ok(None),
        Err(error) => Err(ServiceError::of("states:StartExecution", &error)),
    }
}

async fn is_running(api: &Api, execution_arn: &str) -> Result<bool, ServiceError> {
    let described = api
        .sfn
        .describe_execution()
        .execution_arn(execution_arn)
        .send()
        .await;
    match described {
        Ok(execution) => Ok(matches!(
            execution.status(),
            ExecutionStatus::Running | ExecutionStatus::PendingRedrive
        )),
        // Step Functions forgets executions after 90 days.
        Err(SdkError::ServiceError(context)) if context.err().is_execution_does_not_exist() => Ok(false),
        Err(error) => Err(ServiceError::of("states:DescribeExecution", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ObjectCreated;

    fn record(sequencer: Option<&str>) -> ImageRecord {
        serde_json::from_value(json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "LABELED",
            "createdAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:05.250Z",
            "key": "uploads/demo/a+b.jpg", "bucket": "pictures", "sequencer": sequencer,
        }))
        .unwrap()
    }

    #[test]
    fn the_workflow_reads_the_event_as_that_of_the_upload() {
        let event = event(&record(Some("0A")), Timestamp::UNIX_EPOCH).unwrap();
        let read: ObjectCreated = serde_json::from_value(event).unwrap();
        assert_eq!(read.detail.object.key, "uploads/demo/a+b.jpg");
        assert_eq!(read.detail.object.size, None);
        assert!(read.relabel.is_some());
        assert_eq!(super::event(&record(None), Timestamp::UNIX_EPOCH), None);
    }

    /// Source: `StartExecution`'s limit of 80 characters, and those that it refuses.
    #[test]
    fn step_functions_takes_the_name() {
        let name = name(&record(Some("0A")));
        assert_eq!(
            name,
            "relabel-0193a5a0-0000-7000-8000-000000000001-20261122T120005250Z"
        );
        assert!(name.len() <= 80);
    }
}
