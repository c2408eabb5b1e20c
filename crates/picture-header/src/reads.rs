//! How much of a file is read until [`look`](crate::look) finds its header. Everybody who reads headers uses these numbers, so
//! that a picture is not accepted in one place and refused in another. The length of a read doubles from the third one on.

/// The length of the first read in bytes. Sufficient for nearly every picture.
pub const FIRST_READ_BYTES: u64 = 64 * 1024;
/// The maximum length of a later read in bytes.
pub const MAX_READ_BYTES: u64 = 1024 * 1024;
/// The maximum number of reads. No known real file needs more than six. 24 are for the header, and the rest for keywords,
/// which must not make a picture invalid.
pub const MAX_READS: u32 = 28;
