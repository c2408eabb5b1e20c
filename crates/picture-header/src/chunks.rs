//! PNG and WebP, whose files are rows of chunks, and GIF and BMP, whose dimensions stand at a fixed place.

use crate::exif::{self, Exif};
use crate::pieces::{Gap, Pieces};
use crate::{MOST_SEARCHED, Stop, Stored};
use domain::Format;

/// Most chunks of a WebP file that are looked at: profile, alpha, picture, EXIF, XMP and some more. The frames of an
/// animation can be thousands, each somewhere else in the file.
const MOST_WEBP_CHUNKS: usize = 8;

/// PNG: dimensions from the first chunk; metadata from a chunk before the pixels, as browsers read it.
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
    while at < MOST_SEARCHED {
        let [l3, l2, l1, l0, name @ ..] = file.array::<8>(at)?;
        let length = u32::from_be_bytes([l3, l2, l1, l0]);
        match &name {
            b"IDAT" | b"IEND" => break,
            b"eXIf" if length as usize <= exif::MOST_BYTES => {
                return Ok(Exif::read(file.get(at + 8, length as usize)?));
            }
            _ => at += 12 + u64::from(length),
        }
    }
    Ok(Exif::default())
}

/// WebP: its three forms, and the EXIF chunk, which stands behind the picture.
pub(crate) fn webp(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let [name @ .., _, _, _, _] = file.array::<8>(12)?;
    let mut has_exif = false;
    let (width, height) = match &name {
        b"VP8 " => {
            let [0x9D, 0x01, 0x2A, w0, w1, h0, h1] = file.array(23)? else {
                return Err(Stop::Broken);
            };
            // The two upper bits are a hint at scaling.
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
    for _ in 0..MOST_WEBP_CHUNKS {
        let [n0, n1, n2, n3, length @ ..] = file.array::<8>(at)?;
        let length = u32::from_le_bytes(length);
        if [n0, n1, n2, n3] == *b"EXIF" && length as usize <= exif::MOST_BYTES {
            let bytes = file.get(at + 8, length as usize)?;
            // By the standard the chunk is bare; some programs put JPEG's prefix before it.
            return Ok(Exif::read(bytes.strip_prefix(exif::PREFIX).unwrap_or(bytes)));
        }
        at += 8 + u64::from(length) + u64::from(length & 1);
    }
    Ok(Exif::default())
}

/// A picture is one without metadata too: only what has not been read yet stops the search.
pub(crate) fn optional(found: Result<Exif, Stop>) -> Result<Exif, Stop> {
    match found {
        Err(Stop::Gap(Gap::Unread(from))) => Err(Stop::Gap(Gap::Unread(from))),
        other => Ok(other.unwrap_or_default()),
    }
}

/// GIF: the canvas on which its frames are drawn.
pub(crate) fn gif(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let [w0, w1, h0, h1] = file.array(6)?;
    Ok(Stored {
        format: Format::Gif,
        width: u16::from_le_bytes([w0, w1]).into(),
        height: u16::from_le_bytes([h0, h1]).into(),
        exif: Exif::default(),
    })
}

/// BMP: all headers of Windows, and the oldest, of OS/2. Rows from the top down have a height below 0.
pub(crate) fn bmp(file: &Pieces<'_>) -> Result<Stored, Stop> {
    let (width, height) = match u32::from_le_bytes(file.array(14)?) {
        12 => {
            let [w0, w1, h0, h1] = file.array(18)?;
            (
                u16::from_le_bytes([w0, w1]).into(),
                u16::from_le_bytes([h0, h1]).into(),
            )
        }
        16.. => {
            let width = i32::from_le_bytes(file.array(18)?);
            let height = i32::from_le_bytes(file.array(22)?);
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
