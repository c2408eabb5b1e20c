//! Lists objects.

use crate::delete::timestamp;
use aws::ServiceError;
use aws_sdk_s3::Client;
use aws_sdk_s3::types::EncodingType;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;

const CALL: &str = "s3:ListObjectsV2";

/// An object in a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was created or last replaced.
    pub last_modified: Timestamp,
}

/// A page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objects {
    /// The objects in ascending order of their keys.
    pub objects: Vec<Object>,
    /// Whether there are more.
    pub has_more: bool,
}

/// Lists at most `limit` (1 to 1,000) objects whose keys start with `prefix` and come after `after`. Without versions: only
/// the current ones.
///
/// # Errors
/// The call fails.
pub async fn list(
    s3: &Client,
    bucket: &str,
    prefix: &str,
    after: Option<&str>,
    limit: i32,
) -> Result<Objects, ServiceError> {
    let listed = s3
        .list_objects_v2()
        .bucket(bucket)
        .prefix(prefix)
        .set_start_after(after.map(str::to_owned))
        .max_keys(limit)
        // A key can contain characters that XML cannot, and one such key would make the page unreadable.
        .encoding_type(EncodingType::Url)
        .send()
        .await
        .map_err(|error| ServiceError::of(CALL, &error))?;
    let incomplete = || ServiceError::UnexpectedAnswer(format!("{CALL} returned an incomplete object"));
    let mut objects = vec![];
    for object in listed.contents.unwrap_or_default() {
        let modified = object.last_modified.as_ref().and_then(timestamp);
        objects.push(Object {
            key: object.key.as_deref().and_then(decoded).ok_or_else(incomplete)?,
            size: object
                .size
                .and_then(|size| u64::try_from(size).ok())
                .unwrap_or_default(),
            last_modified: modified.ok_or_else(incomplete)?,
        });
    }
    Ok(Objects {
        objects,
        has_more: listed.is_truncated == Some(true),
    })
}

/// A key that S3 has encoded. It encodes a space as a plus sign, and a plus sign as `%2B`, as in a form. The API reference does
/// not say so, but botocore decodes keys in the same way (`unquote_plus` in `botocore/compat.py`).
fn decoded(key: &str) -> Option<String> {
    let spaces = key.replace('+', " ");
    percent_decode_str(&spaces)
        .decode_utf8()
        .ok()
        .map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    #[tokio::test]
    async fn reads_keys_that_xml_cannot_contain() {
        let rule = mock!(Client::list_objects_v2)
            .match_requests(|request| request.encoding_type() == Some(&EncodingType::Url))
            .then_http_response(|| {
                let body = "<ListBucketResult><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType><Contents>\
                            <Key>uploads/demo/a+b%2Bc%01%C3%A4%2541.jpg</Key><Size>7</Size>\
                            <LastModified>2026-11-22T12:00:00.000Z</LastModified></Contents></ListBucketResult>";
                HttpResponse::new(200.try_into().unwrap(), body.into())
            });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&rule]);
        let listed = list(&s3, "pictures", "uploads/", None, 1000).await.unwrap();
        let expected = Object {
            key: "uploads/demo/a b+c\u{1}ä%41.jpg".into(),
            size: 7,
            last_modified: "2026-11-22T12:00:00Z".parse().unwrap(),
        };
        assert_eq!((listed.objects, listed.has_more), (vec![expected], true));
    }
}
