//! Copies objects from other buckets.

use crate::UnreadableObject;
use aws::ServiceError;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::types::{ChecksumAlgorithm, MetadataDirective, TaggingDirective};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::HashMap;
use std::time::Duration;

/// Everything except the unreserved characters of RFC 3986 and the slashes of the key.
/// Source: S3 API reference, `CopyObject`, `x-amz-copy-source`: "The value must be URL-encoded."
const COPY_SOURCE: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// An object that can be copied: its first bytes and its metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    /// The first bytes. Empty if the object is.
    pub bytes: Vec<u8>,
    /// The size of the whole object, in bytes.
    pub size: u64,
    /// The ETag, in quotes.
    pub etag: String,
    /// When it was last modified: ISO 8601, UTC.
    pub modified: Option<String>,
    /// The user-defined metadata, without the prefix `x-amz-meta-`.
    pub metadata: HashMap<String, String>,
    /// The standard headers that are stored with an object.
    headers: Headers,
}

impl Original {
    /// The length of the user-defined metadata as S3 counts it, in bytes.
    pub fn metadata_bytes(&self) -> usize {
        let entries = self.metadata.iter();
        entries.map(|(name, value)| name.len() + value.len()).sum()
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Headers {
    content_type: Option<String>,
    cache_control: Option<String>,
    content_disposition: Option<String>,
    content_encoding: Option<String>,
    content_language: Option<String>,
    expires: Option<DateTime>,
}

/// Why an object cannot be read or copied. It is about this object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotCopied {
    /// S3 does not return the object.
    Unreadable(UnreadableObject),
    /// S3 or KMS denies access to the object.
    Denied,
    /// The object has another ETag now, or the object under the new key is not as expected.
    Changed,
    /// S3 refuses the copy for another reason.
    Refused,
}

/// Reads the first `length` bytes of an object with its metadata. The inner error says why the object cannot be read.
///
/// # Errors
/// S3 is not available, or the connection breaks.
pub async fn open(
    s3: &Client,
    bucket: &str,
    key: &str,
    length: u64,
) -> Result<Result<Original, NotCopied>, ServiceError> {
    const CALL: &str = "s3:GetObject";
    let answer = s3
        .get_object()
        .bucket(bucket)
        .key(key)
        .range(format!("bytes=0-{}", length - 1))
        .send()
        .await;
    let mut answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("InvalidRange") => return Ok(Ok(Original::empty())),
        Err(error) => {
            if let Some(unreadable) = UnreadableObject::of_get(&error) {
                return Ok(Err(NotCopied::Unreadable(unreadable)));
            }
            return not_copied(ServiceError::of(CALL, &error)).map(Err);
        }
    };
    let body = std::mem::take(&mut answer.body);
    let bytes = body
        .collect()
        .await
        .map_err(|_| ServiceError::ServiceUnavailable(format!("{CALL} was interrupted")))?
        .to_vec();
    let original = Original::of(answer, bytes);
    original
        .map(Ok)
        .ok_or_else(|| ServiceError::UnexpectedAnswer(format!("{CALL} returned no ETag or size")))
}

/// A service error, unless it is about the object.
fn not_copied(error: ServiceError) -> Result<NotCopied, ServiceError> {
    match error {
        ServiceError::AccessDenied(_) => Ok(NotCopied::Denied),
        ServiceError::UnexpectedAnswer(_) => Ok(NotCopied::Refused),
        error => Err(error),
    }
}

impl Original {
    fn empty() -> Self {
        Self {
            bytes: vec![],
            size: 0,
            etag: String::new(),
            modified: None,
            metadata: HashMap::new(),
            headers: Headers {
                content_type: None,
                cache_control: None,
                content_disposition: None,
                content_encoding: None,
                content_language: None,
                expires: None,
            },
        }
    }

    fn of(answer: GetObjectOutput, bytes: Vec<u8>) -> Option<Self> {
        // The header's format: `bytes 0-9/100`.
        let size = answer
            .content_range()
            .and_then(|range| range.rsplit('/').next()?.parse().ok());
        let modified = answer.last_modified();
        Some(Self {
            size: size.or_else(|| u64::try_from(answer.content_length()?).ok())?,
            bytes,
            modified: modified.and_then(|time| time.fmt(Format::DateTime).ok()),
            etag: answer.e_tag?,
            metadata: answer.metadata.unwrap_or_default(),
            headers: Headers {
                content_type: answer.content_type,
                cache_control: answer.cache_control,
                content_disposition: answer.content_disposition,
                content_encoding: answer.content_encoding,
                content_language: answer.content_language,
                expires: answer
                    .expires_string
                    .and_then(|text| DateTime::from_str(&text, Format::HttpDate).ok()),
            },
        })
    }
}

/// Where a copy comes from and goes to.
#[derive(Debug, Clone, Copy)]
pub struct Copy<'a> {
    /// The bucket of the original.
    pub source_bucket: &'a str,
    /// The key of the original.
    pub source_key: &'a str,
    /// The bucket of the copy.
    pub bucket: &'a str,
    /// The key of the copy.
    pub key: &'a str,
    /// The ETag of the object that the copy replaces. `None`: there is no object under the key.
    pub replaces: Option<&'a str>,
}

/// Copies an object with its headers and metadata, and the metadata `added`, if neither the original nor the object under the
/// new key has changed. S3 computes the SHA-256 of the copy. Tags, access rules and the storage class are not copied: they are
/// about the other bucket. The inner error says why the object was not copied.
///
/// `timeout` must be longer than that of other calls: S3 answers when it has copied everything.
///
/// Sources: S3 API reference, `CopyObject`: with the directive `REPLACE`, the copy has only the metadata of the request;
/// `If-None-Match` and `If-Match` are about the object under the new key.
///
/// # Errors
/// S3 is not available.
pub async fn copy(
    s3: &Client,
    original: Original,
    added: impl IntoIterator<Item = (&'static str, String)>,
    copy: Copy<'_>,
    timeout: Duration,
) -> Result<Result<(), NotCopied>, ServiceError> {
    const CALL: &str = "s3:CopyObject";
    let Copy {
        source_bucket,
        source_key,
        bucket,
        key,
        replaces,
    } = copy;
    let mut metadata = original.metadata;
    metadata.extend(added.into_iter().map(|(name, value)| (name.to_owned(), value)));
    let Headers {
        content_type,
        cache_control,
        content_disposition,
        content_encoding,
        content_language,
        expires,
    } = original.headers;
    let source = format!("{source_bucket}/{}", utf8_percent_encode(source_key, COPY_SOURCE));
    let mut request = s3
        .copy_object()
        .copy_source(source)
        .copy_source_if_match(original.etag)
        .bucket(bucket)
        .key(key)
        .checksum_algorithm(ChecksumAlgorithm::Sha256)
        .tagging_directive(TaggingDirective::Replace)
        .metadata_directive(MetadataDirective::Replace)
        .set_metadata(Some(metadata))
        .set_content_type(content_type)
        .set_cache_control(cache_control)
        .set_content_disposition(content_disposition)
        .set_content_encoding(content_encoding)
        .set_content_language(content_language)
        .set_expires(expires);
    request = match replaces {
        Some(etag) => request.if_match(etag),
        None => request.if_none_match("*"),
    };
    let timeout = TimeoutConfig::builder().operation_timeout(timeout).build();
    let answer = request
        .customize()
        .config_override(Builder::default().timeout_config(timeout))
        .send()
        .await;
    match answer {
        // An error after S3 has sent the status 200 is in the body.
        Ok(answer) if answer.copy_object_result().is_some() => Ok(Ok(())),
        Ok(_) => Err(ServiceError::ServiceUnavailable(format!("{CALL} has no result"))),
        Err(error) => {
            let status = error.raw_response().map(|raw| raw.status().as_u16());
            if let Some(unreadable) = UnreadableObject::of_get(&error) {
                return Ok(Err(NotCopied::Unreadable(unreadable)));
            }
            match (error.code(), status) {
                (Some("PreconditionFailed"), _) | (None, Some(412)) => Ok(Err(NotCopied::Changed)),
                // Another write to the same key has not ended.
                (Some("ConditionalRequestConflict"), _) | (None, Some(409)) => Err(ServiceError::Throttled(
                    format!("{CALL} conflicts with another write"),
                )),
                _ => not_copied(ServiceError::of(CALL, &error)).map(Err),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_sdk_s3::operation::copy_object::CopyObjectOutput;
    use aws_sdk_s3::types::CopyObjectResult;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    fn original() -> Original {
        let mut original = Original::empty();
        original.etag = "\"0a\"".into();
        original.metadata.insert("camera".into(), "X100".into());
        original.headers.content_type = Some("image/jpeg".into());
        original
    }

    const FROM_A_TO_B: Copy<'_> = Copy {
        source_bucket: "holidays",
        source_key: "2019/ä b+c%20d.jpg",
        bucket: "pictures",
        key: "uploads/demo/a.jpg",
        replaces: None,
    };

    const TIMEOUT: Duration = Duration::from_secs(30);

    /// The result of a copy if S3 answers with this error.
    async fn fails(code: &'static str, status: u16) -> Result<Result<(), NotCopied>, ServiceError> {
        let rule = mock!(Client::copy_object).then_http_response(move || {
            let body = format!("<Error><Code>{code}</Code></Error>");
            HttpResponse::new(status.try_into().unwrap(), body.into())
        });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&rule]);
        copy(&s3, original(), [], FROM_A_TO_B, TIMEOUT).await
    }

    /// With an undecoded `+` or `%`, S3 would copy another object or none.
    #[tokio::test]
    async fn the_key_of_the_source_is_encoded_and_everything_about_the_file_is_kept() {
        let rule = mock!(Client::copy_object)
            .match_requests(|request| {
                let metadata = request.metadata().unwrap();
                request.copy_source() == Some("holidays/2019/%C3%A4%20b%2Bc%2520d.jpg")
                    && request.copy_source_if_match() == Some("\"0a\"")
                    && request.if_none_match() == Some("*")
                    && request.content_type() == Some("image/jpeg")
                    && metadata["camera"] == "X100"
                    && metadata["import-etag"] == "0a"
            })
            .then_output(|| {
                let result = CopyObjectResult::builder().e_tag("\"0b\"").build();
                CopyObjectOutput::builder().copy_object_result(result).build()
            });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&rule]);
        let added = [("import-etag", "0a".to_owned())];
        let copied = copy(&s3, original(), added, FROM_A_TO_B, TIMEOUT).await;
        assert_eq!(copied, Ok(Ok(())));
    }

    /// One object that cannot be copied must not end an import of a million, and an outage must not count as a property of
    /// each object.
    #[tokio::test]
    async fn distinguishes_objects_that_cannot_be_copied_from_outages() {
        for (code, status, expected) in [
            ("PreconditionFailed", 412, NotCopied::Changed),
            ("AccessDenied", 403, NotCopied::Denied),
            ("NoSuchKey", 404, NotCopied::Unreadable(UnreadableObject::Gone)),
            (
                "InvalidObjectState",
                403,
                NotCopied::Unreadable(UnreadableObject::Archived),
            ),
            ("EntityTooLarge", 400, NotCopied::Refused),
        ] {
            assert_eq!(fails(code, status).await, Ok(Err(expected)), "{code}");
        }
        for (code, status) in [
            ("SlowDown", 503),
            ("InternalError", 500),
            ("ConditionalRequestConflict", 409),
        ] {
            assert!(fails(code, status).await.is_err(), "{code}");
        }
    }
}
