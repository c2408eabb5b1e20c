//! Small files made to exhaust a function. Each one once took gigabytes or minutes, or does so in a decoder without limits.

use flate2::write::ZlibEncoder;
use picture_header::heif_boxes;
use std::io::Write;
use tests::pictures::tiff_files::{self, LONG, entries};
use tests::pictures::{self, pattern};

/// All of them, with their names.
pub(super) fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("millions-of-empty-extents.avif", millions_of_empty_extents()),
        ("thousands-of-scans.jpg", thousands_of_scans()),
        ("tiles-that-share-a-stream.tif", tiles_that_share_a_stream()),
        ("eight-hidden-frames.avif", hidden_frames(8)),
        ("150-hidden-frames.avif", hidden_frames(150)),
        ("jpeg-larger-than-its-strip.tif", jpeg_larger_than_its_strip()),
        ("tile-of-512-megabytes.tif", tile_of_512_megabytes()),
    ]
}

fn position(bytes: &[u8], part: &[u8]) -> usize {
    let found = bytes.windows(part.len()).position(|window| window == part);
    found.expect("a file with this part")
}

/// 400 items in 3 KB, each of which has 65,535 extents. They have neither position nor length, and so no bytes.
fn millions_of_empty_extents() -> Vec<u8> {
    let boxed = |name: &[u8; 4], content: &[u8]| -> Vec<u8> {
        let length = u32::try_from(content.len() + 8).expect("a small box");
        [&length.to_be_bytes()[..], name, content].concat()
    };
    let full = |name, version: u8, content: &[u8]| boxed(name, &[&[version, 0, 0, 0], content].concat());
    let ispe = full(
        b"ispe",
        0,
        &[300_u32.to_be_bytes(), 200_u32.to_be_bytes()].concat(),
    );
    let item = |id: u16| [&id.to_be_bytes()[..], b"\0\0\xFF\xFF"].concat();
    let locations = (1..=400).flat_map(item).collect::<Vec<_>>();
    let meta = [
        full(b"pitm", 0, &[0, 1]),
        full(
            b"iinf",
            0,
            &[&[0, 1][..], &full(b"infe", 2, b"\0\x01\0\0av01\0")].concat(),
        ),
        full(b"iloc", 0, &[&b"\0\0\x01\x90"[..], &locations].concat()),
        boxed(
            b"iprp",
            &[
                boxed(b"ipco", &ispe),
                full(b"ipma", 0, b"\0\0\0\x01\0\x01\x01\x01"),
            ]
            .concat(),
        ),
    ];
    [
        boxed(b"ftyp", b"avif\0\0\0\0mif1avif"),
        full(b"meta", 0, &meta.concat()),
    ]
    .concat()
}

/// A progressive JPEG of 9,000 x 9,000 pixels, with 6,000 scans that say that no block has anything.
fn thousands_of_scans() -> Vec<u8> {
    let mut bytes = pictures::jpeg_with(&pattern(), |encoder| encoder.set_progressive(true));
    let frame = position(&bytes, &[0xFF, 0xC2]);
    bytes[frame + 5..frame + 9].copy_from_slice(&[9_000_u16.to_be_bytes(); 2].concat());
    let scan = [0xFF, 0xDA, 0, 8, 1, 1, 0, 1, 1, 0, 0x55, 0x55];
    let first = position(&bytes, &[0xFF, 0xDA]);
    bytes.splice(first..first, scan.repeat(6_000));
    bytes
}

/// Each row of tiles decompresses to 16 MB, of which a thousandth is shown.
fn tiles_that_share_a_stream() -> Vec<u8> {
    const TILE: (u32, u32) = (1 << 20, 16);
    let mut encoder = ZlibEncoder::new(vec![], flate2::Compression::best());
    let compressed = encoder.write_all(&vec![0; (TILE.0 * TILE.1) as usize]);
    compressed.expect("written to memory");
    let stream = encoder.finish().expect("written to memory");
    let entries_of_tiles = [
        &entries((1_000, 1_000), 1, 8, 1, 8)[..],
        &tiff_files::tiles(TILE),
        &tiff_files::shared_tiles(8, u32::try_from(stream.len()).expect("a short stream"), 63),
    ]
    .concat();
    // A thumbnail that is not shown has the stream, right after the header of the file.
    let thumbnail = [&entries((80, 80), 1, 8, 1, 8)[..], &[(254, LONG, vec![1])]].concat();
    tiff_files::file(&[(thumbnail, vec![stream]), (entries_of_tiles, vec![])])
}

/// 200 x 200 pixels in strips, which are JPEGs of 16,384 x 16,384 pixels.
fn jpeg_larger_than_its_strip() -> Vec<u8> {
    let mut strip = pictures::jpeg_with(&pattern(), |_| {});
    let frame = position(&strip, &[0xFF, 0xC0]);
    strip[frame + 5..frame + 9].copy_from_slice(&[16_384_u16.to_be_bytes(); 2].concat());
    tiff_files::file(&[(entries((200, 200), 6, 8, 3, 7), vec![strip])])
}

/// A tile of 2^28 x 1 pixels, with a sample that is not shown.
fn tile_of_512_megabytes() -> Vec<u8> {
    let entries = [
        &entries((100, 100), 1, 8, 2, 1)[..],
        &tiff_files::tiles((1 << 28, 1)),
    ]
    .concat();
    tiff_files::file(&[(entries, vec![vec![0; 1_000]])])
}

/// An AVIF picture of 120 x 90 pixels with key frames before it that are decoded and never shown. A decoder keeps eight,
/// each with as many pixels as the format allows.
fn hidden_frames(count: u8) -> Vec<u8> {
    let sequence = pictures::flag("sequence.avif");
    // A temporal delimiter and a sequence header, then a frame of 106 bytes.
    let start = position(&sequence, b"\x12\0\x0A\x0D");
    let (head, frame) = sequence[start..].split_at(17);
    assert_eq!(frame[..2], [0x32, 106], "the first frame of the fixture");
    let frame = &frame[2..108];
    let mut data = head.to_vec();
    for slot in 0..count {
        data.extend(unit(&hidden(frame, slot % 8)));
    }
    data.extend(unit(frame));

    // The new data is at the end, and the location of the picture says so.
    let boxes = heif_boxes(&sequence).expect("a valid file");
    let (from, length) = boxes.extents(&boxes.color.tiles[0])[0];
    let location = |numbers: [u64; 2]| {
        numbers
            .map(|number| u32::try_from(number).expect("a small file").to_be_bytes())
            .concat()
    };
    let at = position(&sequence, &location([from, length]));
    let new = location([sequence.len() as u64, data.len() as u64]);
    let mut file = sequence;
    file[at..at + 8].copy_from_slice(&new);
    file.extend(data);
    file
}

/// An OBU with a frame.
fn unit(frame: &[u8]) -> Vec<u8> {
    let length = u8::try_from(frame.len()).expect("a short frame");
    assert!(length < 128, "a length of one byte");
    [&[0x32, length], frame].concat()
}

/// The same frame, hidden and stored in this slot. Source: AV1 Bitstream Specification, 5.9.2.
fn hidden(frame: &[u8], slot: u8) -> Vec<u8> {
    let bits = |bytes: &[u8]| -> Vec<u8> {
        let of_byte = |byte: &u8| {
            let byte = *byte;
            (0..8).rev().map(move |bit| byte >> bit & 1)
        };
        bytes.iter().flat_map(of_byte).collect()
    };
    let frame = bits(frame);
    let changed = [
        // A new key frame that is neither shown now nor later, without error_resilient_mode.
        &[0; 6][..],
        &frame[4..7],
        // frame_size_override_flag, and the rest up to the order hint.
        &[1],
        &frame[8..15],
        // refresh_frame_flags, then the sides minus one in seven bits each.
        &bits(&[1 << slot]),
        &bits(&[119 << 1])[..7],
        &bits(&[89 << 1])[..7],
        &frame[15..],
    ]
    .concat();
    changed
        .chunks(8)
        .map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit))
        .collect()
}
