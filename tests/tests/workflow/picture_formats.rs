//! One file of each kind that users have, from the table in [`kinds`]: each picture is labeled, with dimensions and a box as
//! a viewer shows it, and has thumbnails that show it. Each other file is rejected with the reason.

mod kinds;

use crate::{CONVERTED, LABELED, REJECTED_BY_VALIDATION};
use domain::{BoundingBox, ErrorName, Format, Status};
use futures_util::{StreamExt, stream};
use image::DynamicImage;
use image::imageops::FilterType;
use kinds::{KINDS, Kind, Outcome, Shows};
use picture_header::{Look, Pieces, look};
use std::collections::BTreeSet;
use tests::api::File;
use tests::images::Settled;
use tests::users::User;
use tests::{Stack, pictures, run, wait};

/// The largest difference of a known pixel in a thumbnail, from 0 to 255: of the compression, and of CMYK.
const MAX_PIXEL_DIFFERENCE: u8 = 12;
/// The largest mean difference of a thumbnail, from 0 to 255.
const MAX_MEAN_DIFFERENCE: f64 = 8.0;

/// The box of the cat with the highest confidence.
async fn cat_of(stack: &Stack, settled: &Settled) -> Option<BoundingBox> {
    let result = stack.result(&stack.image(&settled.record.key)).await?;
    let cat = result.answer.iter().find(|label| label.name == "Cat")?;
    Some(cat.instances.first()?.bounding_box)
}

/// How many files are uploaded, and how many results are checked, at the same time.
const AT_ONCE: usize = 8;

/// What is wrong with the results of these kinds under their keys.
async fn wrong(stack: &Stack, user: &User, files: &[(&Kind, String)]) -> Vec<String> {
    let (_, first) = &files[0];
    let cat = cat_of(stack, &stack.settled(first).await).await;
    let cat = cat.expect("the first picture shows a cat");
    stream::iter(files)
        .map(|(kind, key)| wrong_of(stack, user, kind, key, cat))
        .buffered(AT_ONCE)
        .concat()
        .await
}

/// What is wrong with the result of a kind. `reference` is the box of the cat in a picture of nothing else.
async fn wrong_of(stack: &Stack, user: &User, kind: &Kind, key: &str, reference: BoundingBox) -> Vec<String> {
    let settled = stack.settled(key).await;
    let mut wrong = vec![];
    let mut note = |what: String| wrong.push(format!("{}: {what}", kind.name));
    let (format, states) = match kind.outcome {
        Outcome::Labeled(format) => (format, &LABELED[..]),
        Outcome::Converted(format) => (format, &CONVERTED[..]),
        Outcome::Rejected(message) => {
            not_rejected(&settled, message).map(note);
            return wrong;
        }
    };
    if let Some(what) = not_labeled(&settled, kind, format, states) {
        note(what);
        return wrong;
    }
    if let Shows::Cat { photograph, .. } = kind.shows {
        let cat = cat_of(stack, &settled).await;
        let place = within(reference, photograph);
        if cat.is_none_or(|cat| overlap(cat, place) < 0.8) {
            note(format!("the cat is at {place:?}, not {cat:?}"));
        }
    }
    let (thumbnails, incomplete) = thumbnails(stack, user, kind, &settled).await;
    if incomplete != kind.incomplete {
        note(format!("incomplete: {incomplete}"));
    }
    let sides: Vec<_> = thumbnails
        .iter()
        .map(|shown| (shown.width(), shown.height()))
        .collect();
    if sides != [320, 1_280].map(|longest| fitted(kind.sides, longest)) {
        note(format!("thumbnails of {sides:?}"));
    }
    for shown in &thumbnails {
        differs(shown, &kind.shows).map(&mut note);
    }
    wrong
}

fn not_rejected(settled: &Settled, message: &str) -> Option<String> {
    let record = &settled.record;
    let as_expected = record.status == Status::Rejected
        && settled.execution.states == REJECTED_BY_VALIDATION
        && record.error.as_ref().is_some_and(|error| {
            error.name == ErrorName::UnsupportedFormat.as_str() && error.message.starts_with(message)
        });
    (!as_expected).then(|| format!("{:?}, {:?}", record.status, record.error))
}

fn not_labeled(settled: &Settled, kind: &Kind, format: Format, states: &[&str]) -> Option<String> {
    let record = &settled.record;
    if record.status != Status::Labeled {
        return Some(format!("{:?}", record.error));
    }
    let found = (record.format, record.width.zip(record.height));
    let as_expected = found == (Some(format), Some(kind.sides)) && settled.execution.states == states;
    (!as_expected).then(|| format!("{found:?}, {:?}", settled.execution.states))
}

/// The thumbnails, as soon as they exist, and whether the picture counts as incomplete.
async fn thumbnails(stack: &Stack, user: &User, kind: &Kind, settled: &Settled) -> (Vec<DynamicImage>, bool) {
    let image_id = settled.record.image_id;
    let image = wait::until(&format!("{} has thumbnails", kind.name), async || {
        let image = user.get_image(image_id).await.body;
        let has_thumbnails = !image["thumbnails"].as_array()?.is_empty();
        has_thumbnails.then_some(image)
    })
    .await;
    let mut shown = vec![];
    for thumbnail in image["thumbnails"].as_array().expect("a list") {
        let url = thumbnail["url"].as_str().expect("a URL");
        let answer = stack.http.get(url).send().await.expect("an answer of S3");
        assert_eq!(answer.headers()["content-type"], "image/jpeg");
        shown.push(pictures::decoded(&answer.bytes().await.expect("its bytes")));
    }
    (shown, image["incomplete"] == true)
}

/// How a thumbnail differs from what a viewer shows.
fn differs(shown: &DynamicImage, shows: &Shows) -> Option<String> {
    match shows {
        Shows::Cat { seen, .. } => {
            let difference = difference(shown, &seen());
            (difference > MAX_MEAN_DIFFERENCE).then(|| format!("a thumbnail differs by {difference}"))
        }
        Shows::Quarters(colors) => {
            let shown = shown.to_rgb8();
            let (width, height) = shown.dimensions();
            let centers = [(1, 1), (3, 1), (1, 3), (3, 3)];
            centers.into_iter().zip(colors).find_map(|((x, y), color)| {
                let found = shown.get_pixel(width * x / 4, height * y / 4).0;
                let near = found
                    .iter()
                    .zip(color)
                    .all(|(a, b)| a.abs_diff(*b) <= MAX_PIXEL_DIFFERENCE);
                (!near).then(|| format!("a thumbnail's pixel is {found:?}, not {color:?}"))
            })
        }
        Shows::Nothing => None,
    }
}

/// The box in the picture of a box in a part of it.
fn within(inner: BoundingBox, part: BoundingBox) -> BoundingBox {
    BoundingBox::new(
        part.left + inner.left * part.width,
        part.top + inner.top * part.height,
        inner.width * part.width,
        inner.height * part.height,
    )
}

/// The sides of a picture that is scaled down so that the longer one has at most this many pixels.
fn fitted((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let scale = (f64::from(longest) / f64::from(width.max(height))).min(1.0);
    let side = |side| (f64::from(side) * scale).round() as u32;
    (side(width), side(height))
}

/// The mean difference of the samples, from 0 to 255.
fn difference(shown: &DynamicImage, seen: &DynamicImage) -> f64 {
    let seen = seen
        .resize_exact(shown.width(), shown.height(), FilterType::CatmullRom)
        .to_rgb8();
    let shown = shown.to_rgb8();
    let sum: f64 = shown
        .iter()
        .zip(seen.iter())
        .map(|(a, b)| f64::from(a.abs_diff(*b)))
        .sum();
    sum / shown.len() as f64
}

/// The longest side in pixels of the files that are also decoded without the system. Others take seconds.
const MAX_SIDE_IN_PROCESS: u32 = 4_000;

/// Without the system around it, which makes it faster to find what is wrong with a new kind.
#[test]
fn every_kind_of_file_is_decoded_as_a_viewer_shows_it() {
    let mut wrong = vec![];
    for kind in KINDS.iter().filter(|kind| kind.sides.0 <= MAX_SIDE_IN_PROCESS) {
        let format = match kind.outcome {
            Outcome::Labeled(format) | Outcome::Converted(format) => format,
            Outcome::Rejected(message) => {
                let error = look(&Pieces::all(&kind.bytes)).expect_err(kind.name).to_string();
                assert!(error.starts_with(message), "{}: {error}", kind.name);
                continue;
            }
        };
        match look(&Pieces::all(&kind.bytes)) {
            Ok(Look::Found(header))
                if (header.format, (header.width, header.height)) == (format, kind.sides) => {}
            other => wrong.push(format!("{}: {other:?}", kind.name)),
        }
        match picture::thumbnails(&kind.bytes) {
            Ok(thumbnails) => {
                let is_labeled_as_it_is = matches!(kind.outcome, Outcome::Labeled(_));
                if thumbnails.incomplete != kind.incomplete || (thumbnails.incomplete && is_labeled_as_it_is)
                {
                    wrong.push(format!("{}: incomplete: {}", kind.name, thumbnails.incomplete));
                }
                for thumbnail in thumbnails.result {
                    let differs = differs(&pictures::decoded(&thumbnail.bytes), &kind.shows);
                    wrong.extend(differs.map(|what| format!("{}: {what}", kind.name)));
                }
            }
            Err(error) => wrong.push(format!("{}: {error}", kind.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_file_uploaded_through_the_api_ends_as_expected() {
    // Created before the uploads start: creating them takes seconds and would block other uploads.
    let files: Vec<_> = KINDS
        .iter()
        .map(|kind| (kind, File::new(kind.name, kind.bytes.to_vec())))
        .collect();
    run(async |stack| {
        let user = stack.new_user("kinds").await;
        let files: Vec<_> = stream::iter(&files)
            .map(async |(kind, file)| (*kind, stack.upload_of(&user, file).await))
            .buffered(AT_ONCE)
            .collect()
            .await;
        let wrong = wrong(stack, &user, &files).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

/// Only one kind of each format: after `validate`, the workflow no longer knows how a file was uploaded.
#[test]
fn every_format_put_into_the_bucket_ends_as_expected() {
    run(async |stack| {
        let user = stack.new_user("kinds").await;
        let mut formats = vec![];
        let mut files = vec![];
        for kind in KINDS.iter() {
            let format = match kind.outcome {
                Outcome::Labeled(format) | Outcome::Converted(format) => Some(format),
                Outcome::Rejected(_) => None,
            };
            if !formats.contains(&format) {
                formats.push(format);
                let key = format!("uploads/{}/{}", user.owner.as_str(), kind.name);
                stack.put_object(&key, kind.bytes.to_vec()).await;
                files.push((kind, key));
            }
        }
        let wrong = wrong(stack, &user, &files).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

fn overlap(a: BoundingBox, b: BoundingBox) -> f64 {
    let side = |start: f64, length: f64, other: f64, other_length: f64| {
        ((start + length).min(other + other_length) - start.max(other)).max(0.0)
    };
    let common = side(a.left, a.width, b.left, b.width) * side(a.top, a.height, b.top, b.height);
    common / (a.width * a.height + b.width * b.height - common)
}

/// Stored with each of the eight orientations, once as a file that Rekognition accepts and once as one that is converted.
#[test]
fn boxes_fit_the_picture_as_viewers_show_it_with_any_orientation() {
    run(async |stack| {
        let owner = stack.new_owner("orientation");
        let cat = pictures::pixels();
        let key = |orientation: u8, kind: &str| format!("uploads/{owner}/{orientation}.{kind}");
        for orientation in 1..=8 {
            let stored = pictures::stored_for(&cat, orientation);
            stack
                .put_object(&key(orientation, "jpg"), pictures::jpeg(&stored, orientation))
                .await;
            let mut large = pictures::jpeg(&stored, orientation);
            // Bytes after the picture count for its size, and no decoder reads them.
            large.resize(15 * 1024 * 1024 + 1, 0);
            stack.put_object(&key(orientation, "large"), large).await;
        }
        let settled = stack.settled(&key(1, "jpg")).await;
        let upright = cat_of(stack, &settled).await.expect("a cat");
        for orientation in 1..=8 {
            for (kind, states) in [("jpg", &LABELED[..]), ("large", &CONVERTED)] {
                let settled = stack.settled(&key(orientation, kind)).await;
                assert_eq!(settled.execution.states, states);
                let record = &settled.record;
                assert_eq!(
                    (record.width, record.height),
                    (Some(cat.width()), Some(cat.height())),
                    "as viewers show it"
                );
                let shared = overlap(upright, cat_of(stack, &settled).await.expect("a cat"));
                assert!(shared > 0.85, "orientation {orientation}, {kind}: {shared}");
            }
        }
    });
}

/// Only the owner may know where a picture was taken.
#[test]
fn the_location_of_a_picture_is_stored_in_its_record_and_nowhere_else() {
    run(async |stack| {
        let file = File::new("sydney.jpg", pictures::jpeg(&pictures::pixels(), 6));
        let key = stack.upload(&file).await;
        let settled = stack.settled(&key).await;
        let place = settled
            .record
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.location);
        assert!((place.expect("a location").latitude + 33.858).abs() < 0.001);
        let details: BTreeSet<_> = settled
            .notifications
            .iter()
            .map(|notification| notification.detail.to_string())
            .collect();
        assert!(
            details
                .iter()
                .all(|detail| !detail.contains("-33.8") && !detail.contains("location"))
        );
        let history = history(stack, &settled).await;
        assert!(!history.contains("-33.8") && !history.contains("location"));
    });
}

/// All inputs and outputs of the execution.
async fn history(stack: &Stack, settled: &Settled) -> String {
    let history = stack
        .sfn
        .get_execution_history()
        .execution_arn(&settled.execution.arn)
        .include_execution_data(true)
        .send()
        .await
        .expect("a history");
    format!("{:?}", history.events)
}
