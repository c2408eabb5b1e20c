//! PNG and WebP, whose files consist of chunks, and GIF and BMP, whose dimensions are at a fixed position.

use crate::exif::{self, Exif};
use crate::pieces::{Gap, Pieces};
use crate::stored::{Stop, Stored};
use domain::Format;
use domain::image::MAX_PIXELS;

/// Maximum number of chunks of a WebP file that are read: profile, alpha, picture, EXIF, XMP and some others. An animation
/// can have thousands of frames, each at another position of the file.
const MAX_WEBP_CHUNKS: usize = 8;

/// PNG: reads dimensions from the first chunk, and metadata from a chunk before the pixels, as browsers do.
pub(crate) fn png(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let [_, _, _, _, b'I', b'H', b'D', b'R', sides @ ..] = file.array::<16>(8)? else {
        return Err(Stop::Broken);
    };
    let [w3, w2, w1, w0, h3, h2, h1, h0] = sides;
    Ok(Stored {
        format: Format::Png,
        width: u32::from_be_bytes([w3, w2, w1, w0]),
        height: u32::from_be_bytes([h3, h2, h1, h0]),
        exif: optional(png_exif(file))?,
    })
}

fn png_exif(file: &Pieces<'_>) -> Result<Exif, Stop> {
    let mut at = 8;
    loop {
        let [l3, l2, l1, l0, name @ ..] = file.array::<8>(at)?;
        let length = u32::from_be_bytes([l3, l2, l1, l0]);
        match &name {
            b"IDAT" | b"IEND" => return Ok(Exif::default()),
            b"eXIf" if length as usize <= exif::MAX_BYTES => {
                return Ok(Exif::read(file.get(at + 8, length as usize)?));
            }
            _ => at += 12 + u64::from(length),
        }
    }
}

/// WebP: reads dimensions from one of three kinds of first chunks, and metadata from the EXIF chunk after the picture.
pub(crate) fn webp(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let [name @ .., _, _, _, _] = file.array::<8>(12)?;
    let mut has_exif = false;
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
            has_exif = flags & 0x08 != 0;
            let side = |[a, b, c]: [u8; 3]| u32::from_le_bytes([a, b, c, 0]) + 1;
            (side([w0, w1, w2]), side([h0, h1, h2]))
        }
        _ => return Err(Stop::Broken),
    };
    Ok(Stored {
        format: Format::WebP,
        width,
        height,
        exif: if has_exif {
            optional(webp_exif(file))?
        } else {
            Exif::default()
        },
    })
}

fn webp_exif(file: &Pieces<'_>) -> Result<Exif, Stop> {
    let mut at = 12;
    for _ in 0..MAX_WEBP_CHUNKS {
        let [n0, n1, n2, n3, length @ ..] = file.array::<8>(at)?;
        let length = u32::from_le_bytes(length);
        if [n0, n1, n2, n3] == *b"EXIF" && length as usize <= exif::MAX_BYTES {
            let bytes = file.get(at + 8, length as usize)?;
            // The standard has no prefix here, but some programs write JPEG's.
            return Ok(Exif::read(bytes.strip_prefix(exif::PREFIX).unwrap_or(bytes)));
        }
        at += 8 + u64::from(length) + u64::from(length & 1);
    }
    Ok(Exif::default())
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
    // A canvas above the limit does not shrink.
    if u64::from(sides.0) * u64::from(sides.1) <= MAX_PIXELS {
        let [left, top, width, height] = first_frame(file, 13 + color_table(flags))?.map(u32::from);
        sides = (sides.0.max(left + width), sides.1.max(top + height));
    }
    Ok(Stored {
        format: Format::Gif,
        width: sides.0,
        height: sides.1,
        exif: Exif::default(),
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

/// Left, top, width and height of a GIF's first frame.
fn first_frame(file: &Pieces<'_>, mut at: u64) -> Result<[u16; 4], Stop> {
    loop {
        match file.array(at)? {
            [b','] => {
                let [l0, l1, t0, t1, w0, w1, h0, h1] = file.array(at + 1)?;
                return Ok([[l0, l1], [t0, t1], [w0, w1], [h0, h1]].map(u16::from_le_bytes));
            }
            // An extension: its kind, and blocks until an empty one.
            [b'!'] => {
                at += 2;
                loop {
                    let [length] = file.array(at)?;
                    at += 1 + u64::from(length);
                    if length == 0 {
                        break;
                    }
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
