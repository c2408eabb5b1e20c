//! Finds buckets and objects without reading them.

use aws::ServiceError;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_smithy_runtime_api::http::Response;
use std::collections::HashMap;

/// The header that names a bucket's region, also in answers to callers who cannot use the bucket there.
/// Source: S3 API reference, `HeadBucket`.
const BUCKET_REGION: &str = "x-amz-bucket-region";

/// An object, as S3 describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The ETag, in quotes.
    pub etag: String,
    /// The user-defined metadata.
    pub metadata: HashMap<String, String>,
}

/// Describes an object. `None` if there is none under the key. Needs the permissions `s3:GetObject` and, on the bucket,
/// `s3:ListBucket`: without the latter, S3 answers 403 for an object that does not exist.
///
/// # Errors
/// The call fails.
pub async fn find(s3: &Client, bucket: &str, key: &str) -> Result<Option<Found>, ServiceError> {
    match s3.head_object().bucket(bucket).key(key).send().await {
        Ok(head) => Ok(Some(Found {
            etag: head.e_tag.unwrap_or_default(),
            metadata: head.metadata.unwrap_or_default(),
        })),
        Err(SdkError::ServiceError(error)) if error.raw().status().as_u16() == 404 => Ok(None),
        Err(error) => Err(ServiceError::of("s3:HeadObject", &error)),
    }
}

/// A bucket, as its caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bucket {
    /// It does not exist.
    Missing,
    /// It is in another region, which S3 names.
    InRegion(String),
    /// It can be used. S3 has not named its region.
    Usable,
}

/// Finds a bucket. Needs the permission `s3:ListBucket`. If the bucket belongs to a different account than `owner`, S3 denies the
/// call. Source: S3 User Guide, "Verifying bucket ownership with bucket owner condition".
///
/// # Errors
/// The call fails.
pub async fn find_bucket(s3: &Client, bucket: &str, owner: Option<&str>) -> Result<Bucket, ServiceError> {
    let head = s3
        .head_bucket()
        .bucket(bucket)
        .set_expected_bucket_owner(owner.map(str::to_owned));
    match head.send().await {
        Ok(head) => Ok(head.bucket_region.map_or(Bucket::Usable, Bucket::InRegion)),
        Err(error) => {
            let raw = error.raw_response();
            match raw.map(|raw| raw.status().as_u16()) {
                Some(404) => Ok(Bucket::Missing),
                // Another region answers with a redirect, or with 400 because the signature is for this one.
                Some(301 | 307 | 400) if region(raw).is_some() => {
                    Ok(Bucket::InRegion(region(raw).unwrap_or_default()))
                }
                _ => Err(ServiceError::of("s3:HeadBucket", &error)),
            }
        }
    }
}

fn region(raw: Option<&Response>) -> Option<String> {
    raw?.headers().get(BUCKET_REGION).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_s3::config::http::HttpResponse;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};

    async fn bucket(status: u16, region: Option<&'static str>) -> Result<Bucket, ServiceError> {
        let rule = mock!(Client::head_bucket).then_http_response(move || {
            let mut answer = HttpResponse::new(status.try_into().unwrap(), "".into());
            if let Some(region) = region {
                answer.headers_mut().insert(BUCKET_REGION, region);
            }
            answer
        });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&rule]);
        find_bucket(&s3, "holidays", None).await
    }

    /// Answers to HEAD have no body, so only the status and the headers say what is wrong.
    #[tokio::test]
    async fn a_bucket_that_is_missing_elsewhere_or_forbidden_is_told_apart() {
        let elsewhere = || Ok(Bucket::InRegion("eu-west-1".into()));
        assert_eq!(bucket(200, Some("eu-west-1")).await, elsewhere());
        assert_eq!(bucket(301, Some("eu-west-1")).await, elsewhere());
        assert_eq!(bucket(400, Some("eu-west-1")).await, elsewhere());
        assert_eq!(bucket(200, None).await, Ok(Bucket::Usable));
        assert_eq!(bucket(404, None).await, Ok(Bucket::Missing));
        let denied = bucket(403, Some("us-east-1")).await;
        assert!(matches!(denied, Err(ServiceError::AccessDenied(_))), "{denied:?}");
        let unavailable = bucket(503, None).await;
        assert!(
            matches!(unavailable, Err(ServiceError::ServiceUnavailable(_))),
            "{unavailable:?}"
        );
    }
}
