//! TIFF files of the kinds that the `tiff` crate cannot write, built byte by byte. All are little-endian.

use super::{PATTERN_LEFT, PATTERN_RIGHT, PATTERN_SIDES, jpeg_with, pattern};
use std::io::Write;

/// A directory entry: tag, type, values.
pub type Entry = (u16, u16, Vec<u32>);
/// A page: its entries, and its strips, or its tiles if it has the width of a tile.
pub type Page = (Vec<Entry>, Vec<Vec<u8>>);

/// The type of unsigned numbers of 16 bits.
pub const SHORT: u16 = 3;
/// The type of unsigned numbers of 32 bits.
pub const LONG: u16 = 4;

const NEW_SUBFILE_TYPE: u16 = 254;
const COMPRESSION: u16 = 259;
const STRIP_OFFSETS: u16 = 273;
const STRIP_BYTE_COUNTS: u16 = 279;
const PLANAR_CONFIGURATION: u16 = 284;
const COLOR_MAP: u16 = 320;
const TILE_WIDTH: u16 = 322;
const TILE_HEIGHT: u16 = 323;
const TILE_OFFSETS: u16 = 324;
const TILE_BYTE_COUNTS: u16 = 325;
const SUBSAMPLING: u16 = 530;

/// A file with these pages.
///
/// # Panics
/// If it has 4 GB or more.
pub fn file(pages: &[Page]) -> Vec<u8> {
    let position = |bytes: &Vec<u8>| u32::try_from(bytes.len()).expect("a small file");
    let mut bytes = b"II*\0\0\0\0\0".to_vec();
    let mut link = 4;
    for (entries, chunks) in pages {
        let mut entries = entries.clone();
        if !chunks.is_empty() {
            let mut offsets = vec![];
            for chunk in chunks {
                offsets.push(position(&bytes));
                bytes.extend(chunk);
            }
            let lengths = chunks.iter().map(position).collect();
            let (offsets_tag, lengths_tag) = if entries.iter().any(|(tag, ..)| *tag == TILE_WIDTH) {
                (TILE_OFFSETS, TILE_BYTE_COUNTS)
            } else {
                (STRIP_OFFSETS, STRIP_BYTE_COUNTS)
            };
            entries.extend([(offsets_tag, LONG, offsets), (lengths_tag, LONG, lengths)]);
        }
        entries.sort_by_key(|(tag, ..)| *tag);
        let mut directory = u16::try_from(entries.len())
            .expect("few entries")
            .to_le_bytes()
            .to_vec();
        for (tag, kind, values) in entries {
            let length = if kind == SHORT { 2 } else { 4 };
            let mut value: Vec<u8> = values
                .iter()
                .flat_map(|value| value.to_le_bytes()[..length].to_vec())
                .collect();
            if value.len() > 4 {
                let at = position(&bytes);
                bytes.extend(value);
                value = at.to_le_bytes().to_vec();
            }
            value.resize(4, 0);
            let count = u32::try_from(values.len()).expect("few values");
            directory.extend(
                [
                    &tag.to_le_bytes()[..],
                    &kind.to_le_bytes(),
                    &count.to_le_bytes(),
                    &value,
                ]
                .concat(),
            );
        }
        bytes.resize(bytes.len().next_multiple_of(2), 0);
        let at = position(&bytes).to_le_bytes();
        bytes[link..link + 4].copy_from_slice(&at);
        bytes.extend(directory);
        link = bytes.len();
        bytes.extend([0; 4]);
    }
    bytes
}

/// The entries of a page of one strip with these sides.
pub fn entries(
    (width, height): (u32, u32),
    photometric: u32,
    bits: u32,
    samples: u32,
    compression: u32,
) -> Vec<Entry> {
    vec![
        (256, LONG, vec![width]),
        (257, LONG, vec![height]),
        (258, SHORT, vec![bits; samples as usize]),
        (COMPRESSION, SHORT, vec![compression]),
        (262, SHORT, vec![photometric]),
        (277, SHORT, vec![samples]),
        (278, LONG, vec![height]),
    ]
}

/// The entries of the width and height of tiles.
pub fn tiles((width, height): (u32, u32)) -> [Entry; 2] {
    [(TILE_WIDTH, LONG, vec![width]), (TILE_HEIGHT, LONG, vec![height])]
}

/// Entries that say that `count` tiles have the same bytes.
pub fn shared_tiles(at: u32, length: u32, count: usize) -> [Entry; 2] {
    [
        (TILE_OFFSETS, LONG, vec![at; count]),
        (TILE_BYTE_COUNTS, LONG, vec![length; count]),
    ]
}

/// Samples of the pattern, where each half has these. Rows begin at a byte.
fn samples(left: u32, (width, height): (u32, u32), bits: u32, halves: [&[u8]; 2]) -> Vec<u8> {
    let mut row = vec![];
    let (mut pending, mut count) = (0_u32, 0);
    for x in left..left + width {
        for sample in halves[usize::from(x >= PATTERN_SIDES.0 / 2)] {
            pending = pending << bits | u32::from(*sample);
            count += bits;
            if count >= 8 {
                count -= 8;
                row.push((pending >> count) as u8);
            }
        }
    }
    if count > 0 {
        row.push((pending << (8 - count)) as u8);
    }
    row.repeat(height as usize)
}

fn one_strip(photometric: u32, bits: u32, halves: [&[u8]; 2], more: Vec<Entry>) -> Vec<u8> {
    let entries = entries(PATTERN_SIDES, photometric, bits, halves[0].len() as u32, 1);
    file(&[(
        [entries, more].concat(),
        vec![samples(0, PATTERN_SIDES, bits, halves)],
    )])
}

/// Gray, where each half has this value of 1 to 8 bits.
pub fn gray(bits: u32, halves: [u8; 2]) -> Vec<u8> {
    let [left, right] = halves;
    one_strip(1, bits, [&[left], &[right]], vec![])
}

/// Gray whose smallest value is white.
pub fn white_is_zero(halves: [u8; 2]) -> Vec<u8> {
    let [left, right] = halves;
    one_strip(0, 8, [&[left], &[right]], vec![])
}

/// A palette of 16 colors.
pub fn palette() -> Vec<u8> {
    let channel = |channel: usize| {
        let mut colors = vec![0; 16];
        colors[0] = u32::from(PATTERN_LEFT[channel]) * 257;
        colors[1] = u32::from(PATTERN_RIGHT[channel]) * 257;
        colors
    };
    let colors = (0..3).flat_map(channel).collect();
    one_strip(3, 4, [&[0], &[1]], vec![(COLOR_MAP, SHORT, colors)])
}

/// CIELab: a red half, and a gray one.
pub fn lab() -> Vec<u8> {
    one_strip(8, 8, [&[138, 81, 70], &[127, 0, 0]], vec![])
}

/// YCbCr, where four pixels share their colors.
pub fn ycbcr() -> Vec<u8> {
    let [left, right] = [PATTERN_LEFT, PATTERN_RIGHT].map(|[red, green, blue]| {
        let [red, green, blue] = [red, green, blue].map(f64::from);
        let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
        let [luma, cb, cr] = [luma, 128.0 + (blue - luma) / 1.772, 128.0 + (red - luma) / 1.402]
            .map(|value| value.round() as u8);
        [luma, luma, luma, luma, cb, cr]
    });
    let (width, height) = PATTERN_SIDES;
    let blocks = samples(0, PATTERN_SIDES, 8, [&[0], &[1]])[..width as usize]
        .chunks(2)
        .flat_map(|block| if block[0] == 0 { left } else { right })
        .collect::<Vec<u8>>()
        .repeat(height as usize / 2);
    let subsampling = (SUBSAMPLING, SHORT, vec![2, 2]);
    let entries = [entries(PATTERN_SIDES, 6, 8, 3, 1), vec![subsampling]].concat();
    file(&[(entries, vec![blocks])])
}

/// One strip for each color.
pub fn planar() -> Vec<u8> {
    let plane = |channel: usize| {
        samples(
            0,
            PATTERN_SIDES,
            8,
            [&[PATTERN_LEFT[channel]], &[PATTERN_RIGHT[channel]]],
        )
    };
    let planar = (PLANAR_CONFIGURATION, SHORT, vec![2]);
    let entries = [entries(PATTERN_SIDES, 2, 8, 3, 1), vec![planar]].concat();
    file(&[(entries, (0..3).map(plane).collect())])
}

/// Tiles of 64 x 32 pixels, the last of which extend beyond the picture.
pub fn tiled() -> Vec<u8> {
    let tile = (64, 32);
    let colors: [&[u8]; 2] = [&PATTERN_LEFT, &PATTERN_RIGHT];
    let row = [0, 64].map(|left| samples(left, tile, 8, colors));
    let rows = PATTERN_SIDES.1.div_ceil(tile.1);
    let chunks = (0..rows).flat_map(|_| row.clone()).collect();
    let entries = [&entries(PATTERN_SIDES, 2, 8, 3, 1)[..], &tiles(tile)].concat();
    file(&[(entries, chunks)])
}

fn compressed(compression: u32, compress: impl FnOnce(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let strip = compress(&samples(0, PATTERN_SIDES, 8, [&PATTERN_LEFT, &PATTERN_RIGHT]));
    file(&[(entries(PATTERN_SIDES, 2, 8, 3, compression), vec![strip])])
}

/// Zstandard compression.
pub fn zstd() -> Vec<u8> {
    compressed(50_000, |samples| {
        ruzstd::encoding::compress_to_vec(samples, ruzstd::encoding::CompressionLevel::Fastest)
    })
}

/// LZMA compression.
///
/// # Panics
/// If there is no memory for it.
pub fn lzma() -> Vec<u8> {
    compressed(34_925, |samples| {
        let options = lzma_rust2::XzOptions::with_preset(1);
        let mut writer = lzma_rust2::XzWriter::new(vec![], options).expect("valid options");
        writer.write_all(samples).expect("written to memory");
        writer.finish().expect("written to memory")
    })
}

/// A JPEG as the only strip.
pub fn jpeg() -> Vec<u8> {
    let strip = jpeg_with(&pattern(), |_| {});
    file(&[(entries(PATTERN_SIDES, 6, 8, 3, 7), vec![strip])])
}

/// The pattern after a thumbnail, which is black.
pub fn thumbnail_first() -> Vec<u8> {
    let sides = (80, 80);
    let is_reduced = (NEW_SUBFILE_TYPE, LONG, vec![1]);
    let thumbnail = [entries(sides, 1, 8, 1, 1), vec![is_reduced]].concat();
    let picture = samples(0, PATTERN_SIDES, 8, [&PATTERN_LEFT, &PATTERN_RIGHT]);
    file(&[
        (thumbnail, vec![vec![0; 80 * 80]]),
        (entries(PATTERN_SIDES, 2, 8, 3, 1), vec![picture]),
    ])
}

/// A fax of group 3 or 4: a white half, and a black one. Source of the codes: ITU-T T.4 and T.6.
pub fn fax(group: u32) -> Vec<u8> {
    const END_OF_LINE: &str = "000000000001";
    // 60 white pixels, and 60 black ones.
    const ROW: &str = "01001011000000101100";
    let rows = PATTERN_SIDES.1 as usize;
    let bits = if group == 3 {
        [
            &[END_OF_LINE, ROW].concat().repeat(rows)[..],
            &END_OF_LINE.repeat(6),
        ]
        .concat()
    } else {
        // The first row is coded by its runs, and each other one has its two changes where the row above has them.
        [
            &["001", ROW].concat(),
            &"11".repeat(rows - 1)[..],
            &END_OF_LINE.repeat(2),
        ]
        .concat()
    };
    let strip = bits
        .as_bytes()
        .chunks(8)
        .map(|bits| (0..8).fold(0, |byte, at| byte << 1 | u8::from(bits.get(at) == Some(&b'1'))))
        .collect();
    file(&[(entries(PATTERN_SIDES, 0, 1, 1, group), vec![strip])])
}
