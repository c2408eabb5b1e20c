//! Reads objects.

use crate::UnreadableObject;
use aws::ServiceError;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::builders::GetObjectFluentBuilder;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use aws_sdk_s3::primitives::ByteStream;
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
/// A server may ignore the range and return the whole object (RFC 9110, 14.2). S3 does not, but the emulator does for
/// requests with a version. Then only the range is kept.
///
/// # Errors
/// The call fails, the connection breaks, or the answer has another range.
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
    let (start, object_size) = match answer.content_range() {
        Some(header) => parse_content_range(header)
            .ok_or_else(|| ServiceError::UnexpectedAnswer(format!("{CALL} returned the range {header:?}")))?,
        None => (0, content_length(&answer).unwrap_or_default()),
    };
    if start > from {
        let message = format!("{CALL} returned a range from {start} instead of {from}");
        return Err(ServiceError::UnexpectedAnswer(message));
    }
    let bytes = part(answer.body, from - start, to - from).await?;
    let object_size = if bytes.is_empty() { 0 } else { object_size };
    Ok(Ok(Range { bytes, object_size }))
}

/// The first byte of the range and the object's size in a header of the form `bytes 0-9/100`.
fn parse_content_range(header: &str) -> Option<(u64, u64)> {
    let (range, size) = header.strip_prefix("bytes ")?.split_once('/')?;
    let (start, _) = range.split_once('-')?;
    Some((start.parse().ok()?, size.parse().ok()?))
}

/// At most `length` bytes after the first `skipped` ones. Reads nothing behind them.
async fn part(mut body: ByteStream, mut skipped: u64, length: u64) -> Result<Vec<u8>, ServiceError> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let mut bytes = Vec::new();
    while bytes.len() < length {
        let Some(chunk) = body.next().await else {
            break;
        };
        let chunk = chunk.map_err(|_| interrupted())?;
        let before = chunk.len().min(usize::try_from(skipped).unwrap_or(usize::MAX));
        skipped -= before as u64;
        let wanted = &chunk[before..];
        bytes.extend_from_slice(&wanted[..wanted.len().min(length - bytes.len())]);
    }
    Ok(bytes)
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

    /// The result of reading bytes 2 to 4 if S3 answers with these bytes, and the header `Content-Range` if it is not empty.
    async fn third_and_fourth(
        body: &'static str,
        content_range: &'static str,
    ) -> Result<Range, ServiceError> {
        let get = mock!(Client::get_object).then_http_response(move || {
            let mut answer = HttpResponse::new(206.try_into().unwrap(), body.into());
            answer
                .headers_mut()
                .insert("content-length", body.len().to_string());
            if !content_range.is_empty() {
                answer.headers_mut().insert("content-range", content_range);
            }
            answer
        });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&get]);
        let read = read_range(&s3, "pictures", "uploads/demo/a", Some("a version"), (2, 4)).await?;
        Ok(read.expect("a readable object"))
    }

    /// If the start of a longer response were used, a frame of a video would be read from the wrong position, and the video would
    /// count as damaged.
    #[tokio::test]
    async fn reads_the_range_also_from_a_server_that_returns_more() {
        for (body, header, bytes, object_size) in [
            ("23", "bytes 2-3/10", "23", 10),
            ("0123456789", "", "23", 10),
            ("0123", "bytes 0-3/10", "23", 10),
            ("2", "bytes 2-2/3", "2", 3),
            ("012", "", "2", 3),
            ("01", "", "", 0),
        ] {
            let expected = Range {
                bytes: bytes.into(),
                object_size,
            };
            assert_eq!(
                third_and_fourth(body, header).await,
                Ok(expected),
                "{body} {header}"
            );
        }
        for header in ["bytes 3-4/10", "bytes 2-3/*", "2-3/10"] {
            let read = third_and_fourth("34", header).await;
            assert!(
                matches!(read, Err(ServiceError::UnexpectedAnswer(_))),
                "{header}: {read:?}"
            );
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
