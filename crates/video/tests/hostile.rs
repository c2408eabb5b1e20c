//! Frames that claim dimensions which nobody checks elsewhere: each is rejected before a decoder allocates memory, which the
//! peak of the only test shows. And the largest frames, whose memory is bounded.

use domain::ErrorName;
use peak_alloc::PeakAlloc;
use std::path::Path;
use video::{FrameError, Track, check, decode};
use video_header::{Codec, Crop, Look, Pieces, Select, key_frames, look};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Writes numbers of so many bits.
#[derive(Default)]
struct Bits(Vec<bool>);

impl Bits {
    fn put(mut self, count: u32, value: u32) -> Self {
        self.0.extend((0..count).rev().map(|bit| value >> bit & 1 == 1));
        self
    }

    /// A number in Exp-Golomb code.
    fn golomb(self, value: u32) -> Self {
        let length = (value + 1).ilog2();
        self.put(length, 0).put(length + 1, value + 1)
    }

    fn golombs<const COUNT: usize>(self, values: [u32; COUNT]) -> Self {
        values.into_iter().fold(self, Self::golomb)
    }

    /// Ends as parameter sets do.
    fn bytes(self) -> Vec<u8> {
        let mut bits = self.0;
        bits.push(true);
        let byte = |bits: &[bool]| {
            let byte = bits.iter().fold(0, |byte, bit| byte << 1 | u8::from(*bit));
            byte << (8 - bits.len())
        };
        bits.chunks(8).map(byte).collect()
    }
}

fn track(codec: Codec, configuration: Vec<u8>) -> Track {
    Track {
        codec,
        configuration,
        coded: (64, 48),
        crop: Crop {
            left: 0,
            top: 0,
            width: 64,
            height: 48,
        },
        displayed: (64, 48),
        orientation: 1.into(),
        hdr: None,
    }
}

/// A unit after its length in two bytes.
fn unit(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

/// A sequence parameter set of H.264 (7.3.2.1) of so many macroblocks.
fn h264_set(width: u32, height: u32) -> Vec<u8> {
    let bits = Bits::default().put(8, 66).put(8, 0).put(8, 62);
    let bits = bits
        .golombs([0, 0, 2, 1])
        .put(1, 0)
        .golombs([width - 1, height - 1]);
    [&[0x67][..], &bits.put(1, 1).put(1, 1).put(1, 0).put(1, 0).bytes()].concat()
}

fn h264_configuration(sets: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![1, 66, 0, 62, 0xFF, 0xE0 | u8::try_from(sets.len()).unwrap()];
    bytes.extend(sets.iter().flat_map(|set| unit(set)));
    bytes.push(0);
    bytes
}

/// A sequence parameter set of HEVC (7.3.2.2).
fn hevc_set(width: u32, height: u32) -> Vec<u8> {
    let bits = Bits::default().put(4, 0).put(3, 0).put(1, 1);
    // Profile and level.
    let bits = bits.put(8, 1).put(32, 0).put(32, 0).put(16, 0).put(8, 186);
    let bits = bits.golombs([0, 1, width, height]).put(1, 0).golombs([0, 0, 4]);
    let bits = bits.put(1, 1).golombs([0, 0, 0]).golombs([0, 3, 0, 3, 0, 0]);
    let bits = bits.put(4, 0).golomb(0).put(5, 0);
    // No zeros that would need emulation prevention in front of small numbers.
    let escaped = bits.bytes().iter().fold(vec![], |mut bytes: Vec<u8>, byte| {
        if *byte <= 3 && bytes.ends_with(&[0, 0]) {
            bytes.push(3);
        }
        bytes.push(*byte);
        bytes
    });
    [&[33 << 1, 1][..], &escaped].concat()
}

fn hevc_configuration(sets: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![0; 23];
    bytes[0] = 1;
    bytes[21] = 3;
    bytes[22] = 1;
    bytes.push(33);
    bytes.extend(u16::try_from(sets.len()).unwrap().to_be_bytes());
    bytes.extend(sets.iter().flat_map(|set| unit(set)));
    bytes
}

/// A sequence header of AV1 (5.5.1) for still pictures, which is the shortest.
fn av1_sequence(width: u32, height: u32) -> Vec<u8> {
    let bits = Bits::default()
        .put(3, 0)
        .put(1, 1)
        .put(1, 1)
        .put(5, 31)
        .put(4, 15)
        .put(4, 15);
    let content = bits.put(16, width - 1).put(16, height - 1).put(24, 0).bytes();
    [&[1 << 3 | 2, u8::try_from(content.len()).unwrap()][..], &content].concat()
}

fn vp9_frame(width: u32, height: u32) -> Vec<u8> {
    let bits = Bits::default()
        .put(2, 2)
        .put(2, 0)
        .put(4, 0b0010)
        .put(24, 0x49_83_42)
        .put(4, 2);
    let bits = bits.put(16, width - 1).put(16, height - 1);
    [bits.put(1, 0).bytes(), vec![0; 40]].concat()
}

fn vp8_frame(width: u16, height: u16) -> Vec<u8> {
    let [w, h] = [width, height].map(u16::to_le_bytes);
    [&[0x10, 0, 0, 0x9D, 1, 0x2A][..], &w, &h, &[0; 40]].concat()
}

/// The length in four bytes, as in files.
fn framed(unit: &[u8]) -> Vec<u8> {
    [&u32::try_from(unit.len()).unwrap().to_be_bytes(), unit].concat()
}

fn rejected(track: &Track, frame: &[u8], (width, height): (u32, u32)) {
    let error = decode(track, frame, 100).unwrap_err();
    assert_eq!(error, FrameError::TooLarge(track.codec, width, height));
    assert_eq!(error.name(), ErrorName::ImageTooLarge);
    let message = error.to_string();
    let expected = [
        track.codec.to_string(),
        width.to_string(),
        height.to_string(),
        "35651584".into(),
    ];
    assert!(expected.iter().all(|part| message.contains(part)), "{message}");
}

fn lying_dimensions() {
    let h264 = Codec::H264(None);
    let stored = track(h264, h264_configuration(&[h264_set(1_000, 1_000)]));
    assert_eq!(check(&stored), Err(FrameError::TooLarge(h264, 16_000, 16_000)));
    rejected(&stored, &[], (16_000, 16_000));
    // Those of the frame differ from those of the file's header. So many macroblocks do not fit into 32 bits.
    let in_band = track(h264, h264_configuration(&[h264_set(4, 3)]));
    assert_eq!(check(&in_band), Ok(()));
    rejected(&in_band, &framed(&h264_set(4_000, 4_000)), (64_000, 64_000));
    rejected(&in_band, &framed(&h264_set(1_056, 1)), (16_896, 16));

    let hevc = Codec::Hevc(None);
    let stored = track(hevc, hevc_configuration(&[hevc_set(16_384, 16_384)]));
    assert_eq!(check(&stored), Err(FrameError::TooLarge(hevc, 16_384, 16_384)));
    rejected(&stored, &[], (16_384, 16_384));
    let in_band = track(hevc, hevc_configuration(&[hevc_set(64, 48)]));
    assert_eq!(check(&in_band), Ok(()));
    rejected(&in_band, &framed(&hevc_set(65_528, 64)), (65_528, 64));

    let av1 = Codec::Av1(None);
    let stored = track(av1, [vec![0x81, 0, 0, 0], av1_sequence(65_536, 65_536)].concat());
    assert_eq!(check(&stored), Err(FrameError::TooLarge(av1, 65_536, 65_536)));
    rejected(&stored, &[], (65_536, 65_536));
    rejected(&track(av1, vec![]), &av1_sequence(8_192, 4_353), (8_192, 4_353));

    let vp9 = track(Codec::Vp9(None), vec![]);
    rejected(&vp9, &vp9_frame(65_536, 65_536), (65_536, 65_536));
    // The index of a superframe whose first frame is that.
    let frame = vp9_frame(65_536, 600);
    let length = u8::try_from(frame.len()).unwrap();
    rejected(&vp9, &[&frame[..], &[0xC0, length, 0xC0]].concat(), (65_536, 600));
    rejected(
        &track(Codec::Vp8, vec![]),
        &vp8_frame(16_383, 16_383),
        (16_383, 16_383),
    );

    let mut container = track(h264, h264_configuration(&[h264_set(4, 3)]));
    container.coded = (65_535, 65_535);
    assert_eq!(check(&container), Err(FrameError::TooLarge(h264, 65_535, 65_535)));
}

fn fixture(name: &str) -> (Track, Vec<u8>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    let file = std::fs::read(path).unwrap();
    let pieces = Pieces::all(&file);
    let (Ok(Look::Found(video)), Ok(Look::Found(frames))) =
        (look(&pieces), key_frames(&pieces, Select::AtOrAfter(0)))
    else {
        panic!("{name}")
    };
    let from = usize::try_from(frames[0].position).unwrap();
    (
        Track::from(&video),
        file[from..from + frames[0].size as usize].to_vec(),
    )
}

/// The peak number of allocated bytes.
fn peak(work: impl FnOnce()) -> usize {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    work();
    ALLOCATOR.peak_usage() - before
}

#[test]
fn memory_is_bounded_by_the_dimensions_that_were_checked() {
    let lying = peak(lying_dimensions);
    assert!(lying < 5_000_000, "{lying} bytes");
    // 7,680 × 4,320 pixels.
    for name in ["h264-8k.mp4", "hevc-8k.mp4", "vp9-8k.webm"] {
        let (track, frame) = fixture(name);
        let used = peak(|| {
            let picture = decode(&track, &frame, 1_280).unwrap();
            assert_eq!(picture.dimensions(), (1_280, 720), "{name}");
            let orange = picture.get_pixel(640, 360).0;
            let expected = [255, 165, 0];
            assert!(
                orange
                    .iter()
                    .zip(expected)
                    .all(|(one, other)| one.abs_diff(other) < 4),
                "{orange:?}"
            );
        });
        // The process that decodes may take 2,560 MiB.
        assert!(used < 1_200_000_000, "{name}: {used} bytes");
        println!("{name}: {} MB", used / 1_000_000);
    }
}
