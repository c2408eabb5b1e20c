//! Compares with what FFmpeg found: `fixtures/make.py`.

use super::*;

/// A file of `expected.txt`.
struct Expected {
    name: &'static str,
    frames: u64,
    end_ms: u64,
    /// Time in milliseconds, size and checksum.
    keys: Vec<(u64, u32, u32)>,
}

fn expected() -> Vec<Expected> {
    let mut files: Vec<Expected> = vec![];
    for line in include_str!("../../fixtures/expected.txt").lines() {
        let [a, b, c] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        match files.last_mut() {
            Some(file) if line.starts_with(' ') => {
                let checksum = u32::from_str_radix(c, 16).unwrap();
                file.keys.push((a.parse().unwrap(), b.parse().unwrap(), checksum));
            }
            _ => files.push(Expected {
                name: a,
                frames: b.parse().unwrap(),
                end_ms: c.parse().unwrap(),
                keys: vec![],
            }),
        }
    }
    files
}

/// Adler-32 that starts with 0, as FFmpeg computes it.
fn checksum(bytes: &[u8]) -> u32 {
    let (a, b) = bytes.iter().fold((0, 0), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    b << 16 | a
}

#[test]
fn agrees_with_ffmpeg_about_key_frames() {
    for file in expected() {
        let bytes = fixture(file.name);
        let found = keys(bytes, Select::Every(0)).unwrap_or_else(|error| panic!("{}: {error}", file.name));
        let found: Vec<_> = found
            .iter()
            .map(|frame| {
                let from = usize::try_from(frame.position).unwrap();
                let data = &bytes[from..from + frame.size as usize];
                (frame.time_ms, frame.size, checksum(data))
            })
            .collect();
        assert_eq!(found, file.keys, "{}", file.name);
    }
}

#[test]
fn agrees_with_ffmpeg_about_durations_and_numbers_of_frames() {
    for file in expected() {
        let video = header(fixture(file.name)).unwrap_or_else(|error| panic!("{}: {error}", file.name));
        // Matroska states the duration of the file, and a frame of sound takes 128 ms.
        let tolerance = if file.name == "h264.mkv" { 128 } else { 20 };
        assert!(
            video.duration_ms.abs_diff(file.end_ms) <= tolerance,
            "{}: {video:?}",
            file.name
        );
        if let Some(frames) = video.frames {
            assert_eq!(frames, file.frames, "{}", file.name);
        }
    }
}
