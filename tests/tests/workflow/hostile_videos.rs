//! Videos that are damaged, have false headers, or cannot be labeled, and files with the wrong name, all at once: each is labeled
//! or rejected with the reason, and no execution fails.

use domain::{MediaType, Status};
use std::path::Path;
use tests::{pictures, run};

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// It is labeled with the cat.
    Cat(MediaType),
    /// It is rejected with this error.
    Rejected(&'static str),
    /// It is labeled, whatever is found.
    Labeled,
    /// It is labeled as far as it can be decoded, or rejected as damaged.
    Damaged,
}

fn read(path: &str) -> Vec<u8> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    std::fs::read(root.join(path)).expect("a file")
}

/// A video whose header was changed.
struct Changed(Vec<u8>);

impl Changed {
    fn sample() -> Self {
        Self(read("samples/video.mp4"))
    }

    /// Overwrites bytes of a box. `distance`: from the start of its last name in the file.
    fn set(mut self, name: &[u8; 4], distance: usize, bytes: &[u8]) -> Self {
        let place = self.0.windows(4).rposition(|part| part == name).expect("a box") + distance;
        self.0[place..place + bytes.len()].copy_from_slice(bytes);
        self
    }

    fn set_number(self, name: &[u8; 4], distance: usize, number: u32) -> Self {
        self.set(name, distance, &number.to_be_bytes())
    }

    /// Sets the sides of the frames.
    fn set_sides(self, width: u16, height: u16) -> Self {
        let sides = [width.to_be_bytes(), height.to_be_bytes()].concat();
        self.set(b"avc1", 28, &sides)
    }
}

/// Sources of the distances: ISO/IEC 14496-12, the boxes of version 0. A full box has four bytes after its name.
fn files() -> Vec<(&'static str, Vec<u8>, Expected)> {
    let sample = read("samples/video.mp4");
    let fixture = |name: &str| read(&format!("crates/video-header/fixtures/{name}"));
    let unsupported = Expected::Rejected("UnsupportedFormat");
    let invalid = Expected::Rejected("InvalidImage");
    let video = Expected::Cat(MediaType::Video);
    // A turn of 90 degrees, as numbers with 16 bits after the point.
    let turned: Vec<u8> = [0_u32, 0x1_0000, 0, 0xFFFF_0000, 0, 0]
        .into_iter()
        .flat_map(u32::to_be_bytes)
        .collect();
    // 24 seconds count as seven hours, which the list of edits allows.
    let too_long = Changed::sample()
        .set_number(b"mdhd", 16, 12)
        .set_number(b"elst", 12, 0x7FFF_FFFF);
    vec![
        ("audio.m4a", fixture("sound.m4a"), unsupported),
        ("no-video.webm", fixture("sound.webm"), unsupported),
        ("encrypted.mp4", fixture("h264-encrypted.mp4"), unsupported),
        ("text.mp4", pictures::TEXT.to_vec(), unsupported),
        ("empty.mp4", vec![], invalid),
        ("only-ftyp.mp4", sample[..32].to_vec(), invalid),
        ("half-a-header.mp4", sample[..4000].to_vec(), invalid),
        (
            "header-at-end-is-missing.mp4",
            {
                let bytes = fixture("h264-header-at-end.mp4");
                bytes[..bytes.len() / 2].to_vec()
            },
            invalid,
        ),
        ("half.mp4", sample[..sample.len() / 2].to_vec(), Expected::Damaged),
        (
            "4294967295-sizes.mp4",
            Changed::sample().set_number(b"stsz", 12, u32::MAX).0,
            invalid,
        ),
        (
            "4294967295-chunks.mp4",
            Changed::sample().set_number(b"stco", 8, u32::MAX).0,
            invalid,
        ),
        (
            "chunk-after-the-end.mp4",
            Changed::sample().set_number(b"stco", 12, u32::MAX - 1).0,
            Expected::Damaged,
        ),
        (
            "key-frames-not-in-order.mp4",
            Changed::sample().set_number(b"stss", 12, 599).0,
            invalid,
        ),
        (
            "no-duration.mp4",
            Changed::sample().set_number(b"stts", 16, 0).0,
            Expected::Damaged,
        ),
        ("too-long.mp4", too_long.0, Expected::Rejected("ImageTooLarge")),
        (
            "one-pixel.mp4",
            Changed::sample().set_sides(1, 1).0,
            Expected::Rejected("ImageTooSmall"),
        ),
        (
            "65535-pixels.mp4",
            Changed::sample().set_sides(u16::MAX, u16::MAX).0,
            Expected::Rejected("ImageTooLarge"),
        ),
        (
            "turned.mp4",
            Changed::sample().set(b"tkhd", 44, &turned).0,
            Expected::Labeled,
        ),
        (
            "a-picture.mp4",
            pictures::cat(),
            Expected::Cat(MediaType::Picture),
        ),
        ("a-video.jpg", sample.clone(), video),
        ("without-extension", sample, video),
    ]
}

#[test]
fn videos_that_are_dropped_at_once_are_labeled_or_rejected_with_the_reason() {
    run(async |stack| {
        let owner = stack.new_owner("hostile-videos");
        let key = |name: &str| format!("uploads/{owner}/{name}");
        let files = files();
        for (name, bytes, _) in &files {
            stack.put_object(&key(name), bytes.clone()).await;
        }
        let mut wrong = vec![];
        for (name, _, expected) in &files {
            let settled = stack.settled(&key(name)).await;
            let record = settled.record;
            let labels = record.labels.unwrap_or_default();
            let has_cat = labels.iter().any(|label| label.name == "Cat");
            let error = record.error.as_ref();
            let rejected_as = |expected: &str| {
                let has_reason =
                    error.is_some_and(|error| error.name == expected && error.message.ends_with('.'));
                record.status == Status::Rejected && has_reason
            };
            let is_expected = match expected {
                Expected::Cat(media_type) => {
                    record.status == Status::Labeled && record.media_type == *media_type && has_cat
                }
                Expected::Labeled => record.status == Status::Labeled,
                Expected::Rejected(name) => rejected_as(name),
                Expected::Damaged => record.status == Status::Labeled || rejected_as("InvalidImage"),
            };
            if !is_expected {
                wrong.push(format!(
                    "{name}: {:?} {error:?}, expected {expected:?}",
                    record.status
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}
