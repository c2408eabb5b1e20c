//! Finds format and dimensions from the start of an object, without its pixels.

use crate::ValidateError;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::ProvideErrorMetadata;
use domain::Format;
use domain::event::Object;
use imagesize::{ImageError, ImageType};
use lambda::ServiceError;

/// What the start of a file tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    /// Bytes of the whole object.
    pub(crate) size: u64,
    pub(crate) format: Format,
    /// Pixels, as stored.
    pub(crate) width: u32,
    /// Pixels, as stored.
    pub(crate) height: u32,
}

/// Enough for nearly every picture.
const FIRST_READ: u64 = 64 * 1024;
/// A JPEG's dimensions can stand behind any number of segments of 64 KiB (color profiles, previews).
const MOST_READ: u64 = 8 * 1024 * 1024;

/// What the bytes seen so far tell.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    Found { format: Format, width: u32, height: u32 },
    NeedsMore,
}

/// Reads the object with ranged GETs, each as long as all before it, until the dimensions are found.
pub(crate) async fn read(s3: &Client, bucket: &str, object: &Object) -> Result<Header, ValidateError> {
    let mut bytes = Vec::new();
    loop {
        let from = bytes.len() as u64;
        let (chunk, size) = get_range(s3, bucket, object, from, FIRST_READ.max(2 * from)).await?;
        let ended = chunk.is_empty();
        bytes.extend(chunk);
        match look(&bytes)? {
            Look::Found {
                format,
                width,
                height,
            } => {
                return Ok(Header {
                    size,
                    format,
                    width,
                    height,
                });
            }
            Look::NeedsMore if ended || bytes.len() as u64 >= size.min(MOST_READ) => {
                return Err(ValidateError::Broken);
            }
            Look::NeedsMore => {}
        }
    }
}

/// The bytes from `from` up to, not including, `to`, and the whole object's size.
async fn get_range(
    s3: &Client,
    bucket: &str,
    object: &Object,
    from: u64,
    to: u64,
) -> Result<(Vec<u8>, u64), ValidateError> {
    let call = "s3:GetObject";
    let answer = s3
        .get_object()
        .bucket(bucket)
        .key(&object.key)
        .set_version_id(object.version_id.clone())
        .range(format!("bytes={from}-{}", to - 1))
        .send()
        .await
        .map_err(|error| match error.code() {
            Some("NoSuchKey" | "NoSuchVersion" | "NotFound" | "MethodNotAllowed") => {
                ValidateError::ObjectGone
            }
            // No byte of the range exists: the object is empty, or has become shorter since the last read.
            Some("InvalidRange") if from == 0 => ValidateError::Empty,
            Some("InvalidRange") => ValidateError::Broken,
            _ => ServiceError::of(call, &error).into(),
        })?;
    let whole = answer
        .content_range()
        .and_then(|range| range.rsplit('/').next()?.parse().ok());
    let size = whole.or_else(|| {
        answer
            .content_length()
            .and_then(|length| u64::try_from(length).ok())
    });
    let chunk = answer
        .body
        .collect()
        .await
        .map_err(|_| ServiceError::ServiceUnavailable(format!("{call} broke off")))?
        .to_vec();
    Ok((chunk, size.unwrap_or_default()))
}

fn look(bytes: &[u8]) -> Result<Look, ValidateError> {
    let format = match imagesize::image_type(bytes) {
        Ok(ImageType::Jpeg) => Format::Jpeg,
        Ok(ImageType::Png) => Format::Png,
        Ok(other) => return Err(ValidateError::UnsupportedFormat(describe(other))),
        Err(_) => return Err(ValidateError::UnsupportedFormat("no picture of a known kind")),
    };
    match imagesize::blob_size(bytes) {
        Ok(size) => Ok(Look::Found {
            format,
            width: u32::try_from(size.width).unwrap_or(u32::MAX),
            height: u32::try_from(size.height).unwrap_or(u32::MAX),
        }),
        Err(ImageError::IoError(_)) => Ok(Look::NeedsMore),
        Err(_) => Err(ValidateError::Broken),
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
            Look::Found {
                format: Format::Jpeg,
                width: 640,
                height: 480
            }
        );
    }

    #[test]
    fn other_kinds_are_named_to_the_person_who_sent_them() {
        let sentence = |bytes: &[u8]| look(bytes).unwrap_err().to_string();
        assert!(sentence(b"GIF89a\x01\0\x01\0\0\0\0").starts_with("This file is a GIF."));
        assert!(sentence(b"RIFF\0\0\0\0WEBPVP8 ").starts_with("This file is a WebP picture."));
        assert!(sentence(b"Dear diary, this is no picture").contains("no picture of a known kind"));
        assert!(sentence(b"x").contains("no picture of a known kind"));
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
        fn no_bytes_make_the_step_panic(
            start in prop::sample::select(vec![&b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1a\n", b"GIF8", b"RIFF", b""]),
            rest in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let _ = look(&[start, &rest].concat());
        }

        #[test]
        fn a_jpeg_cut_anywhere_is_never_taken_for_another_kind(cut in 4_usize..65_000) {
            prop_assert!(look(&jpeg(1, 640, 480)[..cut]).is_ok());
        }
    }
}
