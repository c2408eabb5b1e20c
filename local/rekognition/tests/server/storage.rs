//! Images in S3.

use crate::running::{Server, sample};
use aws_sdk_rekognition::error::ProvideErrorMetadata;
use aws_sdk_rekognition::types::{Image, S3Object};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use std::collections::HashMap;
use std::sync::Arc;

type Objects = Arc<HashMap<String, Vec<u8>>>;

/// A server with the part of S3 that the stand-in uses: GetObject, for objects in memory. Keys are decoded from the path.
/// Keys that begin with `forbidden` are denied, and those that begin with `broken` fail.
async fn start_s3(objects: HashMap<String, Vec<u8>>) -> String {
    async fn object(State(objects): State<Objects>, Path((_, key)): Path<(String, String)>) -> Response {
        let error = |status: StatusCode, code: &str| {
            (
                status,
                format!("<Error><Code>{code}</Code><Message>No.</Message></Error>"),
            )
                .into_response()
        };
        match objects.get(&key) {
            _ if key.starts_with("forbidden") => error(StatusCode::FORBIDDEN, "AccessDenied"),
            _ if key.starts_with("broken") => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
            Some(bytes) => bytes.clone().into_response(),
            None => error(StatusCode::NOT_FOUND, "NoSuchKey"),
        }
    }
    let router = Router::new()
        .route("/{bucket}/{*key}", get(object))
        .with_state(Arc::new(objects));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

fn object(key: &str) -> Image {
    Image::builder()
        .s3_object(S3Object::builder().bucket("images").name(key).build())
        .build()
}

#[tokio::test]
async fn finds_an_object_with_any_valid_key() {
    let keys = [
        "cat.jpg",
        "uploads/a b+c/50%.jpg",
        "50%25.jpg",
        "🐈/ñ&=?#.jpg",
        "a//b.jpg",
        "dots/./../x.jpg",
    ];
    let objects = keys
        .iter()
        .map(|&key| (key.to_owned(), sample("cat.jpg")))
        .collect();
    let server = Server::start(&["--s3-endpoint", &start_s3(objects).await]);
    for key in keys {
        let answer = server.client().detect_labels().image(object(key)).send().await;
        let labels = answer.unwrap_or_else(|error| panic!("{key}: {error:?}"));
        assert!(
            labels.labels().iter().any(|label| label.name() == Some("Cat")),
            "{key}: {labels:?}"
        );
    }
}

#[tokio::test]
async fn reports_an_unavailable_object_with_rekognitions_error() {
    let objects = HashMap::from([
        ("huge.jpg".to_owned(), vec![0xFF; 15 * 1024 * 1024 + 1]),
        ("empty.jpg".to_owned(), Vec::new()),
        ("text.jpg".to_owned(), b"not an image".to_vec()),
    ]);
    let server = Server::start(&["--s3-endpoint", &start_s3(objects).await]);
    for (key, code) in [
        ("absent.jpg", "InvalidS3ObjectException"),
        ("forbidden.jpg", "InvalidS3ObjectException"),
        ("broken.jpg", "InternalServerError"),
        ("huge.jpg", "ImageTooLargeException"),
        ("empty.jpg", "InvalidImageFormatException"),
        ("text.jpg", "InvalidImageFormatException"),
    ] {
        let error = server
            .client()
            .detect_labels()
            .image(object(key))
            .send()
            .await
            .expect_err(key);
        assert_eq!(error.code(), Some(code), "{key}: {error:?}");
    }
}

#[tokio::test]
async fn an_unreachable_s3_is_an_internal_error() {
    // Nobody listens on this port.
    let address = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let endpoint = format!("http://{}", address.expect("a port is free"));
    let server = Server::start(&["--s3-endpoint", &endpoint]);
    let error = server
        .client()
        .detect_labels()
        .image(object("cat.jpg"))
        .send()
        .await
        .expect_err("no S3");
    assert_eq!(error.code(), Some("InternalServerError"), "{error:?}");
}
