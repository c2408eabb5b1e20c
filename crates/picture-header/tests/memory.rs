//! The peak memory of looking at hostile files. The only test of its binary, because the allocator counts for the whole
//! process.

use peak_alloc::PeakAlloc;
use picture_header::{Pieces, look};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// The peak number of allocated bytes.
fn peak(work: impl FnOnce()) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    work();
    ALLOCATOR.peak_usage() - before
}

/// EXIF whose first directory names 1,000 directories. Each has thousands of entries, most of which are those of the others.
fn overlapping_directories(length: usize) -> Vec<u8> {
    const DIRECTORIES: u16 = 1_000;
    let first_below = 10 + 12 * u32::from(DIRECTORIES) + 4;
    let mut exif = b"MM\0*\0\0\0\x08".to_vec();
    exif.extend(DIRECTORIES.to_be_bytes());
    for index in 0..u32::from(DIRECTORIES) {
        exif.extend(b"\x87\x69\0\x04\0\0\0\x01");
        exif.extend((first_below + 2 * index).to_be_bytes());
    }
    exif.extend([0; 4]);
    // As the number of entries: 16,385.
    exif.resize_with(length, {
        let mut bytes = [0x40, 0x01].into_iter().cycle();
        move || bytes.next().expect("a cycle never ends")
    });
    exif
}

fn png_with_exif(exif: &[u8]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR\0\0\x01\x2C\0\0\0\xC8\x08\x02\0\0\0\0\0\0\0".to_vec();
    png.extend(u32::try_from(exif.len()).unwrap().to_be_bytes());
    png.extend(b"eXIf");
    png.extend(exif);
    png.extend(b"\0\0\0\0\0\0\0\0IDAT");
    png
}

/// XMP of nearly the maximum size: a start, and then copies of the same bytes.
fn png_with_xmp(start: &str, part: &[u8]) -> Vec<u8> {
    const MAX_XMP: usize = 256 * 1024;
    let mut text =
        b"XML:com.adobe.xmp\0\0\0\0\0<r:RDF xmlns:r='http://www.w3.org/1999/02/22-rdf-syntax-ns#' ".to_vec();
    text.extend(b"xmlns:d='http://purl.org/dc/elements/1.1/'><r:Description><d:subject><r:Bag>");
    text.extend(start.as_bytes());
    while text.len() + part.len() < MAX_XMP {
        text.extend(part);
    }
    let mut png = png_with_exif(&[]);
    png.truncate(png.len() - 8 - 12);
    png.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
    png.extend(b"iTXt");
    png.extend(text);
    png.extend(b"\0\0\0\0\0\0\0\0IDAT");
    png
}

fn png_with_chunks() -> Vec<u8> {
    let start = png_with_exif(&[]);
    repeated(&start[..start.len() - 8 - 12], b"\0\0\0\0tEXt\0\0\0\0")
}

/// A file of one megabyte: a start, and then copies of the same bytes.
fn repeated(start: &[u8], part: &[u8]) -> Vec<u8> {
    let mut file = start.to_vec();
    while file.len() < 1_000_000 {
        file.extend(part);
    }
    file
}

/// A box of MP4 with the rest of one megabyte.
fn mp4_box(name: &[u8; 4], before: &[u8], part: &[u8]) -> Vec<u8> {
    let content = repeated(before, part);
    let length = u32::try_from(content.len() + 8).unwrap();
    [&length.to_be_bytes(), &name[..], &content].concat()
}

/// A raw file of Nikon. Its directories name more directories, which begin at every second byte.
fn nikon_with_many_directories() -> Vec<u8> {
    let mut file = b"MM\0*\0\0\0\x08\0\x04".to_vec();
    file.extend(b"\0\xFE\0\x04\0\0\0\x01\0\0\0\x01");
    file.extend(b"\x01\x0F\0\x02\0\0\0\x06\0\0\0\x64");
    file.extend(b"\x01\x11\0\x04\0\x03\0\0\0\0\0\xC8");
    file.extend(b"\x01\x4A\0\x04\0\x03\0\0\0\0\0\xC8");
    file.extend(b"\0\0\0\x08");
    file.resize(100, 0);
    file.extend(b"NIKON\0");
    file.resize(200, 0);
    for position in 0..200_000_u32 {
        file.extend((200 + 2 * position).to_be_bytes());
    }
    file
}

#[test]
fn a_look_at_a_hostile_file_takes_little_memory() {
    let canon = b"\x85\xC0\xB6\x87\x82\x0F\x11\xE0\x81\x11\xF4\xCE\x46\x2B\x6A\x48";
    let thumbnail = b"\0\0\0\x18THMB\0\0\0\0\0\xA0\0\x78\0\0\0\0\0\x01\0\0";
    let cr3 = [
        b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom".to_vec(),
        mp4_box(b"moov", &mp4_box(b"uuid", canon, thumbnail), b""),
    ]
    .concat();
    let long_name = "a".repeat(8_000);
    let declarations = format!(
        "<a {}>",
        (0..256).map(|n| format!("xmlns:a{n}='b' ")).collect::<String>()
    );
    let files: [(&str, Vec<u8>); 20] = [
        ("XMP with a keyword of 260 KB", png_with_xmp("<r:li>", b"a")),
        ("XMP of bytes that are no text", png_with_xmp("<r:li>", b"\xFF")),
        ("XMP of empty keywords", png_with_xmp("", b"<r:li/>")),
        (
            "XMP of long names",
            png_with_xmp("", format!("<{long_name}>").as_bytes()),
        ),
        ("XMP of namespaces", png_with_xmp("", declarations.as_bytes())),
        ("XMP of references", png_with_xmp("<r:li>", b"&#65;")),
        (
            "PNG with overlapping directories of EXIF",
            png_with_exif(&overlapping_directories(250_000)),
        ),
        ("PNG of small chunks", png_with_chunks()),
        ("JPEG of small segments", repeated(b"\xFF\xD8", b"\xFF\xE2\0\x02")),
        ("JPEG of fill bytes", repeated(b"\xFF\xD8", b"\xFF")),
        ("JPEG of other bytes", repeated(b"\xFF\xD8\xFF", b"\0")),
        (
            "GIF of small comments",
            repeated(b"GIF89a\x01\0\x01\0\0\0\0", b"!\xFE\x01 \0"),
        ),
        (
            "GIF of one comment",
            repeated(b"GIF89a\x01\0\x01\0\0\0\0!\xFE", b"\x01 "),
        ),
        (
            "WebP of small chunks",
            repeated(
                b"RIFF\xFF\xFF\xFF\x7FWEBPVP8X\x0A\0\0\0\x08\0\0\0\x2B\x01\0\xC7\0\0",
                b"ABCD\0\0\0\0",
            ),
        ),
        (
            "TIFF whose first page follows itself",
            repeated(
                b"MM\0*\0\0\0\x08\0\x01\0\xFE\0\x04\0\0\0\x01\0\0\0\x01\0\0\0\x08",
                b"\0",
            ),
        ),
        (
            "TIFF with a directory of 65,535 entries",
            repeated(b"MM\0*\0\0\0\x08\xFF\xFF", b"\x01\x0F\0\x02\0\x0F\0\0\0\0\0\x08"),
        ),
        (
            "BigTIFF with a directory of 2^64 - 1 entries",
            repeated(
                b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF",
                b"\xFE\0\x10\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01\0\0\0\0\0\0\0",
            ),
        ),
        ("NEF with many directories", nikon_with_many_directories()),
        ("CR3 with many thumbnails", cr3),
        ("text", repeated(b"", b"<svg >")),
    ];
    for (what, file) in files {
        let peak = peak(|| drop(look(&Pieces::all(&file))));
        println!("{what}: {peak} bytes");
        let max = if what.starts_with("CR3") {
            2 * file.len()
        } else if what.starts_with("XMP") {
            // A copy with a replacement for each byte, and one of each text.
            2_000_000
        } else {
            100_000
        };
        assert!(peak <= max, "{what}: {peak} bytes for {} bytes", file.len());
    }
}
