//! `GET /images/{id}/execution`: how an image's workflow went, step by step, from Step Functions' history.

mod steps;

use crate::Api;
use crate::openapi::{BadRequest, NoExecution};
use crate::owner::Caller;
use crate::problem::Problem;
use crate::record::{image_id, read};
use aws_sdk_sfn::error::SdkError;
use aws_sdk_sfn::primitives::DateTime;
use aws_sdk_sfn::types::HistoryEvent;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use domain::ImageId;
use jiff::Timestamp;
use lambda::ServiceError;
use serde::Serialize;
use std::sync::Arc;
use steps::Step;
use utoipa::ToSchema;

/// The most events a page, by Step Functions' own limit.
const PAGE: i32 = 1000;
/// The most pages that are read. An execution that uses up every retry of every Task has about 2,000 events.
const MOST_PAGES: usize = 5;

/// An execution.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Execution {
    /// As Step Functions has it: `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED` or `PENDING_REDRIVE`.
    status: String,
    /// When it was started.
    #[schema(format = DateTime)]
    started_at: String,
    /// When it ended; null while it runs.
    #[schema(required, format = DateTime)]
    stopped_at: Option<String>,
    /// In the order in which they were entered.
    steps: Vec<Step>,
}

/// Answers 200 with the execution that holds the image; 404 where none has begun, or Step Functions has forgotten it.
#[utoipa::path(
    get,
    path = "/images/{imageId}/execution",
    tag = "images",
    operation_id = "getExecution",
    summary = "How the image's workflow went, step by step",
    description = "The execution that has claimed the image last.",
    params(("imageId" = ImageId, Path, description = "As `POST /uploads` hands it out")),
    responses((status = 200, description = "The execution", body = Execution), BadRequest, NoExecution),
)]
pub(crate) async fn show(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let record = read(&api, &owner, image_id(&id)?).await?;
    let arn = record.execution_arn.ok_or_else(Problem::no_execution)?;
    let described = api.sfn.describe_execution().execution_arn(&arn).send().await;
    let execution = match described {
        Ok(execution) => execution,
        // Step Functions forgets executions after 90 days.
        Err(SdkError::ServiceError(context)) if context.err().is_execution_does_not_exist() => {
            return Err(Problem::no_execution());
        }
        Err(error) => return Err(ServiceError::of("states:DescribeExecution", &error).into()),
    };
    let execution = Execution {
        status: execution.status.as_str().to_owned(),
        started_at: iso(&execution.start_date),
        stopped_at: execution.stop_date.as_ref().map(iso),
        steps: steps::of(&history(&api, &arn).await?),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(execution)))
}

/// The execution's events, without the states' input and output.
async fn history(api: &Api, arn: &str) -> Result<Vec<HistoryEvent>, ServiceError> {
    let mut events = vec![];
    let mut next = None;
    for _ in 0..MOST_PAGES {
        let page = api
            .sfn
            .get_execution_history()
            .execution_arn(arn)
            .max_results(PAGE)
            .include_execution_data(false)
            .set_next_token(next)
            .send()
            .await
            .map_err(|error| ServiceError::of("states:GetExecutionHistory", &error))?;
        events.extend(page.events);
        next = page.next_token;
        if next.is_none() {
            break;
        }
    }
    Ok(events)
}

/// ISO 8601, UTC, milliseconds.
fn iso(time: &DateTime) -> String {
    let time = time.to_millis().ok();
    let time = time.and_then(|time| Timestamp::from_millisecond(time).ok());
    format!("{:.3}", time.unwrap_or_default())
}
