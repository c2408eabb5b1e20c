//! Rekognition's errors, by the names and HTTP statuses that its clients match on.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::models::ModelError;
use crate::picture::PictureError;

/// The media type of Rekognition's requests and answers.
pub const MEDIA_TYPE: &str = "application/x-amz-json-1.1";

/// An error that the caller is told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind:?}: {message}")]
pub struct ApiError {
    /// Which of Rekognition's errors.
    pub kind: ErrorKind,
    /// What was wrong, and what would be right.
    pub message: String,
}

/// Rekognition's names for what can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The operation is not one that this server has.
    UnknownOperationException,
    /// The body is not the JSON that was expected.
    SerializationException,
    /// A parameter is missing or outside its limits, or an image is smaller than 80 pixels.
    InvalidParameterException,
    /// The S3 object does not exist or must not be read.
    InvalidS3ObjectException,
    /// The image is no JPEG or PNG, or is damaged.
    InvalidImageFormatException,
    /// The image has too many bytes, or a side of more than 10,000 pixels.
    ImageTooLargeException,
    /// More requests a second than the server was told to take.
    ProvisionedThroughputExceededException,
    /// The server is at fault.
    InternalServerError,
}

impl ApiError {
    /// An error with its message.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// A parameter that is missing or outside its limits.
    pub fn invalid_parameter(message: impl std::fmt::Display) -> Self {
        Self::new(
            ErrorKind::InvalidParameterException,
            format!("Request has invalid parameters: {message}"),
        )
    }

    /// The server is at fault; what happened is in its log and none of the caller's business.
    pub fn internal() -> Self {
        Self::new(ErrorKind::InternalServerError, "Internal server error")
    }
}

impl From<PictureError> for ApiError {
    fn from(error: PictureError) -> Self {
        match error {
            PictureError::UnknownFormat | PictureError::Damaged { .. } => Self::new(
                ErrorKind::InvalidImageFormatException,
                format!("Request has invalid image format: {error}"),
            ),
            // An image too small is a bad parameter, one too large has an error of its own: so Rekognition.
            PictureError::TooSmall { .. } => Self::invalid_parameter(error),
            PictureError::TooLarge { .. } => Self::new(ErrorKind::ImageTooLargeException, error.to_string()),
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
    /// The name as it stands in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::UnknownOperationException => "UnknownOperationException",
            Self::SerializationException => "SerializationException",
            Self::InvalidParameterException => "InvalidParameterException",
            Self::InvalidS3ObjectException => "InvalidS3ObjectException",
            Self::InvalidImageFormatException => "InvalidImageFormatException",
            Self::ImageTooLargeException => "ImageTooLargeException",
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
