//! Fetches images from S3.

use std::time::Duration;

use aws_config::environment::region::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::ResponseChecksumValidation;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::operation::get_object::GetObjectError;

use crate::error::{ApiError, ErrorKind};

/// The most bytes an image may have in S3.
pub const MAX_OBJECT_BYTES: usize = 15 * 1024 * 1024;
/// How long fetching one object may take, retries included.
const FETCH_TIMEOUT: Duration = Duration::from_secs(30);
/// The region if neither `AWS_REGION` nor `AWS_DEFAULT_REGION` is set: requests must be signed for some region.
const DEFAULT_REGION: &str = "us-east-1";

/// An object in S3.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectReference {
    /// The bucket's name.
    pub bucket: String,
    /// The key as it is, not URL-encoded.
    pub key: String,
    /// A version of the object; the latest if absent.
    pub version: Option<String>,
}

/// Reads objects with the credentials of the server's environment.
#[derive(Debug, Clone)]
pub struct ObjectStore {
    client: Client,
}

impl ObjectStore {
    /// A client of the S3 at `endpoint`, or of AWS's own. Region and credentials come from the environment, as for
    /// every AWS SDK.
    pub async fn connect(endpoint: Option<&str>) -> Self {
        // Not the SDK's default chain: it would ask EC2's metadata service and wait for it.
        let region = EnvironmentVariableRegionProvider::new().region().await;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(region.unwrap_or(Region::from_static(DEFAULT_REGION)))
            .timeout_config(TimeoutConfig::builder().operation_timeout(FETCH_TIMEOUT).build());
        if let Some(endpoint) = endpoint {
            loader = loader.endpoint_url(endpoint);
        }
        let config = aws_sdk_s3::config::Builder::from(&loader.load().await)
            // Emulators are reached by address, where a bucket cannot be a part of the host's name.
            .force_path_style(endpoint.is_some())
            // The decoder finds damage by itself; not every emulator sends checksums of the right kind.
            .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
            .build();
        Self {
            client: Client::from_conf(config),
        }
    }

    /// The object's bytes.
    ///
    /// # Errors
    /// `InvalidS3ObjectException` if the object does not exist or must not be read, `ImageTooLargeException` above
    /// [`MAX_OBJECT_BYTES`], `InternalServerError` if S3 does not answer.
    pub async fn fetch(&self, object: &ObjectReference) -> Result<Vec<u8>, ApiError> {
        let answer = self
            .client
            .get_object()
            .bucket(&object.bucket)
            .key(&object.key)
            .set_version_id(object.version.clone())
            .send()
            .await
            .map_err(|error| fetch_error(&error))?;
        let announced = answer
            .content_length()
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or(0);
        if announced > MAX_OBJECT_BYTES {
            return Err(too_large());
        }
        let mut bytes = Vec::with_capacity(announced);
        let mut body = answer.body;
        while let Some(chunk) = body.try_next().await.map_err(|error| {
            tracing::warn!(%error, "S3 broke off");
            ApiError::internal()
        })? {
            if bytes.len() + chunk.len() > MAX_OBJECT_BYTES {
                return Err(too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

fn too_large() -> ApiError {
    ApiError::new(
        ErrorKind::ImageTooLargeException,
        format!("Image exceeds the maximum of {MAX_OBJECT_BYTES} bytes for an S3 object"),
    )
}

fn fetch_error(error: &SdkError<GetObjectError>) -> ApiError {
    // Rekognition's own words: it does not tell an absent object from a forbidden one.
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
            tracing::info!(status = status.as_u16(), code, "S3 did not give an object");
            if status.is_client_error() {
                unavailable()
            } else {
                ApiError::internal()
            }
        }
        SdkError::ConstructionFailure(failure) => {
            tracing::info!(?failure, "no S3 request can be made of this object");
            unavailable()
        }
        SdkError::DispatchFailure(failure) => {
            let reason = failure
                .as_connector_error()
                .map(ToString::to_string)
                .unwrap_or_default();
            tracing::error!(reason, "S3 cannot be reached");
            ApiError::internal()
        }
        _ => {
            tracing::error!(%error, "S3 did not answer");
            ApiError::internal()
        }
    }
}
