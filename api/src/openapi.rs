//! The API's description (OpenAPI 3.1), made from the routes and types themselves.
//!
//! What is served is the file `api/openapi.json`, so that no start of the function pays for making it. A test below
//! fails while the file differs from the code.
//!
//! A route is described by `#[utoipa::path]` on its function, and registered by `routes!` in `lib.rs`. Its `responses`
//! are what is particular to it; what every route can answer is added in `openapi/complete.rs`.

#[cfg(test)]
mod complete;

use crate::problem::Problem;
use crate::query::NoParameters;
use axum::http::header;
use axum::response::IntoResponse;
use serde::Serialize;
use utoipa::openapi::OpenApi as Document;
use utoipa::{IntoResponses, OpenApi, ToSchema};

/// The file that is served.
const FILE: &str = include_str!("../openapi.json");

/// What API Gateway answers by itself.
#[derive(Debug, Serialize, ToSchema)]
struct GatewayMessage {
    /// Such as `Unauthorized`.
    message: String,
}

/// The request is at fault. `invalid-field` names a field or parameter and says what it must be; `unknown-field`
/// and `unknown-parameter` list those that are known; `invalid-body`: the body is no JSON object.
#[derive(IntoResponses)]
#[response(status = 400, content_type = "application/problem+json")]
pub(crate) struct BadRequest(#[allow(dead_code)] Problem);

/// `no-such-image`: no image of the caller has this id. An image that is deleted, or somebody else's, is told the
/// same way.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub(crate) struct NoSuchImage(#[allow(dead_code)] Problem);

/// `no-such-image`, as elsewhere. `no-execution`: no execution has begun for the image, or Step Functions has forgotten
/// it, after 90 days.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub(crate) struct NoExecution(#[allow(dead_code)] Problem);

/// `being-labeled`: an execution is at work on the image. `nothing-uploaded`: the upload is still awaited.
#[derive(IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct CannotRelabel(#[allow(dead_code)] Problem);

/// `body-too-large`: more than 16 KiB.
#[derive(IntoResponses)]
#[response(status = 413, content_type = "application/problem+json")]
pub(crate) struct BodyTooLarge(#[allow(dead_code)] Problem);

/// `invalid-body-type`: the body is not declared as `application/json`.
#[derive(IntoResponses)]
#[response(status = 415, content_type = "application/problem+json")]
pub(crate) struct InvalidBodyType(#[allow(dead_code)] Problem);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Image Label Generator",
        description = "Upload pictures, and read what is in them: labels with confidences and boxes. Every route is \
            about the caller's own images. Picture bytes never pass through the API: `POST /uploads` hands out a \
            request that puts one file into storage.\n\nErrors are `application/problem+json` (RFC 9457): programs \
            compare `type`, people read `detail`. What API Gateway answers by itself, before the API is asked, is \
            `application/json` with a `message`. Times are ISO 8601 in UTC, with milliseconds.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/api", description = "Where the page is")),
    tags(
        (name = "uploads", description = "Bringing pictures in"),
        (name = "images", description = "Pictures and their labels"),
        (name = "settings", description = "Which labels count"),
        (name = "account", description = "All that the caller owns"),
        (name = "description", description = "This description"),
    ),
    components(schemas(Problem, GatewayMessage)),
)]
struct Outline;

/// What the description says before any route is added to it.
pub(crate) fn outline() -> Document {
    Outline::openapi()
}

/// Answers 200 with the description.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "description",
    operation_id = "describe",
    summary = "This description",
    responses((status = 200, description = "An OpenAPI 3.1 document", body = Object), BadRequest),
)]
pub(crate) async fn show(_: NoParameters) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], FILE)
}
