//! Any bytes at all, as the first ones of a file that somebody has uploaded: reading them never panics, and reading more
//! of a file never changes what was found.

#![no_main]

use libfuzzer_sys::fuzz_target;
use picture_header::{Look, look};

fuzz_target!(|input: (u16, &[u8])| {
    let (cut, bytes) = input;
    let whole = look(bytes);
    let start = look(&bytes[..bytes.len().min(usize::from(cut))]);
    if let Ok(Look::Found(_)) = start {
        assert_eq!(start, whole);
    }
});
