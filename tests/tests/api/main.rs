//! Tests of the HTTP API against a running stack. `cargo xtask test` starts one and sets `ILG_STACK`.

mod bad_requests;
mod corrections;
mod duplicates;
mod exports;
mod history;
mod isolation;
mod jobs;
mod parts;
mod quota;
mod search;
mod settings;
mod timeline;

use reqwest::Method;
use serde_json::Value;
use tests::api::Answer;
use tests::users::User;

async fn get(user: &User, path: &str) -> Answer {
    user.api(Method::GET, path, None, "").await
}

/// The IDs of a page's images, and the cursor of the next page.
fn page(answer: &Answer) -> (Vec<String>, Option<String>) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let images = answer.body["images"].as_array().expect("images");
    let ids = images
        .iter()
        .map(|image| image["imageId"].as_str().expect("an ID").to_owned());
    let next = &answer.body["nextCursor"];
    assert!(next.is_string() || next.is_null(), "{next}");
    (ids.collect(), next.as_str().map(str::to_owned))
}

/// Reads all pages of a query.
async fn all(user: &User, query: &str) -> Vec<String> {
    let mut found = vec![];
    let mut cursor = String::new();
    // More pages than any test has, so that a wrong cursor doesn't loop forever.
    for _ in 0..1000 {
        let (ids, next) = page(&get(user, &format!("/images?{query}{cursor}")).await);
        found.extend(ids);
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
    panic!("{query} has too many pages");
}

/// Checks a problem's status, type and field.
fn check_problem(what: &str, answer: &Answer, status: u16, kind: &str, field: Option<&str>) {
    assert_eq!(
        (answer.status, answer.content_type.as_str()),
        (status, "application/problem+json"),
        "{what}: {}",
        answer.body
    );
    assert_eq!(
        answer.body["type"],
        format!("urn:image-label-generator:problem:{kind}"),
        "{what}"
    );
    assert_eq!(
        answer.body.get("field").and_then(Value::as_str),
        field,
        "{what}: {}",
        answer.body
    );
}
