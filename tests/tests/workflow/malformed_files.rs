//! Truncated files, files with wrong headers, and files with malformed metadata: what a viewer can show is labeled,
//! everything else is rejected with a reason, and no execution fails.

mod hostile;

use crate::CONVERTED;
use domain::{ErrorClass, Status};
use image::{DynamicImage, ImageFormat};
use std::ops::Range;
use tests::api::File;
use tests::{Stack, pictures, run};

/// The result of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// Viewers show it: it is labeled with the cat, and has thumbnails.
    Cat,
    /// It is rejected.
    Rejected,
    /// It is labeled or rejected: viewers show some of these files.
    Any,
}

type Files = Vec<(String, Vec<u8>, Expected)>;

/// Complete pictures of all formats, and the range of bytes with width and height.
fn complete(cat: &DynamicImage) -> Vec<(&'static str, Vec<u8>, Range<usize>)> {
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
    // The entry of the width, of twelve bytes, and that of the height.
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

/// Interrupted downloads, and the same with zeros in place of the rest.
fn truncated(cat: &DynamicImage) -> Files {
    let mut files = vec![];
    for (kind, bytes, _) in complete(cat) {
        for tenths in [1, 4, 7, 9] {
            let mut part = bytes[..bytes.len() * tenths / 10].to_vec();
            files.push((format!("{tenths}-tenths.{kind}"), part.clone(), Expected::Any));
            part.resize(bytes.len(), 0);
            files.push((format!("{tenths}-tenths-then-zeros.{kind}"), part, Expected::Any));
        }
    }
    files
}

/// A megabyte with a header that claims more pixels than fit into memory.
fn claims_too_many_pixels(cat: &DynamicImage) -> Files {
    let mut files = vec![];
    for (kind, mut bytes, sides) in complete(cat) {
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
        files.push((format!("too-many-pixels.{kind}"), bytes, Expected::Rejected));
    }
    files
}

/// Files that are not pictures after their headers.
fn only_headers() -> Files {
    let header = |width, height| {
        let mut bytes = vec![];
        let encoder = png::Encoder::new(&mut bytes, width, height);
        drop(encoder.write_header().expect("written to memory"));
        bytes
    };
    // As many pixels as are accepted, and a megabyte of zeros in their place.
    let mut zeros = header(12_000, 12_000);
    zeros.resize(1024 * 1024, 0);
    let png_with_jpeg = [&header(451, 300)[..33], &pictures::cat()[..]].concat();
    vec![
        (
            "header-of-png-body-of-jpeg.png".into(),
            png_with_jpeg,
            Expected::Rejected,
        ),
        ("header-then-zeros.png".into(), zeros, Expected::Rejected),
        (
            "one-pixel-wide.png".into(),
            header(1, 100_000),
            Expected::Rejected,
        ),
    ]
}

/// Valid pictures with malformed metadata.
fn with_malformed_metadata(cat: &DynamicImage) -> Files {
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
    // A directory whose entries and end point to itself.
    let loops = b"MM\0*\0\0\0\x08\0\x02\x87\x69\0\x04\0\0\0\x01\0\0\0\x08\x88\x25\0\x04\0\0\0\x01\0\0\0\x08\0\0\0\x08";
    let noisy_exif = [prefix, &noise[..]].concat();
    // An RGB profile that claims to be longer than its file, and the same for CMYK.
    let mut too_long = [&u32::MAX.to_be_bytes()[..], b"lcms\x04\0\0\0mntrRGB XYZ "].concat();
    too_long.resize(128, 0);
    too_long[36..40].copy_from_slice(b"acsp");
    too_long.extend([0xFF; 400]);
    let mut cmyk = too_long.clone();
    cmyk[16..20].copy_from_slice(b"CMYK");
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
        ("circular-exif.jpg", jpeg(&[&[&prefix[..], loops].concat()])),
        ("random-exif.jpg", jpeg(&[&noisy_exif])),
        ("random-segments.jpg", jpeg(&[&noise, &noise, &noisy_exif])),
        ("random-profile.jpg", large),
        ("random-profile.webp", pictures::webp_with_profile(cat, &noise)),
        (
            "profile-longer-than-file.webp",
            pictures::webp_with_profile(cat, &too_long),
        ),
        ("cmyk-profile.webp", pictures::webp_with_profile(cat, &cmyk)),
        ("thousands-of-frames.gif", pictures::animated_gif(&frames)),
    ];
    cats.map(|(name, bytes)| (name.to_owned(), bytes, Expected::Cat))
        .into()
}

/// What is wrong with the results of files.
async fn wrong(stack: &Stack, files: Files) -> Vec<String> {
    let owner = stack.new_owner("malformed-files");
    let key = |name: &str| format!("uploads/{owner}/{name}");
    for (name, bytes, _) in &files {
        stack.put_object(&key(name), bytes.clone()).await;
    }
    let mut wrong = vec![];
    for (name, _, expected) in &files {
        let record = stack.settled(&key(name)).await.record;
        let labels = record.labels.unwrap_or_default();
        let is_expected = match record.status {
            Status::Labeled => {
                let cat = labels.iter().any(|label| label.name == "Cat");
                *expected == Expected::Any || *expected == Expected::Cat && cat
            }
            _ => *expected != Expected::Cat,
        };
        let message = record.error.as_ref().map_or("", |error| &error.message);
        if !is_expected || (record.status == Status::Rejected && !message.ends_with('.')) {
            let labels: Vec<_> = labels.iter().map(|label| &label.name).collect();
            wrong.push(format!("{name}: {:?} {message:?} {labels:?}", record.status));
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
fn a_truncated_file_is_labeled_or_rejected() {
    check(truncated(&pictures::pixels()));
}

#[test]
fn a_file_with_a_false_header_is_rejected() {
    check([claims_too_many_pixels(&pictures::pixels()), only_headers()].concat());
}

#[test]
fn a_picture_with_malformed_metadata_is_labeled_and_has_thumbnails() {
    check(with_malformed_metadata(&pictures::pixels()));
}

/// Uploads each file and then a picture: the first one is rejected with a reason, and nothing of it is left for the second
/// one.
#[test]
fn a_file_made_to_exhaust_a_function_is_rejected_and_the_next_picture_is_labeled() {
    run(async |stack| {
        let owner = stack.new_owner("hostile-files");
        let key = |name: &str| format!("uploads/{owner}/{name}");
        let files = hostile::files();
        for (name, bytes) in files.clone() {
            stack.put_object(&key(name), bytes).await;
            stack
                .put_object(&key(&format!("{name}.jpg")), pictures::cat())
                .await;
        }
        let mut wrong = vec![];
        for (name, _) in &files {
            let record = stack.settled(&key(name)).await.record;
            let error = record.error.as_ref();
            let has_reason = error.is_some_and(|error| error.message.ends_with('.'));
            if record.status != Status::Rejected || !has_reason {
                wrong.push(format!("{name}: {:?} {error:?}", record.status));
            }
            let next = stack
                .with_thumbnails(&key(&format!("{name}.jpg")), |_| true)
                .await;
            if !next
                .labels
                .unwrap_or_default()
                .iter()
                .any(|label| label.name == "Cat")
            {
                wrong.push(format!("the picture after {name}: {:?}", next.status));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

/// Half of a photograph: viewers show it.
#[test]
fn a_truncated_jpeg_is_labeled_and_its_owner_is_told_that_it_is_incomplete() {
    run(async |stack| {
        let user = stack.new_user("truncated").await;
        let file = File::new("half-a-cat.jpg", pictures::truncated());
        let key = stack.upload_of(&user, &file).await;
        let settled = stack.settled(&key).await;
        assert_eq!(
            settled.record.status,
            Status::Labeled,
            "{:?}",
            settled.record.error
        );
        assert_eq!(settled.execution.states, CONVERTED);
        stack.with_thumbnails(&key, |record| record.incomplete).await;
        let image = user.get_image(settled.record.image_id).await.body;
        assert_eq!(image["incomplete"], true);
    });
}

/// Without the system around them: a decoder rejects each file by itself, so that the limits of the process are not needed.
#[test]
fn a_file_made_to_exhaust_a_function_is_small_and_rejected_by_the_decoder() {
    for (name, bytes) in hostile::files() {
        assert!(bytes.len() < 100_000, "{name}: {} bytes", bytes.len());
        let error = picture::rendition(&bytes).expect_err(name);
        assert_eq!(error.name().class(), ErrorClass::File, "{name}: {error}");
    }
}
