//! How a file ends.

use picture_header::HeaderError;

/// How a file ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The id of the new image.
    Uploaded(String),
    /// The id of the image that has this file.
    AlreadyThere(String),
    /// A file that is not known to be there. Only with `--dry-run`.
    New(Kind),
    /// Not a picture that can be labeled, and a sentence about it, if there is more to say.
    Skipped(Skip, Option<String>),
    /// Why it is not uploaded. The next run tries it again.
    Failed(String),
}

/// What a new file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Picture,
    /// A video with its minutes, as they count against the daily limit. `None` if its header can't be read.
    Video(Option<u32>),
}

/// Why a file is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Skip {
    Hidden,
    System,
    Sidecar,
    Empty,
    TooLarge,
    NotAFile,
    Loop,
    BrokenLink,
    NotAPicture,
    NoPreview,
    Damaged,
    TooComplex,
    TooManyPixels,
    TooFewPixels,
}

impl Skip {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Hidden => "hidden",
            Self::System => "made by the operating system or a NAS",
            Self::Sidecar => "belongs to a picture, such as XMP or THM",
            Self::Empty => "empty",
            Self::TooLarge => "picture larger than 100 MB, or video larger than 10 GB",
            Self::NotAFile => "not a regular file",
            Self::Loop => "link to a folder that contains it",
            Self::BrokenLink => "broken link",
            Self::NotAPicture => "neither a picture nor a video that can be labeled",
            Self::NoPreview => "raw file without a preview",
            Self::Damaged => "damaged or incomplete",
            Self::TooComplex => "too complex",
            Self::TooManyPixels => "too many pixels",
            Self::TooFewPixels => "too few pixels",
        }
    }
}

impl From<HeaderError> for Outcome {
    fn from(error: HeaderError) -> Self {
        let skip = match error {
            HeaderError::OtherKind(_) => Skip::NotAPicture,
            HeaderError::Broken => Skip::Damaged,
            HeaderError::TooComplex => Skip::TooComplex,
            HeaderError::NoPreview(_) => Skip::NoPreview,
            HeaderError::TooManyPixels(..) => Skip::TooManyPixels,
            HeaderError::TooFewPixels(..) => Skip::TooFewPixels,
        };
        Self::Skipped(skip, Some(error.to_string()))
    }
}
