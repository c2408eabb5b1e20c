//! Images for the tests of all formats, and tests of what the formats have in common.

use super::*;
use domain::video::Container;
use domain::{
    Confidence, Corrections, Format, ImageFacts, ImageId, LabelDetails, MediaType, Metadata, Status,
    VideoFacts,
};
use proptest::prelude::*;

/// A labeled image.
pub(crate) fn image(name: &str, labels: Vec<LabelDetails>) -> Image {
    let facts = ImageFacts {
        image_id: ImageId::parse("0193a5a0-0000-7000-8000-000000000001").unwrap(),
        status: Status::Labeled,
        media_type: MediaType::Picture,
        video: None,
        file_name: Some(name.to_owned()),
        size: Some(34_306),
        format: Some(Format::Jpeg),
        width: Some(451),
        height: Some(300),
        time: "2015-07-13T10:00:00.000".into(),
        created_at: "2026-11-22T12:00:00.000Z".into(),
        updated_at: "2026-11-22T12:00:03.250Z".into(),
        model_version: Some("3.0".into()),
        error: None,
    };
    let details = ImageDetails {
        facts,
        labels,
        other_labels: vec![],
        corrections: Corrections::default(),
        thumbnails_error: None,
        incomplete: false,
        metadata: Metadata {
            taken_at: Some("2015-07-13T10:00:00".into()),
            ..Metadata::default()
        },
    };
    Image {
        details,
        key: format!("uploads/demo/{name}"),
    }
}

pub(crate) fn label(name: &str, percent: f64, parents: &[&str]) -> LabelDetails {
    LabelDetails {
        name: name.to_owned(),
        confidence: Confidence::new(percent),
        added: false,
        keyword: false,
        detected_as: vec![],
        instances: vec![],
        parents: parents.iter().map(ToString::to_string).collect(),
        aliases: vec![],
        categories: vec![],
        first_ms: None,
        total_ms: None,
    }
}

/// A labeled video.
pub(crate) fn video(name: &str) -> Image {
    let mut cat = label("Cat", 96.21, &["Animal"]);
    (cat.first_ms, cat.total_ms) = (Some(4000), Some(6500));
    let mut home = label("Home", 100.0, &[]);
    home.added = true;
    let mut video = image(name, vec![cat, home]);
    let facts = &mut video.details.facts;
    facts.media_type = MediaType::Video;
    facts.format = None;
    facts.video = Some(VideoFacts {
        duration_ms: 150_000,
        codec: "H.264".into(),
        container: Container::Mp4,
        frame_rate: Some(30.0),
        width: 451,
        height: 300,
    });
    video
}

const FORMATS: [ExportFormat; 3] = [ExportFormat::Csv, ExportFormat::Json, ExportFormat::Xmp];

#[test]
fn images_without_labels_count_except_in_an_archive_of_sidecars() {
    for (format, expected) in FORMATS.into_iter().zip([2, 2, 1]) {
        let mut file = File::new(format).unwrap();
        file.add(&image("cat.jpg", vec![label("Cat", 90.0, &[])]))
            .unwrap();
        file.add(&image("empty.jpg", vec![])).unwrap();
        assert_eq!(file.images(), expected, "{format:?}");
    }
}

/// If a file were larger, it would be full too late, and a function would run out of memory.
#[test]
fn a_file_is_not_larger_than_it_seems() {
    for (format, labels) in FORMATS
        .into_iter()
        .flat_map(|format| [(format, 1), (format, 150)])
    {
        let mut file = File::new(format).unwrap();
        for number in 0..2000 / labels {
            // Texts that can hardly be compressed.
            let name =
                |label: usize| format!("{:x}", (number * 150 + label).wrapping_mul(0x9e37_79b9_7f4a_7c15));
            let labels = (0..labels).map(|index| label(&name(index), 90.0, &[])).collect();
            file.add(&image(&name(150), labels)).unwrap();
        }
        let seems = file.len();
        assert!(seems > 50_000, "{format:?}");
        assert!(file.finish().unwrap().len() < seems + 10_000, "{format:?}");
    }
}

proptest! {
    /// A repeated part of an export overwrites its file with the same file.
    #[test]
    fn the_same_images_make_the_same_file(names in proptest::collection::vec("[a-c.]{0,3}", 0..6)) {
        for format in FORMATS {
            let build = || {
                let mut file = File::new(format).unwrap();
                for name in &names {
                    file.add(&image(name, vec![label(name, 50.0, &["a", "b"])])).unwrap();
                }
                file.finish().unwrap()
            };
            prop_assert_eq!(build(), build());
        }
    }
}
