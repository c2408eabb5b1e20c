use super::*;
use proptest::prelude::*;

const AVIF: &[u8] = include_bytes!("fixtures/upright.avif");
const TRANSPOSED_AVIF: &[u8] = include_bytes!("fixtures/transposed.avif");

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

/// A JPEG's start with this EXIF.
fn jpeg_with_exif(tiff: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1];
    bytes.extend(u16::try_from(tiff.len() + 8).unwrap().to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(tiff);
    bytes.extend(&jpeg(0, width, height)[2..]);
    bytes
}

/// A TIFF header with one directory: tag, type, count, and value or offset of each entry; then `behind`.
fn tiff(entries: &[(u16, u16, u32, u32)], behind: &[u8]) -> Vec<u8> {
    let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
    bytes.extend(u16::try_from(entries.len()).unwrap().to_be_bytes());
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_be_bytes());
        bytes.extend(kind.to_be_bytes());
        bytes.extend(count.to_be_bytes());
        bytes.extend(if *kind == 3 && *count == 1 {
            (value << 16).to_be_bytes()
        } else {
            value.to_be_bytes()
        });
    }
    bytes.extend([0; 4]);
    bytes.extend(behind);
    bytes
}

fn png(width: u32, height: u32, chunks: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(chunks);
    bytes.extend(b"\0\0\0\0IDAT\0\0\0\0");
    bytes
}

fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, content) in chunks {
        body.extend(*name);
        body.extend(u32::try_from(content.len()).unwrap().to_le_bytes());
        body.extend(*content);
        body.extend(vec![0; content.len() & 1]);
    }
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes
}

fn bmp(width: i32, height: i32) -> Vec<u8> {
    let mut bytes = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes
}

fn gif(width: u16, height: u16) -> Vec<u8> {
    let mut bytes = b"GIF89a".to_vec();
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    bytes.extend([0; 3]);
    bytes
}

/// VP8X of 300 x 200 pixels and EXIF behind a picture of 100 KB.
fn webp_with_exif() -> Vec<u8> {
    let exif = tiff(&[(0x0112, 3, 1, 6)], &[]);
    riff(&[
        (b"VP8X", &[8, 0, 0, 0, 43, 1, 0, 199, 0, 0]),
        (b"VP8 ", &[0; 100_001]),
        (b"EXIF", &exif),
    ])
}

fn one_of_each() -> Vec<(Format, Vec<u8>)> {
    let vp8 = [0, 0, 0, 0x9D, 0x01, 0x2A, 44, 1, 200, 0];
    let vp8l = [0x2F, 43, 0xC1, 0x31, 0];
    vec![
        (Format::Jpeg, jpeg(3, 300, 200)),
        (Format::Png, png(300, 200, &[])),
        (Format::WebP, riff(&[(b"VP8 ", &vp8)])),
        (Format::WebP, riff(&[(b"VP8L", &vp8l)])),
        (Format::WebP, webp_with_exif()),
        (Format::Gif, gif(300, 200)),
        (Format::Bmp, bmp(300, -200)),
        (Format::Tiff, tiff(&[(256, 3, 1, 300), (257, 4, 1, 200)], &[])),
        (Format::Avif, AVIF.to_vec()),
    ]
}

/// A megabyte of each kind that claims these sides.
fn claims(width: u32, height: u32) -> Vec<(Format, Vec<u8>)> {
    let mut files = vec![
        (Format::Png, png(width, height, &[])),
        (Format::Bmp, bmp(width as i32, -(height as i32))),
        (
            Format::Tiff,
            tiff(&[(256, 4, 1, width), (257, 4, 1, height)], &[]),
        ),
    ];
    let mut extended = vec![0, 0, 0, 0];
    extended.extend(&(width - 1).to_le_bytes()[..3]);
    extended.extend(&(height - 1).to_le_bytes()[..3]);
    files.push((Format::WebP, riff(&[(b"VP8X", &extended)])));
    let mut avif = AVIF.to_vec();
    let sides = avif.windows(4).position(|name| name == b"ispe").unwrap() + 8;
    avif[sides..sides + 4].copy_from_slice(&width.to_be_bytes());
    avif[sides + 4..sides + 8].copy_from_slice(&height.to_be_bytes());
    files.push((Format::Avif, avif));
    if let (Ok(width), Ok(height)) = (width.try_into(), height.try_into()) {
        files.push((Format::Jpeg, jpeg(3, width, height)));
        files.push((Format::Gif, gif(width, height)));
    }
    for (_, file) in &mut files {
        file.resize(1_000_000, 0);
    }
    files
}

fn found(bytes: &[u8]) -> Header {
    match look(&Pieces::all(bytes)) {
        Ok(Look::Found(header)) => header,
        other => panic!("{other:?}"),
    }
}

/// Reads the file piece by piece, as the workflow does.
fn look_by_pieces(bytes: &[u8], piece: usize) -> (Result<Look, HeaderError>, usize) {
    let mut file = Pieces::none(bytes.len() as u64);
    for reads in 0.. {
        match look(&file) {
            Ok(Look::ReadOn(from)) => {
                let from = usize::try_from(from).unwrap();
                assert!(from < bytes.len(), "it asks for what the file does not have");
                file.add(from as u64, &bytes[from..bytes.len().min(from + piece)]);
            }
            other => return (other, reads),
        }
    }
    unreachable!()
}

#[test]
fn every_kind_is_recognized_with_its_size_as_seen() {
    for (format, bytes) in one_of_each() {
        let header = found(&bytes);
        let sides = match (format, header.orientation.number()) {
            (Format::Avif, _) => (120, 90),
            (_, 6) => (200, 300),
            _ => (300, 200),
        };
        assert_eq!(
            (header.format, header.width, header.height),
            (format, sides.0, sides.1)
        );
    }
}

#[test]
fn what_stands_far_into_the_file_is_found_with_few_reads() {
    let mut late_directory = tiff(&[], &[]);
    late_directory[4..8].copy_from_slice(&50_000_000_u32.to_be_bytes());
    late_directory.resize(50_000_000, 0);
    late_directory.extend(&tiff(&[(256, 3, 1, 300), (257, 3, 1, 200)], &[])[8..]);
    for (bytes, most_reads) in [(jpeg(3, 300, 200), 4), (webp_with_exif(), 2), (late_directory, 2)] {
        let (look, reads) = look_by_pieces(&bytes, 65_536);
        assert!(matches!(look, Ok(Look::Found(_))));
        assert!(reads <= most_reads, "{reads} reads");
    }
}

#[test]
fn orientation_turns_the_sides() {
    for number in 1..=8 {
        let exif = tiff(&[(0x0112, 3, 1, number)], &[]);
        let mut chunk = u32::try_from(exif.len()).unwrap().to_be_bytes().to_vec();
        chunk.extend(b"eXIf");
        chunk.extend(&exif);
        chunk.extend([0; 4]);
        let tiff_file = tiff(&[(256, 3, 1, 300), (257, 3, 1, 200), (274, 3, 1, number)], &[]);
        for bytes in [jpeg_with_exif(&exif, 300, 200), png(300, 200, &chunk), tiff_file] {
            let header = found(&bytes);
            let sides = if number >= 5 { (200, 300) } else { (300, 200) };
            assert_eq!((header.width, header.height), sides, "{:?}", header.format);
            assert_eq!(u32::from(header.orientation), number);
        }
    }
    // Stored as 90 x 120 pixels, with a turn and a mirror image that together are EXIF's 5.
    let header = found(TRANSPOSED_AVIF);
    assert_eq!(
        (header.width, header.height, header.orientation.number()),
        (120, 90, 5)
    );
}

#[test]
fn metadata_of_a_camera_is_read() {
    // One directory of EXIF and one of GPS behind the first; texts and fractions behind them.
    let bytes = {
        let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
        let mut heap = Vec::new();
        let heap_at = 400_u32;
        let mut put = |content: &[u8]| {
            let at = heap_at + u32::try_from(heap.len()).unwrap();
            heap.extend(content);
            at.to_be_bytes()
        };
        let rationals = |pairs: &[(u32, u32)]| {
            pairs
                .iter()
                .flat_map(|(n, d)| [n.to_be_bytes(), d.to_be_bytes()].concat())
                .collect::<Vec<_>>()
        };
        let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
            let mut entry = tag.to_be_bytes().to_vec();
            entry.extend(kind.to_be_bytes());
            entry.extend(count.to_be_bytes());
            entry.extend(value);
            entry
        };
        let directory = |entries: Vec<Vec<u8>>| {
            let mut bytes = u16::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
            bytes.extend(entries.concat());
            bytes.extend([0; 4]);
            bytes
        };
        let first = directory(vec![
            entry(0x010F, 2, 6, put(b"Canon\0")),
            entry(0x0110, 2, 7, put(b"EOS R5\0")),
            entry(0x0112, 3, 1, [0, 6, 0, 0]),
            entry(0x8769, 4, 1, 100_u32.to_be_bytes()),
            entry(0x8825, 4, 1, 250_u32.to_be_bytes()),
        ]);
        let exif = directory(vec![
            entry(0x829A, 5, 1, put(&rationals(&[(1, 250)]))),
            entry(0x829D, 5, 1, put(&rationals(&[(28, 10)]))),
            entry(0x8827, 3, 1, [0, 100, 0, 0]),
            entry(0x9003, 2, 20, put(b"2026:05:01 12:30:00\0")),
            entry(0x9011, 2, 7, put(b"+02:00\0")),
            entry(0x920A, 5, 1, put(&rationals(&[(50, 1)]))),
            entry(0xA434, 2, 5, put(b"RF50\0")),
        ]);
        let gps = directory(vec![
            entry(1, 2, 2, *b"S\0\0\0"),
            entry(2, 5, 3, put(&rationals(&[(33, 1), (51, 1), (30, 1)]))),
            entry(3, 2, 2, *b"E\0\0\0"),
            entry(4, 5, 3, put(&rationals(&[(151, 1), (12, 1), (0, 1)]))),
        ]);
        for (at, part) in [(8, first), (100, exif), (250, gps), (400, heap)] {
            bytes.resize(at, 0);
            bytes.extend(part);
        }
        bytes
    };
    let header = found(&jpeg_with_exif(&bytes, 300, 200));
    let location = header.metadata.location.unwrap();
    assert!((location.latitude + 33.858_333).abs() < 1e-5 && (location.longitude - 151.2).abs() < 1e-9);
    assert_eq!(
        header.metadata,
        Metadata {
            camera_make: Some("Canon".into()),
            camera_model: Some("EOS R5".into()),
            lens: Some("RF50".into()),
            exposure_time: Some(0.004),
            f_number: Some(2.8),
            iso: Some(100),
            focal_length: Some(50.0),
            taken_at: Some("2026-05-01T12:30:00+02:00".into()),
            location: Some(location),
        }
    );
    assert_eq!(found(AVIF).metadata.camera_model.as_deref(), Some("Test Camera"));
}

#[test]
fn absurd_metadata_counts_as_absent_and_the_picture_as_a_picture() {
    let nothing = Metadata::default();
    let itself = 8;
    for (what, exif) in [
        (
            "directories in a circle",
            tiff(&[(0x8769, 4, 1, itself), (0x8825, 4, 1, itself)], &[]),
        ),
        (
            "a denominator of 0",
            tiff(
                &[(0x829A, 5, 1, 26), (0x0112, 3, 1, 9)],
                &[0, 0, 0, 1, 0, 0, 0, 0],
            ),
        ),
        (
            "a place beyond the poles and one of no denominator",
            tiff(
                &[(0x8825, 4, 1, 26)],
                &[
                    &b"\0\x04\0\x01\0\x02\0\0\0\x02N\0\0\0\0\x02\0\x05\0\0\0\x03\0\0\0\x50"[..],
                    b"\0\x03\0\x02\0\0\0\x02E\0\0\0\0\x04\0\x05\0\0\0\x03\0\0\0\x50\0\0\0\0",
                    b"\xFF\xFF\xFF\xFF\0\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0",
                ]
                .concat(),
            ),
        ),
        (
            "a next directory that is the first again",
            [&tiff(&[], &[])[..10], b"\0\0\0\x08"].concat(),
        ),
        ("a count of 4 billion", tiff(&[(0x010F, 2, u32::MAX, 26)], b"x")),
        (
            "garbage",
            (0_u32..65_000)
                .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
                .collect(),
        ),
        ("nothing", vec![]),
    ] {
        let header = found(&jpeg_with_exif(&exif, 300, 200));
        assert_eq!(
            (header.metadata, header.orientation.number()),
            (nothing.clone(), 1),
            "{what}"
        );
    }
}

#[test]
fn other_kinds_are_named_to_the_person_who_sent_them() {
    let sentence = |bytes: &[u8]| look(&Pieces::all(bytes)).unwrap_err().to_string();
    for heic in [
        &b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..],
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
    ] {
        assert!(sentence(heic).starts_with("This file is a HEIC picture. Convert it to JPEG first"));
    }
    assert!(sentence(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom").starts_with("This file is a video."));
    assert!(sentence(b"\xFF\x0A and so on, as JPEG XL").contains("JPEG XL"));
    assert!(sentence(b"Dear diary, this is no picture").contains("no picture of a known kind"));
    assert!(sentence(b"x").contains("no picture of a known kind"));
    let raw = tiff(&[(256, 3, 1, 300), (257, 3, 1, 200), (50_706, 1, 4, 0)], &[]);
    assert!(sentence(&raw).starts_with("This file is the raw data of a camera."));
}

#[test]
fn sides_beyond_the_limits_are_told_before_any_pixel_is_read() {
    let too_many = HeaderError::TooManyPixels(60_000, 60_000);
    for (format, file) in claims(60_000, 60_000) {
        let (look, reads) = look_by_pieces(&file, 65_536);
        assert_eq!(look, Err(too_many), "{format:?}");
        assert!(reads <= 4, "{format:?}: {reads} reads");
    }
    for (width, height) in [(1, 60_000), (60_000, 1), (1, 100_000), (100_000, 1)] {
        for (format, file) in claims(width, height) {
            let too_few = HeaderError::TooFewPixels(width, height);
            assert_eq!(look_by_pieces(&file, 65_536).0, Err(too_few), "{format:?}");
        }
    }
    let error = |bytes: &[u8]| look(&Pieces::all(bytes)).unwrap_err();
    assert_eq!(
        error(&png(u32::MAX, u32::MAX, &[])),
        HeaderError::TooManyPixels(u32::MAX, u32::MAX)
    );
    assert_eq!(error(&bmp(i32::MIN, i32::MIN)), HeaderError::Broken);
    assert_eq!(error(&jpeg(0, 300, 0)), HeaderError::TooFewPixels(300, 0));
    assert!(matches!(
        look(&Pieces::all(&png(15_000, 10_000, &[]))),
        Ok(Look::Found(_))
    ));
}

#[test]
fn a_file_that_ends_within_its_header_is_broken_and_asks_for_no_more() {
    for (format, bytes) in one_of_each() {
        for tenth in 1..10 {
            let cut = &bytes[..bytes.len() * tenth / 10];
            assert!(
                !matches!(look(&Pieces::all(cut)), Ok(Look::ReadOn(_))),
                "{format:?}, {tenth}"
            );
        }
    }
}

/// The starts of all kinds, with something behind that makes the readers go on.
fn starts() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(one_of_each()).prop_map(|(_, bytes)| bytes)
}

proptest! {
    #[test]
    fn reading_in_pieces_finds_what_reading_the_whole_file_finds(bytes in starts(), piece in 1_000_usize..200_000) {
        prop_assert_eq!(look_by_pieces(&bytes, piece).0, look(&Pieces::all(&bytes)));
    }

    #[test]
    fn no_bytes_make_it_panic(
        start in prop::sample::select(vec![
            &b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8X", b"BM", b"II*\0", b"MM\0+",
            b"\0\0\0\x10ftypavif\0\0\0\0", b"",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let _ = look(&Pieces::all(&[start, &rest].concat()));
    }

    #[test]
    fn no_change_of_a_real_file_makes_it_panic_or_read_without_end(
        bytes in starts(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        near_start: bool,
    ) {
        let mut bytes = bytes;
        for (at, value) in changes {
            let length = if near_start { bytes.len().min(600) } else { bytes.len() };
            bytes[at.index(length)] = value;
        }
        let (look, reads) = look_by_pieces(&bytes, 65_536);
        prop_assert!(reads < 200, "{reads} reads for {look:?}");
    }

    #[test]
    fn no_exif_makes_it_panic(
        mut entries in prop::collection::vec((any::<u16>(), 0_u16..14, 0_u32..70_000, 0_u32..300), 0..20),
        tags in prop::collection::vec(prop::sample::select(vec![
            0x010F_u16, 0x0110, 0x0112, 0x8769, 0x8825, 0x829A, 0x829D, 0x8827, 0x9003, 0x9011, 0x920A, 1, 2, 3, 4, 5, 6,
        ]), 0..20),
        behind in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        for (entry, tag) in entries.iter_mut().zip(tags) {
            entry.0 = tag;
        }
        let Header { metadata, .. } = found(&jpeg_with_exif(&tiff(&entries, &behind), 300, 200));
        prop_assert!(metadata.camera_make.is_none_or(|text| text.chars().count() <= 64));
        prop_assert!(metadata.exposure_time.is_none_or(|seconds| seconds > 0.0 && seconds.is_finite()));
    }
}
