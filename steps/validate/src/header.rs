//! Reads as much of an object's start as its header takes.

use crate::ValidateError;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use domain::event::Object;
use lambda::ServiceError;
use picture_header::{Header, HeaderError, Look, look};

/// Enough for nearly every picture.
const FIRST_READ: u64 = 64 * 1024;
/// A JPEG's dimensions can stand behind any number of segments of 64 KiB (color profiles, previews).
const MOST_READ: u64 = 8 * 1024 * 1024;

impl From<HeaderError> for ValidateError {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::OtherKind(kind) => Self::UnsupportedFormat(kind),
            HeaderError::Broken => Self::Broken,
        }
    }
}

/// Reads the object with ranged GETs, each as long as all before it, until the dimensions are found. Gives the size of
/// the whole object as well, in bytes.
pub(crate) async fn read(s3: &Client, bucket: &str, object: &Object) -> Result<(Header, u64), ValidateError> {
    let mut bytes = Vec::new();
    loop {
        let from = bytes.len() as u64;
        let (chunk, size) = get_range(s3, bucket, object, from, FIRST_READ.max(2 * from)).await?;
        let ended = chunk.is_empty();
        bytes.extend(chunk);
        match look(&bytes)? {
            Look::Found(header) => return Ok((header, size)),
            Look::NeedsMore if ended || bytes.len() as u64 >= size.min(MOST_READ) => {
                return Err(ValidateError::Broken);
            }
            Look::NeedsMore => {}
        }
    }
}

/// The bytes from `from` up to, not including, `to`, and the whole object's size.
async fn get_range(
    s3: &Client,
    bucket: &str,
    object: &Object,
    from: u64,
    to: u64,
) -> Result<(Vec<u8>, u64), ValidateError> {
    let call = "s3:GetObject";
    let answer = s3
        .get_object()
        .bucket(bucket)
        .key(&object.key)
        .set_version_id(object.version_id.clone())
        .range(format!("bytes={from}-{}", to - 1))
        .send()
        .await
        .map_err(|error| match error.code() {
            Some("NoSuchKey" | "NoSuchVersion" | "NotFound" | "MethodNotAllowed") => {
                ValidateError::ObjectGone
            }
            // No byte of the range exists: the object is empty, or has become shorter since the last read.
            Some("InvalidRange") if from == 0 => ValidateError::Empty,
            Some("InvalidRange") => ValidateError::Broken,
            _ => ServiceError::of(call, &error).into(),
        })?;
    let whole = answer
        .content_range()
        .and_then(|range| range.rsplit('/').next()?.parse().ok());
    let size = whole.or_else(|| {
        answer
            .content_length()
            .and_then(|length| u64::try_from(length).ok())
    });
    let chunk = answer
        .body
        .collect()
        .await
        .map_err(|_| ServiceError::ServiceUnavailable(format!("{call} broke off")))?
        .to_vec();
    Ok((chunk, size.unwrap_or_default()))
}
