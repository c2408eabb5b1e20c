//! `POST /uploads`: hands out a presigned PUT for exactly one file, exactly once.

use crate::Api;
use crate::body::{Fields, JsonBody, whole_number};
use crate::openapi::BadRequest;
use crate::owner::Caller;
use crate::problem::Problem;
use crate::query::NoParameters;
use crate::quota;
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::image::MAX_BYTES;
use domain::table::{self, PARTITION_KEY, SORT_KEY};
use domain::{Format, ImageId, ImageKey, ImageRecord, Owner, Status};
use jiff::{SignedDuration, Timestamp};
use lambda::ServiceError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the presigned PUT is valid.
pub(crate) const UPLOAD_VALID: Duration = Duration::from_secs(5 * 60);
/// What is signed and not set by a browser itself, as `host` and `content-length` are. The SDK would
/// add this function's own trace id, which the bucket's CORS rules do not know.
const UPLOAD_HEADERS: [&str; 3] = ["content-type", "if-none-match", "x-amz-checksum-sha256"];
/// When a record whose upload never came is removed: long after the last event that S3 could send.
const AWAITING_KEPT: SignedDuration = SignedDuration::from_hours(48);

const FILE_NAME: (&str, &str) = (
    "fileName",
    "a text of 1 to 255 characters without slashes, line breaks or control characters",
);
const CONTENT_TYPE: (&str, &str) = (
    "contentType",
    "\"image/jpeg\", \"image/png\", \"image/webp\", \"image/avif\", \"image/gif\", \"image/bmp\" or \"image/tiff\"",
);
const SIZE: (&str, &str) = (
    "size",
    "the file's size in bytes, a whole number from 1 to 104857600 (100 MB)",
);
const SHA256: (&str, &str) = ("sha256", "the file's SHA-256 in base64, 44 characters");

/// A file that is going to be uploaded.
// A field that is absent is told under its own name: so each is optional here, and required in the description.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewUpload {
    /// The file's own name, without slashes, line breaks, control characters and characters that turn the direction
    /// of text.
    #[schema(
        required,
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^/\\\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+$",
        examples("cat.jpg")
    )]
    file_name: Option<String>,
    /// What the file says it is.
    #[schema(
        required,
        nullable = false,
        pattern = "^image/(jpeg|png|webp|avif|gif|bmp|x-ms-bmp|tiff)$",
        examples("image/jpeg")
    )]
    content_type: Option<String>,
    /// Bytes, at most 100 MB.
    #[schema(
        required,
        nullable = false,
        minimum = 1,
        maximum = 104_857_600,
        examples(131_072)
    )]
    #[serde(default, deserialize_with = "whole_number")]
    size: Option<u64>,
    /// The file's SHA-256 in base64.
    #[schema(
        required,
        nullable = false,
        pattern = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
        examples("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    )]
    sha256: Option<String>,
}

impl Fields for NewUpload {
    const RULES: &'static [(&'static str, &'static str)] = &[FILE_NAME, CONTENT_TYPE, SIZE, SHA256];
}

/// A file that may be uploaded.
#[derive(Debug, PartialEq, Eq)]
struct Announced {
    file_name: String,
    content_type: String,
    size: u64,
    sha256: String,
}

/// An image to be.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Created {
    image_id: ImageId,
    upload: Upload,
    /// Until when the upload is possible.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// Where to put the file: exactly the announced one, exactly once. An answer of 412 means that it is there already.
#[derive(Debug, Serialize, ToSchema)]
struct Upload {
    /// `PUT`
    #[schema(value_type = String)]
    method: &'static str,
    #[schema(format = "uri")]
    url: String,
    /// What must be sent beside what every HTTP client sets by itself, as `content-length`.
    headers: BTreeMap<String, String>,
}

/// Answers 201 with the image's id and where to put the file.
#[utoipa::path(
    post,
    path = "/uploads",
    tag = "uploads",
    operation_id = "createUpload",
    summary = "Announce a file, and learn where to put it",
    request_body = NewUpload,
    responses(
        (status = 201, description = "Where to put the file", body = Created),
        BadRequest,
        (
            status = 413,
            description = "`too-large`: the file is. `body-too-large`: the request's body has more than 16 KiB.",
            body = Problem,
            content_type = "application/problem+json",
        ),
        (
            status = 415,
            description = "`unsupported-type`: neither JPEG nor PNG. `invalid-body-type`: the body is not declared as \
                `application/json`.",
            body = Problem,
            content_type = "application/problem+json",
        ),
        (
            status = 429,
            description = "`too-many-images`: the quota of the day is used up. It starts anew after as many seconds \
                as the header `retry-after` says.",
            headers(("retry-after" = i32, description = "Seconds")),
            body = Problem,
            content_type = "application/problem+json",
        ),
    ),
)]
pub(crate) async fn create(
    State(api): State<Arc<Api>>,
    Caller(owner): Caller,
    _: NoParameters,
    JsonBody(body): JsonBody<NewUpload>,
) -> Result<impl IntoResponse, Problem> {
    let file = check(body)?;
    let image_id = ImageId::new();
    let key = ImageKey::for_upload(&owner, image_id);
    let now = Timestamp::now();
    quota::take(&api, &owner, now).await?;
    let put = presign(&api, &key, &file).await?;
    store(
        &api,
        awaiting(owner, image_id, (api.bucket.clone(), key), &file, now),
    )
    .await?;

    let headers = put
        .headers()
        .filter(|(name, _)| UPLOAD_HEADERS.contains(name))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let expires_at = now + SignedDuration::try_from(UPLOAD_VALID).unwrap_or_default();
    let created = Created {
        image_id,
        upload: Upload {
            method: "PUT",
            url: put.uri().to_owned(),
            headers,
        },
        expires_at: format!("{expires_at:.3}"),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

fn check(body: NewUpload) -> Result<Announced, Problem> {
    let file_name = body.file_name.filter(|name| {
        let length = name.chars().count();
        (1..=255).contains(&length)
            && !name
                .chars()
                .any(|c| c.is_control() || "/\\".contains(c) || turns_text(c))
    });
    let file_name = file_name.ok_or_else(|| Problem::invalid_field(FILE_NAME.0, FILE_NAME.1))?;
    let content_type = body
        .content_type
        .ok_or_else(|| Problem::invalid_field(CONTENT_TYPE.0, CONTENT_TYPE.1))?;
    if Format::from_content_type(&content_type).is_none() {
        return Err(Problem::unsupported_type(CONTENT_TYPE.0, CONTENT_TYPE.1));
    }
    let size = body
        .size
        .filter(|size| *size > 0)
        .ok_or_else(|| Problem::invalid_field(SIZE.0, SIZE.1))?;
    if size > MAX_BYTES {
        return Err(Problem::too_large(SIZE.0, SIZE.1));
    }
    let is_sha256 = |text: &String| BASE64.decode(text).is_ok_and(|bytes| bytes.len() == 32);
    let sha256 = body
        .sha256
        .filter(is_sha256)
        .ok_or_else(|| Problem::invalid_field(SHA256.0, SHA256.1))?;
    Ok(Announced {
        file_name,
        content_type,
        size,
        sha256,
    })
}

/// Characters that turn the direction of the text around them, and so disguise a file's name.
fn turns_text(character: char) -> bool {
    matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// The signature covers length, type and checksum, and that nothing is there yet: S3 takes exactly
/// the announced file, exactly once.
async fn presign(api: &Api, key: &str, file: &Announced) -> Result<PresignedRequest, Problem> {
    let config = PresigningConfig::expires_in(UPLOAD_VALID).map_err(|_| Problem::internal())?;
    let size = i64::try_from(file.size).map_err(|_| Problem::internal())?;
    api.s3
        .put_object()
        .bucket(&api.bucket)
        .key(key)
        .content_length(size)
        .content_type(&file.content_type)
        .checksum_sha256(&file.sha256)
        .if_none_match("*")
        .presigned(config)
        .await
        .map_err(|error| ServiceError::of("s3:PutObject (presigning)", &error).into())
}

fn awaiting(
    owner: Owner,
    image_id: ImageId,
    (bucket, key): (String, String),
    file: &Announced,
    now: Timestamp,
) -> ImageRecord {
    ImageRecord {
        image_id,
        owner,
        status: Status::AwaitingUpload,
        created_at: format!("{now:.3}"),
        updated_at: format!("{now:.3}"),
        key,
        bucket,
        file_name: Some(file.file_name.clone()),
        size: Some(file.size),
        format: None,
        width: None,
        height: None,
        metadata: None,
        thumbnails: vec![],
        sequencer: None,
        execution_arn: None,
        labels: None,
        label_rows: vec![],
        model_version: None,
        policy: None,
        error: None,
        expires_at: Some((now + AWAITING_KEPT).as_second()),
    }
}

async fn store(api: &Api, record: ImageRecord) -> Result<(), Problem> {
    let text = AttributeValue::S;
    let keys = [
        (PARTITION_KEY, table::owner_partition(&record.owner)),
        (SORT_KEY, table::image_sort(record.image_id)),
        (
            table::HISTORY,
            table::history_sort(&record.created_at, record.image_id),
        ),
    ];
    let item: std::collections::HashMap<_, _> =
        serde_dynamo::to_item(&record).map_err(|_| Problem::internal())?;
    let mut put = api
        .dynamodb
        .put_item()
        .table_name(&api.table)
        .set_item(Some(item))
        .condition_expression(format!("attribute_not_exists({PARTITION_KEY})"));
    for (name, value) in keys {
        put = put.item(name, text(value));
    }
    put.send()
        .await
        .map(drop)
        .map_err(|error| ServiceError::of("dynamodb:PutItem", &error).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn refused(change: Value) -> Value {
        let mut body = json!({
            "fileName": "cat.jpg", "contentType": "image/jpeg", "size": 5,
            "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        });
        let Value::Object(change) = change else {
            panic!("an object")
        };
        body.as_object_mut().unwrap().extend(change);
        serde_json::to_value(check(serde_json::from_value(body).unwrap()).unwrap_err()).unwrap()
    }

    #[test]
    fn each_mistake_names_its_field_and_what_would_be_right() {
        for (change, status, field) in [
            (json!({"fileName": null}), 400, "fileName"),
            (json!({"fileName": ""}), 400, "fileName"),
            (json!({"fileName": "x".repeat(256)}), 400, "fileName"),
            (json!({"fileName": "a\nb.jpg"}), 400, "fileName"),
            (json!({"fileName": "../../etc/passwd"}), 400, "fileName"),
            (json!({"fileName": "gpj.\u{202E}exe"}), 400, "fileName"),
            (json!({"contentType": null}), 400, "contentType"),
            (json!({"contentType": "image/heic"}), 415, "contentType"),
            (json!({"size": null}), 400, "size"),
            (json!({"size": 0}), 400, "size"),
            (json!({"size": MAX_BYTES + 1}), 413, "size"),
            (json!({"sha256": null}), 400, "sha256"),
            (json!({"sha256": "abc"}), 400, "sha256"),
            (json!({"sha256": "AAAA"}), 400, "sha256"),
        ] {
            let problem = refused(change.clone());
            assert_eq!(
                (&problem["status"], &problem["field"]),
                (&json!(status), &json!(field)),
                "{change}"
            );
        }
    }

    #[test]
    fn names_that_people_give_their_files_are_kept() {
        for name in [
            "Ça va \"bien\".jpg",
            "🐈 + 100%.png",
            "x".repeat(255).as_str(),
            "<img src=x>.jpg",
        ] {
            let body = NewUpload {
                file_name: Some(name.to_owned()),
                content_type: Some("image/png".into()),
                size: Some(MAX_BYTES),
                sha256: Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".into()),
            };
            assert_eq!(check(body).unwrap().file_name, name);
        }
    }
}
