//! BMP. The `image` crate reads the headers of Windows. Those of OS/2, and files without the first header, are rewritten for
//! it.

use super::other;
use crate::decoded::{DecodeError, Decoded};
use domain::image::MAX_PIXELS;
use image::{ImageFormat, Rgb, RgbImage};
use std::borrow::Cow;

/// The header of the file: its type, its length, and the position of the pixels.
const FILE_HEADER: usize = 14;
/// The header of Windows 3.
const INFO_HEADER: usize = 40;

const RLE_24_OR_JPEG: u32 = 4;
const PNG: u32 = 5;

/// Ends run lengths at any position: one of two bytes is always 0 and 1, the end of the picture. Two bytes are read at once,
/// after at most 256 that belong to what is cut off.
const END_OF_RUNS: [u8; 5] = [0, 1, 0, 0, 1];

/// Decodes a file. Rows that are missing at its end are white.
pub(super) fn decode(file: &[u8]) -> Result<Decoded, DecodeError> {
    let file = normalized(file)?;
    let Some(rows) = Rows::of(&file) else {
        return other(&file, ImageFormat::Bmp).or_else(|error| {
            let ended = [&*file, &END_OF_RUNS.repeat(60)].concat();
            let decoded = other(&ended, ImageFormat::Bmp).map_err(|_| error)?;
            Ok(Decoded {
                incomplete: true,
                ..decoded
            })
        });
    };
    let present = rows.present(file.len());
    if present == rows.count && file.len() >= rows.end(present) {
        return other(&file, ImageFormat::Bmp);
    }
    let mut cut = file.into_owned();
    rows.set_count(&mut cut, present)?;
    // The padding of the last row.
    cut.resize(rows.end(present), 0);
    let decoded = other(&cut, ImageFormat::Bmp)?;
    if present == rows.count {
        return Ok(decoded);
    }
    let width = decoded.picture.width();
    if u64::from(width) * u64::from(rows.count) > MAX_PIXELS {
        return Err(DecodeError::of("too many pixels"));
    }
    let mut picture = RgbImage::from_pixel(width, rows.count, Rgb([u8::MAX; 3]));
    let missing = if rows.from_the_top {
        0
    } else {
        rows.count - present
    };
    image::imageops::replace(&mut picture, &decoded.picture, 0, missing.into());
    Ok(Decoded {
        picture,
        incomplete: true,
        ..decoded
    })
}

/// Where the rows of a file without compression are.
struct Rows {
    /// The position of the first row.
    start: usize,
    /// Bytes of a row without its padding.
    bytes: usize,
    /// Bytes of a row.
    stride: usize,
    count: u32,
    from_the_top: bool,
    /// Whether the sides have two bytes each.
    has_short_sides: bool,
}

impl Rows {
    /// `None` if the pixels are compressed or the header is invalid.
    fn of(file: &[u8]) -> Option<Self> {
        let u32_at = |at: usize| Some(u32::from_le_bytes(*file.get(at..)?.first_chunk()?));
        let u16_at = |at: usize| Some(u16::from_le_bytes(*file.get(at..)?.first_chunk()?));
        let has_short_sides = u32_at(14)? < INFO_HEADER as u32;
        let (width, height, bits) = if has_short_sides {
            (u16_at(18)?.into(), u16_at(20)?.into(), u16_at(24)?)
        } else {
            if !matches!(u32_at(30)?, 0 | 3 | 6) {
                return None;
            }
            (u32_at(18)?, u32_at(22)?.cast_signed(), u16_at(28)?)
        };
        let bits = u64::from(width) * u64::from(bits);
        Some(Self {
            start: usize::try_from(u32_at(10)?).ok()?,
            bytes: usize::try_from(bits.div_ceil(8)).ok()?,
            stride: usize::try_from(bits.div_ceil(32) * 4)
                .ok()
                .filter(|stride| *stride > 0)?,
            count: height.unsigned_abs(),
            from_the_top: height < 0,
            has_short_sides,
        })
    }

    /// The number of rows in a file of this length, whose last one can lack its padding.
    fn present(&self, length: usize) -> u32 {
        let rows = (length.saturating_sub(self.start) + self.stride - self.bytes) / self.stride;
        u32::try_from(rows).map_or(self.count, |rows| rows.min(self.count))
    }

    /// The position after this number of rows. They are in a file.
    fn end(&self, rows: u32) -> usize {
        self.start + rows as usize * self.stride
    }

    /// Writes the number of rows to the header.
    fn set_count(&self, file: &mut [u8], count: u32) -> Result<(), DecodeError> {
        let broken = |_| DecodeError::of("no header");
        if count == 0 {
            return Err(DecodeError::of("no row of pixels"));
        }
        if self.has_short_sides {
            file[20..22].copy_from_slice(&u16::try_from(count).map_err(broken)?.to_le_bytes());
        } else {
            let height = i32::try_from(count).map_err(broken)?;
            let signed = if self.from_the_top { -height } else { height };
            file[22..26].copy_from_slice(&signed.to_le_bytes());
        }
        Ok(())
    }
}

/// Changes a file to one that the decoder reads.
fn normalized(file: &[u8]) -> Result<Cow<'_, [u8]>, DecodeError> {
    let broken = || DecodeError::of("no header");
    let has_file_header = file.starts_with(b"BM");
    let dib = if has_file_header {
        file.get(FILE_HEADER..).ok_or_else(broken)?
    } else {
        file
    };
    let u32_at = |at: usize| {
        let bytes = dib.get(at..)?.first_chunk()?;
        Some(u32::from_le_bytes(*bytes))
    };
    let length = u32_at(0).ok_or_else(broken)?;
    let is_os2 = matches!(length, 16..=39 | 41..=51 | 53..=55 | 57..=64);
    match (u32_at(16).filter(|_| length >= 20), length) {
        (Some(3), 64) => return Err(DecodeError::unsupported("BMP with fax compression")),
        (Some(RLE_24_OR_JPEG), 64) => return Err(DecodeError::unsupported("BMP with 24-bit run lengths")),
        (Some(RLE_24_OR_JPEG), _) => return Err(DecodeError::unsupported("BMP with a JPEG inside")),
        (Some(PNG), _) => return Err(DecodeError::unsupported("BMP with a PNG inside")),
        _ => {}
    }
    if has_file_header && !is_os2 {
        return Ok(Cow::Borrowed(file));
    }
    let length = length as usize;
    let body = dib.get(length..).ok_or_else(broken)?;
    let mut header = dib[..length].to_vec();
    if is_os2 {
        // The first 40 bytes are those of Windows 3. A shorter header leaves away what is 0.
        header.resize(INFO_HEADER, 0);
        header[..4].copy_from_slice(&(INFO_HEADER as u32).to_le_bytes());
    }
    let pixels = if has_file_header {
        // The length of the header has changed.
        let pixels = u32::from_le_bytes([file[10], file[11], file[12], file[13]]) as usize;
        (pixels + header.len()).saturating_sub(length)
    } else {
        FILE_HEADER + header.len() + palette_length(&header)
    };
    let mut normalized = b"BM".to_vec();
    normalized.reserve(FILE_HEADER + header.len() + body.len());
    normalized.extend([0; 8]);
    normalized.extend(u32::try_from(pixels).map_err(DecodeError::of)?.to_le_bytes());
    normalized.extend(header);
    normalized.extend(body);
    Ok(Cow::Owned(normalized))
}

/// The bytes between the header and the pixels: color masks and a palette.
fn palette_length(header: &[u8]) -> usize {
    let u16_at = |at: usize| {
        header
            .get(at..at + 2)
            .map_or(0, |bytes| usize::from(bytes[1]) << 8 | usize::from(bytes[0]))
    };
    let all_colors = |bits: usize| if bits <= 8 { 1 << bits } else { 0 };
    if header.len() < INFO_HEADER {
        return 3 * all_colors(u16_at(10));
    }
    let masks = match (header.len(), u16_at(16)) {
        (INFO_HEADER, 3) => 12,
        (INFO_HEADER, 6) => 16,
        _ => 0,
    };
    let colors = match u16_at(32) {
        0 => all_colors(u16_at(14)),
        colors => colors,
    };
    masks + 4 * colors
}
