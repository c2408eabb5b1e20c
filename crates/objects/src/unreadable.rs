//! Reasons why S3 does not return an object that are properties of the object, not errors of the system.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::http::Response;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use domain::{ErrorName, StepError};
use std::fmt;
use strum::EnumIter;

/// Why S3 does not return an object to a caller with the right permissions. The text is for the image's owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
pub enum UnreadableObject {
    /// Deleted, or the version is a delete marker.
    Gone,
    /// In an archive storage class (S3 Glacier Flexible Retrieval, S3 Glacier Deep Archive) or an archive tier of
    /// S3 Intelligent-Tiering, and not restored.
    Archived,
    /// Encrypted with a customer-provided key (SSE-C), which S3 does not store.
    Encrypted,
}

impl UnreadableObject {
    /// The reason in an error of `s3:GetObject`. `None` if the error is not about the object.
    ///
    /// Answers to HEAD have no body and therefore no error code, so only GET works.
    pub fn of_get<E: ProvideErrorMetadata>(error: &SdkError<E, Response>) -> Option<Self> {
        match error {
            SdkError::ServiceError(context) => {
                Self::of_code(context.err().code()?, context.raw().status().as_u16())
            }
            _ => None,
        }
    }

    /// Sources: "Error responses" in the S3 API reference, and `GetObject` there for `MethodNotAllowed` (a delete
    /// marker) and `InvalidObjectState`. `InvalidRequest` is the answer to a GET of an SSE-C object without its key.
    fn of_code(code: &str, http_status: u16) -> Option<Self> {
        match (code, http_status) {
            ("NoSuchKey" | "NoSuchVersion" | "NotFound" | "MethodNotAllowed", _) => Some(Self::Gone),
            ("InvalidObjectState", _) => Some(Self::Archived),
            ("InvalidRequest", 400) => Some(Self::Encrypted),
            _ => None,
        }
    }
}

impl fmt::Display for UnreadableObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => "The file was deleted before it could be labeled. Upload the file again.",
            Self::Archived => {
                "The file is archived in S3. Restore the object, and it is labeled automatically."
            }
            Self::Encrypted => {
                "The file is encrypted with a customer-provided key (SSE-C). Upload it without SSE-C."
            }
        })
    }
}

impl std::error::Error for UnreadableObject {}

impl StepError for UnreadableObject {
    fn name(&self) -> ErrorName {
        match self {
            Self::Gone => ErrorName::ObjectGone,
            Self::Archived => ErrorName::ObjectArchived,
            Self::Encrypted => ErrorName::ObjectEncrypted,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// If an unreadable object counted as an error of the system, the image would wait for an operator who cannot fix
    /// it. If a missing permission counted as a property of the object, good pictures would be rejected.
    #[test]
    fn distinguishes_unreadable_objects_from_missing_permissions() {
        let of = UnreadableObject::of_code;
        assert_eq!(of("NoSuchVersion", 404), Some(UnreadableObject::Gone));
        assert_eq!(of("MethodNotAllowed", 405), Some(UnreadableObject::Gone));
        assert_eq!(of("InvalidObjectState", 403), Some(UnreadableObject::Archived));
        assert_eq!(of("InvalidRequest", 400), Some(UnreadableObject::Encrypted));
        for (code, status) in [
            ("AccessDenied", 403),
            ("KMS.DisabledException", 400),
            ("InvalidRange", 416),
            ("ExpiredToken", 400),
            ("SlowDown", 503),
        ] {
            assert_eq!(of(code, status), None, "{code}");
        }
    }
}
