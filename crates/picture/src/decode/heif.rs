//! HEIF, the container of AVIF and HEIC: decodes the coded pictures that the file's boxes refer to, and shows them as the
//! boxes say.

use super::part;
use crate::coded::planes::{Conversion, Planes};
use crate::coded::{Data, Tile, av1, hevc};
use crate::color::{self, over_white};
use crate::decoded::{DecodeError, Decoded, bounded, picture};
use domain::Format;
use domain::image::MAX_PIXELS;
use picture_header::heif::{self, Coded, Crop, Heif};
use picture_header::heif_boxes;
use std::num::NonZero;
use std::thread;
use std::time::{Duration, Instant};

/// Maximum time for all tiles of the colors, and again for those of the transparency. The largest picture takes some
/// seconds. A tile is not interrupted. The limits of the process that decodes can end it earlier.
const MAX_TIME: Duration = Duration::from_secs(40);

/// Pixels that a grid's tiles may have beyond twice the picture's: the tiles of a small picture can be larger than it.
const MAX_SURPLUS: u64 = 4 * 1024 * 1024;

/// Bytes that the tiles may have beyond the file's size because they refer to the same data.
const MAX_REPEATED_BYTES: usize = 4 * 1024 * 1024;

/// Coded sides are multiples of a block's side, which is at most this. What is too much is cut off.
const MAX_BLOCK_SIDE: u64 = 64;

/// Maximum size of the decoder's configuration. Real ones have a few hundred bytes.
const MAX_CONFIGURATION_BYTES: usize = 16 * 1024;

/// Decodes the picture and scales it to the `wanted` sides. HDR pictures are treated as sRGB: they look paler than they
/// should, but show the same objects.
///
/// Luma and chroma are scaled before the conversion to RGB, which then has fewer pixels to convert. A picture with
/// transparency is blended with white at full size instead, or invisible colors would show at the edges.
pub(super) fn decode(file: &[u8], wanted: (u32, u32)) -> Result<Decoded, DecodeError> {
    let boxes = heif_boxes(file).map_err(DecodeError::of)?;
    let sides = (boxes.crop.width, boxes.crop.height);
    let target = if boxes.alpha.is_some() { sides } else { wanted };
    let color = planes(file, &boxes, &boxes.color, boxes.crop)?;
    let signal = color.signal.specified(boxes.color_space);
    let conversion = Conversion::of(signal, &color);
    let mut rgb = conversion.rgb(color.scaled(target));
    if let Some(alpha) = &boxes.alpha {
        let alpha = opacity(file, &boxes, alpha, target)?;
        for (pixel, alpha) in rgb.as_chunks_mut::<3>().0.iter_mut().zip(alpha) {
            *pixel = pixel.map(|value| {
                if boxes.premultiplied {
                    value.saturating_add(255 - alpha)
                } else {
                    over_white(value, alpha)
                }
            });
        }
    }
    let profile = match boxes.profile {
        Some(extent) => part(file, extent).map(<[u8]>::to_vec),
        None => boxes.color_space.and_then(color::profile_of),
    };
    Ok(Decoded {
        picture: picture(target, rgb)?,
        profile: bounded(profile),
        incomplete: false,
    })
}

/// The opacity of each pixel, in a picture of these sides.
fn opacity(file: &[u8], boxes: &Heif, alpha: &Coded, sides: (u32, u32)) -> Result<Vec<u8>, DecodeError> {
    let scale = |value: u32, from: u32, to: u32| {
        let scaled = u64::from(value) * u64::from(to) / u64::from(from.max(1));
        u32::try_from(scaled).unwrap_or(u32::MAX)
    };
    // It can have other sides than the colors, and is cropped like them.
    let (color, crop) = (&boxes.color, boxes.crop);
    let crop = Crop {
        left: scale(crop.left, color.width, alpha.width),
        top: scale(crop.top, color.height, alpha.height),
        width: scale(crop.width, color.width, alpha.width).max(1),
        height: scale(crop.height, color.height, alpha.height).max(1),
    };
    let planes = planes(file, boxes, alpha, crop)?;
    // AV1 data says whether 16 means transparent. HEVC data says so, too, but encoders set it wrongly.
    let is_limited = boxes.format == Format::Avif && !planes.signal.full_range;
    let [mut opacity, ..] = planes.scaled(sides);
    if is_limited {
        for value in &mut opacity {
            *value = u8::try_from((u32::from(value.saturating_sub(16)) * 255 + 109) / 219).unwrap_or(u8::MAX);
        }
    }
    Ok(opacity)
}

fn planes(file: &[u8], boxes: &Heif, coded: &Coded, crop: Crop) -> Result<Planes, DecodeError> {
    if u64::from(coded.width) * u64::from(coded.height) > MAX_PIXELS {
        return Err(DecodeError::of(
            "the picture is cropped from one that is too large",
        ));
    }
    let source = Source {
        file,
        boxes,
        coded,
        crop,
    };
    match boxes.format {
        Format::Avif => source.planes(1, av1),
        _ => source.planes(tiles_at_once(coded), hevc),
    }
}

/// Maximum number of pixels of tiles that are decoded at once. Larger tiles are decoded one by one.
const MAX_PIXELS_AT_ONCE: u64 = 4 * 1024 * 1024;
/// Maximum number of threads.
const MAX_THREADS: usize = 8;

/// How many tiles to decode at the same time: as many as there are processors, if they are small.
fn tiles_at_once(coded: &Coded) -> usize {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let small = coded.tiles.iter().all(|tile| {
        tile.sides.is_some_and(|(width, height)| {
            u64::from(width) * u64::from(height) <= MAX_PIXELS_AT_ONCE / MAX_THREADS as u64
        })
    });
    if small { processors.min(MAX_THREADS) } else { 1 }
}

struct Source<'a> {
    file: &'a [u8],
    boxes: &'a Heif,
    coded: &'a Coded,
    crop: Crop,
}

impl Source<'_> {
    /// Decodes the tiles, several at once, and puts them together.
    fn planes<T: Tile + Send>(
        &self,
        at_once: usize,
        decode: impl Fn(Data) -> Result<T, DecodeError> + Sync,
    ) -> Result<Planes, DecodeError> {
        let deadline = Instant::now() + MAX_TIME;
        let (width, height) = (self.coded.width as usize, self.coded.height as usize);
        let mut planes: Option<Planes> = None;
        let mut unread = self.file.len() + MAX_REPEATED_BYTES;
        let (mut left, mut top) = (0, 0);
        let mut decoded = 0;
        for tiles in self.coded.tiles.chunks(at_once) {
            if Instant::now() > deadline {
                return Err(DecodeError::of("decoding takes too long"));
            }
            let data = tiles
                .iter()
                .map(|tile| self.data(tile, &mut unread))
                .collect::<Result<Vec<_>, _>>()?;
            for tile in in_parallel(data, &decode) {
                let tile = tile?;
                let planes =
                    planes.get_or_insert_with(|| Planes::of(&tile, (self.crop.width, self.crop.height)));
                if left >= width || top >= height {
                    return Err(DecodeError::of("the tiles are larger than the picture"));
                }
                let shift = |at: usize, cropped: u32| at as i64 - i64::from(cropped);
                planes.put(&tile, (shift(left, self.crop.left), shift(top, self.crop.top)))?;
                let (tile_width, tile_height) = tile.sides();
                left += tile_width;
                decoded += 1;
                if decoded % self.coded.columns as usize == 0 {
                    if left < width {
                        return Err(DecodeError::of("the tiles do not fill the picture"));
                    }
                    left = 0;
                    top += tile_height;
                }
            }
        }
        if top < height {
            return Err(DecodeError::of("the tiles do not fill the picture"));
        }
        planes.ok_or_else(|| DecodeError::of("no tile"))
    }

    /// `unread` is the number of bytes that this and the next tiles may have.
    fn data(&self, tile: &heif::Tile, unread: &mut usize) -> Result<Data, DecodeError> {
        let mut bytes = Vec::new();
        for extent in self.boxes.extents(tile) {
            let part =
                part(self.file, *extent).ok_or_else(|| DecodeError::of("the file ends before its data"))?;
            *unread = unread
                .checked_sub(part.len())
                .ok_or_else(|| DecodeError::of("the file refers to the same data repeatedly"))?;
            bytes.extend_from_slice(part);
        }
        let configuration = tile.configuration.map(|extent| {
            part(self.file, extent)
                .filter(|configuration| configuration.len() <= MAX_CONFIGURATION_BYTES)
                .ok_or_else(|| DecodeError::of("the configuration is too large"))
        });
        Ok(Data {
            bytes,
            configuration: configuration.transpose()?.unwrap_or_default().to_vec(),
            max_pixels: self.max_pixels(tile),
        })
    }

    /// The tile's own sides, and in a grid at most its share of twice the picture.
    fn max_pixels(&self, tile: &heif::Tile) -> u64 {
        let coded = self.coded;
        let padded = |(width, height): (u32, u32)| {
            u64::from(width).next_multiple_of(MAX_BLOCK_SIDE)
                * u64::from(height).next_multiple_of(MAX_BLOCK_SIDE)
        };
        let picture = padded((coded.width, coded.height));
        let share = match coded.tiles.len() as u64 {
            1 => picture,
            tiles => (2 * picture + MAX_SURPLUS) / tiles.max(1),
        };
        tile.sides.map_or(share, |sides| padded(sides).min(share))
    }
}

/// Decodes each tile in a thread of its own.
fn in_parallel<T: Send>(
    data: Vec<Data>,
    decode: &(impl Fn(Data) -> Result<T, DecodeError> + Sync),
) -> Vec<Result<T, DecodeError>> {
    if data.len() < 2 {
        return data.into_iter().map(decode).collect();
    }
    thread::scope(|scope| {
        let threads: Vec<_> = data
            .into_iter()
            .map(|data| scope.spawn(|| decode(data)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err(DecodeError::of("the decoder has panicked")))
            })
            .collect()
    })
}
