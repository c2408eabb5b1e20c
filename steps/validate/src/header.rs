//! Reads as much of an object as its header takes: its start, and seldom another piece.

use crate::ValidateError;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use domain::event::Object;
use lambda::ServiceError;
use picture_header::{Header, HeaderError, Look, Pieces, look};

/// Bytes of a first read; enough for nearly every picture.
const FIRST_READ: u64 = 64 * 1024;
/// Bytes of a later read at most.
const LARGEST_READ: u64 = 1024 * 1024;
/// Most reads: no real file is known that needs more than six.
const MOST_READS: u32 = 24;

/// Reads the object with ranged GETs until the header is found. Gives the size of the whole object as well, in bytes.
pub(crate) async fn read(s3: &Client, bucket: &str, object: &Object) -> Result<(Header, u64), ValidateError> {
    let (start, size) = get_range(s3, bucket, object, 0, FIRST_READ).await?;
    let mut file = Pieces::none(size);
    file.add(0, &start);
    let mut length = FIRST_READ;
    for _ in 1..MOST_READS {
        let from = match look(&file)? {
            Look::Found(header) => return Ok((header, size)),
            Look::ReadOn(from) => from,
        };
        let (piece, _) = get_range(s3, bucket, object, from, from + length).await?;
        // It has become shorter since the last read.
        if piece.is_empty() {
            break;
        }
        file.add(from, &piece);
        length = (2 * length).min(LARGEST_READ);
    }
    Err(HeaderError::Broken.into())
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
            Some("InvalidRange") => HeaderError::Broken.into(),
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
