//! Uploads of large files in parts.
//!
//! S3 assembles the object from the parts when the upload is completed. Each part has its own SHA-256, which the presigned
//! request names, S3 compares with the part's bytes, and the completion names again. So the whole file is checked although
//! nobody computes its checksum: S3 has the same parts in the same order. Sources: S3 User Guide, "Uploading and copying
//! objects using multipart upload" and "Checking object integrity"; S3 API reference.

use crate::presign::{PresignedPut, config, presigned_put};
use aws::ServiceError;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, Part};
use std::time::Duration;

/// The timeout of a completion. "The processing of a CompleteMultipartUpload request could take several minutes" (S3 API
/// reference); a repeated request learns the result. Below the API's own limit.
const COMPLETE_TIMEOUT: Duration = Duration::from_secs(20);

/// S3 does not know the upload: it was completed or aborted.
const NO_SUCH_UPLOAD: &str = "NoSuchUpload";

/// The only part that a presigned request accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewPart<'a> {
    /// From 1 to 10,000.
    pub number: i32,
    /// Bytes.
    pub size: u64,
    /// Its SHA-256 in base64.
    pub sha256: &'a str,
}

/// A part that S3 has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedPart {
    /// From 1 to 10,000.
    pub number: i32,
    /// Bytes.
    pub size: u64,
    /// The ETag, in quotes.
    pub etag: String,
    /// Its SHA-256 in base64.
    pub sha256: String,
}

/// The result of [`complete_multipart_upload`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completion {
    /// The object exists.
    Completed,
    /// The upload was completed or aborted before.
    NoSuchUpload,
    /// S3 no longer has exactly these parts.
    PartsChanged,
}

/// Starts an upload whose parts need a SHA-256. Returns its id.
///
/// # Errors
/// The call fails.
pub async fn create_multipart_upload(
    s3: &Client,
    bucket: &str,
    key: &str,
    content_type: &str,
) -> Result<String, ServiceError> {
    const CALL: &str = "s3:CreateMultipartUpload";
    let created = s3
        .create_multipart_upload()
        .bucket(bucket)
        .key(key)
        .content_type(content_type)
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .checksum_type(ChecksumType::Composite)
        .send()
        .await
        .map_err(|error| ServiceError::of(CALL, &error))?;
    created
        .upload_id
        .ok_or_else(|| ServiceError::UnexpectedAnswer(format!("{CALL} returned no upload id")))
}

/// Presigns the request that uploads exactly this part: the signature covers length and checksum. It can be repeated.
///
/// # Errors
/// `valid_for` exceeds a week, or credentials are missing.
pub async fn presign_part(
    s3: &Client,
    bucket: &str,
    key: &str,
    upload_id: &str,
    part: NewPart<'_>,
    valid_for: Duration,
) -> Result<PresignedPut, ServiceError> {
    let size = i64::try_from(part.size)
        .map_err(|_| ServiceError::UnexpectedAnswer("the part's size is out of range".into()))?;
    let put = s3
        .upload_part()
        .bucket(bucket)
        .key(key)
        .upload_id(upload_id)
        .part_number(part.number)
        .content_length(size)
        .checksum_sha256(part.sha256)
        .presigned(config(valid_for)?)
        .await
        .map_err(|error| ServiceError::of("s3:UploadPart (presigning)", &error))?;
    Ok(presigned_put(&put))
}

/// The parts that S3 has, in ascending order of their numbers. `None` if the upload was completed or aborted.
///
/// # Errors
/// A call fails.
pub async fn list_parts(
    s3: &Client,
    bucket: &str,
    key: &str,
    upload_id: &str,
) -> Result<Option<Vec<UploadedPart>>, ServiceError> {
    const CALL: &str = "s3:ListParts";
    let mut parts = vec![];
    let mut after = None;
    loop {
        let request = s3.list_parts().bucket(bucket).key(key).upload_id(upload_id);
        let listed = match request.set_part_number_marker(after).send().await {
            Ok(listed) => listed,
            Err(error) if error.code() == Some(NO_SUCH_UPLOAD) => return Ok(None),
            Err(error) => return Err(ServiceError::of(CALL, &error)),
        };
        for part in listed.parts.unwrap_or_default() {
            let part = uploaded(part);
            parts.push(part.ok_or_else(|| {
                ServiceError::UnexpectedAnswer(format!("{CALL} returned an incomplete part"))
            })?);
        }
        match listed.next_part_number_marker {
            Some(next) if listed.is_truncated == Some(true) => after = Some(next),
            _ => return Ok(Some(parts)),
        }
    }
}

fn uploaded(part: Part) -> Option<UploadedPart> {
    Some(UploadedPart {
        number: part.part_number?,
        size: u64::try_from(part.size?).ok()?,
        etag: part.e_tag?,
        sha256: part.checksum_sha256?,
    })
}

/// Creates the object from these parts, which are all parts of the file in ascending order of their numbers.
///
/// # Errors
/// The call fails, or takes too long. Then the upload may be complete nevertheless.
pub async fn complete_multipart_upload(
    s3: &Client,
    bucket: &str,
    key: &str,
    upload_id: &str,
    parts: &[UploadedPart],
) -> Result<Completion, ServiceError> {
    let completed = parts.iter().map(|part| {
        CompletedPart::builder()
            .part_number(part.number)
            .e_tag(&part.etag)
            .checksum_sha256(&part.sha256)
            .build()
    });
    let upload = CompletedMultipartUpload::builder()
        .set_parts(Some(completed.collect()))
        .build();
    // S3 compares it with the sum of the parts.
    let size: u64 = parts.iter().map(|part| part.size).sum();
    let timeout = TimeoutConfig::builder()
        .operation_timeout(COMPLETE_TIMEOUT)
        .build();
    let answer = s3
        .complete_multipart_upload()
        .bucket(bucket)
        .key(key)
        .upload_id(upload_id)
        .multipart_upload(upload)
        .checksum_type(ChecksumType::Composite)
        .set_mpu_object_size(i64::try_from(size).ok())
        .customize()
        .config_override(Builder::default().timeout_config(timeout))
        .send()
        .await;
    match answer {
        Ok(_) => Ok(Completion::Completed),
        Err(error) => match error.code() {
            Some(NO_SUCH_UPLOAD) => Ok(Completion::NoSuchUpload),
            // The codes of the S3 API reference, and the one for another size.
            Some("InvalidPart" | "InvalidPartOrder" | "EntityTooSmall" | "InvalidRequest" | "BadDigest") => {
                Ok(Completion::PartsChanged)
            }
            _ => Err(ServiceError::of("s3:CompleteMultipartUpload", &error)),
        },
    }
}

/// Deletes the parts of an upload that is not complete. Does nothing if the upload was completed or aborted.
///
/// # Errors
/// The call fails.
pub async fn abort_multipart_upload(
    s3: &Client,
    bucket: &str,
    key: &str,
    upload_id: &str,
) -> Result<(), ServiceError> {
    let aborted = s3
        .abort_multipart_upload()
        .bucket(bucket)
        .key(key)
        .upload_id(upload_id)
        .send()
        .await;
    match aborted {
        Ok(_) => Ok(()),
        Err(SdkError::ServiceError(error)) if error.err().code() == Some(NO_SUCH_UPLOAD) => Ok(()),
        Err(error) => Err(ServiceError::of("s3:AbortMultipartUpload", &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
    use aws_sdk_s3::operation::list_parts::ListPartsOutput;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    const SHA256: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    fn part(number: i32) -> UploadedPart {
        UploadedPart {
            number,
            size: 5,
            etag: "\"0a\"".into(),
            sha256: SHA256.into(),
        }
    }

    /// A client could otherwise upload more than it has announced.
    #[tokio::test]
    async fn a_presigned_part_accepts_only_these_bytes() {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .build();
        let new = NewPart {
            number: 7,
            size: 8,
            sha256: SHA256,
        };
        let s3 = Client::from_conf(config);
        let valid_for = Duration::from_secs(60);
        let put = presign_part(&s3, "pictures", "uploads/demo/a", "upload", new, valid_for)
            .await
            .unwrap();
        let url = url::Url::parse(put.url.as_str()).unwrap();
        let parameter = |wanted: &str| {
            let mut found = url.query_pairs().filter(|(name, _)| name == wanted);
            found.next().map(|(_, value)| value.into_owned())
        };
        assert_eq!(parameter("partNumber").as_deref(), Some("7"));
        assert_eq!(parameter("uploadId").as_deref(), Some("upload"));
        let signed = parameter("X-Amz-SignedHeaders").unwrap();
        // Every other header would have to be sent, too.
        assert_eq!(signed, "content-length;host;x-amz-checksum-sha256");
        let headers: Vec<_> = put.headers.iter().collect();
        assert_eq!(
            headers,
            [(&"x-amz-checksum-sha256".to_owned(), &SHA256.to_owned())]
        );
    }

    #[tokio::test]
    async fn lists_the_parts_of_all_pages() {
        let page = |numbers: std::ops::Range<i32>, next: Option<&'static str>| {
            let parts = numbers.map(|number| {
                let part = Part::builder().part_number(number).size(5);
                part.e_tag("\"0a\"").checksum_sha256(SHA256).build()
            });
            ListPartsOutput::builder()
                .set_parts(Some(parts.collect()))
                .is_truncated(next.is_some())
                .set_next_part_number_marker(next.map(str::to_owned))
                .build()
        };
        let first = mock!(Client::list_parts)
            .match_requests(|request| request.part_number_marker().is_none())
            .then_output(move || page(1..1001, Some("1000")));
        let second = mock!(Client::list_parts)
            .match_requests(|request| request.part_number_marker() == Some("1000"))
            .then_output(move || page(1001..1003, None));
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&first, &second]);
        let listed = list_parts(&s3, "pictures", "uploads/demo/a", "upload").await;
        assert_eq!(listed, Ok(Some((1..1003).map(part).collect())));
    }

    fn error(code: &'static str, status: u16) -> HttpResponse {
        let body = format!("<Error><Code>{code}</Code></Error>");
        HttpResponse::new(status.try_into().unwrap(), body.into())
    }

    async fn complete(code: &'static str, status: u16) -> Result<Completion, ServiceError> {
        let rule = mock!(Client::complete_multipart_upload).then_http_response(move || error(code, status));
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&rule]);
        complete_multipart_upload(&s3, "pictures", "uploads/demo/a", "upload", &[part(1)]).await
    }

    #[tokio::test]
    async fn distinguishes_wrong_parts_from_finished_uploads_and_outages() {
        assert_eq!(complete("NoSuchUpload", 404).await, Ok(Completion::NoSuchUpload));
        for code in [
            "InvalidPart",
            "InvalidPartOrder",
            "EntityTooSmall",
            "InvalidRequest",
        ] {
            assert_eq!(complete(code, 400).await, Ok(Completion::PartsChanged), "{code}");
        }
        for (code, status) in [("SlowDown", 503), ("InternalError", 500), ("AccessDenied", 403)] {
            assert!(complete(code, status).await.is_err(), "{code}");
        }
    }

    /// S3 sends the status before it has the result. The file would be lost if the error counted as success.
    #[tokio::test]
    async fn an_error_after_the_status_200_is_an_error() {
        assert!(complete("InternalError", 200).await.is_err());
    }

    #[tokio::test]
    async fn an_upload_that_has_ended_is_no_error() {
        let list = mock!(Client::list_parts).then_http_response(|| error(NO_SUCH_UPLOAD, 404));
        let abort = mock!(Client::abort_multipart_upload).then_http_response(|| error(NO_SUCH_UPLOAD, 404));
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&list, &abort]);
        let key = "uploads/demo/a";
        assert_eq!(list_parts(&s3, "pictures", key, "upload").await, Ok(None));
        assert_eq!(
            abort_multipart_upload(&s3, "pictures", key, "upload").await,
            Ok(())
        );
    }
}
