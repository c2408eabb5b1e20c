//! Any bytes after the first bytes of a TIFF or BigTIFF, or of a raw file with the same structure.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, (u16, &[u8]))| {
    let starts: [&[u8]; 8] = [
        b"II*\0\x08\0\0\0",
        b"MM\0*\0\0\0\x08",
        b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0",
        b"MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10",
        b"II*\0\x10\0\0\0CR\x02\0\0\0\0\0",
        b"IIU\0\x08\0\0\0",
        b"IIRO\x08\0\0\0",
        b"II*\0",
    ];
    fuzz::check_after(starts[usize::from(input.0) % starts.len()], input.1);
});
