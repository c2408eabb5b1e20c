//! Decodes TIFF files of every kind. They are built here byte by byte, and all show the same flag of 120 x 90 pixels: the
//! top left quarter is the first color, the bottom right quarter is the last one, and the others are the second one.

use image::{ImageFormat, RgbImage};
use picture::PictureError;
use picture_header::{Look, Pieces, look};
use std::io::{Cursor, Write};

const WIDTH: u32 = 120;
const HEIGHT: u32 = 90;
const RED: [u8; 3] = [220, 30, 30];
const GREEN: [u8; 3] = [30, 200, 60];
const BLUE: [u8; 3] = [20, 60, 120];
const COLORS: [[u8; 3]; 3] = [RED, BLUE, GREEN];
/// Of these, two bits show all.
const GRAYS: [[u8; 3]; 3] = [[255; 3], [85; 3], [170; 3]];

const SHORT: u16 = 3;
const LONG: u16 = 4;
const RATIONAL: u16 = 5;
const LONG8: u16 = 16;

/// A directory entry: tag, type, values.
type Entry = (u16, u16, Vec<u64>);

#[derive(Clone, Copy, Default)]
struct Form {
    big_endian: bool,
    big_tiff: bool,
}

/// Builds a file. Each page has its entries and its strips, or tiles if it has the width of a tile.
fn file(form: Form, pages: &[(Vec<Entry>, Vec<Vec<u8>>)]) -> Vec<u8> {
    let number = |value: u64, length: usize| {
        if form.big_endian {
            value.to_be_bytes()[8 - length..].to_vec()
        } else {
            value.to_le_bytes()[..length].to_vec()
        }
    };
    let word = if form.big_tiff { 8 } else { 4 };
    let mut bytes = if form.big_endian {
        b"MM".to_vec()
    } else {
        b"II".to_vec()
    };
    bytes.extend(number(if form.big_tiff { 43 } else { 42 }, 2));
    if form.big_tiff {
        bytes.extend([number(8, 2), number(0, 2)].concat());
    }
    let mut link = bytes.len();
    bytes.extend(number(0, word));
    for (entries, chunks) in pages {
        let mut entries = entries.clone();
        let mut offsets = vec![];
        for chunk in chunks {
            bytes.resize(bytes.len().next_multiple_of(2), 0);
            offsets.push(bytes.len() as u64);
            bytes.extend(chunk);
        }
        let is_tiled = entries.iter().any(|(tag, ..)| *tag == 322);
        let (offsets_tag, lengths_tag) = if is_tiled { (324, 325) } else { (273, 279) };
        let kind = if form.big_tiff { LONG8 } else { LONG };
        if !chunks.is_empty() {
            entries.push((offsets_tag, kind, offsets));
            entries.push((
                lengths_tag,
                LONG,
                chunks.iter().map(|chunk| chunk.len() as u64).collect(),
            ));
        }
        entries.sort_by_key(|(tag, ..)| *tag);
        let mut directory = number(entries.len() as u64, if form.big_tiff { 8 } else { 2 });
        for (tag, kind, values) in entries {
            let length = match kind {
                SHORT => 2,
                LONG => 4,
                LONG8 => 8,
                // Two numbers.
                RATIONAL => 4,
                _ => 1,
            };
            let mut value: Vec<u8> = values.iter().flat_map(|value| number(*value, length)).collect();
            let count = if kind == RATIONAL {
                values.len() / 2
            } else {
                values.len()
            };
            if value.len() > word {
                bytes.resize(bytes.len().next_multiple_of(2), 0);
                let at = bytes.len();
                bytes.extend(value);
                value = number(at as u64, word);
            }
            value.resize(word, 0);
            directory.extend(
                [
                    number(tag.into(), 2),
                    number(kind.into(), 2),
                    number(count as u64, word),
                ]
                .concat(),
            );
            directory.extend(value);
        }
        directory.extend(number(0, word));
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        let at = bytes.len();
        bytes[link..link + word].copy_from_slice(&number(at as u64, word));
        bytes.extend(directory);
        link = bytes.len() - word;
    }
    bytes
}

fn plain(entries: Vec<Entry>, chunks: Vec<Vec<u8>>) -> Vec<u8> {
    file(Form::default(), &[(entries, chunks)])
}

fn short(tag: u16, value: u64) -> Entry {
    (tag, SHORT, vec![value])
}

/// The entries of a page of one strip.
fn entries(photometric: u64, bits: u64, samples: u64, compression: u64) -> Vec<Entry> {
    vec![
        short(256, WIDTH.into()),
        short(257, HEIGHT.into()),
        (258, SHORT, vec![bits; samples as usize]),
        short(259, compression),
        short(262, photometric),
        short(277, samples),
        short(278, HEIGHT.into()),
    ]
}

fn with(mut entries: Vec<Entry>, more: Vec<Entry>) -> Vec<Entry> {
    entries.retain(|(tag, ..)| more.iter().all(|(other, ..)| other != tag));
    entries.extend(more);
    entries
}

/// The index of the color of a pixel. Pixels outside of the picture have the nearest one.
fn quarter(x: u32, y: u32) -> usize {
    match (x < WIDTH / 2, y < HEIGHT / 2) {
        (true, true) => 0,
        (false, false) => 2,
        _ => 1,
    }
}

/// The samples of a part of the flag, where each color has these samples. Rows begin at a byte.
fn part(left: u32, top: u32, width: u32, height: u32, bits: u32, colors: [&[u64]; 3]) -> Vec<u8> {
    let mut bytes = vec![];
    for y in top..top + height {
        let (mut pending, mut count) = (0_u128, 0);
        for x in left..left + width {
            for sample in colors[quarter(x, y)] {
                pending = pending << bits | u128::from(*sample);
                count += bits;
                while count >= 8 {
                    count -= 8;
                    bytes.push((pending >> count) as u8);
                }
            }
        }
        if count > 0 {
            bytes.push((pending << (8 - count)) as u8);
        }
    }
    bytes
}

/// All samples of the flag, most significant byte first.
fn whole(bits: u32, colors: [&[u64]; 3]) -> Vec<u8> {
    part(0, 0, WIDTH, HEIGHT, bits, colors)
}

fn whole_rgb() -> Vec<u8> {
    let colors = COLORS.map(|color| color.map(u64::from));
    whole(8, [&colors[0], &colors[1], &colors[2]])
}

fn flag() -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| image::Rgb(COLORS[quarter(x, y)]))
}

fn pixels(file: &[u8]) -> Result<(RgbImage, bool), PictureError> {
    let Look::Found(header) = look(&Pieces::all(file))? else {
        panic!("the file is complete");
    };
    let decoded = picture::pixels(file, &header)?;
    assert_eq!(decoded.result.dimensions(), (header.width, header.height));
    Ok((decoded.result, decoded.incomplete))
}

#[track_caller]
fn assert_shows(what: &str, file: &[u8], expected: [[u8; 3]; 3], tolerance: u8) {
    let (image, incomplete) = pixels(file).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(
        (image.dimensions(), incomplete),
        ((WIDTH, HEIGHT), false),
        "{what}"
    );
    for (x, y) in [
        (0, 0),
        (119, 89),
        (30, 22),
        (57, 42),
        (90, 22),
        (30, 67),
        (64, 48),
        (90, 67),
        (119, 0),
        (0, 89),
    ] {
        let seen = image.get_pixel(x, y).0;
        let expected = expected[quarter(x, y)];
        let is_near = seen
            .iter()
            .zip(&expected)
            .all(|(a, b)| a.abs_diff(*b) <= tolerance);
        assert!(is_near, "{what}: {seen:?} instead of {expected:?} at {x}, {y}");
    }
}

#[test]
fn shows_gray_of_1_to_16_bits() {
    for bits in [1, 2, 4, 8, 12, 16] {
        let max = (1_u64 << bits) - 1;
        let levels = GRAYS.map(|gray| u64::from(gray[0]) * max / 255);
        let shown = levels.map(|level| [(level * 255 / max) as u8; 3]);
        let samples = whole(bits, [&[levels[0]], &[levels[1]], &[levels[2]]]);
        let big_endian = Form {
            big_endian: true,
            ..Form::default()
        };
        let page = |photometric| (entries(photometric, bits.into(), 1, 1), vec![samples.clone()]);
        assert_shows(&format!("{bits} bits"), &file(big_endian, &[page(1)]), shown, 1);
        let inverted = shown.map(|gray| gray.map(|value| 255 - value));
        assert_shows(
            &format!("{bits} bits, inverted"),
            &file(big_endian, &[page(0)]),
            inverted,
            1,
        );
    }
}

/// Changes the byte order of samples.
fn little_endian(bytes: &[u8], width: usize) -> Vec<u8> {
    bytes
        .chunks_exact(width)
        .flat_map(|sample| sample.iter().rev().copied())
        .collect()
}

#[test]
fn shows_integers_and_floating_point_numbers_of_all_widths() {
    let page = |bits: u64, format: u64, number: &dyn Fn(u8) -> u64| {
        let colors = COLORS.map(|color| color.map(number));
        let samples = whole(bits as u32, [&colors[0], &colors[1], &colors[2]]);
        let entries = with(entries(2, bits, 3, 1), vec![(339, SHORT, vec![format; 3])]);
        plain(entries, vec![little_endian(&samples, bits as usize / 8)])
    };
    let share = |value: u8| f64::from(value) / 255.0;
    // Exponents and fractions of positive numbers are laid out the same for all widths.
    let half = |value: u8| {
        let bits = (share(value) as f32).to_bits();
        u64::from((bits >> 13) - ((127 - 15) << 10))
    };
    for (what, file) in [
        ("16 bits", page(16, 1, &|value| u64::from(value) << 8)),
        ("half", page(16, 3, &half)),
        (
            "single",
            page(32, 3, &|value| (share(value) as f32).to_bits().into()),
        ),
        ("double", page(64, 3, &|value| share(value).to_bits())),
        (
            "single from 0 to 255",
            page(32, 3, &|value| f32::from(value).to_bits().into()),
        ),
    ] {
        assert_shows(what, &file, COLORS, 1);
    }
    // Without a fixed range, the darkest sample becomes black and the brightest one white.
    let stretched = COLORS.map(|color| color.map(|value| ((u32::from(value) - 20) * 255 / 200) as u8));
    for (what, file) in [
        (
            "signed, 8 bits",
            page(8, 2, &|value| u64::from(value.wrapping_sub(128))),
        ),
        (
            "signed, 16 bits",
            page(16, 2, &|value| u64::from(((i16::from(value) - 128) * 9) as u16)),
        ),
        (
            "signed, 32 bits",
            page(32, 2, &|value| u64::from(((i32::from(value) - 128) << 20) as u32)),
        ),
        ("32 bits", page(32, 1, &|value| u64::from(value) << 24)),
        (
            "single of any range",
            page(32, 3, &|value| (f32::from(value) * 40.0 - 900.0).to_bits().into()),
        ),
    ] {
        assert_shows(what, &file, stretched, 1);
    }
}

#[test]
fn shows_palettes_cmyk_and_lab() {
    let map: Vec<u64> = (0..3)
        .flat_map(|channel| {
            (0..16).map(move |index| {
                COLORS
                    .get(index)
                    .map_or(0, |color| u64::from(color[channel]) << 8)
            })
        })
        .collect();
    let palette = |map: Vec<u64>| with(entries(3, 4, 1, 1), vec![(320, SHORT, map)]);
    let indices = whole(4, [&[0], &[1], &[2]]);
    assert_shows(
        "palette",
        &plain(palette(map.clone()), vec![indices.clone()]),
        COLORS,
        0,
    );
    let of_8_bits = map.iter().map(|value| value >> 8).collect();
    assert_shows(
        "palette of 8 bits",
        &plain(palette(of_8_bits), vec![indices]),
        COLORS,
        0,
    );

    let inks = COLORS.map(|color| {
        [
            255 - u64::from(color[0]),
            255 - u64::from(color[1]),
            255 - u64::from(color[2]),
            0,
        ]
    });
    let samples = whole(8, [&inks[0], &inks[1], &inks[2]]);
    assert_shows("CMYK", &plain(entries(5, 8, 4, 1), vec![samples]), COLORS, 1);
    let inks = inks.map(|inks| inks.map(|ink| ink << 8));
    let samples = whole(16, [&inks[0], &inks[1], &inks[2]]);
    let samples = little_endian(&samples, 2);
    assert_shows(
        "CMYK of 16 bits",
        &plain(entries(5, 16, 4, 1), vec![samples]),
        COLORS,
        1,
    );

    // L 53.2, a 80, b 68 is near sRGB's red with white D50, and L 100 is white.
    let lab: [[u64; 3]; 3] = [[138, 81, 70], [255, 0, 0], [127, 0, 0]];
    let shown = [[254, 0, 0], [255; 3], [119; 3]];
    let samples = whole(8, [&lab[0], &lab[1], &lab[2]]);
    assert_shows("CIELab", &plain(entries(8, 8, 3, 1), vec![samples]), shown, 6);
    let lab = lab.map(|[l, a, b]| [l, a + 128, b + 128]);
    let samples = whole(8, [&lab[0], &lab[1], &lab[2]]);
    assert_shows("ICCLab", &plain(entries(9, 8, 3, 1), vec![samples]), shown, 6);
}

/// Luma, and the differences of blue and red.
fn ycbcr([red, green, blue]: [u8; 3]) -> [u64; 3] {
    let [red, green, blue] = [red, green, blue].map(f64::from);
    let luma = 0.299 * red + 0.587 * green + 0.114 * blue;
    [
        luma,
        128.0 + (blue - luma) * 127.0 / 127.5 * 0.564,
        128.0 + (red - luma) * 127.0 / 127.5 * 0.713,
    ]
    .map(|value| value.round() as u64)
}

#[test]
fn shows_ycbcr_of_all_subsamplings() {
    let colors = COLORS.map(ycbcr);
    for (across, down) in [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (4, 2), (4, 4)] {
        let mut samples = vec![];
        for y in (0..HEIGHT).step_by(down) {
            for x in (0..WIDTH).step_by(across) {
                for unit_y in 0..down as u32 {
                    for unit_x in 0..across as u32 {
                        samples.push(colors[quarter(x + unit_x, y + unit_y)][0] as u8);
                    }
                }
                samples.extend([colors[quarter(x, y)][1] as u8, colors[quarter(x, y)][2] as u8]);
            }
        }
        let subsampling = (530, SHORT, vec![across as u64, down as u64]);
        let file = plain(with(entries(6, 8, 3, 1), vec![subsampling]), vec![samples]);
        assert_shows(&format!("{across} x {down}"), &file, COLORS, 4);
    }
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(vec![], flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lzw(bytes: &[u8]) -> Vec<u8> {
    weezl::encode::Encoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8)
        .encode(bytes)
        .unwrap()
}

/// LZW of the first TIFF libraries.
fn old_lzw(bytes: &[u8]) -> Vec<u8> {
    weezl::encode::Encoder::new(weezl::BitOrder::Lsb, 8)
        .encode(bytes)
        .unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut writer = lzma_rust2::XzWriter::new(vec![], lzma_rust2::XzOptions::with_preset(1)).unwrap();
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

fn pack_bits(bytes: &[u8]) -> Vec<u8> {
    let mut packed = vec![];
    for run in bytes.chunk_by(|a, b| a == b) {
        for run in run.chunks(128) {
            match run {
                [value] => packed.extend([0, *value]),
                // The first byte does nothing.
                [value, ..] => packed.extend([0x80, (1 - run.len() as i32) as u8, *value]),
                [] => {}
            }
        }
    }
    packed
}

/// Replaces each sample of 8 bits with its difference from the one of the pixel to the left.
fn differences(samples: &[u8], row: usize, stride: usize) -> Vec<u8> {
    let of_row = |row: &[u8]| -> Vec<u8> {
        let left = |at: usize| at.checked_sub(stride).map_or(0, |left| row[left]);
        (0..row.len()).map(|at| row[at].wrapping_sub(left(at))).collect()
    };
    samples.chunks(row).flat_map(of_row).collect()
}

type Compress = fn(&[u8]) -> Vec<u8>;

#[test]
fn reads_every_compression_in_strips_and_tiles() {
    let compressions: [(&str, u64, Compress); 8] = [
        ("none", 1, <[u8]>::to_vec),
        ("Deflate", 8, deflate),
        ("old Deflate", 32_946, deflate),
        ("LZW", 5, lzw),
        ("old LZW", 5, old_lzw),
        ("PackBits", 32_773, pack_bits),
        ("Zstandard", 50_000, zstd),
        ("LZMA", 34_925, xz),
    ];
    let colors = COLORS.map(|color| color.map(u64::from));
    let colors: [&[u64]; 3] = [&colors[0], &colors[1], &colors[2]];
    for (what, number, compress) in compressions {
        let strips = (0..HEIGHT)
            .step_by(7)
            .map(|top| compress(&part(0, top, WIDTH, 7.min(HEIGHT - top), 8, colors)));
        let strips: Vec<_> = strips.collect();
        let of_strips = with(entries(2, 8, 3, number), vec![short(278, 7)]);
        assert_shows(what, &plain(of_strips.clone(), strips.clone()), COLORS, 0);
        let reversed = strips
            .iter()
            .map(|strip| strip.iter().map(|byte| byte.reverse_bits()).collect())
            .collect();
        let file = plain(with(of_strips, vec![short(266, 2)]), reversed);
        assert_shows(&format!("{what}, reversed bits"), &file, COLORS, 0);

        // The last ones extend beyond the picture.
        let tiles = || {
            (0..HEIGHT)
                .step_by(32)
                .flat_map(|top| (0..WIDTH).step_by(64).map(move |left| (left, top)))
        };
        let of_tiles = with(entries(2, 8, 3, number), vec![short(322, 64), short(323, 32)]);
        let chunks = tiles().map(|(left, top)| compress(&part(left, top, 64, 32, 8, colors)));
        assert_shows(
            &format!("{what}, tiles"),
            &plain(of_tiles.clone(), chunks.collect()),
            COLORS,
            0,
        );
        let predicted =
            tiles().map(|(left, top)| compress(&differences(&part(left, top, 64, 32, 8, colors), 64 * 3, 3)));
        if matches!(number, 5 | 8 | 32_946 | 34_925 | 50_000) {
            let file = plain(with(of_tiles, vec![short(317, 2)]), predicted.collect());
            assert_shows(&format!("{what}, predictor"), &file, COLORS, 0);
        }
    }
}

#[test]
fn undoes_the_predictor_of_floating_point_numbers() {
    let mut samples = vec![];
    for y in 0..HEIGHT {
        let row: Vec<u8> = (0..WIDTH)
            .flat_map(|x| COLORS[quarter(x, y)])
            .flat_map(|value| (f32::from(value) / 255.0).to_be_bytes())
            .collect();
        // First the highest bytes of all samples.
        let planes: Vec<u8> = (0..4)
            .flat_map(|byte| row[byte..].iter().step_by(4).copied())
            .collect();
        samples.extend(differences(&planes, planes.len(), 3));
    }
    let entries = with(
        entries(2, 32, 3, 8),
        vec![short(317, 3), (339, SHORT, vec![3; 3])],
    );
    assert_shows(
        "floating point",
        &plain(entries, vec![deflate(&samples)]),
        COLORS,
        1,
    );
}

#[test]
fn shows_separate_planes_in_strips_and_tiles() {
    let plane = |channel: usize| COLORS.map(|color| [u64::from(color[channel])]);
    let planar = |more| with(entries(2, 8, 3, 8), [vec![short(284, 2)], more].concat());
    let strips = (0..3).map(|channel| {
        let colors = plane(channel);
        deflate(&whole(8, [&colors[0], &colors[1], &colors[2]]))
    });
    assert_shows("planes", &plain(planar(vec![]), strips.collect()), COLORS, 0);
    let mut tiles = vec![];
    for channel in 0..3 {
        let colors = plane(channel);
        for top in (0..HEIGHT).step_by(16) {
            for left in (0..WIDTH).step_by(48) {
                tiles.push(deflate(&part(
                    left,
                    top,
                    48,
                    16,
                    8,
                    [&colors[0], &colors[1], &colors[2]],
                )));
            }
        }
    }
    let file = plain(planar(vec![short(322, 48), short(323, 16)]), tiles);
    assert_shows("planes of tiles", &file, COLORS, 0);
}

#[test]
fn blends_alpha_with_white_and_ignores_other_samples() {
    let page = |samples: [u64; 5], extra: Option<Vec<u64>>| {
        let count = 3 + extra.as_ref().map_or(1, Vec::len);
        let samples = &samples[..count];
        let mut entries = entries(2, 8, count as u64, 1);
        entries.extend(extra.map(|extra| (338, SHORT, extra)));
        plain(entries, vec![whole(8, [samples; 3])])
    };
    for (what, file, shown) in [
        (
            "unassociated",
            page([100, 0, 200, 51, 9], Some(vec![2])),
            [224, 204, 244],
        ),
        (
            "associated",
            page([20, 0, 40, 51, 9], Some(vec![1])),
            [224, 204, 244],
        ),
        (
            "not specified",
            page([20, 0, 40, 51, 9], Some(vec![0])),
            [20, 0, 40],
        ),
        ("not mentioned", page([100, 0, 200, 51, 9], None), [224, 204, 244]),
        (
            "two",
            page([100, 0, 200, 51, 9], Some(vec![2, 0])),
            [224, 204, 244],
        ),
    ] {
        assert_shows(what, &file, [shown; 3], 1);
    }
}

/// JPEG of the flag or of a part of it, with components of the same size.
fn jpeg(image: &RgbImage, color: jpeg_encoder::ColorType) -> Vec<u8> {
    let mut bytes = vec![];
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    let (width, height) = (image.width() as u16, image.height() as u16);
    encoder.encode(image.as_raw(), width, height, color).unwrap();
    bytes
}

/// Divides a JPEG into a part with its tables and one with its picture. Both are valid streams.
fn separate_tables(jpeg: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let (mut tables, mut picture) = (vec![0xFF, 0xD8], vec![0xFF, 0xD8]);
    let mut at = 2;
    while jpeg[at + 1] != 0xDA {
        let length = 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        let segment = &jpeg[at..at + length];
        match segment[1] {
            0xDB | 0xC4 => tables.extend(segment),
            0xE0..=0xEF => {}
            _ => picture.extend(segment),
        }
        at += length;
    }
    tables.extend([0xFF, 0xD9]);
    picture.extend(&jpeg[at..]);
    (tables, picture)
}

#[test]
fn shows_jpegs_in_strips_and_tiles_and_those_of_tiff_6() {
    let strip = jpeg(&flag(), jpeg_encoder::ColorType::Rgb);
    let (tables, picture) = separate_tables(&strip);
    let tables = (347, 7, tables.iter().map(|byte| u64::from(*byte)).collect());
    let file = plain(with(entries(6, 8, 3, 7), vec![tables.clone()]), vec![picture]);
    assert_shows("strip", &file, COLORS, 8);
    let tile = |left: u32, top: u32| {
        let tile = RgbImage::from_fn(64, 48, |x, y| image::Rgb(COLORS[quarter(left + x, top + y)]));
        separate_tables(&jpeg(&tile, jpeg_encoder::ColorType::Rgb)).1
    };
    let tiles = vec![tile(0, 0), tile(64, 0), tile(0, 48), tile(64, 48)];
    let entries_of_tiles = with(entries(6, 8, 3, 7), vec![tables, short(322, 64), short(323, 48)]);
    assert_shows("tiles", &plain(entries_of_tiles, tiles), COLORS, 20);

    // The whole stream is in the file, and the strip is a part of it.
    let stream = jpeg(&flag(), jpeg_encoder::ColorType::Rgb);
    let old = |more| with(entries(6, 8, 3, 6), more);
    assert_shows(
        "strip of TIFF 6",
        &plain(old(vec![]), vec![stream.clone()]),
        COLORS,
        8,
    );
    let at = (513, LONG, vec![8]);
    let file = plain(
        old(vec![at, (514, LONG, vec![stream.len() as u64])]),
        vec![stream],
    );
    assert_shows("stream of TIFF 6", &file, COLORS, 8);
}

#[test]
fn shows_webp_in_strips() {
    let mut webp = Cursor::new(vec![]);
    flag().write_to(&mut webp, ImageFormat::WebP).unwrap();
    let file = plain(entries(2, 8, 3, 50_001), vec![webp.into_inner()]);
    assert_shows("WebP", &file, COLORS, 0);
}

#[derive(Default)]
struct Bits(Vec<u8>, u32);

impl Bits {
    fn push(&mut self, code: &str) {
        for bit in code.bytes().filter(|bit| *bit != b' ') {
            if self.1.is_multiple_of(8) {
                self.0.push(0);
            }
            if bit == b'1' {
                *self.0.last_mut().unwrap() |= 0x80 >> (self.1 % 8);
            }
            self.1 += 1;
        }
    }

    fn align(&mut self) {
        self.1 = self.1.next_multiple_of(8);
    }
}

#[test]
fn shows_faxes_of_all_groups() {
    // White is the first quarter, and black the last one. The others are half and half.
    let black_and_white = [[255; 3], [0; 3], [0; 3]];
    const WHITE_60: &str = "01001011";
    const BLACK_60: &str = "000000101100";
    const WHITE_0: &str = "00110101";
    const BLACK_64: &str = "0000001111";
    const BLACK_56: &str = "000000101000";
    const END_OF_LINE: &str = "000000000001";
    let row = |y: u32| {
        if y < HEIGHT / 2 {
            [WHITE_60, BLACK_60].concat()
        } else {
            [WHITE_0, BLACK_64, BLACK_56].concat()
        }
    };
    let page = |compression, options: Option<u64>, bits: Bits| {
        let mut entries = entries(0, 1, 1, compression);
        entries.extend(options.map(|options| (292, LONG, vec![options])));
        plain(entries, vec![bits.0])
    };

    let mut rows = Bits::default();
    let mut group_3 = Bits::default();
    let mut two_dimensional = Bits::default();
    let mut group_4 = Bits::default();
    for y in 0..HEIGHT {
        rows.push(&row(y));
        rows.align();
        group_3.push(END_OF_LINE);
        group_3.push(&row(y));
        two_dimensional.push(END_OF_LINE);
        // Every other row depends on the one above.
        if y % 2 == 0 || y == HEIGHT / 2 {
            two_dimensional.push("1");
            two_dimensional.push(&row(y));
        } else {
            // Both changes are where they are in the row above.
            two_dimensional.push("0 1 1");
        }
        match y {
            0 => group_4.push(&["001", &row(y)].concat()),
            _ if y == HEIGHT / 2 => group_4.push(&["001", &row(y)].concat()),
            _ => group_4.push("1 1"),
        }
    }
    for _ in 0..6 {
        group_3.push(END_OF_LINE);
        two_dimensional.push(END_OF_LINE);
        two_dimensional.push("1");
    }
    group_4.push(&END_OF_LINE.repeat(2));

    assert_shows("run lengths", &page(2, None, rows), black_and_white, 0);
    assert_shows("group 3", &page(3, None, group_3), black_and_white, 0);
    assert_shows(
        "group 3 in two dimensions",
        &page(3, Some(1), two_dimensional),
        black_and_white,
        0,
    );
    assert_shows("group 4", &page(4, None, group_4), black_and_white, 0);
}

#[test]
fn reads_both_byte_orders_big_tiff_and_the_page_after_a_thumbnail() {
    let page = || (entries(2, 8, 3, 1), vec![whole_rgb()]);
    let thumbnail = || {
        let entries = with(
            entries(1, 8, 1, 1),
            vec![(254, LONG, vec![1]), short(256, 80), short(257, 80)],
        );
        (entries, vec![vec![0; 80 * 80]])
    };
    for big_endian in [false, true] {
        for big_tiff in [false, true] {
            let form = Form { big_endian, big_tiff };
            let what = format!("{big_endian}, {big_tiff}");
            assert_shows(&what, &file(form, &[page()]), COLORS, 0);
            assert_shows(&what, &file(form, &[thumbnail(), page()]), COLORS, 0);
        }
    }
}

#[test]
fn rejects_rare_kinds_by_name() {
    let reason = |entries| pixels(&plain(entries, vec![vec![0; 40_000]])).unwrap_err();
    for (entries, kind) in [
        (entries(0, 1, 1, 34_661), "TIFF with JBIG compression"),
        (entries(2, 8, 3, 34_712), "TIFF with JPEG 2000 compression"),
        (entries(32_845, 16, 3, 1), "TIFF with SGI Log colors"),
        (
            with(entries(1, 64, 1, 1), vec![short(339, 6)]),
            "TIFF with complex numbers",
        ),
        (
            with(entries(2, 8, 3, 1), vec![(258, SHORT, vec![5, 6, 5])]),
            "TIFF with samples of different sizes",
        ),
    ] {
        let error = reason(entries);
        assert_eq!(error, PictureError::UnsupportedKind(kind));
        assert_eq!(
            error.to_string(),
            format!("This picture is a {kind}, which can't be decoded. Save it as JPEG or PNG.")
        );
    }
}

#[test]
fn decodes_a_truncated_file_as_far_as_it_goes() {
    // The directory comes first, so that only pixels are missing.
    for (what, number, strip) in [("none", 1, whole_rgb()), ("Deflate", 8, deflate(&whole_rgb()))] {
        let mut file = plain(entries(2, 8, 3, number), vec![vec![]]);
        let at = file.len();
        let offset = file
            .windows(4)
            .position(|entry| entry == [0x11, 1, 4, 0])
            .unwrap()
            + 8;
        file[offset..offset + 4].copy_from_slice(&(at as u32).to_le_bytes());
        let length = file
            .windows(4)
            .position(|entry| entry == [0x17, 1, 4, 0])
            .unwrap()
            + 8;
        file[length..length + 4].copy_from_slice(&(strip.len() as u32).to_le_bytes());
        file.extend(&strip[..strip.len() * 3 / 4]);
        let (image, incomplete) = pixels(&file).unwrap();
        assert!(incomplete, "{what}");
        assert_eq!(image.get_pixel(0, 0).0, RED, "{what}");
        assert_eq!(image.get_pixel(119, 89).0, [128; 3], "{what}");
    }
    assert_eq!(
        pixels(&plain(entries(2, 8, 3, 8), vec![vec![0xA5; 1_000]])).unwrap_err(),
        PictureError::Undecodable("TIFF")
    );
}

/// A gray page with these sides and tiles.
fn tiled(width: u64, height: u64, tile: (u64, u64), compression: u64) -> Vec<Entry> {
    let sides = [(256, width), (257, height), (322, tile.0), (323, tile.1)];
    with(
        entries(1, 8, 1, compression),
        sides.map(|(tag, side)| (tag, LONG, vec![side])).to_vec(),
    )
}

const TOO_LARGE: PictureError = PictureError::UnsupportedKind("TIFF with tiles much larger than the picture");

#[test]
fn rejects_tiles_that_decompress_to_much_more_than_the_picture() {
    // Each row of each tile has a megabyte that is not shown. All tiles share one stream.
    let stream = deflate(&vec![0; 1_000_000]);
    let offsets = vec![
        (324, LONG, vec![8; 10_000]),
        (325, LONG, vec![stream.len() as u64; 10_000]),
    ];
    let wide = with(tiled(100, 100_000, (1 << 20, 10), 8), offsets);
    assert_eq!(pixels(&plain(wide, vec![])).unwrap_err(), TOO_LARGE);
    // What is below the picture is not decompressed.
    let high = tiled(120, 90, (128, 1 << 20), 8);
    let tile = part(0, 0, 128, 90, 8, [&[1], &[2], &[3]]);
    assert_shows(
        "high tile",
        &plain(high, vec![deflate(&tile)]),
        [[1; 3], [2; 3], [3; 3]],
        0,
    );
    // An extra sample, and a tile of 512 megabytes.
    let extra = with(
        tiled(100, 100, (1 << 28, 1), 1),
        vec![short(277, 2), (258, SHORT, vec![8; 2])],
    );
    assert_eq!(
        pixels(&plain(extra, vec![vec![0; 1_000]])).unwrap_err(),
        TOO_LARGE
    );
}

#[test]
fn rejects_strips_that_share_the_bytes_of_the_file() {
    // Reading a stream that decompresses to nothing takes time, too.
    let empty = [0x78, 1]
        .into_iter()
        .chain([0, 0, 0, 0xFF, 0xFF].repeat(200_000))
        .collect::<Vec<u8>>();
    let length = empty.len() as u64;
    let strips = with(
        entries(1, 8, 1, 8),
        vec![
            short(278, 1),
            (273, LONG, vec![8; 90]),
            (279, LONG, vec![length; 90]),
        ],
    );
    let mut file = plain(strips, vec![]);
    file.resize(file.len() + empty.len(), 0);
    assert_eq!(
        pixels(&file).unwrap_err(),
        PictureError::UnsupportedKind("TIFF whose tiles overlap in the file")
    );
}

#[test]
fn rejects_jpegs_that_are_larger_than_their_strip() {
    let mut large = jpeg(&flag(), jpeg_encoder::ColorType::Rgb);
    let frame = large
        .windows(2)
        .position(|marker| marker == [0xFF, 0xC0])
        .unwrap();
    large[frame + 5..frame + 9].copy_from_slice(&[0x40, 0, 0x40, 0]);
    let file = plain(entries(6, 8, 3, 7), vec![large]);
    assert_eq!(pixels(&file).unwrap_err(), PictureError::Undecodable("TIFF"));
}
