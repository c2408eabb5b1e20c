//! Finds a picture's format and dimensions in the first bytes of a file. Pure, and made for any bytes: whoever may
//! upload may send anything. `fuzz/` holds a fuzz target for it.

use domain::Format;
use imagesize::{ImageError, ImageType};

/// What the start of a picture tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// By its content, whatever its name says.
    pub format: Format,
    /// Pixels, as stored.
    pub width: u32,
    /// Pixels, as stored.
    pub height: u32,
}

/// What the bytes seen so far tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// More bytes change nothing about it.
    Found(Header),
    /// So far it is a picture of a kind that is taken; its dimensions come later in the file.
    NeedsMore,
}

/// Why there is no header to be found, however many bytes follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Neither JPEG nor PNG; with what it is, to end the sentence "This file is".
    #[error("{0}")]
    OtherKind(&'static str),
    /// A JPEG or PNG by its first bytes, whose header makes no sense.
    #[error("a broken picture")]
    Broken,
}

/// Looks at the start of a file: at least 12 bytes, or all that there are.
///
/// # Errors
/// See [`HeaderError`].
pub fn look(bytes: &[u8]) -> Result<Look, HeaderError> {
    let format = match imagesize::image_type(bytes) {
        Ok(ImageType::Jpeg) => Format::Jpeg,
        Ok(ImageType::Png) => Format::Png,
        Ok(other) => return Err(HeaderError::OtherKind(describe(other))),
        Err(_) => return Err(HeaderError::OtherKind("no picture of a known kind")),
    };
    match imagesize::blob_size(bytes) {
        Ok(size) => Ok(Look::Found(Header {
            format,
            width: u32::try_from(size.width).unwrap_or(u32::MAX),
            height: u32::try_from(size.height).unwrap_or(u32::MAX),
        })),
        Err(ImageError::IoError(_)) => Ok(Look::NeedsMore),
        Err(_) => Err(HeaderError::Broken),
    }
}

fn describe(kind: ImageType) -> &'static str {
    match kind {
        ImageType::Gif => "a GIF",
        ImageType::Webp => "a WebP picture",
        ImageType::Heif(_) => "a HEIC or AVIF picture",
        ImageType::Bmp => "a BMP picture",
        ImageType::Tiff => "a TIFF picture",
        ImageType::Psd => "a Photoshop document",
        ImageType::Jxl => "a JPEG XL picture",
        _ => "a picture of another kind",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A JPEG's start: markers before the frame header that carries the dimensions.
    fn jpeg(segments: usize, width: u16, height: u16) -> Vec<u8> {
        let mut bytes = vec![0xFF, 0xD8];
        for _ in 0..segments {
            bytes.extend([0xFF, 0xE2, 0xFF, 0xFF]);
            bytes.extend(vec![0; 0xFFFF - 2]);
        }
        bytes.extend([0xFF, 0xC0, 0, 17, 8]);
        bytes.extend(height.to_be_bytes());
        bytes.extend(width.to_be_bytes());
        bytes.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        bytes
    }

    #[test]
    fn dimensions_behind_large_segments_are_found_once_enough_is_read() {
        let bytes = jpeg(3, 640, 480);
        assert_eq!(look(&bytes[..65_536]).unwrap(), Look::NeedsMore);
        assert_eq!(
            look(&bytes).unwrap(),
            Look::Found(Header {
                format: Format::Jpeg,
                width: 640,
                height: 480
            })
        );
    }

    #[test]
    fn other_kinds_are_named_to_the_person_who_sent_them() {
        let sentence = |bytes: &[u8]| look(bytes).unwrap_err().to_string();
        assert_eq!(sentence(b"GIF89a\x01\0\x01\0\0\0\0"), "a GIF");
        assert_eq!(sentence(b"RIFF\0\0\0\0WEBPVP8 "), "a WebP picture");
        assert_eq!(
            sentence(b"Dear diary, this is no picture"),
            "no picture of a known kind"
        );
        assert_eq!(sentence(b"x"), "no picture of a known kind");
    }

    proptest! {
        #[test]
        fn reading_more_of_a_picture_never_changes_what_was_found(
            segments in 0_usize..3, width: u16, height: u16, cut in 4_usize..200_000,
            behind in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let mut whole = jpeg(segments, width, height);
            whole.extend(behind);
            let part = look(&whole[..cut.min(whole.len())]);
            prop_assert!(matches!(part, Ok(Look::NeedsMore)) || part == look(&whole));
        }

        #[test]
        fn no_bytes_make_it_panic(
            start in prop::sample::select(vec![&b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b""]),
            rest in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let _ = look(&[start, &rest].concat());
        }

        #[test]
        fn no_damage_to_a_picture_makes_it_panic(
            segments in 0_usize..2,
            damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        ) {
            let mut bytes = jpeg(segments, 640, 480);
            for (place, byte) in damage {
                let place = place.index(bytes.len());
                bytes[place] = byte;
            }
            let _ = look(&bytes);
        }

        #[test]
        fn a_jpeg_cut_anywhere_is_never_taken_for_another_kind(cut in 4_usize..65_000) {
            prop_assert!(look(&jpeg(1, 640, 480)[..cut]).is_ok());
        }
    }
}
