//! The error names that the state machine matches, and how it handles each.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// How the state machine handles an error. Each class is a group of its `Retry` and `Catch` blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The file cannot be labeled: caught, and the image is persisted as `REJECTED`.
    File,
    /// There is nothing to do: caught, and the execution succeeds without storing a result.
    NothingToDo,
    /// Rekognition cannot read the original: caught, and the image is converted.
    Conversion,
    /// Temporary: retried.
    Transient,
    /// Needs an operator: the execution fails at the Task and can be redriven from there.
    Fatal,
}

/// The name of an error that a step reports. Step Functions compares it with `ErrorEquals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, IntoStaticStr, Serialize, Deserialize)]
pub enum ErrorName {
    /// Not a picture in a supported format.
    UnsupportedFormat,
    /// More bytes, pixels or minutes than the limits allow.
    ImageTooLarge,
    /// Fewer pixels than Rekognition requires.
    ImageTooSmall,
    /// Empty, broken or truncated.
    InvalidImage,
    /// Decoding takes more memory or time than allowed.
    TooComplex,
    /// The object was deleted before it was read.
    ObjectGone,
    /// The object is archived: S3 returns it only after it is restored.
    ObjectArchived,
    /// The object is encrypted with a customer-provided key (SSE-C): S3 returns it only to callers that send the key.
    ObjectEncrypted,
    /// The video has more minutes than its owner, or all owners together, have left today. It can be labeled again later.
    QuotaReached,

    /// The same event has been handled, or is being handled by a running execution.
    DuplicateEvent,
    /// A later event for the same key has been seen.
    StaleEvent,
    /// The owner deleted the image.
    ImageDeleted,
    /// The object is a folder marker, or its key has no owner or file name.
    NotAnUpload,
    /// The file is a video. The execution has handed it over to the state machine `label-video`.
    VideoFound,

    /// Rekognition cannot read the original, and it has not been converted yet.
    ConversionNeeded,

    /// A service throttled the call.
    Throttled,
    /// A service did not answer, or reported an internal error.
    ServiceUnavailable,
    /// A call that is paid for was sent and not answered in time. Each attempt may be paid for, so there are only a few.
    CallTimedOut,

    /// A service denied the call because a permission is missing.
    AccessDenied,
    /// A service returned an answer or an error that the step cannot handle.
    UnexpectedAnswer,
    /// The step's input does not match its contract.
    InvalidInput,
    /// The bucket of an import does not exist, has no objects with the prefix, is in another region, or is the stack's own.
    InvalidSource,
}

impl ErrorName {
    /// The name as in `ErrorEquals`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// How the state machine handles the error.
    pub fn class(self) -> ErrorClass {
        match self {
            Self::UnsupportedFormat
            | Self::ImageTooLarge
            | Self::ImageTooSmall
            | Self::InvalidImage
            | Self::TooComplex
            | Self::ObjectGone
            | Self::ObjectArchived
            | Self::ObjectEncrypted
            | Self::QuotaReached => ErrorClass::File,
            Self::DuplicateEvent
            | Self::StaleEvent
            | Self::ImageDeleted
            | Self::NotAnUpload
            | Self::VideoFound => ErrorClass::NothingToDo,
            Self::ConversionNeeded => ErrorClass::Conversion,
            Self::Throttled | Self::ServiceUnavailable | Self::CallTimedOut => ErrorClass::Transient,
            Self::AccessDenied | Self::UnexpectedAnswer | Self::InvalidInput | Self::InvalidSource => {
                ErrorClass::Fatal
            }
        }
    }
}

/// An error of a step. Operators read its text, and so does the owner of a rejected image.
pub trait StepError: std::error::Error {
    /// The name that the state machine matches.
    fn name(&self) -> ErrorName;
}
