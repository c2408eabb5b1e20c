//! How much one video may cost: what is read of its file, and how much work each look takes.

use picture_header::budget::Budget;

/// Maximum number of bytes of the file that are read, in all looks together: 48 MB. The largest tables of a real file are
/// those of a video of 6 hours with 60 frames per second, whose frames all have an entry in each table: 1,296,000 entries
/// of 4 bytes (sizes), 8 (times), 8 (reordering), 8 (offsets) and some of 12 (chunks), or 43 MB. One hour of such a video
/// takes 7 MB, and of a usual one 2 MB.
pub const MAX_READ_BYTES: u64 = 48_000_000;

/// Maximum number of ranges that are read, in all looks together: 1,000. A usual file needs two to four. One with fragments
/// or clusters needs one for each that is visited, which take some 30 ms each if they are read one after another.
pub const MAX_READS: u32 = 1_000;

/// Maximum number of key frames that are returned: 20,000, or 480 KB. One per second of 5.5 hours.
pub const MAX_KEY_FRAMES: usize = 20_000;

/// Maximum number of fragments or clusters that are visited to return key frames of a file with an index: 500. Each needs
/// a range of its own, and half of [`MAX_READS`] remains for the rest.
pub const MAX_VISITS: usize = 500;

/// Maximum number of samples of a track: 5,184,000. 6 hours with 240 frames per second.
pub(crate) const MAX_SAMPLES: u64 = 6 * 3_600 * 240;

/// Maximum length of a decoder's configuration: 64 KiB. Real ones have less than a kilobyte.
pub(crate) const MAX_CONFIGURATION: u64 = 64 * 1024;

/// Maximum number of parts of an edit list: 64. Cameras write one or two.
pub(crate) const MAX_EDITS: u64 = 64;

/// The length in bytes of the first read: 64 KiB. It contains the complete header of most short videos.
pub(crate) const FIRST_READ: u64 = 64 * 1024;

/// The length in bytes of a read that follows a jump: 16 KiB. It contains a fragment's header, and the headers of the boxes
/// of a track.
pub(crate) const READ_AHEAD: u64 = 16 * 1024;

/// The length in bytes from which a part that is known to be needed is no longer read at once: 8 MiB. It contains the
/// header of 2 hours of a usual video.
pub(crate) const MAX_AT_ONCE: u64 = 8 * 1024 * 1024;

/// The length in bytes of the end of a large file that is searched for the last frame, if the file does not state its
/// duration: 4 MiB. Browsers begin a cluster with each key frame of a recording, every few seconds.
pub(crate) const LAST_READ: u64 = 4 * 1024 * 1024;

/// The budget of each look. A search through a file without an index takes up to [`MAX_READS`] looks, each of which begins at
/// the start, so a hostile file can take a minute in total. Callers need a time limit, too.
///
/// - 1,000,000 steps: boxes, elements, blocks of table entries and samples of fragments. Each takes some 50 nanoseconds. 1,000
///   fragments with 600 samples each take 650,000.
/// - 250,000 items: entries of 32 bytes that are kept (8 MB), such as those of an index.
/// - 64 MB: bytes of tables that are searched. Each table is searched once.
pub(crate) fn budget() -> Budget {
    Budget::new(1_000_000, 250_000, 64_000_000)
}
