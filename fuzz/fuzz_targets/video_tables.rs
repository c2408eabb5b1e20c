//! Any sample tables in a track that is valid otherwise, and any fragments after it.

#![no_main]

use libfuzzer_sys::fuzz_target;

type Pairs = Vec<(u16, u16)>;

/// A box.
fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    [&(content.len() as u32 + 8).to_be_bytes()[..], name, content].concat()
}

/// A table with its number of entries, after further numbers.
fn table(name: &[u8; 4], before: &[u32], entries: impl IntoIterator<Item = Vec<u32>>) -> Vec<u8> {
    let entries: Vec<Vec<u32>> = entries.into_iter().collect();
    let count = entries.len() as u32;
    let numbers = [&[0], before, &[count], &entries.concat()].concat();
    boxed(
        name,
        &numbers.into_iter().flat_map(u32::to_be_bytes).collect::<Vec<_>>(),
    )
}

fn pairs(entries: Pairs) -> impl Iterator<Item = Vec<u32>> {
    // The largest numbers become those of 32 bits, negative ones included.
    let wide = |number: u16| i32::from(number.cast_signed()).cast_unsigned();
    entries.into_iter().map(move |(a, b)| vec![a.into(), wide(b)])
}

fuzz_target!(|input: (
    Pairs,
    Pairs,
    Vec<u8>,
    Vec<(u8, u8)>,
    Vec<u16>,
    Vec<u16>,
    Pairs,
    &[u8]
)| {
    let (stts, ctts, stss, stsc, sizes, offsets, edits, fragments) = input;
    let ascending = |number: &mut u32, step: u8| {
        *number += u32::from(step);
        Some(*number)
    };
    let keys = stss.into_iter().scan(0, ascending);
    let chunks = stsc.into_iter().scan(0, |number, (step, count)| {
        ascending(number, step).map(|first| vec![first, count.into(), 1])
    });
    let one = |number: u16| vec![u32::from(number)];
    let mut entry = vec![0; 78];
    entry[24..28].copy_from_slice(&[0, 64, 0, 48]);
    let stbl = [
        boxed(b"stsd", &[&[0; 8][..], &boxed(b"avc1", &entry)].concat()),
        table(b"stts", &[], pairs(stts)),
        table(b"ctts", &[], pairs(ctts)),
        table(b"stss", &[], keys.map(|key| vec![key])),
        table(b"stsc", &[], chunks),
        table(b"stsz", &[0], sizes.into_iter().map(one)),
        table(b"stco", &[], offsets.into_iter().map(one)),
    ];
    let elst = table(
        b"elst",
        &[],
        pairs(edits).map(|edit| [edit, vec![0x1_0000]].concat()),
    );
    // Version and flags, two times, and the units per second.
    let time = |per_second: u32| [&[0; 12][..], &per_second.to_be_bytes(), &[0; 88]].concat();
    let hdlr = boxed(b"hdlr", b"\0\0\0\0\0\0\0\0vide");
    let minf = boxed(b"minf", &boxed(b"stbl", &stbl.concat()));
    let mdia = boxed(b"mdia", &[boxed(b"mdhd", &time(600)), hdlr, minf].concat());
    let mut tkhd = vec![0; 92];
    tkhd[15] = 1;
    let trak = [boxed(b"tkhd", &tkhd), boxed(b"edts", &elst), mdia].concat();
    let moov = [
        boxed(b"mvhd", &time(1_000)),
        boxed(b"trak", &trak),
        boxed(b"mvex", &[]),
    ]
    .concat();
    let file = [
        boxed(b"ftyp", b"isom\0\0\0\0"),
        boxed(b"moov", &moov),
        fragments.to_vec(),
        vec![0; 40_000],
    ];
    fuzz::check_video(&file.concat());
});
