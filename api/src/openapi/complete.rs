//! Completes the description with what all routes have in common, and keeps the file that is served.

use super::FILE;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Object, OpenApi, RefOr, Response, SecurityRequirement, Type};

/// The name of what authorizes a request.
const ACCESS_TOKEN: &str = "accessToken";
/// Set to write the file in place of comparing it.
const WRITE: &str = "ILG_WRITE_OPENAPI";

#[test]
fn the_file_says_what_the_code_does() {
    let mut document = crate::routes().to_openapi();
    complete(&mut document);
    let described = document.to_pretty_json().unwrap() + "\n";
    if std::env::var_os(WRITE).is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");
        return std::fs::write(path, described).unwrap();
    }
    assert!(
        described == FILE,
        "api/openapi.json differs from the routes: `cargo xtask openapi` writes it anew"
    );
}

/// Adds to all routes what all of them have in common.
fn complete(document: &mut OpenApi) {
    let mut http = Http::new(HttpAuthScheme::Bearer);
    http.bearer_format = Some("JWT".into());
    http.description = Some("An access token of the stack's user pool. An ID token is refused.".into());
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(ACCESS_TOKEN, SecurityScheme::Http(http));
    document.security = Some(vec![SecurityRequirement::new(ACCESS_TOKEN, Vec::<String>::new())]);
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete];
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
        "API Gateway: no access token, or one that is expired, tampered with or another's.",
    );
    add(
        "401",
        problem,
        schema("Problem"),
        "`not-signed-in`: an ID token, which says who somebody is and opens nothing.",
    );
    add(
        "404",
        json,
        schema("GatewayMessage"),
        "API Gateway: a path that no route can have, such as one with a line break.",
    );
    add(
        "429",
        json,
        schema("GatewayMessage"),
        "API Gateway: too many requests at once.",
    );
    add(
        "500",
        problem,
        schema("Problem"),
        "`internal`: the API is at fault.",
    );
    add(
        "503",
        problem,
        schema("Problem"),
        "`unavailable`: try again after as many seconds as the header `retry-after` says.",
    );
    let seconds = HeaderBuilder::new()
        .schema(Some(Object::with_type(Type::Integer)))
        .description(Some("Seconds"))
        .build();
    if let Some(RefOr::T(response)) = operation.responses.responses.get_mut("503") {
        response.headers.insert("retry-after".into(), RefOr::T(seconds));
    }
}
