//! The HTTP API: every route, one Lambda function behind API Gateway.
//!
//! Picture bytes never pass through here: `POST /api/uploads` hands out a presigned PUT.

mod access_log;
mod account;
mod batch;
mod body;
mod cursor;
mod deletion;
mod execution;
mod harden;
mod images;
mod labels;
mod list;
mod openapi;
mod owner;
mod problem;
mod query;
mod quota;
mod record;
mod relabel;
mod settings;
mod thumbnails;
mod uploads;
mod view;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use domain::FilterPolicy;
use problem::Problem;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The largest legal body is an upload request with a long file name.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// What the routes work with.
#[derive(Debug, Clone)]
pub struct Api {
    /// Presigns uploads and views; deletes objects.
    pub s3: aws_sdk_s3::Client,
    /// Reads and writes image records.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// Starts executions, and tells how they went.
    pub sfn: aws_sdk_sfn::Client,
    /// Where uploads go.
    pub bucket: String,
    /// The table of image records.
    pub table: String,
    /// Which labels count for owners without settings of their own.
    pub default_policy: FilterPolicy,
    /// How many images an owner may upload a day.
    pub images_per_day: u32,
    /// The workflow.
    pub state_machine_arn: String,
}

/// All routes, with their description.
fn routes() -> OpenApiRouter<Arc<Api>> {
    OpenApiRouter::with_openapi(openapi::outline())
        .routes(routes!(uploads::create))
        .routes(routes!(list::list))
        .routes(routes!(labels::list))
        .routes(routes!(settings::show, settings::store, settings::forget))
        .routes(routes!(images::show, deletion::delete))
        .routes(routes!(execution::show))
        .routes(routes!(relabel::start))
        .routes(routes!(account::erase))
        .routes(routes!(openapi::show))
}

/// All routes. They keep the prefix `/api` that CloudFront routes by.
pub fn router(api: Api) -> Router {
    let routes = Router::from(routes())
        .fallback(async || Problem::no_such_route())
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
        .layer(middleware::from_fn(harden::limit_time))
        .layer(middleware::from_fn(access_log::write))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(api));
    Router::new()
        .nest("/api", routes)
        .fallback(async || Problem::no_such_route())
        .layer(middleware::from_fn(harden::set_headers))
}
