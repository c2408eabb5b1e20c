//! Any bytes as a key frame and its decoder's configuration: decoding never panics, and the result is as large as the header
//! says. The first byte is the codec, and the next two are the length of the configuration. Begin with the frames of the files
//! of `crates/video/fixtures/`: CONTRIBUTING.md.

#![no_main]

use libfuzzer_sys::fuzz_target;
use video::{Track, check, decode};
use video_header::{Codec, Crop};

fuzz_target!(|bytes: &[u8]| {
    let Some((&[codec, c1, c0], rest)) = bytes.split_first_chunk() else {
        return;
    };
    let Some((configuration, frame)) = rest.split_at_checked(usize::from(u16::from_be_bytes([c1, c0]))) else {
        return;
    };
    let track = Track {
        codec: match codec % 5 {
            0 => Codec::H264(None),
            1 => Codec::Hevc(None),
            2 => Codec::Av1(None),
            3 => Codec::Vp8,
            _ => Codec::Vp9(None),
        },
        configuration: configuration.to_vec(),
        coded: (84, 56),
        crop: Crop {
            left: 4,
            top: 6,
            width: 60,
            height: 50,
        },
        displayed: (60, 50),
        orientation: u32::from(codec / 5).into(),
        hdr: None,
    };
    let _ = check(&track);
    if let Ok(picture) = decode(&track, frame, 100) {
        assert_eq!(picture.dimensions(), (60, 50));
    }
});
