//! Files that are cut, that lie, or that carry odd things: what a person can see is labeled, the rest is refused with a
//! sentence, and none of them is the system's failure.

use domain::Status;
use image::{DynamicImage, ImageFormat};
use std::ops::Range;
use tests::{Stack, pictures, run};

/// What comes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// A person can see it: it is labeled with the cat, and has thumbnails.
    Cat,
    /// It is refused.
    Rejected,
    /// Either: there is something to see in some of them.
    Any,
}

type Files = Vec<(String, Vec<u8>, Expected)>;

/// Whole pictures of all kinds, and where each says how many pixels it has: width and height, in this many bits.
fn whole(cat: &DynamicImage) -> Vec<(&'static str, Vec<u8>, Range<usize>)> {
    let after = |bytes: &[u8], name: &[u8], distance, length| {
        let name = bytes.windows(name.len()).position(|part| part == name);
        let start = name.expect("the place") + distance;
        start..start + length
    };
    let jpeg = pictures::jpeg(cat, 1);
    let avif = pictures::avif();
    let (jpeg_sides, avif_sides) = (
        after(&jpeg, b"\xff\xc0\0\x11\x08", 5, 4),
        after(&avif, b"ispe", 8, 8),
    );
    let tiff = pictures::tiff(&[cat], 1);
    // Entries of twelve bytes: width, then height.
    let tiff_sides = after(&tiff, b"\0\x01\x04\0\x01\0\0\0", 8, 16);
    vec![
        ("jpg", jpeg, jpeg_sides),
        ("png", pictures::file(cat, ImageFormat::Png), 16..24),
        ("webp", pictures::webp(), 26..30),
        ("avif", avif, avif_sides),
        ("gif", pictures::file(cat, ImageFormat::Gif), 6..10),
        ("bmp", pictures::file(cat, ImageFormat::Bmp), 18..26),
        ("tif", tiff, tiff_sides),
    ]
}

/// Downloads that broke off, and the same with nothing where the rest was.
fn cut(cat: &DynamicImage) -> Files {
    let mut files = vec![];
    for (kind, bytes, _) in whole(cat) {
        for tenths in [1, 4, 7, 9] {
            let mut part = bytes[..bytes.len() * tenths / 10].to_vec();
            files.push((format!("{tenths}-tenths.{kind}"), part.clone(), Expected::Any));
            part.resize(bytes.len(), 0);
            files.push((format!("{tenths}-tenths-then-zeros.{kind}"), part, Expected::Any));
        }
    }
    files
}

/// A megabyte that claims to be more pixels than would fit into memory.
fn bombs(cat: &DynamicImage) -> Files {
    let mut files = vec![];
    for (kind, mut bytes, sides) in whole(cat) {
        let claim = match kind {
            "jpg" => [60_000_u16.to_be_bytes(); 2].concat(),
            "gif" => [60_000_u16.to_le_bytes(); 2].concat(),
            "webp" => [16_383_u16.to_le_bytes(); 2].concat(),
            "bmp" => [60_000_u32.to_le_bytes(); 2].concat(),
            "tif" => {
                let mut entries = bytes[sides.clone()].to_vec();
                entries[..4].copy_from_slice(&60_000_u32.to_le_bytes());
                entries[12..].copy_from_slice(&60_000_u32.to_le_bytes());
                entries
            }
            _ => [60_000_u32.to_be_bytes(); 2].concat(),
        };
        bytes[sides].copy_from_slice(&claim);
        bytes.resize(1024 * 1024, 0);
        files.push((format!("bomb.{kind}"), bytes, Expected::Rejected));
    }
    files
}

/// What is no picture but for its first bytes.
fn pretenders() -> Files {
    let header = |width, height| {
        let mut bytes = vec![];
        let encoder = png::Encoder::new(&mut bytes, width, height);
        drop(encoder.write_header().expect("written to memory"));
        bytes
    };
    // As many pixels as are taken, and a megabyte of nothing in their place.
    let mut hollow = header(12_000, 12_000);
    hollow.resize(1024 * 1024, 0);
    let of_both = [&header(451, 300)[..33], &pictures::cat()[..]].concat();
    vec![
        (
            "header-of-png-body-of-jpeg.png".into(),
            of_both,
            Expected::Rejected,
        ),
        ("hollow.png".into(), hollow, Expected::Rejected),
        ("thread.png".into(), header(1, 100_000), Expected::Rejected),
    ]
}

/// Fine pictures that carry something that is not.
fn burdened(cat: &DynamicImage) -> Files {
    let noise: Vec<u8> = (0..65_000_u32)
        .map(|number| (number.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let jpeg = |segments: &[&[u8]]| {
        pictures::jpeg_with(cat, |encoder| {
            for segment in segments {
                encoder
                    .add_app_segment(1, segment.to_vec())
                    .expect("a short segment");
            }
        })
    };
    let prefix = b"Exif\0\0";
    // A directory whose entries lead to itself, and so does its end.
    let loops = b"MM\0*\0\0\0\x08\0\x02\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\x88\x25\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08";
    let noisy_exif = [prefix, &noise[..]].concat();
    // A profile of red, green and blue that is longer than its file, and one of inks.
    let mut lying = [&u32::MAX.to_be_bytes()[..], b"lcms\x04\0\0\0mntrRGB XYZ "].concat();
    lying.resize(128, 0);
    lying[36..40].copy_from_slice(b"acsp");
    lying.extend([0xFF; 400]);
    let mut of_inks = lying.clone();
    of_inks[16..20].copy_from_slice(b"CMYK");
    let mut large = pictures::jpeg_with(cat, |encoder| {
        encoder.add_icc_profile(&noise).expect("a short profile");
    });
    // Too large for Rekognition, so that it is converted.
    large.resize(15 * 1024 * 1024 + 1, 0);
    let dot = DynamicImage::new_rgb8(1, 1);
    let frames: Vec<_> = std::iter::once(cat)
        .chain(std::iter::repeat_n(&dot, 3_000))
        .collect();
    let cats = [
        ("exif-in-circles.jpg", jpeg(&[&[&prefix[..], loops].concat()])),
        ("noise-for-exif.jpg", jpeg(&[&noisy_exif])),
        ("noise-before-exif.jpg", jpeg(&[&noise, &noise, &noisy_exif])),
        ("noise-for-profile.jpg", large),
        ("noise-for-profile.webp", pictures::webp_with_profile(cat, &noise)),
        ("lying-profile.webp", pictures::webp_with_profile(cat, &lying)),
        ("profile-of-inks.webp", pictures::webp_with_profile(cat, &of_inks)),
        ("thousands-of-frames.gif", pictures::animated_gif(&frames)),
    ];
    cats.map(|(name, bytes)| (name.to_owned(), bytes, Expected::Cat))
        .into()
}

/// What is wrong with what comes of files.
async fn wrong(stack: &Stack, files: Files) -> Vec<String> {
    let owner = stack.new_owner("odd-files");
    let key = |name: &str| format!("uploads/{owner}/{name}");
    for (name, bytes, _) in &files {
        stack.put_object(&key(name), bytes.clone()).await;
    }
    let mut wrong = vec![];
    for (name, _, expected) in &files {
        let record = stack.settled(&key(name)).await.record;
        let labels = record.labels.unwrap_or_default();
        let right = match record.status {
            Status::Labeled => {
                let cat = labels.iter().any(|label| label.name == "Cat");
                *expected == Expected::Any || *expected == Expected::Cat && cat
            }
            _ => *expected != Expected::Cat,
        };
        let sentence = record.error.as_ref().map_or("", |error| &error.message);
        if !right || (record.status == Status::Rejected && !sentence.ends_with('.')) {
            let labels: Vec<_> = labels.iter().map(|label| &label.name).collect();
            wrong.push(format!("{name}: {:?} {sentence:?} {labels:?}", record.status));
        } else if *expected == Expected::Cat {
            stack.with_thumbnails(&key(name), |_| true).await;
        }
    }
    wrong
}

fn check(files: Files) {
    run(async |stack| {
        let wrong = wrong(stack, files).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn a_file_that_is_cut_is_labeled_or_refused() {
    check(cut(&pictures::pixels()));
}

#[test]
fn a_file_that_claims_to_be_more_than_it_is_is_refused() {
    check([bombs(&pictures::pixels()), pretenders()].concat());
}

#[test]
fn a_picture_that_carries_odd_things_is_labeled_and_has_thumbnails() {
    check(burdened(&pictures::pixels()));
}
