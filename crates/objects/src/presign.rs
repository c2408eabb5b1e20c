//! Presigned URLs: whoever has one can read or write the object until it expires.

use aws::ServiceError;
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Signed headers that an HTTP client does not set by itself, unlike `host` and `content-length`. The SDK would add the
/// trace id of the calling function, which the bucket's CORS rules do not allow.
const PUT_HEADERS: [&str; 3] = ["content-type", "if-none-match", "x-amz-checksum-sha256"];

/// A presigned URL. Its `Debug` output hides the URL, so that it cannot reach a log.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct PresignedUrl(String);

impl PresignedUrl {
    /// The URL.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PresignedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PresignedUrl(…)")
    }
}

/// A presigned PUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignedPut {
    /// The request's URL.
    pub url: PresignedUrl,
    /// Headers that the request must have, besides those that every HTTP client sets.
    pub headers: BTreeMap<String, String>,
}

/// The only file that a presigned PUT accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewObject<'a> {
    /// Its content type.
    pub content_type: &'a str,
    /// Bytes.
    pub size: u64,
    /// Its SHA-256 in base64.
    pub sha256: &'a str,
}

/// Response headers of a presigned GET, in place of those stored with the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseHeaders {
    /// `Content-Type`
    pub content_type: String,
    /// `Content-Disposition`
    pub content_disposition: String,
}

/// Presigns a PUT that creates exactly this object, once: the signature covers length, type and checksum, and S3
/// answers 412 if the key exists.
///
/// # Errors
/// `valid_for` exceeds a week, or credentials are missing.
pub async fn presign_put(
    s3: &Client,
    bucket: &str,
    key: &str,
    object: NewObject<'_>,
    valid_for: Duration,
) -> Result<PresignedPut, ServiceError> {
    let size = i64::try_from(object.size)
        .map_err(|_| ServiceError::UnexpectedAnswer("the object's size is out of range".into()))?;
    let put = s3
        .put_object()
        .bucket(bucket)
        .key(key)
        .content_length(size)
        .content_type(object.content_type)
        .checksum_sha256(object.sha256)
        .if_none_match("*")
        .presigned(config(valid_for)?)
        .await
        .map_err(|error| ServiceError::of("s3:PutObject (presigning)", &error))?;
    Ok(presigned_put(&put))
}

/// Presigns a GET. The signature covers the response headers. Browsers can use the URL for every key, also for one with
/// `.` or `..` segments.
///
/// # Errors
/// `valid_for` exceeds a week, or credentials are missing.
pub async fn presign_get(
    s3: &Client,
    bucket: &str,
    key: &str,
    headers: Option<ResponseHeaders>,
    valid_for: Duration,
) -> Result<PresignedUrl, ServiceError> {
    let (content_type, content_disposition) = headers
        .map(|headers| (headers.content_type, headers.content_disposition))
        .unzip();
    let get = s3
        .get_object()
        .bucket(bucket)
        .key(key)
        .set_response_content_type(content_type)
        .set_response_content_disposition(content_disposition)
        .presigned(config(valid_for)?)
        .await
        .map_err(|error| ServiceError::of("s3:GetObject (presigning)", &error))?;
    Ok(PresignedUrl(without_dot_segments(get.uri())))
}

/// Encodes the slash before each `.` and `..` segment of the path, so that the segment is no longer one of its own.
///
/// Browsers remove dot segments before they send a request, also those written as `%2E` (WHATWG URL Standard, "path state"),
/// and would ask for another object. They leave `%2F` as it is. S3 decodes the path to get the key. For
/// the signature, it encodes that key again, except for its slashes. Therefore, the signature of the unencoded path stays
/// valid.
fn without_dot_segments(url: &str) -> String {
    let (path, query) = match url.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (url, None),
    };
    let mut changed = String::with_capacity(url.len() + 8);
    for (index, segment) in path.split('/').enumerate() {
        match (index, segment) {
            (0, _) => {}
            // The scheme, an empty text and the host come first. The path must start with a slash.
            (4.., "." | "..") => changed.push_str("%2F"),
            _ => changed.push('/'),
        }
        changed.push_str(segment);
    }
    if let Some(query) = query {
        changed.push('?');
        changed.push_str(query);
    }
    changed
}

/// The URL of a presigned request, and those of its headers that the client must set: see [`PUT_HEADERS`].
pub(crate) fn presigned_put(request: &PresignedRequest) -> PresignedPut {
    let headers = request.headers().filter(|(name, _)| PUT_HEADERS.contains(name));
    PresignedPut {
        url: PresignedUrl(request.uri().to_owned()),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    }
}

pub(crate) fn config(valid_for: Duration) -> Result<PresigningConfig, ServiceError> {
    PresigningConfig::expires_in(valid_for)
        .map_err(|error| ServiceError::UnexpectedAnswer(format!("no presigned URL: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};

    const MINUTE: Duration = Duration::from_secs(60);
    const CAT: NewObject<'_> = NewObject {
        content_type: "image/jpeg",
        size: 131_072,
        sha256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    };

    fn s3() -> Client {
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
            .build();
        Client::from_conf(config)
    }

    #[tokio::test]
    async fn a_presigned_put_accepts_one_file_once() {
        let put = presign_put(&s3(), "pictures", "uploads/demo/a", CAT, MINUTE)
            .await
            .unwrap();
        let url = put.url.as_str();
        assert!(url.contains("X-Amz-Expires=60&"), "{url}");
        let (_, signed) = url.split_once("X-Amz-SignedHeaders=").unwrap();
        for header in [
            "content-length",
            "content-type",
            "if-none-match",
            "x-amz-checksum-sha256",
        ] {
            assert!(
                signed.split('&').next().unwrap().contains(header),
                "{header}: {url}"
            );
        }
        let expected = [
            ("content-type", "image/jpeg"),
            ("if-none-match", "*"),
            ("x-amz-checksum-sha256", CAT.sha256),
        ];
        assert!(
            put.headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .eq(expected)
        );
    }

    #[tokio::test]
    async fn a_presigned_get_decides_the_headers_of_its_response() {
        let headers = ResponseHeaders {
            content_type: "image/png".into(),
            content_disposition: "inline".into(),
        };
        let url = presign_get(&s3(), "pictures", "uploads/demo/a", Some(headers), MINUTE)
            .await
            .unwrap();
        assert!(
            url.as_str().contains("response-content-type=image%2Fpng"),
            "{}",
            url.as_str()
        );
        assert!(
            url.as_str().contains("response-content-disposition=inline"),
            "{}",
            url.as_str()
        );
        let plain = presign_get(&s3(), "pictures", "uploads/demo/a", None, MINUTE)
            .await
            .unwrap();
        assert!(!plain.as_str().contains("response-"), "{}", plain.as_str());
    }

    #[tokio::test]
    async fn browsers_keep_every_segment_of_a_key() {
        for (key, path) in [
            ("uploads/demo/a/../b.png", "/uploads/demo/a%2F../b.png"),
            (
                "uploads/demo/./a/../../b.png",
                "/uploads/demo%2F./a%2F..%2F../b.png",
            ),
            ("uploads/demo/a/..", "/uploads/demo/a%2F.."),
            ("uploads/demo/...", "/uploads/demo/..."),
            ("uploads/demo/.a/..b/c.", "/uploads/demo/.a/..b/c."),
            ("uploads/demo/a//b", "/uploads/demo/a//b"),
            ("uploads/demo/%2e%2e/b", "/uploads/demo/%252e%252e/b"),
            ("uploads/demo/a?/../b", "/uploads/demo/a%3F%2F../b"),
        ] {
            let url = presign_get(&s3(), "pictures", key, None, MINUTE).await.unwrap();
            let seen_by_a_browser = url::Url::parse(url.as_str()).unwrap();
            assert_eq!(seen_by_a_browser.path(), path, "{key}");
            assert_eq!(seen_by_a_browser.as_str(), url.as_str(), "{key}");
            assert!(seen_by_a_browser.query().unwrap().contains("X-Amz-Signature="));
        }
    }

    #[tokio::test]
    async fn no_presigned_url_reaches_a_log() {
        let put = presign_put(&s3(), "pictures", "uploads/demo/a", CAT, MINUTE)
            .await
            .unwrap();
        let logged = format!("{put:?}");
        assert!(
            !logged.contains("http") && !logged.contains("Signature"),
            "{logged}"
        );
    }

    #[tokio::test]
    async fn a_url_is_not_valid_for_more_than_a_week() {
        let url = presign_get(
            &s3(),
            "pictures",
            "a",
            None,
            Duration::from_secs(8 * 24 * 60 * 60),
        )
        .await;
        assert!(matches!(url, Err(ServiceError::UnexpectedAnswer(_))));
    }
}
