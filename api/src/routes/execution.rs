//! `GET /images/{id}/execution`: the steps of the execution that processes or processed an image.

mod steps;

use crate::app::App;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::responses::{BadRequest, NoExecution};
use crate::routes::record::{image_id, read};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::IntoResponse;
use domain::ImageId;
use serde::Serialize;
use std::sync::Arc;
use steps::{Step, iso};
use utoipa::ToSchema;

/// Pages of the history that are read from its start. An execution of `label-image` that uses every retry of every Task has about
/// 2,000 events, which are two pages. One of `label-video` can have 14,700: of a longer history, the last page is read, too.
const MAX_PAGES: usize = 5;

/// An execution.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Execution {
    /// The status in Step Functions: `RUNNING`, `SUCCEEDED`, `FAILED`, `TIMED_OUT`, `ABORTED` or `PENDING_REDRIVE`.
    status: String,
    /// When it started.
    #[schema(format = DateTime)]
    started_at: String,
    /// When it ended. Null while it is running.
    #[schema(required, format = DateTime)]
    stopped_at: Option<String>,
    /// In the order in which the execution entered them.
    steps: Vec<Step>,
}

/// Returns the execution that claimed the image last. Step Functions keeps it for 90 days.
#[utoipa::path(
    get,
    path = "/images/{imageId}/execution",
    tag = "images",
    operation_id = "getExecution",
    summary = "Get the steps of an image's workflow",
    description = "The image's latest execution.",
    params(("imageId" = ImageId, Path, description = "As returned by `POST /uploads`")),
    responses((status = 200, description = "The execution", body = Execution), BadRequest, NoExecution),
)]
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, Problem> {
    let record = read(&app, &owner, image_id(&id)?).await?;
    let arn = record.execution_arn.ok_or_else(Problem::no_execution)?;
    let execution = executions::describe(&app.sfn, &arn)
        .await?
        .ok_or_else(Problem::no_execution)?;
    let execution = Execution {
        status: execution.status.as_str().to_owned(),
        started_at: iso(&execution.start_date),
        stopped_at: execution.stop_date.as_ref().map(iso),
        steps: steps::of(&executions::history(&app.sfn, &arn, MAX_PAGES).await?),
    };
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(execution)))
}
