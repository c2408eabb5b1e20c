//! Decodes untrusted pictures and frames of videos in a child process. The kernel ends it if it takes too much memory or CPU time, and the
//! parent if it takes too long.
//!
//! Decoders are complex, and their input is untrusted. Checks inside of them can be incomplete; limits of a process cannot
//! be circumvented by a file. A child decodes one picture, or key frames of one video, and ends, so nothing carries over to
//! the next file: no memory, no thread, no state.
//!
//! The child is this program itself, started with an argument ([`run_if_child`]). It has no environment, and so no
//! credentials. It reads the file from standard input and writes the result to standard output. What it writes is
//! untrusted, too: the parent checks every length before it allocates memory.
//!
//! `docs/adr/0019-decode-in-a-child-process.md` explains the limits.

mod child;
mod parent;
mod wire;

pub use child::{decode, run_if_child, run_if_child_with};
pub use parent::{MAX_FRAMES, PictureProcess};
pub use wire::{Answer, FrameOptions, Operation, Output, Rejection};

use domain::ErrorName;
use std::time::Duration;
use strum::EnumIter;

/// Limits of a child process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of private writable memory: `RLIMIT_DATA`. It includes writable memory that is never touched,
    /// such as the stacks of threads.
    pub memory: u64,
    /// CPU seconds of all threads together: `RLIMIT_CPU`.
    pub cpu_seconds: u64,
    /// From the start of the child to its end. Enforced by the parent.
    pub wall_time: Duration,
}

impl Limits {
    /// For the functions, which have 3,008 MB and a timeout of 120 seconds. The largest picture takes 13 bytes for each of
    /// 150 million pixels, and the file 100 MB, together 2.1 GB; the rest of the function takes some tens of megabytes.
    /// The slowest pictures take less than 20 CPU seconds. After the wall time, the function has 50 seconds left for S3.
    pub const FUNCTION: Self = Self {
        memory: 2_560 * 1024 * 1024,
        cpu_seconds: 60,
        wall_time: Duration::from_secs(70),
    };
}

/// Why a child returned no picture. The messages are shown to the person who uploaded the file, except that of
/// [`Unavailable`](Self::Unavailable).
#[derive(Debug, Clone, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum ProcessError {
    /// The picture or frame cannot be converted: a `picture::PictureError` or `video::FrameError`, as its name and message.
    #[error("{message}")]
    #[strum(disabled)]
    Picture {
        /// Has the class [`domain::ErrorClass::File`].
        name: ErrorName,
        /// At most 1,000 bytes.
        message: String,
    },
    /// The child reached [`Limits::memory`].
    #[error(
        "Decoding this picture takes more memory than allowed. Save it as a new JPEG, or scale it down, and upload that."
    )]
    TooMuchMemory,
    /// The child reached [`Limits::cpu_seconds`] or [`Limits::wall_time`].
    #[error(
        "Decoding this picture takes more time than allowed. Save it as a new JPEG, or scale it down, and upload that."
    )]
    TooMuchTime,
    /// The child panicked, crashed, or returned something invalid.
    #[error("This file is damaged or of an unsupported kind. Upload it again, or save it as a new JPEG.")]
    Crashed,
    /// The child could not be started, or not be limited. Has nothing to do with the picture.
    #[error("the process that decodes pictures could not be started: {0}")]
    Unavailable(String),
}

impl ProcessError {
    /// The error's name in the state machine.
    pub fn name(&self) -> ErrorName {
        match self {
            Self::Picture { name, .. } => *name,
            Self::TooMuchMemory | Self::TooMuchTime => ErrorName::TooComplex,
            Self::Crashed => ErrorName::InvalidImage,
            Self::Unavailable(_) => ErrorName::ServiceUnavailable,
        }
    }
}
