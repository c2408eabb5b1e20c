//! Writes objects.

use aws::ServiceError;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;

/// Writes an object.
///
/// # Errors
/// The call to S3 fails.
pub async fn write(
    s3: &Client,
    bucket: &str,
    key: &str,
    content_type: &str,
    bytes: Vec<u8>,
) -> Result<(), ServiceError> {
    s3.put_object()
        .bucket(bucket)
        .key(key)
        .content_type(content_type)
        .body(ByteStream::from(bytes))
        .send()
        .await
        .map(drop)
        .map_err(|error| ServiceError::of("s3:PutObject", &error))
}
