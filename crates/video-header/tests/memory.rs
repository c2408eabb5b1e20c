//! The peak memory of looking at hostile files. The only test of its binary, because the allocator counts for the whole
//! process.

use peak_alloc::PeakAlloc;
use video_header::{Pieces, Select, VideoError, key_frames, look};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// A box of MP4 that begins with some bytes, and then has copies of a part up to this length.
fn filled(name: &[u8; 4], start: &[u8], part: &[u8], length: usize) -> Vec<u8> {
    let copies = (length - start.len()) / part.len();
    let content = [start, &part.repeat(copies)].concat();
    [&(content.len() as u32 + 8).to_be_bytes()[..], name, &content].concat()
}

fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    filled(name, content, &[0], content.len())
}

/// The boxes of a file with fragments up to the first one.
fn fragmented() -> Vec<u8> {
    let file = include_bytes!("../fixtures/h264-fragments.mp4");
    let first = file
        .windows(4)
        .position(|name| name == b"moof")
        .expect("a fragment");
    file[..first - 4].to_vec()
}

#[test]
fn a_look_at_a_hostile_file_takes_little_memory() {
    const LENGTH: usize = 8_000_000;
    let ftyp = boxed(b"ftyp", b"isom\0\0\0\0");
    let mvhd = boxed(b"mvhd", &[&[0; 12][..], &[0, 0, 2, 0], &[0; 84]].concat());
    let sidx_start = [
        &[0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0][..],
        &[0; 8],
        &[0, 0, 0xFF, 0xFF],
    ]
    .concat();
    let tfra_start = [
        &[1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0][..],
        &(400_000_u32).to_be_bytes(),
    ]
    .concat();
    let increasing: Vec<u8> = (0..400_000_u64)
        .flat_map(|at| [&at.to_be_bytes()[..], &at.to_be_bytes(), &[1, 1, 1]].concat())
        .collect();
    let tfra = boxed(b"tfra", &[tfra_start, increasing].concat());
    let mfro = boxed(
        b"mfro",
        &[&[0; 4][..], &(tfra.len() as u32 + 24).to_be_bytes()].concat(),
    );
    let moof = boxed(b"moof", &[]);
    let webm = include_bytes!("../fixtures/vp9-live.webm");
    let first = webm.windows(4).position(|id| id == [0x1F, 0x43, 0xB6, 0x75]);
    let until_cluster = &webm[..first.expect("a cluster")];
    let segment = webm.windows(4).position(|id| id == [0x18, 0x53, 0x80, 0x67]);
    let until_segment = &webm[..segment.expect("a segment") + 12];
    let seek = [0x4D, 0xBB, 0x88, 0x53, 0xAB, 0x81, 1, 0x53, 0xAC, 0x81, 1].repeat(LENGTH / 11);
    let size = [&[0x01], &(seek.len() as u64).to_be_bytes()[1..]].concat();
    for (what, file) in [
        (
            "tracks",
            [&ftyp[..], &filled(b"moov", &mvhd, &boxed(b"trak", &[]), LENGTH)].concat(),
        ),
        (
            "an index at the start",
            [
                &fragmented()[..],
                &filled(b"sidx", &sidx_start, &[0; 12], 65_535 * 12 + 100),
                &moof,
            ]
            .concat(),
        ),
        (
            "an index at the end",
            [&fragmented()[..], &moof, &boxed(b"mfra", &[tfra, mfro].concat())].concat(),
        ),
        (
            "clusters",
            [until_cluster, &[0x1F, 0x43, 0xB6, 0x75, 0x80].repeat(LENGTH / 5)].concat(),
        ),
        (
            "positions of elements",
            [until_segment, &[0x11, 0x4D, 0x9B, 0x74], &size, &seek].concat(),
        ),
    ] {
        let pieces = Pieces::all(&file);
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let header = look(&pieces);
        let keys = key_frames(&pieces, Select::Every(0));
        let peak = ALLOCATOR.peak_usage() - before;
        assert!(
            matches!(
                header,
                Err(VideoError::NoVideo | VideoError::TooComplex | VideoError::Broken(_))
            ),
            "{what}: {header:?}"
        );
        assert!(keys.is_err(), "{what}: {keys:?}");
        assert!(peak < 24_000_000, "{what}: {peak} bytes");
    }
}
