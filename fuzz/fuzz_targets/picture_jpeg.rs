//! Any bytes after the first marker of a JPEG.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| fuzz::check_after(b"\xFF\xD8\xFF", input));
