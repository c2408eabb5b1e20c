//! Fetches images from S3.

use crate::error::{ApiError, ErrorKind};
use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectOutput};
use domain::image::rekognition::MAX_BYTES;
use std::ops::Range;
use std::time::Duration;

/// Maximum time to fetch an object, including retries.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
/// The region if neither `AWS_REGION` nor `AWS_DEFAULT_REGION` is set. Signing a request needs a region.
const DEFAULT_REGION: &str = "us-east-1";

/// An object in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectReference {
    /// The bucket's name.
    pub bucket: String,
    /// The key, not URL-encoded.
    pub key: String,
    /// The version of the object. Default: the latest one.
    pub version: Option<String>,
}

/// Reads objects with the credentials of the server's environment.
#[derive(Debug, Clone)]
pub struct ObjectStore {
    client: Client,
}

impl ObjectStore {
    /// Creates a client for S3 at `endpoint`, or for AWS. Region and credentials come from the environment, as in every AWS
    /// SDK.
    pub async fn connect(endpoint: Option<&str>) -> Self {
        let config = aws_sdk_s3::config::Builder::from(&config(endpoint).await)
            // The host of an emulator is an IP address, which cannot have the bucket as a subdomain.
            .force_path_style(endpoint.is_some())
            // The decoder detects damage, and not every emulator sends the expected checksums.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        Self {
            client: Client::from_conf(config),
        }
    }

    /// The length of an object in bytes.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn length(&self, object: &ObjectReference) -> Result<u64, ApiError> {
        // Not HeadObject: its errors have no body, and GetObject needs no other permission.
        let answer = self.get(object, Some(0..1)).await;
        let answer = match answer {
            // An empty object has no first byte.
            Err(error) if is_out_of_range(&error) => return Ok(0),
            other => other.map_err(|error| fetch_error(&error))?,
        };
        let total = answer.content_range().and_then(|range| range.rsplit_once('/'));
        let total = total.and_then(|(_, total)| total.parse().ok());
        total
            .or(answer
                .content_length()
                .and_then(|length| u64::try_from(length).ok()))
            .ok_or_else(|| {
                tracing::error!("S3 did not return the length of an object");
                ApiError::internal()
            })
    }

    /// Fetches a range of an object, which is not empty. Of an answer with the whole object, which the emulator sends for
    /// requests with a version, the range is kept.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch). `InternalServerError`, too, if S3 returns fewer bytes.
    pub async fn range(&self, object: &ObjectReference, range: Range<u64>) -> Result<Vec<u8>, ApiError> {
        let (start, length) = (range.start, range.end - range.start);
        let answer = self
            .get(object, Some(range))
            .await
            .map_err(|error| fetch_error(&error))?;
        let mut before = match answer.content_range() {
            Some(_) => 0,
            None => start,
        };
        let mut bytes = vec![];
        let mut body = answer.body;
        while (bytes.len() as u64) < length {
            let chunk = body.try_next().await.map_err(|error| {
                tracing::warn!(%error, "S3 closed the connection");
                ApiError::internal()
            })?;
            let Some(chunk) = chunk else {
                break;
            };
            let skipped = before.min(chunk.len() as u64);
            before -= skipped;
            let missing = length - bytes.len() as u64;
            bytes.extend(chunk.iter().skip(skipped as usize).take(missing as usize));
        }
        if bytes.len() as u64 != length {
            tracing::warn!(
                length,
                received = bytes.len(),
                "S3 did not return the range that was asked for"
            );
            return Err(ApiError::internal());
        }
        Ok(bytes)
    }

    async fn get(
        &self,
        object: &ObjectReference,
        range: Option<Range<u64>>,
    ) -> Result<GetObjectOutput, SdkError<GetObjectError>> {
        self.client
            .get_object()
            .bucket(&object.bucket)
            .key(&object.key)
            .set_version_id(object.version.clone())
            .set_range(range.map(|range| format!("bytes={}-{}", range.start, range.end - 1)))
            .send()
            .await
    }

    /// Fetches an object's bytes.
    ///
    /// # Errors
    /// `InvalidS3ObjectException` if the object does not exist or access is denied, `ImageTooLargeException` if it has more
    /// than [`MAX_BYTES`], `InternalServerError` if S3 does not answer.
    pub async fn fetch(&self, object: &ObjectReference) -> Result<Vec<u8>, ApiError> {
        let answer = self
            .get(object, None)
            .await
            .map_err(|error| fetch_error(&error))?;
        let length = answer
            .content_length()
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or(0);
        if is_too_large(length) {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(length);
        let mut body = answer.body;
        while let Some(chunk) = body.try_next().await.map_err(|error| {
            tracing::warn!(%error, "S3 closed the connection");
            ApiError::internal()
        })? {
            if is_too_large(bytes.len() + chunk.len()) {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// The configuration of a client for a service at `endpoint`, or for AWS.
pub(crate) async fn config(endpoint: Option<&str>) -> SdkConfig {
    // The SDK's default chain would wait for EC2's metadata service.
    let region = EnvironmentVariableRegionProvider::new().region().await;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region.unwrap_or(Region::from_static(DEFAULT_REGION)))
        .timeout_config(TimeoutConfig::builder().operation_timeout(FETCH_TIMEOUT).build());
    if let Some(endpoint) = endpoint {
        loader = loader.endpoint_url(endpoint);
    }
    loader.load().await
}

fn is_out_of_range(error: &SdkError<GetObjectError>) -> bool {
    matches!(error, SdkError::ServiceError(answer) if answer.raw().status().as_u16() == 416)
}

fn is_too_large(bytes: usize) -> bool {
    bytes as u64 > MAX_BYTES
}

fn too_large() -> ApiError {
    ApiError::new(
        ErrorKind::ImageTooLargeException,
        format!("Image exceeds the maximum of {MAX_BYTES} bytes for an S3 object"),
    )
}

fn fetch_error(error: &SdkError<GetObjectError>) -> ApiError {
    // Rekognition's message. It does not distinguish a missing object from a denied one.
    let unavailable = || {
        ApiError::new(
            ErrorKind::InvalidS3ObjectException,
            "Unable to get object metadata from S3. Check object key, region and/or access permissions.",
        )
    };
    match error {
        SdkError::ServiceError(answer) => {
            let status = answer.raw().status();
            let code = answer.err().meta().code().unwrap_or("none");
            tracing::info!(status = status.as_u16(), code, "S3 did not return an object");
            if status.is_client_error() {
                unavailable()
            } else {
                ApiError::internal()
            }
        }
        SdkError::ConstructionFailure(failure) => {
            tracing::info!(?failure, "cannot build an S3 request for this object");
            unavailable()
        }
        SdkError::DispatchFailure(failure) => {
            let reason = failure
                .as_connector_error()
                .map(ToString::to_string)
                .unwrap_or_default();
            tracing::error!(reason, "cannot reach S3");
            ApiError::internal()
        }
        _ => {
            tracing::error!(%error, "S3 did not answer");
            ApiError::internal()
        }
    }
}
