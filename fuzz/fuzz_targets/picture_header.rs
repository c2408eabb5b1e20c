//! Any bytes at all, as the first ones of a file that somebody has uploaded: reading them never panics, and reading more
//! of a file never changes what was found.

#![no_main]

use libfuzzer_sys::fuzz_target;
use picture_header::{Look, Pieces, look};

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let mut start = Pieces::none(bytes.len() as u64);
    start.add(0, &bytes[..bytes.len().min(usize::from(cut))]);
    let found = look(&start);
    if !matches!(found, Ok(Look::ReadOn(_))) {
        assert_eq!(found, look(&Pieces::all(bytes)));
    }
});
