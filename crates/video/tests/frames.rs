//! Compares decoded key frames with what FFmpeg decoded: `fixtures/make.py`.

use domain::{ErrorClass, Orientation};
use image::{ImageFormat, RgbImage};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::path::Path;
use video::{Feature, FrameError, MAX_FRAME_BYTES, Size, Track, check, decode, jpeg, longest_side, strip};
use video_header::{Codec, Hdr, KeyFrame, Look, Pieces, Select, Video, key_frames, look};

/// Rekognition rejects pictures with fewer than 80 pixels a side.
#[test]
fn elongated_frames_are_larger_so_that_their_shorter_side_has_enough_pixels() {
    for (displayed, expected) in [
        ((1920, 1080), Some(1280)),
        ((1600, 90), Some(1423)),
        ((90, 1600), Some(1423)),
        ((1920, 80), Some(1920)),
        ((2000, 80), None),
    ] {
        let longest = longest_side(displayed, 1280, 80);
        assert_eq!(longest, expected, "{displayed:?}");
        if let Some(longest) = longest {
            let (width, height) = picture::fit(displayed, longest);
            assert!(width.min(height) >= 80, "{displayed:?}");
        }
    }
}

fn read(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn header(file: &[u8]) -> Video {
    match look(&Pieces::all(file)).unwrap() {
        Look::Found(video) => video,
        Look::Read(_) => panic!("the whole file is there"),
    }
}

/// The coded bytes of all key frames.
fn frames(file: &[u8]) -> Vec<Vec<u8>> {
    match key_frames(&Pieces::all(file), Select::Every(0)).unwrap() {
        Look::Found(frames) => frames
            .into_iter()
            .map(|KeyFrame { position, size, .. }| {
                let from = usize::try_from(position).unwrap();
                file[from..from + size as usize].to_vec()
            })
            .collect(),
        Look::Read(_) => panic!("the whole file is there"),
    }
}

/// The track of a fixture, and its second key frame.
fn fixture(name: &str) -> (Track, Vec<u8>) {
    let file = read(name);
    let frames = frames(&file);
    assert_eq!(frames.len(), 2, "{name}");
    (Track::from(&header(&file)), frames[1].clone())
}

/// The mean difference of all samples, and the largest mean difference of a color.
fn differences(one: &RgbImage, other: &RgbImage) -> (f64, f64) {
    assert_eq!(one.dimensions(), other.dimensions());
    let pixels = f64::from(one.width() * one.height());
    let mut sums = [(0, 0); 3];
    for (one, other) in one.pixels().zip(other.pixels()) {
        for ((sum, shift), (one, other)) in sums.iter_mut().zip(one.0.iter().zip(other.0)) {
            *sum += u32::from(one.abs_diff(other));
            *shift += i32::from(*one) - i32::from(other);
        }
    }
    let sum: u32 = sums.iter().map(|(sum, _)| sum).sum();
    let shift = sums.iter().map(|(_, shift)| f64::from(shift.abs()) / pixels);
    (f64::from(sum) / (3.0 * pixels), shift.fold(0.0, f64::max))
}

/// The chroma of 4:2:0 is enlarged with another filter than FFmpeg's. A wrong matrix shifts a color by more than 3, a wrong
/// range by 5, and a shift by one pixel makes a difference of 8.
#[test]
fn decodes_as_ffmpeg_does() {
    for name in [
        "h264.mp4",
        "h264-bt601.mp4",
        "h264-full-range.mp4",
        "h264-10-bits.mp4",
        "h264-half-chroma.mp4",
        "h264-gray.mp4",
        "h264-interlaced.mp4",
        "h264-wide-pixels.mp4",
        "h264-turned.mov",
        "h264-in-band.mkv",
        "hevc.mp4",
        "hevc-10-bits-turned.mov",
        "hevc-half-chroma.mp4",
        "av1.webm",
        "av1-10-bits.mp4",
        "av1-full-chroma.mkv",
        "vp9.webm",
        "vp9-10-bits.webm",
        "vp9-full-chroma.webm",
        "vp8.webm",
    ] {
        let (track, frame) = fixture(name);
        assert_eq!(check(&track), Ok(()), "{name}");
        let decoded = decode(&track, &frame, 1_920).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = Path::new(name).with_extension("png");
        let expected = read(expected.to_str().unwrap());
        let expected = image::load_from_memory_with_format(&expected, ImageFormat::Png).unwrap();
        let (difference, shift) = differences(&decoded, &expected.into_rgb8());
        assert!(
            difference < 3.0 && shift < 1.0,
            "{name}: {difference:.2}, {shift:.2}"
        );
    }
}

#[test]
fn the_smallest_frames_have_the_right_color() {
    for name in ["h264-tiny.mp4", "vp9-one-pixel.webm"] {
        let (track, frame) = fixture(name);
        let decoded = decode(&track, &frame, 1_920).unwrap();
        let expected = read(Path::new(name).with_extension("png").to_str().unwrap());
        let expected = image::load_from_memory_with_format(&expected, ImageFormat::Png).unwrap();
        let (difference, _) = differences(&decoded, &expected.into_rgb8());
        assert!(difference < 6.0, "{name}: {difference:.2}");
    }
}

/// The mean of each color.
fn means(picture: &RgbImage) -> [f64; 3] {
    let pixels = f64::from(picture.width() * picture.height());
    [0, 1, 2].map(|color| {
        let sum: u32 = picture.pixels().map(|pixel| u32::from(pixel.0[color])).sum();
        f64::from(sum) / pixels
    })
}

/// The fixtures store the same numbers as those without HDR, so they show a picture with saturated colors: HLG is about as
/// bright, and PQ brighter, because half of its signal is already 92 cd/m².
#[test]
fn hdr_is_tone_mapped() {
    let sdr = |name| {
        let (track, frame) = fixture(name);
        decode(&Track { hdr: None, ..track }, &frame, 1_920).unwrap()
    };
    let plain = means(&sdr("hevc.mp4"));
    for (name, hdr) in [("hevc-hlg.mov", Hdr::Hlg), ("hevc-pq.mov", Hdr::Pq)] {
        let (track, frame) = fixture(name);
        assert_eq!(track.hdr, Some(hdr));
        let mapped = decode(&track, &frame, 1_920).unwrap();
        assert_eq!(mapped, sdr(name), "the coded data says so, too");
        let [red, green, blue] = means(&mapped);
        let brightness = (red + green + blue) / plain.iter().sum::<f64>();
        assert!((0.7..1.5).contains(&brightness), "{name}: {brightness:.2}");
        assert!(
            red > green && green > blue,
            "{name}: {red:.0} {green:.0} {blue:.0}"
        );
        // Details in the bright parts are kept: not all of them become white.
        let white = mapped.pixels().filter(|pixel| pixel.0 == [255; 3]).count();
        assert!(white * 100 < mapped.pixels().len(), "{name}: {white}");
    }
}

#[test]
fn turns_and_mirrors_by_the_orientation() {
    let (track, frame) = fixture("h264.mp4");
    let upright = decode(&track, &frame, 1_920).unwrap();
    for number in 1..=8 {
        let orientation = Orientation::from(number);
        let turned = Track {
            orientation,
            displayed: orientation.displayed(track.displayed),
            ..track.clone()
        };
        let decoded = decode(&turned, &frame, 1_920).unwrap();
        assert_eq!(
            decoded,
            picture::upright(upright.clone(), orientation),
            "{number}"
        );
    }
}

#[test]
fn crops_to_the_displayed_part() {
    let (track, frame) = fixture("h264.mp4");
    let whole = decode(&track, &frame, 1_920).unwrap();
    let crop = video_header::Crop {
        left: 10,
        top: 6,
        width: 40,
        height: 30,
    };
    let cropped = Track {
        crop,
        displayed: (40, 30),
        ..track.clone()
    };
    let expected = image::imageops::crop_imm(&whole, 10, 6, 40, 30).to_image();
    let decoded = decode(&cropped, &frame, 1_920).unwrap();
    // Chroma at the edges differs.
    assert!(differences(&decoded, &expected).0 < 1.0);
    // The container states twice the size.
    let stated = Track {
        coded: (track.coded.0 * 2, track.coded.1 * 2),
        crop: video_header::Crop {
            left: 20,
            top: 12,
            width: 80,
            height: 60,
        },
        ..cropped
    };
    assert_eq!(decode(&stated, &frame, 1_920).unwrap(), decoded);
}

#[test]
fn scales_down_and_never_up() {
    let (track, frame) = fixture("vp9.webm");
    let sides = |longest_side| {
        let size = Size {
            longest_side,
            quality: 80,
        };
        let jpeg = jpeg(&track, &frame, size).unwrap();
        assert!(jpeg.bytes.starts_with(&[0xFF, 0xD8, 0xFF]));
        (jpeg.width, jpeg.height)
    };
    assert_eq!(sides(u32::MAX), (84, 56));
    assert_eq!(sides(42), (42, 28));
    assert_eq!(sides(0), (1, 1));
}

#[test]
fn what_has_no_decoder_is_rejected_by_name() {
    let file = read("mpeg4.mp4");
    let track = Track::from(&header(&file));
    let error = FrameError::UnsupportedCodec(Codec::Mpeg4);
    assert_eq!(check(&track), Err(error));
    assert_eq!(decode(&track, &frames(&file)[0], 100), Err(error));
    assert!(error.to_string().contains("MPEG-4 part 2"));
    let (track, frame) = fixture("h264-full-chroma.mp4");
    let error = FrameError::Unsupported(track.codec, Feature::FullChroma);
    assert_eq!(check(&track), Err(error));
    assert_eq!(decode(&track, &frame, 100), Err(error));
    assert!(
        error.to_string().contains("H.264 High 4:4:4 Predictive"),
        "{error}"
    );
}

const FIXTURES: [&str; 6] = [
    "h264.mp4",
    "h264-full-range.mp4",
    "hevc.mp4",
    "av1-10-bits.mp4",
    "vp9.webm",
    "vp8.webm",
];

/// Decoding ends with a picture or an error that names the codec, whatever is missing. VP8 and VP9 do not state the length
/// of the last part, so what is missing counts as zeros.
#[test]
fn a_frame_that_is_cut_off_is_an_error_or_a_picture() {
    for name in FIXTURES {
        let (track, frame) = fixture(name);
        for length in (0..frame.len()).step_by(frame.len() / 60 + 1) {
            match decode(&track, &frame[..length], 1_920) {
                Ok(picture) => assert_eq!(picture.dimensions(), track.displayed, "{name}: {length}"),
                Err(error) => {
                    assert_eq!(error, FrameError::Damaged(track.codec), "{name}: {length}");
                    assert!(error.to_string().contains(&track.codec.to_string()));
                }
            }
        }
        assert!(decode(&track, &[], 1_920).is_err(), "{name}");
        let is_known = !matches!(track.codec, Codec::Vp8 | Codec::Vp9(_));
        let cut = decode(&track, &frame[..frame.len() / 3], 1_920);
        assert!(cut.is_err() || !is_known, "{name}");
    }
}

#[test]
fn a_frame_of_another_codec_is_damaged() {
    let frames = FIXTURES.map(fixture);
    for (track, _) in &frames {
        for (other, frame) in &frames {
            if std::mem::discriminant(&track.codec) != std::mem::discriminant(&other.codec) {
                let error = decode(track, frame, 1_920).unwrap_err();
                assert_eq!(error, FrameError::Damaged(track.codec), "{:?}", other.codec);
                assert_eq!(error.name().class(), ErrorClass::File);
            }
        }
    }
}

/// A file whose parameter sets change in the middle: those of the frame count.
#[test]
fn in_band_parameter_sets_replace_those_of_the_header() {
    let (track, _) = fixture("h264-10-bits.mp4");
    let (in_band, frame) = fixture("h264-in-band.mkv");
    let expected = decode(&in_band, &frame, 1_920).unwrap();
    let decoded = decode(&track, &frame, 1_920).unwrap();
    assert_eq!(decoded, expected);
}

/// A predicted frame: a table of key frames can be wrong.
#[test]
fn a_frame_that_is_predicted_from_others_is_damaged() {
    for name in ["vp9.webm", "vp8.webm"] {
        let (track, mut frame) = fixture(name);
        // The bit that tells key frames from others.
        frame[0] ^= if name == "vp9.webm" { 0x04 } else { 0x01 };
        assert_eq!(
            decode(&track, &frame, 100),
            Err(FrameError::Damaged(track.codec)),
            "{name}"
        );
    }
}

#[test]
fn a_strip_has_equal_parts_in_order() {
    let (track, frame) = fixture("h264.mp4");
    let small = |quality| {
        let size = Size {
            longest_side: 42,
            quality,
        };
        jpeg(&track, &frame, size).unwrap().bytes
    };
    let (turned, other) = fixture("h264-turned.mov");
    let size = Size {
        longest_side: 42,
        quality: 80,
    };
    let portrait = jpeg(&turned, &other, size).unwrap().bytes;
    let parts = [small(80), portrait, small(90)];
    let strip = strip(&parts.each_ref().map(Vec::as_slice)).unwrap();
    assert_eq!((strip.width, strip.height), (3 * 42, 28));
    // Each part is the frame, and the second one is the portrait in the sides of the first.
    let pixels = picture::jpeg_pixels(&strip.bytes).unwrap();
    let part = |index: u32| image::imageops::crop_imm(&pixels, index * 42, 0, 42, 28).to_image();
    let expected = parts.each_ref().map(|jpeg| picture::jpeg_pixels(jpeg).unwrap());
    // Colors run into the neighbors by some pixels, because chroma has half the width.
    assert!(differences(&part(0), &expected[0]).0 < 8.0);
    assert!(differences(&part(1), &picture::scaled(expected[1].clone(), (42, 28))).0 < 8.0);
    assert!(differences(&part(2), &expected[2]).0 < 8.0);
    assert!(differences(&part(0), &part(1)).0 > 20.0);
    assert!(video::strip(&[b"no picture"]).is_err());
    assert_eq!(video::strip(&[]).unwrap().width, 1);
}

#[test]
fn too_many_bytes_are_not_decoded() {
    let (track, _) = fixture("h264.mp4");
    let frame = vec![0; usize::try_from(MAX_FRAME_BYTES).unwrap() + 1];
    assert_eq!(
        decode(&track, &frame, 100),
        Err(FrameError::TooManyBytes(track.codec))
    );
}

/// Without AV1: a panic in one of its decoder's threads makes the decoder wait forever, which only the child process ends.
const WITHOUT_THREADS: [&str; 10] = [
    "h264.mp4",
    "h264-full-range.mp4",
    "h264-10-bits.mp4",
    "h264-interlaced.mp4",
    "h264-half-chroma.mp4",
    "hevc.mp4",
    "hevc-half-chroma.mp4",
    "vp9.webm",
    "vp9-10-bits.webm",
    "vp8.webm",
];

proptest! {
    // The same inputs in each run: decoders may panic, which the child process turns into an error.
    #![proptest_config(ProptestConfig { rng_seed: RngSeed::Fixed(1), ..ProptestConfig::default() })]


    /// Run it with `PROPTEST_CASES=100000` after an update of a decoder.
    #[test]
    fn changed_bytes_give_a_picture_or_an_error_that_names_the_codec(
        name in prop::sample::select(&WITHOUT_THREADS[..]),
        in_frame in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..12),
        in_configuration in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..3),
        length in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let (mut track, mut frame) = fixture(name);
        for (index, value) in in_frame {
            let index = index.index(frame.len());
            frame[index] = value;
        }
        for (index, value) in in_configuration {
            if !track.configuration.is_empty() {
                let index = index.index(track.configuration.len());
                track.configuration[index] = value;
            }
        }
        if let Some(length) = length {
            frame.truncate(length.index(frame.len()));
        }
        match decode(&track, &frame, 100) {
            Ok(picture) => prop_assert_eq!(picture.dimensions(), track.displayed),
            Err(error) => {
                prop_assert!(error.to_string().contains(&track.codec.to_string()));
                prop_assert_eq!(error.name().class(), ErrorClass::File);
            }
        }
    }
}
