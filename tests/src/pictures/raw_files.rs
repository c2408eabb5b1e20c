//! Small raw files of cameras, laid out as the makers lay them out. Each has the pattern as its largest JPEG preview, stored
//! upside down as its orientation says, and no sensor data.

use super::{jpeg, pattern, stored_for};

/// Tag, type, count, and value or position.
type Entry = (u16, u16, u32, u32);

const MAKER: Entry = (271, 2, 20, 700);
/// Two positions of directories are at 720.
const SUB_DIRECTORIES: Entry = (330, 4, 2, 720);
const IS_UPSIDE_DOWN: Entry = (274, 3, 1, 3);
const IS_REDUCED: Entry = (254, 4, 1, 1);
const PREVIEW_AT: u32 = 1_000;

fn preview() -> Vec<u8> {
    jpeg(&stored_for(&pattern(), 3), 3)
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("a small file")
}

fn preview_length() -> u32 {
    length(&preview())
}

/// A directory of TIFF, with the position of the next one.
fn directory(entries: &[Entry], next: u32) -> Vec<u8> {
    let mut entries = entries.to_vec();
    entries.sort_unstable();
    let mut bytes = u16::try_from(entries.len())
        .expect("few entries")
        .to_be_bytes()
        .to_vec();
    for (tag, kind, count, value) in entries {
        let value = if kind == 3 { value << 16 } else { value };
        bytes.extend([tag.to_be_bytes(), kind.to_be_bytes()].concat());
        bytes.extend([count.to_be_bytes(), value.to_be_bytes()].concat());
    }
    bytes.extend(next.to_be_bytes());
    bytes
}

/// A file with these parts at these positions, and zeros between them.
fn file(parts: &[(usize, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![];
    for (at, part) in parts {
        assert!(bytes.len() <= *at, "the part at {at} overlaps another one");
        bytes.resize(*at, 0);
        bytes.extend(*part);
    }
    bytes
}

/// A file with these directories at 8, 300 and 400, and the preview at 1,000.
fn camera_file(make: &str, [first, second, third]: [&[u8]; 3]) -> Vec<u8> {
    file(&[
        (0, b"MM\0*\0\0\0\x08"),
        (8, first),
        (300, second),
        (400, third),
        (700, make.as_bytes()),
        (720, &[0, 0, 1, 44, 0, 0, 1, 144]),
        (1_000, &preview()),
    ])
}

fn sides(width: u32, height: u32) -> [Entry; 2] {
    [(256, 3, 1, width), (257, 3, 1, height)]
}

/// The color filter array.
fn sensor() -> Vec<u8> {
    directory(&[&sides(320, 210)[..], &[(262, 3, 1, 32_803)]].concat(), 0)
}

/// The position and length of the preview.
fn names_preview() -> Vec<u8> {
    directory(
        &[IS_REDUCED, (513, 4, 1, PREVIEW_AT), (514, 4, 1, preview_length())],
        0,
    )
}

fn first(more: &[Entry]) -> Vec<u8> {
    directory(&[more, &[MAKER, IS_UPSIDE_DOWN]].concat(), 0)
}

/// Nikon.
pub fn nef() -> Vec<u8> {
    let thumbnail = [&sides(160, 120)[..], &[IS_REDUCED, SUB_DIRECTORIES]].concat();
    camera_file(
        "NIKON CORPORATION",
        [&first(&thumbnail), &names_preview(), &sensor()],
    )
}

/// Sony.
pub fn arw() -> Vec<u8> {
    let preview = [IS_REDUCED, (513, 4, 1, PREVIEW_AT), (514, 4, 1, preview_length())];
    camera_file(
        "SONY",
        [
            &first(&[&preview[..], &[SUB_DIRECTORIES]].concat()),
            &sensor(),
            &[],
        ],
    )
}

/// Adobe, and several makers.
pub fn dng() -> Vec<u8> {
    let thumbnail = [
        &sides(160, 120)[..],
        &[IS_REDUCED, SUB_DIRECTORIES, (50_706, 1, 4, 0x0104_0000)],
    ]
    .concat();
    let strip = [
        (259, 3, 1, 7),
        (262, 3, 1, 6),
        (273, 4, 1, PREVIEW_AT),
        (279, 4, 1, preview_length()),
    ];
    let preview = directory(&[&strip[..], &[IS_REDUCED]].concat(), 0);
    camera_file("Example", [&first(&thumbnail), &sensor(), &preview])
}

/// Canon's older format: the preview is the first directory's strip.
pub fn cr2() -> Vec<u8> {
    let strip = [
        (259, 3, 1, 6),
        (273, 4, 1, PREVIEW_AT),
        (279, 4, 1, preview_length()),
    ];
    let mut bytes = camera_file("Canon", [&[], &first(&strip), &[]]);
    bytes[4..12].copy_from_slice(b"\0\0\x01\x2CCR\x02\0");
    bytes
}

/// Samsung: the first directory has no picture, and the sensor data does not say what it is.
pub fn srw() -> Vec<u8> {
    let sensor = directory(&sides(320, 210), 0);
    camera_file("SAMSUNG", [&first(&[SUB_DIRECTORIES]), &names_preview(), &sensor])
}

/// Pentax: the preview is in a later directory of the chain.
pub fn pef() -> Vec<u8> {
    let sensor = [
        &sides(320, 210)[..],
        &[(262, 3, 1, 32_803), MAKER, IS_UPSIDE_DOWN],
    ]
    .concat();
    camera_file("PENTAX", [&directory(&sensor, 300), &names_preview(), &[]])
}

/// Olympus: the notes of the maker name the preview. Their positions count from the start of the notes, at 400.
pub fn orf() -> Vec<u8> {
    let settings = directory(
        &[(0x101, 4, 1, PREVIEW_AT - 400), (0x102, 4, 1, preview_length())],
        0,
    );
    let notes = file(&[
        (0, b"OLYMPUS\0MM\0\x03"),
        (12, &directory(&[(0x2020, 13, 1, 40)], 0)),
        (40, &settings),
    ]);
    let exif = directory(&[(0x927C, 7, 100, 400)], 0);
    let mut bytes = camera_file(
        "OLYMPUS",
        [&first(&[(262, 3, 1, 2), (0x8769, 4, 1, 300)]), &exif, &notes],
    );
    bytes[..4].copy_from_slice(b"MMOR");
    bytes
}

/// Panasonic: an entry of the first directory, whose numbers are little-endian, is the preview.
pub fn rw2() -> Vec<u8> {
    let entries = [
        (0x2E, 7, preview_length(), PREVIEW_AT),
        (271, 2, 10, 180),
        IS_UPSIDE_DOWN,
    ];
    let mut directory = vec![3, 0];
    for (tag, kind, count, value) in entries {
        directory.extend([u16::to_le_bytes(tag), u16::to_le_bytes(kind)].concat());
        directory.extend([u32::to_le_bytes(count), u32::to_le_bytes(value)].concat());
    }
    file(&[
        (0, b"IIU\0\x08\0\0\0"),
        (8, &directory),
        (180, b"Panasonic\0"),
        (1_000, &preview()),
    ])
}

/// Fujifilm: the preview's position is at a fixed place, and its own EXIF states the orientation.
pub fn raf() -> Vec<u8> {
    file(&[
        (0, b"FUJIFILMCCD-RAW 0201FF123456X-Test"),
        (84, &PREVIEW_AT.to_be_bytes()),
        (88, &preview_length().to_be_bytes()),
        (1_000, &preview()),
    ])
}

/// Canon's newer format, of the boxes of MP4: the preview is the first track.
pub fn cr3() -> Vec<u8> {
    fn mp4_box(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        [&(length(content) + 8).to_be_bytes(), &name[..], content].concat()
    }
    let camera = [b"MM\0*\0\0\0\x08".to_vec(), directory(&[IS_UPSIDE_DOWN], 0)].concat();
    let canon = [
        &b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48"[..],
        &mp4_box(b"CNCV", b"CanonCR3"),
        &mp4_box(b"CMT1", &camera),
    ]
    .concat();
    let one = [0, 0, 0, 0, 0, 0, 0, 1];
    let position = [&one[..], &u64::from(PREVIEW_AT).to_be_bytes()].concat();
    let table = [
        mp4_box(b"stsd", &[&one[..], &mp4_box(b"CRAW", b"....JPEG")].concat()),
        mp4_box(
            b"stsz",
            &[&[0; 11], &[1][..], &preview_length().to_be_bytes()].concat(),
        ),
        mp4_box(b"co64", &position),
    ]
    .concat();
    let track = mp4_box(
        b"trak",
        &mp4_box(b"mdia", &mp4_box(b"minf", &mp4_box(b"stbl", &table))),
    );
    let start = [
        mp4_box(b"ftyp", b"crx \0\0\0\x01crx isom"),
        mp4_box(b"moov", &[mp4_box(b"uuid", &canon), track].concat()),
    ]
    .concat();
    let before = vec![0; PREVIEW_AT as usize - start.len() - 8];
    [start, mp4_box(b"mdat", &[before, preview()].concat())].concat()
}
