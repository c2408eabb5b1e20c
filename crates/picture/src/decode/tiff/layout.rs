//! How a TIFF page's samples are stored: checked, and with the defaults of libtiff for what is missing.

use super::directory::{Directory, Order};
use crate::decoded::DecodeError;
use domain::image::MAX_PIXELS;

/// Bytes that a page may decompress to beyond a multiple of its own size: the padding of tiles that are larger than a small
/// picture.
const PADDING_BYTES: u64 = 64 * 1024 * 1024;
/// Bytes that a page may decompress to, as a multiple of its own size.
const MAX_EXPANSION: u64 = 4;
/// Maximum size of a row of one strip or tile in bytes: 65,536 pixels with four samples of 64 bits, eightfold.
const MAX_ROW_BYTES: u64 = 16 * 1024 * 1024;
/// Maximum number of strips or tiles. A picture of 80 pixels by 150 megapixels has half as many strips of one row.
const MAX_CHUNKS: u64 = 4 * 1024 * 1024;

pub(super) const JPEG_TABLES: u16 = 347;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    /// CCITT: fax of group 3 or 4, or run lengths.
    Fax(Fax),
    Lzw,
    OldJpeg,
    Jpeg,
    Deflate,
    PackBits,
    Lzma,
    Zstd,
    WebP,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fax {
    /// Run lengths of single rows, each beginning at a byte.
    Rows,
    /// Group 3. Each row says whether it depends on the row above if `two_dimensional`.
    Group3 {
        two_dimensional: bool,
    },
    Group4,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Color {
    Gray {
        white_is_zero: bool,
    },
    Rgb,
    Palette,
    Cmyk,
    /// Cyan, magenta and yellow, without black.
    Cmy,
    YCbCr,
    /// CIELab. `signed`: a and b are signed, and otherwise have an offset.
    Lab {
        signed: bool,
    },
}

impl Color {
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Gray { .. } | Self::Palette => 1,
            Self::Rgb | Self::Cmy | Self::YCbCr | Self::Lab { .. } => 3,
            Self::Cmyk => 4,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Alpha {
    /// Colors are multiplied with it.
    Associated,
    Unassociated,
}

/// The type of a sample.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Sample {
    /// At most 16 bits.
    Unsigned,
    /// 32 or 64 bits.
    Wide,
    Signed,
    Float,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Predictor {
    None,
    Horizontal,
    Float,
}

pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    /// The sides of a strip or tile. A strip is as wide as the picture and at most as high.
    pub(super) chunk_width: u32,
    pub(super) chunk_height: u32,
    pub(super) across: u32,
    pub(super) down: u32,
    pub(super) compression: Compression,
    pub(super) predictor: Predictor,
    pub(super) reversed_bits: bool,
    pub(super) order: Order,
    pub(super) color: Color,
    pub(super) alpha: Option<Alpha>,
    pub(super) bits: u8,
    pub(super) sample: Sample,
    /// Samples of each pixel, with those that are not used.
    pub(super) samples: usize,
    /// Whether each sample has strips or tiles of its own.
    pub(super) planar: bool,
    /// Of uncompressed YCbCr: how many pixels share a chroma sample, horizontally and vertically. Otherwise 1.
    pub(super) subsampling: (u32, u32),
    /// Whether its JPEGs contain YCbCr, which their decoder converts to RGB.
    pub(super) is_ycbcr_jpeg: bool,
    /// The strips or tiles of the file.
    pub(super) chunks: Vec<Chunk>,
}

/// Where a strip or tile is in the file.
#[derive(Clone, Copy)]
pub(super) struct Chunk {
    pub(super) from: usize,
    pub(super) length: usize,
}

impl Layout {
    pub(super) fn read(directory: &Directory<'_>, file_length: usize) -> Result<Self, DecodeError> {
        let side = |tag| {
            let side = directory.number(tag).and_then(|side| u32::try_from(side).ok());
            side.filter(|side| *side > 0)
        };
        let (Some(width), Some(height)) = (side(256), side(257)) else {
            return Err(DecodeError::of("no sides"));
        };
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(DecodeError::of("too many pixels"));
        }
        let compression = compression(directory)?;
        let samples = match (directory.number(277), directory.number(262)) {
            (Some(samples), _) => samples.clamp(1, u16::MAX.into()) as usize,
            (None, Some(2 | 6)) => 3,
            (None, _) => 1,
        };
        let color = color(directory, compression, samples)?;
        if samples < color.channels() {
            return Err(DecodeError::of("fewer samples than the color has"));
        }
        let bits = directory.numbers(258, samples);
        let bits = match (&bits[..], compression) {
            // Some programs write no number of bits for JPEG.
            ([], Compression::Jpeg | Compression::OldJpeg) => 8,
            ([], _) => 1,
            ([first, rest @ ..], _) if rest.iter().all(|bits| bits == first) => *first,
            _ => return Err(DecodeError::unsupported("TIFF with samples of different sizes")),
        };
        let sample = match (directory.number(339).unwrap_or(1), bits) {
            (1 | 4, 1..=16) => Sample::Unsigned,
            (1 | 4, 32 | 64) => Sample::Wide,
            (2, 8 | 16 | 32 | 64) => Sample::Signed,
            (3, 16 | 32 | 64) => Sample::Float,
            (5 | 6, _) => return Err(DecodeError::unsupported("TIFF with complex numbers")),
            _ => return Err(DecodeError::unsupported("TIFF with an unusual number of bits")),
        };
        let whole = matches!(
            compression,
            Compression::Jpeg | Compression::OldJpeg | Compression::WebP
        );
        if whole && (bits, sample) != (8, Sample::Unsigned) {
            return Err(DecodeError::unsupported("TIFF with 12 bits per sample in JPEG"));
        }
        if matches!(compression, Compression::Fax(_)) && (bits, samples) != (1, 1) {
            return Err(DecodeError::of("a fax with colors"));
        }
        let planar = samples > 1 && directory.number(284) == Some(2);
        let is_ycbcr_jpeg = color == Color::YCbCr && whole && !planar;
        let (color, subsampling) = match color {
            Color::YCbCr if is_ycbcr_jpeg => (Color::Rgb, (1, 1)),
            Color::YCbCr => (color, subsampling(directory)?),
            _ => (color, (1, 1)),
        };
        if subsampling != (1, 1) && (planar || bits != 8 || samples != 3) {
            return Err(DecodeError::unsupported("TIFF with planes of different sizes"));
        }

        let is_tiled = directory.number(322).is_some();
        let (chunk_width, chunk_height) = if is_tiled {
            let (Some(width), Some(height)) = (side(322), side(323)) else {
                return Err(DecodeError::of("tiles without sides"));
            };
            (width, height)
        } else {
            (width, side(278).unwrap_or(height).min(height))
        };
        let mut layout = Self {
            width,
            height,
            chunk_width,
            chunk_height,
            across: width.div_ceil(chunk_width),
            down: height.div_ceil(chunk_height),
            compression,
            predictor: predictor(directory, compression)?,
            reversed_bits: directory.number(266) == Some(2),
            order: directory.order,
            color,
            alpha: alpha(directory, color, samples),
            bits: bits as u8,
            sample,
            samples,
            planar,
            subsampling,
            is_ycbcr_jpeg,
            chunks: Vec::new(),
        };
        layout.check_predictor()?;
        layout.check_work()?;
        layout.find_chunks(directory, is_tiled, file_length)?;
        Ok(layout)
    }

    /// Samples that a pixel has in one strip or tile.
    pub(super) fn chunk_samples(&self) -> usize {
        if self.planar { 1 } else { self.samples }
    }

    /// The number of sets of strips or tiles.
    fn planes(&self) -> u64 {
        if self.planar { self.samples as u64 } else { 1 }
    }

    /// Length of a row of a strip or tile in bytes. With subsampled chroma, of a row of units.
    fn row_length(&self, width: u32) -> u64 {
        let (across, down) = (u64::from(self.subsampling.0), u64::from(self.subsampling.1));
        if (across, down) == (1, 1) {
            let bits = u64::from(width) * u64::from(self.bits) * self.chunk_samples() as u64;
            bits.div_ceil(8)
        } else {
            u64::from(width).div_ceil(across) * (across * down + 2)
        }
    }

    pub(super) fn row_bytes(&self) -> usize {
        self.row_length(self.chunk_width) as usize
    }

    /// The rows of one strip or tile that are inside of the picture.
    pub(super) fn rows(&self, row: u32) -> u32 {
        self.chunk_height.min(self.height - row * self.chunk_height)
    }

    fn check_predictor(&self) -> Result<(), DecodeError> {
        match (self.predictor, self.bits, self.sample) {
            (Predictor::Horizontal, 8 | 16 | 32 | 64, _) if self.subsampling == (1, 1) => Ok(()),
            (Predictor::Float, _, Sample::Float) | (Predictor::None, ..) => Ok(()),
            _ => Err(DecodeError::unsupported("TIFF with an unusual predictor")),
        }
    }

    /// Checks that decompressing all strips or tiles takes no more memory and time than the picture's size justifies.
    fn check_work(&self) -> Result<(), DecodeError> {
        let chunk_rows = |height: u32| height.div_ceil(self.subsampling.1);
        let row = self.row_length(self.chunk_width);
        let rows_down = u64::from(self.down - 1) * u64::from(chunk_rows(self.chunk_height))
            + u64::from(chunk_rows(self.rows(self.down - 1)));
        let bytes = row
            .saturating_mul(rows_down)
            .saturating_mul(self.across.into())
            .saturating_mul(self.planes());
        let own = self.row_length(self.width) * u64::from(chunk_rows(self.height)) * self.planes();
        if row > MAX_ROW_BYTES || bytes > own.saturating_mul(MAX_EXPANSION).saturating_add(PADDING_BYTES) {
            return Err(DecodeError::unsupported(
                "TIFF with tiles much larger than the picture",
            ));
        }
        if u64::from(self.across) * u64::from(self.down) * self.planes() > MAX_CHUNKS {
            return Err(DecodeError::unsupported("TIFF with millions of tiles"));
        }
        // Samples that are not used are decompressed, too.
        if self.samples > 64 {
            return Err(DecodeError::unsupported(
                "TIFF with more than 64 samples per pixel",
            ));
        }
        Ok(())
    }

    fn find_chunks(
        &mut self,
        directory: &Directory<'_>,
        is_tiled: bool,
        file_length: usize,
    ) -> Result<(), DecodeError> {
        let count = self.across as usize * self.down as usize * self.planes() as usize;
        let numbers = |tiles, strips| {
            let numbers = directory.numbers(if is_tiled { tiles } else { strips }, count);
            // Some programs store tiles in the tags of strips.
            if numbers.is_empty() {
                directory.numbers(if is_tiled { strips } else { tiles }, count)
            } else {
                numbers
            }
        };
        let offsets = numbers(324, 273);
        let lengths = numbers(325, 279);
        if offsets.is_empty() && self.compression != Compression::OldJpeg {
            return Err(DecodeError::of("no strips or tiles"));
        }
        let mut sorted = offsets.clone();
        if lengths.len() < offsets.len() {
            sorted.sort_unstable();
        }
        let whole = self.row_length(self.chunk_width) * u64::from(self.chunk_height);
        let mut compressed = 0_u64;
        for (index, offset) in offsets.iter().enumerate() {
            let from = usize::try_from(*offset).unwrap_or(usize::MAX).min(file_length);
            let length = match lengths.get(index) {
                Some(length) if *length > 0 || self.compression != Compression::None => *length,
                _ if self.compression == Compression::None => whole,
                _ => {
                    let next = sorted.get(sorted.partition_point(|other| other <= offset));
                    next.map_or(u64::MAX, |next| next - offset)
                }
            };
            let length = usize::try_from(length)
                .unwrap_or(usize::MAX)
                .min(file_length - from);
            compressed += length as u64;
            self.chunks.push(Chunk { from, length });
        }
        // Chunks can share bytes of the file, like tiles of one color. But reading the same bytes for each of millions of
        // chunks takes minutes.
        if compressed > 2 * file_length as u64 + PADDING_BYTES {
            return Err(DecodeError::unsupported("TIFF whose tiles overlap in the file"));
        }
        Ok(())
    }
}

fn compression(directory: &Directory<'_>) -> Result<Compression, DecodeError> {
    let unsupported = |kind| Err(DecodeError::unsupported(kind));
    Ok(match directory.number(259).unwrap_or(1) {
        0 | 1 => Compression::None,
        2 => Compression::Fax(Fax::Rows),
        3 => Compression::Fax(Fax::Group3 {
            two_dimensional: directory.number(292).unwrap_or(0) & 1 == 1,
        }),
        4 => Compression::Fax(Fax::Group4),
        5 => Compression::Lzw,
        6 => Compression::OldJpeg,
        7 => Compression::Jpeg,
        8 | 32_946 => Compression::Deflate,
        9 | 10 | 34_661 => return unsupported("TIFF with JBIG compression"),
        32_766 => return unsupported("TIFF with NeXT compression"),
        32_771 => return unsupported("TIFF with word-aligned run lengths"),
        32_773 => Compression::PackBits,
        32_809 => return unsupported("TIFF with ThunderScan compression"),
        32_909 => return unsupported("TIFF with Pixar compression"),
        33_003..=33_005 | 34_712 => return unsupported("TIFF with JPEG 2000 compression"),
        34_676 | 34_677 => return unsupported("TIFF with SGI Log compression"),
        34_887 => return unsupported("TIFF with LERC compression"),
        34_892 => return unsupported("TIFF with lossy raw camera data"),
        34_925 => Compression::Lzma,
        50_000 => Compression::Zstd,
        50_001 => Compression::WebP,
        50_002 | 52_546 => return unsupported("TIFF with JPEG XL compression"),
        _ => return unsupported("TIFF with an unknown compression"),
    })
}

fn predictor(directory: &Directory<'_>, compression: Compression) -> Result<Predictor, DecodeError> {
    use Compression::{Deflate, Lzma, Lzw, Zstd};
    Ok(match (compression, directory.number(317)) {
        // Other compressions have no predictor, whatever the file says.
        (Lzw | Deflate | Zstd | Lzma, Some(2)) => Predictor::Horizontal,
        (Lzw | Deflate | Zstd | Lzma, Some(3)) => Predictor::Float,
        (Lzw | Deflate | Zstd | Lzma, Some(4..)) => {
            return Err(DecodeError::unsupported("TIFF with an unusual predictor"));
        }
        _ => Predictor::None,
    })
}

fn color(directory: &Directory<'_>, compression: Compression, samples: usize) -> Result<Color, DecodeError> {
    let unsupported = |kind| Err(DecodeError::unsupported(kind));
    Ok(match directory.number(262) {
        Some(0) => Color::Gray { white_is_zero: true },
        Some(1 | 4) => Color::Gray { white_is_zero: false },
        Some(2) => Color::Rgb,
        Some(3) => Color::Palette,
        Some(5) => match (directory.number(332).unwrap_or(1), samples) {
            (1, 4..) => Color::Cmyk,
            (_, 3) => Color::Cmy,
            _ => return unsupported("TIFF with special inks"),
        },
        Some(6) => Color::YCbCr,
        Some(8) => Color::Lab { signed: true },
        Some(9 | 10) => Color::Lab { signed: false },
        Some(32_803 | 34_892) => return unsupported("TIFF with raw camera data"),
        Some(32_844 | 32_845) => return unsupported("TIFF with SGI Log colors"),
        Some(_) => return unsupported("TIFF with unknown colors"),
        None if samples < 3 => Color::Gray {
            white_is_zero: matches!(compression, Compression::Fax(_)),
        },
        None => match compression {
            Compression::Jpeg | Compression::OldJpeg => Color::YCbCr,
            _ => Color::Rgb,
        },
    })
}

fn subsampling(directory: &Directory<'_>) -> Result<(u32, u32), DecodeError> {
    let sides = directory.numbers(530, 2);
    match sides[..] {
        [across @ (1 | 2 | 4), down @ (1 | 2 | 4)] => Ok((across as u32, down as u32)),
        [] => Ok((2, 2)),
        _ => Err(DecodeError::of("invalid subsampling")),
    }
}

fn alpha(directory: &Directory<'_>, color: Color, samples: usize) -> Option<Alpha> {
    let extra = samples.checked_sub(color.channels()).filter(|extra| *extra > 0)?;
    match (directory.number(338), extra) {
        (Some(1), _) => Some(Alpha::Associated),
        // 999: Corel Draw.
        (Some(2 | 999), _) | (None, 1) => Some(Alpha::Unassociated),
        _ => None,
    }
}
