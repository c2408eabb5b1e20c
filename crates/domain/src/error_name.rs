//! The error names that the state machine matches on, and what it does with each.

use serde::{Deserialize, Serialize};
use strum::{EnumIter, IntoStaticStr};

/// What the state machine does with an error: the groups of its `Retry` and `Catch` blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// The file is at fault: caught, and the image is persisted as `REJECTED`.
    File,
    /// There is nothing to do: caught, and the execution succeeds without a result of its own.
    NothingToDo,
    /// Rekognition does not take the file as it is: caught, and the image is converted.
    Conversion,
    /// Will pass by itself: retried.
    Passing,
    /// Needs an operator: fails the execution at the Task, from where it can be redriven.
    Fatal,
}

/// The name of an error that a step reports; Step Functions matches `ErrorEquals` with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, IntoStaticStr, Serialize, Deserialize)]
pub enum ErrorName {
    /// No picture of a kind that is taken.
    UnsupportedFormat,
    /// More bytes or pixels than are taken.
    ImageTooLarge,
    /// Fewer pixels than Rekognition takes.
    ImageTooSmall,
    /// Empty, broken or truncated.
    InvalidImage,
    /// The object was deleted before it was read.
    ObjectGone,

    /// The same event has been handled, or is being handled by a running execution.
    DuplicateEvent,
    /// A later event for the same key has been seen.
    StaleEvent,
    /// The owner deleted the image.
    ImageDeleted,
    /// The object is a folder marker, or its key names no owner or no file.
    NotAnUpload,

    /// Rekognition does not take the file as it is, and it has not been converted yet.
    ConversionNeeded,

    /// A service asked for fewer calls.
    Throttled,
    /// A service did not answer, or answered that it is at fault itself.
    ServiceUnavailable,

    /// A service refused the call for want of a permission.
    AccessDenied,
    /// A service gave an answer that this step has no use for.
    UnexpectedAnswer,
    /// The step's input does not have the agreed shape.
    InvalidInput,
}

impl ErrorName {
    /// The name as it stands in `ErrorEquals`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// What the state machine does with it.
    pub fn class(self) -> ErrorClass {
        match self {
            Self::UnsupportedFormat
            | Self::ImageTooLarge
            | Self::ImageTooSmall
            | Self::InvalidImage
            | Self::ObjectGone => ErrorClass::File,
            Self::DuplicateEvent | Self::StaleEvent | Self::ImageDeleted | Self::NotAnUpload => {
                ErrorClass::NothingToDo
            }
            Self::ConversionNeeded => ErrorClass::Conversion,
            Self::Throttled | Self::ServiceUnavailable => ErrorClass::Passing,
            Self::AccessDenied | Self::UnexpectedAnswer | Self::InvalidInput => ErrorClass::Fatal,
        }
    }
}
