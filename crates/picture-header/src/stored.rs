//! What the readers of all formats return.

use crate::budget::OverBudget;
use crate::exif::Exif;
use crate::keywords::Sources;
use crate::pieces::Gap;
use domain::Format;

/// A header as the file stores it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) format: Format,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) exif: Exif,
    pub(crate) keywords: Sources,
}

/// Why reading stops without a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Gap(Gap),
    /// The file is not a [`Format`]. The text is the plural of its type, such as "PDF documents".
    OtherKind(&'static str),
    /// A camera's raw file without a preview.
    NoPreview(Format),
    Broken,
}

impl From<Gap> for Stop {
    fn from(gap: Gap) -> Self {
        Self::Gap(gap)
    }
}

impl From<OverBudget> for Stop {
    fn from(over: OverBudget) -> Self {
        Self::Gap(over.into())
    }
}
