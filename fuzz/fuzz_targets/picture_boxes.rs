//! Any bytes after the first box of a CR3 or HEIF file, or after the first bytes of a RAF.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, (u16, &[u8]))| {
    let starts: [&[u8]; 3] = [
        b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom",
        b"\0\0\0\x14ftypavif\0\0\0\0avif",
        b"FUJIFILMCCD-RAW ",
    ];
    fuzz::check_after(starts[usize::from(input.0) % starts.len()], input.1);
});
