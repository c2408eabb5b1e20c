//! Single frames of video codecs: the coded data of AVIF and HEIC pictures, and key frames of videos. Each decodes the first
//! frame of its data, and never another one.

pub(crate) mod av1;
pub(crate) mod hevc;
pub(crate) mod planes;

pub use av1::{frame as av1, sequence as av1_sequence};
pub use hevc::{frame as hevc, sequences as hevc_sequences};
pub use planes::{Layout, Signal, Tile, narrowed, rgb};

/// The coded data of a frame.
#[derive(Debug, Default)]
pub struct Data {
    /// OBUs of AV1, or NAL units of HEVC that follow their lengths.
    pub bytes: Vec<u8>,
    /// The decoder's configuration: the content of `hvcC`. Empty for AV1.
    pub configuration: Vec<u8>,
    /// Maximum number of pixels.
    pub max_pixels: u64,
}

/// What the coded data says about its frames before they are decoded. Numbers are those of ITU-T H.273, and 2 is
/// unspecified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// Pixels, before cropping. No frame is wider.
    pub width: u32,
    /// Pixels, before cropping. No frame is higher.
    pub height: u32,
    /// Primary colors.
    pub primaries: u8,
    /// Transfer function.
    pub transfer: u8,
    /// The matrix from luma and chroma to RGB.
    pub matrix: u8,
    /// Whether black is 0 and not 16.
    pub full_range: bool,
}

/// The number of what is not specified in ITU-T H.273.
pub const UNSPECIFIED: u8 = 2;
