//! Adds to the description what all routes have in common.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Object, OpenApi, RefOr, Response, SecurityRequirement, Type};

/// The name of the security scheme.
const ACCESS_TOKEN: &str = "accessToken";
/// Adds the security scheme and the common responses.
pub(super) fn complete(document: &mut OpenApi) {
    let mut http = Http::new(HttpAuthScheme::Bearer);
    http.bearer_format = Some("JWT".into());
    http.description = Some("An access token of the stack's user pool, not an ID token.".into());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(ACCESS_TOKEN, SecurityScheme::Http(http));
    document.security = Some(vec![SecurityRequirement::new(ACCESS_TOKEN, Vec::<String>::new())]);
    for item in document.paths.paths.values_mut() {
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.patch,
            &mut item.delete,
        ];
        for operation in operations.into_iter().flatten() {
            add_common_responses(operation);
        }
    }
}

fn add_common_responses(operation: &mut Operation) {
    let mut add = |status: &str, content_type: &str, schema, description: &str| {
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = operation
            .responses
            .responses
            .entry(status.to_owned())
            .or_insert_with(|| RefOr::T(Response::default()));
        let RefOr::T(response) = response else { return };
        if !response.description.is_empty() {
            response.description += " ";
        }
        response.description += description;
        response
            .content
            .insert(content_type.to_owned(), RefOr::T(content));
    };
    let (json, problem) = ("application/json", "application/problem+json");
    let schema = |name: &str| utoipa::openapi::Ref::from_schema_name(name);
    add(
        "401",
        json,
        schema("GatewayMessage"),
        "API Gateway: the access token is missing, expired or invalid.",
    );
    add(
        "401",
        problem,
        schema("Problem"),
        "`not-signed-in`: the token is not an access token.",
    );
    add(
        "404",
        json,
        schema("GatewayMessage"),
        "API Gateway: the path is invalid.",
    );
    add(
        "429",
        json,
        schema("GatewayMessage"),
        "API Gateway: too many requests.",
    );
    add(
        "500",
        problem,
        schema("Problem"),
        "`internal`: an internal error.",
    );
    add(
        "503",
        problem,
        schema("Problem"),
        "`unavailable`: a temporary error. Try again after `retry-after` seconds.",
    );
    let seconds = HeaderBuilder::new()
        .schema(Some(Object::with_type(Type::Integer)))
        .description(Some("Seconds"))
        .build();
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("503") {
        response.headers.insert("retry-after".into(), RefOr::T(seconds));
    }
}
