//! The HTTP API as a program uses it: announces files, uploads them to S3, and reads images.

use crate::file::file_name;
use crate::sign_in::SignIn;
use anyhow::Result;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Zoned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use ureq::http::{Response, StatusCode};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, AsSendBody, Body};

/// The timeout of a connection, of one read and of one write. There is none for a whole request: a file of 100 MB takes long
/// with a slow connection.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The media type of every file: the API finds out the format by the content.
const CONTENT_TYPE: &str = "application/octet-stream";
/// The media type of every file that is uploaded in parts, for the same reason.
const VIDEO_TYPE: &str = "video/mp4";
/// The types of the API's problems begin with this.
const PROBLEM: &str = "urn:image-label-generator:problem:";
/// The longest time that the API asks to wait: a daily limit resets at midnight UTC.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600 + 60);

/// The API of a stack.
pub(crate) struct Api {
    agent: Agent,
    url: String,
    sign_in: SignIn,
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// No response from a service, and the cause. A retry may succeed.
    #[error("can't reach {0}{1}")]
    Unreachable(&'static str, String),
    /// Status 5xx, or 429 without a daily limit. A retry may succeed.
    #[error("{service} responds with status {status}")]
    Unavailable {
        service: &'static str,
        status: StatusCode,
        /// How long the service asks to wait.
        retry_after: Option<Duration>,
    },
    /// A daily limit is reached, for so long.
    #[error("{message}")]
    DailyLimit { message: String, retry_after: Duration },
    /// S3 refuses a presigned upload: it has expired, or the file has changed.
    #[error("S3 rejects the file: it changed while it was read, or the upload took longer than five minutes")]
    UploadRefused,
    /// The user can't be signed in.
    #[error("can't sign in: {0}")]
    SignIn(String),
    /// The user has an image with exactly this file.
    #[error("the image {image_id} has this file")]
    AlreadyUploaded { image_id: String },
    /// The run should end. Another one can continue.
    #[error("stopped")]
    Stopped,
    /// A retry would fail as well.
    #[error("{0}")]
    Refused(String),
}

impl ApiError {
    fn unavailable(service: &'static str, answer: &Response<Body>) -> Self {
        Self::Unavailable {
            service,
            status: answer.status(),
            retry_after: retry_after(answer),
        }
    }
}

/// A file to upload.
pub(crate) struct NewFile<'a> {
    pub(crate) path: &'a Path,
    pub(crate) size: u64,
    pub(crate) sha256: &'a [u8; 32],
    /// Whether it is uploaded even if the user has an image with this file.
    pub(crate) allow_duplicate: bool,
}

/// Where the file is uploaded to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewUpload {
    pub(crate) image_id: String,
    upload: Upload,
}

#[derive(Deserialize)]
struct Upload {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
}

/// The upload of a large file that was started.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewUploadInParts {
    pub(crate) image_id: String,
    pub(crate) multipart: Multipart,
}

/// How a file is divided.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Multipart {
    /// Bytes of each part except the last one.
    pub(crate) part_size: u64,
}

/// What has arrived of a file.
#[derive(Deserialize)]
pub(crate) struct PartsProgress {
    /// Whether the whole file has arrived.
    pub(crate) complete: bool,
    pub(crate) multipart: Option<Multipart>,
    pub(crate) parts: Vec<Part>,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Part {
    /// From 1.
    pub(crate) number: u64,
    /// Its SHA-256 in base64.
    pub(crate) sha256: String,
}

#[derive(Deserialize)]
struct PartUploads {
    parts: Vec<Upload>,
}

impl Api {
    /// # Errors
    /// The certificates of this machine can't be read.
    pub(crate) fn new(url: &str, sign_in: SignIn) -> Result<Self> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(TIMEOUT))
            .timeout_per_read(Some(TIMEOUT))
            .timeout_per_write(Some(TIMEOUT));
        let config = if url.starts_with("https:") {
            config.tls_config(tls()?)
        } else {
            // A stack on this machine, whatever proxy is set.
            config.proxy(None)
        };
        Ok(Self {
            agent: config.build().into(),
            url: url.trim_end_matches('/').to_owned(),
            sign_in,
        })
    }

    /// The user's id in the user pool.
    ///
    /// # Errors
    /// [`ApiError::SignIn`]
    pub(crate) fn owner(&self) -> Result<String, ApiError> {
        self.sign_in.owner()
    }

    /// Announces a file: `POST /uploads`.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) fn announce(&self, file: &NewFile<'_>) -> Result<NewUpload, ApiError> {
        read(self.post(
            "/uploads",
            &json!({
                "fileName": file_name(file.path),
                "contentType": CONTENT_TYPE,
                "size": file.size,
                "sha256": BASE64_STANDARD.encode(file.sha256),
                "allowDuplicate": file.allow_duplicate,
                "utcOffset": utc_offset(&Zoned::now()),
            }),
        )?)
    }

    /// Announces a video that is uploaded in parts: `POST /uploads`.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) fn announce_in_parts(
        &self,
        path: &Path,
        size: u64,
        duration_ms: Option<u64>,
    ) -> Result<NewUploadInParts, ApiError> {
        read(self.post(
            "/uploads",
            &json!({
                "fileName": file_name(path),
                "contentType": VIDEO_TYPE,
                "size": size,
                "durationMs": duration_ms,
                "utcOffset": utc_offset(&Zoned::now()),
            }),
        )?)
    }

    /// What has arrived of a file: `GET /uploads/{imageId}/parts`.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) fn parts(&self, image_id: &str) -> Result<PartsProgress, ApiError> {
        let answer = self.signed_in(|authorization| {
            self.agent
                .get(format!("{}/uploads/{image_id}/parts", self.url))
                .header("authorization", authorization)
                .call()
        })?;
        read(answer)
    }

    /// Uploads a part: `POST /uploads/{imageId}/parts`, and the request to S3.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) fn put_part(&self, image_id: &str, part: &Part, bytes: &[u8]) -> Result<(), ApiError> {
        let request = json!({"parts": [part]});
        let uploads: PartUploads = read(self.post(&format!("/uploads/{image_id}/parts"), &request)?)?;
        let Some(upload) = uploads.parts.first() else {
            return Err(ApiError::Refused("the API returns no URL for a part".to_owned()));
        };
        self.send_to_s3(upload, bytes)
    }

    /// Completes a multipart upload: `POST /uploads/{imageId}/complete`.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) fn complete(&self, image_id: &str, parts: &[Part]) -> Result<(), ApiError> {
        let request = json!({"parts": parts});
        let answer = self.post(&format!("/uploads/{image_id}/complete"), &request)?;
        match answer.status() {
            StatusCode::NO_CONTENT => Ok(()),
            _ => read::<Value>(answer).map(drop),
        }
    }

    fn post(&self, path: &str, body: &Value) -> Result<Response<Body>, ApiError> {
        let body = body.to_string();
        self.signed_in(|authorization| {
            self.agent
                .post(format!("{}{path}", self.url))
                .header("content-type", "application/json")
                .header("authorization", authorization)
                .send(&body)
        })
    }

    /// Uploads an announced file. Streams it: it is never in memory as a whole.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) fn put(&self, file: &Path, new: &NewUpload) -> Result<(), ApiError> {
        let body =
            File::open(file).map_err(|error| ApiError::Refused(format!("can't read the file: {error}")))?;
        self.send_to_s3(&new.upload, body)
    }

    fn send_to_s3(&self, upload: &Upload, body: impl AsSendBody) -> Result<(), ApiError> {
        let Upload { method, url, headers } = upload;
        if method != "PUT" {
            return Err(ApiError::Refused(format!(
                "the API asks for {method}, but this command supports only PUT"
            )));
        }
        let request = headers
            .iter()
            .fold(self.agent.put(url), |request, (name, value)| {
                request.header(name, value)
            });
        // The URL is a secret for as long as it is valid: no error shows it.
        let answer = request
            .send(body)
            .map_err(|_| ApiError::Unreachable("S3", String::new()))?;
        match answer.status().as_u16() {
            // 412: it is stored already, and the response to an earlier attempt was lost.
            200 | 412 => Ok(()),
            400 | 403 => Err(ApiError::UploadRefused),
            429 | 500.. => Err(ApiError::unavailable("S3", &answer)),
            status => Err(ApiError::Refused(format!("S3 responds with status {status}"))),
        }
    }

    /// Reads an image: `GET /images/{imageId}`.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) fn image(&self, image_id: &str) -> Result<Value, ApiError> {
        let answer = self.signed_in(|authorization| {
            self.agent
                .get(format!("{}/images/{image_id}", self.url))
                .header("authorization", authorization)
                .call()
        })?;
        read(answer)
    }

    /// Sends a request with an access token, and once more with a new one if the API does not accept it.
    fn signed_in(
        &self,
        send: impl Fn(&str) -> Result<Response<Body>, ureq::Error>,
    ) -> Result<Response<Body>, ApiError> {
        let send = |token: &str| send(&format!("Bearer {token}")).map_err(|error| unreachable_api(&error));
        let token = self.sign_in.token()?;
        let answer = send(&token)?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            return Ok(answer);
        }
        let answer = send(&self.sign_in.renew(&token)?)?;
        if answer.status() == StatusCode::UNAUTHORIZED {
            return Err(ApiError::SignIn(
                "the API does not accept the access token".to_owned(),
            ));
        }
        Ok(answer)
    }
}

fn unreachable_api(error: &ureq::Error) -> ApiError {
    ApiError::Unreachable("the API", format!(" ({error})"))
}

/// The certificates that this machine trusts.
fn tls() -> Result<TlsConfig> {
    let found = rustls_native_certs::load_native_certs();
    let certificates: Vec<_> = found
        .certs
        .iter()
        .map(|certificate| Certificate::from_der(certificate).to_owned())
        .collect();
    if certificates.is_empty() {
        let error = found.errors.first().map(ToString::to_string);
        anyhow::bail!(
            "this machine has no trusted certificates, which HTTPS needs: install ca-certificates{}",
            error.map(|error| format!(" ({error})")).unwrap_or_default()
        );
    }
    Ok(TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&certificates))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .build())
}

/// A problem document (RFC 9457).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Problem {
    #[serde(rename = "type")]
    kind: String,
    title: String,
    detail: String,
    image_id: Option<String>,
}

impl Problem {
    /// Its type without the prefix of this API.
    fn kind(&self) -> Option<&str> {
        self.kind.strip_prefix(PROBLEM)
    }

    /// Its sentence. `None` if it has none.
    fn message(&self) -> Option<String> {
        match (self.title.as_str(), self.detail.as_str()) {
            ("", "") => None,
            ("", only) | (only, "") => Some(only.to_owned()),
            (title, detail) => Some(format!("{}: {detail}", title.trim_end_matches('.'))),
        }
    }
}

/// The API's answer.
fn read<T: for<'a> Deserialize<'a>>(mut answer: Response<Body>) -> Result<T, ApiError> {
    let status = answer.status();
    let retry_after = retry_after(&answer);
    // Up to 10 MB: the client's default limit.
    let text = answer
        .body_mut()
        .read_to_string()
        .map_err(|error| unreachable_api(&error))?;
    if status.is_success() {
        return serde_json::from_str(&text)
            .map_err(|error| ApiError::Refused(format!("can't parse the API's response: {error}")));
    }
    let problem: Problem = serde_json::from_str(&text).unwrap_or_default();
    let message = problem.message();
    Err(match problem.kind() {
        Some("too-many-images" | "too-many-images-in-total") => ApiError::DailyLimit {
            message: message.unwrap_or_default(),
            retry_after: retry_after.unwrap_or(MAX_RETRY_AFTER),
        },
        // Pictures, and shorter videos, can still be uploaded.
        Some("too-many-video-minutes" | "too-many-video-minutes-in-total") => {
            ApiError::Refused(message.unwrap_or_default())
        }
        Some("already-uploaded") => ApiError::AlreadyUploaded {
            image_id: problem.image_id.unwrap_or_default(),
        },
        _ if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => ApiError::Unavailable {
            service: "the API",
            status,
            retry_after,
        },
        _ => ApiError::Refused(message.unwrap_or_else(|| format!("the API responds with status {status}"))),
    })
}

/// The header `retry-after` in seconds.
fn retry_after(answer: &Response<Body>) -> Option<Duration> {
    let seconds = answer.headers().get("retry-after")?.to_str().ok()?;
    let seconds = Duration::from_secs(seconds.trim().parse().ok()?);
    Some(seconds.min(MAX_RETRY_AFTER))
}

/// The offset of the computer's clock from UTC, such as `+02:00`. `None` if the API does not accept it: historical time zones
/// have seconds.
fn utc_offset(time: &Zoned) -> Option<String> {
    let offset = time.strftime("%:z").to_string();
    domain::record::utc_offset(&offset).map(|_| offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::tz::{Offset, TimeZone};

    #[test]
    fn the_offset_is_one_that_the_api_accepts() {
        let offset = |time: &str| utc_offset(&time.parse().unwrap());
        assert_eq!(
            offset("2026-07-13T12:00:00+05:45[+05:45]").as_deref(),
            Some("+05:45")
        );
        assert_eq!(
            offset("2026-07-13T12:00:00-07:00[-07:00]").as_deref(),
            Some("-07:00")
        );
        assert_eq!(
            offset("2026-07-13T12:00:00+00:00[UTC]").as_deref(),
            Some("+00:00")
        );
        // Amsterdam until 1937.
        let with_seconds = TimeZone::fixed(Offset::from_seconds(19 * 60 + 32).unwrap());
        assert_eq!(utc_offset(&Timestamp::UNIX_EPOCH.to_zoned(with_seconds)), None);
    }

    #[test]
    fn an_error_shows_the_title_and_detail_of_the_problem() {
        let message = |text: &str| {
            serde_json::from_str::<Problem>(text)
                .unwrap_or_default()
                .message()
        };
        let text = r#"{"type": "urn:x", "title": "A field is invalid", "status": 400,
            "detail": "size must be from 1 to 104857600.", "field": "size"}"#;
        assert_eq!(
            message(text).unwrap(),
            "A field is invalid: size must be from 1 to 104857600."
        );
        assert_eq!(message(r#"{"title": "Only this"}"#).unwrap(), "Only this");
        assert_eq!(message("<html>502</html>"), None);
        assert_eq!(message("{}"), None);
    }
}
