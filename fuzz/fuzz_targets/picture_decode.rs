//! Any bytes as a picture file of any format: decoding never panics, and the result has the sides that the header states.
//! Start with the files of `crates/picture/tests/fixtures/` and `tests/pictures/` as the corpus.

#![no_main]

use libfuzzer_sys::fuzz_target;
use picture::pixels;
use picture_header::{Look, Pieces, look};

/// Larger pictures take the same code, and longer.
const MAX_PIXELS: u32 = 512 * 512;

fuzz_target!(|bytes: &[u8]| {
    let Ok(Look::Found(header)) = look(&Pieces::all(bytes)) else {
        return;
    };
    if header.width * header.height > MAX_PIXELS {
        return;
    }
    if let Ok(decoded) = pixels(bytes, &header) {
        assert_eq!(decoded.result.dimensions(), (header.width, header.height));
    }
});
