//! The HTTP API, and uploads through it as a browser does them.

use crate::users::User;
use crate::{Stack, pictures, wait};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::{ImageId, ImageKey};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A file on a user's disk.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name.
    pub name: String,
    /// The media type that an operating system derives from the name.
    pub content_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl File {
    /// A file. Its name decides its media type.
    pub fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        let content_type = match name.rsplit('.').next() {
            Some("png") => "image/png",
            Some("webp") => "image/webp",
            Some("avif") => "image/avif",
            Some("gif") => "image/gif",
            Some("bmp") => "image/bmp",
            Some("tif") => "image/tiff",
            Some("jpg") => "image/jpeg",
            _ => "application/octet-stream",
        };
        Self {
            name: name.to_owned(),
            content_type,
            bytes: bytes.into(),
        }
    }

    /// The photograph of a cat.
    pub fn cat() -> Self {
        Self::new("cat.jpg", pictures::cat())
    }

    /// A picture that nobody has uploaded: the photograph of a cat, followed by random bytes.
    pub fn unique() -> Self {
        let mut file = Self::cat();
        file.bytes.extend(Uuid::new_v4().as_bytes());
        file
    }

    /// The SHA-256 in base64.
    pub fn sha256(&self) -> String {
        BASE64.encode(Sha256::digest(&self.bytes))
    }

    /// The body of `POST /uploads` for this file. Tests upload the same pictures again and again, so duplicates are
    /// allowed.
    pub fn announcement(&self) -> Value {
        let mut body = self.first_announcement();
        body["allowDuplicate"] = true.into();
        body
    }

    /// The body of `POST /uploads` that is refused if the owner already has this file.
    pub fn first_announcement(&self) -> Value {
        json!({
            "fileName": self.name, "contentType": self.content_type,
            "size": self.bytes.len(), "sha256": self.sha256(),
        })
    }
}

/// An answer of the API.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The header `content-type`.
    pub content_type: String,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; null if it is not JSON.
    pub body: Value,
}

/// The answer to `POST /uploads`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// The id of the image.
    pub image_id: ImageId,
    /// The request that uploads the file.
    pub upload: Upload,
    /// When that request expires: ISO 8601, UTC.
    pub expires_at: String,
}

/// A presigned request.
#[derive(Debug, Clone, Deserialize)]
pub struct Upload {
    /// `PUT`
    pub method: String,
    /// The presigned URL.
    pub url: String,
    /// The headers to send, except those that a browser sets by itself.
    pub headers: BTreeMap<String, String>,
}

impl Answer {
    /// Reads a response.
    pub async fn read(answer: reqwest::Response) -> Self {
        let content_type = answer.headers().get("content-type");
        Self {
            status: answer.status().as_u16(),
            content_type: content_type
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
                .to_owned(),
            headers: answer.headers().clone(),
            body: answer.json().await.unwrap_or_default(),
        }
    }
}

impl Stack {
    /// Sends a request as the demo user. `body` is sent unchanged, `content_type` if there is one.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn api(
        &self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: impl Into<reqwest::Body>,
    ) -> Answer {
        self.demo_user().await.api(method, path, content_type, body).await
    }

    /// `POST /uploads`, as the demo user.
    pub async fn announce(&self, announcement: &Value) -> Answer {
        self.demo_user().await.announce(announcement).await
    }

    /// Announces a file as the demo user.
    ///
    /// # Panics
    /// If the API refuses it.
    pub async fn create_upload(&self, file: &File) -> Created {
        self.demo_user().await.create_upload(file).await
    }

    /// Sends the request of an upload with these bytes, and with headers that override its own.
    ///
    /// # Panics
    /// If there is no answer.
    pub async fn put(&self, upload: &Upload, bytes: Vec<u8>, other_headers: &[(&str, &str)]) -> StatusCode {
        let mut headers = upload.headers.clone();
        headers.extend(
            other_headers
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let method = Method::from_bytes(upload.method.as_bytes()).expect("an HTTP method");
        let mut request = self.http.request(method, &upload.url).body(bytes);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.expect("an answer of S3").status()
    }

    /// Uploads a file through the API as the demo user; returns its key.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn upload(&self, file: &File) -> String {
        self.upload_of(self.demo_user().await, file).await
    }

    /// Uploads a file through the API; returns its key.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn upload_of(&self, user: &User, file: &File) -> String {
        let created = user.create_upload(file).await;
        let status = self.put(&created.upload, file.bytes.clone(), &[]).await;
        assert!(status.is_success(), "S3 refuses {}: {status}", file.name);
        ImageKey::for_upload(&user.owner, created.image_id)
    }

    /// The key of an upload of the demo user.
    pub async fn upload_key(&self, image_id: ImageId) -> String {
        ImageKey::for_upload(&self.demo_user().await.owner, image_id)
    }

    /// `GET /images/{id}`
    pub async fn get_image(&self, image_id: ImageId) -> Answer {
        self.api(Method::GET, &format!("/images/{image_id}"), None, "")
            .await
    }
}

impl User {
    /// `POST /uploads`
    pub async fn announce(&self, announcement: &Value) -> Answer {
        self.api(
            Method::POST,
            "/uploads",
            Some("application/json"),
            announcement.to_string(),
        )
        .await
    }

    /// Announces a file.
    ///
    /// # Panics
    /// If the API refuses it.
    pub async fn create_upload(&self, file: &File) -> Created {
        let answer = self.announce(&file.announcement()).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        serde_json::from_value(answer.body).expect("an upload")
    }

    /// `GET /images/{id}`
    pub async fn get_image(&self, image_id: ImageId) -> Answer {
        self.api(Method::GET, &format!("/images/{image_id}"), None, "")
            .await
    }

    /// `DELETE /images/{id}`
    pub async fn delete_image(&self, image_id: ImageId) -> Answer {
        self.api(Method::DELETE, &format!("/images/{image_id}"), None, "")
            .await
    }

    /// `POST /images/{id}/relabel`
    pub async fn relabel(&self, image_id: ImageId) -> Answer {
        self.api(Method::POST, &format!("/images/{image_id}/relabel"), None, "")
            .await
    }

    /// `GET /images/{id}/execution`
    pub async fn get_execution(&self, image_id: ImageId) -> Answer {
        self.api(Method::GET, &format!("/images/{image_id}/execution"), None, "")
            .await
    }

    /// `DELETE /account/data` until it is done; returns the number of deleted images.
    ///
    /// # Panics
    /// If an answer has no progress, or the deletion does not end.
    pub async fn delete_data(&self) -> u64 {
        let mut deleted = 0;
        wait::until("all data is deleted", async || {
            let answer = self.api(Method::DELETE, "/account/data", None, "").await;
            assert_eq!(answer.status, 200, "{answer:?}");
            deleted += answer.body["deletedImages"].as_u64().expect("a number");
            answer.body["done"].as_bool().expect("yes or no").then_some(())
        })
        .await;
        deleted
    }
}
