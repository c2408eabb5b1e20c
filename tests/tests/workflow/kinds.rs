//! One picture of each kind that people have: every one is labeled, with its boxes where a person sees the cat.

use crate::{CONVERTED, LABELED};
use domain::{BoundingBox, Format, Status};
use image::ImageFormat;
use std::collections::BTreeSet;
use tests::api::File;
use tests::images::Settled;
use tests::{Stack, pictures, run};

/// Name, file, the format that is found in it, and the way that it takes.
fn kinds() -> Vec<(&'static str, Vec<u8>, Format, &'static [&'static str])> {
    let cat = pictures::pixels();
    let large = cat.resize_exact(10_240, 6_800, image::imageops::FilterType::Nearest);
    vec![
        ("cat.jpg", pictures::cat(), Format::Jpeg, &LABELED),
        (
            "cat.png",
            pictures::file(&cat, ImageFormat::Png),
            Format::Png,
            &LABELED,
        ),
        (
            "gray.png",
            pictures::file(&cat.to_luma8().into(), ImageFormat::Png),
            Format::Png,
            &LABELED,
        ),
        (
            "deep.png",
            pictures::file(&cat.to_rgb16().into(), ImageFormat::Png),
            Format::Png,
            &LABELED,
        ),
        ("inks.jpg", pictures::inks(), Format::Jpeg, &LABELED),
        ("cat.webp", pictures::webp(), Format::WebP, &CONVERTED),
        ("cat.avif", pictures::avif(), Format::Avif, &CONVERTED),
        (
            "cat.gif",
            pictures::file(&cat, ImageFormat::Gif),
            Format::Gif,
            &CONVERTED,
        ),
        (
            "cat.bmp",
            pictures::file(&cat, ImageFormat::Bmp),
            Format::Bmp,
            &CONVERTED,
        ),
        (
            "cat.tif",
            pictures::file(&cat, ImageFormat::Tiff),
            Format::Tiff,
            &CONVERTED,
        ),
        ("large.jpg", pictures::jpeg(&large, 1), Format::Jpeg, &CONVERTED),
    ]
}

/// Where the surest cat is seen.
fn cat_of(settled: &Settled) -> BoundingBox {
    let labels = settled.record.labels.as_deref().unwrap_or_default();
    let cat = labels.iter().find(|label| label.name == "Cat");
    let instance = cat.and_then(|cat| cat.instances.first());
    instance
        .unwrap_or_else(|| panic!("no box of a cat: {labels:?}"))
        .bounding_box
}

fn check(name: &str, settled: &Settled, format: Format, states: &[&str]) {
    let record = &settled.record;
    assert_eq!(record.status, Status::Labeled, "{name}: {:?}", record.error);
    assert_eq!(record.format, Some(format), "{name}");
    assert_eq!(settled.execution.states, states, "{name}");
    let labels = record.labels.as_deref().unwrap_or_default();
    assert!(
        labels.iter().any(|label| label.name == "Cat"),
        "{name}: {labels:?}"
    );
}

#[test]
fn every_kind_of_picture_uploaded_through_the_api_is_labeled() {
    run(async |stack| {
        for (name, bytes, format, states) in kinds() {
            let key = stack.upload(&File::new(name, bytes)).await;
            check(name, &stack.settled(&key).await, format, states);
        }
    });
}

#[test]
fn every_kind_of_picture_put_into_the_bucket_is_labeled() {
    run(async |stack| {
        let owner = stack.new_owner("kinds");
        let kinds = kinds();
        for (name, bytes, ..) in &kinds {
            stack
                .put_object(&format!("uploads/{owner}/{name}"), bytes.clone())
                .await;
        }
        for (name, _, format, states) in kinds {
            let settled = stack.settled(&format!("uploads/{owner}/{name}")).await;
            check(name, &settled, format, states);
        }
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
        let upright = cat_of(&stack.settled(&key(1, "jpg")).await);
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
                let shared = overlap(upright, cat_of(&settled));
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
