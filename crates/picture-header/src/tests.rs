use super::*;
use proptest::prelude::*;

const AVIF: &[u8] = include_bytes!("fixtures/upright.avif");
const TRANSPOSED_AVIF: &[u8] = include_bytes!("fixtures/transposed.avif");

/// The start of a JPEG: some segments, then the frame header with the dimensions.
pub(crate) fn jpeg(segments: usize, width: u16, height: u16) -> Vec<u8> {
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

/// The start of a JPEG with this EXIF.
fn jpeg_with_exif(tiff: &[u8], width: u16, height: u16) -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xE1];
    bytes.extend(u16::try_from(tiff.len() + 8).unwrap().to_be_bytes());
    bytes.extend(b"Exif\0\0");
    bytes.extend(tiff);
    bytes.extend(&jpeg(0, width, height)[2..]);
    bytes
}

/// A TIFF header with one directory (tag, type, count, and value or offset of each entry), followed by `behind`.
pub(crate) fn tiff(entries: &[(u16, u16, u32, u32)], behind: &[u8]) -> Vec<u8> {
    let mut bytes = b"MM\0*\0\0\0\x08".to_vec();
    bytes.extend(directory(entries, 0));
    bytes.extend(behind);
    bytes
}

/// A directory of TIFF, with the position of the next one.
pub(crate) fn directory(entries: &[(u16, u16, u32, u32)], next: u32) -> Vec<u8> {
    let mut bytes = u16::try_from(entries.len()).unwrap().to_be_bytes().to_vec();
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
    bytes.extend(next.to_be_bytes());
    bytes
}

/// A directory of BigTIFF whose values are all 64 bits long, with the position of the next one.
fn big_directory(entries: &[(u16, u64)], next: u64) -> Vec<u8> {
    let mut bytes = (entries.len() as u64).to_le_bytes().to_vec();
    for (tag, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(16_u16.to_le_bytes());
        bytes.extend(1_u64.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(next.to_le_bytes());
    bytes
}

/// A file with these parts at these positions, and zeros between them.
pub(crate) fn parts(parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, part) in parts {
        assert!(bytes.len() <= *at, "the part at {at} overlaps another one");
        bytes.resize(*at, 0);
        bytes.extend(*part);
    }
    bytes
}

/// A TIFF whose pages have a kind (NewSubfileType) and sides. `last` is the position after the last page.
fn pages(pages: &[(u32, u32, u32)], last: u32) -> Vec<u8> {
    let mut bytes = tiff(&[], &[])[..8].to_vec();
    for (index, (kind, width, height)) in pages.iter().enumerate() {
        let next = bytes.len() as u32 + 2 + 3 * 12 + 4;
        let next = if index + 1 == pages.len() { last } else { next };
        let entries = [(254, 4, 1, *kind), (256, 4, 1, *width), (257, 3, 1, *height)];
        bytes.extend(directory(&entries, next));
    }
    bytes
}

pub(crate) fn png(width: u32, height: u32, chunks: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR".to_vec();
    bytes.extend(width.to_be_bytes());
    bytes.extend(height.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(chunks);
    bytes.extend(b"\0\0\0\0IDAT\0\0\0\0");
    bytes
}

pub(crate) fn riff(chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
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
    gif_with_frame((width, height), [0, 0, width, height])
}

/// The start of a GIF with a comment, and with left, top, width and height of its first frame.
pub(crate) fn gif_with_frame((width, height): (u16, u16), frame: [u16; 4]) -> Vec<u8> {
    let mut bytes = b"GIF89a".to_vec();
    bytes.extend(width.to_le_bytes());
    bytes.extend(height.to_le_bytes());
    // A color table of four colors.
    bytes.extend([0x81, 0, 0]);
    bytes.extend([0; 12]);
    bytes.extend(b"!\xFE\x03,,,\x01,\0");
    bytes.extend(b",");
    bytes.extend(frame.map(u16::to_le_bytes).concat());
    bytes
}

/// A WebP of 300 x 200 pixels, with EXIF after 100 KB of picture data.
fn webp_with_exif() -> Vec<u8> {
    let exif = tiff(&[(0x0112, 3, 1, 6)], &[]);
    riff(&[
        (b"VP8X", &[8, 0, 0, 0, 43, 1, 0, 199, 0, 0]),
        (b"VP8 ", &[0; 100_001]),
        (b"EXIF", &exif),
    ])
}

/// A directory of TIFF with its lowest bytes first.
fn little_directory(entries: &[(u16, u16, u32, u32)]) -> Vec<u8> {
    let mut bytes = u16::try_from(entries.len()).unwrap().to_le_bytes().to_vec();
    for (tag, kind, count, value) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(kind.to_le_bytes());
        bytes.extend(count.to_le_bytes());
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend([0; 4]);
    bytes
}

/// A box of MP4.
pub(crate) fn mp4_box(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap();
    [&length.to_be_bytes(), &name[..], content].concat()
}

/// A JPEG of 300 x 200 pixels, of this length in bytes.
fn preview_of(length: usize) -> Vec<u8> {
    let mut bytes = jpeg(0, 300, 200);
    bytes.resize(length, 0);
    bytes
}

/// A raw file with these directories at 8, 300, 400 and 500, a JPEG of 300 x 200 pixels and 900 bytes at 1,000, a smaller
/// one with 500 bytes at 2,000, a lossless one with 1,900 bytes at 3,000, the camera's maker at 700, and two positions of
/// directories at 720: 300 and 400.
pub(crate) fn camera_file(make: &str, directories: [&[u8]; 4]) -> Vec<u8> {
    let smaller = [jpeg(0, 160, 120), vec![0; 500]].concat();
    let mut lossless = preview_of(1_900);
    lossless[3] = 0xC3;
    let [first, second, third, fourth] = directories;
    parts(&[
        (0, b"MM\0*\0\0\0\x08"),
        (8, first),
        (300, second),
        (400, third),
        (500, fourth),
        (700, format!("{make}\0").as_bytes()),
        (720, &[300_u32.to_be_bytes(), 400_u32.to_be_bytes()].concat()),
        (1_000, &preview_of(900)),
        (2_000, &smaller[..500]),
        (3_000, &lossless),
    ])
}

const NAMES_MAKER: (u16, u16, u32, u32) = (271, 2, 20, 700);
const NAMES_DIRECTORIES: (u16, u16, u32, u32) = (330, 4, 2, 720);
const IS_TURNED: (u16, u16, u32, u32) = (274, 3, 1, 6);
const IS_REDUCED: (u16, u16, u32, u32) = (254, 4, 1, 1);

/// A directory with the position and length of a JPEG.
fn names_jpeg(at: u32, length: u32) -> Vec<u8> {
    directory(&[IS_REDUCED, (513, 4, 1, at), (514, 4, 1, length)], 0)
}

/// Raw files as the makers write them. The preview of each is stored with 300 x 200 pixels, and displayed with 200 x 300.
fn raw_files() -> Vec<(Format, Vec<u8>)> {
    let sensor = directory(
        &[
            (254, 4, 1, 0),
            (256, 3, 1, 320),
            (257, 3, 1, 210),
            (262, 3, 1, 32_803),
        ],
        0,
    );
    let thumbnail = [IS_REDUCED, (256, 3, 1, 160), (257, 3, 1, 120), (262, 3, 1, 2)];
    let first = |more: &[_], next| directory(&[more, &[NAMES_MAKER, IS_TURNED]].concat(), next);
    let in_first = [(513, 4, 1, 1_000), (514, 4, 1, 900)];

    let nef = camera_file(
        "NIKON CORPORATION",
        [
            &first(&[&thumbnail[..], &[NAMES_DIRECTORIES]].concat(), 0),
            &names_jpeg(1_000, 900),
            &sensor,
            &[],
        ],
    );
    // The preview is in the notes of the maker, whose positions count from their own header.
    let note = parts(&[
        (0, b"Nikon\0\x02\x10\0\0MM\0*\0\0\0\x08"),
        (18, &directory(&[(0x11, 4, 1, 40)], 0)),
        (50, &names_jpeg(1_000 - 610, 900)),
    ]);
    let old_nef = {
        let mut file = camera_file(
            "NIKON CORPORATION",
            [
                &first(
                    &[&thumbnail[..], &[NAMES_DIRECTORIES, (0x8769, 4, 1, 500)]].concat(),
                    0,
                ),
                &sensor,
                &sensor,
                &directory(&[(0x927C, 7, 100, 600)], 0),
            ],
        );
        file[600..600 + note.len().min(100)].copy_from_slice(&note[..note.len().min(100)]);
        file
    };
    let arw = camera_file(
        "SONY",
        [
            &first(&[&in_first[..], &[IS_REDUCED, NAMES_DIRECTORIES]].concat(), 500),
            &sensor,
            &[],
            &names_jpeg(2_000, 500),
        ],
    );
    // The first directory has no picture, and the sensor data does not say what it is.
    let srw = camera_file(
        "SAMSUNG",
        [
            &first(&[NAMES_DIRECTORIES], 0),
            &names_jpeg(1_000, 900),
            &directory(&[(254, 4, 1, 0), (256, 3, 1, 320), (257, 3, 1, 210)], 0),
            &[],
        ],
    );
    let pef = camera_file(
        "PENTAX",
        [
            &first(&[(256, 3, 1, 320), (257, 3, 1, 210), (262, 3, 1, 32_803)], 300),
            &directory(&[(513, 4, 1, 2_000), (514, 4, 1, 500)], 400),
            &names_jpeg(1_000, 900),
            &[],
        ],
    );
    let dng = camera_file(
        "Some maker",
        [
            &first(
                &[&thumbnail[..], &[NAMES_DIRECTORIES, (50_706, 1, 4, 0x0104_0000)]].concat(),
                0,
            ),
            &directory(
                &[
                    (262, 3, 1, 32_803),
                    (259, 3, 1, 7),
                    (273, 4, 1, 3_000),
                    (279, 4, 1, 1_900),
                ],
                0,
            ),
            &directory(
                &[
                    IS_REDUCED,
                    (262, 3, 1, 6),
                    (259, 3, 1, 7),
                    (273, 4, 1, 1_000),
                    (279, 4, 1, 900),
                ],
                0,
            ),
            &[],
        ],
    );
    let mut cr2 = camera_file(
        "Canon",
        [
            &[],
            &first(&[(259, 3, 1, 6), (273, 4, 1, 1_000), (279, 4, 1, 900)], 400),
            &directory(&[(513, 4, 1, 2_000), (514, 4, 1, 500)], 500),
            // The sensor data is a lossless JPEG.
            &directory(&[(259, 3, 1, 6), (273, 4, 1, 3_000), (279, 4, 1, 1_900)], 0),
        ],
    );
    cr2[4..12].copy_from_slice(b"\0\0\x01\x2CCR\x02\0");

    let mut orf = camera_file(
        "OLYMPUS",
        [
            &first(&[(262, 3, 1, 2), (0x8769, 4, 1, 500)], 0),
            &[],
            &[],
            &directory(&[(0x927C, 7, 100, 600)], 0),
        ],
    );
    orf[..4].copy_from_slice(b"MMOR");
    let note = parts(&[
        (0, b"OLYMPUS\0MM\0\x03"),
        (12, &directory(&[(0x2020, 13, 1, 40)], 0)),
        (40, &directory(&[(0x101, 4, 1, 400), (0x102, 4, 1, 900)], 0)),
    ]);
    orf[600..600 + note.len()].copy_from_slice(&note);

    let rw2 = parts(&[
        (0, b"IIU\0\x08\0\0\0"),
        (
            8,
            &little_directory(&[(0x2E, 7, 900, 200), (271, 2, 10, 180), IS_TURNED]),
        ),
        (180, b"Panasonic\0"),
        (200, &preview_of(900)),
    ]);

    let turned = tiff(&[IS_TURNED], &[]);
    let raf_preview = jpeg_with_exif(&turned, 300, 200);
    let raf = parts(&[
        (0, b"FUJIFILMCCD-RAW 0201FF123456X-Test"),
        (84, &200_u32.to_be_bytes()),
        (88, &u32::try_from(raf_preview.len()).unwrap().to_be_bytes()),
        (200, &raf_preview),
    ]);

    vec![
        (Format::Nef, nef),
        (Format::Nef, old_nef),
        (Format::Arw, arw),
        (Format::Srw, srw),
        (Format::Pef, pef),
        (Format::Dng, dng),
        (Format::Cr2, cr2),
        (Format::Cr3, cr3()),
        (Format::Orf, orf),
        (Format::Rw2, rw2),
        (Format::Raf, raf),
    ]
}

/// A CR3 with a thumbnail, a preview, a JPEG in full size as the first track, and sensor data as the second one.
pub(crate) fn cr3() -> Vec<u8> {
    let camera = tiff(&[IS_TURNED, (271, 2, 6, 38)], b"Canon\0");
    let exif = tiff(&[(0x8827, 3, 1, 100)], &[]);
    let canon = [
        &b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48"[..],
        &mp4_box(b"CNCV", b"CanonCR3"),
        &mp4_box(b"CMT1", &camera),
        &mp4_box(b"CMT2", &exif),
        &mp4_box(
            b"THMB",
            &[
                &[0, 0, 0, 0, 0, 160, 0, 120][..],
                &300_u32.to_be_bytes(),
                &[0, 1, 0, 0],
                &jpeg(0, 160, 120),
                &[0; 280],
            ]
            .concat(),
        ),
    ]
    .concat();
    let track = |kind: &[u8], at: u64, length: u32| {
        let table = [
            mp4_box(
                b"stsd",
                &[&[0, 0, 0, 0, 0, 0, 0, 1][..], &mp4_box(b"CRAW", kind)].concat(),
            ),
            mp4_box(b"stsz", &[&[0; 11], &[1][..], &length.to_be_bytes()].concat()),
            mp4_box(
                b"co64",
                &[&[0, 0, 0, 0, 0, 0, 0, 1], &at.to_be_bytes()[..]].concat(),
            ),
        ]
        .concat();
        let media = mp4_box(b"mdia", &mp4_box(b"minf", &mp4_box(b"stbl", &table)));
        mp4_box(b"trak", &media)
    };
    let preview = [
        &b"\xEA\xF4\x2B\x5E\x1C\x98\x4B\x88\xB9\xFB\xB7\xDC\x40\x6E\x4D\x16\0\0\0\0\0\0\0\x01"[..],
        &mp4_box(
            b"PRVW",
            &[
                &[0, 0, 0, 0, 0, 1, 0, 160, 0, 120, 0, 1][..],
                &500_u32.to_be_bytes(),
                &jpeg(0, 160, 120),
                &[0; 480],
            ]
            .concat(),
        ),
    ]
    .concat();
    let movie = [
        mp4_box(b"uuid", &canon),
        track(b"....JPEG", 4_000, 900),
        track(b"....CMP1", 5_000, 1_000),
    ]
    .concat();
    let start = [
        mp4_box(b"ftyp", b"crx \0\0\0\x01crx isom"),
        mp4_box(b"moov", &movie),
        mp4_box(b"uuid", &preview),
    ]
    .concat();
    let data = mp4_box(b"mdat", &vec![0; 6_000 - start.len() - 8]);
    let mut file = [start, data].concat();
    file[4_000..4_900].copy_from_slice(&preview_of(900));
    file
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

/// Files of one megabyte, one for each format, that claim these sides.
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

pub(crate) fn found(bytes: &[u8]) -> Header {
    match look(&Pieces::all(bytes)) {
        Ok(Look::Found(header)) => header,
        other => panic!("{other:?}"),
    }
}

/// Reads a file in pieces, as the workflow does.
pub(crate) fn look_by_pieces(bytes: &[u8], piece: usize) -> (Result<Look, HeaderError>, usize) {
    let mut file = Pieces::none(bytes.len() as u64);
    for reads in 0.. {
        match look(&file) {
            Ok(Look::ReadOn(from)) => {
                let from = usize::try_from(from).unwrap();
                assert!(from < bytes.len(), "asked for bytes after the end of the file");
                file.add(from as u64, &bytes[from..bytes.len().min(from + piece)]);
            }
            other => return (other, reads),
        }
    }
    unreachable!()
}

#[test]
fn reads_format_and_upright_size_of_every_format() {
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
fn finds_headers_deep_in_a_file_with_few_reads() {
    let mut late_directory = tiff(&[], &[]);
    late_directory[4..8].copy_from_slice(&50_000_000_u32.to_be_bytes());
    late_directory.resize(50_000_000, 0);
    late_directory.extend(&tiff(&[(256, 3, 1, 300), (257, 3, 1, 200)], &[])[8..]);
    for (bytes, max_reads) in [(jpeg(3, 300, 200), 4), (webp_with_exif(), 2), (late_directory, 2)] {
        let (look, reads) = look_by_pieces(&bytes, 65_536);
        assert!(matches!(look, Ok(Look::Found(_))));
        assert!(reads <= max_reads, "{reads} reads");
    }
}

#[test]
fn finds_the_page_of_a_tiff_that_people_see() {
    let (thumbnail, photo, other) = ((1, 160, 120), (0, 300, 200), (0, 500, 400));
    for (what, file, index, width) in [
        ("one page", pages(&[photo], 0), 0, 300),
        ("several pages", pages(&[photo, other], 0), 0, 300),
        ("a thumbnail first", pages(&[thumbnail, photo], 0), 1, 300),
        (
            "two thumbnails first",
            pages(&[thumbnail, thumbnail, photo], 0),
            2,
            300,
        ),
        (
            "a thumbnail of a mask first",
            pages(&[(5, 160, 120), photo], 0),
            1,
            300,
        ),
        ("only thumbnails", pages(&[thumbnail, thumbnail], 0), 0, 160),
        (
            "thumbnails that follow each other",
            pages(&[thumbnail, thumbnail], 8),
            0,
            160,
        ),
        (
            "a next page after the end",
            pages(&[thumbnail], 1_000_000),
            0,
            160,
        ),
        (
            "the older tag for thumbnails",
            {
                let thumbnail = directory(&[(255, 3, 1, 2), (256, 3, 1, 160), (257, 3, 1, 120)], 100);
                let photo = directory(&[(255, 3, 1, 1), (256, 3, 1, 300), (257, 3, 1, 200)], 0);
                parts(&[(0, b"MM\0*\0\0\0\x08"), (8, &thumbnail), (100, &photo)])
            },
            1,
            300,
        ),
        (
            "BigTIFF",
            {
                let thumbnail = big_directory(&[(254, 1), (256, 160), (257, 120)], 200);
                let photo = big_directory(&[(254, 0), (256, 300), (257, 200)], 0);
                let header = b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0";
                parts(&[(0, header), (16, &thumbnail), (200, &photo)])
            },
            1,
            300,
        ),
    ] {
        assert_eq!(
            (found(&file).format, found(&file).width),
            (Format::Tiff, width),
            "{what}"
        );
        let page = tiff_page(&file).unwrap();
        assert_eq!(page.index, index, "{what}");
        let offset = usize::try_from(page.offset).unwrap();
        assert_eq!(
            file[offset..][..2].iter().max(),
            Some(&3),
            "{what}: no directory of three entries"
        );
        assert_eq!(look_by_pieces(&file, 40).0, look(&Pieces::all(&file)), "{what}");
    }
    assert_eq!(tiff_page(b"II*\0\xFF\xFF\xFF\xFF"), Err(HeaderError::Broken));
}

#[test]
fn reads_the_metadata_of_a_tiff() {
    let exif = directory(&[(0x8827, 3, 1, 100)], 0);
    let page = directory(
        &[
            (256, 3, 1, 300),
            (257, 3, 1, 200),
            (0x010F, 2, 6, 200),
            (0x8769, 4, 1, 100),
        ],
        0,
    );
    let file = parts(&[
        (0, b"MM\0*\0\0\0\x08"),
        (8, &page),
        (100, &exif),
        (200, b"Canon\0"),
    ]);
    let metadata = found(&file).metadata;
    assert_eq!(
        (metadata.camera_make.as_deref(), metadata.iso),
        (Some("Canon"), Some(100))
    );
    // An invalid value counts as missing.
    assert_eq!(found(&file[..202]).metadata.camera_make, None);
}

#[test]
fn describes_the_largest_preview_of_a_raw_file_upright() {
    for (format, file) in raw_files() {
        let header = found(&file);
        assert_eq!((header.format, header.width, header.height), (format, 200, 300));
        assert_eq!(header.orientation.number(), 6, "{format:?}");
        let preview = preview(&file).unwrap().unwrap();
        let (from, length) = header.preview.unwrap();
        assert_eq!(preview.len() as u64, length, "{format:?}");
        assert!(from >= 200 && preview.starts_with(b"\xFF\xD8\xFF"), "{format:?}");
        assert_eq!(found(preview).without_orientation().width, 300, "{format:?}");
        for piece in [100, 1_000, 10_000] {
            assert_eq!(
                look_by_pieces(&file, piece).0,
                look(&Pieces::all(&file)),
                "{format:?}"
            );
        }
        if !matches!(format, Format::Raf | Format::Cr3) {
            assert!(header.metadata.camera_make.is_some(), "{format:?}");
        }
    }
    let header = found(&cr3());
    assert_eq!(
        (header.metadata.camera_make.as_deref(), header.metadata.iso),
        (Some("Canon"), Some(100))
    );
    assert_eq!(preview(&jpeg(0, 300, 200)), Ok(None));
}

#[test]
fn a_preview_that_is_already_upright_is_not_rotated_again() {
    // The sensor data has 320 x 210 pixels, and the preview 200 x 300.
    let (_, mut nef) = raw_files().swap_remove(0);
    nef[1_000..1_021].copy_from_slice(&jpeg(0, 200, 300));
    let header = found(&nef);
    assert_eq!(
        (header.width, header.height, header.orientation.number()),
        (200, 300, 1)
    );
}

#[test]
fn rejects_a_raw_file_without_a_usable_preview_by_name() {
    for (format, mut file) in raw_files() {
        // Every JPEG is now one of the lossless kind, which few programs can decode.
        for at in 0..file.len() - 1 {
            if file[at..at + 2] == [0xFF, 0xC0] {
                file[at + 1] = 0xC3;
            }
        }
        let error = look(&Pieces::all(&file)).unwrap_err();
        let name = format.as_str();
        assert_eq!(
            error.to_string(),
            format!("This {name} file has no preview. Export it as JPEG.")
        );
        assert_eq!(error.name(), ErrorName::UnsupportedFormat);
        assert_eq!(preview(&file), Err(error));
    }
    // The preview is cut off, and the thumbnail is too small.
    let (_, nef) = raw_files().swap_remove(0);
    assert_eq!(
        look(&Pieces::all(&nef[..1_500])),
        Err(HeaderError::NoPreview("NEF"))
    );
}

#[test]
fn a_tiff_of_a_scanner_or_an_editor_is_no_raw_file() {
    let picture = [(256, 3, 1, 300), (257, 3, 1, 200), (262, 3, 1, 2), NAMES_MAKER];
    let below = directory(
        &[IS_REDUCED, (256, 3, 1, 160), (257, 3, 1, 120), (262, 3, 1, 2)],
        0,
    );
    for make in [
        "EPSON",
        "NIKON",
        "Canon",
        "SONY",
        "PENTAX",
        "SAMSUNG",
        "OLYMPUS",
        "Panasonic",
    ] {
        for more in [
            &[][..],
            &[(254, 4, 1, 0), NAMES_DIRECTORIES],
            &[NAMES_DIRECTORIES],
            // Copied from the raw file that was edited.
            &[(50_706, 1, 4, 0x0104_0000)],
        ] {
            let first = directory(&[&picture[..], more].concat(), 0);
            let header = found(&camera_file(make, [&first, &below, &below, &[]]));
            assert_eq!(
                (header.format, header.width),
                (Format::Tiff, 300),
                "{make}, {more:?}"
            );
            assert_eq!(header.metadata.camera_make.as_deref(), Some(make));
            assert_eq!(header.preview, None);
        }
    }
}

#[test]
fn applies_orientation_to_the_sides() {
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
    // Stored as 90 x 120 pixels, with a rotation and mirroring that correspond to EXIF's 5.
    let header = found(TRANSPOSED_AVIF);
    assert_eq!(
        (header.width, header.height, header.orientation.number()),
        (120, 90, 5)
    );
}

#[test]
fn reads_the_metadata_of_a_camera() {
    // The first directory, then one for EXIF and one for GPS, then texts and fractions.
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
            keywords: vec![],
        }
    );
    assert_eq!(found(AVIF).metadata.camera_model.as_deref(), Some("Test Camera"));
}

#[test]
fn ignores_invalid_metadata() {
    let nothing = Metadata::default();
    let itself = 8;
    for (what, exif) in [
        (
            "directories that refer to each other",
            tiff(&[(0x8769, 4, 1, itself), (0x8825, 4, 1, itself)], &[]),
        ),
        (
            "a denominator of 0",
            tiff(
                &[(0x829A, 5, 1, 38), (0x0112, 3, 1, 9)],
                &[0, 0, 0, 1, 0, 0, 0, 0],
            ),
        ),
        (
            "a latitude beyond the pole and a longitude with denominator 0",
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
            "a next directory that is the first one",
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
fn rejects_other_file_types_by_name() {
    let message = |bytes: &[u8]| look(&Pieces::all(bytes)).unwrap_err().to_string();
    assert!(
        message(b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom").starts_with("Videos aren't supported. Upload a JPEG,")
    );
    assert!(message(b"\xFF\x0A and so on, as JPEG XL").starts_with("JPEG XL pictures aren't supported."));
    assert_eq!(
        message(b"\x01\x02\x03"),
        "Unsupported file type. Upload a JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF picture, or a camera's raw file."
    );
    let dicom = [&[0; 128][..], b"DICM"].concat();
    for (start, name) in [
        (&b"This is text and not a picture"[..], "Text files"),
        (b"x", "Text files"),
        ("Grüße, \u{1F600}".as_bytes(), "Text files"),
        // The first bytes end within a character.
        (&["a", &"ß".repeat(300)].concat().into_bytes(), "Text files"),
        (b"\xEF\xBB\xBF<?xml version=\"1.0\"?>\n<!-- a drawing -->\n<svg xmlns=\"http://www.w3.org/2000/svg\">", "SVG drawings"),
        (b"<SVG>", "SVG drawings"),
        (b"\n<!DOCTYPE html><title>", "Web pages"),
        (b"<html><body><svg>", "Web pages"),
        (b"P6\n300 200\n255\n\0\0\0", "PNM pictures"),
        (b"8BPS\0\x01", "Photoshop documents"),
        (b"\0\0\0\x0CjP  \r\n\x87\n", "JPEG 2000 pictures"),
        (b"\xFF\x4F\xFF\x51\0", "JPEG 2000 pictures"),
        (b"II\xBC\x01", "JPEG XR pictures"),
        (b"%PDF-1.7", "PDF documents"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "PostScript files"),
        (b"\0\0\x01\0\x01\0", "Icon files"),
        (b"gimp xcf v011\0", "GIMP documents"),
        (b"\x76\x2F\x31\x01\x02\0\0\0", "OpenEXR pictures"),
        (b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n", "Radiance HDR pictures"),
        (b"SIMPLE  =                    T", "FITS files"),
        (&dicom, "DICOM files"),
        (b"qoif\0\0\x01\x2C", "QOI pictures"),
        (b"DDS |\0\0\0", "DDS textures"),
        (b"FLIF\x41", "FLIF pictures"),
        (b"FOVb\0\0", "Raw files of Sigma cameras"),
        (b"PK\x03\x04\x14\0", "ZIP archives and Office documents"),
        (b"\x1A\x45\xDF\xA3\x93", "Videos"),
        (b"RIFF\0\0\0\0AVI LIST", "Videos"),
        (b"\0\0\0\x08wide\0\0", "Videos"),
        (b"RIFF\0\0\0\0WAVEfmt ", "Sound files"),
        (b"ID3\x04\0", "Sound files"),
        (b"\xFF\xFB\x90\x64", "Sound files"),
    ] {
        assert_eq!(message(start).split(" aren't supported.").next(), Some(name), "{start:?}");
        assert_eq!(look_by_pieces(start, 20).0, look(&Pieces::all(start)));
    }
    let raw = tiff(&[(256, 3, 1, 300), (257, 3, 1, 200), (262, 3, 1, 32_803)], &[]);
    assert!(message(&raw).starts_with("Raw files of this camera maker aren't supported."));
}

#[test]
fn skips_bytes_between_the_segments_of_a_jpeg_as_libjpeg_does() {
    let exif = tiff(&[(0x0112, 3, 1, 6)], &[]);
    let file = jpeg_with_exif(&exif, 300, 200);
    let frame = file.windows(2).position(|marker| marker == [0xFF, 0xC0]).unwrap();
    for junk in [
        &b"junk"[..],
        b"\0",
        b"\xFF\xFF\xFF",
        b"\xFF\0\x01\xFF\0",
        b"\0\xFF\xFF\0\xFF",
    ] {
        for at in [2, frame] {
            let file = [&file[..at], junk, &file[at..]].concat();
            // The first bytes still identify the file.
            if file.starts_with(&[0xFF, 0xD8, 0xFF]) {
                let header = found(&file);
                assert_eq!(
                    (header.width, header.orientation.number()),
                    (200, 6),
                    "{junk:?} at {at}"
                );
            }
        }
    }
}

#[test]
fn names_what_is_rare_about_a_jpeg_without_rejecting_it() {
    let of = |marker: u8, bits: u8| {
        let mut bytes = jpeg(1, 300, 200);
        let at = bytes.windows(2).position(|bytes| bytes == [0xFF, 0xC0]).unwrap();
        (bytes[at + 1], bytes[at + 4]) = (marker, bits);
        assert_eq!(found(&bytes).width, 300);
        rare_jpeg(&bytes)
    };
    for marker in [0xC0, 0xC1, 0xC2] {
        assert_eq!(of(marker, 8), None);
    }
    assert_eq!(of(0xC1, 12), Some("JPEG pictures with 12 bits for each color"));
    assert_eq!(of(0xC3, 8), Some("Lossless JPEG pictures"));
    assert_eq!(of(0xC5, 8), Some("Hierarchical JPEG pictures"));
    assert_eq!(of(0xC9, 8), Some("JPEG pictures with arithmetic coding"));
    assert_eq!(of(0xCA, 8), Some("JPEG pictures with arithmetic coding"));
    assert_eq!(rare_jpeg(b"\xFF\xD8"), None);

    let error = look(&Pieces::all(&jpeg(0, 300, 0))).unwrap_err();
    assert_eq!(
        error.to_string(),
        "JPEG pictures that state their height only after their pixels aren't supported. Open the picture and save it \
         as a new JPEG."
    );
}

#[test]
fn the_canvas_of_a_gif_grows_to_contain_its_first_frame() {
    let sides = |canvas, frame| {
        let header = found(&gif_with_frame(canvas, frame));
        (header.width, header.height)
    };
    assert_eq!(sides((300, 200), [0, 0, 300, 200]), (300, 200));
    assert_eq!(sides((300, 200), [10, 10, 100, 100]), (300, 200));
    assert_eq!(sides((300, 200), [0, 0, 400, 100]), (400, 200));
    assert_eq!(sides((300, 200), [200, 150, 300, 200]), (500, 350));
    assert_eq!(sides((0, 0), [0, 0, 300, 200]), (300, 200));
    let error = look(&Pieces::all(&gif_with_frame((300, 200), [0, 0, 17_000, 17_000]))).unwrap_err();
    assert_eq!(error, HeaderError::TooManyPixels(17_000, 17_000));
    // Without any frame.
    assert_eq!(
        look(&Pieces::all(b"GIF89a\x2C\x01\xC8\0\0\0\0;")),
        Err(HeaderError::Broken)
    );
}

#[test]
fn reads_bmp_headers_of_windows_and_os_2_also_without_the_header_of_the_file() {
    for length in [12_u8, 16, 40, 52, 56, 64, 108, 124] {
        let mut dib = vec![length, 0, 0, 0];
        if length == 12 {
            dib.extend([44, 1, 200, 0, 1, 0, 24, 0]);
        } else {
            dib.extend(300_i32.to_le_bytes());
            dib.extend(200_i32.to_le_bytes());
            dib.extend([1, 0, 24, 0]);
        }
        dib.resize(usize::from(length), 0);
        let mut bmp = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0".to_vec();
        bmp.extend(&dib);
        for (bytes, is_dib) in [(&bmp, false), (&dib, true)] {
            // Without a header of the file, 16 bytes are too few to be sure.
            if is_dib && length == 16 {
                continue;
            }
            let header = found(bytes);
            assert_eq!(
                (header.format, header.width, header.height),
                (Format::Bmp, 300, 200),
                "{length}, {is_dib}"
            );
        }
        // More planes, depths or a kind of compression than exist.
        for (at, value) in [(8, 7), (10, 7), (12, 7), (14, 7), (16, 77)] {
            let mut other = dib.clone();
            if usize::from(length) > at && (length == 12) == (at < 12) {
                other[at] = value;
                assert!(
                    matches!(look(&Pieces::all(&other)), Err(HeaderError::OtherKind(_))),
                    "{length}, {at}"
                );
            }
        }
    }
}

#[test]
fn rejects_sides_outside_the_limits_before_reading_any_pixel() {
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
    assert!(matches!(
        look(&Pieces::all(&png(15_000, 10_000, &[]))),
        Ok(Look::Found(_))
    ));
}

#[test]
fn rejects_a_file_that_ends_within_its_header_without_reading_on() {
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

#[test]
fn rejects_a_header_that_takes_too_many_steps_instead_of_reading_it_for_minutes() {
    let segments = [b"\xFF\xD8".to_vec(), b"\xFF\xE2\0\x02".repeat(250_000)].concat();
    assert_eq!(look_by_pieces(&segments, 65_536).0, Err(HeaderError::TooComplex));

    // Metadata is optional, so the picture is found.
    let chunks = png(300, 200, &b"\0\0\0\0tEXt\0\0\0\0".repeat(450_000));
    assert_eq!(found(&chunks).width, 300);
}

/// Valid files of all formats.
fn valid_files() -> impl Strategy<Value = Vec<u8>> {
    let files = one_of_each().into_iter().chain(raw_files()).collect::<Vec<_>>();
    prop::sample::select(files).prop_map(|(_, bytes)| bytes)
}

proptest! {
    #[test]
    fn reading_in_pieces_gives_the_same_as_reading_the_whole_file(bytes in valid_files(), piece in 1_000_usize..200_000) {
        prop_assert_eq!(look_by_pieces(&bytes, piece).0, look(&Pieces::all(&bytes)));
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(
        start in prop::sample::select(vec![
            &b"\xFF\xD8\xFF"[..], b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBPVP8X", b"BM", b"II*\0", b"MM\0+",
            b"\0\0\0\x10ftypavif\0\0\0\0", b"",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let _ = look(&Pieces::all(&[start, &rest].concat()));
    }

    #[test]
    fn a_modified_file_does_not_panic_or_read_forever(
        bytes in valid_files(),
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
    fn arbitrary_exif_does_not_panic(
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
