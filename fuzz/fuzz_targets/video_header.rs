//! Any bytes as an uploaded video. Begin with the files that the tests read.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| fuzz::check_video(bytes));
