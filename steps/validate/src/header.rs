//! Reads the part of an object that contains the picture's header: its start, and rarely another part. Recognizes videos.

use crate::{ValidateError, check_bytes};
use aws_sdk_s3::Client;
use domain::Claim;
use objects::{Range, read_range};
use picture_header::reads::{FIRST_READ_BYTES, MAX_READ_BYTES, MAX_READS};
use picture_header::{Header, HeaderError, Look, Pieces, look};

/// Reads the object with ranged GETs until the header is complete. Returns the header and the object's size in bytes. `None` if
/// the file is a video, by its first bytes.
pub(crate) async fn read(s3: &Client, claim: &Claim) -> Result<Option<(Header, u64)>, ValidateError> {
    let range = async |from, to| {
        let version = claim.version_id.as_deref();
        read_range(s3, &claim.bucket, &claim.key, version, (from, to)).await
    };
    let Range { bytes, object_size } = range(0, FIRST_READ_BYTES).await??;
    if bytes.is_empty() {
        return Err(ValidateError::Empty);
    }
    let mut file = Pieces::none(object_size);
    file.add(0, &bytes);
    if matches!(video_header::container(&file), Ok(video_header::Look::Found(_))) {
        return Ok(None);
    }
    // No more than the start of a file that is too large is read.
    check_bytes(object_size)?;
    let mut length = FIRST_READ_BYTES;
    for _ in 1..MAX_READS {
        let from = match look(&file)? {
            Look::Found(header) => return Ok(Some((header, object_size))),
            Look::ReadOn(from) => from,
        };
        let Range { bytes, .. } = range(from, from + length).await??;
        // The object has been replaced by a shorter one since the last read.
        if bytes.is_empty() {
            break;
        }
        file.add(from, &bytes);
        length = (2 * length).min(MAX_READ_BYTES);
    }
    Err(HeaderError::Broken.into())
}
