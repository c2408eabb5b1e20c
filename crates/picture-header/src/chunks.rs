//! PNG and WebP, whose files consist of chunks, and GIF and BMP, whose dimensions are at a fixed position.

use crate::exif::{self, Exif};
use crate::keywords::{Sources, get_xmp};
use crate::pieces::{Gap, Pieces};
use crate::raw::Extent;
use crate::stored::{Stop, Stored};
use domain::Format;
use domain::image::MAX_PIXELS;

/// Maximum number of chunks of a WebP file that are read: profile, alpha, picture, EXIF, XMP and some others. An animation
/// can have thousands of frames, each at another position of the file.
const MAX_WEBP_CHUNKS: usize = 8;

/// Maximum number of chunks of a PNG file that are searched for XMP after EXIF. Each can be at another position of the file.
const MAX_PNG_CHUNKS_AFTER_EXIF: usize = 8;

/// PNG: reads dimensions from the first chunk, and metadata from chunks before the pixels, as browsers do.
pub(crate) fn png(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let [_, _, _, _, b'I', b'H', b'D', b'R', sides @ ..] = file.array::<16>(8)? else {
        return Err(Stop::Broken);
    };
    let [w3, w2, w1, w0, h3, h2, h1, h0] = sides;
    let (mut exif, mut keywords) = (None, Sources::default());
    optional(png_metadata(file, &mut exif, &mut keywords))?;
    Ok(Stored {
        format: Format::Png,
        width: u32::from_be_bytes([w3, w2, w1, w0]),
        height: u32::from_be_bytes([h3, h2, h1, h0]),
        exif: exif.unwrap_or_default(),
        keywords,
    })
}

/// Keeps what it has found before an error.
fn png_metadata(file: &Pieces<'_>, exif: &mut Option<Exif>, keywords: &mut Sources) -> Result<(), Stop> {
    let mut at = 8;
    let mut chunks_after_exif = 0;
    while chunks_after_exif <= MAX_PNG_CHUNKS_AFTER_EXIF {
        let [l3, l2, l1, l0, name @ ..] = file.array::<8>(at)?;
        let length = u32::from_be_bytes([l3, l2, l1, l0]);
        match &name {
            b"IDAT" | b"IEND" => break,
            b"eXIf" if exif.is_none() && length as usize <= exif::MAX_BYTES => {
                *exif = Some(Exif::read(file.get(at + 8, length as usize)?));
            }
            b"iTXt" if keywords.xmp.is_none() => keywords.xmp = png_xmp(file, (at + 8, length.into()))?,
            _ => {}
        }
        if exif.is_some() {
            if keywords.xmp.is_some() {
                break;
            }
            chunks_after_exif += 1;
        }
        at += 12 + u64::from(length);
    }
    Ok(())
}

/// The XMP in a chunk of international text. `None` if it contains another text.
fn png_xmp(file: &Pieces<'_>, (from, length): Extent) -> Result<Option<Extent>, Stop> {
    // The chunk's keyword, then: not compressed, no language, no translation.
    const PREFIX: &[u8] = b"XML:com.adobe.xmp\0\0\0\0\0";
    let skip = PREFIX.len() as u64;
    if length < skip || file.get(from, PREFIX.len())? != PREFIX {
        return Ok(None);
    }
    get_xmp(file, (from + skip, length - skip))
}

/// WebP: reads dimensions from one of three kinds of first chunks, and metadata from the chunks after the picture.
pub(crate) fn webp(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let [name @ .., _, _, _, _] = file.array::<8>(12)?;
    // What the file says that it contains.
    let (mut has_exif, mut has_xmp) = (false, false);
    let (width, height) = match &name {
        b"VP8 " => {
            let [0x9D, 0x01, 0x2A, w0, w1, h0, h1] = file.array(23)? else {
                return Err(Stop::Broken);
            };
            // The two upper bits are a hint for scaling.
            let side = |bytes| u32::from(u16::from_le_bytes(bytes) & 0x3FFF);
            (side([w0, w1]), side([h0, h1]))
        }
        b"VP8L" => {
            let [0x2F, bits @ ..] = file.array::<5>(20)? else {
                return Err(Stop::Broken);
            };
            let bits = u32::from_le_bytes(bits);
            ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
        }
        b"VP8X" => {
            let [flags, _, _, _, w0, w1, w2, h0, h1, h2] = file.array(20)?;
            (has_exif, has_xmp) = (flags & 0x08 != 0, flags & 0x04 != 0);
            let side = |[a, b, c]: [u8; 3]| u32::from_le_bytes([a, b, c, 0]) + 1;
            (side([w0, w1, w2]), side([h0, h1, h2]))
        }
        _ => return Err(Stop::Broken),
    };
    let (mut exif, mut keywords) = (None, Sources::default());
    optional(webp_metadata(file, has_exif, has_xmp, &mut exif, &mut keywords))?;
    Ok(Stored {
        format: Format::WebP,
        width,
        height,
        exif: exif.unwrap_or_default(),
        keywords,
    })
}

/// Keeps what it has found before an error.
fn webp_metadata(
    file: &Pieces<'_>,
    has_exif: bool,
    has_xmp: bool,
    exif: &mut Option<Exif>,
    keywords: &mut Sources,
) -> Result<(), Stop> {
    let mut at = 12;
    for _ in 0..MAX_WEBP_CHUNKS {
        if has_exif == exif.is_some() && has_xmp == keywords.xmp.is_some() {
            break;
        }
        let [n0, n1, n2, n3, length @ ..] = file.array::<8>(at)?;
        let length = u32::from_le_bytes(length);
        match &[n0, n1, n2, n3] {
            b"EXIF" if has_exif && exif.is_none() && length as usize <= exif::MAX_BYTES => {
                let bytes = file.get(at + 8, length as usize)?;
                // The standard has no prefix here, but some programs write JPEG's.
                *exif = Some(Exif::read(bytes.strip_prefix(exif::PREFIX).unwrap_or(bytes)));
            }
            b"XMP " if has_xmp && keywords.xmp.is_none() => {
                keywords.xmp = Some((at + 8, length.into()));
            }
            _ => {}
        }
        at += 8 + u64::from(length) + u64::from(length & 1);
    }
    Ok(())
}

/// Treats invalid metadata as missing, also if it exceeds the budget: metadata is optional. Only metadata that has not been
/// read yet is an error.
pub(crate) fn optional<T: Default>(found: Result<T, Stop>) -> Result<T, Stop> {
    match found {
        Err(Stop::Gap(Gap::Unread(from))) => Err(Stop::Gap(Gap::Unread(from))),
        other => Ok(other.unwrap_or_default()),
    }
}

/// GIF: reads the size of the canvas, which grows to contain the first frame, as in Pillow and browsers.
pub(crate) fn gif(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let [w0, w1, h0, h1, flags, _, _] = file.array(6)?;
    let mut sides = (
        u32::from(u16::from_le_bytes([w0, w1])),
        u32::from(u16::from_le_bytes([h0, h1])),
    );
    let mut keywords = Sources::default();
    // A canvas above the limit does not shrink.
    if u64::from(sides.0) * u64::from(sides.1) <= MAX_PIXELS {
        let (frame, xmp) = first_frame(file, 13 + color_table(flags))?;
        let [left, top, width, height] = frame.map(u32::from);
        keywords.xmp = xmp;
        sides = (sides.0.max(left + width), sides.1.max(top + height));
    }
    Ok(Stored {
        format: Format::Gif,
        width: sides.0,
        height: sides.1,
        exif: Exif::default(),
        keywords,
    })
}

/// The length of a GIF's color table in bytes.
fn color_table(flags: u8) -> u64 {
    if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    }
}

/// Left, top, width and height of a GIF's first frame, and the position and length of XMP before it.
fn first_frame(file: &Pieces<'_>, mut at: u64) -> Result<([u16; 4], Option<Extent>), Stop> {
    // An application extension: its kind, and a block with its name.
    const XMP: &[u8] = b"\xFF\x0BXMP DataXMP";
    let mut xmp = None;
    loop {
        match file.array(at)? {
            [b','] => {
                let [l0, l1, t0, t1, w0, w1, h0, h1] = file.array(at + 1)?;
                let frame = [[l0, l1], [t0, t1], [w0, w1], [h0, h1]].map(u16::from_le_bytes);
                return Ok((frame, xmp));
            }
            // An extension: its kind, and blocks until an empty one.
            [b'!'] => {
                let kind = at + 1;
                at += 2;
                loop {
                    let [length] = file.array(at)?;
                    at += 1 + u64::from(length);
                    if length == 0 {
                        break;
                    }
                }
                let from = kind + XMP.len() as u64;
                if xmp.is_none() && at > from && file.get(kind, XMP.len())? == XMP {
                    // XMP does not consist of blocks. It ends with bytes of all values from 255 to 0: a program that
                    // reads it as blocks finds the empty one at their end, wherever the last block began.
                    xmp = Some((from, at - from));
                }
            }
            // The end of the file.
            [b';'] => return Err(Stop::Broken),
            // Decoders skip other bytes.
            _ => at += 1,
        }
    }
}

/// BMP: reads all headers of Windows and OS/2. The height is negative if the rows are stored top-down.
pub(crate) fn bmp(file: &Pieces<'_>) -> Result<Stored, Stop> {
    // The header of the file, which programs leave away on the clipboard and in .dib files.
    let start = if file.array(0)? == *b"BM" { 14 } else { 0 };
    let (width, height) = match u32::from_le_bytes(file.array(start)?) {
        12 => {
            let [w0, w1, h0, h1] = file.array(start + 4)?;
            (
                u16::from_le_bytes([w0, w1]).into(),
                u16::from_le_bytes([h0, h1]).into(),
            )
        }
        16.. => {
            let width = i32::from_le_bytes(file.array(start + 4)?);
            let height = i32::from_le_bytes(file.array(start + 8)?);
            (
                u32::try_from(width).map_err(|_| Stop::Broken)?,
                height.unsigned_abs(),
            )
        }
        _ => return Err(Stop::Broken),
    };
    Ok(Stored {
        format: Format::Bmp,
        width,
        height,
        exif: Exif::default(),
        keywords: Sources::default(),
    })
}

/// Whether the file is a BMP without the header that begins with `BM`. Its first bytes are the length of the next header,
/// so all fields must be plausible.
pub(crate) fn is_dib(start: &[u8]) -> bool {
    let u16 = |at: usize| {
        start
            .get(at..at + 2)
            .map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]))
    };
    let u32 = |at: usize| {
        u16(at)
            .zip(u16(at + 2))
            .map(|(low, high)| u32::from(high) << 16 | u32::from(low))
    };
    let fits = |planes_at, depths: &[u16]| {
        u16(planes_at) == Some(1) && u16(planes_at + 2).is_some_and(|depth| depths.contains(&depth))
    };
    match u32(0) {
        Some(12) => u32(4).is_some_and(|sides| sides != 0) && fits(8, &[1, 4, 8, 24]),
        Some(40 | 52 | 56 | 64 | 108 | 124) => {
            fits(12, &[1, 2, 4, 8, 16, 24, 32])
                && u32(16).is_some_and(|compression| compression <= 6)
                && u32(4).is_some_and(|width| (1..0x10_0000).contains(&width))
                && u32(8).is_some_and(|height| (1..0x10_0000).contains(&height.cast_signed().unsigned_abs()))
        }
        _ => false,
    }
}
