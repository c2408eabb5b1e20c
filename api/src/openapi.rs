//! The API's description (OpenAPI 3.1), generated from the routes and their types.
//!
//! The API serves the file `api/openapi.json`, so that a start of the function doesn't generate it. The test below fails
//! if the file differs from the code; `cargo xtask openapi` writes it.
//!
//! `#[utoipa::path]` on its function describes a route, and `routes!` in `router.rs` registers it. Its `responses` are
//! those of this route only; `openapi/every_route.rs` adds the responses of every route.

mod every_route;

use crate::http::problem::Problem;
use crate::router;
use crate::routes::description::FILE;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

/// Set to write the file instead of comparing it.
const WRITE: &str = "ILG_WRITE_OPENAPI";

/// An error from API Gateway.
#[derive(Debug, Serialize, ToSchema)]
struct GatewayMessage {
    /// Such as `Unauthorized`.
    message: String,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Image Label Generator",
        description = "Upload pictures and get their labels with confidences and bounding boxes. Every route \
            accesses only your own images. Files don't pass through the API: `POST /uploads` returns a request that \
            uploads one file to storage.\n\nErrors are `application/problem+json` (RFC 9457): `type` is for programs, \
            `detail` for people. Errors from API Gateway are `application/json` with a `message`. Times are ISO 8601 \
            in UTC with milliseconds.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    servers((url = "/api", description = "Same origin as the page")),
    tags(
        (name = "uploads", description = "Upload pictures"),
        (name = "images", description = "Images and their labels"),
        (name = "settings", description = "Which labels count, and their names"),
        (name = "jobs", description = "Work on many images"),
        (name = "account", description = "All data of your account"),
        (name = "description", description = "The description of this API"),
    ),
    components(schemas(Problem, GatewayMessage)),
)]
struct Outline;

#[test]
fn the_file_matches_the_code() {
    let mut document = Outline::openapi();
    document.merge(router::routes().to_openapi());
    every_route::complete(&mut document);
    let described = document.to_pretty_json().unwrap() + "\n";
    if std::env::var_os(WRITE).is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        return std::fs::write(path, described).unwrap();
    }
    assert!(
        described == FILE,
        "api/openapi.json differs from the routes: run `cargo xtask openapi`"
    );
}
