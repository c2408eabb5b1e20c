//! `GET /openapi.json`: the API's description.

use crate::http::query::NoParameters;
use crate::http::responses::BadRequest;
use axum::http::header;
use axum::response::IntoResponse;

/// The description.
pub(crate) const FILE: &str = include_str!("../../openapi.json");

/// Returns the description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "description",
    operation_id = "describe",
    summary = "Get the description of this API",
    responses((status = 200, description = "An OpenAPI 3.1 document", body = Object), BadRequest),
)]
pub(crate) async fn show(_: NoParameters) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], FILE)
}
