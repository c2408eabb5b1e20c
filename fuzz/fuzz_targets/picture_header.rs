//! Any bytes as an uploaded file.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, &[u8])| fuzz::check(input.0, input.1));
