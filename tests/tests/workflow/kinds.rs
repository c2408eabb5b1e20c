//! One picture of each kind that people have: every one is labeled, with its boxes where a person sees the cat, and has
//! thumbnails that show it.

use crate::{CONVERTED, LABELED};
use domain::{BoundingBox, Format, Status};
use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat, RgbaImage};
use std::collections::BTreeSet;
use std::sync::LazyLock;
use tests::api::File;
use tests::images::Settled;
use tests::users::User;
use tests::{Stack, pictures, run, wait};

/// A picture of the cat.
struct Kind {
    name: &'static str,
    bytes: Vec<u8>,
    /// What is found in the file.
    format: Format,
    /// The way that it takes.
    states: &'static [&'static str],
    /// What a person sees, in any size.
    seen: DynamicImage,
    /// Pixels, as seen.
    sides: (u32, u32),
    /// The part of the picture that is the cat's photograph.
    photograph: BoundingBox,
}

impl Kind {
    fn new(
        name: &'static str,
        bytes: Vec<u8>,
        (format, states): (Format, &'static [&'static str]),
        seen: &DynamicImage,
    ) -> Self {
        Self {
            name,
            bytes,
            format,
            states,
            seen: seen.clone(),
            sides: (seen.width(), seen.height()),
            photograph: BoundingBox::new(0.0, 0.0, 1.0, 1.0),
        }
    }
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let color = pictures::pixels();
    let kinds = [jpegs(&color), pngs(&color), others(&color)];
    kinds.into_iter().flatten().collect()
});

fn jpegs(color: &DynamicImage) -> Vec<Kind> {
    let taken = (Format::Jpeg, &LABELED[..]);
    let converted = (Format::Jpeg, &CONVERTED[..]);
    let gray = color.grayscale();
    let progressive = pictures::jpeg_with(color, |encoder| encoder.set_progressive(true));
    let large = color.resize_exact(10_240, 6_800, FilterType::Nearest);
    // The photograph in the middle of a wide wall.
    let mut wide = DynamicImage::new_rgb8(1_200, 400);
    wide.invert();
    image::imageops::overlay(
        &mut wide,
        &color.resize_exact(600, 400, FilterType::Triangle),
        300,
        0,
    );
    let panorama = wide.resize_exact(12_000, 4_000, FilterType::Nearest);
    vec![
        Kind::new("cat.jpg", pictures::cat(), taken, color),
        Kind::new("progressive.jpg", progressive, taken, color),
        Kind::new("gray.jpg", pictures::jpeg_with(&gray, |_| {}), taken, &gray),
        Kind::new("inks.jpg", pictures::inks(), taken, color),
        Kind {
            sides: (10_240, 6_800),
            ..Kind::new("large.jpg", pictures::jpeg(&large, 1), converted, color)
        },
        Kind {
            sides: (12_000, 4_000),
            photograph: BoundingBox::new(0.25, 0.0, 0.5, 1.0),
            ..Kind::new("panorama.jpg", pictures::jpeg(&panorama, 1), converted, &wide)
        },
    ]
}

fn pngs(color: &DynamicImage) -> Vec<Kind> {
    let taken = (Format::Png, &LABELED[..]);
    let converted = (Format::Png, &CONVERTED[..]);
    let png = |image: &DynamicImage| pictures::file(image, ImageFormat::Png);
    let gray = color.grayscale();
    // Nothing but a page's white behind the right tenth.
    let (mut transparent, mut on_page) = (color.to_rgba8(), color.to_rgb8());
    for x in color.width() * 9 / 10..color.width() {
        for y in 0..color.height() {
            transparent.get_pixel_mut(x, y).0[3] = 0;
            on_page.get_pixel_mut(x, y).0 = [255; 3];
        }
    }
    let transparent = png(&RgbaImage::into(transparent));
    let large = color.resize_exact(2_900, 1_930, FilterType::Triangle);
    vec![
        Kind::new("cat.png", png(color), taken, color),
        Kind::new("gray.png", png(&gray), taken, &gray),
        Kind::new("deep.png", png(&color.to_rgb16().into()), taken, color),
        Kind::new(
            "deep-gray-alpha.png",
            png(&gray.to_luma_alpha16().into()),
            taken,
            &gray,
        ),
        Kind::new("transparent.png", transparent, taken, &on_page.into()),
        Kind {
            sides: (300, 200),
            ..Kind::new("interlaced.png", pictures::interlaced_png(), taken, color)
        },
        Kind::new(
            "turned.png",
            turned(color, 6, pictures::png_with_exif),
            converted,
            color,
        ),
        Kind::new("large.png", pictures::uncompressed_png(&large), converted, &large),
    ]
}

fn others(color: &DynamicImage) -> Vec<Kind> {
    let kind = |name, bytes, format| Kind::new(name, bytes, (format, &CONVERTED[..]), color);
    let coffee = pictures::decoded(&pictures::sample("coffee.jpg"));
    let coffee = coffee.resize_exact(color.width(), color.height(), FilterType::Triangle);
    let tiff = |pages: &[&DynamicImage]| pictures::tiff(pages, 1);
    vec![
        kind("cat.webp", pictures::webp(), Format::WebP),
        kind("animated.webp", pictures::animated_webp(), Format::WebP),
        kind(
            "turned.webp",
            turned(color, 6, pictures::webp_with_exif),
            Format::WebP,
        ),
        kind("cat.avif", pictures::avif(), Format::Avif),
        kind("turned.avif", pictures::turned_avif(), Format::Avif),
        kind("mirrored.avif", pictures::mirrored_avif(), Format::Avif),
        Kind {
            sides: (448, 300),
            ..kind("grid.avif", pictures::avif_grid(), Format::Avif)
        },
        kind("cat.gif", pictures::file(color, ImageFormat::Gif), Format::Gif),
        kind(
            "animated.gif",
            pictures::animated_gif(&[color, &coffee]),
            Format::Gif,
        ),
        kind("cat.bmp", pictures::file(color, ImageFormat::Bmp), Format::Bmp),
        kind("cat.tif", pictures::file(color, ImageFormat::Tiff), Format::Tiff),
        kind("compressed.tif", tiff(&[color]), Format::Tiff),
        kind("pages.tif", tiff(&[color, &coffee]), Format::Tiff),
        kind(
            "turned.tif",
            turned(color, 6, |image, orientation| {
                pictures::tiff(&[image], orientation.into())
            }),
            Format::Tiff,
        ),
    ]
}

/// A picture stored such that this EXIF orientation makes it upright.
fn turned(
    image: &DynamicImage,
    orientation: u8,
    write: impl FnOnce(&DynamicImage, u8) -> Vec<u8>,
) -> Vec<u8> {
    write(&pictures::stored_for(image, orientation), orientation)
}

/// Where the surest cat is seen.
fn cat_of(settled: &Settled) -> Option<BoundingBox> {
    let labels = settled.record.labels.as_deref().unwrap_or_default();
    let cat = labels.iter().find(|label| label.name == "Cat")?;
    Some(cat.instances.first()?.bounding_box)
}

/// What is wrong with what a person gets who has sent these pictures under these keys.
async fn wrong(stack: &Stack, user: &User, keys: &[String]) -> Vec<String> {
    let mut wrong = vec![];
    let mut reference = None;
    for (kind, key) in KINDS.iter().zip(keys) {
        let settled = stack.settled(key).await;
        let record = &settled.record;
        if record.status != Status::Labeled {
            wrong.push(format!("{}: {:?}", kind.name, record.error));
            continue;
        }
        let found = (
            record.format,
            record.width.zip(record.height),
            &settled.execution.states[..],
        );
        let states: Vec<_> = kind.states.iter().map(ToString::to_string).collect();
        if found != (Some(kind.format), Some(kind.sides), &states[..]) {
            wrong.push(format!("{}: {found:?}", kind.name));
        }
        let cat = cat_of(&settled);
        reference = reference.or(cat);
        let place = within(reference.expect("the first one shows a cat"), kind.photograph);
        if cat.is_none_or(|cat| overlap(cat, place) < 0.8) {
            wrong.push(format!("{}: the cat is at {place:?}, not {cat:?}", kind.name));
        }
        let image_id = record.image_id;
        let thumbnails = wait::until(&format!("{} has thumbnails", kind.name), async || {
            let image = user.get_image(image_id).await.body;
            Some(image["thumbnails"].as_array()?.clone()).filter(|thumbnails| !thumbnails.is_empty())
        })
        .await;
        let mut sides = vec![];
        for thumbnail in &thumbnails {
            let answer = stack
                .http
                .get(thumbnail["url"].as_str().expect("a URL"))
                .send()
                .await;
            let answer = answer.expect("an answer of S3");
            assert_eq!(answer.headers()["content-type"], "image/jpeg");
            let shown = pictures::decoded(&answer.bytes().await.expect("its bytes"));
            sides.push((shown.width(), shown.height()));
            let difference = difference(&shown, &kind.seen);
            if difference > 8.0 {
                wrong.push(format!(
                    "{}: a thumbnail shows something else: {difference}",
                    kind.name
                ));
            }
        }
        if sides != [320, 1_280].map(|longest| fitted(kind.sides, longest)) {
            wrong.push(format!("{}: thumbnails of {sides:?}", kind.name));
        }
    }
    wrong
}

/// A box within a part of a picture.
fn within(inner: BoundingBox, part: BoundingBox) -> BoundingBox {
    BoundingBox::new(
        part.left + inner.left * part.width,
        part.top + inner.top * part.height,
        inner.width * part.width,
        inner.height * part.height,
    )
}

/// Sides of which the longer has at most so many pixels.
fn fitted((width, height): (u32, u32), longest: u32) -> (u32, u32) {
    let scale = (f64::from(longest) / f64::from(width.max(height))).min(1.0);
    let side = |side| (f64::from(side) * scale).round() as u32;
    (side(width), side(height))
}

/// Of the mean sample, of 255.
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

#[test]
fn every_kind_of_picture_uploaded_through_the_api_is_labeled() {
    run(async |stack| {
        let user = stack.new_user("kinds").await;
        let mut keys = vec![];
        for kind in KINDS.iter() {
            keys.push(
                stack
                    .upload_of(&user, &File::new(kind.name, kind.bytes.clone()))
                    .await,
            );
        }
        let wrong = wrong(stack, &user, &keys).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
fn every_kind_of_picture_put_into_the_bucket_is_labeled() {
    run(async |stack| {
        let user = stack.new_user("kinds").await;
        let mut keys = vec![];
        for kind in KINDS.iter() {
            let key = format!("uploads/{}/{}", user.owner.as_str(), kind.name);
            stack.put_object(&key, kind.bytes.clone()).await;
            keys.push(key);
        }
        let wrong = wrong(stack, &user, &keys).await;
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

/// Stored in eight ways, once as what Rekognition takes and once as what is converted.
#[test]
fn boxes_fit_the_picture_as_a_person_sees_it_whatever_its_orientation() {
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
            // What stands behind the picture counts as bytes, and nobody looks at it.
            large.resize(15 * 1024 * 1024 + 1, 0);
            stack.put_object(&key(orientation, "large"), large).await;
        }
        let upright = cat_of(&stack.settled(&key(1, "jpg")).await).expect("a cat");
        for orientation in 1..=8 {
            for (kind, states) in [("jpg", &LABELED[..]), ("large", &CONVERTED)] {
                let settled = stack.settled(&key(orientation, kind)).await;
                assert_eq!(settled.execution.states, states);
                let record = &settled.record;
                assert_eq!(
                    (record.width, record.height),
                    (Some(cat.width()), Some(cat.height())),
                    "as seen"
                );
                let shared = overlap(upright, cat_of(&settled).expect("a cat"));
                assert!(shared > 0.85, "orientation {orientation}, {kind}: {shared}");
            }
        }
    });
}

/// Only the owner may learn where a picture was taken.
#[test]
fn the_place_of_a_picture_goes_into_its_record_and_nowhere_else() {
    run(async |stack| {
        let file = File::new("sydney.jpg", pictures::jpeg(&pictures::pixels(), 6));
        let key = stack.upload(&file).await;
        let settled = stack.settled(&key).await;
        let place = settled
            .record
            .metadata
            .as_ref()
            .and_then(|metadata| metadata.location);
        assert!((place.expect("a place").latitude + 33.858).abs() < 0.001);
        let told: BTreeSet<_> = settled
            .notifications
            .iter()
            .map(|told| told.detail.to_string())
            .collect();
        assert!(
            told.iter()
                .all(|detail| !detail.contains("33.8") && !detail.contains("location"))
        );
        let history = history(stack, &settled).await;
        assert!(!history.contains("33.8") && !history.contains("location"));
    });
}

/// Everything that the execution was given and has given.
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
