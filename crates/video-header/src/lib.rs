//! Reads codec, dimensions, duration and key frames of a video from a few ranges of its file. Pure: it names the ranges that
//! it needs, and the caller reads them. The bytes are untrusted: any input gives a result or an error, within the limits in
//! `limits.rs`. `fuzz/` has fuzz targets for this crate.
//!
//! ```
//! use video_header::{Look, Pieces, Select, VideoError, key_frames, look};
//!
//! fn poster(file: &[u8]) -> Result<(u64, u32), VideoError> {
//!     let mut pieces = Pieces::none(file.len() as u64);
//!     loop {
//!         match key_frames(&pieces, Select::AtOrAfter(1_000))? {
//!             Look::Found(frames) => return Ok((frames[0].position, frames[0].size)),
//!             Look::Read(ranges) => {
//!                 for range in ranges {
//!                     pieces.add(range.start, &file[range.start as usize..range.end as usize]);
//!                 }
//!             }
//!         }
//!     }
//! }
//! assert!(matches!(poster(b"RIFF\0\0\0\0AVI LIST"), Err(VideoError::OtherKind("AVI videos"))));
//! ```

mod codec;
mod error;
mod key_frames;
mod kinds;
mod limits;
mod matroska;
mod mp4;
mod select;
mod source;
mod video;

pub use codec::{Codec, Id, Profile};
pub use error::VideoError;
pub use key_frames::KeyFrame;
pub use limits::{MAX_KEY_FRAMES, MAX_READ_BYTES, MAX_READS, MAX_VISITS};
pub use picture_header::Pieces;
pub use picture_header::heif::Crop;
pub use select::Select;
pub use video::{Container, FrameRate, Hdr, Video};

use serde::{Deserialize, Serialize};
use source::{Source, Stop};
use std::ops::Range;

/// The result of looking at the ranges of a file that have been read so far.
#[derive(Debug, Clone, PartialEq)]
pub enum Look<T> {
    /// The result is complete. More bytes do not change it.
    Found(T),
    /// These ranges are needed. They are in ascending order and in the file, and at least their first bytes have not been
    /// read. Add all of them to the [`Pieces`], and look again. They can be read at the same time.
    Read(Vec<Range<u64>>),
}

/// Recognizes the container by the first 512 bytes of the file.
///
/// # Errors
/// [`VideoError::OtherKind`] or [`VideoError::Incomplete`].
pub fn container(file: &Pieces<'_>) -> Result<Look<Container>, VideoError> {
    let source = Source::of(file);
    let found = kinds::recognize(&source);
    finish(&source, found)
}

/// A video whose key frames have been chosen: what is stored of it until the frames are decoded.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The header.
    pub video: Video,
    /// The frames, in the order of time.
    pub key_frames: Vec<KeyFrame>,
}

/// Reads what the header says: container, codec, dimensions, duration.
///
/// # Errors
/// See [`VideoError`]. Whether the codec can be decoded, and limits of duration and dimensions, are the caller's.
pub fn look(file: &Pieces<'_>) -> Result<Look<Video>, VideoError> {
    let source = Source::of(file);
    let found = kinds::recognize(&source).and_then(|container| match container {
        Container::Mp4 | Container::QuickTime => mp4::read(&source, container),
        Container::Matroska | Container::WebM => matroska::read(&source),
    });
    finish(&source, found)
}

/// Finds key frames of the video track, in decoding order, which is that of their times in all but broken files. At least
/// one is returned. They are within the file and do not overlap.
///
/// Of a file that needs a read for each key frame (fragmented, or Matroska with an index), at most [`MAX_VISITS`] fragments
/// or clusters are read; [`Select::Every`] doubles its interval as often as needed.
///
/// # Errors
/// See [`VideoError`].
pub fn key_frames(file: &Pieces<'_>, select: Select) -> Result<Look<Vec<KeyFrame>>, VideoError> {
    let source = Source::of(file);
    let found = kinds::recognize(&source)
        .and_then(|container| match container {
            Container::Mp4 | Container::QuickTime => mp4::key_frames(&source, select),
            Container::Matroska | Container::WebM => matroska::key_frames(&source, select),
        })
        .and_then(|key_frames| key_frames::check(&source, key_frames));
    finish(&source, found)
}

fn finish<T>(source: &Source<'_>, found: Result<T, Stop>) -> Result<Look<T>, VideoError> {
    match found {
        Ok(found) => Ok(Look::Found(found)),
        Err(Stop::Failed(error)) => Err(error),
        Err(Stop::Read(needed)) => Ok(Look::Read(source.to_read(needed)?)),
    }
}

#[cfg(test)]
mod tests;
