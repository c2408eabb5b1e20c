//! Labels of pictures with known content.

use crate::running::{Server, inline, sample};
use crate::testing::{jpeg, jpeg_with_orientation, stored_for};
use aws_sdk_rekognition::operation::detect_labels::DetectLabelsOutput;
use aws_sdk_rekognition::types::{
    BoundingBox, DetectLabelsFeatureName, DetectLabelsImagePropertiesSettings, DetectLabelsSettings,
    GeneralLabelsSettings, Label,
};
use image::{Rgb, RgbImage};
use local_rekognition::picture;

fn label<'a>(answer: &'a DetectLabelsOutput, name: &str) -> &'a Label {
    let found = answer.labels().iter().find(|label| label.name() == Some(name));
    found.unwrap_or_else(|| panic!("{name} is missing in {:?}", names(answer)))
}

fn confidence(label: &Label) -> f32 {
    label.confidence().expect("every label has a confidence")
}

fn names(answer: &DetectLabelsOutput) -> Vec<&str> {
    answer.labels().iter().filter_map(|label| label.name()).collect()
}

/// The box of the label's instance with the highest confidence.
fn bounding_box(label: &Label) -> &BoundingBox {
    label
        .instances()
        .first()
        .and_then(|instance| instance.bounding_box())
        .expect("the label has a box")
}

#[tokio::test]
async fn labels_a_portrait_of_a_cat_with_boxes_parents_categories_and_aliases() {
    let server = Server::start(&[]);
    let answer = server.labels(sample("cat.jpg")).await;
    let cat = label(&answer, "Cat");
    assert!(confidence(cat) >= 90.0, "{cat:?}");
    let found = bounding_box(cat);
    let area = found.width().unwrap_or(0.0) * found.height().unwrap_or(0.0);
    assert!(
        area > 0.4,
        "the cat fills most of the picture, but its box only {area} of it"
    );
    let parents: Vec<_> = cat.parents().iter().filter_map(|parent| parent.name()).collect();
    for parent in ["Animal", "Mammal", "Pet"] {
        assert!(parents.contains(&parent), "{parents:?}");
        assert!(
            confidence(label(&answer, parent)) >= confidence(cat),
            "{parent} has a lower confidence than its child"
        );
    }
    assert_eq!(cat.categories()[0].name(), Some("Animals and Pets"));
    assert_eq!(
        label(&answer, "Egyptian Cat").aliases()[0].name(),
        Some("Egyptian Mau")
    );
    assert!(
        answer
            .label_model_version()
            .is_some_and(|version| !version.is_empty())
    );
    assert_eq!(answer.orientation_correction(), None);
    assert!(answer.image_properties().is_none());
    let confidences: Vec<f32> = answer.labels().iter().map(confidence).collect();
    assert!(
        confidences.is_sorted_by(|a, b| a >= b),
        "not sorted by confidence: {confidences:?}"
    );
    assert!(
        confidences
            .iter()
            .all(|confidence| (55.0..=100.0).contains(confidence)),
        "{confidences:?}"
    );
}

#[tokio::test]
async fn labels_the_samples_as_a_person_would_and_without_wrong_labels() {
    let server = Server::start(&[]);
    for (file, boxed, others) in [
        (
            "coffee.jpg",
            ["Cup"].as_slice(),
            ["Coffee", "Espresso", "Beverage"].as_slice(),
        ),
        ("astronaut.jpg", &["Person"], &[]),
        ("photographer.jpg", &["Person"], &["Tripod"]),
    ] {
        let answer = server.labels(sample(file)).await;
        for name in boxed {
            bounding_box(label(&answer, name));
        }
        for name in others {
            label(&answer, name);
        }
        let expected = |label: &&Label| boxed.iter().chain(others).any(|name| label.name() == Some(name));
        let certain = answer.labels().iter().filter(|label| confidence(label) >= 70.0);
        let wrong: Vec<_> = certain.filter(|label| !expected(label)).collect();
        assert!(wrong.is_empty(), "{file}: {wrong:?}");
    }
}

#[tokio::test]
async fn pictures_that_are_not_photographs_have_no_label_above_70_percent() {
    let server = Server::start(&[]);
    let (width, height) = (320, 240);
    let picture = |color: &dyn Fn(u32, u32) -> [u8; 3]| {
        jpeg(&RgbImage::from_fn(width, height, |x, y| Rgb(color(x, y))))
    };
    // The upper bytes of a multiplicative hash, so that the noise is the same in every run.
    let noise = |x: u32, y: u32| (y * width + x).wrapping_mul(2_654_435_761).rotate_left(13);
    for (name, file) in [
        ("white", picture(&|_, _| [255; 3])),
        ("black", picture(&|_, _| [0; 3])),
        (
            "gradient",
            picture(&|x, y| [(x * 255 / width) as u8, (y * 255 / height) as u8, 128]),
        ),
        (
            "noise",
            picture(&|x, y| noise(x, y).to_be_bytes()[..3].try_into().expect("three bytes")),
        ),
        (
            "stripes",
            picture(&|x, _| if x / 20 % 2 == 0 { [200, 0, 0] } else { [255; 3] }),
        ),
    ] {
        let answer = server.labels(file).await;
        let certain: Vec<_> = answer
            .labels()
            .iter()
            .filter(|label| confidence(label) >= 70.0)
            .collect();
        assert!(certain.is_empty(), "{name}: {certain:?}");
    }
}

#[tokio::test]
async fn boxes_apply_to_the_upright_picture_for_every_exif_orientation() {
    let server = Server::start(&[]);
    let file = sample("cat.jpg");
    let header = picture::header(&file).expect("the sample is valid");
    let upright = picture::decode_here(&file, &header).expect("the sample decodes");
    let reference = server.labels(jpeg_with_orientation(&upright, 1)).await;
    let expected = bounding_box(label(&reference, "Cat"));
    for number in 2..=8 {
        let answer = server
            .labels(jpeg_with_orientation(&stored_for(&upright, number), number))
            .await;
        let cat = label(&answer, "Cat");
        assert!(confidence(cat) >= 85.0, "orientation {number}: {cat:?}");
        let seen = bounding_box(cat);
        for (side, a, b) in [
            ("left", expected.left(), seen.left()),
            ("top", expected.top(), seen.top()),
            ("width", expected.width(), seen.width()),
            ("height", expected.height(), seen.height()),
        ] {
            let difference = (a.expect("it is set") - b.expect("it is set")).abs();
            assert!(
                difference < 0.03,
                "orientation {number}: {side} is {b:?}, upright {a:?}"
            );
        }
    }
}

#[tokio::test]
async fn applies_limits_and_filters() {
    let server = Server::start(&[]);
    let request = || server.client().detect_labels().image(inline(sample("cat.jpg")));
    let filtered = |filters: GeneralLabelsSettings| {
        request()
            .settings(DetectLabelsSettings::builder().general_labels(filters).build())
            .send()
    };
    let filters = GeneralLabelsSettings::builder;

    let answer = request().max_labels(2).send().await.expect("it is labeled");
    assert_eq!(answer.labels().len(), 2);
    let everything = request().min_confidence(0.0).send().await.expect("it is labeled");
    assert!(everything.labels().len() > answer.labels().len());
    assert!(everything.labels().iter().all(|label| confidence(label) > 0.0));
    let certain = request()
        .min_confidence(80.0)
        .send()
        .await
        .expect("it is labeled");
    assert!(certain.labels().iter().all(|label| confidence(label) >= 80.0));

    let only = filters()
        .label_inclusion_filters("Cat")
        .label_inclusion_filters("No Such Label")
        .build();
    assert_eq!(names(&filtered(only).await.expect("it is labeled")), ["Cat"]);
    let without = filters().label_exclusion_filters("Cat").build();
    assert!(!names(&filtered(without).await.expect("it is labeled")).contains(&"Cat"));
    let pets = filters()
        .label_category_inclusion_filters("Animals and Pets")
        .build();
    assert!(names(&filtered(pets).await.expect("it is labeled")).contains(&"Cat"));
    let no_pets = filters()
        .label_category_exclusion_filters("Animals and Pets")
        .build();
    assert!(names(&filtered(no_pets).await.expect("it is labeled")).is_empty());
}

#[tokio::test]
async fn returns_image_properties_on_request() {
    let server = Server::start(&[]);
    let properties = DetectLabelsImagePropertiesSettings::builder()
        .max_dominant_colors(3)
        .build();
    let request = || {
        server
            .client()
            .detect_labels()
            .image(inline(sample("cat.jpg")))
            .features(DetectLabelsFeatureName::ImageProperties)
            .settings(
                DetectLabelsSettings::builder()
                    .image_properties(properties.clone())
                    .build(),
            )
    };
    let alone = request().send().await.expect("it is measured");
    assert!(alone.labels().is_empty(), "the request asks for no labels");

    let both = request()
        .features(DetectLabelsFeatureName::GeneralLabels)
        .send()
        .await
        .expect("it is measured");
    let measured = both.image_properties().expect("the request asks for them");
    let quality = measured.quality().expect("it has a quality");
    for value in [quality.brightness(), quality.sharpness(), quality.contrast()] {
        assert!(
            value.is_some_and(|value| (1.0..=100.0).contains(&value)),
            "{quality:?}"
        );
    }
    let foreground = measured.foreground().expect("it has a foreground");
    let background = measured.background().expect("it has a background");
    let instance = &label(&both, "Cat").instances()[0];
    for colors in [
        measured.dominant_colors(),
        foreground.dominant_colors(),
        background.dominant_colors(),
        instance.dominant_colors(),
    ] {
        assert!((1..=3).contains(&colors.len()), "{colors:?}");
        assert!(
            colors
                .iter()
                .all(|color| color.hex_code().is_some_and(|hex| hex.len() == 7)),
            "{colors:?}"
        );
        assert!(
            colors
                .iter()
                .all(|color| color.css_color().is_some() && color.simplified_color().is_some())
        );
        let total: f32 = colors.iter().filter_map(|color| color.pixel_percent()).sum();
        assert!((10.0..=100.1).contains(&total), "{colors:?}");
    }
}

#[tokio::test]
async fn concurrent_requests_get_the_same_labels_as_a_single_one() {
    let server = Server::start(&[]);
    let alone = server.labels(sample("coffee.jpg")).await;
    let client = server.client();
    let together: Vec<_> = (0..12)
        .map(|_| tokio::spawn(client.detect_labels().image(inline(sample("coffee.jpg"))).send()))
        .collect();
    for answer in together {
        let answer = answer.await.expect("no panic").expect("it is labeled");
        assert_eq!(names(&answer), names(&alone));
    }
}
