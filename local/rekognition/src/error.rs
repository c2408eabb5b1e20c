//! Rekognition's errors, with the names and HTTP statuses that its clients match.

use crate::picture::PictureError;
use axum::Json;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use label_model::models::ModelError;
use serde_json::json;

/// The media type of Rekognition's requests and responses.
pub const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// An error in the response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind:?}: {message}")]
pub struct ApiError {
    /// Rekognition's name for it.
    pub kind: ErrorKind,
    /// What is wrong, and what is expected.
    pub message: String,
}

/// Rekognition's errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// This server does not have the operation.
    UnknownOperationException,
    /// The body is not JSON of the expected form.
    SerializationException,
    /// A parameter is missing or outside its limits, or a side of the image has less than 80 pixels.
    InvalidParameterException,
    /// The S3 object does not exist, or access to it is denied.
    InvalidS3ObjectException,
    /// The image is not a JPEG or PNG, or is damaged.
    InvalidImageFormatException,
    /// The image has too many bytes, or a side has more than 10,000 pixels.
    ImageTooLargeException,
    /// The video has more bytes than Rekognition accepts.
    VideoTooLargeException,
    /// A client's token was used with other parameters.
    IdempotentParameterMismatchException,
    /// `--max-jobs` jobs are in progress.
    LimitExceededException,
    /// The page's token is unknown, has expired, or is used with other parameters.
    InvalidPaginationTokenException,
    /// There is no job with this ID, or its results have expired.
    ResourceNotFoundException,
    /// The requests exceed `--max-tps`.
    ProvisionedThroughputExceededException,
    /// The server failed.
    InternalServerError,
}

impl ApiError {
    /// An error with a message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// A parameter is missing or outside its limits.
    pub fn invalid_parameter(message: impl std::fmt::Display) -> Self {
        Self::new(
            ErrorKind::InvalidParameterException,
            format!("Request has invalid parameters: {message}"),
        )
    }

    /// The server failed. Details are only in its log.
    pub fn internal() -> Self {
        Self::new(ErrorKind::InternalServerError, "Internal server error")
    }
}

impl From<PictureError> for ApiError {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::UnsupportedFormat | PictureError::Damaged => Self::new(
                ErrorKind::InvalidImageFormatException,
                format!("Request has invalid image format: {error}"),
            ),
            // As Rekognition does: an image that is too large has its own error, and one that is too small does not.
            PictureError::TooSmall(..) => Self::invalid_parameter(error),
            PictureError::Unavailable => {
                tracing::error!("no process could be started to decode a picture");
                Self::internal()
            }
            PictureError::TooLarge(..) => Self::new(ErrorKind::ImageTooLargeException, error.to_string()),
        }
    }
}

impl From<ModelError> for ApiError {
    fn from(error: ModelError) -> Self {
        tracing::error!(%error, "a model failed");
        Self::internal()
    }
}

impl ErrorKind {
    /// The name in responses.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownOperationException => "UnknownOperationException",
            Self::SerializationException => "SerializationException",
            Self::InvalidParameterException => "InvalidParameterException",
            Self::InvalidS3ObjectException => "InvalidS3ObjectException",
            Self::InvalidImageFormatException => "InvalidImageFormatException",
            Self::ImageTooLargeException => "ImageTooLargeException",
            Self::VideoTooLargeException => "VideoTooLargeException",
            Self::IdempotentParameterMismatchException => "IdempotentParameterMismatchException",
            Self::LimitExceededException => "LimitExceededException",
            Self::InvalidPaginationTokenException => "InvalidPaginationTokenException",
            Self::ResourceNotFoundException => "ResourceNotFoundException",
            Self::ProvisionedThroughputExceededException => "ProvisionedThroughputExceededException",
            Self::InternalServerError => "InternalServerError",
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::InternalServerError => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "__type": self.kind.name(), "Message": self.message }));
        let mut response = (self.kind.status(), body).into_response();
        response
            .headers_mut()
            .insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response
    }
}
