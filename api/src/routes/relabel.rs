//! `POST /images/{id}/relabel`: labels an image again, with the owner's current settings.

use crate::app::App;
use crate::http::access_log;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::responses::{BadRequest, CannotRelabel, NoSuchImage, TooManyImages};
use crate::quota;
use crate::routes::record::{image_id, read};
use aws::ServiceError;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::ImageId;
use executions::relabel;
use jiff::Timestamp;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The execution that was started.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Started {
    /// Its ARN.
    execution_arn: String,
}

/// Starts the workflow and answers 202. Answers 409 while an execution is processing the image, or before the upload.
///
/// Of concurrent calls, one starts an execution ([`relabel::start`]).
#[utoipa::path(
    post,
    path = "/images/{imageId}/relabel",
    tag = "images",
    operation_id = "relabelImage",
    summary = "Label an image again with your current settings",
    description = "Also works for rejected and failed images. Counts toward your daily limit, a video also \
        with its minutes. Repeat `GET \
        /images/{imageId}` until the image has a new result.",
    params(("imageId" = ImageId, Path, description = "As returned by `POST /uploads`")),
    responses(
        (status = 202, description = "The workflow has started", body = Started),
        BadRequest, NoSuchImage, CannotRelabel, TooManyImages,
    ),
)]
pub(crate) async fn start(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<impl Serialize>), Problem> {
    let record = read(&app, &owner, image_id(&id)?).await?;
    let now = Timestamp::now();
    let minutes = record.video_minutes();
    // Without a known duration, `inspect-video` counts.
    let Some(event) = relabel::event(&record, minutes.unwrap_or_default(), now) else {
        return Err(Problem::nothing_uploaded());
    };
    if relabel::is_being_labeled(&app.sfn, &app.video_state_machine_arn, &record).await? {
        return Err(Problem::being_labeled());
    }
    let counted = quota::take(&app, &owner, now).await?;
    if let Some(minutes) = minutes
        && let Err(problem) = quota::take_video_minutes(&app, &owner, minutes, now).await
    {
        quota::release(&app, counted).await;
        return Err(problem);
    }
    match relabel::start(&app.sfn, &app.state_machine_arn, &record, &event).await {
        Ok(Some(execution_arn)) => {
            access_log::name_execution(&execution_arn);
            Ok((StatusCode::ACCEPTED, Json(Started { execution_arn })))
        }
        Ok(None) => {
            quota::release(&app, counted).await;
            if let Some(minutes) = minutes {
                quota::release_video_minutes(&app, &owner, minutes, now).await;
            }
            Err(Problem::being_labeled())
        }
        Err(error) => {
            quota::release_after(&app, counted, &error).await;
            if let Some(minutes) = minutes
                && !matches!(error, ServiceError::ServiceUnavailable(_))
            {
                quota::release_video_minutes(&app, &owner, minutes, now).await;
            }
            Err(error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ImageRecord;
    use serde_json::json;

    fn record(sequencer: Option<&str>) -> ImageRecord {
        serde_json::from_value(json!({
            "imageId": "0193a5a0-0000-7000-8000-000000000001", "owner": "demo", "status": "LABELED",
            "createdAt": "2026-11-22T12:00:00.000Z", "updatedAt": "2026-11-22T12:00:05.250Z",
            "key": "uploads/demo/a+b.jpg", "bucket": "pictures", "sequencer": sequencer,
        }))
        .unwrap()
    }

    /// Right after a start, Step Functions can still answer that the execution does not exist.
    #[tokio::test]
    async fn an_execution_that_step_functions_does_not_show_yet_is_not_started_twice() {
        use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
        use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
        use aws_sdk_sfn::operation::describe_execution::DescribeExecutionError;
        use aws_sdk_sfn::operation::start_execution::StartExecutionError;
        use aws_sdk_sfn::types::error::{ExecutionAlreadyExists, ExecutionDoesNotExist};
        use aws_smithy_mocks::{RuleMode, mock, mock_client};

        let get = mock!(aws_sdk_dynamodb::Client::get_item).then_output(|| {
            let item = serde_dynamo::to_item(record(Some("0A"))).unwrap();
            GetItemOutput::builder().set_item(Some(item)).build()
        });
        let start = mock!(aws_sdk_sfn::Client::start_execution).then_error(|| {
            StartExecutionError::ExecutionAlreadyExists(ExecutionAlreadyExists::builder().build())
        });
        let describe = mock!(aws_sdk_sfn::Client::describe_execution).then_error(|| {
            DescribeExecutionError::ExecutionDoesNotExist(ExecutionDoesNotExist::builder().build())
        });
        let count =
            mock!(aws_sdk_dynamodb::Client::update_item).then_output(|| UpdateItemOutput::builder().build());
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&get, &count]);
        let sfn = mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&start, &describe]);
        let app = crate::app::fake_app(dynamodb, sfn);
        let owner = domain::Owner::new("demo").unwrap();
        let id = "0193a5a0-0000-7000-8000-000000000001".to_owned();
        let Err(problem) = super::start(State(Arc::new(app)), Caller(owner), Path(id)).await else {
            panic!("started twice")
        };
        assert_eq!(serde_json::to_value(problem).unwrap()["status"], 409);
        assert_eq!((start.num_calls(), describe.num_calls()), (1, 1));
        assert_eq!(
            count.num_calls(),
            4,
            "counted for the owner and for all users, and uncounted again"
        );
    }

    /// The number of writes of the counters if `StartExecution` fails with this error code.
    async fn writes_after(code: &'static str) -> usize {
        use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
        use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
        use aws_sdk_sfn::error::ErrorMetadata;
        use aws_sdk_sfn::operation::start_execution::StartExecutionError;
        use aws_smithy_mocks::{RuleMode, mock, mock_client};

        let get = mock!(aws_sdk_dynamodb::Client::get_item).then_output(|| {
            let item = serde_dynamo::to_item(record(Some("0A"))).unwrap();
            GetItemOutput::builder().set_item(Some(item)).build()
        });
        let count =
            mock!(aws_sdk_dynamodb::Client::update_item).then_output(|| UpdateItemOutput::builder().build());
        let start = mock!(aws_sdk_sfn::Client::start_execution)
            .then_error(move || StartExecutionError::generic(ErrorMetadata::builder().code(code).build()));
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&get, &count]);
        let sfn = mock_client!(aws_sdk_sfn, RuleMode::MatchAny, [&start]);
        let app = crate::app::fake_app(dynamodb, sfn);
        let owner = domain::Owner::new("demo").unwrap();
        let id = "0193a5a0-0000-7000-8000-000000000001".to_owned();
        let started = super::start(State(Arc::new(app)), Caller(owner), Path(id)).await;
        assert!(started.is_err());
        count.num_calls()
    }

    #[tokio::test]
    async fn the_quota_is_returned_unless_an_execution_may_have_started() {
        assert_eq!(writes_after("AccessDeniedException").await, 4);
        assert_eq!(writes_after("ThrottlingException").await, 4);
        assert_eq!(writes_after("ServiceUnavailable").await, 2);
    }
}
