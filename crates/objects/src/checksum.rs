//! Reads the checksums and the metadata that S3 stores with objects.

use aws::ServiceError;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::head_object::HeadObjectOutput;
use aws_sdk_s3::types::{ChecksumMode, ChecksumType};
use std::collections::HashMap;

/// Characters of a SHA-256 in base64.
const SHA256_LENGTH: usize = 44;

/// What S3 stores with an object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stored {
    /// The SHA-256 of the whole object, in base64.
    ///
    /// S3 has one if the object was uploaded with one in a single PUT, or copied with one. The SHA-256 of a multipart upload is
    /// computed from the checksums of its parts (`COMPOSITE`), and says nothing about whether two files are equal. Sources: S3
    /// User Guide, "Checking object integrity"; S3 API reference, `HeadObject`.
    pub sha256: Option<String>,
    /// The user-defined metadata.
    pub metadata: HashMap<String, String>,
}

/// What S3 stores with an object. Nothing if S3 does not return the object. `HeadObject` needs the permissions of a GET.
///
/// # Errors
/// S3 is not available. Answers to HEAD have no error code, so every answer that is about the request, such as 403 or 404,
/// counts as nothing.
pub async fn stored(
    s3: &Client,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<Stored, ServiceError> {
    let Some(head) = head(s3, bucket, key, version_id).await? else {
        return Ok(Stored::default());
    };
    let is_whole = head.checksum_type() != Some(&ChecksumType::Composite);
    // A composite checksum is longer: the number of parts is appended.
    let sha256 = head.checksum_sha256.filter(|text| text.len() == SHA256_LENGTH);
    Ok(Stored {
        sha256: sha256.filter(|_| is_whole),
        metadata: head.metadata.unwrap_or_default(),
    })
}

/// Whether there is an object. `false` if S3 does not return it.
///
/// # Errors
/// See [`stored`].
pub async fn exists(s3: &Client, bucket: &str, key: &str) -> Result<bool, ServiceError> {
    Ok(head(s3, bucket, key, None).await?.is_some())
}

async fn head(
    s3: &Client,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<Option<HeadObjectOutput>, ServiceError> {
    let head = s3
        .head_object()
        .bucket(bucket)
        .key(key)
        .set_version_id(version_id.map(str::to_owned))
        .checksum_mode(ChecksumMode::Enabled)
        .send()
        .await;
    match head {
        Ok(head) => Ok(Some(head)),
        Err(SdkError::ServiceError(error)) if matches!(error.raw().status().as_u16(), 400..=428 | 430..=499) => {
            Ok(None)
        }
        Err(error) => Err(ServiceError::of("s3:HeadObject", &error)),
    }
}

/// The SHA-256 of a whole object: see [`Stored::sha256`].
///
/// # Errors
/// See [`stored`].
pub async fn sha256(
    s3: &Client,
    bucket: &str,
    key: &str,
    version_id: Option<&str>,
) -> Result<Option<String>, ServiceError> {
    Ok(stored(s3, bucket, key, version_id).await?.sha256)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_mocks::{RuleMode, mock, mock_client};
    use aws_smithy_runtime_api::http::Response;
    use aws_smithy_types::body::SdkBody;

    const WHOLE: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";

    async fn of(
        checksum: Option<&'static str>,
        kind: Option<ChecksumType>,
    ) -> Result<Option<String>, ServiceError> {
        let head = mock!(Client::head_object).then_output(move || {
            HeadObjectOutput::builder()
                .set_checksum_sha256(checksum.map(str::to_owned))
                .set_checksum_type(kind.clone())
                .build()
        });
        let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&head]);
        sha256(&s3, "pictures", "uploads/demo/a", None).await
    }

    /// Two different files could have equal composite checksums, and one of them would be called a duplicate.
    #[tokio::test]
    async fn the_checksum_of_a_multipart_upload_is_not_that_of_the_file() {
        let whole = Ok(Some(WHOLE.to_owned()));
        assert_eq!(of(Some(WHOLE), Some(ChecksumType::FullObject)).await, whole);
        assert_eq!(of(Some(WHOLE), None).await, whole);
        assert_eq!(of(Some(WHOLE), Some(ChecksumType::Composite)).await, Ok(None));
        let of_parts = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=-2";
        assert_eq!(of(Some(of_parts), None).await, Ok(None));
        assert_eq!(of(None, None).await, Ok(None));
    }

    #[tokio::test]
    async fn a_file_that_s3_does_not_return_has_no_checksum_and_an_outage_is_an_error() {
        let answer = async |status: u16| {
            let head = mock!(Client::head_object)
                .then_http_response(move || Response::new(status.try_into().unwrap(), SdkBody::empty()));
            let s3 = mock_client!(aws_sdk_s3, RuleMode::MatchAny, [&head]);
            sha256(&s3, "pictures", "uploads/demo/a", None).await
        };
        for status in [400, 403, 404, 405] {
            assert_eq!(answer(status).await, Ok(None), "{status}");
        }
        for status in [429, 500, 503] {
            assert!(answer(status).await.is_err(), "{status}");
        }
    }
}
