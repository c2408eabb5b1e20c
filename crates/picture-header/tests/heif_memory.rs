//! The memory that reading a header takes, for files made to take as much as possible. The only test of its binary, because
//! the allocator counts for the whole process.

use peak_alloc::PeakAlloc;
use picture_header::{HeaderError, Look, Pieces, heif_boxes, look};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

const MEGABYTE: usize = 1024 * 1024;

fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], name, content].concat()
}

/// A box that starts with a version and flags.
fn full(name: &[u8; 4], flags: [u8; 4], content: &[u8]) -> Vec<u8> {
    boxed(name, &[&flags, content].concat())
}

/// Repeats entries up to a megabyte.
fn many(entry: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut index = 1;
    while bytes.len() < MEGABYTE - 2_000 {
        bytes.extend(entry(index));
        index += 1;
    }
    bytes.truncate(MEGABYTE - 2_000);
    bytes
}

/// A HEIC picture of 300 x 200 pixels, whose grid needs 65,025 tiles, with further boxes.
fn heic(boxes: &[u8]) -> Vec<u8> {
    let item = |id: u8, kind: &[u8; 4]| {
        full(
            b"infe",
            [2, 0, 0, 0],
            &[&[0, id, 0, 0], &kind[..], b"\0"].concat(),
        )
    };
    let ispe = full(
        b"ispe",
        [0; 4],
        &[300_u32.to_be_bytes(), 200_u32.to_be_bytes()].concat(),
    );
    let meta = [
        full(b"pitm", [0; 4], &[0, 1]),
        full(
            b"iinf",
            [0; 4],
            &[&[0, 2][..], &item(1, b"grid"), &item(2, b"hvc1")].concat(),
        ),
        full(
            b"iloc",
            [1, 0, 0, 0],
            b"\x44\0\0\x01\0\x01\0\x01\0\0\0\x01\0\0\0\0\0\0\0\x08",
        ),
        boxed(
            b"iprp",
            &[
                boxed(b"ipco", &ispe),
                full(b"ipma", [0; 4], b"\0\0\0\x02\0\x01\x01\x01\0\x02\x01\x01"),
            ]
            .concat(),
        ),
        boxed(b"idat", &[0, 0, 254, 254, 1, 44, 0, 200]),
        boxes.to_vec(),
    ];
    let mut bytes = boxed(b"ftyp", b"heic\0\0\0\0mif1heic");
    bytes.extend(full(b"meta", [0; 4], &meta.concat()));
    bytes
}

/// References from a picture to many others, as many as one box can have.
fn references(kind: &[u8; 4], from: u16, count: u16) -> Vec<u8> {
    let ids: Vec<u8> = (0..count).flat_map(|_| [0, 2]).collect();
    boxed(
        kind,
        &[&from.to_be_bytes()[..], &count.to_be_bytes(), &ids].concat(),
    )
}

fn hostile_files() -> Vec<(&'static str, Vec<u8>)> {
    let zero_sized =
        |id: u32, count: u16| [&(id as u16).to_be_bytes()[..], &[0, 0], &count.to_be_bytes()].concat();
    let item = |id: u32| {
        full(
            b"infe",
            [3, 0, 0, 0],
            &[&id.to_be_bytes()[..], b"\0\0hvc1"].concat(),
        )
    };
    let indices = |id: u32| [&(id as u16).to_be_bytes()[..], &[255], &[1; 255]].concat();
    let properties =
        |count: &[u8], entries: &[u8]| boxed(b"iprp", &full(b"ipma", [0; 4], &[count, entries].concat()));
    let no_properties = |id: u32| [&(id as u16).to_be_bytes()[..], &[0]].concat();
    let most = u32::MAX.to_be_bytes();
    vec![
        (
            "locations of no size, 65,535 for each item",
            heic(&full(
                b"iloc",
                [0; 4],
                &[&[0, 0, 255, 255][..], &many(|id| zero_sized(id, 65_535))].concat(),
            )),
        ),
        (
            "the same for 400 items, in 3 KB",
            heic(&full(
                b"iloc",
                [0; 4],
                &[
                    &[0, 0, 1, 144][..],
                    &(1..=400)
                        .flat_map(|id| zero_sized(id, 65_535))
                        .collect::<Vec<_>>(),
                ]
                .concat(),
            )),
        ),
        (
            "locations of no size, one for each item",
            heic(&full(
                b"iloc",
                [0; 4],
                &[&[0, 0, 255, 255][..], &many(|id| zero_sized(id, 1))].concat(),
            )),
        ),
        (
            "short locations of one item",
            heic(&full(
                b"iloc",
                [0; 4],
                &[
                    &[0x04, 0, 255, 255][..],
                    &many(|_| [&[0, 2, 0, 0, 255, 255][..], &[0; 4 * 65_535]].concat()),
                ]
                .concat(),
            )),
        ),
        (
            "items without properties",
            heic(&properties(&most, &many(no_properties))),
        ),
        (
            "items with 255 properties",
            heic(&properties(&most, &many(indices))),
        ),
        (
            "items",
            heic(&full(b"iinf", [1, 0, 0, 0], &[&most[..], &many(item)].concat())),
        ),
        (
            "references",
            heic(&full(
                b"iref",
                [0; 4],
                &many(|id| references(b"auxl", id as u16, 1)),
            )),
        ),
        (
            "references of no target",
            heic(&full(
                b"iref",
                [0; 4],
                &many(|id| references(b"auxl", id as u16, 0)),
            )),
        ),
        (
            "references of 65,535 targets",
            heic(&full(
                b"iref",
                [0; 4],
                &many(|id| references(b"auxl", id as u16, u16::MAX)),
            )),
        ),
        (
            "a grid of 65,025 tiles",
            heic(&full(b"iref", [0; 4], &references(b"dimg", 1, 255 * 255))),
        ),
        (
            "properties",
            heic(&boxed(b"iprp", &boxed(b"ipco", &many(|_| boxed(b"free", &[]))))),
        ),
        ("boxes", heic(&many(|_| boxed(b"free", &[])))),
    ]
}

/// `validate` has 256 MB.
#[test]
fn a_hostile_file_of_a_megabyte_takes_little_memory() {
    for (what, file) in hostile_files() {
        assert!(file.len() <= MEGABYTE + 2_000, "{what}: {} bytes", file.len());
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let seen = look(&Pieces::all(&file));
        assert!(
            matches!(
                seen,
                Ok(Look::Found(_)) | Err(HeaderError::Broken | HeaderError::TooComplex)
            ),
            "{what}: {seen:?}"
        );
        drop(heif_boxes(&file));
        let peak = ALLOCATOR.peak_usage() - before;
        println!("{what}: {} KB", peak / 1024);
        assert!(peak <= 8 * MEGABYTE, "{what}: {peak} bytes");
    }
}
