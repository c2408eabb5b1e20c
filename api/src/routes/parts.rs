//! `/uploads/{imageId}/parts` and `/uploads/{imageId}/complete`: the parts of a file that is too large for one request.
//!
//! The client sends each part to S3, with a presigned request that accepts only this part. A client that was interrupted lists
//! the parts that S3 has, and sends the others. All routes can be repeated.

use crate::app::App;
use crate::http::body::{Fields, JsonBody, required_whole_number};
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::NoParameters;
use crate::http::responses::{BadRequest, BodyTooLarge, InvalidBodyType, NoSuchImage, UploadExpired};
use crate::routes::record::{image_id, read};
use crate::routes::uploads::{Multipart, PARTS_KEPT_FOR, is_sha256};
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::{ImageId, ImageRecord, MultipartUpload, Status};
use futures_util::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use objects::{Completion, PresignedUrl, UploadedPart};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// How long the presigned requests are valid. A slow connection needs minutes for a few parts.
const PART_VALID_FOR: Duration = Duration::from_secs(15 * 60);
/// Parts that one request presigns.
const MAX_PARTS: usize = 100;
/// Parts that the answer to an incomplete upload names.
const MAX_NAMED: usize = 10;

const PARTS: (&str, &str) = (
    "parts",
    "a list of 1 to 100 parts of the file, each with its number and its sha256 in base64",
);
const ALL_PARTS: (&str, &str) = (
    "parts",
    "a list of all parts of the file in the order of their numbers, each with its number and its sha256 in base64",
);

/// A part of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    /// From 1. Part *n* begins at byte (*n* - 1) × `partSize`.
    #[schema(minimum = 1, maximum = 10_000)]
    #[serde(deserialize_with = "required_whole_number")]
    number: u64,
    /// Its SHA-256 in base64.
    #[schema(
        pattern = "^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$",
        examples("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    )]
    sha256: String,
}

/// The parts to upload.
// Optional here and required in the description, so that the error for a missing field names it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewParts {
    /// In any order.
    #[schema(required, nullable = false, min_items = 1, max_items = 100)]
    parts: Option<Vec<Part>>,
}

impl Fields for NewParts {
    const RULES: &'static [(&'static str, &'static str)] = &[PARTS];
}

/// All parts of the file.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AllParts {
    /// In the order of their numbers. 10 GB in parts of 8 MB are 1,280.
    #[schema(required, nullable = false, min_items = 1, max_items = 1_280)]
    parts: Option<Vec<Part>>,
}

impl Fields for AllParts {
    const RULES: &'static [(&'static str, &'static str)] = &[ALL_PARTS];
}

/// The requests that upload the parts.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PartUploads {
    /// In the order of the request.
    parts: Vec<PartUpload>,
    /// When the URLs expire: after 15 minutes. Then request new ones.
    #[schema(format = DateTime)]
    expires_at: String,
}

/// The request that uploads a part. It accepts only these bytes, and can be repeated.
#[derive(Debug, Serialize, ToSchema)]
struct PartUpload {
    number: u64,
    /// `PUT`
    #[schema(value_type = String)]
    method: &'static str,
    /// A presigned PUT.
    #[schema(value_type = String, format = "uri")]
    url: PresignedUrl,
    /// Required headers, besides those that every HTTP client sets, such as `content-length`.
    headers: BTreeMap<String, String>,
}

/// The progress of a multipart upload.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UploadProgress {
    /// Whether the file has arrived.
    complete: bool,
    /// Absent if the file has arrived.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    multipart: Option<Multipart>,
    /// The parts that have arrived, in the order of their numbers. Empty if the file has arrived.
    parts: Vec<Part>,
}

/// `not-in-parts`: the file of this image is not uploaded in parts, or has already arrived.
#[derive(utoipa::IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct NotInParts(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `parts-missing`: some parts have not arrived, or have a different checksum. Upload them and try again. `not-in-parts`: the file
/// of this image is not uploaded in parts.
#[derive(utoipa::IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct Incomplete(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// Presigns the uploads of some parts.
#[utoipa::path(
    post,
    path = "/uploads/{imageId}/parts",
    tag = "uploads",
    operation_id = "createPartUploads",
    summary = "Get the upload URLs of some parts",
    description = "For a file that is uploaded in parts. You can request the same part again, also with a different checksum.",
    params(("imageId" = ImageId, Path, description = "As returned by `POST /uploads`")),
    request_body = NewParts,
    responses(
        (status = 200, description = "The upload URLs", body = PartUploads),
        BadRequest, NoSuchImage, NotInParts, BodyTooLarge, InvalidBodyType,
    ),
)]
pub(crate) async fn create(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<NewParts>,
) -> Result<Json<PartUploads>, Problem> {
    let record = read(&app, &owner, image_id(&id)?).await?;
    let Some((upload, size)) = in_parts(&record) else {
        return Err(Problem::not_in_parts());
    };
    let parts = body.parts.filter(|parts| (1..=MAX_PARTS).contains(&parts.len()));
    let parts = parts.ok_or_else(|| Problem::invalid_field(PARTS.0, PARTS.1))?;
    let expires_at = Timestamp::now() + SignedDuration::try_from(PART_VALID_FOR).unwrap_or_default();
    let presigned = parts.iter().map(async |part| {
        let new = new_part(upload, size, part).ok_or_else(|| Problem::invalid_field(PARTS.0, PARTS.1))?;
        let (s3, bucket, upload_id) = (&app.s3, &app.bucket, &upload.upload_id);
        let put = objects::presign_part(s3, bucket, &record.key, upload_id, new, PART_VALID_FOR).await?;
        Ok::<_, Problem>(PartUpload {
            number: part.number,
            method: "PUT",
            url: put.url,
            headers: put.headers,
        })
    });
    Ok(Json(PartUploads {
        parts: try_join_all(presigned).await?,
        expires_at: format!("{expires_at:.3}"),
    }))
}

/// Lists the parts that S3 has.
#[utoipa::path(
    get,
    path = "/uploads/{imageId}/parts",
    tag = "uploads",
    operation_id = "listParts",
    summary = "List the parts that have arrived",
    description = "Use it to continue an upload that was interrupted.",
    params(("imageId" = ImageId, Path, description = "As returned by `POST /uploads`")),
    responses(
        (status = 200, description = "The progress", body = UploadProgress),
        BadRequest, NoSuchImage, NotInParts, UploadExpired,
    ),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    Path(id): Path<String>,
) -> Result<Json<UploadProgress>, Problem> {
    let record = read(&app, &owner, image_id(&id)?).await?;
    let complete = UploadProgress {
        complete: true,
        multipart: None,
        parts: vec![],
    };
    let Some((upload, size)) = in_parts(&record) else {
        check_arrived(&record)?;
        return Ok(Json(complete));
    };
    let Some(uploaded) = list_parts(&app, &record, upload).await? else {
        check_completed(&app, &record).await?;
        return Ok(Json(complete));
    };
    let parts = uploaded.into_iter().filter_map(|part| {
        let number = u64::try_from(part.number).ok()?;
        (upload.part_length(size, number) == Some(part.size)).then_some(Part {
            number,
            sha256: part.sha256,
        })
    });
    Ok(Json(UploadProgress {
        complete: false,
        multipart: Some(Multipart::new(upload, size)),
        parts: parts.collect(),
    }))
}

/// Creates the object from the parts, if S3 has exactly these parts and they have the announced size.
#[utoipa::path(
    post,
    path = "/uploads/{imageId}/complete",
    tag = "uploads",
    operation_id = "completeUpload",
    summary = "Complete a multipart upload",
    description = "Checks the parts and starts the workflow. You can repeat the request, also after 503.",
    params(("imageId" = ImageId, Path, description = "As returned by `POST /uploads`")),
    request_body = AllParts,
    responses(
        (status = 204, description = "The file has arrived"),
        BadRequest, NoSuchImage, Incomplete, UploadExpired, BodyTooLarge, InvalidBodyType,
    ),
)]
pub(crate) async fn complete(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    _: NoParameters,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<AllParts>,
) -> Result<StatusCode, Problem> {
    let record = read(&app, &owner, image_id(&id)?).await?;
    let Some((upload, size)) = in_parts(&record) else {
        check_arrived(&record)?;
        return Ok(StatusCode::NO_CONTENT);
    };
    let parts = body.parts.unwrap_or_default();
    let is_all = parts
        .iter()
        .map(|part| part.number)
        .eq(1..=upload.part_count(size));
    if !is_all || !parts.iter().all(|part| is_sha256(&part.sha256)) {
        return Err(Problem::invalid_field(ALL_PARTS.0, ALL_PARTS.1));
    }
    let Some(uploaded) = list_parts(&app, &record, upload).await? else {
        check_completed(&app, &record).await?;
        return Ok(StatusCode::NO_CONTENT);
    };
    let missing = missing(&parts, &uploaded, upload, size);
    if !missing.is_empty() {
        return Err(parts_missing(&missing));
    }
    let (key, upload_id) = (&record.key, &upload.upload_id);
    match objects::complete_multipart_upload(&app.s3, &app.bucket, key, upload_id, &uploaded).await? {
        Completion::Completed => {}
        Completion::NoSuchUpload => check_completed(&app, &record).await?,
        // Between the two calls.
        Completion::PartsChanged => return Err(parts_missing(&[])),
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The upload and the announced size of a file that is uploaded in parts and has not arrived.
fn in_parts(record: &ImageRecord) -> Option<(&MultipartUpload, u64)> {
    record.multipart.as_ref().zip(record.size)
}

/// Checks that the file has arrived, if its record has no multipart upload.
fn check_arrived(record: &ImageRecord) -> Result<(), Problem> {
    match record.status {
        Status::AwaitingUpload => Err(Problem::not_in_parts()),
        _ => Ok(()),
    }
}

/// Checks that an upload that S3 no longer has was completed. Otherwise it was aborted, by a deletion or because it took too
/// long, or a completion of it has not ended.
async fn check_completed(app: &App, record: &ImageRecord) -> Result<(), Problem> {
    if objects::exists(&app.s3, &app.bucket, &record.key).await? {
        return Ok(());
    }
    read(app, &record.owner, record.image_id).await?;
    if has_expired(record, Timestamp::now()) {
        Err(Problem::upload_expired())
    } else {
        Err(Problem::unavailable())
    }
}

/// Whether S3 may have deleted the parts because the upload took too long.
fn has_expired(record: &ImageRecord, now: Timestamp) -> bool {
    let created: Option<Timestamp> = record.created_at.parse().ok();
    created.is_none_or(|created| now.duration_since(created) >= PARTS_KEPT_FOR)
}

async fn list_parts(
    app: &App,
    record: &ImageRecord,
    upload: &MultipartUpload,
) -> Result<Option<Vec<UploadedPart>>, Problem> {
    Ok(objects::list_parts(&app.s3, &app.bucket, &record.key, &upload.upload_id).await?)
}

fn new_part<'a>(upload: &MultipartUpload, size: u64, part: &'a Part) -> Option<objects::NewPart<'a>> {
    Some(objects::NewPart {
        number: i32::try_from(part.number).ok()?,
        size: upload.part_length(size, part.number)?,
        sha256: is_sha256(&part.sha256).then_some(&part.sha256)?,
    })
}

/// The numbers of parts that S3 does not have as they should be. `parts` are all parts in the order of their numbers.
fn missing(parts: &[Part], uploaded: &[UploadedPart], upload: &MultipartUpload, size: u64) -> Vec<u64> {
    let by_number: BTreeMap<_, _> = uploaded
        .iter()
        .map(|part| (u64::try_from(part.number).unwrap_or_default(), part))
        .collect();
    let is_there = |part: &Part| {
        let length = upload.part_length(size, part.number);
        by_number
            .get(&part.number)
            .is_some_and(|there| there.sha256 == part.sha256 && Some(there.size) == length)
    };
    parts
        .iter()
        .filter(|part| !is_there(part))
        .map(|part| part.number)
        .collect()
}

fn parts_missing(numbers: &[u64]) -> Problem {
    let named: Vec<_> = numbers.iter().take(MAX_NAMED).map(u64::to_string).collect();
    let and_more = if numbers.len() > MAX_NAMED {
        " and others"
    } else {
        ""
    };
    let which = match named.as_slice() {
        [] => "Some parts are missing or have a different checksum.".to_owned(),
        [number] => format!("Part {number} is missing or has a different checksum."),
        _ => format!(
            "Parts {}{and_more} are missing or have a different checksum.",
            named.join(", ")
        ),
    };
    Problem::parts_missing(ALL_PARTS.0, &which)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    fn upload() -> MultipartUpload {
        MultipartUpload {
            upload_id: "upload".into(),
            part_size: 10,
        }
    }

    fn part(number: u64, sha256: &str) -> Part {
        Part {
            number,
            sha256: sha256.into(),
        }
    }

    fn uploaded(number: i32, size: u64, sha256: &str) -> UploadedPart {
        UploadedPart {
            number,
            size,
            etag: "\"0a\"".into(),
            sha256: sha256.into(),
        }
    }

    /// Otherwise a file could have different content or a different size than announced.
    #[test]
    fn a_part_with_another_checksum_or_size_is_missing() {
        let all = [part(1, SHA256), part(2, SHA256), part(3, SHA256)];
        let missing = |uploaded: &[UploadedPart]| missing(&all, uploaded, &upload(), 25);
        let right = [
            uploaded(1, 10, SHA256),
            uploaded(2, 10, SHA256),
            uploaded(3, 5, SHA256),
        ];
        assert_eq!(missing(&right), [0; 0]);
        assert_eq!(missing(&right[..2]), [3]);
        let wrong = [
            uploaded(1, 10, SHA256),
            uploaded(2, 10, "other"),
            uploaded(3, 10, SHA256),
        ];
        assert_eq!(missing(&wrong), [2, 3]);
    }

    /// In JSON Schema, `2.0` is a whole number, too.
    #[test]
    fn a_number_of_a_part_is_a_whole_number_in_any_form() {
        let number = |text: &str| {
            let part = format!(r#"{{"number": {text}, "sha256": "a"}}"#);
            serde_json::from_str::<Part>(&part).ok().map(|part| part.number)
        };
        assert_eq!(["2", "2.0"].map(number), [Some(2); 2]);
        assert_eq!(["2.5", "-1", "null", "\"2\""].map(number), [None; 4]);
    }

    #[test]
    fn only_parts_of_the_file_are_presigned() {
        let size = |number| Some(new_part(&upload(), 25, &part(number, SHA256))?.size);
        assert_eq!([1, 3].map(size), [Some(10), Some(5)]);
        assert_eq!([0, 4, u64::MAX].map(size), [None; 3]);
        assert_eq!(new_part(&upload(), 25, &part(1, "abc")), None);
    }
}
