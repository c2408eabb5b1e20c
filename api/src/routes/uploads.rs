//! `POST /uploads`: returns a presigned PUT that uploads exactly one file, once, or starts the multipart upload of a video.

use crate::app::App;
use crate::http::access_log;
use crate::http::body::{Fields, JsonBody, whole_number};
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::NoParameters;
use crate::http::responses::{BadRequest, TooManyImages};
use crate::quota;
use crate::routes::duplicates;
use aws::ServiceError;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use domain::image::MAX_BYTES;
use domain::multipart::PART_BYTES;
use domain::record::{self, ImageRecord};
use domain::table::history_sort;
use domain::video::{self, MAX_BYTES as MAX_VIDEO_BYTES};
use domain::{Format, ImageId, ImageKey, MultipartUpload, Owner, Status};
use jiff::{SignedDuration, Timestamp};
use objects::{NewObject, PresignedUrl};
use records::RecordsError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the presigned PUT is valid.
pub(crate) const UPLOAD_VALID_FOR: Duration = Duration::from_secs(5 * 60);
/// When DynamoDB removes a record without an upload: long after the last event that S3 could send.
const AWAITING_KEPT_FOR: SignedDuration = SignedDuration::from_hours(48);
/// How long a multipart upload can take at least. The bucket's lifecycle rule aborts it at the next midnight (UTC) after that.
/// Source: S3 User Guide, "Lifecycle rules: Based on an object's age".
pub(crate) const PARTS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
/// When DynamoDB removes the record of a multipart upload: a day after its last moment.
const AWAITING_PARTS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(72);

const FILE_NAME: (&str, &str) = (
    "fileName",
    "1 to 255 characters without slashes, line breaks or control characters",
);
const CONTENT_TYPE: (&str, &str) = (
    "contentType",
    "the media type of a video or of a supported picture, such as \"video/mp4\" or \"image/jpeg\", or \
     \"application/octet-stream\" if you don't know it",
);
/// Accepted for every file, because most programs have no media type for raw files. The file's content decides anyway.
const UNKNOWN_TYPE: &str = "application/octet-stream";
/// The media types of all videos. The file's content decides whether it can be labeled.
const VIDEO: &str = "video/";
/// Characters of the longest registered media types of videos, and some more.
const MAX_CONTENT_TYPE_LENGTH: usize = 64;
const SIZE: (&str, &str) = (
    "size",
    "the file's size in bytes, a whole number from 1 to 104857600 (100 MB), or to 10737418240 (10 GB) for a video",
);
const SHA256: (&str, &str) = ("sha256", "the file's SHA-256 in base64 (44 characters)");
const NO_SHA256: &str = "absent for a video of more than 100 MB, which is uploaded in parts";
const ALLOW_DUPLICATE: (&str, &str) = ("allowDuplicate", "true or false");
const DURATION: (&str, &str) = (
    "durationMs",
    "the video's duration in milliseconds, a whole number from 1, or absent",
);
const UTC_OFFSET: (&str, &str) = ("utcOffset", "a UTC offset from -12:00 to +14:00, such as +02:00");

/// The file to upload.
// Optional here and required in the description, so that the error for a missing field names it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewUpload {
    /// The file's name, without slashes, line breaks, control characters and characters that change the text
    /// direction.
    #[schema(
        required,
        nullable = false,
        min_length = 1,
        max_length = 255,
        pattern = r"^[^/\\\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]+$",
        examples("cat.jpg")
    )]
    file_name: Option<String>,
    /// The file's media type, or `application/octet-stream` if you don't know it. The file's content decides its format.
    #[schema(
        required,
        nullable = false,
        max_length = 64,
        pattern = "^(application/octet-stream|video/[a-z0-9][a-z0-9.+-]*|image/(jpeg|png|webp|avif|gif|bmp|tiff|heic|x-nikon-nef|x-canon-cr2|\
            x-canon-cr3|x-sony-arw|x-adobe-dng|x-olympus-orf|x-panasonic-rw2|x-fuji-raf|x-pentax-pef|x-samsung-srw|jpg|\
            pjpeg|mpo|apng|x-png|avif-sequence|x-bmp|x-ms-bmp|x-windows-bmp|tif|x-tif|x-tiff|heif|heic-sequence|\
            heif-sequence|dng|x-dng|x-nikon-nrw|x-panasonic-rw|x-panasonic-raw|x-sony-sr2))$",
        examples("image/jpeg")
    )]
    content_type: Option<String>,
    /// Bytes. Up to 100 MB, or 10 GB for a video.
    #[schema(
        required,
        nullable = false,
        minimum = 1,
        maximum = 10_737_418_240_u64,
        examples(131_072)
    )]
    #[serde(default, deserialize_with = "whole_number")]
    size: Option<u64>,
    /// The file's SHA-256 in base64. Required for pictures. A video with it is uploaded with one request, like a picture,
    /// and one without it in parts. Videos of more than 100 MB must be uploaded in parts.
    #[schema(
        nullable = false,
        pattern = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
        examples("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    )]
    sha256: Option<String>,
    /// How long a video is, in milliseconds, if you know it. With it, a video with more minutes than you can label today is
    /// refused before it is uploaded. If absent: a video is refused if you can't label any.
    #[serde(default, deserialize_with = "whole_number")]
    #[schema(minimum = 1, examples(150_000))]
    duration_ms: Option<u64>,
    /// Whether to upload the file even if you have an image with exactly this file. If absent: no.
    #[serde(default)]
    allow_duplicate: bool,
    /// The UTC offset of your clock. It decides the `time` of a picture without a capture time. If absent: UTC.
    #[schema(
        pattern = r"^([+](0[0-9]|1[0-3]):[0-5][0-9]|[+]14:00|-(0[0-9]|1[01]):[0-5][0-9]|-12:00)$",
        examples("+02:00")
    )]
    utc_offset: Option<String>,
}

impl Fields for NewUpload {
    const RULES: &'static [(&'static str, &'static str)] = &[
        FILE_NAME,
        CONTENT_TYPE,
        SIZE,
        SHA256,
        DURATION,
        ALLOW_DUPLICATE,
        UTC_OFFSET,
    ];
}

/// A valid [`NewUpload`].
#[derive(Debug, PartialEq, Eq)]
struct Announced {
    file_name: String,
    content_type: String,
    size: u64,
    /// `None`: the file is uploaded in parts.
    sha256: Option<String>,
    /// The minutes of a video, at least. `None`: not a video.
    video_minutes: Option<u32>,
    allow_duplicate: bool,
    utc_offset: Option<String>,
}

/// The new image and how to upload its file.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Created {
    image_id: ImageId,
    /// Absent if the file is uploaded in parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    upload: Option<Upload>,
    /// Present if the file is uploaded in parts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    multipart: Option<Multipart>,
    /// When the upload URL expires: after five minutes. When a multipart upload expires: after 24 hours.
    #[schema(format = DateTime)]
    expires_at: String,
    /// For a video: how many minutes of video you can still label today. This video is counted when it has been uploaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    video_minutes_left_today: Option<u32>,
}

/// A multipart upload. `POST /uploads/{imageId}/parts` returns the URLs of the parts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Multipart {
    /// Bytes of each part. The last part has the rest of the file.
    part_size: u64,
    /// The number of parts. They are numbered from 1.
    part_count: u64,
}

impl Multipart {
    pub(crate) fn new(upload: &MultipartUpload, size: u64) -> Self {
        Self {
            part_size: upload.part_size,
            part_count: upload.part_count(size),
        }
    }
}

/// The request that uploads the file. It accepts only this file, once: status 412 means that it's already uploaded.
#[derive(Debug, Serialize, ToSchema)]
struct Upload {
    /// `PUT`
    #[schema(value_type = String)]
    method: &'static str,
    /// A presigned PUT, valid for five minutes.
    #[schema(value_type = String, format = "uri")]
    url: PresignedUrl,
    /// Required headers, besides those that every HTTP client sets, such as `content-length`.
    headers: BTreeMap<String, String>,
}

/// Creates the image's record and presigns the upload.
#[utoipa::path(
    post,
    path = "/uploads",
    tag = "uploads",
    operation_id = "createUpload",
    summary = "Create an upload",
    request_body = NewUpload,
    responses(
        (status = 201, description = "The upload", body = Created),
        BadRequest,
        (
            status = 409,
            description = "`already-uploaded`: your image `imageId` has exactly this file. With `allowDuplicate`, the \
                file is uploaded again. The response does not count toward your daily limit.",
            body = Problem,
            content_type = "application/problem+json",
        ),
        (
            status = 413,
            description = "`too-large`: the file exceeds 100 MB, or the video 10 GB or the minutes that you can label \
                in a day. `body-too-large`: the body exceeds 512 KiB.",
            body = Problem,
            content_type = "application/problem+json",
        ),
        (
            status = 415,
            description = "`unsupported-type`: `contentType` is not the media type of a video or a supported picture. \
                `invalid-body-type`: the `content-type` header is not `application/json`.",
            body = Problem,
            content_type = "application/problem+json",
        ),
        TooManyImages,
    ),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    JsonBody(body): JsonBody<NewUpload>,
) -> Result<impl IntoResponse, Problem> {
    let file = check(body)?;
    if !file.allow_duplicate
        && let Some(sha256) = &file.sha256
        && let Some(existing) = duplicates::existing(&app, &owner, sha256).await
    {
        return Err(Problem::already_uploaded(SHA256.0, existing));
    }
    let image_id = ImageId::new();
    access_log::name_image(image_id);
    let key = ImageKey::for_upload(&owner, image_id);
    let now = Timestamp::now();
    let video_minutes_left_today = match file.video_minutes {
        Some(minutes) if minutes > app.video_quotas.minutes_per_day => {
            return Err(Problem::video_too_long(
                DURATION.0,
                app.video_quotas.minutes_per_day,
            ));
        }
        Some(minutes) => Some(quota::check_video_minutes(&app, &owner, minutes, now).await?),
        None => None,
    };
    let upload = match &file.sha256 {
        Some(sha256) => Some(presign(&app, &key, &file, sha256).await?),
        None => None,
    };
    let counted = quota::take(&app, &owner, now).await?;
    // After the quota, because S3 charges for it and stores something.
    let multipart = match upload {
        Some(_) => None,
        None => match start_parts(&app, &key, &file).await {
            Ok(multipart) => Some(multipart),
            Err(error) => {
                quota::release(&app, counted).await;
                return Err(error.into());
            }
        },
    };
    let record = awaiting(owner, image_id, (app.bucket.clone(), key), &file, multipart, now);
    if let Err(error) = app.records.announce_upload(&record).await {
        // The bucket's lifecycle rule aborts a multipart upload.
        match &error {
            RecordsError::Unreadable(_) => quota::release(&app, counted).await,
            RecordsError::Service(error) => quota::release_after(&app, counted, error).await,
        }
        return Err(error.into());
    }

    let valid_for = match upload {
        Some(_) => SignedDuration::try_from(UPLOAD_VALID_FOR).unwrap_or_default(),
        None => PARTS_KEPT_FOR,
    };
    let created = Created {
        image_id,
        upload,
        multipart: record
            .multipart
            .as_ref()
            .map(|upload| Multipart::new(upload, file.size)),
        expires_at: format!("{:.3}", now + valid_for),
        video_minutes_left_today,
    };
    Ok((StatusCode::CREATED, Json(created)))
}

async fn presign(app: &App, key: &str, file: &Announced, sha256: &str) -> Result<Upload, ServiceError> {
    let object = NewObject {
        content_type: &file.content_type,
        size: file.size,
        sha256,
    };
    let put = objects::presign_put(&app.s3, &app.bucket, key, object, UPLOAD_VALID_FOR).await?;
    Ok(Upload {
        method: "PUT",
        url: put.url,
        headers: put.headers,
    })
}

async fn start_parts(app: &App, key: &str, file: &Announced) -> Result<MultipartUpload, ServiceError> {
    let upload_id = objects::create_multipart_upload(&app.s3, &app.bucket, key, &file.content_type).await?;
    Ok(MultipartUpload {
        upload_id,
        part_size: PART_BYTES,
    })
}

fn check(body: NewUpload) -> Result<Announced, Problem> {
    let file_name = body.file_name.filter(|name| {
        let length = name.chars().count();
        (1..=255).contains(&length)
            && !name
                .chars()
                .any(|c| c.is_control() || "/\\".contains(c) || changes_text_direction(c))
    });
    let file_name = file_name.ok_or_else(|| Problem::invalid_field(FILE_NAME.0, FILE_NAME.1))?;
    let content_type = body
        .content_type
        .ok_or_else(|| Problem::invalid_field(CONTENT_TYPE.0, CONTENT_TYPE.1))?;
    let is_video = is_video(&content_type);
    if !is_video && content_type != UNKNOWN_TYPE && Format::from_content_type(&content_type).is_none() {
        return Err(Problem::unsupported_type(CONTENT_TYPE.0, CONTENT_TYPE.1));
    }
    let size = body
        .size
        .filter(|size| *size > 0)
        .ok_or_else(|| Problem::invalid_field(SIZE.0, SIZE.1))?;
    if size > if is_video { MAX_VIDEO_BYTES } else { MAX_BYTES } {
        return Err(Problem::too_large(SIZE.0, SIZE.1));
    }
    let sha256 = match body.sha256 {
        None if is_video => None,
        Some(_) if size > MAX_BYTES => return Err(Problem::invalid_field(SHA256.0, NO_SHA256)),
        Some(text) if is_sha256(&text) => Some(text),
        _ => return Err(Problem::invalid_field(SHA256.0, SHA256.1)),
    };
    let video_minutes = match (is_video, body.duration_ms) {
        (_, Some(0)) => return Err(Problem::invalid_field(DURATION.0, DURATION.1)),
        (true, duration) => Some(video::minutes(duration.unwrap_or_default())),
        (false, _) => None,
    };
    let utc_offset = body.utc_offset;
    if utc_offset
        .as_deref()
        .is_some_and(|offset| record::utc_offset(offset).is_none())
    {
        return Err(Problem::invalid_field(UTC_OFFSET.0, UTC_OFFSET.1));
    }
    Ok(Announced {
        file_name,
        content_type,
        size,
        sha256,
        video_minutes,
        allow_duplicate: body.allow_duplicate,
        utc_offset,
    })
}

/// Whether a text is a SHA-256 in base64.
pub(crate) fn is_sha256(text: &str) -> bool {
    BASE64.decode(text).is_ok_and(|bytes| bytes.len() == 32)
}

/// Whether a content type is that of a video.
fn is_video(content_type: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    content_type.len() <= MAX_CONTENT_TYPE_LENGTH
        && content_type.strip_prefix(VIDEO).is_some_and(|subtype| {
            subtype.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
                && subtype
                    .bytes()
                    .all(|byte| is_allowed(byte) || b".+-".contains(&byte))
        })
}

/// Characters that change the direction of the text around them, which can disguise a file's name.
fn changes_text_direction(character: char) -> bool {
    matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn awaiting(
    owner: Owner,
    image_id: ImageId,
    (bucket, key): (String, String),
    file: &Announced,
    multipart: Option<MultipartUpload>,
    now: Timestamp,
) -> ImageRecord {
    let kept_for = match multipart {
        Some(_) => AWAITING_PARTS_KEPT_FOR,
        None => AWAITING_KEPT_FOR,
    };
    let created_at = format!("{now:.3}");
    let time = record::uploaded(&created_at, file.utc_offset.as_deref());
    ImageRecord {
        image_id,
        owner,
        status: Status::AwaitingUpload,
        created_at,
        history: history_sort(&time, image_id),
        utc_offset: file.utc_offset.clone(),
        modified_at: None,
        updated_at: format!("{now:.3}"),
        key,
        bucket,
        file_name: Some(file.file_name.clone()),
        size: Some(file.size),
        checksum: file.sha256.clone(),
        multipart,
        format: None,
        width: None,
        height: None,
        media_type: domain::MediaType::Picture,
        video: None,
        counted_minutes: None,
        metadata: None,
        thumbnails: vec![],
        thumbnails_error: None,
        incomplete: false,
        sequencer: None,
        execution_arn: None,
        labels: None,
        label_rows: vec![],
        rows_changing: false,
        corrections: None,
        model_version: None,
        error: None,
        expires_at: Some((now + kept_for).as_second()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use strum::IntoEnumIterator;

    fn problem(change: Value) -> Value {
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
    fn each_invalid_field_is_named() {
        for (change, status, field) in [
            (json!({"utcOffset": "+2:00"}), 400, "utcOffset"),
            (json!({"utcOffset": "Europe/Berlin"}), 400, "utcOffset"),
            (json!({"fileName": null}), 400, "fileName"),
            (json!({"fileName": ""}), 400, "fileName"),
            (json!({"fileName": "x".repeat(256)}), 400, "fileName"),
            (json!({"fileName": "a\nb.jpg"}), 400, "fileName"),
            (json!({"fileName": "../../etc/passwd"}), 400, "fileName"),
            (json!({"fileName": "gpj.\u{202E}exe"}), 400, "fileName"),
            (json!({"contentType": null}), 400, "contentType"),
            (json!({"contentType": "image/svg+xml"}), 415, "contentType"),
            (json!({"contentType": "video/"}), 415, "contentType"),
            (json!({"contentType": "video/<script>"}), 415, "contentType"),
            (
                json!({"contentType": format!("video/{}", "x".repeat(59))}),
                415,
                "contentType",
            ),
            (json!({"size": null}), 400, "size"),
            (json!({"size": 0}), 400, "size"),
            (json!({"size": MAX_BYTES + 1}), 413, "size"),
            (json!({"sha256": null}), 400, "sha256"),
            (json!({"sha256": "abc"}), 400, "sha256"),
            (json!({"sha256": "AAAA"}), 400, "sha256"),
            (
                json!({"contentType": "video/mp4", "durationMs": 0}),
                400,
                "durationMs",
            ),
            (
                json!({"contentType": "video/mp4", "sha256": "AAAA"}),
                400,
                "sha256",
            ),
            (
                json!({"contentType": "video/mp4", "size": MAX_BYTES + 1}),
                400,
                "sha256",
            ),
            (
                json!({"contentType": "video/mp4", "size": MAX_VIDEO_BYTES + 1}),
                413,
                "size",
            ),
            (
                json!({"contentType": "application/octet-stream", "size": MAX_BYTES + 1}),
                413,
                "size",
            ),
        ] {
            let problem = problem(change.clone());
            assert_eq!(
                (&problem["status"], &problem["field"]),
                (&json!(status), &json!(field)),
                "{change}"
            );
        }
    }

    /// The number of writes of the counters if DynamoDB answers the record's write with this error code.
    async fn writes_after(code: &'static str) -> usize {
        use aws_sdk_dynamodb::error::ErrorMetadata;
        use aws_sdk_dynamodb::operation::put_item::PutItemError;
        use aws_sdk_dynamodb::operation::query::QueryOutput;
        use aws_sdk_dynamodb::operation::update_item::UpdateItemOutput;
        use aws_smithy_mocks::{RuleMode, mock, mock_client};

        let count =
            mock!(aws_sdk_dynamodb::Client::update_item).then_output(|| UpdateItemOutput::builder().build());
        let put = mock!(aws_sdk_dynamodb::Client::put_item)
            .then_error(move || PutItemError::generic(ErrorMetadata::builder().code(code).build()));
        let same = mock!(aws_sdk_dynamodb::Client::query).then_output(|| QueryOutput::builder().build());
        let dynamodb = mock_client!(aws_sdk_dynamodb, RuleMode::MatchAny, [&count, &put, &same]);
        let sfn = mock_client!(aws_sdk_sfn, RuleMode::MatchAny, []);
        let body = json!({
            "fileName": "cat.jpg", "contentType": "image/jpeg", "size": 5,
            "sha256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        });
        let created = super::create(
            State(Arc::new(crate::app::fake_app(dynamodb, sfn))),
            Caller(Owner::new("demo").unwrap()),
            NoParameters,
            JsonBody(serde_json::from_value(body).unwrap()),
        )
        .await;
        assert!(created.is_err());
        assert!(put.num_calls() > 0);
        count.num_calls()
    }

    #[tokio::test]
    async fn the_quota_is_returned_unless_the_record_may_have_been_stored() {
        assert_eq!(writes_after("AccessDeniedException").await, 4);
        assert_eq!(writes_after("ThrottlingException").await, 4);
        assert_eq!(writes_after("InternalServerError").await, 2);
    }

    #[test]
    fn the_description_lists_the_content_types_that_are_accepted() {
        let schema = serde_json::to_value(<NewUpload as utoipa::PartialSchema>::schema()).unwrap();
        let pattern = schema["properties"]["contentType"]["pattern"].as_str().unwrap();
        let listed = pattern
            .strip_prefix("^(application/octet-stream|video/[a-z0-9][a-z0-9.+-]*|image/(")
            .and_then(|rest| rest.strip_suffix("))$"))
            .unwrap();
        let listed: BTreeSet<_> = listed.split('|').map(|name| format!("image/{name}")).collect();
        let formats = Format::iter().map(Format::content_type);
        let accepted: BTreeSet<_> = formats
            .chain(Format::ALIASES.iter().map(|(alias, _)| *alias))
            .map(str::to_owned)
            .collect();
        assert_eq!(listed, accepted);
        for content_type in listed.iter().map(String::as_str).chain([UNKNOWN_TYPE]) {
            let upload = NewUpload {
                file_name: Some("a".into()),
                content_type: Some(content_type.into()),
                size: Some(1),
                sha256: Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=".into()),
                duration_ms: None,
                allow_duplicate: false,
                utc_offset: None,
            };
            assert_eq!(check(upload).unwrap().content_type, content_type);
        }
    }

    #[test]
    fn a_video_is_uploaded_in_parts_unless_it_has_a_checksum() {
        let announced = |size, sha256: Option<&str>| {
            let upload = NewUpload {
                file_name: Some("a.mov".into()),
                content_type: Some("video/quicktime".into()),
                size: Some(size),
                sha256: sha256.map(str::to_owned),
                duration_ms: None,
                allow_duplicate: false,
                utc_offset: None,
            };
            check(upload).unwrap().sha256
        };
        let sha256 = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(announced(MAX_VIDEO_BYTES, None), None);
        assert_eq!(announced(5, None), None);
        assert_eq!(announced(MAX_BYTES, Some(sha256)).as_deref(), Some(sha256));
    }

    #[test]
    fn common_file_names_are_accepted_unchanged() {
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
                duration_ms: None,
                allow_duplicate: false,
                utc_offset: None,
            };
            assert_eq!(check(body).unwrap().file_name, name);
        }
    }
}
