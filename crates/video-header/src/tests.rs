use super::*;
use crate::limits::{FIRST_READ, MAX_SAMPLES};
use domain::ErrorName;
use proptest::prelude::*;
use std::collections::BTreeSet;
use strum::IntoEnumIterator;

mod build;
mod expanded;
mod ffmpeg;
mod hostile;
mod large;

use build::{Mp4, boxed, find, full, put};

macro_rules! fixtures {
    ($($name:literal)*) => {
        /// Name and content of each fixture.
        const FIXTURES: &[(&str, &[u8])] = &[$(($name, include_bytes!(concat!("../fixtures/", $name)))),*];
    };
}

fixtures! {
    "av1-hlg.mkv" "av1.mp4" "h264-64-bits.mp4" "h264-delayed.mp4" "h264-encrypted.mp4" "h264-faststart.mp4"
    "h264-fragments-edits.mp4" "h264-fragments-mfra.mp4" "h264-fragments-moof.mp4" "h264-fragments-sidx.mp4" "h264-fragments.mp4"
    "h264-header-at-end.mp4" "h264-mirrored.mp4" "h264-pixel-aspect.mp4" "h264-trimmed.mp4" "h264-turned.mkv"
    "h264-turned.mov" "h264-variable.mp4" "h264.mkv" "hevc-pq.mp4" "mjpeg.mov" "mpeg4.3gp" "prores.mov" "sound.m4a"
    "sound.webm" "vp8.webm" "vp9-live.webm" "vp9-without-cues.webm" "vp9.webm"
}

fn fixture(name: &str) -> &'static [u8] {
    let found = FIXTURES.iter().find(|(fixture, _)| *fixture == name);
    found.unwrap_or_else(|| panic!("no fixture {name}")).1
}

/// What reading a file took.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Cost {
    rounds: u32,
    reads: u32,
    bytes: u64,
}

/// A file that can be larger than the memory: zeros, except for some parts.
struct File {
    size: u64,
    parts: Vec<(u64, Vec<u8>)>,
}

impl File {
    fn of(bytes: &[u8]) -> Self {
        Self {
            size: bytes.len() as u64,
            parts: vec![(0, bytes.to_vec())],
        }
    }

    fn read(&self, range: Range<u64>) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap()];
        for (start, part) in &self.parts {
            let from = range.start.max(*start);
            let to = range.end.min(start + part.len() as u64);
            if from < to {
                let index = |at: u64, base: u64| usize::try_from(at - base).unwrap();
                bytes[index(from, range.start)..index(to, range.start)]
                    .copy_from_slice(&part[index(from, *start)..index(to, *start)]);
            }
        }
        bytes
    }
}

/// Reads a file as a caller does, and checks what [`Look`] and the limits promise.
fn read<T>(
    file: &File,
    look: impl Fn(&Pieces<'_>) -> Result<Look<T>, VideoError>,
) -> (Result<T, VideoError>, Cost) {
    let mut pieces = Pieces::none(file.size);
    let mut cost = Cost::default();
    loop {
        let ranges = match look(&pieces) {
            Ok(Look::Read(ranges)) => ranges,
            Ok(Look::Found(found)) => return (Ok(found), cost),
            Err(error) => return (Err(error), cost),
        };
        assert!(!ranges.is_empty(), "asks for nothing");
        assert!(ranges.is_sorted_by(|a, b| a.end < b.start));
        cost.rounds += 1;
        for range in ranges {
            assert!(range.end <= file.size, "asks for bytes after the end of the file");
            assert_eq!(pieces.unread(range.start..range.start + 1).len(), 1, "asks again");
            cost.reads += 1;
            cost.bytes += range.end - range.start;
            pieces.add(range.start, &file.read(range));
        }
        assert!(
            cost.reads <= MAX_READS && pieces.bytes_read() <= MAX_READ_BYTES,
            "{cost:?}"
        );
    }
}

fn header(bytes: &[u8]) -> Result<Video, VideoError> {
    read(&File::of(bytes), look).0
}

fn keys(bytes: &[u8], select: Select) -> Result<Vec<KeyFrame>, VideoError> {
    read(&File::of(bytes), |pieces| key_frames(pieces, select)).0
}

fn whole<T>(look: Result<Look<T>, VideoError>) -> Result<T, VideoError> {
    match look? {
        Look::Found(found) => Ok(found),
        Look::Read(ranges) => panic!("asks for {ranges:?} of a complete file"),
    }
}

#[test]
fn describes_codec_dimensions_and_orientation() {
    for (name, container, codec, sides, rotation) in [
        ("av1-hlg.mkv", Container::Matroska, "AV1", (64, 48), 0),
        ("av1.mp4", Container::Mp4, "AV1", (64, 48), 0),
        ("h264-faststart.mp4", Container::Mp4, "H.264 High", (64, 48), 0),
        (
            "h264-fragments-sidx.mp4",
            Container::Mp4,
            "H.264 High",
            (64, 48),
            0,
        ),
        ("h264-mirrored.mp4", Container::Mp4, "H.264 High", (64, 48), 0),
        ("h264-pixel-aspect.mp4", Container::Mp4, "H.264 High", (85, 48), 0),
        ("h264-turned.mkv", Container::Matroska, "H.264 High", (48, 64), 90),
        (
            "h264-turned.mov",
            Container::QuickTime,
            "H.264 High",
            (48, 64),
            90,
        ),
        ("h264.mkv", Container::Matroska, "H.264 High", (64, 48), 0),
        ("hevc-pq.mp4", Container::Mp4, "HEVC Main 10", (64, 48), 0),
        ("mjpeg.mov", Container::QuickTime, "Motion JPEG", (64, 48), 0),
        ("mpeg4.3gp", Container::Mp4, "MPEG-4 part 2", (64, 48), 0),
        ("prores.mov", Container::QuickTime, "ProRes", (64, 48), 0),
        ("vp8.webm", Container::WebM, "VP8", (85, 48), 0),
        ("vp9.webm", Container::WebM, "VP9", (64, 48), 0),
        ("vp9-live.webm", Container::WebM, "VP9", (64, 48), 0),
    ] {
        let video = header(fixture(name)).unwrap();
        assert_eq!(
            (
                video.container,
                video.codec.to_string().as_str(),
                (video.width, video.height),
                video.rotation()
            ),
            (container, codec, sides, rotation),
            "{name}"
        );
        assert_eq!(video.coded, (64, 48), "{name}");
    }
    assert_eq!(
        header(fixture("h264-mirrored.mp4")).unwrap().orientation.number(),
        2
    );
}

#[test]
fn turns_the_sides_with_the_frames() {
    let file = Mp4::default().file();
    let matrix = find(&file, b"tkhd") + 4 + 40;
    let one = 0x1_0000_u32;
    for ([a, b, c, d], rotation, sides) in [
        ([one, 0, 0, one], 0, (64, 48)),
        ([0, one, one.wrapping_neg(), 0], 90, (48, 64)),
        ([one.wrapping_neg(), 0, 0, one.wrapping_neg()], 180, (64, 48)),
        ([0, one.wrapping_neg(), one, 0], 270, (48, 64)),
        ([0; 4], 0, (64, 48)),
    ] {
        let mut file = file.clone();
        put(&mut file, matrix, &build::numbers([a, b, 0, c, d]));
        let video = header(&file).unwrap();
        assert_eq!((video.rotation(), (video.width, video.height)), (rotation, sides));
    }
}

#[test]
fn reads_the_decoder_configuration() {
    let configuration = |name| header(fixture(name)).unwrap().configuration;
    let avcc = configuration("h264-faststart.mp4");
    assert_eq!(avcc[..2], [1, 100]);
    assert_eq!(configuration("h264.mkv"), avcc);
    assert_eq!(configuration("hevc-pq.mp4")[..2], [1, 2]);
    assert_eq!(configuration("av1.mp4")[0], 0x81);
    assert_eq!(configuration("mjpeg.mov"), [0; 0]);
    let profile = Profile {
        profile: 100,
        level: 10,
    };
    assert_eq!(
        header(fixture("h264.mkv")).unwrap().codec,
        Codec::H264(Some(profile))
    );
}

#[test]
fn tells_hdr_sound_and_the_time_of_recording() {
    let video = |name| header(fixture(name)).unwrap();
    assert_eq!(video("hevc-pq.mp4").hdr, Some(Hdr::Pq));
    assert_eq!(video("av1-hlg.mkv").hdr, Some(Hdr::Hlg));
    assert_eq!(video("h264-faststart.mp4").hdr, None);
    for (name, has_audio) in [
        ("h264-faststart.mp4", true),
        ("h264-turned.mov", false),
        ("vp9.webm", true),
        ("vp8.webm", false),
    ] {
        assert_eq!(video(name).has_audio, has_audio, "{name}");
    }
    assert_eq!(
        video("h264-turned.mov").created_at.as_deref(),
        Some("2026-05-01T12:30:00+02:00")
    );
    assert_eq!(video("h264-faststart.mp4").created_at, None);
}

#[test]
fn reads_the_time_of_recording_without_the_metadata_of_quicktime() {
    let mut file = fixture("h264-faststart.mp4").to_vec();
    let mvhd = find(&file, b"mvhd");
    put(&mut file, mvhd + 8, &3_860_000_000_u32.to_be_bytes());
    let created_at = header(&file).unwrap().created_at;
    assert_eq!(created_at.as_deref(), Some("2026-04-25T22:13:20+00:00"));

    // Before 1971: the clock was not set.
    put(&mut file, mvhd + 8, &2_082_844_801_u32.to_be_bytes());
    assert_eq!(header(&file).unwrap().created_at, None);
}

#[test]
fn tells_constant_from_variable_frame_rates() {
    let rate = |name| header(fixture(name)).unwrap().frame_rate;
    for name in ["h264-faststart.mp4", "h264-fragments.mp4", "h264.mkv", "vp9.webm"] {
        let rate = rate(name).unwrap();
        assert!(
            (rate.average - 10.0).abs() < 0.01 && !rate.is_variable,
            "{name}: {rate:?}"
        );
    }
    let rate = rate("h264-variable.mp4").unwrap();
    assert!(
        rate.is_variable && (rate.average - 20.0 / 2.7).abs() < 0.01,
        "{rate:?}"
    );
}

#[test]
fn finds_the_key_frame_nearest_to_a_time() {
    for name in [
        "h264-faststart.mp4",
        "h264-fragments.mp4",
        "h264-fragments-edits.mp4",
        "h264-fragments-mfra.mp4",
        "vp9.webm",
        "vp9-live.webm",
    ] {
        let first = keys(fixture(name), Select::Every(0)).unwrap()[0].time_ms;
        for (select, time) in [
            (Select::AtOrBefore(0), 0),
            (Select::AtOrBefore(499), 0),
            (Select::AtOrBefore(500), 500),
            (Select::AtOrBefore(99_999), 1_500),
            (Select::AtOrAfter(0), 0),
            (Select::AtOrAfter(1), 500),
            (Select::AtOrAfter(1_000), 1_000),
            (Select::AtOrAfter(99_999), 1_500),
        ] {
            // Fragmented files without an edit list start when their first frame is displayed.
            let select = match select {
                Select::AtOrBefore(time) => Select::AtOrBefore(time + first),
                Select::AtOrAfter(time) => Select::AtOrAfter(time + first),
                other => other,
            };
            let found = keys(fixture(name), select).unwrap();
            let times: Vec<u64> = found.iter().map(|frame| frame.time_ms - first).collect();
            assert_eq!(times, [time], "{name}, {select:?}");
        }
        let times = |interval| -> Vec<u64> {
            let found = keys(fixture(name), Select::Every(interval)).unwrap();
            found.iter().map(|frame| frame.time_ms - first).collect()
        };
        assert_eq!(times(501), [0, 1_000], "{name}");
        assert_eq!(times(5_000), [0], "{name}");
    }
}

#[test]
fn reading_in_ranges_gives_the_same_as_reading_the_whole_file() {
    for (name, bytes) in FIXTURES {
        assert_eq!(header(bytes), whole(look(&Pieces::all(bytes))), "{name}");
        for select in [Select::Every(0), Select::AtOrBefore(900)] {
            let found = whole(key_frames(&Pieces::all(bytes), select));
            assert_eq!(keys(bytes, select), found, "{name}, {select:?}");
        }
    }
}

#[test]
fn rejects_files_without_a_usable_video_track() {
    for (name, error) in [
        ("sound.m4a", VideoError::AudioOnly),
        ("sound.webm", VideoError::AudioOnly),
        ("h264-encrypted.mp4", VideoError::Encrypted),
    ] {
        assert_eq!(header(fixture(name)), Err(error), "{name}");
        assert_eq!(keys(fixture(name), Select::Every(0)), Err(error), "{name}");
    }
    let mut file = fixture("h264-turned.mov").to_vec();
    let handler = find(&file, b"mhlrvide");
    put(&mut file, handler, b"mhlrtext");
    assert_eq!(header(&file), Err(VideoError::NoVideo));
}

/// An element of Matroska.
fn element(id: &[u8], content: &[u8]) -> Vec<u8> {
    let size = (content.len() as u64 | 1 << 56).to_be_bytes();
    [id, &size, content].concat()
}

/// A Matroska file without frames, whose only track has these further elements.
fn matroska(more: &[u8]) -> Vec<u8> {
    let sides = [element(&[0xB0], &[64]), element(&[0xBA], &[48])].concat();
    let track = [
        element(&[0xD7], &[1]),
        element(&[0x83], &[1]),
        element(&[0x86], b"V_VP9"),
        element(&[0xE0], &sides),
        more.to_vec(),
    ];
    let tracks = element(&[0x16, 0x54, 0xAE, 0x6B], &element(&[0xAE], &track.concat()));
    let info = element(
        &[0x15, 0x49, 0xA9, 0x66],
        &element(&[0x44, 0x89], &1_000_f64.to_be_bytes()),
    );
    let header = element(&[0x1A, 0x45, 0xDF, 0xA3], &element(&[0x42, 0x82], b"matroska"));
    [
        header,
        element(&[0x18, 0x53, 0x80, 0x67], &[info, tracks].concat()),
    ]
    .concat()
}

#[test]
fn rejects_encrypted_and_compressed_tracks_of_matroska() {
    let encodings = |content: &[u8]| element(&[0x6D, 0x80], &element(&[0x62, 0x40], content));
    assert_eq!(header(&matroska(&[])).unwrap().duration_ms, 1_000);
    for encrypted in [element(&[0x50, 0x33], &[1]), element(&[0x50, 0x35], &[])] {
        assert_eq!(
            header(&matroska(&encodings(&encrypted))),
            Err(VideoError::Encrypted)
        );
    }
    let compressed = matroska(&encodings(&element(&[0x50, 0x34], &[])));
    assert_eq!(
        header(&compressed),
        Err(VideoError::Unsupported("compressed tracks"))
    );
}

#[test]
fn names_other_kinds_of_files() {
    let start = |parts: &[&[u8]]| [&parts.concat(), &[0; 600][..]].concat();
    let mut packets = vec![0; 600];
    (packets[0], packets[188], packets[376]) = (0x47, 0x47, 0x47);
    let mut timed_packets = vec![0; 600];
    (timed_packets[4], timed_packets[196], timed_packets[388]) = (0x47, 0x47, 0x47);
    for (bytes, kind) in [
        (start(&[b"RIFF\0\0\0\0AVI LIST"]), "AVI videos"),
        (packets, "MPEG transport streams"),
        (timed_packets, "MPEG transport streams"),
        (start(&[b"\0\0\x01\xBA"]), "MPEG program streams"),
        (start(&[b"FLV\x01\x05"]), "Flash videos"),
        (
            start(&[b"\x30\x26\xB2\x75\x8E\x66\xCF\x11"]),
            "Windows Media videos",
        ),
        (start(&[b"OggS\0\x02"]), "Ogg files"),
        (start(&[b"\0\0\0\x18styp"]), "Single segments of a stream"),
        (
            start(&[b"\x1A\x45\xDF\xA3\x88\x42\x82\x85other"]),
            "EBML files of this kind",
        ),
        (start(&[b"ID3\x04"]), "Sound files"),
        (b"%PDF-1.7".to_vec(), "PDF documents"),
        (b"Some text".to_vec(), "Text files"),
    ] {
        let error = VideoError::OtherKind(kind);
        assert_eq!(header(&bytes), Err(error));
        assert!(error.to_string().starts_with(kind));
    }
}

#[test]
fn leaves_pictures_to_picture_header() {
    let heic = [&boxed(b"ftyp", b"heic\0\0\0\0mif1heic")[..], &[0; 600]].concat();
    let avif = [&boxed(b"ftyp", b"avif\0\0\0\0avifmif1isom")[..], &[0; 600]].concat();
    let cr3 = [&boxed(b"ftyp", b"crx \0\0\0\x01crx isom")[..], &[0; 600]].concat();
    // A motion photo ends with an MP4.
    let jpeg = [
        b"\xFF\xD8\xFF\xE0\0\x10JFIF\0",
        &[0; 20][..],
        fixture("h264-faststart.mp4"),
    ]
    .concat();
    let png = [&b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR"[..], &[0; 600]].concat();
    for bytes in [&heic, &avif, &cr3, &jpeg, &png] {
        assert_eq!(header(bytes), Err(VideoError::OtherKind("Pictures")));
    }
    // And picture-header leaves all videos to this crate.
    for (name, bytes) in FIXTURES {
        let error = picture_header::look(&Pieces::all(bytes)).unwrap_err();
        assert_eq!(error, picture_header::HeaderError::OtherKind("Videos"), "{name}");
    }
}

#[test]
fn a_quicktime_file_needs_no_box_that_names_its_kind() {
    let file = fixture("h264-header-at-end.mp4");
    let ftyp = u32::from_be_bytes(*file.first_chunk().unwrap()) as usize;
    // The box after it is `free`. Positions stay the same.
    let mut file = file.to_vec();
    put(&mut file, 4, b"wide");
    assert!(ftyp > 8);
    let video = header(&file).unwrap();
    assert_eq!(
        (video.container, video.duration_ms),
        (Container::QuickTime, 2_000)
    );
    assert_eq!(keys(&file, Select::Every(0)).unwrap().len(), 4);
}

#[test]
fn every_error_names_a_class_of_the_state_machine_and_is_a_sentence() {
    let mut messages = BTreeSet::new();
    for error in VideoError::iter() {
        assert!(matches!(
            error.name(),
            ErrorName::UnsupportedFormat | ErrorName::InvalidImage
        ));
        let message = error.to_string();
        assert!(message.ends_with('.'), "{message}");
        assert!(messages.insert(message));
    }
}
