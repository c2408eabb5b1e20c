//! Reads pictures from the bucket, writes those that are made of them, and tells whose they are by then: for `convert`
//! and `thumbnails`.

mod holder;

pub use holder::{Holder, holder};

use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::primitives::ByteStream;
use domain::image::MAX_BYTES;
use lambda::ServiceError;

/// The whole object, at most [`MAX_BYTES`]; `None` where it is gone.
///
/// # Errors
/// S3 refuses, breaks off, or holds another object by now, which is larger than any that is taken.
pub async fn read(
    s3: &Client,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<Option<Vec<u8>>, ServiceError> {
    let call = "s3:GetObject";
    let answer = s3
        .get_object()
        .bucket(bucket)
        .key(key)
        .set_version_id(version_id.map(str::to_owned))
        .send()
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            return match error.code() {
                Some("NoSuchKey" | "NoSuchVersion" | "NotFound" | "MethodNotAllowed") => Ok(None),
                _ => Err(ServiceError::of(call, &error)),
            };
        }
    };
    // All at once, so that a large file is not held twice while its memory grows.
    let announced = answer
        .content_length()
        .and_then(|length| u64::try_from(length).ok());
    let too_large = || ServiceError::UnexpectedAnswer(format!("{call} gave more than {MAX_BYTES} bytes"));
    let length = announced
        .filter(|length| *length <= MAX_BYTES)
        .ok_or_else(too_large)?;
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    let mut body = answer.body;
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|_| ServiceError::ServiceUnavailable(format!("{call} broke off")))?;
        if (bytes.len() + chunk.len()) as u64 > length {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// Writes a JPEG.
///
/// # Errors
/// S3 refuses.
pub async fn write_jpeg(s3: &Client, bucket: &str, key: &str, bytes: Vec<u8>) -> Result<(), ServiceError> {
    s3.put_object()
        .bucket(bucket)
        .key(key)
        .content_type("image/jpeg")
        .body(ByteStream::from(bytes))
        .send()
        .await
        .map(drop)
        .map_err(|error| ServiceError::of("s3:PutObject", &error))
}

/// Deletes an object, which may be gone already.
///
/// # Errors
/// S3 refuses.
pub async fn delete(s3: &Client, bucket: &str, key: &str) -> Result<(), ServiceError> {
    s3.delete_object()
        .bucket(bucket)
        .key(key)
        .send()
        .await
        .map(drop)
        .map_err(|error| ServiceError::of("s3:DeleteObject", &error))
}
