//! Why a video is rejected.

use domain::ErrorName;
use strum::EnumIter;

/// Why a file is rejected. More bytes do not change it. The messages are shown to the person who uploaded the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, thiserror::Error)]
pub enum VideoError {
    /// The file is not in a supported container. The text is the plural of its type, such as "AVI videos".
    #[error("{0} aren't supported. Upload an MP4, MOV, WebM or MKV video.")]
    OtherKind(&'static str),
    /// There are tracks with sound, and none with video.
    #[error("This file has sound but no video. Upload a file with a video track.")]
    AudioOnly,
    /// There is no track with video, and none with sound.
    #[error("This file has no video track. Upload a file with a video track.")]
    NoVideo,
    /// The video track is encrypted, for example by a store's copy protection.
    #[error("This video is encrypted or copy-protected. Upload a copy without protection.")]
    Encrypted,
    /// The video track has parts with different codecs, sizes or decoder configurations.
    #[error("This video changes its codec or size in the middle. Export it with one codec and one size.")]
    CodecChanges,
    /// The video uses a rare feature. The text is a noun phrase in the singular or plural.
    #[error("Videos with {0} aren't supported. Export the video as MP4.")]
    Unsupported(&'static str),
    /// The file contradicts itself or its format. The text is a sentence without its period.
    #[error("This video is damaged: {0}. Upload it again, or export it as MP4.")]
    Broken(&'static str),
    /// The file ends within a part that is needed.
    #[error("This video is incomplete: its file ends too early. Upload it again.")]
    Incomplete,
    /// Reading exceeds the limits in `limits.rs`.
    #[error("This video's structure is too complex. Export it as MP4.")]
    TooComplex,
    /// The file has no index, and is too long to be searched. Recordings of browsers and live streams have none.
    #[error("This video has no index, and is too long to be searched. Export it as MP4.")]
    NoIndex,
}

impl VideoError {
    /// The error's name in the state machine.
    pub fn name(self) -> ErrorName {
        match self {
            Self::OtherKind(_)
            | Self::AudioOnly
            | Self::NoVideo
            | Self::Encrypted
            | Self::CodecChanges
            | Self::Unsupported(_)
            | Self::NoIndex => ErrorName::UnsupportedFormat,
            Self::Broken(_) | Self::Incomplete | Self::TooComplex => ErrorName::InvalidImage,
        }
    }
}
