//! Invalid requests to the HTTP API: each is answered with a problem (RFC 9457) that says what is wrong.

use domain::image::MAX_BYTES;
use reqwest::Method;
use serde_json::{Value, json};
use tests::api::{Answer, File};
use tests::{Stack, run};
use uuid::Uuid;

/// Checks the problem's type and the field that it names, if any.
fn check(what: &str, answer: &Answer, status: u16, kind: &str, field: Option<&str>) {
    assert_eq!(
        (answer.status, answer.content_type.as_str()),
        (status, "application/problem+json"),
        "{what}"
    );
    let body = &answer.body;
    assert_eq!(
        body["type"],
        format!("urn:image-label-generator:problem:{kind}"),
        "{what}"
    );
    assert_eq!(body["status"], status, "{what}");
    assert_eq!(body.get("field").and_then(Value::as_str), field, "{what}: {body}");
    for text in ["title", "detail"] {
        assert!(
            body[text].as_str().is_some_and(|text| text.len() > 10),
            "{what}: {body}"
        );
    }
    if let Some(field) = field {
        assert!(
            body["detail"]
                .as_str()
                .unwrap()
                .starts_with(&format!("{field} must be ")),
            "{what}: {body}"
        );
    }
}

/// A valid announcement with some fields changed; null removes a field.
fn announcement(change: &Value) -> Value {
    let mut body = File::new("cat.jpg", b"never uploaded").announcement();
    for (name, value) in change.as_object().unwrap() {
        body[name] = value.clone();
    }
    body.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    body
}

#[test]
fn a_missing_or_invalid_field_is_named() {
    run(async |stack| {
        let long_name = "x".repeat(256);
        for (change, status, kind, field) in [
            (json!({"fileName": null}), 400, "invalid-field", "fileName"),
            (json!({"fileName": ""}), 400, "invalid-field", "fileName"),
            (json!({"fileName": 5}), 400, "invalid-field", "fileName"),
            (json!({"fileName": long_name}), 400, "invalid-field", "fileName"),
            (
                json!({"fileName": "../../cat.jpg"}),
                400,
                "invalid-field",
                "fileName",
            ),
            (
                json!({"fileName": "cat\u{0}.jpg"}),
                400,
                "invalid-field",
                "fileName",
            ),
            (json!({"contentType": null}), 400, "invalid-field", "contentType"),
            (
                json!({"contentType": ["image/jpeg"]}),
                400,
                "invalid-field",
                "contentType",
            ),
            (
                json!({"contentType": "image/svg+xml"}),
                415,
                "unsupported-type",
                "contentType",
            ),
            (
                json!({"contentType": "text/html"}),
                415,
                "unsupported-type",
                "contentType",
            ),
            (json!({"contentType": ""}), 415, "unsupported-type", "contentType"),
            (json!({"size": null}), 400, "invalid-field", "size"),
            (json!({"size": 0}), 400, "invalid-field", "size"),
            (json!({"size": -1}), 400, "invalid-field", "size"),
            (json!({"size": 1.5}), 400, "invalid-field", "size"),
            (json!({"size": "131072"}), 400, "invalid-field", "size"),
            (json!({"size": 100 * 1024 * 1024 + 1}), 413, "too-large", "size"),
            (json!({"size": u64::MAX}), 413, "too-large", "size"),
            (json!({"sha256": null}), 400, "invalid-field", "sha256"),
            (json!({"sha256": ""}), 400, "invalid-field", "sha256"),
            (json!({"sha256": "AAAA"}), 400, "invalid-field", "sha256"),
            (json!({"sha256": "not base64!"}), 400, "invalid-field", "sha256"),
            (
                json!({"sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}),
                400,
                "invalid-field",
                "sha256",
            ),
        ] {
            let answer = stack.announce(&announcement(&change)).await;
            check(&change.to_string(), &answer, status, kind, Some(field));
        }
    });
}

#[test]
fn an_unknown_field_is_refused() {
    run(async |stack| {
        let answer = stack
            .announce(&announcement(&json!({"owner": "somebody else"})))
            .await;
        check("owner", &answer, 400, "unknown-field", None);
        assert!(
            answer.body["detail"]
                .as_str()
                .unwrap()
                .contains("fileName, contentType, size, sha256")
        );
        assert!(
            !answer.body.to_string().contains("somebody"),
            "the answer does not repeat what was sent"
        );
    });
}

#[test]
fn the_largest_allowed_file_can_be_announced() {
    run(async |stack| {
        let answer = stack.announce(&announcement(&json!({"size": MAX_BYTES}))).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    });
}

async fn post(stack: &Stack, content_type: Option<&str>, body: &str) -> Answer {
    stack
        .api(Method::POST, "/uploads", content_type, body.to_owned())
        .await
}

#[test]
fn a_body_that_is_missing_or_not_a_json_object_is_refused() {
    run(async |stack| {
        let nested = "[".repeat(10_000);
        let values =
            Value::from_iter(announcement(&json!({})).as_object().unwrap().values().cloned()).to_string();
        for body in [
            "",
            " ",
            "cat",
            "{",
            "null",
            "[]",
            &values,
            "\"cat\"",
            "{} {}",
            "\u{FEFF}{}",
            &nested,
        ] {
            check(
                body,
                &post(stack, Some("application/json"), body).await,
                400,
                "invalid-body",
                None,
            );
        }
        check(
            "no body at all",
            &post(stack, None, "").await,
            400,
            "invalid-body",
            None,
        );
    });
}

#[test]
fn a_body_that_is_not_declared_as_json_is_refused() {
    run(async |stack| {
        let body = announcement(&json!({})).to_string();
        for content_type in [
            None,
            Some("text/plain"),
            Some("multipart/form-data"),
            Some("application/jsonp"),
        ] {
            let answer = post(stack, content_type, &body).await;
            check(
                &format!("{content_type:?}"),
                &answer,
                415,
                "invalid-body-type",
                None,
            );
        }
        let answer = post(stack, Some("Application/JSON; charset=utf-8"), &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    });
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    run(async |stack| {
        let body = announcement(&json!({"fileName": "x".repeat(600_000)})).to_string();
        check(
            "600 KB",
            &post(stack, Some("application/json"), &body).await,
            413,
            "body-too-large",
            None,
        );
    });
}

/// The routes of an image: the method, and the path after the id.
const ABOUT_AN_IMAGE: [(Method, &str); 4] = [
    (Method::GET, ""),
    (Method::DELETE, ""),
    (Method::GET, "/execution"),
    (Method::POST, "/relabel"),
];

#[test]
fn an_invalid_id_is_refused() {
    run(async |stack| {
        let id = Uuid::now_v7();
        let upper = id.to_string().to_uppercase();
        let (simple, random) = (id.simple().to_string(), "9b2f4e9c-6b1a-4d8e-8f0a-1c2d3e4f5a6b");
        let long = "a".repeat(2000);
        for id in [
            "1",
            "cat.jpg",
            "%F0%9F%90%88",
            "%FF",
            "a%20b",
            &upper,
            &simple,
            random,
            &long,
        ] {
            for (method, route) in ABOUT_AN_IMAGE {
                let answer = stack.api(method, &format!("/images/{id}{route}"), None, "").await;
                check(
                    &format!("{id}{route}"),
                    &answer,
                    400,
                    "invalid-field",
                    Some("imageId"),
                );
            }
        }
    });
}

#[test]
fn an_unknown_id_is_not_found() {
    run(async |stack| {
        for (method, route) in ABOUT_AN_IMAGE {
            let path = format!("/images/{}{route}", Uuid::now_v7());
            let answer = stack.api(method, &path, None, "").await;
            check(&path, &answer, 404, "no-such-image", None);
        }
    });
}

/// Knowing an id gives no access to the image.
#[test]
fn an_id_of_another_owner_is_not_found() {
    run(async |stack| {
        let key = format!("uploads/{}/notes.jpg", stack.new_owner("stranger"));
        stack.put_object(&key, b"Milk, bread, eggs").await;
        let record = stack.settled(&key).await.record;
        check(
            "an image of another owner",
            &stack.get_image(record.image_id).await,
            404,
            "no-such-image",
            None,
        );
    });
}

#[test]
fn an_unknown_route_or_method_is_refused() {
    run(async |stack| {
        for (method, path, status, kind) in [
            (Method::GET, "/pictures", 404, "no-such-route"),
            (Method::GET, "/images/a/b", 404, "no-such-route"),
            (Method::GET, "/uploads", 405, "method-not-allowed"),
            (Method::PUT, "/uploads", 405, "method-not-allowed"),
            (Method::PUT, "/images/1", 405, "method-not-allowed"),
            (Method::GET, "/images/1/relabel", 405, "method-not-allowed"),
            (Method::POST, "/images/1/execution", 405, "method-not-allowed"),
            (Method::GET, "/account/data", 405, "method-not-allowed"),
        ] {
            let answer = stack.api(method.clone(), path, None, "").await;
            check(&format!("{method} {path}"), &answer, status, kind, None);
        }
    });
}
