//! Reads objects.

use crate::UnreadableObject;
use aws::ServiceError;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use domain::image::MAX_BYTES;

const CALL: &str = "s3:GetObject";

/// S3's error code for a range that contains no byte of the object.
const INVALID_RANGE: &str = "InvalidRange";

/// Reads a whole object of at most [`MAX_BYTES`] bytes. The inner error says why S3 does not return the object.
///
/// # Errors
/// The call fails, the connection breaks, or the object is larger than [`MAX_BYTES`]. The caller has checked the size,
/// so a larger object has replaced the checked one.
pub async fn read(
    s3: &Client,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<Result<Vec<u8>, UnreadableObject>, ServiceError> {
    let answer = match get(s3, bucket, key, version_id).send().await {
        Ok(answer) => answer,
        Err(error) => return unreadable(&error).map(Err),
    };
    let too_large = || ServiceError::UnexpectedAnswer(format!("{CALL} returned more than {MAX_BYTES} bytes"));
    let length = content_length(&answer)
        .filter(|length| *length <= MAX_BYTES)
        .ok_or_else(too_large)?;
    // Allocated once, so that a large file is not held twice while the buffer grows.
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    let mut body = answer.body;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| interrupted())?;
        if (bytes.len() + chunk.len()) as u64 > length {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Ok(bytes))
}

/// Part of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// The bytes of the range that exist. Empty if the object ends before the range, as an empty object does.
    pub bytes: Vec<u8>,
    /// The size of the whole object, in bytes. 0 if `bytes` is empty.
    pub object_size: u64,
}

/// Reads the bytes from `from` (inclusive) to `to` (exclusive). The inner error says why S3 does not return the object.
///
/// # Errors
/// The call fails, or the connection breaks.
pub async fn read_range(
    s3: &Client,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
    (from, to): (u64, u64),
) -> Result<Result<Range, UnreadableObject>, ServiceError> {
    let answer = get(s3, bucket, key, version_id)
        .range(format!("bytes={from}-{}", to - 1))
        .send()
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.code() == Some(INVALID_RANGE) => {
            return Ok(Ok(Range {
                bytes: vec![],
                object_size: 0,
            }));
        }
        Err(error) => return unreadable(&error).map(Err),
    };
    // The header's format: `bytes 0-9/100`.
    let size_in_header = answer
        .content_range()
        .and_then(|range| range.rsplit('/').next()?.parse().ok());
    let object_size = size_in_header
        .or_else(|| content_length(&answer))
        .unwrap_or_default();
    let bytes = answer.body.collect().await.map_err(|_| interrupted())?.to_vec();
    Ok(Ok(Range { bytes, object_size }))
}

/// Checks whether S3 returns the object. Reads the first byte instead of sending a HEAD, because answers to HEAD have
/// no error code. The inner error says why S3 does not return the object.
///
/// # Errors
/// The call fails.
pub async fn check_readable(
    s3: &Client,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<Result<(), UnreadableObject>, ServiceError> {
    let range = read_range(s3, bucket, key, version_id, (0, 1)).await?;
    Ok(range.map(drop))
}

fn get(s3: &Client, bucket: &str, key: &str, version_id: Option<&str>) -> GetObjectFluentBuilder {
    s3.get_object()
        .bucket(bucket)
        .key(key)
        .set_version_id(version_id.map(str::to_owned))
}

/// Why S3 does not return the object, or the error of the call.
fn unreadable(error: &SdkError<GetObjectError>) -> Result<UnreadableObject, ServiceError> {
    UnreadableObject::of_get(error).ok_or_else(|| ServiceError::of(CALL, error))
}

fn content_length(answer: &GetObjectOutput) -> Option<u64> {
    answer
        .content_length()
        .and_then(|length| u64::try_from(length).ok())
}

fn interrupted() -> ServiceError {
    ServiceError::ServiceUnavailable(format!("{CALL} was interrupted"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::error::ErrorMetadata;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    /// The result of `check_readable` if S3 answers with this error.
    async fn check(code: &'static str, status: u16) -> Result<Result<(), UnreadableObject>, ServiceError> {
        let get = mock!(Client::get_object).then_http_response(move || {
            let body = format!("<Error><Code>{code}</Code></Error>");
            HttpResponse::new(status.try_into().unwrap(), body.into())
        });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&get]);
        check_readable(&s3, "pictures", "uploads/demo/a", None).await
    }

    #[tokio::test]
    async fn distinguishes_unreadable_objects_from_failed_calls() {
        for (code, status, expected) in [
            ("NoSuchKey", 404, Err(UnreadableObject::Gone)),
            ("NoSuchVersion", 404, Err(UnreadableObject::Gone)),
            ("MethodNotAllowed", 405, Err(UnreadableObject::Gone)),
            ("InvalidObjectState", 403, Err(UnreadableObject::Archived)),
            ("InvalidRequest", 400, Err(UnreadableObject::Encrypted)),
            // The object is empty.
            ("InvalidRange", 416, Ok(())),
        ] {
            assert_eq!(check(code, status).await, Ok(expected), "{code}");
        }
        for (code, status) in [("ExpiredToken", 400), ("AccessDenied", 403), ("SlowDown", 503)] {
            assert!(check(code, status).await.is_err(), "{code}");
        }
    }

    #[test]
    fn an_error_that_is_not_about_the_object_is_a_service_error() {
        let metadata = ErrorMetadata::builder().code("AccessDenied").build();
        let answer = HttpResponse::new(403.try_into().unwrap(), "".into());
        let error = SdkError::service_error(GetObjectError::generic(metadata), answer);
        assert!(matches!(unreadable(&error), Err(ServiceError::AccessDenied(_))));
    }
}
