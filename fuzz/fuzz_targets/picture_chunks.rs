//! Any bytes after the first bytes of a PNG, WebP, GIF or BMP, and of a BMP without its file header.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, (u16, &[u8]))| {
    let starts: [&[u8]; 5] = [
        b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR",
        b"RIFF\0\0\0\0WEBP",
        b"GIF89a",
        b"BM",
        b"\x28\0\0\0",
    ];
    fuzz::check_after(starts[usize::from(input.0) % starts.len()], input.1);
});
